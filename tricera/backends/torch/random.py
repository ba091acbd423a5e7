"""Random numbers by torch's generators, seeded for each draw by the two words of the seed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch

from tricera.backends.torch.replay import for_compiler, opaque, refuse
from tricera.backends.torch.tensor import device, native_dtype


def generator(seed: Any, where: torch.device | None = None) -> torch.Generator:
    """A generator for one draw."""
    return opaque(_seeded, seed, where or device())


def _words(seed: Any) -> list[int]:
    return [int(word) & 0xFFFFFFFF for word in (seed.tolist() if hasattr(seed, "tolist") else seed)]


def _seeded(seed: Any, where: torch.device) -> torch.Generator:
    first, second = _words(seed)
    return torch.Generator(where).manual_seed(_mixed(second << 32 | first))


def _mixed(word: int) -> int:
    """63 bits, each of which depends on all of a 64-bit word (splitmix64): torch's CPU generator takes the low 32 alone."""
    word = (word + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    word = ((word ^ word >> 27) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (word ^ word >> 31) & 0x7FFFFFFFFFFFFFFF


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    """A draw which torch.compile takes for one op: the numbers that it makes are those of a direct call."""
    name = function.__name__
    _DRAWS[name] = function

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        if not torch.compiler.is_compiling():
            return function(*args)
        # Dtypes and shapes are plain, all else becomes tensors: the operands, and the words of the seed.
        first, *given, dtype, seed = args
        words = seed if isinstance(seed, torch.Tensor) else torch.tensor(list(seed))
        if name == "categorical":
            return torch.ops.tricera.draw(name, (first.shape[0], given[0]), dtype, words, [first])
        if name == "shuffle":
            order = torch.ops.tricera.draw(name, (first.shape[dtype],), "int64", words, [])
            return torch.index_select(first, dtype, order)
        operands = [g if isinstance(g, torch.Tensor) else torch.tensor(g) for g in given]
        return torch.ops.tricera.draw(name, tuple(first), dtype, words, operands)

    return run


_DRAWS: dict[str, Callable[..., Any]] = {}
_LIBRARY = torch.library.Library("tricera", "FRAGMENT")
_LIBRARY.define("draw(str what, SymInt[] shape, str dtype, Tensor seed, Tensor[] operands) -> Tensor")


def _drawn(what: str, shape: Any, dtype: str, seed: torch.Tensor, operands: list[torch.Tensor]) -> torch.Tensor:
    if what == "categorical":
        return _DRAWS[what](operands[0], shape[1], dtype, seed)
    if what == "shuffle":
        return torch.randperm(shape[0], generator=generator(seed), device=device())
    return _DRAWS[what](shape, *operands, dtype, seed)


def _shaped(what: str, shape: Any, dtype: str, seed: torch.Tensor, operands: list[torch.Tensor]) -> torch.Tensor:
    where = operands[0].device if what == "categorical" else device()
    return torch.empty(tuple(shape), dtype=native_dtype(dtype), device=where)


_LIBRARY.impl("draw", _drawn, "CompositeExplicitAutograd")
torch.library.register_fake("tricera::draw", _shaped)


def _float(dtype: str) -> torch.dtype:
    return native_dtype(dtype)


@_whole
def normal(shape: Any, dtype: str, seed: Any) -> Any:
    """Standard normal numbers."""
    if for_compiler():
        first, second = _bits(shape, seed, 2, device())
        radius = torch.sqrt(-2.0 * torch.log(1.0 - first))
        return (radius * torch.cos(2.0 * math.pi * second)).to(_float(dtype))
    return torch.randn(tuple(shape), generator=generator(seed), dtype=_float(dtype), device=device())


@_whole
def uniform(shape: Any, dtype: str, seed: Any) -> Any:
    """Uniform numbers in [0, 1)."""
    return uniform_on(shape, _float(dtype), seed, device())


def uniform_on(shape: Any, dtype: torch.dtype, seed: Any, where: torch.device) -> torch.Tensor:
    """Uniform numbers in [0, 1) on a device."""
    if torch.compiler.is_compiling():
        return uniform(shape, str(dtype).removeprefix("torch."), seed)
    if for_compiler():
        return _bits(shape, seed, 1, where)[0].to(dtype)
    return torch.rand(tuple(shape), generator=generator(seed, where), dtype=dtype, device=where)


def _bits(shape: Any, seed: Any, streams: int, where: torch.device) -> torch.Tensor:
    """Uniform float32 numbers in [0, 1), several streams of a shape, as a function of the seed's tensor: splitmix64 of a counter.

    A compiler can't look into generators, but makes one kernel of this.
    """
    words = torch.as_tensor(seed, device=where).to(torch.int64) & 0xFFFFFFFF
    start = _scrambled((words[1] << 32) | words[0])
    count = math.prod(shape)
    steps = torch.arange(1, streams * count + 1, dtype=torch.int64, device=where)
    z = _scrambled(start + steps * _signed(0x9E3779B97F4A7C15))
    return (((z >> 40) & 0xFFFFFF).to(torch.float32) * 2.0**-24).reshape(streams, *shape)


def _scrambled(z: torch.Tensor) -> torch.Tensor:
    z = (z ^ ((z >> 30) & (2**34 - 1))) * _signed(0xBF58476D1CE4E5B9)
    z = (z ^ ((z >> 27) & (2**37 - 1))) * _signed(0x94D049BB133111EB)
    return z ^ ((z >> 31) & (2**33 - 1))


def _signed(word: int) -> int:
    return word - 2**64 if word >= 2**63 else word


@_whole
def truncated_normal(shape: Any, dtype: str, seed: Any) -> Any:
    """Standard normal numbers within two standard deviations."""
    out = torch.empty(tuple(shape), dtype=torch.float32, device=device())
    return torch.nn.init.trunc_normal_(out, 0.0, 1.0, -2.0, 2.0, generator=generator(seed)).to(_float(dtype))


@_whole
def randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: Any) -> Any:
    """Uniform integers in [minval, maxval)."""
    drawn = torch.randint(int(minval), int(maxval), tuple(shape), generator=generator(seed), device=device())
    return drawn.to(native_dtype(dtype))


@_whole
def categorical(logits: Any, num_samples: int, dtype: str, seed: Any) -> Any:
    """Classes drawn by the logits of each row."""
    if num_samples == 0:
        return torch.empty((logits.shape[0], 0), dtype=native_dtype(dtype), device=logits.device)
    weights = torch.softmax(logits, dim=-1)
    # A row that is no distribution (NaN, nothing but -inf) gives some class, as elsewhere: torch would stop, on CUDA for good.
    weights = torch.where(torch.isnan(weights), 1.0, weights)
    drawn = torch.multinomial(weights, num_samples, replacement=True, generator=generator(seed, logits.device))
    return drawn.to(native_dtype(dtype))


@_whole
def shuffle(x: Any, axis: int, seed: Any) -> Any:
    """Slices along an axis in random order."""
    order = torch.randperm(x.shape[axis], generator=generator(seed, x.device), device=x.device)
    return torch.index_select(x, axis, order)


@_whole
def gamma(shape: Any, alpha: Any, dtype: str, seed: Any) -> Any:
    """Gamma-distributed numbers of scale 1."""
    alpha = torch.as_tensor(alpha, dtype=torch.float32, device=device()).expand(tuple(shape)).contiguous()
    return torch._standard_gamma(alpha, generator=generator(seed)).to(_float(dtype))


def _log_gamma(shape: Any, alpha: Any, words: Any) -> torch.Tensor:
    """Logarithms of gamma-distributed numbers, which for a small alpha are no float32 any more: of x u^(1/alpha), x of alpha + 1."""
    alpha = torch.as_tensor(alpha, dtype=torch.float32, device=device()).expand(tuple(shape)).contiguous()
    stream = generator(words)
    drawn = torch.log(torch._standard_gamma(alpha + 1.0, generator=stream))
    return drawn + torch.log(1.0 - torch.rand(tuple(shape), generator=stream, device=device())) / alpha


@_whole
def beta(shape: Any, alpha: Any, beta: Any, dtype: str, seed: Any) -> Any:
    """Beta-distributed numbers, x / (x + y) of two gamma-distributed ones."""
    refuse("words of a seed that are computed with")
    first, second = _words(seed)
    x = _log_gamma(shape, alpha, (first, second))
    y = _log_gamma(shape, beta, (first ^ 0x5DEECE66, second))
    return torch.sigmoid(x - y).to(_float(dtype))


@_whole
def binomial(shape: Any, counts: Any, probabilities: Any, dtype: str, seed: Any) -> Any:
    """Binomially distributed numbers."""
    counts = torch.as_tensor(counts, dtype=torch.float32, device=device()).expand(tuple(shape)).contiguous()
    chance = torch.as_tensor(probabilities, dtype=torch.float32, device=device()).expand(tuple(shape)).contiguous()
    return torch.binomial(counts, chance, generator=generator(seed)).to(_float(dtype))

"""Drawing random tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.doors import Natural, guarded
from tricera.core.dtypes import float_of, is_float, is_int, standardize_dtype
from tricera.core.sizes import sizes
from tricera.core.tensor import KerasTensor, Tensor, TensorLike
from tricera.core.variable import Variable, standardize_shape
from tricera.ops import (
    add,
    broadcast_to,
    cast,
    convert_to_tensor,
    divide,
    floor,
    greater_equal,
    multiply,
    where,
    zeros_like,
)
from tricera.random.seed_generator import SeedGenerator, draw


def _backend_of(seed: Any, *tensors: Any) -> dispatch.Backend:
    for x in (*tensors, seed.state if isinstance(seed, SeedGenerator) else seed):
        if isinstance(x, Variable):
            return x._backend
        found = dispatch.of(x)
        if found is not None:
            return found
    return dispatch.current()


def _float_dtype(dtype: Any, what: str) -> str:
    dtype = standardize_dtype(dtype)
    if not is_float(dtype):
        raise ValueError(f"random.{what} draws floating-point numbers; `dtype` can't be {dtype!r}.")
    return dtype


def _shape(name: str, shape: Any, what: str = "shape") -> tuple[Any, ...]:
    dims = sizes(f"random.{name}: `{what}`", shape)
    return standardize_shape(dims) if all([d is None or isinstance(d, int) for d in dims]) else dims


def _draw(what: str, shape: Any, dtype: str, seed: Any) -> Tensor:
    shape = _shape(what, shape)
    if any([d is None for d in shape]):
        return KerasTensor(shape, dtype)
    backend = _backend_of(seed)
    with dispatch.within(backend):
        return getattr(backend.random, what)(shape, backend.canonical(dtype), draw(seed))


@guarded
def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers.

    Args:
        shape: the shape of the result.
        mean: the mean.
        stddev: the standard deviation.
        dtype: a float dtype, floatx for None.
        seed: an integer (the same numbers each time), a `SeedGenerator` (new ones each time), or None.

    Returns:
        A tensor of that shape and dtype.

    Raises:
        ValueError: `dtype` isn't a float one, or `stddev` is negative.

    Example:
        >>> normal((2, 3), seed=1).shape[1]
        3
    """
    _check_spread("normal", stddev)
    return _scaled(_draw("normal", shape, _float_dtype(dtype, "normal"), seed), mean, stddev)


def _check_spread(what: str, stddev: Any) -> None:
    if isinstance(stddev, (int, float)) and not stddev >= 0:
        raise ValueError(f"random.{what}: `stddev` must be 0 or greater; got {stddev}.")


@guarded
def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers, those beyond two standard deviations drawn again.

    Args:
        shape: the shape of the result.
        mean: the mean before truncation.
        stddev: the standard deviation before truncation.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape and dtype, between mean - 2 stddev and mean + 2 stddev.

    Raises:
        ValueError: `dtype` isn't a float one, or `stddev` is negative.

    Example:
        >>> from tricera import ops
        >>> float(ops.max(ops.abs(truncated_normal((100,), seed=1)))) <= 2.0
        True
    """
    _check_spread("truncated_normal", stddev)
    return _scaled(_draw("truncated_normal", shape, _float_dtype(dtype, "truncated_normal"), seed), mean, stddev)


@guarded
def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Uniform numbers in [minval, maxval).

    Args:
        shape: the shape of the result.
        minval: the lower end, included.
        maxval: the upper end, not included.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape and dtype.

    Raises:
        ValueError: `dtype` isn't a float one.

    Example:
        >>> from tricera import ops
        >>> x = uniform((100,), minval=3.0, maxval=5.0, seed=1)
        >>> float(ops.min(x)) >= 3.0, float(ops.max(x)) <= 5.0
        (True, True)
    """
    return _scaled(_draw("uniform", shape, _float_dtype(dtype, "uniform"), seed), minval, maxval - minval)


def _scaled(x: Tensor, shift: Any, scale: Any) -> Tensor:
    if not (isinstance(scale, (int, float)) and scale == 1):
        x = multiply(x, scale)
    return x if isinstance(shift, (int, float)) and shift == 0 else add(x, shift)


@guarded
def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Uniform integers in [minval, maxval).

    Args:
        shape: the shape of the result.
        minval: the lower end, included.
        maxval: the upper end, not included.
        dtype: an integer dtype.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape and dtype.

    Raises:
        ValueError: `dtype` isn't an integer one or does not hold both ends, nothing lies between them, or they are no scalars.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(randint((3,), minval=4, maxval=5)).tolist()
        [4, 4, 4]
    """
    dtype = standardize_dtype(dtype)
    if not is_int(dtype):
        raise ValueError(f"random.randint draws integers; `dtype` can't be {dtype!r}. Use `random.uniform` for floats.")
    if isinstance(minval, int) and isinstance(maxval, int) and minval >= maxval:
        raise ValueError(f"random.randint: `minval`={minval} must be below `maxval`={maxval}.")
    ends: tuple[tuple[str, Any], ...] = (("minval", minval), ("maxval", maxval))
    for name, end in ends:
        if tuple(getattr(end, "shape", ())):
            raise ValueError(
                f"random.randint: `{name}` must be one integer, not a tensor of the shape {tuple(end.shape)}."
            )
    shape = _shape("randint", shape)
    if any([d is None for d in shape]):
        return KerasTensor(shape, dtype)
    backend = _backend_of(seed)
    limits = np.iinfo(backend.canonical(dtype))
    for name, end, last in (("minval", minval, minval), ("maxval", maxval, maxval - 1)):
        if isinstance(end, int) and not limits.min <= last <= limits.max:
            raise ValueError(
                f"random.randint: `{name}`={end} is out of the range of {limits.dtype}, {limits.min} to {limits.max}; choose another `dtype`."
            )
    with dispatch.within(backend):
        return backend.random.randint(shape, minval, maxval, backend.canonical(dtype), draw(seed))


@guarded
def categorical(logits: TensorLike, num_samples: Natural, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Classes drawn with the probabilities softmax(logits) of each row.

    Args:
        logits: a tensor (rows, classes).
        num_samples: how many draws a row.
        dtype: an integer dtype.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor (rows, num_samples).

    Raises:
        ValueError: `logits` does not have two axes, or has no class; or `num_samples` is negative.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(categorical([[0.0, -1e9]], num_samples=3)).tolist()
        [[0, 0, 0]]
    """
    if not hasattr(logits, "shape"):
        logits = convert_to_tensor(logits)
    if len(logits.shape) != 2 or logits.shape[1] == 0:
        raise ValueError(
            f"random.categorical: `logits` must have two axes, (rows, classes), and a class; got the shape {tuple(logits.shape)}."
        )
    if isinstance(logits, KerasTensor):
        return KerasTensor((logits.shape[0], num_samples), dtype)
    backend = _backend_of(seed, logits)
    with dispatch.within(backend):
        logits = convert_to_tensor(logits)
        if not is_float(backend.dtype(logits)):
            logits = cast(logits, float_of(backend.dtype(logits)))
        return backend.random.categorical(logits, num_samples, backend.canonical(standardize_dtype(dtype)), draw(seed))


@guarded
def shuffle(x: TensorLike, axis: int = 0, seed: Any = None) -> Tensor:
    """Slices along an axis in random order.

    Args:
        x: a tensor.
        axis: the axis.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ValueError: the axis is out of range.

    Example:
        >>> from tricera import ops
        >>> sorted(ops.convert_to_numpy(shuffle([1, 2, 3])).tolist())
        [1, 2, 3]
    """
    if isinstance(x, KerasTensor):
        return KerasTensor(x.shape, x.dtype)
    backend = _backend_of(seed, x)
    with dispatch.within(backend):
        x = convert_to_tensor(x)
        if not -len(x.shape) <= axis < len(x.shape):
            raise ValueError(f"random.shuffle: `axis`={axis} is out of range for a tensor of {len(x.shape)} axes.")
        return backend.random.shuffle(x, axis % len(x.shape), draw(seed))


@guarded
def dropout(inputs: TensorLike, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Set a fraction of the elements to 0 and scale the others by 1 / (1 - rate) (Srivastava et al. 2014).

    Args:
        inputs: a tensor.
        rate: the fraction, in [0, 1]; 0 changes nothing, 1 gives zeros.
        noise_shape: the shape of the mask, which broadcasts; None (whole or an entry) takes that of `inputs`.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of the shape of `inputs`.

    Raises:
        ValueError: `rate` is out of range.

    Example:
        >>> from tricera import ops
        >>> x = ops.convert_to_numpy(dropout(ops.ones((100,)), rate=0.5, seed=1))
        >>> sorted(set(x.tolist()))
        [0.0, 2.0]
    """
    if isinstance(inputs, KerasTensor):
        return KerasTensor(inputs.shape, float_of(inputs.dtype))
    if not 0 <= rate <= 1:
        raise ValueError(f"random.dropout: `rate` must be in [0, 1]; got {rate}.")
    backend = _backend_of(seed, inputs)
    with dispatch.within(backend):
        inputs = convert_to_tensor(inputs)
        if not is_float(backend.dtype(inputs)):
            inputs = cast(inputs, float_of(backend.dtype(inputs)))
        if rate >= 1:
            return zeros_like(inputs)
        words = draw(seed)
        if rate <= 0:
            return inputs
        native = backend.function("fused_dropout")
        if native is not None and noise_shape is None:
            return native(inputs, rate, words)
        whole = tuple(inputs.shape) if None not in tuple(inputs.shape) else backend.dynamic_shape(inputs)
        shape = whole
        if noise_shape is not None:
            given = _shape("dropout", noise_shape, "noise_shape")
            if len(given) != len(whole):
                raise ValueError(
                    f"random.dropout: `noise_shape` must have an entry for each of the {len(whole)} axes of the inputs, not {given}."
                )
            shape = tuple(w if n is None else n for n, w in zip(given, whole, strict=True))
        keep = greater_equal(backend.random.uniform(shape, "float32", words), rate)
        if noise_shape is not None:
            keep = broadcast_to(keep, whole)
        return where(keep, divide(inputs, 1.0 - rate), zeros_like(inputs))


@guarded
def gamma(shape: Any, alpha: TensorLike, dtype: Any = None, seed: Any = None) -> Tensor:
    """Gamma-distributed numbers of shape parameter `alpha` and scale 1.

    Args:
        shape: the shape of the result.
        alpha: the shape parameter, positive, which broadcasts to `shape`.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape and dtype; NaN where a tensor holds a parameter that is out of range.

    Raises:
        ValueError: `dtype` isn't a float one, or a parameter is out of range or does not broadcast.

    Example:
        >>> tuple(gamma((4, 2), alpha=[1.0, 3.0]).shape)
        (4, 2)
    """
    return _parametric("gamma", shape, {"alpha": alpha}, dtype, seed)


@guarded
def beta(shape: Any, alpha: TensorLike, beta: TensorLike, dtype: Any = None, seed: Any = None) -> Tensor:
    """Beta-distributed numbers.

    Args:
        shape: the shape of the result.
        alpha: the first parameter, positive, which broadcasts to `shape`.
        beta: the second parameter, positive.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape and dtype, in [0, 1]; NaN where a tensor holds a parameter that is out of range.

    Raises:
        ValueError: `dtype` isn't a float one, or a parameter is out of range or does not broadcast.

    Example:
        >>> tuple(beta((3,), alpha=2.0, beta=5.0).shape)
        (3,)
    """
    return _parametric("beta", shape, {"alpha": alpha, "beta": beta}, dtype, seed)


@guarded
def binomial(shape: Any, counts: TensorLike, probabilities: TensorLike, dtype: Any = None, seed: Any = None) -> Tensor:
    """How many of `counts` trials succeed, each with the given probability.

    Args:
        shape: the shape of the result.
        counts: the number of trials, which broadcasts to `shape`; fractions are cut off.
        probabilities: the chance of a success, between 0 and 1.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape and dtype, of whole numbers; NaN where a tensor holds a parameter that is out of range.

    Raises:
        ValueError: `dtype` isn't a float one, or a parameter is out of range or does not broadcast.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(binomial((2,), counts=4, probabilities=1.0)).tolist()
        [4.0, 4.0]
    """
    return _parametric("binomial", shape, {"counts": counts, "probabilities": probabilities}, dtype, seed)


# What a parameter must be, in words and as a test; and what is drawn with where a tensor holds something else, which gives NaN.
_PARAMETERS: dict[str, tuple[str, Callable[[Any], Any], float]] = {
    "alpha": ("positive", lambda x: x > 0, 1.0),
    "beta": ("positive", lambda x: x > 0, 1.0),
    "counts": ("0 or greater", lambda x: x >= 0, 0.0),
    "probabilities": ("between 0 and 1", lambda x: abs(x - 0.5) <= 0.5, 0.5),
}


def _on_the_host(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return all([_on_the_host(v) for v in x])
    return isinstance(x, (int, float, np.ndarray, np.generic))


def _all_fit(fits: Callable[[Any], Any], x: Any) -> bool:
    if isinstance(x, (int, float)):  # without NumPy, which torch.compile would trace
        return fits(x)
    return all([_all_fit(fits, v) for v in x]) if isinstance(x, (list, tuple)) else bool(np.all(fits(x)))


def _parametric(what: str, shape: Any, parameters: dict[str, Any], dtype: Any, seed: Any) -> Tensor:
    dtype = _float_dtype(dtype, what)
    shape = _shape(what, shape)
    for name, value in parameters.items():
        rule, fits, _ = _PARAMETERS[name]
        if _on_the_host(value) and not _all_fit(fits, value):
            raise ValueError(f"random.{what}: `{name}` must be {rule}; got {value}.")
    if any([d is None for d in shape]):
        return KerasTensor(shape, dtype)
    backend = _backend_of(seed, *parameters.values())
    with dispatch.within(backend):
        given, right = [], []
        for name, value in parameters.items():
            x = cast(convert_to_tensor(value), "float32")
            _check_broadcast(what, name, tuple(x.shape), shape)
            if not _on_the_host(value):
                _, fits, instead = _PARAMETERS[name]
                right.append(fits(x))
                x = where(right[-1], x, instead)
            given.append(floor(x) if name == "counts" else x)
        out = getattr(backend.random, what)(shape, *given, backend.canonical(dtype), draw(seed))
        for fitting in right:
            out = where(fitting, out, float("nan"))
        return out


def _check_broadcast(what: str, name: str, given: tuple[Any, ...], shape: tuple[Any, ...]) -> None:
    pairs = zip(reversed(given), reversed(shape), strict=False)
    known = [(n, m) for n, m in pairs if isinstance(n, int) and isinstance(m, int)]
    if len(given) > len(shape) or any(n not in (1, m) for n, m in known):
        raise ValueError(f"random.{what}: `{name}` of the shape {given} does not broadcast to `shape`={shape}.")

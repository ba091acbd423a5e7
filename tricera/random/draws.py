"""Drawing random tensors."""

from __future__ import annotations

from typing import Any

from tricera.core import dispatch
from tricera.core.dtypes import is_float, is_int, standardize_dtype
from tricera.core.sizes import sizes
from tricera.core.tensor import KerasTensor, Tensor
from tricera.core.variable import Variable, standardize_shape
from tricera.ops import (
    add,
    broadcast_to,
    cast,
    convert_to_tensor,
    divide,
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


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers.

    Args:
        shape: the shape of the result.
        mean: the mean.
        stddev: the standard deviation.
        dtype: a float dtype, floatx for None.
        seed: an integer (the same numbers each time), a `SeedGenerator` (new ones each time), or None.

    Example:
        >>> normal((2, 3), seed=1).shape[1]
        3
    """
    return _scaled(_draw("normal", shape, _float_dtype(dtype, "normal"), seed), mean, stddev)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers, those beyond two standard deviations drawn again.

    Args:
        shape: the shape of the result.
        mean: the mean before truncation.
        stddev: the standard deviation before truncation.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.
    """
    return _scaled(_draw("truncated_normal", shape, _float_dtype(dtype, "truncated_normal"), seed), mean, stddev)


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Uniform numbers in [minval, maxval).

    Args:
        shape: the shape of the result.
        minval: the lower end, included.
        maxval: the upper end, not included.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.
    """
    return _scaled(_draw("uniform", shape, _float_dtype(dtype, "uniform"), seed), minval, maxval - minval)


def _scaled(x: Tensor, shift: Any, scale: Any) -> Tensor:
    if not (isinstance(scale, (int, float)) and scale == 1):
        x = multiply(x, scale)
    return x if isinstance(shift, (int, float)) and shift == 0 else add(x, shift)


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Uniform integers in [minval, maxval).

    Args:
        shape: the shape of the result.
        minval: the lower end, included.
        maxval: the upper end, not included.
        dtype: an integer dtype.
        seed: an integer, a `SeedGenerator`, or None.

    Raises:
        ValueError: `dtype` isn't an integer one, or nothing lies between both ends.
    """
    dtype = standardize_dtype(dtype)
    if not is_int(dtype):
        raise ValueError(f"random.randint draws integers; `dtype` can't be {dtype!r}. Use `random.uniform` for floats.")
    if isinstance(minval, int) and isinstance(maxval, int) and minval >= maxval:
        raise ValueError(f"random.randint: `minval`={minval} must be below `maxval`={maxval}.")
    shape = _shape("randint", shape)
    if any([d is None for d in shape]):
        return KerasTensor(shape, dtype)
    backend = _backend_of(seed)
    with dispatch.within(backend):
        return backend.random.randint(shape, minval, maxval, backend.canonical(dtype), draw(seed))


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Classes drawn with the probabilities softmax(logits) of each row.

    Args:
        logits: a tensor (rows, classes).
        num_samples: how many draws a row.
        dtype: an integer dtype.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor (rows, num_samples).

    Raises:
        ValueError: `logits` does not have two axes.
    """
    if len(logits.shape if hasattr(logits, "shape") else convert_to_tensor(logits).shape) != 2:
        raise ValueError("random.categorical: `logits` must have two axes, (rows, classes).")
    if isinstance(logits, KerasTensor):
        return KerasTensor((logits.shape[0], num_samples), dtype)
    backend = _backend_of(seed, logits)
    with dispatch.within(backend):
        logits = convert_to_tensor(logits)
        return backend.random.categorical(logits, num_samples, backend.canonical(standardize_dtype(dtype)), draw(seed))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """Slices along an axis in random order.

    Args:
        x: a tensor.
        axis: the axis.
        seed: an integer, a `SeedGenerator`, or None.
    """
    if isinstance(x, KerasTensor):
        return KerasTensor(x.shape, x.dtype)
    backend = _backend_of(seed, x)
    with dispatch.within(backend):
        x = convert_to_tensor(x)
        if not -len(x.shape) <= axis < len(x.shape):
            raise ValueError(f"random.shuffle: `axis`={axis} is out of range for a tensor of {len(x.shape)} axes.")
        return backend.random.shuffle(x, axis % len(x.shape), draw(seed))


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Set a fraction of the elements to 0 and scale the others by 1 / (1 - rate) (Srivastava et al. 2014).

    Args:
        inputs: a tensor.
        rate: the fraction, in [0, 1).
        noise_shape: the shape of the mask, which broadcasts; None (whole or an entry) takes that of `inputs`.
        seed: an integer, a `SeedGenerator`, or None.
    """
    if isinstance(inputs, KerasTensor):
        return KerasTensor(inputs.shape, inputs.dtype)
    if not 0 <= rate <= 1:
        raise ValueError(f"random.dropout: `rate` must be in [0, 1]; got {rate}.")
    backend = _backend_of(seed, inputs)
    with dispatch.within(backend):
        inputs = convert_to_tensor(inputs)
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
            shape = tuple(w if n is None else n for n, w in zip(given, whole, strict=True))
        keep = greater_equal(backend.random.uniform(shape, "float32", words), rate)
        if noise_shape is not None:
            keep = broadcast_to(keep, whole)
        return where(keep, divide(inputs, 1.0 - rate), zeros_like(inputs))


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Gamma-distributed numbers of shape parameter `alpha` and scale 1.

    Args:
        shape: the shape of the result.
        alpha: the shape parameter, which broadcasts to `shape`.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.
    """
    return _parametric("gamma", shape, (alpha,), dtype, seed)


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Beta-distributed numbers.

    Args:
        shape: the shape of the result.
        alpha: the first parameter, which broadcasts to `shape`.
        beta: the second parameter.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.
    """
    return _parametric("beta", shape, (alpha, beta), dtype, seed)


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """How many of `counts` trials succeed, each with the given probability.

    Args:
        shape: the shape of the result.
        counts: the number of trials, which broadcasts to `shape`.
        probabilities: the chance of a success.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.
    """
    return _parametric("binomial", shape, (counts, probabilities), dtype, seed)


def _parametric(what: str, shape: Any, parameters: tuple[Any, ...], dtype: Any, seed: Any) -> Tensor:
    dtype = _float_dtype(dtype, what)
    shape = _shape(what, shape)
    if any([d is None for d in shape]):
        return KerasTensor(shape, dtype)
    backend = _backend_of(seed, *parameters)
    with dispatch.within(backend):
        given = [cast(convert_to_tensor(p), "float32") for p in parameters]
        return getattr(backend.random, what)(shape, *given, backend.canonical(dtype), draw(seed))

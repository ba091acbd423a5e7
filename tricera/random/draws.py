"""Drawing random tensors."""

from __future__ import annotations

from typing import Any

from tricera.core import dispatch
from tricera.core.doors import guarded
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
        ValueError: `dtype` isn't a float one.

    Example:
        >>> normal((2, 3), seed=1).shape[1]
        3
    """
    return _scaled(_draw("normal", shape, _float_dtype(dtype, "normal"), seed), mean, stddev)


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
        ValueError: `dtype` isn't a float one.

    Example:
        >>> from tricera import ops
        >>> float(ops.max(ops.abs(truncated_normal((100,), seed=1)))) <= 2.0
        True
    """
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
        ValueError: `dtype` isn't an integer one, or nothing lies between both ends.

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
    shape = _shape("randint", shape)
    if any([d is None for d in shape]):
        return KerasTensor(shape, dtype)
    backend = _backend_of(seed)
    with dispatch.within(backend):
        return backend.random.randint(shape, minval, maxval, backend.canonical(dtype), draw(seed))


@guarded
def categorical(logits: TensorLike, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
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

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(categorical([[0.0, -1e9]], num_samples=3)).tolist()
        [[0, 0, 0]]
    """
    if len(logits.shape if hasattr(logits, "shape") else convert_to_tensor(logits).shape) != 2:
        raise ValueError("random.categorical: `logits` must have two axes, (rows, classes).")
    if isinstance(logits, KerasTensor):
        return KerasTensor((logits.shape[0], num_samples), dtype)
    backend = _backend_of(seed, logits)
    with dispatch.within(backend):
        logits = convert_to_tensor(logits)
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
        alpha: the shape parameter, which broadcasts to `shape`.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape and dtype.

    Raises:
        ValueError: `dtype` isn't a float one.

    Example:
        >>> tuple(gamma((4, 2), alpha=[1.0, 3.0]).shape)
        (4, 2)
    """
    return _parametric("gamma", shape, (alpha,), dtype, seed)


@guarded
def beta(shape: Any, alpha: TensorLike, beta: TensorLike, dtype: Any = None, seed: Any = None) -> Tensor:
    """Beta-distributed numbers.

    Args:
        shape: the shape of the result.
        alpha: the first parameter, which broadcasts to `shape`.
        beta: the second parameter.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape and dtype, in [0, 1].

    Raises:
        ValueError: `dtype` isn't a float one.

    Example:
        >>> tuple(beta((3,), alpha=2.0, beta=5.0).shape)
        (3,)
    """
    return _parametric("beta", shape, (alpha, beta), dtype, seed)


@guarded
def binomial(shape: Any, counts: TensorLike, probabilities: TensorLike, dtype: Any = None, seed: Any = None) -> Tensor:
    """How many of `counts` trials succeed, each with the given probability.

    Args:
        shape: the shape of the result.
        counts: the number of trials, which broadcasts to `shape`.
        probabilities: the chance of a success.
        dtype: a float dtype, floatx for None.
        seed: an integer, a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape and dtype, of whole numbers.

    Raises:
        ValueError: `dtype` isn't a float one.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(binomial((2,), counts=4, probabilities=1.0)).tolist()
        [4.0, 4.0]
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

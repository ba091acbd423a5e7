"""Making tensors, and moving between tensors and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.doors import Natural, guarded, is_text, refusal
from tricera.core.dtypes import is_int, result_type, standardize_dtype
from tricera.core.op import composed, primitive
from tricera.core.sizes import sizes
from tricera.core.spec import same
from tricera.core.tensor import KerasTensor, Spec, Tensor, TensorLike
from tricera.core.variable import Variable, standardize_shape


def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Tensor:
    """Make a tensor of the current backend; tensors stay what they are.

    Args:
        x: a tensor, Variable, array, number or nested list.
        dtype: default: the array's, floatx for Python floats, int32 for Python integers.
        sparse: False turns a sparse tensor into a dense one; else sparse ones stay what they are.
        ragged: False turns a ragged tensor into a dense one; else ragged ones stay what they are.

    Returns:
        A tensor.

    Example:
        >>> convert_to_numpy(convert_to_tensor([1, 2])).tolist()
        [1, 2]
    """
    if isinstance(x, Variable):
        x = x.value
    backend = dispatch.of_type(type(x))
    as_it_is = sparse is not False and ragged is not False
    if backend is not None and as_it_is and (dtype is None or backend.dtype(x) == dtype):
        return backend.convert(x)
    if isinstance(x, KerasTensor):
        if dtype is not None:
            dtype = standardize_dtype(dtype)
        kept = dtype or x.dtype, x.sparse and sparse is not False, x.ragged and ragged is not False
        return x if kept == (x.dtype, x.sparse, x.ragged) else KerasTensor(x.shape, *kept)
    backend = dispatch.of(x) or dispatch.current()
    try:
        dtype = None if dtype is None else backend.canonical(standardize_dtype(dtype))
        if sparse is False or ragged is False:
            x = backend.densify(x)
        return backend.convert(x, dtype)
    except Exception as error:
        if x is None or isinstance(x, dict) or (dispatch.of(x) is None and is_text(x)):
            raise TypeError(f"ops.convert_to_tensor: no tensor of {backend.name} can be made of {x!r}.") from error
        raise refusal("ops.convert_to_tensor", error)  # noqa: B904 - as in `guarded`


def convert_to_numpy(x: Any) -> np.ndarray:
    """Fetch the values of a tensor as a NumPy array.

    Args:
        x: a tensor of any framework, a Variable, or what NumPy can convert.

    Returns:
        An array.

    Raises:
        ValueError: `x` is symbolic, and has no values.

    Example:
        >>> convert_to_numpy(ones((2,))).tolist()
        [1.0, 1.0]
    """
    if isinstance(x, Variable):
        return x.numpy()
    backend = dispatch.of(x)
    if backend is None:
        if isinstance(x, (list, tuple)):
            return np.asarray([convert_to_numpy(e) for e in x]) if any(dispatch.of(e) for e in x) else np.asarray(x)
        return np.asarray(x)
    return backend.to_numpy(x)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of a framework (or of the current backend).

    Args:
        x: anything.

    Returns:
        A bool; False for symbolic tensors.

    Example:
        >>> is_tensor(convert_to_tensor([1.0]))
        True
    """
    return dispatch.of(x) is not None or dispatch.current().is_tensor(x)


def shape(x: Any) -> tuple[Any, ...]:
    """The shape; inside a graph whose sizes are not known, scalars stand for these.

    Args:
        x: a tensor, symbolic or not.

    Returns:
        A tuple of integers (None where a symbolic tensor's dimension is unknown).

    Example:
        >>> shape([[1, 2, 3]])
        (1, 3)
    """
    if isinstance(x, (KerasTensor, Variable)):
        return x.shape
    backend = dispatch.of(x)
    if backend is None:
        return np.shape(x)
    return backend.dynamic_shape(x)


def ndim(x: Any) -> int:
    """The number of axes.

    Args:
        x: a tensor, symbolic or not.

    Returns:
        An integer.

    Example:
        >>> ndim([[1.0]])
        2
    """
    return len(shape(x))


def dtype(x: Any) -> str:
    """The name of a tensor's dtype.

    Args:
        x: a tensor, symbolic or not, a Variable or an array.

    Returns:
        A string.

    Example:
        >>> dtype(zeros((2,), dtype="int32"))
        'int32'
    """
    if isinstance(x, (KerasTensor, Variable)):
        return x.dtype
    backend = dispatch.of(x)
    return standardize_dtype(x.dtype) if backend is None else backend.dtype(x)


def _filled(name: str, shape: Any, value: Any, dtype: Any) -> Tensor:
    backend = dispatch.current()
    dims = sizes(f"ops.{name}: `shape`", shape)
    if all([isinstance(d, int) for d in dims]):
        dims = standardize_shape(dims)
    return backend.function("full")(dims, value, backend.canonical(standardize_dtype(dtype)))  # type: ignore[misc]


@guarded
def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros.

    Args:
        shape: its shape, an integer, a tuple or a tensor of integers.
        dtype: default: floatx.

    Returns:
        A tensor of that shape.

    Example:
        >>> convert_to_numpy(zeros((2,))).tolist()
        [0.0, 0.0]
    """
    return _filled("zeros", shape, 0, dtype)


@guarded
def ones(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of ones.

    Args:
        shape: its shape, an integer, a tuple or a tensor of integers.
        dtype: default: floatx.

    Returns:
        A tensor of that shape.

    Example:
        >>> convert_to_numpy(ones((2,))).tolist()
        [1.0, 1.0]
    """
    return _filled("ones", shape, 1, dtype)


@guarded
def empty(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor whose values are not promised (zeros, here).

    Args:
        shape: its shape, an integer, a tuple or a tensor of integers.
        dtype: default: floatx.

    Returns:
        A tensor of that shape.

    Example:
        >>> tuple(empty((2, 3)).shape)
        (2, 3)
    """
    return _filled("empty", shape, 0, dtype)


@guarded
def full(shape: Any, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """A tensor filled with one value.

    Args:
        shape: its shape, an integer, a tuple or a tensor of integers.
        fill_value: a number, or a tensor that broadcasts to the shape.
        dtype: default: floatx.

    Returns:
        A tensor of that shape.

    Raises:
        ValueError: the value doesn't broadcast to the shape.

    Example:
        >>> convert_to_numpy(full((2,), 7)).tolist()
        [7.0, 7.0]
    """
    if isinstance(fill_value, (int, float, bool)):
        return _filled("full", shape, fill_value, dtype)
    from tricera.core.inference import PUBLIC

    value = convert_to_tensor(fill_value, dtype)
    return PUBLIC["broadcast_to"](value if dtype else PUBLIC["cast"](value, None), shape)


def _like(value: int) -> Any:
    def like(x: Any, dtype: Any) -> Tensor:
        backend = dispatch.current()
        return backend.function("filled_like")(
            x, value, None if dtype is None else backend.canonical(standardize_dtype(dtype))
        )  # type: ignore[misc]

    return like


def _like_spec(x: Spec, *rest: Any) -> Spec:
    dtype = rest[-1]
    return x if dtype is None else Spec(x.shape, standardize_dtype(dtype))


@composed(spec=_like_spec, promote=None)
def zeros_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Zeros of the shape (and, unless given, the dtype) of `x`.

    Args:
        x: a tensor.
        dtype: default: that of `x`.

    Returns:
        A tensor of the same shape.

    Example:
        >>> convert_to_numpy(zeros_like([1, 2])).tolist()
        [0, 0]
    """
    return _like(0)(x, dtype)


@composed(spec=_like_spec, promote=None)
def ones_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Ones of the shape (and, unless given, the dtype) of `x`.

    Args:
        x: a tensor.
        dtype: default: that of `x`.

    Returns:
        A tensor of the same shape.

    Example:
        >>> convert_to_numpy(ones_like([1, 2])).tolist()
        [1, 1]
    """
    return _like(1)(x, dtype)


@composed(spec=_like_spec, promote=None)
def empty_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """A tensor of the shape of `x` whose values are not promised (zeros, here).

    Args:
        x: a tensor.
        dtype: default: that of `x`.

    Returns:
        A tensor of the same shape.

    Example:
        >>> tuple(empty_like([1, 2]).shape)
        (2,)
    """
    return _like(0)(x, dtype)


@composed(spec=lambda x, fill, dtype=None: _like_spec(x, dtype), promote=None)
def full_like(x: TensorLike, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """One value in the shape (and, unless given, the dtype) of `x`.

    Args:
        x: a tensor.
        fill_value: a number, or a tensor that broadcasts; it is cast to the dtype.
        dtype: default: that of `x`.

    Returns:
        A tensor of the same shape.

    Example:
        >>> convert_to_numpy(full_like([1, 2], 7)).tolist()
        [7, 7]
    """
    backend = dispatch.current()
    wanted = backend.dtype(x) if dtype is None else backend.canonical(standardize_dtype(dtype))
    return backend.function("broadcast_to")(backend.cast(fill_value, wanted), backend.dynamic_shape(x))  # type: ignore[misc]


@guarded
def arange(start: float, stop: float | None = None, step: float | None = None, dtype: Any = None) -> Tensor:
    """Evenly spaced values in the half-open interval [start, stop).

    Args:
        start: the first value; with `start` alone it is the end, and the first value is 0.
        stop: the end, not included.
        step: the spacing, 1 for None.
        dtype: default: the joined dtype of the arguments.

    Returns:
        A vector.

    Raises:
        ValueError: the step is 0.

    Example:
        >>> convert_to_numpy(arange(3)).tolist()
        [0, 1, 2]
    """
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    if isinstance(step, (int, float)) and step == 0:
        raise ValueError("ops.arange: `step` must not be 0.")
    backend = next((b for b in map(dispatch.of, (start, stop, step)) if b is not None), dispatch.current())
    if all([isinstance(v, (int, float)) for v in (start, stop, step)]) and (stop - start) * step <= 0:
        stop = start  # nothing lies between them, which some framework refuses
    if dtype is None:
        dtype = result_type(
            *(type(v) if isinstance(v, (int, float)) else backend.dtype(v) for v in (start, stop, step))
        )
    kind = backend.canonical(standardize_dtype(dtype))
    if is_int(kind) and any([isinstance(v, float) and not v.is_integer() for v in (start, stop, step)]):
        # Frameworks would round the ends and the step first: the values are rounded, as in NumPy.
        return backend.cast(backend.function("arange")(start, stop, step, backend.canonical("float64")), kind)  # type: ignore[misc]
    return backend.function("arange")(start, stop, step, kind)  # type: ignore[misc]


@guarded
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: Natural = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` evenly spaced values from `start` to `stop`.

    Args:
        start: the first value, a number or a tensor.
        stop: the last value (not included if `endpoint` is False).
        num: how many.
        endpoint: whether `stop` is the last value.
        retstep: also return the spacing.
        dtype: default: a float dtype, floatx for numbers.
        axis: where the new axis goes, for tensors.

    Returns:
        A tensor, or with `retstep` the pair (tensor, spacing).

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> convert_to_numpy(linspace(0, 1, num=3)).tolist()
        [0.0, 0.5, 1.0]
    """
    from tricera.core.inference import PUBLIC

    start, stop = convert_to_tensor(start), convert_to_tensor(stop)
    wide = result_type(_dtype_of(start), _dtype_of(stop), float)
    start, stop = PUBLIC["cast"](start, wide), PUBLIC["cast"](stop, wide)
    divisor = num - 1 if endpoint else num
    span = PUBLIC["subtract"](stop, start)
    step = PUBLIC["divide"](span, divisor) if divisor > 0 else PUBLIC["multiply"](span, float("nan"))
    rank = len(shape(span))
    index = PUBLIC["reshape"](arange(num, dtype=None if "complex" in wide else wide), (num,) + (1,) * rank)
    values = PUBLIC["add"](start, PUBLIC["multiply"](index, step if divisor > 0 else span))
    if endpoint and num > 1:
        last = PUBLIC["equal"](index, num - 1)
        values = PUBLIC["select_where"](last, stop, values)
    values = PUBLIC["cast"](PUBLIC["moveaxis"](values, 0, axis) if axis else values, dtype or wide)
    return (values, step) if retstep else values


def _dtype_of(x: Any) -> str:
    return dtype(x)


@guarded
def eye(N: Natural, M: Natural | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: the number of rows.
        M: the number of columns, N for None.
        k: which diagonal: 0 the main one, positive ones above it.
        dtype: default: floatx.

    Returns:
        A tensor of shape (N, M).

    Raises:
        ValueError: a negative number.

    Example:
        >>> convert_to_numpy(eye(2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    from tricera.core.inference import PUBLIC

    columns = N if M is None else M
    rows = PUBLIC["reshape"](arange(N, dtype="int32"), (N, 1))
    return PUBLIC["cast"](
        PUBLIC["equal"](PUBLIC["add"](rows, k), arange(columns, dtype="int32")), standardize_dtype(dtype)
    )


@guarded
def identity(n: Natural, dtype: Any = None) -> Tensor:
    """The square identity matrix, `eye(n)`.

    Args:
        n: the number of rows and columns.
        dtype: default: floatx.

    Returns:
        A tensor of shape (n, n).

    Raises:
        ValueError: `n` is negative.

    Example:
        >>> convert_to_numpy(identity(2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return eye(n, dtype=dtype)


def array(x: Any, dtype: Any = None) -> Tensor:
    """Make a tensor, as `convert_to_tensor`.

    Args:
        x: a tensor, Variable, array, number or nested list.
        dtype: default: the array's, floatx for Python floats, int32 for Python integers.

    Returns:
        A tensor.

    Example:
        >>> convert_to_numpy(array([1, 2])).tolist()
        [1, 2]
    """
    return convert_to_tensor(x, dtype)


@primitive(promote=None, spec=same)
def copy(x: TensorLike) -> Tensor:
    """A tensor of the same values that shares no memory.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> convert_to_numpy(copy([1, 2])).tolist()
        [1, 2]
    """
    ...

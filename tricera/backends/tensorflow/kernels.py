"""TensorFlow's kernels for operands that are known to be tensors, without what is around them.

`tf.add` and its like first look whether somebody has registered a type of their own, then whether an operand must be converted,
which takes as long as the addition of small tensors. `tf.raw_ops` does neither. Gradients and compilers see the same ops.

Shapes and axes are given as arrays: a tuple is looked through number by number, which takes longer than the op. A tensor made
beforehand would be quicker still, but a graph takes it for something that it knows only when it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tricera.backends.tensorflow.ops.nn import SMALL
from tricera.core.dtypes import ALLOWED, FLOAT8, standardize_dtype

raw = tf.raw_ops
Made = Callable[..., Any] | None


def _unary(kernel: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: kernel(x=x)


def _binary(kernel: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x1, x2: kernel(x=x1, y=x2)


def _ints(value: Any) -> Any:
    """An axis or a shape as the kernels take it quickest; None where it isn't made of plain integers."""
    if type(value) is int:
        return value
    plain = isinstance(value, (tuple, list)) and all(type(v) is int and abs(v) < 2**31 for v in value)
    return np.array(value, "int32") if plain else None


def _reduction(kernel: Callable[..., Any]) -> Callable[..., Made]:
    def make(x: Any, axis: Any = None, keepdims: bool = False) -> Made:
        axes = _ints(axis)
        if axes is None or not x.dtype.is_floating:
            return None
        return lambda x: kernel(input=x, axis=axes, keep_dims=keepdims)

    return make


def _extreme(kernel: Callable[..., Any], table: Callable[..., Any]) -> Callable[..., Made]:
    def make(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Made:
        if type(axis) is not int or not x.dtype.is_floating or initial is not None:
            return None

        def run(x: Any) -> Any:
            if not x.shape[axis]:  # of nothing there is no extreme, or it isn't known
                return table(x)
            return kernel(input=x, axis=axis, keep_dims=keepdims)

        return run

    return make


def _transpose(x: Any, axes: Any = None) -> Made:
    order = _ints(axes)
    return None if order is None else lambda x: raw.Transpose(x=x, perm=order)


def _reshape(x: Any, newshape: Any) -> Made:
    shape = _ints(newshape)
    return None if shape is None else lambda x: raw.Reshape(tensor=x, shape=shape)


def _expand(x: Any, axis: Any) -> Made:
    return (lambda x: raw.ExpandDims(input=x, axis=axis)) if type(axis) is int else None


def _cast(x: Any, dtype: Any) -> Made:
    if (
        not isinstance(dtype, str)
        or dtype not in ALLOWED
        or (dtype in FLOAT8 and not x.dtype.is_floating)
        or not (x.dtype.is_floating or x.dtype.is_integer or x.dtype.is_bool)
    ):
        return None
    wanted = tf.as_dtype(standardize_dtype(dtype))
    return (lambda x: x) if wanted == x.dtype else lambda x: raw.Cast(x=x, DstT=wanted)


def _where(condition: Any, x1: Any, x2: Any) -> Made:
    if condition.dtype != tf.bool:
        return None
    return lambda condition, x1, x2: raw.SelectV2(condition=condition, t=x1, e=x2)


def _concatenate(*xs: Any, axis: Any = 0) -> Made:
    if type(axis) is not int:
        return None

    def run(xs: Any) -> Any:
        try:
            return raw.ConcatV2(values=xs, axis=axis)
        except (
            ValueError,
            tf.errors.InvalidArgumentError,
        ):  # the kernel wants two of them, and what is remembered holds for lists of any length
            if len(xs) != 1:
                raise
            return tf.identity(xs[0])

    return run


def _take(table: Callable[..., Any]) -> Callable[..., Made]:
    def make(x: Any, indices: Any, axis: Any = None) -> Made:
        # The CPU's kernel refuses negative positions, of which there are mostly none; an accelerator's gives zeros.
        at_once = type(axis) is int and hasattr(x, "numpy") and hasattr(indices, "numpy")
        if not at_once or indices.dtype not in (tf.int32, tf.int64) or tf.config.list_logical_devices("GPU"):
            return None

        def run(x: Any, indices: Any) -> Any:
            if not tf.executing_eagerly():
                return table(x, indices)
            try:
                return raw.GatherV2(params=x, indices=indices, axis=axis)
            except tf.errors.InvalidArgumentError:
                return table(x, indices)

        return run

    return make


def _softmax(x: Any, axis: Any = -1) -> Made:
    if not (x.dtype.is_floating and type(axis) is int and axis == x.shape.rank - 1):
        return None

    single = x.dtype in (tf.float32, tf.float64)

    def run(x: Any) -> Any:
        if single and (size := x.shape.num_elements()) is not None and size <= SMALL:
            return raw.Exp(x=raw.LogSoftmax(logits=x))
        out = raw.Softmax(logits=x)
        total = raw.Sum(input=raw.StopGradient(input=out), axis=axis, keep_dims=True)
        return raw.AddV2(x=out, y=raw.Sub(x=total, y=total))  # as in the table: NaN for all beside NaN

    return run


# A function of the tensors and options that gives the kernel for tensors and options like them, or None where the table's function
# is needed.
SPECIAL: dict[str, Callable[..., Made]] = {
    "sum": _reduction(raw.Sum),
    "mean": _reduction(raw.Mean),
    "transpose": _transpose,
    "reshape": _reshape,
    "expand_dims": _expand,
    "cast": _cast,
    "select_where": _where,
    "concatenate": _concatenate,
    "softmax": _softmax,
}
# The same, but of the table's function with its options.
AROUND: dict[str, Callable[[Callable[..., Any]], Callable[..., Made]]] = {
    "take": _take,
    "max": lambda table: _extreme(raw.Max, table),
    "min": lambda table: _extreme(raw.Min, table),
}
# Without options, for floating-point tensors.
KERNELS: dict[str, Callable[..., Any]] = {
    **{
        name: _binary(kernel)
        for name, kernel in {
            "add": raw.AddV2, "subtract": raw.Sub, "multiply": raw.Mul, "divide": raw.RealDiv, "power": raw.Pow,
            "maximum": raw.Maximum, "minimum": raw.Minimum, "less": raw.Less, "less_equal": raw.LessEqual,
            "greater": raw.Greater, "greater_equal": raw.GreaterEqual, "squared_difference": raw.SquaredDifference,
        }.items()
    },
    **{
        name: _unary(kernel)
        for name, kernel in {
            "exp": raw.Exp, "log": raw.Log, "sqrt": raw.Sqrt, "rsqrt": raw.Rsqrt, "square": raw.Square,
            "sigmoid": raw.Sigmoid, "sin": raw.Sin, "cos": raw.Cos, "negative": raw.Neg, "absolute": raw.Abs,
        }.items()
    },
    # The public names of these are the generated functions themselves.
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
}  # fmt: skip

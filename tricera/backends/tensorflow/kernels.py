"""TensorFlow's kernels for operands that are known to be floating-point tensors of one dtype, without what is around them.

`tf.add` and its like first look whether somebody has registered a type of their own, then whether an operand must be converted,
which takes as long as the addition of small tensors. `tf.raw_ops` does neither. Gradients and compilers see the same ops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

raw = tf.raw_ops
Made = Callable[..., Any] | None


def _unary(kernel: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: kernel(x=x)


def _binary(kernel: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x1, x2: kernel(x=x1, y=x2)


def _reduction(kernel: Callable[..., Any]) -> Callable[..., Made]:
    def make(axis: Any = None, keepdims: bool = False, initial: Any = None) -> Made:
        if axis is None or initial is not None:
            return None
        return lambda x: kernel(input=x, axis=axis, keep_dims=keepdims)

    return make


def _place(kernel: Callable[..., Any]) -> Callable[..., Made]:
    def make(axis: Any = None, keepdims: bool = False) -> Made:
        if axis is None or keepdims:
            return None
        return lambda x: kernel(input=x, dimension=axis, output_type=tf.int32)

    return make


# With options: a function of them that gives the kernel, or None where the table's function is needed.
SPECIAL: dict[str, Callable[..., Made]] = {
    "sum": _reduction(raw.Sum),
    "mean": _reduction(raw.Mean),
    "argmax": _place(raw.ArgMax),
    "argmin": _place(raw.ArgMin),
    "transpose": lambda axes=None: None if axes is None else lambda x: raw.Transpose(x=x, perm=axes),
    "reshape": lambda newshape: lambda x: raw.Reshape(tensor=x, shape=newshape),
    "expand_dims": lambda axis: (lambda x: raw.ExpandDims(input=x, axis=axis)) if isinstance(axis, int) else None,
}
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
            "exp": raw.Exp, "log": raw.Log, "sqrt": raw.Sqrt, "rsqrt": raw.Rsqrt, "square": raw.Square, "tanh": raw.Tanh,
            "sigmoid": raw.Sigmoid, "sin": raw.Sin, "cos": raw.Cos, "negative": raw.Neg, "absolute": raw.Abs,
        }.items()
    },
    "relu": lambda x: raw.Relu(features=x),
}  # fmt: skip

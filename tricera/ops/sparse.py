"""Which ops keep sparse tensors sparse: those that are 0 at 0, products, sums of sparse tensors, moves of elements.

`tf.SparseTensor`, JAX's `BCOO` and torch's sparse COO tensors go through them; all other ops make them dense first. A quotient
by a dense tensor keeps to the elements that are there: 0 / 0 is 0 where nothing is stored. (torch's sparse tensors are of the
same class as its dense ones, so its own kernels may get them, and then decide themselves whether the result is sparse.)
"""

from __future__ import annotations

import functools
from typing import Any

from tricera.core import dispatch, spec as rules
from tricera.core.inference import PUBLIC
from tricera.core.sparse import RULES, Rule
from tricera.core.tensor import Spec

# f(0) = 0, element by element.
_ZERO_AT_ZERO = (
    "abs", "absolute", "arcsin", "arcsinh", "arctan", "arctanh", "cast", "cbrt", "ceil", "celu", "conj", "conjugate", "copy", "deg2rad",
    "elu", "erf", "erfinv", "expm1", "fabs", "floor", "gelu", "hard_shrink", "hard_silu", "hard_tanh", "imag",
    "leaky_relu", "log1p", "mish", "nan_to_num", "negative", "rad2deg", "real", "relu", "relu6", "round", "selu", "sign", "signbit",
    "silu", "sin", "sinh", "soft_shrink", "softsign", "sqrt", "square", "stop_gradient", "tan", "tanh", "tanh_shrink", "trunc",
)  # fmt: skip
# f(0, 0) = 0, where both are sparse.
_ZERO_AT_ZEROS = ("add", "subtract", "maximum", "minimum", "fmax", "fmin")


def _of_values(name: str, room: Any, x: Any, *rest: Any) -> Any:
    return room.with_values(x, PUBLIC[name](room.values(x), *rest))


def _of_both(name: str, room: Any, a: Any, b: Any) -> Any:
    if not (room.is_sparse(a) and room.is_sparse(b)) or tuple(a.shape) != tuple(b.shape):
        return NotImplemented
    a, b = room.align(a, b)
    return room.with_values(a, PUBLIC[name](room.values(a), room.values(b)))


def _product(room: Any, a: Any, b: Any) -> Any:
    if room.is_sparse(a) and room.is_sparse(b):
        return _of_both("multiply", room, a, b)
    return _quotient("multiply", room, a, b) if room.is_sparse(a) else _product(room, b, a)


def _quotient(name: str, room: Any, a: Any, b: Any) -> Any:
    """By the elements of a dense tensor where something is stored."""
    if not room.is_sparse(a) or room.is_sparse(b) or not _covers(a.shape, b.shape):
        return NotImplemented
    return room.with_values(a, PUBLIC[name](room.values(a), room.at(b, a) if len(b.shape) else b))


def _covers(shape: Any, other: Any) -> bool:
    """Whether broadcasting leaves the first shape as it is."""
    return len(other) <= len(shape) and all(
        n == 1 or (m is not None and n == m) for m, n in zip(shape[::-1], other[::-1], strict=False)
    )


def _matmul(room: Any, a: Any, b: Any) -> Any:
    return room.matmul(a, b) if len(a.shape) == len(b.shape) == 2 else NotImplemented


def _shaped(rule: Any) -> Any:
    """A move of elements that keeps their order: another shape."""

    def run(room: Any, x: Any, *options: Any) -> Any:
        return room.reshape(x, rule(Spec(tuple(x.shape), ""), *options).shape)

    return run


def _transpose(room: Any, x: Any, axes: Any = None) -> Any:
    order = range(len(x.shape))[::-1] if axes is None else [a % len(x.shape) for a in axes]
    return room.transpose(x, tuple(order))


def _concatenate(room: Any, xs: Any, axis: Any = 0) -> Any:
    if axis is None or not all(map(room.is_sparse, xs)):
        return NotImplemented
    return room.concatenate(list(xs), axis % len(xs[0].shape))


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    return tuple(range(len(x.shape))) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)


def _sum(room: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axes = _axes(x, axis)
    if not axes or None in x.shape:
        return NotImplemented
    total = room.sum(x, axes)
    return room.reshape(total, rules.reduce(Spec(tuple(x.shape), ""), axes, True).shape) if keepdims else total


def _mean(room: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    total = _sum(room, x, axis, keepdims)
    count = rules.size_of(tuple(x.shape[a] for a in _axes(x, axis)))
    if total is NotImplemented or not count:
        return NotImplemented
    return room.with_values(total, PUBLIC["divide"](room.values(total), count))


def hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    """The sparse tensor of `one_hot`: a value for each element of `x`, 0 for classes out of range.

    Args:
        x: an integer tensor.
        num_classes: how many classes there are.
        axis: where their axis goes in the result, counted from the front.
        dtype: of the values.

    Returns:
        A sparse tensor of one axis more than `x`.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(hot([1, 5], 2, 1, "float32")).tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """
    from tricera.ops.creation import arange, shape

    room, sizes = dispatch.current().sparse, shape(x)
    x = PUBLIC["cast"](x, "int32")
    columns = []
    for i, n in enumerate(sizes):
        along = PUBLIC["reshape"](arange(n, dtype="int32"), tuple(-1 if i == j else 1 for j in range(len(sizes))))
        columns.append(PUBLIC["broadcast_to"](along, sizes))
    columns.insert(axis, PUBLIC["clip"](x, 0, num_classes - 1))
    places = PUBLIC["stack"]([PUBLIC["reshape"](c, (-1,)) for c in columns], axis=-1)
    inside = PUBLIC["logical_and"](PUBLIC["greater_equal"](x, 0), PUBLIC["less"](x, num_classes))
    values = PUBLIC["cast"](PUBLIC["reshape"](inside, (-1,)), dtype)
    return room.make(places, values, (*sizes[:axis], num_classes, *sizes[axis:]))


def _first(flags: list[bool]) -> bool:
    return flags[0]


def _first_alone(flags: list[bool]) -> bool:
    return flags[0] and not any(flags[1:])


for _name in _ZERO_AT_ZERO:
    RULES[_name] = Rule(functools.partial(_of_values, _name), _first)
for _name in _ZERO_AT_ZEROS:
    RULES[_name] = Rule(functools.partial(_of_both, _name), all)
for _name in ("divide", "true_divide", "divide_no_nan"):
    RULES[_name] = Rule(functools.partial(_quotient, _name), _first_alone)
RULES |= {
    "multiply": Rule(_product, any),
    "matmul": Rule(_matmul, all),
    "reshape": Rule(_shaped(rules.reshape), _first),
    "expand_dims": Rule(_shaped(rules.expand_dims), _first),
    "squeeze": Rule(_shaped(rules.squeeze), _first),
    "transpose": Rule(_transpose, _first),
    "concatenate": Rule(_concatenate, all),
    "sum": Rule(_sum, _first),
    "mean": Rule(_mean, _first),
}

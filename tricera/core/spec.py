"""The shape rules of primitive ops: pure functions on `Spec`s, None standing for what is not known yet.

A rule takes the op's arguments in order, each tensor replaced by its `Spec`, already promoted, axes made non-negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tricera.core.tensor import Shape, Spec


def same(x: Spec, *_: Any) -> Spec:
    """The result is like the first operand."""
    return x


def real_part(x: Spec) -> Spec:
    """As `same`, complex numbers becoming real ones."""
    return Spec(x.shape, {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype))


def broadcast(*operands: Any) -> Spec:
    """NumPy's broadcasting of all the operands."""
    specs = [s for s in operands if isinstance(s, Spec)]
    return Spec(broadcast_shapes(*(s.shape for s in specs)), specs[0].dtype)


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that the shapes broadcast to.

    Raises:
        ValueError: two dimensions differ and neither is 1.
    """
    out: list[int | None] = []
    rank = max(map(len, shapes))
    for i in range(-rank, 0):
        dim: int | None = 1
        for shape in shapes:
            if len(shape) < -i:
                continue
            d = shape[i]
            if d == 1:
                continue
            if dim == 1 or (dim is None and d is not None):
                dim = d
            elif d is not None and d != dim:
                raise ValueError(
                    f"The shapes {' and '.join(map(str, shapes))} can't be broadcast: {dim} and {d} differ on axis {i}."
                )
        out.append(dim)
    return tuple(out)


def reduce(x: Spec, axis: Any = None, keepdims: bool = False, *_: Any) -> Spec:
    """The named axes go (all of them for None), or become 1."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    if keepdims:
        return Spec(tuple(1 if i in axes else d for i, d in enumerate(x.shape)), x.dtype)
    return Spec(tuple(d for i, d in enumerate(x.shape) if i not in axes), x.dtype)


def with_dtype(rule: Callable[..., Spec], dtype: Callable[[str], str]) -> Callable[..., Spec]:
    """The rule, the dtype of the result mapped by `dtype`."""

    def mapped(*args: Any) -> Spec:
        spec = rule(*args)
        return Spec(spec.shape, dtype(spec.dtype))

    return mapped


def matmul(x1: Spec, x2: Spec, *_: Any) -> Spec:
    """Contract the last axis of `x1` with the last but one of `x2`, batch axes broadcast."""
    if not x1.ndim or not x2.ndim:
        raise ValueError(f"ops.matmul needs operands with at least one axis, not shapes {x1.shape} and {x2.shape}.")
    a = x1.shape if x1.ndim > 1 else (1, *x1.shape)
    b = x2.shape if x2.ndim > 1 else (*x2.shape, 1)
    if a[-1] is not None and b[-2] is not None and a[-1] != b[-2]:
        raise ValueError(
            f"ops.matmul: the inner dimensions of shapes {x1.shape} and {x2.shape} differ: {a[-1]} and {b[-2]}."
        )
    shape = broadcast_shapes(a[:-2], b[:-2]) if len(a) > 2 or len(b) > 2 else ()
    rows = (a[-2],) if x1.ndim > 1 else ()
    columns = (b[-1],) if x2.ndim > 1 else ()
    return Spec((*shape, *rows, *columns), x1.dtype)


def concatenate(xs: Sequence[Spec], axis: Any = 0) -> Spec:
    """One axis adds up, the others agree."""
    if not xs:
        raise ValueError("ops.concatenate needs at least one tensor.")
    if axis is None:  # as if all were flattened
        sizes = [size_of(x.shape) for x in xs]
        return Spec((None if None in sizes else sum(sizes),), xs[0].dtype)  # type: ignore[arg-type]
    rank = xs[0].ndim
    if not -rank <= axis < rank:
        raise ValueError(f"ops.concatenate: `axis`={axis} is out of range for tensors of {rank} axes.")
    axis %= rank
    out = list(xs[0].shape)
    for x in xs[1:]:
        if x.ndim != rank:
            raise ValueError(f"ops.concatenate: all tensors need the same rank; got shapes {[s.shape for s in xs]}.")
        for i, d in enumerate(x.shape):
            mine = out[i]
            if i == axis:
                out[i] = None if mine is None or d is None else mine + d
            elif mine is None:
                out[i] = d
            elif d is not None and d != mine:
                raise ValueError(f"ops.concatenate: on axis {i} the shapes {[s.shape for s in xs]} differ.")
    return Spec(tuple(out), xs[0].dtype)


def stack(xs: Sequence[Spec], axis: int = 0) -> Spec:
    """A new axis as long as the list."""
    if not xs:
        raise ValueError("ops.stack needs at least one tensor.")
    shape = list(xs[0].shape)
    for x in xs[1:]:
        if x.ndim != len(shape) or any(
            a is not None and b is not None and a != b for a, b in zip(shape, x.shape, strict=True)
        ):
            raise ValueError(f"ops.stack: all tensors need the same shape; got {[s.shape for s in xs]}.")
        shape = [b if a is None else a for a, b in zip(shape, x.shape, strict=True)]
    if not -len(shape) - 1 <= axis <= len(shape):
        raise ValueError(f"ops.stack: `axis`={axis} is out of range for tensors of {len(shape)} axes.")
    shape.insert(axis % (len(shape) + 1), len(xs))
    return Spec(tuple(shape), xs[0].dtype)


def size_of(shape: Shape) -> int | None:
    """The number of elements, None where a dimension is unknown."""
    return None if None in shape else math.prod(shape)  # type: ignore[arg-type]


def reshape(x: Spec, newshape: Any) -> Spec:
    """As many elements in another shape, one dimension of which may be -1 (or None)."""
    newshape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    wanted = tuple(-1 if d is None else d for d in newshape)
    if wanted.count(-1) > 1 and None not in newshape:
        raise ValueError(f"ops.reshape: at most one dimension may be -1, not {newshape}.")
    known = math.prod(d for d in wanted if d != -1)
    size = size_of(x.shape)
    if size is None:
        return Spec(_reshape_unknown(x.shape, wanted, known), x.dtype)
    if -1 not in wanted:
        if size != known:
            raise ValueError(
                f"ops.reshape: a tensor of shape {x.shape} ({size} elements) can't take the shape {newshape}."
            )
        return Spec(wanted, x.dtype)
    if known == 0 or size % known:
        raise ValueError(f"ops.reshape: a tensor of shape {x.shape} ({size} elements) can't take the shape {newshape}.")
    return Spec(tuple(size // known if d == -1 else d for d in wanted), x.dtype)


def _reshape_unknown(shape: Shape, wanted: tuple[int, ...], known: int) -> Shape:
    if shape.count(None) == 1 and wanted.count(-1) == 1 and known == math.prod(d for d in shape if d is not None):
        return tuple(None if d == -1 else d for d in wanted)
    return tuple(None if d == -1 else d for d in wanted)


def transpose(x: Spec, axes: Any = None) -> Spec:
    """Axes in another order, reversed for None."""
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(a % x.ndim if x.ndim else a for a in axes)
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(f"ops.transpose: `axes`={axes} is not a permutation of the {x.ndim} axes of shape {x.shape}.")
    return Spec(tuple(x.shape[a] for a in order), x.dtype)


def expand_dims(x: Spec, axis: Any) -> Spec:
    """New axes of length 1."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    rank = x.ndim + len(axes)
    if any(not -rank <= a < rank for a in axes):
        raise ValueError(f"ops.expand_dims: `axis`={axis} is out of range for a tensor of {x.ndim} axes.")
    at = {a % rank for a in axes}
    rest = iter(x.shape)
    return Spec(tuple(1 if i in at else next(rest) for i in range(rank)), x.dtype)


def squeeze(x: Spec, axis: Any = None) -> Spec:
    """Axes of length 1 go."""
    if axis is None:
        return Spec(tuple(d for d in x.shape if d != 1), x.dtype)
    axes = (axis,) if isinstance(axis, int) else axis
    for a in axes:
        if x.shape[a] not in (1, None):
            raise ValueError(f"ops.squeeze: axis {a} of shape {x.shape} has length {x.shape[a]}, not 1.")
    return Spec(tuple(d for i, d in enumerate(x.shape) if i not in axes), x.dtype)


def take(x: Spec, indices: Spec, axis: int | None = None) -> Spec:
    """The indexed axis (all of them for None) is replaced by the axes of the indices."""
    if axis is None:
        return Spec(indices.shape, x.dtype)
    return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


def window_length(
    size: int | None, kernel: int | None, stride: int, padding: Any, dilation: int, what: str
) -> int | None:
    """The length of one spatial axis after sliding a window over it.

    Args:
        size: its length before, or None.
        kernel: the window's, or None.
        stride: the step.
        padding: `"valid"`, `"same"` or `"causal"`.
        dilation: the spacing of the window's elements.
        what: the op's name, for the error.

    Raises:
        ValueError: the window is longer than the axis.
    """
    if size is None:
        return None
    if padding in ("same", "causal"):
        return -(-size // stride)
    if kernel is None:
        return None
    reach = dilation * (kernel - 1) + 1
    if size < reach:
        raise ValueError(
            f"{what}: the window of length {kernel} (dilation {dilation}) is longer than the input's axis of length {size}. "
            "Use padding='same', a smaller window, or a larger input."
        )
    return (size - reach) // stride + 1

"""Products and contractions: matmul, einsum, dot, tensordot."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from tricera.core import spec as rules
from tricera.core.doors import guarded
from tricera.core.dtypes import is_float
from tricera.core.op import composed, primitive
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.creation import dtype as dtype_of, ndim
from tricera.ops.elementwise import add, cast, multiply
from tricera.ops.reduce import sum as sum_
from tricera.ops.shape import reshape, transpose


def _int8(dtype: str) -> str:
    return {"int8": "int32"}.get(dtype, dtype)


@primitive(spec=rules.with_dtype(rules.matmul, _int8))
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The matrix product, sum over k of x1[..., i, k] x2[..., k, j], batch axes broadcast.

    Args:
        x1: a tensor (..., i, k) or (k,).
        x2: a tensor (..., k, j) or (k,).

    Returns:
        A tensor (..., i, j), without i or j where the operand is a vector; of the common dtype, int32 for int8.

    Raises:
        ValueError: the inner dimensions differ.

    Example:
        >>> float(matmul([1.0, 2.0], [3.0, 4.0]))
        11.0
    """
    ...


def _einsum_spec(subscripts: str, operands: Sequence[Spec]) -> Spec:
    inputs, _, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"ops.einsum: {subscripts!r} names {len(terms)} operands, but {len(operands)} were given.")
    sizes: dict[str, Any] = {}
    ellipsis: tuple[Any, ...] = ()
    for term, x in zip(terms, operands, strict=True):
        head, dots, tail = term.partition("...")
        extra = x.ndim - len(head) - len(tail)
        if extra < 0 or (not dots and extra):
            raise ValueError(f"ops.einsum: the term {term!r} does not fit an operand of shape {x.shape}.")
        ellipsis = rules.broadcast_shapes(ellipsis, x.shape[len(head) : x.ndim - len(tail)])
        for letter, dim in [*zip(head, x.shape, strict=False), *zip(tail, x.shape[x.ndim - len(tail) :], strict=True)]:
            known = sizes.get(letter)
            if known is None or known == 1:
                sizes[letter] = dim
            elif dim not in (None, 1) and dim != known:
                raise ValueError(f"ops.einsum: {subscripts!r}: the index {letter!r} has lengths {known} and {dim}.")
    if "->" not in subscripts:
        letters = "".join(terms).replace("...", "")
        output = ("..." if "..." in inputs else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    head, dots, tail = output.partition("...")
    unknown = [c for c in head + tail if c not in sizes]
    if unknown:
        raise ValueError(
            f"ops.einsum: {subscripts!r}: the index {unknown[0]!r} of the result is in none of the operands."
        )
    shape = (*(sizes[c] for c in head), *(ellipsis if dots else ()), *(sizes[c] for c in tail))
    return Spec(shape, _int8(operands[0].dtype))


@composed(promote="same")
def affine(x: TensorLike, kernel: TensorLike, bias: TensorLike) -> Tensor:
    """x @ kernel + bias, what a dense layer computes.

    Args:
        x: a tensor (..., n).
        kernel: a matrix (n, units).
        bias: a vector (units,).

    Returns:
        A tensor (..., units).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(affine([[1.0, 2.0]], [[3.0], [4.0]], [0.5])).tolist()
        [[11.5]]
    """
    return add(matmul(x, kernel), bias)


@primitive(spec=_einsum_spec)
def contract(subscripts: str, operands: Sequence[TensorLike]) -> Tensor:
    """`einsum` with its operands in a list.

    Args:
        subscripts: as for `einsum`.
        operands: a list of tensors.

    Returns:
        A tensor, as of `einsum`.

    Raises:
        ValueError: the subscripts don't fit the operands.

    Example:
        >>> float(contract("i,i->", [[1.0, 2.0], [3.0, 4.0]]))
        11.0
    """
    ...


@guarded
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Tensor:
    """A sum of products over indices, in Einstein's notation.

    Args:
        subscripts: such as `"ij,jk->ik"`; `...` stands for batch axes. Without `->` the result has the indices that
            occur once, in alphabetical order.
        *operands: tensors.

    Returns:
        A tensor with the axes named behind `->`; of the common dtype, int32 for int8.

    Raises:
        ValueError: the subscripts don't fit the operands.

    Example:
        >>> float(einsum("i,i->", [1.0, 2.0], [3.0, 4.0]))
        11.0
    """
    rank = _rank_of_product(subscripts) if len(operands) == 2 else 0
    if rank:
        a: Any = getattr(operands[0], "shape", ())
        b: Any = getattr(operands[1], "shape", ())
        # Lengths of 1 fit any other in an einsum, but not inside of a product.
        if len(a) == len(b) == rank and a[:-2] == b[:-2] and a[-1] == b[-2] and is_float(dtype_of(operands[0])):
            return matmul(*operands)
    return contract(subscripts, list(operands))


@functools.lru_cache(256)
def _rank_of_product(subscripts: str) -> int:
    """The rank of two operands of which an equation says that they are matrices, or batches of them, to be multiplied; else 0."""
    found = re.fullmatch(r"([a-zA-Z]*)([a-zA-Z])([a-zA-Z]),\1\3([a-zA-Z])->\1\2\4", subscripts.replace(" ", ""))
    letters = "" if found is None else "".join(found.groups())
    return len(letters) - 1 if letters and len(set(letters)) == len(letters) else 0


@composed(promote="same")
def affine_einsum(x: TensorLike, kernel: TensorLike, bias: TensorLike, subscripts: str) -> Tensor:
    """einsum(subscripts, x, kernel) + bias, what a dense layer over any axes computes.

    Args:
        x: a tensor.
        kernel: a tensor.
        bias: a tensor that broadcasts to the result.
        subscripts: as for `einsum`, of two operands.

    Returns:
        A tensor, as of `einsum`.

    Raises:
        ValueError: the subscripts don't fit the operands.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(affine_einsum([[1.0, 2.0]], [[3.0], [4.0]], [0.5], "ab,bc->ac")).tolist()
        [[11.5]]
    """
    return add(contract(subscripts, [x, kernel]), bias)


@composed
def tensordot(x1: TensorLike, x2: TensorLike, axes: Any = 2) -> Tensor:
    """The sum of products over chosen axes.

    Args:
        x1: a tensor.
        x2: a tensor.
        axes: an integer n (the last n of `x1` with the first n of `x2`), or a pair of axes or lists of axes.

    Returns:
        A tensor of the axes that are left, of `x1` then `x2`.

    Raises:
        ValueError: the lengths of paired axes differ.

    Example:
        >>> import numpy as np
        >>> tuple(tensordot(np.ones((2, 3, 4)), np.ones((4, 3, 5)), axes=([1, 2], [1, 0])).shape)
        (2, 5)
    """
    if isinstance(axes, int):
        a, b = list(range(ndim(x1) - axes, ndim(x1))), list(range(axes))
    else:
        a, b = ([n] if isinstance(n, int) else list(n) for n in axes)
    if (
        any(not -ndim(x1) <= n < ndim(x1) for n in a)
        or any(not -ndim(x2) <= n < ndim(x2) for n in b)
        or len(a) != len(b)
    ):
        raise ValueError(f"ops.tensordot: `axes`={axes!r} don't fit operands of {ndim(x1)} and {ndim(x2)} axes.")
    a, b = [n % ndim(x1) for n in a], [n % ndim(x2) for n in b]
    free1 = [n for n in range(ndim(x1)) if n not in a]
    free2 = [n for n in range(ndim(x2)) if n not in b]
    letters = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    names1 = [next(letters) for _ in range(ndim(x1))]
    names2 = [names1[a[b.index(n)]] if n in b else next(letters) for n in range(ndim(x2))]
    output = [names1[n] for n in free1] + [names2[n] for n in free2]
    # An einsum of int8 is int32, but these products keep the dtype of their operands.
    return cast(einsum(f"{''.join(names1)},{''.join(names2)}->{''.join(output)}", x1, x2), dtype_of(x1))


@composed
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The product over the last axis of `x1` and the last but one of `x2` (the only one of a vector).

    Args:
        x1: a tensor; a scalar multiplies.
        x2: a tensor; a scalar multiplies.

    Returns:
        A tensor of the axes that are left, of `x1` then `x2`.

    Raises:
        ValueError: the lengths of these axes differ.

    Example:
        >>> float(dot([1.0, 2.0], [3.0, 4.0]))
        11.0
    """
    if not ndim(x1) or not ndim(x2):
        return multiply(x1, x2)
    return tensordot(x1, x2, axes=[[-1], [-1 if ndim(x2) == 1 else -2]])


@composed
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of the products of all elements.

    Args:
        x1: a tensor.
        x2: a tensor of as many elements.

    Returns:
        A scalar of the common dtype.

    Example:
        >>> float(vdot([[1.0, 2.0]], [[3.0, 4.0]]))
        11.0
    """
    x1, x2 = reshape(x1, (-1,)), reshape(x2, (-1,))
    if None not in (x1.shape[0], x2.shape[0]) and x1.shape[0] != x2.shape[0]:
        raise ValueError(f"ops.vdot needs operands of one size, not of {x1.shape[0]} and {x2.shape[0]} elements.")
    return cast(sum_(multiply(x1, x2)), dtype_of(x1))


@composed
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The product over the last axes of both.

    Args:
        x1: a tensor; a scalar multiplies.
        x2: a tensor; a scalar multiplies.

    Returns:
        A tensor of the axes that are left, of `x1` then `x2`.

    Raises:
        ValueError: the lengths of these axes differ.

    Example:
        >>> float(inner([1.0, 2.0], [3.0, 4.0]))
        11.0
    """
    if not ndim(x1) or not ndim(x2):
        return multiply(x1, x2)
    return tensordot(x1, x2, axes=[[-1], [-1]])


@composed
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """All products of an element of one with an element of the other, both flattened.

    Args:
        x1: a tensor of m elements.
        x2: a tensor of n elements.

    Returns:
        A tensor (m, n).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(outer([1, 2], [3, 4])).tolist()
        [[3, 4], [6, 8]]
    """
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


@composed
def matrix_transpose(x: TensorLike) -> Tensor:
    """The last two axes exchanged.

    Args:
        x: a tensor (..., m, n).

    Returns:
        A tensor (..., n, m).

    Raises:
        ValueError: there are fewer than two axes.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(matrix_transpose([[1, 2], [3, 4]])).tolist()
        [[1, 3], [2, 4]]
    """
    order = list(range(ndim(x)))
    if len(order) < 2:
        raise ValueError(f"ops.matrix_transpose needs at least 2 axes; got {len(order)}.")
    return transpose(x, [*order[:-2], order[-1], order[-2]])

"""Comparisons, tests of single numbers, and logic."""

from __future__ import annotations

from tricera.core.op import composed, primitive
from tricera.core.spec import broadcast, same
from tricera.core.tensor import Tensor, TensorLike


@primitive(spec=broadcast, out="bool")
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 == x2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of dtype bool.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> bool(equal(1, 1))
        True
    """
    ...


@primitive(spec=broadcast, out="bool")
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 != x2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of dtype bool.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> bool(not_equal(1, 1))
        False
    """
    ...


@primitive(spec=broadcast, out="bool", kinds="real")
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 < x2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of dtype bool.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> bool(less(1, 2))
        True
    """
    ...


@primitive(spec=broadcast, out="bool", kinds="real")
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 <= x2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of dtype bool.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> bool(less_equal(1, 1))
        True
    """
    ...


@primitive(spec=broadcast, out="bool", kinds="real")
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 > x2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of dtype bool.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> bool(greater(1, 2))
        False
    """
    ...


@primitive(spec=broadcast, out="bool", kinds="real")
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 >= x2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of dtype bool.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> bool(greater_equal(1, 1))
        True
    """
    ...


@primitive(spec=broadcast, out="bool")
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether both elements are true (non-zero).

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of dtype bool.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> bool(logical_and(True, False))
        False
    """
    ...


@primitive(spec=broadcast, out="bool")
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether either element is true (non-zero).

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of dtype bool.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> bool(logical_or(True, False))
        True
    """
    ...


@primitive(spec=broadcast, out="bool")
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether just one of both elements is true (non-zero).

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of dtype bool.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> bool(logical_xor(True, False))
        True
    """
    ...


@primitive(spec=same, out="bool")
def isnan(x: TensorLike) -> Tensor:
    """Whether each element is NaN.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the same shape, of dtype bool.

    Example:
        >>> bool(isnan(1.0))
        False
    """
    ...


@primitive(spec=same, out="bool")
def isinf(x: TensorLike) -> Tensor:
    """Whether each element is infinite.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the same shape, of dtype bool.

    Example:
        >>> bool(isinf(1.0))
        False
    """
    ...


@primitive(spec=same, out="bool")
def isfinite(x: TensorLike) -> Tensor:
    """Whether each element is neither infinite nor NaN.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the same shape, of dtype bool.

    Example:
        >>> bool(isfinite(1.0))
        True
    """
    ...


@primitive(spec=same, out="bool")
def logical_not(x: TensorLike) -> Tensor:
    """Whether each element is zero or False.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the same shape, of dtype bool.

    Example:
        >>> bool(logical_not(True))
        False
    """
    ...


@composed(kinds="real")
def isposinf(x: TensorLike) -> Tensor:
    """Whether each element is positive infinity.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the shape of `x`.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(isposinf([float("inf"), -float("inf"), 1.0])).tolist()
        [True, False, False]
    """
    return logical_and(isinf(x), greater(x, 0))


@composed(kinds="real")
def isneginf(x: TensorLike) -> Tensor:
    """Whether each element is negative infinity.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the shape of `x`.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(isneginf([float("inf"), -float("inf"), 1.0])).tolist()
        [False, True, False]
    """
    return logical_and(isinf(x), less(x, 0))


@primitive(spec=same, out="bool", kinds="real")
def signbit(x: TensorLike) -> Tensor:
    """Whether the sign is negative (that of -0.0 is).

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the same shape.

    Example:
        >>> bool(signbit(-0.0))
        True
    """
    ...

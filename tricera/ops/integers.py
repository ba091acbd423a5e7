"""Ops of integers: bits, shifts, common divisors."""

from __future__ import annotations

from tricera.core.op import composed, primitive
from tricera.core.spec import broadcast, same
from tricera.core.tensor import Tensor, TensorLike
from tricera.ops.comparison import equal
from tricera.ops.creation import ones_like
from tricera.ops.elementwise import floor_divide, multiply
from tricera.ops.select import where
from tricera.ops.unary import absolute


@primitive(spec=broadcast, kinds="integer")
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits set in both integers.

    Args:
        x: a tensor.
        y: a tensor whose shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> int(bitwise_and(6, 3))
        2
    """
    ...


@primitive(spec=broadcast, kinds="integer")
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits set in either integer.

    Args:
        x: a tensor.
        y: a tensor whose shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> int(bitwise_or(6, 3))
        7
    """
    ...


@primitive(spec=broadcast, kinds="integer")
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits set in just one of both integers.

    Args:
        x: a tensor.
        y: a tensor whose shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> int(bitwise_xor(6, 3))
        5
    """
    ...


@primitive(spec=broadcast, promote="number", kinds="integer")
def left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """x * 2**y on integers; 0 where all bits are shifted out, or y is negative.

    Args:
        x: a tensor.
        y: a tensor whose shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> int(left_shift(1, 3))
        8
    """
    ...


@primitive(spec=broadcast, promote="number", kinds="integer")
def right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """x // 2**y on integers; a negative y shifts all bits out, too.

    Args:
        x: a tensor.
        y: a tensor whose shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> int(right_shift(8, 2))
        2
    """
    ...


@primitive(spec=same, kinds="integer")
def bitwise_not(x: TensorLike) -> Tensor:
    """Each integer's bits inverted; of booleans the negation.

    Args:
        x: a tensor of integers or booleans, of any shape.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> int(bitwise_not(0))
        -1
    """
    ...


@primitive(spec=broadcast, promote="number", kinds="integer")
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The greatest common divisor of integers, not negative; gcd(0, 0) is 0.

    Args:
        x1: an integer tensor.
        x2: an integer tensor that broadcasts with it.

    Returns:
        An integer tensor of the broadcast shape; floats are refused.

    Example:
        >>> int(gcd(12, 18))
        6
    """
    ...


@composed(promote="number", kinds="integer")
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The least common multiple of integers, |x1 x2| / gcd(x1, x2); 0 where one is 0.

    Args:
        x1: an integer tensor.
        x2: an integer tensor that broadcasts with it.

    Returns:
        An integer tensor of the broadcast shape; floats are refused.

    Example:
        >>> int(lcm(4, 6))
        12
    """
    divisor = gcd(x1, x2)
    safe = where(equal(divisor, 0), ones_like(divisor), divisor)
    return absolute(multiply(x1, floor_divide(x2, safe)))


@composed(kinds="integer")
def bitwise_invert(x: TensorLike) -> Tensor:
    """Each integer's bits inverted, as `bitwise_not`.

    Args:
        x: an integer tensor.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> int(bitwise_invert(5))
        -6
    """
    return bitwise_not(x)


@composed(promote="number", kinds="integer")
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """x * 2**y on integers, as `left_shift`.

    Args:
        x: an integer tensor.
        y: an integer tensor that broadcasts with it: by how many bits.

    Returns:
        An integer tensor of the broadcast shape.

    Example:
        >>> int(bitwise_left_shift(3, 2))
        12
    """
    return left_shift(x, y)


@composed(promote="number", kinds="integer")
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """x // 2**y on integers, as `right_shift`.

    Args:
        x: an integer tensor.
        y: an integer tensor that broadcasts with it: by how many bits.

    Returns:
        An integer tensor of the broadcast shape.

    Example:
        >>> int(bitwise_right_shift(12, 2))
        3
    """
    return right_shift(x, y)

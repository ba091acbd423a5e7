"""Elementwise ops of one tensor: exponentials, trigonometry, signs, rounding."""

from __future__ import annotations

from tricera.core.op import primitive
from tricera.core.spec import real_part, same
from tricera.core.tensor import Tensor, TensorLike


@primitive(spec=same, promote="float")
def exp(x: TensorLike) -> Tensor:
    """The exponential, e to the power of each element.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(exp(0.0))
        1.0
    """
    ...


@primitive(spec=same, promote="float")
def expm1(x: TensorLike) -> Tensor:
    """exp(x) - 1, accurate near 0.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(expm1(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def exp2(x: TensorLike) -> Tensor:
    """2 to the power of each element.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(exp2(3.0))
        8.0
    """
    ...


@primitive(spec=same, promote="float")
def log(x: TensorLike) -> Tensor:
    """The natural logarithm; NaN below 0, -inf at 0.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(log(1.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def log10(x: TensorLike) -> Tensor:
    """The logarithm to base 10.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(log10(100.0))
        2.0
    """
    ...


@primitive(spec=same, promote="float")
def log1p(x: TensorLike) -> Tensor:
    """log(1 + x), accurate near 0.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(log1p(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def log2(x: TensorLike) -> Tensor:
    """The logarithm to base 2.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(log2(8.0))
        3.0
    """
    ...


@primitive(spec=same, promote="float")
def sqrt(x: TensorLike) -> Tensor:
    """The square root; NaN below 0.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(sqrt(9.0))
        3.0
    """
    ...


@primitive(spec=same, promote="float")
def rsqrt(x: TensorLike) -> Tensor:
    """1 / sqrt(x).

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(rsqrt(4.0))
        0.5
    """
    ...


@primitive(spec=same, promote="float")
def sin(x: TensorLike) -> Tensor:
    """The sine of an angle in radians.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(sin(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def cos(x: TensorLike) -> Tensor:
    """The cosine of an angle in radians.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(cos(0.0))
        1.0
    """
    ...


@primitive(spec=same, promote="float")
def tan(x: TensorLike) -> Tensor:
    """The tangent of an angle in radians.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(tan(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def arcsin(x: TensorLike) -> Tensor:
    """The inverse sine, in radians.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(arcsin(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def arccos(x: TensorLike) -> Tensor:
    """The inverse cosine, in radians.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(arccos(1.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def arctan(x: TensorLike) -> Tensor:
    """The inverse tangent, in radians.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(arctan(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def sinh(x: TensorLike) -> Tensor:
    """The hyperbolic sine.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(sinh(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def cosh(x: TensorLike) -> Tensor:
    """The hyperbolic cosine.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(cosh(0.0))
        1.0
    """
    ...


@primitive(spec=same, promote="float")
def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent, (e^x - e^-x) / (e^x + e^-x).

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(tanh(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def arcsinh(x: TensorLike) -> Tensor:
    """The inverse hyperbolic sine.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(arcsinh(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def arccosh(x: TensorLike) -> Tensor:
    """The inverse hyperbolic cosine.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(arccosh(1.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def arctanh(x: TensorLike) -> Tensor:
    """The inverse hyperbolic tangent.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(arctanh(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float", kinds="real")
def erf(x: TensorLike) -> Tensor:
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(erf(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float", kinds="real")
def erfinv(x: TensorLike) -> Tensor:
    """The inverse of the error function.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(erfinv(0.0))
        0.0
    """
    ...


@primitive(spec=same, promote="float")
def sigmoid(x: TensorLike) -> Tensor:
    """The logistic function, 1 / (1 + e^-x).

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(sigmoid(0.0))
        0.5
    """
    ...


@primitive(spec=same, kinds="nobool")
def negative(x: TensorLike) -> Tensor:
    """-x.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> float(negative(2.0))
        -2.0
    """
    ...


@primitive(spec=real_part)
def absolute(x: TensorLike) -> Tensor:
    """The absolute value.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the same shape and dtype; of complex numbers a real one.

    Example:
        >>> float(absolute(-2.0))
        2.0
    """
    ...


@primitive(spec=same, kinds="nobool")
def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1 as the element is negative, zero or positive.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> float(sign(-2.0))
        -1.0
    """
    ...


@primitive(spec=same, promote="float", kinds="real")
def floor(x: TensorLike) -> Tensor:
    """The largest integer not above each element.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(floor(1.5))
        1.0
    """
    ...


@primitive(spec=same, promote="float", kinds="real")
def ceil(x: TensorLike) -> Tensor:
    """The smallest integer not below each element.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(ceil(1.5))
        2.0
    """
    ...


@primitive(spec=same, kinds="real")
def trunc(x: TensorLike) -> Tensor:
    """The integer part, rounded toward zero.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> float(trunc(-1.5))
        -1.0
    """
    ...


@primitive(spec=same)
def conjugate(x: TensorLike) -> Tensor:
    """The complex conjugate; real tensors are returned as they are.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> float(conjugate(1.0))
        1.0
    """
    ...

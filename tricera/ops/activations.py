"""Activation functions, elementwise and along an axis."""

from __future__ import annotations

from typing import Any

from tricera.core.op import composed
from tricera.core.tensor import Tensor, TensorLike
from tricera.ops.comparison import greater
from tricera.ops.creation import dtype, ones_like, zeros_like
from tricera.ops.elementwise import add, cast, clip, divide, maximum, multiply, square, stop_gradient, subtract
from tricera.ops.reduce import max as max_, sum as sum_
from tricera.ops.select import where
from tricera.ops.shape import split
from tricera.ops.unary import absolute, erf, exp, expm1, log, log1p, negative, sigmoid, sign, sqrt, tanh


@composed(promote="number", kinds="real")
def relu(x: TensorLike) -> Tensor:
    """Rectified linear unit, max(x, 0).

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(relu(-1.0))
        0.0
    """
    return maximum(x, 0)


@composed(kinds="real")
def relu6(x: TensorLike) -> Tensor:
    """min(max(x, 0), 6).

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(relu6(7.0))
        6.0
    """
    return clip(x, 0, 6)


@composed(promote="float", kinds="real")
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """x where positive, else negative_slope * x.

    Args:
        x: a tensor.
        negative_slope: the slope where x is not positive.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> float(leaky_relu(-1.0, negative_slope=0.5))
        -0.5
    """
    return where(greater(x, 0), x, multiply(x, negative_slope))


@composed(promote="float", kinds="real")
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """x where positive, else alpha * (e^x - 1) (Clevert et al. 2015).

    Args:
        x: a tensor.
        alpha: the result tends to minus this for large negative x.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(elu(-1.0)), 4)
        -0.6321
    """
    above = greater(x, 0)
    return where(above, x, multiply(alpha, expm1(where(above, 0.0, x))))


@composed(promote="float")
def selu(x: TensorLike) -> Tensor:
    """Scaled elu that keeps mean and variance (Klambauer et al. 2017).

    It is scale * elu(x, alpha), with alpha = 1.67326... and scale = 1.05070...

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(selu(-1.0)), 4)
        -1.1113
    """
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    return multiply(scale, elu(x, alpha=alpha))


@composed(promote="float", kinds="real")
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """max(x, 0) + min(0, alpha * (e^(x/alpha) - 1)) (Barron 2017).

    Args:
        x: a tensor.
        alpha: the result tends to minus this for large negative x; not 0.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(celu(-2.0, alpha=2.0)), 4)
        -1.2642
    """
    above = greater(x, 0)
    return where(above, x, multiply(alpha, expm1(divide(where(above, 0.0, x), alpha))))


@composed(promote="float", kinds="real")
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """x * P(X <= x) for a standard normal X (Hendrycks & Gimpel 2016).

    Args:
        x: a tensor.
        approximate: use 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) in the place of the error function.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(gelu(1.0, approximate=False)), 4)
        0.8413
    """
    if approximate:
        inner = multiply(0.7978845608028654, add(x, multiply(0.044715, multiply(x, square(x)))))
        return multiply(multiply(0.5, x), add(1.0, tanh(inner)))
    return multiply(multiply(0.5, x), add(1.0, erf(multiply(x, 0.7071067811865476))))


@composed(promote="float")
def silu(x: TensorLike) -> Tensor:
    """x * sigmoid(x), also called swish (Ramachandran et al. 2017).

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(silu(1.0)), 4)
        0.7311
    """
    return multiply(x, sigmoid(x))


swish = silu


@composed(promote="float", kinds="real")
def softplus(x: TensorLike) -> Tensor:
    """log(1 + e^x), without overflow.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(softplus(0.0)), 4)
        0.6931
    """
    return add(maximum(x, 0), log1p(exp(negative(absolute(x)))))


@composed(promote="float", kinds="real")
def softsign(x: TensorLike) -> Tensor:
    """x / (1 + |x|).

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> float(softsign(1.0))
        0.5
    """
    return divide(x, add(1.0, absolute(x)))


@composed(promote="float", kinds="real")
def log_sigmoid(x: TensorLike) -> Tensor:
    """log(sigmoid(x)), without overflow.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(log_sigmoid(0.0)), 4)
        -0.6931
    """
    return negative(softplus(negative(x)))


@composed(promote="float", kinds="real")
def mish(x: TensorLike) -> Tensor:
    """x * tanh(softplus(x)) (Misra 2019).

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(mish(1.0)), 4)
        0.8651
    """
    return multiply(x, tanh(softplus(x)))


@composed(promote="float", kinds="real")
def hard_sigmoid(x: TensorLike) -> Tensor:
    """min(max(x/6 + 1/2, 0), 1).

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> float(hard_sigmoid(0.0))
        0.5
    """
    return clip(add(divide(x, 6.0), 0.5), 0.0, 1.0)


@composed(promote="float", kinds="real")
def hard_silu(x: TensorLike) -> Tensor:
    """x * hard_sigmoid(x) (Howard et al. 2019).

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(hard_silu(1.0)), 4)
        0.6667
    """
    return multiply(x, hard_sigmoid(x))


hard_swish = hard_silu


@composed(kinds="real")
def hard_tanh(x: TensorLike) -> Tensor:
    """x limited to the range from -1 to 1.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(hard_tanh(2.0))
        1.0
    """
    return clip(x, -1, 1)


@composed(kinds="real")
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """x where |x| is above the threshold, else 0.

    Args:
        x: a tensor.
        threshold: up to which elements become 0.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(hard_shrink([0.25, 1.0])).tolist()
        [0.0, 1.0]
    """
    return where(greater(absolute(x), threshold), x, zeros_like(x))


@composed(kinds="real")
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """sign(x) * max(|x| - threshold, 0).

    Args:
        x: a tensor.
        threshold: by how much elements come closer to 0, which they do not pass.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(soft_shrink(2.0))
        1.5
    """
    return multiply(sign(x), maximum(subtract(absolute(x), threshold), 0))


@composed(promote="float")
def tanh_shrink(x: TensorLike) -> Tensor:
    """x - tanh(x).

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(tanh_shrink(1.0)), 4)
        0.2384
    """
    return subtract(x, tanh(x))


@composed(kinds="real")
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """x where above the threshold, else the default value.

    Args:
        x: a tensor.
        threshold: a number; elements must be above it to be kept.
        default_value: a number in the place of the others.

    Returns:
        A tensor of the same shape, of the common dtype of `x` and the default value.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(threshold([1.0, 3.0], 2.0, 0.0)).tolist()
        [0.0, 3.0]
    """
    return where(greater(x, threshold), x, multiply(ones_like(x), default_value))


@composed(promote="float")
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """(x + sqrt(x^2 + b)) / 2 (Barron 2021).

    Args:
        x: a tensor.
        b: how round the bend at 0 is; 0 makes it relu.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> float(squareplus(0.0))
        1.0
    """
    return divide(add(x, sqrt(add(square(x), b))), 2)


@composed(promote="float")
def sparse_plus(x: TensorLike) -> Tensor:
    """0 below -1, x above 1, (x + 1)^2 / 4 between.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> float(sparse_plus(0.0))
        0.25
    """
    return where(greater(-1.0, x), zeros_like(x), where(greater(x, 1.0), x, multiply(0.25, square(add(x, 1.0)))))


@composed(promote="float")
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """0 below -1, 1 above 1, (x + 1) / 2 between.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> float(sparse_sigmoid(0.0))
        0.5
    """
    return clip(multiply(0.5, add(x, 1.0)), 0.0, 1.0)


@composed(promote="float")
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """a * sigmoid(b) for the halves a, b of an axis (Dauphin et al. 2016).

    Args:
        x: a tensor.
        axis: the axis, of even length.

    Returns:
        A tensor of a float dtype, half as long along the axis.

    Raises:
        ValueError: the length of the axis is odd.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(glu([4.0, 0.0])).tolist()
        [2.0]
    """
    a, b = split(x, 2, axis=axis)
    return multiply(a, sigmoid(b))


@composed(promote="float", kinds="real")
def softmax(x: TensorLike, axis: Any = -1) -> Tensor:
    """e^x / sum(e^x) along an axis (or a tuple of axes).

    Args:
        x: a tensor.
        axis: an axis or a tuple of them, over which the result sums to 1.

    Returns:
        A tensor of the same shape, of a float dtype.

    Raises:
        ValueError: the axis is out of range, as any is for a scalar.

    Example:
        >>> float(softmax([1.0, 1.0])[0])
        0.5
    """
    if 0 in x.shape:
        return x
    shifted = exp(subtract(x, stop_gradient(max_(x, axis=axis, keepdims=True))))
    return divide(shifted, sum_(shifted, axis=axis, keepdims=True))


@composed(promote="float", kinds="real")
def log_softmax(x: TensorLike, axis: Any = -1) -> Tensor:
    """log(softmax(x)), without underflow; half precision is summed in float32.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them, over which the softmax sums to 1.

    Returns:
        A tensor of the same shape, of a float dtype.

    Raises:
        ValueError: the axis is out of range, as any is for a scalar.

    Example:
        >>> round(float(log_softmax([0.0, 0.0])[0]), 4)
        -0.6931
    """
    kind = dtype(x)
    if kind in ("float16", "bfloat16"):
        return cast(log_softmax(cast(x, "float32"), axis=axis), kind)
    if 0 in x.shape:
        return x
    shifted = subtract(x, stop_gradient(max_(x, axis=axis, keepdims=True)))
    return subtract(shifted, log(sum_(exp(shifted), axis=axis, keepdims=True)))

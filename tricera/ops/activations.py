"""Activation functions, elementwise and along an axis."""

from __future__ import annotations

from typing import Any

from tricera.core.op import composed
from tricera.core.tensor import Tensor, TensorLike
from tricera.ops.creation import dtype, ones_like, zeros_like
from tricera.ops.elementwise import (
    absolute,
    add,
    cast,
    clip,
    divide,
    erf,
    exp,
    expm1,
    greater,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negative,
    sigmoid,
    sign,
    sqrt,
    square,
    stop_gradient,
    subtract,
    tanh,
)
from tricera.ops.reduce import max as max_, sum as sum_
from tricera.ops.select import where
from tricera.ops.shape import split


@composed
def relu(x: TensorLike) -> Tensor:
    """Rectified linear unit, max(x, 0).

    Example:
        >>> float(relu(-1.0))
        0.0
    """
    return maximum(x, 0)


@composed
def relu6(x: TensorLike) -> Tensor:
    """min(max(x, 0), 6)."""
    return clip(x, 0, 6)


@composed(promote="float")
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """x where positive, else negative_slope * x."""
    return where(greater(x, 0), x, multiply(x, negative_slope))


@composed(promote="float")
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """x where positive, else alpha * (e^x - 1) (Clevert et al. 2015)."""
    return where(greater(x, 0), x, multiply(alpha, expm1(minimum(x, 0))))


@composed(promote="float")
def selu(x: TensorLike) -> Tensor:
    """Scaled elu that keeps mean and variance (Klambauer et al. 2017)."""
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    return multiply(scale, elu(x, alpha=alpha))


@composed(promote="float")
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """max(x, 0) + min(0, alpha * (e^(x/alpha) - 1)) (Barron 2017)."""
    return add(maximum(x, 0), multiply(alpha, expm1(divide(minimum(x, 0), alpha))))


@composed(promote="float")
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """x * P(X <= x) for a standard normal X (Hendrycks & Gimpel 2016).

    Args:
        x: a tensor.
        approximate: use 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) in the place of the error function.
    """
    if approximate:
        inner = multiply(0.7978845608028654, add(x, multiply(0.044715, multiply(x, square(x)))))
        return multiply(multiply(0.5, x), add(1.0, tanh(inner)))
    return multiply(multiply(0.5, x), add(1.0, erf(multiply(x, 0.7071067811865476))))


@composed(promote="float")
def silu(x: TensorLike) -> Tensor:
    """x * sigmoid(x), also called swish (Ramachandran et al. 2017)."""
    return multiply(x, sigmoid(x))


swish = silu


@composed(promote="float")
def softplus(x: TensorLike) -> Tensor:
    """log(1 + e^x), without overflow."""
    return add(maximum(x, 0), log1p(exp(negative(absolute(x)))))


@composed(promote="float")
def softsign(x: TensorLike) -> Tensor:
    """x / (1 + |x|)."""
    return divide(x, add(1.0, absolute(x)))


@composed(promote="float")
def log_sigmoid(x: TensorLike) -> Tensor:
    """log(sigmoid(x)), without overflow."""
    return negative(softplus(negative(x)))


@composed(promote="float")
def mish(x: TensorLike) -> Tensor:
    """x * tanh(softplus(x)) (Misra 2019)."""
    return multiply(x, tanh(softplus(x)))


@composed(promote="float")
def hard_sigmoid(x: TensorLike) -> Tensor:
    """min(max(x/6 + 1/2, 0), 1)."""
    return clip(add(divide(x, 6.0), 0.5), 0.0, 1.0)


@composed(promote="float")
def hard_silu(x: TensorLike) -> Tensor:
    """x * hard_sigmoid(x) (Howard et al. 2019)."""
    return multiply(x, hard_sigmoid(x))


hard_swish = hard_silu


@composed
def hard_tanh(x: TensorLike) -> Tensor:
    """x limited to the range from -1 to 1."""
    return clip(x, -1, 1)


@composed
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """x where |x| is above the threshold, else 0."""
    return where(greater(absolute(x), threshold), x, zeros_like(x))


@composed
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """sign(x) * max(|x| - threshold, 0)."""
    return multiply(sign(x), maximum(subtract(absolute(x), threshold), 0))


@composed(promote="float")
def tanh_shrink(x: TensorLike) -> Tensor:
    """x - tanh(x)."""
    return subtract(x, tanh(x))


@composed
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """x where above the threshold, else the default value."""
    return where(greater(x, threshold), x, multiply(ones_like(x), default_value))


@composed(promote="float")
def squareplus(x: TensorLike, b: int = 4) -> Tensor:
    """(x + sqrt(x^2 + b)) / 2 (Barron 2021)."""
    return divide(add(x, sqrt(add(square(x), b))), 2)


@composed(promote="float")
def sparse_plus(x: TensorLike) -> Tensor:
    """0 below -1, x above 1, (x + 1)^2 / 4 between."""
    return where(greater(-1.0, x), zeros_like(x), where(greater(x, 1.0), x, multiply(0.25, square(add(x, 1.0)))))


@composed(promote="float")
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """0 below -1, 1 above 1, (x + 1) / 2 between."""
    return clip(multiply(0.5, add(x, 1.0)), 0.0, 1.0)


@composed(promote="float")
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """a * sigmoid(b) for the halves a, b of an axis (Dauphin et al. 2016)."""
    a, b = split(x, 2, axis=axis)
    return multiply(a, sigmoid(b))


@composed(promote="float")
def softmax(x: TensorLike, axis: Any = -1) -> Tensor:
    """e^x / sum(e^x) along an axis (or a tuple of axes).

    Example:
        >>> float(softmax([1.0, 1.0])[0])
        0.5
    """
    shifted = exp(subtract(x, stop_gradient(max_(x, axis=axis, keepdims=True))))
    return divide(shifted, sum_(shifted, axis=axis, keepdims=True))


@composed(promote="float")
def log_softmax(x: TensorLike, axis: Any = -1) -> Tensor:
    """log(softmax(x)), without underflow; half precision is summed in float32."""
    kind = dtype(x)
    if kind in ("float16", "bfloat16"):
        return cast(log_softmax(cast(x, "float32"), axis=axis), kind)
    shifted = subtract(x, stop_gradient(max_(x, axis=axis, keepdims=True)))
    return subtract(shifted, log(sum_(exp(shifted), axis=axis, keepdims=True)))

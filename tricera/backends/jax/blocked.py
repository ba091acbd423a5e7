"""Convolution on the CPU as blocks of patches and matrix products.

XLA's CPU convolution reaches a fraction of the speed of its matrix product. Gathering the patches of a few images at a time
(so that they stay in the cache) and multiplying them by the kernel is about twice as fast, forward and backward.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

_MIN_CHANNELS = 8  # with fewer, the patches are too narrow for the matrix product to win
_MIN_LENGTH = 14  # on smaller images XLA's convolution is as fast
_CACHE = 3 << 20  # bytes of patches to hold at a time


def block_of(inputs: Any, kernel: Any, plan: Any) -> int | None:
    """How many images to take at a time; None where XLA's own convolution is to be used."""
    if (
        jax.default_backend() != "cpu"
        or plan.first
        or len(plan.window) != 2
        or plan.groups != 1
        or plan.strides != (1, 1)
        or plan.dilation != (1, 1)
        or plan.window == (1, 1)
        or inputs.dtype != jnp.float32
        or min(kernel.shape[-2:]) < _MIN_CHANNELS
        or min(plan.out) < _MIN_LENGTH
    ):
        return None
    row = plan.window[0] * plan.window[1] * max(kernel.shape[-2:])
    most = max(_CACHE // (4 * plan.out[0] * plan.out[1] * row), 1)
    batch = inputs.shape[0]
    return next((b for b in range(min(most, batch), 0, -1) if batch % b == 0), None)


def _patches(x: jax.Array, window: tuple[int, int], out: tuple[int, int]) -> jax.Array:
    """(n, h, w, c) -> (n * out, window * c): each row what the kernel sees at one place."""
    parts = [x[:, i : i + out[0], j : j + out[1], :] for i in range(window[0]) for j in range(window[1])]
    return jnp.concatenate(parts, axis=-1).reshape(x.shape[0] * out[0] * out[1], -1)


def _forward(x: jax.Array, kernel: jax.Array, block: int) -> jax.Array:
    window = (kernel.shape[0], kernel.shape[1])
    out = (x.shape[1] - window[0] + 1, x.shape[2] - window[1] + 1)
    matrix = kernel.reshape(-1, kernel.shape[-1])
    blocks = x.reshape(-1, block, *x.shape[1:])
    result = jax.lax.map(lambda b: _patches(b, window, out) @ matrix, blocks)
    return result.reshape(x.shape[0], *out, kernel.shape[-1])


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv2d(x: jax.Array, kernel: jax.Array, block: int) -> jax.Array:
    """The convolution of padded images with a kernel, `block` images at a time.

    Args:
        x: (n, h, w, c), n divisible by `block`.
        kernel: (kh, kw, c, o).
        block: how many images to take at a time.

    Returns:
        (n, h - kh + 1, w - kw + 1, o).
    """
    return _forward(x, kernel, block)


def _conv2d_forward(x: jax.Array, kernel: jax.Array, block: int) -> Any:
    return _forward(x, kernel, block), (x, kernel)


def _conv2d_backward(block: int, saved: Any, gradient: jax.Array) -> Any:
    x, kernel = saved
    kh, kw, channels, filters = kernel.shape
    out = (gradient.shape[1], gradient.shape[2])

    def accumulate(total: jax.Array, pair: Any) -> tuple[jax.Array, None]:
        images, grads = pair
        return total + _patches(images, (kh, kw), out).T @ grads.reshape(-1, filters), None

    zero = jnp.zeros((kh * kw * channels, filters), kernel.dtype)
    pairs = (x.reshape(-1, block, *x.shape[1:]), gradient.reshape(-1, block, *gradient.shape[1:]))
    d_kernel, _ = jax.lax.scan(accumulate, zero, pairs)
    # The gradient of the input is a convolution of the padded gradient with the kernel turned round.
    padded = jnp.pad(gradient, ((0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1), (0, 0)))
    turned = jnp.flip(kernel, (0, 1)).swapaxes(2, 3)
    return _forward(padded, turned, block), d_kernel.reshape(kernel.shape)


conv2d.defvjp(_conv2d_forward, _conv2d_backward)

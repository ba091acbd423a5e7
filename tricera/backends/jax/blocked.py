"""Convolution on the CPU as blocks of patches and matrix products.

XLA's CPU convolution reaches a fraction of the speed of its matrix product, and inside a loop (`lax.scan`, the training loop)
it falls back to a naive one, some twenty times slower. Gathering the patches of a few images at a time, so that they stay in
the cache, and multiplying them by the kernel is faster in both places, forward and backward. Gradients of any order follow
by JAX's own rules: the patches of a block are gathered again in the backward pass rather than kept.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp

from tricera.core.windows import Plan

_CACHE = 3 << 20  # bytes of patches to hold at a time
MOST_PLACES = 64  # places of a window that are added one by one


def suits(inputs: jax.Array, kernel: jax.Array, plan: Plan) -> bool:
    """Whether a convolution is computed here rather than by XLA."""
    return (
        jax.default_backend() == "cpu"
        and inputs.dtype == kernel.dtype
        and inputs.dtype in (jnp.float32, jnp.float64)
        and 0 not in inputs.shape
        and 0 not in kernel.shape
        and 0 not in plan.out
        and (kernel.shape[-2] > 1 or plan.groups == 1 or math.prod(plan.window) <= MOST_PLACES)
    )


def conv(inputs: jax.Array, kernel: jax.Array, plan: Plan) -> jax.Array:
    """The convolution that `plan` describes.

    Args:
        inputs: (n, spatial..., c), or (n, c, spatial...) where the plan says so.
        kernel: (window..., c / groups, filters).

    Returns:
        (n, out..., filters), with the channels where the inputs have them.
    """
    x = jnp.moveaxis(inputs, 1, -1) if plan.first else inputs
    pads = plan.pads()
    if any(map(any, pads)):
        x = jnp.pad(x, ((0, 0), *pads, (0, 0)))
    if kernel.shape[-2] == 1 and math.prod(plan.window) <= MOST_PLACES:
        result = _by_places(x, kernel, plan)
    else:
        result = _by_blocks(x, kernel, plan)
    return jnp.moveaxis(result, -1, 1) if plan.first else result


def seen(x: jax.Array, plan: Plan) -> Iterator[jax.Array]:
    """What each place of the window sees: (n, out..., c), one place after another."""
    for place in itertools.product(*map(range, plan.window)):
        start = [p * d for p, d in zip(place, plan.dilation, strict=True)]
        stop = [a + (o - 1) * s + 1 for a, o, s in zip(start, plan.out, plan.strides, strict=True)]  # type: ignore[operator]
        yield jax.lax.slice(x, (0, *start, 0), (x.shape[0], *stop, x.shape[-1]), (1, *plan.strides, 1))


def _by_places(x: jax.Array, kernel: jax.Array, plan: Plan) -> jax.Array:
    """One channel a group: sums of shifted images, which XLA fuses into one loop."""
    weights = kernel.reshape(-1, plan.groups, kernel.shape[-1] // plan.groups)
    total = sum(place[..., None] * w for place, w in zip(seen(x, plan), weights, strict=True))
    return total.reshape(x.shape[0], *plan.out, kernel.shape[-1])


def _by_blocks(x: jax.Array, kernel: jax.Array, plan: Plan) -> jax.Array:
    batch, filters, groups = x.shape[0], kernel.shape[-1], plan.groups
    row = math.prod(plan.window) * x.shape[-1]
    matrix = kernel.reshape(row // groups, groups, filters // groups)

    def one(block: jax.Array) -> jax.Array:
        parts = list(seen(block, plan))
        if groups == 1:
            return jnp.concatenate(parts, axis=-1).reshape(-1, row) @ matrix[:, 0]
        rows = jnp.stack(parts, axis=-2).reshape(-1, len(parts), groups, x.shape[-1] // groups)
        rows = rows.swapaxes(1, 2).reshape(-1, groups, row // groups)
        return jnp.einsum("ngw,wgo->ngo", rows, matrix).reshape(-1, filters)

    bytes_of_one = x.dtype.itemsize * math.prod(plan.out) * row  # type: ignore[arg-type]
    size = batch if row == x.shape[-1] else min(max(_CACHE // bytes_of_one, 1), batch)
    whole = batch // size
    if whole == 1 and size == batch:
        return one(x).reshape(batch, *plan.out, filters)
    blocks = x[: whole * size].reshape(whole, size, *x.shape[1:])
    result = jax.lax.map(jax.checkpoint(one), blocks).reshape(whole * size, *plan.out, filters)
    if whole * size == batch:
        return result
    rest = one(x[whole * size :]).reshape(-1, *plan.out, filters)
    return jnp.concatenate([result, rest])

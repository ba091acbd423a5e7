"""Convolution on the CPU as blocks of patches and matrix products.

Inside a loop (`lax.scan`, the training loop) XLA's CPU convolution falls back to a naive one, some twenty times slower; outside
it is slower than its matrix product where there are many filters, or next to no channels. There, the patches of a few images at a
time are gathered, so that they stay in the cache, and multiplied by the kernel. With few filters gathering costs more than
multiplying, and XLA's own is taken unless a loop is being traced. Gradients of any order follow by JAX's own rules: the patches of a
block are gathered again in the backward pass rather than kept.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from tricera.core.scoped import Scoped
from tricera.core.windows import Plan, Transposed

_CACHE = 3 << 20  # bytes of patches to hold at a time
MOST_PLACES = 64  # places of a window that are added one by one
# Where blocks are quicker than XLA's own: measured for 1 to 64 channels, 8 to 128 filters and windows of 3, 5 and 7.
_FILTERS, _CHANNELS, _ELEMENTS = 64, 8, 1 << 20
_looping: Scoped[bool] = Scoped("jax_loop", default=False)


def looped(body: Callable[..., Any]) -> Callable[..., Any]:
    """The body of a loop, in which convolutions know that they are in one."""

    @functools.wraps(body)
    def run(*args: Any) -> Any:
        token = _looping.set(True)
        try:
            return body(*args)
        finally:
            _looping.reset(token)

    return run


def suits(inputs: jax.Array, kernel: jax.Array, plan: Plan) -> bool:
    """Whether a convolution is computed here rather than by XLA."""
    return (
        _holds(inputs, kernel)
        and 0 not in plan.out
        and (kernel.shape[-2] > 1 or plan.groups == 1 or math.prod(plan.window) <= MOST_PLACES)
        and (_looping.get() or _gains(inputs.shape[0], kernel, plan))
    )


def _gains(batch: int, kernel: jax.Array, plan: Plan) -> bool:
    channels, filters = kernel.shape[-2:]
    places = math.prod(plan.window)
    if len(plan.window) != 2 or places == 1 or plan.groups > 1:
        return True
    # of small ones, the loop over training steps gains more than XLA's own would, which keeps them out of it
    small = batch * math.prod(plan.out) * places * channels < _ELEMENTS  # type: ignore[arg-type]
    return channels < _CHANNELS or filters >= _FILTERS or small


def suits_transposed(inputs: jax.Array, kernel: jax.Array, plan: Transposed) -> bool:
    """Whether a transposed convolution is computed here rather than by XLA."""
    return _holds(inputs, kernel) and 0 not in plan.out()


def _holds(inputs: jax.Array, kernel: jax.Array) -> bool:
    return (
        jax.default_backend() == "cpu"
        and inputs.dtype == kernel.dtype
        and inputs.dtype in (jnp.float32, jnp.float64)
        and 0 not in inputs.shape
        and 0 not in kernel.shape
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
    if plan.groups > 1 and kernel.shape[-2] == 1 and math.prod(plan.window) <= MOST_PLACES:
        result = _by_places(x, kernel, plan)
    else:
        result = _by_blocks(x, kernel, plan)
    return jnp.moveaxis(result, -1, 1) if plan.first else result


def conv_transpose(inputs: jax.Array, kernel: jax.Array, plan: Transposed) -> jax.Array:
    """The transposed convolution that `plan` describes: the transpose of a convolution by blocks, a product and a sum of patches.

    Args:
        inputs: (n, spatial..., c), or (n, c, spatial...) where the plan says so.
        kernel: (window..., filters, c).

    Returns:
        (n, out..., filters), with the channels where the inputs have them.
    """
    x = jnp.moveaxis(inputs, 1, -1) if plan.first else inputs
    sizes = x.shape[1:-1]
    full = tuple((size - 1) * s + r for size, s, r in zip(sizes, plan.strides, plan.reach, strict=True))
    back = Plan(plan.window, plan.strides, plan.dilation, "valid", False, 1, full, sizes, x.shape[-1])
    like = jax.ShapeDtypeStruct((x.shape[0], *full, kernel.shape[-2]), x.dtype)
    (result,) = jax.linear_transpose(lambda y: _by_blocks(y, kernel, back), like)(x)
    ends = [(-crop, tail, 0) for crop, tail in zip(plan.crop, plan.tail(), strict=True)]
    result = jax.lax.pad(result, jnp.zeros((), x.dtype), [(0, 0, 0), *ends, (0, 0, 0)])
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


def _patches(x: jax.Array, plan: Plan) -> jax.Array:
    """(n, out..., window * c): what the kernel sees at each place; gathered axis by axis, in few copies."""
    for axis in reversed(range(len(plan.window))):
        step, reach = plan.strides[axis], (plan.out[axis] - 1) * plan.strides[axis] + 1  # type: ignore[operator]
        starts = [place * plan.dilation[axis] for place in range(plan.window[axis])]
        parts = [jax.lax.slice_in_dim(x, start, start + reach, step, axis + 1) for start in starts]
        x = jnp.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
    return x


def _by_blocks(x: jax.Array, kernel: jax.Array, plan: Plan) -> jax.Array:
    batch, filters, groups = x.shape[0], kernel.shape[-1], plan.groups
    places, channels = math.prod(plan.window), x.shape[-1]
    matrix = kernel.reshape(places * channels // groups, groups, filters // groups)

    def one(block: jax.Array) -> jax.Array:
        rows = _patches(block, plan)
        if groups == 1:
            return rows.reshape(-1, places * channels) @ matrix[:, 0]
        rows = rows.reshape(-1, places, groups, channels // groups).swapaxes(1, 2)
        return jnp.einsum("ngw,wgo->ngo", rows.reshape(rows.shape[0], groups, -1), matrix).reshape(-1, filters)

    size = _block(batch, x.dtype.itemsize * math.prod(plan.out) * places * channels)  # type: ignore[arg-type]
    if places == 1 or size == batch:
        return one(x).reshape(batch, *plan.out, filters)
    whole = batch // size * size
    blocks = x[:whole].reshape(-1, size, *x.shape[1:])
    result = jax.lax.map(jax.checkpoint(one), blocks).reshape(whole, *plan.out, filters)
    if whole == batch:
        return result
    return jnp.concatenate([result, one(x[whole:]).reshape(-1, *plan.out, filters)])


def _block(batch: int, bytes_of_one: int) -> int:
    """How many images to take at a time: as many as the cache holds; rather fewer if then none are left over."""
    most = min(max(_CACHE // bytes_of_one, 1), batch)
    return next((size for size in range(most, most // 2, -1) if batch % size == 0), most)

"""The blocked convolution against XLA's own, value and gradients."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp

from tricera import ops
from tricera.backend import use
from tricera.backends.jax import blocked
from tricera.core import windows


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    "batch, size, kernel, channels, filters", [(6, 18, 3, 8, 16), (1, 20, 5, 16, 8), (7, 17, 2, 9, 11)]
)
def test_equals_xla(padding, batch, size, kernel, channels, filters):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(batch, size, size, channels)), "float32")
    k = jnp.asarray(rng.normal(size=(kernel, kernel, channels, filters)), "float32")
    plan = windows.conv("conv", x.shape, k.shape, 1, padding, "channels_last", 1)
    assert blocked.block_of(x, k, plan) is not None

    def own(x, k):
        with use("jax"):
            return jnp.sum(jnp.sin(ops.conv(x, k, padding=padding, data_format="channels_last")))

    def xla(x, k):
        out = jax.lax.conv_general_dilated(x, k, (1, 1), padding.upper(), dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return jnp.sum(jnp.sin(out))

    got, wanted = (jax.value_and_grad(f, argnums=(0, 1))(x, k) for f in (own, xla))
    for a, b in zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(wanted)):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-3)


def test_small_or_unusual_ones_are_left_to_xla():
    x, k = jnp.zeros((4, 20, 20, 8)), jnp.zeros((3, 3, 8, 8))
    for strides, dilation, data_format in ((2, 1, "channels_last"), (1, 2, "channels_last"), (1, 1, "channels_first")):
        shape = x.shape if data_format == "channels_last" else (4, 8, 20, 20)
        plan = windows.conv("conv", shape, k.shape, strides, "valid", data_format, dilation)
        assert blocked.block_of(jnp.zeros(shape), k, plan) is None

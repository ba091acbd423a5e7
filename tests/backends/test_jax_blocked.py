"""The blocked convolution against XLA's own: values, gradients, forward mode."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp

import tricera
from tricera import layers, ops
from tricera.backend import use
from tricera.backends.jax import blocked
from tricera.core import windows

# batch, spatial sizes, window, strides, dilation, channels, groups, filters
CASES = {
    "plain": (6, (18, 18), (3, 3), 1, 1, 8, 1, 16),
    "several blocks and a rest": (7, (40, 40), (3, 3), 1, 1, 32, 1, 64),
    "one image": (1, (20, 20), (5, 5), 1, 1, 16, 1, 8),
    "odd window": (7, (17, 9), (2, 3), 1, 1, 9, 1, 11),
    "strided": (3, (15, 16), (3, 3), 2, 1, 4, 1, 5),
    "unequal strides": (3, (15, 16), (3, 2), (1, 3), 1, 4, 1, 5),
    "dilated": (3, (15, 16), (3, 3), 1, (2, 3), 4, 1, 5),
    "grouped": (3, (9, 8), (3, 3), 1, 1, 6, 3, 9),
    "depthwise": (3, (9, 8), (3, 3), 2, 1, 6, 6, 12),
    "one channel": (3, (9, 8), (3, 3), 1, 1, 1, 1, 4),
    "long window on one channel": (2, (100,), (80,), 1, 1, 1, 1, 4),
    "one place": (3, (9, 8), (1, 1), 2, 1, 6, 1, 5),
    "signal": (3, (20,), (4,), 2, 1, 3, 1, 5),
    "volume": (2, (6, 7, 8), (2, 3, 2), (1, 2, 1), 1, 3, 1, 4),
}


def pair(case, first, padding):
    batch, sizes, window, strides, dilation, channels, groups, filters = CASES[case]
    rng = np.random.default_rng(0)
    shape = (batch, channels, *sizes) if first else (batch, *sizes, channels)
    x = jnp.asarray(rng.normal(size=shape), "float32")
    k = jnp.asarray(rng.normal(size=(*window, channels // groups, filters)), "float32")
    data_format = "channels_first" if first else "channels_last"
    plan = windows.conv("conv", x.shape, k.shape, strides, padding, data_format, dilation)
    assert blocked.suits(x, k, plan)

    def own(x, k):
        with use("jax"):
            return jnp.sin(
                ops.conv(x, k, strides, padding=padding, data_format=data_format, dilation_rate=dilation)
            ).sum()

    axes = "DHW"[3 - len(sizes) :]
    data = f"NC{axes}" if first else f"N{axes}C"

    def xla(x, k):
        return jnp.sin(
            jax.lax.conv_general_dilated(
                x, k, plan.strides, plan.pads(), rhs_dilation=plan.dilation, feature_group_count=groups,
                dimension_numbers=(data, f"{axes}IO", data),
            )
        ).sum()  # fmt: skip

    return own, xla, x, k


def assert_close(got, wanted):
    for a, b in zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=3e-3)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("case", CASES)
def test_equals_xla(case, padding, first):
    own, xla, x, k = pair(case, first, padding)
    got, wanted = (jax.jit(jax.value_and_grad(f, argnums=(0, 1)))(x, k) for f in (own, xla))
    assert_close(got, wanted)


@pytest.mark.parametrize("case", ["several blocks and a rest", "strided"])
def test_forward_mode_and_inside_a_loop(case):
    own, xla, x, k = pair(case, False, "valid")
    got, wanted = (jax.jvp(f, (x, k), (k.sum() * x, 0.1 * k)) for f in (own, xla))
    np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=0.1)
    loop = jax.jit(lambda x, k: jax.lax.fori_loop(0, 2, lambda i, c: c + jax.grad(own)(x + i, k), jnp.zeros_like(x)))
    assert_close(loop(x, k), jax.grad(xla)(x, k) + jax.grad(xla)(x + 1, k))


# batch, spatial sizes, window, strides, dilation, channels, filters
TRANSPOSED = {
    "plain": (3, (9, 8), (3, 3), 1, 1, 4, 5),
    "strided": (3, (9, 8), (4, 3), 2, 1, 4, 5),
    "longer steps than the window": (2, (5, 4), (2, 2), 3, 1, 4, 5),
    "dilated and strided": (2, (7, 6), (3, 2), (1, 2), (2, 1), 3, 4),
    "several blocks and a rest": (7, (20, 20), (3, 3), 2, 1, 32, 16),
    "one channel": (3, (9, 8), (3, 3), 2, 1, 4, 1),
    "signal": (3, (10,), (4,), 2, 1, 3, 5),
    "volume": (2, (3, 4, 5), (2, 3, 2), (1, 2, 2), 1, 3, 4),
}


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("case", TRANSPOSED)
def test_transposed_equals_xla(case, padding, first, monkeypatch):
    batch, sizes, window, strides, dilation, channels, filters = TRANSPOSED[case]
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(batch, channels, *sizes) if first else (batch, *sizes, channels)), "float32")
    k = jnp.asarray(rng.normal(size=(*window, filters, channels)), "float32")
    data_format = "channels_first" if first else "channels_last"

    def run(x, k):
        with use("jax"):
            y = ops.conv_transpose(x, k, strides, padding=padding, data_format=data_format, dilation_rate=dilation)
            return jnp.sin(y).sum()

    whole = jax.jit(jax.value_and_grad(run, argnums=(0, 1)))
    assert "conv_general_dilated" not in str(jax.make_jaxpr(whole)(x, k))
    got, got_forward = whole(x, k), jax.jvp(run, (x, k), (x * k.sum(), 0.1 * k))
    loop = jax.jit(lambda x, k: jax.lax.fori_loop(0, 2, lambda i, c: c + jax.grad(run)(x + i, k), jnp.zeros_like(x)))
    in_loop = loop(x, k)
    monkeypatch.setattr(blocked, "suits_transposed", lambda *given: False)
    wanted = jax.jit(jax.value_and_grad(run, argnums=(0, 1)))(x, k)
    assert_close(got, wanted)
    np.testing.assert_allclose(got_forward, jax.jvp(run, (x, k), (x * k.sum(), 0.1 * k)), rtol=1e-3, atol=0.1)
    assert_close(in_loop, jax.grad(run)(x, k) + jax.grad(run)(x + 1, k))


def test_few_filters_are_left_to_xla_but_in_loops():
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(2, 6, 40, 40, 16)), "float32")
    k = jnp.asarray(rng.normal(size=(3, 3, 16, 16)), "float32")

    def one(x):
        return ops.conv(x, k, padding="same")

    loops = {
        "scan": lambda x: ops.scan(lambda c, v: (c, one(v)), 0.0, x)[1],
        "map": lambda x: ops.map(one, x),
        "fori_loop": lambda x: ops.fori_loop(0, 2, lambda i, c: c + one(x[i]), ops.zeros_like(x[0])),
        "while_loop": lambda x: ops.while_loop(lambda i, c: i < 2, lambda i, c: (i + 1, one(x[i])), (0, x[0]))[1],
    }
    with use("jax"):
        wanted = jax.jit(lambda x: jnp.stack([one(x[0]), one(x[1])]))
        assert "conv_general_dilated" in str(jax.make_jaxpr(wanted)(x))
        wanted = wanted(x)
        for name, loop in loops.items():
            assert "conv_general_dilated" not in str(jax.make_jaxpr(loop)(x)), name
            got = {"fori_loop": wanted[0] + wanted[1], "while_loop": wanted[1]}.get(name, wanted)
            np.testing.assert_allclose(jax.jit(loop)(x), got, atol=2e-4, err_msg=name)
        assert "conv_general_dilated" in str(jax.make_jaxpr(lambda x: one(x[0]))(x))  # the loops have set it back


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_steps_with_xlas_convolution_run_one_by_one(dtype):
    """XLA's own is slow in a loop over steps, however the steps are asked for; the numbers are those of single steps."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(72, 32, 32, 16)).astype("float32"), rng.integers(0, 3, 72)

    def trained(**options):
        tricera.utils.set_random_seed(1)
        stack = [layers.Conv2D(8, 3, dtype=dtype), layers.GlobalAveragePooling2D(), layers.Dense(3)]
        net = tricera.Sequential([layers.Input((32, 32, 16)), *stack])
        loss = tricera.losses.SparseCategoricalCrossentropy(from_logits=True)
        net.compile("adam", loss, metrics=["accuracy"], **options)
        return net

    with use("jax"):
        single = trained()
        for i in range(0, 72, 24):
            single.train_on_batch(x[i : i + 24], y[i : i + 24])
        for options in ({}, {"steps_per_execution": 3}):
            net = trained(**options)
            net.fit(x, y, batch_size=24, shuffle=False, verbose=0)
            step = net._step_cache.get(net, "train")
            batch = x[:24], y[:24], None
            program = jax.make_jaxpr(step._pure)([v.native for v in step.variables], batch)
            assert "conv_general_dilated" in str(program)
            assert step._many._cache_size() == 0 and not any(map(callable, step._windows.values()))
            for a, b in zip(net.get_weights(), single.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)
            from_generator = trained(**options)
            batches = ((x[i : i + 24], y[i : i + 24]) for i in range(0, 72, 24))
            from_generator.fit(batches, steps_per_epoch=3, verbose=0)
            assert from_generator._step_cache.get(from_generator, "train")._many._cache_size() == 0
            for a, b in zip(from_generator.get_weights(), single.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)


def test_other_dtypes_are_left_to_xla():
    x, k = jnp.zeros((4, 20, 20, 8), "bfloat16"), jnp.zeros((3, 3, 8, 8), "bfloat16")
    assert not blocked.suits(x, k, windows.conv("conv", x.shape, k.shape, 1, "valid", None, 1))


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size, strides", [((2, 2), 2), ((3, 2), (1, 2)), ((3, 3), 2)])
def test_max_pool_equals_reduce_window_with_ties_and_nan(size, strides, padding, first):
    rng = np.random.default_rng(0)
    x = jnp.asarray(np.maximum(rng.integers(-3, 4, (2, 9, 8, 3)), 0), "float32")
    weights = jnp.asarray(rng.normal(size=(2, 9, 9, 3)), "float32")

    def total(pool, x):
        out = pool(x)
        return (out * weights[:, : out.shape[1], : out.shape[2]]).sum()

    def own(x):
        with use("jax"):
            if first:
                x = jnp.moveaxis(x, -1, 1)
            out = ops.max_pool(x, size, strides, padding, "channels_first" if first else "channels_last")
            return jnp.moveaxis(out, 1, -1) if first else out

    def xla(x):
        by = (strides,) * 2 if isinstance(strides, int) else strides
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, *size, 1), (1, *by, 1), padding.upper())

    np.testing.assert_array_equal(own(x), xla(x))
    np.testing.assert_allclose(jax.grad(lambda x: total(own, x))(x), jax.grad(lambda x: total(xla, x))(x), atol=1e-6)
    with_nan = x.at[0, 4, 4, 0].set(jnp.nan)
    np.testing.assert_array_equal(own(with_nan), xla(with_nan))

"""What the layers compute, from NumPy and from laws; parity/ compares every layer with Keras besides."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tricera import autodiff, layers as L, ops
from tricera.backend import use
from tricera.models import Model, Sequential

RNG = np.random.default_rng(0)


def arr(*shape):
    return RNG.normal(size=shape).astype("float32")


def run(layer, *args, **kwargs):
    return ops.convert_to_numpy(layer(*args, **kwargs))


def close(got, wanted, tolerance=1e-4):
    np.testing.assert_allclose(ops.convert_to_numpy(got), wanted, rtol=tolerance, atol=tolerance)


# ---------------------------------------------------------------------- core


def test_dense(backend):
    layer = L.Dense(5, activation="relu", bias_initializer="ones")
    for shape in ((2, 3), (2, 4, 3)):
        x = arr(*shape)
        close(layer(x), np.maximum(x @ layer.kernel.numpy() + 1, 0))


def test_einsum_dense(backend):
    x = arr(2, 3, 4)
    layer = L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 5), bias_axes="de")
    out = run(layer, x)
    close(out, np.einsum("abc,cde->abde", x, layer.kernel.numpy()))
    assert layer.bias.shape == (2, 5)
    assert L.EinsumDense("...x,xy->...y", output_shape=6)(x).shape[-1] == 6


def test_embedding(backend):
    layer = L.Embedding(10, 4)
    ids = np.array([[1, 2], [9, 0]])
    close(layer(ids), layer.embeddings.numpy()[ids])
    given = arr(10, 4)
    close(L.Embedding(10, 4, weights=[given])(ids), given[ids])


def test_lambda_and_activation(backend):
    x = arr(2, 3)
    close(L.Lambda(lambda x, factor: x * factor, arguments={"factor": 3})(x), 3 * x)
    close(L.Activation("tanh")(x), np.tanh(x))
    assert L.Lambda(lambda x: ops.concatenate([x, x]))(L.Input((3,))).shape == (None, 3)


def test_shapes(backend):
    x = arr(2, 3, 4, 5)
    close(L.Flatten()(x), x.reshape(2, 60))
    close(L.Flatten(data_format="channels_first")(x), x.transpose(0, 2, 3, 1).reshape(2, 60))
    close(L.Reshape((5, -1))(x), x.reshape(2, 5, 12))
    close(L.Permute((3, 1, 2))(x), x.transpose(0, 3, 1, 2))
    close(L.RepeatVector(3)(x[:, 0, 0]), np.repeat(x[:, 0, :1], 3, axis=1))
    close(L.ZeroPadding2D(((1, 2), (0, 3)))(x), np.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0))))
    close(L.Cropping2D(((1, 1), (0, 2)))(x), x[:, 1:-1, :-2])
    close(L.UpSampling2D((2, 3))(x), x.repeat(2, 1).repeat(3, 2))


# ---------------------------------------------------------------------- convolutions and pooling


def convolved(x, kernel, stride=1):
    k, n = len(kernel), (x.shape[1] - len(kernel)) // stride + 1
    windows = np.stack([x[:, i * stride : i * stride + k] for i in range(n)], axis=1)
    return np.einsum("bnkc,kcf->bnf", windows, kernel)


@pytest.mark.parametrize("stride", [1, 2])
def test_conv1d(backend, stride):
    x, layer = arr(2, 9, 3), L.Conv1D(4, 3, strides=stride)
    close(layer(x), convolved(x, layer.kernel.numpy(), stride))


def test_conv2d_is_the_sum_of_rows(backend):
    x, layer = arr(2, 5, 7, 3), L.Conv2D(4, (2, 3))
    out = run(layer, x)
    kernel = layer.kernel.numpy()
    wanted = sum(
        np.stack([convolved(x[:, i + r], kernel[r]) for i in range(4)], axis=1) for r in range(2)
    )  # fmt: skip
    close(out, wanted)


def test_causal_convolution_sees_no_future(backend):
    layer, x = L.Conv1D(2, 3, padding="causal", dilation_rate=2), arr(1, 10, 2)
    before = run(layer, x)
    changed = x.copy()
    changed[:, 6:] += 1
    after = run(layer, changed)
    np.testing.assert_allclose(before[:, :6], after[:, :6], atol=1e-5)
    assert np.abs(before[:, 6:] - after[:, 6:]).max() > 1e-3


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_transposed_convolution_is_the_adjoint(backend, rank, padding):
    """<conv(x), y> = <x, conv_transpose(y)> for one kernel."""
    axes = (7, 8, 6)[:rank]
    conv = getattr(L, f"Conv{rank}D")(4, 3, strides=2, padding=padding, use_bias=False)
    x = arr(1, *axes, 3)
    y = run(conv, x)
    grown = getattr(L, f"Conv{rank}DTranspose")(3, 3, strides=2, padding=padding, use_bias=False)
    other = arr(*y.shape)
    grown.build(other.shape)
    grown.set_weights(conv.get_weights())
    back = run(grown, other)
    fits = tuple(slice(0, min(a, b)) for a, b in zip(x.shape, back.shape, strict=True))
    if padding == "valid" or all(n % 2 == 0 for n in axes):
        x_only = np.zeros_like(x)
        x_only[fits] = x[fits]
        np.testing.assert_allclose(
            (run(conv, x_only) * other).sum(), (x[fits] * back[fits]).sum(), rtol=1e-3, atol=1e-3
        )


FORMATS = [
    ("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 2}, (5, 6, 4)),
    ("Conv1D", {"filters": 6, "kernel_size": 3, "padding": "same"}, (6, 4)),
    ("Conv3D", {"filters": 2, "kernel_size": 2}, (4, 5, 4, 3)),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}, (4, 5, 2)),
    ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2}, (5, 6, 4)),
    ("SeparableConv1D", {"filters": 3, "kernel_size": 3}, (6, 4)),
    ("MaxPooling2D", {"pool_size": 2, "padding": "same"}, (5, 6, 4)),
    ("AveragePooling3D", {"pool_size": 2}, (4, 5, 4, 3)),
    ("GlobalMaxPooling1D", {}, (6, 4)),
    ("GlobalAveragePooling2D", {"keepdims": True}, (5, 6, 4)),
    ("ZeroPadding3D", {"padding": (1, 0, 2)}, (4, 5, 4, 3)),
    ("Cropping3D", {"cropping": 1}, (4, 5, 4, 3)),
    ("UpSampling2D", {"size": 2, "interpolation": "bilinear"}, (5, 6, 4)),
    ("SpatialDropout2D", {"rate": 0.5}, (5, 6, 4)),
]


@pytest.mark.parametrize(("kind", "options", "shape"), FORMATS, ids=[kind for kind, _, _ in FORMATS])
def test_both_data_formats_agree(backend, kind, options, shape):
    last, first = (getattr(L, kind)(**options, data_format=f"channels_{w}") for w in ("last", "first"))
    x = arr(2, *shape)
    wanted = run(last, x)
    moved = np.moveaxis(x, -1, 1)
    first.build(moved.shape)
    first.set_weights(last.get_weights())
    got = run(first, moved)
    close(np.moveaxis(got, 1, -1) if got.ndim > 2 else got, wanted)


def test_pooling(backend):
    x = arr(2, 6, 3)
    pairs = x.reshape(2, 3, 2, 3)
    close(L.MaxPooling1D(2)(x), pairs.max(2))
    close(L.AveragePooling1D(2)(x), pairs.mean(2))
    close(L.GlobalAveragePooling1D()(x), x.mean(1))
    close(L.GlobalMaxPooling1D(keepdims=True)(x), x.max(1, keepdims=True))


# ---------------------------------------------------------------------- normalization, merging


def test_normalizations(backend):
    x = arr(8, 3, 4)
    close(L.LayerNormalization()(x), (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-3))
    grouped = x.reshape(8, 3, 2, 2)
    mean, var = grouped.mean((1, 3), keepdims=True), grouped.var((1, 3), keepdims=True)
    close(L.GroupNormalization(2)(x), ((grouped - mean) / np.sqrt(var + 1e-3)).reshape(x.shape))
    norm = L.BatchNormalization(momentum=0.9)
    close(norm(x, training=True), (x - x.mean((0, 1))) / np.sqrt(x.var((0, 1)) + 1e-3))
    close(norm.moving_mean.value, 0.1 * x.mean((0, 1)))
    close(norm.moving_variance.value, 0.9 + 0.1 * x.var((0, 1)))
    norm.trainable = False  # then the running statistics are used, and stay
    before = norm.moving_mean.numpy()
    close(norm(x, training=True), ops.convert_to_numpy(norm(x)))
    np.testing.assert_array_equal(norm.moving_mean.numpy(), before)


def test_merging(backend):
    a, b = arr(2, 3), arr(2, 3)
    for kind, wanted in (
        ("Add", a + b), ("Subtract", a - b), ("Multiply", a * b), ("Average", (a + b) / 2), ("Maximum", np.maximum(a, b)),
        ("Minimum", np.minimum(a, b)), ("Concatenate", np.concatenate([a, b], -1)),
    ):  # fmt: skip
        close(getattr(L, kind)()([a, b]), wanted)
        close(getattr(L, kind.lower())([a, b]), wanted)
    close(L.Dot(axes=1)([a, b]), (a * b).sum(1, keepdims=True))


# ---------------------------------------------------------------------- dropout and noise


@pytest.mark.parametrize("kind", ["Dropout", "GaussianDropout", "AlphaDropout", "GaussianNoise", "SpatialDropout1D"])
def test_noise_is_for_training_and_new_each_time(backend, kind):
    layer, x = getattr(L, kind)(0.4), np.ones((8, 20, 30), "float32")
    np.testing.assert_array_equal(run(layer, x), x)
    one, two = run(layer, x, training=True), run(layer, x, training=True)
    assert (one != x).any() and (one != two).any()
    if kind != "AlphaDropout":  # which keeps the mean of standard normal inputs
        assert one.mean() == pytest.approx(1, abs=0.1)


def test_dropout_masks_share_axes_on_demand(backend):
    out = run(L.Dropout(0.5, noise_shape=(None, 1, 10)), np.ones((4, 6, 10), "float32"), training=True)
    assert (out == out[:, :1]).all() and set(np.unique(out)) == {0, 2}
    out = run(L.SpatialDropout1D(0.5), np.ones((4, 6, 10), "float32"), training=True)
    assert (out == out[:, :1]).all()


def test_one_seed_one_stream(backend):
    x = np.ones((4, 50), "float32")
    one, two = L.Dropout(0.5, seed=3), L.Dropout(0.5, seed=3)
    for _ in range(3):
        np.testing.assert_array_equal(run(one, x, training=True), run(two, x, training=True))
    assert (run(L.Dropout(0.5, seed=4), x, training=True) != run(L.Dropout(0.5, seed=3), x, training=True)).any()


def test_dropout_acts_in_models(backend):
    x = np.ones((4, 50), "float32")
    inputs = L.Input((50,))
    for model in (
        Sequential([inputs, L.Dropout(0.5)]),
        Model(inputs, L.Dropout(0.5)(inputs)),
        Sequential([L.Dropout(0.5)]),
    ):
        one, two = run(model, x, training=True), run(model, x, training=True)
        assert (one == 0).any() and (one != two).any()
        np.testing.assert_array_equal(run(model, x), x)


# ---------------------------------------------------------------------- all backends give the same, and gradients are right

GRADED = [
    (lambda: L.Dense(3, activation="tanh"), (4, 5)),
    (lambda: L.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"), (2, 3, 4)),
    (lambda: L.Conv1D(3, 3, padding="causal"), (2, 6, 2)),
    (lambda: L.Conv2D(4, 3, strides=2, padding="same", groups=2), (1, 5, 6, 4)),
    (lambda: L.Conv3D(2, 2), (1, 3, 4, 3, 2)),
    (lambda: L.Conv2DTranspose(2, 3, strides=2), (1, 3, 4, 2)),
    (lambda: L.DepthwiseConv2D(3, depth_multiplier=2), (1, 5, 4, 2)),
    (lambda: L.SeparableConv1D(3, 3), (2, 6, 2)),
    (lambda: L.MaxPooling2D(2), (1, 4, 4, 2)),
    (lambda: L.AveragePooling2D(3, padding="same"), (1, 5, 5, 2)),
    (lambda: L.GlobalMaxPooling1D(), (2, 5, 3)),
    (lambda: L.BatchNormalization(), (6, 3)),
    (lambda: L.LayerNormalization(axis=(1, 2)), (3, 4, 2)),
    (lambda: L.GroupNormalization(2), (2, 3, 4)),
    (lambda: L.PReLU(), (3, 4)),
    (lambda: L.UpSampling2D(2, interpolation="bicubic"), (1, 4, 4, 1)),
    (lambda: L.Cropping1D((1, 2)), (2, 6, 2)),
]


@pytest.mark.parametrize(("make", "shape"), GRADED, ids=[type(make()).__name__ for make, _ in GRADED])
def test_gradients_against_differences(trainable_backend, make, shape):
    layer, rng = make(), np.random.default_rng(1)
    x = rng.normal(size=shape).astype("float32")
    out = layer(x, training=True) if isinstance(layer, L.BatchNormalization) else layer(x)
    weights = rng.normal(size=tuple(out.shape)).astype("float32")
    extra = {"training": True} if isinstance(layer, L.BatchNormalization) else {}

    def loss(x):
        return ops.sum(ops.multiply(layer(x, **extra), weights))

    grad = ops.convert_to_numpy(autodiff.grad(loss)(ops.convert_to_tensor(x)))
    direction = rng.normal(size=shape).astype("float32")
    step = 1e-2
    up, down = (float(ops.convert_to_numpy(loss(ops.convert_to_tensor(x + s * direction)))) for s in (step, -step))
    assert (grad * direction).sum() == pytest.approx((up - down) / (2 * step), rel=3e-2, abs=3e-2)


@pytest.mark.parametrize(("make", "shape"), GRADED, ids=[type(make()).__name__ for make, _ in GRADED])
def test_all_backends_agree(make, shape):
    x = np.random.default_rng(2).normal(size=shape).astype("float32")
    results, weights = {}, None
    for name in BACKENDS:
        with use(name):
            layer = make()
            layer.build(shape)
            if weights is None:
                weights = layer.get_weights()
            layer.set_weights(weights)
            results[name] = run(layer, x)
    first = next(iter(results.values()))
    for value in results.values():
        np.testing.assert_allclose(value, first, atol=1e-5)


@pytest.mark.parametrize(("make", "shape"), GRADED, ids=[type(make()).__name__ for make, _ in GRADED])
def test_open_shapes_are_inferred(backend, make, shape):
    layer = make()
    symbolic = layer(L.Input(shape[1:]))
    out = layer(np.ones(shape, "float32"))
    assert symbolic.shape == (None, *tuple(out.shape)[1:])
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Conv2D", {"filters": 4, "kernel_size": (3, 2), "strides": (1, 2), "dilation_rate": (1, 1)}),
        ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": (2, 2), "output_padding": (1, 0)}),
        ("ConvLSTM1D", {"filters": 4, "kernel_size": (3,)}), ("Permute", {"dims": (2, 1)}), ("Reshape", {"target_shape": (2, -1)}),
        ("ZeroPadding2D", {"padding": ((1, 1), (0, 2))}), ("Cropping1D", {"cropping": (1, 2)}), ("UpSampling2D", {"size": (2, 3)}),
        ("MaxPooling2D", {"pool_size": (2, 2)}), ("AdaptiveMaxPooling2D", {"output_size": (2, 3)}), ("LayerNormalization", {"axis": (1, 2)}),
        ("Softmax", {"axis": (1, 2)}), ("Dropout", {"rate": 0.5, "noise_shape": (1, 2)}), ("Dot", {"axes": (1, 2)}),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "attention_axes": (1, 2), "output_shape": (3, 4)}),
        ("InputLayer", {"shape": (3, 4)}), ("Normalization", {"axis": (1, 2)}), ("RandomRotation", {"factor": (-0.5, 0.25)}),
    ],
)  # fmt: skip
def test_arrays_of_a_few_numbers(kind, options):
    """Arrays serve as tuples do, and configs hold the tuples."""
    arrays = {k: np.array(v) if isinstance(v, tuple) else v for k, v in options.items()}
    made = [getattr(L, kind)(name="layer", **given).get_config() for given in (arrays, options)]
    assert repr(made[0]) == repr(made[1])

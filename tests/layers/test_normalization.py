"""RMS, unit and spectral normalization: values and what training does to the kernel."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.conftest import TRAINABLE
from tricera import layers as L, ops
from tricera.backend import use
from tricera.models import Model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 3)).astype("float32")
Y = RNG.normal(size=(8, 4)).astype("float32")


def host(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2)])
def test_rms_and_unit(backend, axis):
    x = RNG.normal(size=(2, 3, 4)).astype("float32")
    axes = axis if isinstance(axis, tuple) else (axis,)
    layer = L.RMSNormalization(axis=axis, epsilon=0.0)
    np.testing.assert_allclose(host(layer(x)), x / np.sqrt((x**2).mean(axes, keepdims=True)), rtol=1e-4)
    np.testing.assert_allclose(
        host(L.UnitNormalization(axis)(x)), x / np.sqrt((x**2).sum(axes, keepdims=True)), rtol=1e-4
    )


@pytest.mark.parametrize(
    ("inner", "shape"),
    [
        (lambda: L.Dense(5), (2, 4)), (lambda: L.Conv2D(5, 3), (2, 6, 6, 3)), (lambda: L.EinsumDense("ab,bc->ac", 5), (2, 4)),
        (lambda: L.Conv1DTranspose(5, 3), (2, 6, 3)),
    ],
    ids=["dense", "conv", "einsum", "transpose"],
)  # fmt: skip
def test_the_largest_singular_value_becomes_one(backend, inner, shape):
    layer = L.SpectralNormalization(inner(), power_iterations=50)
    x = RNG.normal(size=shape).astype("float32")
    plain = host(layer(x))
    kernel = layer.layer.kernel.numpy()
    np.testing.assert_array_equal(host(layer.layer(x)), plain)  # at inference nothing changes
    after = host(layer(x, training=True))
    changed = layer.layer.kernel.numpy()
    sigma = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]))[1][0]
    np.testing.assert_allclose(changed, kernel / sigma, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(host(layer(x)), after)
    assert [w.path.split("/")[-1] for w in layer.weights][:2] == ["kernel", "vector_u"]


def test_spectral_normalization_of_an_embedding(backend):
    layer = L.SpectralNormalization(L.Embedding(5, 4), power_iterations=50)
    layer(np.array([[1, 2]]), training=True)
    np.testing.assert_allclose(np.linalg.svd(layer.layer.embeddings.numpy())[1][0], 1, rtol=1e-3)


def test_training_is_the_same_everywhere(tmp_path):
    """Also where a compiled step keeps state apart: the kernel stays normalized, and gradients are those by the new kernel."""
    found = {}
    for name in TRAINABLE:
        with use(name):
            tricera.utils.set_random_seed(0)
            x = L.Input((3,))
            layer = L.SpectralNormalization(L.Dense(4), power_iterations=3)
            model = Model(x, layer(x))
            model.compile(tricera.optimizers.SGD(0.1), "mse")
            model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
            found[name] = model.get_weights()
            model.save(tmp_path / f"{name}.keras")
            loaded = tricera.saving.load_model(tmp_path / f"{name}.keras")
            np.testing.assert_allclose(host(loaded(X)), host(model(X)), rtol=1e-5, atol=1e-6)
            assert loaded.layers[-1].kernel is loaded.layers[-1].layer.kernel
            wanted = host(model(X))
        np.testing.assert_allclose(host(model.to_backend("numpy")(X)), wanted, rtol=1e-4, atol=1e-5)
    first = found[TRAINABLE[0]]
    for weights in found.values():
        for a, b in zip(weights, first, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_kernel_of_zeros_stays(backend):
    layer = L.SpectralNormalization(L.Dense(3, kernel_initializer="zeros"))
    np.testing.assert_array_equal(host(layer(X, training=True)), np.zeros((8, 3)))
    assert np.isfinite(layer.vector_u.numpy()).all()


def test_wrong_use():
    with use("numpy"):
        with pytest.raises(ValueError, match="power_iterations"):
            L.SpectralNormalization(L.Dense(2), power_iterations=0)
        with pytest.raises(ValueError, match="neither a `kernel`"):
            L.SpectralNormalization(L.ReLU())(X)
        with pytest.raises(ValueError, match="layer"):
            L.SpectralNormalization(3)


def test_synchronized_without_replicas(backend):
    """Alone it is as without, symbolically too."""
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    one, all_ = (L.BatchNormalization(synchronized=s) for s in (False, True))
    assert all_(tricera.KerasTensor((None, 3)), training=True).shape == (None, 3)
    np.testing.assert_array_equal(*(ops.convert_to_numpy(layer(x, training=True)) for layer in (one, all_)))

"""Activations by their formulas, dtypes, names (Keras's values: tests/parity/small_rooms)."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import activations, layers, ops

X = np.array([[-3.0, -0.5, 0.0, 0.4, 2.0, 7.0]], "float32")
FORMULAS = {
    "relu": np.maximum(X, 0), "relu6": np.clip(X, 0, 6), "linear": X, "exponential": np.exp(X), "tanh": np.tanh(X),
    "sigmoid": 1 / (1 + np.exp(-X)), "silu": X / (1 + np.exp(-X)), "softplus": np.log1p(np.exp(X)),
    "softsign": X / (1 + abs(X)), "elu": np.where(X > 0, X, np.expm1(X)), "leaky_relu": np.where(X > 0, X, 0.2 * X),
    "hard_sigmoid": np.clip(X / 6 + 0.5, 0, 1), "hard_tanh": np.clip(X, -1, 1), "tanh_shrink": X - np.tanh(X),
    "softmax": np.exp(X) / np.exp(X).sum(), "mish": X * np.tanh(np.log1p(np.exp(X))),
    "squareplus": (X + np.sqrt(X**2 + 4)) / 2, "log_sigmoid": -np.log1p(np.exp(-X)),
}  # fmt: skip
ALL = [name for name in activations.__all__ if name not in ("get", "serialize", "deserialize", "threshold")]


@pytest.mark.parametrize("name", list(FORMULAS))
def test_formula(backend, name):
    found = ops.convert_to_numpy(getattr(activations, name)(ops.convert_to_tensor(X)))
    np.testing.assert_allclose(found, FORMULAS[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_dtype_is_kept(backend, dtype):
    x = ops.cast(ops.convert_to_tensor(X), dtype)  # JAX has float64 only if asked for it
    for name in ALL:
        assert ops.dtype(getattr(activations, name)(x)) == ops.dtype(x), name


@pytest.mark.parametrize("axis", [0, -1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(backend, axis):
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    found = ops.convert_to_numpy(activations.sparsemax(x, axis=axis))
    np.testing.assert_allclose(found.sum(axis), 1.0, rtol=1e-5)
    # Where it is positive, one number a slice was taken away; elsewhere x was not above that number.
    taken = np.where(found > 0, x - found, -np.inf).max(axis, keepdims=True)
    np.testing.assert_allclose(found, np.maximum(x - taken, 0), atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_names(name):
    function = getattr(activations, name)
    assert activations.get(name) is function
    assert activations.deserialize(activations.serialize(function)) is function


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get(abs) is abs
    with pytest.raises(ValueError):
        activations.get("nonsense")


@pytest.mark.parametrize(
    "layer", [layers.LeakyReLU(negative_slope=0.3), layers.ELU(alpha=2.0), layers.PReLU(), layers.ReLU(6)]
)
def test_a_layer_is_an_activation_and_comes_back_with_its_options(layer):
    dense = layers.Dense(2, activation=layer)
    assert dense.activation is layer
    again = layers.Dense.from_config(dense.get_config()).activation
    assert type(again) is type(layer) and again.get_config() == layer.get_config()

"""Code of one framework as a layer: torch modules, JAX functions, modules with Flax's protocol."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tricera import layers as L, ops
from tricera.backend import use
from tricera.core.tensor import KerasTensor
from tricera.models import Model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]], "float32")).astype("float32")


def fitted(layer):
    """The layer trained inside of a functional model; the losses fall."""
    x = L.Input((3,))
    model = Model(x, L.Dense(1)(layer(x)))
    model.compile(tricera.optimizers.Adam(0.02), "mse")
    losses = model.fit(X, Y, batch_size=8, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    return model


# ---------------------------------------------------------------------- torch


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch")
    tricera.utils.set_random_seed(0)
    torch.manual_seed(0)
    with use("torch"):
        yield torch


def network(torch):
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Dropout(0.1))


def test_a_torch_module(torch):
    module = network(torch)
    layer = L.TorchModuleWrapper(module)
    assert [w.shape for w in layer.weights] == [(8, 3), (8,), (8,), (8,)] and layer.weights[0].native is module[
        0
    ].weight
    layer.weights[0].assign(np.ones((8, 3)))
    assert float(module[0].weight.detach().sum()) == 24
    out = layer(KerasTensor((None, 3)))
    assert out.shape == (None, 8)
    assert L.TorchModuleWrapper(module, output_shape=(None, 8))(KerasTensor((None, 3))).shape == (None, 8)
    before = module[1].running_mean.clone()
    layer(X, training=False)
    assert torch.equal(module[1].running_mean, before) and not module.training
    layer(X, training=True)
    assert not torch.equal(module[1].running_mean, before) and module.training


def test_a_torch_module_in_a_model(torch, tmp_path):
    module = network(torch)
    start = module[0].weight.detach().clone()
    model = fitted(L.TorchModuleWrapper(module))
    assert not torch.equal(module[0].weight, start)
    wanted = model.predict(X, verbose=0)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="safe_mode"):
        tricera.saving.load_model(tmp_path / "m.keras")
    loaded = tricera.saving.load_model(tmp_path / "m.keras", safe_mode=False)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)
    model.save_weights(tmp_path / "m.weights.h5")
    with torch.no_grad():
        module[0].weight.zero_()
        module[1].running_mean.zero_()
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(model.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="can't move"):
        model.to_backend("numpy")


def test_frozen_torch_modules(torch):
    module = network(torch)
    module[0].weight.requires_grad_(False)
    layer = L.TorchModuleWrapper(module)
    assert len(layer.trainable_weights) == 3 and len(layer.non_trainable_weights) == 1
    layer.trainable = False
    assert not any(p.requires_grad for p in module.parameters())


def test_what_is_no_torch_module(torch):
    with pytest.raises(TypeError, match=r"torch\.nn\.Module"):
        L.TorchModuleWrapper(3)
    with pytest.raises(ValueError, match="no shape yet"):
        L.TorchModuleWrapper(torch.nn.LazyLinear(3))
    with use("numpy"), pytest.raises(ValueError, match="backend 'torch' alone"):
        L.TorchModuleWrapper(network(torch))


# ---------------------------------------------------------------------- JAX


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax")
    tricera.utils.set_random_seed(0)
    with use("jax"):
        yield jax


@tricera.saving.register_keras_serializable("tests")
def dense_call(params, state, rng, inputs, training):
    import jax

    noise = 0.01 * jax.random.normal(rng, inputs.shape) if training else 0.0
    return jax.numpy.tanh((inputs + noise) @ params["kernel"] + params["rest"]["bias"]), {"calls": state["calls"] + 1}


@tricera.saving.register_keras_serializable("tests")
def dense_init(rng, inputs):
    import jax

    kernel = jax.random.normal(rng, (inputs.shape[-1], 8))
    return {"kernel": kernel, "rest": {"bias": np.zeros(8, "float32")}}, {"calls": np.zeros((), "int32")}


def test_a_jax_function(jax):
    layer = L.JaxLayer(dense_call, dense_init, seed=1)
    out = layer(X)
    kernel, bias = layer.params["kernel"], layer.params["rest"]["bias"]
    np.testing.assert_allclose(ops.convert_to_numpy(out), np.tanh(X @ kernel.numpy()), rtol=1e-4, atol=1e-5)
    assert layer.trainable_weights == [kernel, bias] and [int(w.numpy()) for w in layer.non_trainable_weights] == [1]
    layer(X, training=True)
    assert int(layer.state["calls"].numpy()) == 2
    assert (
        np.abs(ops.convert_to_numpy(layer(X, training=True)) - ops.convert_to_numpy(layer(X, training=True))).max() > 0
    )
    assert layer(KerasTensor((None, 3))).shape == (None, 8)
    assert int(layer.state["calls"].numpy()) == 4  # finding shapes changes nothing


def test_a_jax_function_in_a_model(jax, tmp_path):
    layer = L.JaxLayer(dense_call, dense_init)
    model = fitted(layer)
    assert int(layer.state["calls"].numpy()) == 20 * 4
    wanted = model.predict(X, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = tricera.saving.load_model(tmp_path / "m.keras", safe_mode=False)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="can't move"):
        model.to_backend("numpy")


def test_parameters_given(jax):
    layer = L.JaxLayer(
        lambda params, inputs: inputs * params["a"] + params["b"][0], params={"b": [np.ones(3)], "a": np.full(3, 2.0)}
    )
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), 2 * X + 1, rtol=1e-5)
    assert layer.built and len(layer.weights) == 2


def test_wrong_functions(jax):
    for arguments, said in (
        ((lambda params, inputs: 1,), "init_fn"), ((lambda x: 1, None, 1.0), "call_fn"), ((lambda params, inputs, y: 1, None, 1.0), "call_fn"),
        ((lambda params, inputs: 1, lambda inputs: 1), "init_fn"), ((lambda params, inputs: 1, None, 1.0, 2.0), "state"),
        ((lambda params, state, inputs: 1, None, 1.0), "state"), ((3, None, 1.0), "function"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            L.JaxLayer(*arguments)
    with use("numpy"), pytest.raises(ValueError, match="backend 'jax' alone"):
        L.JaxLayer(lambda params, inputs: 1, params=1.0)


# ---------------------------------------------------------------------- Flax's protocol


class Standing:
    """`init` and `apply` as `flax.linen.Module` documents them, for a layer with a running mean; Flax itself isn't needed."""

    def __call__(self, inputs, training=False):
        raise NotImplementedError("Flax binds a module before it calls it")

    def init(self, rngs, inputs, method=None, training=False):
        import jax

        return {
            "params": {"kernel": jax.random.normal(rngs, (inputs.shape[-1], 8))},
            "batch_stats": {"mean": np.zeros(8, "float32")},
        }

    def apply(self, variables, inputs, rngs=None, method=None, mutable=False, training=False):
        import jax

        assert set(variables) == {"params", "batch_stats"} and mutable == ["batch_stats"]
        out = jax.numpy.tanh(inputs @ variables["params"]["kernel"])
        mean = variables["batch_stats"]["mean"]
        new = 0.9 * mean + 0.1 * out.mean(0) if training else mean
        return out - (out.mean(0) if training else mean), {"batch_stats": {"mean": new}}


def test_a_module_with_the_protocol_of_flax(jax):
    layer = L.FlaxLayer(Standing())
    fitted(layer)
    assert [w.shape for w in layer.trainable_weights] == [(3, 8)]
    mean = layer.non_trainable_weights[0].numpy()
    assert np.abs(mean).max() > 0
    kernel = layer.trainable_weights[0].numpy()
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), np.tanh(X @ kernel) - mean, rtol=1e-4, atol=1e-5)
    given = L.FlaxLayer(Standing(), variables={"params": {"kernel": kernel}, "batch_stats": {"mean": mean}})
    np.testing.assert_allclose(ops.convert_to_numpy(given(X)), ops.convert_to_numpy(layer(X)), rtol=1e-6)
    with pytest.raises(ValueError, match="inputs"):
        L.FlaxLayer(Standing(), method=lambda module, x: x)

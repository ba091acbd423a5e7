"""Layers made in a `RematScope`: which of them a mode recomputes, seen by counting; same numbers; less kept for the backward pass."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS
from tricera import layers as L, ops
from tricera.backend import use
from tricera.core.tensor import KerasTensor

MODES = ["full", "activations", "larger_than", "list_of_layers", None]
RNG = np.random.default_rng(0)


class Counted(L.Layer):
    """A product with a weight, times a number for each feature; it counts how often it is computed."""

    runs: dict[str, int] = {}

    def __init__(self, features, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.features = features
        if activation is not None:
            self.activation = tricera.activations.get(activation)

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.features), name="kernel")

    def call(self, x):
        if not isinstance(x, KerasTensor):  # "larger_than" asks for the shape first
            self.count()
        y = ops.sin(ops.matmul(x, self.kernel))
        return self.activation(y) if hasattr(self, "activation") else y

    def count(self):
        """JAX runs the function's trace again, not the function, so that it is the trace that must count."""

        def one():
            Counted.runs[self.name] = Counted.runs.get(self.name, 0) + 1

        if self.backend == "jax":
            import jax

            jax.debug.callback(one)
        else:
            one()


def network(mode):
    """Layers of which each mode chooses others; the last is made outside of the scope."""
    with tricera.RematScope(mode, output_size_threshold=100, layer_names=["named", "last"]):
        inner = [Counted(4, name="named"), Counted(4, "tanh", name="active"), Counted(64, name="large")]
    return [*inner, Counted(1, name="last")]


CHOSEN = {
    "full": {"named", "active", "large"},
    "activations": {"active"},
    "larger_than": {"large"},
    "list_of_layers": {"named"},
    None: set(),
}


def counted(backend, run):
    """How often each layer is computed while something runs."""
    Counted.runs.clear()
    result = run()
    if backend == "jax":
        import jax

        jax.effects_barrier()
    return result, dict(Counted.runs)


@pytest.mark.parametrize("mode", MODES)
def test_which_layers_are_computed_again(trainable_backend, mode):
    """Once in the forward pass, and where the mode says so once more in the backward pass; the gradients are the same."""
    x = ops.convert_to_tensor(RNG.normal(size=(8, 4)).astype("float32"))
    found = []
    for scope in (None, mode):
        tricera.utils.set_random_seed(0)
        layers = network(scope)
        for layer, width in zip(layers, (4, 4, 4, 64), strict=True):
            layer.build((8, width))
        variables = [layer.kernel for layer in layers]

        def loss(layers=layers):
            y = x
            for layer in layers:
                y = layer(y)
            return ops.sum(y)

        (value, grads), runs = counted(
            trainable_backend, lambda loss=loss, variables=variables: tricera.value_and_grad(loss, variables)()
        )
        assert runs == {layer.name: 1 + (layer.name in CHOSEN[scope]) for layer in layers}
        found.append([ops.convert_to_numpy(value), *map(ops.convert_to_numpy, grads)])
        _, runs = counted(trainable_backend, loss)
        assert set(runs.values()) == {1}
    for plain, again in zip(*found, strict=True):
        np.testing.assert_allclose(plain, again, rtol=1e-5, atol=1e-6)


def real_model(mode):
    """Layers with states, random numbers and loops, and a model in a model, all made in the scope."""
    tricera.utils.set_random_seed(0)
    with tricera.RematScope(mode, output_size_threshold=8, layer_names=["conv", "norm", "lstm", "attention", "inner"]):
        x = L.Input((4, 4, 2))
        y = L.Conv2D(3, 2, activation="relu", name="conv")(x)
        y = L.BatchNormalization(name="norm")(y)
        y = L.Reshape((9, 3))(L.Dropout(0.3, seed=3)(y))
        y = L.MultiHeadAttention(2, 2, dropout=0.1, seed=4, name="attention")(y, y)
        y = L.LSTM(4, name="lstm")(y)
        y = tricera.Sequential([L.Input((4,)), L.Dense(4, "tanh"), L.Dense(2)], name="inner")(y)
    model = tricera.Model(x, y)
    model.compile(tricera.optimizers.SGD(0.1), "mse")
    return model


@pytest.mark.parametrize("mode", MODES[:-1])
def test_training_is_the_same(trainable_backend, mode):
    """Compiled steps end with the same weights, moving averages and seeds, whatever is computed again."""
    x = RNG.normal(size=(16, 4, 4, 2)).astype("float32")
    y = RNG.normal(size=(16, 2)).astype("float32")
    models = [real_model(scope) for scope in (None, mode)]
    for model in models:
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(models[0].variables, models[1].variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-5, err_msg=a.path)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float32"])
def test_the_second_run_is_in_the_first_ones_context(trainable_backend, policy):
    """Whether it trains and in which dtype weights are read holds in the backward pass, too, which is outside of the call."""
    x = ops.convert_to_tensor(RNG.normal(size=(4, 5, 6)).astype("float32"))
    found = []
    for mode in (None, "full"):
        tricera.utils.set_random_seed(0)
        with tricera.RematScope(mode):
            layer = L.MultiHeadAttention(2, 3, dropout=0.4, seed=1, dtype=policy)
        layer.build((4, 5, 6), (4, 5, 6))
        variables = layer.trainable_variables
        run = tricera.value_and_grad(
            lambda layer=layer: ops.sum(ops.cast(layer(x, x, training=True), "float32") ** 2), variables
        )
        value, grads = run()
        found.append([ops.convert_to_numpy(value), *map(ops.convert_to_numpy, grads)])
    for plain, again in zip(*found, strict=True):
        np.testing.assert_allclose(
            plain, again, rtol=1e-4 if policy == "float32" else 0.1, atol=1e-5 if policy == "float32" else 0.1
        )


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
@pytest.mark.parametrize("mode", MODES)
def test_torch_keeps_less(mode):
    """What autograd saves for the backward pass shrinks in every mode that chooses a layer, by most in "full"."""
    import torch

    def saved(mode):
        tricera.utils.set_random_seed(0)
        layers = network(mode)
        kept = []

        def pack(t):
            kept.append(t.numel())
            return t

        y = torch.ones(512, 4)
        for layer in layers:
            layer.build(tuple(y.shape))
            with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
                y = layer(y)
        return sum(kept)

    with use("torch"):
        plain, now = saved(None), saved(mode)
        assert now == plain if mode is None else now < plain
        if mode == "full":
            assert now < 0.6 * plain


@pytest.mark.skipif("jax" not in BACKENDS, reason="needs jax")
def test_jax_keeps_less():
    """The residuals of a chain of layers shrink to the layers' inputs."""
    import jax

    def residuals(mode):
        tricera.utils.set_random_seed(0)
        with tricera.RematScope(mode):
            layers = [Counted(32, "tanh", name=f"layer_{i}") for i in range(4)]
        for layer in layers:
            layer.build((64, 32))

        def loss(values, x):
            for layer, value in zip(layers, values, strict=True):
                x = layer.stateless_call([value], [], x)[0]
            return x.sum()

        values = [layer.kernel.value for layer in layers]
        _, pull = jax.vjp(loss, values, jax.numpy.ones((64, 32)))
        return sum(leaf.size for leaf in jax.tree_util.tree_leaves(pull))

    with use("jax"):
        assert residuals("full") < 0.6 * residuals(None)

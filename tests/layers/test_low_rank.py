"""LoRA: W + alpha / rank * A B, of which A and B alone are trained; wherever a layer goes, that goes too."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tricera import layers as L
from tricera.models import Sequential, clone_model
from tricera.optimizers import SGD

RNG = np.random.default_rng(0)
X = RNG.integers(0, 7, (16, 4)).astype("int32")
Y = RNG.normal(size=(16, 2)).astype("float32")


def network(dtype="float32", lora_rank=None):
    """One of each kind of layer that can be adapted."""
    return Sequential([
        L.Input((4,), dtype="int32"), L.Embedding(7, 4, dtype=dtype, lora_rank=lora_rank),
        L.Conv1D(4, 2, dtype=dtype, activation="tanh", lora_rank=lora_rank),
        L.EinsumDense("abc,cd->abd", (3, 3), dtype=dtype, lora_rank=lora_rank), L.Flatten(),
        L.Dense(2, dtype=dtype, lora_rank=lora_rank),
    ])  # fmt: skip


def adapted(model, alpha=3.0):
    for layer in model.layers:
        if hasattr(layer, "enable_lora"):
            layer.enable_lora(2, lora_alpha=alpha)
    return model


def fill(model, seed=1):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.weights])


def test_what_is_computed(backend):
    x = RNG.normal(size=(2, 3)).astype("float32")
    layer = L.Dense(4)
    before = np.asarray(tricera.ops.convert_to_numpy(layer(x)))
    layer.enable_lora(2, lora_alpha=6)
    np.testing.assert_allclose(tricera.ops.convert_to_numpy(layer(x)), before, rtol=1e-6)  # B is zero
    fill(layer)
    w, bias, a, b = layer.get_weights()
    np.testing.assert_allclose(tricera.ops.convert_to_numpy(layer(x)), x @ (w + 3 * a @ b) + bias, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tricera.ops.convert_to_numpy(layer.kernel), w + 3 * a @ b, rtol=1e-5, atol=1e-6)


LAYERS = [
    (lambda: L.Dense(4), (2, 5, 3)),
    *((lambda e=equation, o=out: L.EinsumDense(e, o), (2, 5, 3)) for equation, out in (
        ("abc,cde->abde", (5, 2, 4)), ("abc,cde->aebd", (4, 5, 2)), ("...c,cd->...d", 4), ("abc,bcd->abd", (5, 4)), ("abc,bdc->abd", (5, 4)),
    )),
    (lambda: L.Conv1D(4, 2, padding="causal"), (2, 6, 3)), (lambda: L.Conv2D(4, 2, strides=2), (2, 5, 5, 3)),
    (lambda: L.Conv1D(4, 2, groups=2), (2, 6, 4)), (lambda: L.Conv3D(4, 2), (2, 3, 3, 3, 2)), (lambda: L.Conv2D(4, 2), (1, 2, 5, 5, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_the_same_as_with_the_sum_for_a_kernel(backend, make, shape):
    x = RNG.normal(size=shape).astype("float32")
    layer, plain = make(), make()
    layer.build(shape), plain.build(shape)
    layer.enable_lora(2, lora_alpha=3)
    fill(layer)
    total = tricera.ops.convert_to_numpy(layer.kernel)
    plain.set_weights([total, *layer.get_weights()[1:-2]])
    wanted = tricera.ops.convert_to_numpy(plain(x))
    np.testing.assert_allclose(tricera.ops.convert_to_numpy(layer(x)), wanted, rtol=1e-4, atol=1e-5)


def test_channels_first():
    with tricera.backend.use("jax"):
        x = RNG.normal(size=(2, 3, 6, 5)).astype("float32")
        first, last = L.Conv2D(4, 2, data_format="channels_first", lora_rank=2), L.Conv2D(4, 2, lora_rank=2)
        first.build(x.shape), last.build((2, 6, 5, 3))
        fill(first), last.set_weights(first.get_weights())
        wanted = np.moveaxis(np.asarray(last(np.moveaxis(x, 1, -1))), -1, 1)
        np.testing.assert_allclose(first(x), wanted, rtol=1e-4, atol=1e-5)


def test_gradients_of_the_factors(trainable_backend):
    # By the chain rule from the gradient of the sum: dA = s dW B^T, dB = s A^T dW.
    from tricera import autodiff

    x = RNG.normal(size=(8, 3)).astype("float32")
    layer, plain = L.Dense(4, activation="tanh"), L.Dense(4, activation="tanh")
    layer.build(x.shape), plain.build(x.shape)
    layer.enable_lora(2, lora_alpha=3)
    fill(layer)
    plain.set_weights([tricera.ops.convert_to_numpy(layer.kernel), layer.get_weights()[1]])

    def gradients(one):
        loss = lambda: tricera.ops.sum(tricera.ops.square(one(x)))  # noqa: E731
        found = autodiff.grad(loss, one.trainable_variables)()
        return dict(
            zip((v.name for v in one.trainable_variables), map(tricera.ops.convert_to_numpy, found), strict=True)
        )

    got, dw = gradients(layer), gradients(plain)["kernel"]
    _, _, a, b = layer.get_weights()
    assert set(got) == {"bias", "lora_kernel_a", "lora_kernel_b"}
    np.testing.assert_allclose(got["lora_kernel_a"], 1.5 * dw @ b.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got["lora_kernel_b"], 1.5 * a.T @ dw, rtol=1e-4, atol=1e-5)


def test_the_constructors_scale_is_kept():
    # As documented; Keras's own Dense and Embedding forget it when they are built.
    for layer, shape in (
        (L.Dense(4, lora_rank=2, lora_alpha=5), (None, 3)),
        (L.Embedding(7, 4, lora_rank=2, lora_alpha=5), (None,)),
    ):
        layer.build(shape)
        assert (layer.lora_enabled, layer.lora_rank, layer.lora_alpha) == (True, 2, 5)
        again = type(layer).from_config(layer.get_config())
        again.build(shape)
        assert [w.shape for w in again.weights] == [w.shape for w in layer.weights] and again.lora_alpha == 5


def test_training_changes_the_difference_alone(trainable_backend):
    model = adapted(network())
    fill(model)
    before = {w.path: w.numpy() for w in model.weights}
    model.compile(SGD(0.05), "mse")
    losses = model.fit(X, Y, batch_size=8, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    changed = {w.path.rpartition("/")[2] for w in model.weights if not np.array_equal(w.numpy(), before[w.path])}
    frozen = {w.path.rpartition("/")[2] for w in model.non_trainable_weights}
    assert changed == {"bias", "lora_kernel_a", "lora_kernel_b", "lora_embeddings_a", "lora_embeddings_b"}
    assert frozen == {"kernel", "embeddings"}
    assert all(np.array_equal(w.numpy(), before[w.path]) for w in model.non_trainable_weights)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(trainable_backend, dtype):
    model = network(dtype, lora_rank=2)
    model.compile(SGD(0.05), "mse")
    losses = model.fit(X, Y, batch_size=8, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert {w.dtype for w in model.trainable_weights} == {"float32"}
    assert str(np.asarray(tricera.ops.convert_to_numpy(model.layers[-1].kernel)).dtype) == dtype.removeprefix("mixed_")


def test_enabling_between_two_trainings(trainable_backend):
    model = network()
    model.compile(SGD(0.05), "mse")
    model.fit(X, Y, verbose=0)
    before = model.predict(X, verbose=0)
    adapted(model)
    np.testing.assert_allclose(model.predict(X, verbose=0), before, rtol=1e-5, atol=1e-6)
    model.layers[-1].lora_kernel_b.assign(np.ones((2, 2)))
    assert not np.allclose(model.predict(X, verbose=0), before)  # compiled steps know of it
    with pytest.raises(ValueError, match="was not built with the variable .*lora_embeddings_a"):
        model.fit(X, Y, verbose=0)
    model.compile(SGD(0.05), "mse")
    model.fit(X, Y, verbose=0)


def test_on_another_backend_and_in_a_clone():
    with tricera.backend.use("numpy"):
        model = adapted(network())
        fill(model)
        wanted = model.predict(X, verbose=0)
        copy = clone_model(model)
        copy.set_weights(model.get_weights())
        np.testing.assert_allclose(copy.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)
        assert [w.path for w in copy.weights] == [w.path for w in model.weights]
    for name in ("jax", "torch", "tensorflow"):
        pytest.importorskip(name)
        model.to_backend(name)
        np.testing.assert_allclose(model.predict(X, verbose=0), wanted, rtol=1e-4, atol=1e-5)


def test_as_parameters_of_a_torch_module():
    torch = pytest.importorskip("torch")
    with tricera.backend.use("torch"):
        layer = L.Dense(4, lora_rank=2)
        layer.build((None, 3))
        layer.lora_kernel_b.assign(np.ones((2, 4)))
        trained = {name for name, p in layer.named_parameters() if p.requires_grad}
        assert trained == {"bias", "lora_kernel_a", "lora_kernel_b"}
        optimizer = torch.optim.SGD([p for p in layer.parameters() if p.requires_grad], 0.1)
        kernel, a = layer.get_weights()[0], layer.lora_kernel_a.numpy()
        layer(torch.ones(2, 3)).sum().backward()
        optimizer.step()
        assert np.array_equal(layer.get_weights()[0], kernel) and not np.array_equal(layer.lora_kernel_a.numpy(), a)


def test_files_hold_the_sum(backend, tmp_path):
    model = adapted(network())
    fill(model)
    wanted = model.predict(X, verbose=0)
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    loaded = tricera.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)
    assert [(x.lora_rank, x.lora_alpha) for x in loaded.layers if hasattr(x, "lora_rank")] == [(2, 3.0)] * 4
    plain = network()
    plain.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(plain.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)
    # Into the adapted model: the sum is the weight now and B zero, while A stays, so that training goes on.
    a = model.layers[-1].lora_kernel_a.numpy()
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(model.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)
    assert (
        np.array_equal(model.layers[-1].lora_kernel_a.numpy(), a) and not model.layers[-1].lora_kernel_b.numpy().any()
    )


def test_a_file_that_does_not_fit_changes_nothing(tmp_path):
    with tricera.backend.use("numpy"):
        model, other = (Sequential([L.Input((3,)), L.Dense(n, lora_rank=2)]) for n in (4, 5))
        fill(model), fill(other)
        other.save_weights(tmp_path / "w.weights.h5")
        before = model.get_weights()
        with pytest.raises(ValueError, match=r"(?s)dense.*\(3, 4\).*\(3, 5\)"):
            model.load_weights(tmp_path / "w.weights.h5")
        assert all(map(np.array_equal, before, model.get_weights()))


def test_given_vectors_are_the_frozen_table():
    table = RNG.normal(size=(7, 4)).astype("float32")
    layer = L.Embedding(7, 4, weights=table, lora_rank=2)
    assert np.array_equal(layer.get_weights()[0], table) and layer.lora_enabled


def test_untied_reversible_embeddings_from_the_constructor():
    layer = L.ReversibleEmbedding(7, 4, tie_weights=False, lora_rank=2)  # Keras fails to build this one
    layer.build(None)
    assert [w.name for w in layer.weights] == [
        "embeddings",
        "reverse_embeddings",
        "lora_embeddings_a",
        "lora_embeddings_b",
    ]


def test_convolution_op_can_be_replaced():
    class Doubled(L.Conv1D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel) * 2

    x = RNG.normal(size=(2, 6, 3)).astype("float32")
    plain, doubled = L.Conv1D(4, 2), Doubled(4, 2)
    plain.build(x.shape), doubled.build(x.shape)
    doubled.set_weights(plain.get_weights())
    np.testing.assert_allclose(tricera.ops.convert_to_numpy(doubled(x)), 2 * np.asarray(plain(x)), rtol=1e-5, atol=1e-6)


def built(layer, shape=(None, 3)):
    layer.build(shape)
    return layer


WRONG = [
    (lambda: L.Dense(2).enable_lora(1), "isn't built"),
    (lambda: built(L.Dense(2, lora_rank=1)).enable_lora(1), "LoRA of rank 1 already"),
    (lambda: built(L.Dense(2, kernel_constraint="max_norm")).enable_lora(1), "kernel_constraint"),
    (lambda: built(L.Embedding(5, 2, embeddings_constraint="max_norm", lora_rank=1)), "embeddings_constraint"),
    (lambda: L.Dense(2, lora_rank=0), "lora_rank.*positive integer.*0"),
    (lambda: L.Conv1D(2, 2, lora_rank=1.5), "lora_rank.*1.5"),
    (lambda: built(L.Dense(2)).enable_lora(-1), "rank.*-1"),
    (lambda: built(L.Dense(2)).enable_lora(1, lora_alpha="a"), "lora_alpha.*'a'"),
    (lambda: built(L.Dense(2)).enable_lora(1, a_initializer="nope"), "'nope'"),
    (lambda: built(L.SpectralNormalization(L.Dense(2, lora_rank=1))), "LoRA"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "says"), WRONG)
def test_wrong_requests(act, says):
    with pytest.raises(ValueError, match=says):
        act()


def test_a_wrong_request_changes_nothing():
    layer = built(L.Dense(2))
    for arguments in ((0,), (1, float("nan")), (1, None, "nope"), (1, None, "zeros", "nope")):
        with pytest.raises(ValueError):
            layer.enable_lora(*arguments)
    assert (layer.lora_enabled, layer.lora_rank, layer.lora_alpha) == (False, None, None)
    assert [(w.name, w.trainable) for w in layer.weights] == [("kernel", True), ("bias", True)]
    layer.enable_lora(1)
    assert len(layer.weights) == 4


def test_members_of_other_layers():
    assert L.InputLayer((3,), name="x").batch_shape == (None, 3)
    assert L.Discretization([0.0]).output_dtype == "int32"
    assert L.Discretization([0.0], output_mode="count", dtype="mixed_bfloat16").output_dtype == "bfloat16"
    torch = pytest.importorskip("torch")
    with tricera.backend.use("torch"):
        module = torch.nn.Sequential(torch.nn.Linear(3, 2))
        layer = L.TorchModuleWrapper(module)
        assert [id(p) for p in layer.parameters()] == [id(p) for p in module.parameters()]
        assert not list(layer.parameters(recurse=False))

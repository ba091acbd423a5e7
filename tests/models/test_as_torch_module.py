"""What was built under torch is a `torch.nn.Module`: parameters, state_dict, hooks, copies, modes, compilation, data parallelism."""

from __future__ import annotations

import copy
import os
import pickle

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tricera import layers, ops
from tricera.backend import use
from tricera.models import Model, Sequential

if "torch" not in BACKENDS:
    pytest.skip("torch is not installed", allow_module_level=True)
import torch


@pytest.fixture(autouse=True)
def on_torch():
    with use("torch"):
        yield


def mlp(name="mlp"):
    return Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, activation="relu", name="hidden"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.5, seed=1, name="drop"),
            layers.Dense(2, name="head"),
        ],
        name=name,
    )


def batch(rows=5, columns=3):
    return torch.from_numpy(np.random.default_rng(0).normal(size=(rows, columns)).astype("float32"))


def test_layers_and_models_are_modules():
    dense = layers.Dense(2)
    assert isinstance(dense, torch.nn.Module) and isinstance(dense, layers.Dense)
    assert type(dense).__name__ == "Dense"
    x = layers.Input((3,))
    assert isinstance(Model(x, dense(x)), torch.nn.Module)


def test_parameters_are_the_weights_themselves():
    model = mlp()
    named = dict(model.named_parameters())
    assert list(named) == [
        "hidden.kernel", "hidden.bias", "norm.gamma", "norm.beta", "norm.moving_mean", "norm.moving_variance",
        "head.kernel", "head.bias",
    ] or set(named) >= {"hidden.kernel", "hidden.bias", "head.kernel", "head.bias"}  # fmt: skip
    with torch.no_grad():
        named["head.bias"].fill_(7.0)
    assert model.layers[-1].get_weights()[1].tolist() == [7.0, 7.0]
    model.layers[-1].set_weights([np.zeros((4, 2)), np.ones(2)])
    assert named["head.bias"].tolist() == [1.0, 1.0]


def test_only_trainable_weights_require_gradients():
    model = mlp()
    wanting = {name for name, p in model.named_parameters() if p.requires_grad}
    assert wanting == {"hidden.kernel", "hidden.bias", "norm.gamma", "norm.beta", "head.kernel", "head.bias"}
    model.get_layer("hidden").trainable = False
    assert not dict(model.named_parameters())["hidden.kernel"].requires_grad


def test_state_dict_goes_from_one_model_to_another():
    one, two = mlp("one"), mlp("two")
    assert not np.allclose(one.get_weights()[0], two.get_weights()[0])
    result = two.load_state_dict(one.state_dict())
    assert not result.missing_keys and not result.unexpected_keys
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    x = batch()
    torch.testing.assert_close(one(x), two(x))


def test_state_dict_with_a_missing_key_is_refused():
    model = mlp()
    state = model.state_dict()
    state.pop("head.bias")
    with pytest.raises(RuntimeError, match="head.bias"):
        model.load_state_dict(state)


def test_a_loop_written_in_torch_trains_it():
    model = Sequential([layers.Input((3,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    x = batch(32)
    y = x.sum(dim=1, keepdim=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x, training=True), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10


def test_inside_another_module():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Sequential([layers.Input((3,)), layers.Dense(2, name="d")], name="inner")
            self.outer = torch.nn.Linear(2, 1)

        def forward(self, x):
            return self.outer(self.inner(x))

    net = Net()
    assert {n for n, _ in net.named_parameters()} == {"inner.d.kernel", "inner.d.bias", "outer.weight", "outer.bias"}
    net(batch()).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_a_torch_module_inside_a_layer():
    class Wrapped(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.linear = torch.nn.Linear(3, 2)

        def call(self, x):
            return self.linear(x)

    layer = Wrapped()
    assert layer(batch()).shape == (5, 2)
    assert {n for n, _ in layer.named_parameters()} == {"linear.weight", "linear.bias"}


def test_forward_and_backward_hooks():
    model = mlp()
    seen = []
    head = model.get_layer("head")
    handle = head.register_forward_hook(lambda module, args, output: seen.append(("forward", tuple(output.shape))))
    head.register_forward_pre_hook(lambda module, args: seen.append(("before", tuple(args[0].shape))))
    head.register_full_backward_hook(lambda module, grads, outputs: seen.append(("backward", len(outputs))))
    model(batch()).sum().backward()
    assert seen == [("before", (5, 4)), ("forward", (5, 2)), ("backward", 1)]
    handle.remove()
    model(batch())
    assert ("forward", (5, 2)) not in seen[3:]


def test_a_forward_hook_may_change_the_output():
    dense = layers.Dense(2)
    dense.register_forward_hook(lambda module, args, output: output * 0 + 3)
    assert dense(batch()).unique().tolist() == [3.0]


def test_modules_and_children():
    model = mlp()
    assert [name for name, _ in model.named_children() if name in ("hidden", "norm", "drop", "head")] == [
        "hidden", "norm", "drop", "head",
    ]  # fmt: skip
    assert model.get_submodule("head") is model.layers[-1]
    assert model.get_parameter("head.bias") is model.layers[-1].bias.native
    seen = []
    model.apply(lambda module: seen.append(type(module).__name__))
    assert {"Dense", "BatchNormalization", "Dropout", "Sequential"} <= set(seen)


def test_deepcopy_is_independent():
    model = mlp()
    twin = copy.deepcopy(model)
    x = batch()
    torch.testing.assert_close(model(x), twin(x))
    with torch.no_grad():
        for p in twin.parameters():
            p.add_(1.0)
    assert not torch.allclose(model(x), twin(x))
    assert isinstance(twin, torch.nn.Module) and isinstance(twin, Sequential)


def test_deepcopy_and_pickle_of_a_layer():
    dense = layers.Dense(2)
    x = batch()
    y = dense(x)
    for twin in (copy.deepcopy(dense), pickle.loads(pickle.dumps(dense))):
        assert twin is not dense and isinstance(twin, torch.nn.Module)
        torch.testing.assert_close(twin(x), y)
        assert not {id(p) for p in twin.parameters()} & {id(p) for p in dense.parameters()}


def test_train_and_eval_choose_the_mode():
    model = mlp()
    x = batch(64)
    model.eval()
    assert not model.training and not model.get_layer("drop").training
    torch.testing.assert_close(model(x), model(x))
    model.train()
    assert model.training and model.get_layer("drop").training
    assert (model.get_layer("drop")(x) == 0).any()
    assert not torch.allclose(model(x), model(x))
    torch.testing.assert_close(model(x, training=False), model(x, training=False))  # what is said at the call wins
    model.eval()
    torch.testing.assert_close(model(x), model(x))


def test_a_module_around_it_sets_its_mode():
    drop = layers.Dropout(0.5)
    net = torch.nn.Sequential(torch.nn.Linear(3, 64), drop)
    assert (net.train()(batch()) == 0).any()
    assert not (net.eval()(batch()) == 0).any()


def test_predict_infers_whatever_the_mode():
    model = mlp()
    model.train()
    x = batch()
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))


def test_gradients_with_respect_to_inputs():
    dense = layers.Dense(2, use_bias=False)
    x = batch().requires_grad_()
    dense(x).sum().backward()
    torch.testing.assert_close(x.grad, dense.kernel.value.sum(dim=1).detach().expand(5, 3))


def test_no_grad_and_inference_mode():
    model = mlp()
    with torch.no_grad():
        assert not model(batch()).requires_grad
    with torch.inference_mode():
        assert model(batch()).is_inference()


@pytest.mark.parametrize("engine", ["eager", "aot_eager"])
def test_torch_compile(engine):
    torch._dynamo.reset()
    model = mlp()
    model.get_layer("drop").rate = 0.0
    x = batch()
    wanted = model(x)
    compiled = torch.compile(model, backend=engine)
    torch.testing.assert_close(compiled(x), wanted)
    compiled(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    torch.testing.assert_close(compiled(x, training=True), model(x, training=True))


def test_distributed_data_parallel():
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    torch.distributed.init_process_group("gloo", rank=0, world_size=1, store=torch.distributed.HashStore())
    try:
        model = Sequential([layers.Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)])
        wrapped = torch.nn.parallel.DistributedDataParallel(model)
        x = batch()
        torch.testing.assert_close(wrapped(x), model(x))
        wrapped(x).square().sum().backward()
        assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
        assert set(wrapped.module.state_dict()) == set(model.state_dict())
    finally:
        torch.distributed.destroy_process_group()


def test_to_moves_dtype_or_device_in_place():
    dense = layers.Dense(2)
    dense(batch())
    assert dense.to("cpu") is dense
    assert next(dense.parameters()).device.type == "cpu"


def test_zero_grad_and_requires_grad():
    dense = layers.Dense(2)
    dense(batch()).sum().backward()
    dense.zero_grad()
    assert all(p.grad is None for p in dense.parameters())
    dense.requires_grad_(False)
    assert not dense(batch()).requires_grad


def test_ops_keep_the_graph_through_a_custom_layer():
    class Square(layers.Layer):
        def build(self, shape):
            self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

        def call(self, x):
            return ops.multiply(ops.square(x), self.factor)

    layer = Square()
    layer(batch()).sum().backward()
    torch.testing.assert_close(dict(layer.named_parameters())["factor"].grad, batch().square().sum())

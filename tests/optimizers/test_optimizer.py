"""The driver that all optimizers share: building, applying, options, state and config."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

from tricera import initializers, ops, optimizers
from tricera.core import dispatch
from tricera.core.variable import Variable
from tricera.optimizers import SGD, Adam, AdamW, RMSprop, schedules

GRADIENTS = [np.full((2, 3), 0.5, "float32"), np.array([1.0, -2.0, 3.0], "float32")]


def weights():
    return [Variable(np.ones((2, 3), "float32"), name="kernel"), Variable(np.zeros(3, "float32"), name="bias")]


def test_sgd_step(backend):
    variables = weights()
    SGD(0.1).apply(GRADIENTS, variables)
    np.testing.assert_allclose(variables[0].numpy(), np.full((2, 3), 0.95), rtol=1e-6)
    np.testing.assert_allclose(variables[1].numpy(), [-0.1, 0.2, -0.3], rtol=1e-6)


def test_apply_gradients_counts(backend):
    optimizer, variables = SGD(), weights()
    assert int(optimizer.apply_gradients(zip(GRADIENTS, variables, strict=True))) == 1
    optimizer.apply(GRADIENTS)
    assert int(optimizer.iterations) == 2


def test_half_precision(backend):
    w = Variable(np.ones(4), dtype="float16")
    optimizer = Adam(0.5)
    optimizer.apply([np.ones(4, "float32")], [w])
    assert w.dtype == "float16"
    assert [v.dtype for v in optimizer.variables] == ["int32", "float32", "float16", "float16"]
    np.testing.assert_allclose(w.numpy(), 0.5, rtol=2e-3)


def test_missing_gradients(backend):
    optimizer, variables = SGD(1.0), weights()
    with pytest.warns(UserWarning, match="kernel"):
        optimizer.apply([None, GRADIENTS[1]], variables)
    assert variables[0].numpy().min() == 1
    assert variables[1].numpy()[0] == -1
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None, None], variables)


def test_nothing_to_do():
    SGD().apply([], [])


def test_wrong_calls():
    with pytest.raises(ValueError, match="does not know its variables"):
        SGD().apply(GRADIENTS)
    optimizer, variables = SGD(), weights()
    with pytest.raises(ValueError, match="1 gradients were given for 2 variables"):
        optimizer.apply(GRADIENTS[:1], variables)
    optimizer.build(variables)
    with pytest.raises(ValueError, match="not built with the variable"):
        optimizer.apply(GRADIENTS, weights())
    with pytest.raises(TypeError, match="Variables"):
        SGD().build([np.ones(3)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clipnorm": 1, "clipvalue": 1}, "one way only"),
        ({"use_ema": True, "ema_momentum": 2}, "ema_momentum"),
        ({"use_ema": True, "ema_overwrite_frequency": 0}, "ema_overwrite_frequency"),
        ({"gradient_accumulation_steps": 1}, "gradient_accumulation_steps"),
        ({"momentum": 2.0}, "momentum"),
        ({"colour": "red"}, "'colour'"),
        ({"learning_rate": "fast"}, "learning_rate"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        SGD(**arguments)


def test_wrong_arguments_of_others():
    with pytest.raises(ValueError, match="weight_decay"):
        AdamW(weight_decay=None)
    with pytest.raises(ValueError, match="beta_1"):
        optimizers.Lion(beta_1=0.0)
    with pytest.raises(ValueError, match="learning_rate_power"):
        optimizers.Ftrl(learning_rate_power=0.5)


def test_clipping(backend):
    for arguments, want in (
        ({"clipvalue": 0.5}, [-0.5, 0.5, -0.5]),
        ({"clipnorm": 1.0}, -GRADIENTS[1] / np.sqrt(14)),
        ({"global_clipnorm": 1.0}, -GRADIENTS[1] / np.sqrt(15.5)),
        ({"global_clipnorm": 100.0}, -GRADIENTS[1]),
    ):
        variables = weights()
        SGD(1.0, **arguments).apply(GRADIENTS, variables)
        np.testing.assert_allclose(variables[1].numpy(), want, rtol=1e-6, err_msg=str(arguments))


def test_accumulation_waits(backend):
    optimizer, variables = SGD(1.0, gradient_accumulation_steps=2), weights()
    optimizer.apply(GRADIENTS, variables)
    assert variables[1].numpy().tolist() == [0, 0, 0]
    assert int(optimizer.iterations) == 0
    optimizer.apply([3 * g for g in GRADIENTS], variables)
    np.testing.assert_allclose(variables[1].numpy(), -2 * GRADIENTS[1])
    assert int(optimizer.iterations) == 1


def test_moving_average(backend):
    optimizer, variables = SGD(1.0, use_ema=True, ema_momentum=0.5), weights()
    for _ in range(2):
        optimizer.apply(GRADIENTS, variables)
    optimizer.finalize_variable_values(variables)
    np.testing.assert_allclose(variables[1].numpy(), -1.5 * GRADIENTS[1])


def test_weight_decay_and_exclusion(backend):
    optimizer, variables = SGD(0.5, weight_decay=0.1), weights()
    optimizer.exclude_from_weight_decay(var_names=["ern"])
    zero = [np.zeros_like(g) for g in GRADIENTS]
    optimizer.apply(zero, variables)
    assert variables[0].numpy().min() == 1
    optimizer, variables = SGD(0.5, weight_decay=0.1), weights()
    optimizer.apply(zero, variables)
    np.testing.assert_allclose(variables[0].numpy(), 0.95, rtol=1e-6)
    with pytest.raises(ValueError, match="before"):
        optimizer.exclude_from_weight_decay(var_list=variables)
    optimizer, variables = SGD(0.5, weight_decay=0.1), [Variable(np.ones(2, "float32"), name="kernel")]
    optimizer.exclude_from_weight_decay(var_names=["norm"])  # a layer's name: not the variable's, as in Keras
    with pytest.warns(UserWarning, match="'norm' from weight decay, but there are none. Names are kernel"):
        optimizer.build(variables)
    for wrong in ({"var_names": "bias"}, {"var_names": [3]}, {"var_list": ["bias"]}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SGD(0.5).exclude_from_weight_decay(**wrong)


def test_constraint_and_overwrite(backend):
    w, counter = Variable([1.0, -1.0]), Variable([5.0])
    w.constraint = lambda value: ops.maximum(value, 0.0)
    counter.overwrite_with_gradient = True
    SGD(0.1).apply([np.zeros(2, "float32"), np.array([7.0], "float32")], [w, counter])
    assert w.numpy().tolist() == [1, 0]
    assert counter.numpy().tolist() == [7]


def test_learning_rate(backend):
    optimizer, variables = SGD(0.1), weights()
    optimizer.learning_rate = 0.5
    for wrong in (-1.0, float("nan"), np.float64("inf"), "0.1", None, [1.0, 2.0], True):
        with pytest.raises(ValueError, match="`learning_rate` must be a number"):
            optimizer.learning_rate = wrong
    assert float(optimizer.learning_rate) == 0.5
    optimizer.learning_rate = ops.convert_to_tensor(0.5)
    optimizer.apply(GRADIENTS, variables)
    assert variables[1].numpy()[0] == -0.5
    optimizer.learning_rate = schedules.ExponentialDecay(1.0, 1, 0.5)
    assert [v.name for v in optimizer.variables] == ["iteration"]
    assert float(ops.convert_to_numpy(optimizer.learning_rate)) == 0.5
    with pytest.raises(TypeError, match="ExponentialDecay"):
        optimizer.learning_rate = 0.1
    assert float(SGD(lambda: 0.25).learning_rate) == 0.25


@pytest.mark.parametrize("kind", ["SGD", "RMSprop", "Adam"])
def test_stateless(backend, kind):
    make = getattr(optimizers, kind)
    stateful, variables = make(0.1), weights()
    stateless, others = make(0.1), weights()
    stateless.build(others)
    trained, own = [v.value for v in others], [v.value for v in stateless.variables]
    if backend == "torch":  # there the value is the parameter itself
        trained, own = [v.detach().clone() for v in trained], [v.detach().clone() for v in own]
    for _ in range(3):
        stateful.apply(GRADIENTS, variables)
        trained, own = stateless.stateless_apply(own, GRADIENTS, trained)
    for value, variable in zip([*trained, *own], [*variables, *stateful.variables], strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(value), variable.numpy(), rtol=1e-5, atol=1e-6)
    assert int(stateless.iterations) == 0
    assert others[0].numpy().min() == 1
    with pytest.raises(ValueError, match="Expected"):
        stateless.stateless_apply(own[:1], GRADIENTS, trained)
    with pytest.raises(ValueError, match="build"):
        make().stateless_apply(own, GRADIENTS, trained)


FUSED = [
    SGD(0.1), SGD(0.1, momentum=0.9), SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1), RMSprop(0.1),
    RMSprop(0.1, momentum=0.5, centered=True), Adam(0.1), Adam(0.1, amsgrad=True), AdamW(0.1, weight_decay=0.1),
    Adam(0.1, gradient_accumulation_steps=2, clipnorm=1.0), optimizers.Adagrad(0.1), optimizers.Adadelta(0.5),
    optimizers.Adamax(0.1), optimizers.Nadam(0.1), optimizers.Lion(0.1), optimizers.Lamb(0.1), optimizers.Ftrl(0.1),
    optimizers.Ftrl(0.1, l1_regularization_strength=0.3, l2_regularization_strength=0.1, beta=0.2,
                    l2_shrinkage_regularization_strength=0.1, learning_rate_power=-0.7),
    optimizers.ScheduleFreeAdamW(0.1), optimizers.ScheduleFreeAdamW(0.1, warmup_steps=4, weight_decay=0.1),
]  # fmt: skip


@pytest.mark.parametrize("config", [optimizers.serialize(o) for o in FUSED], ids=range(len(FUSED)))
def test_fused_agrees_with_the_rule(backend, config):
    fused, plain = optimizers.deserialize(config), optimizers.deserialize(config)
    plain.fused_name = None
    a, b = weights(), weights()
    rng = np.random.default_rng(0)
    for _ in range(10):
        grads = [rng.normal(size=v.shape).astype("float32") for v in a]
        fused.apply(grads, a)
        plain.apply(grads, b)
    for x, y in zip([*a, *fused.variables], [*b, *plain.variables], strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=2e-6, atol=2e-6, err_msg=x.path)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(
    "kind", ["Adagrad", "Adadelta", "Adamax", "Nadam", "Lion", "Lamb", "Ftrl", "ScheduleFreeAdamW"]
)
def test_half_precision_is_rounded_once(backend, kind, dtype):
    fused, plain = (getattr(optimizers, kind)(0.1) for _ in range(2))
    plain.fused_name = None
    a, b = ([Variable(np.ones(s), dtype=dtype) for s in [(3, 2), (4,)]] for _ in range(2))
    rng = np.random.default_rng(0)
    for _ in range(3):
        grads = [rng.normal(size=v.shape).astype("float32") for v in a]
        fused.apply(grads, a)
        plain.apply(grads, b)
    step = 2e-3 if dtype == "float16" else 1.6e-2  # twice the distance of neighbours at 1
    for x, y in zip([*a, *fused.variables], [*b, *plain.variables], strict=True):
        got, want = (v.numpy().astype("float32") for v in (x, y))
        assert np.isfinite(got).all()
        np.testing.assert_allclose(got, want, rtol=step, atol=step, err_msg=x.path)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adamw"])
def test_gradients_in_any_memory_order(backend, name):
    first, second = optimizers.get(name), optimizers.get(name)
    a, b = (Variable(np.ones((3, 2), "float32")) for _ in range(2))
    gradient = np.arange(6.0, dtype="float32").reshape(2, 3).T
    first.apply([ops.transpose(ops.convert_to_tensor(np.ascontiguousarray(gradient.T)))], [a])
    second.apply([np.ascontiguousarray(gradient)], [b])
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
    for x, y in zip(first.variables, second.variables, strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-6)


@pytest.mark.parametrize("config", [optimizers.serialize(o) for o in FUSED], ids=range(len(FUSED)))
def test_without_asking_for_values(backend, config, monkeypatch):
    """What runs where a condition has no value yet, or on an accelerator, where asking for it would wait."""
    room = dispatch.get(backend).optimizer
    if backend == "torch":
        monkeypatch.setattr(room, "scalars", lambda lr, iterations: (lr.detach(), iterations.detach() + 1))
    a, b, asking = weights(), weights(), optimizers.deserialize(config)
    rng = np.random.default_rng(0)
    steps = [[rng.normal(size=v.shape).astype("float32") for v in a] for _ in range(6)]
    blind = optimizers.deserialize(config)
    for grads in steps:
        blind.apply(grads, a)
    monkeypatch.setattr(room, "known", lambda flag: None)
    for grads in steps:
        asking.apply(grads, b)
    monkeypatch.undo()
    c, plain = weights(), optimizers.deserialize(config)
    plain.fused_name = None
    for grads in steps:
        plain.apply(grads, c)
    for x, y, z in zip([*a, *blind.variables], [*b, *asking.variables], [*c, *plain.variables], strict=True):
        np.testing.assert_allclose(x.numpy(), z.numpy(), rtol=2e-6, atol=2e-6, err_msg=x.path)
        np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=2e-6, atol=2e-6, err_msg=x.path)


def test_state_round_trip(backend):
    optimizer, variables = Adam(0.1), weights()
    optimizer.apply(GRADIENTS, variables)
    store: dict[str, np.ndarray] = {}
    optimizer.save_own_variables(store)
    assert list(store) == [str(i) for i in range(6)]
    other = Adam()
    other.build(weights())
    other.load_own_variables(store)
    for a, b in zip(optimizer.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    other.set_weights([v.numpy() * 0 for v in other.variables])
    assert int(other.iterations) == 0
    with pytest.warns(UserWarning, match="not loaded"):
        SGD().load_own_variables(store)
    with pytest.raises(ValueError, match="built"):
        Adam().set_weights([])
    with pytest.raises(ValueError, match="6 variables, but 1"):
        other.set_weights([np.zeros(())])


@pytest.mark.parametrize("name", [k for k in optimizers._TABLE if k not in ("LossScaleOptimizer", "MultiOptimizer")])
def test_config_round_trip(name):
    optimizer = optimizers.get(name.lower())
    assert type(optimizer).__name__ == name
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()


def test_config_with_schedule():
    optimizer = SGD(schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2, 0.3]))
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config()["learning_rate"]["config"]["values"] == [0.1, 0.2, 0.3]


def test_get():
    sgd = SGD()
    assert optimizers.get(sgd) is sgd
    assert optimizers.get(None) is None
    assert isinstance(optimizers.get(Adam), Adam)
    assert float(optimizers.get({"class_name": "adam", "config": {"learning_rate": 0.5}}).learning_rate) == 0.5
    for wrong in ("adamm", 3, len, "LossScaleOptimizer"):
        with pytest.raises(ValueError, match=r"adamm|3|len|LossScaleOptimizer"):
            optimizers.get(wrong)


def test_muon_makes_orthogonal(backend):
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    made = ops.convert_to_numpy(optimizers.Muon().zeropower_via_newtonschulz5(ops.convert_to_tensor(x), 5))
    singular = np.linalg.svd(made, compute_uv=False)
    assert singular.min() > 0.6
    assert singular.max() < 1.3
    np.testing.assert_allclose(optimizers.Muon().lr_adjust(np.ones((4, 3))), 0.4)


class Signed(optimizers.Optimizer):
    """As Keras's guide writes custom optimizers."""

    def __init__(self, learning_rate=0.1, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.seen = self.add_optimizer_variables(variables, "seen", initializers.Constant(1.0))
        self.both = self.add_optimizer_variables(variables, ["a", "b"], ["ones", "zeros"])

    def update_step(self, gradient, variable, learning_rate):
        seen = self.seen[self._get_variable_index(variable)]
        self.assign_add(seen, ops.abs(gradient))
        self.assign_sub(variable, ops.sign(gradient) * ops.cast(learning_rate, variable.dtype))


def test_custom(backend):
    optimizer, variables = Signed(), weights()
    optimizer.apply(GRADIENTS, variables)
    np.testing.assert_allclose(variables[1].numpy(), [-0.1, 0.1, -0.1], rtol=1e-6)
    names = [v.path for v in optimizer.variables][2:5]
    assert [n.partition("/")[2] for n in names] == ["kernel_seen", "bias_seen", "kernel_a"]
    np.testing.assert_allclose(optimizer.seen[1].numpy(), [2, 3, 4])
    assert optimizer.both[0][0].numpy().min() == 1
    with pytest.raises(NotImplementedError, match="update_step"):
        optimizers.Optimizer(0.1).apply(GRADIENTS, weights())


def test_moves_with_its_variables():
    if len(dispatch.installed()) < 2:
        pytest.skip("needs two backends")
    first, second = (dispatch.get(name) for name in dispatch.installed()[-2:])
    with dispatch.use(first):
        optimizer, variables, still = Adam(0.1), weights(), weights()
        control = Adam(0.1)
    with dispatch.use(second):
        optimizer.build(variables)  # where the variables are, not where the caller is
    assert optimizer.variables[2].backend == first.name
    optimizer.apply(GRADIENTS, variables)
    for v in variables:
        v.move(second)
    optimizer.apply(GRADIENTS, variables)
    assert {v.backend for v in optimizer.variables} == {second.name}
    for _ in range(2):
        control.apply(GRADIENTS, still)
    np.testing.assert_allclose(variables[1].numpy(), still[1].numpy(), rtol=1e-5)


def test_copy_stands_alone(backend):
    optimizer, variables = Adam(0.1), weights()
    optimizer.apply(GRADIENTS, variables)
    twin, others = copy.deepcopy((optimizer, variables))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        twin.apply(GRADIENTS, others)
    assert int(optimizer.iterations) == 1
    assert int(twin.iterations) == 2


def test_nothing_lax_at_the_door(backend):
    """Numbers, shapes and counts that can't be meant are told of, by the optimizer's name."""
    with pytest.raises(ValueError, match=r"SGD: `gradient_accumulation_steps`.*not 0"):
        SGD(gradient_accumulation_steps=0)
    w = Variable([1.0, 2.0])
    optimizer = SGD(0.1, name="mine")
    with pytest.raises(ValueError, match="mine.*does not know its variables"):
        optimizer.apply([])
    optimizer.apply([], [])  # a model of which everything is frozen
    assert not optimizer.built
    with pytest.raises(ValueError, match="mine: 0 gradients were given for 1 variables"):
        optimizer.apply([], [w])
    for wrong in (np.ones(3, "float32"), np.ones((1, 2), "float32"), np.float32(1.0)):
        with pytest.raises(ValueError, match=r"mine: the gradient for 'variable.*' must have its shape \(2,\)"):
            optimizer.apply([ops.convert_to_tensor(wrong)], [w])
    np.testing.assert_array_equal(w.numpy(), [1.0, 2.0])

"""LossScaleOptimizer and MultiOptimizer."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import optimizers
from tricera.core.variable import Variable
from tricera.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, Nadam, OptimizerMap


def test_loss_scale_follows_the_gradients(backend):
    w = Variable([1.0, 2.0])
    optimizer = LossScaleOptimizer(SGD(1.0), initial_scale=8.0, dynamic_growth_steps=2)
    optimizer.build([w])
    good, bad = np.array([8.0, 8.0], "float32"), np.array([1.0, np.inf], "float32")
    assert float(optimizer.scale_loss(0.5)) == 4.0
    optimizer.apply([good], [w])
    np.testing.assert_allclose(w.numpy(), [0, 1])
    optimizer.apply([good], [w])
    assert float(optimizer.dynamic_scale) == 16
    before = w.numpy()
    optimizer.apply([bad], [w])
    np.testing.assert_array_equal(w.numpy(), before)
    assert float(optimizer.dynamic_scale) == 8
    assert int(optimizer.step_counter) == 0
    assert int(optimizer.iterations) == 2
    assert not bool(optimizer.check_finite([good, None, bad]))


def test_loss_scale_shows_the_inner(backend):
    optimizer = LossScaleOptimizer(Adam(0.25))
    optimizer.build([Variable([1.0], name="w")])
    assert [v.name for v in optimizer.variables] == [
        "iteration", "learning_rate", "step_counter", "dynamic_scale", "iteration", "learning_rate", "w_momentum", "w_velocity",
    ]  # fmt: skip
    optimizer.learning_rate = 0.5
    assert float(optimizer.inner_optimizer.learning_rate) == 0.5
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    with pytest.raises(ValueError, match="inner_optimizer"):
        LossScaleOptimizer(SGD(), clipnorm=1.0)
    with pytest.raises(TypeError, match="optimizer object"):
        LossScaleOptimizer("sgd")


def test_multi(backend):
    a, b = Variable([1.0], name="encoder"), Variable([1.0], name="head")
    optimizer = MultiOptimizer(OptimizerMap(SGD(0.5), {"enc.*": SGD(0.25)}))
    optimizer.apply([np.ones(1, "float32")] * 2, [a, b])
    assert (float(a), float(b)) == (0.75, 0.5)
    assert len(optimizer.optimizers) == 2
    with pytest.raises(AttributeError, match="learning rate"):
        _ = optimizer.learning_rate


def test_multi_by_function():
    a, b, c = (Variable([1.0], name=name) for name in ("a", "b", "c"))
    shared = Adam()
    optimizer = MultiOptimizer(lambda v: SGD(1.0) if v.name == "a" else shared)
    optimizer.build([a, b, c])
    assert [type(o).__name__ for o in optimizer.optimizers] == ["SGD", "Adam"]
    each = MultiOptimizer(lambda v: Adam())  # as in Keras, whose files hold a step count for each
    each.build([a, b, c])
    assert len(each.optimizers) == 3
    assert len(each.variables) == 2 + 3 * 4


@pytest.mark.parametrize("accumulation", [None, 2])
def test_a_wrapped_nadam_is_filed_without_its_product(backend, accumulation):
    """As in Keras's files; it follows from the number of updates."""

    def make():
        w = Variable([1.0, 2.0], name="w")
        inner = MultiOptimizer(OptimizerMap(Nadam(0.1, gradient_accumulation_steps=accumulation)))
        optimizer = LossScaleOptimizer(inner, initial_scale=2.0)
        optimizer.build([w])
        return w, optimizer

    w, optimizer = make()
    for step in range(7):
        optimizer.apply([np.full(2, step - 2.5, "float32")], [w])
    filed = {}
    optimizer.save_own_variables(filed)
    assert len(filed) == len(optimizer.variables) - 1
    v, other = make()
    v.assign(w.value)
    other.load_own_variables(filed)
    for one, again in zip(optimizer.variables, other.variables, strict=True):
        np.testing.assert_allclose(again.numpy(), one.numpy(), rtol=1e-6)
    for variable, own in ((w, optimizer), (v, other)):
        own.apply([np.ones(2, "float32")], [variable])
        own.apply([np.ones(2, "float32")], [variable])
    np.testing.assert_allclose(v.numpy(), w.numpy(), rtol=1e-6)


def test_map():
    chosen = OptimizerMap(SGD(), {"bias": Adam()})
    with pytest.raises(ValueError, match="already"):
        chosen["bias"] = SGD()
    with pytest.raises(ValueError, match="optimizer objects"):
        chosen["x"] = 3
    chosen["b.*s"] = SGD()
    chosen["bias.*"] = SGD()
    with pytest.raises(ValueError, match="Several"):
        _ = chosen["bias_s"]
    assert type(chosen["dense/bias"]).__name__ == "SGD"  # the whole path, as in Keras
    with pytest.raises(ValueError, match="regular expressions"):
        chosen["("] = SGD()
    assert list(chosen) == ["bias", "b.*s", "bias.*"]
    wrapped = MultiOptimizer(OptimizerMap(SGD(), {"bias": Adam()}))
    assert optimizers.deserialize(optimizers.serialize(wrapped)).get_config() == wrapped.get_config()
    again = OptimizerMap.from_config(chosen.get_config())
    assert list(again) == list(chosen)
    with pytest.raises(TypeError, match="optimizer_map"):
        MultiOptimizer(3)


def test_loss_scales_of_the_optimizers_inside_have_no_effect(backend):
    """What multiplies the loss is what the gradients are divided by: that of the outermost optimizer."""
    for outer, factor in (
        (LossScaleOptimizer(SGD(1.0, loss_scale_factor=4.0), initial_scale=2.0), 2.0),
        (MultiOptimizer(OptimizerMap(SGD(1.0, loss_scale_factor=4.0)), loss_scale_factor=2.0), 2.0),
        (LossScaleOptimizer(MultiOptimizer(OptimizerMap(SGD(1.0)), loss_scale_factor=4.0), initial_scale=2.0), 2.0),
    ):
        w = Variable([1.0, 2.0])
        assert float(outer.scale_loss(1.0)) == factor
        outer.apply([np.array([factor, 0.0], "float32")], [w])
        np.testing.assert_allclose(w.numpy(), [0, 2])
    with pytest.raises(ValueError, match="around the MultiOptimizer"):
        OptimizerMap(SGD(), {"a": LossScaleOptimizer(SGD())})


def test_state_has_the_order_of_the_map():
    a, b = (Variable([1.0], name=name) for name in ("a", "b"))
    optimizer = MultiOptimizer(OptimizerMap(Adam(), {"b": SGD(momentum=0.5), "c": SGD()}))
    with pytest.warns(UserWarning, match="'c' of the OptimizerMap matches no"):
        optimizer.build([a, b])
    assert [v.name for v in optimizer.variables[2:]] == [
        "iteration", "learning_rate", "b_momentum", "iteration", "learning_rate", "iteration", "learning_rate", "a_momentum", "a_velocity",
    ]  # fmt: skip
    refused = MultiOptimizer(lambda v: 3)
    with pytest.raises(TypeError, match="must give an optimizer"):
        refused.build([a])
    assert not refused.built

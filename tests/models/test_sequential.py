"""`Sequential`: add, pop, building late, and what it says of itself (as Keras does)."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import layers as L, ops
from tricera.models import Sequential

X = np.ones((2, 4), "float32")


def test_deferred_build(backend):
    model = Sequential([L.Dense(2, name="a"), L.Dense(3, name="b")], name="s")
    assert not model.built and model.weights == [] and [x.name for x in model.layers] == ["a", "b"]
    model.build((None, 4))
    assert model.built and (model.input_shape, model.output_shape) == ((None, 4), (None, 3))
    assert [w.path for w in model.weights] == ["s/a/kernel", "s/a/bias", "s/b/kernel", "s/b/bias"]
    assert model.count_params() == 10 + 9


def test_an_input_builds_at_once(backend):
    model = Sequential([L.Input((4,), name="x"), L.Dense(2)])
    assert model.built and [type(x).__name__ for x in model.layers] == ["Dense"]
    assert len(model.inputs) == len(model.outputs) == 1 and model.input_names == ["x"]
    assert Sequential([L.Input(batch_shape=(6, 4)), L.Dense(2)]).output_shape == (6, 2)
    assert Sequential([L.Dense(2, input_shape=(4,))]).built


def test_add_and_pop(backend):
    model = Sequential([L.Input((4,)), L.Dense(2)])
    model.add(L.Dense(3, name="top"))
    assert model.output_shape == (None, 3) and tuple(model(X).shape) == (2, 3)
    assert model.pop().name == "top"
    assert model.output_shape == (None, 2) and tuple(model(X).shape) == (2, 2)
    model.pop()
    assert model.layers == []
    model.add(L.Dense(5))
    assert model.output_shape == (None, 5)


def test_build_by_call_and_then_other_batches(backend):
    model = Sequential([L.Dense(2), Sequential([L.Dense(4), L.Dense(5)])])
    assert tuple(model(X).shape) == (2, 5) and tuple(model(X[:1]).shape) == (1, 5)
    assert len(model.weights) == 6 and len(model.layers) == 2
    with pytest.raises(ValueError, match=r"\(None, 4\).*\(2, 9\)"):
        model(np.ones((2, 9), "float32"))


def test_as_a_layer_and_as_a_function_of_shapes(backend):
    model = Sequential([L.Dense(2), L.Dense(3)])
    assert model.compute_output_shape((None, 7)) == (None, 3) and not model.built
    assert model(L.Input((4,))).shape == (None, 3)


def test_config(backend):
    model = Sequential([L.Input((4,)), L.Dense(2, activation="relu", name="d")], name="s")
    config = model.get_config()
    assert config["build_input_shape"] == (None, 4) and [x["class_name"] for x in config["layers"]] == [
        "InputLayer",
        "Dense",
    ]
    twin = Sequential.from_config(config)
    assert twin.get_config() == config
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(ops.convert_to_numpy(twin(X)), ops.convert_to_numpy(model(X)))


def test_adding_calls_no_layer_again_but_what_may_have_changed():
    model, stack = Sequential([L.Input((4,))], name="s"), [L.Dense(3, name=n) for n in "abc"]
    for i, layer in enumerate(stack):
        model.add(layer)
        assert model.built and model.output_shape == (None, 3) and len(model.layers) == i + 1
    assert [len(x._inbound_nodes) for x in stack] == [1, 1, 1]
    assert [w.path for w in model.weights] == [f"s/{n}/{w}" for n in "abc" for w in ("kernel", "bias")]
    model.pop()
    model.add(L.Dense(5, name="d"))
    assert model.output_shape == (None, 5) and [x.name for x in model.layers] == ["a", "b", "d"]
    twin = Sequential([L.Input((4,)), stack[0], stack[1], model.layers[2]])
    np.testing.assert_array_equal(ops.convert_to_numpy(model(X)), ops.convert_to_numpy(twin(X)))

    inner = Sequential([L.Input((4,)), L.Dense(3)])
    outer = Sequential([L.Input((4,)), inner])
    inner.add(L.Dense(7))
    outer.add(L.Dense(2, name="last"))
    assert outer.layers[-1].kernel.shape == (7, 2)


@pytest.mark.parametrize("what", ["inputs", "outputs", "input", "output", "input_shape", "output_shape"])
def test_what_is_not_known_before_build(backend, what):
    with pytest.raises(AttributeError, match="isn't built yet"):
        getattr(Sequential([L.Dense(2)]), what)


def test_errors():
    model = Sequential([L.Dense(2, name="a")])
    for act, says in (
        (lambda: model.add(L.Dense(1, name="a")), "'a' is there already"),
        (lambda: model.add(5), "takes layers; got 5"),
        (lambda: model.get_layer("z"), "no layer 'z'.*has: a"),
        (lambda: model.get_layer(index=9), "no number 9"),
        (lambda: model.get_layer(), "name or an index"),
        (lambda: Sequential().pop(), "no layer to pop"),
        (lambda: Sequential().build(), "no layer yet"),
        (lambda: model.build(), "needs an input shape"),
        (lambda: model.count_params(), "isn't built"),
        (lambda: model.add(L.Input((3,))), "must be the first"),
    ):
        with pytest.raises(ValueError, match=says):
            act()

"""Functional models: structures, sharing, nesting, what they say of themselves and what they refuse (as Keras does)."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from tricera import layers as L, ops
from tricera.models import Functional, Model, Sequential


def arr(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def two_by_two():
    a, b = L.Input((3,), name="a"), L.Input((4,), name="b")
    z = L.Add(name="add")([L.Dense(5, name="d")(a), L.Dense(5, name="e")(b)])
    return Model([a, b], [L.Dense(1, name="head")(z), ops.relu(z)], name="m")


def test_several_inputs_and_outputs(backend):
    model = two_by_two()
    out = model([arr(2, 3), arr(2, 4)])
    assert isinstance(out, list) and [tuple(t.shape) for t in out] == [(2, 1), (2, 5)]
    again = model({"a": arr(2, 3), "b": arr(2, 4), "more": arr(1)})  # by name, more than is needed
    np.testing.assert_array_equal(ops.convert_to_numpy(again[0]), ops.convert_to_numpy(out[0]))


def test_what_it_says_of_itself(backend):
    model = two_by_two()
    assert isinstance(model, Functional) and model.built
    assert [x.name for x in model.layers] == ["a", "b", "d", "e", "add", "head"]
    assert len(model.operations) == 7
    assert model.get_layer("d") is model.layers[2] and model.get_layer(index=0).name == "a"
    assert (model.input_shape, model.output_shape) == ([(None, 3), (None, 4)], [(None, 1), (None, 5)])
    assert [t.name for t in model.inputs] == ["a", "b"] and len(model.outputs) == 2
    assert isinstance(model.input, list) and isinstance(model.output, list)
    assert [w.path for w in model.weights] == [f"{n}/{w}" for n in ("d", "e", "head") for w in ("kernel", "bias")]
    assert model.count_params() == 20 + 25 + 6
    dense = model.get_layer("d")
    assert dense.input is model.inputs[0] and dense.output.shape == (None, 5)


def test_shapes_of_one_input_are_not_a_list():
    x = L.Input((3,))
    for inputs in (x, [x], {"x": x}, (x,)):
        assert Model(inputs, x * 2).input_shape == (None, 3)
    for outputs in (x * 2, [x * 2], {"y": x * 2}):
        assert Model(x, outputs).output_shape == (None, 3)


def test_structures_of_inputs_and_outputs(backend):
    i = {"p": L.Input((3,), name="pp"), "q": L.Input((3,), name="qq")}
    model = Model(i, {"s": i["p"] + i["q"], "t": L.Dense(2)(i["p"])})
    out = model({"p": arr(2, 3), "q": arr(2, 3)})
    assert set(out) == {"s", "t"} and tuple(out["t"].shape) == (2, 2)
    np.testing.assert_allclose(ops.convert_to_numpy(out["s"]), 2 * arr(2, 3), rtol=1e-6)
    t = (L.Input((3,)), (L.Input((2,)),))
    out = Model(t, (t[0] * 2, [t[1][0]]))((arr(2, 3), (arr(2, 2),)))
    assert isinstance(out, tuple) and isinstance(out[1], list)


def test_a_list_of_one_output_is_that_output(backend):
    x = L.Input((3,))
    for outputs in ([x * 2], (x * 2,), x * 2):
        assert tuple(Model(x, outputs)(arr(2, 3)).shape) == (2, 3)
    assert set(Model(x, {"y": x * 2})(arr(2, 3))) == {"y"}


def test_shared_layers(backend):
    dense, x, z = L.Dense(3, name="shared"), L.Input((3,)), L.Input((3,))
    y = dense(dense(x))
    model = Model(x, y)
    assert len(model.weights) == 2 and [n.name for n in model.layers][1:] == ["shared"]
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(arr(2, 3))), (arr(2, 3) @ kernel + bias) @ kernel + bias, rtol=1e-4
    )
    assert dense.input is x and dense(z) is not y and dense.output is not y  # of the first call
    with pytest.raises(AttributeError, match="never called"):
        L.Dense(2).output  # noqa: B018


def test_nested_models(backend):
    x, z = L.Input((3,)), L.Input((3,), name="z")
    inner = Model(x, L.Dense(3, name="deep")(x), name="inner")
    model = Model(z, L.Dense(1, name="top")(inner(z) + z), name="outer")
    assert [n.name for n in model.layers] == ["z", "inner", "top"]
    assert [w.path for w in model.weights] == ["deep/kernel", "deep/bias", "top/kernel", "top/bias"]
    inner.trainable = False
    assert len(model.trainable_weights) == 2
    stacked = Sequential([inner, L.Dense(2)])
    assert stacked.output_shape == (None, 2)


def test_residuals_and_models_from_the_middle(backend):
    x = L.Input((3,))
    y = x
    for _ in range(3):
        y = L.Add()([y, L.Dense(3, activation="relu")(y)])
    model = Model(x, y)
    assert tuple(model(arr(2, 3)).shape) == (2, 3)
    features = Model(model.input, model.layers[2].output)
    assert tuple(features(arr(2, 3)).shape) == (2, 3)
    middle = L.Dense(4)(x)
    assert Model(middle, L.Dense(2)(middle)).input_shape == (None, 4)


def test_unused_inputs_must_still_be_given(backend):
    x, unused = L.Input((3,)), L.Input((9,), name="unused")
    model = Model([x, unused], x * 1)
    assert tuple(model([arr(2, 3), arr(2, 9)]).shape) == (2, 3)
    with pytest.raises(ValueError, match="expects 2 inputs"):
        model([arr(2, 3)])


def test_an_axis_of_length_one_is_put_right(backend):
    x = L.Input((1,))
    assert tuple(Model(x, x * 2)(arr(5)).shape) == (5, 1)
    x = L.Input((3,))
    assert tuple(Model(x, x * 2)(arr(5, 3, 1)).shape) == (5, 3)


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ([arr(2, 3)], "expects 2 inputs .*a, b.*given 1"),
        ([arr(2, 4), arr(2, 4)], r"'a' of the model 'm' must have shape \(None, 3\); given shape \(2, 4\)"),
        ([arr(2, 3, 2), arr(2, 4)], r"'a'.*\(2, 3, 2\)"),
        ({"a": arr(2, 3)}, r"no \['b'\]"),
        (arr(2, 3), "expects 2 inputs"),
        ([arr(2, 3), arr(2, 4), arr(2, 4)], "given 3"),
    ],
)
def test_wrong_inputs(backend, inputs, says):
    with pytest.raises(ValueError, match=says):
        two_by_two()(inputs)


def test_wrong_graphs():
    a, b = L.Input((3,), name="a"), L.Input((3,), name="b")
    with pytest.raises(ValueError, match="not reached from the model's inputs"):
        Model(a, L.Add()([a, b]))
    with pytest.raises(ValueError, match="must be symbolic"):
        Model(a, "x")
    with pytest.raises(ValueError, match="used more than once: same"):
        Model(a, L.Dense(2, name="same")(L.Dense(2, name="same")(a)))


def test_config_makes_it_again(backend):
    model = two_by_two()
    twin = Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    x = [arr(2, 3), arr(2, 4)]
    for got, wanted in zip(twin(x), model(x), strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(got), ops.convert_to_numpy(wanted))
    assert [n.name for n in twin.layers] == [n.name for n in model.layers]


def test_a_subclass_that_makes_its_graph(backend):
    class Net(Model):
        def __init__(self, **kwargs):
            x = L.Input((3,))
            super().__init__(x, L.Dense(2, name="fd")(x), **kwargs)
            self.extra = L.Dense(1, name="extra")

    net = Net(name="net")
    assert isinstance(net, Net) and net.built and [n.name for n in net.layers][1:] == ["fd"]
    net.extra.build((None, 2))
    assert [w.path for w in net.weights][2:] == ["extra/kernel", "extra/bias"]
    assert tuple(net(arr(2, 3)).shape) == (2, 2)


# ---------------------------------------------------------------------- subclassed models


class Net(Model):
    def __init__(self, n=2, **kwargs):
        super().__init__(**kwargs)
        self.first = L.Dense(4, name="first")
        self.blocks = [L.Dense(4, name=f"block{i}") for i in range(n)]
        self.drop = L.Dropout(0.5, name="drop")

    def call(self, x, training=False):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.drop(x, training=training)


def test_subclassed(backend):
    net = Net(name="net")
    assert not net.built and [n.name for n in net.layers] == ["first", "block0", "block1", "drop"]
    net(arr(2, 3))
    assert net.built and net.count_params() == 16 + 20 + 20
    assert [w.path for w in net.weights][:3] == ["net/first/kernel", "net/first/bias", "net/block0/kernel"]
    assert net.get_config()["n"] == 2
    assert isinstance(Net.from_config(net.get_config()), Net)
    assert net.compute_output_shape((None, 3)) == (None, 4)
    assert net(L.Input((3,))).shape == (None, 4)


def test_subclassed_and_built_by_shapes(backend):
    net = Net(3)
    net.build((None, 5))
    assert len(net.weights) == 8

    class OfDict(Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(2)

        def call(self, inputs):
            return self.dense(inputs["a"]) + self.dense(inputs["b"])

    net = OfDict()
    net.build({"a": (None, 3), "b": (None, 3)})
    assert len(net.weights) == 2
    assert tuple(net({"a": arr(2, 3), "b": arr(2, 3)}).shape) == (2, 2)


def test_subclassed_errors(backend):
    class NoCall(Model):
        pass

    with pytest.raises(NotImplementedError, match="NoCall must define `call`"):
        NoCall()(arr(2, 3))
    with pytest.raises(ValueError, match="isn't built"):
        Net().count_params()
    with pytest.raises(ValueError, match="no weights to save"):
        Net().save_weights("unused.weights.h5")


def test_limits_of_clip_in_configs(backend):
    x, low = L.Input((3,)), L.Input((3,))
    model = Model([x, low], [ops.clip(x, 0.0, 2.0), ops.clip(x, None, 0.5), ops.clip(x, low, 1.0)])
    values = np.array([[-1, 0.7, 3]], "float32"), np.array([[-0.5, 0.8, 0]], "float32")
    for found in (model(list(values)), Model.from_config(model.get_config())(list(values))):
        rows = [ops.convert_to_numpy(y)[0].tolist() for y in found]
        np.testing.assert_allclose(rows, [[0, 0.7, 2], [-1, 0.5, 0.5], [-0.5, 0.8, 1]], rtol=1e-6)


class Look(L.Layer):
    """Says at each call which of the values before are still there, and notes its own."""

    def call(self, x):
        self.alive.append([name for name, ref in self.seen if ref() is not None])
        out = ops.add(x, 1.0)
        self.seen.append((self.name, weakref.ref(out)))
        return out


@pytest.mark.parametrize("residual", [False, True])
def test_values_go_once_nothing_reads_them(backend, residual):
    alive, seen = [], []
    layers = [Look(name=name) for name in "abcd"]
    for layer in layers:
        layer.alive, layer.seen = alive, seen
    x = L.Input((3,))
    a = layers[0](x)
    b = layers[1](a)
    c = layers[2](b)
    model = Model(x, layers[3](L.Add()([a, c]) if residual else c))
    alive.clear()
    seen.clear()
    out = model(ops.convert_to_tensor(arr(2, 3)))
    # A layer's input is held by its caller; all that came before is gone, but for what is added later.
    assert alive == ([[], ["a"], ["a", "b"], []] if residual else [[], ["a"], ["b"], ["c"]])
    assert tuple(out.shape) == (2, 3)

"""`Layer`: what custom layers stand on."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import constraints, dtype_policies, initializers, layers, metrics, ops, regularizers
from tricera.backend import standardize_dtype
from tricera.layers import InputSpec, Layer
from tricera.models import Model, Sequential


def arr(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def to_numpy(x):
    return ops.convert_to_numpy(x)


class Linear(Layer):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias


class Block(Layer):
    """Sublayers that are made in the constructor and built by the first call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = layers.Dense(4, name="first"), layers.Dense(3, name="second")

    def call(self, x):
        return self.second(self.first(x))


# ---------------------------------------------------------------------- build and weights


def test_call_builds_and_computes(backend):
    layer = Linear()
    assert not layer.built and layer.weights == []
    x = arr(2, 3)
    y = layer(x)
    assert layer.built
    np.testing.assert_allclose(to_numpy(y), x @ layer.kernel.numpy() + layer.bias.numpy(), rtol=1e-5)


def test_build_gets_one_shape(backend):
    layer = Linear()
    layer.build((None, 3))
    assert [w.shape for w in layer.weights] == [(3, 4), (4,)]
    assert layer.count_params() == 16


@pytest.mark.parametrize(
    ("args", "kwargs", "wanted"),
    [
        ((arr(2, 3), arr(2, 5)), {}, ((2, 3), (2, 5))),
        ((arr(2, 3),), {"key": arr(2, 5)}, ((2, 3), (2, 5))),
        ((), {"query": arr(2, 3), "key": arr(2, 5)}, ((2, 3), (2, 5))),
        ((arr(2, 3),), {}, ((2, 3), None)),
    ],
)
def test_build_with_named_shapes(backend, args, kwargs, wanted):
    class Two(Layer):
        def build(self, query_shape, key_shape=None):
            self.seen = (query_shape, key_shape)

        def call(self, query, key=None):
            return query

    layer = Two()
    layer(*args, **kwargs)
    assert layer.seen == wanted


def test_build_of_structures(backend):
    class Any_(Layer):
        def build(self, input_shape):
            self.seen = input_shape

        def call(self, inputs):
            return inputs["a"] if isinstance(inputs, dict) else inputs[0]

    layer = Any_()
    layer([arr(2, 3), arr(2, 4)])
    assert layer.seen == [(2, 3), (2, 4)]
    layer = Any_()
    layer({"a": arr(2, 3), "b": arr(1)})
    assert layer.seen == {"a": (2, 3), "b": (1,)}


def test_build_twice_is_refused():
    layer = Linear()
    layer.build((None, 3))
    with pytest.raises(ValueError, match="'linear.*built"):
        layer.build((None, 3))


def test_add_weight_in_call_is_refused(backend):
    class Grows(Layer):
        def call(self, x):
            self.add_weight(shape=(1,))
            return x

    with pytest.raises(ValueError, match="Make all weights in `__init__` or `build`"):
        Grows()(arr(2, 3))


def test_add_weight_says_what_it_makes(backend):
    layer = Layer()
    weight = layer.add_weight(
        shape=(2, 3),
        initializer="ones",
        dtype="float16",
        trainable=False,
        regularizer="l2",
        constraint="non_neg",
        name="w",
    )
    assert (weight.shape, weight.dtype, weight.trainable, weight.name) == ((2, 3), "float16", False, "w")
    assert isinstance(weight.regularizer, regularizers.L2) and isinstance(weight.constraint, constraints.NonNeg)
    assert weight.numpy().tolist() == [[1.0] * 3] * 2
    assert layer.add_weight(shape=(), dtype="int32").numpy() == 0
    assert layer.add_weight(shape=(2,), initializer=np.array([1.0, 2.0])).numpy().tolist() == [1.0, 2.0]
    assert layer.add_weight(shape=3, initializer=initializers.Constant(2)).numpy().tolist() == [2.0] * 3


def test_super_init_comes_first():
    class Forgets(Layer):
        def __init__(self):
            self.dense = layers.Dense(2)

    with pytest.raises(RuntimeError, match="super"):
        Forgets()(arr(2, 3))


def test_count_params_before_build():
    with pytest.raises(ValueError, match="'dense.*isn't built"):
        layers.Dense(2).count_params()


# ---------------------------------------------------------------------- order, names and paths (as Keras has them)


def test_sublayers_in_structures_are_tracked(backend):
    class Nested(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.parts = {
                "x": layers.Dense(2, name="dx"),
                "y": [layers.Dense(3, name="dy"), (layers.Dense(4, name="dt"),)],
            }
            self.last = layers.Dense(1, name="last")

        def call(self, x):
            first, (second, (third,)) = self.parts["x"], self.parts["y"]
            return self.last(third(second(first(x))))

    layer = Nested(name="nested")
    layer(arr(2, 3))
    assert [w.path for w in layer.weights] == [
        f"nested/{name}/{what}" for name in ("dx", "dy", "dt", "last") for what in ("kernel", "bias")
    ]
    assert layer.count_params() == 8 + 9 + 16 + 5
    layer.parts["z"] = layers.Dense(1)
    assert len(layer._layers) == 5


def test_trainable_weights_come_first(backend):
    class Mixed(Layer):
        def build(self, shape):
            self.steady = self.add_weight(shape=(1,), name="steady", trainable=False)
            self.dense = layers.Dense(2, name="dense")
            self.dense.build(shape)
            self.scale = self.add_weight(shape=(1,), name="scale")

        def call(self, x):
            return self.dense(x) * self.scale

    layer = Mixed(name="m")
    layer(arr(2, 3))
    assert [w.path for w in layer.weights] == ["m/scale", "m/steady", "m/dense/kernel", "m/dense/bias"]
    assert [w.path for w in layer.trainable_weights] == ["m/scale", "m/dense/kernel", "m/dense/bias"]
    assert [w.path for w in layer.non_trainable_weights] == ["m/steady"]


def test_paths_of_what_is_built_by_the_first_call(backend):
    class Outer(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.block = Block(name="block")

        def build(self, shape):
            self.made = layers.Dense(2, name="made")

        def call(self, x):
            return self.made(self.block(x))

    outer = Outer(name="outer")
    outer(arr(2, 3))
    assert sorted({w.path.rpartition("/")[0] for w in outer.weights}) == [
        "outer/block/first", "outer/block/second", "outer/made",
    ]  # fmt: skip


def test_seeds_are_variables_and_metrics_stand_apart(backend):
    class Holds(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.drop, self.dense, self.mean = layers.Dropout(0.5), layers.Dense(2), metrics.Mean(name="mean")

        def call(self, x):
            return self.dense(self.drop(x))

    layer = Holds()
    layer(arr(2, 3))
    assert (len(layer.weights), len(layer.variables), len(layer.non_trainable_variables)) == (2, 3, 1)
    assert [m.name for m in layer.metrics] == ["mean"] and len(layer.metrics_variables) == 2


def test_a_shared_sublayer_counts_once(backend):
    class Twice(Layer):
        def __init__(self):
            super().__init__()
            self.one = self.again = layers.Dense(3)

        def call(self, x):
            return self.again(self.one(x))

    layer = Twice()
    layer(arr(2, 3))
    assert len(layer.weights) == 2 and layer.count_params() == 12


def test_a_variable_may_simply_be_an_attribute(backend):
    from tricera import Variable

    class Holds(Layer):
        def __init__(self):
            super().__init__()
            self.v = Variable(np.ones(3, "float32"), name="v")
            self.more = [Variable(np.ones(2, "float32"), trainable=False)]

        def call(self, x):
            return x * self.v

    layer = Holds()
    assert layer(arr(2, 3)).shape[1] == 3
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (1, 1)


def test_get_and_set_weights(backend):
    one, two = Linear(), Linear()
    one(arr(2, 3)), two(arr(2, 3))
    two.set_weights(one.get_weights())
    np.testing.assert_array_equal(to_numpy(one(arr(2, 3))), to_numpy(two(arr(2, 3))))


def test_set_weights_checks_before_it_assigns(backend):
    layer = Linear()
    layer(arr(2, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"has 2 weights.*1 values"):
        layer.set_weights(before[:1])
    with pytest.raises(ValueError, match=r"bias.*\(4,\).*\(5,\)"):
        layer.set_weights([np.zeros((3, 4)), np.zeros(5)])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_layers_made_in_call_are_kept(backend):
    class Lazy(Layer):
        def call(self, x):
            if not hasattr(self, "inner"):
                self.inner = layers.Dense(4, name="inner")
            return self.inner(x)

    layer = Lazy(name="lazy")
    layer(arr(2, 3)), layer(arr(2, 3))
    assert [w.path for w in layer.weights] == ["lazy/inner/kernel", "lazy/inner/bias"]


# ---------------------------------------------------------------------- trainable


def test_trainable_reaches_everything(backend):
    block = Block()
    block(arr(2, 3))
    block.trainable = False
    assert block.trainable_weights == [] and len(block.non_trainable_weights) == 4
    assert not any(v.trainable for v in block.weights) and not block.first.trainable
    block.trainable = True
    assert len(block.trainable_weights) == 4
    block.first.trainable = False
    assert block.trainable and len(block.trainable_weights) == 2


def test_what_never_was_trainable_does_not_become_it(backend):
    norm = layers.BatchNormalization()
    norm.build((None, 3))
    norm.trainable = False
    norm.trainable = True
    assert [v.name for v in norm.trainable_weights] == ["gamma", "beta"]


def test_frozen_before_build(backend):
    layer = Linear(trainable=False)
    layer(arr(2, 3))
    assert layer.trainable_weights == [] and len(layer.weights) == 2


# ---------------------------------------------------------------------- losses and metrics


def test_losses_of_the_last_call(backend):
    class Adds(Layer):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(
                2,
                kernel_initializer="ones",
                kernel_regularizer=regularizers.L2(0.5),
                activity_regularizer=regularizers.L1(1.0),
            )

        def call(self, x):
            self.add_loss(ops.sum(x))
            return self.dense(x)

    layer = Adds()
    for factor in (1, 2):
        layer(factor * np.ones((2, 3), "float32"))
        # The input's sum, the outputs' absolute values as a mean over the batch, 0.5 * |kernel|^2.
        assert [float(v) for v in layer.losses] == pytest.approx([6 * factor, 6 * factor, 3])
    layer.dense.trainable = False
    assert len(layer.losses) == 2  # a frozen kernel isn't penalised


def test_losses_of_a_functional_model(backend):
    x = layers.Input((3,))
    model = Model(x, layers.ActivityRegularization(l1=1.0)(layers.Dense(2, kernel_regularizer="l2")(x)))
    assert len(model.losses) == 1
    model(arr(4, 3))
    assert len(model.losses) == 2


def test_metrics_are_attributes(backend):
    class Watches(Layer):
        def __init__(self):
            super().__init__()
            self.mean = metrics.Mean(name="size")

        def call(self, x):
            self.mean.update_state(ops.abs(x))
            return x

    layer = Watches()
    layer(np.full((2, 3), -2.0, "float32"))
    assert float(layer.mean.result()) == 2.0
    with pytest.raises(NotImplementedError, match="attribute"):
        layer.add_metric(1.0, name="size")


# ---------------------------------------------------------------------- training


class Spy(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = []

    def call(self, x, training=None):
        self.seen.append(training)
        return x


def test_training_is_none_true_or_false(backend):
    spy, x = Spy(), arr(2, 3)
    spy(x), spy(x, training=True), spy(x, training=False)
    assert spy.seen == [None, True, False]


def test_training_goes_inwards_even_past_layers_that_don_t_take_it(backend):
    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.spy = Spy()

        def call(self, x):
            return self.spy(x)

    outer, x = Outer(), arr(2, 3)
    outer(x)
    outer.spy.seen.clear()
    outer(x), outer(x, training=True), outer(x, training=False)
    assert outer.spy.seen == [None, True, False]


def test_what_is_said_inside_wins(backend):
    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.plain, self.told = Spy(), Spy()

        def call(self, x, training=False):
            return self.told(self.plain(x), training=not training)

    outer, x = Outer(), arr(2, 3)
    outer(x)
    outer.plain.seen.clear(), outer.told.seen.clear()
    outer(x), outer(x, training=True)
    assert outer.plain.seen == [False, True] and outer.told.seen == [True, False]


def test_the_default_of_the_argument_holds(backend):
    class On(Spy):
        def call(self, x, training=True):
            return super().call(x, training)

    spy, x = On(), arr(2, 3)
    spy(x), spy(x, training=None), spy(x, training=False)
    assert spy.seen == [True, True, False]


@pytest.mark.parametrize("make", [lambda s: Sequential([layers.Input((3,)), s]), lambda s: Sequential([s])])
def test_training_in_models(backend, make):
    spy, x = Spy(), arr(2, 3)
    model = make(spy)
    model(x)
    spy.seen.clear()
    model(x), model(x, training=True), model(x, training=False)
    assert spy.seen == [None, True, False]


def test_a_default_of_false_does_not_stick_in_a_graph(backend):
    """Once a graph recorded the default, Dropout was never active in Sequential and Functional models."""
    model = Sequential([layers.Input((50,)), layers.Dropout(0.5)])
    x = np.ones((4, 50), "float32")
    assert (to_numpy(model(x, training=True)) == 0).any()
    assert not (to_numpy(model(x)) == 0).any()


def test_training_said_in_a_graph_holds_until_the_call_says_it(backend):
    spy, x = Spy(), layers.Input((3,))
    model = Model(x, spy(x, training=True))
    spy.seen.clear()
    model(arr(2, 3)), model(arr(2, 3), training=False)
    assert spy.seen == [True, False]


# ---------------------------------------------------------------------- dtypes


@pytest.mark.parametrize(
    ("policy", "variable", "compute"),
    [
        (None, "float32", "float32"),
        ("float16", "float16", "float16"),
        ("mixed_float16", "float32", "float16"),
        ("mixed_bfloat16", "float32", "bfloat16"),
        (dtype_policies.DTypePolicy("mixed_bfloat16"), "float32", "bfloat16"),
    ],
)
def test_dtype_policies(backend, policy, variable, compute):
    dense = layers.Dense(2, dtype=policy)
    y = dense(arr(2, 3))
    assert (dense.dtype, dense.variable_dtype, dense.compute_dtype, dense.input_dtype) == (
        variable,
        variable,
        compute,
        compute,
    )
    assert dense.kernel.dtype == variable and standardize_dtype(y.dtype) == compute


def test_autocast_of_inputs_and_variables(backend):
    class Looks(Layer):
        def build(self, x_shape, i_shape):
            self.w = self.add_weight(shape=(3,))
            self.wide = self.add_weight(shape=(3,), autocast=False)

        def call(self, x, i):
            self.seen = [standardize_dtype(t.dtype) for t in (x, i, self.w + 0, self.wide + 0)]
            return x

    inputs = (arr(2, 3), np.ones((2, 3), "int32"))
    layer = Looks(dtype="mixed_bfloat16")
    layer(*inputs)
    assert layer.seen == ["bfloat16", "int32", "bfloat16", "float32"]
    assert layer.w.dtype == "float32"  # outside of the call
    layer = Looks(dtype="mixed_bfloat16", autocast=False)
    layer(*inputs)
    assert layer.seen == ["float32", "int32", "bfloat16", "float32"]


def test_the_global_policy(backend):
    from tricera import config

    config.set_dtype_policy("mixed_bfloat16")
    try:
        dense = layers.Dense(2)
        assert dense.dtype_policy.name == "mixed_bfloat16"
        x = layers.Input((3,))
        assert (x.dtype, dense(x).dtype) == ("float32", "bfloat16")
    finally:
        config.set_dtype_policy("float32")
    assert layers.Dense(2).compute_dtype == "float32"


# ---------------------------------------------------------------------- config


def test_config_is_written_by_itself(backend):
    class Auto(Layer):
        def __init__(self, units, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.units, self.factor = units, factor

    config = Auto(3, name="auto", dtype="mixed_bfloat16", trainable=False).get_config()
    assert (config["units"], config["factor"], config["name"], config["trainable"]) == (3, 2.0, "auto", False)
    twin = Auto.from_config(config)
    assert (twin.units, twin.name, twin.compute_dtype, twin.trainable) == (3, "auto", "bfloat16", False)
    config = Auto(np.int64(3), factor=np.float32(2)).get_config()
    assert type(config["units"]) is int and type(config["factor"]) is float


def test_config_says_what_holds_now():
    layer = Linear(2, trainable=True)
    layer.trainable = False
    assert Linear.from_config(layer.get_config()).trainable is False


def test_config_of_what_is_not_plain_asks_for_an_override():
    class Wraps(Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

    with pytest.raises(NotImplementedError, match=r"Wraps.*inner.*get_config"):
        Wraps(layers.Dense(2)).get_config()


def test_build_config_builds_again(backend):
    for layer, make in ((Linear(), Linear), (Block(), Block)):
        layer(arr(2, 3))
        assert layer.get_build_config() == {"input_shape": (2, 3)}
        twin = make()
        twin.build_from_config(layer.get_build_config())
        assert [w.shape for w in twin.weights] == [w.shape for w in layer.weights]


# ---------------------------------------------------------------------- calls: shapes, specs, symbolic


def test_dynamic_shapes(backend):
    layer = Linear()
    x = layers.Input((None, 3))
    y = layer(x)
    assert y.shape == (None, None, 4)
    model = Model(x, y)
    for steps in (2, 5):
        assert tuple(model(arr(1, steps, 3)).shape) == (1, steps, 4)


def test_compute_output_shape_leaves_the_layer_unbuilt(backend):
    layer = Linear(units=5)
    assert layer.compute_output_shape((None, 7)) == (None, 5)
    assert not layer.built


def test_input_spec_is_checked(backend):
    class Strict(Layer):
        def __init__(self):
            super().__init__(name="strict")
            self.input_spec = InputSpec(ndim=2, axes={-1: 3})

        def call(self, x):
            return x

    layer = Strict()
    layer(arr(2, 3))
    with pytest.raises(ValueError, match=r"'strict'.*ndim=2.*\(2, 3, 4\)"):
        layer(arr(2, 3, 4))
    with pytest.raises(ValueError, match=r"'strict'.*axis -1 of length 3.*\(2, 4\)"):
        layer(arr(2, 4))


def test_only_tensors_are_positional(backend):
    with pytest.raises(ValueError, match="'linear.*keyword argument"):
        Linear()(arr(2, 3), 5)


def test_an_error_in_call_says_where(backend):
    class Breaks(Layer):
        def call(self, x):
            raise ValueError("out of order")

    class Outer(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = Breaks(name="inner")

        def call(self, x):
            return self.inner(x)

    with pytest.raises(ValueError, match=r"out of order\nIn the layer 'inner' \(Breaks\), called on .*\[2, 3\]"):
        Outer(name="outer")(arr(2, 3))


def test_stateless_call(backend):
    norm = layers.BatchNormalization()
    norm.build((None, 3))
    x = arr(8, 3)
    values = [v.value for v in norm.trainable_variables], [v.value for v in norm.non_trainable_variables]
    before = [v.numpy() for v in norm.non_trainable_variables]
    outputs, new = norm.stateless_call(*values, x, training=True)
    np.testing.assert_allclose(to_numpy(outputs), (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), atol=1e-4)
    np.testing.assert_allclose(to_numpy(new[0]), 0.01 * x.mean(0), atol=1e-5)
    for variable, value in zip(norm.non_trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_stateless_call_checks_its_values(backend):
    with pytest.raises(ValueError, match="must be built"):
        layers.Dense(2).stateless_call([], [], arr(2, 3))
    dense = layers.Dense(2)
    dense.build((None, 3))
    with pytest.raises(ValueError, match="2 trainable variables; 0 values"):
        dense.stateless_call([], [], arr(2, 3))


def test_a_layers_own_class_makes_layers(backend):
    """`type(layer)` may be the framework's variant of the class; it makes layers that work."""
    layer = layers.Dense(3)
    for twin in (type(layer)(3), type(layer).from_config(layer.get_config())):
        assert twin(ops.ones((2, 4))).shape[-1] == 3

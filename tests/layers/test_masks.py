"""Masks: made by Embedding and Masking, passed on by layers that support them, given to `call`."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import layers, ops
from tricera.layers import Layer
from tricera.models import Model, Sequential

IDS, OTHER = np.array([[1, 2, 0], [3, 0, 0]]), np.array([[1, 0, 1], [0, 1, 0]])
HERE, THERE = IDS != 0, OTHER != 0


class Spy(Layer):
    """Notes the mask that comes with its input."""

    def call(self, x, mask=None):
        self.mask = mask
        return x


def mask_of(x):
    spy = Spy()
    spy(x)
    return None if spy.mask is None else ops.convert_to_numpy(spy.mask)


def embedded(ids=IDS):
    return layers.Embedding(5, 2, mask_zero=True)(ids)


def test_embedding_and_masking_make_masks(backend):
    np.testing.assert_array_equal(mask_of(embedded()), HERE)
    assert mask_of(layers.Embedding(5, 2)(IDS)) is None
    x = np.array([[[0, 0], [1, 0]]], "float32")
    masked = layers.Masking(0.0)(x)
    np.testing.assert_array_equal(mask_of(masked), [[False, True]])
    np.testing.assert_array_equal(ops.convert_to_numpy(layers.Masking(1.0)(np.ones((1, 1, 2)))), np.zeros((1, 1, 2)))


PASS_ON = [
    ("Dense", (2,)), ("Dropout", (0.5,)), ("Activation", ("relu",)), ("LayerNormalization", ()), ("BatchNormalization", ()),
    ("GroupNormalization", (1,)), ("Identity", ()), ("GaussianNoise", (0.5,)), ("ReLU", ()), ("PReLU", ()), ("UnitNormalization", ()),
]  # fmt: skip
DROP = [
    ("Conv1D", (2, 1)), ("Flatten", ()), ("EinsumDense", ("abc,cd->abd", (None, 2))), ("MaxPooling1D", (1,)),
    ("GlobalAveragePooling1D", ()), ("ZeroPadding1D", (1,)), ("RMSNormalization", ()),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "args"), PASS_ON)
def test_layers_that_pass_masks_on(backend, kind, args):
    np.testing.assert_array_equal(mask_of(getattr(layers, kind)(*args)(embedded())), HERE)


@pytest.mark.parametrize(("kind", "args"), DROP)
def test_layers_that_do_not(backend, kind, args):
    assert mask_of(getattr(layers, kind)(*args)(embedded())) is None


@pytest.mark.parametrize("kind", ["Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract"])
def test_merging_keeps_what_either_keeps(backend, kind):
    layer = getattr(layers, kind)()
    np.testing.assert_array_equal(mask_of(layer([embedded(), embedded(OTHER)])), HERE | THERE)
    assert mask_of(layer([embedded(), np.ones((2, 3, 2), "float32")])) is None


def test_concatenate_joins_masks(backend):
    pair = [embedded(), embedded(OTHER)]
    np.testing.assert_array_equal(mask_of(layers.Concatenate(axis=1)(pair)), np.concatenate([HERE, THERE], 1))
    np.testing.assert_array_equal(mask_of(layers.Concatenate(axis=-1)(pair)), HERE | THERE)
    plain = np.ones((2, 3, 2), "float32")
    wanted = np.concatenate([HERE, np.ones((2, 3), bool)], 1)
    np.testing.assert_array_equal(mask_of(layers.Concatenate(axis=1)([pair[0], plain])), wanted)


def test_custom_layers(backend):
    class Drops(Layer):
        def call(self, x):
            return x * 1

    class Keeps(Drops):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

    class Turns(Drops):
        def compute_mask(self, inputs, mask=None):
            return ops.logical_not(mask)

    assert mask_of(Drops()(embedded())) is None
    np.testing.assert_array_equal(mask_of(Keeps()(embedded())), HERE)
    np.testing.assert_array_equal(mask_of(Turns()(embedded())), ~HERE)
    assert Turns().supports_masking and not Drops().supports_masking


def test_a_mask_given_at_the_call_wins(backend):
    spy = Spy()
    spy(embedded(), mask=ops.ones((2, 3), dtype="bool"))
    assert ops.convert_to_numpy(spy.mask).all()


def test_masks_of_several_arguments(backend):
    class Two(Layer):
        def call(self, query, value, query_mask=None, value_mask=None):
            self.masks = (query_mask, value_mask)
            return query

    layer = Two()
    layer(embedded(), embedded(OTHER))
    for got, wanted in zip(layer.masks, (HERE, THERE), strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(got), wanted)
    layer(embedded(), np.ones((2, 3, 2), "float32"))
    assert layer.masks[0] is not None and layer.masks[1] is None


def test_masks_of_a_list(backend):
    class Joins(Layer):
        def call(self, inputs, mask=None):
            self.masks = mask
            return inputs[0]

    layer = Joins()
    layer([embedded(), np.ones((2, 3, 2), "float32")])
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.masks[0]), HERE)
    assert layer.masks[1] is None


def test_masks_in_models(backend):
    spy = Spy()
    x = layers.Input((3,), dtype="int32")
    model = Model(x, spy(layers.Dropout(0.1)(layers.Embedding(5, 2, mask_zero=True)(x))))
    model(IDS)
    np.testing.assert_array_equal(ops.convert_to_numpy(spy.mask), HERE)
    model = Sequential([layers.Embedding(5, 2, mask_zero=True), layers.Dense(2), spy])
    model(OTHER)
    np.testing.assert_array_equal(ops.convert_to_numpy(spy.mask), THERE)
    np.testing.assert_array_equal(mask_of(Sequential([layers.Dense(2)])(embedded())), HERE)


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_masks_made_in_a_model_inside(backend, kind):
    """What an inner model's layers mask is masked in the outer one's; and what they drop stays dropped."""
    x, embed, last = layers.Input((3,), dtype="int32"), layers.Embedding(5, 2, mask_zero=True), layers.GRU(2)
    i = layers.Input((3,), dtype="int32")
    inner = Model(i, embed(i)) if kind == "functional" else Sequential([layers.Input((3,), dtype="int32"), embed])
    spy = Spy()
    model = Model(x, [last(inner(x)), spy(layers.Add()([inner(x), inner(x)]))])
    got = model(OTHER)[0]
    np.testing.assert_array_equal(ops.convert_to_numpy(spy.mask), THERE)
    wanted = last(ops.convert_to_tensor(embed.get_weights()[0][OTHER]), mask=ops.convert_to_tensor(THERE))
    np.testing.assert_allclose(ops.convert_to_numpy(got), ops.convert_to_numpy(wanted), atol=1e-6)
    again = Model.from_config(model.get_config(), {"Spy": Spy})
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(again(OTHER)[0]), ops.convert_to_numpy(wanted), atol=1e-6)
    y = layers.Input((3, 2))
    conv = layers.Conv1D(2, 1)
    drops = Model(y, conv(y)) if kind == "functional" else Sequential([y, conv])
    assert mask_of(drops(embedded())) is None


def test_masked_steps_do_not_count_in_a_mean(backend):
    embedding = layers.Embedding(5, 2, mask_zero=True)
    got = ops.convert_to_numpy(layers.GlobalAveragePooling1D()(embedding(IDS)))
    table = embedding.get_weights()[0]
    np.testing.assert_allclose(got, [table[[1, 2]].mean(0), table[3]], rtol=1e-5)


def test_masked_steps_do_not_count_in_statistics(backend):
    x = np.random.default_rng(0).normal(size=(2, 3, 2)).astype("float32")
    norm = layers.BatchNormalization(momentum=0.0)
    norm(x, training=True, mask=HERE)
    np.testing.assert_allclose(norm.moving_mean.numpy(), x[HERE].mean(0), rtol=1e-4)


def test_masked_steps_do_not_count_in_the_metrics_of_a_training_step(trainable_backend):
    """A batch of which nothing counts has no loss and metrics of zero; the outputs of a derivative carry their masks."""
    model = Sequential([layers.Input((3,), dtype="int32"), layers.Embedding(5, 2, mask_zero=True)])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    none, y = np.zeros((2, 3), "int32"), np.ones((2, 3, 2), "float32")
    found = model.train_on_batch(none, y, return_dict=True)
    assert found == {"loss": 0.0, "mae": 0.0, "weighted_mae": 0.0}
    before = model.get_weights()[0]
    wanted = np.abs(before[IDS] - y).mean(-1)[HERE].mean()
    np.testing.assert_allclose(model.train_on_batch(IDS, y, return_dict=True)["mae"], wanted, rtol=1e-4)

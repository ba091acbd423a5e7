"""Wrong options and inputs: an error at construction, build or call that names the layer."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import layers as L
from tricera.models import Sequential


def arr(*shape):
    return np.ones(shape, "float32")


# (a name for the case, what to do, what the message must say besides the layer)
WRONG = [
    ("units of 0", lambda: L.Dense(0), "units.*positive integer.*0"),
    ("negative units", lambda: L.Dense(-1), "units.*-1"),
    ("units as text", lambda: L.Dense("a"), "units.*'a'"),
    ("fractional units", lambda: L.Dense(2.5), "units.*2.5"),
    ("unknown activation", lambda: L.Dense(2, activation="nope"), "activation.*'nope'"),
    ("unknown initializer", lambda: L.Dense(2, kernel_initializer="nope"), "initializer.*'nope'"),
    ("unknown regularizer", lambda: L.Dense(2, kernel_regularizer="nope"), "regularizer.*'nope'"),
    ("unknown constraint", lambda: L.Dense(2, bias_constraint="nope"), "constraint.*'nope'"),
    ("unknown dtype", lambda: L.Dense(2, dtype="nope"), "'nope'"),
    ("unknown argument", lambda: L.Dense(2, nope=1), "nope"),
    ("name with a slash", lambda: L.Dense(2, name="a/b"), "'a/b'"),
    ("no filters", lambda: L.Conv2D(0, 3), "filters.*0"),
    ("kernel of 0", lambda: L.Conv2D(2, 0), "kernel_size.*0"),
    ("kernel of another rank", lambda: L.Conv2D(2, (3,)), r"kernel_size.*\(3,\)"),
    ("strides of 0", lambda: L.Conv1D(2, 3, strides=0), "strides.*0"),
    ("unknown padding", lambda: L.Conv2D(2, 3, padding="x"), "padding.*'x'"),
    ("causal images", lambda: L.Conv2D(2, 3, padding="causal"), "padding.*'causal'"),
    ("unknown data format", lambda: L.Conv2D(2, 3, data_format="x"), "data_format.*'x'"),
    ("groups that don't divide", lambda: L.Conv2D(3, 3, groups=2), "divisible"),
    ("strides and dilation", lambda: L.Conv2D(2, 3, strides=2, dilation_rate=2), "strides.*dilation"),
    ("output padding", lambda: L.Conv2DTranspose(2, 3, strides=2, output_padding=2), "output_padding"),
    ("depth multiplier", lambda: L.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier"),
    ("negative rate", lambda: L.Dropout(-0.1), "rate.*-0.1"),
    ("rate above 1", lambda: L.SpatialDropout1D(1.1), "rate.*1.1"),
    ("rate as text", lambda: L.Dropout("a"), "rate.*'a'"),
    ("all noise", lambda: L.GaussianDropout(1.0), "below 1"),
    ("negative noise", lambda: L.GaussianNoise(-1), "stddev.*-1"),
    ("seed as text", lambda: L.Dropout(0.5, seed="a"), "seed.*'a'"),
    ("pool of 0", lambda: L.MaxPooling2D(0), "pool_size.*0"),
    ("pool padding", lambda: L.AveragePooling1D(2, padding="causal"), "padding.*'causal'"),
    ("global pooling format", lambda: L.GlobalMaxPooling1D(data_format="zz"), "data_format.*'zz'"),
    ("no embeddings", lambda: L.Embedding(0, 2), "input_dim.*0"),
    ("two unknown dimensions", lambda: L.Reshape((-1, -1)), "-1"),
    ("permuted batch", lambda: L.Permute((0, 1)), r"dims.*\(0, 1\)"),
    ("repeated axes", lambda: L.Permute((1, 1)), r"dims.*\(1, 1\)"),
    ("no repetition", lambda: L.RepeatVector(0), "n.*0"),
    ("momentum", lambda: L.BatchNormalization(momentum=2), "momentum.*2"),
    ("axes of batch normalization", lambda: L.BatchNormalization(axis=[1, 2]), "axis"),
    ("axis as text", lambda: L.LayerNormalization(axis="a"), "axis.*'a'"),
    ("negative cropping", lambda: L.Cropping1D(-1), "cropping.*-1"),
    ("negative padding", lambda: L.ZeroPadding2D(-1), "padding.*-1"),
    ("enlarged by 0", lambda: L.UpSampling2D(0), "size.*0"),
    ("interpolation", lambda: L.UpSampling2D(2, interpolation="x"), "interpolation.*'x'"),
    ("axes of Dot", lambda: L.Dot(axes="a"), "axes.*'a'"),
    ("Lambda of a number", lambda: L.Lambda(5), "callable.*5"),
    ("negative max_value", lambda: L.ReLU(max_value=-1), "max_value.*-1"),
    ("two shapes of an Input", lambda: L.Input((3,), batch_shape=(2, 3)), "shape.*batch_shape"),
    ("no shape of an Input", lambda: L.Input(), "shape"),
    ("a negative shape", lambda: L.Input((-3,)), "-3"),
    ("kernel larger than the input", lambda: L.Conv2D(2, 5).build((None, 3, 3, 1)), r"larger.*\(None, 3, 3, 1\)"),
    ("dilated kernel", lambda: L.DepthwiseConv1D(3, dilation_rate=4)(arr(1, 8, 2)), "larger"),
    ("kernel larger, symbolic", lambda: L.SeparableConv2D(2, 5)(L.Input((3, 3, 1))), "larger"),
    ("kernel larger at a later call", lambda: _later(L.Conv1D(2, 3), arr(1, 8, 1), arr(1, 2, 1)), "longer"),
    ("window larger than the input", lambda: L.MaxPooling2D(5)(arr(1, 3, 3, 1)), "longer"),
    ("too few axes", lambda: L.Conv2D(2, 3)(arr(2, 3, 3)), r"min_ndim=4.*\(2, 3, 3\)"),
    ("other channels", lambda: _later(L.Conv1D(2, 1), arr(1, 4, 3), arr(1, 4, 2)), "axis -1 of length 3"),
    ("unknown channels", lambda: L.Conv2D(2, 3)(L.Input((3, 3, None))), "channels"),
    ("channels of groups", lambda: L.Conv2D(4, 3, groups=2)(arr(1, 5, 5, 3)), "3 input channels.*2 groups"),
    ("unknown features", lambda: L.Dense(2)(L.Input((None,))), "last axis"),
    ("another number of features", lambda: _later(L.Dense(2), arr(2, 3), arr(2, 4)), r"axis -1 of length 3.*\(2, 4\)"),
    ("a vector", lambda: L.Dense(2)(arr(3)), r"min_ndim=2.*\(3,\)"),
    ("no input", lambda: L.Dense(2)(None), "None"),
    ("text", lambda: L.Dense(2)("text"), "text"),
    ("sizes of a reshape", lambda: L.Reshape((5,))(arr(2, 3)), r"\(3,\).*\(5,\)"),
    ("axes of a permutation", lambda: L.Permute((2, 1))(arr(2, 3)), "ndim=3"),
    ("axis of batch normalization", lambda: L.BatchNormalization(axis=5)(arr(2, 3)), "axis.*5"),
    ("axis of layer normalization", lambda: L.LayerNormalization(axis=5)(arr(2, 3)), "axis.*5"),
    ("axis of unit normalization", lambda: L.UnitNormalization(axis=5)(arr(2, 3)), "axis.*5"),
    ("groups of channels", lambda: L.GroupNormalization(groups=2)(arr(2, 3)), "3 channels.*2 groups"),
    ("one tensor to add", lambda: L.Add()(arr(2, 3)), "list"),
    ("shapes to add", lambda: L.Add()([arr(2, 3), arr(2, 4)]), r"\(2, 3\).*\(2, 4\)"),
    ("three to subtract", lambda: L.Subtract()([arr(2, 3)] * 3), "two inputs.*3"),
    ("shapes to concatenate", lambda: L.Concatenate()([arr(2, 3), arr(3, 3)]), r"\(2, 3\).*\(3, 3\)"),
    ("lengths of Dot", lambda: L.Dot(axes=1)([arr(2, 3), arr(2, 4)]), "lengths"),
    ("nothing left", lambda: L.Cropping2D(5)(arr(1, 3, 3, 1)), "nothing would be left"),
    ("equation", lambda: L.EinsumDense("abc", 5)(arr(2, 3)), "'abc'"),
    ("bias axes", lambda: L.EinsumDense("ab,bc->ac", 5, bias_axes="z")(arr(2, 3)), "'z'"),
    ("rank of an equation", lambda: L.EinsumDense("abc,cd->abd", (None, 5))(arr(2, 3)), r"\(2, 3\)"),
]  # fmt: skip


def _later(layer, first, second):
    layer(first)
    layer(second)


@pytest.mark.parametrize(("case", "act", "says"), WRONG, ids=[case for case, _, _ in WRONG])
def test_wrong_options_and_inputs(case, act, says):
    with pytest.raises((ValueError, TypeError), match=f"(?s){says}") as caught:
        act()
    assert "layer" in str(caught.value)  # which one


def test_the_name_given_is_the_name_said():
    with pytest.raises(ValueError, match=r"In the layer 'mine' \(Dense\)"):
        L.Dense(0, name="mine")
    with pytest.raises(ValueError, match="'mine'"):
        L.Conv2D(2, 5, name="mine")(arr(1, 3, 3, 1))


@pytest.mark.parametrize("act", [lambda: L.Dense(2), lambda: L.Conv1D(2, 3), lambda: L.Add()])
def test_the_same_error_on_every_backend(backend, act):
    with pytest.raises(ValueError, match="layer '"):
        act()(arr(3))


def test_padding_in_capitals_and_edge_rates_are_fine():
    assert L.Conv2D(2, 3, padding="SAME").padding == "same"
    L.Dropout(0), L.Dropout(1.0), L.Dense(np.int64(3))


def test_in_a_model_the_layer_is_named():
    with pytest.raises(ValueError, match="'second'"):
        Sequential([L.Input((4, 4, 1)), L.Conv2D(2, 3, name="first"), L.Conv2D(2, 3, name="second")])

"""`quantize` checks what is asked for and says that nothing can be quantized yet; nothing is changed, nothing half done."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import layers as L
from tricera.models import Sequential


class Config:
    mode = "int8"


def dense():
    layer = L.Dense(2, name="probe")
    layer.build((None, 3))
    return layer


def model():
    return Sequential([L.Input((3,)), L.Dense(4), L.ReLU(), L.Dense(2)], name="probe")


@pytest.mark.parametrize("make", [dense, model])
@pytest.mark.parametrize("arguments", [("int8",), ("int4",), ("float8",), ("gptq",), ("awq",)])
def test_every_mode_is_refused_and_nothing_changes(make, arguments):
    thing = make()
    before, policy = thing.get_weights(), thing.dtype_policy
    with pytest.raises(NotImplementedError, match=rf"'probe'.*'{arguments[0]}'.*enable_lora"):
        thing.quantize(*arguments)
    assert all(map(np.array_equal, before, thing.get_weights())) and thing.dtype_policy is policy
    assert thing.quantization_mode is None


@pytest.mark.parametrize(("arguments", "says"), [
    ({"mode": "nope"}, "'int8'.*not 'nope'"), ({}, "mode"), ({"mode": "int4", "config": Config()}, "'int4'.*'int8'"), ({"config": 5}, "config.*5"),
])  # fmt: skip
@pytest.mark.parametrize("make", [dense, model])
def test_malformed_requests(make, arguments, says):
    with pytest.raises(ValueError, match=says):
        make().quantize(**arguments)


def test_a_config_says_the_mode():
    with pytest.raises(NotImplementedError, match="'int8'"):
        dense().quantize(config=Config())


@pytest.mark.parametrize(("arguments", "says"), [
    ({"filters": 5}, "filters.*5"), ({"filters": ["("]}, r"'\('"), ({"filters": [5]}, "filters"), ({"nope": 1}, "nope"),
])  # fmt: skip
def test_arguments_of_models(arguments, says):
    with pytest.raises(ValueError, match=says):
        model().quantize("int8", **arguments)
    for filters in ("dense", ["^dense$"], lambda layer: True, None):
        with pytest.raises(NotImplementedError):
            model().quantize("int8", filters=filters)


def test_what_is_not_built():
    for thing in (L.Dense(2), Sequential([L.Dense(2)])):
        with pytest.raises(ValueError, match="isn't built"):
            thing.quantize("int8")


def test_quantized_kernels_are_not_made_of_floats():
    # A policy or a config that asks for integers is refused; a layer without a kernel only computes in the policy's dtype.
    for act in (
        lambda: L.Dense(2, dtype="int8_from_float32"), lambda: L.Embedding(5, 2, dtype="int8_from_float32"),
        lambda: L.EinsumDense("ab,bc->ac", 2, dtype="float8_from_mixed_bfloat16"), lambda: L.Dense(2, quantization_config=Config()),
        lambda: L.ReversibleEmbedding(5, 2, quantization_config={"class_name": "Int8QuantizationConfig"}),
    ):  # fmt: skip
        with pytest.raises(NotImplementedError, match="no quantized layers"):
            act()
    assert L.ReLU(dtype="int8_from_mixed_bfloat16").compute_dtype == "bfloat16"


def test_the_structure_is_the_models_own_affair():
    assert model().get_quantization_layer_structure("gptq") is None

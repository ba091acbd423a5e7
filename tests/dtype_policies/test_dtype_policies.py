"""Dtype policies: their dtypes, names, configs, maps, and the global one."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tricera import dtype_policies, layers, mixed_precision

DTYPES = {
    "float32": ("float32", "float32", None), "bfloat16": ("bfloat16", "bfloat16", None),
    "mixed_float16": ("float16", "float32", None), "mixed_bfloat16": ("bfloat16", "float32", None),
    "int8_from_mixed_bfloat16": ("bfloat16", "float32", "int8"), "float8_from_float32": ("float32", "float32", "float8"),
    "int4/64_from_float32": ("float32", "float32", "int4"), "gptq/4/128_from_bfloat16": ("bfloat16", "bfloat16", "gptq"),
    "awq/4/-1_from_float32": ("float32", "float32", "awq"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(DTYPES))
def test_policy(name):
    policy = dtype_policies.get(name)
    assert (policy.compute_dtype, policy.variable_dtype, policy.quantization_mode) == DTYPES[name]
    assert policy.name == name and name in repr(policy)
    again = dtype_policies.deserialize(dtype_policies.serialize(policy))
    assert again == policy and hash(again) == hash(policy) and type(again) is type(policy)


def test_numbers_of_quantized_policies():
    assert dtype_policies.Int4DTypePolicy("int4/64").block_size == 64
    gptq = dtype_policies.GPTQDTypePolicy("gptq/3/128", "float32")
    assert (gptq.weight_bits, gptq.group_size) == (3, 128)
    assert dtype_policies.QuantizedFloat8DTypePolicy("float8", amax_history_length=8).amax_history_length == 8


@pytest.mark.parametrize("name", ["int9_from_float32", "int8_from_float16", "gptq/5/64_from_float32", "awq/8/64_from_float32",
                                  "int4/0_from_float32", "int4/x_from_float32", "mixed_float64", "gptq"])  # fmt: skip
def test_wrong_names_are_refused(name):
    with pytest.raises(ValueError):
        dtype_policies.get(name)


def test_a_policy_rules_a_layer(backend):
    layer = layers.Dense(2, dtype="mixed_bfloat16")
    layer.build((None, 3))
    assert layer.compute_dtype == "bfloat16" and layer.kernel.dtype == "float32"


def test_the_global_policy():
    mixed_precision.set_dtype_policy("mixed_float16")
    try:
        assert dtype_policies.DTypePolicy().name == "mixed_float16"
        assert dtype_policies.QuantizedFloat8DTypePolicy("float8").name == "float8_from_mixed_float16"
    finally:
        mixed_precision.set_dtype_policy(None)
    assert dtype_policies.get(None).name == "float32"


def test_a_map_finds_policies_by_path():
    policies = dtype_policies.DTypePolicyMap("float32", {"block/*": "bfloat16", "head": "float16"})
    assert policies["block/dense"].name == "bfloat16" and policies["other"].name == "float32" and len(policies) == 2
    again = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert again.get_config() == policies.get_config()
    written = tricera.saving.serialize_keras_object(policies)
    assert written == dtype_policies.serialize(policies) and written["module"] == "keras.dtype_policies"
    assert tricera.saving.deserialize_keras_object(written).get_config() == policies.get_config()


def test_a_map_is_for_a_layer_and_those_inside_of_it(backend):
    policies = dtype_policies.DTypePolicyMap("mixed_bfloat16", {"heads/query": "float32", "dense": "float16"})
    heads, dense, x = (
        layers.MultiHeadAttention(2, 2, name="heads", dtype=policies),
        layers.Dense(2, name="dense", dtype=policies),
        np.ones((1, 2, 3)),
    )
    assert dense.compute_dtype == "bfloat16"  # until the path is known
    heads(x, x)
    assert (
        heads.compute_dtype == heads._key_dense.compute_dtype == "bfloat16"
        and heads._query_dense.compute_dtype == "float32"
    )
    assert (
        tricera.backend.standardize_dtype(dense(x).dtype)
        == tricera.backend.standardize_dtype(dense(x).dtype)
        == "float16"
    )
    assert dense.kernel.dtype == "float16" and dense.dtype_policy is policies
    again = layers.Dense.from_config(dense.get_config())
    assert again.dtype_policy.get_config() == policies.get_config()


@pytest.mark.parametrize("number", [1, True, 1.0, 5])
def test_a_number_is_no_dtype(number):
    """TensorFlow's dtypes are equal to numbers, which must not be found in their place."""
    tf = pytest.importorskip("tensorflow")
    standardize = tricera.backend.standardize_dtype
    assert [standardize(d) for d in (tf.float32, tf.int16)] == ["float32", "int16"]
    with pytest.raises(ValueError, match="is a number"):
        standardize(number)


def test_a_global_map_without_a_default():
    """Layers that it does not name have floatx."""
    before = tricera.config.dtype_policy()
    try:
        tricera.config.set_dtype_policy(tricera.DTypePolicy("float32"))
        given = tricera.dtype_policies.DTypePolicyMap(policy_map={"a": "mixed_bfloat16"})
        tricera.config.set_dtype_policy(given)
        assert given.compute_dtype == "float32" and given["a"].compute_dtype == "bfloat16"
        layer = tricera.layers.Dense(2, name="b")
        layer.build((None, 3))
        assert layer.compute_dtype == layer.kernel.dtype == "float32"
    finally:
        tricera.config.set_dtype_policy(before)

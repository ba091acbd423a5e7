"""Objects to configs and back: values, functions, closed list, code, JSON limits."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tricera  # noqa: F401
from tricera.core import lambdas, registry
from tricera.core.serialization import deserialize_keras_object, object_sharing, serialize_keras_object
from tricera.core.tensor import KerasTensor
from tricera.saving import config
from tricera.saving.archive import FileFormatError


@registry.register_keras_serializable("tests")
class Point:
    def __init__(self, x=0, inner=None):
        self.x, self.inner = x, inner

    def get_config(self):
        return {"x": self.x, "inner": serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        return cls(config["x"], deserialize_keras_object(config["inner"]))


@registry.register_keras_serializable("tests")
def twice(x):
    return 2 * x


def through_json(obj, **kwargs):
    return deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(obj))), **kwargs)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 2.5, "text", b"bytes", [1, [2]], {"a": {"b": 1}}, slice(1, None), slice(None, -1, 2), ..., "é"],
)
def test_values_come_back(value):
    assert through_json(value) == value


def test_tuples_become_lists_and_numpy_scalars_numbers():
    assert through_json((1, (2,))) == [1, [2]]
    assert serialize_keras_object([np.float32(0.5), np.int64(3), np.bool_(True), np.float64(2)]) == [0.5, 3, True, 2.0]
    assert serialize_keras_object([np.dtype("float16"), np.float32]) == ["float16", "float32"]


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "bfloat16", "complex64"])
def test_arrays(dtype):
    if dtype == "complex64":
        pytest.skip("JSON has no complex numbers")
    array = (
        np.array([[1, 0], [0, 1]], dtype) if dtype != "bfloat16" else np.eye(2).astype(__import__("ml_dtypes").bfloat16)
    )
    got = through_json(array)
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


def test_symbolic_tensor():
    got = serialize_keras_object(KerasTensor((None, 2), "int32"))
    assert got == {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 2], "dtype": "int32", "keras_history": None},
    }
    assert deserialize_keras_object(got).shape == (None, 2)


def test_registered_objects_and_functions():
    config = serialize_keras_object(Point(1, Point(2)))
    assert (config["class_name"], config["registered_name"]) == ("Point", "tests>Point")
    got = through_json(Point(1, [Point(2), twice]))
    assert (got.x, got.inner[0].x, got.inner[1]) == (1, 2, twice)
    assert serialize_keras_object(twice) == {
        "module": "builtins", "class_name": "function", "config": "tests>twice", "registered_name": "function",
    }  # fmt: skip


def test_custom_objects_argument():
    class Other(Point):
        pass

    def other(x):
        return x

    with pytest.raises(TypeError, match="'Other'.*custom_objects"):
        through_json(Other(5))
    assert type(through_json(Other(5), custom_objects={"Other": Other})) is Other
    with pytest.raises(TypeError, match="'other'.*custom_objects"):
        through_json(other)
    assert through_json(other, custom_objects={"other": other}) is other


def test_an_object_met_twice_stays_one():
    point = Point(3)
    with object_sharing():
        text = json.dumps(serialize_keras_object([point, point, Point(3)]))
    with object_sharing():
        a, b, c = deserialize_keras_object(json.loads(text))
    assert a is b
    assert c is not a
    assert through_json([point, point])[0] is not through_json([point, point])[1]


@pytest.mark.parametrize("thing", [object(), {1, 2}, range(3), 1j, dict, Point])
def test_what_has_no_config(thing):
    with pytest.raises(TypeError, match="can't be written to a config"):
        serialize_keras_object(thing)


def test_get_config_must_return_a_dict():
    class Wrong:
        def get_config(self):
            return [1]

    with pytest.raises(TypeError, match=r"get_config\(\) must return a dict"):
        serialize_keras_object(Wrong())


# What a stranger's config may not do. Each row is one attack.
ATTACKS = {
    "CVE-2025-1550: any module and function": {"module": "os", "class_name": "system", "config": "ls", "registered_name": None},
    "with a dict": {"module": "subprocess", "class_name": "Popen", "config": {"args": ["ls"]}, "registered_name": None},
    "function of a module": {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
    "dotted function": {"module": "os", "class_name": "function", "config": "os.system", "registered_name": "os.system"},
    "type": {"module": "builtins", "class_name": "type", "config": "float32", "registered_name": "type"},
    "CVE-2025-9906: switch off safe mode": {
        "module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}, "registered_name": None},
    "the same as a function": {
        "module": "builtins", "class_name": "function", "config": "enable_unsafe_deserialization", "registered_name": "function"},
    "CVE-2025-8747: download": {"module": "keras.utils", "class_name": "get_file", "config": {"fname": "a", "origin": "b"}},
    "the same as a function ": {"module": "builtins", "class_name": "function", "config": "get_file", "registered_name": "function"},
    "load_model": {"module": "keras.saving", "class_name": "load_model", "config": {"filepath": "x", "safe_mode": False}},
    "load_model as a function": {"module": "builtins", "class_name": "function", "config": "load_model"},
    "a class of saving": {"module": "keras.saving", "class_name": "KerasFileEditor", "config": {"filepath": "/etc/passwd"}},
    "a module of Tricera": {"module": "tricera.saving.archive", "class_name": "Archive", "config": {"source": "/etc/passwd"}},
    "a module of the standard library inside": {"module": "keras.layers.os", "class_name": "system", "config": {}},
    "dunder": {"module": "keras.layers", "class_name": "__builtins__", "config": {}},
    "dotted class": {"module": "keras.layers", "class_name": "layer.np.load", "config": {}},
    "a function for a class": {"module": "keras.losses", "class_name": "mean_squared_error", "config": {}},
    "get of a namespace": {"module": "builtins", "class_name": "function", "config": "get"},
    "config is not a dict": {"module": "keras.layers", "class_name": "Dense", "config": "x"},
    "config is code": {"module": "keras.layers", "class_name": "Dense", "config": print},
    "module is not a string": {"module": ["keras"], "class_name": "Dense", "config": {}},
    "unknown op": {"module": "keras.src.ops.numpy", "class_name": "System", "config": {}},
    "array of strings": {"class_name": "__numpy__", "config": {"value": [""], "dtype": "S1000000000000"}},
    "array of nothing": {"class_name": "__numpy__", "config": {"value": [1]}},
    "array of records": {"class_name": "__numpy__", "config": {"value": [1], "dtype": "f4,f4"}},
    "bytes of a list": {"class_name": "__bytes__", "config": {"value": [1]}},
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_closed_list(attack):
    with pytest.raises((TypeError, ValueError), match=r"config|names|op"):
        deserialize_keras_object(ATTACKS[attack])
    with pytest.raises((TypeError, ValueError), match=r"config|names|op"):
        deserialize_keras_object(ATTACKS[attack], safe_mode=False)


def test_a_registered_class_cannot_take_the_place_of_a_built_in_one():
    class Evil(Point):
        pass

    config = {"module": "keras", "class_name": "NoSuchClass", "config": {}, "registered_name": "tests>Point"}
    with pytest.raises(TypeError, match="NoSuchClass"):
        deserialize_keras_object(config, custom_objects={"NoSuchClass": Evil})


def lambda_config(**changes):
    with pytest.warns(UserWarning, match="bytecode"):
        config = serialize_keras_object(lambda x, factor=3: x * factor)
    config["config"].update(changes)
    return config


def test_code_is_refused_by_default():
    config = lambda_config()
    for attempt in (
        config,
        [config],
        {"a": {"b": config}},
        {"class_name": "__lambda__", "config": {"value": ["x", None, None]}},
    ):
        with pytest.raises(ValueError, match="safe_mode=False"):
            deserialize_keras_object(attempt)
    with lambdas.safe_mode_scope(True), pytest.raises(ValueError, match="safe_mode=False"):
        deserialize_keras_object(config, safe_mode=False)  # the loading function's own choice holds


def test_code_is_read_when_the_caller_opts_in(monkeypatch):
    config = lambda_config()
    assert deserialize_keras_object(config, safe_mode=False)(5) == 15
    parts = [config["config"][key] for key in ("code", "defaults", "closure")]
    assert deserialize_keras_object({"class_name": "__lambda__", "config": {"value": parts}}, safe_mode=False)(5) == 15
    monkeypatch.setattr(lambdas, "_enabled_everywhere", False)
    lambdas.enable_unsafe_deserialization()
    assert deserialize_keras_object(config)(5) == 15


def test_closures_are_kept():
    n = 4
    with pytest.warns(UserWarning, match="bytecode"):
        config = serialize_keras_object(lambda x: x + n)
    assert deserialize_keras_object(json.loads(json.dumps(config)), safe_mode=False)(1) == 5


def test_code_that_is_none():
    for code in ("", "AAAA", "!!", 3):
        with pytest.raises(ValueError, match="can't be read"):
            deserialize_keras_object(lambda_config(code=code), safe_mode=False)


def test_errors_of_from_config_say_what_to_do():
    with pytest.raises(TypeError, match=r"Point could not be made from its config.*from_config"):
        deserialize_keras_object(
            {"module": None, "class_name": "Point", "config": {}, "registered_name": "tests>Point"}
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[" * 100_000, "nested more than"),
        (b'{"a":' * 600, "nested more than"),
        (b"[" + b"{}," * 600_000 + b"{}]", "more than"),
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_json_limits(text, message):
    with pytest.raises(FileFormatError, match=message):
        config.from_text(text, "the config")


def test_brackets_in_strings_do_not_count():
    value = {"a": "[[[{" * 1000, 'b"\\"[[': ["]", "\\"]}
    assert config.from_text(json.dumps(value), "x") == value

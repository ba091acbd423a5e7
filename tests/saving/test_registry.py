"""Registration of users' objects, and the rule behind every `get(identifier)`."""

from __future__ import annotations

import pytest

from tricera.core import registry


class Thing:
    def __init__(self, size=1):
        self.size = size

    def get_config(self):
        return {"size": self.size}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def thing(x):
    return x


TABLE = {"BigThing": Thing, "thing": thing, "th": thing}


@pytest.fixture(autouse=True)
def clean_registry(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setattr(registry, "_names", {})


def test_registered_under_package_and_name():
    @registry.register_keras_serializable("pack", name="other")
    class Mine(Thing):
        pass

    assert registry.get_registered_name(Mine) == "pack>other"
    assert registry.get_registered_object("pack>other") is Mine
    assert registry.get_custom_objects() == {"pack>other": Mine}
    assert registry.get_registered_object("Mine") is None
    assert registry.get_registered_name(Thing) == "Thing"


def test_default_package():
    registry.register_keras_serializable()(thing)
    assert registry.get_registered_object("Custom>thing") is thing


@pytest.mark.parametrize("wrong", [dict, object])
def test_class_without_get_config(wrong):
    with pytest.raises(ValueError, match="get_config"):
        registry.register_keras_serializable()(wrong)


def test_decorator_without_brackets():
    with pytest.raises(TypeError, match="brackets"):
        registry.register_keras_serializable(Thing)


def test_scopes_nest_and_end():
    with registry.custom_object_scope({"a": 1}), registry.CustomObjectScope({"a": 2, "b": 3}):
        assert (registry.get_registered_object("a"), registry.get_registered_object("b")) == (2, 3)
        assert registry.get_custom_objects() == {}
    assert registry.get_registered_object("a") is None
    with pytest.raises(TypeError, match="custom_objects"):
        registry.custom_object_scope([1])


def test_scope_ends_after_an_exception():
    with pytest.raises(RuntimeError), registry.custom_object_scope({"a": 1}):
        raise RuntimeError
    assert registry.get_registered_object("a") is None


@pytest.mark.parametrize(
    "name", ["BigThing", "big_thing", "bigthing", "BIGTHING", {"class_name": "BigThing", "config": {}}]
)
def test_lookup_makes_objects_of_classes(name):
    assert isinstance(registry.lookup("thing", name, TABLE), Thing)


@pytest.mark.parametrize("name", ["thing", "th", thing, {"class_name": "function", "config": "thing"}])
def test_lookup_finds_functions(name):
    assert registry.lookup("thing", name, TABLE) is thing


def test_lookup_of_objects_and_none():
    own = Thing()
    assert registry.lookup("thing", own, TABLE) is own
    assert registry.lookup("thing", None, TABLE) is None
    assert isinstance(registry.lookup("thing", Thing, TABLE), Thing)
    assert registry.lookup("thing", {"class_name": "big_thing", "config": {"size": 4}}, TABLE).size == 4


def test_lookup_names_the_nearest():
    with pytest.raises(ValueError, match=r"no thing named 'bigthin'.*'BigThing'"):
        registry.lookup("thing", "bigthin", TABLE)
    with pytest.raises(ValueError, match="does not say which thing"):
        registry.lookup("thing", 3, TABLE)


@pytest.mark.parametrize(
    "config", [{"config": {}}, {"class_name": "BigThing", "config": 3}, {"class_name": "function", "config": []}]
)
def test_lookup_of_malformed_configs(config):
    with pytest.raises(ValueError, match=r"config|name"):
        registry.lookup("thing", config, TABLE)


def test_custom_objects_join_but_never_replace():
    def other(x):
        return -x

    with registry.custom_object_scope({"other": other, "thing": other}):
        assert registry.lookup("thing", "other", TABLE) is other
        assert registry.lookup("thing", "thing", TABLE) is thing
    config = {"module": "keras.things", "class_name": "BigThing", "config": {}, "registered_name": "evil>BigThing"}
    registry.register_keras_serializable("evil", "BigThing")(type("Evil", (Thing,), {}))
    assert type(registry.lookup("thing", config, TABLE)) is Thing

"""Object <-> config: the JSON form in which `.keras` files, `to_json` and every `get_config` write objects.

What was learned of Keras's format by writing files with it and looking at them:

- An object: `{"module", "class_name", "config", "registered_name"[, "build_config"][, "compile_config"]}`. For built-in
  classes `module` is the public namespace (`"keras.layers"`, `"keras"` for Sequential, DTypePolicy and InputSpec,
  `"keras.src.models.functional"` for Functional) and `registered_name` is null, but for Functional and ops, which repeat
  the class's name. For users' classes `module` is their Python module, null for `__main__`, and `registered_name` the key
  they are registered under, else the class's name.
- A function: `{"module": "builtins", "class_name": "function", "config": <name>, "registered_name": "function"}`.
- Values: `__numpy__` and `__tensor__` (`{"value": nested list, "dtype"}`), `__bytes__`, `__slice__`, `__ellipsis__`,
  `__lambda__` (`{"code", "defaults", "closure"}`, or these three as a list under `"value"`), and
  `__keras_tensor__` (`{"shape", "dtype", "keras_history": [operation, node, tensor] or null}`). Tuples become lists.
- An object met twice in one file gets a `shared_object_id`, and is one object again after loading.
- `build_config` is `get_build_config()`: `{"input_shape": ...}` or, for several named inputs, `{"shapes_dict": {...}}`; left
  out when it is None. `compile_config` is `get_compile_config()`, `{}` for a model that is not compiled.
- A Functional's config: `layers`, each an object with `name` and `inbound_nodes` beside the other keys, each node
  `{"args": [...], "kwargs": {...}}` with symbolic tensors as `__keras_tensor__` whose history names another layer of the list
  (nodes numbered among those that belong to the model); `input_layers` and `output_layers` hold `[name, node, tensor]` in the
  structure of the inputs and outputs. How ops stand there is told in `op_names`.

Reading is the closed half: a class or function is looked up in tables made from Tricera's own public namespaces, or among
what the caller registered or passed. Nothing is ever imported by a name that stands in a config, and code (`__lambda__`) is
refused unless the caller opted in.
"""

from __future__ import annotations

import contextlib
import contextvars
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tricera.core import allowlist, dispatch, dtypes, lambdas, op_names
from tricera.core.graph import public_class
from tricera.core.inference import OpCall
from tricera.core.registry import CustomObjectScope, get_registered_name, get_registered_object, is_registered
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable

_shared_out: contextvars.ContextVar[dict[int, Any] | None] = contextvars.ContextVar("tricera_shared_out", default=None)
_used: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("tricera_custom_used", default=None)
_shared_in: contextvars.ContextVar[dict[Any, Any] | None] = contextvars.ContextVar("tricera_shared_in", default=None)


class ConfigError(TypeError):
    """A config that is malformed, or names what is not known."""


@contextlib.contextmanager
def object_sharing() -> Iterator[None]:
    """Inside the block, an object written or read several times is marked as one and becomes one."""
    out, into = _shared_out.set({}), _shared_in.set({})
    try:
        yield
    finally:
        _shared_out.reset(out)
        _shared_in.reset(into)


@contextlib.contextmanager
def custom_objects_used() -> Iterator[dict[str, Any]]:
    """Gather the users' classes and functions that are named by what is serialized inside the block, by those names."""
    used: dict[str, Any] = {}
    token = _used.set(used)
    try:
        yield used
    finally:
        _used.reset(token)


def _note_use(name: str, thing: Any) -> None:
    used = _used.get()
    if used is not None and not allowlist.is_builtin(thing):
        used[name] = thing


def serialize_keras_object(obj: Any) -> Any:
    """The JSON form of an object, a function, a tensor or a structure of them.

    Args:
        obj: anything with `get_config()`, a named function, a tensor, an array, a plain value, or a list, tuple or dict of them.

    Returns:
        Dicts, lists, strings, numbers, booleans and None.

    Raises:
        ConfigError: (a TypeError) something that has no such form.

    Example:
        >>> serialize_keras_object((1, slice(0, 2)))
        [1, {'class_name': '__slice__', 'config': {'start': 0, 'stop': 2, 'step': None}}]
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj.item() if isinstance(obj, np.generic) else obj
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, Mapping) and not hasattr(obj, "get_config"):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    value = _value_config(obj)
    if value is not None:
        return value
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.dtype) or (isinstance(obj, type) and issubclass(obj, np.generic)):
        return dtypes.standardize_dtype(obj)
    if isinstance(obj, OpCall):
        return serialize_keras_object(op_names.op_config(obj))
    if callable(obj) and not isinstance(obj, type) and not hasattr(obj, "get_config"):
        return _function_config(obj)
    if isinstance(obj, type) or not hasattr(obj, "get_config"):
        what = (
            "the class itself, not an object of it"
            if isinstance(obj, type)
            else f"an object of type {type(obj).__name__}"
        )
        raise ConfigError(
            f"{obj!r} ({what}) can't be written to a config. An object can if its class has a get_config() method that "
            "returns the constructor's arguments as a dict."
        )
    return _object_config(obj)


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """The object that a config made by `serialize_keras_object` describes.

    Args:
        config: the config, or a structure of configs. Other values come back as they are.
        custom_objects: name -> class or function that the config may name, beside the registered ones.
        safe_mode: whether to refuse Python code. Inside `load_model` that function's own `safe_mode` holds.
        **kwargs: `module_objects`, a further mapping of names, as for `custom_objects`.

    Raises:
        ConfigError: (a TypeError) the config is malformed, or names a class or function that is not known.
        ValueError: it holds code, and that was not allowed.

    Example:
        >>> deserialize_keras_object({"a": {"class_name": "__bytes__", "config": {"value": "hi"}}})
        {'a': b'hi'}
    """
    module_objects = kwargs.pop("module_objects", None)
    if kwargs:
        raise TypeError(f"deserialize_keras_object() got unknown arguments: {', '.join(kwargs)}.")
    scopes = contextlib.ExitStack()
    with scopes:
        for objects in (module_objects, custom_objects):
            if objects:
                scopes.enter_context(CustomObjectScope(objects))
        scopes.enter_context(lambdas.inner_safe_mode(safe_mode))
        return _deserialize(config)


def _deserialize(config: Any) -> Any:
    if isinstance(config, (list, tuple)):
        return [_deserialize(item) for item in config]
    if not isinstance(config, Mapping):
        return config
    name = config.get("class_name")
    if not isinstance(name, str) or "config" not in config:
        return {key: _deserialize(value) for key, value in config.items()}
    inner = config["config"]
    if name == "__lambda__":
        return lambdas.from_config(inner)
    if name in _DECODERS:
        return _decode(name, inner)
    if name == "function":
        return find_function(inner)
    shared = _shared_in.get()
    identity = config.get("shared_object_id")
    if shared is not None and isinstance(identity, (int, str)) and (identity, name) in shared:
        return shared[identity, name]
    found = _build(name, inner, config)
    if shared is not None and isinstance(identity, (int, str)):
        shared[identity, name] = found
    return found


def _build(name: str, inner: Any, config: Mapping[str, Any]) -> Any:
    module = config.get("module")
    if not isinstance(module, (str, type(None))):
        raise ConfigError(f"The 'module' in the config of {name!r} must be a string or null, not {module!r}.")
    if not isinstance(inner, Mapping):
        raise ConfigError(f"The 'config' of {name!r} must be a dict, not {_short(inner)}.")
    if allowlist.is_op_module(module):
        return op_names.op_from_config(name, {key: _deserialize(value) for key, value in inner.items()})
    cls = find_class(name, module, config.get("registered_name"))
    if not hasattr(cls, "from_config"):
        raise ConfigError(f"{name!r} can't be made from a config, because {cls!r} has no from_config() class method.")
    if allowlist.is_builtin(cls):
        allowlist.check_config(cls, inner)
    try:
        instance = cls.from_config(_plain_values(inner))
    except ConfigError:
        raise
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        raise ConfigError(
            f"{name} could not be made from its config: {type(error).__name__}: {error}. If it holds layers or other objects, "
            f"its from_config() must turn them back with deserialize_keras_object(). The config: {_short(inner)}"
        ) from error
    build_config = config.get("build_config")
    if build_config and hasattr(instance, "build_from_config"):
        instance.build_from_config(dict(_mapping(build_config, f"build_config of {name!r}")))
    compile_config = config.get("compile_config")
    if compile_config and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(dict(_mapping(compile_config, f"compile_config of {name!r}")))
    return instance


def find_class(name: str, module: str | None = None, registered_name: Any = None) -> Any:
    """The class that a config names: a built-in one where the module is Keras's or Tricera's, else a custom one.

    Raises:
        ConfigError: (a TypeError) there is none.
    """
    if allowlist.is_builtin_module(module):
        found = allowlist.builtin_class(str(module), name)
        if found is not None:
            return found
    else:
        for key in (registered_name, name):
            found = get_registered_object(key) if isinstance(key, str) else None
            if isinstance(found, type):
                return found
        if module is None:
            found = allowlist.builtin_class("keras", name)
            if found is not None:
                return found
    raise ConfigError(
        f"The config names the class {name!r} of the module {module!r}"
        + (f", registered as {registered_name!r}" if registered_name not in (None, name) else "")
        + ", which is neither one of Tricera's nor known as a custom one. If it is yours, decorate it with "
        "@register_keras_serializable() and import it before loading, or pass custom_objects={'" + name + "': ...}."
    )


def find_function(name: Any) -> Any:
    """The function that a config names: one of Tricera's activations, losses, metrics or ops, else a custom one.

    Raises:
        ConfigError: (a TypeError) there is none.
    """
    if not isinstance(name, str):
        raise ConfigError(f"A function's config is its name, not {_short(name)}.")
    found = get_registered_object(name) if ">" in name else None
    if found is None:
        found = allowlist.builtin_function(name)
    if found is None:
        found = get_registered_object(name)
    if found is None or not callable(found):
        raise ConfigError(
            f"The config names the function {name!r}, which is neither one of Tricera's nor known as a custom one. If it is "
            f"yours, decorate it with @register_keras_serializable() and import it before loading, or pass "
            f"custom_objects={{{name!r}: ...}}."
        )
    return found


def _object_config(obj: Any) -> dict[str, Any]:
    shared = _shared_out.get()
    if shared is not None and id(obj) in shared:
        first = shared[id(obj)][0]
        first.setdefault("shared_object_id", shared[id(obj)][1])
        return dict(first)
    cls = _named_class(public_class(obj))
    config: dict[str, Any] = {**allowlist.names_of(cls, get_registered_name(cls), is_registered(cls))}
    _note_use(get_registered_name(cls), cls)
    held = obj.get_config()
    if not isinstance(held, Mapping):
        raise ConfigError(f"{cls.__name__}.get_config() must return a dict, not {held!r}.")
    config["config"] = serialize_keras_object(held)
    config["registered_name"] = config.pop("registered_name")
    if hasattr(obj, "get_build_config"):
        build_config = obj.get_build_config()
        if build_config is not None:
            config["build_config"] = serialize_keras_object(build_config)
    if hasattr(obj, "get_compile_config"):
        config["compile_config"] = serialize_keras_object(obj.get_compile_config() or {})
    if shared is not None:
        shared[id(obj)] = (config, len(shared) + 1, obj)  # obj is kept so that its id stays its own
    return config


def _named_class(cls: type) -> type:
    """The class as the user wrote it, where one of the same name was derived from it behind the scenes."""
    for base in cls.__mro__[1:]:
        if (base.__module__, base.__qualname__) != (cls.__module__, cls.__qualname__):
            break
        cls = base
    return cls


def _function_config(fn: Any) -> dict[str, Any]:
    name = getattr(fn, "__name__", None)
    if name == "<lambda>":
        warnings.warn(
            "A lambda is being written as Python bytecode: reading it back needs safe_mode=False and the same version of "
            "Python. Use a named function with @register_keras_serializable() instead.",
            stacklevel=3,
        )
        return {"class_name": "__lambda__", "config": lambdas.to_config(fn)}
    if not isinstance(name, str):
        raise ConfigError(f"{fn!r} has no name under which it could be found again; use a named function or a class.")
    _note_use(get_registered_name(fn), fn)
    return {
        "module": "builtins",
        "class_name": "function",
        "config": get_registered_name(fn),
        "registered_name": "function",
    }


def _value_config(obj: Any) -> dict[str, Any] | None:
    if isinstance(obj, bytes):
        return _tagged("__bytes__", value=obj.decode("utf-8"))
    if isinstance(obj, slice):
        return _tagged(
            "__slice__", **{key: serialize_keras_object(getattr(obj, key)) for key in ("start", "stop", "step")}
        )
    if obj is Ellipsis:
        return _tagged("__ellipsis__")
    if isinstance(obj, np.ndarray):
        return _tagged("__numpy__", value=obj.tolist(), dtype=obj.dtype.name)
    if isinstance(obj, KerasTensor):
        history = getattr(obj, "_keras_history", None)
        place = None if history is None else [history.operation.name, history.node_index, history.tensor_index]
        return _tagged("__keras_tensor__", shape=list(obj.shape), dtype=obj.dtype, keras_history=place)
    if isinstance(obj, Variable):
        raise ConfigError(
            f"{obj!r} can't be written to a config: a variable's value belongs to the weights, not to the config."
        )
    backend = dispatch.of(obj)
    if backend is not None and not isinstance(obj, np.generic):
        return _tagged("__tensor__", value=backend.to_numpy(obj).tolist(), dtype=backend.dtype(obj))
    return None


def _tagged(tag: str, **config: Any) -> dict[str, Any]:
    return {"class_name": tag, "config": config}


def _array(inner: Mapping[str, Any]) -> np.ndarray:
    dtype = inner.get("dtype")
    if not isinstance(dtype, str):
        raise ConfigError(f"The dtype of an array in a config must be a string, not {_short(dtype)}.")
    if dtype.startswith(("str", "<U", "object")):
        return np.array(inner["value"])
    return np.array(inner["value"]).astype(dtypes.numpy_dtype(dtypes.standardize_dtype(dtype)))


def _tensor(inner: Mapping[str, Any]) -> Any:
    return dispatch.current().convert(_array(inner), dtypes.standardize_dtype(inner.get("dtype")))


def _keras_tensor(inner: Mapping[str, Any]) -> KerasTensor:
    return KerasTensor(tuple(inner["shape"]), dtype=inner["dtype"])


_DECODERS = {
    "__bytes__": lambda inner: inner["value"].encode("utf-8"),
    "__slice__": lambda inner: slice(*(_deserialize(inner[key]) for key in ("start", "stop", "step"))),
    "__ellipsis__": lambda inner: Ellipsis,
    "__numpy__": _array,
    "__tensor__": _tensor,
    "__keras_tensor__": _keras_tensor,
}


def _decode(tag: str, inner: Any) -> Any:
    try:
        return _DECODERS[tag](inner)
    except (TypeError, KeyError, AttributeError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"A malformed {tag} in the config: {_short(inner)} ({type(error).__name__}: {error})."
        ) from error


def _plain_values(value: Any) -> Any:
    """Decode arrays, slices and bytes, which every `from_config` may expect as such; objects are left to `from_config`."""
    if isinstance(value, list):
        return [_plain_values(item) for item in value]
    if isinstance(value, Mapping):
        tag = value.get("class_name")
        if tag in ("__bytes__", "__slice__", "__ellipsis__", "__numpy__", "__tensor__") and "config" in value:
            return _decode(tag, value["config"])
        return {key: _plain_values(item) for key, item in value.items()}
    return value


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"The {what} must be a dict, not {_short(value)}.")
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "..."

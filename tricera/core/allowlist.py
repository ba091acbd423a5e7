"""The closed list of what a config may name: public classes and functions of Tricera's modelling namespaces.

The list is made from the namespaces themselves, which stand on floors above this one. They are imported here by names that
are written in this file, when the first config is read, and never by a name that comes from a config: that only chooses
among the classes found.
"""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Mapping
from typing import Any

from tricera.core.inference import PUBLIC
from tricera.core.lambdas import check_unsafe

# namespace -> the classes of which a public class of it must be a subclass to be named by a config
_BASES: dict[str, tuple[str, ...]] = {
    "layers": ("Layer", "InputSpec"),
    "models": ("Model",),
    "losses": ("Loss",),
    "metrics": ("Metric",),
    "optimizers": ("Optimizer",),
    "optimizers.schedules": ("LearningRateSchedule",),
    "initializers": ("Initializer",),
    "regularizers": ("Regularizer",),
    "constraints": ("Constraint",),
    "dtype_policies": ("DTypePolicy",),
    "random": ("SeedGenerator",),
    "quantizers": ("Quantizer",),
}
_FUNCTIONS = ("activations", "losses", "metrics", "ops")
_NO_FUNCTIONS = frozenset({"get", "serialize", "deserialize"})
_AT_TOP = frozenset({"Sequential", "Model", "DTypePolicy", "FloatDTypePolicy", "InputSpec"})
# Layers that run foreign code or read a path that stands in their config.
_RUNS_CODE = frozenset({"TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
_READS_PATHS = ("vocabulary", "idf_weights")


def is_builtin_module(module: str | None) -> bool:
    """Whether a config's `module` says that the class is one of Keras's, that is: of Tricera's."""
    return module is not None and module.partition(".")[0] in ("keras", "tricera")


def is_op_module(module: str | None) -> bool:
    """Whether the `module` is one of those in which Keras keeps its op classes."""
    return is_builtin_module(module) and _parts(str(module))[:1] == ["ops"]


def is_builtin(cls: Any) -> bool:
    """Whether a class is Tricera's own."""
    return getattr(cls, "__module__", "").startswith("tricera.")


def names_of(cls: type, registered_name: str, registered: bool) -> dict[str, Any]:
    """The `module`, `class_name` and `registered_name` that a config gives to a class."""
    name = cls.__name__
    if is_builtin(cls) and not registered:
        if name == "Functional":
            return {"module": "keras.src.models.functional", "class_name": name, "registered_name": name}
        space = _namespace_of(cls)
        return {"module": space, "class_name": _public_name(cls, space), "registered_name": None}
    module = None if cls.__module__ in ("__main__", "builtins") else cls.__module__
    return {"module": module, "class_name": name, "registered_name": registered_name}


def builtin_class(module: str, name: str) -> type | None:
    """The public class `name` of the namespace in which `module` lies; None if there is none."""
    parts = _parts(module)
    if not parts:
        found = {cls for space in _BASES if (cls := _classes(space).get(name)) is not None}
        return found.pop() if len(found) == 1 else None
    for space in (".".join(parts[:2]), parts[0], f"{parts[0]}.schedules"):
        if space in _BASES and name in _classes(space):
            return _classes(space)[name]
    return None


def builtin_function(name: str) -> Any:
    """The public activation, loss, metric or op of that name; None if there is none."""
    for space in _FUNCTIONS:
        module = _import(space)
        if space != "ops" and module is not None and name in _public(module) and name not in _NO_FUNCTIONS:
            found = getattr(module, name)
            if isinstance(found, types.FunctionType) and is_builtin(found):
                return found
    return PUBLIC.get(name)


def check_config(cls: type, config: Mapping[str, Any]) -> None:
    """Refuse, in safe mode, built-in layers that run foreign code or read files that the config names.

    Raises:
        ValueError: safe mode is on, and the config is such a one.
    """
    if cls.__name__ in _RUNS_CODE:
        check_unsafe(f"a {cls.__name__}")
    for key in _READS_PATHS:
        if isinstance(config.get(key), str):
            check_unsafe(f"the path of a file to be read ({key}={config[key]!r} of a {cls.__name__})")


def _parts(module: str) -> list[str]:
    parts = [part for part in module.split(".")[1:] if part != "src"]
    # Keras on torch names its own classes of optimizers: keras.src.backend.torch.optimizers.torch_adam.
    return parts[2:] if parts[:1] == ["backend"] and len(parts) > 2 else parts


def _namespace_of(cls: type) -> str:
    if cls.__name__ in _AT_TOP:
        return "keras"
    space = cls.__module__.split(".")[1]
    for name in (f"{space}.schedules", space):
        if name in _BASES and _classes(name).get(cls.__name__) is cls:
            return f"keras.{name}"
    for name in _BASES:
        if _classes(name).get(cls.__name__) is cls:
            return f"keras.{name}"
    return f"keras.{space}"


def _public_name(cls: type, namespace: str) -> str:
    """The name under which a namespace has a class, which for a few differs from the class's own."""
    classes = _classes(space) if (space := namespace.partition(".")[2]) in _BASES else {}
    if classes.get(cls.__name__) is cls:
        return cls.__name__
    return next((name for name, value in classes.items() if value is cls), cls.__name__)


def _import(space: str) -> Any:
    name = f"tricera.{space}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        return None


def _public(module: Any) -> Any:
    return getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]


@functools.cache
def _classes(space: str) -> dict[str, type]:
    module = _import(space)
    if module is None:
        return {}
    bases = tuple(getattr(module, base) for base in _BASES[space] if hasattr(module, base))
    found = {name: getattr(module, name, None) for name in _public(module)}
    return {
        name: cls
        for name, cls in found.items()
        if isinstance(cls, type) and issubclass(cls, bases) and is_builtin(cls) and name != "__all__"
    }

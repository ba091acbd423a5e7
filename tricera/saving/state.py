"""Object <-> {path: array}: what a model's variables hold, by the paths of `walk`.

Loading is all or nothing: every array is read, checked and assigned inside a scope that keeps the assignments aside, and only
when nothing was missing, left over or of a wrong shape do they reach the variables.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from tricera.core import dispatch
from tricera.core.state import cells
from tricera.core.variable import Variable
from tricera.saving.walk import Kept, Walk

# Methods that read `_stored_variables` in order, so that what a file holds can be checked beforehand.


class Arrays(Protocol):
    """What loading reads from: `hdf5.Weights` and its kin."""

    label: str

    def __iter__(self) -> Iterator[str]: ...

    def __getitem__(self, path: str) -> np.ndarray: ...

    def shape(self, path: str) -> tuple[int, ...]:
        """The shape of an array, without reading it."""
        ...

    def below(self, path: str) -> list[str]:
        """The names of the arrays in a group."""
        ...


class State(NamedTuple):
    """The values of a model's variables.

    Attributes:
        arrays: path -> value.
        names: path of each group of variables -> name of the object to which they belong.
    """

    arrays: dict[str, np.ndarray]
    names: dict[str, str]


class Store(dict[str, Any]):
    """What `save_own_variables(store)` fills and `load_own_variables(store)` reads: short keys to values."""


class ReadStore(Mapping[str, np.ndarray]):
    """What `load_own_variables(store)` reads: the arrays of one group, each read when it is asked for."""

    def __init__(self, arrays: Arrays, group: str, used: set[str]) -> None:
        self._arrays, self._group, self._used = arrays, group, used
        self._keys = sorted(arrays.below(group), key=lambda key: (len(key), key) if key.isdigit() else (0, key))

    def __getitem__(self, key: str) -> np.ndarray:
        if key not in self._keys:
            raise KeyError(key)
        path = f"{self._group}/{key}"
        self._used.add(path)
        return self._arrays[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def shape(self, key: str) -> tuple[int, ...]:
        """The shape of an array, without reading it."""
        return self._arrays.shape(f"{self._group}/{key}")

    def use_all(self) -> None:
        """Count every array as read."""
        self._used.update(f"{self._group}/{key}" for key in self._keys)


def state_of(root: Any) -> State:
    """The values of all variables below `root`.

    Raises:
        TypeError: a layer's `save_own_variables` stored something that is not an array.
    """
    walk = Walk(root)
    arrays: dict[str, np.ndarray] = {}
    names: dict[str, str] = {}
    for path, obj in walk.kept:
        group = _group(path)
        store = Store()
        obj.save_own_variables(store)
        names[group] = str(getattr(obj, "name", type(obj).__name__))
        for key, value in store.items():
            arrays[f"{group}/{key}"] = _to_numpy(value, f"{group}/{key}")
    for path, variable in walk.seeds.items():
        arrays[_group(path) + "/0"] = variable.numpy()
    return State(arrays, names)


def load_state(root: Any, arrays: Arrays, skip_mismatch: bool = False, lenient_optimizer: bool = False) -> None:
    """Give the variables below `root` the values in `arrays`.

    Args:
        root: a model, built.
        arrays: where the values are.
        skip_mismatch: leave objects alone whose values are missing or do not fit, with a warning.
        lenient_optimizer: the same for optimizers only.

    Raises:
        ValueError: values are missing, left over, or of wrong shapes; nothing has changed then.
    """
    walk = Walk(root)
    used: set[str] = set()
    failures: list[str] = []
    with cells() as scope:
        for kept in walk.kept:
            store = ReadStore(arrays, _group(kept.path), used)
            try:
                _load_one(kept, store)
            except (ValueError, KeyError, TypeError, IndexError) as error:
                store.use_all()
                message = _failure(kept, error)
                if lenient_optimizer and _is_optimizer(kept.obj):
                    warnings.warn(f"The state of the optimizer was not loaded. {message}", stacklevel=3)
                else:
                    failures.append(message)
        for path, variable in walk.seeds.items():
            _load_seed(path, variable, arrays, used)
        failures += _left_over(walk, arrays, used)
        if failures and not skip_mismatch:
            raise ValueError(_summary(arrays.label, failures))
        new = [(scope.variables[key], scope.values[key]) for key in scope.updated]
    for variable, value in new:
        variable.assign(value)
    if failures:
        warnings.warn(_summary(arrays.label, failures, skipped=True), stacklevel=3)


def _load_one(kept: Kept, store: ReadStore) -> None:
    if _is_optimizer(kept.obj):
        _load_optimizer(kept.obj, store)
    elif _is_default(kept.obj):
        _check_own(kept.obj, store)
        kept.obj.load_own_variables(store)
    else:
        kept.obj.load_own_variables(store)
        store.use_all()


def _check_own(obj: Any, store: ReadStore) -> None:
    own = list(obj._stored_variables)
    if len(own) != len(store):
        if not own and not getattr(obj, "built", True):
            raise ValueError(
                f"It has no variables yet, while the file holds {len(store)} for it, because it was never built. Call the model on "
                "data or build it before loading; a layer with sublayers builds them in its own build()."
            )
        names = [variable.name for variable in own]
        raise ValueError(f"It has {len(own)} variables {names}; the file holds {len(store)}.")
    for index, variable in enumerate(own):
        _check_shape(variable, store, str(index))


def _check_shape(variable: Variable, store: ReadStore, key: str) -> None:
    if key not in store:
        raise ValueError(f"The file lacks its variable {key} ({variable.path!r}); it holds {list(store)}.")
    given = store.shape(key)
    if given != tuple(variable.shape):
        raise ValueError(
            f"Its variable {variable.path!r} has shape {tuple(variable.shape)}; the file holds one of shape {given}."
        )


def _load_optimizer(optimizer: Any, store: ReadStore) -> None:
    own = list(optimizer._filed)
    if len(own) < len(store) and not getattr(optimizer, "built", True):
        raise ValueError("The file holds the state of an optimizer that was in use; this one was never built.")
    # An optimizer that was saved before its first step holds the step count and the learning rate alone.
    if len(store) != len(own) and not (0 < len(store) <= 2 < len(own)):
        raise ValueError(f"It has {len(own)} variables; the file holds {len(store)}.")
    for key, variable in zip(store, own, strict=False):
        _check_shape(variable, store, key)
    if len(store) == len(own):
        optimizer.load_own_variables(store)
    else:
        for key, variable in zip(store, own, strict=False):
            variable.assign(store[key])


def _load_seed(path: str, variable: Variable, arrays: Arrays, used: set[str]) -> None:
    place = _group(path) + "/0"
    if place in arrays.below(_group(path)) or "0" in arrays.below(_group(path)):
        used.add(place)
        if arrays.shape(place) == tuple(variable.shape):
            variable.assign(arrays[place])


def _left_over(walk: Walk, arrays: Arrays, used: set[str]) -> list[str]:
    """Arrays that nobody wanted; an optimizer's are no fault where the model is not compiled, nor are seeds."""
    rest: dict[str, int] = {}
    for path in arrays:
        parts = path.split("/")
        if (
            path not in used
            and "optimizer" not in parts[:-1]
            and not any(part.startswith("seed_generator") for part in parts)
        ):
            group = path.rpartition("/vars/")[0] or "the model itself"
            rest[group] = rest.get(group, 0) + 1
    return [
        f"{group}: the file holds {count} variables for it, but the model has no such object."
        for group, count in rest.items()
    ]


def _is_optimizer(obj: Any) -> bool:
    return hasattr(type(obj), "apply_gradients") or (hasattr(type(obj), "apply") and hasattr(obj, "learning_rate"))


def _is_default(obj: Any) -> bool:
    return getattr(type(obj).load_own_variables, "by_number", False)


def _group(path: str) -> str:
    return f"{path}/vars" if path else "vars"


def _failure(kept: Kept, error: Exception) -> str:
    name = getattr(kept.obj, "name", "")
    what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
    return f"{kept.path or 'the model itself'} ({type(kept.obj).__name__} {name!r}): {what}"


def _summary(label: str, failures: list[str], skipped: bool = False) -> str:
    shown = "\n".join(f"- {failure}" for failure in failures[:20])
    more = f"\n- ... and {len(failures) - 20} more" if len(failures) > 20 else ""
    done = "These were left as they are:" if skipped else "The weights do not fit the model, which is left as it was:"
    return f"{label}: {done}\n{shown}{more}"


def _to_numpy(value: Any, path: str) -> np.ndarray:
    if isinstance(value, Variable):
        return value.numpy()
    backend = dispatch.of(value)
    if backend is not None:
        return np.asarray(backend.to_numpy(value))
    array = np.asarray(value)
    if array.dtype.kind not in "biufcV":
        raise TypeError(f"save_own_variables() stored {value!r} at {path!r}; only arrays of numbers can be stored.")
    return array

"""`KerasFileEditor`: look into a file of weights, change it, save it again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tricera.saving import archive, hdf5
from tricera.saving.archive import WEIGHTS, Archive, name_fault
from tricera.saving.state import state_of


class KerasFileEditor:
    """The weights of a `.weights.h5` or `.keras` file as something that can be edited.

    Useful to make old weights fit a model that has changed since.

    Args:
        filepath: the path of the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not such a file.

    Example:
        >>> from tricera import layers, models
        >>> models.Sequential([layers.Input((2,)), layers.Dense(1)]).save_weights("/tmp/doc.weights.h5")
        >>> editor = KerasFileEditor("/tmp/doc.weights.h5")
        >>> editor.rename_object("dense", "output")
        >>> editor.weights_dict["layers"]["output"]["0"].shape
        (2, 1)
    """

    def __init__(self, filepath: Any) -> None:
        path = archive.local_path(filepath)
        self.filepath = str(path)
        with contextlib.ExitStack() as files:
            if path.suffix == ".keras":
                opened = files.enter_context(Archive(path))
                weights = hdf5.Weights(opened.section(WEIGHTS), f"{WEIGHTS} in {path}")
            elif path.name.endswith(".weights.h5"):
                if not path.is_file():
                    raise FileNotFoundError(f"There is no file {path}.")
                weights = hdf5.Weights(str(path), str(path))
            else:
                raise ValueError(
                    f"A file of weights has a name that ends in '.weights.h5' or '.keras', not {str(path)!r}."
                )
            with weights:
                arrays = {key: weights[key] for key in weights}
        # object's path -> weight's name -> array
        self._objects: dict[str, dict[str, np.ndarray]] = {}
        for key, array in arrays.items():
            owner, _, name = key.rpartition("/vars/") if "/vars/" in key else ("", "", key.removeprefix("vars/"))
            self._objects.setdefault(owner, {})[name] = array

    @property
    def weights_dict(self) -> dict[str, Any]:
        """All arrays, as nested dicts by the parts of their paths."""
        nested: dict[str, Any] = {}
        for owner, arrays in self._objects.items():
            place = nested
            for part in filter(None, owner.split("/")):
                place = place.setdefault(part, {})
            place.update(arrays)
        return nested

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print the objects in the file, with the shapes and dtypes of their weights.

        Args:
            print_fn: called with each line in the place of printing.
        """
        print_fn("Weights structure")
        _print_tree(self.weights_dict, "", print_fn)

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Compare the file with a model, and print what differs.

        Args:
            reference_model: a built model.

        Returns:
            `{"status": "success" or "error", "error_count": ..., "match_count": ...}`.
        """
        wanted = {
            key: array.shape for key, array in state_of(reference_model).arrays.items() if "seed_generator" not in key
        }
        held = {key: array.shape for key, array in self._flat().items() if "seed_generator" not in key}
        errors = [f"Only the model has {key!r}, of shape {shape}." for key, shape in wanted.items() if key not in held]
        errors += [f"Only the file has {key!r}, of shape {shape}." for key, shape in held.items() if key not in wanted]
        errors += [
            f"{key!r} has shape {shape} in the model and {held[key]} in the file."
            for key, shape in wanted.items()
            if held.get(key, shape) != shape
        ]
        matches = sum(held.get(key) == shape for key, shape in wanted.items())
        for line in errors:
            print(line)
        print(f"{matches} weights match, {len(errors)} do not.")
        return {"status": "error" if errors else "success", "error_count": len(errors), "match_count": matches}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Rename an object, and with it the paths of all below it.

        Args:
            object_name: its name, if only one object has it, or its path.
            new_name: its new name, without the path.

        Raises:
            ValueError: there is no such object, or another has the new name.
        """
        path = self._find(object_name)
        parent = path.rpartition("/")[0]
        target = _checked(f"{parent}/{new_name}" if parent else new_name)
        if "/" in new_name:
            raise ValueError(f"`new_name` is a name, not a path; got {new_name!r}.")
        if self._below(target):
            raise ValueError(f"The file has an object {target!r} already.")
        self._objects = {
            target + owner.removeprefix(path) if owner in self._below(path) else owner: arrays
            for owner, arrays in self._objects.items()
        }

    def delete_object(self, object_name: str) -> None:
        """Remove an object and all below it.

        Args:
            object_name: its name, if only one object has it, or its path.

        Raises:
            ValueError: there is no such object.
        """
        for owner in self._below(self._find(object_name)):
            del self._objects[owner]

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Add an object.

        Args:
            object_path: its path, such as `"layers/dense_2"`.
            weights: weight's name (`"0"`, `"1"`, ...) to array.

        Raises:
            ValueError: it is there already, or the path is none.
        """
        if not isinstance(weights, Mapping):
            raise TypeError(f"`weights` is a dict of names to arrays; got {weights!r}.")
        if self._objects.get(object_path):
            raise ValueError(f"The file has an object {object_path!r} already; use add_weights() to add to it.")
        self._objects[_checked(object_path)] = {
            _checked(str(name)): np.asarray(array) for name, array in weights.items()
        }

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Add weights to an object, replacing those of the same names.

        Args:
            object_name: its name, if only one object has it, or its path.
            weights: weight's name (`"0"`, `"1"`, ...) to array.

        Raises:
            ValueError: there is no such object.
        """
        if not isinstance(weights, Mapping):
            raise TypeError(f"`weights` is a dict of names to arrays; got {weights!r}.")
        held = self._objects.setdefault(self._find(object_name), {})
        held.update({_checked(str(name)): np.asarray(array) for name, array in weights.items()})

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove one weight of an object.

        Args:
            object_name: its name, if only one object has it, or its path.
            weight_name: the weight's name, such as `"0"`.

        Raises:
            ValueError: there is no such object or weight.
        """
        path = self._find(object_name)
        held = self._objects.get(path, {})
        if weight_name not in held:
            raise ValueError(f"{path!r} has no weight {weight_name!r}; it has {sorted(held)}.")
        del held[weight_name]

    def save(self, filepath: Any) -> None:
        """Write the edited weights.

        Args:
            filepath: a path that ends in `.weights.h5`.

        Raises:
            ValueError: the path has another ending.
            OSError: it cannot be written.
        """
        path = archive.local_path(filepath)
        if not path.name.endswith(".weights.h5"):
            raise ValueError(f"Weights are saved to a path that ends in '.weights.h5', not {str(path)!r}.")
        names = {f"{owner}/vars" if owner else "vars": owner.rpartition("/")[2] for owner in self._objects}
        with archive.replacing(path) as file:
            hdf5.write(file, self._flat(), names)

    def resave_weights(self, filepath: Any) -> None:
        """The same as `save`."""
        self.save(filepath)

    def _flat(self) -> dict[str, np.ndarray]:
        return {
            f"{owner}/vars/{name}" if owner else f"vars/{name}": array
            for owner, arrays in self._objects.items()
            for name, array in arrays.items()
        }

    def _below(self, path: str) -> list[str]:
        return [owner for owner in self._objects if owner == path or owner.startswith(f"{path}/")]

    def _find(self, name: str) -> str:
        paths = {"/".join(owner.split("/")[:i]) for owner in self._objects for i in range(1, owner.count("/") + 2)}
        if name in paths:
            return name
        found = sorted(path for path in paths if path.rpartition("/")[2] == name)
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(f"Several objects are called {name!r}; give the path of one: {', '.join(found)}.")
        raise ValueError(f"The file has no object {name!r}. It has: {', '.join(sorted(paths))}.")


def _checked(path: str) -> str:
    fault = name_fault(path)
    if fault is not None:
        raise ValueError(f"{path!r} {fault}.")
    return path


def _print_tree(nested: Mapping[str, Any], before: str, print_fn: Callable[[str], Any]) -> None:
    for number, (name, inside) in enumerate(nested.items(), 1):
        last = number == len(nested)
        about = "" if isinstance(inside, dict) else f": shape={inside.shape}, dtype={inside.dtype.name}"
        print_fn(f"{before}{'└─' if last else '├─'} {name}{about}")
        if isinstance(inside, dict):
            _print_tree(inside, before + ("    " if last else "│   "), print_fn)

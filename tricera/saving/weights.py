"""`save_weights` and `load_weights`: `.weights.h5` files, whole or in shards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tricera.saving import archive, config, hdf5, state
from tricera.saving.archive import WEIGHTS, Archive, FileFormatError
from tricera.saving.model import build_optimizer

_GB = 10**9


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Write a model's weights, and its optimizer's state if it has one, to a `.weights.h5` file.

    Args:
        model: the model.
        filepath: a path that ends in `.weights.h5`, or in `.weights.json` with `max_shard_size`.
        overwrite: whether to replace a file that is there without asking.
        max_shard_size: in GB: write several files of at most this size, and an index of them at `filepath`.

    Raises:
        ValueError: the path has another ending, or the size is not positive.
        OSError: it cannot be written.
    """
    if kwargs:
        raise TypeError(f"save_weights() got unknown arguments: {', '.join(kwargs)}.")
    path = archive.local_path(filepath)
    ending = ".weights.h5" if max_shard_size is None else ".weights.json"
    if not path.name.endswith(ending):
        given = "" if max_shard_size is None else " with max_shard_size"
        raise ValueError(f"Weights are saved{given} to a path that ends in '{ending}', not {str(path)!r}.")
    if max_shard_size is not None and not max_shard_size > 0:
        raise ValueError(f"`max_shard_size` is a number of gigabytes above 0, not {max_shard_size!r}.")
    if not archive.may_write(path, overwrite):
        return
    if not getattr(model, "built", True):
        raise ValueError(
            f"The model {model.name!r} has no weights to save yet: build it first, by calling it on data or by `build(input_shape)`."
        )
    values = state.state_of(model)
    if max_shard_size is not None:
        _write_shards(path, values, max_shard_size * _GB)
        return
    with archive.replacing(path) as file:
        hdf5.write(file, values.arrays, values.names)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Give a model the weights in a file written by `save_weights`, or those in a `.keras` file.

    Args:
        model: the model, built.
        filepath: a path that ends in `.weights.h5`, `.weights.json` or `.keras`.
        skip_mismatch: leave layers alone whose weights are missing or of other shapes, with a warning.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not such a file, or the weights do not fit; the model has not changed then.
    """
    if kwargs:
        raise TypeError(f"load_weights() got unknown arguments: {', '.join(kwargs)}.")
    with _open(archive.local_path(filepath)) as weights:
        build_optimizer(model, weights)
        state.load_state(model, weights, skip_mismatch=bool(skip_mismatch), lenient_optimizer=True)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[state.Arrays]:
    if path.suffix == ".keras" or path.is_dir():
        with Archive(path) as opened, hdf5.Weights(opened.section(WEIGHTS), f"{WEIGHTS} in {path}") as weights:
            yield weights
    elif not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    elif path.name.endswith(".weights.json"):
        with contextlib.ExitStack() as shards:
            yield _Shards(str(path), [shards.enter_context(hdf5.Weights(str(p), str(p))) for p in _shard_paths(path)])
    elif path.name.endswith(".h5"):
        with hdf5.Weights(str(path), str(path)) as weights:
            yield weights
    else:
        raise ValueError(
            f"Weights are loaded from a file whose name ends in '.weights.h5', '.weights.json' or '.keras', not {str(path)!r}."
        )


class _Shards:
    """Several files of weights as one."""

    def __init__(self, label: str, shards: list[hdf5.Weights]) -> None:
        self.label = label
        self._owner = {path: shard for shard in shards for path in shard}

    def __iter__(self) -> Iterator[str]:
        return iter(self._owner)

    def __getitem__(self, path: str) -> np.ndarray:
        return self._owner[path][path]

    def shape(self, path: str) -> tuple[int, ...]:
        return self._owner[path].shape(path)

    def below(self, path: str) -> list[str]:
        start = f"{path}/"
        return [key[len(start) :] for key in self._owner if key.startswith(start) and "/" not in key[len(start) :]]


def _write_shards(path: Path, values: state.State, limit: float) -> None:
    stem = path.name.removesuffix(".weights.json")
    shards: list[dict[str, np.ndarray]] = [{}]
    weight_map: dict[str, list[str]] = {}
    filled = total = 0
    for group in values.names:
        arrays = {key: array for key, array in values.arrays.items() if key.rpartition("/")[0] == group}
        size = sum(array.nbytes for array in arrays.values())
        if filled and filled + size > limit:
            shards.append({})
            filled = 0
        shards[-1].update(arrays)
        filled, total = filled + size, total + size
        if arrays:
            weight_map[f"/{group}"] = [f"{stem}_{len(shards) - 1:05d}.weights.h5"]
    seeds = {key: array for key, array in values.arrays.items() if not any(key in shard for shard in shards)}
    shards[-1].update(seeds)
    for number, arrays in enumerate(shards):
        names = {
            group: name for group, name in values.names.items() if any(key.startswith(f"{group}/") for key in arrays)
        }
        with archive.replacing(path.with_name(f"{stem}_{number:05d}.weights.h5")) as file:
            hdf5.write(file, arrays, names)
    index = {"metadata": {"total_size": float(total)}, "weight_map": weight_map}
    with archive.replacing(path) as file:
        file.write(config.to_text(index, indent=4).encode())


def _shard_paths(path: Path) -> list[Path]:
    index = config.from_text(path.read_bytes(), str(path))
    names = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(names, dict):
        raise FileFormatError(f"{path} is not an index of weights: it lacks a 'weight_map'.")
    found: dict[str, None] = {}
    for group, files in names.items():
        for name in [files] if isinstance(files, str) else files:
            if not isinstance(name, str) or "/" in name or archive.name_fault(name) is not None:
                raise FileFormatError(
                    f"{path} is refused: it places {group!r} in {name!r}, which is not a file beside it."
                )
            found[name] = None
    return [path.with_name(name) for name in found]

"""Cutting a dataset in two, and the parts of a batch."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from tricera.core import dispatch, rng, tree
from tricera.training.data import foreign
from tricera.training.data.batch import pack_x_y_sample_weight, unpack_x_y_sample_weight
from tricera.training.data.leaves import number_of_samples

__all__ = ["pack_x_y_sample_weight", "split_dataset", "unpack_x_y_sample_weight"]


def split_dataset(
    dataset: Any,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Cut a dataset in two: the first samples and those that follow.

    Args:
        dataset: a `tf.data.Dataset` (read into memory once, so that the halves stay apart even if it reshuffles itself;
            a batched one is cut by samples and batched again), a torch `Dataset`, or arrays of one length: one array or
            a list, tuple or dict of them.
        left_size: samples of the first part, or their fraction between 0 and 1; None means what `right_size` leaves.
        right_size: samples of the second part, likewise.
        shuffle: put the samples into a new order first.
        seed: seed of that order; None draws one from the process-wide stream.
        preferred_backend: `"tensorflow"` or `"torch"`: whose dataset arrays become. None means the current backend's;
            JAX and NumPy have none and take TensorFlow's, or torch's where TensorFlow is not installed.

    Returns:
        The two parts: `tf.data.Dataset`s or torch `Dataset`s of single samples.

    Raises:
        TypeError: the dataset or a size is of another type.
        ValueError: a size is out of range, both are missing, a part would be empty, or a torch dataset should become a
            TensorFlow one or the other way round.
    """
    kind = foreign.kind(dataset)
    own = {"tf_dataset": "tensorflow", "torch_dataset": "torch"}.get(str(kind))
    if preferred_backend not in (None, own or preferred_backend, "jax", "numpy"):
        raise ValueError(f"A dataset of {own} cannot become one of {preferred_backend}. Leave out `preferred_backend`.")
    sizes = (left_size, right_size)
    if kind == "torch_dataset":
        left, right = _orders(len(dataset), sizes, shuffle, seed)
        subset = sys.modules["torch.utils.data"].Subset  # loaded, since the dataset is an instance of its class
        return subset(dataset, left.tolist()), subset(dataset, right.tolist())
    if kind == "tf_dataset":
        return _split_tf(dataset, sizes, shuffle, seed)
    arrays = _arrays(dataset)
    left, right = _orders(number_of_samples({"dataset": arrays}), sizes, shuffle, seed)
    make = _dataset_backend(preferred_backend).data.dataset_of_samples
    return make(_rows(arrays, left)), make(_rows(arrays, right))


def _split_tf(dataset: Any, sizes: tuple[Any, Any], shuffle: bool, seed: int | None) -> tuple[Any, Any]:
    batched = any("BatchDataset" in base.__name__ for base in type(dataset).__mro__)
    batch_size = None
    if batched:
        for batch in dataset.take(1).as_numpy_iterator():
            batch_size = len(tree.flatten(batch)[0])
        dataset = dataset.unbatch()
    samples = list(dataset.as_numpy_iterator())
    if not samples:
        raise ValueError("The dataset is empty, so it cannot be split.")
    arrays = tree.map_structure(lambda *rows: np.stack(rows), *samples)
    parts = [dataset.from_tensor_slices(_rows(arrays, rows)) for rows in _orders(len(samples), sizes, shuffle, seed)]
    left, right = parts if batch_size is None else [part.batch(batch_size) for part in parts]
    return left, right


def _arrays(dataset: Any) -> Any:
    if not isinstance(dataset, (list, tuple, dict)) and not hasattr(dataset, "__array__"):
        raise TypeError(
            "`dataset` must be a tf.data.Dataset, a torch Dataset, an array, or a list, tuple or dict of arrays, not "
            f"{type(dataset).__name__}."
        )
    arrays = tree.map_structure(np.asarray, dataset)
    if any(leaf.ndim == 0 for leaf in tree.flatten(arrays)):
        raise TypeError("`dataset` holds single numbers. Make arrays of them with `np.array` first.")
    return tuple(arrays) if isinstance(arrays, list) else arrays


def _rows(arrays: Any, rows: np.ndarray) -> Any:
    return tree.map_structure(lambda array: array[rows], arrays)


def _orders(n: int, sizes: tuple[Any, Any], shuffle: bool, seed: int | None) -> tuple[np.ndarray, np.ndarray]:
    left, right = _sizes(n, *sizes)
    order = rng.generator(rng.draw_seed() if seed is None else seed).permutation(n) if shuffle else np.arange(n)
    return order[:left], order[left : left + right]


def _sizes(n: int, left_size: Any, right_size: Any) -> tuple[int, int]:
    left, right = _size(n, left_size, "left_size"), _size(n, right_size, "right_size")
    if left is None:
        if right is None:
            raise ValueError("Give `left_size`, `right_size`, or both.")
        left = n - right
    if right is None:
        right = n - left
    if left + right > n:
        raise ValueError(f"`left_size` and `right_size` ask for {left} + {right} samples, but the dataset has {n}.")
    if left == 0 or right == 0:
        raise ValueError(f"Splitting {n} samples into {left} and {right} leaves one part empty. Change the sizes.")
    return left, right


def _size(n: int, size: Any, name: str) -> int | None:
    if size is None:
        return None
    if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, float, np.number)):
        raise TypeError(f"`{name}` must be an int, a float or None, not {type(size).__name__}.")
    whole = isinstance(size, (int, np.integer))
    if not (0 < size < n if whole else 0 < size < 1):
        raise ValueError(f"`{name}` must be an int between 1 and {n - 1} or a fraction between 0 and 1, not {size!r}.")
    return int(size) if whole else round(float(size) * n)


def _dataset_backend(preferred: str | None) -> dispatch.Backend:
    name = preferred or dispatch.current().name
    if name in ("jax", "numpy"):
        name = next((candidate for candidate in ("tensorflow", "torch") if candidate in dispatch.installed()), name)
    if name not in ("tensorflow", "torch"):
        raise ValueError(
            f"The backend {name!r} has no datasets. Install TensorFlow or torch, or slice the arrays yourself."
        )
    return dispatch.get(name)

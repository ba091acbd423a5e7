"""Turning what users hand in (arrays, lists of numbers, frames, tensors) into arrays with a leading batch dimension.

Tensors in the memory of the host become NumPy arrays, mostly without a copy, because gathering a batch is several times
cheaper there than through a framework's dispatcher; tensors on an accelerator stay where they are. Floats are cast to
floatx once, here, rather than once a batch.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import optree

from tricera.core import config, dtypes, tree
from tricera.training.data import foreign
from tricera.training.data.sparse_rows import SparseRows, sparse_rows

_TORCH_CASTS = {"float16": "half", "bfloat16": "bfloat16", "float32": "float", "float64": "double"}


def standardize(structure: Any, name: str) -> Any:
    """The same structure with each leaf an array (NumPy, on its own device, or sparse by rows) of at least one dimension.

    Args:
        structure: arrays, lists of numbers, pandas objects or tensors in lists, tuples and dicts; None stays None.
        name: what to call it in errors (`"x"`).

    Raises:
        TypeError: a leaf holds text or objects.
        ValueError: a leaf is no array or a scalar, or a list is ragged.

    Example:
        >>> standardize({"a": [1, 2], "b": [[0.5]]}, "x")
        {'a': array([1, 2]), 'b': array([[0.5]], dtype=float32)}
    """
    if isinstance(structure, np.ndarray):
        return to_array(structure, name)
    return optree.tree_map_with_path(
        lambda path, leaf: to_array(leaf, name + "".join(f"[{key!r}]" for key in path)),
        structure,
        is_leaf=_is_number_list,
        none_is_leaf=True,
    )


def _is_number_list(node: Any) -> bool:
    if not isinstance(node, (list, tuple)) or not node:
        return False
    return all(isinstance(e, (numbers.Number, np.bool_)) or _is_number_list(e) for e in node)


def to_array(x: Any, where: str) -> Any:
    """One leaf as an array; see `standardize`."""
    if x is None:
        return None
    if isinstance(x, SparseRows):
        return x
    kind = None if isinstance(x, np.ndarray) else foreign.kind(x)
    if kind == "sparse" or (kind == "torch" and str(getattr(x, "layout", "torch.strided")) != "torch.strided"):
        return sparse_rows(x, where)
    if kind in ("torch", "jax") and not _on_host(x, kind):
        array = _cast_on_device(x, kind)
    else:
        array = _cast(_to_numpy(x, kind, where), where, text=kind == "tensorflow")
    if len(array.shape) == 0:
        raise ValueError(f"`{where}` is a scalar. Data needs a leading batch dimension; use `[value]` for one sample.")
    return array


def _to_numpy(x: Any, kind: foreign.Kind | None, where: str) -> np.ndarray:
    if kind in ("frame", "series"):
        return _from_pandas(x, kind, where)
    if kind == "torch":
        x = x.detach()
        return (x.float() if x.is_floating_point() and x.dtype.itemsize <= 2 else x).numpy()
    if kind == "tf_ragged":
        return x.to_tensor().numpy()
    if kind == "tensorflow":
        if not hasattr(x, "numpy"):
            raise ValueError(f"`{where}` is a symbolic TensorFlow tensor; data must be concrete.")
        return np.asarray(x.numpy())
    if isinstance(x, (list, tuple)):
        try:
            return np.asarray(x)
        except ValueError as error:
            raise ValueError(f"`{where}` is a list of lists of different lengths; pad them to one length.") from error
    if isinstance(x, (str, bytes)):
        raise TypeError(f"`{where}` is text ({x[:40]!r}), which cannot be trained on. Encode it as integers first.")
    if not (hasattr(x, "__array__") or isinstance(x, (numbers.Number, np.generic))):
        raise ValueError(
            f"`{where}` has a type that cannot be used as data: {type(x).__module__}.{type(x).__qualname__}. "
            "Expected NumPy arrays, framework tensors, pandas frames, lists of numbers, or a data source "
            "(tf.data.Dataset, torch DataLoader, PyDataset, generator)."
        )
    return np.asarray(x)


def _from_pandas(x: Any, kind: foreign.Kind, where: str) -> np.ndarray:
    columns = x.dtypes.items() if kind == "frame" else [(x.name, x.dtype)]
    odd = [str(name) for name, dtype in columns if getattr(dtype, "kind", "O") not in "biuf"]
    if odd:
        raise TypeError(f"`{where}` has columns that are not numeric: {', '.join(odd)}. Encode or drop them first.")
    array = x.to_numpy()
    if array.dtype.kind == "O":  # bool beside float, or nullable integers: pandas finds no common NumPy dtype by itself
        array = x.to_numpy(dtype="float64", na_value=np.nan) if kind == "series" else x.astype("float64").to_numpy()
    return array if kind == "frame" else array[:, None]


def _cast(array: np.ndarray, where: str, text: bool = False) -> np.ndarray:
    dtype = array.dtype
    if dtype.kind == "f" or dtype.name.startswith(("bfloat", "float8")):
        return array.astype(dtypes.numpy_dtype(config.floatx()), copy=False)
    if dtype.kind in "biuc" or dtype.name in ("int4", "uint4") or text:
        return array
    raise TypeError(
        f"`{where}` has dtype {dtype}, which cannot be trained on. Encode text and categories as integers first; for "
        "ragged or mixed data build one numeric array an input."
    )


def _on_host(x: Any, kind: foreign.Kind) -> bool:
    if kind == "torch":
        return x.device.type == "cpu"
    return all(device.platform == "cpu" for device in x.devices())


def _cast_on_device(x: Any, kind: foreign.Kind) -> Any:
    floatx = config.floatx()
    if kind == "jax":
        return x.astype(floatx) if "float" in str(x.dtype) and str(x.dtype) != floatx else x
    x = x.detach()
    return getattr(x, _TORCH_CASTS[floatx])() if x.is_floating_point() else x


def number_of_samples(arrays: dict[str, Any]) -> int:
    """The common length of all leaves.

    Args:
        arrays: structures of arrays by name.

    Raises:
        ValueError: there is no array, no sample, or the lengths differ (each is named).
    """
    lengths = {
        name + "".join(f"[{key!r}]" for key in path): int(leaf.shape[0])
        for name, structure in arrays.items()
        for path, leaf in tree.flatten_with_path(structure)
        if leaf is not None
    }
    if not lengths:
        raise ValueError("The data holds no array: `x` is None or an empty structure.")
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{where}: {n}" for where, n in lengths.items())
        raise ValueError(f"All arrays must have the same number of samples (their first dimension), but have {listed}.")
    n = next(iter(lengths.values()))
    if n == 0:
        raise ValueError("The data is empty: every array has 0 samples (its first dimension).")
    return n


def gather(array: Any, index: slice | np.ndarray) -> Any:
    """The rows at `index`: a view for a slice, a copy for an array of indices."""
    if type(index) is slice or not isinstance(array, np.ndarray):
        return array[index]
    return np.take(array, index, axis=0)


def part_of(array: Any, rows: slice) -> Any:
    """Rows that follow each other: a view, where the array is NumPy's."""
    return array.part(rows) if isinstance(array, SparseRows) else array[rows]

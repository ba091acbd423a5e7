"""Sparse data in memory: rows are kept sparse and become dense batch by batch.

A batch of sparse tensors has another number of stored values each time, for which JAX would compile anew, and torch's layers take
no sparse tensors; a dense batch is small, and is made in the thread that reads ahead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import config, dtypes


class SparseRows:
    """A sparse array, by rows.

    Args:
        coordinates: int array (stored values, rank); what comes twice adds up.
        values: the stored values; floats become floatx.
        shape: of the array.

    Example:
        >>> rows = SparseRows(np.array([[0, 1], [2, 0]]), np.array([5, 6]), (3, 2))
        >>> rows[np.array([2, 0])].tolist(), len(rows[1:])
        ([[6, 0], [0, 5]], 2)
    """

    def __init__(self, coordinates: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> None:
        self.shape = tuple(int(n) for n in shape)
        if values.dtype.kind == "f":
            values = values.astype(dtypes.numpy_dtype(config.floatx()), copy=False)
        row = coordinates[:, 0]
        column = np.zeros_like(row)
        for axis, n in enumerate(self.shape[1:], 1):
            column = column * n + coordinates[:, axis]
        order = np.argsort(row, kind="stable")
        self._columns, self._values = column[order], values[order]
        self._starts = np.searchsorted(row[order], np.arange(self.shape[0] + 1))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the values."""
        return self._values.dtype

    @property
    def nbytes(self) -> int:
        """The bytes that the stored values and their places take."""
        return self._values.nbytes + self._columns.nbytes + self._starts.nbytes

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """The dense array of some rows."""
        rows = np.arange(self.shape[0])[rows]
        starts, counts = self._starts[rows], np.diff(self._starts)[rows]
        # the places of all values of these rows, one row after the other
        places = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(counts.sum())
        dense = np.zeros((len(rows), int(np.prod(self.shape[1:]))), self.dtype)
        np.add.at(dense, (np.repeat(np.arange(len(rows)), counts), self._columns[places]), self._values[places])
        return dense.reshape(len(rows), *self.shape[1:])

    def part(self, rows: slice) -> SparseRows:
        """Some rows that follow each other, sparse."""
        start, stop, _ = rows.indices(self.shape[0])
        first, last = self._starts[start], self._starts[stop]
        found = SparseRows.__new__(SparseRows)
        found.shape = (stop - start, *self.shape[1:])
        found._columns, found._values = self._columns[first:last], self._values[first:last]
        found._starts = self._starts[start : stop + 1] - first
        return found


def sparse_rows(x: Any, where: str) -> SparseRows:
    """A sparse tensor of any library, by rows.

    Args:
        x: a matrix or array of SciPy, a `tf.SparseTensor`, a `BCOO` or another of JAX's, or a sparse torch tensor.
        where: what to call it in errors.

    Raises:
        TypeError: the values are no numbers.
        ValueError: it is of another kind, or has no axis for samples.
    """
    root = type(x).__module__.partition(".")[0]
    if root == "jax" and hasattr(x, "to_bcoo"):
        x = x.to_bcoo()
    if root == "scipy":
        x = x.tocoo()
        parts = x.coords if hasattr(x, "coords") else (x.row, x.col)
        coordinates, values = np.stack([np.asarray(p, "int64") for p in parts], 1), np.asarray(x.data)
        shape = x.shape
    elif root == "tensorflow" and hasattr(x, "values") and type(x).__name__ != "IndexedSlices":
        coordinates, values, shape = np.asarray(x.indices), np.asarray(x.values), np.asarray(x.dense_shape)
    elif root == "torch":
        x = x.detach().cpu().to_sparse(x.ndim).coalesce()
        coordinates, values, shape = x.indices().numpy().T, x.values().numpy(), x.shape
    elif root == "jax" and not getattr(x, "n_batch", 1) and not x.n_dense:
        coordinates, values, shape = np.asarray(x.indices, "int64"), np.asarray(x.data), x.shape
        inside = (coordinates < np.asarray(shape)).all(axis=1)  # what pads the stored values lies outside
        coordinates, values = coordinates[inside], values[inside]
    else:
        raise ValueError(
            f"`{where}` is sparse ({type(x).__name__}), of a kind that is not taken: give a matrix of SciPy, a tf.SparseTensor, a "
            "JAX BCOO without batch or dense axes, or make it dense."
        )
    if values.dtype.kind not in "biuf":
        raise TypeError(f"`{where}` has dtype {values.dtype}, which cannot be trained on.")
    if len(shape) == 0:
        raise ValueError(f"`{where}` is a scalar. Data needs a leading batch dimension.")
    return SparseRows(coordinates, values, tuple(shape))

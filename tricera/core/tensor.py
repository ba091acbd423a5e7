"""`KerasTensor`: a tensor that has a shape and a dtype but no value, as layers are wired together."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from tricera.core import dtypes, naming
from tricera.core.operators import OPS, Operators
from tricera.core.scoped import Scoped
from tricera.core.variable import standardize_shape

Shape = tuple[int | None, ...]
# Stands in annotations for whatever an op accepts: a tensor of any framework, a Variable, an array, a number, a nested list.
TensorLike = Any
Tensor = Any


class Spec(NamedTuple):
    """What is known of a tensor before it exists."""

    shape: Shape
    dtype: str

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)


# False while shapes are inferred: ops then give symbolic results without adding nodes to the graph.
recording: Scoped[bool] = Scoped("recording", default=True)


class SymbolicScope:
    """A scope in which symbolic ops infer shapes and record nothing."""

    def __enter__(self) -> SymbolicScope:
        self._token = recording.set(False)
        return self

    def __exit__(self, *exc_info: Any) -> None:
        recording.reset(self._token)


@contextlib.contextmanager
def not_recording() -> Iterator[None]:
    """As `SymbolicScope`, as a context manager function."""
    token = recording.set(False)
    try:
        yield
    finally:
        recording.reset(token)


class KerasTensor(Operators):
    """A symbolic tensor: the input or output of a layer while a model is being wired.

    Args:
        shape: dimensions, None where unknown.
        dtype: its name.
        sparse: whether the values will be sparse.
        ragged: whether the values will be ragged.
        record_history: whether ops on it become nodes of a graph.
        name: default: `keras_tensor`, `keras_tensor_1`, ...

    Example:
        >>> x = KerasTensor((None, 3))
        >>> (x + 1).shape
        (None, 3)
    """

    _keras_symbolic = True
    ragged_rank: int | None = None
    row_splits_dtype: str | None = None

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if sparse and ragged:
            raise ValueError("A KerasTensor can't be both sparse and ragged.")
        self._shape = standardize_shape(shape)
        self._dtype = dtypes.standardize_dtype(dtype)
        self._sparse = bool(sparse)
        self._ragged = bool(ragged)
        self.ragged_rank = kwargs.pop("ragged_rank", None)
        self.row_splits_dtype = kwargs.pop("row_splits_dtype", None)
        if kwargs:
            raise TypeError(f"Unknown argument of KerasTensor: {', '.join(kwargs)}.")
        self.record_history = record_history
        self._name = name

    @property
    def name(self) -> str:
        """The name, made up when first asked for."""
        if self._name is None:
            self._name = naming.auto_name("keras_tensor")
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def shape(self) -> Shape:
        """The shape, None where a dimension is unknown."""
        return self._shape

    @property
    def dtype(self) -> str:
        """The name of the dtype."""
        return self._dtype

    @property
    def sparse(self) -> bool:
        """Whether the values will be sparse."""
        return self._sparse

    @property
    def ragged(self) -> bool:
        """Whether the values will be ragged."""
        return self._ragged

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    def reshape(self, newshape: Any) -> KerasTensor:
        """The symbolic `ops.reshape`."""
        return OPS["reshape"](self, newshape)

    def squeeze(self, axis: Any = None) -> KerasTensor:
        """The symbolic `ops.squeeze`."""
        return OPS["squeeze"](self, axis=axis)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self._shape}, dtype={self._dtype}, sparse={self._sparse}, ragged={self._ragged}, name={self.name}>"

    def __iter__(self) -> Iterator[Any]:
        if not self._shape or self._shape[0] is None:
            raise TypeError(
                f"A symbolic tensor of shape {self._shape} can't be iterated over. Use `ops.unstack` on a known axis."
            )
        return (self[i] for i in range(self._shape[0]))

    def __len__(self) -> int:
        if not self._shape or self._shape[0] is None:
            raise TypeError(f"A symbolic tensor of shape {self._shape} has no length that is known.")
        return self._shape[0]

    def __bool__(self) -> bool:
        raise TypeError(
            "A symbolic KerasTensor has no truth value. Use `ops.where` or `ops.cond` in the place of `if`."
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise ValueError(
            "A KerasTensor is symbolic: it has a shape and a dtype but no value, so it can't become a NumPy array. "
            "Use `ops` functions on it, or put the code into the `call` of a Layer."
        )

    __float__ = __int__ = __index__ = __array__  # type: ignore[assignment]

    def __jax_array__(self) -> Any:
        return self.__array__()

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return self.__array__()


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor.

    Example:
        >>> is_keras_tensor(KerasTensor((2,)))
        True
    """
    return isinstance(x, KerasTensor)


def any_symbolic(leaves: Any) -> bool:
    """Whether any of the leaves is a symbolic tensor."""
    return any(isinstance(leaf, KerasTensor) for leaf in leaves)

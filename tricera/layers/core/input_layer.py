"""`Input`: where a functional model begins."""

from __future__ import annotations

from typing import Any

from tricera.core import dtypes
from tricera.core.graph import Node
from tricera.core.tensor import KerasTensor
from tricera.core.variable import standardize_shape
from tricera.layers.layer import Layer


class InputLayer(Layer):
    """The source of one symbolic tensor.

    Args:
        shape: the shape of one sample, None where any length will do.
        batch_size: the size of a batch, if it is fixed.
        dtype: the dtype, floatx for None.
        sparse: whether values will be sparse.
        ragged: whether values will be ragged.
        batch_shape: the shape with the batch axis, in the place of `shape` and `batch_size`.
        input_tensor: an existing symbolic tensor to begin with; if it belongs to a graph already, one like it.
        optional: whether None may be fed.
        name: default: `input_layer`, numbered.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if kwargs:
            raise ValueError(f"Unknown argument of Input: {', '.join(kwargs)}.")
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(f"`tensor` must be a symbolic KerasTensor, not a {type(input_tensor).__name__}.")
            shape, batch_shape = None, input_tensor.shape
            dtype = dtype or input_tensor.dtype
        if (shape is None) == (batch_shape is None):
            raise ValueError(
                f"Pass either `shape` or `batch_shape` to Input; got shape={shape}, batch_shape={batch_shape}."
            )
        if batch_shape is None:
            batch_shape = (batch_size, *standardize_shape(shape))
        elif batch_size is not None:
            raise ValueError("Pass `batch_size` together with `shape`, not with `batch_shape`.")
        self._batch_shape = tuple(standardize_shape(batch_shape))
        self._dtype = dtypes.standardize_dtype(dtype)
        self.sparse, self.ragged, self.optional = bool(sparse), bool(ragged), optional
        output = input_tensor
        if output is None or hasattr(output, "_keras_history"):  # which would forget where it came from
            output = KerasTensor(self._batch_shape, self._dtype, sparse=self.sparse, ragged=self.ragged, name=self.name)
        Node(self, (), {}, output)
        self.built = True

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape of the tensor, None where any length will do."""
        return self._batch_shape

    @property
    def dtype(self) -> str:
        """The dtype of the tensor."""
        return self._dtype

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: an input layer has no inputs of its own."""
        raise NotImplementedError("An InputLayer is not called; its tensor is `layer.output`.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor with which a functional model begins.

    Args:
        shape: the shape of one sample, None where any length will do.
        batch_size: the size of a batch, if it is fixed.
        dtype: the dtype, floatx for None.
        sparse: whether values will be sparse.
        ragged: whether values will be ragged.
        batch_shape: the shape with the batch axis, in the place of `shape` and `batch_size`.
        name: the input's name.
        tensor: an existing symbolic tensor; if it belongs to a graph already, the result is one like it.
        optional: whether None may be fed.

    Returns:
        A KerasTensor.

    Raises:
        ValueError: neither or both of `shape` and `batch_shape` are given.

    Example:
        >>> Input((28, 28, 1)).shape
        (None, 28, 28, 1)
    """
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged, batch_shape=batch_shape,
        name=name, input_tensor=tensor, optional=optional,
    )  # fmt: skip
    return layer.output

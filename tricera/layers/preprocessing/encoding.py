"""Integers as one-hot, multi-hot or count vectors."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core.tensor import KerasTensor
from tricera.layers.preprocessing.data_layer import DataLayer

MODES = ("one_hot", "multi_hot", "count")


def encode(x: Any, mode: str, depth: int, dtype: str, weights: Any = None, sparse: bool = False) -> Any:
    """Indices as vectors of length `depth`; an index outside of the range is a vector of zeros.

    Args:
        x: an integer tensor.
        mode: `"int"` (nothing is done), `"one_hot"` (a vector an element), `"multi_hot"` (a vector a sample: 1 where an index is
            among the last axis) or `"count"` (how often it is).
        depth: the length of the vectors.
        dtype: of the result.
        weights: what each element counts, of the shape of `x`.
        sparse: give a sparse tensor, on frameworks that have one.

    Returns:
        A tensor of shape `encoded_shape`.
    """
    if mode == "int":
        return x
    if mode == "one_hot":
        if len(x.shape) and x.shape[-1] == 1:
            x = ops.squeeze(x, axis=-1)
        elif not len(x.shape):
            x = ops.expand_dims(x, 0)
        return ops.one_hot(x, depth, dtype=dtype, sparse=sparse)
    if not len(x.shape):
        x = ops.expand_dims(x, 0)
    if weights is not None:
        weights = ops.expand_dims(ops.reshape(ops.cast(weights, dtype), ops.shape(x)), -1)
    vectors = ops.one_hot(x, depth, dtype=dtype, sparse=sparse)
    if mode == "multi_hot":  # sums and signs of sparse tensors stay sparse
        return ops.sign(ops.sum(vectors, axis=-2)) if sparse else ops.max(vectors, axis=-2)
    return ops.sum(vectors if weights is None else ops.multiply(vectors, weights), axis=-2)


def encoded_shape(shape: Any, mode: str, depth: int | None) -> tuple[int | None, ...]:
    """The shape of what `encode` gives."""
    shape = tuple(shape)
    if mode == "int":
        return shape
    if mode == "one_hot":
        return (*(shape[:-1] if shape and shape[-1] == 1 else shape), depth)
    return (*shape[:-1], depth)


class CategoryEncoding(DataLayer):
    """Integer features as vectors, where the number of categories is known.

    Args:
        num_tokens: the number of categories; inputs lie in [0, num_tokens).
        output_mode: `"one_hot"`: a vector for each element (a last axis of length 1 is replaced); `"multi_hot"`: a vector for
            each sample, 1 at each category that its last axis holds; `"count"`: how often it does.
        sparse: give a sparse tensor, on frameworks that have one.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: no positive number of tokens, or an unknown mode.

    Example:
        >>> CategoryEncoding(4, output_mode="count")([[0, 1, 1], [3, 3, 2]]).shape[1]
        4
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if num_tokens is None or isinstance(num_tokens, bool) or int(num_tokens) != num_tokens or num_tokens < 1:
            raise ValueError(
                f"`num_tokens` of the layer {self.name!r} must be a positive integer; got {num_tokens!r}. "
                "Where it isn't known, use IntegerLookup."
            )
        if output_mode in ("onehot", "binary"):
            output_mode = {"onehot": "one_hot", "binary": "multi_hot"}[output_mode]
        if output_mode not in MODES:
            raise ValueError(f"`output_mode` of the layer {self.name!r} must be one of {MODES}; got {output_mode!r}.")
        self.num_tokens, self.output_mode, self.sparse = num_tokens, output_mode, sparse
        self.built = True

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """Encode.

        Args:
            inputs: an integer tensor.
            count_weights: what each element counts in the mode `"count"`.
        """
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"The layer {self.name!r} takes `count_weights` in the mode 'count' alone, not in {self.output_mode!r}."
            )
        if count_weights is not None:
            count_weights = ops.convert_to_tensor(count_weights, dtype=self.compute_dtype)
        x = ops.cast(inputs, "int32")
        return encode(x, self.output_mode, self.num_tokens, self.compute_dtype, count_weights, self.sparse)

    def compute_output_shape(self, input_shape: Any, count_weights_shape: Any = None) -> Any:
        """The last axis holds the categories."""
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def compute_output_spec(self, inputs: Any, count_weights: Any = None) -> Any:
        """As computed, perhaps sparse."""
        shape = self.compute_output_shape(inputs.shape)
        return KerasTensor(shape, self.compute_dtype, sparse=self.sparse)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config_ = {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}
        return {**config_, "sparse": True} if self.sparse else config_

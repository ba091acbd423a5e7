"""`Embedding`: a vector for each integer."""

from __future__ import annotations

from typing import Any

from tricera import constraints, initializers, ops, regularizers
from tricera.core import dtypes
from tricera.core.variable import autocast
from tricera.layers.core.dense import positive
from tricera.layers.layer import Layer


class Embedding(Layer):
    """Rows of a table, chosen by integers.

    Args:
        input_dim: how many integers there are.
        output_dim: the length of a vector.
        embeddings_initializer: of the table.
        embeddings_regularizer: of the table.
        embeddings_constraint: of the table.
        mask_zero: 0 means padding, and is masked.
        weights: the table's values.
        lora_rank: not available yet.
        lora_alpha: not available yet.
        quantization_config: not available yet.
        **kwargs: those of `Layer`.

    Input: integers of any shape. Output: the same shape with an axis `output_dim`.

    Example:
        >>> Embedding(10, 4)(ops.convert_to_tensor([[1, 2]])).shape[-1]
        4
    """

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform", embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None, mask_zero: bool = False, weights: Any = None, lora_rank: int | None = None,
        lora_alpha: float | None = None, quantization_config: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        if lora_rank is not None or quantization_config is not None:
            raise NotImplementedError(
                "LoRA and quantization of layers are not available yet; leave their arguments at None."
            )
        self.input_dim, self.output_dim = positive("input_dim", input_dim), positive("output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = self.supports_masking = mask_zero
        self.autocast = False
        self._given_weights = weights
        if weights is not None:
            self.build(None)
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape: Any = None) -> None:
        """Make the table."""
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.input_dim, self.output_dim), initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        """Look the vectors up."""
        if not dtypes.is_int(ops.dtype(inputs)):
            inputs = ops.cast(inputs, "int32")
        with autocast(None):  # rows are cast, not the whole table
            rows = ops.take(self.embeddings, inputs, axis=0)
        return ops.cast(rows, self.compute_dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where the integer isn't 0, if `mask_zero`."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape with an axis `output_dim`."""
        return (*tuple(input_shape), self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "input_dim": self.input_dim, "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint), "mask_zero": self.mask_zero, "quantization_config": None,
        }  # fmt: skip

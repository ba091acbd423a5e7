"""`Embedding`: a vector for each integer."""

from __future__ import annotations

from typing import Any, ClassVar

from tricera import constraints, initializers, ops, regularizers
from tricera.core import dtypes
from tricera.core.checks import positive
from tricera.layers.low_rank import LowRank, adapted
from tricera.layers.quantization import refuse_quantized


class Embedding(LowRank):
    """Rows of a table, chosen by integers.

    Args:
        input_dim: how many integers there are.
        output_dim: the length of a vector.
        embeddings_initializer: of the table.
        embeddings_regularizer: of the table.
        embeddings_constraint: of the table.
        mask_zero: 0 means padding, and is masked.
        weights: the table's values.
        lora_rank: train a low-rank difference to a frozen table (Hu et al. 2021).
        lora_alpha: the scale of that difference, `lora_rank` for None.
        quantization_config: not available yet.
        **kwargs: those of `Layer`.

    Input: integers of any shape. Output: the same shape with an axis `output_dim`.

    Example:
        >>> Embedding(10, 4)(ops.convert_to_tensor([[1, 2]])).shape[-1]
        4
    """

    adaptable = "embeddings"
    stored: ClassVar[tuple[str, ...]] = ("embeddings",)
    embeddings = adapted("embeddings")

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform", embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None, mask_zero: bool = False, weights: Any = None, lora_rank: int | None = None,
        lora_alpha: float | None = None, quantization_config: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        kwargs.pop("input_length", None)
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs)
        refuse_quantized(self, quantization_config)
        self.quantization_config = None
        self.input_dim, self.output_dim = positive("input_dim", input_dim), positive("output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = self.supports_masking = mask_zero
        self.autocast = False
        self._given_weights = weights
        if weights is not None:
            self.build(None)
            given = list(weights) if isinstance(weights, (list, tuple)) else [weights]
            self.set_weights([*given, *self.get_weights()[len(given) :]] if self.lora_enabled else given)

    def build(self, input_shape: Any = None) -> None:
        """Make the table."""
        self._add_tables()
        self.build_low_rank()

    def _add_tables(self) -> None:
        self._embeddings = self.add_weight(
            name="embeddings", shape=(self.input_dim, self.output_dim), initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        """Look the vectors up."""
        if not dtypes.is_int(ops.dtype(inputs)):
            inputs = ops.cast(inputs, "int32")
        return ops.cast(self.adapted_rows(inputs), self.compute_dtype)

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
            **self.low_rank_config(),
        }  # fmt: skip

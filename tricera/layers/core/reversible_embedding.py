"""`ReversibleEmbedding`: tokens to vectors, and vectors to scores of tokens."""

from __future__ import annotations

from typing import Any, ClassVar

from tricera import ops
from tricera.core import dtypes
from tricera.core.tensor import KerasTensor
from tricera.core.variable import autocast
from tricera.layers.core.embedding import Embedding


class ReversibleEmbedding(Embedding):
    """An embedding that also runs backwards: `layer(x, reverse=True)` is x E^T, or x R with weights of its own.

    Args:
        input_dim: how many integers there are.
        output_dim: the length of a vector.
        tie_weights: go backwards with the embeddings transposed, rather than with other weights (Press & Wolf 2016).
        embeddings_initializer: of the table, and of the other weights.
        embeddings_regularizer: of the table.
        embeddings_constraint: of the table.
        mask_zero: 0 means padding, and is masked.
        reverse_dtype: in which dtype to go backwards, the layer's compute dtype for None.
        logit_soft_cap: keeps the scores within (-cap, cap) by cap * tanh(scores / cap).
        **kwargs: those of `Embedding` and `Layer`.

    Input: integers of any shape; reversed: floats (..., output_dim). Output: the same shape with an axis `output_dim`; reversed:
    (..., input_dim).

    Raises:
        ValueError: a size or the cap isn't positive.

    Example:
        >>> layer = ReversibleEmbedding(10, 4)
        >>> layer(layer(ops.convert_to_tensor([[1, 2]])), reverse=True).shape[-1]
        10
    """

    stored: ClassVar[tuple[str, ...]] = ("embeddings", "reverse_embeddings")

    def __init__(
        self, input_dim: int, output_dim: int, tie_weights: bool = True, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, embeddings_constraint: Any = None, mask_zero: bool = False,
        reverse_dtype: Any = None, logit_soft_cap: float | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        if logit_soft_cap is not None and not logit_soft_cap > 0:
            raise ValueError(f"`logit_soft_cap` of the layer {self.name!r} must be positive, not {logit_soft_cap!r}.")
        self.tie_weights, self.logit_soft_cap = tie_weights, logit_soft_cap
        if reverse_dtype is not None:
            dtypes.standardize_dtype(reverse_dtype)
        self.reverse_dtype = reverse_dtype

    def _add_tables(self) -> None:
        super()._add_tables()
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
            )

    def _reversed_dtype(self) -> str:
        return self.compute_dtype if self.reverse_dtype is None else dtypes.standardize_dtype(self.reverse_dtype)

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Look vectors up, or score tokens.

        Args:
            inputs: integers, or vectors.
            reverse: from vectors to scores.
        """
        if not reverse:
            return super().call(inputs)
        kind = self._reversed_dtype()
        with autocast(None):
            kernel = (
                ops.transpose(self.embeddings) if self.tie_weights else ops.convert_to_tensor(self.reverse_embeddings)
            )
        scores = ops.matmul(ops.cast(inputs, kind), ops.cast(kernel, kind))
        if self.logit_soft_cap is not None:
            scores = ops.multiply(ops.tanh(ops.divide(scores, self.logit_soft_cap)), self.logit_soft_cap)
        return scores

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where the integer isn't 0, if `mask_zero`; none for the scores."""
        return None if dtypes.is_float(ops.dtype(inputs)) else super().compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        """The input's shape with an axis `output_dim`; reversed, with the last one `input_dim` long."""
        shape = tuple(input_shape)
        return (*shape[:-1], self.input_dim) if reverse else (*shape, self.output_dim)

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        """The outputs as symbolic tensors."""
        shape = self.compute_output_shape(inputs.shape, reverse)
        return KerasTensor(shape, self._reversed_dtype() if reverse else self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "tie_weights": self.tie_weights, "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }  # fmt: skip

"""`GroupQueryAttention`."""

from __future__ import annotations

from typing import Any

from tricera.core.checks import positive
from tricera.layers.attention.heads import HeadsAttention


class GroupedQueryAttention(HeadsAttention):
    """Attention by several heads that share keys and values in groups (Ainslie et al. 2023).

    The public name is `GroupQueryAttention`, as in Keras. With one key-value head it is multi-query attention, with as many as
    query heads multi-head attention.

    Args:
        head_dim: the features of a head.
        num_query_heads: how many heads look.
        num_key_value_heads: how many are looked at; divides `num_query_heads`.
        dropout: the rate of dropout of the scores.
        use_bias: whether the projections have a bias.
        sliding_window: a query sees keys that are fewer positions away than this, all for None.
        flash_attention: ask for kernels that never make the scores; without the wish fused kernels are used where they fit, too.
        kernel_initializer: of the projections' kernels.
        bias_initializer: of their biases.
        kernel_regularizer: of their kernels.
        bias_regularizer: of their biases.
        activity_regularizer: of their outputs, and the layer's.
        kernel_constraint: of their kernels.
        bias_constraint: of their biases.
        use_gate: multiply each head's output by sigmoid(query W + b) (Qiu et al. 2025).
        seed: of dropout.
        **kwargs: those of `Layer`.

    Masks are joined as by `MultiHeadAttention`.

    Raises:
        ValueError: an option is out of range, or two contradict each other.

    Example:
        >>> from tricera import ops
        >>> GroupedQueryAttention(4, num_query_heads=6, num_key_value_heads=2)(ops.ones((1, 3, 8)), ops.ones((1, 5, 8))).shape[-1]
        8
    """

    def __init__(
        self, head_dim: int, num_query_heads: int, num_key_value_heads: int, dropout: float = 0.0, use_bias: bool = True,
        sliding_window: int | None = None, flash_attention: bool | None = None, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None, use_gate: bool = False,
        seed: int | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        options = {
            "kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer, "bias_regularizer": bias_regularizer,
            "activity_regularizer": activity_regularizer, "kernel_constraint": kernel_constraint,
            "bias_constraint": bias_constraint,
        }  # fmt: skip
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, use_gate, seed, options,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self._size = self._value_size = positive("head_dim", head_dim)
        self._heads = positive("num_query_heads", num_query_heads)
        self._groups = positive("num_key_value_heads", num_key_value_heads)
        if self._heads % self._groups:
            raise ValueError(
                f"`num_query_heads` ({num_query_heads}) of the layer {self.name!r} must be divisible by `num_key_value_heads` "
                f"({num_key_value_heads})."
            )

    def _check_shapes(self, query: tuple[Any, ...], value: tuple[Any, ...], key: tuple[Any, ...]) -> None:
        super()._check_shapes(query, value, key)
        if len(query) != 3:
            raise ValueError(
                f"The layer {self.name!r} takes tensors of 3 axes (batch, tokens, features); the query's shape is {query}."
            )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "head_dim": self._size, "num_query_heads": self._heads,
            "num_key_value_heads": self._groups, "use_bias": self._use_bias, "use_gate": self._use_gate,
            "sliding_window": self._sliding_window, "dropout": self._dropout, **self._shared_config(),
        }  # fmt: skip

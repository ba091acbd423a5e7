"""`MultiHeadAttention`."""

from __future__ import annotations

from typing import Any

from tricera.core.checks import positive
from tricera.layers.attention.heads import HeadsAttention
from tricera.layers.attention.masks import Axes
from tricera.layers.core.einsum_dense import EinsumDense


class MultiHeadAttention(HeadsAttention):
    """Attention by several heads, each with projections of its own (Vaswani et al. 2017).

    head_i = softmax(Q_i K_i^T / sqrt(key_dim)) V_i with Q_i = query W_i + b_i and so on; the output is a projection of all heads.

    Args:
        num_heads: how many heads.
        key_dim: the features of query and key in a head.
        value_dim: the features of the value in a head, `key_dim` for None.
        dropout: the rate of dropout of the scores.
        use_bias: whether the projections have a bias.
        output_shape: the shape of a token of the output, that of the query's for None.
        attention_axes: over which axes attention goes, all between batch and features for None; the others count as batch.
        sliding_window: a query sees keys that are fewer positions away than this, all for None.
        flash_attention: ask for kernels that never make the scores; without the wish fused kernels are used where they fit, too.
        kernel_initializer: of the projections' kernels.
        bias_initializer: of their biases.
        kernel_regularizer: of their kernels.
        bias_regularizer: of their biases.
        activity_regularizer: of their outputs.
        kernel_constraint: of their kernels.
        bias_constraint: of their biases.
        use_gate: multiply each head's output by sigmoid(query W + b) (Qiu et al. 2025).
        seed: of dropout.
        **kwargs: those of `Layer`.

    Masks of the inputs count as `query_mask`, `value_mask` and `key_mask`; all masks are joined with `and`. A query that sees
    nothing gets zeros from each head. NaN or infinity in a hidden token comes through, as 0 * NaN is NaN. Positions count row by row where attention goes over several axes.

    Raises:
        ValueError: an option is out of range, or two contradict each other.

    Example:
        >>> from tricera import ops
        >>> MultiHeadAttention(num_heads=2, key_dim=4)(ops.ones((1, 3, 8)), ops.ones((1, 5, 8))).shape[-1]
        8
    """

    def __init__(
        self, num_heads: int, key_dim: int, value_dim: int | None = None, dropout: float = 0.0, use_bias: bool = True,
        output_shape: Any = None, attention_axes: Any = None, sliding_window: int | None = None,
        flash_attention: bool | None = None, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, use_gate: bool = False, seed: int | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        options = {
            "kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer, "bias_regularizer": bias_regularizer,
            "activity_regularizer": activity_regularizer, "kernel_constraint": kernel_constraint,
            "bias_constraint": bias_constraint,
        }  # fmt: skip
        super().__init__(dropout, use_bias, sliding_window, flash_attention, use_gate, seed, options, **kwargs)
        self._heads = self._groups = positive("num_heads", num_heads)
        self._size = positive("key_dim", key_dim)
        self._value_size = self._size if value_dim is None else positive("value_dim", value_dim)
        self._output_shape = None if output_shape is None else _lengths(output_shape)
        self._attention_axes = None if attention_axes is None else _integers(attention_axes)

    num_heads = property(lambda self: self._heads, doc="How many heads there are.")
    key_dim = property(lambda self: self._size, doc="The features of query and key in a head.")
    value_dim = property(lambda self: self._value_size, doc="The features of the value in a head.")
    dropout = property(lambda self: self._dropout, doc="The rate of dropout of the scores.")
    use_bias = property(lambda self: self._use_bias, doc="Whether the projections have a bias.")

    @property
    def attention_axes(self) -> tuple[int, ...] | None:
        """Over which axes attention goes; counted from the front as soon as the layer is built."""
        return self._attention_axes

    @property
    def query_dense(self) -> EinsumDense:
        """The projection of the query."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The projection of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The projection of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The projection of all heads to the output."""
        return self._output_dense

    def _axes_for(self, rank: int) -> Axes:
        inner = tuple(range(1, rank - 1))
        if self._attention_axes is None:
            return Axes(inner, ())
        over = tuple(a + rank if a < 0 else a for a in self._attention_axes)
        if not over or any(a not in inner for a in over) or len(set(over)) < len(over):
            raise ValueError(
                f"`attention_axes` {self._attention_axes} of the layer {self.name!r} must be different axes between batch and "
                f"features; the query has {rank} axes."
            )
        return Axes(over, tuple(a for a in inner if a not in over))

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Make the projections."""
        super().build(query_shape, value_shape, key_shape)
        self._attention_axes = self._axes.over

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "num_heads": self._heads, "key_dim": self._size, "value_dim": self._value_size,
            "dropout": self._dropout, "use_bias": self._use_bias, "use_gate": self._use_gate, "output_shape": self._output_shape,
            "attention_axes": self._attention_axes, "sliding_window": self._sliding_window, **self._shared_config(),
        }  # fmt: skip


def _integers(value: Any) -> tuple[int, ...]:
    values = (value,) if hasattr(value, "__index__") else value
    if not isinstance(values, (list, tuple)) or any(isinstance(v, bool) or not hasattr(v, "__index__") for v in values):
        raise ValueError(f"`attention_axes` must be an integer or several, not {value!r}.")
    return tuple(v.__index__() for v in values)


def _lengths(value: Any) -> tuple[int, ...]:
    values = (value,) if hasattr(value, "__index__") else value
    if not hasattr(values, "__iter__") or isinstance(values, str):
        raise ValueError(f"`output_shape` must be a positive integer or several, not {value!r}.")
    return tuple(positive("output_shape", v) for v in values)

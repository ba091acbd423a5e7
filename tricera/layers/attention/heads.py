"""What attention layers with projected heads share."""

from __future__ import annotations

from typing import Any

from tricera import constraints, initializers, ops, regularizers
from tricera.core import checks, config
from tricera.core.checks import positive
from tricera.core.tensor import KerasTensor
from tricera.layers.attention.core import fused, with_scores
from tricera.layers.attention.masks import Axes, Visible, band, both, pairs, product, tokens
from tricera.layers.core.einsum_dense import EinsumDense
from tricera.layers.layer import Layer
from tricera.layers.regularization.dropout import Dropout

_LETTERS = "abcdefghijklmnopqrstuvw"


def rate_of(name: str, value: Any) -> float:
    """Check a rate of dropout.

    Raises:
        ValueError: it isn't a number from 0 to 1.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"`dropout` of the layer {name!r} must be a number from 0 to 1, not {value!r}.")
    return value


def _fresh(initializer: Any) -> Any:
    """An initializer of the same kind, so that two kernels don't get the same numbers unless a seed says so."""
    if not isinstance(initializer, initializers.Initializer):
        return initializer
    return type(initializer).from_config(initializer.get_config())


class HeadsAttention(Layer):
    """Projections into heads, attention, and a projection of what the heads saw.

    Args:
        dropout: of the scores.
        use_bias: whether projections have a bias.
        sliding_window: how near a key must be to be seen.
        flash_attention: whether fused kernels that need little memory are asked for.
        use_gate: whether a sigmoid of the query gates each head.
        seed: of dropout.
        options: initializers, regularizers and constraints by name.
        **kwargs: those of `Layer`.
    """

    _output_shape: tuple[int, ...] | None = None
    _heads: int
    _groups: int
    _size: int
    _value_size: int

    def __init__(
        self, dropout: float, use_bias: bool, sliding_window: int | None, flash_attention: bool | None, use_gate: bool,
        seed: int | None, options: dict[str, Any], **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.supports_masking = True
        self._dropout = rate_of(self.name, dropout)
        self._use_bias, self._use_gate, self.seed = bool(use_bias), bool(use_gate), seed
        checks.integer(optional=True)("seed", seed)
        self._sliding_window = None if sliding_window is None else positive("sliding_window", sliding_window)
        if flash_attention is not None:
            checks.flag("flash_attention", flash_attention)
        self._flash_attention = flash_attention or config.get("flash_attention")
        if self._flash_attention and self._dropout > 0:
            raise ValueError(
                f"The layer {self.name!r} can't have dropout ({dropout}) with flash attention, which never makes the scores; "
                "set `dropout=0` or `flash_attention=False`."
            )
        self._kernel_initializer = initializers.get(options["kernel_initializer"])
        self._bias_initializer = initializers.get(options["bias_initializer"])
        self._kernel_regularizer = regularizers.get(options["kernel_regularizer"])
        self._bias_regularizer = regularizers.get(options["bias_regularizer"])
        self._activity_regularizer = regularizers.get(options["activity_regularizer"])
        self._kernel_constraint = constraints.get(options["kernel_constraint"])
        self._bias_constraint = constraints.get(options["bias_constraint"])

    # ------------------------------------------------------------------ building

    def _axes_for(self, rank: int) -> Axes:
        return Axes((1,), tuple(range(2, rank - 1)))

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Make the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        shapes = tuple(map(tuple, (query_shape, value_shape, key_shape)))
        self._check_shapes(*shapes)
        query, value, key = shapes
        self._axes = self._axes_for(len(query))
        self._query_dense = self._split("query", query, self._heads, self._size)
        self._key_dense = self._split("key", key, self._groups, self._size)
        if self._use_gate:
            self._gate_dense = self._split("gate", query, self._heads, self._value_size, activation="sigmoid")
        self._value_dense = self._split("value", value, self._groups, self._value_size)
        self._dropout_layer = Dropout(self._dropout, seed=self.seed, dtype=self.dtype_policy)
        self._output_dense = self._join(query)

    def _check_shapes(self, query: tuple[Any, ...], value: tuple[Any, ...], key: tuple[Any, ...]) -> None:
        if any(len(s) < 3 for s in (query, value, key)) or len(query) != len(value) or len(query) != len(key):
            raise ValueError(
                f"The layer {self.name!r} needs query, value and key of the same number of axes, at least three "
                f"(batch, tokens, features); their shapes are {query}, {value} and {key}."
            )
        if value[1:-1] != key[1:-1]:
            raise ValueError(
                f"`value` and `key` of the layer {self.name!r} must be equally long; their shapes are {value} and {key}."
            )
        for name, shape in (("query", query), ("value", value), ("key", key)):
            if shape[-1] is None:
                raise ValueError(
                    f"The layer {self.name!r} needs to know the length of the last axis of `{name}`; its shape is {shape}."
                )

    def _dense(self, name: str, shape: Any, equation: str, target: Any, bias_axes: str, activation: Any) -> EinsumDense:
        layer = EinsumDense(
            equation, (*(None,) * (len(shape) - 2), *target) if name != "attention_output" else target, activation,
            bias_axes if self._use_bias else None, _fresh(self._kernel_initializer), _fresh(self._bias_initializer),
            self._kernel_regularizer, self._bias_regularizer, self._kernel_constraint, self._bias_constraint,
            activity_regularizer=self._activity_regularizer, name=name, dtype=self.dtype_policy,
        )  # fmt: skip
        layer.build(shape)
        return layer

    def _split(self, name: str, shape: Any, heads: int, size: int, activation: Any = None) -> EinsumDense:
        """From features to heads, each with features of its own."""
        lead = _LETTERS[: len(shape) - 1]
        return self._dense(name, shape, f"{lead}x,xyz->{lead}yz", (heads, size), "yz", activation)

    def _join(self, query: Any) -> EinsumDense:
        """From all heads to the output."""
        target = (query[-1],) if self._output_shape is None else self._output_shape
        lead, out = _LETTERS[: len(query) - 1], "ABCDEFGHIJ"[: len(target)]
        equation = f"{lead}yz,yz{out}->{lead}{out}"
        shape = (*query[:-1], self._heads, self._value_size)
        return self._dense("attention_output", shape, equation, (*(None,) * (len(query) - 2), *target), out, None)

    # ------------------------------------------------------------------ computing

    def call(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None, value_mask: Any = None, key_mask: Any = None,
        attention_mask: Any = None, return_attention_scores: bool = False, training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """Attend.

        Args:
            query: a tensor (batch, queries, features).
            value: a tensor (batch, keys, features).
            key: a tensor (batch, keys, features), `value` for None.
            query_mask: bool (batch, queries); masked queries attend to nothing.
            value_mask: bool (batch, keys); nothing attends to masked values.
            key_mask: bool (batch, keys), as `value_mask`.
            attention_mask: bool (batch, queries, keys), or with an axis of heads before the queries: what attends to what.
            return_attention_scores: also return the scores.
            training: whether dropout is at work.
            use_causal_mask: hide from each query what comes after it.

        Returns:
            A tensor (batch, queries, outputs); with scores, (it, scores (batch, heads, queries, keys)).

        Raises:
            ValueError: a mask doesn't fit, or the scores are asked for with flash attention.
        """
        if return_attention_scores and self._flash_attention:
            raise ValueError(
                f"The layer {self.name!r} has no scores to return with flash attention; set `flash_attention=False`."
            )
        key = value if key is None else key
        axes = self._axes
        lead, key_lead = ops.shape(query)[:-1], ops.shape(key)[:-1]
        queries = tokens(query_mask, lead, axes, "query_mask")
        seen = [
            None if m is None else ops.expand_dims(m, (1, 2))
            for m in (tokens(value_mask, key_lead, axes, "value_mask"), tokens(key_mask, key_lead, axes, "key_mask"))
        ]
        seen.append(pairs(attention_mask, lead, key_lead, axes))
        q, k, v = (_folded(x, axes) for x in (self._query_dense(query), self._key_dense(key), self._value_dense(value)))
        if self._sliding_window is not None:
            seen.append(band(ops.shape(q)[1], ops.shape(k)[1], self._sliding_window))
        visible = Visible(both(*seen), None if queries is None else ops.expand_dims(queries, (1, 3)), use_causal_mask)
        scale, scores = 1.0 / self._size**0.5, None
        dropping = bool(training) and self._dropout > 0
        if return_attention_scores or dropping:
            drop = self._dropout_layer if dropping else None
            out, scores = with_scores(q, k, v, visible, scale, drop)
        else:
            out = fused(q, k, v, visible, scale, self._flash_attention)
        out = _unfolded(out, lead, axes)
        if self._use_gate:
            out = ops.multiply(out, self._gate_dense(query))
        out = self._output_dense(out)
        return (out, _unfolded_scores(scores, lead, key_lead, axes)) if return_attention_scores else out

    # ------------------------------------------------------------------ shapes

    def compute_output_shape(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> Any:
        """(batch, queries, outputs)."""
        query, value = tuple(query_shape), tuple(value_shape)
        self._check_shapes(query, value, value if key_shape is None else tuple(key_shape))
        return (*query[:-1], *((query[-1],) if self._output_shape is None else self._output_shape))

    def compute_output_spec(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None, value_mask: Any = None, key_mask: Any = None,
        attention_mask: Any = None, return_attention_scores: bool = False, training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """The outputs as symbolic tensors."""
        key = value if key is None else key
        shape = self.compute_output_shape(query.shape, value.shape, key.shape)
        out = KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return out
        axes = self._axes_for(len(query.shape))
        q, k = ([s[i] for i in axes.over] for s in (query.shape, key.shape))
        batch = [query.shape[i] for i in (0, *axes.others)]
        return out, KerasTensor((*batch, self._heads, *q, *k), self.compute_dtype)

    def _shared_config(self) -> dict[str, Any]:
        return {
            "kernel_initializer": initializers.serialize(self._kernel_initializer),
            "bias_initializer": initializers.serialize(self._bias_initializer),
            "kernel_regularizer": regularizers.serialize(self._kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self._bias_regularizer),
            "activity_regularizer": regularizers.serialize(self._activity_regularizer),
            "kernel_constraint": constraints.serialize(self._kernel_constraint),
            "bias_constraint": constraints.serialize(self._bias_constraint),
            "seed": self.seed,
        }


def _folded(x: Any, axes: Axes) -> Any:
    """(batch, axes..., heads, features) as (batch and other axes, axes of attention, heads, features)."""
    if axes.plain:
        return x
    rank = len(x.shape)
    x = ops.transpose(x, (0, *axes.order, rank - 2, rank - 1))
    shape, count = ops.shape(x), len(axes.others) + 1
    return ops.reshape(x, (product(shape[:count]), product(shape[count : rank - 2]), *shape[rank - 2 :]))


def _unfolded(x: Any, lead: Any, axes: Axes) -> Any:
    """What `_folded` did, undone for the lengths `lead` of (batch, axes...)."""
    if axes.plain:
        return x
    order = (0, *axes.order)
    x = ops.reshape(x, (*(lead[i] for i in order), *ops.shape(x)[2:]))
    back = [order.index(i) for i in range(len(order))]
    return ops.transpose(x, (*back, len(order), len(order) + 1))


def _unfolded_scores(scores: Any, lead: Any, key_lead: Any, axes: Axes) -> Any:
    """Scores (batch and others, heads, queries, keys) as (batch, others..., heads, queries..., keys...)."""
    if axes.plain:
        return scores
    ends = (*(lead[i] for i in axes.over), *(key_lead[i] for i in axes.over))
    return ops.reshape(scores, (lead[0], *(lead[i] for i in axes.others), ops.shape(scores)[1], *ends))

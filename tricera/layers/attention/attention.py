"""`Attention` and `AdditiveAttention`: attention without projections."""

from __future__ import annotations

from typing import Any, Literal

from tricera import ops, random
from tricera.core import checks
from tricera.core.tensor import KerasTensor
from tricera.layers.attention.core import fused, masked_softmax
from tricera.layers.attention.heads import rate_of
from tricera.layers.attention.masks import Visible, both, triangle
from tricera.layers.layer import Layer

_MASK_ORDER = "[query_mask, value_mask] or [query_mask, value_mask, key_mask]"


class Attention(Layer):
    """softmax(scores) value, the scores being products of query and key (Luong et al. 2015).

    Args:
        use_scale: multiply the scores by a learned number.
        score_mode: `"dot"`: query key^T; `"concat"`: w sum(tanh(scale (query + key))) with a learned number w.
        dropout: the rate of dropout of the scores after the softmax.
        seed: of dropout.
        **kwargs: those of `Layer`.

    Called on `[query, value]` or `[query, value, key]`: (batch, queries, features), (batch, keys, features of the output) and
    (batch, keys, features); the value serves as key where none is given.

    Masks, given or the inputs' own: outputs of masked queries are 0; masked values (and their keys) have no influence. A query
    that sees nothing gets zeros. Hidden tokens may hold any finite numbers; NaN or infinity in a hidden value comes through (its weight is
    0, and 0 * NaN is NaN), since keeping it out would take another pass over all values.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> Attention()([ops.ones((1, 3, 2)), ops.ones((1, 4, 2))]).shape[1]
        3
    """

    def __init__(
        self, use_scale: bool = False, score_mode: Literal["dot", "concat"] = "dot", dropout: float = 0.0,
        seed: int | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"`score_mode` of the layer {self.name!r} must be 'dot' or 'concat', not {score_mode!r}.")
        self.use_scale, self.score_mode, self.dropout, self.seed = (
            use_scale,
            score_mode,
            rate_of(self.name, dropout),
            seed,
        )
        checks.integer(optional=True)("seed", seed)
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.scale: Any = None
        self.concat_score_weight: Any = None

    def build(self, input_shape: Any) -> None:
        """Make the learned numbers."""
        self._check_inputs(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", shape=(), initializer="ones")

    def _scores(self, query: Any, key: Any) -> Any:
        """(batch, queries, keys), before masks and softmax."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        joined = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        if self.scale is not None:
            joined = ops.multiply(joined, self.scale)
        return ops.multiply(self.concat_score_weight, ops.sum(ops.tanh(joined), axis=-1))

    def call(
        self, inputs: Any, mask: Any = None, training: bool = False, return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """Attend.

        Args:
            inputs: `[query, value]` or `[query, value, key]`.
            mask: their masks, bool (batch, queries) or (batch, keys), or None.
            training: whether dropout is at work.
            return_attention_scores: also return the scores, as they weight the values.
            use_causal_mask: hide from each query what comes after it.

        Returns:
            A tensor (batch, queries, features of the value); with scores, (it, scores (batch, queries, keys)).

        Raises:
            ValueError: inputs or masks aren't such lists.
        """
        self._check_inputs(inputs)
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, seen = self._masks(mask, len(inputs))
        dropping = bool(training) and self.dropout > 0
        if self.score_mode == "dot" and not return_attention_scores and not dropping and len(query.shape) == 3:
            return self._fused(query, key, value, query_mask, seen, use_causal_mask)
        hidden = triangle(ops.shape(query)[-2], ops.shape(key)[-2])[0, 0] if use_causal_mask else None
        visible = both(None if seen is None else ops.expand_dims(seen, -2), hidden)
        scores = masked_softmax(self._scores(query, key), visible)
        if dropping:
            scores = random.dropout(scores, self.dropout, seed=self.seed_generator)
        out = ops.matmul(scores, value)
        if query_mask is not None:
            out = ops.where(ops.expand_dims(query_mask, -1), out, ops.convert_to_tensor(0.0, ops.dtype(out)))
        return (out, scores) if return_attention_scores else out

    def _fused(self, query: Any, key: Any, value: Any, query_mask: Any, seen: Any, causal: bool) -> Any:
        """As one head of the fused kernel."""
        if self.scale is not None:
            query = ops.multiply(query, self.scale)
        visible = Visible(
            None if seen is None else ops.expand_dims(seen, (1, 2)),
            None if query_mask is None else ops.expand_dims(query_mask, (1, 3)),
            causal,
        )
        heads = (ops.expand_dims(x, 2) for x in (query, key, value))
        return ops.squeeze(fused(*heads, visible, 1.0), 2)  # type: ignore[call-arg]

    def _check_inputs(self, inputs: Any) -> None:
        if (
            not isinstance(inputs, (list, tuple))
            or len(inputs) not in (2, 3)
            or (not isinstance(inputs[0], (list, tuple)) and not hasattr(inputs[0], "shape"))
        ):
            what = f"a list of {len(inputs)}" if isinstance(inputs, (list, tuple)) else f"{inputs!r:.80}"
            raise ValueError(
                f"The layer {self.name!r} must be called on a list [query, value] or [query, value, key], not on {what}."
            )

    def _masks(self, mask: Any, count: int) -> tuple[Any, Any]:
        """Of the queries, and of what they may see."""
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= count:
            what = f"a list of {len(mask)}" if isinstance(mask, (list, tuple)) else f"{mask!r:.80}"
            raise ValueError(f"`mask` of the layer {self.name!r} must be a list {_MASK_ORDER}, not {what}.")
        masks = [None if m is None else ops.cast(m, "bool") for m in mask]
        return masks[0], both(*masks[1:])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The query's mask."""
        self._masks(mask, len(inputs))
        return None if mask is None or mask[0] is None else ops.convert_to_tensor(mask[0])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, queries, features of the value)."""
        return (*tuple(input_shape[0])[:-1], tuple(input_shape[1])[-1])

    def compute_output_spec(
        self, inputs: Any, mask: Any = None, return_attention_scores: bool = False, training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """The outputs as symbolic tensors."""
        self._check_inputs(inputs)
        query, value = (tuple(x.shape) for x in inputs[:2])
        out = KerasTensor((*query[:-1], value[-1]), self.compute_dtype)
        return (out, KerasTensor((*query[:-1], value[-2]), self.compute_dtype)) if return_attention_scores else out

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "use_scale": self.use_scale, "score_mode": self.score_mode, "dropout": self.dropout,
            "seed": self.seed,
        }  # fmt: skip


class AdditiveAttention(Attention):
    """softmax(scores) value with scores sum(scale * tanh(query + key)) (Bahdanau et al. 2015).

    Args:
        use_scale: weight the features by a learned vector.
        dropout: the rate of dropout of the scores after the softmax.
        **kwargs: `seed` of dropout, and those of `Layer`.

    Called on and masked as `Attention`.

    Example:
        >>> AdditiveAttention()([ops.ones((1, 3, 2)), ops.ones((1, 4, 2))]).shape[1]
        3
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, score_mode="concat", dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        self._check_inputs(input_shape)
        features = tuple(input_shape[0])[-1]
        if self.use_scale:
            if features is None:
                raise ValueError(
                    f"The layer {self.name!r} needs to know the query's features; its shape is {tuple(input_shape[0])}."
                )
            self.scale = self.add_weight(name="scale", shape=(features,), initializer="glorot_uniform")

    def _scores(self, query: Any, key: Any) -> Any:
        joined = ops.tanh(ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3)))
        if self.scale is not None:
            joined = ops.multiply(joined, self.scale)
        return ops.sum(joined, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        del config["score_mode"]
        return config

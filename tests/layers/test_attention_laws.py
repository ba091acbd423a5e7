"""Laws of masks for attention of any size, by hypothesis: no future token and no masked one changes anything, on any path."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import tricera
from tricera import layers as L, ops
from tricera.core.masking import set_mask

MANY = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _listed(layer):
    def call(query, value, value_mask=None, query_mask=None, **kwargs):
        mask = None if value_mask is None and query_mask is None else [query_mask, value_mask]
        return layer([query, value], mask=mask, **kwargs)

    return call


# Name -> (a maker, the axes before the tokens, the axes between tokens and features).
KINDS = {
    "dot": (lambda **o: _listed(L.Attention(use_scale=True, **o)), (), ()),
    "dot-deep": (lambda **o: _listed(L.Attention(**o)), (2,), ()),
    "concat": (lambda **o: _listed(L.Attention(score_mode="concat", **o)), (), ()),
    "additive": (lambda **o: _listed(L.AdditiveAttention(**o)), (), ()),
    "heads": (lambda **o: L.MultiHeadAttention(2, 3, **o), (), ()),
    "heads-gate": (lambda **o: L.MultiHeadAttention(3, 2, value_dim=4, use_gate=True, **o), (), ()),
    "heads-window": (lambda **o: L.MultiHeadAttention(2, 3, sliding_window=2, **o), (), ()),
    "heads-rows": (lambda **o: L.MultiHeadAttention(2, 3, attention_axes=1, **o), (), (2,)),
    "heads-plain": (lambda **o: L.MultiHeadAttention(2, 3, flash_attention=False, **o), (), ()),
    "groups": (lambda **o: L.GroupQueryAttention(3, 4, 2, **o), (), ()),
    "groups-one": (lambda **o: L.GroupQueryAttention(2, 3, 1, sliding_window=3, **o), (), ()),
}
PATHS = {
    "fused": ({}, {}),
    "scores": ({}, {"return_attention_scores": True}),
    "dropout": ({"dropout": 0.4, "seed": 5}, {"training": True}),
    "dropout-scores": ({"dropout": 0.4, "seed": 5}, {"training": True, "return_attention_scores": True}),
    "half": ({"dtype": "mixed_bfloat16"}, {}),
    "half-scores": ({"dtype": "float16"}, {"return_attention_scores": True}),
}
cases = st.tuples(
    st.sampled_from(list(KINDS)), st.sampled_from(list(PATHS)), st.integers(1, 3), st.sampled_from([2, 5]),
    st.sampled_from([3, 5]), st.integers(0, 2**16),
)  # fmt: skip


class Setting:
    """A layer that is always made with the same numbers, and inputs for it."""

    def __init__(self, case):
        self.kind, path, self.batch, self.queries, self.keys, seed = case
        self.make, self.lead, self.between = KINDS[self.kind]
        self.options, self.call = PATHS[path]
        self.rng = np.random.default_rng(seed)
        self.axis = 1 + len(self.lead)

    def tokens(self, length):
        return self.rng.normal(size=(self.batch, *self.lead, length, *self.between, 4)).astype("float32")

    def changed(self, x, tokens):
        """`x` with other numbers at the tokens where a mask (batch, ..., tokens) holds."""
        noise = (30 * self.rng.normal(size=x.shape)).astype("float32")
        return np.where(tokens.reshape(*tokens.shape, *(1,) * (x.ndim - tokens.ndim)), x + noise, x)

    def mask(self, length):
        return self.rng.uniform(size=(self.batch, *self.lead, length)) < 0.6

    def output(self, query, value, **kwargs):
        """The output, with the axis of the tokens first."""
        tricera.utils.set_random_seed(3)
        out = self.make(**self.options)(query, value, **self.call, **kwargs)
        out = ops.convert_to_numpy(ops.cast(out[0] if isinstance(out, tuple) else out, "float32"))
        return np.moveaxis(out, self.axis, 0)


def carrying(x, mask):
    """The tensor with the mask that an embedding would give it."""
    x = ops.convert_to_tensor(x)
    set_mask(x, ops.convert_to_tensor(mask))
    return x


def same(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-6)


@pytest.mark.slow
@MANY
@given(cases, st.integers(1, 4))
def test_the_future_changes_no_past(backend, case, now):
    here = Setting(case)
    x, now = here.tokens(here.keys), min(now, here.keys - 1)
    future = np.broadcast_to(np.arange(here.keys) >= now, (here.batch, *here.lead, here.keys))
    other = here.changed(x, future)
    before, after = (here.output(t, t, use_causal_mask=True) for t in (x, other))
    same(after[:now], before[:now])
    mask = here.mask(here.keys)  # and beside masked tokens
    before, after = (here.output(t, t, use_causal_mask=True, query_mask=mask, value_mask=mask) for t in (x, other))
    same(after[:now], before[:now])


@pytest.mark.slow
@MANY
@given(cases, st.booleans())
def test_a_masked_token_changes_nothing(backend, case, causal):
    here = Setting(case)
    query, value, mask = here.tokens(here.queries), here.tokens(here.keys), here.mask(here.keys)
    before = here.output(query, value, value_mask=mask, use_causal_mask=causal)
    assert np.isfinite(before).all()
    other = here.changed(value, ~mask)
    same(here.output(query, other, value_mask=mask, use_causal_mask=causal), before)
    same(here.output(query, carrying(other, mask), use_causal_mask=causal), before)
    if here.kind.startswith(("heads", "groups")) and not here.between:
        pairs = np.repeat(mask[:, None], here.queries, 1)
        same(here.output(query, other, attention_mask=pairs, use_causal_mask=causal), before)
    # A masked query changes no other one.
    mask = here.mask(here.queries)
    before = here.output(query, value, query_mask=mask, use_causal_mask=causal)
    after = here.output(here.changed(query, ~mask), value, query_mask=mask, use_causal_mask=causal)
    seen = np.moveaxis(mask, here.axis, 0)
    same(after[seen], before[seen])


@pytest.mark.slow
@MANY
@given(
    st.integers(1, 2), st.sampled_from([2, 5]), st.sampled_from([3, 5]), st.sampled_from([(2, 2), (4, 2), (3, 1)]),
    st.sampled_from(["none", "causal", "pairs", "both"]), st.sampled_from(["float32", "bfloat16", "float16"]),
    st.booleans(), st.integers(0, 2**16),
)  # fmt: skip
def test_the_op(backend, batch, queries, keys, heads, masked, dtype, biased, seed):
    rng = np.random.default_rng(seed)
    count, groups = heads
    query = rng.normal(size=(batch, queries, count, 4)).astype("float32")
    key, value = (rng.normal(size=(batch, keys, groups, 4)).astype("float32") for _ in range(2))
    bias = rng.normal(size=(batch, count, queries, keys)).astype("float32") if biased else None
    visible = np.ones((batch, 1, queries, keys), bool)
    mask = None
    if masked in ("pairs", "both"):
        mask = rng.uniform(size=(batch, 1, queries, keys)) < 0.6
        mask[..., 0] = True
        visible = visible & mask
    causal = masked in ("causal", "both")
    if causal:
        visible = visible & np.tri(queries, keys, dtype=bool)
    tensors = [ops.cast(ops.convert_to_tensor(x), dtype) for x in (query, key, value)]
    out = ops.dot_product_attention(
        *tensors, bias=None if bias is None else ops.cast(ops.convert_to_tensor(bias), dtype), mask=mask, is_causal=causal
    )  # fmt: skip
    assert ops.dtype(out) == dtype
    wide = [ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64") for x in tensors]
    q, (k, v) = wide[0], (x.repeat(count // groups, 2) for x in wide[1:])
    logits = np.einsum("btnh,bsnh->bnts", q, k) / 2 + (0 if bias is None else bias)
    logits = np.where(visible, logits, -np.inf)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    want = np.einsum("bnts,bsnh->btnh", weights / weights.sum(-1, keepdims=True), v)
    tolerance = {"float32": 1e-5, "float16": 5e-3, "bfloat16": 4e-2}[dtype]
    np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(out, "float32")), want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("hidden", ["masked", "future"])
def test_no_magnitude_gets_through(backend, kind, hidden):
    """Hidden logits beyond all that could be added to them, or beyond their dtype."""
    query = np.full((1, 3, 1), 240, "float32")
    keys, values = np.array([[[1], [2], [250]]], "float32"), np.array([[[4], [6], [1000]]], "float32")
    layer, mask = L.Attention(dtype=kind), np.array([[True, True, False]])
    options = {"mask": [None, mask]} if hidden == "masked" else {"use_causal_mask": True}
    for factor in (1, 4):  # 60000, near the greatest float16, and beyond
        for scores in (False, True):
            out = layer([query, values, keys * [[[1], [1], [factor]]]], **options, return_attention_scores=scores)
            out = ops.convert_to_numpy(ops.cast(out[0] if scores else out, "float32"))
            np.testing.assert_array_equal(out[0, :2, 0], [6, 6] if hidden == "masked" else [4, 6])


def test_rows_that_see_nothing_have_finite_gradients(trainable_backend):
    """Their outputs are zeros and their slopes, too."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    mask = ops.convert_to_tensor(np.array([[True, False, True], [False] * 3]))
    slope = tricera.grad(lambda t: ops.sum(ops.square(L.Attention()([t, t], mask=[None, mask]))))(
        ops.convert_to_tensor(x)
    )
    slope = ops.convert_to_numpy(slope)
    assert np.isfinite(slope).all() and np.abs(slope[0]).max() > 0 and not slope[1].any()

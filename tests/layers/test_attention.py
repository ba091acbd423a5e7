"""Attention layers: values from NumPy, and laws of masks on every path: fused, with scores, with dropout, of odd ranks."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS, TRAINABLE
from tricera import layers as L, ops
from tricera.backend import use
from tricera.core.masking import get_mask
from tricera.core.tensor import KerasTensor
from tricera.models import Model

RNG = np.random.default_rng(0)


def arr(*shape):
    return RNG.normal(size=shape).astype("float32")


def host(x):
    return ops.convert_to_numpy(x)


def close(got, wanted, tolerance=1e-5):
    np.testing.assert_allclose(host(got), wanted, rtol=tolerance, atol=tolerance)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# ---------------------------------------------------------------------- values

Q, K, V = arr(2, 3, 4), arr(2, 5, 4), arr(2, 5, 6)


def test_dot_attention(backend):
    weights = softmax(Q @ K.swapaxes(1, 2))
    close(L.Attention()([Q, V, K]), weights @ V)
    out, scores = L.Attention()([Q, V, K], return_attention_scores=True)
    close(out, weights @ V)
    close(scores, weights)
    layer = L.Attention(use_scale=True)
    layer.build([Q.shape, V.shape, K.shape])
    layer.set_weights([np.float32(0.5)])
    close(layer([Q, V, K]), softmax(0.5 * Q @ K.swapaxes(1, 2)) @ V)
    close(L.Attention()([Q, K]), weights @ K)


def test_concat_and_additive_attention(backend):
    joined = Q[:, :, None] + K[:, None]
    layer = L.Attention(score_mode="concat", use_scale=True)
    layer.build([Q.shape, V.shape, K.shape])
    layer.set_weights([np.float32(0.5), np.float32(2.0)])
    close(layer([Q, V, K]), softmax(2 * np.tanh(0.5 * joined).sum(-1)) @ V)
    layer = L.AdditiveAttention()
    out = layer([Q, V, K])
    scale = layer.get_weights()[0]
    assert scale.shape == (4,)
    close(out, softmax((scale * np.tanh(joined)).sum(-1)) @ V)
    close(L.AdditiveAttention(use_scale=False)([Q, V, K]), softmax(np.tanh(joined).sum(-1)) @ V)


def heads_by_hand(layer, query, value, key, groups=1, mask=None):
    """Multi-head attention in NumPy, from the layer's weights by name."""
    w = {tuple(v.path.split("/")[-2:]): v.numpy() for v in layer.weights}

    def project(name, x):
        return np.einsum("btx,xhd->bthd", x, w[name, "kernel"]) + w.get((name, "bias"), 0)

    q, k, v = project("query", query), project("key", key), project("value", value)
    k, v = (x.repeat(groups, 2) for x in (k, v))
    logits = np.einsum("bthd,bshd->bhts", q, k) / np.sqrt(q.shape[-1])
    if mask is not None:
        logits = np.where(mask, logits, -1e9)
    weights = softmax(logits)
    out = np.einsum("bhts,bshd->bthd", weights, v)
    if ("gate", "kernel") in w:
        out = out / (1 + np.exp(-project("gate", query)))
    return np.tensordot(out, w["attention_output", "kernel"], 2) + w.get(("attention_output", "bias"), 0), weights


@pytest.mark.parametrize(
    "options", [{}, {"value_dim": 5, "use_gate": True, "bias_initializer": "ones"}, {"use_bias": False, "output_shape": (2, 3)}]
)  # fmt: skip
def test_multi_head_attention(backend, options):
    layer = L.MultiHeadAttention(2, 3, **options)
    key = arr(2, 5, 7)
    out, scores = layer(Q, V, key, return_attention_scores=True)
    wanted, weights = heads_by_hand(layer, Q, V, key)
    close(out, wanted)
    close(scores, weights)
    close(layer(Q, V, key), wanted)


@pytest.mark.parametrize("options", [{}, {"use_gate": True, "use_bias": False}])
def test_grouped_attention(backend, options):
    layer = L.GroupQueryAttention(3, 6, 2, **options)
    out, scores = layer(Q, V, K, return_attention_scores=True)
    wanted, weights = heads_by_hand(layer, Q, V, K, groups=3)
    close(out, wanted)
    close(scores, weights)
    close(layer(Q, V, K), wanted)


def test_window_and_causality(backend):
    x = arr(2, 7, 4)
    i, j = np.indices((7, 7))
    for causal, window, mask in [
        (True, None, j <= i), (False, 2, abs(i - j) < 2), (True, 3, (j <= i) & (i - j < 3)),
    ]:  # fmt: skip
        layer = L.MultiHeadAttention(2, 3, sliding_window=window)
        wanted, weights = heads_by_hand_after_build(layer, x, mask)
        close(layer(x, x, use_causal_mask=causal), wanted)
        close(layer(x, x, use_causal_mask=causal, return_attention_scores=True)[1], weights)


def heads_by_hand_after_build(layer, x, mask):
    layer.build(x.shape, x.shape)
    return heads_by_hand(layer, x, x, x, mask=mask)


def test_attention_over_some_axes(backend):
    """Other axes count as batch, and several axes as one long one."""
    x = arr(2, 3, 4, 5)
    columns, rows, whole = (L.MultiHeadAttention(2, 3, attention_axes=a) for a in (1, -2, None))
    rows_out, scores = rows(x, x, return_attention_scores=True)
    assert scores.shape == (2, 3, 2, 4, 4) and rows.attention_axes == (2,)
    close(rows_out, heads_by_hand_flat(rows, x.reshape(6, 4, 5)).reshape(x.shape))
    out = columns(x, x)
    close(out, heads_by_hand_flat(columns, x.swapaxes(1, 2).reshape(8, 3, 5)).reshape(2, 4, 3, 5).swapaxes(1, 2))
    out, scores = whole(x, x, return_attention_scores=True)
    assert scores.shape == (2, 2, 3, 4, 3, 4)
    close(out, heads_by_hand_flat(whole, x.reshape(2, 12, 5)).reshape(x.shape))


def heads_by_hand_flat(layer, x):
    return heads_by_hand(layer, x, x, x)[0]


# ---------------------------------------------------------------------- laws of masks

SEQUENCE, GRID = (2, 6, 4), (2, 6, 3, 4)


def listed(layer):
    """A layer that takes a list, called like the others."""

    def call(query, value, query_mask=None, value_mask=None, **kwargs):
        mask = None if query_mask is None and value_mask is None else [query_mask, value_mask]
        return layer([query, value], mask=mask, **kwargs)

    return call


def kinds():
    """Name -> (a maker of a layer as a function of query and value, the shape of its input)."""
    rate = {"dropout": 0.3, "seed": 1}
    table = {
        "dot": (lambda **o: listed(L.Attention(**o)), SEQUENCE),
        "dot-grid": (lambda **o: listed(L.Attention(**o)), (2, 3, 6, 4)),
        "concat": (lambda **o: listed(L.Attention(score_mode="concat", **o)), SEQUENCE),
        "additive": (lambda **o: listed(L.AdditiveAttention(**o)), SEQUENCE),
        "heads": (lambda **o: L.MultiHeadAttention(2, 3, **o), SEQUENCE),
        "heads-gate-window": (lambda **o: L.MultiHeadAttention(2, 3, use_gate=True, sliding_window=4, **o), SEQUENCE),
        "heads-axis": (lambda **o: L.MultiHeadAttention(2, 3, attention_axes=1, **o), GRID),
        "groups": (lambda **o: L.GroupQueryAttention(3, 4, 2, **o), SEQUENCE),
    }
    paths = {
        "fused": ({}, {}),
        "scores": ({}, {"return_attention_scores": True}),
        "dropout": (rate, {"training": True}),
    }
    return {
        f"{name}-{path}": (make, shape, options, call)
        for name, (make, shape) in table.items()
        for path, (options, call) in paths.items()
    }


KINDS = kinds()


def output(kind, query, value=None, **kwargs):
    """The output of a fresh layer whose weights and dropout are always the same, on `query` attending to `value`."""
    make, _, options, call = KINDS[kind]
    tricera.utils.set_random_seed(3)
    out = make(**options)(query, query if value is None else value, **call, **kwargs)
    return host(out[0] if isinstance(out, tuple) else out)


def token_axis(kind):
    return 2 if "grid" in kind else 1


def at(kind, x, index):
    return np.moveaxis(x, token_axis(kind), 0)[index]


def changed(kind, x, index, by=50.0):
    """`x` with other numbers at some tokens."""
    x = np.moveaxis(x.copy(), token_axis(kind), 0)
    x[index] += by * RNG.normal(size=x[index].shape).astype("float32")
    return np.moveaxis(x, 0, token_axis(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_the_future_changes_no_past(backend, kind):
    x = arr(*KINDS[kind][1])
    before = output(kind, x, use_causal_mask=True)
    after = output(kind, changed(kind, x, slice(3, None)), use_causal_mask=True)
    np.testing.assert_allclose(at(kind, after, slice(0, 3)), at(kind, before, slice(0, 3)), rtol=1e-5, atol=1e-6)
    assert np.abs(at(kind, after, slice(3, None)) - at(kind, before, slice(3, None))).max() > 1e-2
    # Without the mask it would have.
    free = output(kind, changed(kind, x, slice(3, None)))
    assert np.abs(at(kind, free, slice(0, 3)) - at(kind, before, slice(0, 3))).max() > 1e-2


def token_mask(kind, hidden):
    """A mask in which some tokens of every sample are hidden."""
    keep = np.ones(6, bool)
    keep[hidden] = False
    lead = KINDS[kind][1][: token_axis(kind)]
    return np.broadcast_to(keep, (*lead, 6)).copy()


HIDDEN = {"left": [0, 1], "right": [4, 5], "all": [0, 1, 2, 3, 4, 5]}


@pytest.mark.parametrize(
    ("hidden", "causal"),
    [
        pytest.param(HIDDEN[place], causal, id=f"{place}-{causal}", marks=() if place == "left" else pytest.mark.slow)
        for place in HIDDEN
        for causal in (False, True)
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_masked_tokens_change_nothing(backend, kind, hidden, causal):
    query, value = arr(*KINDS[kind][1]), arr(*KINDS[kind][1])
    mask = token_mask(kind, hidden)
    before = output(kind, query, value, value_mask=mask, use_causal_mask=causal)
    after = output(kind, query, changed(kind, value, hidden), value_mask=mask, use_causal_mask=causal)
    assert np.isfinite(before).all()
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)
    if len(hidden) < 6:
        seen = [i for i in range(6) if i not in hidden]
        other = output(kind, query, changed(kind, value, seen), value_mask=mask, use_causal_mask=causal)
        assert np.abs(other - before).max() > 1e-2


@pytest.mark.parametrize("kind", KINDS)
def test_masks_that_travel_with_tensors(backend, kind):
    """A mask attached to a tensor does what the argument does, and goes on with the output."""
    x = arr(*KINDS[kind][1])
    mask = token_mask(kind, [0, 5])
    wanted = output(kind, x, query_mask=mask, value_mask=mask)
    tensor = ops.convert_to_tensor(x)
    tricera.core.masking.set_mask(tensor, ops.convert_to_tensor(mask))
    np.testing.assert_allclose(output(kind, tensor), wanted, rtol=1e-5, atol=1e-6)
    make, _, options, call = KINDS[kind]
    out = make(**options)(tensor, tensor, **call)
    first, scores = out if isinstance(out, tuple) else (out, None)
    np.testing.assert_array_equal(host(get_mask(first)), mask)
    assert scores is None or get_mask(scores) is None


HEADS = [kind for kind in KINDS if kind.startswith(("heads", "groups"))]


@pytest.mark.parametrize("kind", HEADS)
def test_masks_of_pairs(backend, kind):
    """What a query may not see does not change it; masks of one sample, one head and every rank mean the same."""
    query, value = arr(*KINDS[kind][1]), arr(*KINDS[kind][1])
    pairs = np.ones((6, 6), bool)
    pairs[:2, 3:] = False
    pairs[5] = False  # sees nothing
    before = output(kind, query, value, attention_mask=pairs[None].repeat(2, 0))
    after = output(kind, query, changed(kind, value, slice(3, None)), attention_mask=pairs[None].repeat(2, 0))
    np.testing.assert_allclose(after[:, :2], before[:, :2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(after[:, 5], before[:, 5], rtol=1e-5, atol=1e-6)
    assert np.abs(after[:, 2:5] - before[:, 2:5]).max() > 1e-2
    for same in (pairs, pairs[None], pairs[None, None], pairs.astype("int32"), pairs[None].astype("float32")):
        np.testing.assert_allclose(output(kind, query, value, attention_mask=same), before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", HEADS)
def test_all_masks_together(backend, kind):
    """Token masks, pairs, causality and windows are joined with `and`."""
    x = arr(*KINDS[kind][1])
    pairs = RNG.uniform(size=(2, 6, 6)) < 0.7
    query_mask, value_mask, key_mask = (RNG.uniform(size=(2, 6)) < 0.7 for _ in range(3))
    causal = np.tril(np.ones((6, 6), bool))
    joined = pairs & causal & query_mask[:, :, None] & value_mask[:, None] & key_mask[:, None]
    got = output(
        kind, x, attention_mask=pairs, query_mask=query_mask, value_mask=value_mask, key_mask=key_mask, use_causal_mask=True
    )  # fmt: skip
    np.testing.assert_allclose(got, output(kind, x, attention_mask=joined), rtol=1e-5, atol=1e-6)


def test_masks_over_axes_of_a_grid(backend):
    """Token masks of a grid, whole and of its first axis, for each choice of axes of attention."""
    x = arr(2, 3, 4, 5)
    keep = RNG.uniform(size=(2, 3, 4)) < 0.6
    keep[:, 0, 0], keep[:, 1, 0] = True, False
    for axes in (None, 1, 2, (2, 1)):
        for mask in (keep, keep[:, :, 0]):
            full = np.broadcast_to(mask if mask.ndim == 3 else mask[:, :, None], keep.shape)
            layer = L.MultiHeadAttention(2, 3, attention_axes=axes)
            before = host(layer(x, x, value_mask=mask))
            other = np.where(full[..., None], x, x + 30 * arr(*x.shape))
            np.testing.assert_allclose(host(layer(x, other, value_mask=mask)), before, rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(
                host(layer(x, other, value_mask=mask, return_attention_scores=True)[0]), before, rtol=1e-5, atol=1e-5
            )
            assert np.abs(host(layer(x, other)) - before).max() > 1e-2


def test_half_precision(backend):
    mask = np.array([[True, True, False], [False, False, False]])
    x = arr(2, 3, 4)
    for kind in ("mixed_bfloat16", "mixed_float16"):
        layer = L.Attention(dtype=kind)
        out, scores = layer([x, x], mask=[None, mask], return_attention_scores=True)
        assert ops.dtype(out) == ops.dtype(scores) == kind.removeprefix("mixed_")
        assert (host(ops.cast(scores, "float32"))[1] == 0).all()
        assert np.isfinite(host(ops.cast(layer([x, x], mask=[None, mask]), "float32"))).all()
        layer = L.MultiHeadAttention(2, 3, dtype=kind)
        plain = host(ops.cast(layer(x, x, value_mask=mask), "float32"))
        out, _ = layer(x, x, value_mask=mask, return_attention_scores=True)
        np.testing.assert_allclose(plain, host(ops.cast(out, "float32")), atol=0.05)
        assert layer.query_dense.kernel.dtype == "float32"


# ---------------------------------------------------------------------- in models


def translator():
    """Source and target tokens, masked; a decoder as small as can be."""
    source, target = L.Input((None,), dtype="int32", name="source"), L.Input((None,), dtype="int32", name="target")
    embed = L.Embedding(12, 8, mask_zero=True, name="embed")
    s, t = embed(source), embed(target)
    h = L.MultiHeadAttention(2, 4, dropout=0.1, seed=1, name="self")(t, t, use_causal_mask=True)
    h = L.LayerNormalization(name="norm")(L.Add(name="add")([h, t]))
    h = L.GroupQueryAttention(4, 4, 2, use_gate=True, name="cross")(h, s)
    h = L.AdditiveAttention(name="more")([h, s])
    h = L.Attention(use_scale=True, dropout=0.1, seed=2, name="last")([h, h], use_causal_mask=True)
    return Model([source, target], L.Dense(12, name="head")(h))


SOURCE = np.array([[1, 2, 3, 0], [4, 5, 0, 0], [6, 7, 8, 9], [1, 1, 0, 0]])
TARGET = np.array([[3, 2, 1], [5, 4, 0], [9, 8, 7], [1, 1, 0]])


def test_a_model_keeps_its_masks(backend):
    model = translator()
    before = model.predict([SOURCE, TARGET], verbose=0)
    padded = model.predict([np.pad(SOURCE, ((0, 0), (0, 3))), np.pad(TARGET, ((0, 0), (0, 2)))], verbose=0)
    here = TARGET != 0
    np.testing.assert_allclose(padded[:, :3][here], before[here], rtol=1e-4, atol=1e-5)
    later = TARGET.copy()
    later[:, 2] = 11
    np.testing.assert_allclose(model.predict([SOURCE, later], verbose=0)[:, :2], before[:, :2], rtol=1e-4, atol=1e-5)


def test_fit(trainable_backend):
    model = translator()
    model.compile(tricera.optimizers.Adam(0.02), tricera.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = [SOURCE.repeat(8, 0), TARGET.repeat(8, 0)], TARGET.repeat(8, 0)
    losses = model.fit(x, y, batch_size=8, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.parametrize("target", BACKENDS)
def test_to_backend_and_back_from_a_file(target, tmp_path):
    tricera.utils.set_random_seed(0)
    with use(TRAINABLE[0]):
        model = translator()
        wanted = host(model([SOURCE, TARGET]))
        model.save(tmp_path / "m.keras")
    with use(target):
        close(tricera.saving.load_model(tmp_path / "m.keras")([SOURCE, TARGET]), wanted, 1e-4)
    close(model.to_backend(target)([SOURCE, TARGET]), wanted, 1e-4)


def test_shapes_with_unknown_dimensions(backend):
    q, v = KerasTensor((None, None, 4)), KerasTensor((None, 5, 6))
    out, scores = L.MultiHeadAttention(2, 3)(q, v, return_attention_scores=True)
    assert out.shape == (None, None, 4) and scores.shape == (None, 2, None, 5)
    out, scores = L.GroupQueryAttention(3, 4, 2)(q, v, return_attention_scores=True)
    assert out.shape == (None, None, 4) and scores.shape == (None, 4, None, 5)
    out, scores = L.Attention()([q, v], return_attention_scores=True)
    assert out.shape == (None, None, 6) and scores.shape == (None, None, 5)
    x = KerasTensor((None, 3, None, 4))
    out, scores = L.MultiHeadAttention(2, 3, attention_axes=(2,), output_shape=7)(x, x, return_attention_scores=True)
    assert out.shape == (None, 3, None, 7) and scores.shape == (None, 3, 2, None, None)
    layer = L.MultiHeadAttention(2, 3)
    assert layer.compute_output_shape((None, 3, 4), (None, 5, 6)) == (None, 3, 4) and not layer.built
    assert L.Attention().compute_output_shape([(None, 3, 4), (None, 5, 7)]) == (None, 3, 7)


def test_dropout_of_the_scores(backend):
    x = arr(4, 20, 4)
    for layer in (L.Attention(dropout=0.5, seed=1), L.AdditiveAttention(dropout=0.5, seed=1)):
        _, scores = layer([x, x], training=True, return_attention_scores=True)
        assert 0.4 < (host(scores) == 0).mean() < 0.6
        _, scores = layer([x, x], return_attention_scores=True)
        assert (host(scores) > 0).all()
    heads = L.MultiHeadAttention(2, 3, dropout=0.5, seed=1)
    out, scores = heads(x, x, training=True, return_attention_scores=True)
    close(ops.sum(scores, -1), np.ones((4, 2, 20)))  # the scores are those before dropout
    assert np.abs(host(out) - host(heads(x, x))).max() > 1e-2
    assert np.abs(host(out) - host(heads(x, x, training=True))).max() > 1e-2


# ---------------------------------------------------------------------- wrong use

WRONG = [
    (lambda: L.MultiHeadAttention(0, 3), "num_heads"),
    (lambda: L.MultiHeadAttention(2, 2.5), "key_dim"),
    (lambda: L.MultiHeadAttention(2, 3, dropout=1.5), "dropout"),
    (lambda: L.MultiHeadAttention(2, 3, sliding_window=0), "sliding_window"),
    (lambda: L.MultiHeadAttention(2, 3, output_shape="a"), "output_shape"),
    (lambda: L.MultiHeadAttention(2, 3, attention_axes="a"), "attention_axes"),
    (lambda: L.MultiHeadAttention(2, 3, attention_axes=(0,))(Q, Q), "attention_axes"),
    (lambda: L.MultiHeadAttention(2, 3, attention_axes=(5,))(Q, Q), "attention_axes"),
    (lambda: L.MultiHeadAttention(2, 3, attention_axes=(1, 1))(Q, Q), "attention_axes"),
    (lambda: L.MultiHeadAttention(2, 3, flash_attention=True, dropout=0.1), "flash"),
    (lambda: L.MultiHeadAttention(2, 3, flash_attention=True)(Q, Q, return_attention_scores=True), "flash"),
    (lambda: L.MultiHeadAttention(2, 3)(Q[0], Q[0]), "axes"),
    (lambda: L.MultiHeadAttention(2, 3)(Q, V, Q), "equally long"),
    (lambda: L.MultiHeadAttention(2, 3)(Q, Q[:, None]), "same number of axes"),
    (
        lambda: L.MultiHeadAttention(2, 3)(KerasTensor((None, 3, None)), KerasTensor((None, 3, 4))),
        "last axis of `query`",
    ),
    (lambda: L.MultiHeadAttention(2, 3)(Q, Q, value_mask=np.ones((2, 3, 4, 1), bool)), "value_mask"),
    (lambda: L.MultiHeadAttention(2, 3)(Q, Q, attention_mask=np.ones(3, bool)), "attention_mask"),
    (lambda: L.GroupQueryAttention(3, 4, 3), "divisible"),
    (lambda: L.GroupQueryAttention(3, 4, 2)(Q[None], Q[None]), "3 axes"),
    (lambda: L.Attention(score_mode="product"), "score_mode"),
    (lambda: L.Attention(dropout=-1), "dropout"),
    (lambda: L.Attention()(Q), "must be called on a list"),
    (lambda: L.Attention()([Q]), "a list of 1"),
    (lambda: L.Attention()([Q, Q, Q, Q]), "a list of 4"),
    (lambda: L.Attention()([Q, Q], mask=np.ones((2, 3), bool)), "`mask`"),
    (lambda: L.Attention()([Q, Q], mask=[np.ones((2, 3), bool)]), "`mask`"),
    (lambda: L.Attention()([Q, Q], mask=[None, None, None]), "`mask`"),
]


@pytest.mark.parametrize(("make", "said"), WRONG)
def test_wrong_use(make, said):
    with use("numpy"), pytest.raises(ValueError, match=said):
        make()


def test_flash_attention_is_a_wish(backend):
    layer = L.MultiHeadAttention(2, 3, flash_attention=True)
    close(layer(Q, V, K), heads_by_hand(layer, Q, V, K)[0])


def test_configs(backend):
    layer = L.MultiHeadAttention(
        2, 3, output_shape=5, attention_axes=-2, activity_regularizer="l1", kernel_regularizer="l2"
    )
    out = host(layer(Q, Q))
    assert len(layer.losses) == 8
    twin = L.MultiHeadAttention.from_config(layer.get_config())
    twin.build_from_config(layer.get_build_config())
    twin.set_weights(layer.get_weights())
    close(twin(Q, Q), out)
    config = tricera.saving.serialize_keras_object(L.GroupQueryAttention(3, 4, 2))
    assert (config["module"], config["class_name"]) == ("keras.layers", "GroupQueryAttention")
    assert isinstance(tricera.saving.deserialize_keras_object(config), L.GroupQueryAttention)
    assert "score_mode" not in L.AdditiveAttention(seed=3).get_config()
    assert L.AdditiveAttention.from_config(L.AdditiveAttention(dropout=0.1, seed=3).get_config()).seed == 3


def test_two_kernels_get_different_numbers(backend):
    layer = L.MultiHeadAttention(2, 4)
    layer(Q, Q)
    assert np.abs(layer.query_dense.kernel.numpy() - layer.key_dense.kernel.numpy()).max() > 1e-3

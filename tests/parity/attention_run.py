"""Attention layers under Keras and Tricera: weights, names, configs, outputs, scores, masks, shapes.

Left out is what Keras does with queries that see nothing: with `return_attention_scores` its heads give zeros, as ours always do;
its fused path gives the mean of all values, hidden ones among them, and so do Attention and AdditiveAttention.
Keras's MultiHeadAttention takes the masks off the tensors that it is called on, so that they have none for the next layer; it
forgets a `query_mask` that is given, but not one that comes with the tensor. For grids of tokens it has no causal mask,
and the symbolic scores have another shape than the real ones. Its GroupQueryAttention wants query and value of one length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_RNG = np.random.default_rng(0)
QUERY, VALUE, KEY = (_RNG.normal(size=s).astype("float32") for s in ((2, 3, 4), (2, 5, 6), (2, 5, 4)))
GRID, OTHER_GRID = (_RNG.normal(size=s).astype("float32") for s in ((2, 3, 4, 5), (2, 3, 6, 5)))
PAIRS = np.array([[1, 0, 1, 1, 1], [0, 1, 0, 0, 0], [1, 1, 0, 0, 1]], bool)[None].repeat(2, 0)
QUERY_MASK, VALUE_MASK = np.array([[1, 1, 0], [1, 1, 1]], bool), np.array([[1, 1, 0, 0, 1], [1, 1, 1, 0, 0]], bool)
HEADS: list[dict[str, Any]] = [
    {"num_heads": 2, "key_dim": 3},
    {"num_heads": 2, "key_dim": 3, "value_dim": 5, "use_gate": True, "dropout": 0.1, "seed": 3},
    {"num_heads": 1, "key_dim": 4, "use_bias": False, "output_shape": 7, "flash_attention": False},
    {"num_heads": 2, "key_dim": 3, "output_shape": (3, 2), "sliding_window": 2, "kernel_regularizer": "l2"},
    {
        "num_heads": 3,
        "key_dim": 2,
        "activity_regularizer": "l1",
        "bias_constraint": "max_norm",
        "bias_initializer": "ones",
    },
]
GROUPS: list[dict[str, Any]] = [
    {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
    {
        "head_dim": 3,
        "num_query_heads": 4,
        "num_key_value_heads": 1,
        "use_gate": True,
        "dropout": 0.1,
        "use_bias": False,
    },
    {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 2, "sliding_window": 3, "activity_regularizer": "l2"},
]
PLAIN: list[tuple[str, dict[str, Any]]] = [
    ("Attention", {}),
    ("Attention", {"use_scale": True, "dropout": 0.2, "seed": 1}),
    ("Attention", {"score_mode": "concat"}),
    ("Attention", {"score_mode": "concat", "use_scale": True}),
    ("AdditiveAttention", {}),
    ("AdditiveAttention", {"use_scale": False, "dropout": 0.1, "seed": 2}),
]


def _filled(layer: Any) -> Any:
    """Known numbers in all weights."""
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=w.shape).astype("float32") for w in layer.weights])
    return layer


def _shape(x: Any) -> list[Any]:
    return [None if d is None else int(d) for d in x.shape]


def _about(layer: Any, inputs: list[Any]) -> dict[str, Any]:
    return {
        "names": [w.path for w in layer.weights],
        "shapes": [list(w.shape) for w in layer.weights],
        "config": _plain(layer.get_config()),
        "build": _plain(layer.get_build_config()),
        "output": [None if d is None else int(d) for d in layer.compute_output_shape(*inputs)],
        "losses": len(layer.losses),
    }


def _plain(value: Any) -> Any:
    """Tuples as lists."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _open(*shapes: Any) -> list[Any]:
    return [(None, *s[1:]) for s in shapes]


def _heads(kind: str, options: dict[str, Any], query: Any, value: Any, key: Any) -> Any:
    def case(module: Any) -> dict[str, Any]:
        layer = getattr(module.layers, kind)(**options, name="layer")
        symbolic = [module.KerasTensor((None, None, *x.shape[2:])) for x in (query, value, key)]
        unknown = layer(*symbolic, return_attention_scores=True)
        out = _filled(layer)(query, value, key)
        both = layer(query, value, key, return_attention_scores=True)
        row = query.ndim == 3
        causal = layer(query, value, key, use_causal_mask=row, return_attention_scores=True)
        return {
            **_about(layer, _open(query.shape, value.shape, key.shape)),
            "symbolic": [_shape(x) for x in unknown] if row else _shape(unknown[0]),
            "out": out, "again": both[0], "scores": both[1], "causal": causal[0], "causal scores": causal[1],
        }  # fmt: skip

    return case


def _model(kind: str, options: dict[str, Any], masks: dict[str, Any], call: dict[str, Any], scores: bool) -> Any:
    """Heads with explicit masks, in a functional model."""

    def case(module: Any) -> dict[str, Any]:
        layers = module.layers
        values = (QUERY, KEY[..., ::-1] if kind.startswith("Group") else VALUE, KEY)
        inputs = [layers.Input((None, x.shape[-1])) for x in values]
        given = {k: layers.Input(v.shape[1:], dtype="bool") for k, v in masks.items()}
        layer = getattr(layers, kind)(**options, name="layer")
        out = layer(*inputs, **given, **call, return_attention_scores=scores)
        model = module.Model([*inputs, *given.values()], out)
        _filled(layer)
        found = model([*values, *masks.values()])
        return {"out": found[0], "scores": found[1]} if scores else {"out": found}

    return case


def _embedded(kind: str, options: dict[str, Any], causal: bool) -> Any:
    """The masks of an Embedding."""

    def case(module: Any) -> dict[str, Any]:
        layers = module.layers
        ids, other = layers.Input((None,), dtype="int32"), layers.Input((None,), dtype="int32")
        embed = layers.Embedding(9, 4, mask_zero=True)
        called = []
        for scores in (True, False):
            pair = [embed(ids), embed(other)]  # anew: Keras's MultiHeadAttention takes their masks off its inputs
            layer = getattr(layers, kind)(**options)
            inputs = [pair] if kind == "Attention" else pair
            called.append(layer(*inputs, use_causal_mask=causal, return_attention_scores=scores))
        model = module.Model([ids, other], [*called[0], called[1], layers.GlobalAveragePooling1D()(called[1])])
        rng = np.random.default_rng(2)
        model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.weights])
        out, scores, alone, mean = model([np.array([[1, 2, 3, 0], [4, 0, 0, 0]]), np.array([[5, 6, 0], [7, 8, 1]])])
        here = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], "float32")[..., None]
        return {"out": out, "scores": scores, "alone": module.ops.convert_to_numpy(alone) * here, "mean": mean}

    return case


def _listed(kind: str, options: dict[str, Any]) -> Any:
    def case(module: Any) -> dict[str, Any]:
        layer = getattr(module.layers, kind)(**options, name="layer")
        symbolic = [module.KerasTensor((None, None, x.shape[-1])) for x in (QUERY, VALUE, KEY)]
        unknown = layer(symbolic, return_attention_scores=True)
        inputs = [QUERY, VALUE, KEY]
        masks = [module.ops.convert_to_tensor(m) for m in (QUERY_MASK, VALUE_MASK)]
        _filled(layer)
        found = {"out": layer(inputs), "two": layer([QUERY, KEY])}
        for name, mask, causal in (
            ("plain", None, False), ("both", masks, False), ("query", [masks[0], None], False), ("value", [None, masks[1]], False),
            ("causal", None, True), ("all", masks, True),
        ):  # fmt: skip
            found[name], found[f"{name} scores"] = layer(
                inputs, mask=mask, use_causal_mask=causal, return_attention_scores=True
            )
            found[f"{name} alone"] = layer(inputs, mask=mask, use_causal_mask=causal)
        return {
            **_about(layer, [_open(QUERY.shape, VALUE.shape, KEY.shape)]),
            "symbolic": [_shape(x) for x in unknown], **found,
        }  # fmt: skip

    return case


def _cases() -> dict[str, Any]:
    cases: dict[str, Any] = {}
    for i, options in enumerate(HEADS):
        cases[f"heads-{i}"] = _heads("MultiHeadAttention", options, QUERY, VALUE, KEY)
    for axes, other in ((None, GRID), ((1,), GRID), (2, OTHER_GRID), (-2, OTHER_GRID), ((2, 1), GRID)):
        options = {"num_heads": 2, "key_dim": 3, "attention_axes": axes}
        cases[f"heads-axes-{axes}"] = _heads("MultiHeadAttention", options, GRID, other, other)
    for i, options in enumerate(GROUPS):
        cases[f"groups-{i}"] = _heads("GroupQueryAttention", options, QUERY, KEY[..., ::-1], KEY)
    for kind, options in (("MultiHeadAttention", HEADS[1]), ("GroupQueryAttention", GROUPS[0])):
        for masks in (
            {"attention_mask": PAIRS}, {"value_mask": VALUE_MASK}, {"key_mask": VALUE_MASK}, {"query_mask": QUERY_MASK},
            {"attention_mask": PAIRS[:, None]}, {"query_mask": QUERY_MASK, "value_mask": VALUE_MASK, "attention_mask": PAIRS},
        ):  # fmt: skip
            if kind == "MultiHeadAttention" and "query_mask" in masks:
                continue
            for causal in (False, True):
                name = f"{kind}-{'+'.join(masks)}-{next(iter(masks.values())).ndim}-{causal}"
                call = {"use_causal_mask": causal}
                cases[f"{name}-scores"] = _model(kind, options, masks, call, True)
                if not causal and "query_mask" not in masks:
                    cases[name] = _model(kind, options, masks, call, False)
    for kind, options in (("MultiHeadAttention", HEADS[0]), ("GroupQueryAttention", GROUPS[0]), ("Attention", {})):
        for causal in (False, True):
            cases[f"embedded-{kind}-{causal}"] = _embedded(kind, options, causal)
    for i, (kind, options) in enumerate(PLAIN):
        cases[f"{kind}-{i}"] = _listed(kind, options)
    return cases


CASES = _cases()

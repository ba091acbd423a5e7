"""Models whose summaries are compared: made the same way with Keras and with Tricera.

    python summary_models.py keras|tricera     prints {case: text} as JSON

Without an argument it writes what Keras prints into tests/utils/summaries.txt.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parents[1] / "utils" / "summaries.txt"


def guide(k: Any) -> Any:
    layer = k.layers
    return k.Sequential(
        [
            k.Input((28, 28, 1)),
            layer.Conv2D(64, 3),
            layer.Conv2D(64, 3),
            layer.MaxPooling2D(2),
            layer.Conv2D(128, 3),
            layer.Conv2D(128, 3),
            layer.GlobalAveragePooling2D(),
            layer.Dropout(0.5),
            layer.Dense(10),
        ],
        name="guide",
    )


def frozen(k: Any) -> Any:
    model = guide(k)
    model.layers[0].trainable = False
    return model


def unbuilt(k: Any) -> Any:
    inner = k.Sequential([k.layers.Dense(4, name="a"), k.layers.Activation("relu", name="f")], name="inner")
    return k.Sequential([inner, k.layers.Dense(2, name="b"), k.layers.Dropout(0.5, name="c")], name="unbuilt")


def chain(k: Any) -> Any:
    a = k.Input((4,), name="a")
    return k.Model(a, k.layers.Dense(2, name="d2")(k.layers.Dense(3, name="d1")(a)), name="chain")


def compiled(k: Any) -> Any:
    model = chain(k)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def joined(k: Any) -> Any:
    a, b = k.Input((4,), name="a"), k.Input((3,), name="b")
    x, y = k.layers.Dense(5, name="da")(a), k.layers.Dense(5, name="db")(b)
    z = k.layers.Concatenate(name="together")([k.layers.Add(name="sum")([x, y]), x, y])
    return k.Model([a, b], [k.layers.Dense(1, name="out")(z), k.ops.relu(k.ops.expand_dims(z, 1))], name="joined")


def shared(k: Any) -> Any:
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    dense = k.layers.Dense(3, name="dense")
    return k.Model([a, b], k.layers.Subtract(name="difference")([dense(a), dense(b)]), name="shared")


def twice(k: Any) -> Any:
    a = k.Input((4,), name="a")
    x = k.layers.Dense(4, name="d")(a)
    return k.Model(a, k.layers.Add(name="double")([x, x]), name="twice")


def residual(k: Any) -> Any:
    a = k.Input((4,), name="a")
    return k.Model(a, k.layers.Add(name="add")([a, k.layers.Dense(4, name="d")(a)]), name="residual")


def nested(k: Any) -> Any:
    inner = k.Sequential(
        [k.Input((4,)), k.layers.Dense(3, name="d1"), k.layers.BatchNormalization(name="bn")], name="inner"
    )
    i = k.Input((3,), name="i")
    heads = k.Model(i, [k.layers.Dense(2, name="left")(i), k.layers.Dense(2, name="right")(i)], name="heads")
    a = k.Input((4,), name="a")
    return k.Model(a, heads(k.layers.Add(name="add")([inner(a), k.layers.Dense(3, name="s")(a)])), name="nested")


def deep(k: Any) -> Any:
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(3, name="d1"), k.layers.Dropout(0.1, name="dr")], name="inner")
    middle = k.Sequential([inner, k.layers.Dense(4, name="d2")], name="middle")
    middle.build((None, 4))
    return k.Sequential([k.Input((4,)), middle, k.layers.Dense(1, name="o")], name="deep")


def long_names(k: Any) -> Any:
    a = k.Input((4,), name="an_input_with_a_very_long_name_indeed_so_long")
    x = k.layers.Dense(30000, name="d1")(a)
    return k.Model(a, k.layers.Dense(2000, name="a_layer_whose_name_does_not_fit_into_its_column")(x), name="long")


def dtypes(k: Any) -> Any:
    stack = [
        k.Input((4,)),
        k.layers.Dense(3, name="half", dtype="float16"),
        k.layers.Dense(2, name="double", dtype="float64"),
    ]
    return k.Sequential(stack, name="dtypes")


def untrained(k: Any) -> Any:
    model = chain(k)
    model.trainable = False
    return model


# (model, columns of the terminal, arguments of summary)
CASES: list[tuple[Any, int, dict[str, Any]]] = [
    *(
        (model, 80, {})
        for model in (guide, frozen, unbuilt, chain, compiled, joined, shared, twice, residual, nested, deep)
    ),
    *((model, 80, {}) for model in (long_names, dtypes, untrained)),
    *((model, columns, {}) for model in (guide, joined) for columns in (40, 45, 61, 99, 120, 200)),
    *((model, columns, {"show_trainable": True}) for model in (frozen, shared) for columns in (40, 50, 80, 99, 200)),
    *((model, 80, {"expand_nested": True}) for model in (unbuilt, nested, deep)),
    (nested, 80, {"expand_nested": True, "show_trainable": True}),
    (deep, 120, {"expand_nested": True, "show_trainable": True}),
    (nested, 80, {"expand_nested": True, "layer_range": ["inner", "s"]}),
    (guide, 80, {"layer_range": ["conv2d_1", "max.*"]}),
    (guide, 80, {"layer_range": ["max_pooling2d", "conv2d"]}),
    (guide, 80, {"line_length": 60}),
    (guide, 140, {"line_length": 120}),
    (chain, 80, {"positions": [0.3, 0.6, 1.0]}),
    (chain, 80, {"positions": [0.3, 0.5, 0.7], "line_length": 70}),
    (shared, 80, {"positions": [0.3, 0.5, 0.7, 0.8], "show_trainable": True}),
]


def label(case: tuple[Any, int, dict[str, Any]]) -> str:
    model, columns, options = case
    return f"{model.__name__} {columns} {json.dumps(options)}"


def text(k: Any, case: tuple[Any, int, dict[str, Any]]) -> str:
    model, columns, options = case
    k.utils.clear_session()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    try:
        texts: list[str] = []
        model(k).summary(print_fn=lambda whole, **_: texts.append(whole), **options)
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    assert len(texts) == 1
    return texts[0]


def main() -> None:
    k = importlib.import_module(sys.argv[1] if len(sys.argv) > 1 else "keras")
    texts = {label(case): text(k, case) for case in CASES}
    if len(sys.argv) > 1:
        print(json.dumps(texts))
    else:
        GOLDEN.write_text("".join(f"## {name}\n{body}" for name, body in texts.items()))


if __name__ == "__main__":
    main()

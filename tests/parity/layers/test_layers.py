"""Every layer beside Keras, on every backend: outputs, gradients, masks, losses, states, names, configs, open shapes."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path

import numpy as np
import pytest

import tricera
from tests.parity import black_box
from tests.parity.layers import mechanism, rows
from tricera import autodiff, layers, ops
from tricera.core.state import functionalize
from tricera.core.variable import Variable

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("torch")

LISTED = Path(__file__).parents[2] / "api" / "keras_api.tsv"


keras_results = black_box.keras_results(rows, "torch")


def on_jax(k, layer, run, given, gradients):
    """In one compiled function, as a training step does it."""
    import jax

    variables = layer.variables
    trained = [i for i, v in enumerate(variables) if any(v is w for w in layer.trainable_weights)]
    flat = mechanism.leaves(given)
    moved = [i for i, x in enumerate(flat) if x.dtype.kind == "f"] if gradients else []
    pure = functionalize(lambda *args: (*run(*args), list(layer.losses)), variables)

    def loss(weights, inputs):
        values = [v.value for v in variables]
        for i, w in zip(trained, weights):
            values[i] = w
        xs = list(flat)
        for i, x in zip(moved, inputs):
            xs[i] = x
        leaves = iter(xs)
        (outputs, seen, losses), new = pure(values, *mechanism._map(lambda _: next(leaves), given))
        number = mechanism.total(k, outputs, losses) if gradients else 0.0
        return number, (outputs, seen, losses, new)

    weights, inputs = [variables[i].value for i in trained], [flat[i] for i in moved]
    if gradients:
        slopes, (outputs, seen, losses, new) = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))(weights, inputs)
    else:
        slopes, (_, (outputs, seen, losses, new)) = ((), ()), jax.jit(loss)(weights, inputs)
    after = [new[i] for i, v in enumerate(variables) if any(v is w for w in layer.weights)]
    return outputs, seen, losses, [*slopes[1], *slopes[0]], after


def eagerly(k, layer, run, given, gradients):
    """With `value_and_grad`, as it is written."""
    if not gradients:
        return mechanism.forward(k, layer, run, given, gradients)
    inputs = mechanism._map(lambda v: Variable(v) if v.dtype.kind == "f" else v, given)
    moved = [x for x in mechanism.leaves(inputs) if isinstance(x, Variable)]

    def loss():
        outputs, seen = run(*mechanism._map(lambda v: ops.convert_to_tensor(v), inputs))
        losses = list(layer.losses)
        return mechanism.total(k, outputs, losses), (outputs, seen, losses)

    variables = [*moved, *layer.trainable_weights]
    (_, found), slopes = autodiff.value_and_grad(loss, variables, has_aux=True)()
    slopes = [np.zeros(v.shape) if g is None else g for g, v in zip(slopes, variables)]
    return *found, slopes, [w.value for w in layer.weights]


DIFFERENTIATE = {"jax": on_jax, "torch": eagerly, "tensorflow": eagerly, "numpy": None}


def excused(name, key):
    return any(fnmatch.fnmatch(f"{name}:{key}", pattern) for pattern in rows.EXCUSED)


# On JAX each case is compiled, a quarter of a second: the first row of each class, and every eighth of the others.
ON_JAX = {n for i, n in enumerate(rows.TABLE) if n.endswith("-0") or i % 8 == 0 or os.environ.get("TRICERA_TEST_ALL")}


@pytest.mark.parametrize("name", list(rows.TABLE))
def test_as_keras(backend, name, keras_results):
    if backend == "jax" and name not in ON_JAX:
        pytest.skip("one of the many")
    case, wanted = rows.TABLE[name], keras_results[name]
    found = black_box.outcome(lambda k: case(k, DIFFERENTIATE[backend]), tricera)
    if wanted.get(black_box.RAISES):
        assert found.get(black_box.RAISES) or excused(name, black_box.RAISES), wanted["said"]
        return
    assert not found.get(black_box.RAISES), found["said"]
    wrong = {}
    for key, want in wanted.items():
        if key.startswith("slope") and backend == "numpy":
            continue
        if key not in found:
            wrong[key] = "lacks"
        elif not isinstance(want, np.ndarray):
            same = _open_alike if key.startswith("open") else black_box.alike
            if not same(found[key], want):
                wrong[key] = _places(found[key], want)
        else:
            said = _apart(np.asarray(found[key]), want, case)
            if said:
                wrong[key] = said
    wrong |= {key: "not in Keras" for key in found if key not in wanted}
    wrong = {key: said for key, said in wrong.items() if not excused(name, key)}
    assert not wrong, wrong


def _apart(got, want, case):
    if got.shape != want.shape:
        return f"shape {got.shape}, wanted {want.shape}"
    scale = max(1.0, float(np.abs(want).max(initial=0.0)))
    tolerance = mechanism.HALF.get(case.policy, 2e-5) * scale
    if np.allclose(got, want, rtol=1e-4, atol=tolerance, equal_nan=True):
        return ""
    nan = f", {np.isnan(got).sum()} and {np.isnan(want).sum()} not a number"
    return f"differs by {np.nanmax(np.abs(got - want)):.3g} at scale {scale:.3g}{nan}"


def _places(got, want, path=""):
    """Where two plain values differ: path, ours, Keras's."""
    if isinstance(got, dict) and isinstance(want, dict):
        keys = sorted({*got, *want})
        return [p for k in keys for p in _places(got.get(k, "none"), want.get(k, "none"), f"{path}.{k}")]
    if isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
        return [p for i, (a, b) in enumerate(zip(got, want)) for p in _places(a, b, f"{path}.{i}")]
    return [] if black_box.alike(got, want) else [(path, got, want)]


def _open_alike(got, want):
    """Where Keras leaves a dimension open, ours may know it; where it can't say, ours may."""
    if want is None or got == want:
        return True
    if isinstance(want, list) and isinstance(got, list) and len(got) == len(want):
        return all(map(_open_alike, got, want))
    return False


def test_every_layer_is_in_the_table():
    kinds = {row.kind for row in rows.ROWS}
    names = [line.split("\t")[:2] for line in LISTED.read_text().splitlines() if line.startswith("layers.")]
    names = {name.removeprefix("layers.") for name, kind in names if kind == "class"}
    aliases = {n for n in names if hasattr(layers, n) and getattr(layers, n).__name__ != n}
    assert names - kinds - aliases == set(rows.WITHOUT)

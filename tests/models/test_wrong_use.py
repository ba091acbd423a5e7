"""Mistakes that everybody makes once, and what they are told."""

from __future__ import annotations

import os
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS
from tricera import layers as L, ops
from tricera.backend import use
from tricera.models import Sequential

X, Y = np.ones((4, 3), "float32"), np.zeros(4, "int32")


def model(compiled=True):
    made = Sequential([L.Input((3,)), L.Dense(2, activation="softmax", name="head")])
    if compiled:
        made.compile("sgd", "sparse_categorical_crossentropy")
    return made


def test_unknown_backend():
    with pytest.raises(ValueError, match="'theano'.*'jax', 'torch', 'tensorflow', 'numpy'"):
        tricera.backend.set_backend("theano")
    run = subprocess.run(
        [sys.executable, "-c", "import tricera; tricera.ops.ones(1)"],
        env={**os.environ, "TRICERA_BACKEND": "theano"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode and "Unknown backend 'theano'" in run.stderr


def test_a_framework_that_is_not_installed_says_what_to_install():
    from tricera.core import dispatch

    with mock.patch.object(dispatch, "_handles", {}), mock.patch("importlib.util.find_spec", lambda name: None):
        with pytest.raises(ValueError, match=r"'torch'.*not installed.*pip install 'tricera\[torch\]'"):
            dispatch.get("torch")


@pytest.mark.skipif(not {"jax", "torch"} <= set(BACKENDS), reason="needs two frameworks")
def test_tensors_of_two_frameworks():
    with use("jax"):
        one = ops.ones((2,))
    with use("torch"):
        two = ops.ones((2,))
    with pytest.raises(TypeError, match="(?s)jax.*torch|torch.*jax"):
        ops.add(one, two)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch"])
def test_training_before_compile(trainable_backend, method):
    with pytest.raises(ValueError, match="(?i)compile"):
        getattr(model(compiled=False), method)(X, Y)


def test_data_of_unequal_length(trainable_backend):
    with pytest.raises(ValueError, match="same number of samples.*x: 4, y: 3"):
        model().fit(X, Y[:3], verbose=0)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0])
def test_class_weights(trainable_backend, weight):
    with pytest.raises(ValueError, match=r"class_weight\[0\]"):
        model().fit(X, Y, class_weight={0: weight, 1: 1.0}, verbose=0)


def test_an_unwritable_path(tmp_path):
    with pytest.raises(OSError, match="(?s)nowhere.*does not exist"):
        model().save(tmp_path / "nowhere" / "m.keras")
    with pytest.raises(ValueError, match=r"\.keras"):
        model().save(tmp_path / "m.txt")


def test_other_shapes_name_the_layer_and_both_shapes(backend):
    with pytest.raises(ValueError, match=r"(?s)\(None, 3\).*\(2, 5\)"):
        model()(np.ones((2, 5), "float32"))
    dense = L.Dense(2, name="mine")
    dense(X)
    with pytest.raises(ValueError, match=r"'mine'.*length 3.*\(2, 5\)"):
        dense(np.ones((2, 5), "float32"))


def test_shapes_in_fit(trainable_backend):
    with pytest.raises(ValueError, match=r"(?s)\(None, 3\).*5"):
        model().fit(np.ones((4, 5), "float32"), Y, verbose=0)

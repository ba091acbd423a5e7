"""What all tests share: the backends, each in turn, in one process."""

from __future__ import annotations

import importlib.util
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

import tricera
from tricera.backend import clear_session, use

_MODULES = {"jax": "jax", "torch": "torch", "tensorflow": "tensorflow", "numpy": "numpy"}
BACKENDS = [
    name
    for name in os.environ.get("TRICERA_TEST_BACKENDS", "jax,torch,tensorflow,numpy").split(",")
    if importlib.util.find_spec(_MODULES[name]) is not None
]
TRAINABLE = [name for name in BACKENDS if name != "numpy"]


@pytest.fixture(params=BACKENDS)
def backend(request):
    """Each installed backend, chosen inside the test."""
    clear_session(free_memory=False)
    tricera.utils.set_random_seed(0)
    with use(request.param):
        yield request.param


@pytest.fixture(params=TRAINABLE)
def trainable_backend(request):
    """Each installed backend with gradients, chosen inside the test."""
    clear_session(free_memory=False)
    tricera.utils.set_random_seed(0)
    with use(request.param):
        yield request.param

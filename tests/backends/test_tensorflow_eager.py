"""What TensorFlow's backend asks where ops run at once."""

from __future__ import annotations

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")


def test_alone() -> None:
    """Not in a graph, nor where a derivative is recorded, in either direction."""
    from tricera.backends.tensorflow.eager import alone

    assert alone()
    with tf.GradientTape():
        assert not alone()
    x = tf.constant(1.0)
    with tf.autodiff.ForwardAccumulator(x, x):
        assert not alone()
    found = []
    tf.function(lambda: found.append(alone()))()
    assert found == [False]


def test_finite() -> None:
    """Known of floats that have values; a sum that overflows says nothing."""
    from tricera.backends.tensorflow.eager import finite

    assert finite(tf.constant([1.0, 2.0])) and finite(tf.zeros((0,)))
    assert finite(tf.constant([1.0 + 2.0j]))
    for bad in (np.nan, np.inf):
        assert not finite(tf.constant([1.0, bad]))
    assert not finite(tf.constant([1.0, np.nan]), nan_only=True)
    assert finite(tf.constant([np.inf, -np.inf]), nan_only=True)
    assert finite(tf.zeros((0,)), nan_only=True)
    assert not finite(tf.constant([3e38, 3e38]))
    assert not finite(tf.constant([1, 2]))
    found = []
    tf.function(lambda x: found.append(finite(x)))(tf.constant([1.0]))
    assert found == [False]

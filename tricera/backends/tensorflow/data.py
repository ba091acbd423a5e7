"""Datasets of samples in memory."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def dataset_of_samples(arrays: Any) -> tf.data.Dataset:
    """A dataset whose elements are the rows of `arrays`, a structure of tuples, dicts and arrays of one length."""
    return tf.data.Dataset.from_tensor_slices(arrays)

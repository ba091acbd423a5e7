"""AutoGraph leaves Tricera's own code alone.

Inside a user's `tf.function`, AutoGraph rewrites what is called, down to the last helper: slowly, and for nothing, since Tricera
has no Python branches on tensors. TensorFlow keeps a list of packages that it does not rewrite.
"""

from __future__ import annotations

from tensorflow.python.autograph.core import config


def leave_alone(package: str) -> None:
    """Add a package to that list."""
    config.CONVERSION_RULES = (config.DoNotConvert(package), *config.CONVERSION_RULES)

"""TensorFlow: steps are `tf.function`s over `tf.Variable`s; layers are trackable."""

from __future__ import annotations

from tricera.backends.tensorflow.first_import import write_nothing

write_nothing()

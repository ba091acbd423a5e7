"""Variables are `tf.Variable`s, and layers are trackable: checkpoints and SavedModels see them."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import tensorflow as tf


def make(value: np.ndarray, dtype: str, trainable: bool, name: str) -> tf.Variable:
    """The native form of a variable's initial value; made outside of any graph being traced."""
    with tf.init_scope():
        return tf.Variable(np.array(value), dtype=dtype, trainable=trainable, name=name.rpartition("/")[2])


def read(native: tf.Variable) -> Any:
    """The value as a tensor; gradient tapes see the read."""
    return native.value()


def assign(native: tf.Variable, value: Any) -> tf.Variable:
    """The variable, filled with the value in place."""
    native.assign(value)
    return native


def accumulate(native: tf.Variable, value: Any) -> tf.Variable:
    """The variable, to which a tensor or an array of its dtype, or a number, was added in place."""
    native.assign_add(value)
    return native


def zero(native: tf.Variable) -> tf.Variable:
    """The variable, filled with zeros in place."""
    native.assign(tf.zeros_like(native))
    return native


def set_trainable(native: tf.Variable, trainable: bool) -> tf.Variable:
    """The variable with another `trainable` (which `tf.GradientTape` reads)."""
    native._trainable = trainable
    return native


class TrackableView(tf.__internal__.tracking.AutoTrackable):
    """What a TensorFlow-built layer adds to its class: its variables and sublayers as trackable children."""

    def _init_native(self) -> None:
        pass

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        children: dict[str, Any] = {}
        named = [(v.name, v.native) for v in self._own_variables] + [(x.name, x) for x in self._layers]  # type: ignore[attr-defined]
        for name, child in named:
            unique, number = name, 1
            while unique in children:
                unique, number = f"{name}_{number}", number + 1
            children[unique] = child
        if save_type == "savedmodel":
            for name, value in self.__dict__.items():
                if isinstance(value, tf.types.experimental.GenericFunction):
                    children[name] = value
        return children


def native_class(cls: type) -> type:
    """The class with TensorFlow's `AutoTrackable` behind it."""
    return type(cls.__name__, (cls, TrackableView), {})


def without_gradients() -> contextlib.AbstractContextManager[Any]:
    """A block in which nothing is recorded for a backward pass; only torch needs to be told."""
    return contextlib.nullcontext()


def concrete() -> contextlib.AbstractContextManager[Any]:
    """A block in which computations yield values even inside a function that TensorFlow traces."""
    return tf.init_scope()

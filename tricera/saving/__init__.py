"""Saving in three pure steps: object <-> config (`config`), object <-> arrays (`walk`, `state`), both <-> archive.

Nothing else in Tricera opens a model file. The limits against hostile files stand in the first step (`core.serialization`,
`core.allowlist`: what a config may name) and the last (`archive`, `hdf5`: what a file may hold). The formats are Keras's
own: `.keras` and `.weights.h5`.
"""

from __future__ import annotations

from tricera.core.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from tricera.core.serialization import deserialize_keras_object, serialize_keras_object
from tricera.saving.editor import KerasFileEditor
from tricera.saving.model import load_model, reduce_model, save_model
from tricera.saving.weights import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "reduce_model",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

"""Utilities: `keras.utils` by name; each is loaded on first touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tricera.core.lazy import load

if TYPE_CHECKING:
    from tricera.backend import clear_session as clear_session, is_keras_tensor as is_keras_tensor
    from tricera.core.dtypes import standardize_dtype as standardize_dtype
    from tricera.core.graph import get_source_inputs as get_source_inputs
    from tricera.core.registry import (
        CustomObjectScope as CustomObjectScope,
        custom_object_scope as custom_object_scope,
        get_custom_objects as get_custom_objects,
        get_registered_name as get_registered_name,
        get_registered_object as get_registered_object,
        register_keras_serializable as register_keras_serializable,
    )
    from tricera.core.serialization import (
        deserialize_keras_object as deserialize_keras_object,
        serialize_keras_object as serialize_keras_object,
    )
    from tricera.training.data import PyDataset as PyDataset
    from tricera.utils.dataset_utils import (
        pack_x_y_sample_weight as pack_x_y_sample_weight,
        split_dataset as split_dataset,
        unpack_x_y_sample_weight as unpack_x_y_sample_weight,
    )
    from tricera.utils.file_utils import get_file as get_file
    from tricera.utils.io_utils import (
        disable_interactive_logging as disable_interactive_logging,
        enable_interactive_logging as enable_interactive_logging,
        is_interactive_logging_enabled as is_interactive_logging_enabled,
    )
    from tricera.utils.numerical import (
        normalize as normalize,
        set_random_seed as set_random_seed,
        to_categorical as to_categorical,
    )
    from tricera.utils.progbar import Progbar as Progbar
    from tricera.utils.sequences import pad_sequences as pad_sequences

    Sequence = PyDataset

# name -> (module, name there)
_NAMES = {
    "CustomObjectScope": ("core.registry", "CustomObjectScope"),
    "Progbar": ("utils.progbar", "Progbar"),
    "PyDataset": ("training.data", "PyDataset"),
    "Sequence": ("training.data", "PyDataset"),
    "clear_session": ("backend", "clear_session"),
    "custom_object_scope": ("core.registry", "custom_object_scope"),
    "deserialize_keras_object": ("core.serialization", "deserialize_keras_object"),
    "disable_interactive_logging": ("utils.io_utils", "disable_interactive_logging"),
    "enable_interactive_logging": ("utils.io_utils", "enable_interactive_logging"),
    "get_custom_objects": ("core.registry", "get_custom_objects"),
    "get_file": ("utils.file_utils", "get_file"),
    "get_registered_name": ("core.registry", "get_registered_name"),
    "get_registered_object": ("core.registry", "get_registered_object"),
    "get_source_inputs": ("core.graph", "get_source_inputs"),
    "is_interactive_logging_enabled": ("utils.io_utils", "is_interactive_logging_enabled"),
    "is_keras_tensor": ("backend", "is_keras_tensor"),
    "normalize": ("utils.numerical", "normalize"),
    "pack_x_y_sample_weight": ("utils.dataset_utils", "pack_x_y_sample_weight"),
    "pad_sequences": ("utils.sequences", "pad_sequences"),
    "register_keras_serializable": ("core.registry", "register_keras_serializable"),
    "serialize_keras_object": ("core.serialization", "serialize_keras_object"),
    "set_random_seed": ("utils.numerical", "set_random_seed"),
    "split_dataset": ("utils.dataset_utils", "split_dataset"),
    "standardize_dtype": ("core.dtypes", "standardize_dtype"),
    "to_categorical": ("utils.numerical", "to_categorical"),
    "unpack_x_y_sample_weight": ("utils.dataset_utils", "unpack_x_y_sample_weight"),
}


def __getattr__(name: str) -> Any:
    try:
        module, attribute = _NAMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = load(module, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_NAMES)


__all__ = sorted(_NAMES)  # noqa: PLE0605

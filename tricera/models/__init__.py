"""Models: stacks, graphs and subclasses of layers that can be trained and saved."""

from __future__ import annotations

from typing import Any

from tricera.models.cloning import clone_model as clone_model
from tricera.models.functional import Functional as Functional
from tricera.models.model import Model as Model
from tricera.models.sequential import Sequential as Sequential


def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """Load a model from a `.keras` file, as `saving.load_model`."""
    from tricera import saving  # a floor above; the name stands here because Keras has it here

    return saving.load_model(filepath, custom_objects=custom_objects, compile=compile, safe_mode=safe_mode)


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Save a model to a `.keras` file, as `saving.save_model`."""
    from tricera import saving

    saving.save_model(model, filepath, overwrite=overwrite, zipped=zipped, **kwargs)


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """Make a model, without weights, from what `model.to_json` gave.

    Args:
        json_string: the text.
        custom_objects: the caller's own classes and functions, by name.

    Raises:
        ValueError: the text isn't the config of a model.

    Example:
        >>> from tricera.layers import Dense, Input
        >>> model_from_json(Sequential([Input((2,)), Dense(3)]).to_json()).output_shape
        (None, 3)
    """
    from tricera import saving

    model = saving.deserialize_keras_object(
        saving.config.from_text(json_string, "json_string"), custom_objects=custom_objects
    )
    if not isinstance(model, Model):
        raise ValueError(f"The text describes a {type(model).__name__}, not a model.")
    return model


__all__ = ["Functional", "Model", "Sequential", "load_model", "model_from_json", "save_model"]

"""What using a SavedModel as a layer needs; a room of TensorFlow's alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tricera.core import tree
from tricera.core.tensor import KerasTensor


def load(path: str) -> Any:
    """The object in a SavedModel. Its functions are code: only for files that are trusted.

    Raises:
        TypeError: `path` is no path.
        FileNotFoundError: there is no SavedModel.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"`filepath` must be the path of a SavedModel's folder, not {path!r:.80}.")
    if not tf.saved_model.contains_saved_model(os.fspath(path)):
        raise FileNotFoundError(
            f"There is no SavedModel in {os.fspath(path)!r}: it is a folder with a `saved_model.pb`."
        )
    return tf.saved_model.load(os.fspath(path))


def endpoint(loaded: Any, name: Any) -> Callable[..., Any]:
    """A function of a SavedModel: an attribute, or else a signature, of that name.

    Raises:
        ValueError: it has none.
    """
    found = getattr(loaded, name, None) if isinstance(name, str) else None
    if callable(found):
        return found
    signatures = getattr(loaded, "signatures", {})
    if name in signatures:
        return _of_one_input(signatures[name], name)
    attributes = [n for n in vars(loaded) if not n.startswith("_") and isinstance(getattr(loaded, n), _FUNCTIONS)]
    raise ValueError(f"The SavedModel has no endpoint {name!r}; it has {sorted({*attributes, *signatures})}.")


_FUNCTIONS = (tf.types.experimental.GenericFunction, tf.types.experimental.ConcreteFunction)


def _of_one_input(signature: Any, name: str) -> Callable[..., Any]:
    """A signature, which takes its inputs by name, as a function of one input, or of a dict of them."""
    names = sorted(signature.structured_input_signature[1])

    def call(inputs: Any) -> Any:
        if isinstance(inputs, dict):
            return signature(**inputs)
        if len(names) != 1:
            raise ValueError(f"The endpoint {name!r} takes the inputs {names}; pass them as a dict.")
        return signature(**{names[0]: inputs})

    call.variables = signature.variables  # type: ignore[attr-defined]
    return call


def symbolic(fn: Callable[..., Any], inputs: Any) -> Any:
    """What a function of a SavedModel gives, found by tracing a call of it.

    Args:
        fn: the function.
        inputs: a symbolic tensor, or a dict of them.

    Returns:
        Symbolic tensors in the structure of the outputs.
    """
    given = tree.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), inputs)
    outputs = tf.function(fn).get_concrete_function(given).structured_outputs
    return tree.map_structure(lambda t: KerasTensor(tuple(t.shape), t.dtype.name), outputs)


def variables(loaded: Any, functions: list[Callable[..., Any]]) -> list[tf.Variable]:
    """The variables of a SavedModel, those that are trained first: those that it lists, or else those its functions read."""
    listed = getattr(loaded, "variables", None)
    if listed is None:
        listed = [v for fn in functions for v in _read_by(fn)]
    found = list({id(v): v for v in listed if isinstance(v, tf.Variable)}.values())
    return [v for v in found if v.trainable] + [v for v in found if not v.trainable]


def _read_by(fn: Any) -> list[tf.Variable]:
    if hasattr(fn, "variables"):
        return list(fn.variables)
    return [v for concrete in getattr(fn, "concrete_functions", ()) for v in concrete.variables]

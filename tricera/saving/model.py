"""`save_model`, `load_model` and pickling: the three steps put together."""

from __future__ import annotations

import contextlib
import datetime
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tricera.core import limits
from tricera.core.lambdas import safe_mode_scope
from tricera.core.registry import CustomObjectScope
from tricera.core.serialization import custom_objects_used, deserialize_keras_object, object_sharing
from tricera.saving import archive, config, hdf5, state, walk
from tricera.saving.archive import CONFIG, METADATA, WEIGHTS, Archive, FileFormatError, Member

# The version of Keras whose format the files follow; Keras looks at it when it reads them.
KERAS_VERSION = "3.15.1"


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Write a model to a `.keras` file: how it is made, its weights, and how it was compiled, the optimizer's state included.

    Keras 3 reads the file, too. It is written beside its target and renamed when it is whole.

    Args:
        model: the model.
        filepath: a path that ends in `.keras`.
        overwrite: whether to replace a file that is there without asking.
        zipped: False writes a folder with the same contents instead of one file.

    Raises:
        ValueError: the path has another ending, or is an address.
        OSError: it cannot be written.
        TypeError: something in the model cannot be written to a config.
    """
    if kwargs:
        raise TypeError(f"save_model() got unknown arguments: {', '.join(kwargs)}. Files have the `.keras` format.")
    path = archive.local_path(filepath)
    as_file = zipped is not False
    if as_file and path.suffix != ".keras":
        legacy = " The HDF5 format of Keras 1 and 2 is not written." if path.suffix in (".h5", ".hdf5") else ""
        raise ValueError(
            f"A model is saved to a path that ends in '.keras', not {str(path)!r}.{legacy} To save weights alone, use "
            "save_weights('....weights.h5')."
        )
    if not archive.may_write(path, overwrite):
        return
    with _members(model) as members:
        if not as_file:
            archive.write_folder(path, members)
            return
        with archive.replacing(path) as file:
            archive.write_zip(file, members, path.resolve().parent)


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Make the model that a `.keras` file describes.

    Nothing in the file is run: its config may name only Tricera's own public classes and functions, and those that were
    registered or are passed here.

    Args:
        filepath: the path of a `.keras` file, or of a folder saved with `zipped=False`.
        custom_objects: name -> class or function that the file may name.
        compile: whether to compile the model as it was, and to restore its optimizer.
        safe_mode: False lets the file hold Python code (lambdas). Only for files whose author you trust.

    Returns:
        The model.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a model file, was cut short, holds code, or its weights do not fit.
        TypeError: it names a class or function that is not known.
    """
    path = archive.local_path(filepath)
    _check_kind(path)
    with Archive(path) as opened:
        return _read(opened, custom_objects, compile, safe_mode)


def model_to_bytes(model: Any) -> bytes:
    """The `.keras` file of a model, as bytes."""
    file = io.BytesIO()
    with _members(model) as members:
        archive.write_zip(file, members)
    return file.getvalue()


def model_from_bytes(
    data: bytes, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model of which these bytes are the `.keras` file; see `load_model`."""
    with Archive(bytes(data)) as opened:
        return _read(opened, custom_objects, compile, safe_mode)


def reduce_model(model: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """What `Model.__reduce__` returns, so that pickles and copies of a model are `.keras` files inside.

    The user's own classes and functions in it are pickled as pickle always does, by reference; code in lambdas is refused
    when the pickle is read, unless `config.enable_unsafe_deserialization()` was called.
    """
    with custom_objects_used() as used:
        data = model_to_bytes(model)
    return model_from_bytes, (data, dict(used))


@contextlib.contextmanager
def _members(model: Any) -> Iterator[list[Member]]:
    """All members of a model's archive. Whatever can fail in the model fails here, before a file is opened."""
    text = config.object_to_text(model)
    values = state.state_of(model)
    metadata = {"keras_version": KERAS_VERSION, "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")}
    with tempfile.TemporaryDirectory() as folder:
        assets = _collect_assets(model, Path(folder))
        yield [
            Member(METADATA, config.to_text(metadata).encode()),
            Member(CONFIG, text.encode()),
            Member(WEIGHTS, lambda file: hdf5.write(file, values.arrays, values.names)),
            *archive.asset_members(assets),
        ]


def _collect_assets(model: Any, folder: Path) -> dict[str, Path]:
    assets: dict[str, Path] = {}
    for number, (path, obj) in enumerate(walk.Walk(model).kept):
        if _has_assets(obj, "save_assets"):
            assets[path] = folder / str(number)
            assets[path].mkdir()
            obj.save_assets(str(assets[path]))
    return assets


def _load_assets(model: Any, opened: Archive) -> None:
    for path, obj in walk.Walk(model).kept:
        if _has_assets(obj, "load_assets"):
            with tempfile.TemporaryDirectory() as folder:
                if archive.read_assets(opened, path, Path(folder)):
                    obj.load_assets(folder)


def _has_assets(obj: Any, method: str) -> bool:
    """Whether an object's class has the method; `Layer` has none."""
    return hasattr(type(obj), method)


def _read(opened: Archive, custom_objects: Mapping[str, Any] | None, compile: bool, safe_mode: bool) -> Any:
    described = config.from_text(opened.read(CONFIG), f"{CONFIG} in {opened.label}")
    if not isinstance(described, dict) or not isinstance(described.get("class_name"), str):
        raise FileFormatError(f"{CONFIG} in {opened.label} does not describe a model: it lacks a 'class_name'.")
    if METADATA in opened.names:
        config.from_text(opened.read(METADATA), f"{METADATA} in {opened.label}")
    if not compile:
        described.pop("compile_config", None)
    label = f"{WEIGHTS} in {opened.label}"
    with hdf5.Weights(opened.section(WEIGHTS), label) as weights, contextlib.ExitStack() as scopes:
        scopes.enter_context(CustomObjectScope(custom_objects))
        scopes.enter_context(safe_mode_scope(safe_mode))
        scopes.enter_context(object_sharing())
        # Variables may take what the file holds for them, with room for an optimizer that was saved unused.
        scopes.enter_context(limits.allocation_limit(8 * weights.nbytes + archive.FREE_BYTES))
        model = deserialize_keras_object(described)
        if not walk.is_kept(model):
            raise FileFormatError(f"{opened.label} describes a {type(model).__name__}, not a model.")
        build_optimizer(model, weights)
        _load_assets(model, opened)
        state.load_state(model, weights)
    return model


def build_optimizer(model: Any, weights: state.Arrays) -> None:
    """Give a compiled model's optimizer its variables if there are values for them."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or getattr(optimizer, "built", True):
        return
    if len(weights.below("optimizer/vars")) > len(optimizer.variables):
        optimizer.build(model.trainable_variables)


def _check_kind(path: Path) -> None:
    if path.is_dir() or path.suffix == ".keras":
        return
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    if path.name.endswith(".weights.h5"):
        hint = " It holds weights alone: make the model and call its load_weights()."
    elif path.suffix in (".h5", ".hdf5"):
        hint = " Models in the HDF5 format of Keras 1 and 2 are not read: load it there and save it as '.keras'."
    else:
        hint = ""
    raise ValueError(f"A model is loaded from a file whose name ends in '.keras', not {str(path)!r}.{hint}")

"""Settings of the process: floatx, epsilon, data format, limits; first read from the config file.

`~/.tricera/tricera.json` (or `$TRICERA_HOME/tricera.json`), then Keras's `~/.keras/keras.json`, may set `floatx`, `epsilon`,
`image_data_format` and `backend`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "flash_attention": None,
    "traceback_filtering": True,
    "unsafe_deserialization": False,
    "max_epochs": None,
    "max_steps_per_epoch": None,
    "nnx": False,
}


def home() -> Path:
    """The folder of Tricera's config file and caches."""
    return Path(os.environ.get("TRICERA_HOME", Path.home() / ".tricera"))


def config_file() -> dict[str, Any]:
    """What the first config file that exists says, or an empty dict.

    Raises:
        ValueError: the file is not JSON, or its top level is not an object.
    """
    for path in (home() / "tricera.json", Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "keras.json"):
        if path.is_file():
            try:
                values = json.loads(path.read_text())
            except json.JSONDecodeError as error:
                raise ValueError(f"The config file {path} is not valid JSON: {error}. Mend or delete it.") from error
            if not isinstance(values, dict):
                raise ValueError(f"The config file {path} must hold a JSON object, not {type(values).__name__}.")
            return values
    return {}


def get(key: str) -> Any:
    """The value of an internal setting."""
    return _settings[key]


def put(key: str, value: Any) -> None:
    """Set an internal setting."""
    _settings[key] = value


def floatx() -> str:
    """Return the default float dtype, `"float32"` unless set.

    Example:
        >>> floatx()
        'float32'
    """
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Set the default float dtype.

    Args:
        value: `"bfloat16"`, `"float16"`, `"float32"` or `"float64"`.

    Raises:
        ValueError: any other value.
    """
    if value not in _FLOATS:
        raise ValueError(f"Unknown floatx {value!r}. Expected one of {_FLOATS}.")
    _settings["floatx"] = str(value)


def epsilon() -> float:
    """Return the small constant that numeric expressions add to avoid division by zero, 1e-7 unless set."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Set the small constant of numeric expressions."""
    _settings["epsilon"] = float(value)


def image_data_format() -> Literal["channels_first", "channels_last"]:
    """Return the default layout of images, `"channels_last"` unless set."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the default layout of images.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: any other value.
    """
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """Check a `data_format` argument; None means the default one."""
    if data_format is None:
        return _settings["image_data_format"]
    value = str(data_format).lower()
    if value not in ("channels_last", "channels_first"):
        raise ValueError(f"`data_format` must be 'channels_last' or 'channels_first', not {data_format!r}.")
    return value


def _load() -> None:
    values = config_file()
    for key, setter in (
        ("floatx", set_floatx),
        ("epsilon", set_epsilon),
        ("image_data_format", set_image_data_format),
    ):
        if key in values:
            setter(values[key])


_load()

"""`Initializer`, and the constant ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from tricera import ops
from tricera.core import checks, dtypes
from tricera.core.configurable import Configurable


class Initializer(Configurable, checks.Checked):
    """Gives a variable its first value: called as `initializer(shape, dtype=...)`.

    Values are computed with NumPy on the host, so that a seed means the same bits on every backend.
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {
        "mean": checks.number(), "stddev": checks.number(0), "minval": checks.number(), "maxval": checks.number(),
        "gain": checks.number(), "scale": checks.number(above=0), "input_axes": checks.axes, "output_axes": checks.axes,
        "periodic": checks.flag, "distribution": checks.text,
    }  # fmt: skip

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """The value, a tensor of the current backend.

        Args:
            shape: its shape.
            dtype: its dtype, floatx for None.
        """
        return ops.convert_to_tensor(self.on_host(tuple(shape), dtypes.standardize_dtype(dtype)))

    __call__.from_host = True  # type: ignore[attr-defined]  # a variable takes `on_host`, unless a subclass has its own call

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array; what subclasses of the library define."""
        raise NotImplementedError("An initializer must define `__call__(shape, dtype=None)`.")

    def clone(self) -> Any:
        """Another one with the same config."""
        return type(self).from_config(self.get_config())


class Zeros(Initializer):
    """All zeros.

    Example:
        >>> ops.convert_to_numpy(Zeros()((2,))).tolist()
        [0.0, 0.0]
    """

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        return np.zeros(shape, dtypes.numpy_dtype(dtype))


class Ones(Initializer):
    """All ones."""

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        return np.ones(shape, dtypes.numpy_dtype(dtype))


class Constant(Initializer):
    """One value everywhere.

    Args:
        value: a number, or an array that broadcasts to the shape.
    """

    _config = ("value",)

    def __init__(self, value: Any = 0.0) -> None:
        if not hasattr(value, "shape") and np.asarray(value).dtype.kind not in "biufc":
            raise ValueError(f"`value` must be a number or an array of them, not {value!r}.")
        self.value = value

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        return np.broadcast_to(np.asarray(self.value), shape).astype(dtypes.numpy_dtype(dtype))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make an initializer from what `get_config` gave; an array stands there in Keras's form."""
        from tricera.core.serialization import deserialize_keras_object

        return (
            cls(deserialize_keras_object(config["value"])) if isinstance(config.get("value"), dict) else cls(**config)
        )


class Identity(Initializer):
    """The identity matrix, times a factor.

    Args:
        gain: the factor.

    Raises:
        ValueError: (when called) the shape isn't that of a matrix.
    """

    _config = ("gain",)

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        if len(shape) != 2:
            raise ValueError(f"The identity initializer makes matrices; the shape given is {shape}.")
        return (self.gain * np.eye(*shape)).astype(dtypes.numpy_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config() if self.gain != 1.0 else {}  # Keras's configs never hold the gain, but it takes one

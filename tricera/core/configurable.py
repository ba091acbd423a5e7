"""Objects whose config is made of a few of their attributes."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

C = TypeVar("C", bound="Configurable")


class Configurable:
    """Gives `get_config` and `from_config` to a class that names the attributes that make up its config."""

    _config: ClassVar[tuple[str, ...]] = ()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {name: getattr(self, name) for name in self._config}

    @classmethod
    def from_config(cls: type[C], config: dict[str, Any]) -> C:
        """Make an object from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        said = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"<{type(self).__name__}({said})>"


def config_of(obj: Any) -> Any:
    """An object in Keras's form `{"module", "class_name", "config", "registered_name"}`."""
    from tricera.core.serialization import serialize_keras_object

    return serialize_keras_object(obj)

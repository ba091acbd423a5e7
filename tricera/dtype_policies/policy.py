"""`DTypePolicy` and the global policy."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, MutableMapping
from typing import Any

from tricera.core import config, dtypes


class DTypePolicy:
    """A pair of dtypes: for computing and for variables.

    Args:
        name: a dtype, for both, or `"mixed_float16"` or `"mixed_bfloat16"` (compute in that, keep float32 variables).
            None means the global policy's name.

    Raises:
        ValueError: the name is unknown.

    Example:
        >>> policy = DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise TypeError(f"A dtype policy's name must be a string such as 'mixed_float16', not {name!r}.")
        self._name = name
        if name.startswith("mixed_") and name[6:] in ("float16", "bfloat16"):
            self._compute_dtype, self._variable_dtype = name[6:], "float32"
        else:
            try:
                self._compute_dtype = self._variable_dtype = dtypes.standardize_dtype(name)
            except ValueError:
                raise ValueError(
                    f"Unknown dtype policy {name!r}. Expected a dtype such as 'float32', 'mixed_float16' or 'mixed_bfloat16'."
                ) from None

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype in which layers compute, and to which they cast their inputs."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype in which variables are kept."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How a layer is quantized, or None."""
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """Make a tensor of `x`, floating-point ones in the given dtype if `autocast`.

        Args:
            x: a tensor, symbolic or not, or an array.
            autocast: whether to cast.
            dtype: to what.
        """
        from tricera import ops
        from tricera.core.tensor import KerasTensor

        dtype = dtypes.standardize_dtype(dtype)
        if isinstance(x, KerasTensor):
            return ops.cast(x, dtype) if autocast and dtypes.is_float(x.dtype) and x.dtype != dtype else x
        if ops.is_tensor(x) or hasattr(x, "__array__"):
            x = ops.convert_to_tensor(x)
            found = ops.dtype(x)
            return ops.cast(x, dtype) if autocast and dtypes.is_float(found) and found != dtype else x
        return x

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Make a policy from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._name == other._name  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self._name))


FloatDTypePolicy = DTypePolicy


class DTypePolicyMap(DTypePolicy, MutableMapping):  # type: ignore[type-arg]
    """Policies by the path of a layer, for sub-layers of a model.

    Args:
        default_policy: for layers that no entry matches; None means the global policy.
        policy_map: layer path (or a pattern with `*`) -> policy.
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None) -> None:
        self._default = None if default_policy is None else get(default_policy)
        self._map: dict[str, DTypePolicy] = {key: get(value) for key, value in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that no entry matches."""
        if self._default is not None:
            return self._default
        now = dtype_policy()
        # A map without a default that is the global policy itself leaves all other layers to floatx.
        return get(config.floatx()) if isinstance(now, DTypePolicyMap) and now._default is None else now

    @property
    def name(self) -> str:
        """`map_` and the default policy's name."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """The default policy's."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The default policy's."""
        return self.default_policy.variable_dtype

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._map:
            return self._map[key]
        found = [pattern for pattern in self._map if fnmatch.fnmatch(key, pattern)]
        if len(found) > 1:
            raise ValueError(f"The path {key!r} matches several entries of the policy map: {found}.")
        return self._map[found[0]] if found else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._map:
            raise ValueError(f"The policy map has an entry for {key!r} already; delete it first.")
        self._map[key] = get(policy)

    def __delitem__(self, key: str) -> None:
        del self._map[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map)

    def __repr__(self) -> str:
        return f"<DTypePolicyMap default={self.default_policy}, {self._map}>"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "default_policy": None if self._default is None else self._default.name,
            "policy_map": {key: serialize(value) for key, value in self._map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicyMap:
        """Make a map from what `get_config` gave."""
        return cls(**config)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """A policy as a config."""
    return {
        "module": "keras.dtype_policies" if isinstance(dtype_policy, DTypePolicyMap) else "keras",
        "class_name": type(dtype_policy).__name__,
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> DTypePolicy:
    """A policy from a config.

    Raises:
        ValueError: the config names no policy.
    """
    from tricera.dtype_policies.quantized import CLASSES

    classes: dict[Any, type[DTypePolicy]] = {
        **CLASSES,
        "DTypePolicy": DTypePolicy,
        "FloatDTypePolicy": DTypePolicy,
        "DTypePolicyMap": DTypePolicyMap,
    }
    cls = classes.get(config.get("class_name"))
    if cls is None:
        raise ValueError(f"Unknown dtype policy in the config {config}. Expected one of {sorted(classes)}.")
    return cls.from_config(config["config"])


def get(identifier: Any) -> DTypePolicy:
    """The policy that `identifier` names.

    Args:
        identifier: a policy, its name, a dtype, a config, or None for the global one.

    Raises:
        ValueError: it names none.

    Example:
        >>> get("float16").compute_dtype
        'float16'
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        from tricera.dtype_policies.quantized import from_name

        return from_name(identifier) if "_from_" in identifier else DTypePolicy(identifier)
    try:
        return DTypePolicy(dtypes.standardize_dtype(identifier))
    except (ValueError, TypeError):
        raise ValueError(
            f"Can't make a dtype policy of {identifier!r}. Pass a name, a dtype, a policy or a config."
        ) from None


_global: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """The global policy: floatx unless set."""
    return _global if _global is not None else DTypePolicy(config.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are made without one.

    Args:
        policy: a policy or its name.
    """
    global _global
    _global = None if policy is None else get(policy)

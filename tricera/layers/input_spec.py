"""`InputSpec`: what a layer expects of its inputs, checked at the door."""

from __future__ import annotations

from typing import Any

from tricera.core import dispatch, dtypes, tree
from tricera.core.variable import standardize_shape


class InputSpec:
    """Expected dtype, rank and dimensions of one input.

    Args:
        dtype: the dtype.
        shape: the shape, None where any length will do.
        ndim: the rank.
        max_ndim: the largest rank.
        min_ndim: the smallest rank.
        axes: axis -> length that it must have.
        allow_last_axis_squeeze: also take inputs that differ by a last axis of length 1.
        name: the key of the input in a dict.
        optional: None is fine too.

    Raises:
        ValueError: the expectations contradict each other.

    Example:
        >>> InputSpec(ndim=2, axes={-1: 3}).axes
        {-1: 3}
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else dtypes.standardize_dtype(dtype)
        self.shape = None if shape is None else standardize_shape(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.name = name
        self.optional = optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes = {int(k): None if v is None else int(v) for k, v in (axes or {}).items()}
        except (AttributeError, TypeError, ValueError):
            raise TypeError(f"`axes` must map axes to lengths; got {axes!r}.") from None
        limit = self.ndim if self.ndim is not None else max_ndim
        if self.axes and limit is not None and max(self.axes) >= limit:
            raise ValueError(f"The axis {max(self.axes)} does not exist in an input of {limit} axes.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = (
            "dtype",
            "shape",
            "ndim",
            "max_ndim",
            "min_ndim",
            "axes",
            "allow_last_axis_squeeze",
            "name",
            "optional",
        )
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Make a spec from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        said = (f"{key}={value}" for key, value in self.get_config().items() if value not in (None, {}, False))
        return f"InputSpec({', '.join(said)})"


def check(spec: Any, inputs: Any, layer: str) -> None:
    """Raise unless the inputs are as a layer's `input_spec` says.

    Raises:
        ValueError: naming the layer, what it expects and what was given.
    """
    if spec is None:
        return
    if isinstance(spec, InputSpec):
        specs, tensors = [spec], tree.flatten(inputs) if isinstance(inputs, (list, tuple, dict)) else [inputs]
    else:
        specs = tree.flatten(spec)
        tensors = _by_name(specs, inputs, layer) if isinstance(inputs, dict) else tree.flatten(inputs)
    if len(tensors) != len(specs):
        raise ValueError(f"The layer {layer!r} expects {len(specs)} inputs, but was given {len(tensors)}.")
    for one, x in zip(specs, tensors, strict=True):
        if one is not None:
            _check_one(one, x, layer)


def _by_name(specs: list[Any], inputs: dict[str, Any], layer: str) -> list[Any]:
    names = [s.name for s in specs]
    if None in names:
        return tree.flatten(inputs)
    missing = [name for name in names if name not in inputs]
    if missing:
        raise ValueError(f"The layer {layer!r} expects the inputs {names}; missing: {missing}.")
    return [inputs[name] for name in names]


def _check_one(spec: InputSpec, x: Any, layer: str) -> None:
    if x is None:
        if spec.optional:
            return
        raise ValueError(f"The layer {layer!r} needs an input where None was given.")
    if hasattr(x, "shape"):
        shape = tuple(x.shape)
    else:
        raise ValueError(f"The layer {layer!r} expects tensors as inputs; got {x!r} of type {type(x).__name__}.")
    rank = len(shape)

    def fail(expected: str) -> ValueError:
        return ValueError(
            f"The input of the layer {layer!r} is incompatible: expected {expected}, given shape {shape}."
        )

    squeezable = spec.allow_last_axis_squeeze
    if spec.ndim is not None and rank != spec.ndim:
        if not (squeezable and spec.shape is not None and abs(rank - spec.ndim) == 1):
            raise fail(f"ndim={spec.ndim}")
    if spec.max_ndim is not None and rank > spec.max_ndim:
        raise fail(f"max_ndim={spec.max_ndim}")
    if spec.min_ndim is not None and rank < spec.min_ndim:
        raise fail(f"min_ndim={spec.min_ndim}")
    if spec.dtype is not None:
        backend = dispatch.of(x)
        found = dtypes.standardize_dtype(x.dtype) if backend is None else backend.dtype(x)
        if found != spec.dtype:
            raise ValueError(f"The input of the layer {layer!r} must have dtype {spec.dtype}, not {found}.")
    for axis, length in spec.axes.items():
        if length is not None and -rank <= axis < rank and shape[axis] not in (length, None):
            raise fail(f"axis {axis} of length {length}")
    if spec.shape is not None:
        wanted = spec.shape
        if squeezable and rank != len(wanted):
            wanted, shape = (
                s[:-1] if s and len(s) > min(rank, len(wanted)) and s[-1] == 1 else s for s in (wanted, shape)
            )
        for want, got in zip(wanted, shape, strict=False):
            if want is not None and got is not None and want != got:
                raise fail(f"shape {spec.shape}")

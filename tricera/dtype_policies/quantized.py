"""Policies of quantized layers: how their kernels are kept, and in which dtypes the rest is computed."""

from __future__ import annotations

from typing import Any, ClassVar

from tricera.dtype_policies.policy import DTypePolicy, dtype_policy

MODES = ("int8", "float8", "int4", "gptq", "awq")


class QuantizedDTypePolicy(DTypePolicy):
    """A quantization mode, and the policy from which the layer was quantized; named `"mode_from_source"`.

    Args:
        mode: `"int8"`, `"float8"`, `"int4"`, `"gptq"` or `"awq"`.
        source_name: the name of the policy before, the global one's for None.

    Raises:
        ValueError: an unknown mode, or one that does not go with the source's dtypes.

    Example:
        >>> policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
        >>> policy.name, policy.compute_dtype, policy.quantization_mode
        ('int8_from_mixed_bfloat16', 'bfloat16', 'int8')
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {', '.join(map(repr, MODES))}, not {mode!r}.")
        super().__init__(source_name or dtype_policy().name)
        self._source_name = self._name
        self._name = f"{mode}_from_{self._source_name}"
        self.mode = mode
        if mode == "int8" and self.compute_dtype == "float16":
            raise ValueError(
                "Products of int8 overflow float16. Quantize from a policy that computes in bfloat16 or float32, such as "
                "'mixed_bfloat16'."
            )

    @property
    def quantization_mode(self) -> str | None:
        """How a layer is quantized."""
        return self.mode

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"mode": self.mode, "source_name": self._source_name}

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self._name}">'

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.get_config().items())))


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """float8 with scales from the largest values of the steps before.

    Args:
        mode: `"float8"`.
        source_name: the name of the policy before, the global one's for None.
        amax_history_length: of how many steps the largest values are kept.

    Raises:
        TypeError: the length isn't an integer.
    """

    default_amax_history_length: ClassVar[int] = 1024

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        super().__init__(mode, source_name)
        if isinstance(amax_history_length, bool) or not isinstance(amax_history_length, int):
            raise TypeError(f"`amax_history_length` must be an integer; got {amax_history_length!r}.")
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """Of how many steps the largest values are kept."""
        return self._amax_history_length

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "amax_history_length": self._amax_history_length}


class _Parametrized(QuantizedDTypePolicy):
    """A policy whose mode holds numbers after slashes: `"int4/128"`, `"gptq/4/128"`."""

    _kind: ClassVar[str]
    _numbers: ClassVar[tuple[str, ...]]

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        parts = mode.split("/") if isinstance(mode, str) else []
        if len(parts) != 1 + len(self._numbers) or parts[0] != self._kind:
            form = "/".join((self._kind, *(f"<{number}>" for number in self._numbers)))
            raise ValueError(f"The mode of {type(self).__name__} has the form '{form}'; got {mode!r}.")
        for name, part in zip(self._numbers, parts[1:], strict=True):
            if not part.removeprefix("-").isdigit():
                raise ValueError(f"`{name}` in the mode must be an integer; got {part!r} in {mode!r}.")
            setattr(self, name, int(part))
        size = int(parts[-1])
        if size != -1 and size <= 0:
            raise ValueError(
                f"`{self._numbers[-1]}` must be positive, or -1 for one scale a channel; got {size} in {mode!r}."
            )
        super().__init__(self._kind, source_name)
        self._given_mode = mode
        self._name = f"{mode}_from_{self._source_name}"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"mode": self._given_mode, "source_name": self._source_name}


class Int4DTypePolicy(_Parametrized):
    """int4 with a scale for each block of values.

    Args:
        mode: `"int4/<block_size>"`, -1 for one scale a channel.
        source_name: the name of the policy before, the global one's for None.

    Raises:
        ValueError: a mode of another form.
    """

    _kind, _numbers = "int4", ("block_size",)
    block_size: int


class GPTQDTypePolicy(_Parametrized):
    """Weights rounded one after the other, each error made up for by those that follow (Frantar et al. 2022).

    Args:
        mode: `"gptq/<weight_bits>/<group_size>"`; 2, 3, 4 or 8 bits, and -1 for one group a channel.
        source_name: the name of the policy before, the global one's for None.

    Raises:
        ValueError: a mode of another form.
    """

    _kind, _numbers = "gptq", ("weight_bits", "group_size")
    weight_bits: int
    group_size: int

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        super().__init__(mode, source_name)
        if self.weight_bits not in (2, 3, 4, 8):
            raise ValueError(f"GPTQ knows 2, 3, 4 and 8 bits; got {self.weight_bits} in {mode!r}.")


class AWQDTypePolicy(_Parametrized):
    """Weights scaled before rounding by how large their inputs are (Lin et al. 2023).

    Args:
        mode: `"awq/4/<group_size>"`, -1 for one group a channel.
        source_name: the name of the policy before, the global one's for None.

    Raises:
        ValueError: a mode of another form.
    """

    _kind, _numbers = "awq", ("weight_bits", "group_size")
    weight_bits: int
    group_size: int

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        super().__init__(mode, source_name)
        if self.weight_bits != 4:
            raise ValueError(f"AWQ knows 4 bits alone; got {self.weight_bits} in {mode!r}.")


CLASSES: dict[str, type[DTypePolicy]] = {
    cls.__name__: cls
    for cls in (
        QuantizedDTypePolicy, QuantizedFloat8DTypePolicy, Int4DTypePolicy, GPTQDTypePolicy, AWQDTypePolicy,
    )
}  # fmt: skip


def from_name(name: str) -> DTypePolicy:
    """The policy of a name such as `"int8_from_mixed_bfloat16"` or `"gptq/4/128_from_float32"`.

    Raises:
        ValueError: the name has no `_from_`.
    """
    mode, found, source = name.partition("_from_")
    if not found:
        raise ValueError(
            f"The policy {name!r} does not say from which policy it quantizes: write '{name}_from_float32', say."
        )
    if mode == "float8":
        return QuantizedFloat8DTypePolicy(mode, source)
    kinds: dict[str, type[_Parametrized]] = {"int4": Int4DTypePolicy, "gptq": GPTQDTypePolicy, "awq": AWQDTypePolicy}
    kind = mode.partition("/")[0]
    return kinds[kind](mode, source) if "/" in mode and kind in kinds else QuantizedDTypePolicy(mode, source)

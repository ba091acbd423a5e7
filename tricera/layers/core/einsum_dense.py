"""`EinsumDense`: a dense layer over any axes."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from tricera import ops
from tricera.core import checks
from tricera.layers.core.dense import KernelLayer
from tricera.layers.low_rank import LowRank, adapted
from tricera.layers.quantization import refuse_quantized
from tricera.ops.linear import affine_einsum


class EinsumDense(LowRank, KernelLayer):
    """activation(einsum(equation, inputs, kernel) + bias).

    Args:
        equation: such as `"abc,cd->abd"`; `...` stands for leading (or trailing) axes.
        output_shape: the shape without the batch axis, None where it follows the input's.
        activation: applied to the output.
        bias_axes: the axes of the output that the bias has, such as `"d"`; None for no bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
        lora_rank: train a low-rank difference to a frozen kernel (Hu et al. 2021).
        lora_alpha: the scale of that difference, `lora_rank` for None.
        gptq_unpacked_column_size: not available yet.
        quantization_config: not available yet.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: the equation doesn't fit the shapes.

    Example:
        >>> EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")(ops.ones((2, 3, 4))).shape[-1]
        5
    """

    kernel = adapted("kernel")

    def __init__(
        self, equation: str, output_shape: Any, activation: Any = None, bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None, lora_rank: int | None = None,
        lora_alpha: float | None = None, gptq_unpacked_column_size: int | None = None, quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            activation, bias_axes is not None, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs,
        )  # fmt: skip
        refuse_quantized(self, quantization_config)
        self.quantization_config = None
        self.equation, self.bias_axes = equation, bias_axes
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        for size in self.partial_output_shape:
            checks.integer(1, optional=True)("output_shape", size)
        self.supports_masking = False

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        shapes = analyse(self.equation, self.bias_axes, tuple(input_shape), self.partial_output_shape)
        kernel_shape, bias_shape, self.full_output_shape = shapes
        self._kernel = self.add_kernel(kernel_shape)
        self.bias = self.add_bias(bias_shape) if bias_shape is not None else None
        self.build_low_rank()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Compute the outputs."""
        if self.lora_enabled and (mix := mixing_equation(self.equation)) is not None:
            x = self.adapted_product(inputs, partial(ops.einsum, self.equation), partial(ops.einsum, mix))
            return self.activate(x if self.bias is None else ops.add(x, self.bias))
        if self.bias is None:
            return self.activate(ops.einsum(self.equation, inputs, self.kernel))
        return self.activate(affine_einsum(inputs, self.kernel, self.bias, self.equation))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        base = super().get_config()
        base.pop("use_bias")
        return {
            **base,
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "bias_axes": self.bias_axes,
            "quantization_config": None,
            **self.low_rank_config(),
        }


def mixing_equation(equation: str) -> str | None:
    """For `"abc,cde->abde"`, `"abdz,ze->abde"`: how outputs made with another length of the kernel's last axis become the outputs.

    None where the inputs have that axis, too, so that its length can't be another.
    """
    source, kernel, target = re.split(",|->", equation.replace(" ", ""))
    last = kernel[-1]
    if last in source or last not in target:
        return None
    rank = next(c for c in "zyxwvutsrqponmlkjihgfedcba" if c not in equation)
    return f"{target.replace(last, rank)},{rank}{last}->{target}"


def analyse(equation: str, bias_axes: str | None, input_shape: Any, output_shape: Any) -> Any:
    """The shapes of kernel, bias (None without) and output that an equation means.

    Raises:
        ValueError: the equation is malformed, or contradicts the shapes.
    """
    match = re.fullmatch(r"\s*([a-zA-Z.]+)\s*,\s*([a-zA-Z]+)\s*->\s*([a-zA-Z.]+)\s*", equation)
    if match is None:
        raise ValueError(f"The equation {equation!r} must have the form 'ab,bc->ac', with '...' for further axes.")
    source, kernel, target = match.groups()
    letters = [c for c in "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in equation]
    if "..." in source:
        extra = "".join(letters[: len(input_shape) - len(source.replace("...", ""))])
        source, target = source.replace("...", extra), target.replace("...", extra)
        if len(output_shape) + 1 < len(target) and not equation.replace(" ", "").startswith("..."):
            # Trailing ellipsis axes follow the input.
            output_shape = (*output_shape, *(None,) * (len(target) - 1 - len(output_shape)))
        elif len(output_shape) + 1 < len(target):
            output_shape = (*(None,) * (len(target) - 1 - len(output_shape)), *output_shape)
    if len(source) != len(input_shape):
        raise ValueError(f"The equation {equation!r} does not fit an input of shape {input_shape}.")
    sizes = dict(zip(source, input_shape, strict=True))
    full: list[int | None] = [input_shape[0], *output_shape]
    if len(full) != len(target):
        raise ValueError(
            f"The equation {equation!r} makes {len(target)} axes, but `output_shape` {output_shape} (with the batch) has {len(full)}."
        )
    for i, c in enumerate(target):
        if i and full[i] is None:
            full[i] = sizes.get(c)
        elif c in sizes and sizes[c] is not None and full[i] is not None and sizes[c] != full[i] and i:
            raise ValueError(
                f"The axis {c!r} has length {sizes[c]} in the input and {full[i]} in `output_shape`: {equation!r}."
            )
    out = dict(zip(target, full, strict=True))
    kernel_shape = []
    for c in kernel:
        size = sizes.get(c) if c in sizes else out.get(c)
        if size is None:
            raise ValueError(
                f"The length of the kernel's axis {c!r} in {equation!r} is neither in the input shape {input_shape} nor in `output_shape`."
            )
        kernel_shape.append(size)
    bias_shape = None
    if bias_axes:
        unknown = [c for c in bias_axes if c not in out]
        if unknown:
            raise ValueError(
                f"`bias_axes`={bias_axes!r} names {unknown}, which the output of {equation!r} does not have."
            )
        first = min(target.index(c) for c in bias_axes)
        bias_shape = tuple(out[c] if c in bias_axes else 1 for c in target[first:])
    return tuple(kernel_shape), bias_shape, tuple(full)

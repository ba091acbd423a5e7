"""`Dense`: a matrix product, a bias, an activation."""

from __future__ import annotations

from typing import Any

from tricera import activations, constraints, initializers, ops, regularizers
from tricera.core.checks import positive
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer
from tricera.layers.low_rank import LowRank, adapted
from tricera.layers.quantization import refuse_quantized
from tricera.ops.linear import affine


class KernelLayer(Layer):
    """What layers with a kernel and a bias share: initializers, regularizers, constraints, and their configs.

    Args:
        activation: applied to the output.
        use_bias: add a bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
    """

    def __init__(
        self,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def add_kernel(self, shape: tuple[int, ...]) -> Any:
        """Make the kernel."""
        return self.add_weight(
            name="kernel", shape=shape, initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip

    def add_bias(self, shape: tuple[int, ...]) -> Any:
        """Make the bias, or None if there is to be none."""
        if not self.use_bias:
            return None
        return self.add_weight(
            name="bias", shape=shape, initializer=self.bias_initializer,
            regularizer=self.bias_regularizer, constraint=self.bias_constraint,
        )  # fmt: skip

    def activate(self, x: Any) -> Any:
        """Apply the activation, if there is one."""
        return x if self.activation is activations.linear else self.activation(x)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Dense(LowRank, KernelLayer):
    """activation(inputs @ kernel + bias).

    Args:
        units: the size of the output's last axis.
        activation: applied to the output.
        use_bias: add a bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
        lora_rank: train a low-rank difference to a frozen kernel (Hu et al. 2021).
        lora_alpha: the scale of that difference, `lora_rank` for None.
        quantization_config: how to quantize.
        **kwargs: those of `Layer`.

    Input: (batch, ..., inputs). Output: (batch, ..., units).

    Raises:
        ValueError: `units` isn't a positive integer, or the last axis is unknown when the layer is built.

    Example:
        >>> Dense(3)(ops.ones((2, 4))).shape[-1]
        3
    """

    kernel = adapted("kernel")

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs,
        )  # fmt: skip
        self.units = positive("units", units)
        refuse_quantized(self, quantization_config)
        self.quantization_config = None
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        inputs = input_shape[-1]
        if inputs is None:
            raise ValueError(
                f"The layer {self.name!r} needs to know the length of its input's last axis; the shape given is {tuple(input_shape)}."
            )
        self._kernel = self.add_kernel((inputs, self.units))
        self.bias = self.add_bias((self.units,))
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})
        self.build_low_rank()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Compute the outputs."""
        if self.lora_enabled:
            x = self.adapted_product(inputs)
            return self.activate(x if self.bias is None else ops.add(x, self.bias))
        x = ops.matmul(inputs, self.kernel) if self.bias is None else affine(inputs, self.kernel, self.bias)
        return self.activate(x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, ..., units)."""
        return (*tuple(input_shape)[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        base = super().get_config()
        if self.activity_regularizer is None:
            base.pop("activity_regularizer")  # as Keras has it
        names = ("name", "trainable", "dtype")
        first = {k: base.pop(k) for k in names if k in base}
        return {**first, "units": self.units, **base, "quantization_config": None, **self.low_rank_config()}

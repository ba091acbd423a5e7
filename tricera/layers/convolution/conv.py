"""Convolution layers: Conv1D, Conv2D, Conv3D."""

from __future__ import annotations

from functools import partial
from typing import Any

from tricera import ops
from tricera.core.graph import public_class
from tricera.layers.convolution.base import BaseConv
from tricera.layers.low_rank import LowRank, adapted
from tricera.ops.convolution import biased_conv


class _Conv(LowRank, BaseConv):
    kernel = adapted("kernel")

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self.channels_of(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"The {channels} input channels of the layer {self.name!r} can't be divided into {self.groups} groups."
            )
        self.check_window(input_shape)
        self._kernel = self.add_kernel((*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self.add_bias((self.filters,))
        self.build_low_rank()

    def call(self, inputs: Any) -> Any:
        """Compute the outputs."""
        x, restore = self.flat(inputs)
        plain = public_class(self).convolution_op is _Conv.convolution_op
        if plain and self.bias is not None and not self.lora_enabled:
            out = biased_conv(
                x, self.kernel, self.bias, strides=self.strides, padding=self.padding, data_format=self.data_format,
                dilation_rate=self.dilation_rate,
            )  # fmt: skip
            return restore(self.activate(out))
        return restore(self.with_bias(self._convolved(x, plain)))

    def _convolved(self, x: Any, plain: bool) -> Any:
        # A subclass's own `convolution_op` need not be linear in the kernel, and groups don't share the factors' inner axis.
        if not (self.lora_enabled and plain and self.groups == 1):
            return self.convolution_op(x, self.kernel)
        last = self.data_format == "channels_last"
        return self.adapted_product(
            x, self.convolution_op, ops.matmul if last else partial(ops.einsum, "bz...,zc->bc...")
        )

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone, without bias and activation: what a subclass overrides to convolve in another way.

        Args:
            inputs: (batch, ..., channels), or channels second.
            kernel: (*kernel_size, channels / groups, filters).

        Returns:
            The convolved inputs.
        """
        return ops.conv(
            inputs, kernel, strides=self.strides, padding=self.padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), **self.low_rank_config()}


class Conv1D(_Conv):
    """Convolution of sequences with learned kernels.

    Args:
        filters: the number of output channels.
        kernel_size: the size of the window.
        strides: its step.
        padding: `"valid"`, `"same"` or `"causal"` (no output sees a later input).
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        groups: into how many groups the channels fall.
        activation: applied to the output.
        use_bias: add a bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
        **kwargs: `lora_rank` and `lora_alpha` as for `Dense`, and those of `Layer`.

    Input: (batch, steps, channels). Output: (batch, steps, filters). Channels come second under `"channels_first"`.
    """

    paddings = ("valid", "same", "causal")

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, groups: int = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            1, filters, kernel_size, strides, padding, data_format, dilation_rate, groups,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip


class Conv2D(_Conv):
    """Convolution of images with learned kernels.

    Args:
        filters: the number of output channels.
        kernel_size: the size of the window.
        strides: its step.
        padding: `"valid"`, `"same"`.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        groups: into how many groups the channels fall.
        activation: applied to the output.
        use_bias: add a bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
        **kwargs: `lora_rank` and `lora_alpha` as for `Dense`, and those of `Layer`.

    Input: (batch, rows, columns, channels). Output: (batch, rows, columns, filters). Channels come second under `"channels_first"`.

    Example:
        >>> tuple(Conv2D(8, 3)(ops.ones((1, 28, 28, 1))).shape)
        (1, 26, 26, 8)
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = (1, 1), groups: int = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            2, filters, kernel_size, strides, padding, data_format, dilation_rate, groups,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip


class Conv3D(_Conv):
    """Convolution of volumes with learned kernels.

    Args:
        filters: the number of output channels.
        kernel_size: the size of the window.
        strides: its step.
        padding: `"valid"`, `"same"`.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        groups: into how many groups the channels fall.
        activation: applied to the output.
        use_bias: add a bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
        **kwargs: `lora_rank` and `lora_alpha` as for `Dense`, and those of `Layer`.

    Input: (batch, depth, rows, columns, channels). Output: (batch, depth, rows, columns, filters). Channels come second under `"channels_first"`.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1), groups: int = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            3, filters, kernel_size, strides, padding, data_format, dilation_rate, groups,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip

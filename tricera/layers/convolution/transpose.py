"""Transposed convolutions: Conv1DTranspose, Conv2DTranspose, Conv3DTranspose."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.layers.convolution.base import BaseConv, per_axis


class _ConvTranspose(BaseConv):
    def __init__(self, rank: int, *args: Any, output_padding: Any = None, **kwargs: Any) -> None:
        super().__init__(rank, *args, **kwargs)
        self.output_padding = (
            None if output_padding is None else per_axis(output_padding, rank, "output_padding", zero=True)
        )
        if self.output_padding is not None and any(
            p >= s for p, s in zip(self.output_padding, self.strides, strict=True)
        ):
            raise ValueError(
                f"`output_padding` {self.output_padding} of the layer {self.name!r} must be below the strides {self.strides}."
            )

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        self.kernel = self.add_kernel((*self.kernel_size, self.filters, self.channels_of(input_shape)))
        self.bias = self.add_bias((self.filters,))

    def call(self, inputs: Any) -> Any:
        """Compute the outputs."""
        x, restore = self.flat(inputs)
        x = ops.conv_transpose(
            x, self.kernel, strides=self.strides, padding=self.padding, output_padding=self.output_padding,
            data_format=self.data_format, dilation_rate=self.dilation_rate,
        )  # fmt: skip
        return restore(self.with_bias(x))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.pop("groups")
        return {**config, "output_padding": self.output_padding}


class Conv1DTranspose(_ConvTranspose):
    """The transpose of a convolution of sequences: from the shape of its output to that of its input.

    Args:
        filters: the number of output channels.
        kernel_size: the size of the window.
        strides: by how much the output is longer than the input.
        padding: `"valid"` or `"same"`.
        output_padding: how many elements to add to the end.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        activation: applied to the output.
        use_bias: add a bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
        **kwargs: those of `Layer`.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
        data_format: str | None = None, dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            1, filters, kernel_size, strides, padding, data_format, dilation_rate, output_padding=output_padding,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip


class Conv2DTranspose(_ConvTranspose):
    """The transpose of a convolution of images: from the shape of its output to that of its input.

    Args:
        filters: the number of output channels.
        kernel_size: the size of the window.
        strides: by how much the output is longer than the input.
        padding: `"valid"` or `"same"`.
        output_padding: how many elements to add to the end of each axis.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        activation: applied to the output.
        use_bias: add a bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
        **kwargs: those of `Layer`.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid", output_padding: Any = None,
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            2, filters, kernel_size, strides, padding, data_format, dilation_rate, output_padding=output_padding,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip


class Conv3DTranspose(_ConvTranspose):
    """The transpose of a convolution of volumes: from the shape of its output to that of its input.

    Args:
        filters: the number of output channels.
        kernel_size: the size of the window.
        strides: by how much the output is longer than the input.
        padding: `"valid"` or `"same"`.
        output_padding: how many elements to add to the end of each axis.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        activation: applied to the output.
        use_bias: add a bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
        **kwargs: those of `Layer`.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
        data_format: str | None = None, output_padding: Any = None, dilation_rate: Any = (1, 1, 1), activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            3, filters, kernel_size, strides, padding, data_format, dilation_rate, output_padding=output_padding,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip

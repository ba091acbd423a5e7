"""Depthwise and separable convolutions."""

from __future__ import annotations

from typing import Any

from tricera import constraints, initializers, ops, regularizers
from tricera.core.checks import positive
from tricera.layers.convolution.base import BaseConv


class _Depthwise(BaseConv):
    """A kernel for each input channel, and what these layers' configs have in the place of `kernel_*`."""

    def __init__(
        self, rank: int, filters: int | None, depth_multiplier: int, depthwise_initializer: Any, depthwise_regularizer: Any,
        depthwise_constraint: Any, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(rank, filters, **kwargs)
        self.depth_multiplier = positive("depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def add_depthwise(self, channels: int, name: str) -> Any:
        """Make the kernel (window..., channels, depth_multiplier)."""
        return self.add_weight(
            name=name, shape=(*self.kernel_size, channels, self.depth_multiplier), initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer, constraint=self.depthwise_constraint,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        for name in ("kernel_initializer", "kernel_regularizer", "kernel_constraint", "groups"):
            config.pop(name)
        return {
            **config, "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
        }  # fmt: skip


class _DepthwiseConv(_Depthwise):
    has_filters = False

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self.channels_of(input_shape)
        self.check_window(input_shape)
        self.kernel = self.add_depthwise(channels, "kernel")
        self.bias = self.add_bias((channels * self.depth_multiplier,))

    def call(self, inputs: Any) -> Any:
        """Compute the outputs."""
        x, restore = self.flat(inputs)
        strides = self.strides if self.rank > 1 else self.strides[0]
        x = ops.depthwise_conv(
            x,
            self.kernel,
            strides=strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return restore(self.with_bias(x))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.pop("filters")
        return config


class _SeparableConv(_Depthwise):
    def __init__(
        self, rank: int, filters: int, depth_multiplier: int, pointwise_initializer: Any, pointwise_regularizer: Any,
        pointwise_constraint: Any, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(rank, filters, depth_multiplier, **kwargs)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        """Make both kernels and the bias."""
        channels = self.channels_of(input_shape)
        self.check_window(input_shape)
        self.depthwise_kernel = self.add_depthwise(channels, "depthwise_kernel")
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel", shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer, regularizer=self.pointwise_regularizer, constraint=self.pointwise_constraint,
        )  # fmt: skip
        self.bias = self.add_bias((self.filters,))

    def call(self, inputs: Any) -> Any:
        """Compute the outputs."""
        x, restore = self.flat(inputs)
        strides = self.strides if self.rank > 1 else self.strides[0]
        x = ops.separable_conv(
            x, self.depthwise_kernel, self.pointwise_kernel, strides=strides, padding=self.padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )  # fmt: skip
        return restore(self.with_bias(x))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
            "pointwise_regularizer": regularizers.serialize(self.pointwise_regularizer),
            "pointwise_constraint": constraints.serialize(self.pointwise_constraint),
        }  # fmt: skip


class DepthwiseConv1D(_DepthwiseConv):
    """A convolution of sequences, each channel with kernels of its own.

    Args:
        kernel_size: the size of the window.
        strides: its step.
        padding: `"valid"`, `"same"` or `"causal"`.
        depth_multiplier: how many output channels each input channel makes.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        activation: applied to the output.
        use_bias: add a bias.
        depthwise_initializer: of the kernel.
        bias_initializer: of the bias.
        depthwise_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        depthwise_constraint: of the kernel.
        bias_constraint: of the bias.
        **kwargs: those of `Layer`.
    """

    paddings = ("valid", "same", "causal")

    def __init__(
        self, kernel_size: Any, strides: Any = 1, padding: str = "valid", depth_multiplier: int = 1,
        data_format: str | None = None, dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            1, None, depth_multiplier, depthwise_initializer, depthwise_regularizer, depthwise_constraint,
            kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate,
            activation=activation, use_bias=use_bias, bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip


class DepthwiseConv2D(_DepthwiseConv):
    """A convolution of images, each channel with kernels of its own.

    Args:
        kernel_size: the size of the window.
        strides: its step.
        padding: `"valid"` or `"same"`.
        depth_multiplier: how many output channels each input channel makes.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        activation: applied to the output.
        use_bias: add a bias.
        depthwise_initializer: of the kernel.
        bias_initializer: of the bias.
        depthwise_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        depthwise_constraint: of the kernel.
        bias_constraint: of the bias.
        **kwargs: those of `Layer`.
    """

    def __init__(
        self, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid", depth_multiplier: int = 1,
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            2, None, depth_multiplier, depthwise_initializer, depthwise_regularizer, depthwise_constraint,
            kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate,
            activation=activation, use_bias=use_bias, bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip


class SeparableConv1D(_SeparableConv):
    """A depthwise convolution of sequences, then one of size 1 that mixes the channels (Chollet 2017).

    Args:
        filters: the number of output channels.
        kernel_size: the size of the window.
        strides: its step.
        padding: `"valid"`, `"same"` or `"causal"`.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        depth_multiplier: how many channels the first makes of each.
        activation: applied to the output.
        use_bias: add a bias.
        depthwise_initializer: of the first kernel.
        pointwise_initializer: of the second kernel.
        bias_initializer: of the bias.
        depthwise_regularizer: of the first kernel.
        pointwise_regularizer: of the second kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        depthwise_constraint: of the first kernel.
        pointwise_constraint: of the second kernel.
        bias_constraint: of the bias.
        **kwargs: those of `Layer`.
    """

    paddings = ("valid", "same", "causal")

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = 1, depth_multiplier: int = 1,
        activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", pointwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, pointwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, pointwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            1, filters, depth_multiplier, pointwise_initializer, pointwise_regularizer, pointwise_constraint,
            depthwise_initializer=depthwise_initializer, depthwise_regularizer=depthwise_regularizer,
            depthwise_constraint=depthwise_constraint, kernel_size=kernel_size, strides=strides, padding=padding,
            data_format=data_format, dilation_rate=dilation_rate, activation=activation, use_bias=use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip


class SeparableConv2D(_SeparableConv):
    """A depthwise convolution of images, then one of size 1 that mixes the channels (Chollet 2017).

    Args:
        filters: the number of output channels.
        kernel_size: the size of the window.
        strides: its step.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        depth_multiplier: how many channels the first makes of each.
        activation: applied to the output.
        use_bias: add a bias.
        depthwise_initializer: of the first kernel.
        pointwise_initializer: of the second kernel.
        bias_initializer: of the bias.
        depthwise_regularizer: of the first kernel.
        pointwise_regularizer: of the second kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        depthwise_constraint: of the first kernel.
        pointwise_constraint: of the second kernel.
        bias_constraint: of the bias.
        **kwargs: those of `Layer`.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = (1, 1), depth_multiplier: int = 1,
        activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", pointwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, pointwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, pointwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            2, filters, depth_multiplier, pointwise_initializer, pointwise_regularizer, pointwise_constraint,
            depthwise_initializer=depthwise_initializer, depthwise_regularizer=depthwise_regularizer,
            depthwise_constraint=depthwise_constraint, kernel_size=kernel_size, strides=strides, padding=padding,
            data_format=data_format, dilation_rate=dilation_rate, activation=activation, use_bias=use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip

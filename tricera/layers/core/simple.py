"""Layers without weights: identity, activation, lambda, masking."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tricera import activations, ops
from tricera.core import checks
from tricera.layers.layer import Layer


class Identity(Layer):
    """The input itself.

    Args:
        **kwargs: those of `Layer`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The input."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config()


class Activation(Layer):
    """An activation function as a layer.

    Args:
        activation: its name, or a function.
        **kwargs: those of `Layer`.

    Example:
        >>> float(Activation("relu")(ops.convert_to_tensor([-1.0, 2.0]))[1])
        2.0
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class _Function(Layer):
    """An activation with options, named after its class."""

    _options: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), **{name: getattr(self, name) for name in self._options}}


class ReLU(_Function):
    """Rectified linear unit.

    Args:
        max_value: the largest value, None for no limit.
        negative_slope: the slope below the threshold.
        threshold: where the slope changes.
        **kwargs: those of `Layer`.
    """

    _options = ("max_value", "negative_slope", "threshold")

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(f"`max_value` of the layer {self.name!r} must not be negative; got {max_value}.")
        if negative_slope is None or negative_slope < 0:
            raise ValueError(f"`negative_slope` of the layer {self.name!r} must not be negative; got {negative_slope}.")
        if threshold is None or threshold < 0:
            raise ValueError(f"`threshold` of the layer {self.name!r} must not be negative; got {threshold}.")
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return activations.relu(
            inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )


class LeakyReLU(_Function):
    """x where positive, else negative_slope * x.

    Args:
        negative_slope: the slope below 0.
        **kwargs: those of `Layer`.
    """

    _options = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(f"`negative_slope` of the layer {self.name!r} must not be negative; got {negative_slope}.")
        self.negative_slope = negative_slope

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


class ELU(_Function):
    """x where positive, else alpha * (e^x - 1).

    Args:
        alpha: the scale below 0.
        **kwargs: those of `Layer`.
    """

    _options = ("alpha",)

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checks.number()("alpha", alpha)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return activations.elu(inputs, alpha=self.alpha)


class Softmax(_Function):
    """e^x / sum(e^x) along an axis; masked elements get 0.

    Args:
        axis: an axis, or several.
        **kwargs: those of `Layer`.
    """

    _options = ("axis",)

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checks.axes("axis", axis)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Apply the function.

        Args:
            inputs: a tensor.
            mask: of its shape; False elements don't count.
        """
        if mask is not None:
            inputs = ops.add(
                inputs,
                ops.multiply(
                    ops.subtract(1.0, ops.cast(mask, ops.dtype(inputs))),
                    -3e4 if ops.dtype(inputs) == "float16" else -1e9,
                ),
            )
        return ops.softmax(inputs, axis=tuple(self.axis) if isinstance(self.axis, list) else self.axis)


class PReLU(Layer):
    """x where positive, else alpha * x, alpha being learned (He et al. 2015).

    Args:
        alpha_initializer: of alpha.
        alpha_regularizer: of alpha.
        alpha_constraint: of alpha.
        shared_axes: axes along which alpha is the same.
        **kwargs: those of `Layer`.
    """

    def __init__(
        self, alpha_initializer: Any = "Zeros", alpha_regularizer: Any = None, alpha_constraint: Any = None,
        shared_axes: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        from tricera import constraints, initializers, regularizers

        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        checks.axes("shared_axes", shared_axes)
        self.shared_axes = (
            None if shared_axes is None else [shared_axes] if isinstance(shared_axes, int) else list(shared_axes)
        )

    def build(self, input_shape: Any) -> None:
        """Make alpha."""
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if not 1 <= axis <= len(shape):
                raise ValueError(
                    f"`shared_axes` {self.shared_axes} must be axes of the input besides the batch's, from 1 to {len(shape)}; its "
                    f"shape is {tuple(input_shape)}."
                )
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            name="alpha", shape=tuple(shape), initializer=self.alpha_initializer, regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return ops.add(ops.relu(inputs), ops.multiply(ops.negative(self.alpha), ops.relu(ops.negative(inputs))))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from tricera import constraints, initializers, regularizers

        return {
            **super().get_config(), "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint), "shared_axes": self.shared_axes,
        }  # fmt: skip


class Masking(Layer):
    """Masks the time steps whose features all equal a value, and sets them to 0.

    Args:
        mask_value: the value.
        **kwargs: those of `Layer`.
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checks.number()("mask_value", mask_value)
        self.mask_value = mask_value
        self.supports_masking = True
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where any feature differs from the value."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """Set masked steps to 0."""
        keep = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.multiply(inputs, ops.cast(keep, ops.dtype(inputs)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "mask_value": self.mask_value}


class Lambda(Layer):
    """A function as a layer, for what needs no weights; for anything that is to be saved, subclass `Layer` instead.

    Args:
        function: called with the inputs (and `mask` or `training`, if it takes these).
        output_shape: the shape of the outputs without the batch axis, or a function of the input shape.
        mask: the outputs' mask, or a function of inputs and mask.
        arguments: further arguments of the function.
        **kwargs: those of `Layer`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"`function` of a Lambda layer must be callable, not {function!r}.")
        self.function, self.arguments = function, arguments or {}
        self._output_shape, self.mask = output_shape, mask
        self.supports_masking = mask is not None
        try:
            names = set(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            names = set()
        self._takes = names & {"mask", "training"}
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Call the function."""
        extra = {k: v for k, v in (("mask", mask), ("training", training)) if k in self._takes}
        return self.function(inputs, **self.arguments, **extra)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """From `output_shape` if it was given, else by running the function on shapes."""
        from tricera.core import tree
        from tricera.core.tensor import KerasTensor

        if self._output_shape is None:
            return super().compute_output_spec(*args, **kwargs)
        shapes = tree.map_structure(lambda x: x.shape, args[0])
        if callable(self._output_shape):
            shape = self._output_shape(shapes)
        else:
            shape = (tree.flatten(args[0])[0].shape[0], *tuple(self._output_shape))
        return tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask given, or what the mask function says."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the function as code, which is loaded only by callers who opt in."""
        from tricera.core.serialization import serialize_keras_object

        config = {**super().get_config(), "function": serialize_keras_object(self.function)}
        if self._output_shape is not None:
            shape = self._output_shape
            config["output_shape"] = serialize_keras_object(shape) if callable(shape) else shape
        if self.mask is not None:
            config["mask"] = serialize_keras_object(self.mask)
        config["arguments"] = serialize_keras_object(self.arguments)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool | None = None) -> Lambda:
        """Make a layer from what `get_config` gave; code is refused unless unsafe loading was asked for."""
        from tricera.core.serialization import deserialize_keras_object

        read = {
            k: deserialize_keras_object(v, custom_objects=custom_objects)
            if k in ("function", "output_shape", "mask", "arguments")
            else v
            for k, v in config.items()
        }
        return cls(**read)

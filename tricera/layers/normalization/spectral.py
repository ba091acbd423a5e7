"""`SpectralNormalization`."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core.variable import Variable
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer
from tricera.layers.recurrent.wrapper import Wrapper


class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value at each training step (Miyato et al. 2018).

    W <- W / sigma(W), sigma being estimated by power iteration: v = W u / |W u|, u = v^T W / |v^T W|, sigma = v^T W u, from the
    u of the step before. W is the kernel with all axes but the last joined.

    Args:
        layer: a layer with a `kernel` or `embeddings`.
        power_iterations: how many iterations a step.
        **kwargs: those of `Layer`.

    As in Keras the kernel itself is replaced, and gradients are those with respect to the new one.

    Raises:
        ValueError: `power_iterations` isn't positive, or (when it is built) the layer has no kernel.

    Example:
        >>> from tricera.layers import Dense
        >>> SpectralNormalization(Dense(3))(ops.ones((2, 4))).shape[-1]
        3
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if not isinstance(power_iterations, int) or power_iterations < 1:
            raise ValueError(
                f"`power_iterations` of the layer {self.name!r} must be a positive integer, not {power_iterations!r}."
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside, and make u."""
        super().build(input_shape)
        if input_shape is not None:
            self.input_spec = InputSpec(shape=[None, *tuple(input_shape)[1:]])
        kernel = getattr(self.layer, "kernel", None)
        if kernel is None:
            kernel = getattr(self.layer, "embeddings", None)
        if kernel is None:
            raise ValueError(
                f"The layer {self.layer.name!r} in the layer {self.name!r} has neither a `kernel` nor `embeddings`."
            )
        if not isinstance(kernel, Variable):
            raise ValueError(
                f"The layer {self.layer.name!r} in the layer {self.name!r} has LoRA, under which its kernel is not a variable that "
                "could be normalized. Normalize first, or train without LoRA."
            )
        self.kernel = kernel
        self.vector_u = self.add_weight(
            shape=(1, kernel.shape[-1]),
            initializer="truncated_normal",
            trainable=False,
            name="vector_u",
            dtype=kernel.dtype,
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Call the layer; in training, after its kernel is normalized."""
        if training:
            u, kernel = self.normalized_weights()
            self.vector_u.assign(u)
            self.kernel.assign(kernel)
        return self.layer(inputs)

    def normalized_weights(self) -> tuple[Any, Any]:
        """The next u and the normalized kernel; a kernel of zeros stays, and so does its u."""
        kind = self.kernel.dtype
        before = ops.cast(self.kernel, kind)
        fixed = ops.stop_gradient(before)
        matrix = ops.reshape(fixed, (-1, fixed.shape[-1]))
        start = u = ops.cast(self.vector_u, kind)
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, ops.transpose(matrix)))
            u = _unit(ops.matmul(v, matrix))
        sigma = ops.sum(ops.multiply(ops.matmul(v, matrix), u))
        empty = ops.all(ops.equal(matrix, 0))
        u = ops.where(empty, start, u)
        one = ops.convert_to_tensor(1.0, kind)
        change = ops.subtract(ops.divide(fixed, ops.where(empty, one, sigma)), fixed)
        # The value is W / sigma; its derivative by W is 1, so that gradients are those by the new kernel wherever a framework
        # takes them by the value with which the step began.
        return ops.stop_gradient(u), ops.add(before, change)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the layer inside."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(x: Any) -> Any:
    return ops.multiply(x, ops.rsqrt(ops.maximum(ops.sum(ops.square(x)), 1e-12)))

"""`TimeDistributed`: one layer for every step of a sequence."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core import state, tree
from tricera.core.graph import public_class
from tricera.core.tensor import KerasTensor, not_recording
from tricera.core.variable import autocast
from tricera.layers.call_info import info_of
from tricera.layers.core.simple import Lambda
from tricera.layers.recurrent.wrapper import Wrapper, checked_layer


class TimeDistributed(Wrapper):
    """A layer applied to each step: y[:, t] = layer(x[:, t]).

    Args:
        layer: the layer.
        **kwargs: those of `Layer`.

    Input: (batch, time, ...). Output: (batch, time, ...). A mask of more than two axes reaches the layer step by step, too.

    Where the layer treats each sample by itself, as Tricera's own do unless they learn statistics of a batch, all steps are
    computed at once as one large batch.

    Raises:
        ValueError: `layer` isn't a layer, the inputs have no time axis, or the mask doesn't fit them.

    Example:
        >>> from tricera import layers
        >>> TimeDistributed(layers.Dense(3))(ops.ones((2, 5, 4))).shape[-1]
        3
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(checked_layer(layer, "TimeDistributed"), **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Build the layer inside for one step."""
        if not self.layer.built:
            self.layer.build(self._one_shape(input_shape))

    def _one_shape(self, shape: Any) -> Any:
        def one(shape: Any) -> Any:
            if len(shape) < 3:
                raise ValueError(
                    f"The layer {self.name!r} needs inputs of at least three axes, (batch, time, ...); the shape given is {tuple(shape)}."
                )
            return (shape[0], *shape[2:])

        return tree.map_shape_structure(one, shape)

    def _folds(self, training: bool | None) -> bool:
        """Whether all steps can be computed as one batch with the same result."""
        for layer in self.layer._flatten_layers():
            cls = public_class(layer)
            if not cls.__module__.startswith("tricera.") or isinstance(layer, Lambda) or layer._carried_variables:
                return False
            if layer.activity_regularizer is not None or (
                training and any(not v.learnable for v in layer._own_variables)
            ):
                return False
        return True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Apply the layer to each step.

        Args:
            inputs: a tensor (batch, time, ...), or a structure of them.
            training: handed to the layer if it takes it.
            mask: a bool tensor (batch, time, ...), or None.

        Raises:
            ValueError: the mask doesn't fit the inputs.
        """
        leaves = tree.flatten(inputs)
        self._check_mask(mask, leaves[0])
        info = info_of(public_class(self.layer))
        options: dict[str, Any] = {"training": training} if info.training else {}
        masks = mask if mask is not None and "mask" in info.names else None
        if self._folds(training):
            return self._at_once(inputs, masks, options)
        if leaves[0].shape[1] is None:
            return self._looped(inputs, masks, options)
        results = []
        for t in range(leaves[0].shape[1]):
            one = options if masks is None else {**options, "mask": masks[:, t]}
            results.append(self.layer(tree.map_structure(lambda x: x[:, t], inputs), **one))  # noqa: B023 - called at once
        return tree.map_structure(lambda *steps: ops.stack(steps, axis=1), *results)

    def _check_mask(self, mask: Any, x: Any) -> None:
        if mask is None:
            return
        given, wanted = tuple(mask.shape)[:2], tuple(x.shape)[:2]
        if len(given) < 2 or any(None not in (g, w) and g != w for g, w in zip(given, wanted, strict=True)):
            raise ValueError(
                f"The mask of the layer {self.name!r} has shape {tuple(mask.shape)}; its first two axes must be those of the inputs, "
                f"{tuple(x.shape)}."
            )

    def _at_once(self, inputs: Any, masks: Any, options: dict[str, Any]) -> Any:
        def fold(x: Any) -> Any:
            return ops.reshape(x, (-1, *ops.shape(x)[2:]))

        lead = ops.shape(tree.flatten(inputs)[0])[:2]
        if masks is not None:
            options = {**options, "mask": fold(masks)}
        outputs = self.layer(tree.map_structure(fold, inputs), **options)
        return tree.map_structure(lambda y: ops.reshape(y, (*lead, *ops.shape(y)[1:])), outputs)

    def _looped(self, inputs: Any, masks: Any, options: dict[str, Any]) -> Any:
        """Step by step in compiled code, where nobody knows how many steps there are; what the layer assigns is carried along."""
        variables = [v for v in self.layer.variables if not v.learnable]

        def one(x: Any, keep: Any) -> Any:
            return self.layer(x, **options) if keep is None else self.layer(x, **options, mask=keep)

        pure = state.functionalize(one, variables)
        xs = tree.map_structure(lambda x: ops.swapaxes(x, 0, 1), inputs)
        steps = (xs,) if masks is None else (xs, ops.swapaxes(masks, 0, 1))

        def body(values: Any, step: Any) -> Any:
            outputs, values = pure(values, step[0], step[1] if masks is not None else None)
            return values, outputs

        with autocast(None):
            first = [v.value for v in variables]
        values, outputs = ops.scan(body, first, steps)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return tree.map_structure(lambda y: ops.swapaxes(y, 0, 1), outputs)

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The outputs as symbolic tensors."""
        leaves = tree.flatten(inputs)
        self._check_mask(mask, leaves[0])
        time = leaves[0].shape[1]
        info = info_of(public_class(self.layer))
        options = {"training": training} if info.training else {}
        with not_recording(), state.cells():
            one = tree.map_structure(lambda x: KerasTensor((x.shape[0], *x.shape[2:]), x.dtype), inputs)
            outputs = self.layer(one, **options)
        return tree.map_structure(lambda y: KerasTensor((y.shape[0], time, *y.shape[1:]), y.dtype), outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, time, ...), where the layer gives (batch, ...)."""
        shape = self.layer.compute_output_shape(self._one_shape(input_shape))
        time = tree.flatten(tree.map_shape_structure(lambda s: _Time(s[1]), input_shape))[0].length
        return tree.map_shape_structure(lambda s: (s[0], time, *s[1:]), shape)


class _Time:
    """A number of steps that tree functions don't take for a missing value."""

    def __init__(self, length: int | None) -> None:
        self.length = length

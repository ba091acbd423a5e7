"""Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate and Dot, as layers and as functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from tricera import ops
from tricera.core import checks
from tricera.core.spec import broadcast_shapes
from tricera.layers.layer import Layer


class _Merge(Layer):
    """Inputs of shapes that broadcast, joined pairwise."""

    pair: ClassVar[Callable[..., Any]]
    only_two = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Check the shapes."""
        if (
            not isinstance(input_shape, (list, tuple))
            or not input_shape
            or not isinstance(input_shape[0], (list, tuple))
        ):
            raise ValueError(
                f"The layer {self.name!r} joins several inputs: call it on a list of tensors; got the shape {input_shape}."
            )
        if len(input_shape) < 1 or (self.only_two and len(input_shape) != 2):
            raise ValueError(
                f"The layer {self.name!r} takes {'two inputs' if self.only_two else 'at least one input'}; got {len(input_shape)}."
            )
        try:
            broadcast_shapes(*(tuple(s)[1:] for s in _same_rank([tuple(s) for s in input_shape])))
        except ValueError as error:
            raise ValueError(
                f"The inputs of the layer {self.name!r} have shapes that don't broadcast: {list(map(tuple, input_shape))}."
            ) from error

    def call(self, inputs: Any) -> Any:
        """Join the inputs."""
        return self.join(self._aligned(inputs))

    def _aligned(self, inputs: Any) -> list[Any]:
        """The inputs with as many axes as the one that has most; samples of fewer get new ones after the batch's."""
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"The layer {self.name!r} must be called on a list of tensors; got {inputs!r:.80}.")
        rank = max(len(x.shape) for x in inputs)
        tensors = []
        for x in inputs:
            while len(x.shape) < rank:
                x = ops.expand_dims(x, 1)
            tensors.append(x)
        return tensors

    def join(self, tensors: list[Any]) -> Any:
        """Join tensors of one rank."""
        return functools.reduce(type(self).pair, tensors)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where any of the masks holds, as in Keras 3; None unless all inputs have one."""
        masks = [m for m in (mask or ()) if m is not None]
        return functools.reduce(ops.logical_or, masks) if masks and len(masks) == len(inputs) else None


class _MaskedMerge(_Merge):
    """One whose result at a step comes from the inputs that have the step, as in Keras 3."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Join the inputs; what is masked in one of them does not count."""
        tensors = self._aligned(inputs)
        if mask is None or all(m is None for m in mask):
            return self.join(tensors)
        masks = [None if m is None else _over(m, x, t) for m, x, t in zip(mask, inputs, tensors, strict=True)]
        return self.join_masked(tensors, masks)

    def join_masked(self, tensors: list[Any], masks: list[Any]) -> Any:
        """Join tensors of one rank; where all are masked, the first one remains."""
        out, kept = tensors[0], masks[0]
        for x, mask in zip(tensors[1:], masks[1:], strict=True):
            both = type(self).pair(out, x)
            joined = both if kept is None else ops.where(kept, both, x)
            if mask is None:
                out, kept = joined, None
            else:
                out = ops.where(mask, joined, out)
                kept = None if kept is None else ops.logical_or(kept, mask)
        return out


def _over(mask: Any, x: Any, aligned: Any) -> Any:
    """The mask of `x`, a bool for each of its leading axes, as one that broadcasts with `aligned`."""
    for _ in range(len(x.shape) - len(mask.shape)):
        mask = ops.expand_dims(mask, -1)
    for _ in range(len(aligned.shape) - len(x.shape)):
        mask = ops.expand_dims(mask, 1)
    return mask


def _same_rank(shapes: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    rank = max(map(len, shapes))
    return [(s[0], *(1,) * (rank - len(s)), *s[1:]) if s else s for s in shapes]


class Add(_Merge):
    """The sum of the inputs.

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> float(Add()([ops.ones((1, 1)), ops.ones((1, 1))])[0, 0])
        2.0
    """

    pair = staticmethod(ops.add)


class Subtract(_Merge):
    """The first input less the second.

    Args:
        **kwargs: those of `Layer`.
    """

    pair = staticmethod(ops.subtract)
    only_two = True


class Multiply(_MaskedMerge):
    """The product of the inputs; masked steps of one count as 1, and steps that are masked in all give 0.

    Args:
        **kwargs: those of `Layer`.
    """

    pair = staticmethod(ops.multiply)

    def join_masked(self, tensors: list[Any], masks: list[Any]) -> Any:
        """Join tensors of one rank."""
        ones = [x if m is None else ops.where(m, x, ops.ones_like(x)) for x, m in zip(tensors, masks, strict=True)]
        product = self.join(ones)
        if any(m is None for m in masks):
            return product
        return ops.where(functools.reduce(ops.logical_or, masks), product, ops.zeros_like(product))


class Maximum(_MaskedMerge):
    """The largest of the inputs, element by element; masked steps of one do not count.

    Args:
        **kwargs: those of `Layer`.
    """

    pair = staticmethod(ops.maximum)


class Minimum(_MaskedMerge):
    """The smallest of the inputs, element by element; masked steps of one do not count.

    Args:
        **kwargs: those of `Layer`.
    """

    pair = staticmethod(ops.minimum)


class Average(_Merge):
    """The mean of the inputs, element by element.

    Args:
        **kwargs: those of `Layer`.
    """

    pair = staticmethod(ops.add)

    def join(self, tensors: list[Any]) -> Any:
        """Join tensors of one rank."""
        return ops.divide(super().join(tensors), len(tensors))


class Concatenate(_Merge):
    """The inputs joined along an axis.

    Args:
        axis: the axis.
        **kwargs: those of `Layer`.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checks.integer()("axis", axis)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        """Check the shapes."""
        if (
            not isinstance(input_shape, (list, tuple))
            or not input_shape
            or not isinstance(input_shape[0], (list, tuple))
        ):
            raise ValueError(
                f"The layer {self.name!r} joins several inputs: call it on a list of tensors; got the shape {input_shape}."
            )
        shapes = [tuple(s) for s in input_shape]
        rank = len(shapes[0])
        if any(len(s) != rank for s in shapes) or not -rank <= self.axis < rank:
            raise ValueError(f"The layer {self.name!r} can't concatenate the shapes {shapes} along axis {self.axis}.")
        rest = [[d for i, d in enumerate(s) if i != self.axis % rank] for s in shapes]
        for dims in zip(*rest, strict=True):
            if len({d for d in dims if d is not None}) > 1:
                raise ValueError(
                    f"The inputs of the layer {self.name!r} must agree except on axis {self.axis}; got the shapes {shapes}."
                )

    def call(self, inputs: Any) -> Any:
        """Join the inputs."""
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks joined in the same way, True for inputs without one; None if there is none.

        Joined along an axis that the masks don't have, a step counts if it does in any of the inputs.
        """
        if mask is None or all(m is None for m in mask):
            return None
        rank = len(inputs[0].shape)
        kept = min(rank - 1, *(len(m.shape) for m in mask if m is not None))
        masks = []
        for x, m in zip(inputs, mask, strict=True):
            whole = ops.ones_like(x, dtype="bool")
            masks.append(whole if m is None else ops.logical_and(whole, _over(m, x, x)))
        return ops.any(ops.concatenate(masks, axis=self.axis), axis=tuple(range(kept, rank)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "axis": self.axis}


class Dot(_Merge):
    """The product of two inputs, sample by sample, over an axis of each.

    Args:
        axes: the axis, or one for each input.
        normalize: divide by the norms, which gives the cosine.
        **kwargs: those of `Layer`.
    """

    only_two = True

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int) and (
            not isinstance(axes, (list, tuple)) or len(axes) != 2 or any(not isinstance(a, int) for a in axes)
        ):
            raise ValueError(f"`axes` of the layer {self.name!r} must be an integer or two of them, not {axes!r}.")
        self.axes, self.normalize = axes, normalize

    def build(self, input_shape: Any) -> None:
        """Check the shapes."""
        if (
            not isinstance(input_shape, (list, tuple))
            or len(input_shape) != 2
            or not isinstance(input_shape[0], (list, tuple))
        ):
            raise ValueError(f"The layer {self.name!r} must be called on two inputs; got the shapes {input_shape}.")
        a, b = self._pair(len(input_shape[0]), len(input_shape[1]))
        if input_shape[0][a] != input_shape[1][b] and None not in (input_shape[0][a], input_shape[1][b]):
            raise ValueError(
                f"The axes {self.axes} of the inputs of the layer {self.name!r} have different lengths: {input_shape}."
            )

    def _pair(self, rank1: int, rank2: int) -> tuple[int, int]:
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        if any(not -rank <= a < rank or a % rank == 0 for a, rank in zip(axes, (rank1, rank2), strict=True)):
            raise ValueError(
                f"`axes` {self.axes} of the layer {self.name!r} must be axes of the inputs besides the batch's; they have {rank1} and "
                f"{rank2} axes."
            )
        return axes[0] % rank1, axes[1] % rank2

    def call(self, inputs: Any) -> Any:
        """Multiply."""
        x1, x2 = inputs
        a, b = self._pair(len(x1.shape), len(x2.shape))
        if self.normalize:
            from tricera.losses.functions import unit

            x1, x2 = unit(x1, a), unit(x2, b)
        letters = iter("cdefghijklmnopqrstuvwxyz")
        one = ["a" if i == 0 else "b" if i == a else next(letters) for i in range(len(x1.shape))]
        two = ["a" if i == 0 else "b" if i == b else next(letters) for i in range(len(x2.shape))]
        out = [c for c in one if c != "b"] + [c for c in two if c not in "ab"]
        product = ops.einsum(f"{''.join(one)},{''.join(two)}->{''.join(out)}", x1, x2)
        return ops.expand_dims(product, 1) if len(out) == 1 else product

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of the inputs, by an `Add` layer."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The first input less the second, by a `Subtract` layer."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of the inputs, by a `Multiply` layer."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of the inputs, by an `Average` layer."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The largest of the inputs, by a `Maximum` layer."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The smallest of the inputs, by a `Minimum` layer."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """The inputs joined along an axis, by a `Concatenate` layer."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """The product of two inputs, by a `Dot` layer."""
    return Dot(axes=axes, **kwargs)(inputs)

"""`Model`: a layer that can be trained, evaluated, summarised and saved."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from tricera.core import dispatch, tree
from tricera.core.graph import public_class
from tricera.layers.core.input_layer import InputLayer
from tricera.layers.layer import Layer, native_class, symbolic_inputs
from tricera.layers.quantization import refuse
from tricera.training.trainer import Trainer


def _is_functional_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the constructor was called as `Model(inputs, outputs)`."""
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)


@functools.cache
def _functional_subclass(cls: type) -> type:
    """A user's Model subclass that passes inputs and outputs to `super().__init__`, as a functional model."""
    from tricera.models.functional import Functional

    made = type(cls.__name__, (cls, Functional), {})
    made.__module__, made.__qualname__, made.__doc__ = cls.__module__, cls.__qualname__, cls.__doc__
    return made


class Model(Trainer, Layer):
    """Layers and the means to train them.

    Either subclass it, with layers made in `__init__` and used in `call`, or give it symbolic tensors:
    `Model(inputs, outputs)`.

    Args:
        inputs: symbolic tensors, for a functional model.
        outputs: symbolic tensors.
        name: default: the class's name in snake case, numbered.

    Example:
        >>> from tricera.layers import Dense, Input
        >>> x = Input((4,))
        >>> Model(x, Dense(2)(x)).count_params()
        10
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A `Functional` where symbolic inputs and outputs are given."""
        if cls is Model and _is_functional_call(args, kwargs):
            from tricera.models.functional import Functional

            return Functional.__new__(Functional, *args, **kwargs)
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Trainer.__init__(self)
        from tricera.models.functional import Functional

        if _is_functional_call(args, kwargs) and not isinstance(self, Functional):
            made = _functional_subclass(public_class(self))
            self.__class__ = native_class(made, self._backend)
            Functional.__init__(self, *args, **kwargs)  # type: ignore[arg-type]
            return
        if args:
            raise TypeError(
                f"{type(self).__name__}: Model takes keyword arguments, or symbolic inputs and outputs; got {args!r}."
            )
        Layer.__init__(self, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; to be overridden by subclasses."""
        raise NotImplementedError(f"The model class {public_class(self).__name__} must define `call`.")

    @property
    def layers(self) -> list[Layer]:
        """The direct sublayers."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by number.

        Args:
            name: its name.
            index: its place in `layers`.

        Raises:
            ValueError: there is none, or both or neither are given.
        """
        if (name is None) == (index is None):
            raise ValueError("Give `get_layer` either a name or an index.")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"The model {self.name!r} has {len(layers)} layers; there is no number {index}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"The model {self.name!r} has no layer {name!r}. It has: {', '.join(x.name for x in layers)}.")

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers, their output shapes and their numbers of weights.

        Args:
            line_length: the width, that of the terminal for None.
            positions: where the columns end, as fractions of the width.
            print_fn: called with the text in the place of printing.
            expand_nested: show the layers of nested models.
            show_trainable: add a column that says whether a layer is trainable.
            layer_range: the names (or patterns) of the first and the last layer to show.
        """
        from tricera.utils.summary_utils import print_summary

        print_summary(
            self, line_length=line_length, positions=positions, print_fn=print_fn, expand_nested=expand_nested,
            show_trainable=show_trainable, layer_range=layer_range,
        )  # fmt: skip

    def _has_default_build(self) -> bool:
        return public_class(self).build is Model.build

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape, by calling the model on symbolic tensors.

        Args:
            input_shape: the shape with the batch axis, or a structure of shapes.
        """
        if input_shape is not None and not self.built:
            self.built = True  # the call below must not build again
            self._build_on(symbolic_inputs(input_shape), {})
        self.built = True

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._has_default_build():
            super()._build_for(args, kwargs)
            return
        self._build_by_calling(args, kwargs)
        self._build_shapes_dict = self._shapes_of_call(args, kwargs)

    def _shapes_of_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        from tricera.layers.call_info import info_of

        named = info_of(public_class(self)).tensors_of(args, kwargs)
        shapes = {
            f"{n}_shape": tree.map_structure(lambda x: (None, *tuple(x.shape)[1:]) if hasattr(x, "shape") else None, v)
            for n, v in named.items()
            if any(hasattr(leaf, "shape") for leaf in tree.flatten(v))
        }
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else shapes

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Save the whole model: architecture, weights, compile settings and optimizer state.

        Args:
            filepath: a path that ends in `.keras`.
            overwrite: replace an existing file.
            zipped: False writes a folder.

        Raises:
            ValueError: another ending.
            OSError: the path can't be written.
        """
        from tricera.saving import save_model

        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None) -> None:
        """Save the weights to a path that ends in `.weights.h5`."""
        from tricera.saving import save_weights

        save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Load weights from a `.weights.h5` or `.keras` file.

        Args:
            filepath: the path.
            skip_mismatch: leave out layers whose weights don't fit, with a warning.
        """
        from tricera.saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as a JSON text.

        Args:
            **kwargs: passed to `json.dumps`.
        """
        from tricera.core.serialization import serialize_keras_object

        return json.dumps(serialize_keras_object(self), **kwargs)

    def to_backend(self, name: str) -> Model:
        """Move the live model to another backend: weights, optimizer, random state, losses and metrics.

        Args:
            name: `"jax"`, `"torch"`, `"tensorflow"` or `"numpy"`.

        Returns:
            The model itself.

        Example:
            >>> from tricera.layers import Dense, Input
            >>> x = Input((2,))
            >>> Model(x, Dense(1)(x)).to_backend("numpy").backend
            'numpy'
        """
        backend = dispatch.get(name)
        self._move_training_state(backend)
        Layer.to_backend(self, name)
        return self

    def quantize(self, mode: str | None = None, config: Any = None, filters: Any = None, **kwargs: Any) -> None:  # type: ignore[override]
        """Refuse: no model can be quantized yet. The request is checked, and nothing changes.

        Args:
            mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`.
            config: a quantization config, in the place of `mode`.
            filters: which layers: a regular expression over their names, a list of them, or a function of a layer.

        Raises:
            ValueError: an unknown argument or mode, neither mode nor config, other filters, or the model isn't built.
            NotImplementedError: otherwise, saying what can be done instead.
        """
        if kwargs:
            raise ValueError(f"Unknown argument of quantize: {', '.join(kwargs)}.")
        refuse(self, mode, config, filters)

    def get_quantization_layer_structure(self, mode: str | None = None) -> dict[str, Any] | None:
        """What modes that go block by block, such as `"gptq"`, need to know of the model; to be overridden by models that have it.

        Args:
            mode: the mode.

        Returns:
            `{"pre_block_layers": [...], "sequential_blocks": [...]}`: the layers before the first block, and the blocks in order; or
            None where a mode needs nothing or isn't supported.
        """
        return None

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """All state as nested dicts: trainable, non-trainable, optimizer and metrics variables.

        Args:
            value_format: `"backend_tensor"` or `"numpy_array"`.
        """
        from tricera.models.state_tree import state_tree

        return state_tree(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Assign what `get_state_tree` gave."""
        from tricera.models.state_tree import set_state_tree

        set_state_tree(self, state_tree)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make a model from what `get_config` gave."""
        from tricera.models.functional import Functional

        if {"layers", "input_layers", "output_layers"} <= set(config) and (cls is Model or issubclass(cls, Functional)):
            from tricera.models.rebuild import rebuild

            return rebuild(Functional if cls is Model else cls, config, custom_objects)
        return super().from_config(config)

    def __reduce__(self) -> Any:
        from tricera.saving.model import reduce_model

        return reduce_model(self)

    def __copy__(self) -> Model:
        copied = Layer.__reduce__(self)
        model = copied[0](*copied[1])
        model.__dict__.update(self.__dict__)
        return model

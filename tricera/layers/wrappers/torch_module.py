"""`TorchModuleWrapper`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from tricera.core.lambdas import check_unsafe
from tricera.core.variable import Variable
from tricera.layers.layer import Layer
from tricera.layers.wrappers.room import Bound, room_of


class TorchModuleWrapper(Bound, Layer):
    """A `torch.nn.Module` as a layer; its parameters are the layer's weights. On the backend `"torch"`.

    Args:
        module: the module; a lazy one must have been called before.
        name: the layer's name.
        output_shape: the shape of the output with the batch axis; None: found by running the module without data.
        **kwargs: those of `Layer`.

    In training the module is in training mode, at inference in evaluation mode; without either it stays as it is. The weights hold
    the parameters themselves, and a file keeps parameters and buffers. The module itself is pickled into the config, so reading
    that from a file needs `safe_mode=False`.

    Raises:
        ValueError: the backend isn't torch, or parameters of the module have no shape yet.
        TypeError: `module` isn't a module.
    """

    def __init__(self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._room().check(module)
        self.module = module
        self.output_shape = None if output_shape is None else tuple(output_shape)
        for parameter in self._room().parameters(module):
            variable = Variable(self._backend.to_numpy(parameter), trainable=bool(parameter.requires_grad))
            variable._native, variable._host = parameter, None
            self._tracked_variables.append(variable)
        self.built = True

    def _room(self) -> Any:
        return room_of(self, "modules", "torch")

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """The module's parameters.

        Args:
            recurse: those of the modules inside, too.
        """
        yield from self.module.parameters(recurse=recurse)

    def call(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Call the module."""
        return self._room().call(self.module, args, kwargs, training)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """From `output_shape`, or by running the module on tensors without data."""
        if self.output_shape is not None:
            return self._spec_from_shape(args, {k: v for k, v in kwargs.items() if k != "training"})
        from tricera.layers.infer import infer_outputs

        return infer_outputs(self, *args, **{**kwargs, "training": False})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """`output_shape`, or what the module makes of the shape."""
        return super().compute_output_shape(input_shape) if self.output_shape is None else self.output_shape

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put parameters and buffers into a store, by their names in the module."""
        store.update(self._room().state(self.module))

    def load_own_variables(self, store: Any) -> None:
        """Set parameters and buffers from a store.

        Raises:
            ValueError: names or shapes differ.
        """
        self._room().load_state(self.module, {name: store[name] for name in store})

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the module pickled, which is read only by callers who opt in."""
        config = {**super().get_config(), "module": base64.b64encode(self._room().dump(self.module)).decode("ascii")}
        if self.output_shape is not None:
            config["output_shape"] = self.output_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool | None = None) -> Any:
        """Make a layer from what `get_config` gave; unpickling is refused unless unsafe loading was asked for.

        Raises:
            ValueError: it was not, or the module can't be read.
        """
        from tricera.core import dispatch

        config = dict(config)
        module = config.pop("module")
        if isinstance(module, str):
            if safe_mode is not False:
                check_unsafe("a pickled torch.nn.Module")
            try:
                data = base64.b64decode(module, validate=True)
            except binascii.Error as error:
                raise ValueError(f"The module in the config of a TorchModuleWrapper can't be read: {error}.") from error
            module = dispatch.get("torch").modules.load(data)
        return cls(module, **config)

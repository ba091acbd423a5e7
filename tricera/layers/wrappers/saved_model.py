"""`TFSMLayer`."""

from __future__ import annotations

import os
from typing import Any

from tricera.core.lambdas import check_unsafe
from tricera.core.variable import Variable
from tricera.layers.layer import Layer
from tricera.layers.wrappers.room import Bound, room_of


class TFSMLayer(Bound, Layer):
    """A SavedModel of TensorFlow as a layer; its variables are the layer's weights. On the backend `"tensorflow"`.

    Args:
        filepath: the folder of the SavedModel.
        call_endpoint: which of its functions `call` is: the name of an attribute or signature; `"serve"` in what `model.export` wrote,
            `"serving_default"` elsewhere.
        call_training_endpoint: which function to call in training, the same for None.
        trainable: whether training changes its trainable variables.
        name: the layer's name.
        dtype: the dtype or policy of the layer.

    The function takes one input, or a dict of them. A SavedModel is code: load only one that you trust. Reading a layer of this class
    from a config or file, which names the folder, needs `safe_mode=False`.

    Raises:
        ValueError: the backend isn't tensorflow, or the SavedModel has no such endpoint.
        FileNotFoundError: there is no SavedModel in the folder.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        room = room_of(self, "saved_model", "tensorflow")
        self._loaded = room.load(filepath)
        self.filepath = os.fspath(filepath)
        self.call_endpoint, self.call_training_endpoint = call_endpoint, call_training_endpoint
        self._infer = self._train = room.endpoint(self._loaded, call_endpoint)
        if call_training_endpoint is not None:
            self._train = room.endpoint(self._loaded, call_training_endpoint)
        for native in room.variables(self._loaded, [self._infer, self._train]):
            self._keep(native)
        self.supports_jit = False  # its functions may hold ops that XLA doesn't know
        self.built = True

    def _keep(self, native: Any) -> None:
        """A weight that is the SavedModel's own variable."""
        learned = bool(native.trainable)
        name = native.name.partition(":")[0].replace("/", "_")
        variable = Variable(native.numpy(), trainable=learned, name=name)
        variable._native, variable._host = native, None
        variable.trainable = learned and self.trainable
        self._tracked_variables.append(variable)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Call the function, that for training if there is one."""
        return (self._train if training else self._infer)(inputs)

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        """The outputs as symbolic tensors, by tracing the function."""
        return room_of(self, "saved_model", "tensorflow").symbolic(self._infer, inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments: the folder by its path."""
        return {
            **super().get_config(), "filepath": self.filepath, "call_endpoint": self.call_endpoint,
            "call_training_endpoint": self.call_training_endpoint,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool | None = None) -> Any:
        """Make a layer from what `get_config` gave, which is refused unless unsafe loading was asked for.

        Raises:
            ValueError: it was not.
        """
        if safe_mode is not False:
            check_unsafe("a SavedModel, whose functions are code")
        return cls(**config)

"""Variables are `torch.nn.Parameter`s, and layers are `torch.nn.Module`s that show them."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import torch

from tricera.backends.torch import replay
from tricera.backends.torch.tensor import from_numpy


def make(value: np.ndarray, dtype: str, trainable: bool, name: str) -> torch.nn.Parameter:
    """The native form of a variable's initial value."""
    tensor = from_numpy(np.array(value, order="C"), dtype)  # kernels that go through memory need it in order
    return torch.nn.Parameter(tensor, requires_grad=trainable and tensor.is_floating_point())


def read(native: torch.nn.Parameter) -> torch.Tensor:
    """The value as a tensor: the parameter itself, so that autograd sees it."""
    return native


def assign(native: torch.nn.Parameter, value: torch.Tensor) -> torch.nn.Parameter:
    """The parameter, filled with the value in place."""
    if native.requires_grad or value.requires_grad:
        with torch.no_grad():
            native.copy_(value)
    else:
        native.copy_(value)
    return native


def accumulate(native: torch.nn.Parameter, value: Any) -> torch.nn.Parameter:
    """The parameter, to which a tensor, an array or a number was added in place."""
    if type(value) is np.ndarray:
        replay.opaque(_add_array, native, value)
        return native
    with torch.no_grad():
        native.add_(value)
    return native


def _add_array(native: torch.nn.Parameter, value: np.ndarray) -> None:
    with torch.no_grad():
        native.add_(torch.from_numpy(value).to(native.device))


def zero(native: torch.nn.Parameter) -> torch.nn.Parameter:
    """The parameter, filled with zeros in place."""
    with torch.no_grad():
        native.zero_()
    return native


def set_trainable(native: torch.nn.Parameter, trainable: bool) -> torch.nn.Parameter:
    """The parameter, with or without a gradient."""
    native.requires_grad_(trainable and native.is_floating_point())
    return native


class ModuleView(torch.nn.Module):
    """What a torch-built layer adds to its class: `torch.nn.Module`'s tables, read off the layer's own state.

    The layer stays the owner of its variables and sublayers; `_parameters` and `_modules` are views made when asked for.
    """

    def __init__(self) -> None:  # the layer's own constructor stands before this one
        raise TypeError("ModuleView is a mixin.")

    def _init_native(self) -> None:
        torch.nn.Module.__init__(self)

    @property
    def _parameters(self) -> dict[str, torch.nn.Parameter | None]:  # type: ignore[override]
        names: dict[str, torch.nn.Parameter | None] = {}
        for variable in self._own_variables:  # type: ignore[attr-defined, union-attr]
            name, number = variable.name.replace(".", "_"), 1
            while name in names:
                name, number = f"{variable.name}_{number}", number + 1
            names[name] = variable.native
        for name, value in self.__dict__.items():
            if isinstance(value, torch.nn.Parameter):
                names[name] = value
        return names

    @_parameters.setter
    def _parameters(self, value: Any) -> None:
        pass  # torch.nn.Module.__init__ puts an empty dict here

    @property
    def _modules(self) -> dict[str, torch.nn.Module | None]:  # type: ignore[override]
        names: dict[str, torch.nn.Module | None] = {}
        for layer in self._layers:  # type: ignore[attr-defined, union-attr]
            if isinstance(layer, torch.nn.Module):
                name, number = layer.name.replace(".", "_"), 1  # type: ignore[union-attr, operator]
                while name in names:
                    name, number = f"{layer.name}_{number}", number + 1
                names[name] = layer
        for name, value in self.__dict__.items():
            if isinstance(value, torch.nn.Module) and not isinstance(value, ModuleView):
                names[name] = value
        return names

    @_modules.setter
    def _modules(self, value: Any) -> None:
        pass  # as for _parameters

    def __getattr__(self, name: str) -> Any:
        """Sublayers by name, where no attribute has it: `get_submodule` and its kin walk along attributes."""
        if not name.startswith("_") and "_tracked_variables" in self.__dict__:
            found = self._modules.get(name)
            if found is not None:
                return found
        return object.__getattribute__(self, name)  # raises what a property itself raised, or that there is none

    def get_parameter(self, target: str) -> torch.nn.Parameter:
        """The parameter `hidden.kernel`; the attribute `kernel` itself is a `Variable`."""
        found = dict(self.named_parameters()).get(target)
        if found is None:
            raise AttributeError(f"There is no parameter {target!r}.")
        return found

    def train(self, mode: bool = True) -> Any:
        """Make calls that don't say `training` train, or infer; so does `eval()`. Without either, Keras's rule holds."""
        for module in self.modules():
            module.__dict__["training"] = mode
            if isinstance(module, ModuleView):
                module.__dict__["_training_mode"] = mode
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)


def native_class(cls: type) -> type:
    """The class with `torch.nn.Module` behind it; hooks run around the class's own `__call__`."""
    own_call = cls.__call__
    plain = getattr(own_call, "plain", False)

    def call_with_hooks(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks:
            replay.refuse("hooks, which are the user's code")
            return torch.nn.Module.__call__(self, *args, **kwargs)
        if torch.compiler.is_dynamo_compiling():
            return self._call_layer(args, kwargs)
        return self._called(args, kwargs) if plain else own_call(self, *args, **kwargs)

    return type(cls.__name__, (cls, ModuleView), {"__call__": call_with_hooks, "forward": own_call})


def without_gradients() -> contextlib.AbstractContextManager[Any]:
    """A block in which nothing is recorded for a backward pass."""
    return torch.no_grad()


def concrete() -> contextlib.AbstractContextManager[Any]:
    """A block in which computations yield values: outside of `torch.func`'s transforms, if one runs."""
    if torch.compiler.is_compiling() or torch._C._functorch.peek_interpreter_stack() is None:
        return contextlib.nullcontext()
    from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

    return temporarily_clear_interpreter_stack()

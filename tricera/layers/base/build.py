"""How a layer's weights come to be, and what its outputs look like without computing them."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

from tricera.core import dispatch, dtypes, tree
from tricera.core.graph import public_class, record
from tricera.core.tensor import KerasTensor, not_recording, recording
from tricera.core.variable import autocast, name_scope, name_scopes
from tricera.layers.base.config import HasConfig
from tricera.layers.call_info import info_of
from tricera.layers.infer import infer_outputs
from tricera.layers.locate import locate


class IsBuilt(HasConfig):
    """State that is made when the shapes of the inputs are known."""

    _build_shapes_dict: dict[str, Any] | None

    def build(self, input_shape: Any = None) -> None:
        """Make the weights; to be overridden by layers whose weights depend on the inputs' shapes."""
        self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes with which the layer was built, for saving."""
        shapes = self._build_shapes_dict
        if shapes is None:
            return None
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build again from what `get_build_config` gave."""
        if not config or self._locked:
            return
        config = tree.map_shape_structure(lambda s: tuple(s) if isinstance(s, list) else s, config)
        named = config.get("shapes_dict") or {}
        if "input_shape" not in config and not named:
            return
        if not self._has_default_build():
            self.build(config["input_shape"]) if "input_shape" in config else self.build(**named)
            return
        with dispatch.use(self._backend):
            if "input_shape" in config:
                self._build_on(symbolic_inputs(config["input_shape"]), {})
            else:
                self._build_on(None, {k.removesuffix("_shape"): symbolic_inputs(v) for k, v in named.items()})

    def _has_default_build(self) -> bool:
        """Whether building means calling: the class doesn't define `build`, its sublayers have the weights."""
        return public_class(self).build is IsBuilt.build

    def _build_on(self, inputs: Any, kwargs: dict[str, Any]) -> None:
        with not_recording():
            self(*(() if inputs is None else (inputs,)), **kwargs)

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Build from the shapes of the arguments of a call."""
        info = info_of(public_class(self))
        shapes: dict[str, Any] = {}
        for name, value in info.tensors_of(args, kwargs).items():
            leaves = tree.flatten(value)
            if leaves and any(hasattr(leaf, "shape") for leaf in leaves):
                shapes[f"{name}_shape"] = tree.map_structure(_shape_of, value)
        if self._has_default_build():
            self._build_by_calling(args, kwargs)
            self._build_shapes_dict = shapes or None
            return
        named = {n: s for n, s in shapes.items() if n in info.build_names}
        if len(info.build_names) == 1:
            self.build(next(iter(shapes.values()), None))
        elif named:
            self.build(**named)
        else:
            self.build(*list(shapes.values())[: len(info.build_names)])

    def _build_by_calling(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Layers that only hold others: running `call` on shapes builds these."""
        if any(not layer.built for layer in self._flatten_layers(include_self=False)):
            symbolic = tree.map_structure(_symbolic_of, (args, kwargs))
            try:
                with name_scope(self.name):
                    infer_outputs(self, *symbolic[0], **symbolic[1])
            except Exception:
                # Not fatal: code that needs real values builds its sublayers when it runs, and its own errors show then.
                unbuilt = [x.name for x in self._flatten_layers(include_self=False) if not x.built]
                if any(isinstance(x, KerasTensor) for x in tree.flatten((args, kwargs))) and unbuilt:
                    raise
        self.build(None)

    # ------------------------------------------------------------------ outputs without computing

    def _dtype_of_reading(self) -> str | None:
        """In which dtype `call` reads the variables, None for their own. `autocast=False` is about the inputs alone."""
        compute = self._dtype_policy.compute_dtype
        return compute if compute != self._dtype_policy.variable_dtype else None

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs as symbolic tensors."""
        if public_class(self).compute_output_shape is not IsBuilt.compute_output_shape:
            return self._spec_from_shape(args, kwargs)
        with autocast(self._dtype_of_reading()):
            return infer_outputs(self, *args, **kwargs)

    def _spec_from_shape(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """From an overridden `compute_output_shape`, which takes one shape, or one a tensor argument."""
        info = info_of(public_class(self))
        tensors = {
            n: v for n, v in info.tensors_of(args, kwargs).items()
            if any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(v))
        }  # fmt: skip
        shapes = {f"{n}_shape": tree.map_structure(_shape_of, v) for n, v in tensors.items()}
        names = info.shape_names
        if names is None:
            names = info.shape_names = list(inspect.signature(self.compute_output_shape).parameters)
        if len(names) > 1 and all(n in shapes for n in names):
            shape = self.compute_output_shape(**{n: shapes[n] for n in names})
        else:
            shape = self.compute_output_shape(next(iter(shapes.values())))
        dtype = self.compute_dtype
        return tree.map_shape_structure(lambda s: KerasTensor(s, dtype), shape)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shapes of the outputs for given shapes of the inputs.

        Args:
            *args: shapes, in the structure of `call`'s arguments.
            **kwargs: shapes as `<argument>_shape`.
        """
        symbolic = tree.map_shape_structure(lambda s: KerasTensor(s, self.input_dtype, record_history=False), args)
        keywords = {
            key.removesuffix("_shape"): tree.map_shape_structure(lambda s: KerasTensor(s, self.input_dtype), value)
            for key, value in kwargs.items()
        }
        layer = self if self.built else self._throwaway_copy()
        with not_recording(), dispatch.use(self._backend):
            outputs = layer(*symbolic, **keywords)
        return tree.map_structure(lambda t: t.shape, outputs)

    def _throwaway_copy(self) -> Any:
        with dispatch.use(self._backend):
            return public_class(self).from_config(self.get_config())

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Infer the outputs and record a node."""
        outputs = self.compute_output_spec(*args, **kwargs)
        return record(self, args, kwargs, outputs)


def _shape_of(x: Any) -> Any:
    return tuple(x.shape) if hasattr(x, "shape") else None


def _symbolic_of(x: Any) -> Any:
    """A symbolic tensor of the shape of a real one."""
    if isinstance(x, KerasTensor) or not hasattr(x, "shape") or not hasattr(x, "dtype"):
        return x
    return KerasTensor(tuple(x.shape), dtypes.standardize_dtype(x.dtype), record_history=False)


def wrapped_build(build: Callable[..., None]) -> Callable[..., None]:
    """`build` inside the layer's backend and name scope; afterwards the layer counts as built."""

    signature: inspect.Signature | None = None

    @functools.wraps(build)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal signature
        if self.__dict__.get("_building"):
            build(self, *args, **kwargs)
            return
        self.__dict__["_building"] = True
        try:
            with dispatch.use(self._backend), name_scope(self.name), contextlib.ExitStack() as stack:
                stack.enter_context(autocast(None))
                token = recording.set(False)
                stack.callback(recording.reset, token)
                self.__dict__["_path"] = "/".join(name_scopes.get())
                if self._policy_map is not None:
                    self._policy_of_path(self._path)
                build(self, *args, **kwargs)
        except Exception as error:
            locate(error, self)
            raise
        finally:
            del self.__dict__["_building"]
        signature = signature or inspect.signature(build)
        bound = signature.bind(self, *args, **kwargs).arguments
        self._build_shapes_dict = {k: v for k, v in list(bound.items())[1:]}
        self.built = self._locked = True

    return wrapped


def symbolic_inputs(shapes: Any) -> Any:
    """Symbolic tensors of the shapes in a structure."""
    return tree.map_shape_structure(lambda s: KerasTensor(s), shapes)

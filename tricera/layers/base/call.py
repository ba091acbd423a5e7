"""A call of a layer: inputs converted and checked, weights made if need be, masks passed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tricera.core import dispatch, dtypes, tree
from tricera.core.graph import public_class, record
from tricera.core.masking import get_mask, set_mask
from tricera.core.remat import RematScope, remat
from tricera.core.tensor import KerasTensor, not_recording
from tricera.core.variable import Variable, autocast, autocast_dtype, name_scope, name_scopes
from tricera.layers.base.build import IsBuilt
from tricera.layers.call_info import CallContext, current_call, info_of
from tricera.layers.input_spec import check
from tricera.layers.locate import locate
from tricera.layers.settled import MISS, call_settled, settled

_TRAINING = {"training"}


class IsCalled(IsBuilt):
    """State and a computation."""

    autocast: bool
    supports_masking: bool = False
    _remat: RematScope | None
    _settled: bool  # whether a call has been through, so that nothing inside is still to be built
    _convert_input_args: bool
    _allow_non_tensor_positional_args: bool

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; to be overridden."""
        raise NotImplementedError(f"The layer class {public_class(self).__name__} must define `call`.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer: convert and check the inputs, build if need be, compute, pass masks on."""
        return self._called(args, kwargs)

    __call__.plain = True  # type: ignore[attr-defined]  # it is `_called`, to which arguments already collected may go

    def _called(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        seen = self.__dict__.get("_seen")
        if seen is not None and len(args) == 1 and (not kwargs or kwargs.keys() == _TRAINING):
            outputs = call_settled(self, seen, args[0], kwargs["training"] if kwargs else None)
            if outputs is not MISS:
                return outputs
        self._check_initialized()
        if dispatch.current() is self._backend:
            outputs = self._call_layer(args, kwargs)
        else:
            with dispatch.use(self._backend):
                outputs = self._call_layer(args, kwargs)
        if self._settled:
            self.__dict__["_seen"] = settled(self, info_of(public_class(self)), args, kwargs)
        return outputs

    def _call_layer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            if self._policy_map is not None:  # whose policy for this layer says what the inputs are cast to
                self._policy_of_path(self.__dict__.get("_path") or "/".join((*name_scopes.get(), self.name)))
            args, kwargs, symbolic = self._convert_inputs(args, kwargs)
            if self._input_spec is not None:
                check(self._input_spec, args[0] if args else next(iter(kwargs.values()), None), self.name)
            if not self.built:
                self._build_for(args, {k: v for k, v in kwargs.items() if k != "training"})
            if self._settled:
                return self._run(args, kwargs, symbolic)
            self._locked = True
            with name_scope(self.name):  # of the sublayers that are built by their first call
                outputs = self._run(args, kwargs, symbolic)
            self._settled = not symbolic or all(x.built for x in self._flatten_layers(include_self=False))
            return outputs
        except Exception as error:
            locate(error, self, {**{f"args[{i}]": a for i, a in enumerate(args)}, **kwargs})
            raise

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any], symbolic: bool) -> Any:
        info = info_of(public_class(self))
        outer = current_call.get()
        training = self._resolve_training(info, kwargs, outer)
        given = kwargs
        if info.masks:
            given = dict(kwargs) if symbolic else kwargs
            kwargs = self._with_masks(info, args, kwargs)
        if outer is None or outer.training is not training:
            context = CallContext(training, None if outer is None else outer.root)
            token = current_call.set(context)
        else:
            context, token = outer, None
        self._call_context = context.root
        try:
            if symbolic:
                outputs = self.compute_output_spec(*args, **kwargs)
                outputs = record(self, args, _without_loose_masks(given, kwargs), outputs)
            else:
                outputs = self._compute(args, kwargs)
            self._finish(args[0] if args else kwargs.get(info.names[0]) if info.names else None, outputs, kwargs)
        finally:
            if token is not None:
                current_call.reset(token)
        return outputs

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        wanted = self._dtype_of_reading()
        call = self.call if self._remat is None else self._remat_call(self._remat, args, kwargs)
        if wanted == autocast_dtype.get():
            return call(*args, **kwargs)
        with autocast(wanted):
            return call(*args, **kwargs)

    def _remat_call(self, scope: RematScope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any]:
        """`call`, rematerialised where the scope in which the layer was made says so."""
        shapes: list[Any] = []
        if scope.mode == "larger_than":

            def symbolic(x: Any) -> Any:
                return KerasTensor(x.shape, self._backend.dtype(x)) if dispatch.of(x) is self._backend else x

            outputs = self.compute_output_spec(
                *tree.map_structure(symbolic, args), **tree.map_structure(symbolic, kwargs)
            )
            shapes = [tuple(x.shape) for x in tree.flatten(outputs) if x is not None]
        return (
            remat(self.call)
            if scope.wants(self.name, callable(getattr(self, "activation", None)), shapes)
            else self.call
        )

    def _convert_inputs(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], bool]:
        """Arrays become tensors, floats get the compute dtype; say whether anything is symbolic."""
        backend = self._backend
        if len(args) == 1 and not kwargs:
            x = args[0]
            if dispatch.of_type(type(x)) is backend:
                return (self._cast_input(x, backend),), kwargs, False
        symbolic = False

        def convert(x: Any) -> Any:
            nonlocal symbolic
            if isinstance(x, KerasTensor):
                symbolic = True
                if self.autocast and dtypes.is_float(x.dtype) and x.dtype != self.input_dtype:
                    return _symbolic_cast(x, self.input_dtype)
                return x
            if dispatch.of_type(type(x)) is not None or isinstance(x, Variable):
                return self._cast_input(x.value if isinstance(x, Variable) else x, backend)
            if hasattr(x, "__array__") and self._convert_input_args:
                return self._cast_input(backend.convert(x), backend)
            return x

        if self._convert_input_args:
            args = tree.map_structure(convert, args)
            kwargs = tree.map_structure(convert, kwargs)
        else:
            symbolic = any(isinstance(x, KerasTensor) for x in tree.flatten((args, kwargs)))
        if not self._allow_non_tensor_positional_args:
            self._refuse_non_tensors(args)
        return args, kwargs, symbolic

    def _refuse_non_tensors(self, args: tuple[Any, ...]) -> None:
        for x in tree.flatten(args):
            if x is not None and not hasattr(x, "shape"):
                raise ValueError(
                    f"Only tensors may be passed to the layer {self.name!r} as positional arguments; got {x!r} "
                    f"(of type {type(x).__name__}). Pass it as a keyword argument, or make an array of it first."
                )

    def _cast_input(self, x: Any, backend: dispatch.Backend) -> Any:
        if not self.autocast:
            return x
        owner = dispatch.of_type(type(x)) or backend
        dtype = owner.dtype(x)
        wanted = self._dtype_policy.compute_dtype
        if dtype == wanted or "float" not in dtype or dtype.startswith("float8"):
            return x
        cast, mask = owner.cast(x, wanted), get_mask(x)
        if mask is not None:
            set_mask(cast, mask)
        return cast

    def _resolve_training(self, info: Any, kwargs: dict[str, Any], outer: CallContext | None) -> bool | None:
        """The explicit argument, else the outer call's, else the default; put into `kwargs` if `call` takes it."""
        training = kwargs.get("training")
        if training is None:
            training = outer.training if outer is not None else self.__dict__.get("_training_mode")
            if training is None and info.training:
                training = info.training_default
        if info.training:
            kwargs["training"] = training
        elif "training" in kwargs and not info.has_kwargs:
            kwargs.pop("training")
        return training

    def _with_masks(self, info: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        for index, name in enumerate(info.names):
            mask_name = info.masks.get(name)
            if mask_name is None or kwargs.get(mask_name) is not None or info.names.index(mask_name) < len(args):
                continue
            value = args[index] if index < len(args) else kwargs.get(name)
            if value is None:
                continue
            masks = _masks_of(value)
            if masks is not None:
                kwargs[mask_name] = masks
        return kwargs

    def _finish(self, first: Any, outputs: Any, kwargs: dict[str, Any]) -> None:
        """Masks, which go by the first argument or the one given as `mask`, and activity losses."""
        if self.supports_masking and first is not None:
            masks = kwargs.get("mask")
            masks = _masks_of(first) if masks is None else masks
            if masks is not None or info_of(public_class(self)).computes_mask:
                self._set_output_mask(first, masks, outputs)
        if self.activity_regularizer is not None and not isinstance(outputs, KerasTensor):
            for output in tree.flatten(outputs):
                if output is not None and not isinstance(output, KerasTensor):
                    penalty = self.activity_regularizer(output)
                    shape = self._backend.shape(output)
                    self.add_loss(penalty / self._batch_size(output, penalty) if len(shape) else penalty)

    def _batch_size(self, output: Any, like: Any) -> Any:
        """The length of the first axis as a number of the dtype of `like`; activity penalties are means over the batch."""
        from tricera import ops

        length = ops.shape(output)[0]  # a tensor in a graph whose batches are of any size
        return length if isinstance(length, int) else self._backend.cast(length, self._backend.dtype(like))

    def _set_output_mask(self, inputs: Any, masks: Any, outputs: Any) -> None:
        leaves = tree.flatten(outputs)
        if leaves and isinstance(leaves[0], KerasTensor) and _is_loose(masks):
            with not_recording():
                computed = self.compute_mask(inputs, masks)
        else:
            computed = self.compute_mask(inputs, masks)
        # A mask alone is the first output's, be there others.
        flat = [computed] if not isinstance(computed, (list, tuple)) else tree.flatten(computed)
        for output, mask in zip(leaves, flat, strict=False):
            if output is not None and mask is not None and get_mask(output) is None:
                set_mask(output, mask)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs; the inputs' own unless overridden."""
        return previous_mask

    compute_mask.passes_on = True  # type: ignore[attr-defined]


def _symbolic_cast(x: KerasTensor, dtype: str) -> KerasTensor:
    """As Keras, the cast at a layer's door is not a node of the graph."""
    cast = KerasTensor(x.shape, dtype, x.sparse, x.ragged)
    for name in ("_keras_history", "_keras_mask"):
        if hasattr(x, name):
            setattr(cast, name, getattr(x, name))
    return cast


def _is_loose(masks: Any) -> bool:
    """Whether a symbolic mask is of no graph: it was made inside of a model, of whose layers the graph outside knows nothing."""
    return any(isinstance(t, KerasTensor) and not hasattr(t, "_keras_history") for t in tree.flatten(masks))


def _without_loose_masks(given: dict[str, Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments but for such masks that came with the inputs: when the layer runs, it finds them there again."""
    return {name: value for name, value in kwargs.items() if name in given or not _is_loose(value)}


def _masks_of(value: Any) -> Any:
    if isinstance(value, (list, tuple, dict)):
        masks = tree.map_structure(get_mask, value)
        return masks if any(m is not None for m in tree.flatten(masks)) else None
    return get_mask(value)

"""The outputs of a `call` without computing them: on symbolic tensors, else by the backend's abstract evaluation."""

from __future__ import annotations

from typing import Any

from tricera.core import state, tree
from tricera.core.tensor import KerasTensor, Spec, not_recording

# Two sizes that stand in for an unknown dimension where foreign code can't do without a number.
PROBES = (83, 89)


def infer_outputs(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """What `layer.call` returns, as symbolic tensors; variables and seeds stay as they are.

    Ops and layers pass symbolic values through themselves. Code of the framework can't take them: then the backend traces
    `call` abstractly, twice where a dimension is unknown, and dimensions that differ between the two are unknown.

    Raises:
        Exception: what `call` raises on symbolic tensors, if the abstract evaluation fails too.
    """
    try:
        with not_recording(), state.cells():
            outputs = layer.call(*args, **kwargs)
        if all(x is None or isinstance(x, KerasTensor) for x in tree.flatten(outputs)):
            return outputs
        return tree.map_structure(lambda x: _as_symbolic(layer, x), outputs)
    except Exception as symbolic_error:
        try:
            return _by_backend(layer, args, kwargs)
        except Exception as error:
            if isinstance(symbolic_error, (TypeError, AttributeError)):
                raise error from symbolic_error
            raise symbolic_error from None


def _as_symbolic(layer: Any, x: Any) -> Any:
    if x is None or isinstance(x, KerasTensor) or not hasattr(x, "shape"):
        return x
    return KerasTensor(tuple(layer._backend.shape(x)), layer._backend.dtype(x))


def _by_backend(layer: Any, args: Any, kwargs: Any) -> Any:
    leaves = tree.flatten((args, kwargs))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
    found = []
    unknown = any(None in leaves[i].shape for i in places)
    for probe in PROBES if unknown else PROBES[:1]:
        specs = [Spec(tuple(probe if d is None else d for d in leaves[i].shape), leaves[i].dtype) for i in places]

        def run(tensors: list[Any]) -> Any:
            filled = list(leaves)
            for i, tensor in zip(places, tensors, strict=True):
                filled[i] = tensor
            a, k = tree.pack_sequence_as((args, kwargs), filled)
            with state.cells(), not_recording():
                return layer.call(*a, **k)

        outputs = layer._backend.control.abstract(run, specs)
        found.append(tree.map_structure(lambda x: _spec_of(layer, x), outputs))
    if len(found) == 1:
        return tree.map_structure(_symbolic, found[0], none_is_leaf=True)
    return _merged(*found)


class _Leaf:
    """A Spec that tree functions don't walk into."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec


def _spec_of(layer: Any, x: Any) -> Any:
    if x is None or isinstance(x, KerasTensor) or not hasattr(x, "shape"):
        return x
    from tricera.core.dtypes import standardize_dtype

    return _Leaf(Spec(tuple(x.shape), standardize_dtype(x.dtype)))


def _symbolic(x: Any) -> Any:
    return KerasTensor(x.spec.shape, x.spec.dtype) if isinstance(x, _Leaf) else x


def _merged(first: Any, second: Any) -> Any:
    def merge(a: Any, b: Any) -> Any:
        if not isinstance(a, _Leaf):
            return a
        shape = tuple(d if d == e else None for d, e in zip(a.spec.shape, b.spec.shape, strict=True))
        return KerasTensor(shape, a.spec.dtype)

    return tree.map_structure(merge, first, second)

"""`DataLayer`: what preprocessing layers have beyond `Layer`: they run where their inputs are, also inside of data pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera import ops, random
from tricera.core import dispatch, tree
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable
from tricera.layers.layer import Layer


class DataLayer(Layer):
    """A layer that can be mapped over a dataset of any framework, whatever the backend on which it was built.

    Called on tensors of another framework than its own (`dataset.map(layer)` of `tf.data` under JAX, say) it computes on that
    framework: state that it learned goes along as constants, and random numbers come from a stream of that framework's own, which
    starts at the layer's seed.
    """

    autograph_info__ = None  # the mark by which TensorFlow's AutoGraph leaves code alone

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._allow_non_tensor_positional_args = True
        self._elsewhere: dict[str, random.SeedGenerator] = {}  # the streams on other frameworks
        self._unowned = {"_elsewhere"}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer on the framework of the inputs."""
        if len(args) == 1 and not kwargs and dispatch.of(args[0]) is self._backend:
            return super().__call__(*args)
        args = tuple(_without_lists(x) for x in args)
        owner = _owner(args, kwargs)
        if owner is None or owner is self._backend:
            return super().__call__(*args, **kwargs)
        if self._convert_input_args:
            args, kwargs = tree.map_structure(lambda x: owner.convert(x) if _is_array(x) else x, (args, kwargs))
        with dispatch.use(owner):
            return self._call_layer(args, kwargs)

    def convert_weight(self, weight: Any) -> Any:
        """State of the layer as a tensor of the framework on which it computes now.

        Args:
            weight: a variable, tensor or array.
        """
        here = dispatch.current()
        owner = weight._backend if isinstance(weight, Variable) else dispatch.of(weight)
        if owner is not None and owner is not here:
            weight = weight.numpy() if isinstance(weight, Variable) else owner.to_numpy(weight)
        return ops.convert_to_tensor(weight)

    def _stream(self, seed: int | None, own: random.SeedGenerator) -> random.SeedGenerator:
        """The stream of random numbers on the framework on which the layer computes now."""
        here = dispatch.current()
        if here is self._backend:
            return own
        if here.name not in self._elsewhere:
            self._elsewhere[here.name] = random.SeedGenerator(own.seed if seed is None else seed)
        return self._elsewhere[here.name]

    def _move(self, backend: dispatch.Backend) -> None:
        super()._move(backend)
        self._elsewhere = {}


def _is_array(x: Any) -> bool:
    return hasattr(x, "__array__") and dispatch.of(x) is None and not isinstance(x, (KerasTensor, Variable))


def _owner(args: Any, kwargs: Any) -> dispatch.Backend | None:
    """The framework of the first tensor among the arguments."""
    for leaf in tree.flatten((args, kwargs)):
        if leaf is not None:
            found = dispatch.of(leaf)
            if found is not None:
                return found
    return None


def _without_lists(x: Any) -> Any:
    """Nested lists of plain numbers or strings as an array."""
    if isinstance(x, (list, tuple)) and x:
        leaves = tree.flatten(x)
        if all(type(leaf) in (int, float, bool, str, bytes) for leaf in leaves):
            array = np.asarray(x)
            return array.astype("float32") if array.dtype == np.float64 else array
    return x


def batches(data: Any, steps: int | None = None, name: str = "adapt") -> Any:
    """The batches in what may be given to `adapt`, as NumPy arrays; of pairs (inputs, targets) the inputs.

    Args:
        data: an array, a tensor, nested lists, or something that yields batches (a `tf.data.Dataset`, a `DataLoader`, a
            `PyDataset`, a generator).
        steps: how many batches to take, all for None.
        name: who asks, for the error.

    Raises:
        TypeError: it is none of these.
    """
    data = _without_lists(data)
    if hasattr(data, "shape") and hasattr(data, "dtype"):
        yield _host(data)
        return
    if hasattr(data, "__getitem__") and hasattr(data, "num_batches"):
        count = data.num_batches
        items: Any = (data[i] for i in range(count)) if count is not None else iter(data)
    else:
        try:
            items = iter(data)
        except TypeError:
            items = None
    if items is None or isinstance(data, (str, bytes)):
        raise TypeError(
            f"`{name}` takes an array, a tensor, or something that yields batches of these; got {data!r} "
            f"(of type {type(data).__name__})."
        )
    for number, batch in enumerate(items):
        if steps is not None and number >= steps:
            return
        if isinstance(batch, (tuple, list)) and batch and hasattr(batch[0], "shape"):
            batch = batch[0]
        if not hasattr(batch, "shape"):
            raise TypeError(f"`{name}`: the data yielded {batch!r}, which is neither an array nor a tensor.")
        yield _host(batch)


def _host(x: Any) -> np.ndarray:
    if isinstance(x, Variable):
        return x.numpy()
    owner = dispatch.of(x)
    return np.asarray(x) if owner is None else owner.to_numpy(x)

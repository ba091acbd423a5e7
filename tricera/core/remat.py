"""Rematerialisation: intermediate values are computed again in the backward pass instead of being kept.

Computing again must not act again: the second run sees the variables as they were before the first, and what it assigns
is dropped. So a moving average moves once, and dropout draws the same mask twice.
"""

from __future__ import annotations

import contextvars
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from tricera.core import dispatch, tree
from tricera.core.scoped import Scoped
from tricera.core.state import cells

MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class Replay:
    """One call of a function, which can be run any number of times and takes effect once.

    Args:
        fn: the function.
        args: its positional arguments.
        kwargs: its named ones.
        backend: whose tensors among the arguments are passed to `__call__`.

    Attributes:
        tensors: the tensors among the arguments.
        updated: the variables that `fn` assigned.
        new: their values after the run.
    """

    def __init__(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], backend: dispatch.Backend
    ) -> None:
        self.fn = fn
        self._structure = (args, kwargs)
        self._leaves = tree.flatten(self._structure)
        self._places = [i for i, x in enumerate(self._leaves) if dispatch.of(x) is backend]
        self.tensors = [self._leaves[i] for i in self._places]
        self.updated: list[Any] = []
        self.new: list[Any] = []
        self._before: list[tuple[Any, Any]] = []
        self._again = False
        # Whether it trains, in which dtype variables are read, what stands in for them: the second run happens elsewhere.
        self._context = contextvars.copy_context()

    def __call__(self, *tensors: Any) -> Any:
        """Run the function on these tensors in the place of its own; again, in the context of the first time."""
        return self._context.copy().run(self._run, tensors) if self._again else self._run(tensors)

    def _run(self, tensors: tuple[Any, ...]) -> Any:
        leaves = list(self._leaves)
        for i, tensor in zip(self._places, tensors, strict=True):
            leaves[i] = tensor
        args, kwargs = tree.pack_sequence_as(self._structure, leaves)
        with cells(self._before) as scope:
            out = self.fn(*args, **kwargs)
            if not self._again:
                self.updated = list(scope.updated.values())
                self.new = [scope.values[id(v)] for v in self.updated]
        return out

    def settle(self, copy: Callable[[Any], Any]) -> None:
        """After the first run: keep the values from before, then assign the new ones."""
        self._again = True
        self._before = [(v, copy(v.value)) for v in self.updated]
        for variable, value in zip(self.updated, self.new, strict=True):
            variable.assign(value)


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives what `f` gives, and keeps none of its intermediate values for the backward pass.

    Args:
        f: a function of tensors; it may read and assign variables.

    Returns:
        A function of the same arguments. On NumPy, which has no backward pass, it is `f` as it is.

    Raises:
        TypeError: `f` can't be called.

    Example:
        >>> from tricera import ops
        >>> float(remat(lambda x: ops.sum(x * x))(ops.ones((3,))))
        3.0
    """
    if not callable(f):
        raise TypeError(f"remat: `f` must be a function, not {type(f).__name__}.")

    @functools.wraps(f, updated=())
    def rematerialised(*args: Any, **kwargs: Any) -> Any:
        found = (dispatch.of(x) for x in tree.flatten((args, kwargs)))
        backend = next((b for b in found if b is not None), None) or dispatch.current()
        with dispatch.use(backend):
            return backend.control.remat(f)(*args, **kwargs)

    return rematerialised


class RematScope:
    """Layers that are made inside are rematerialised when they are called.

    Args:
        mode: `"full"` for all layers, `"activations"` for those with an activation, `"larger_than"` for those whose output has
            more elements than the threshold (axes of unknown size not counted), `"list_of_layers"` for those named, None for none.
        output_size_threshold: for `"larger_than"`.
        layer_names: for `"list_of_layers"`.

    Raises:
        ValueError: an unknown mode.

    Example:
        >>> with RematScope("larger_than", output_size_threshold=2048) as scope:
        ...     scope.wants("dense", True, [(32, 128)])
        True
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Sequence[str] | None = None
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"RematScope: `mode` must be one of {', '.join(map(repr, MODES))}, not {mode!r}.")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())
        self._outer: list[RematScope | None] = []

    def wants(self, name: str, has_activation: bool, output_shapes: Sequence[Sequence[int | None]]) -> bool:
        """Whether a layer is to be rematerialised: its name, whether it has an activation, the shapes of its outputs."""
        if self.mode == "activations":
            return has_activation
        if self.mode == "list_of_layers":
            return name in self.layer_names
        if self.mode == "larger_than":
            sizes = (math.prod(d for d in shape if d is not None) for shape in output_shapes)
            return any(size > self.output_size_threshold for size in sizes)
        return self.mode == "full"

    def __enter__(self) -> RematScope:
        # The scope around it, not a token: layers hold this object, and are copied and pickled.
        self._outer.append(current_remat.get())
        current_remat.set(self)
        return self

    def __exit__(self, *exc_info: Any) -> None:
        current_remat.set(self._outer.pop())


current_remat: Scoped[RematScope | None] = Scoped("remat", default=None)

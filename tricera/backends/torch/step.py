"""Steps run eagerly on native parameters; `jit_compile=True` hands them to `torch.compile`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree
import torch

from tricera.backends.torch import replay
from tricera.backends.torch.tensor import convert, device, to_numpy
from tricera.core import dispatch, tree

STATELESS_STEPS = False
REPEATS = True
_WORTH_RECORDING = 12  # batches; a recorded step takes as long as some five others
_PROGRAMS = 32  # shapes of batches for which single steps are recorded


def place(batch: Any) -> Any:
    """The batch as tensors of this backend."""
    return tree.map_structure(_place, batch)


def _place(x: Any) -> Any:
    if x is None:
        return None
    if isinstance(x, torch.Tensor):
        return x.to(device())
    owner = dispatch.of(x)
    return convert(np.asarray(x) if owner is None else owner.to_numpy(x))


def place_resident(arrays: Any) -> Any:
    """Arrays that stay on the device for many steps."""
    return place(arrays)


def resident_limit() -> int:
    """How many bytes of data may stay on the device: a fifth of an accelerator's memory; on the host they are there."""
    if device().type == "cpu":
        return 1 << 62
    return torch.cuda.mem_get_info()[0] // 5 if device().type == "cuda" else 0


opaque = replay.opaque


def wait(outputs: Any) -> Any:
    """The same outputs: eager steps end as they run, but on an accelerator, which takes its own time."""
    return outputs


def _compiled(fn: Callable[[Any], Any], variables: Sequence[Any]) -> Callable[[Any], Any]:
    from tricera.backends.torch.compiled import CompiledStep  # which brings torch's tracer along: a fifth of a second

    return CompiledStep(fn, variables)


class Step:
    """A step; see the JAX backend's for the arguments."""

    def __init__(
        self, fn: Callable[[Any], Any], variables: Sequence[Any], *, jit: Any, donate: bool, collect: bool
    ) -> None:
        self.collect, self.training = collect, donate
        self.fn = _compiled(fn, variables) if jit is True else fn
        self.silent = self.fn if jit is True else getattr(fn, "silent", fn)
        self.variables = variables
        self._repeats = None if jit in (True, "eager") else getattr(self.silent, "repeats", None)
        # How steps are run without working everything out again: None not known yet, False there is no such way.
        self.recorded: Any = None
        # kind of batch -> how many single steps were the same, then how they are run again; False there is no such way
        self._replays: dict[Any, Any] = {}

    def run(self, batches: list[Any], same: bool = False) -> Any:
        """Run one step a batch; the outputs of the last, or the list of all with `collect`."""
        if not same:
            self._replays.clear()
        with torch.set_grad_enabled(self.training):
            if same and self._repeats is not None and len(batches) == 1:
                return self._again(batches[0])
            if self.collect:
                return [self.fn(batch) for batch in batches]
            for batch in batches[:-1]:
                self.silent(batch)
            return self.fn(batches[-1])

    def _again(self, batch: Any) -> Any:
        """Run a step that does what the steps before did."""
        leaves, spec = optree.tree_flatten(batch, none_is_leaf=True)
        key = spec, *[x if x is None else (x.shape, x.dtype) for x in leaves]
        found = self._replays.get(key, 0)
        if type(found) is tuple:
            natives, run = found
            if all([v.native is native for v, native in zip(self.variables, natives, strict=True)]):
                return run(*leaves)
            found = self._replays[key] = 0
        if found is False or found < _WORTH_RECORDING:
            self._replays[key] = found if found is False else found + 1
            return self.fn(batch)
        natives = [v.native for v in self.variables]
        run = False
        if None in key or self._repeats is None or not self._repeats() or len(self._replays) > _PROGRAMS:
            out = self.fn(batch)
        else:
            out, run = replay.record(self.fn, batch, leaves, natives)
        self._replays[key] = (natives, run) if run else False
        return out

    def run_window(
        self, data: Any, order: Any, size: int, first: int, stop: int, same: bool = False, single: bool = False
    ) -> Any:
        """Run one step a batch on batches of resident data; the outputs of the last. Arguments as in the JAX backend's."""
        leaves, spec = optree.tree_flatten(data, none_is_leaf=True)
        indices = None if order is None else order[first:stop].unbind(0)
        with torch.set_grad_enabled(self.training):
            for i in range(first, stop):
                if indices is None:
                    batch = [None if x is None else x.narrow(0, i * size, size) for x in leaves]
                else:
                    index = indices[i - first]
                    batch = [None if x is None else x.index_select(0, index) for x in leaves]
                if same and stop - first == 1:
                    return self.run([spec.unflatten(batch)], same)
                if i == stop - 1:
                    return self.fn(spec.unflatten(batch))
                if self.recorded is None and stop - first >= _WORTH_RECORDING:
                    self.recorded = self._record(spec.unflatten(batch), batch)
                elif self.recorded:
                    self.recorded(*batch)
                else:
                    self.silent(spec.unflatten(batch))

    def _record(self, batch: Any, leaves: list[Any]) -> Any:
        """Run the step on a batch, and keep what runs it on the next ones."""
        tensors = [x for x in leaves if x is not None]
        if len(tensors) != len(leaves) or self._repeats is None or not self._repeats():
            self.silent(batch)
            return False
        return replay.record(self.silent, batch, tensors, [v.native for v in self.variables])[1] or False

    def run_chunk(self, data: Any, size: int, first: int, stop: int, limit: int) -> None:
        """None: a loop over single steps is what there is to do. See the JAX backend's."""


def discover(fn: Callable[[Any], Any], batch: Any) -> None:
    """Nothing to do: eager steps make their variables as they run."""


def fetch(tensors: list[Any]) -> list[np.ndarray]:
    """The values of several tensors; on an accelerator they come in one transfer."""
    if len(tensors) > 1 and all(t.ndim == 0 and t.device.type != "cpu" for t in tensors):
        return list(to_numpy(torch.stack([t.float() for t in tensors])))
    return [to_numpy(t) for t in tensors]

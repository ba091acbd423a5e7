"""`jit_compile=True`: a whole step, forward pass, loss, backward pass, update and metrics, as one graph for torch's compiler.

The compiler's front end (dynamo) can't follow the library's own bookkeeping, nor a backward pass inside a function. So a step is
first recorded (`replay.py`), which leaves straight calls of torch's functions, and these are traced with their backward pass
(`make_fx`). What comes out is one graph of plain operators with the state among its arguments; `torch.compile` makes one piece of
code of it. As on every backend with compiled steps, a step is traced once for each combination of shapes, and what Python code
decides is decided then.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import optree
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from tricera.backends.torch import replay

OPTIONS: dict[str, Any] = {}  # arguments of `torch.compile`, such as `backend`


class CompiledStep:
    """A step that is compiled for each combination of shapes; the first batch of each is run as it is and recorded.

    Args:
        fn: the step.
        variables: all the variables that it may assign.
    """

    def __init__(self, fn: Callable[[Any], Any], variables: Sequence[Any]) -> None:
        self.fn, self.variables = fn, variables
        self._known: dict[Any, Callable[[Any], Any]] = {}

    def __call__(self, batch: Any) -> Any:
        """Run the step."""
        leaves, spec = optree.tree_flatten(batch, none_is_leaf=True)
        key = (spec, torch.is_grad_enabled(), *[None if x is None else (x.shape, x.dtype) for x in leaves])
        found = self._known.get(key)
        if found is not None:
            return found(batch)
        out, self._known[key] = self._compile(batch, [x for x in leaves if x is not None])
        return out

    def _compile(self, batch: Any, inputs: list[torch.Tensor]) -> tuple[Any, Callable[[Any], Any]]:
        state = list({id(v.native): v.native for v in self.variables}.values())
        recorder = replay.Recorder(inputs, state, traced=True)
        out = replay.run(recorder, self.fn, batch)
        wanted, form = optree.tree_flatten(out, none_is_leaf=True)
        if recorder.failure is None and not all(isinstance(x, torch.Tensor) for x in wanted):
            recorder.failure = "it returns something that is no tensor"
        program = recorder.program(wanted) if recorder.failure is None else None
        if program is None or recorder.failure is not None:
            warnings.warn(
                f"A step can't be compiled as one graph: {recorder.failure}. torch.compile takes it in pieces.",
                stacklevel=2,
            )
            return out, torch.compile(self.fn, **OPTIONS)
        return out, _compiled(recorder, program, inputs, state, form)


def _compiled(
    recorder: replay.Recorder,
    program: Callable[..., Any],
    inputs: list[torch.Tensor],
    state: list[torch.Tensor],
    form: Any,
) -> Callable[[Any], Any]:
    """The recorded calls as compiled code."""
    names = {id(x): name for name, x in recorder.values.items() if isinstance(x, torch.Tensor)}
    used = [x for x in state if id(x) in names]
    count = len(inputs)

    def flat(*tensors: torch.Tensor) -> list[Any]:
        program.__globals__.update(zip([names[id(x)] for x in used], tensors[count:], strict=True))
        return program(*tensors[:count])

    gradients = torch.is_grad_enabled()
    with torch.set_grad_enabled(gradients):
        graph = make_fx(flat, tracing_mode="fake", _allow_non_fake_inputs=True)(*inputs, *used)
    program.__globals__.clear()
    compiled = torch.compile(graph.forward, fullgraph=True, **OPTIONS)

    def run(batch: Any) -> Any:
        with torch.no_grad():  # the backward pass is part of the graph
            return form.unflatten(compiled(*[x for x in optree.tree_leaves(batch)], *used))

    return run

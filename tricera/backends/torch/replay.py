"""Steps by replay: the calls that one step made of torch's functions, made again for the next batches of the same shapes.

In a window of batches that nobody watches, a step of the library's own code does the same for each batch: what layers, losses and
metrics work out on the way to a torch function comes out the same. So the first batch's step runs under a recorder, which notes
each call of a torch function (`TorchFunctionMode` shows them all: views, in-place updates, changes of the gradient mode and
`torch.autograd.grad` too), and a function of nothing but these calls runs for the others. Nothing is changed or left out, so that
results are the same to the bit; it is the loop that one would write by hand.

A step is not recorded if it does what such a function can't repeat: reading a tensor's value, results whose shape depends on
values, tensors that come from elsewhere. Code that looks at values on purpose and may do so each time anew (an optimizer's step
count, the seed of a draw) is called as a whole: `opaque`.
"""

from __future__ import annotations

import contextvars
import operator
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

import optree
import torch
from torch.overrides import TorchFunctionMode

# Methods whose results follow from shapes and dtypes.
_METADATA = frozenset(
    ("size", "dim", "ndimension", "numel", "nelement", "stride", "storage_offset", "element_size", "is_floating_point",
     "is_complex", "is_signed", "is_contiguous", "is_conj", "is_neg", "get_device", "type", "is_same_size", "__len__",
     "is_shared", "is_inference")
)  # fmt: skip
# Functions whose results have a shape that depends on values.
_SHAPED_BY_VALUES = frozenset(
    ("nonzero", "argwhere", "unique", "_unique2", "unique_consecutive", "unique_dim", "masked_select", "bincount",
     "repeat_interleave", "combinations", "tensor_split", "segment_reduce", "histogramdd")
)  # fmt: skip
# Functions that give their argument back where it is as it should be.
_MAYBE_NOTHING = frozenset(
    ("to", "contiguous", "reshape", "view", "expand", "long", "int", "float", "bool", "double", "half")
)
_WRITTEN = (int, bool, str, type(None))

_active: contextvars.ContextVar[Recorder | None] = contextvars.ContextVar("tricera_recorder", default=None)
CONSTANTS: list[torch.Tensor] = []  # tensors of this backend's own code that never change
_codes: dict[str, CodeType] = {}  # source -> compiled


def _recorder() -> Recorder | None:
    # While torch.compile traces there is none, and it can't look into context variables.
    return None if torch.compiler.is_compiling() else _active.get()


def recording() -> bool:
    """Whether a step is being recorded, so that what is done must fit other values too."""
    return _recorder() is not None


def refuse(why: str) -> None:
    """Let the step that is being recorded, if there is one, not be replayed."""
    recorder = _recorder()
    if recorder is not None and recorder.failure is None:
        recorder.failure = why


def for_compiler() -> bool:
    """Whether a step is being recorded for a compiler, which takes nothing but torch's functions."""
    recorder = _recorder()
    return recorder is not None and recorder.traced


def opaque(fn: Callable[..., Any], *args: Any) -> Any:
    """`fn(*args)`, which a replay calls again as a whole; lists of tensors are looked into."""
    recorder = _recorder()
    return fn(*args) if recorder is None or recorder.traced else recorder.whole(fn, args)


def numbers(fn: Callable[..., Any], *args: Any) -> Any:
    """As `opaque`, of a function that returns a number; what is computed of the number is recorded with it."""
    out = opaque(fn, *args)
    recorder = _recorder()
    return out if recorder is None or recorder.traced or recorder._paused else recorder.number(out)


class Number(float):
    """A number that will be another in a replay: Python's arithmetic on it is recorded, too."""


def _arithmetic(name: str) -> Callable[..., Any]:
    plain = getattr(operator, name.replace("__r", "__") if name.startswith("__r") else name)
    swapped = name.startswith("__r")

    def compute(self: Any, *others: Any) -> Any:
        return numbers(plain, *(reversed((self, *others)) if swapped else (self, *others)))

    return compute


for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Number, f"__{_name}__", _arithmetic(f"__{_name}__"))
    setattr(Number, f"__r{_name}__", _arithmetic(f"__r{_name}__"))
Number.__neg__ = _arithmetic("__neg__")  # type: ignore[method-assign]


class Recorder(TorchFunctionMode):
    """Notes calls of torch functions.

    Args:
        inputs: the tensors that will be others in a replay.
        constants: those that will be the same objects: the state.
        traced: whether the calls are for a compiler: there is nothing opaque then, and what is met for the first time is constant.

    Attributes:
        failure: why there can be no replay; None if there can.
    """

    def __init__(self, inputs: Sequence[torch.Tensor], constants: Sequence[torch.Tensor], traced: bool = False) -> None:
        super().__init__()
        self.failure: str | None = None
        self.traced = traced
        self._gradients = torch.is_grad_enabled()
        self._paused = False
        self._inputs = [f"x{i}" for i in range(len(inputs))]
        self._names: dict[int, str] = {id(x): name for x, name in zip(inputs, self._inputs, strict=True)}
        self._state = {id(x) for x in (*constants, *CONSTANTS)}
        self._kept: list[Any] = [*inputs, *constants]  # ids are names while the objects live
        self.values: dict[str, Any] = {}  # what the function refers to, by name
        self._known: dict[int, str] = {}
        self._lines: list[tuple[list[str], str, list[str]]] = []  # results, call, names used

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if self.failure is None and not self._paused:
            self._note(func, args, kwargs or {}, out)
        return out

    def whole(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run something and note it as one call."""
        paused, self._paused = self._paused, True
        try:
            out = fn(*[float(a) if type(a) is Number else a for a in args])
        finally:
            self._paused = paused
        if self.failure is None and not paused:
            self._append(fn, args, {}, out)
        return out

    def number(self, x: float) -> Number:
        """The result of the last call, as something that may be computed with."""
        name, found = f"v{len(self._names)}", Number(x)
        self._names[id(found)] = name
        self._kept.append(found)
        if self._lines:
            self._lines[-1] = ([name], *self._lines[-1][1:])
        return found

    def _note(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        name = getattr(func, "__name__", "")
        if func is torch._C._set_grad_enabled:
            self._gradients = args[0]
        elif torch.is_grad_enabled() is not self._gradients:
            self.failure = "a torch.autograd.Function"  # nothing else changes the mode unseen
            return
        if name == "__get__":
            if not isinstance(out, torch.Tensor):
                return
        elif name in _METADATA or (name in _MAYBE_NOTHING and args and out is args[0]):
            return
        elif name in _SHAPED_BY_VALUES or (name == "where" and len(args) == 1):
            self.failure = f"the shape of the result of {name} depends on values"
            return
        elif name == "__getitem__" and _has_mask(args[1]):
            self.failure = "a boolean index"
            return
        elif not _tensors_alone(out):
            self.failure = f"{name} gives a {type(out).__name__}"
            return
        self._append(func, args, kwargs, out)

    def _append(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        used: list[str] = []
        parts = [self._text(a, used) for a in args]
        parts += [f"{key}={self._text(value, used)}" for key, value in kwargs.items()]
        results = [self._result(x) for x in out] if isinstance(out, (tuple, list)) else [self._result(out)]
        call = f"{self._constant(func)}({', '.join(parts)})"
        if isinstance(out, (tuple, list)):
            call = f"[*{call}]" if not results else call
        self._lines.append((results, call, used))
        self._kept.append(out)

    def _result(self, x: Any) -> str:
        """A new name, or "" for what is nothing new: None, and what was changed in place."""
        if x is None or isinstance(x, (int, bool, float)) or id(x) in self._names or id(x) in self._state:
            return ""
        name = self._names[id(x)] = f"v{len(self._names)}"
        return name

    def _text(self, x: Any, used: list[str]) -> str:
        if type(x) in _WRITTEN:
            return repr(x)
        name = self._names.get(id(x))
        if name is not None:
            used.append(name)
            return name
        if isinstance(x, torch.Tensor):
            if id(x) not in self._state and (not self.traced or x.grad_fn is not None):
                self.failure = f"a tensor of shape {tuple(x.shape)} comes from elsewhere"
            return self._constant(x)
        if type(x) is list or type(x) is tuple:
            inner = [self._text(e, used) for e in x]
            return f"[{', '.join(inner)}]" if type(x) is list else f"({', '.join(inner)}{',' * (len(inner) == 1)})"
        if type(x) is slice:
            return f"slice({self._text(x.start, used)}, {self._text(x.stop, used)}, {self._text(x.step, used)})"
        return self._constant(x)

    def _constant(self, x: Any) -> str:
        name = self._known.get(id(x))
        if name is None:
            name = self._known[id(x)] = f"c{len(self._known)}"
            self.values[name] = x  # which keeps it, and so its id
        return name

    def program(self, wanted: Sequence[torch.Tensor] = ()) -> Callable[..., list[Any]]:
        """A function of the inputs that makes the calls, and returns those of their results that are wanted.

        Names are deleted after their last use, as if nobody held them.
        """
        last: dict[str, int] = {}
        outputs = [self._text(x, []) for x in wanted]
        for i, (results, _, used) in enumerate(self._lines):
            for name in (*results, *used):
                last[name] = i
        last.update(dict.fromkeys(outputs, len(self._lines)))
        text = [f"def program({', '.join(self._inputs)}):"]
        modes = {f"{self._known.get(id(torch._C._set_grad_enabled))}({on})" for on in (True, False)}
        for i, (results, call, used) in enumerate(self._lines):
            if call in modes and i + 1 < len(self._lines) and self._lines[i + 1][1] in modes:
                continue  # it holds for nothing
            kept = [name if name and last[name] > i else "_" for name in results]
            if all(name == "_" for name in kept):
                text.append(f"    {call}")
            else:
                text.append(f"    {', '.join(kept)}{',' * (len(kept) > 1)} = {call}")
                if "_" in kept:
                    text.append("    del _")
            ended = sorted({name for name in used if last[name] == i})
            if ended:
                text.append(f"    del {', '.join(ended)}")
        text.append(f"    return [{', '.join(outputs)}]")
        source = "\n".join(text)
        code = _codes.get(source)
        if code is None:
            if len(_codes) >= 64:
                _codes.clear()
            code = _codes[source] = compile(source, "<a recorded step>", "exec")
        exec(code, self.values)
        return self.values.pop("program")


def _tensors_alone(out: Any) -> bool:
    if out is None:
        return True
    if isinstance(out, (tuple, list)) and not isinstance(out, torch.Size):
        return all(map(_tensors_alone, out))
    return isinstance(out, torch.Tensor) and out.layout is torch.strided


def _has_mask(index: Any) -> bool:
    parts = index if isinstance(index, (tuple, list)) else (index,)
    return any(isinstance(p, torch.Tensor) and p.dtype in (torch.bool, torch.uint8) for p in parts)


def run(recorder: Recorder, step: Callable[[Any], Any], batch: Any) -> Any:
    """What a step gives for a batch, with a recorder looking on."""
    token = _active.set(recorder)
    try:
        with recorder:
            return step(batch)
    finally:
        _active.reset(token)


def record(
    step: Callable[[Any], Any], batch: Any, inputs: Sequence[torch.Tensor], constants: Sequence[torch.Tensor]
) -> tuple[Any, Callable[..., Any] | None]:
    """Run a step on a batch; what it gives, and what runs it on others, or None if there is no such thing.

    Args:
        step: a function that depends on nothing but what the batch and the constants hold.
        batch: its argument.
        inputs: the tensors in the batch; the function returned takes others of the same shapes and dtypes in their place.
        constants: tensors that the step may read and change.
    """
    recorder = Recorder(inputs, constants)
    out = run(recorder, step, batch)
    leaves, spec = optree.tree_flatten(out)
    if recorder.failure is not None or not all(isinstance(x, torch.Tensor) for x in leaves):
        return out, None
    program = recorder.program(leaves)
    return out, None if recorder.failure is not None else lambda *tensors: spec.unflatten(program(*tensors))

"""Control: gradients, rematerialisation and abstract evaluation by torch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.utils.checkpoint

from tricera.backends.torch import tensor, traced
from tricera.backends.torch.replay import refuse
from tricera.backends.torch.tensor import DTYPES, convert
from tricera.core import dispatch, tree
from tricera.core.remat import Replay
from tricera.core.state import cells, current_cells
from tricera.core.tensor import Spec
from tricera.core.variable import autocast, autocast_dtype

GRADIENTS = True


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, torch.Tensor) else x


def value_and_grad(fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives `fn`'s result and its gradients (None for variables that it does not use)."""
    variables = list(variables)

    def run(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        plain = current_cells.get() is None and autocast_dtype.get() is None
        if plain and all([v.native.requires_grad for v in variables]):
            with torch.enable_grad():
                out = fn(*args, **kwargs)
                loss, aux = out if has_aux else (out, None)
                found = torch.autograd.grad(loss, [v.native for v in variables], allow_unused=True)
            loss = loss.detach()
            return ((loss, tree.map_structure(_detached, aux)) if has_aux else loss), list(found)
        return with_scopes(*args, **kwargs)

    def with_scopes(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        with contextlib.ExitStack() as stack, torch.enable_grad():
            frozen = [v for v in variables if not v.trainable]
            scope = None
            if frozen:
                with autocast(None):
                    scope = stack.enter_context(cells([(v, v.value.detach().requires_grad_()) for v in frozen]))
            out = fn(*args, **kwargs)
            loss, aux = out if has_aux else (out, None)
            with autocast(None):
                sources = [v.value for v in variables]
            wanted = [s for s in sources if s.requires_grad]
            found = torch.autograd.grad(loss, wanted, allow_unused=True) if wanted else ()
        for variable in scope.updated.values() if scope is not None else ():
            variable.assign(scope.values[id(variable)].detach())  # type: ignore[union-attr]
        grads = dict(zip(map(id, wanted), found, strict=True))
        loss = loss.detach()
        result = (loss, tree.map_structure(_detached, aux)) if has_aux else loss
        return result, [grads.get(id(s)) for s in sources]

    return run


def vjp(fn: Callable[[list[Any]], tuple[Any, Any]], primals: list[Any]) -> tuple[Any, Callable[[Any], Any], Any]:
    """Results, the pullback of their cotangents, and what `fn` carries out beside them."""
    result: Any = torch.func.vjp(fn, primals, has_aux=True)
    out, pull, carried = result
    return out, lambda cotangents: pull(cotangents)[0], carried


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose intermediate values are computed again in the backward pass."""

    def run(*args: Any, **kwargs: Any) -> Any:
        if torch._C._functorch.peek_interpreter_stack() is not None:  # `torch.func` can't leave out what it keeps
            return fn(*args, **kwargs)
        refuse("rematerialisation")
        replay = Replay(fn, args, kwargs, dispatch.current())
        out = torch.utils.checkpoint.checkpoint(replay, *replay.tensors, use_reentrant=False)
        replay.settle(lambda x: x.detach().clone())
        return out

    return run


def replica_mean(x: Any) -> Any:
    """The mean over the processes of `torch.distributed`, with its gradient."""
    run = torch.distributed
    if not run.is_available() or not run.is_initialized() or run.get_world_size() == 1:
        return x
    from torch.distributed.nn.functional import all_reduce

    return all_reduce(x) / run.get_world_size()


@contextlib.contextmanager
def device(name: Any) -> Iterator[None]:
    """A block in which tensors are made on a device; it holds for the whole process."""
    if isinstance(name, str):
        name = name.replace("gpu", "cuda")
    outer = tensor.device()
    chosen = torch.device(name)
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise RuntimeError(f"torch sees {torch.cuda.device_count()} CUDA devices; there is no {name!r}.")
    tensor.set_device(chosen)
    try:
        with chosen:
            yield
    finally:
        tensor.set_device(outer)


def abstract(fn: Callable[..., Any], specs: Sequence[Spec]) -> Any:
    """What `fn` returns for inputs of these shapes, run on meta tensors, which hold no data."""
    shapes: list[Any] = [s.shape for s in specs]
    if torch.compiler.is_compiling():  # which drops what nobody uses, and can't look through the scope below
        return fn([torch.zeros(shape, dtype=DTYPES[s.dtype]) for s, shape in zip(specs, shapes, strict=True)])
    meta = torch.device("meta")

    def stand_in(variable: Any) -> Any:  # which may have been made inside of `fn`
        return torch.empty(variable.shape, dtype=DTYPES[variable.dtype], device=meta)

    with cells(stand_in=stand_in), torch.no_grad(), meta:
        return fn(
            [torch.empty(shape, dtype=DTYPES[s.dtype], device=meta) for s, shape in zip(specs, shapes, strict=True)]
        )


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """One of both results; torch runs Python as it is, unless it traces."""
    if traced.unknown(pred):
        return traced.cond(pred, true_fn, false_fn)
    return true_fn() if pred else false_fn()


def switch(index: Any, branches: Sequence[Callable[..., Any]], operands: Sequence[Any]) -> Any:
    """The result of one branch."""
    if traced.unknown(index):
        return traced.switch(index, branches, operands)
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], values: tuple[Any, ...], limit: int | None) -> Any:
    """Repeat while the condition holds."""
    if torch.compiler.is_compiling():
        return traced.while_loop(cond, body, values, limit)
    done = 0
    while (limit is None or done < limit) and cond(*values):
        values = body(*values)
        done += 1
    return values


def fori_loop(lower: Any, upper: Any, body: Callable[[Any, Any], Any], value: Any) -> Any:
    """Repeat for each index."""
    if traced.unknown(lower) or traced.unknown(upper):
        return traced.fori_loop(lower, upper, body, value)
    if torch.compiler.is_compiling() and int(upper) - int(lower) > traced.UNROLLED:
        return traced.fori_loop(lower, upper, body, value)
    for i in range(int(lower), int(upper)):
        value = body(torch.tensor(i, dtype=torch.int32), value)
    return value


def scan(f: Callable[[Any, Any], Any], carry: Any, xs: Any, length: int, reverse: bool, unroll: Any) -> Any:
    """Carry a value along the first axis."""
    slices: Any = [None] * length
    if isinstance(xs, torch.Tensor):
        slices = xs.unbind()
    elif xs is not None:
        slices = [tree.pack_sequence_as(xs, row) for row in zip(*(x.unbind() for x in tree.flatten(xs)), strict=True)]
    results = []
    for x in reversed(slices) if reverse else slices:
        carry, y = f(carry, x)
        results.append(y)
    if not results or results[0] is None:
        return carry, None
    results = results[::-1] if reverse else results
    if all(isinstance(y, torch.Tensor) for y in results):
        return carry, torch.stack(results)
    return carry, tree.map_structure(lambda *ys: torch.stack([convert(y) for y in ys]), *results)


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """The function on all slices at once."""
    return torch.vmap(function, randomness="different")(elements)


class _Own(torch.autograd.Function):
    """A function with a derivative of its own, which a `_OwnCall` holds."""

    generate_vmap_rule = True

    @staticmethod
    def forward(call: _OwnCall, *tensors: Any) -> Any:  # type: ignore[override]
        return call.outputs(tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.call = inputs[0]
        if not ctx.call.plain:
            ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:  # type: ignore[override]
        call = ctx.call
        back = call.back if call.plain else call.again(ctx.saved_tensors)
        return None, *call.gradients(back, upstream)


class _OwnCall:
    """One call of a function `f` that gives its result and its derivative."""

    def __init__(self, f: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.f, self.args, self.kwargs = f, args, kwargs
        self.tensors = tree.flatten(args)
        self.plain = True
        self.back: Any = None
        self.out: Any = None

    def outputs(self, tensors: Any) -> Any:
        # In a transform of torch.func these are others, of a level below: what the derivative holds of them has no derivative.
        self.plain = all([x is y for x, y in zip(tensors, self.tensors, strict=True)])
        self.out, self.back = self.f(*tree.pack_sequence_as(self.args, list(tensors)), **self.kwargs)
        flat = tuple(tree.flatten(self.out))
        return flat if len(flat) > 1 else flat[0]

    def again(self, tensors: Any) -> Callable[..., Any]:
        """The derivative, from the tensors of the level at which it is asked for."""
        return self.f(*tree.pack_sequence_as(self.args, list(tensors)), **self.kwargs)[1]  # type: ignore[no-any-return]

    def gradients(self, back: Callable[..., Any], upstream: Any) -> list[Any]:
        found, wanted = tree.flatten(back(*upstream)), len(self.tensors)
        if len(found) != wanted:
            raise ValueError(
                f"ops.custom_gradient: the derivative gave {len(found)} gradients for {wanted} arguments. Return one for each."
            )
        return found


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the gradient that it gives."""

    def run(*args: Any, **kwargs: Any) -> Any:
        refuse("a gradient of its own")
        call = _OwnCall(f, args, kwargs)
        out = _Own.apply(call, *call.tensors)
        return tree.pack_sequence_as(call.out, out if isinstance(out, tuple) else [out])

    return run


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    """Value and directional derivative."""
    try:
        out, derivative, *aux = torch.func.jvp(fun, tuple(primals), tuple(tangents), has_aux=has_aux)
    except NotImplementedError:  # torch knows no forward derivative of this, nor of what has a gradient of its own
        # A pullback is linear in its cotangent, and its own pullback at the tangents is the derivative along them.
        out, pull, *aux = torch.func.vjp(fun, *primals, has_aux=has_aux)
        derivative = torch.func.vjp(pull, tree.map_structure(torch.zeros_like, out))[1](tuple(tangents))[0]
    # A scalar times a number of Python has a derivative in double precision.
    return out, tree.map_structure(lambda slope, y: slope.to(y.dtype), derivative, out), *aux

"""The short way of an op: for types and dtypes met before, straight to the native function.

What to run is found by a key made of the types, dtypes and plain arguments of a call; the front half (`core/op.py`) fills the
table when it finds that nothing had to be converted. There is a table for each type of tensor: torch.compile can't look through
one that holds another framework's dtypes.

The function that users call has the op's own parameters, since collecting `*args` and `**kwargs` takes as long as all the rest. It
comes from one template, whose source is made once for each number of operands and options, and whose code gets the op's names.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tricera.core import dispatch
from tricera.core.plain import keepable  # noqa: F401 - the template's code names it
from tricera.core.sparse import any_sparse
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable

if TYPE_CHECKING:
    from tricera.core.op import Op


class Memory:
    """What switches remembering off.

    Attributes:
        closed: whether a compiler traces Python now, which may allow no change of what is outside of what it traces. A question,
            not a flag: the compiler would carry out what sets a flag while it traces, and leave it set.
    """

    closed: Callable[[], bool] = staticmethod(lambda: False)


memory = Memory()


def remember(
    op: Op,
    key: Any,
    args: tuple[Any, ...],
    values: list[Any],
    plain: bool,
    backend: dispatch.Backend,
    native: Any,
    slow: Callable[..., Any],
) -> None:
    """Keep what to run for a combination of types: an op on tensors (a list of them, too), or on a tensor and a number."""
    first = op.leading or 1
    rest = [list(v) if type(v) is list else v for v in values[first:]]  # the caller's own list may change
    tensors = values[:first] if op.leading else list(values[0])
    run: Callable[..., Any]
    if native is not None and native is not backend.function(op.name):
        run = functools.partial(native, **dict(zip(op.names[first:], rest, strict=True)))  # by way of another dtype
    elif native is not None:
        options = dict(zip(op.names[first:], rest, strict=True))
        run = functools.partial(native, **options) if options else native
        run = backend.settle(op.name, run, tensors, options)
    else:
        run = _body(op, backend, rest, slow)
    kind, key = key
    if plain:
        op.fast.setdefault(kind, {})[key] = run
        return
    scalars = [i for i, x in enumerate(args) if type(x) is int or type(x) is float]
    if op.leading == 2 and len(args) == 2 and len(scalars) == 1:
        tensor = 1 - scalars[0]
        # Only where the number takes the tensor's dtype: what it takes beside others depends on floatx.
        dtype = backend.dtype(values[tensor])
        if args[tensor] is values[tensor] and backend.dtype(values[scalars[0]]) == dtype:
            op.fast.setdefault(kind, {})[key] = backend.with_number(op.name, dtype, scalars[0]) or _beside_number(
                run, scalars[0], backend.convert, dtype
            )


def _body(op: Op, backend: dispatch.Backend, rest: list[Any], slow: Callable[..., Any]) -> Callable[..., Any]:
    """The portable definition, run with the backend current."""
    by_class, listed = backend.SPARSE_CLASS, not op.leading

    def run(*tensors: Any) -> Any:
        if not by_class and any_sparse(backend, tensors[0] if listed else tensors):
            return slow(op, (*tensors, *rest), {})
        if dispatch.current() is backend:
            return op.fn(*tensors, *rest)
        with dispatch.use(backend):
            return op.fn(*tensors, *rest)

    return run


def _beside_number(run: Callable[..., Any], at: int, convert: Callable[..., Any], dtype: str) -> Callable[..., Any]:
    """`run` with the operand at `at`, a number, made a tensor."""
    if at:
        return lambda x1, x2: run(x1, convert(x2, dtype))
    return lambda x1, x2: run(convert(x1, dtype), x2)


def wrap(op: Op, call: Callable[..., Any], retry: Callable[..., Any]) -> Callable[..., Any]:
    """The function that users call.

    Args:
        op: what is called.
        call: the slow way, `call(op, args, kwargs, key)`.
        retry: what to do after a native failure: raise an error that names the op, or go the slow way.
    """
    count = len(op.tensors)
    if op.tensors == [(0, "many")]:
        make = _template(0, len(op.statics), False)
    elif op.leading == count and count in (1, 2, 3):
        # What is remembered holds for tensors of one rank alone where an axis was made canonical, or the shape rule asked.
        make = _template(count, len(op.statics), bool(op.statics) or op.strict)
    else:

        def general(*args: Any, **kwargs: Any) -> Any:
            return call(op, args, kwargs)

        return general
    made = make(op, op.fast, call, retry)
    code = made.__code__
    code = code.replace(co_varnames=(*op.names, *code.co_varnames[len(op.names) :]))
    return types.FunctionType(code, made.__globals__, op.name, tuple(op.defaults), made.__closure__)


# Types without a dtype (torch.compile can't trace the AttributeError that they give).
_PYTHON = frozenset((bool, int, float, complex, str, list, tuple, type(None), type(inspect.Parameter.empty)))


def _number_key(x1: Any, x2: Any) -> Any:
    """The key of a tensor beside a Python number, and the tensor's type; two times None for all else."""
    kind1, kind2 = type(x1), type(x2)
    if kind2 is float or kind2 is int:
        kind, dtype = kind1, getattr(x1, "dtype", None)
    elif kind1 is float or kind1 is int:
        kind, dtype = kind2, getattr(x2, "dtype", None)
    else:
        return None, None
    return (None, None) if dtype is None else (kind, (kind1, kind2, dtype, None))


def _list_key(xs: Any) -> Any:
    """The type and dtype that all tensors of a list share, and the rank of the first; three times None if they don't."""
    kind = type(xs)
    if (kind is not list and kind is not tuple) or not xs:
        return None, None, None
    first = xs[0]
    kind = type(first)
    if kind in _PYTHON or kind is Variable or kind is KerasTensor:
        return None, None, None
    dtype = first.dtype
    for x in xs:
        if x is not first and (type(x) is not kind or x.dtype != dtype):
            return None, None, None
    return kind, dtype, first.ndim


@functools.cache
def _template(count: int, options: int, ranked: bool) -> Callable[..., Any]:
    """A function that makes the function of an op of so many operands (0: a list of them) and options.

    Written out, for two operands and one option, of which `_p0` stands for the value, or for the entries and their types:

        def op(x0, x1, s0, *_more, **_unknown):
            if type(x0) is Variable ...: x0 = x0.value  (and so on)
            try:
                key = (x0.dtype, x0.ndim, type(x1), x1.dtype, x1.ndim, _p0, type(s0))
                run = fast[type(x0)][key]
            ...
            return run(x0, x1)  (or `call`, where there is none)
    """
    tensors = [f"x{i}" for i in range(count)] or ["xs"]
    statics = [f"s{i}" for i in range(options)]
    given = "".join(f"{name}, " for name in (*tensors, *statics))
    lines = [f"def op({given}*_more, **_unknown):"]
    for i in range(count):
        lines.append(f"    _k{i} = type(x{i})")
    for i in reversed(range(count)):
        others = "".join(f" and _k{j} is not KerasTensor" for j in range(count) if j != i)
        lines.append(f"    if _k{i} is Variable{others}:")
        lines.append(f"        x{i} = x{i}.value")
        lines.append(f"        _k{i} = type(x{i})")
    lines.append("    _kind = _key = None")
    lines.append("    try:")
    for i in range(options):
        # Equal are 1, 1.0 and True, and so are (1, 0) and (True, False): the types are part of the key.
        lines.append(f"        _t{i} = type(s{i})")
        lines.append(f"        _p{i} = (*s{i}, *map(type, s{i})) if _t{i} is tuple or _t{i} is list else s{i}")
    parts = [part for i in range(options) for part in (f"_p{i}", f"_t{i}")]
    if not count:
        lines.append("        _kind, _dtype, _rank = _list_key(xs)")
        lines.append(f"        _key = ({', '.join(['_dtype', '_rank', *parts])})")
        python = ""
    else:
        found = []
        for i in range(count):
            found += [f"_k{i}"] * bool(i) + [f"x{i}.dtype"] + [f"x{i}.ndim"] * ranked
        key = f"({', '.join([*found, *parts])},)"
        python = " or ".join(f"_k{i} in _PYTHON" for i in range(count))
        lines.append(f"        if {python}:")
        number = count == 2 and not options and not ranked
        lines.append("            _kind, _key = _number_key(x0, x1)" if number else "            pass")
        lines.append("        else:")
        lines.append("            _kind = _k0")
        lines.append(f"            _key = {key}")
    lines += [
        "        _run = fast[_kind][_key]",
        "    except KeyError:",
        "        _run = None",
        "    except (AttributeError, TypeError):",
        "        _run = _kind = None",
        "    if _run is not None and not _more and not _unknown:",
        "        try:",
        f"            return _run({', '.join(tensors)})",
        "        except Exception as _error:",
        f"            return retry(opd, _error, ({given}), {{}})",
        f"    _keep = _kind is not None and {' and '.join(['True', *(f'keepable({s})' for s in statics)])}",
        f"    return call(opd, ({given}*_more), _unknown, (_kind, _key) if _keep else None)",
    ]
    source = "def make(opd, fast, call, retry):\n" + "\n".join("    " + line for line in lines) + "\n    return op\n"
    space: dict[str, Any] = {}
    # In this module's namespace, in which torch.compile looks up what the code names.
    exec(compile(source, f"<the short way: {count}, {options}>", "exec"), globals(), space)
    return space["make"]

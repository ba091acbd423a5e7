"""The mechanism of ops: an op is one plain function, defined once for all backends.

`@primitive` declares an op that each backend provides under the same name; `@composed` one whose body, written with other
ops, is its portable definition, which a backend may override by defining the name. The front half that all share finds the
backend from the tensors, converts what isn't a tensor, promotes dtypes and then calls the backend, runs the body, or (on
symbolic tensors) infers the result. What to do is worked out once an op, and once more for each combination of argument
types and dtypes, which is then remembered: the next such call goes straight to the framework.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tricera.core import dispatch, sparse
from tricera.core.complaints import explain, first_line
from tricera.core.doors import check_kinds, check_options, door, is_text, kinds_of, no_numbers, no_tensor, refused_by
from tricera.core.inference import PUBLIC, canonical_axis, infer, joined_dtype, leaves, named_leaves, on_symbolic, weak
from tricera.core.shortcut import memory, remember, wrap
from tricera.core.sizes import sizes
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable

F = TypeVar("F", bound=Callable[..., Any])
_KINDS = {
    "TensorLike": "one",
    "TensorLike | None": "one",
    "Sequence[TensorLike]": "many",
    "TensorLike | Sequence[TensorLike]": "many",
    "Sequence[TensorLike] | None": "many",
}


class Op:
    """What is known of one op.

    Attributes:
        name: the public name.
        fn: the function as written; its body is the portable definition unless the op is primitive.
        promote: how operands are cast: None (not at all), `"same"` (to their common dtype), `"number"` (the same, booleans to int32), `"float"` (to a float dtype),
            `"tail"` (all but the first, a condition).
        spec: a rule (Spec... , static arguments) -> Spec, or None to run the body on symbolic tensors.
        out: the dtype of the result where it isn't the operands'.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        primitive: bool,
        promote: str | None,
        spec: Any,
        out: str | None,
        kinds: str | Mapping[str, str] | None,
    ) -> None:
        self.fn, self.name, self.primitive = fn, fn.__name__, primitive
        self.promote, self.spec, self.out = promote, spec, out
        self.signature = inspect.signature(fn)
        parameters = [p for p in self.signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        self.names = [p.name for p in parameters]
        self.index = {name: i for i, name in enumerate(self.names)}
        self.defaults = [p.default for p in parameters]
        self.tensors = [(i, _KINDS[str(p.annotation)]) for i, p in enumerate(parameters) if str(p.annotation) in _KINDS]
        self.tensor_indices = {i for i, _ in self.tensors}
        self.statics = [i for i in range(len(parameters)) if i not in self.tensor_indices]
        self.leading = 0
        while (self.leading, "one") in self.tensors:
            self.leading += 1
        self.axis = self.index.get("axis")
        self.axis_of = 0
        # What must be given, and what is asked of the options; `axis` beside a tensor is checked against its rank.
        self.lists = {i for i, _ in self.tensors if str(parameters[i].annotation).startswith("Sequence")}
        self.required = {i for i, _ in self.tensors if not str(parameters[i].annotation).endswith("| None")}
        self.doors = [
            (i, *found)
            for i in self.statics
            if (found := door(parameters[i].annotation)) and not (i == self.axis and self.leading)
        ]
        self.kinds = kinds_of(self, kinds)
        self.refused = refused_by(self.kinds)
        self.new_axes = 0
        self.strict = self.repeated_axes = False
        self.sizes: tuple[int, ...] = ()  # which arguments are shapes
        self.fast: dict[type, dict[Any, Any]] = {}  # type of a tensor -> key -> what to run

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """All the arguments in order, defaults filled in."""
        if len(args) > len(self.names):
            raise TypeError(
                f"ops.{self.name}: takes {len(self.names)} arguments, not {len(args)}. Its signature is {self.name}{self.signature}."
            )
        values = [*args, *self.defaults[len(args) :]]
        for key, value in kwargs.items():
            i = self.index.get(key)
            if i is None or i < len(args):
                error = f"got an unexpected keyword argument {key!r}" if i is None else f"got two values for {key!r}"
                raise TypeError(f"ops.{self.name}: {error}. Its signature is {self.name}{self.signature}.")
            values[i] = value
        missing = next((n for n, v in zip(self.names, values, strict=True) if v is inspect.Parameter.empty), None)
        if missing is not None:
            raise TypeError(
                f"ops.{self.name}: missing the argument {missing!r}. Its signature is {self.name}{self.signature}."
            )
        return values


OPS: dict[str, Op] = {}


def call(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any], key: Any = None) -> Any:
    """The front half: the slow way, taken when a combination of types is met for the first time, or is not plain."""
    values = op.bind(args, kwargs)
    for i in op.sizes:
        values[i] = sizes(f"ops.{op.name}: `{op.names[i]}`", values[i])
    check_options(op, values)
    backend, symbolic, operands, wrapped = _scan(op, values)
    if symbolic:
        return on_symbolic(op, values)
    if backend is None:
        backend = dispatch.current()
    try:
        plain = _convert(op, values, backend, operands)
    except Exception as error:
        if str(error).startswith("ops."):
            raise
        for i, x in named_leaves(op, values):
            if dispatch.of_type(type(x)) is None and is_text(x):
                raise no_tensor(op, i, x) from error
        kind = backend.refusal(error) or type(error)
        if not issubclass(kind, (TypeError, ValueError, OverflowError)):
            raise
        raise kind(f"ops.{op.name}: {first_line(error)}") from error
    if op.axis is not None and operands and op.leading:
        values[op.axis] = canonical_axis(op, values[op.axis], len(backend.shape(values[op.axis_of])))
    if op.strict:
        infer(op, values)
    if sparse.any_sparse(backend, operands):
        key = None
        found = sparse.run(op.name, values, op.tensors, backend)
        if found is not NotImplemented:
            return found
    native = backend.function_of(op.name, values[0]) if op.leading else backend.function(op.name)
    # A native function gets tensors; what was unwrapped from a Variable now must be unwrapped the next time, too.
    if (
        key is not None
        and not wrapped
        and not memory.closed()
        and backend.cacheable
        and (native is not None or not op.primitive)
    ):
        remember(op, key, args, values, plain, backend, native, call)
    if native is not None:
        first = op.leading or int((0, "many") in op.tensors)
        tensors = [values[i] for i in range(first)]
        rest = {op.names[i]: values[i] for i in range(first, len(values))}
        try:
            return native(*tensors, **rest)
        except Exception as error:
            raise explain(op, error, values)  # noqa: B904 - it is the same error, or one that names the op
    if op.primitive:
        raise NotImplementedError(
            f"ops.{op.name} is not available on the backend {backend.name!r}. Run it on another one: {', '.join(dispatch.KNOWN)}."
        )
    try:
        if dispatch.current() is backend:
            return op.fn(*values)
        with dispatch.use(backend):
            return op.fn(*values)
    except Exception as error:
        raise explain(op, error, values)  # noqa: B904 - as above


def _scan(op: Op, values: list[Any]) -> tuple[dispatch.Backend | None, bool, list[Any], bool]:
    """Find the backend of the operands, unwrap variables in place (and say whether there were any)."""
    backend: dispatch.Backend | None = None
    variables: list[Any] = []
    operands: list[Any] = []

    def look(i: int, x: Any) -> None:
        nonlocal backend
        if isinstance(x, KerasTensor):
            operands.append(x)
            return
        if isinstance(x, Variable):
            owner: dispatch.Backend | None = x._backend
            variables.append(x)
        else:
            owner = dispatch.of_type(type(x))
        if owner is None:
            if no_numbers(x):
                raise no_tensor(op, i, x)
        else:
            if backend is not None and owner is not backend:
                raise TypeError(
                    f"ops.{op.name} was given tensors of two frameworks, {backend.name} and {owner.name}. Convert one of them "
                    "first: `ops.convert_to_numpy(x)` gives an array that either accepts."
                )
            backend = owner
        operands.append(x)

    for i, kind in op.tensors:
        value = values[i]
        if kind == "many" and isinstance(value, (list, tuple)):
            for v in value:
                look(i, v)
        elif value is not None or i in op.required:
            if i in op.lists and type(value) in (int, float, bool, dict):
                raise TypeError(f"ops.{op.name}: `{op.names[i]}` must be a list of tensors, not {value!r}.")
            look(i, value)
    symbolic = any(isinstance(x, KerasTensor) for x in operands)
    if variables and not symbolic:
        for i, kind in op.tensors:
            value = values[i]
            if isinstance(value, Variable):
                values[i] = value.value
            elif kind == "many" and isinstance(value, (list, tuple)):
                values[i] = [v.value if isinstance(v, Variable) else v for v in value]
        operands = [x.value if isinstance(x, Variable) else x for x in operands]
    return backend, symbolic, operands, bool(variables)


def _convert(op: Op, values: list[Any], backend: dispatch.Backend, operands: list[Any]) -> bool:
    """Make all operands tensors of one dtype, in place; say whether nothing had to be done."""
    found = []
    for x in operands:
        dtype = backend.dtype(x) if dispatch.of_type(type(x)) is backend else weak(x)
        if dtype is None:
            dtype = backend.dtype(backend.convert(x))
            if dtype == "string":
                raise TypeError("There are tensors of text in no more than one framework.")
        found.append(dtype)
    if not op.refused.isdisjoint(found):
        check_kinds(op, [i for i, _ in named_leaves(op, values)], found)
    target = joined_dtype(op, found)
    if target is not None:
        target = backend.canonical(target)
    plain = True

    def clean(x: Any) -> Any:
        nonlocal plain
        if dispatch.of_type(type(x)) is backend or backend.is_tensor(x):
            if target is None or backend.dtype(x) == target:
                return x
            plain = False
            return backend.cast(x, target)
        plain = False
        return backend.convert(x, target)

    for i, kind in op.tensors:
        value = values[i]
        if kind == "many" and isinstance(value, (list, tuple)):
            values[i] = [clean(v) for v in value]
        elif value is not None and not (i == 0 and op.promote == "tail"):
            values[i] = clean(value)
        elif value is not None:
            values[i] = backend.convert(value)
    return plain


def retry(op: Op, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """After the short way failed: the slow way for sparse tensors of a class that dense ones have too (torch's), else the error."""
    values = op.bind(args, kwargs)
    operands = leaves(op, values)
    backend = next((b for b in map(dispatch.of, operands) if b is not None), None)
    if backend is not None and sparse.any_sparse(backend, operands):
        return call(op, args, kwargs)
    raise explain(op, error, values)


def _define(fn: Any, op: Op) -> Any:
    wrapper = functools.update_wrapper(wrap(op, call, retry), fn)
    wrapper.op = op  # type: ignore[attr-defined]
    # AutoGraph (tf.function) rewrites the source of all functions that it meets but those with this mark.
    wrapper.autograph_info__ = None  # type: ignore[attr-defined]
    OPS[op.name] = op
    PUBLIC[op.name] = wrapper
    from tricera.core import operators

    operators.OPS[op.name] = wrapper
    return wrapper


def primitive(
    *,
    spec: Callable[..., Any],
    promote: str | None = "same",
    out: str | None = None,
    new_axes: int = 0,
    strict: bool = False,
    repeated_axes: bool = False,
    sizes: str | None = None,
    kinds: str | Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Declare an op that each backend provides under the function's name.

    Args:
        spec: the shape rule, called as the op with a `Spec` in the place of each tensor.
        promote: `"same"` casts the operands to their common dtype, `"number"` too but booleans to int32, `"float"` to a float one, None
            leaves them.
        out: the dtype of the result where it isn't the rule's.
        new_axes: 1 where `axis` names new axes of the result, for its range.
        strict: ask the shape rule before the backend, not only after a failure: some framework takes what the rule refuses.
        repeated_axes: whether `axis` may name an axis several times.
        sizes: the argument that is a shape; it may be given as a tensor.
        kinds: what the operands may hold, or some of them by name: `"integer"`, `"real"`, `"nobool"` or (the default where
            they are made numbers or floats) `"number"`; several with spaces between.

    Parameters annotated `TensorLike`, `TensorLike | None` or `Sequence[TensorLike]` are the operands.
    """

    def decorate(fn: F) -> F:
        op = Op(fn, True, promote, spec, out, kinds)
        op.new_axes, op.strict, op.repeated_axes = new_axes, strict, repeated_axes
        op.sizes = () if sizes is None else (op.index[sizes],)
        return _define(fn, op)

    return decorate


def composed(
    fn: F | None = None,
    *,
    spec: Callable[..., Any] | None = None,
    promote: str | None = "same",
    out: str | None = None,
    new_axes: int = 0,
    axis_of: str | None = None,
    kinds: str | Mapping[str, str] | None = None,
) -> Any:
    """Declare an op whose body is its portable definition; a backend that has a better one defines its name.

    Args:
        fn: the function, when used as `@composed` without arguments.
        spec: a shape rule; default: the body is run on symbolic tensors.
        promote: as for `primitive`.
        out: as for `primitive`.
        new_axes: as for `primitive`.
        axis_of: the operand to whose axes `axis` refers, the first one for None.
        kinds: as for `primitive`.
    """

    def decorate(fn: F) -> F:
        op = Op(fn, False, promote, spec, out, kinds)
        op.new_axes = new_axes
        op.axis_of = op.index[axis_of] if axis_of else 0
        return _define(fn, op)

    return decorate if fn is None else decorate(fn)

"""Inference: what an op gives on symbolic tensors, by its shape rule or by its body, and the call that a graph records."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tricera.core import dispatch, dtypes, probes, sparse
from tricera.core.doors import NO_NUMBERS, check_kinds, no_tensor
from tricera.core.graph import Operation, record
from tricera.core.sizes import known
from tricera.core.tensor import KerasTensor, Spec, not_recording
from tricera.core.variable import Variable

if TYPE_CHECKING:
    from tricera.core.op import Op


def weak(x: Any) -> Any:
    """The dtype of an operand that is not a tensor: a Python type for a scalar, else the array's."""
    kind = type(x)
    if kind is int or kind is float:
        return kind
    if kind is bool:
        return "bool"
    dtype = getattr(x, "dtype", None)
    if dtype is not None:
        return dtypes.standardize_dtype(dtype)
    return None


def joined_dtype(op: Op, found: list[Any]) -> str | None:
    """The dtype to which operands of these dtypes are cast; None where they stay what they are."""
    if op.promote is None or not found:
        return None
    if op.promote == "tail":
        found = found[1:]
    joined = dtypes.weak_result_type(*found)
    if joined == "int*":
        joined = "int32"
    elif joined == "float*":
        joined = dtypes.result_type(float)
    if op.promote == "float":
        return dtypes.float_of(joined)
    return "int32" if op.promote == "number" and joined == "bool" else joined


def on_symbolic(op: Op, values: list[Any]) -> Any:
    """Infer the result from shapes, and record the call."""
    outputs = infer(op, values)
    if gives_sparse(op, values):
        outputs = KerasTensor(outputs.shape, outputs.dtype, sparse=True)
    tensors = tuple(values[i] for i, _ in op.tensors)
    return record(OpCall(op, values), tensors, {}, outputs) if records(tensors) else outputs


def gives_sparse(op: Op, values: list[Any]) -> bool:
    """Whether the result is sparse: by the rule for sparse operands, or because it is asked for."""
    if "sparse" in op.index:
        return bool(values[op.index["sparse"]])
    rule = sparse.RULES.get(op.name)
    if rule is None:
        return False
    found = sparse.flags(leaves(op, values))
    return any(found) and rule.keeps(found)


def records(tensors: Any) -> bool:
    """Whether calls on symbolic tensors are recorded now."""
    from tricera.core.tensor import recording

    return recording.get()


def as_spec(op: Op, x: Any, i: int) -> Any:
    """Shape and dtype of an operand, whatever it is, which is the argument at `i`."""
    if isinstance(x, KerasTensor):
        return Spec(x.shape, x.dtype)
    if isinstance(x, Variable):
        return Spec(x.shape, x.dtype)
    backend = dispatch.of_type(type(x))
    if backend is not None:
        return Spec(tuple(backend.shape(x)), backend.dtype(x))
    if type(x) in (int, float, bool):
        return Spec((), weak(x))
    array = np.asarray(x)
    if array.dtype.kind in NO_NUMBERS:
        raise no_tensor(op, i, x)
    dtype = dtypes.standardize_dtype(array.dtype)
    if not hasattr(x, "dtype"):
        dtype = {"f": dtypes.result_type(float), "i": "int32"}.get(array.dtype.kind, dtype)
    return Spec(array.shape, dtype)


def infer(op: Op, values: list[Any]) -> Any:
    """The result as symbolic tensors, by the shape rule or by running the body on symbolic operands.

    Raises:
        ValueError, TypeError: the operands don't fit.
    """
    specs = list(values)
    operands: list[Any] = []
    for i, kind in op.tensors:
        value = values[i]
        if kind == "many" and isinstance(value, (list, tuple)):
            specs[i] = [as_spec(op, v, i) for v in value]
            operands += specs[i]
        elif value is not None:
            specs[i] = as_spec(op, value, i)
            operands.append(specs[i])
    found = [s.dtype for s in operands]
    if not op.refused.isdisjoint(found):
        check_kinds(op, [i for i, _ in named_leaves(op, values)], found)
    target = joined_dtype(op, found)

    def promoted(s: Any) -> Any:
        if isinstance(s, list):
            return [promoted(e) for e in s]
        if not isinstance(s, Spec):
            return s
        dtype = target or {int: "int32", float: dtypes.result_type(float)}.get(s.dtype, s.dtype)  # type: ignore[call-overload]
        return Spec(s.shape, dtype)

    for i, _ in op.tensors:
        specs[i] = promoted(specs[i])
    for i in op.sizes:
        specs[i] = known(specs[i])
    if op.axis is not None and op.leading and isinstance(specs[op.axis_of], Spec):
        specs[op.axis] = canonical_axis(op, specs[op.axis], specs[op.axis_of].ndim)
    if op.spec is None:
        with not_recording():
            for i, _ in op.tensors:
                if isinstance(specs[i], Spec):
                    specs[i] = KerasTensor(*specs[i])
                elif isinstance(specs[i], list):
                    specs[i] = [KerasTensor(*s) for s in specs[i]]
            try:
                return op.fn(*specs)
            except IndexError as error:
                raise beyond(op, error, operands) from error
            except (TypeError, ValueError) as error:
                if all(None not in s.shape for s in operands):
                    raise named(op, error) from error
                try:
                    return probes.inferred(op.fn, specs)
                except IndexError:
                    raise beyond(op, error, operands) from None
                except (TypeError, ValueError):
                    raise named(op, error) from None
    try:
        return _tensors_of(op.spec(*specs), op.out)
    except IndexError as error:
        raise beyond(op, error, operands) from error
    except (TypeError, ValueError) as error:
        raise named(op, error) from error.__cause__


def canonical_axis(op: Op, axis: Any, ndim: int, several: int = 1) -> Any:
    """Check an `axis` argument against the rank and make it non-negative."""
    if axis is None:
        return axis
    if isinstance(axis, (list, tuple)):
        axes = tuple(canonical_axis(op, a, ndim, len(axis)) for a in axis)
        if len(set(axes)) != len(axes) and not op.repeated_axes:
            raise ValueError(f"ops.{op.name}: `axis`={axis} names an axis twice.")
        return axes
    try:
        axis = axis.__index__()
    except (AttributeError, TypeError):
        raise TypeError(
            f"ops.{op.name}: `axis` must be an integer, a tuple of integers or None, not {axis!r}."
        ) from None
    rank = ndim + op.new_axes * several
    if not -rank <= axis < rank:
        raise ValueError(f"ops.{op.name}: `axis`={axis} is out of range for a tensor of {ndim} axes.")
    return axis % rank if rank else axis


def _tensors_of(spec: Any, dtype: str | None) -> Any:
    if isinstance(spec, Spec):
        return KerasTensor(spec.shape, dtype or spec.dtype)
    return type(spec)(_tensors_of(s, dtype) for s in spec)


# Ops whose public name is that of a function around them.
_NODE_NAMES = {"select_where": "where", "contract": "einsum"}


class OpCall(Operation):
    """One call of an op in a graph: the operation that a node holds.

    Attributes:
        op: the op.
        statics: its arguments that are not tensors, by name.
        numbers: the operands that are Python numbers or None, by name.
    """

    def __init__(self, op: Op, values: list[Any], name: str | None = None) -> None:
        from tricera.core import naming

        super().__init__(name or naming.auto_name(_NODE_NAMES.get(op.name, op.name)))
        self.op = op
        self.statics = {op.names[i]: values[i] for i in op.statics}
        plain = (int, float, bool, type(None))
        self.numbers = {op.names[i]: values[i] for i, _ in op.tensors if type(values[i]) in plain}

    def call(self, *tensors: Any) -> Any:
        """Call the op on other tensors, with the same static arguments."""
        arguments = {self.op.names[i]: t for (i, _), t in zip(self.op.tensors, tensors, strict=True)}
        return PUBLIC[self.op.name](**arguments, **self.statics)

    __call__ = call

    def get_config(self) -> dict[str, Any]:
        """The static arguments."""
        return {"name": self.name, **self.statics}


PUBLIC: dict[str, Callable[..., Any]] = {}


def named_leaves(op: Op, values: list[Any]) -> list[tuple[int, Any]]:
    """The operands, those in lists too, each with the place of its argument."""
    found: list[tuple[int, Any]] = []
    for i, kind in op.tensors:
        value = values[i]
        found += [(i, v) for v in (value if kind == "many" and isinstance(value, (list, tuple)) else (value,))]
    return [(i, v) for i, v in found if v is not None]


def leaves(op: Op, values: list[Any]) -> list[Any]:
    """The operands alone."""
    return [v for _, v in named_leaves(op, values)]


def beyond(op: Op, error: Exception, operands: list[Any]) -> Exception:
    """The error of a shape rule, or of a body on symbolic tensors, that looked at an axis or an entry that there is not."""
    if str(error).startswith("ops."):
        return error
    shapes = ", ".join(str(tuple(s.shape)) for s in operands)
    return ValueError(
        f"ops.{op.name}: operands of the shapes {shapes} have too few axes, or an option has too few entries."
    )


def named(op: Op, error: Exception) -> Exception:
    """The error of a shape rule, which several ops may share, with the name of the op before it."""
    if str(error).startswith("ops.") or type(error) not in (TypeError, ValueError):
        return error
    return type(error)(f"ops.{op.name}: {error}")

"""What is said of a failure: an error that names the op, its operands, and what is at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tricera.core import dispatch
from tricera.core.inference import as_spec, infer, leaves

if TYPE_CHECKING:
    from tricera.core.op import Op


def explain(op: Op, error: Exception, values: list[Any]) -> Exception:
    """After a failure: the shape rule's own message if the shapes are at fault, else the framework's error.

    What a framework says of bad input in an exception of its own becomes a ValueError or TypeError that names the op.
    """
    shapes = []
    for i, kind in op.tensors:
        value = values[i]
        for v in value if kind == "many" and isinstance(value, (list, tuple)) else (value,):
            if v is not None:
                spec = as_spec(op, v, i)
                shapes.append(f"{op.names[i]}: {spec.dtype}{list(spec.shape)}")
    note = f"In ops.{op.name} on {', '.join(shapes)}."
    if op.spec is not None and not str(error).startswith("ops."):
        try:
            infer(op, values)
        except (TypeError, ValueError) as better:
            better.__cause__ = error
            better.add_note(note)
            return better
    backend = next((b for b in map(dispatch.of, leaves(op, values)) if b is not None), dispatch.current())
    kind = backend.refusal(error)
    if kind is not None and not isinstance(error, kind) and not str(error).startswith("ops."):
        refused = kind(f"ops.{op.name}: {backend.name} refuses {', '.join(shapes)}: {first_line(error)}")
        refused.__cause__ = error
        return refused
    error.add_note(note)
    return error


def first_line(error: Exception) -> str:
    """What an error says in its first line, shortened."""
    said = str(error).strip().splitlines()
    return said[0][:300] if said else type(error).__name__

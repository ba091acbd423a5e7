"""Shapes with unknown lengths, inferred by trying several: what a body that needs to know them can't say by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tricera.core import tree
from tricera.core.tensor import KerasTensor

# Two lengths that most blocks and strides divide, and short ones that show what is limited from above (and may not do).
_LENGTHS, _SHORT = (24, 48), (1, 2, 3)


def inferred(fn: Callable[..., Any], arguments: list[Any]) -> Any:
    """What `fn` gives for symbolic arguments with unknown lengths: a length of the result that changes with them is unknown.

    All unknown lengths are taken for the same one; where that can't be, `fn` fails as it does for such shapes.
    """

    def shapes(length: int) -> Any:
        def known(x: Any) -> Any:
            if isinstance(x, KerasTensor):
                return KerasTensor(tuple(length if d is None else d for d in x.shape), x.dtype)
            return [known(v) for v in x] if isinstance(x, list) else x

        return fn(*map(known, arguments))

    outs = [shapes(n) for n in _LENGTHS]
    for n in _SHORT:
        try:
            outs.append(shapes(n))
        except (LookupError, TypeError, ValueError):  # too short: that says nothing
            continue

    def joined(*found: Any) -> KerasTensor:
        return KerasTensor(
            tuple(
                d if len({*dims}) == 1 else None
                for dims in zip(*(f.shape for f in found), strict=True)
                for d in dims[:1]
            ),
            found[0].dtype,
        )

    return tree.map_structure(joined, *outs)

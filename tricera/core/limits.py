"""A limit on what variables may take while a file is being loaded, so that a tiny file cannot claim all memory."""

from __future__ import annotations

import contextlib
import contextvars
import math
from collections.abc import Iterator, Sequence

from tricera.core import dtypes


class _Budget:
    __slots__ = ("allowed", "left")

    def __init__(self, allowed: int) -> None:
        self.allowed = self.left = allowed


_budget: contextvars.ContextVar[_Budget | None] = contextvars.ContextVar("tricera_budget", default=None)


@contextlib.contextmanager
def allocation_limit(nbytes: int) -> Iterator[None]:
    """Let variables made inside the block take `nbytes` together."""
    token = _budget.set(_Budget(nbytes))
    try:
        yield
    finally:
        _budget.reset(token)


def charge(shape: Sequence[int], dtype: str) -> None:
    """Count a variable that is about to be made.

    Raises:
        ValueError: it passes the limit that is open.
    """
    budget = _budget.get()
    if budget is None:
        return
    size = math.prod(int(n) for n in shape) * dtypes.numpy_dtype(dtype).itemsize
    if size > budget.left:
        raise ValueError(
            f"The file's config asks for a variable of shape {tuple(shape)} ({size:,} bytes), but the file holds weights for "
            f"variables of {budget.allowed:,} bytes at most. The config does not belong to these weights."
        )
    budget.left -= size

"""Where tensors are made."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tricera.core import dispatch


@contextlib.contextmanager
def device(device_name: Any) -> Iterator[None]:
    """Make tensors and run ops on a device of the current backend inside a `with` block.

    Args:
        device_name: `"cpu:0"`, `"gpu:1"`, ..., or the framework's own object for a device. On torch the choice holds for the
            whole process while the block is open.

    Raises:
        ValueError: the name is not of the form `"type"` or `"type:index"`.
        RuntimeError: there is no such device.

    Example:
        >>> from tricera import ops
        >>> with device("cpu:0"):
        ...     ops.ones((2,)).shape
        (2,)
    """
    if isinstance(device_name, str):
        kind, colon, index = device_name.partition(":")
        if not kind.isalpha() or (colon and not index.isdigit()):
            raise ValueError(f"device: expected a name such as 'cpu:0' or 'gpu:1', not {device_name!r}.")
        device_name = device_name.lower()
    with dispatch.current().control.device(device_name):
        yield

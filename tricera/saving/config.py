"""Object <-> config <-> JSON text, with the limits that a text from a stranger needs.

The first half, object <-> config, stands in `tricera.core.serialization`, on a floor that layers and models can use.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tricera.core.serialization import deserialize_keras_object, object_sharing, serialize_keras_object
from tricera.saving.archive import MAX_JSON, FileFormatError

MAX_DEPTH = 500
MAX_VALUES = 20_000_000
MAX_OBJECTS = 500_000
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)

__all__ = ["deserialize_keras_object", "from_text", "object_to_text", "serialize_keras_object", "to_text"]


def to_text(config: Any, indent: int | None = None) -> str:
    """A config as JSON.

    Raises:
        TypeError: it holds something that JSON does not know.
    """
    return json.dumps(config, indent=indent)


def object_to_text(obj: Any) -> str:
    """An object's config as JSON, in which objects met twice share an id."""
    with object_sharing():
        return to_text(serialize_keras_object(obj))


def from_text(text: bytes | str, label: str) -> Any:
    """JSON as a config.

    Args:
        text: the JSON.
        label: where it comes from, for messages.

    Raises:
        FileFormatError: it is not JSON, or too long, too deep or too many objects.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_JSON:
        raise FileFormatError(f"{label} is {len(data):,} bytes long; at most {MAX_JSON:,} are read.")
    check_size(data, label)
    try:
        return json.loads(data, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{label} is not JSON: {error}") from error


def check_size(data: bytes, label: str) -> None:
    """Refuse JSON that nests too deeply or holds too many values or objects, before it is parsed.

    Raises:
        FileFormatError: saying which limit is passed.
    """
    bare = _STRING.sub(b"", data)
    objects = bare.count(b"{")
    if objects > MAX_OBJECTS or bare.count(b",") + objects > MAX_VALUES:
        raise FileFormatError(f"{label} holds more than {MAX_OBJECTS:,} objects or {MAX_VALUES:,} values.")
    depth = 0
    for match in re.finditer(rb"[\[{]+|[\]}]+", bare):
        run = match.group()
        depth += len(run) if run[:1] in b"[{" else -len(run)
        if depth > MAX_DEPTH:
            raise FileFormatError(f"{label} is nested more than {MAX_DEPTH} deep.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found

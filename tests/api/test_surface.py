"""The public face is the golden list, and covers so many of Keras's names."""

from __future__ import annotations

import difflib
import importlib
from collections import Counter

from tests.api.surface import GOLDEN, KERAS_NAMES, surface

# How many of Keras 3.15.1's public names are there. It only goes up: raise it when names are added.
PRESENT = 1243


def test_surface_is_golden() -> None:
    golden, now = GOLDEN.read_text(encoding="utf-8").splitlines(), surface()
    changes = [
        line for line in difflib.unified_diff(golden, now, "surface.txt", "now", lineterm="", n=0) if line[0] in "+-"
    ]
    assert not changes, "\n".join(
        ["the public face changed; if so intended: python -m tests.api.surface --update", *changes[:60]]
    )


def present(name: str) -> bool:
    module, _, attribute = f"tricera.{name}".rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        # The last part but one may be a class.
        outer, _, cls = module.rpartition(".")
        try:
            return hasattr(getattr(importlib.import_module(outer), cls, None), attribute)
        except ModuleNotFoundError:
            return False


def test_names_of_keras(capsys) -> None:
    rows = [
        row.split("\t")[0] for row in KERAS_NAMES.read_text(encoding="utf-8").splitlines() if not row.startswith("#")
    ]
    wanted = Counter(name.rpartition(".")[0].partition(".")[0] or "(top)" for name in rows)
    found = Counter(name.rpartition(".")[0].partition(".")[0] or "(top)" for name in rows if present(name))
    with capsys.disabled():
        print(f"\n{found.total()} of Keras's {wanted.total()} public names:", end=" ")
        print(", ".join(f"{space} {found[space]}/{wanted[space]}" for space in sorted(wanted)))
    assert len(rows) == 1429
    assert found.total() >= PRESENT

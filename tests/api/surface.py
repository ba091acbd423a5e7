"""The public face as text: a line a name, with its signature.

    python -m tests.api.surface --update      writes tests/api/surface.txt

Run it after adding or changing a public name, and look at the difference before committing it.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import types
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("surface.txt")
KERAS_NAMES = Path(__file__).with_name("keras_api.tsv")


def namespaces() -> list[str]:
    """The root, its modules, and Keras's namespaces below them as far as they are there."""
    import tricera

    names = {"", *tricera._MODULES} - {"compat", "training"}
    for row in KERAS_NAMES.read_text(encoding="utf-8").splitlines():
        name = row.split("\t")[0].rpartition(".")[0]
        if not row.startswith("#") and name.partition(".")[0] in names:
            try:
                importlib.import_module(f"tricera.{name}".rstrip("."))
            except ModuleNotFoundError:
                continue
            names.add(name)
    return sorted(names)


def public_names(namespace: str) -> dict[str, Any]:
    """A namespace's `__all__`, or, without one, what it holds that was defined in Tricera."""
    module = importlib.import_module(f"tricera.{namespace}".rstrip("."))
    names = getattr(module, "__all__", None)
    if names is None:
        root = f"tricera.{namespace}"
        names = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            and getattr(value, "__module__", None) is not None
            and value.__module__.startswith(root)
        ]
    return {name: getattr(module, name) for name in names}


def signature(value: Any) -> str:
    if isinstance(value, types.ModuleType):
        return " module"
    if not callable(value):
        return f": {type(value).__name__}"
    try:
        text = str(inspect.signature(value))
    except (TypeError, ValueError):
        text = "(...)"
    # Default values that are objects show addresses.
    return text if " at 0x" not in text else "(...)"


def surface() -> list[str]:
    lines = []
    for namespace in namespaces():
        for name, value in public_names(namespace).items():
            if name != "__version__":
                lines.append(f"{namespace}.{name}".lstrip(".") + signature(value))
    return sorted(set(lines))


def main() -> None:
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    os.environ["TRICERA_BACKEND"] = "numpy"
    GOLDEN.write_text("\n".join(surface()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

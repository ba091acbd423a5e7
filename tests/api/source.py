"""The package's source as syntax trees, for the tests of this folder: nothing is imported."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[2] / "tricera"


class Module(NamedTuple):
    """One file: its dotted name below `tricera`, its text and its tree."""

    name: str
    text: str
    tree: ast.Module


class Import(NamedTuple):
    """One imported module, and whether it is imported when the file is (not inside a function)."""

    importer: str
    imported: str
    at_once: bool
    line: int


@functools.cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        found.append(Module(name, text, ast.parse(text)))
    return tuple(found)


def imports() -> Iterator[Import]:
    """Every import but those for type checkers; `from tricera.a import b` counts as `tricera.a.b` where that is a module."""
    names = {f"tricera.{m.name}".rstrip(".") for m in modules()}
    for module in modules():
        for node, at_once in _import_nodes(module.tree, True):
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            else:
                assert node.level == 0, f"{module.name}: relative import in line {node.lineno}"
                whole = [f"{node.module}.{alias.name}" for alias in node.names]
                targets = [w if w in names else str(node.module) for w in whole]
            for target in dict.fromkeys(targets):
                yield Import(module.name, target, at_once, node.lineno)


def _import_nodes(tree: ast.AST, at_once: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node, at_once
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        else:
            yield from _import_nodes(node, at_once and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def public_functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """(qualified name, node, whether it is a method) of the public functions and methods outside the backends."""
    for module in modules():
        if module.name.startswith(("backends.", "compat.child")) or any(
            p.startswith("_") for p in module.name.split(".") if p
        ):
            continue
        for node in module.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
                yield f"{module.name}.{node.name}", node, False
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                for inner in node.body:
                    if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and not inner.name.startswith("_"):
                        yield f"{module.name}.{node.name}.{inner.name}", inner, True


def all_functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"{module.name}:{node.name}", node

"""Budgets and manners of the source: lengths, annotations, docstrings."""

from __future__ import annotations

import ast
import statistics

from tests.api.source import all_functions, modules, public_functions

LONGEST_FILE = 600
LONGEST_FUNCTION = 60
# Rooms that should be split, and why they aren't; strict, so that the entry goes when the file is.
TOO_LONG: dict[str, str] = {"ops": "an index: two lists of all names"}


def test_file_lengths() -> None:
    lengths = {m.name: m.text.count("\n") for m in modules()}
    long = {n: k for n, k in lengths.items() if k > LONGEST_FILE}
    assert long.keys() == TOO_LONG.keys(), f"split into two, or no longer in TOO_LONG: {long}"
    assert statistics.median(lengths.values()) <= 150


def test_function_lengths() -> None:
    long = []
    for name, node in all_functions():
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if body and (body[-1].end_lineno or 0) - body[0].lineno + 1 > LONGEST_FUNCTION:
            long.append(name)
    assert not long


def test_public_functions_are_annotated() -> None:
    wrong = []
    for name, node, method in public_functions():
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
        if method and not static:
            arguments = arguments[1:]
        arguments += [a for a in (node.args.vararg, node.args.kwarg) if a is not None]
        if node.returns is None or any(a.annotation is None for a in arguments):
            wrong.append(name)
    assert not wrong


def test_public_functions_and_classes_have_docstrings() -> None:
    wrong = []
    for name, node, method in public_functions():
        if ast.get_docstring(node) is None and not (method and _overrides(node)):
            wrong.append(name)
    for module in modules():
        if ast.get_docstring(module.tree) is None:
            wrong.append(f"{module.name} (module)")
        if module.name.startswith("backends."):
            continue
        wrong += [
            f"{module.name}.{node.name}"
            for node in module.tree.body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and ast.get_docstring(node) is None
        ]
    assert not wrong


def _overrides(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Methods that every class of a family has; the family's base class describes them."""
    return node.name in {
        "build", "call", "get_config", "from_config", "compute_output_shape", "compute_output_spec", "compute_mask",
        "result", "update_state", "reset_state", "update_step", "reset",
    } or node.name.startswith("on_") or any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in node.decorator_list)  # fmt: skip


def test_future_annotations_everywhere() -> None:
    wrong = [m.name for m in modules() if m.tree.body[1:] and "from __future__ import annotations" not in m.text]
    assert not wrong

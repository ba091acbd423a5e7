"""The import rule: a room imports only from floors below it; each framework only in its own backend."""

from __future__ import annotations

import ast

from tests.api.source import imports, modules

# From the ground up. Rooms of one line stand side by side and don't import each other. `Model` is a `Trainer`, so the
# training loop stands below the models; it is handed what it trains.
FLOORS = [
    ["core"],
    ["backends"],
    ["backend", "ops", "tree", "autodiff"],
    ["random", "dtype_policies"],
    ["activations", "constraints", "regularizers", "initializers"],
    ["losses"],
    ["metrics", "optimizers"],
    ["layers"],
    ["utils"],
    ["callbacks"],
    ["training"],
    ["models"],
    ["saving"],
    ["datasets"],
    ["utils.dataset_utils"],  # splits what the data adapters of training take apart; nothing below needs it
    ["config", "mixed_precision", "preprocessing"],
    ["compat"],
    [""],  # the face
    ["__main__"],
]
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

# Imports inside functions that go up, and why they can't be avoided: importer's room -> imported room.
UPWARD = {
    ("ops", "random"): "an elastic transform draws its own noise, as Keras has it among the ops",
    ("core", "ops"): "the operators of variables and symbolic tensors are ops, which are loaded with the first of them",
    ("models", "saving"): "`model.save()` and pickling are methods of Model",
    ("compat", ""): "the face is what is put in Keras's place",
}
FRAMEWORKS = {"jax": "jax", "jaxlib": "jax", "torch": "torch", "tensorflow": "tensorflow"}


def room(name: str) -> str:
    return name if name in LEVEL else name.partition(".")[0]


def test_every_room_has_a_floor() -> None:
    unknown = {room(m.name) for m in modules()} - LEVEL.keys()
    assert not unknown, f"give these rooms a floor in FLOORS: {sorted(unknown)}"


def test_imports_go_down() -> None:
    wrong, used = [], set()
    for item in imports():
        if item.imported.partition(".")[0] != "tricera":
            continue
        above, below = room(item.importer), room(item.imported.partition(".")[2])
        if above == below or LEVEL[below] < LEVEL[above]:
            continue
        if not item.at_once and (above, below) in UPWARD:
            used.add((above, below))
            continue
        wrong.append(f"tricera.{item.importer}, line {item.line}: imports {item.imported}")
    assert not wrong, "\n".join(wrong)
    assert used == UPWARD.keys(), f"no longer needed in UPWARD: {UPWARD.keys() - used}"


def test_frameworks_are_imported_by_their_backends_alone() -> None:
    wrong = []
    for item in imports():
        framework = FRAMEWORKS.get(item.imported.partition(".")[0])
        if framework is not None and not f"{item.importer}.".startswith(f"backends.{framework}."):
            wrong.append(f"tricera.{item.importer}, line {item.line}: imports {item.imported}")
    assert not wrong, "\n".join(wrong)


def test_no_backend_imports_another() -> None:
    wrong = []
    for item in imports():
        own, other = item.importer.split("."), item.imported.split(".")
        if own[0] == "backends" and len(own) > 1 and other[:2] == ["tricera", "backends"] and len(other) > 2:
            if other[2] not in (own[1], "table", "contract"):
                wrong.append(f"tricera.{item.importer}, line {item.line}: imports {item.imported}")
    assert not wrong, "\n".join(wrong)


def test_nothing_outside_the_backends_asks_which_one_it_is() -> None:
    names = {"jax", "torch", "tensorflow"}
    # `of` this list is where names of backends are what the module is about.
    allowed = {"core.dispatch", "utils.dataset_utils"}
    wrong = []
    for module in modules():
        if module.name.startswith("backends.") or module.name in allowed:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                words = {
                    c.value
                    for side in sides
                    for c in ast.walk(side)
                    if isinstance(c, ast.Constant) and isinstance(c.value, str)
                }
                asks = any(
                    isinstance(n, ast.Attribute) and n.attr in ("name", "backend", "_backend")
                    for s in sides
                    for n in ast.walk(s)
                )
                asks |= any(
                    isinstance(n, ast.Call) and "backend" in ast.dump(n.func) for s in sides for n in ast.walk(s)
                )
                if asks and words & names:
                    wrong.append(f"tricera.{module.name}, line {node.lineno}")
    assert not wrong, "\n".join(wrong)

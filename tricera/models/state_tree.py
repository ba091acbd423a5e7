"""A model's state as nested dicts, by the variables' paths."""

from __future__ import annotations

from typing import Any

from tricera.core.variable import Variable

_PARTS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")


def _variables(model: Any, part: str) -> list[Variable]:
    if part == "optimizer_variables":
        return list(model.optimizer.variables) if getattr(model, "optimizer", None) is not None else []
    return list(getattr(model, part))


def state_tree(model: Any, value_format: str = "backend_tensor") -> dict[str, Any]:
    """All state of a model as nested dicts.

    Raises:
        ValueError: an unknown format.
    """
    if value_format not in ("backend_tensor", "numpy_array"):
        raise ValueError(f"`value_format` must be 'backend_tensor' or 'numpy_array', not {value_format!r}.")
    out: dict[str, Any] = {}
    for part in _PARTS:
        branch: dict[str, Any] = {}
        for variable in _variables(model, part):
            *folders, leaf = variable.path.split("/")
            node = branch
            for folder in folders:
                node = node.setdefault(folder, {})
            node[leaf] = variable.value if value_format == "backend_tensor" else variable.numpy()
        out[part] = branch
    return out


def set_state_tree(model: Any, tree: dict[str, Any]) -> None:
    """Assign what `state_tree` gave; all paths are checked before anything is assigned.

    Raises:
        ValueError: an unknown part or path.
    """
    pairs = []
    for part, branch in tree.items():
        if part not in _PARTS:
            raise ValueError(f"The state tree has the part {part!r}; expected one of {_PARTS}.")
        for variable in _variables(model, part):
            node: Any = branch
            for step in variable.path.split("/"):
                if not isinstance(node, dict) or step not in node:
                    raise ValueError(f"The state tree has no value for {part}/{variable.path}.")
                node = node[step]
            pairs.append((variable, node))
    for variable, value in pairs:
        variable.assign(value)

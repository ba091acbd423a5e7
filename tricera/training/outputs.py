"""What belongs to each output of a model: its name, its target, its weight, and its entry in an argument of `compile`."""

from __future__ import annotations

from typing import Any

from tricera.core import tree


def outputs_of(structure: Any, output_names: list[str] | None) -> tuple[list[Any], list[str]]:
    """The outputs of a model, flat, and a name for each: a dict's keys, those of a functional model, or `"output_0"`, ..."""
    if hasattr(structure, "shape"):
        return [structure], list(output_names) if output_names is not None and len(output_names) == 1 else ["output_0"]
    if isinstance(structure, dict) and all(not tree.is_nested(v) for v in structure.values()):
        keys = sorted(structure)
        return [structure[k] for k in keys], [str(k) for k in keys]
    flat = tree.flatten(structure)
    named = output_names or [] if _named(flat, output_names) else [f"output_{i}" for i in range(len(flat))]
    return flat, list(named)


def _named(flat: list[Any], output_names: list[str] | None) -> bool:
    return output_names is not None and len(output_names) == len(flat)


def prefixes_of(structure: Any, output_names: list[str] | None) -> list[str]:
    """What the names of each output's metrics begin with: nothing where there is one output, or where they have no names."""
    flat, names = outputs_of(structure, output_names)
    named = isinstance(structure, dict) and len(names) == len(structure)
    return (
        [f"{name}_" for name in names] if len(flat) > 1 and (named or _named(flat, output_names)) else [""] * len(flat)
    )


def paths_of(structure: Any, output_names: list[str] | None) -> list[tuple[str, str | None]]:
    """For each output where it lies, as `"a/0/"`, and its own name there; None where it is one of a list without names."""
    found: list[tuple[str, str | None]] = []
    for index, (path, _) in enumerate(tree.flatten_with_path(structure)):
        at: Any = structure
        for key in path[:-1]:
            at = at[key]
        lead = "".join(f"{key}/" for key in path[:-1])
        if path and isinstance(at, dict):
            found.append((lead, str(path[-1])))
        else:
            found.append(
                (lead, output_names[index] if output_names is not None and index < len(output_names) else None)
            )
    return found


def spread(value: Any, y_pred: Any, names: list[str], what: str, single: bool = False) -> list[Any]:
    """One entry an output, from one value for all, or lists and dicts like the outputs', or by the outputs' names.

    Args:
        value: what `compile` was given.
        y_pred: the outputs.
        names: the outputs' names.
        what: `"loss"`, ... for messages.
        single: whether a list that is not one entry an output means a list for the only output.

    Raises:
        ValueError: an unknown name, or a list of another length.
    """
    count = len(names)
    if isinstance(value, dict) and not _fits(value, y_pred):
        unknown = [k for k in value if k not in names]
        if unknown:
            known = sorted(y_pred) if isinstance(y_pred, dict) else names
            raise ValueError(
                f"`{what}` names the outputs {unknown}, which the model does not have. Its outputs are {known}."
            )
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)) and single and count == 1:
        return [value[0] if len(value) == 1 and isinstance(value[0], (list, tuple)) else list(value)]
    if isinstance(value, (list, tuple)) and hasattr(y_pred, "shape"):
        return [value[0] if len(value) == 1 else list(value)]
    return _along(value, y_pred, names, what)


def _fits(value: dict[Any, Any], y_pred: Any) -> bool:
    return isinstance(y_pred, dict) and all(key in y_pred for key in value)


def _along(value: Any, node: Any, names: list[str], what: str) -> list[Any]:
    if not tree.is_nested(node):
        return [value]
    count = len(tree.flatten(node))
    if isinstance(node, dict) and isinstance(value, dict):
        if not _fits(value, node):
            unknown = [k for k in value if k not in node]
            raise ValueError(f"`{what}` has the keys {unknown} where the outputs have {sorted(node)}.")
        return [entry for key in sorted(node) for entry in _along(value.get(key), node[key], names, what)]
    if isinstance(value, (list, tuple)):
        if not isinstance(node, dict) and len(value) == len(node):
            return [entry for v, n in zip(value, node, strict=True) for entry in _along(v, n, names, what)]
        for flat in (list(value), tree.flatten(value)):
            if len(flat) == count:
                return flat
        raise ValueError(
            f"`{what}` has {len(value)} entries, but the model has {len(names)} outputs ({', '.join(names)})."
        )
    if isinstance(value, dict):
        raise ValueError(
            f"`{what}` has a dict with the keys {sorted(value)} where the outputs have a {type(node).__name__}."
        )
    return [value] * count


def targets_of(y: Any, y_pred: Any, names: list[str]) -> list[Any]:
    """One target an output; None where a dict has none.

    Raises:
        ValueError: the targets are others than the outputs.
    """
    if y is None:
        return [None] * len(names)
    if len(names) == 1 and hasattr(y, "shape"):
        return [y]
    if isinstance(y, dict) and not isinstance(y_pred, dict) and not (len(names) == 1 and names[0] not in y):
        missing = [n for n in names if n not in y]
        if missing:
            raise ValueError(f"The targets are a dict with the keys {sorted(y)}; the model's outputs are {names}.")
        return [y[n] for n in names]
    if isinstance(y, dict) and isinstance(y_pred, dict):
        known = {key: value for key, value in y.items() if key in y_pred}
        if any(tree.is_nested(v) for v in y_pred.values()):
            return _along(known, y_pred, names, "y")
        return [known.get(key) for key in sorted(y_pred)]
    flat = tree.flatten(y)
    if len(flat) != len(names):
        raise ValueError(
            f"The model has {len(names)} outputs ({', '.join(names)}), but {len(flat)} targets were given."
        )
    return flat


def weights_of(sample_weight: Any, y_pred: Any, names: list[str]) -> list[Any]:
    """One array of sample weights an output: one serves all, and None is left where a dict has none."""
    if sample_weight is None or hasattr(sample_weight, "shape"):
        return [sample_weight] * len(names)
    if isinstance(sample_weight, dict):
        return spread(sample_weight, y_pred, names, "sample_weight")
    flat = tree.flatten(sample_weight)
    return flat * len(names) if len(flat) == 1 else flat

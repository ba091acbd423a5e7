"""Nested structures of tensors (lists, tuples, dicts, named tuples), over optree.

Dicts are walked in the order of their sorted keys, as everywhere in Keras; None is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import optree


class MAP_TO_NONE:
    """Returned from the function given to `traverse` to put None in the place of a structure."""


def is_nested(structure: Any) -> bool:
    """Whether the structure is a container rather than a leaf.

    Example:
        >>> is_nested([1]), is_nested(1)
        (True, False)
    """
    return not optree.tree_is_leaf(structure, none_is_leaf=True)


def flatten(structure: Any) -> list[Any]:
    """The leaves in order.

    Example:
        >>> flatten({"b": 2, "a": [1, None]})
        [1, None, 2]
    """
    return optree.tree_leaves(structure, none_is_leaf=True)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs of (path, leaf), a path being the tuple of keys and indices that lead to the leaf."""
    paths, leaves, _ = optree.tree_flatten_with_path(structure, none_is_leaf=True)
    return list(zip(paths, leaves, strict=True))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Apply `func` to each leaf (or to the corresponding leaves of several structures).

    Raises:
        TypeError: `func` is not callable.
        ValueError: no structure is given, or the structures differ.

    Example:
        >>> map_structure(lambda a, b: a + b, {"x": 1}, {"x": 2})
        {'x': 3}
    """
    if not callable(func):
        raise TypeError(f"`func` must be callable, not {type(func).__name__}.")
    if not structures:
        raise ValueError("`map_structure` needs at least one structure.")
    if not none_is_leaf:
        inner = func

        def func(*leaves: Any) -> Any:
            return None if all(leaf is None for leaf in leaves) else inner(*leaves)

    return optree.tree_map(func, *structures, none_is_leaf=True)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Apply `func` at the leaves of `shallow_structure`, whatever lies deeper in `structures`."""
    spec = optree.tree_structure(shallow_structure, none_is_leaf=True)
    flat = [spec.flatten_up_to(structure) for structure in structures]
    return spec.unflatten(func(*leaves) for leaves in zip(*flat, strict=True))


def map_shape_structure(func: Callable[..., Any], structure: Any) -> Any:
    """Apply `func` to each shape; a list or tuple of ints and Nones is one shape."""
    return optree.tree_map(func, structure, is_leaf=is_shape_tuple, none_is_leaf=True)


def is_shape_tuple(x: Any) -> bool:
    """Whether `x` is a list or tuple of ints and Nones, that is, one shape."""
    return isinstance(x, (list, tuple)) and all(e is None or isinstance(e, int) for e in x)


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """Put the leaves `flat_sequence` into the form of `structure`.

    Raises:
        ValueError: the number of leaves differs.

    Example:
        >>> pack_sequence_as({"a": 0, "b": [0]}, [1, 2])
        {'a': 1, 'b': [2]}
    """
    leaves = list(flat_sequence)
    spec = optree.tree_structure(structure, none_is_leaf=True)
    if spec.num_leaves != len(leaves):
        raise ValueError(f"The structure has {spec.num_leaves} leaves, but {len(leaves)} were given: {structure}.")
    return optree.tree_unflatten(spec, leaves)


def lists_to_tuples(structure: Any) -> Any:
    """The same structure with tuples in the place of lists."""

    def visit(node: Any) -> Any:
        return tuple(lists_to_tuples(e) for e in node) if isinstance(node, list) else None

    return traverse(visit, structure)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Visit every node. `func` returns None to go on, `MAP_TO_NONE` for None, or what stands in the node's place.

    Args:
        func: called with each node, containers included.
        structure: what to walk.
        top_down: visit a container before (else after) what it holds.
    """
    if top_down:
        result = func(structure)
        if result is not None:
            return None if result is MAP_TO_NONE else result
    if is_nested(structure):
        children = optree.tree_leaves(structure, is_leaf=_below(structure), none_is_leaf=True)
        structure = _rebuild(structure, [traverse(func, child, top_down) for child in children])
    if top_down:
        return structure
    result = func(structure)
    return structure if result is None else None if result is MAP_TO_NONE else result


def _below(root: Any) -> Callable[[Any], bool]:
    return lambda x: x is not root


def _rebuild(node: Any, children: list[Any]) -> Any:
    spec = optree.tree_structure(node, is_leaf=lambda x: x is not node, none_is_leaf=True)
    return optree.tree_unflatten(spec, children)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise ValueError unless both structures have the same containers, keys and lengths.

    Lists and tuples count as different, as do a dict and a list; `check_types` is accepted for compatibility.
    """

    def compare(x: Any, y: Any, where: str) -> None:
        if is_nested(x) != is_nested(y):
            raise ValueError(f"The structures differ at {where or 'the root'}: {x!r} and {y!r}.")
        if not is_nested(x):
            return
        if isinstance(x, dict) and isinstance(y, dict):
            if x.keys() != y.keys():
                raise ValueError(f"The keys differ at {where or 'the root'}: {sorted(x)} and {sorted(y)}.")
            pairs = [(key, x[key], y[key]) for key in x]
        else:
            if type(x) is not type(y):
                raise ValueError(f"The types differ at {where or 'the root'}: {type(x)} and {type(y)}.")
            if len(x) != len(y):
                raise ValueError(f"The lengths differ at {where or 'the root'}: {len(x)} and {len(y)}.")
            pairs = [(i, p, q) for i, (p, q) in enumerate(zip(x, y, strict=True))]
        for key, p, q in pairs:
            compare(p, q, f"{where}[{key!r}]")

    compare(a, b, "")


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise ValueError unless the leaves of both structures lie at the same paths, whatever the containers' types."""
    p, q = ({path for path, _ in flatten_with_path(s)} for s in (a, b))
    if p != q:
        raise ValueError(
            f"The paths differ: only in the first {sorted(p - q, key=str)}, only in the second {sorted(q - p, key=str)}."
        )


def leaves_of(*structures: Any) -> list[Any]:
    """The leaves of all the structures, one after the other."""
    return [leaf for structure in structures for leaf in flatten(structure)]

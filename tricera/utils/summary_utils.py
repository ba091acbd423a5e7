"""`print_summary`: a model as a table of its layers."""

from __future__ import annotations

import fnmatch
import io
import math
import shutil
from collections.abc import Callable
from typing import Any

from rich.box import HEAVY_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tricera.core import dtypes, tree
from tricera.core.graph import public_class
from tricera.core.op import OpCall
from tricera.utils.io_utils import print_msg

# Where columns end, as fractions of the width; the widest that a table gets by itself.
_PLAIN = ([0.45, 0.80, 1.0], 88)
_CONNECTED = ([0.3, 0.56, 0.74, 1.0], 108)
_TRAINABLE_SHARE, _TRAINABLE_WIDTH = 0.9, 12


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Print a table of a model's layers.

    Args:
        model: the model.
        line_length: the width of the table; default: what the terminal holds, within limits.
        positions: where the columns end, as fractions of the width or as columns.
        print_fn: called with the text in the place of printing.
        expand_nested: show the layers of nested models.
        show_trainable: add a column that says whether a layer's weights are trained.
        layer_range: the names, or patterns with `*`, of the first and the last layer to show.

    Raises:
        ValueError: `layer_range` names no layer.
    """
    connected = not _is_chain(model)
    fractions, widest = _CONNECTED if connected else _PLAIN
    if show_trainable:
        fractions, widest = [f * _TRAINABLE_SHARE for f in fractions] + [1.0], widest + _TRAINABLE_WIDTH
    width = line_length or min(shutil.get_terminal_size().columns - 4, widest)
    ends = list(positions or fractions)
    if ends[-1] <= 1:
        ends = [int(width * e) for e in ends]
    ends[-1] = width
    table = Table(width=width, show_lines=True, box=HEAVY_HEAD)
    heads = [("Layer (type)", "left"), ("Output Shape", "left"), ("Param #", "right")]
    heads += [("Connected to", "left")] if connected else []
    heads += [("Trainable", "center")] if show_trainable else []
    for (head, side), begin, end in zip(heads, [0, *ends], ends, strict=False):
        table.add_column(f"[bold]{head}[/bold]", justify=side, width=end - begin)  # type: ignore[arg-type]
    inside = {id(node) for node in getattr(model, "_nodes", ())}
    for row in _rows(_shown(model, connected, layer_range), 0, expand_nested, connected, show_trainable, inside):
        table.add_row(*row)
    _print(model, table, width, print_fn)


def _print(model: Any, table: Table, width: int, print_fn: Callable[[str], Any] | None) -> None:
    if print_fn is None:
        console = Console(highlight=False, width=max(width, 20))
        with console.capture() as capture:
            _write(console, model, table)
        print_msg(capture.get(), line_break=False)
        return
    file = io.StringIO()
    _write(Console(highlight=False, width=max(width, 20), file=file, force_terminal=False, color_system=None), model, table)
    try:
        print_fn(file.getvalue())
    except UnicodeEncodeError:
        print_fn(file.getvalue().encode("ascii", "replace").decode())


def _write(console: Console, model: Any, table: Table) -> None:
    console.print(f'[bold]Model: "{escape(model.name)}"[/bold]', soft_wrap=True)
    console.print(table)
    trainable, frozen = _unique(model.trainable_variables), _unique(model.non_trainable_variables)
    optimizer = getattr(model, "optimizer", None)
    slots = list(optimizer.variables) if optimizer is not None and optimizer.built else []
    # The states of seeds are no weights.
    frozen = [v for v in frozen if any(v is w for w in model.weights)]
    lines = [("Total params", [*trainable, *frozen, *slots]), ("Trainable params", trainable), ("Non-trainable params", frozen)]
    lines += [("Optimizer params", slots)] if slots else []
    for what, variables in lines:
        count = sum(v.numel() for v in variables)
        console.print(f"[bold] {what}: [/bold]{count:,} ({readable_size(_bytes(variables))})", soft_wrap=True)


def _unique(variables: Any) -> list[Any]:
    return list({id(v): v for v in variables}.values())


def _bytes(variables: Any) -> int:
    bits = sum(v.numel() * dtypes.numpy_dtype(v.dtype).itemsize * 8 for v in variables)
    return math.ceil(bits / 8)


def readable_size(size: float) -> str:
    """A number of bytes with its unit.

    Example:
        >>> readable_size(2048)
        '2.00 KB'
    """
    units = ("B", "KB", "MB", "GB", "TB", "PB")
    index = min(int(math.log(size, 1024)), len(units) - 1) if size >= 1 else 0
    return f"{size / 1024**index:.2f} {units[index]}"


def _is_chain(model: Any) -> bool:
    """Whether each layer but the first has just the one before it as its input, so that no connections need to be shown."""
    nodes = getattr(model, "_nodes", None)
    if nodes is None:
        return True
    inside = {id(n) for n in nodes}
    uses: dict[int, int] = {}
    for node in nodes:
        if len(node.input_tensors) > 1:
            return False
        if sum(id(n) in inside for n in node.operation._inbound_nodes) > 1:
            return False
        for tensor in node.input_tensors:
            uses[id(tensor)] = uses.get(id(tensor), 0) + 1
    return len(model.inputs) == 1 and all(n == 1 for n in uses.values())


def _shown(model: Any, connected: bool, layer_range: Any) -> list[Any]:
    layers = list(getattr(model, "_operations", None) or model.layers)
    if layer_range is None:
        return layers
    if len(layer_range) != 2 or not all(isinstance(p, str) for p in layer_range):
        raise ValueError(f"`layer_range` must hold two layer names (or patterns); got {layer_range!r}.")
    found = [[i for i, x in enumerate(layers) if fnmatch.fnmatch(x.name, p) or x.name.startswith(p.rstrip(".*"))] for p in layer_range]
    if not found[0] or not found[1]:
        raise ValueError(f"`layer_range` {layer_range!r} names no layers of the model. It has: {', '.join(x.name for x in layers)}.")
    return layers[min(found[0]) : max(found[1]) + 1]


def _rows(layers: list[Any], level: int, expand: bool, connected: bool, show_trainable: bool, inside: set[int]) -> Any:
    for layer in layers:
        prefix = f"{'   ' * level}└ " if level else ""
        row = [f"{prefix}{escape(layer.name)} ({_type(layer)})", _shape(layer), _count(layer)]
        if connected:
            row.append("-" if level else _connections(layer, inside))
        if show_trainable:
            weights = getattr(layer, "weights", ())
            row.append(("Y" if layer.trainable else "N") if weights else "-")
        yield row
        nested = getattr(layer, "layers", None)
        if expand and nested:
            yield from _rows([x for x in nested if _type(x) != "InputLayer"], level + 1, expand, connected, show_trainable, set())


def _type(layer: Any) -> str:
    if isinstance(layer, OpCall):
        return "".join(part.capitalize() for part in layer.op.name.split("_"))
    return public_class(layer).__name__


def _shape(layer: Any) -> str:
    nodes = layer._inbound_nodes
    if nodes:
        shapes = [str(t.shape) for t in nodes[-1].outputs]
        return shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"
    shapes_of_build = getattr(layer, "_build_shapes_dict", None)
    if not layer.built or not shapes_of_build:
        return "?"
    try:
        shape = layer.compute_output_shape(*shapes_of_build.values())
    except (TypeError, ValueError, NotImplementedError):
        return "?"  # the shape can't be told from how the layer was built
    flat = tree.flatten(tree.map_shape_structure(str, shape))
    return flat[0] if len(flat) == 1 else f"[{', '.join(flat)}]"


def _count(layer: Any) -> str:
    if isinstance(layer, OpCall):
        return "0"
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _connections(layer: Any, inside: set[int]) -> str:
    links = []
    for node in layer._inbound_nodes:
        if inside and id(node) not in inside:
            continue
        for tensor in node.input_tensors:
            operation, node_index, tensor_index = tensor._keras_history
            links.append(f"{operation.name}[{node_index}][{tensor_index}]")
    return escape(", ".join(links)) if links else "-"

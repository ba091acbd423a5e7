"""`print_summary`: the table of a model's layers, laid out as Keras users know it.

What goes into the table (`summary_rows`, `is_sequential_like`, ...) is kept apart from how it is drawn, which is rich's work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tricera.core.graph import Node, public_class
from tricera.core.inference import OpCall
from tricera.core.op_names import op_config
from tricera.utils.io_utils import print_msg

# Where the columns end, as parts of the line, and the widest line that is chosen unasked.
_PLAIN = ((0.45, 0.80, 1.0), 88)
_CONNECTED = ((0.3, 0.56, 0.74, 1.0), 108)
_TRAINABLE_PART = 0.1  # of the line goes to the column `Trainable`, which widens a line by 12 columns
_TRAINABLE_EXTRA = 12
_NARROWEST = 4
_COLORS = {"class": "color(33)", "none": "color(45)", "number": "color(34)"}


class Row(NamedTuple):
    """A layer or op as the table shows it.

    Attributes:
        depth: in how many nested models it stands.
        name: of the layer.
        class_name: of its class, as the user knows it.
        shape: of the outputs, as text; `?` where it isn't known yet.
        params: the number of elements of the weights, with a remark for layers that are not built.
        connected: the tensors that it is called on, as `layer[call][output]`.
        trainable: `Y`, `N`, or `-` for layers without weights.
    """

    depth: int
    name: str
    class_name: str
    shape: str
    params: str
    connected: str
    trainable: str


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print a table of a model's layers, their output shapes and their numbers of parameters, and the totals.

    Args:
        model: the model.
        line_length: the width of the table. Default: what the terminal has room for, up to 88 columns (108 with
            `Connected to`; 12 more with `Trainable`).
        positions: where each column ends, as fractions of the line. Default: `[0.45, 0.80, 1.0]`, or
            `[0.3, 0.56, 0.74, 1.0]` for models that are not a chain of layers.
        print_fn: called once with the whole text in the place of printing.
        expand_nested: show the layers of nested models below each.
        show_trainable: add a column that says whether a layer is trainable.
        layer_range: two names, or regular expressions that match the beginning of names: the first and the last layer to show.

    Raises:
        ValueError: `layer_range` isn't a pair of strings or matches no layer, there are too few `positions`, or the line
            is too narrow for the columns.

    Example:
        >>> import tricera
        >>> model = tricera.Sequential([tricera.Input((4,)), tricera.layers.Dense(2, name="out")], name="small")
        >>> model.summary(print_fn=lambda text: print(text.splitlines()[-3]))
         Total params: 10 (40.00 B)
    """
    connected = not is_sequential_like(model)
    fractions, widest = _CONNECTED if connected else _PLAIN
    console = (
        Console(highlight=False, force_terminal=False, color_system=None) if print_fn else Console(highlight=False)
    )
    if show_trainable:
        widest += _TRAINABLE_EXTRA
    asked = line_length
    if not line_length:
        line_length = min(console.width - 4, widest)
    widths = column_widths(fractions if positions is None else positions, line_length, 3 + connected, show_trainable)
    if asked and not console.is_terminal:
        # A file or a `print_fn` has room for any line; rich would cut it at the 80 columns that it takes for the width.
        console.width = max(console.width, line_length)

    rows = summary_rows(model, expand_nested, layer_range)
    parts = [Text(f'Model: "{model.name}"', style="bold"), _table(rows, widths, line_length, connected, show_trainable)]
    parts += [
        Text.assemble((f" {label}: ", "bold"), (f"{n:,}", _COLORS["number"]), f" ({size})")
        for label, n, size in _totals(model)
    ]
    if print_fn is None and console.is_jupyter:
        for part in parts:
            console.print(part)
        return
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    if print_fn is None:
        print_msg(captured.get(), line_break=False)
    else:
        print_fn(captured.get())


def column_widths(positions: Sequence[float], line_length: int, columns: int, show_trainable: bool) -> list[int]:
    """How wide each column is asked to be; rich then fits them to the line.

    Args:
        positions: where each column but `Trainable` ends, as fractions of the line.
        line_length: the width of the line.
        columns: the number of columns, `Trainable` not counted.
        show_trainable: whether that column follows, in the last tenth of the line.

    Raises:
        ValueError: too few positions, or a column narrower than 4.
    """
    if len(positions) < columns:
        raise ValueError(
            f"`positions` must hold {columns} numbers, one for the end of each column; got {list(positions)}."
        )
    if show_trainable:
        positions = [*(p * (1 - _TRAINABLE_PART) for p in positions), 1.0]
        columns += 1
    ends = [int(line_length * p) for p in positions[:columns]]
    widths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if min(widths) < _NARROWEST:
        raise ValueError(
            f"A line of {line_length} characters is too narrow for the {columns} columns of the summary, which would get "
            f"{widths} characters. Widen the terminal, or give `line_length`."
        )
    return widths


def _nodes(model: Any) -> list[Node]:
    """The calls of which a functional or a built sequential model consists; none for others."""
    graph = getattr(model, "_functional", None) or model
    return getattr(graph, "_nodes", [])


def is_sequential_like(model: Any) -> bool:
    """Whether what a model's layers are connected to goes without saying: each has one input, the output of the one before.

    Subclassed models count too: their connections are not known.
    """
    nodes = getattr(model, "_nodes", None)
    if nodes is None:
        return True
    if any(len(node.input_tensors) > 1 for node in nodes):
        return False
    depths: dict[int, int] = {id(node): 0 for node in nodes}
    for node in reversed(nodes):  # `nodes` lists each after those on which it depends
        for parent in node.parent_nodes:
            if id(parent) in depths:
                depths[id(parent)] = max(depths[id(parent)], depths[id(node)] + 1)
    return len(set(depths.values())) == len(nodes)


def summary_rows(model: Any, expand_nested: bool = False, layer_range: Sequence[str] | None = None) -> list[Row]:
    """The rows of the table.

    Args:
        model: the model.
        expand_nested: whether the layers of nested models follow these.
        layer_range: the first and the last layer to show, by name or pattern.
    """
    layers = _members(model)
    first, last = _range_of([layer.name for layer in layers], layer_range)
    rows: list[Row] = []

    def add(layer: Any, depth: int, inside: set[int]) -> None:
        rows.append(_row(layer, depth, inside))
        if expand_nested and hasattr(layer, "layers"):
            deeper = {id(node) for node in _nodes(layer)}
            for inner in _members(layer):
                add(inner, depth + 1, deeper)

    inside = {id(node) for node in _nodes(model)}
    for layer in layers[first:last]:
        add(layer, 0, inside)
    return rows


def _members(model: Any) -> list[Any]:
    return getattr(model, "operations", None) or model.layers


def _range_of(names: list[str], layer_range: Sequence[str] | None) -> tuple[int, int]:
    """Which rows are shown, from the first that matches the first pattern to the last that matches the second."""
    if not layer_range:
        return 0, len(names)
    if (
        not isinstance(layer_range, (list, tuple))
        or len(layer_range) != 2
        or not all(isinstance(p, str) for p in layer_range)
    ):
        raise ValueError(
            f"`layer_range` must be a list or tuple of two strings, the names (or patterns) of the first and the last layer; got {layer_range!r}."
        )
    found = []
    for pattern in layer_range:
        matches = [i for i, name in enumerate(names) if re.match(pattern, name)]
        if not matches:
            raise ValueError(
                f"`layer_range={layer_range!r}`: no layer's name matches {pattern!r}. The layers are: {', '.join(names)}."
            )
        found.append(matches)
    if min(found[0]) > max(found[1]):
        found.reverse()
    return min(found[0]), max(found[1]) + 1


def _row(layer: Any, depth: int, inside: set[int]) -> Row:
    calls = [node for node in layer._inbound_nodes if id(node) in inside]
    counted = hasattr(layer, "count_params")
    built = layer.built if counted else True
    sources = [t._keras_history for node in calls for t in node.input_tensors] if depth == 0 else []
    return Row(
        depth=depth,
        name=layer.name,
        class_name=op_config(layer)["class_name"] if isinstance(layer, OpCall) else public_class(layer).__name__,
        shape=_shape(layer, calls),
        params=f"{layer.count_params() if counted else 0:,}" if built else "0 (unbuilt)",
        connected=", ".join(f"{op.name}[{call}][{output}]" for op, call, output in sources) or "-",
        trainable=("Y" if layer.trainable else "N") if getattr(layer, "weights", ()) else "-",
    )


def _shape(layer: Any, calls: list[Node]) -> str:
    """The output shape in the model; for layers outside any graph that for the shape with which they were built."""
    if calls:
        shapes = [str(tuple(t.shape)) for t in calls[-1].outputs]
        return shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"
    config = layer.get_build_config() if getattr(layer, "built", False) and hasattr(layer, "get_build_config") else None
    if not config or config.get("input_shape", ()) is None:
        return "?"
    try:
        if "input_shape" in config:
            return str(layer.compute_output_shape(config["input_shape"]))
        return str(layer.compute_output_shape(**config["shapes_dict"]))
    except (NotImplementedError, TypeError, ValueError):
        return "?"  # what `build` was told need not be enough to tell the outputs, such as where `call` takes more arguments


def _totals(model: Any) -> Iterable[tuple[str, int, str]]:
    """The lines below the table: label, number of elements, size."""
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None)
    slots = optimizer.variables if optimizer is not None and optimizer.built else []
    groups = [
        ("Total params", [*trainable, *frozen, *slots]),
        ("Trainable params", trainable),
        ("Non-trainable params", frozen),
    ]
    if slots:
        groups.append(("Optimizer params", slots))
    for label, variables in groups:
        yield (
            label,
            sum(v.numel() for v in variables),
            readable_size(sum(v.numel() * _bits(v.dtype) for v in variables) / 8),
        )


def _bits(dtype: str) -> int:
    """How many bits an element takes: the number in the dtype's name, 8 for `bool`."""
    number = re.search(r"\d+", dtype)
    return int(number[0]) if number else 8


def readable_size(size: float) -> str:
    """A number of bytes as text.

    Example:
        >>> readable_size(1041192)
        '1016.79 KB'
    """
    units = ["B", "KB", "MB", "GB", "TB", "PB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        del units[0]
    return f"{size:.2f} {units[0]}"


def _table(rows: list[Row], widths: list[int], line_length: int, connected: bool, show_trainable: bool) -> Table:
    table = Table(width=line_length, show_lines=True)
    titles: list[tuple[str, Any]] = [("Layer (type)", "left"), ("Output Shape", "left"), ("Param #", "right")]
    if connected:
        titles.append(("Connected to", "left"))
    if show_trainable:
        titles.append(("Trainable", "center"))
    for (title, justify), width in zip(titles, widths, strict=True):
        table.add_column(title, justify=justify, width=width)
    for row in rows:
        indent = "   " * row.depth + "└ " if row.depth else ""
        cells = [
            Text.assemble(f"{indent}{row.name} (", (row.class_name, _COLORS["class"]), ")"),
            _coloured(row.shape),
            _coloured(row.params),
        ]
        if connected:
            cells.append(_coloured(row.connected))
        if show_trainable:
            cells.append(
                Text(
                    row.trainable,
                    style={"Y": f"bold {_COLORS['number']}", "N": "bold bright_red"}.get(row.trainable, "bold"),
                )
            )
        table.add_row(*cells)
    return table


def _coloured(text: str) -> Text:
    """Numbers and None in their colours; digits that belong to a name stay plain."""
    out = Text(text)
    out.highlight_regex(r"(?<![\w.-])\d[\d,]*\d(?!\w)|(?<![\w.-])\d(?!\w)", _COLORS["number"])
    out.highlight_regex(r"\bNone\b", _COLORS["none"])
    return out

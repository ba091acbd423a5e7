"""State is objects outside and values inside: one mechanism turns code over variables into a function of their values.

While a scope of *cells* is open, reading a variable gives the cell's value and assigning it fills the cell; the object itself
stays as it is. Tracing, stateless calls, shape inference and gradients all stand on it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tricera.core.scoped import Scoped

_MISSING = object()


class Cells:
    """Values that stand in for variables while the scope is open; scopes nest, the innermost is written.

    `stand_in(variable)` gives the value of one that no scope has a value for, such as a variable that is made inside.
    """

    __slots__ = ("parent", "stand_in", "updated", "values", "variables")

    def __init__(
        self,
        pairs: Iterable[tuple[Any, Any]] = (),
        parent: Cells | None = None,
        stand_in: Callable[[Any], Any] | None = None,
    ) -> None:
        self.values: dict[int, Any] = {}
        self.variables: dict[int, Any] = {}
        self.updated: dict[int, Any] = {}
        self.stand_in = stand_in
        self.enter(parent)
        for variable, value in pairs:
            self.values[id(variable)] = value
            self.variables[id(variable)] = variable

    def enter(self, parent: Cells | None) -> None:
        """Stand inside of another scope."""
        self.parent = parent
        if self.stand_in is None and parent is not None:
            self.stand_in = parent.stand_in

    def read(self, variable: Any) -> Any:
        """The value of a variable here or further out; `MISSING` where only the object itself has one."""
        cells: Cells | None = self
        key = id(variable)
        while cells is not None:
            if key in cells.values:
                return cells.values[key]
            cells = cells.parent
        return _MISSING if self.stand_in is None else self.stand_in(variable)

    def write(self, variable: Any, value: Any) -> None:
        """Assign inside the scope."""
        key = id(variable)
        self.values[key] = value
        self.variables[key] = variable
        self.updated[key] = variable


MISSING = _MISSING
current_cells: Scoped[Cells | None] = Scoped("cells", default=None)


@contextlib.contextmanager
def cells(pairs: Iterable[tuple[Any, Any]] = (), stand_in: Callable[[Any], Any] | None = None) -> Iterator[Cells]:
    """Open a scope in which `pairs` of (variable, value) hold, and `stand_in(variable)` for all others."""
    scope = Cells(pairs, current_cells.get(), stand_in)
    token = current_cells.set(scope)
    try:
        yield scope
    finally:
        current_cells.reset(token)


def functionalize(fn: Callable[..., Any], variables: Sequence[Any]) -> Callable[..., tuple[Any, list[Any]]]:
    """Turn code that reads and assigns variables into a pure function of their values.

    Args:
        fn: any callable.
        variables: all the variables that it assigns, and those that it reads and should be given.

    Returns:
        `pure(values, *args, **kwargs) -> (fn's result, new values)`, both lists in the order of `variables`.

    Raises:
        ValueError: (when called) `fn` assigned a variable that is not in the list.

    Example:
        >>> from tricera.core.variable import Variable
        >>> v = Variable([1.0])
        >>> out, (new,) = functionalize(lambda: v.assign(v.value + 1), [v])([v.value])
        >>> float(v.numpy()[0]), float(new[0])
        (1.0, 2.0)
    """
    variables = list(variables)
    known = {id(v) for v in variables}

    def pure(values: Sequence[Any], *args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        if len(values) != len(variables):
            raise ValueError(f"Expected {len(variables)} values, one a variable, but {len(values)} were given.")
        with cells(zip(variables, values, strict=True)) as scope:
            out = fn(*args, **kwargs)
            stray = [v for key, v in scope.updated.items() if key not in known]
            if stray:
                raise ValueError(
                    f"The variable {stray[0].path!r} was assigned inside a pure function, but it is not among the variables "
                    "given to it. Create variables in `__init__` or `build`, and pass all of those that are assigned."
                )
            return out, [scope.values[id(v)] for v in variables]

    return pure


class StatelessScope:
    """A scope in which assignments to variables are kept aside instead of changing them.

    Args:
        state_mapping: pairs of (variable, value) that hold inside.
        collect_losses: gather what layers pass to `add_loss` in `.losses`.
        initialize_variables: accepted for compatibility; variables made inside get their values at once.

    Example:
        >>> from tricera.core.variable import Variable
        >>> v = Variable([1.0])
        >>> with StatelessScope() as scope:
        ...     _ = v.assign([5.0])
        >>> float(v.numpy()[0]), float(scope.get_current_value(v)[0])
        (1.0, 5.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Any, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        pairs = list(state_mapping or ())
        for variable, value in pairs:
            if not hasattr(variable, "assign"):
                raise ValueError(f"`state_mapping` must hold pairs (Variable, value); got a {type(variable).__name__}.")
            shape = tuple(getattr(value, "shape", variable.shape))
            if len(shape) != len(variable.shape):
                raise ValueError(
                    f"The variable {variable.path!r} has shape {variable.shape}, the value given has {shape}."
                )
        self._pairs = pairs
        self.collect_losses = collect_losses
        self.losses: list[Any] = []
        self.cells: Cells | None = None

    def add_loss(self, loss: Any) -> None:
        """Gather a loss."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Record the assignment (variable, value)."""
        self._open().write(*update)

    def get_current_value(self, variable: Any) -> Any:
        """The value that the variable has inside, or None if it was neither mapped nor assigned."""
        value = self._open().values.get(id(variable), _MISSING)
        return None if value is _MISSING else value

    def _open(self) -> Cells:
        if self.cells is None:
            self.cells = Cells(self._pairs)
        return self.cells

    def __enter__(self) -> StatelessScope:
        scope = self._open()
        scope.enter(current_cells.get())
        self._token = current_cells.set(scope)
        self._losses_token = current_stateless.set(self)
        return self

    def __exit__(self, *exc_info: Any) -> None:
        current_cells.reset(self._token)
        current_stateless.reset(self._losses_token)


current_stateless: Scoped[StatelessScope | None] = Scoped("stateless", default=None)

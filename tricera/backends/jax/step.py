"""Compiling steps: a step over variables becomes a jitted function of their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tricera.core import dispatch, tree
from tricera.core.state import cells

STATELESS_STEPS = True  # users' `train_step(state, data)` is understood


def place(batch: Any) -> Any:
    """The batch for this backend; NumPy arrays stay, jit moves them to the device itself."""
    return tree.map_structure(_place, batch)


def _place(x: Any) -> Any:
    if x is None or isinstance(x, (jax.Array, np.ndarray)):
        return x
    owner = dispatch.of(x)
    return np.asarray(x) if owner is None else owner.to_numpy(x)


class Step:
    """A compiled step.

    Args:
        fn: takes a batch, returns a tree of tensors; reads and assigns variables.
        variables: those it may assign.
        jit: True, "auto" (as the backend thinks best) or "eager" (run the Python code each time).
        donate: the step is a training step: its variables' old values may be overwritten.
        collect: `run` returns the outputs of every batch, not of the last alone.
    """

    def __init__(
        self, fn: Callable[[Any], Any], variables: Sequence[Any], *, jit: Any, donate: bool, collect: bool
    ) -> None:
        self.fn, self.variables, self.collect, self.donate = fn, list(variables), collect, donate
        self.compiled = jit != "eager"
        self._one = jax.jit(self._pure, donate_argnums=(0,) if donate else ())
        self._many = jax.jit(self._scan, donate_argnums=(0,) if donate else ())

    def _pure(self, values: list[Any], batch: Any) -> tuple[Any, dict[int, Any]]:
        with cells(zip(self.variables, values, strict=True)) as scope:
            out = self.fn(batch)
            known = {id(v) for v in self.variables}
            stray = [v for key, v in scope.updated.items() if key not in known]
            if stray:
                raise ValueError(
                    f"The variable {stray[0].path!r} is assigned in the step but was not there when the step was made. "
                    "Create it in `__init__` or `build`, and call `compile` after adding layers."
                )
            if self.donate:
                return out, {i: scope.values[id(v)] for i, v in enumerate(self.variables)}
            return out, {i: scope.values[id(v)] for i, v in enumerate(self.variables) if id(v) in scope.updated}

    def _scan(self, values: list[Any], batches: Any) -> tuple[Any, dict[int, Any]]:
        def body(carry: list[Any], batch: Any) -> tuple[list[Any], Any]:
            out, new = self._pure(carry, batch)
            return [new.get(i, value).astype(value.dtype) for i, value in enumerate(carry)], out

        values, outs = jax.lax.scan(body, values, batches)
        if not self.collect:
            outs = jax.tree_util.tree_map(lambda x: x[-1], outs)
        return outs, dict(enumerate(values))

    def _values(self) -> list[Any]:
        """The variables' arrays, copied where somebody else may hold them and the step would overwrite them."""
        values = [v.native for v in self.variables]
        if self.donate:
            seen: set[int] = set()
            for i, variable in enumerate(self.variables):
                if variable.exposed or id(values[i]) in seen:
                    values[i] = jnp.array(values[i], copy=True)
                    variable.exposed = False
                seen.add(id(values[i]))
        return values

    def run(self, batches: list[Any]) -> Any:
        """Run one step a batch; the outputs of the last, or the list of all with `collect`."""
        if not self.compiled:
            outs = [self.fn(jax.tree_util.tree_map(jnp.asarray, batch)) for batch in batches]
            return outs if self.collect else outs[-1]
        if len(batches) > 1 and _alike(batches):
            stacked = jax.tree_util.tree_map(
                lambda *xs: np.stack(xs) if isinstance(xs[0], np.ndarray) else jnp.stack(xs), *batches
            )
            out, new = self._many(self._values(), stacked)
            self._write(new)
            if not self.collect:
                return out
            return [jax.tree_util.tree_map(lambda x, i=i: x[i], out) for i in range(len(batches))]
        outs = []
        for batch in batches:
            out, new = self._one(self._values(), batch)
            self._write(new)
            outs.append(out)
        return outs if self.collect else outs[-1]

    def _write(self, new: dict[int, Any]) -> None:
        for i, value in new.items():
            self.variables[i]._native = value


def _alike(batches: list[Any]) -> bool:
    shapes = [[x.shape for x in jax.tree_util.tree_leaves(b)] for b in batches]
    return all(s == shapes[0] for s in shapes)


def discover(fn: Callable[[Any], Any], batch: Any) -> None:
    """Run a step on shapes alone, so that it creates the variables that it creates."""
    with cells():
        jax.eval_shape(fn, batch)


def fetch(tensors: list[Any]) -> list[np.ndarray]:
    """The values of several tensors, in one go."""
    return [np.asarray(x) for x in jax.device_get(tensors)]

"""JAX's other contract: a user's `train_step(self, state, data)` that takes and returns the values of all variables."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tricera.training.data import pack_x_y_sample_weight


def is_stateless(method: Callable[..., Any], kind: str) -> bool:
    """Whether a step method takes `(state, data)`."""
    parameters = [
        p for p in inspect.signature(method).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
    ]  # fmt: skip
    return len(parameters) == 2


def groups_of(model: Any, kind: str) -> list[list[Any]]:
    """The variables whose values make up the state, in the order of Keras's JAX guide."""
    groups = [model.trainable_variables, model.non_trainable_variables]
    if kind == "train":
        groups.append(list(model.optimizer.variables))
    if kind != "predict":
        groups.append(list({id(v): v for m in model.metrics for v in m.variables}.values()))
    return groups


def adapt(model: Any, method: Callable[..., Any], kind: str) -> Callable[[Any], Any]:
    """The method as a function of a batch: state is read from the variables and the new one assigned to them."""

    def step(batch: Any) -> Any:
        groups = groups_of(model, kind)
        state = tuple([v.value for v in group] for group in groups)
        out, new = method(state, pack_x_y_sample_weight(*batch))
        if len(new) != len(groups):
            raise ValueError(
                f"`{kind}_step(state, data)` must return its result and a state of {len(groups)} parts, as it was given; got {len(new)}."
            )
        for group, values in zip(groups, new, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return out

    return step

"""`MultiOptimizer`: different optimizers for different variables of one model."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from tricera.core import checks
from tricera.core.configurable import config_of
from tricera.core.dispatch import Backend
from tricera.core.variable import Variable
from tricera.optimizers.loss_scale import LossScaleOptimizer
from tricera.optimizers.optimizer import Optimizer


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Which optimizer serves which variables, by regular expressions that match the whole of their paths.

    Args:
        default_optimizer: for variables that no expression matches.
        optimizer_map: regular expression -> optimizer.

    Raises:
        ValueError: something is not an optimizer (or one that scales the loss), or an expression is there already or is none.

    Example:
        >>> from tricera.optimizers import SGD, Adam
        >>> chosen = OptimizerMap(SGD(), {"encoder/.*": Adam()})
        >>> type(chosen["encoder/kernel"]).__name__, type(chosen["head/kernel"]).__name__
        ('Adam', 'SGD')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None) -> None:
        _check(default_optimizer)
        self._default = default_optimizer
        self._map: dict[str, Optimizer] = {}
        for key, value in (optimizer_map or {}).items():
            self[key] = value

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of the variables that no expression matches."""
        return self._default

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._map:
            return self._map[key]
        found = [pattern for pattern in self._map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"Several expressions match the variable {key!r}: {found}.")
        return self._map[found[0]] if found else self._default

    def __setitem__(self, key: str, value: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"The keys of an OptimizerMap are regular expressions, not {key!r}.")
        checks.words("optimizer_map", [key])
        if key in self._map:
            raise ValueError(f"The OptimizerMap has an optimizer for {key!r} already: {self._map[key]!r}.")
        _check(value)
        self._map[key] = value

    def __delitem__(self, key: str) -> None:
        del self._map[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            "default_optimizer": config_of(self._default),
            "optimizer_map": {key: config_of(value) for key, value in self._map.items()},
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> OptimizerMap:
        """Make a map from what `get_config` gave."""
        from tricera.core.serialization import deserialize_keras_object  # it stands on this floor's tables

        def load(value: Any) -> Any:
            return (
                deserialize_keras_object(value, custom_objects=custom_objects) if isinstance(value, Mapping) else value
            )

        return cls(
            load(config["default_optimizer"]), {key: load(value) for key, value in config["optimizer_map"].items()}
        )


def _check(value: Any) -> None:
    if not isinstance(value, Optimizer):
        raise ValueError(f"An OptimizerMap holds optimizer objects, not {value!r}.")
    if isinstance(value, LossScaleOptimizer):
        raise ValueError(
            "A LossScaleOptimizer scales the loss of a whole model: put it around the MultiOptimizer, not inside."
        )


class MultiOptimizer(Optimizer):
    """Hands each variable to an optimizer of its own.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a variable to an optimizer. The function is called once a variable;
            variables for which it gives one and the same object share it, and a new object serves its variable alone.
        loss_scale_factor: see `Optimizer`; that of the optimizers inside has no effect.
        name: default: made from the class's name.

    Raises:
        TypeError: `optimizer_map` is neither.

    Example:
        >>> from tricera.optimizers import SGD
        >>> len(MultiOptimizer(OptimizerMap(SGD())).optimizers)
        0
    """

    _unowned = ("_inner", "_chosen_by", "optimizer_map")  # files have the state of each under `optimizers`

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(optimizer_map, OptimizerMap) and not callable(optimizer_map):
            raise TypeError(
                f"`optimizer_map` must be an OptimizerMap or a function of a variable, not {optimizer_map!r}."
            )
        self._inner: list[Optimizer] = []
        self._chosen_by: list[Optimizer] = []  # one a trainable variable
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers in use, once built."""
        return list(self._inner)

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of the optimizers in use."""
        return [*self._variables, *(v for inner in self._inner for v in inner.variables)]

    @property
    def _filed(self) -> list[Variable]:
        return [*self._variables, *(v for inner in self._inner for v in inner._filed)]

    @property
    def learning_rate(self) -> Any:
        """Not defined.

        Raises:
            AttributeError: always, since the optimizers have a rate each.
        """
        raise AttributeError("A MultiOptimizer has no learning rate of its own; see those of its `.optimizers`.")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError("A MultiOptimizer has no learning rate of its own; set those of its `.optimizers`.")

    def _family(self) -> list[Any]:
        return [self, *(optimizer for inner in self._inner for optimizer in inner._family())]

    def build(self, variables: Iterable[Variable]) -> None:
        """Choose an optimizer for each variable and make their state."""
        if self.built:
            return
        variables = self._acceptable(variables)
        chosen = [self._choose(v) for v in variables]
        by_map = self.optimizer_map
        known: list[Optimizer] = []
        if isinstance(by_map, OptimizerMap):  # all of a map's, in its order, as in Keras's files
            known = [*by_map.values(), by_map.default_optimizer]
            for pattern in by_map:
                if not any(re.fullmatch(pattern, v.path) for v in variables):
                    warnings.warn(
                        f"The expression {pattern!r} of the OptimizerMap matches no variable's whole path.",
                        stacklevel=2,
                    )
        self._inner = list({id(optimizer): optimizer for optimizer in [*known, *chosen]}.values())
        self._chosen_by = chosen
        super().build(variables)
        for inner in self._inner:
            inner.build([v for v, chosen in zip(variables, self._chosen_by, strict=True) if chosen is inner])

    def _choose(self, variable: Variable) -> Optimizer:
        chosen = self.optimizer_map
        found = chosen[variable.path] if isinstance(chosen, OptimizerMap) else chosen(variable)
        if not isinstance(found, Optimizer):
            raise TypeError(
                f"`optimizer_map` gave {found!r} for the variable {variable.path!r}; it must give an optimizer."
            )
        _check(found)
        return found

    def _step(self, backend: Backend, grads: list[Any], variables: list[Variable]) -> None:
        chosen = [self._chosen_by[self._get_variable_index(v)] for v in variables]
        for inner in self._inner:
            rows = [(g, v) for g, v, c in zip(grads, variables, chosen, strict=True) if c is inner]
            if rows:
                inner._step(backend, [g for g, _ in rows], [v for _, v in rows])
        self._iterations.assign(self._iterations.value + 1)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Let each optimizer set its variables' final values."""
        variables = list(var_list)
        for inner in self._inner:
            inner.finalize_variable_values(variables)

    def _averaged(self) -> list[tuple[Variable, Variable]] | None:
        kept = [pairs for inner in self._inner if (pairs := inner._averaged()) is not None]
        return [pair for pairs in kept for pair in pairs] if kept else None

    @property
    def loss_scale_factor(self) -> float | None:  # type: ignore[override]
        """The factor by which the loss is multiplied, for all optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        chosen = self.optimizer_map
        if isinstance(chosen, OptimizerMap):  # a mapping, which would be written as a dict
            config = {"module": "keras.optimizers", "class_name": "OptimizerMap", "config": chosen.get_config()}
            config["registered_name"] = None  # type: ignore[assignment]
        else:
            config = config_of(chosen)
        return {"optimizer_map": config, "loss_scale_factor": self.loss_scale_factor, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make an optimizer from what `get_config` gave."""
        from tricera.core.serialization import deserialize_keras_object  # it stands on this floor's tables

        config = dict(config)
        given = config.get("optimizer_map")
        if isinstance(given, Mapping) and not isinstance(given, OptimizerMap):
            inner = given.get("config")
            if given.get("class_name") == "OptimizerMap" and isinstance(inner, Mapping):
                config["optimizer_map"] = OptimizerMap.from_config(inner, custom_objects)
            else:
                config["optimizer_map"] = deserialize_keras_object(given, custom_objects=custom_objects)
        return cls(**config)

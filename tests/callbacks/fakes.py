"""A model and an optimizer in plain Python, as far as callbacks use them, and a run of their hooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tricera.callbacks import CallbackList


class FakeOptimizer:
    """Has a learning rate."""

    def __init__(self, learning_rate: float = 1.0) -> None:
        self.learning_rate = learning_rate


class FakeMetric:
    """Has a name and says which way is better."""

    def __init__(self, name: str, direction: str | None = None) -> None:
        self.name = name
        if direction:
            self._direction = direction


class FakeModel:
    """Its only weight is the number of the epoch; what is saved is written as text."""

    def __init__(self, metrics: tuple[FakeMetric, ...] = ()) -> None:
        self.stop_training = False
        self.optimizer: Any = FakeOptimizer()
        self.metrics = list(metrics)
        self.weights: list[Any] = [0]
        self.history: Any = None
        self.saved: list[tuple[str, str]] = []

    def get_weights(self) -> list[Any]:
        return list(self.weights)

    def set_weights(self, weights: list[Any]) -> None:
        self.weights = list(weights)

    def save(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(("model", path))
        Path(path).write_text(str(self.weights))

    def save_weights(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(("weights", path))
        Path(path).write_text(str(self.weights))


def run(callbacks: Any, epochs: list[dict[str, Any]], model: FakeModel | None = None, steps: int = 2) -> FakeModel:
    """Call the hooks as `fit` does, with the given logs of each epoch (the same at each of its steps)."""
    model = model or FakeModel()
    hooks = CallbackList(callbacks, add_history=True, model=model, verbose=0, epochs=len(epochs), steps=steps)
    hooks.on_train_begin()
    for epoch, logs in enumerate(epochs):
        hooks.on_epoch_begin(epoch)
        model.weights = [epoch]
        for batch in range(steps):
            hooks.on_train_batch_begin(batch)
            hooks.on_train_batch_end(batch, dict(logs))
            if model.stop_training:
                break
        hooks.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    hooks.on_train_end()
    return model


def losses(*values: float, name: str = "loss") -> list[dict[str, Any]]:
    """Logs of some epochs."""
    return [{name: value} for value in values]

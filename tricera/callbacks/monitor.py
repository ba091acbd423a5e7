"""What callbacks share that watch one number: its direction and what counts as better."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

from tricera.callbacks.callback import Callback

# Names of metrics given as strings whose objects may not say which way is better.
_UP = ("acc", "accuracy", "auc", "precision", "recall", "iou", "f1_score", "r2_score", "cosine_similarity")


class MonitorCallback(Callback):
    """Base of callbacks that compare a monitored value with the best so far.

    Args:
        monitor: name of the value in the logs.
        mode: `"min"`, `"max"`, or `"auto"`: losses and errors are to fall; metrics go the way that their objects say.
        initial_value: the best value at the start; None: the first one seen.
        min_delta: a smaller improvement does not count.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", initial_value: float | None = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        if not isinstance(monitor, str):
            raise TypeError(f"`monitor` is the name of a loss or metric, such as 'val_loss'; got {monitor!r}.")
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: mode {mode!r} is not 'auto', 'min' or 'max'; 'auto' is used.", stacklevel=3
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best = initial_value
        self._sign = {"min": -1, "max": 1}.get(mode, 0)  # 0: not known before the model is

    def _improved(self, value: float, reference: float | None) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`; anything is better than None."""
        if reference is None:
            return True
        if self._direction() > 0:
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def _direction(self) -> int:
        if not self._sign:
            self._sign = self._infer()
        return self._sign

    def _infer(self) -> int:
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return -1
        found = False
        for metric in _metrics(self.model):
            its_name = getattr(metric, "name", None)
            if its_name and (name == its_name or name.endswith("_" + its_name)):
                found = True
                direction = getattr(metric, "_direction", None)
                if direction in ("up", "down"):
                    return 1 if direction == "up" else -1
        if found and (name in _UP or name.endswith(tuple("_" + ending for ending in _UP))):
            return 1
        raise ValueError(
            f"{type(self).__name__} cannot tell whether {self.monitor!r} should rise or fall, because the model has no "
            "metric of that name which says so. Pass mode='max' or mode='min'."
        )


def _metrics(owner: Any) -> Iterator[Any]:
    for metric in getattr(owner, "metrics", None) or ():
        yield metric
        yield from _metrics(metric)


def is_finite(value: Any) -> bool:
    """Whether a logged value is an ordinary number."""
    return math.isfinite(float(value))

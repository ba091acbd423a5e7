"""Setting the learning rate epoch by epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tricera.callbacks import learning_rate
from tricera.callbacks.callback import Callback
from tricera.utils.io_utils import print_msg


class LearningRateScheduler(Callback):
    """Asks a function for the learning rate at the beginning of each epoch.

    Args:
        schedule: called with (epoch, learning rate), or with (epoch) if it takes one argument; epochs count from 0.
        verbose: 1 prints the new rate.

    Raises:
        TypeError: `schedule` is not callable.
        ValueError: (when an epoch begins) it did not give a float, or the model has no optimizer.

    Example:
        >>> halving = LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"`schedule` must be a function of (epoch, learning rate); got {schedule!r}.")
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the rate."""
        rate = learning_rate.read(self)
        new = self.schedule(epoch, rate) if self._takes_rate else self.schedule(epoch)
        try:
            if isinstance(new, (str, bool)) or new is None:
                raise TypeError
            new = learning_rate.scalar(new)
        except (TypeError, ValueError) as error:
            raise ValueError(f"`schedule` must give the learning rate as a float; it gave {new!r}.") from error
        learning_rate.write(self, new)
        if self.verbose:
            print_msg(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {new}.")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put the rate into the epoch's logs."""
        if logs is not None:
            logs["learning_rate"] = learning_rate.read(self)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.1)
    except TypeError:
        return False
    except ValueError:  # a built-in without a signature
        return True
    return True

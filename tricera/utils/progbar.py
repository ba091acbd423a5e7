"""The progress bar: `12/399 ━━━━━━━━━━━━━━━━━━━━ 1:11 184ms/step - acc: 0.4980 - loss: 1.3832`."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.utils import io_utils

_clock = time.monotonic
_BOLD, _GREEN, _WHITE, _END = "\033[1m", "\033[32m", "\033[37m", "\033[0m"


def resolve_verbose(verbose: Any) -> int:
    """The number behind a `verbose` argument: 0 silent, 1 a bar, 2 a line an epoch.

    `"auto"` is 1, and 2 when interactive logging is off.

    Raises:
        ValueError: anything but 0, 1, 2 and `"auto"`.

    Example:
        >>> resolve_verbose("auto"), resolve_verbose(2)
        (1, 2)
    """
    if isinstance(verbose, str) and verbose == "auto":
        return 1 if io_utils.is_interactive_logging_enabled() else 2
    if isinstance(verbose, (bool, int, np.integer)) and int(verbose) in (0, 1, 2):
        return int(verbose)
    raise ValueError(f"`verbose` is 0 (silent), 1 (progress bar), 2 (one line an epoch) or 'auto'; got {verbose!r}.")


def is_live() -> bool:
    """Whether standard output shows a line that is drawn over again: a terminal, a notebook or an IDE's console."""
    if not io_utils.is_interactive_logging_enabled() or sys.stdout is None:
        return False
    try:
        if sys.stdout.isatty():
            return True
    except (AttributeError, ValueError):  # not a real file, or one that was closed
        return False
    return type(sys.stdout).__module__.startswith("ipykernel") or "PYCHARM_HOSTED" in os.environ


class Progbar:
    """A line that shows how many steps are done, how long they take, and named values.

    On a terminal or in a notebook the line is drawn over itself at most every `interval` seconds. In a file or a pipe
    only the last state of it is written, without colours.

    A *stateful* value is shown as it was given last; any other is averaged over the steps, weighted with the number
    of steps that each update covers. The last update (`finalize`) shows its values as given.

    Args:
        target: number of steps expected, None if unknown.
        width: characters of the bar.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        interval: least seconds between two drawings.
        stateful_metrics: names of the values not to be averaged.
        stateless_metrics: names of the values to be averaged; if given, all others are stateful.
        unit_name: what is counted, `"step"` or `"sample"`.

    Example:
        >>> bar = Progbar(2, verbose=0)
        >>> bar.update(1, [("loss", 4.0)]); bar.add(1, [("loss", 2.0)])
        >>> bar.seen
        2
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = resolve_verbose(verbose)
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.seen = 0
        self.live = self.verbose == 1 and is_live()
        self._values: dict[str, Any] = {}  # a value as given, or [weighted sum, weight]
        self._start = _clock()
        self._drawn = -math.inf
        self._first: tuple[int, float] | None = None  # steps and time after the first update, which may compile
        self._length = 0

    def due(self, current: int) -> bool:
        """Whether an update to `current` steps would draw: then, and only then, stateful values are looked at."""
        if not self.live:
            return False
        return current == self.target or _clock() - self._drawn >= self.interval

    def add(self, n: int, values: Any = None) -> None:
        """Count `n` more steps; see `update`."""
        self.update(self.seen + n, values)

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Set the number of steps done, and draw if it is time.

        Args:
            current: steps done so far.
            values: pairs (name, value), or a dict.
            finalize: whether this is the last update, which is always drawn and ends the line.
                None: it is when `current` reaches the target.
        """
        if finalize is None:
            finalize = current >= self.target if self.target else False
        self._take(values, max(current - self.seen, 1), finalize)
        self.seen = current
        now = _clock()
        if self._first is None and current > 0:
            self._first = (current, now)
        if self.verbose == 0 or (not finalize and not self.due(current)):
            return
        if self.verbose == 2 or not self.live:
            io_utils.print_msg(self._plain(now))
        else:
            self._draw(now, finalize)
        self._drawn = now

    def _take(self, values: Any, weight: int, finalize: bool) -> None:
        if not values:
            return
        for name, value in values.items() if isinstance(values, Mapping) else values:
            if finalize or self._is_stateful(name):
                self._values[name] = value
            else:
                number = _number(value)
                entry = self._values.get(name)
                if isinstance(number, str):
                    self._values[name] = number
                elif isinstance(entry, _Mean):
                    entry.add(number, weight)
                else:
                    self._values[name] = _Mean(number, weight)

    def _is_stateful(self, name: str) -> bool:
        if name in self.stateful_metrics:
            return True
        return self.stateless_metrics is not None and name not in self.stateless_metrics

    def _draw(self, now: float, finalize: bool) -> None:
        count, bar = self._count(), self._bar()
        clock = self._clock_text(now, finalize)
        rest = f" {self._pace(now)}{self._metrics()}"
        length = len(f"{count} {bar[0] + bar[1]} {clock}{rest}") if self.target else len(f"{count} {clock}{rest}")
        if self.target:
            done = f"{_GREEN}{bar[0]}{_END}" if bar[0] else ""
            line = f"{_BOLD}{count}{_END} {done}{_WHITE}{bar[1]}{_END} {_BOLD}{clock}{_END}{rest}"
        else:
            line = f"{count} {_BOLD}{clock}{_END}{rest}"
        # Spaces wipe what a longer line left behind.
        io_utils.print_msg("\r" + line + " " * (self._length - length), line_break=finalize)
        self._length = 0 if finalize else length

    def _plain(self, now: float) -> str:
        clock = self._clock_text(now, True)
        if self.verbose == 2:
            return f"{self._count()} - {clock} - {self._pace(now)}{self._metrics()}"
        bar = f" {''.join(self._bar())}" if self.target else ""
        return f"{self._count()}{bar} {clock} {self._pace(now)}{self._metrics()}"

    def _count(self) -> str:
        if not self.target:
            return f"{self.seen:7d}/Unknown"
        return f"{self.seen:{len(str(self.target))}d}/{self.target}"

    def _bar(self) -> tuple[str, str]:
        character = "━" if _can_print("━") else "="
        filled = min(int(self.width * self.seen / self.target), self.width) if self.target else 0
        return character * filled, character * (self.width - filled)

    def _seconds_a_step(self, now: float) -> float:
        if not self.seen:
            return 0.0
        if self._first is not None and self.seen > self._first[0]:
            return (now - self._first[1]) / (self.seen - self._first[0])
        return (now - self._start) / self.seen

    def _clock_text(self, now: float, finalize: bool) -> str:
        if finalize or not self.target:
            return f"{now - self._start:.0f}s"
        eta = int(self._seconds_a_step(now) * max(self.target - self.seen, 0))
        if eta > 3600:
            return f"{eta // 3600}:{eta % 3600 // 60:02d}:{eta % 60:02d}"
        return f"{eta // 60}:{eta % 60:02d}" if eta > 60 else f"{eta}s"

    def _pace(self, now: float) -> str:
        seconds = self._seconds_a_step(now)
        if seconds >= 1 or seconds == 0:
            return f"{seconds:.0f}s/{self.unit_name}"
        if seconds >= 1e-3:
            return f"{seconds * 1e3:.0f}ms/{self.unit_name}"
        return f"{seconds * 1e6:.0f}us/{self.unit_name}"

    def _metrics(self) -> str:
        return "".join(f" - {name}: {_text(value)}" for name, value in self._values.items())


class _Mean:
    """A weighted mean that goes on."""

    def __init__(self, value: float, weight: int) -> None:
        self.total, self.weight = value * weight, weight

    def add(self, value: float, weight: int) -> None:
        """Take in one more value."""
        self.total += value * weight
        self.weight += weight


def _number(value: Any) -> float | str:
    """A Python number of a scalar, an array (its mean) or a tensor; text and None stay text."""
    if isinstance(value, (int, float)):
        return value
    if value is None or isinstance(value, str):
        return str(value)
    backend = dispatch.of(value)
    array = np.asarray(backend.to_numpy(value) if backend is not None else value)
    if array.size == 0:
        return math.nan
    if array.dtype.kind not in "biufV":  # V: bfloat16 and its kin
        raise TypeError(f"A progress bar shows numbers, arrays of numbers and text; got {value!r}.")
    return float(np.mean(array.astype("float64")))


def _text(value: Any) -> str:
    number = value.total / value.weight if isinstance(value, _Mean) else _number(value)
    if isinstance(number, str):
        return number
    return f"{number:.4e}" if abs(number) <= 1e-3 else f"{number:.4f}"


def _can_print(character: str) -> bool:
    try:
        character.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True

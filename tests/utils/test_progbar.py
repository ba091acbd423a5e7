"""What the progress bar writes to a terminal, to a pipe and in each mode."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tricera.utils import io_utils, progbar
from tricera.utils.progbar import Progbar, resolve_verbose

ROOT = Path(__file__).resolve().parents[2]


class Terminal(io.StringIO):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def plain(text: str) -> str:
    """The text without colours, the bar in ASCII."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).replace("━", "=")


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that runs updates at given seconds and returns what was written."""

    def draw(
        times: list[float], target: int | None, values: Any = None, terminal: bool = True, counts: Any = None, **kw: Any
    ) -> str:
        out = Terminal() if terminal else io.StringIO()
        now = [0.0]
        monkeypatch.setattr(progbar, "_clock", lambda: now[0])
        monkeypatch.setattr(sys, "stdout", out)
        bar = Progbar(target, **{"interval": 0, **kw})
        for step, seconds in enumerate(times):
            now[0] = seconds
            bar.update(counts[step] if counts else step + 1, values[step] if values else None)
        monkeypatch.undo()
        return out.getvalue()

    return draw


BAR = "=" * 20


@pytest.mark.parametrize(
    ("times", "target", "last"),
    [
        ([10, 20, 30], 3, f"3/3 {BAR} 30s 10s/step\n"),
        ([10, 20, 30], 30, f" 3/30 {BAR} 4:30 10s/step"),
        ([100, 200, 300], 30, f" 3/30 {BAR} 45:00 100s/step"),
        ([1000, 2000], 30, f" 2/30 {BAR} 7:46:40 1000s/step"),
        ([0.5, 1.0], 3, f"2/3 {BAR} 0s 500ms/step"),
        ([0.0005, 0.001, 0.0015], 3, f"3/3 {BAR} 0s 500us/step\n"),
        ([59.4, 59.6, 3600.4], 3, f"3/3 {BAR} 3600s 1770s/step\n"),
        ([10, 20, 3000], None, "      3/Unknown 3000s 1495s/step"),
        ([0], 3, f"1/3 {BAR} 0s 0s/step"),
        ([1.6], 3, f"1/3 {BAR} 3s 2s/step"),
        ([1], 100, f"  1/100 {BAR} 1:39 1s/step"),
    ],
)
def test_counts_and_times(draw: Any, times: list[float], target: int | None, last: str) -> None:
    assert plain(draw(times, target)).rpartition("\r")[2] == last


def test_the_exact_characters(draw: Any) -> None:
    assert draw([1, 2], 2, values=[[("a", 2.0)], [("a", 1.0)]]).replace("━", "=") == (
        f"\r\x1b[1m1/2\x1b[0m \x1b[32m{BAR[:10]}\x1b[0m\x1b[37m{BAR[:10]}\x1b[0m \x1b[1m1s\x1b[0m 1s/step - a: 2.0000"
        f"\r\x1b[1m2/2\x1b[0m \x1b[32m{BAR}\x1b[0m\x1b[37m\x1b[0m \x1b[1m2s\x1b[0m 1s/step - a: 1.0000\n"
    )


def test_a_shorter_line_wipes_a_longer_one(draw: Any) -> None:
    first, second = plain(draw([0, 0.0001], 3, values=[[("a", 1e-9)], [("a", 5.0)]])).split("\r")[1:]
    assert second.endswith(" ") and len(second) == len(first)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5000"),
        (1e-3, "1.0000e-03"),
        (-5e-4, "-5.0000e-04"),
        (0.0, "0.0000e+00"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (12345.678, "12345.6780"),
        (np.array([1.0, 3.0]), "2.0000"),
        ([1, 3], "2.0000"),
        (np.float32(0.25), "0.2500"),
        (True, "1.0000"),
        ("text", "text"),
        (None, "None"),
    ],
)
def test_values(draw: Any, value: Any, text: str) -> None:
    for options in ({}, {"stateful_metrics": ["v"]}):
        assert plain(draw([1], 2, values=[[("v", value)]], **options)).endswith(f" - v: {text}")


def test_a_value_that_cannot_be_shown(draw: Any) -> None:
    with pytest.raises(TypeError, match="numbers"):
        draw([1], 2, values=[[("v", {"a": 1})]])


@pytest.mark.parametrize(
    ("options", "second"),
    [
        ({}, "a: 1.5000 - b: 15.0000"),
        ({"stateful_metrics": ["a"]}, "a: 2.0000 - b: 15.0000"),
        ({"stateless_metrics": ["b"]}, "a: 2.0000 - b: 15.0000"),
    ],
)
def test_averages(draw: Any, options: dict[str, Any], second: str) -> None:
    values = [[("a", i), ("b", 10 * i)] for i in (1, 2, 3)]
    lines = plain(draw([1, 2, 3], 3, values=values, **options)).split("\r")[1:]
    assert lines[1].rstrip().endswith(second)
    assert lines[2].endswith("a: 3.0000 - b: 30.0000\n")  # the last update counts as it is


def test_averages_are_weighted_by_steps(draw: Any) -> None:
    lines = plain(draw([1, 2], 9, values=[{"a": 1}, {"a": 5}], counts=[1, 4])).split("\r")
    assert lines[-1].rstrip().endswith("a: 4.0000")


def test_the_first_update_which_compiles_does_not_count_as_pace(draw: Any) -> None:
    assert "100ms/step" in draw([60, 60.4], 16, counts=[4, 8])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"verbose": 0}, ""),
        ({"verbose": 2}, "3/3 - 3s - 1s/step - b: 3.0000 - a: 2.0000\n"),
        ({"terminal": False}, f"3/3 {BAR} 3s 1s/step - b: 3.0000 - a: 2.0000\n"),
        ({"terminal": False, "unit_name": "sample", "width": 4}, "3/3 ==== 3s 1s/sample - b: 3.0000 - a: 2.0000\n"),
    ],
)
def test_one_line_at_the_end(draw: Any, options: dict[str, Any], expected: str) -> None:
    values = [[("b", 1)], [("a", 2)], [("a", 2), ("b", 3)]]
    text = draw([1, 2, 3], 3, values=values, **options)
    assert text.replace("━", "=") == expected


def test_it_draws_only_when_it_is_time_but_always_at_the_end(draw: Any) -> None:
    class Value:
        read = 0

        def __float__(self) -> float:
            raise AssertionError

        def __array__(self, *args: Any, **kwargs: Any) -> Any:
            Value.read += 1
            return np.array(1.0)

    times = [i / 100 for i in range(100)]
    text = draw(times, 100, values=[[("v", Value())]] * 100, interval=0.25, stateful_metrics=["v"])
    assert text.count("\r") == Value.read == 5


def test_more_steps_than_expected_do_not_stretch_the_bar(draw: Any) -> None:
    assert BAR + " " in plain(draw([1], 3, counts=[5]))


def test_add_and_unknown_length(draw: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(None)
    bar.add(2, [("a", 1)])
    bar.add(1, [("a", 4)])
    bar.update(3, [("val", 9)], finalize=True)
    assert re.fullmatch(r"      3/Unknown 0s \d+us/step - a: 2.0000 - val: 9.0000\n", capsys.readouterr().out)


def test_an_ascii_file_gets_an_ascii_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    Progbar(1).update(1, [("é", 1)])
    out.seek(0)
    text = out.read()
    assert text.startswith(f"1/1 {BAR} ") and text.endswith(" - ?: 1.0000\n")


@pytest.mark.parametrize(("given", "expected"), [(0, 0), (1, 1), (2, 2), ("auto", 1), (True, 1), (np.int64(2), 2)])
def test_verbose(given: Any, expected: int) -> None:
    assert resolve_verbose(given) == expected


@pytest.mark.parametrize("bad", [3, -1, "loud", None, 1.5])
def test_wrong_verbose(bad: Any) -> None:
    with pytest.raises(ValueError, match="verbose"):
        resolve_verbose(bad)


def test_without_interactive_logging_everything_goes_to_the_log(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "tricera")
    assert io_utils.is_interactive_logging_enabled()
    io_utils.disable_interactive_logging()
    try:
        assert not io_utils.is_interactive_logging_enabled() and resolve_verbose("auto") == 2
        io_utils.print_msg("\nHello")
        Progbar(1, verbose=2).update(1, [("loss", 1)])
    finally:
        io_utils.enable_interactive_logging()
    assert caplog.messages[0] == "Hello" and caplog.messages[1].startswith("1/1 - 0s - ")
    assert capsys.readouterr().out == ""
    io_utils.print_msg("Hello", line_break=False)
    assert capsys.readouterr().out == "Hello"


SCRIPT = textwrap.dedent(
    """
    from tricera.callbacks import CallbackList
    from tricera.callbacks.logs import LazyLogs
    reads = 0
    def fetch(tensors):
        global reads
        reads += 1
        return [float(t[0]) for t in tensors]
    hooks = CallbackList(add_progbar=True, verbose=1, epochs=2, steps=4)
    hooks.on_train_begin()
    for epoch in range(2):
        hooks.on_epoch_begin(epoch)
        for batch in range(4):
            hooks.on_train_batch_begin(batch)
            hooks.on_train_batch_end(batch, LazyLogs({"loss": [2.0], "acc": [0.5]}, fetch))
        hooks.on_test_begin(); hooks.on_test_batch_end(0, {"loss": 9.0}); hooks.on_test_end({"loss": 9.0})
        hooks.on_epoch_end(epoch, {"acc": 0.5, "loss": 1.0, "val_acc": 0.25, "val_loss": 3.0})
    hooks.on_train_end()
    hooks.on_test_begin(); hooks.on_test_batch_end(3, {"loss": 9.0}); hooks.on_test_end({"loss": 9.0})
    hooks.on_predict_begin(); hooks.on_predict_batch_end(3, {"outputs": 0}); hooks.on_predict_end()
    print("reads", reads)
    """
)
LINE = f"4/4 {BAR} 0s \\d+[mu]s/step"
EPOCH = LINE + r" - acc: 0.5000 - loss: 1.0000 - val_acc: 0.2500 - val_loss: 3.0000 *"
REST = f"{LINE} - loss: 9.0000 *\n{LINE} *\n"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


def test_a_run_through_a_pipe() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=ENVIRONMENT, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout and "\r" not in done.stdout
    assert re.fullmatch(f"Epoch 1/2\n{EPOCH}\nEpoch 2/2\n{EPOCH}\n{REST}reads 0\n", done.stdout.replace("━", "="))


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_run_in_a_terminal() -> None:
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], env=ENVIRONMENT, stdout=follower, stderr=subprocess.PIPE
    ) as process:
        os.close(follower)
        text = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # Linux's way of saying that the other side is closed
                break
            if not piece:
                break
            text += piece
        os.close(leader)
        assert process.wait() == 0, process.stderr and process.stderr.read()
    lines = text.decode().replace("\r\n", "\n").split("\n")
    assert "\x1b[32m" in lines[1] and lines[1].count("\r") >= 2
    shown = "\n".join(plain(line.rpartition("\r")[2]) for line in lines)
    reads = int(shown.split()[-1])
    assert re.fullmatch(f"Epoch 1/2\n{EPOCH}\nEpoch 2/2\n{EPOCH}\n{REST}reads {reads}\n", shown)
    assert 4 <= reads <= 8  # the first and the last step of each epoch, and whatever took longer than the interval

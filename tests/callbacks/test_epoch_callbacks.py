"""History, LambdaCallback, TerminateOnNaN, EarlyStopping, learning rates, RemoteMonitor."""

from __future__ import annotations

import http.server
import json
import math
import threading
import urllib.parse
from typing import Any

import numpy as np
import pytest

from tests.callbacks.fakes import FakeMetric, FakeModel, losses, run
from tricera.callbacks import (
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
    RemoteMonitor,
    TerminateOnNaN,
)


def test_history_records_each_epoch() -> None:
    history = History()
    model = run(history, [{"loss": 3.0}, {"loss": 2.0, "val_loss": 5.0}])
    assert model.history is history
    assert history.history == {"loss": [3.0, 2.0], "val_loss": [5.0]} and history.epoch == [0, 1]
    assert history.params["epochs"] == 2


def test_history_of_two_fits_goes_on() -> None:
    history = History()
    run(history, losses(3.0))
    run(history, losses(2.0))
    assert history.history == {"loss": [3.0, 2.0]} and history.epoch == [0]


def test_lambda_callback() -> None:
    calls: list[Any] = []
    run(
        LambdaCallback(
            on_epoch_begin=lambda epoch, logs: calls.append(epoch),
            on_train_batch_end=lambda batch, logs: calls.append(logs["loss"]),
            on_train_end=lambda logs: calls.append("end"),
            on_batch_begin=lambda batch, logs: calls.append("begin"),
        ),
        losses(0.5),
        steps=1,
    )
    assert calls == [0, "begin", 0.5, "end"]
    with pytest.raises(TypeError, match="on_epoch_finish"):
        LambdaCallback(on_epoch_finish=print)
    with pytest.raises(TypeError, match="function"):
        LambdaCallback(on_train_end=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_terminate_on_nan(bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model = run(TerminateOnNaN(), losses(1.0, bad, 1.0))
    assert model.stop_training and len(model.history.epoch) == 2
    assert "Batch 0: Invalid loss, terminating training" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="batch 0"):
        run(TerminateOnNaN(raise_error=True), losses(bad))
    assert not run(TerminateOnNaN(), [{"acc": math.nan}]).stop_training


@pytest.mark.parametrize(
    ("options", "values", "epochs", "weight"),
    [
        ({}, (3, 2, 2, 1), 3, 2),
        ({"patience": 2}, (3, 2, 2, 2, 1), 4, 3),
        ({"patience": 2}, (3, 2, 2, 1, 2, 2, 0), 6, 5),
        ({"restore_best_weights": True}, (3, 2, 5, 1), 3, 1),
        ({"restore_best_weights": True, "patience": 9}, (3, 2, 5), 3, 1),
        ({"min_delta": 0.5}, (3, 2.8, 2), 2, 1),
        ({"min_delta": -0.5}, (3, 2.4, 2.2, 1), 3, 2),
        ({"baseline": 1.0, "patience": 2}, (3, 2.5, 2.6, 0.5), 3, 2),
        ({"baseline": 1.0, "patience": 2, "restore_best_weights": True}, (3, 2.5, 2.6, 0.5), 3, 1),
        ({"baseline": 1.0, "patience": 1}, (0.5, 0.4, 0.45), 3, 2),
        ({"start_from_epoch": 3}, (1, 2, 3, 3, 2, 2, 1), 6, 5),
        ({"mode": "max"}, (1, 2, 2, 3), 3, 2),
        ({}, (math.nan, math.nan, 1.0), 2, 1),
    ],
)
def test_early_stopping(options: dict[str, Any], values: tuple[float, ...], epochs: int, weight: int) -> None:
    model = run(EarlyStopping("loss", **options), losses(*values))
    assert len(model.history.epoch) == epochs
    assert model.weights == [weight]


def test_early_stopping_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    stopping = EarlyStopping("loss", verbose=1, restore_best_weights=True)
    run(stopping, losses(3, 2, 5))
    assert capsys.readouterr().out == (
        "Epoch 3: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )
    assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch, stopping.wait) == (2, 1, 2, 1)
    run(stopping, losses(9, 8))  # a second training starts anew
    assert stopping.best == 8 and stopping.stopped_epoch == 0


def test_early_stopping_warns_of_a_missing_value() -> None:
    with pytest.warns(UserWarning, match="'val_loss'.* loss"):
        assert not run(EarlyStopping(), losses(1)).stop_training


@pytest.mark.parametrize(
    ("monitor", "metric", "expected"),
    [
        ("loss", None, -1),
        ("val_loss", None, -1),
        ("out_loss", None, -1),
        ("val_good", FakeMetric("good", "up"), 1),
        ("val_bad", FakeMetric("bad", "down"), -1),
        ("out_good", FakeMetric("good", "up"), 1),
        ("accuracy", FakeMetric("accuracy"), 1),
    ],
)
def test_the_direction_of_auto(monitor: str, metric: FakeMetric | None, expected: int) -> None:
    callback = EarlyStopping(monitor)
    callback.set_model(FakeModel((metric,) if metric else ()))
    assert callback._direction() == expected


def test_auto_that_cannot_tell() -> None:
    for metrics in ((), (FakeMetric("mystery"),)):
        with pytest.raises(ValueError, match="mode='max'"):
            run(EarlyStopping("mystery"), losses(1, name="mystery"), FakeModel(metrics))
    with pytest.warns(UserWarning, match="'upwards'"):
        assert EarlyStopping(mode="upwards").mode == "auto"
    with pytest.raises(TypeError, match="monitor"):
        EarlyStopping(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "schedule", [lambda epoch, rate: rate * 0.5, lambda epoch: 0.5 ** (epoch + 1), lambda e, r: np.float32(r / 2)]
)
def test_learning_rate_scheduler(schedule: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model = run(LearningRateScheduler(schedule, verbose=1), losses(1, 1))
    assert model.history.history["learning_rate"] == [0.5, 0.25]
    assert capsys.readouterr().out == (
        "\nEpoch 1: LearningRateScheduler setting learning rate to 0.5.\n"
        "\nEpoch 2: LearningRateScheduler setting learning rate to 0.25.\n"
    )


@pytest.mark.parametrize("bad", ["0.1", None, [0.1, 0.2], True])
def test_a_schedule_must_give_a_float(bad: Any) -> None:
    with pytest.raises(ValueError, match="float"):
        run(LearningRateScheduler(lambda epoch: bad), losses(1))


def test_an_error_inside_a_schedule_is_not_hidden() -> None:
    def broken(epoch: int, rate: float) -> float:
        return rate + "x"  # type: ignore[operator]

    with pytest.raises(TypeError, match="unsupported operand"):
        run(LearningRateScheduler(broken), losses(1))


def test_a_learning_rate_needs_an_optimizer() -> None:
    model = FakeModel()
    model.optimizer = None
    with pytest.raises(ValueError, match="Compile"):
        run(ReduceLROnPlateau("loss"), losses(1), model)


@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({"patience": 1}, (3, 2, 2, 2), [1, 1, 1, 0.1]),
        ({"patience": 2, "factor": 0.5}, (3, 3, 3, 3, 3), [1, 1, 1, 0.5, 0.5]),
        ({"patience": 1, "factor": 0.5, "min_lr": 0.4}, (1, 1, 1, 1, 1), [1, 1, 0.5, 0.4, 0.4]),
        ({"patience": 1, "factor": 0.5, "cooldown": 2}, (1, 1, 1, 1, 1, 1), [1, 1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "factor": 0.5, "min_delta": 0.5}, (1, 0.9, 0.3), [1, 1, 0.5]),
        ({"patience": 1, "factor": 0.5, "mode": "max"}, (1, 2, 1, 1), [1, 1, 1, 0.5]),
    ],
)
def test_reduce_lr_on_plateau(options: dict[str, Any], values: tuple[float, ...], rates: list[float]) -> None:
    model = run(ReduceLROnPlateau("loss", **options), losses(*values))
    assert model.history.history["learning_rate"] == pytest.approx(rates)


def test_reduce_lr_on_plateau_refuses() -> None:
    with pytest.raises(ValueError, match="below 1"):
        ReduceLROnPlateau(factor=1.0)
    with pytest.raises(TypeError, match="epsilon"):
        ReduceLROnPlateau(epsilon=1e-3)
    with pytest.warns(UserWarning, match="val_loss"):
        run(ReduceLROnPlateau(), losses(1))


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor(as_json: bool) -> None:
    got: list[tuple[str, str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            got.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    run(RemoteMonitor(f"http://127.0.0.1:{server.server_port}", send_as_json=as_json), [{"loss": np.float32(0.5)}])
    thread.join(5)
    server.server_close()
    (path, kind, body) = got[0]
    text = body if as_json else urllib.parse.parse_qs(body)["data"][0]
    assert path == "/publish/epoch/end/" and kind.startswith("application/json") == as_json
    assert json.loads(text) == {"epoch": 0, "loss": 0.5}


def test_remote_monitor_without_a_server() -> None:
    with pytest.warns(UserWarning, match="could not reach"):
        run(RemoteMonitor("http://127.0.0.1:9"), losses(1))
    with pytest.raises(ValueError, match="http"):
        RemoteMonitor("file:///etc")

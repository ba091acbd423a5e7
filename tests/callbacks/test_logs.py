"""Logs are fetched once, at the first reading, and look like a dict of floats to everybody."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

from tricera.callbacks.logs import LazyLogs


class Scalar:
    """A number on a device."""

    def __init__(self, value: float) -> None:
        self.value = value


class Fetch:
    """Counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, tensors: list[Any]) -> list[float]:
        self.calls += 1
        return [tensor.value for tensor in tensors]


@pytest.fixture
def fetch() -> Fetch:
    return Fetch()


@pytest.fixture
def logs(fetch: Fetch) -> LazyLogs:
    return LazyLogs({"acc": Scalar(0.25), "loss": Scalar(0.5), "epochs": 3}, fetch)


PLAIN = {"acc": 0.25, "loss": 0.5, "epochs": 3}

READINGS = {
    "item": lambda logs: logs["loss"] == 0.5,
    "get": lambda logs: logs.get("acc") == 0.25 and logs.get("none", 7) == 7,
    "dict": lambda logs: dict(logs) == PLAIN and type(dict(logs)["loss"]) is float,
    "unpacked": lambda logs: {**logs} == PLAIN,
    "keywords": lambda logs: dict(**logs) == PLAIN and (lambda **kw: kw)(**logs) == PLAIN,
    "update": lambda logs: (lambda d: d.update(logs) or d == PLAIN)({}),
    "items": lambda logs: list(logs.items()) == list(PLAIN.items()),
    "values": lambda logs: list(logs.values()) == list(PLAIN.values()),
    "keys": lambda logs: list(logs.keys()) == list(PLAIN) and list(logs) == list(PLAIN),
    "json": lambda logs: json.dumps(logs) == json.dumps(PLAIN),
    "json indented": lambda logs: (
        json.dumps(logs, indent=1, sort_keys=True) == json.dumps(PLAIN, indent=1, sort_keys=True)
    ),
    "repr": lambda logs: repr(logs) == repr(PLAIN) and f"{logs}" == str(PLAIN),
    "equal": lambda logs: logs == PLAIN and not logs != PLAIN,  # noqa: SIM202 (both operators)
    "equal from the left": lambda logs: PLAIN == logs,  # noqa: SIM300 (from this side)
    "or": lambda logs: logs | {"x": 1} == PLAIN | {"x": 1},
    "or from the left": lambda logs: {"x": 1} | logs == {"x": 1} | PLAIN,
    "copy": lambda logs: type(logs.copy()) is dict and logs.copy() == PLAIN,
    "copy module": lambda logs: copy.copy(logs) == PLAIN and copy.deepcopy(logs) == PLAIN,
    "pickle": lambda logs: pickle.loads(pickle.dumps(logs)) == PLAIN,
    "format": lambda logs: "{loss:.2f}".format(**logs) == "0.50" and "{acc}".format_map(logs) == "0.25",
    "percent": lambda logs: "%(loss).1f" % logs == "0.5",  # noqa: UP031
    "reversed": lambda logs: list(reversed(logs)) == list(reversed(PLAIN)),
    "pop": lambda logs: logs.pop("loss") == 0.5 and "loss" not in logs,
    "popitem": lambda logs: logs.popitem() == ("epochs", 3),
    "setdefault": lambda logs: logs.setdefault("loss", 9) == 0.5,
    "match": lambda logs: _matched(logs) == 0.5,
}


def _matched(logs: Any) -> Any:
    match logs:
        case {"loss": value}:
            return value
    return None


@pytest.mark.parametrize("reading", READINGS)
def test_every_way_of_reading_sees_floats_after_one_fetch(logs: LazyLogs, fetch: Fetch, reading: str) -> None:
    assert fetch.calls == 0
    assert READINGS[reading](logs)
    assert fetch.calls == 1
    dict(logs)
    assert fetch.calls == 1


def test_names_need_no_fetch(logs: LazyLogs, fetch: Fetch) -> None:
    assert "loss" in logs and "none" not in logs and len(logs) == 3 and logs and isinstance(logs, dict)
    assert logs.pending and fetch.calls == 0


def test_a_dict_of_python_numbers_is_never_fetched(fetch: Fetch) -> None:
    assert LazyLogs({"loss": 1.0, "name": "x"}, fetch)["loss"] == 1.0
    assert fetch.calls == 0


def test_written_values_are_left_alone(logs: LazyLogs, fetch: Fetch) -> None:
    mine = Scalar(9)
    logs["mine"] = mine
    logs.update(learning_rate=0.1)
    logs |= {"more": 2}
    del logs["epochs"]
    assert dict(logs) == {"acc": 0.25, "loss": 0.5, "mine": mine, "learning_rate": 0.1, "more": 2}
    assert fetch.calls == 1
    logs.clear()
    assert not logs


def test_pandas_sees_floats(logs: LazyLogs) -> None:
    pandas = pytest.importorskip("pandas")
    assert pandas.DataFrame([logs])["loss"].tolist() == [0.5]


def test_arrays_of_a_fetch_become_floats_if_they_are_scalars() -> None:
    logs = LazyLogs({"loss": Scalar(1), "rows": Scalar(2)}, lambda tensors: [np.float32(0.5).reshape(()), np.ones(2)])
    assert type(logs["loss"]) is float and logs["loss"] == 0.5 and logs["rows"].shape == (2,)


def test_a_wrong_fetch_is_told() -> None:
    with pytest.raises(ValueError, match="gave 0 values for 1"):
        LazyLogs({"loss": Scalar(1)}, lambda tensors: [])["loss"]

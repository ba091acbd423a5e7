"""The table of `summary()`: against texts that Keras printed (tests/parity/summary_models.py wrote them), and its parts."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import tricera
from tests.parity.summary_models import CASES, GOLDEN, chain, guide, joined, label, text
from tricera.utils.summary_utils import column_widths, is_sequential_like, readable_size, summary_rows


def golden() -> dict[str, str]:
    parts = GOLDEN.read_text(encoding="utf-8").split("## ")[1:]
    return {name: body for name, _, body in (part.partition("\n") for part in parts)}


EXPECTED = golden()


@pytest.fixture(autouse=True)
def numpy_backend():
    with tricera.backend.use("numpy"):
        yield


@pytest.mark.parametrize("case", CASES, ids=label)
def test_text(case) -> None:
    assert text(tricera, case) == EXPECTED[label(case)]


def test_every_backend_prints_the_same(backend) -> None:
    with tricera.backend.use(backend):
        assert text(tricera, CASES[0]) == EXPECTED[label(CASES[0])]


def test_printed_text_is_that_of_print_fn(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    model = chain(tricera)
    texts: list[str] = []
    assert model.summary(print_fn=texts.append) is None
    assert capsys.readouterr().out == ""
    model.summary()
    assert capsys.readouterr().out == texts[0]


def test_with_interactive_logging_off_it_goes_to_the_log(capsys, caplog) -> None:
    tricera.utils.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, logger="tricera"):
            chain(tricera).summary()
    finally:
        tricera.utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert "Total params: 23 (92.00 B)" in caplog.text


def test_asked_line_length_is_kept_where_there_is_no_terminal(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    texts: list[str] = []
    chain(tricera).summary(line_length=120, print_fn=texts.append)
    assert {len(line) for line in texts[0].splitlines() if line[0] in "┏┃┡│├└"} == {120}


def test_subclassed_model_before_and_after_its_first_call() -> None:
    class Own(tricera.Model):
        def __init__(self):
            super().__init__(name="own")
            self.first = tricera.layers.Dense(3, name="first")
            self.rest = [tricera.layers.Dense(2, name="second")]

        def call(self, x):
            return self.rest[0](self.first(x))

    model = Own()
    assert [(r.name, r.shape, r.params) for r in summary_rows(model)] == [
        ("first", "?", "0 (unbuilt)"),
        ("second", "?", "0 (unbuilt)"),
    ]
    model(np.ones((5, 4), "float32"))
    assert [(r.name, r.shape, r.params) for r in summary_rows(model)] == [
        ("first", "(5, 3)", "15"),
        ("second", "(5, 2)", "8"),
    ]


def test_shape_is_the_one_inside_the_model() -> None:
    layer = tricera.layers.Activation("relu", name="act")
    a, b = tricera.Input((4,)), tricera.Input((5,))
    model = tricera.Model(b, layer(b))
    layer(a)  # a later call elsewhere, which Keras would show
    assert summary_rows(model)[-1].shape == "(None, 5)"


def test_class_name_of_a_torch_layer_is_the_public_one() -> None:
    pytest.importorskip("torch")
    with tricera.backend.use("torch"):
        rows = summary_rows(chain(tricera))
    assert [r.class_name for r in rows] == ["InputLayer", "Dense", "Dense"]


def test_is_sequential_like() -> None:
    assert is_sequential_like(chain(tricera)) and is_sequential_like(guide(tricera))
    assert not is_sequential_like(joined(tricera))


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.00 B"),
        (92, "92.00 B"),
        (1023, "1023.00 B"),
        (1024, "1.00 KB"),
        (1041192, "1016.79 KB"),
        (2**50 * 3000, "3000.00 PB"),
    ],
)
def test_readable_size(size, text) -> None:
    assert readable_size(size) == text


def test_column_widths() -> None:
    assert column_widths((0.45, 0.8, 1.0), 100, 3, False) == [45, 35, 20]
    assert column_widths((0.45, 0.8, 1.0), 100, 3, True) == [40, 32, 18, 10]
    with pytest.raises(ValueError, match="3 numbers"):
        column_widths((0.3, 0.6), 80, 3, False)
    with pytest.raises(ValueError, match="too narrow"):
        column_widths((0.45, 0.8, 1.0), 12, 3, False)


@pytest.mark.parametrize("wrong", [["a"], "ab", ["a", None], [0, 1], 5])
def test_wrong_layer_range(wrong) -> None:
    with pytest.raises(ValueError, match="list or tuple of two strings"):
        chain(tricera).summary(layer_range=wrong)


def test_layer_range_without_a_match() -> None:
    with pytest.raises(ValueError, match="'zzz'. The layers are: a, d1, d2"):
        chain(tricera).summary(layer_range=["d1", "zzz"])

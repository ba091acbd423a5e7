"""ModelCheckpoint and CSVLogger."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.callbacks.fakes import FakeMetric, FakeModel, losses, run
from tricera.callbacks import CSVLogger, ModelCheckpoint


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_epoch_under_its_own_name(tmp_path: Path) -> None:
    model = run(ModelCheckpoint(tmp_path / "{epoch:02d}-{loss:.2f}.keras"), losses(3, 2.5))
    assert names(tmp_path) == ["01-3.00.keras", "02-2.50.keras"]
    assert {kind for kind, _ in model.saved} == {"model"}


def test_only_the_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "deep" / "er" / "best.weights.h5"
    checkpoint = ModelCheckpoint(path, "acc", verbose=1, save_best_only=True, save_weights_only=True)
    model = run(checkpoint, losses(0.1, 0.3, 0.2, name="acc"), FakeModel((FakeMetric("acc", "up"),)))
    assert model.saved == [("weights", str(path))] * 2 and path.read_text() == "[1]" and checkpoint.best == 0.3
    assert capsys.readouterr().out.split("\n\n")[2:] == [
        f"Epoch 2: acc improved from 0.10000 to 0.30000, saving model to {path}",
        f"Epoch 2: finished saving model to {path}",
        "Epoch 3: acc did not improve from 0.30000\n",
    ]


def test_the_first_must_beat_the_threshold(tmp_path: Path) -> None:
    options: Any = {"monitor": "loss", "save_best_only": True, "initial_value_threshold": 2.0}
    assert not run(ModelCheckpoint(tmp_path / "a.keras", **options), losses(3, 2)).saved
    assert len(run(ModelCheckpoint(tmp_path / "a.keras", **options), losses(3, 1)).saved) == 1


def test_every_few_steps(tmp_path: Path) -> None:
    run(ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=3), losses(1, 1, 1), steps=4)
    assert names(tmp_path) == ["1-3.keras", "2-2.keras", "3-1.keras", "3-4.keras"]


def test_a_checkpoint_without_its_value_warns_and_saves_nothing(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="val_loss"):
        assert not run(ModelCheckpoint(tmp_path / "a.keras", save_best_only=True), losses(1)).saved


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"filepath": "a.h6"}, r"\.keras or \.h5"),
        ({"filepath": "a.keras", "save_weights_only": True}, r"\.weights\.h5"),
        ({"filepath": "a.keras", "save_freq": "step"}, "save_freq"),
        ({"filepath": "a.keras", "save_freq": 2.5}, "save_freq"),
        ({"filepath": "a.keras", "save_freq": 0}, "save_freq"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        ModelCheckpoint(**arguments)


def test_an_unknown_field(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"zork.*loss, epoch"):
        run(ModelCheckpoint(tmp_path / "{zork}.keras"), losses(1))


def test_an_unwritable_path_is_told_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot save to .*file/a\.keras"):
        ModelCheckpoint(tmp_path / "file" / "a.keras").on_train_begin()
    (tmp_path / "b.keras").mkdir()
    with pytest.raises(IsADirectoryError, match=r"b\.keras.*folder"):
        ModelCheckpoint(tmp_path / "b.keras").on_train_begin()
    if os.getuid() != 0:  # root may write everywhere
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(PermissionError, match="locked"):
            ModelCheckpoint(tmp_path / "locked" / "a.keras").on_train_begin()


def test_a_failed_save_is_told_and_does_not_raise_the_bar(tmp_path: Path) -> None:
    class Full(FakeModel):
        def save(self, path: str, overwrite: bool = True) -> None:
            raise OSError(28, "No space left on device")

    checkpoint = ModelCheckpoint(tmp_path / "a.keras", "loss", save_best_only=True)
    with pytest.raises(OSError, match=r"a\.keras.*No space left"):
        run(checkpoint, losses(1), Full())
    assert checkpoint.best is None


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    run(CSVLogger(path), [{"loss": 0.5, "acc": 1.0}, {"loss": 0.25, "acc": 0.5, "val_loss": 2.0, "val_acc": 3.0}])
    assert path.read_text() == "epoch,acc,loss,val_acc,val_loss\n0,1.0,0.5,NA,NA\n1,0.5,0.25,3.0,2.0\n"


def test_csv_is_there_after_each_epoch(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path / "log.csv", separator=";")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    assert (tmp_path / "log.csv").read_text() == "epoch;loss;val_loss\n0;1.0;2.0\n"
    logger.on_train_end()


def test_csv_goes_on_in_the_columns_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    run(CSVLogger(path), [{"loss": 1.0, "val_loss": 2.0}])
    with pytest.warns(UserWarning, match="acc"):
        run(CSVLogger(path, append=True), [{"acc": 0.5, "loss": 3.0}])
    assert path.read_text() == "epoch,loss,val_loss\n0,1.0,2.0\n0,3.0,NA\n"
    run(CSVLogger(path), losses(9))
    assert path.read_text() == "epoch,loss,val_loss\n0,9,NA\n"


def test_csv_of_arrays_and_text(tmp_path: Path) -> None:
    run(CSVLogger(tmp_path / "a.csv"), [{"a": np.array([1, 2]), "s": "x,y", "z": np.float32(0.5)}])
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == '0,"[1, 2]","x,y",0.5,NA,NA,NA'


def test_csv_refuses(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="separator"):
        CSVLogger("a.csv", separator="--")
    with pytest.raises(FileNotFoundError, match=r"CSVLogger cannot write to .*a\.csv"):
        CSVLogger(tmp_path / "none" / "a.csv").on_train_begin()

"""BackupAndRestore: a training that was interrupted ends as one that was not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tricera as keras
from tricera import layers
from tricera.callbacks import BackupAndRestore, Callback

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


class Interrupt(Callback):
    """Raises in a batch of an epoch, or at its end; and notes which batches were seen."""

    def __init__(self, epoch: int | None = None, batch: int | None = None) -> None:
        super().__init__()
        self.at, self.epoch = (epoch, batch), 0
        self.seen: list[tuple[int, int]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append((self.epoch, batch))
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch, None) == self.at:
            raise KeyboardInterrupt


def make() -> Any:
    model = keras.Sequential([layers.Input((3,)), layers.Dropout(0.2, seed=3), layers.Dense(1, name="head")])
    model.set_weights([np.ones((3, 1)), np.zeros(1)])
    model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
    return model


class Batches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Any:
        return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]


def fit(model: Any, callbacks: list[Any], source: str = "arrays", seed: int = 7) -> Any:
    keras.utils.set_random_seed(seed)
    options: dict[str, Any] = {"epochs": 4, "verbose": 0, "callbacks": callbacks}
    if source == "dataset":
        return model.fit(Batches(), **options)
    if source == "steps":  # a pass over the data takes two epochs
        return model.fit(X, Y, batch_size=2, steps_per_epoch=5, **options)
    return model.fit(X, Y, batch_size=4, validation_data=(X, Y), **options)


@pytest.mark.parametrize(
    ("freq", "at", "source", "left"),
    [
        ("epoch", (2, 0), "arrays", 10),
        (2, (1, 3), "arrays", 12),  # saved after 8 steps, interrupted in the 9th
        (5, (1, None), "arrays", 10),  # all steps of the epoch are done, its end is not
        (2, (1, 3), "steps", 12),
        (3, (1, 2), "dataset", 14),
    ],
)
def test_as_if_nothing_had_happened(
    trainable_backend: str, tmp_path: Path, freq: Any, at: Any, source: str, left: int
) -> None:
    whole = make()
    expected = fit(whole, [], source)
    with pytest.raises(KeyboardInterrupt):
        fit(make(), [BackupAndRestore(tmp_path / "b", save_freq=freq), Interrupt(*at)], source)
    model, rest = make(), Interrupt()  # as a new process makes it
    history = fit(model, [BackupAndRestore(tmp_path / "b", save_freq=freq), rest], source, seed=99)
    assert len(rest.seen) == left and rest.seen[-1] == (3, 4)
    assert history.epoch == expected.epoch[-len(history.epoch) :]
    assert int(model.optimizer.iterations) == int(whole.optimizer.iterations)
    for name, values in history.history.items():
        np.testing.assert_allclose(values, expected.history[name][-len(values) :], rtol=1e-5, err_msg=name)
    for a, b in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert not (tmp_path / "b").exists()


def test_a_generator_goes_on_with_what_it_gives(trainable_backend: str, tmp_path: Path) -> None:
    def endless() -> Any:
        while True:
            yield X[:4], Y[:4]

    def run(*callbacks: Any) -> None:
        make().fit(endless(), steps_per_epoch=4, epochs=2, verbose=0, callbacks=list(callbacks))

    with pytest.raises(KeyboardInterrupt):
        run(BackupAndRestore(tmp_path, save_freq=1), Interrupt(1, 1))
    rest = Interrupt()
    run(BackupAndRestore(tmp_path, save_freq=1), rest)
    assert rest.seen == [(1, 2), (1, 3)]


def interrupted(folder: Path, **options: Any) -> list[str]:
    with pytest.raises(KeyboardInterrupt):
        fit(make(), [BackupAndRestore(folder, **options), Interrupt(2, 0)])
    return sorted(path.name for path in folder.iterdir())


def test_what_is_kept(tmp_path: Path) -> None:
    assert interrupted(tmp_path / "one") == ["2-0.weights.h5", "training_metadata.json"]
    two = interrupted(tmp_path / "two", double_checkpoint=True)
    assert two == ["1-0.weights.h5", "2-0.weights.h5", "training_metadata.json", "training_metadata.json.bkp"]
    (tmp_path / "one" / "mine.txt").write_text("")
    assert len(fit(make(), [BackupAndRestore(tmp_path / "one", delete_checkpoint=False)]).epoch) == 2
    assert len(fit(make(), [BackupAndRestore(tmp_path / "one")]).epoch) == 0  # the four epochs are done
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("damage", ["weights", "metadata", "half"])
def test_a_damaged_backup(tmp_path: Path, damage: str) -> None:
    for folder, double in ((tmp_path / "one", False), (tmp_path / "two", True)):
        interrupted(folder, double_checkpoint=double)
        if damage == "weights":
            (folder / "2-0.weights.h5").write_bytes((folder / "2-0.weights.h5").read_bytes()[:500])
        elif damage == "metadata":
            (folder / "training_metadata.json").write_text('{"weights": "../../x.weights.h5", "epoch": 1, "batch": 0}')
        else:
            (folder / "training_metadata.json").write_text('{"weights": "2-0.wei')
    with pytest.raises(ValueError, match=r"(?s)one'.* can't be restored.*remove the folder.*training_metadata"):
        fit(make(), [BackupAndRestore(tmp_path / "one")])
    with pytest.warns(UserWarning, match="the one before it was"):
        assert fit(make(), [BackupAndRestore(tmp_path / "two")]).epoch == [1, 2, 3]


def test_another_model_or_other_metrics(tmp_path: Path) -> None:
    interrupted(tmp_path, save_freq=1)
    other = keras.Sequential([layers.Input((3,)), layers.Dense(2), layers.Dense(1)])
    other.compile("adam", "mse")
    before = other.get_weights()
    with pytest.raises(ValueError, match="can't be restored"):
        fit(other, [BackupAndRestore(tmp_path)])
    np.testing.assert_array_equal(other.get_weights()[0], before[0])
    note = json.loads((tmp_path / "training_metadata.json").read_text())
    (tmp_path / "training_metadata.json").write_text(json.dumps({**note, "metrics": note["metrics"][:2]}))
    with pytest.raises(ValueError, match="Compile it with the same metrics"):
        fit(make(), [BackupAndRestore(tmp_path)])


@pytest.mark.parametrize(
    "arguments", [{"save_freq": "batch"}, {"save_freq": 0}, {"save_freq": True}, {"backup_dir": ""}]
)
def test_wrong_arguments(arguments: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        BackupAndRestore(**{"backup_dir": "b", **arguments})


def test_an_unwritable_folder_is_told_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="BackupAndRestore cannot save to .*file/backup"):
        fit(make(), [BackupAndRestore(tmp_path / "file" / "backup")])

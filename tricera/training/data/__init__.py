"""Data for training: one adapter a kind of source, all alike to the loop.

Nothing here imports a framework. Objects of tf.data, torch, pandas and JAX are recognised by the modules of their
classes (`foreign`) and used through their own methods, so that any source works beside any backend. Placing a batch on
a backend is the business of the compiled step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from tricera.training.data import foreign
from tricera.training.data.adapter import DataAdapter
from tricera.training.data.arrays import ArrayAdapter, Window
from tricera.training.data.batch import pack_x_y_sample_weight, unpack_x_y_sample_weight
from tricera.training.data.epoch import EpochIterator
from tricera.training.data.generator import GeneratorAdapter
from tricera.training.data.pydataset import PyDataset, PyDatasetAdapter
from tricera.training.data.split import train_validation_split, unpack_validation_data
from tricera.training.data.tf_dataset import TFDatasetAdapter
from tricera.training.data.torch_loader import TorchLoaderAdapter

__all__ = [
    "ArrayAdapter",
    "DataAdapter",
    "EpochIterator",
    "GeneratorAdapter",
    "PyDataset",
    "PyDatasetAdapter",
    "TFDatasetAdapter",
    "TorchLoaderAdapter",
    "Window",
    "make_adapter",
    "pack_x_y_sample_weight",
    "train_validation_split",
    "unpack_validation_data",
    "unpack_x_y_sample_weight",
]


def make_adapter(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    steps_per_epoch: int | None = None,
    shuffle: bool | Literal["batch"] = False,
    class_weight: dict[int, float] | None = None,
) -> DataAdapter:
    """The adapter of a data source.

    Args:
        x: arrays, lists of numbers, pandas objects or tensors (also in lists, tuples and dicts), or a source of
            batches: a `tf.data` dataset, a torch `DataLoader`, a `PyDataset`, a generator.
        y: targets; only beside arrays.
        sample_weight: weights of the samples; only beside arrays.
        batch_size: samples a batch, 32 unless given; sources of batches have their own.
        steps_per_epoch: batches an epoch; an endless source needs it.
        shuffle: new order for each pass: of the samples (True) or the batches (`"batch"`) of arrays, of the batches of
            a `PyDataset`. Other sources have an order of their own.
        class_weight: dict of class to weight, turned into sample weights.

    Raises:
        ValueError: the source is unknown or endless, targets stand beside a source of batches, or arrays do not fit
            together.
        TypeError: arrays hold text or objects.
    """
    kind = foreign.kind(x)
    if isinstance(x, PyDataset):
        _refuse_extras("a PyDataset", y, sample_weight)
        _refuse_endless("a PyDataset", x.num_batches is None, steps_per_epoch)
        return PyDatasetAdapter(x, shuffle=shuffle, class_weight=class_weight)
    if kind in ("tf_dataset", "tf_distributed"):
        _refuse_extras("a tf.data.Dataset", y, sample_weight)
        adapter = TFDatasetAdapter(x, class_weight=class_weight)
        _refuse_endless("a tf.data.Dataset", adapter.is_infinite, steps_per_epoch)
        return adapter
    if kind == "torch_loader":
        _refuse_extras("a torch DataLoader", y, sample_weight)
        return TorchLoaderAdapter(x, class_weight=class_weight)
    if kind == "torch_dataset":
        raise ValueError(
            "A torch Dataset gives single samples. Wrap it: `torch.utils.data.DataLoader(x, batch_size=32)`."
        )
    if isinstance(x, Iterator):
        _refuse_extras("a generator", y, sample_weight)
        return GeneratorAdapter(x, class_weight=class_weight)
    return ArrayAdapter(x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, class_weight=class_weight)


def _refuse_extras(source: str, y: Any, sample_weight: Any) -> None:
    for name, what, value in (("y", "targets", y), ("sample_weight", "sample weights", sample_weight)):
        if value is not None:
            raise ValueError(
                f"`x` is {source}, so `{name}` must not be passed: the source has to give the {what} itself."
            )


def _refuse_endless(source: str, endless: bool, steps_per_epoch: int | None) -> None:
    if endless and steps_per_epoch is None:
        raise ValueError(f"`x` is {source} without an end, so the steps of an epoch must be given (`steps_per_epoch`).")

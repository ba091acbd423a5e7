"""Datasets of samples in memory."""

from __future__ import annotations

from typing import Any

import torch

from tricera.core import tree


class _Samples(torch.utils.data.Dataset):
    def __init__(self, arrays: Any) -> None:
        self._tensors = tree.map_structure(torch.as_tensor, arrays if tree.is_nested(arrays) else (arrays,))
        self._length = len(tree.flatten(self._tensors)[0])

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        return tree.map_structure(lambda tensor: tensor[index], self._tensors)


def dataset_of_samples(arrays: Any) -> torch.utils.data.Dataset:
    """A dataset whose items are the rows of `arrays`, a structure of arrays of one length; of one array, 1-tuples."""
    return _Samples(arrays)

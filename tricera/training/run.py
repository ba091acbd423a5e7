"""Where a `fit` stands, so that a callback can note it and a later `fit` can go on from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tricera.training.data import EpochIterator


class Run:
    """One call of `fit`.

    Args:
        model: what is trained.
        data: its training data.
        initial_epoch: the epoch with which it begins.

    Attributes:
        initial_epoch: as given, or as `resume` set it.
        initial_step: how many steps of that epoch were done before.
    """

    def __init__(self, model: Any, data: EpochIterator, initial_epoch: int) -> None:
        self.model, self.data = model, data
        self.initial_epoch, self.initial_step = initial_epoch, 0

    def note(self, epoch: int, step: int) -> dict[str, Any]:
        """What `resume` needs beside the model's weights, in JSON's types.

        Args:
            epoch: the epoch in which to go on.
            step: how many steps of it are done.
        """
        metrics = [v.numpy().tolist() for v in self.model.metrics_variables] if step else []
        return {"epoch": epoch, "batch": step, "data": self.data.position(), "metrics": metrics}

    def resume(self, note: Mapping[str, Any]) -> None:
        """Go on where a note was taken; to be called when training begins, once the model has its weights back.

        Raises:
            ValueError: the note is not one of this model; nothing has changed then.
        """
        epoch, step, metrics = note["epoch"], note["batch"], note["metrics"]
        variables = self.model.metrics_variables if step else []
        arrays = [np.asarray(value) for value in metrics]
        if [v.shape for v in variables] != [a.shape for a in arrays]:
            raise ValueError(
                f"It was taken in a run with {len(arrays)} variables of metrics of the shapes {[a.shape for a in arrays]}; this "
                f"model has {[v.shape for v in variables]}. Compile it with the same metrics."
            )
        self.data.go_to(note["data"])
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.initial_epoch, self.initial_step = epoch, step

"""Evaluating, and saving, with the running means of the weights."""

from __future__ import annotations

from typing import Any

from tricera.callbacks.callback import Callback


class SwapEMAWeights(Callback):
    """Puts the optimizer's running means in the place of the weights while the model is evaluated or predicts.

    The optimizer must keep them: `use_ema=True`. Afterwards the weights are those before. This is Polyak averaging: the means
    are often better than the weights of the last step.

    Args:
        swap_on_epoch: swap at the end of an epoch, too, and back at the beginning of the next one, so that callbacks that
            stand after this one, such as a `ModelCheckpoint`, see (and save) the means.

    Raises:
        ValueError: (when it is used) the model's optimizer keeps no means.

    References:
        [Polyak and Juditsky, 1992](https://doi.org/10.1137/0330046)

    Example:
        >>> SwapEMAWeights(swap_on_epoch=True).swap_on_epoch
        True
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._weights: list[tuple[Any, Any]] | None = None  # variables and their own values while the means stand there

    def _swap_in(self) -> bool:
        """Put the means into the weights, unless they are there; whether they were not."""
        optimizer = self.model.optimizer
        pairs = None if optimizer is None else optimizer._averaged()
        if pairs is None:
            raise ValueError(
                f"SwapEMAWeights needs an optimizer that keeps running means of the weights: make it with `use_ema=True`. That of "
                f"the model {self.model.name!r} is {optimizer!r}."
            )
        if self._weights is not None:
            return False
        # Copies of the values, not an exchange with the means: the end of training takes the means for the final weights.
        self._weights = [(variable, variable.numpy()) for variable, _ in pairs]
        for variable, average in pairs:
            variable.assign(average.numpy())
        return True

    def _swap_out(self) -> None:
        """Put the weights back."""
        if self._weights is not None:
            for variable, value in self._weights:
                variable.assign(value)
            self._weights = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin with the weights."""
        self._weights = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Train on with the weights."""
        self._swap_out()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Show the means to the callbacks that come after."""
        if self.swap_on_epoch:
            self._swap_in()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave what the optimizer has made the final weights: the means."""
        self._weights = None

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Evaluate with the means."""
        self._swapped_here = self._swap_in()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Go on with what was there before."""
        if self._swapped_here:
            self._swap_out()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Predict with the means."""
        self._swapped_here = self._swap_in()

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Go on with what was there before."""
        if self._swapped_here:
            self._swap_out()

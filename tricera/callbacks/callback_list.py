"""Several callbacks called as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tricera.callbacks.callback import BATCH_HOOKS, HOOKS, Callback, overrides
from tricera.callbacks.history import History
from tricera.callbacks.progbar_logger import ProgbarLogger


class CallbackList(Callback):
    """Calls the hooks of a list of callbacks, in order.

    Which callbacks override which batch hooks is found out when the list is made (or grows), not per step.

    Args:
        callbacks: one callback or a list, possibly nested, of them.
        add_history: add a `History` unless there is one.
        add_progbar: add a `ProgbarLogger` unless there is one.
        model: the model, handed to each callback; its `history` becomes the `History`.
        **params: the run's parameters (`verbose`, `epochs`, `steps`), handed to each callback.

    Raises:
        TypeError: something in the list is no callback.

    Example:
        >>> callbacks = CallbackList([Callback()], add_history=True, epochs=1)
        >>> callbacks.on_epoch_end(0, {"loss": 0.5})
        >>> callbacks.callbacks[-1].history, callbacks.needs_train_batch_hooks
        ({'loss': [0.5]}, False)
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Any] = []
        _flatten(callbacks, self.callbacks)
        # Others may put values into an epoch's logs, so the two that record and show them come last.
        self._history = self._find(History, add_history)
        self._progbar = self._find(ProgbarLogger, add_progbar)
        self._index()
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def _find(self, kind: type, add: bool) -> Any:
        for callback in self.callbacks:
            if isinstance(callback, kind):
                return callback
        if not add:
            return None
        self.callbacks.append(kind())
        return self.callbacks[-1]

    def _index(self) -> None:
        self._batch_hooks: dict[str, list[tuple[Any, Callable[..., Any]]]] = {
            hook: [(callback, getattr(callback, hook)) for callback in self.callbacks if overrides(callback, hook)]
            for hook in BATCH_HOOKS
        }

    def append(self, callback: Any) -> None:
        """Add a callback at the end."""
        _flatten(callback, self.callbacks)
        self._index()

    def set_params(self, params: dict[str, Any]) -> None:
        """Hand the run's parameters to each callback."""
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hand the model to each callback."""
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def _note_wait(self, seconds: float) -> None:
        """Record for how long the steps of an epoch waited for data."""
        if self._history is not None:
            self._history.data_wait.append(seconds)

    def _watchers(self, kind: str) -> list[Any]:
        return [
            callback
            for hook, its_kind in BATCH_HOOKS.items()
            if its_kind == kind
            for callback, _ in self._batch_hooks[hook]
            if getattr(callback, "_watches_batches", _always)(kind)
        ]

    def _watches_batches(self, kind: str) -> bool:
        """Whether any callback wants the batch hooks of `"train"`, `"test"` or `"predict"`."""
        return bool(self._watchers(kind))

    def _watches_each_batch(self, kind: str) -> bool:
        """Whether any callback wants them of each batch; the progress bar is content with one in a while."""
        return any(type(callback) is not ProgbarLogger for callback in self._watchers(kind))

    @property
    def needs_train_batch_hooks(self) -> bool:
        """Whether a trainer has to call the hooks of training steps."""
        return self._watches_batches("train")

    @property
    def needs_test_batch_hooks(self) -> bool:
        """Whether a trainer has to call the hooks of evaluation steps."""
        return self._watches_batches("test")

    @property
    def needs_predict_batch_hooks(self) -> bool:
        """Whether a trainer has to call the hooks of prediction steps."""
        return self._watches_batches("predict")

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Older name of `on_train_batch_begin`."""
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Older name of `on_train_batch_end`."""
        self.on_train_batch_end(batch, logs)


def _always(kind: str) -> bool:
    return True


def _batch_hook(name: str) -> Callable[..., None]:
    def hook(self: CallbackList, batch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is None:
            logs = {}
        for _, call in self._batch_hooks[name]:
            call(batch, logs=logs)

    return hook


def _epoch_hook(name: str) -> Callable[..., None]:
    def hook(self: CallbackList, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is None:
            logs = {}
        for callback in self.callbacks:
            getattr(callback, name)(epoch, logs)

    return hook


def _run_hook(name: str) -> Callable[..., None]:
    def hook(self: CallbackList, logs: dict[str, Any] | None = None) -> None:
        if logs is None:
            logs = {}
        for callback in self.callbacks:
            getattr(callback, name)(logs)

    return hook


def _add_hooks() -> None:
    for name in HOOKS:
        if name in ("on_batch_begin", "on_batch_end"):
            continue
        make = _batch_hook if name in BATCH_HOOKS else _epoch_hook if "epoch" in name else _run_hook
        hook = make(name)
        hook.__name__, hook.__qualname__ = name, f"CallbackList.{name}"
        hook.__doc__ = f"Call `{name}` of each callback."
        setattr(CallbackList, name, hook)


_add_hooks()


def _flatten(callbacks: Any, into: list[Any]) -> None:
    if callbacks is None:
        return
    if isinstance(callbacks, (list, tuple)):
        for callback in callbacks:
            _flatten(callback, into)
        return
    if isinstance(callbacks, type) and issubclass(callbacks, Callback):
        raise TypeError(f"A callback must be an object, not a class: write {callbacks.__name__}(...).")
    if not isinstance(callbacks, Callback) and not all(
        callable(getattr(callbacks, name, None)) for name in (*HOOKS, "set_model", "set_params")
    ):
        raise TypeError(
            f"{callbacks!r} (a {type(callbacks).__name__}) is no callback. Subclass tricera.callbacks.Callback, or "
            "wrap functions in a LambdaCallback."
        )
    into.append(callbacks)

"""The protocol: who is called, with what, and what a trainer may leave out."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.callbacks.fakes import FakeModel, run
from tricera.callbacks import (
    Callback,
    CallbackList,
    EarlyStopping,
    History,
    LambdaCallback,
    ModelCheckpoint,
    ProgbarLogger,
    TerminateOnNaN,
)
from tricera.callbacks.callback import BATCH_HOOKS, HOOKS


class Recorder(Callback):
    """Notes every call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []


for _name in HOOKS:
    setattr(Recorder, _name, lambda self, *args, _name=_name, **kw: self.calls.append((_name, *args, *kw.values())))


def test_every_hook_reaches_every_callback() -> None:
    first, second = Recorder(), Recorder()
    hooks = CallbackList([first, [second]])
    for name in HOOKS:
        getattr(hooks, name)(*([0] if "batch" in name or "epoch" in name else []), {"loss": 1.0})
    assert first.calls == second.calls
    names = [call[0] for call in first.calls]
    assert names == [name.replace("on_batch", "on_train_batch") for name in HOOKS]
    assert all(call[-1] == {"loss": 1.0} for call in first.calls)


def test_the_order_of_a_fit_and_empty_logs() -> None:
    recorder = Recorder()
    run(recorder, [{"loss": 1.0}], steps=1)
    assert recorder.calls == [
        ("on_train_begin", {}),
        ("on_epoch_begin", 0, {}),
        ("on_train_batch_begin", 0, {}),
        ("on_train_batch_end", 0, {"loss": 1.0}),
        ("on_epoch_end", 0, {"loss": 1.0}),
        ("on_train_end", {}),
    ]


def test_only_overridden_batch_hooks_are_called() -> None:
    class Plain(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            pass

    class Old(Callback):
        seen = 0

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen += 1

    plain, old = Plain(), Old()
    hooks = CallbackList([plain, old])
    assert [[c for c, _ in hooks._batch_hooks[name]] for name in BATCH_HOOKS] == [[], [old], [], [], [], []]
    hooks.on_train_batch_end(0)
    assert old.seen == 1
    assert (hooks.needs_train_batch_hooks, hooks.needs_test_batch_hooks, hooks.needs_predict_batch_hooks) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("make", "needed"),
    [
        (lambda: [], (False, False, False)),
        (lambda: [History(), EarlyStopping()], (False, False, False)),
        (lambda: TerminateOnNaN(), (True, False, False)),
        (lambda: ModelCheckpoint("a.keras"), (False, False, False)),
        (lambda: ModelCheckpoint("a.keras", save_freq=3), (True, False, False)),
        (lambda: LambdaCallback(on_epoch_end=print), (False, False, False)),
        (lambda: LambdaCallback(on_train_batch_begin=print), (True, False, False)),
        (lambda: LambdaCallback(on_test_batch_end=print), (False, True, False)),
        (lambda: LambdaCallback(on_predict_batch_end=print), (False, False, True)),
        (lambda: CallbackList([TerminateOnNaN()]), (True, False, False)),
    ],
)
def test_which_hooks_a_trainer_has_to_call(make: Any, needed: tuple[bool, bool, bool]) -> None:
    hooks = CallbackList(make())
    assert (hooks.needs_train_batch_hooks, hooks.needs_test_batch_hooks, hooks.needs_predict_batch_hooks) == needed


def test_a_progress_bar_watches_steps_only_where_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    def needs(**params: Any) -> bool:
        return CallbackList([], add_progbar=True, **params).needs_train_batch_hooks

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert not needs(verbose=1, steps=5)
    assert needs(verbose=1, steps=None)  # only counting tells how many there were
    assert not needs(verbose=0, steps=None)
    monkeypatch.setattr("sys.stdout", Terminal())
    assert needs(verbose=1, steps=5)
    assert not needs(verbose=2, steps=5)


def test_defaults_come_last_and_only_once() -> None:
    model = FakeModel()
    history = History()
    hooks = CallbackList(
        [history, TerminateOnNaN()], add_history=True, add_progbar=True, model=model, verbose=1, epochs=2, steps=3
    )
    assert [type(c) for c in hooks.callbacks] == [History, TerminateOnNaN, ProgbarLogger]
    assert model.history is history
    assert hooks.params == history.params == {"verbose": 1, "epochs": 2, "steps": 3}
    assert all(c.model is model for c in hooks.callbacks)


def test_append_finds_the_new_hooks() -> None:
    hooks = CallbackList()
    assert not hooks.needs_train_batch_hooks
    hooks.append(TerminateOnNaN())
    assert hooks.needs_train_batch_hooks


def test_what_is_no_callback() -> None:
    with pytest.raises(TypeError, match=r"EarlyStopping\(\.\.\.\)"):
        CallbackList([EarlyStopping])
    with pytest.raises(TypeError, match="LambdaCallback"):
        CallbackList([print])


def test_a_callback_without_super_init_works() -> None:
    class Careless(Callback):
        def __init__(self) -> None:
            self.done = False

        def on_train_end(self, logs: Any = None) -> None:
            self.done = self.model is not None

    callback = Careless()
    assert callback.model is None
    run(callback, [{"loss": 1.0}])
    assert callback.done

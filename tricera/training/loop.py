"""The one loop: epochs, callbacks and logs for fit, evaluate, predict and the `*_on_batch` methods."""

from __future__ import annotations

import numbers
from collections.abc import Collection
from typing import Any

import numpy as np

from tricera.callbacks import CallbackList
from tricera.callbacks.logs import LazyLogs
from tricera.core import config, dispatch, tree
from tricera.core.rows import Rows
from tricera.training.data import (
    EpochIterator,
    Window,
    make_adapter,
    train_validation_split,
    unpack_validation_data,
)
from tricera.training.data.ahead import wait_for_turn
from tricera.training.data.leaves import to_array
from tricera.training.resident import Pace, Stacked, chunk, resident
from tricera.training.run import Run
from tricera.training.steps import optimizers_of, prepare, run_single, step_variables, structure
from tricera.utils.progbar import resolve_verbose


def run_batches(model: Any, kind: str, batches: list[Any]) -> Any:
    """Place a group of batches and run the compiled step on them."""
    backend = model._backend
    placed = [backend.step.place(batch) for batch in batches]
    return model._step_cache.get(model, kind).run(placed)


def _prepare(model: Any, kind: str, data: EpochIterator) -> None:
    batch = data.peek()
    if batch is None:
        raise ValueError("The data source gave no batch at all. Is it empty, or an iterator that was used up?")
    prepare(model, kind, model._backend.step.place(batch))


def lazy_logs(model: Any, outputs: Any) -> LazyLogs:
    """The logs of a step: device values that become floats when somebody reads one."""
    if not isinstance(outputs, dict):
        raise ValueError(f"A train_step or test_step must return a dict of logs; got a {type(outputs).__name__}.")
    if any(isinstance(value, dict) for value in outputs.values()):
        outputs = _flat(outputs)
    return LazyLogs(outputs, model._backend.step.fetch)


def _flat(logs: dict[str, Any]) -> dict[str, Any]:
    """The logs of a step that reports `{m.name: m.result() for m in self.metrics}`: the result of several metrics is a dict."""
    found: dict[str, Any] = {}
    for name, value in logs.items():
        found.update(_flat(value) if isinstance(value, dict) else {name: value})
    return found


def run_epoch(model: Any, kind: str, data: EpochIterator, callbacks: CallbackList, start: int = 0) -> Any:
    """One pass over the data, but for the first `start` steps, which were done before.

    Returns:
        The logs of the last step, not fetched yet, or None if there was no step.
    """
    prefix = "train" if kind == "train" else "test"
    begin = getattr(callbacks, f"on_{prefix}_batch_begin")
    end = getattr(callbacks, f"on_{prefix}_batch_end")
    watched, each = callbacks._watches_batches(kind), callbacks._watches_each_batch(kind)
    cache = model._step_cache
    runner = _Runner(model, data, single=each and model._fixed_steps == 1)
    logs = step = None
    for first, last, batches in data.epoch(start):
        if watched:
            begin(first)
        same = False
        if step is None:
            step = cache.get(model, kind)
        elif each or (first == last and runner.repeats):
            step, same = cache.again(model, kind)
        logs = lazy_logs(model, runner.run(step, batches, same))
        if watched:
            end(last, logs)
            if model.stop_training or getattr(model, "stop_evaluating", False):
                break
    return logs


class _Runner:
    """Runs groups of batches: windows of resident data where there are any, else batches placed one by one."""

    def __init__(self, model: Any, data: EpochIterator, single: bool) -> None:
        self.backend, self.data = model._backend, data
        if data.pace is None:
            data.resident = resident(model, data)
            data.pace = Pace(None if model._fixed_steps == 1 else model._fixed_steps)
        data.windows = data.resident is not None
        self.pace: Pace = data.pace
        data.steps_per_execution = 1 if single else self.pace.size
        self.free = self.pace.free and not single
        self.single = not self.free and data.steps_per_execution == 1
        data.joined = not self.free
        self.snapshot = structure(model)
        self.repeats = self.backend.step.REPEATS

    def run(self, step: Any, batches: Any, same: bool) -> Any:
        """The outputs of the last batch; `same` is what `Step.run` knows by that name."""
        if same:  # the step's code mostly doesn't run, and finds what it looks up without a snapshot, too
            return self._run(step, batches, same)
        with self.snapshot():
            return self._run(step, batches, same)

    def _run(self, step: Any, batches: Any, same: bool) -> Any:
        if not isinstance(batches, Window):
            return step.run(batches, same)
        if not self.free:
            outputs = self.data.resident.run(step, batches, same, self.single)
            return outputs if batches.rest is None else step.run([batches.rest])
        started = self.pace.start()
        outputs = self.backend.step.wait(self.data.resident.run(step, batches))
        self.pace.learn(batches.steps, started)
        self.data.steps_per_execution = self.pace.size
        return outputs


def _floats(logs: Any) -> dict[str, Any]:
    """The logs as numbers, by name in alphabetical order, as Keras reports them."""
    return {} if logs is None else {key: logs[key] for key in sorted(logs)}


def _callback_list(
    model: Any, callbacks: Any, verbose: Any, epochs: int, steps: int | None, history: bool
) -> CallbackList:
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(
        callbacks,
        add_history=history,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=epochs,
        steps=steps,
    )


def fit(model: Any, arguments: dict[str, Any]) -> Any:
    """`Model.fit`; `arguments` are its arguments by name."""
    wait_for_turn()
    with dispatch.use(model._backend):
        return _fit(model, **{k: v for k, v in arguments.items() if k != "self"})


def _fit(
    model: Any, *, x: Any, y: Any, sample_weight: Any, validation_data: Any, validation_split: float, **options: Any
) -> Any:
    if not model._backend.control.GRADIENTS:
        raise NotImplementedError(
            f"The backend {model.backend!r} has no gradients, so {model.name!r} can't be trained on it. "
            "Move the model first: `model.to_backend('jax')`."
        )
    verbose = resolve_verbose(options["verbose"])
    _check_epochs(options["epochs"], options["initial_epoch"], options["validation_freq"])
    epochs = options["epochs"] if config.get("max_epochs") is None else min(options["epochs"], config.get("max_epochs"))
    if validation_split and validation_data is None:
        (x, y, sample_weight), validation_data = train_validation_split((x, y, sample_weight), validation_split)
    spe = model._fixed_steps
    adapter = make_adapter(
        x, y, sample_weight, batch_size=options["batch_size"], steps_per_epoch=options["steps_per_epoch"],
        shuffle=options["shuffle"], class_weight=options["class_weight"],
    )  # fmt: skip
    with EpochIterator(adapter, options["steps_per_epoch"], spe, model._backend.step.place) as data:
        _prepare(model, "train", data)
        data.variables = step_variables(model, "train")
        callbacks = _callback_list(model, options["callbacks"], verbose, epochs, data.num_batches, history=True)
        validation = _Validation(model, validation_data, options) if validation_data is not None else None
        try:
            model._fitting = Run(model, data, options["initial_epoch"])
            _epochs(model, data, callbacks, validation, epochs)
        finally:
            model._fitting = None
            if validation is not None:
                validation.data.close()
        return model.history


def _check_epochs(epochs: Any, initial_epoch: Any, frequency: Any) -> None:
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
            raise ValueError(f"`{name}` must be an integer, 0 or more, not {value!r}.")
    if isinstance(frequency, numbers.Integral) and not isinstance(frequency, bool):
        if frequency < 1:
            raise ValueError(f"`validation_freq` must be at least 1, not {frequency!r}.")
    elif isinstance(frequency, (str, bool)) or not isinstance(frequency, Collection):
        raise ValueError(f"`validation_freq` must be an integer or a collection of epochs (from 1), not {frequency!r}.")


def _epochs(model: Any, data: EpochIterator, callbacks: CallbackList, validation: Any, epochs: int) -> None:
    model.stop_training = False
    callbacks.on_train_begin()
    logs: dict[str, Any] = {}
    initial, start = model._fitting.initial_epoch, model._fitting.initial_step  # a callback may have set them just now
    for epoch in range(initial, epochs):
        if not start:
            model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        for each in optimizers_of(model):
            each._to_training()
        last = run_epoch(model, "train", data, callbacks, start)
        if last is None and start:
            last = lazy_logs(model, model.get_metrics_result())  # all of its steps were done before
        if last is None:
            break
        start = 0
        callbacks._note_wait(data.waited)
        logs = _floats(last)
        for each in optimizers_of(model):  # validation, checkpoints and the like see the weights that are to be used
            each._to_evaluation()
        if validation is not None and validation.due(epoch):
            logs = _floats(logs | {f"val_{name}": value for name, value in validation.run(callbacks).items()})
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training or (
            data.exhausted and data.adapter.num_batches is None and data.steps_per_epoch is not None
        ):
            break
    optimizer = model.optimizer
    if optimizer is not None and epochs > initial:
        optimizer.finalize_variable_values(model.trainable_variables)
    callbacks.on_train_end(logs)


class _Validation:
    """The validation of a fit: its data are opened once."""

    def __init__(self, model: Any, source: Any, options: dict[str, Any]) -> None:
        self.model, self.frequency = model, options["validation_freq"]
        x, y, sample_weight = unpack_validation_data(source)
        adapter = make_adapter(
            x, y, sample_weight, batch_size=options["validation_batch_size"] or options["batch_size"],
            steps_per_epoch=options["validation_steps"], shuffle=False,
        )  # fmt: skip
        self.data = EpochIterator(adapter, options["validation_steps"], model._fixed_steps, model._backend.step.place)

    def due(self, epoch: int) -> bool:
        """Whether this epoch is followed by a validation."""
        frequency = self.frequency
        return (epoch + 1) % frequency == 0 if isinstance(frequency, numbers.Integral) else epoch + 1 in frequency

    def run(self, callbacks: CallbackList) -> dict[str, Any]:
        """Validate, on the same samples each time: `validation_steps` may be fewer than the data hold."""
        self.data.restart()
        return _floats(_test_pass(self.model, self.data, callbacks))


def _test_pass(model: Any, data: EpochIterator, callbacks: CallbackList) -> Any:
    _prepare(model, "test", data)
    model.stop_evaluating = False
    callbacks.on_test_begin()
    model.reset_metrics()
    logs = run_epoch(model, "test", data, callbacks)
    callbacks.on_test_end(_floats(logs))
    return logs


def evaluate(
    model: Any, x: Any, y: Any, batch_size: Any, verbose: Any, sample_weight: Any, steps: Any, callbacks: Any,
    return_dict: bool, **kwargs: Any,
) -> Any:  # fmt: skip
    """`Model.evaluate`."""
    if kwargs:
        raise ValueError(f"Unknown argument of evaluate: {', '.join(kwargs)}.")
    wait_for_turn()
    with dispatch.use(model._backend):
        verbose = resolve_verbose(verbose)
        adapter = make_adapter(x, y, sample_weight, batch_size=batch_size, steps_per_epoch=steps, shuffle=False)
        with EpochIterator(adapter, steps, model._fixed_steps, model._backend.step.place) as data:
            callbacks = _callback_list(model, callbacks, verbose, 1, data.num_batches, history=False)
            logs = _test_pass(model, data, callbacks)
        return _result(model, logs, return_dict)


def _result(model: Any, logs: Any, return_dict: bool, known: dict[tuple[str, ...], list[str]] | None = None) -> Any:
    """The logs as they are returned; `known` keeps their order for the same names."""
    if return_dict:
        return _floats(logs)
    names = tuple(dict.keys(logs))
    order = None if known is None else known.get(names)
    if order is None:
        order = _in_order(model, logs)
        if known is not None:
            known[names] = order
    values = [logs[key] for key in order]
    return values[0] if len(values) == 1 else values


def _in_order(model: Any, logs: Any) -> list[str]:
    """The names in the order of the model's metrics, then all others (of several outputs, of an own step) by alphabet."""
    known = [m.name for metric in model.metrics for m in getattr(metric, "metrics", [metric])]
    return list(dict.fromkeys([name for name in known if name in logs] + sorted(logs)))


def predict(model: Any, x: Any, batch_size: Any, verbose: Any, steps: Any, callbacks: Any) -> Any:
    """`Model.predict`."""
    wait_for_turn()
    with dispatch.use(model._backend):
        verbose = resolve_verbose(verbose)
        adapter = make_adapter(x, batch_size=batch_size, steps_per_epoch=steps, shuffle=False)
        with EpochIterator(adapter, steps, model._fixed_steps, model._backend.step.place) as data:
            _prepare(model, "predict", data)
            callbacks = _callback_list(model, callbacks, verbose, 1, data.num_batches, history=False)
            return _predict(model, data, callbacks)


def _predict(model: Any, data: EpochIterator, callbacks: CallbackList) -> Any:
    watched, each = callbacks.needs_predict_batch_hooks, callbacks._watches_each_batch("predict")
    model.stop_predicting = False
    callbacks.on_predict_begin()
    runner = _Predictor(model, data, single=each and model._fixed_steps == 1)
    pending: list[Any] = []
    done: list[Any] = []
    for first, last, batches in data.epoch():
        if watched:
            callbacks.on_predict_batch_begin(first)
        outputs = runner.run(batches)
        # The batch before is fetched while this one is computed.
        done.extend(_to_numpy(model, out) for out in pending)
        pending = outputs
        if watched:
            final = outputs[-1]
            shown = final if not each else final.last() if isinstance(final, (Rows, Stacked)) else final
            callbacks.on_predict_batch_end(last, {"outputs": shown})
            if model.stop_predicting:
                break
    done.extend(_to_numpy(model, out) for out in pending)
    callbacks.on_predict_end()
    if not done:
        return []
    return tree.map_structure(lambda *parts: np.concatenate(parts) if parts[0] is not None else None, *done)


class _Predictor:
    """Runs groups of batches: windows of arrays where these are numbers in memory, else single batches that are placed."""

    def __init__(self, model: Any, data: EpochIterator, single: bool) -> None:
        self.data = data
        self.chunk = chunk(model, data)
        data.windows = self.chunk is not None
        self.pace = Pace(None if model._fixed_steps == 1 else model._fixed_steps)
        data.steps_per_execution = 1 if single else self.pace.size
        self.free = data.windows and self.pace.free and not single
        data.joined = not self.free
        self.before: tuple[int, float] | None = None  # how many steps the last window had, and when it began
        self.step = model._step_cache.get(model, "predict")
        self.scope = structure(model)

    def run(self, batches: Any) -> list[Any]:
        with self.scope():
            if self.chunk is None or not isinstance(batches, Window):
                return self.step.run(batches)
            if self.free and self.before is not None:
                # by now the outputs of the window before have been fetched, so that it has taken its time
                self.pace.learn(*self.before)
                self.data.steps_per_execution = self.pace.size
            self.before = batches.steps, self.pace.start()
            outputs = self.chunk.run(self.step, batches)
            return outputs if batches.rest is None else outputs + self.step.run([batches.rest])


def _to_numpy(model: Any, outputs: Any) -> Any:
    if isinstance(outputs, (Rows, Stacked)):
        return outputs.numpy(model._backend.to_numpy)
    return tree.map_structure(lambda t: None if t is None else model._backend.to_numpy(t), outputs)


def _one_batch(x: Any, y: Any, sample_weight: Any, class_weight: Any) -> tuple[Any, ...]:
    if type(x) is np.ndarray and x.ndim and len(x) and sample_weight is None and class_weight is None:
        if y is None:  # as below, for what is most common
            return (to_array(x, "x"),)
        if type(y) is np.ndarray and y.ndim and len(x) == len(y):
            return to_array(x, "x"), to_array(y, "y")
    adapter = make_adapter(x, y, sample_weight, batch_size=max(_length(x), 1), shuffle=False, class_weight=class_weight)
    return next(iter(adapter.epoch()))


def _length(x: Any) -> int:
    leaf = tree.flatten(x)[0]
    return int(np.shape(leaf)[0]) if np.ndim(leaf) or hasattr(leaf, "shape") else 1


def on_batch(model: Any, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
    """`Model.train_on_batch` and `Model.test_on_batch`."""
    wait_for_turn()
    with dispatch.use(model._backend):
        batch = model._backend.step.place(_one_batch(x, y, sample_weight, class_weight))
        if kind == "train":
            for optimizer in optimizers_of(model):
                optimizer._to_training()
        outputs = run_single(model, kind, batch)
        return _result(model, lazy_logs(model, outputs), return_dict, model._step_cache.order(kind))


def predict_on_batch(model: Any, x: Any) -> Any:
    """`Model.predict_on_batch`."""
    wait_for_turn()
    with dispatch.use(model._backend):
        batch = model._backend.step.place(_one_batch(x, None, None, None))
        return _to_numpy(model, run_single(model, "predict", batch)[0])

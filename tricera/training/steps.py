"""Steps of a model, compiled by its backend and kept until something that they depend on changes."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from tricera.core import dispatch, tree
from tricera.core.graph import public_class
from tricera.core.state import cells
from tricera.core.tensor import KerasTensor, not_recording
from tricera.core.variable import Variable
from tricera.layers import tracking
from tricera.optimizers import Optimizer
from tricera.random.seed_generator import shared_generator
from tricera.training import stateless
from tricera.training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from tricera.training.own_code import only_ours
from tricera.training.unchanged import Fingerprint

tracking.look_for(Optimizer)


_MISSES = 8  # in a row, after which a model is taken for one that changes all the time


class StepCache:
    """The compiled steps of a model by kind ("train", "test", "predict")."""

    def __init__(self) -> None:
        self._steps: dict[str, tuple[Any, Any]] = {}
        self._single: dict[str, Fingerprint] = {}  # kind -> what the model was when the step was looked up
        self._misses = 0

    def clear(self) -> None:
        """Forget all steps."""
        self._steps.clear()
        self._single.clear()
        self._misses = 0

    def unchanged(self, kind: str) -> Any:
        """What was remembered of a kind of step on a single batch, if the model is still what it was then; else None."""
        known = self._single.get(kind)
        if known is None:
            return None
        if known.holds():
            self._misses = 0
            return known
        del self._single[kind]
        self._misses += 1
        return None

    def order(self, kind: str) -> dict[tuple[str, ...], list[str]] | None:
        """The orders of logs, known for the model as it was at the last step on a single batch."""
        known = self._single.get(kind)
        return None if known is None else known.order

    def again(self, model: Any, kind: str) -> tuple[Any, bool]:
        """The step of a kind for one batch among many, and whether it does what it did on the one before.

        Between the two may have been anybody's code, of a callback or a generator.
        """
        key = f"{kind} among many"
        known = self.unchanged(key)
        if known is not None:
            same = known.settled()
            if not same:
                known.step.recorded = None
            return known.step, same
        step = self.get(model, kind)
        self.remember(model, kind, step, key)
        return step, False

    def remember(self, model: Any, kind: str, step: Any, key: str | None = None) -> None:
        """Keep what the model is now, for `unchanged`; not of a model that is another at each step."""
        if self._misses < _MISSES:
            known = Fingerprint(model, step_variables(model, kind), step)
            if known.usable:
                self._single[key or kind] = known

    def get(self, model: Any, kind: str, alone: bool = False) -> Any:
        """The step of a kind, made anew if variables were added, frozen or unfrozen since.

        With `alone`, it sets the metrics back first: what they tell is of one batch.
        """
        with tracking.walk():
            variables = step_variables(model, kind)
        signature = tuple((id(v), v.trainable) for v in variables)
        key = f"{kind} alone" if alone else kind
        found = self._steps.get(key)
        if found is not None and found[0] == signature:
            found[1].recorded = None  # layers may have been changed since
            return found[1]
        step = self._make(model, kind, variables, alone)
        self._steps[key] = (signature, step)
        return step

    def _make(self, model: Any, kind: str, variables: list[Variable], alone: bool) -> Any:
        backend = model._backend
        fn = step_function(model, kind)
        if alone:
            repeats = getattr(getattr(fn, "silent", fn), "repeats", None)
            fn = functools.partial(_after_reset, model, fn)
            fn.repeats = repeats  # type: ignore[attr-defined]
        compiled = model._compiled
        eager = compiled is not None and compiled.run_eagerly
        jit = "eager" if eager else "auto" if compiled is None else compiled.jit_compile
        if jit == "auto" and not all(getattr(layer, "supports_jit", True) for layer in model._flatten_layers()):
            jit = False
        return backend.step.Step(fn, variables, jit=jit, donate=kind == "train", collect=kind == "predict")


def step_function(model: Any, kind: str) -> Callable[[Any], Any]:
    """The model's `<kind>_step` as a function of a batch tuple."""
    method = getattr(model, f"{kind}_step")
    if model._backend.step.STATELESS_STEPS and stateless.is_stateless(method, kind):
        return stateless.adapt(model, method, kind)

    def step(batch: Any) -> Any:
        return method(pack_x_y_sample_weight(*batch))

    step.silent = _silent(model, kind) or step  # type: ignore[attr-defined]
    return step


def _after_reset(model: Any, fn: Callable[[Any], Any], batch: Any) -> Any:
    model.reset_metrics()
    return fn(batch)


def _silent(model: Any, kind: str) -> Callable[[Any], Any] | None:
    """The built-in step without the metrics' values, for batches after which nobody reads them; None for a step of the user's."""
    from tricera.training.trainer import Trainer

    name = {"train": "_learn", "test": "_judge"}.get(kind)
    own = ("train_step", "test_step", "compute_metrics", "get_metrics_result")
    if name is None or any(getattr(public_class(model), n) is not getattr(Trainer, n) for n in own):
        return None
    method, compiled = getattr(model, name), model._compiled

    def silent(batch: Any) -> None:
        _, y, sample_weight, y_pred = method(pack_x_y_sample_weight(*batch))
        if y is not None:
            compiled.update_metrics(y, y_pred, sample_weight)

    silent.repeats = functools.partial(only_ours, model)  # type: ignore[attr-defined]
    return silent


def structure(model: Any) -> Callable[[], Any]:
    """A scope to run steps in: a step of a user's own may add layers, any other leaves the model's structure as it is."""
    if public_class(model).train_step is _default_train_step():
        return functools.partial(tracking.snapshot, model)
    return contextlib.nullcontext


def step_variables(model: Any, kind: str) -> list[Variable]:
    """All variables that a step of this kind may assign."""
    # Outputs alone need no metrics but those that layers update in their calls.
    metrics = model.metrics if kind != "predict" else model._layers_metrics
    groups: list[list[Variable]] = [model.variables, [v for m in metrics for v in m.variables]]
    if (
        kind != "predict" and model._compiled is not None
    ):  # a model that says itself which metrics it has may leave these out
        groups.append(model._compiled.variables)
    if kind == "train":
        groups += [list(optimizer.variables) for optimizer in optimizers_of(model)]
    groups.append([shared_generator(model._backend).state])
    return list({id(v): v for group in groups for v in group}.values())


def optimizers_of(model: Any) -> list[Optimizer]:
    """The optimizer of `compile`, and those that a model with a `train_step` of its own holds besides (a GAN has two)."""
    if public_class(model).train_step is _default_train_step():
        return [] if model.optimizer is None else [model.optimizer]
    return tracking.owned(model, Optimizer)


def prepare(model: Any, kind: str, batch: Any) -> None:
    """Before the first step: build the model, its metrics and its optimizer from the shapes of a batch."""
    compiled = model._compiled
    with tracking.walk():
        unbuilt = not all(layer.built for layer in model._flatten_layers())
    needs_metrics = kind != "predict" and compiled is not None and not _metrics_built(compiled)
    custom = public_class(model).train_step is not _default_train_step() and kind == "train"
    if unbuilt or needs_metrics:
        _symbolic_pass(model, batch, needs_metrics, custom)
    if kind == "train" and model.optimizer is not None and not model.optimizer.built:
        if custom and not all(layer.built for layer in model._flatten_layers()):
            model._backend.step.discover(lambda b: _only_forward(model, kind, b), batch)
        model.optimizer.build(model.trainable_variables)
    if custom and not all(optimizer.built for optimizer in optimizers_of(model)):
        # Which variables each of them updates, only the step itself knows.
        model._backend.step.discover(step_function(model, kind), batch)


def ready(model: Any, kind: str) -> Any:
    """The step of a kind, where a batch needs no preparation any more; else None."""
    compiled = model._compiled
    if public_class(model).train_step is not _default_train_step() and kind == "train":
        return None
    with tracking.walk():
        if not all([layer.built for layer in model._flatten_layers()]):
            return None
        if kind != "predict" and compiled is not None and not _metrics_built(compiled):
            return None
        if kind == "train" and not (model.optimizer is not None and model.optimizer.built):
            return None
        return model._step_cache.get(model, kind, alone=kind != "predict")


def run_single(model: Any, kind: str, batch: Any) -> Any:
    """Prepare the model where it has to be, and run the step of a kind on one batch, of which alone the metrics tell."""
    cache = model._step_cache
    with structure(model)():
        known = cache.unchanged(kind)
        if known is not None:
            return known.step.run([batch], known.settled())
        step = ready(model, kind)
        if step is not None:
            cache.remember(model, kind, step)
            return step.run([batch])
    prepare(model, kind, batch)
    with structure(model)():
        return model._step_cache.get(model, kind, alone=kind != "predict").run([batch])


def _default_train_step() -> Any:
    from tricera.training.trainer import Trainer

    return Trainer.train_step


def _metrics_built(compiled: Any) -> bool:
    parts = [p for p in (compiled.compile_metrics, compiled.loss) if p is not None]
    return all(p.built for p in parts)


def _only_forward(model: Any, kind: str, batch: Any) -> Any:
    x, _, _ = unpack_x_y_sample_weight(pack_x_y_sample_weight(*batch))
    return model._forward(x, training=kind == "train")


def _symbolic_pass(model: Any, batch: Any, with_metrics: bool, custom: bool) -> None:
    """Call the model on the shapes of a batch; a model with a `train_step` of its own need not have a `call`."""
    x, y, _ = unpack_x_y_sample_weight(pack_x_y_sample_weight(*tree.map_structure(_symbolic, batch)))
    try:
        with not_recording(), cells():
            y_pred = model._forward(x, training=False)
    except NotImplementedError:
        if not custom:
            raise
        return
    if with_metrics and y is not None:
        model._compiled.build(y, y_pred)


def _symbolic(x: Any) -> Any:
    if x is None:
        return None
    backend = dispatch.of(x) or dispatch.current()
    return KerasTensor(tuple(backend.shape(x)), backend.canonical(backend.dtype(x)), record_history=False)

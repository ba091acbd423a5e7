"""What `compile` was told, made ready: optimizer, losses, metrics."""

from __future__ import annotations

import numbers
from typing import Any

from tricera import metrics as metrics_module, optimizers
from tricera.core import dispatch
from tricera.core.serialization import serialize_keras_object
from tricera.training.compile_utils import CompileLoss, CompileMetrics


def check_steps_per_execution(value: Any) -> Any:
    """The value, if it is one.

    Raises:
        ValueError: it is neither "auto" nor a positive integer.
    """
    if isinstance(value, str) and value == "auto":
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"`steps_per_execution` must be a positive integer or 'auto', not {value!r}.")
    return int(value)


class Compiled:
    """The result of `model.compile`.

    Attributes:
        optimizer, loss, compile_metrics: the objects themselves.
        loss_tracker: the running mean of the loss.
        run_eagerly, jit_compile, steps_per_execution: how steps run.
    """

    def __init__(self, model: Any, **arguments: Any) -> None:
        self.arguments = arguments
        self.run_eagerly = bool(arguments["run_eagerly"])
        self.jit_compile = arguments["jit_compile"]
        self.steps_per_execution = check_steps_per_execution(arguments["steps_per_execution"])
        if self.jit_compile not in (True, False, None, "auto"):
            raise ValueError(f"`jit_compile` must be True, False or 'auto', not {self.jit_compile!r}.")
        if self.run_eagerly and self.jit_compile is True:
            raise ValueError("`run_eagerly=True` and `jit_compile=True` contradict each other. Drop one of them.")
        self.optimizer = optimizers.get(arguments["optimizer"]) if arguments["optimizer"] is not None else None
        if (
            arguments["auto_scale_loss"]
            and self.optimizer is not None
            and model.dtype_policy.name == "mixed_float16"
            and not isinstance(self.optimizer, optimizers.LossScaleOptimizer)
        ):
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer, name="loss_scale_optimizer")
        names = getattr(model, "output_names", None) if hasattr(type(model), "output_names") and model.built else None
        loss, weights = arguments["loss"], arguments["loss_weights"]
        self.has_loss = loss is not None
        self.loss = CompileLoss(loss, weights, output_names=names) if self.has_loss else None
        given, weighted = arguments["metrics"], arguments["weighted_metrics"]
        self.compile_metrics = (
            CompileMetrics(given, weighted, output_names=names) if given is not None or weighted is not None else None
        )
        self.loss_tracker = metrics_module.Mean(name="loss")

    @property
    def trackers(self) -> list[Any]:
        """The running mean of the total loss."""
        return [self.loss_tracker]

    @property
    def metrics(self) -> list[Any]:
        """The metrics of `compile`, then the running means of the single outputs' losses."""
        found = [] if self.compile_metrics is None else [self.compile_metrics]
        return [*found, *([] if self.loss is None else self.loss.metrics)]

    @property
    def variables(self) -> list[Any]:
        """The variables of all trackers and metrics."""
        return [v for m in [*self.trackers, *self.metrics] for v in m.variables]

    def compute_loss(self, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """The weighted sum of the outputs' losses; None if none applies."""
        return None if self.loss is None else self.loss(y, y_pred, sample_weight)

    def build(self, y: Any, y_pred: Any) -> None:
        """Resolve names such as "accuracy" by the shapes of targets and outputs."""
        if y is None:
            return
        if self.compile_metrics is not None and not self.compile_metrics.built:
            self.compile_metrics.build(y, y_pred)
        if self.loss is not None and not self.loss.built:
            self.loss.build(y, y_pred)

    def update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        """Update the metrics with a batch."""
        if self.compile_metrics is not None:
            self.compile_metrics.update_state(y, y_pred, sample_weight=sample_weight)

    def track_loss(self, loss: Any, size: Any) -> None:
        """Update the running mean of the loss, weighted by the size of the batch."""
        self.loss_tracker.update_state(loss, sample_weight=size)

    def move(self, backend: dispatch.Backend) -> None:
        """Belong to another backend; the variables are moved by the caller."""
        if self.optimizer is not None and hasattr(self.optimizer, "_backend"):
            self.optimizer._backend = backend

    def get_config(self) -> dict[str, Any]:
        """The arguments as a config."""
        keys = (
            "loss",
            "loss_weights",
            "metrics",
            "weighted_metrics",
            "run_eagerly",
            "steps_per_execution",
            "jit_compile",
        )
        config = {"optimizer": serialize_keras_object(self.optimizer)}
        for key in keys:
            config[key] = serialize_keras_object(self.arguments[key])
        config["steps_per_execution"] = self.steps_per_execution
        return config

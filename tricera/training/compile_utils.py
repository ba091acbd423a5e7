"""Losses and metrics for whatever structure of outputs a model has."""

from __future__ import annotations

from typing import Any

from tricera import losses as losses_module, metrics as metrics_module, ops
from tricera.core import tree
from tricera.core.masking import get_mask
from tricera.losses import Loss, LossFunctionWrapper
from tricera.metrics import Mean, MeanMetricWrapper, Metric


def outputs_of(structure: Any, output_names: list[str] | None) -> tuple[list[Any], list[str]]:
    """The outputs of a model, flat, and a name for each."""
    if hasattr(structure, "shape"):
        return [structure], list(output_names) if output_names is not None and len(output_names) == 1 else ["output_0"]
    if isinstance(structure, dict) and all(not tree.is_nested(v) for v in structure.values()):
        keys = sorted(structure)
        return [structure[k] for k in keys], [str(k) for k in keys]
    flat = tree.flatten(structure)
    if output_names is not None and len(output_names) == len(flat):
        return flat, list(output_names)
    return flat, [f"output_{i}" for i in range(len(flat))]


def spread(value: Any, y_pred: Any, names: list[str], what: str, single: bool) -> list[Any]:
    """One entry an output, from a single value, a list or a dict by output.

    Args:
        value: what `compile` was given.
        y_pred: the outputs.
        names: the outputs' names.
        what: `"loss"`, ... for messages.
        single: whether a list that is not one entry an output means a list for the only output.

    Raises:
        ValueError: an unknown name, or a list of another length.
    """
    count = len(names)
    if value is None:
        return [None] * count
    if isinstance(value, dict):
        unknown = [k for k in value if k not in names]
        if unknown:
            raise ValueError(
                f"`{what}` names the outputs {unknown}, which the model does not have. Its outputs are {names}."
            )
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if single and count == 1 and not (len(value) == 1 and isinstance(value[0], (list, tuple))):
            return [list(value)]
        if len(value) == count:
            return list(value)
        flat = tree.flatten(value)
        if len(flat) == count:
            return flat
        raise ValueError(f"`{what}` has {len(value)} entries, but the model has {count} outputs ({', '.join(names)}).")
    return [value] * count


def _kind(y_true: Any, y_pred: Any) -> str:
    """Whether targets and outputs look binary, categorical (one-hot) or sparse (integers)."""
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if pred and pred[-1] == 1:
        return "binary"
    if len(true) < len(pred) or (true and true[-1] == 1 and pred[-1] != 1):
        return "sparse_categorical"
    return "categorical"


def resolve_metric(identifier: Any, y_true: Any, y_pred: Any) -> Metric | None:
    """The metric that an entry of `metrics` means, for these shapes."""
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        fn = getattr(metrics_module, f"{_kind(y_true, y_pred)}_accuracy")
        return MeanMetricWrapper(fn, name=identifier)
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        return MeanMetricWrapper(getattr(metrics_module, f"{_kind(y_true, y_pred)}_crossentropy"), name=identifier)
    found = metrics_module.get(identifier)
    if isinstance(found, Metric):
        if isinstance(identifier, str):
            found.name = identifier
        return found
    name = identifier if isinstance(identifier, str) else getattr(found, "__name__", type(found).__name__)
    return MeanMetricWrapper(found, name=name)


def resolve_loss(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    """The loss that an entry of `loss` means, for these shapes."""
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        identifier = f"{_kind(y_true, y_pred)}_crossentropy"
    found = losses_module.get(identifier)
    if isinstance(found, Loss):
        return found
    return LossFunctionWrapper(found, name=getattr(found, "__name__", "loss"))


class CompileLoss:
    """The total loss over all outputs.

    Args:
        loss: a loss, or a list or dict of them by output.
        loss_weights: factors, as a number, list or dict.
        output_names: the names of a functional model's outputs.
    """

    def __init__(self, loss: Any, loss_weights: Any = None, output_names: list[str] | None = None) -> None:
        self._loss, self._weights, self._names = loss, loss_weights, output_names
        if isinstance(loss, str):
            losses_module.get(
                None if loss.lower() in ("crossentropy", "ce") else loss
            )  # unknown names fail in `compile`
        if loss_weights is not None and not isinstance(loss_weights, (int, float, list, tuple, dict)):
            raise ValueError(f"`loss_weights` must be a number, a list or a dict, not {loss_weights!r}.")
        self.built = False
        self.metrics: list[Metric] = []

    def build(self, y: Any, y_pred: Any) -> None:
        """Resolve the losses for outputs of this structure."""
        preds, names = outputs_of(y_pred, self._names)
        trues = _targets(y, y_pred, names)
        given = spread(self._loss, y_pred, names, "loss", single=False)
        if isinstance(self._loss, (list, tuple)) and len(names) == 1 and len(self._loss) == 1:
            given = [self._loss[0]]
        self._losses = [
            resolve_loss(g, t, p) if t is not None else None for g, t, p in zip(given, trues, preds, strict=True)
        ]
        self._factors = spread(self._weights, y_pred, names, "loss_weights", single=False)
        if len(names) > 1:
            self.metrics = [
                Mean(name=f"{n}_loss") for n, loss in zip(names, self._losses, strict=True) if loss is not None
            ]
        self.built = True

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum of the outputs' losses; None if none applies."""
        if not self.built:
            self.build(y, y_pred)
        preds, names = outputs_of(y_pred, self._names)
        trues = _targets(y, y_pred, names)
        weights = _weights(sample_weight, y_pred, names)
        total: Any = None
        trackers = iter(self.metrics)
        for loss, factor, t, p, w in zip(self._losses, self._factors, trues, preds, weights, strict=True):
            if loss is None:
                continue
            tracker = next(trackers, None)
            if t is None:
                continue
            value = ops.cast(loss(t, p, w), "float32")
            if tracker is not None:
                tracker.update_state(value, sample_weight=ops.shape(p)[0] if len(p.shape) else 1)
            if factor is not None:
                value = ops.multiply(value, factor)
            total = value if total is None else ops.add(total, value)
        return total


def _targets(y: Any, y_pred: Any, names: list[str]) -> list[Any]:
    if y is None:
        return [None] * len(names)
    if len(names) == 1 and hasattr(y, "shape"):
        return [y]
    if isinstance(y, dict) and not (len(names) == 1 and not isinstance(y_pred, dict) and names[0] not in y):
        missing = [n for n in names if n not in y]
        if missing and isinstance(y_pred, dict):
            return [y.get(n) for n in names]
        if missing:
            raise ValueError(f"The targets are a dict with the keys {sorted(y)}; the model's outputs are {names}.")
        return [y[n] for n in names]
    flat = tree.flatten(y)
    if len(flat) != len(names):
        raise ValueError(
            f"The model has {len(names)} outputs ({', '.join(names)}), but {len(flat)} targets were given."
        )
    return flat


def _weights(sample_weight: Any, y_pred: Any, names: list[str]) -> list[Any]:
    if sample_weight is None:
        return [None] * len(names)
    if isinstance(sample_weight, dict):
        return [sample_weight.get(n) for n in names]
    flat = tree.flatten(sample_weight)
    return flat * len(names) if len(flat) == 1 else flat


class CompileMetrics(Metric):
    """The metrics of all outputs.

    Args:
        metrics: a list, or lists or dicts of lists by output.
        weighted_metrics: the same, of metrics that sample weights apply to.
        output_names: the names of a functional model's outputs.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any, output_names: list[str] | None = None) -> None:
        super().__init__(name="compile_metrics")
        for what, given in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if given is not None and not isinstance(given, (list, tuple, dict)):
                raise ValueError(f"`{what}` must be a list or a dict of metrics, not {given!r}. Put it into a list.")
        self._given, self._given_weighted, self._output_names = metrics, weighted_metrics, output_names
        self.built = False
        self._plain: list[list[Metric]] = []
        self._weighted: list[list[Metric]] = []
        self._prefixes: list[str] = []

    @property
    def metrics(self) -> list[Metric]:
        """All metrics, flat."""
        return [m for group in (*self._plain, *self._weighted) for m in group]

    @property
    def variables(self) -> list[Any]:
        """The variables of all metrics."""
        return list({id(v): v for m in self.metrics for v in m.variables}.values())

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Resolve the metrics for outputs of this structure."""
        preds, names = outputs_of(y_pred, self._output_names)
        trues = _targets(y_true, y_pred, names)

        def resolved(given: Any, what: str) -> list[list[Metric]]:
            out = []
            for entry, t, p in zip(spread(given, y_pred, names, what, single=True), trues, preds, strict=True):
                entries = entry if isinstance(entry, (list, tuple)) else [entry]
                found = (resolve_metric(e, t, p) for e in entries if t is not None)
                out.append([m for m in found if m is not None])
            return out

        self._plain = resolved(self._given, "metrics")
        self._weighted = resolved(self._given_weighted, "weighted_metrics")
        self._prefixes = [f"{n}_" for n in names] if len(names) > 1 else [""] * len(names)
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        if not self.built:
            self.build(y_true, y_pred)
        preds, names = outputs_of(y_pred, self._output_names)
        trues = _targets(y_true, y_pred, names)
        weights = _weights(sample_weight, y_pred, names)
        for plain, weighted, t, p, w in zip(self._plain, self._weighted, trues, preds, weights, strict=True):
            if t is None:
                continue
            mask = get_mask(p)
            for metric in plain:  # means over samples find the mask by themselves
                given = mask is not None and not isinstance(metric, MeanMetricWrapper)
                metric.update_state(t, p, **({"sample_weight": mask} if given else {}))
            for metric in weighted:
                metric.update_state(t, p, sample_weight=w)

    def result(self) -> dict[str, Any]:
        """The values by name."""
        results: dict[str, Any] = {}
        for groups, again in ((self._plain, ""), (self._weighted, "weighted_")):
            for prefix, group in zip(self._prefixes, groups, strict=True):
                for metric in group:
                    value = metric.result()
                    if isinstance(value, dict):
                        results.update({f"{prefix}{k}": v for k, v in value.items()})
                        continue
                    name, number = f"{prefix}{metric.name}", 1
                    if name in results:
                        name = f"{prefix}{again}{metric.name}"
                    stem = name
                    while name in results:
                        name, number = f"{stem}_{number}", number + 1
                    results[name] = value
        return results

    def reset_state(self) -> None:
        """Forget all batches."""
        for metric in self.metrics:
            metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Refuse: `Model.get_compile_config` writes these.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("Metrics of `compile` are written by `model.get_compile_config()`.")

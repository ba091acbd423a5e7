"""Losses and metrics for whatever structure of outputs a model has."""

from __future__ import annotations

from typing import Any

from tricera import losses as losses_module, metrics as metrics_module, ops
from tricera.core import tree
from tricera.core.masking import get_mask
from tricera.core.naming import to_snake_case
from tricera.losses import Loss, LossFunctionWrapper
from tricera.metrics import Mean, MeanMetricWrapper, Metric
from tricera.training.outputs import outputs_of, paths_of, prefixes_of, spread, targets_of, weights_of


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
    return MeanMetricWrapper(found, name=identifier if isinstance(identifier, str) else _name_of(found))


def _name_of(function: Any) -> str:
    """What a function or another callable is reported as."""
    name = getattr(function, "name", None)
    return name if isinstance(name, str) else to_snake_case(getattr(function, "__name__", type(function).__name__))


def _unique(name: str, taken: Any) -> str:
    """The name, or `name_1`, `name_2`, ... if that one is taken."""
    stem, number = name, 1
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    return name


def resolve_loss(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    """The loss that an entry of `loss` means, for these shapes."""
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        identifier = f"{_kind(y_true, y_pred)}_crossentropy"
    found = losses_module.get(identifier)
    if isinstance(found, Loss):
        return found
    return LossFunctionWrapper(found, name=_name_of(found))


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
        """Resolve the losses for outputs of this structure.

        Raises:
            ValueError: losses or weights for other outputs than these, or an output with a loss and without a target.
        """
        preds, names = outputs_of(y_pred, self._names)
        trues = targets_of(y, y_pred, names)
        terms, labels = [], []
        entries = spread(self._loss, y_pred, names, "loss")
        for index, (entry, (lead, own)) in enumerate(zip(entries, paths_of(y_pred, self._names), strict=True)):
            for identifier in entry if isinstance(entry, (list, tuple)) else [entry]:
                if identifier is None:
                    continue
                if trues[index] is None:
                    raise ValueError(
                        f"The output {names[index]!r} has a loss, but the targets hold nothing for it. Give a target, "
                        "or losses as a dict without that output."
                    )
                loss = resolve_loss(identifier, trues[index], preds[index])
                label = own or (identifier if isinstance(identifier, str) else loss.name)
                terms.append((index, loss))
                labels.append(f"{lead}{label}_loss")
        factors = self._factors(terms, y_pred, names)
        order = list(range(len(terms)))
        if isinstance(self._loss, dict) and isinstance(y_pred, dict):  # reported in the order of that dict
            keys, tops = list(self._loss), [path[0] for path, _ in tree.flatten_with_path(y_pred)]
            order.sort(key=lambda i: keys.index(tops[terms[i][0]]) if tops[terms[i][0]] in keys else -1)
        taken: set[str] = set()
        self._terms = []
        for i in order:
            label = _unique(labels[i], taken)
            taken.add(label)
            self._terms.append((*terms[i], factors[i], Mean(name=label) if len(terms) > 1 else None))
        self.metrics = [tracker for *_, tracker in self._terms if tracker is not None]
        self.built = True

    def _factors(self, terms: list[Any], y_pred: Any, names: list[str]) -> list[Any]:
        """The factor of each loss: `loss_weights` has one for each of them, or for each output."""
        given = self._weights
        if isinstance(given, (list, tuple)) and len(given) == len(terms):
            return [None if g is None else float(g) for g in tree.flatten(given)]
        found, met = spread(given, y_pred, names, "loss_weights"), [0] * len(names)
        factors = []
        for index, _ in terms:
            factor = found[index]
            if isinstance(factor, (list, tuple)):
                factor, met[index] = factor[met[index]], met[index] + 1
            factors.append(factor)
        return factors

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum of the outputs' losses; None if none applies."""
        if y is None:
            return None
        if not self.built:
            self.build(y, y_pred)
        preds, names = outputs_of(y_pred, self._names)
        trues = targets_of(y, y_pred, names)
        weights = weights_of(sample_weight, y_pred, names)
        total: Any = None
        for index, loss, factor, tracker in self._terms:
            p = preds[index]
            value = ops.cast(loss(trues[index], p, weights[index]), "float32")
            if tracker is not None:
                tracker.update_state(value, sample_weight=ops.shape(p)[0] if len(p.shape) else 1)
            if factor is not None:
                value = ops.multiply(value, factor)
            total = value if total is None else ops.add(total, value)
        return total


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
        trues = targets_of(y_true, y_pred, names)

        def resolved(given: Any, what: str) -> list[list[Metric]]:
            out = []
            for entry, t, p in zip(spread(given, y_pred, names, what, single=True), trues, preds, strict=True):
                entries = entry if isinstance(entry, (list, tuple)) else [entry]
                found = (resolve_metric(e, t, p) for e in entries if t is not None)
                out.append([m for m in found if m is not None])
            return out

        self._plain = resolved(self._given, "metrics")
        self._weighted = resolved(self._given_weighted, "weighted_metrics")
        self._prefixes = prefixes_of(y_pred, self._output_names)
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        if not self.built:
            self.build(y_true, y_pred)
        preds, names = outputs_of(y_pred, self._output_names)
        trues = targets_of(y_true, y_pred, names)
        weights = weights_of(sample_weight, y_pred, names)
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
                        results.update(
                            {k if k not in results else _unique(f"{prefix}{k}", results): v for k, v in value.items()}
                        )
                        continue
                    name = f"{prefix}{metric.name}"
                    if name in results:
                        name = f"{prefix}{again}{metric.name}"
                    results[_unique(name, results)] = value
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

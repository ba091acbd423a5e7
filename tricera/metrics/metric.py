"""`Metric`: a value gathered over batches, in variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tricera import dtype_policies, initializers
from tricera.core import checks, config, dispatch, naming
from tricera.core.state import functionalize
from tricera.core.variable import Variable, name_scope


class Metric(checks.Checked):
    """The base of metrics: subclasses make variables, and define `update_state` and `result`.

    Args:
        dtype: of the variables, floatx for None.
        name: default: the class's name in snake case, numbered.

    Example:
        >>> from tricera import ops
        >>> class Largest(Metric):
        ...     def __init__(self, name="largest"):
        ...         super().__init__(name=name)
        ...         self.value = self.add_variable((), "zeros", name="value")
        ...     def update_state(self, values):
        ...         self.value.assign(ops.maximum(self.value, ops.max(values)))
        ...     def result(self):
        ...         return self.value
        >>> metric = Largest()
        >>> metric.update_state([1.0, 5.0])
        >>> float(metric.result())
        5.0
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {
        "fn": checks.function, "label_smoothing": checks.number(0, 1), "from_logits": checks.flag, "axis": checks.axes,
        "ignore_class": checks.integer(optional=True), "num_classes": checks.integer(1), "k": checks.integer(1),
        "top_k": checks.integer(1, optional=True), "class_id": checks.integer(0, optional=True),
        "num_thresholds": checks.integer(1), "num_labels": checks.integer(1, optional=True),
        "threshold": checks.number(optional=True), "thresholds": checks.several(checks.number()),
        "target_class_ids": checks.several(checks.integer(0), alone=False, optional=False), "multi_label": checks.flag,
        "label_weights": checks.several(checks.number(0), alone=False), "name": checks.text, "sparse_y_true": checks.flag,
        "sparse_y_pred": checks.flag, "from_sorted_ids": checks.flag, "num_regressors": checks.integer(0),
        "recall": checks.number(0, 1), "precision": checks.number(0, 1), "specificity": checks.number(0, 1),
        "sensitivity": checks.number(0, 1),
    }  # fmt: skip

    _counts: ClassVar[bool] = False  # whether it counts samples, for which half precision is too narrow

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or naming.auto_name(type(self).__name__)
        self._dtype_policy = dtype_policies.get(config.floatx() if dtype is None else dtype)
        self._backend = dispatch.current()
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """The dtype of the variables."""
        return self._dtype_policy.variable_dtype

    @property
    def _sum_dtype(self) -> str:
        """In what it adds up: counts of half precision would stand still at 2048, or at 256."""
        return "float32" if self._counts and self.dtype in ("float16", "bfloat16") else self.dtype

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a variable of the metric.

        Args:
            shape: its shape.
            initializer: its first value, to which `reset_state` returns.
            dtype: default: the metric's.
            aggregation: how replicas are joined.
            layout: how it is laid out over devices.
            name: its name.
        """
        with name_scope(self.name), dispatch.use(self._backend):
            variable = Variable(
                initializers.get(initializer), shape=() if shape is None else shape, dtype=dtype or self._sum_dtype,
                trainable=False, autocast=False, aggregation=aggregation, layout=layout, name=name,
            )  # fmt: skip
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """As `add_variable`, zeros for no initializer."""
        return self.add_variable(shape=shape, initializer=initializer or "zeros", dtype=dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The variables of the metric, and of metrics that it holds."""
        found = {id(v): v for v in self._variables}
        for value in self.__dict__.values():
            for inner in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(inner, Metric):
                    found.update({id(v): v for v in inner.variables})
        return list(found.values())

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch into account; to be overridden."""
        raise NotImplementedError(f"{type(self).__name__} must define `update_state`.")

    def result(self) -> Any:
        """The value so far, a scalar tensor or a dict of them; to be overridden."""
        raise NotImplementedError(f"{type(self).__name__} must define `result`.")

    def reset_state(self) -> None:
        """Forget all batches."""
        for variable in self.variables:
            variable.zero()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch into account and return the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """`update_state` as a pure function of the variables' values; returns the new ones."""
        return functionalize(lambda: self.update_state(*args, **kwargs), self._checked(metric_variables))(
            metric_variables
        )[1]

    def stateless_result(self, metric_variables: Any) -> Any:
        """`result` as a pure function of the variables' values."""
        return functionalize(self.result, self._checked(metric_variables))(metric_variables)[0]

    def stateless_reset_state(self) -> list[Any]:
        """The values of the variables after a reset."""
        return functionalize(self.reset_state, self.variables)([v.value for v in self.variables])[1]

    def _checked(self, values: Any) -> list[Variable]:
        if len(values) != len(self.variables):
            raise ValueError(
                f"The metric {self.name!r} has {len(self.variables)} variables; {len(values)} values were given."
            )
        return self.variables

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a metric from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

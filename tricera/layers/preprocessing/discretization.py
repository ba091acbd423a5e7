"""Numbers as the bins in which they lie."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tricera import ops
from tricera.core import checks
from tricera.core.tensor import KerasTensor
from tricera.layers.preprocessing.data_layer import DataLayer, batches
from tricera.layers.preprocessing.encoding import MODES, encode, encoded_shape

Summary = tuple[np.ndarray, np.ndarray]  # values in order, and how many elements each stands for


class Discretization(DataLayer):
    """The index of the bin in which each element lies: bins reach from each boundary (included) to the next.

    Args:
        bin_boundaries: the boundaries, in order; the outermost bins are open.
        num_bins: how many bins `adapt` makes, of about equally many elements each.
        epsilon: how far the ranks of these boundaries may be off, as a fraction.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"` or `"count"`, as for `CategoryEncoding`.
        sparse: give a sparse tensor, on frameworks that have one.
        dtype: the dtype or policy of the layer.
        name: its name.

    Raises:
        ValueError: both or neither of boundaries and number, an unknown mode, or `sparse` in the mode `"int"`.

    Example:
        >>> Discretization([0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]]).shape[1]
        4
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        integer = output_mode == "int"
        super().__init__(name=name, dtype=dtype)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                f"The layer {self.name!r} needs one of `bin_boundaries` and `num_bins`; "
                f"got bin_boundaries={bin_boundaries!r} and num_bins={num_bins!r}."
            )
        checks.integer(0, optional=True)("num_bins", num_bins)
        checks.number(above=0)("epsilon", epsilon)
        if bin_boundaries is not None and any(b < a for a, b in itertools.pairwise(bin_boundaries)):
            raise ValueError(f"`bin_boundaries` of the layer {self.name!r} must ascend; got {list(bin_boundaries)}.")
        if output_mode not in ("int", *MODES):
            raise ValueError(
                f"`output_mode` of the layer {self.name!r} must be one of {('int', *MODES)}; got {output_mode!r}."
            )
        if sparse and integer:
            raise ValueError(f"The layer {self.name!r} gives no sparse tensors in the mode 'int'.")
        self.input_bin_boundaries = bin_boundaries
        self.num_bins, self.epsilon, self.output_mode, self.sparse = num_bins, epsilon, output_mode, sparse
        self.bin_boundaries: list[float] | None = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        self._summary: Summary | None = None
        self.built = True

    @property
    def input_dtype(self) -> str:
        """Inputs are compared as floats."""
        return self.compute_dtype

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the boundaries, forgetting earlier ones.

        Args:
            data: an array or tensor, or something that yields batches.
            steps: how many batches to take, all for None.

        Raises:
            ValueError: the boundaries were given to the constructor, or there are no data.
        """
        if self.input_bin_boundaries is not None:
            raise ValueError(f"The layer {self.name!r} was given `bin_boundaries`, so that there is nothing to adapt.")
        self.reset_state()
        for batch in batches(data, steps, name=f"{self.name}.adapt"):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take a batch into the summary of what was seen."""
        own = summarize(np.asarray(data, "float32").ravel(), self.epsilon)
        self._summary = own if self._summary is None else merge(self._summary, own, self.epsilon)

    def finalize_state(self) -> None:
        """Make boundaries of the summary."""
        if self.input_bin_boundaries is not None or self._summary is None:
            return
        self.bin_boundaries = quantiles(self._summary, self.num_bins or 0)

    def reset_state(self) -> None:
        """Forget what was learned."""
        if self.input_bin_boundaries is None:
            self._summary, self.bin_boundaries = None, None

    def call(self, inputs: Any) -> Any:
        """Find the bins."""
        if self.bin_boundaries is None:
            raise ValueError(f"The layer {self.name!r} has no boundaries yet: call `adapt` first.")
        edges = self.convert_weight(np.asarray(self.bin_boundaries, "float32"))
        found = ops.cast(ops.digitize(ops.cast(inputs, "float32"), edges), "int32")
        return encode(found, self.output_mode, self._depth(), self.output_dtype, sparse=self.sparse)

    def _depth(self) -> int:
        return len(self.bin_boundaries) + 1 if self.bin_boundaries is not None else int(self.num_bins or 0)

    @property
    def output_dtype(self) -> str:
        """The dtype of the outputs: int32 for indices of bins, the compute dtype for vectors."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the inputs, or the vectors'."""
        return encoded_shape(input_shape, self.output_mode, self._depth())

    def compute_output_spec(self, inputs: Any) -> Any:
        """As computed, perhaps sparse."""
        return KerasTensor(self.compute_output_shape(inputs.shape), self.output_dtype, sparse=self.sparse)

    def load_own_variables(self, store: Any) -> None:
        """Nothing: the boundaries stand in the config."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer, with the boundaries that it had learned."""
        config = dict(config)
        learned = config.get("bin_boundaries")
        if learned is None or config.get("num_bins") is None:
            return super().from_config(config)
        layer = cls(**{**config, "bin_boundaries": None})
        layer.bin_boundaries = [float(b) for b in learned]
        return layer

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values, and what was learned."""
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self.dtype,
        }


def summarize(values: np.ndarray, epsilon: float) -> Summary:
    """Every (n * epsilon)-th value in order, each standing for that many."""
    values = np.sort(values)
    step = max(1, round(values.size * epsilon))
    kept = values[step - 1 :: step]
    return kept, np.full(kept.size, float(step))


def merge(a: Summary, b: Summary, epsilon: float) -> Summary:
    """The summary of two summaries' elements together, shortened to about 1 / epsilon values."""
    values, counts = np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]])
    order = np.argsort(values, kind="stable")
    values, counts = values[order], counts[order]
    limit = max(2, int(2 / epsilon))
    if values.size <= limit:
        return values, counts
    total = counts.sum()
    ranks = np.cumsum(counts)
    targets = (np.arange(limit) + 1) * (total / limit)
    places = np.minimum(np.searchsorted(ranks, targets - 1e-9 * total), values.size - 1)
    return values[places], np.full(limit, total / limit)


def quantiles(summary: Summary, bins: int) -> list[float]:
    """The boundaries that cut the summarized elements into so many equal parts."""
    values, counts = summary
    if not values.size:
        raise ValueError("Bins can't be learned from data without elements.")
    ranks = np.cumsum(counts) / counts.sum()
    wanted = np.arange(1, bins) / bins
    return [float(np.float32(v)) for v in np.interp(wanted, ranks, values)]

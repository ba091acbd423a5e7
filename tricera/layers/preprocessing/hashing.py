"""Categories as numbers of buckets, without a vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tricera import ops
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor
from tricera.layers.preprocessing.data_layer import DataLayer
from tricera.layers.preprocessing.encoding import MODES, encode, encoded_shape
from tricera.layers.preprocessing.fingerprint import fingerprint64, joined, siphash24

_CROSSING_KEY = 0xDECAFCAFFE  # TensorFlow's, from which crossed fingerprints start


def as_bytes(x: Any) -> bytes:
    """A category as the bytes that are hashed: a number in decimal digits."""
    return x if isinstance(x, bytes) else str(x).encode("utf-8")


def each_once(values: np.ndarray, function: Callable[[Any], int]) -> np.ndarray:
    """A function of each element, computed once for each distinct one."""
    flat = values.ravel().tolist()
    known = {x: function(x) for x in set(flat)}
    return np.array([known[x] for x in flat], "int64").reshape(values.shape)


class _Host(DataLayer):
    """A layer that computes on the host, on numbers or strings."""

    sparse: bool
    output_mode: str
    num_bins: int

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._convert_input_args = False
        self.built = True

    def _check(self, modes: tuple[str, ...]) -> None:
        bins = self.num_bins
        if not isinstance(bins, int) or isinstance(bins, bool) or bins < 1:
            raise ValueError(f"`num_bins` of the layer {self.name!r} must be a positive integer; got {bins!r}.")
        if self.output_mode not in modes:
            raise ValueError(
                f"`output_mode` of the layer {self.name!r} must be one of {modes}; got {self.output_mode!r}."
            )
        if self.sparse and self.output_mode == "int":
            raise ValueError(f"The layer {self.name!r} gives no sparse tensors in the mode 'int'.")

    def _out_dtype(self) -> str:
        return dispatch.current().canonical(self.dtype) if self.output_mode == "int" else self.compute_dtype

    def _encoded(self, found: Any) -> Any:
        dtype = self._out_dtype()
        if self.output_mode == "int":
            return ops.cast(found, dtype)
        return encode(found, self.output_mode, self.num_bins, dtype, sparse=self.sparse)

    def _on_host(self, function: Callable[..., np.ndarray], inputs: list[Any]) -> Any:
        """`function` of the inputs, on the framework of the first of them that is a tensor; arrays stay on the host."""
        here = dispatch.current()
        dtype = here.canonical("int64")
        owners = [dispatch.of(x) for x in inputs]
        if any(owner is not None for owner in owners):
            shape = here.shape(next(x for x, owner in zip(inputs, owners, strict=True) if owner is not None))
            return here.host.call(function, [here.convert(x) for x in inputs], dtype, tuple(shape))
        return here.convert(function(*(np.asarray(x) for x in inputs)), dtype)

    def compute_output_spec(self, inputs: Any) -> Any:
        """As computed, perhaps sparse."""
        first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        shape = encoded_shape(first.shape, self.output_mode, self.num_bins)
        return KerasTensor(shape, self._out_dtype(), sparse=self.sparse)


class Hashing(_Host):
    """Categories, integers or strings, as numbers of buckets: FarmHash's Fingerprint64 modulo the number of buckets.

    Args:
        num_bins: the number of buckets, with that of `mask_value`.
        mask_value: a category that gets the bucket 0 for itself; None for none.
        salt: an integer, or two, that make the hash another one: SipHash-2-4 under this key.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"` or `"count"`, as for `CategoryEncoding`.
        sparse: give a sparse tensor, on frameworks that have one.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: no positive number of buckets, an unknown mode, or a salt of another form.

    Example:
        >>> import numpy as np
        >>> Hashing(num_bins=3)(np.array([["A"], ["B"]])).shape[0]
        2
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if output_mode == "int":
            kwargs["dtype"] = kwargs.get("dtype") or "int64"
        super().__init__(**kwargs)
        self.num_bins, self.mask_value, self.output_mode, self.sparse = num_bins, mask_value, output_mode, sparse
        self._check(("int", *MODES))
        key = (salt, salt) if isinstance(salt, int) and not isinstance(salt, bool) else salt
        if key is not None and (
            not isinstance(key, (tuple, list)) or len(key) != 2 or any(not isinstance(k, int) for k in key)
        ):
            raise ValueError(f"`salt` of the layer {self.name!r} must be an integer or a pair of them; got {salt!r}.")
        self.salt = None if key is None else list(key)

    def call(self, inputs: Any) -> Any:
        """Hash."""
        found = self._on_host(self._hashed, [inputs])
        return self._encoded(found)

    def _hashed(self, values: np.ndarray) -> np.ndarray:
        if values.dtype.kind == "f":
            values = values.astype("int64")
        mask = None if self.mask_value is None else as_bytes(self.mask_value)
        bins = self.num_bins if mask is None or self.num_bins == 1 else self.num_bins - 1
        key = None if self.salt is None else (self.salt[0], self.salt[1])

        def bucket(x: Any) -> int:
            s = as_bytes(x)
            if mask is not None and s == mask:
                return 0
            found = (fingerprint64(s) if key is None else siphash24(s, key)) % bins
            return found if bins == self.num_bins else found + 1

        return each_once(values, bucket)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the inputs, or the vectors'."""
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "salt": self.salt,
            "mask_value": self.mask_value,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }


class HashedCrossing(_Host):
    """Combinations of categories as numbers of buckets: the hash of all features together.

    Args:
        num_bins: the number of buckets.
        output_mode: `"int"` or `"one_hot"`.
        sparse: give a sparse tensor, on frameworks that have one.
        name: the layer's name.
        dtype: the dtype or policy of the layer.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: no positive number of buckets, an unknown mode, or (when called) inputs that are not two or more features of one
            shape (batch,) or (batch, 1), integers or strings.
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if output_mode == "int" and dtype is None:
            dtype = "int64"
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.num_bins, self.output_mode, self.sparse = num_bins, output_mode, sparse
        self._check(("int", "one_hot"))

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Call the layer; features may be lists or plain values."""
        if isinstance(inputs, (list, tuple)):
            inputs = [x if hasattr(x, "shape") else np.asarray(x) for x in inputs]
        return super().__call__(inputs, **kwargs)

    def call(self, inputs: Any) -> Any:
        """Cross."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(f"The layer {self.name!r} crosses two or more features, given as a list; got {inputs!r}.")
        shapes = {tuple(x.shape) for x in inputs}
        shape = next(iter(shapes))
        if len(shapes) > 1 or len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise ValueError(
                f"The features that the layer {self.name!r} crosses must have one shape, (batch,) or (batch, 1); got {sorted(map(str, shapes))}."
            )
        found = self._on_host(self._crossed, list(inputs))
        return self._encoded(found)

    def _crossed(self, *features: np.ndarray) -> np.ndarray:
        out = [_CROSSING_KEY] * features[0].size
        for values in features:
            if values.dtype.kind == "f":
                raise ValueError(f"The layer {self.name!r} crosses integers and strings, not floats.")
            flat = values.ravel().tolist()
            known = {x: x & 0xFFFFFFFFFFFFFFFF if isinstance(x, int) else fingerprint64(as_bytes(x)) for x in set(flat)}
            out = [joined(a, known[x]) for a, x in zip(out, flat, strict=True)]
        return np.array([h % self.num_bins for h in out], "int64").reshape(features[0].shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of one feature, or the vectors'."""
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self.dtype,
        }

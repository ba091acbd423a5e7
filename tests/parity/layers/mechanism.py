"""One mechanism for all layers: a row (class, options, inputs) becomes cases that Keras and Tricera both run.

A case builds the layer symbolically, fills its weights with the same numbers in both, calls it, and differentiates a weighted sum
of its outputs plus its losses with respect to inputs and weights. It returns what can be compared: outputs, gradients, masks,
losses, states after the call, names and paths, dtypes, configs, shapes for open dimensions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

HALF = {"mixed_bfloat16": 3e-2, "float16": 6e-3}


class Sub(NamedTuple):
    """A layer among the options of another one."""

    kind: str
    options: dict[str, Any]


def sub(kind: str, **options: Any) -> Sub:
    """A layer among the options of another one."""
    return Sub(kind, options)


class Row(NamedTuple):
    """A layer, how it is made, and on what it is called.

    `x` is a shape (normal numbers), an array, or a list of these that is passed as one list; `more` holds further positional
    arguments, `call` keyword arguments (arrays or plain values; lists of arrays).
    """

    kind: str
    options: dict[str, Any]
    x: Any
    more: tuple[Any, ...] = ()
    call: dict[str, Any] = {}
    gradients: bool = True
    masked: bool | None = None  # a masked variant; None: for the first row of a class, where the input has time steps
    half: bool | None = None  # variants in half precision; None: for the first row of a class
    training: bool = False  # whether it is called with training=True


def resolve(k: Any, value: Any, dtype: str) -> Any:
    """The options with layers in place of `Sub`s."""
    if isinstance(value, Sub):
        return getattr(k.layers, value.kind)(**{"dtype": dtype, **resolve(k, value.options, dtype)})
    if isinstance(value, dict):
        return {key: resolve(k, v, dtype) for key, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(resolve(k, v, dtype) for v in value)
    return value


def _is_shape(x: Any) -> bool:
    return isinstance(x, tuple) and all(isinstance(n, int) for n in x)


def arrays(x: Any, rng: np.random.Generator) -> Any:
    """Normal numbers in place of shapes."""
    if isinstance(x, (list, dict)):
        items = x.items() if isinstance(x, dict) else enumerate(x)
        found = {key: arrays(one, rng) for key, one in items}
        return found if isinstance(x, dict) else list(found.values())
    return rng.normal(size=x).astype("float32") if _is_shape(x) else x


def leaves(x: Any) -> list[Any]:
    """What a structure of lists, tuples and dicts holds."""
    if isinstance(x, dict):
        return [leaf for key in sorted(x) for leaf in leaves(x[key])]
    return [leaf for one in x for leaf in leaves(one)] if isinstance(x, (list, tuple)) else [x]


def _map(fn: Callable[[Any], Any], x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _map(fn, v) for key, v in x.items()}
    return [_map(fn, v) for v in x] if type(x) in (list, tuple) else fn(x)


def plain(value: Any) -> Any:
    """A config as JSON has it."""
    return json.loads(json.dumps(value, default=lambda o: o.tolist() if hasattr(o, "tolist") else str(o)))


def without_shapes(value: Any) -> Any:
    """A config without what inner layers were built with: Keras notes it for layers without weights, too."""
    if isinstance(value, dict):
        return {k: without_shapes(v) for k, v in value.items() if k != "build_config"}
    return [without_shapes(v) for v in value] if isinstance(value, list) else value


def weights_for(layer: Any) -> list[np.ndarray]:
    """Numbers for the weights, the same in both packages; variances are positive."""
    rng = np.random.default_rng(7)
    found = []
    for weight in layer.weights:
        low = 0.5 if "variance" in weight.path or "stddev" in weight.path else -1.0
        found.append(rng.uniform(low, 1.5, [int(n) for n in weight.shape]).astype("float32"))
    return found


def _mask_giver(k: Any, mask: np.ndarray) -> Any:
    class Given(k.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.supports_masking = True

        def call(self, x: Any) -> Any:
            return x

        def compute_mask(self, x: Any, previous_mask: Any = None) -> Any:
            return k.ops.convert_to_tensor(mask)

    return Given()


def _spy(k: Any) -> Any:
    class Spy(k.layers.Layer):
        seen: Any = None

        def call(self, x: Any, mask: Any = None) -> Any:
            self.seen = mask
            return x

    return Spy()


class Case(NamedTuple):
    """A row in one variant: a dtype policy, with or without a mask on its inputs."""

    row: Row
    policy: str = "float32"
    masked: bool = False

    def make(self, k: Any) -> Any:
        """The layer."""
        base = {"name": "layer", "dtype": self.policy}
        if self.row.kind == "Pipeline":  # which has no dtype
            del base["dtype"]
        return getattr(k.layers, self.row.kind)(**{**base, **resolve(k, self.row.options, self.policy)})

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """Positional arguments and keywords, as arrays."""
        rng = np.random.default_rng(3)
        given = [arrays(self.row.x, rng), *(arrays(x, rng) for x in self.row.more)]
        call = dict(self.row.call)
        if self.row.training:
            call["training"] = True
        return given, call

    def __call__(self, k: Any, differentiate: Callable[..., Any] | None) -> dict[str, Any]:
        layer = self.make(k)
        given, call = self.arguments()
        self._build(k, layer, given, call)
        layer.set_weights(weights_for(layer))
        found = self._described(k, layer, given, call) if not self.masked else {}
        masks = self._masks(given)

        def run(*args: Any) -> tuple[Any, list[Any]]:
            if masks:
                args = tuple(_map_masks(k, list(args), masks))
            outputs = leaves(layer(*args, **call))
            spies = [_spy(k) for _ in outputs]
            for spy, out in zip(spies, outputs):
                spy(out)
            return outputs, [spy.seen for spy in spies]

        outputs, seen, losses, slopes, own = (differentiate or forward)(k, layer, run, given, self.row.gradients)
        found["dtypes"] = [k.backend.standardize_dtype(y.dtype) for y in outputs]
        found["masks"] = [None if m is None else np.asarray(k.ops.convert_to_numpy(m)).tolist() for m in seen]
        for name, values in (("out", outputs), ("loss", losses), ("slope", slopes), ("after", own)):
            found |= {f"{name}/{i}": single(k, value) for i, value in enumerate(values)}
        return found

    def _build(self, k: Any, layer: Any, given: list[Any], call: dict[str, Any]) -> None:
        layer(*self._symbolic(k, given, wide=False), **_map(lambda v: _symbol(k, v, False), call))

    def _symbolic(self, k: Any, given: list[Any], wide: bool) -> list[Any]:
        first = self.row.options.get("data_format") == "channels_first"
        first = 2 if first and "ConvLSTM" in self.row.kind else int(first)
        if self.row.options.get("stateful"):  # which wants to know the size of the batch
            return [_map(lambda v: k.KerasTensor(v.shape, dtype=str(v.dtype)), one) for one in given]
        return [_map(lambda v: _symbol(k, v, wide, first), one) for one in given]

    def _masks(self, given: list[Any]) -> list[np.ndarray]:
        if not self.masked:
            return []
        rng = np.random.default_rng(4)
        masks = [rng.uniform(size=x.shape[:2]) < 0.7 for x in leaves(given)]
        for mask in masks:
            mask[0, 0], mask[-1] = True, False  # a sample without any step
        return masks

    def _described(self, k: Any, layer: Any, given: list[Any], call: dict[str, Any]) -> dict[str, Any]:
        """Names, dtypes, configs and symbolic outputs."""
        call = _map(lambda v: _symbol(k, v, False), call)
        found: dict[str, Any] = {
            "weights": [
                [w.path, w.name, [int(n) for n in w.shape], k.backend.standardize_dtype(w.dtype), bool(w.trainable)]
                for w in layer.weights
            ],
            "seeds": sorted(v.path for v in layer.variables if v.name == "seed_generator_state"),
            "config": without_shapes(plain(layer.get_config())),
            "serialized": without_shapes(plain(k.layers.serialize(layer))),
            "again": without_shapes(plain(type(layer).from_config(layer.get_config()).get_config())),
            "build": plain(layer.get_build_config()) if layer.weights else None,
            "supports_masking": bool(layer.supports_masking),
        }
        for name, wide in (("open batch", False), ("open", True)):
            symbols = self._symbolic(k, given, wide)
            try:
                outputs = leaves(layer(*symbols, **call))
                found[name] = [[*plain(tuple(y.shape)), k.backend.standardize_dtype(y.dtype)] for y in outputs]
            except Exception:  # not every layer works with any open dimension
                found[name] = None
            try:
                shapes = [_map(lambda t: tuple(t.shape), s) for s in symbols]
                found[f"{name} shape"] = plain(layer.compute_output_shape(*shapes))
            except Exception:
                found[f"{name} shape"] = None
        return found


def _symbol(k: Any, v: Any, wide: bool, first: int = 0) -> Any:
    if not isinstance(v, np.ndarray):
        return v
    shape = [None, *v.shape[1:]]
    if wide:
        shape = [n if i == (first or v.ndim - 1) and v.ndim > 2 else None for i, n in enumerate(shape)]
        if v.ndim == 2:
            shape = [None, v.shape[1]] if v.dtype.kind == "f" else [None, None]
    return k.KerasTensor(tuple(shape), dtype=str(v.dtype))


def _map_masks(k: Any, args: list[Any], masks: list[np.ndarray]) -> list[Any]:
    rest = iter(masks)
    return _map(lambda x: _mask_giver(k, next(rest))(x), args)


def single(k: Any, value: Any) -> np.ndarray:
    """As float32 on the host, whatever it was; .npz files know no bfloat16."""
    value = value.detach() if hasattr(value, "detach") else value
    found = np.asarray(k.ops.convert_to_numpy(value))
    return found.astype("float32") if found.dtype.kind not in "biu" else found.astype("int32")


def factors(outputs: list[Any]) -> list[np.ndarray]:
    """By what the outputs are multiplied before they are summed up to be differentiated."""
    rng = np.random.default_rng(5)
    return [rng.normal(size=[int(n) for n in y.shape]).astype("float32") for y in outputs]


def total(k: Any, outputs: list[Any], losses: list[Any]) -> Any:
    """A number that depends on all outputs and losses."""
    parts = [
        k.ops.sum(k.ops.multiply(k.ops.cast(y, "float32"), k.ops.convert_to_tensor(f)))
        for y, f in zip(outputs, factors(outputs))
        if k.backend.is_float_dtype(k.backend.standardize_dtype(y.dtype))
    ]
    return sum([*parts, *(k.ops.cast(x, "float32") for x in losses)])


def forward(k: Any, layer: Any, run: Any, given: list[Any], gradients: bool) -> tuple[Any, ...]:
    """Without derivatives."""
    outputs, seen = run(*_map(lambda v: k.ops.convert_to_tensor(v), given))
    return outputs, seen, list(layer.losses), [], [w.value for w in layer.weights]


def cases(rows: list[Row]) -> dict[str, Case]:
    """Names and variants of all rows."""
    found: dict[str, Case] = {}
    counts: dict[str, int] = {}
    for row in rows:
        n = counts[row.kind] = counts.get(row.kind, -1) + 1
        name = f"{row.kind}-{n}"
        found[name] = Case(row)
        if row.half or (row.half is None and n == 0):
            found |= {f"{name}-{policy}": Case(row, policy) for policy in HALF}
        timed = all(isinstance(x, np.ndarray) and x.ndim > 2 for x in leaves(Case(row).arguments()[0]))
        if row.masked or (row.masked is None and n == 0 and timed and not row.call):
            found[f"{name}-masked"] = Case(row, masked=True)
    return found

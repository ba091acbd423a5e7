"""Rows of the table for structured neural-network ops, with plain loops as reference."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.special as special

from tests.ops.cases import CASES, X3, P, X, ints, rand, row

__all__ = ["CASES"]


def windows(x: np.ndarray, sizes: Any, strides: Any, dilation: Any, padding: str, fill: float) -> Any:
    """Pairs of an output position and the window of `x` (batch, spatial..., channels) there, padded with `fill`."""
    spatial = x.shape[1:-1]
    pads, outs = [], []
    for n, k, s, d in zip(spatial, sizes, strides, dilation, strict=True):
        reach = d * (k - 1) + 1
        out = -(-n // s) if padding != "valid" else (n - reach) // s + 1
        total = max((out - 1) * s + reach - n, 0) if padding == "same" else reach - 1 if padding == "causal" else 0
        before = total if padding == "causal" else total // 2
        pads.append((before, total - before))
        outs.append(out)
    padded = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    for at in itertools.product(*map(range, outs)):
        cut = tuple(
            slice(p * s, p * s + d * (k - 1) + 1, d) for p, s, d, k in zip(at, strides, dilation, sizes, strict=True)
        )
        yield at, padded[(slice(None), *cut)], outs


def full(value: Any, n: int) -> tuple[int, ...]:
    """One number an axis."""
    return (value,) * n if isinstance(value, int) else tuple(value)


def last(x: np.ndarray, data_format: str | None) -> np.ndarray:
    """Channels last."""
    return np.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def back(x: np.ndarray, data_format: str | None) -> np.ndarray:
    """Channels where they were."""
    return np.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def conv(
    x: Any, w: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """A convolution, window by window and group by group."""
    x, n = last(x, data_format), x.ndim - 2
    groups = x.shape[-1] // w.shape[-2]
    out = None
    for at, window, outs in windows(x, w.shape[:n], full(strides, n), full(dilation_rate, n), padding, 0):
        if out is None:
            out = np.zeros((len(x), *outs, w.shape[-1]), x.dtype)
        parts = zip(np.split(window, groups, -1), np.split(w, groups, -1), strict=True)
        out[(slice(None), *at)] = np.concatenate([np.tensordot(a, b, n + 1) for a, b in parts], -1)
    return back(out, data_format)


def depthwise(
    x: Any, w: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """Each channel by itself."""
    grouped = w.reshape(*w.shape[:-2], 1, -1)
    return conv(x, grouped, strides, padding, data_format, dilation_rate)


def separable(
    x: Any, w: Any, p: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """Depthwise, then pointwise."""
    return conv(depthwise(x, w, strides, padding, data_format, dilation_rate), p, data_format=data_format)


def transposed(
    x: Any,
    w: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    """Kernels laid down side by side; what is kept of it follows TensorFlow's rules."""
    x, n = last(x, data_format), x.ndim - 2
    strides, dilation = full(strides, n), full(dilation_rate, n)
    reach = [d * (k - 1) + 1 for k, d in zip(w.shape, dilation, strict=False)]
    out = np.zeros(
        (len(x), *((m + 4) * s + r for m, s, r in zip(x.shape[1:], strides, reach, strict=False)), w.shape[-2]), x.dtype
    )
    for at in itertools.product(*map(range, x.shape[1:-1])):
        for k in itertools.product(*map(range, w.shape[:n])):
            place = tuple(p * s + j * d for p, s, j, d in zip(at, strides, k, dilation, strict=True))
            out[(slice(None), *place)] += x[(slice(None), *at)] @ w[k].T
    cut = []
    for m, s, r in zip(x.shape[1:], strides, reach, strict=False):
        extra = output_padding
        if padding == "valid":
            length, begin = (m * s + max(r - s, 0) if extra is None else (m - 1) * s + r + extra), 0
        else:
            length = m * s if extra is None else (m - 1) * s + r - 2 * (r // 2) + extra
            begin = max((m - 1) * s + r - length, 0) // 2
        cut.append(slice(begin, begin + length))
    return back(out[(slice(None), *cut)], data_format)


def pool(kind: str) -> Any:
    """The reference of a pooling op."""

    def run(x: Any, size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None) -> Any:
        x, n = last(x, data_format), x.ndim - 2
        size = full(size, n)
        out = None
        for at, window, outs in windows(
            x, size, full(size if strides is None else strides, n), (1,) * n, padding, np.nan
        ):
            if out is None:
                out = np.zeros((len(x), *outs, x.shape[-1]), x.dtype)
            reduce = np.nanmax if kind == "max" else np.nanmean
            out[(slice(None), *at)] = reduce(window, axis=tuple(range(1, n + 1)))
        return back(out, data_format)

    return run


def adaptive(reduce: Any) -> Any:
    """The reference of an adaptive pooling op."""

    def run(x: Any, size: Any, data_format: Any = None) -> Any:
        x, n = last(x, data_format), x.ndim - 2
        size = full(size, n)
        out = np.zeros((len(x), *size, x.shape[-1]), x.dtype)
        for at in itertools.product(*map(range, size)):
            cut = tuple(slice(i * m // k, -(-(i + 1) * m // k)) for i, m, k in zip(at, x.shape[1:], size, strict=False))
            out[(slice(None), *at)] = reduce(x[(slice(None), *cut)], axis=tuple(range(1, n + 1)))
        return back(out, data_format)

    return run


SIGNAL, IMAGE, VOLUME = rand(2, 7, 4), rand(2, 6, 5, 4), rand(1, 4, 5, 4, 2)
LAST, FIRST = "channels_last", "channels_first"
for fmt in (LAST, FIRST):
    for padding in ("valid", "same"):
        for strides in (1, 2, (2, 1)):
            x = back(IMAGE, fmt)
            kw = {"strides": strides, "padding": padding, "data_format": fmt}
            row("conv", x, rand(3, 2, 4, 6), ref=conv, kwargs=kw, grad=strides != 1, tol=1e-4)
            row("conv_transpose", x, rand(3, 2, 6, 4), ref=transposed, kwargs=kw, grad=strides == 2, tol=1e-4)
            row("depthwise_conv", x, rand(3, 2, 4, 2), ref=depthwise, kwargs=kw, grad=strides == 2, tol=1e-4)
            row("max_pool", x, 2, ref=pool("max"), kwargs=kw, grad=strides == 2)
            row("average_pool", x, (3, 2), ref=pool("mean"), kwargs=kw, grad=strides == 2)
        kw = {"padding": padding, "data_format": fmt}
        row("conv", back(SIGNAL, fmt), rand(3, 2, 6), ref=conv, kwargs=kw | {"dilation_rate": 2}, grad=True, tol=1e-4)
        row(
            "conv",
            back(IMAGE, fmt),
            rand(2, 2, 2, 6),
            ref=conv,
            kwargs=kw | {"dilation_rate": (1, 2)},
            grad=True,
            tol=1e-4,
        )
        row(
            "conv",
            back(VOLUME, fmt),
            rand(2, 3, 2, 2, 3),
            ref=conv,
            kwargs=kw | {"strides": 2},
            grad=fmt == LAST,
            tol=1e-4,
        )
        row("conv", back(VOLUME, fmt), rand(2, 1, 2, 1, 4), ref=conv, kwargs=kw | {"dilation_rate": 2}, tol=1e-4)
        row(
            "conv_transpose",
            back(SIGNAL, fmt),
            rand(3, 2, 4),
            ref=transposed,
            kwargs=kw | {"strides": 3, "output_padding": 1},
            grad=True,
            tol=1e-4,
        )
        row("conv_transpose", back(SIGNAL, fmt), rand(1, 2, 4), ref=transposed, kwargs=kw | {"strides": 2}, tol=1e-4)
        row(
            "conv_transpose",
            back(SIGNAL, fmt),
            rand(2, 2, 4),
            ref=transposed,
            kwargs=kw | {"dilation_rate": 2},
            tol=1e-4,
        )
        row(
            "conv_transpose",
            back(VOLUME, fmt),
            rand(2, 3, 2, 3, 2),
            ref=transposed,
            kwargs=kw | {"strides": 2},
            tol=1e-4,
        )
        row("depthwise_conv", back(SIGNAL, fmt), rand(3, 4, 2), ref=depthwise, kwargs=kw, grad=True, tol=1e-4)
        row(
            "depthwise_conv",
            back(SIGNAL, fmt),
            rand(2, 4, 1),
            ref=depthwise,
            kwargs=kw | {"dilation_rate": 2},
            tol=1e-4,
        )
        row(
            "separable_conv",
            back(IMAGE, fmt),
            rand(2, 2, 4, 2),
            rand(1, 1, 8, 3),
            ref=separable,
            kwargs=kw | {"strides": 2},
            grad=True,
            tol=1e-4,
        )
        for name, kind in (("max_pool", "max"), ("average_pool", "mean")):
            row(name, back(SIGNAL, fmt), 3, ref=pool(kind), kwargs=kw | {"strides": 1}, grad=True)
            row(name, back(SIGNAL, fmt), 2, ref=pool(kind), kwargs=kw | {"strides": 3})
            row(name, back(VOLUME, fmt), (2, 3, 1), ref=pool(kind), kwargs=kw, grad=fmt == LAST)
    row(
        "adaptive_average_pool", back(IMAGE, fmt), (4, 3), ref=adaptive(np.mean), kwargs={"data_format": fmt}, grad=True
    )
    row("adaptive_max_pool", back(IMAGE, fmt), (4, 3), ref=adaptive(np.max), kwargs={"data_format": fmt}, grad=True)
row("conv", SIGNAL, rand(3, 4, 2), ref=conv, kwargs={"padding": "causal", "strides": 2}, grad=True, tol=1e-4)
for fmt in (None, "channels_first"):
    options = {"strides": 2, "padding": "same", "data_format": fmt, "dilation_rate": 1}
    row(
        "biased_conv",
        back(SIGNAL, fmt),
        rand(3, 4, 2),
        rand(2, seed=3),
        ref=lambda x, w, b, **kw: back(last(conv(x, w, **kw), kw["data_format"]) + b, kw["data_format"]),
        kwargs=options,
        grad=True,
        tol=1e-4,
    )
row("conv", SIGNAL[:0], rand(3, 4, 2), ref=lambda x, w: np.zeros((0, 5, 2), "float32"))
row("conv", VOLUME[:0], rand(2, 2, 2, 2, 3), ref=lambda x, w: conv(np.zeros((1, *x.shape[1:])), w)[:0])
row("depthwise_conv", IMAGE[:0], rand(2, 2, 4, 1), ref=lambda x, w: depthwise(np.zeros((1, *x.shape[1:])), w)[:0])
row("max_pool", ints(2, 6, 3), 2, ref=lambda x, k: pool("max")(x.astype("float32"), k))
row("adaptive_average_pool", SIGNAL, 3, ref=adaptive(np.mean))
row("adaptive_max_pool", VOLUME, 2, ref=adaptive(np.max))
row("adaptive_max_pool", np.arange(48).reshape(1, 4, 4, 3), 2, ref=adaptive(np.max))

# --- classification --------------------------------------------------------------------------------------------------
LOGITS = rand(3, 4)
SHARES = special.softmax(rand(3, 4, seed=1), -1).astype("float32")
TARGETS = special.softmax(rand(3, 4, seed=2), -1).astype("float32")
CLASSES = np.array([1, 0, 3], "int32")


def shares(x: Any, axis: int = -1) -> Any:
    """Probabilities off 0 and 1."""
    return np.clip(x / x.sum(axis, keepdims=True), 1e-7, 1 - 1e-7)


def categorical(t: Any, x: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Crossentropy."""
    logs = special.log_softmax(x, axis) if from_logits else np.log(shares(x, axis))
    return -(t * logs).sum(axis)


def sparse(t: Any, x: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Crossentropy of classes."""
    t = t.squeeze(axis) if t.ndim == x.ndim else t
    hot = np.moveaxis(t[..., None] == np.arange(x.shape[axis]), -1, axis).astype(x.dtype)
    return categorical(hot, x, from_logits, axis)


def binary_loss(t: Any, x: Any, from_logits: bool = False) -> Any:
    """Binary crossentropy."""
    if from_logits:
        return np.logaddexp(0, x) - t * x
    p = np.clip(x, 1e-7, 1 - 1e-7)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


for axis in (-1, 0):
    row("categorical_crossentropy", TARGETS, SHARES, ref=categorical, kwargs={"axis": axis}, grad=True)
    row(
        "categorical_crossentropy",
        TARGETS,
        LOGITS * 50,
        ref=categorical,
        kwargs={"axis": axis, "from_logits": True},
        tol=1e-4,
    )
row("categorical_crossentropy", TARGETS, LOGITS, ref=categorical, kwargs={"from_logits": True}, grad=True)
row("categorical_crossentropy", TARGETS, np.eye(4, dtype="float32")[:3], ref=categorical, tol=1e-4)
row("sparse_categorical_crossentropy", CLASSES, SHARES, ref=sparse, grad=True)
row("sparse_categorical_crossentropy", CLASSES[:, None], LOGITS, ref=sparse, kwargs={"from_logits": True}, grad=True)
row(
    "sparse_categorical_crossentropy",
    np.array([0, 2, 9, -1], "int32"),
    LOGITS,
    ref=sparse,
    kwargs={"from_logits": True, "axis": 0},
    batch=False,
)
row("sparse_categorical_crossentropy", ints(2, 3, low=0, high=4), X3, ref=sparse, kwargs={"from_logits": True})
row("binary_crossentropy", TARGETS, SHARES, ref=binary_loss, grad=True)
row("binary_crossentropy", TARGETS, LOGITS * 100, ref=binary_loss, kwargs={"from_logits": True}, tol=1e-4)
row(
    "binary_crossentropy",
    TARGETS,
    np.eye(4, dtype="float32")[:3],
    ref=lambda t, x: binary_loss(t, np.clip(x, np.float32(1e-7), np.float32(1 - 1e-7))),
    tol=1e-4,
)
row("softmax_loss", TARGETS, LOGITS, ref=lambda t, x: categorical(t, x, True), grad=True)
row("sparse_softmax_loss", np.array([1, 9, -1], "int32"), LOGITS, ref=lambda t, x: sparse(t, x, True), grad=True)
row("sparse_probability_loss", np.array([1, 0, 2], "int32"), SHARES, ref=lambda t, p: sparse(t, p, False), grad=True)
row("probability_loss", TARGETS, SHARES, ref=lambda t, p: binary_loss(t, p, False), grad=True)
row("sigmoid_loss", TARGETS, LOGITS, ref=lambda t, x: binary_loss(t, x, True), grad=True)
row(
    "multi_hot",
    np.array([[0, 2], [1, 1]], "int32"),
    4,
    ref=lambda x, n: np.array([[1, 0, 1, 0], [0, 1, 0, 0]], "float32"),
)
row("multi_hot", np.array([0, 2], "int32"), 4, ref=lambda x, n, **k: np.array([1, 0, 1, 0]), kwargs={"dtype": "int32"})
row(
    "multi_hot",
    np.array([[0, 2], [1, 5], [-1, 3]], "int32"),
    4,
    ref=lambda x, n, **k: np.array([[1, 0], [1, 0], [0, 1], [0, 1]], "float32"),
    kwargs={"axis": 0},
)
SCORES = np.array([[0.1, 0.9, 0.3], [0.5, 0.5, 0.1], [np.nan, 0.2, 0.1], [0.1, 0.2, 0.3]], "float32")
row(
    "in_top_k",
    np.array([2, 1, 0, 7], "int32"),
    SCORES,
    ref=lambda t, p, k: np.array([True, True, False, False]),
    kwargs={"k": 2},
)
row("in_top_k", np.array([2, 1, 1, -1], "int32"), SCORES, 1, ref=lambda t, p, k: np.array([False, True, True, False]))


def segments(reduce: Any, start: Any) -> Any:
    """The reference of a segment op."""

    def run(x: Any, ids: Any, n: int | None = None) -> Any:
        n = ids.max() + 1 if n is None else n
        return np.stack(
            [
                reduce(x[ids == i], axis=0) if (ids == i).any() else np.full(x.shape[1:], start, x.dtype)
                for i in range(n)
            ]
        )

    return run


IDS = np.array([0, 2, -1, 0, 9], "int32")
for name, reduce, start in (
    ("sum", np.sum, 0),
    ("prod", np.prod, 1),
    ("max", np.max, -np.inf),
    ("min", np.min, np.inf),
):
    row(f"segment_{name}", rand(5, 2), IDS, 4, ref=segments(reduce, start))
    row(f"segment_{name}", rand(5), np.array([0, 1, 1, 0, 3], "int32"), ref=segments(reduce, start))
LEAST = np.array([np.finfo("float32").min, 1, -np.inf, 2, 3], "float32")
row("segment_max", LEAST, np.array([0, 1, 2, 7, -1], "int32"), 4, ref=segments(np.max, -np.inf))
row("segment_min", -LEAST, np.array([0, 1, 2, 7, -1], "int32"), 4, ref=segments(np.min, np.inf))
row("segment_max", ints(5), IDS, 3, ref=segments(np.max, np.iinfo("int32").min))
row("segment_sum", rand(3, 2), np.array([1, 1, 0], "int32"), 2, ref=segments(np.sum, 0), grad=True)

# --- normalisation ---------------------------------------------------------------------------------------------------


def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float = 1e-7) -> Any:
    """To unit length."""
    return x / np.maximum((np.abs(x) ** order).sum(axis, keepdims=True) ** (1 / order), epsilon)


def batch_norm(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """Channel by channel."""
    shape = [1] * x.ndim
    shape[axis] = -1
    out = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + epsilon)
    out = out if scale is None else out * scale.reshape(shape)
    return out if offset is None else out + offset.reshape(shape)


def layer_norm(x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float = 1e-7) -> Any:
    """Along axes."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    shape = [d if i in {a % x.ndim for a in axes} else 1 for i, d in enumerate(x.shape)]
    out = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    out = out if gamma is None else out * gamma.reshape(shape)
    return out if beta is None else out + beta.reshape(shape)


def rms_norm(x: Any, scale: Any = 1.0, axis: Any = -1, epsilon: float = 1e-7) -> Any:
    """By the root mean square."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    return x / np.sqrt((x**2).mean(axes, keepdims=True) + epsilon) * scale


for kw in ({}, {"axis": 0}, {"axis": (0, 1)}, {"order": 1}, {"order": 3, "axis": 1}, {"epsilon": 10.0}):
    row("normalize", X, ref=normalize, kwargs=kw, grad=True)
row("normalize", np.zeros((2, 3), "float32"), ref=normalize)
V = rand(4, low=0.5, high=2.0)
row("batch_normalization", X3, V, V + 1, -1, ref=batch_norm, grad=True)
row("batch_normalization", X3, V[:3], V[1:], 1, V[:3] * 2, V[:3] + 3, ref=batch_norm, grad=True)
row("batch_normalization", X3, V[:3], V[1:], ref=batch_norm, kwargs={"axis": -2, "scale": V[:3], "epsilon": 0.1})
row("batch_normalization", X[0], V, V, 0, ref=batch_norm)
row("channel_scaling", X, V, V + 1, 1, None, V, 1e-3, ref=batch_norm, grad=True)
for axis in (-1, 1, 0, (1, 2), [-1, 1]):
    row("layer_normalization", X3, ref=layer_norm, kwargs={"axis": axis}, grad=True, tol=1e-4)
    row("rms_normalization", X3, ref=rms_norm, kwargs={"axis": axis}, grad=True)
row("layer_normalization", X3, V, V + 1, ref=layer_norm, grad=True, tol=1e-4)
row("layer_normalization", X3, V[:3], V[1:], ref=layer_norm, kwargs={"axis": 1, "epsilon": 0.01}, grad=True)
row("layer_normalization", X3, rand(3, 4), ref=layer_norm, kwargs={"axis": (1, 2)}, tol=1e-4)
row("layer_scaling", X3, V, None, (2,), 1e-3, ref=layer_norm)
row("rms_normalization", X3, V, ref=rms_norm, grad=True)
row("rms_scaling", X3, None, (1, 2), 1e-3, ref=lambda x, g, a, e: rms_norm(x, 1.0, a, e), grad=True)
row("rms_scaling", X3, V, (2,), 1e-3, ref=lambda x, g, a, e: rms_norm(x, g, a, e), grad=True)
row("rms_scaling", X3, V, (1,), 1e-3, ref=lambda x, g, a, e: rms_norm(x, 1.0, a, e) * g)


def group_norm(x: Any, gamma: Any, beta: Any, axis: int, groups: int, size: int, epsilon: float) -> Any:
    """Group by group."""
    moved = np.moveaxis(x, axis, 1)
    out = np.empty_like(moved)
    for g in range(groups):
        part = moved[:, g * size : (g + 1) * size]
        rest = tuple(range(1, x.ndim))
        out[:, g * size : (g + 1) * size] = (part - part.mean(rest, keepdims=True)) / np.sqrt(
            part.var(rest, keepdims=True) + epsilon
        )
    out = np.moveaxis(out, 1, -1)
    out = (1.0 if gamma is None else gamma) * out + (0.0 if beta is None else beta)
    return np.moveaxis(out, -1, axis)


row("group_scaling", X3, V, V + 1, 2, 2, 2, 1e-3, ref=group_norm, grad=True)
row("group_scaling", rand(2, 4, 3, 2), None, V, 1, 4, 1, 1e-3, ref=group_norm)
row("group_scaling", X3, V[:3], None, 1, 1, 3, 1e-3, ref=group_norm)
row("psnr", X, X + P, 2.0, ref=lambda a, b, m: 20 * np.log10(m) - 10 * np.log10(((a - b) ** 2).mean()), grad=True)

# --- attention -------------------------------------------------------------------------------------------------------
Q, K, VALUES = rand(2, 3, 4, 5), rand(2, 6, 4, 5, seed=1), rand(2, 6, 4, 5, seed=2)
MASK = ints(2, 1, 3, 6) > -2


def attention(
    q: Any,
    k: Any,
    v: Any,
    bias: Any = None,
    mask: Any = None,
    scale: Any = None,
    is_causal: bool = False,
    attn_logits_soft_cap: Any = None,
) -> Any:
    """Scaled dot-product attention."""
    k, v = np.repeat(k, q.shape[2] // k.shape[2], 2), np.repeat(v, q.shape[2] // v.shape[2], 2)
    logits = np.einsum("btnh,bsnh->bnts", q, k) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if attn_logits_soft_cap is not None:
        logits = np.tanh(logits / attn_logits_soft_cap) * attn_logits_soft_cap
    logits = logits if bias is None else logits + bias
    logits = logits if mask is None else np.where(mask, logits, -1e30)
    if is_causal:
        logits = np.where(np.tri(*logits.shape[-2:], dtype=bool), logits, -1e30)
    return np.einsum("bnts,bsnh->btnh", special.softmax(logits, -1), v)


BIAS = rand(1, 4, 3, 6)
row("dot_product_attention", Q, K, VALUES, ref=attention, grad=True, batch=False)
row("dot_product_attention", Q, K, VALUES, ref=attention, kwargs={"mask": MASK}, batch=False)
row("dot_product_attention", Q, K, VALUES, BIAS, ref=attention, grad=True, batch=False)
row("dot_product_attention", Q, K, VALUES, BIAS, MASK, 0.3, True, ref=attention, batch=False)
row("dot_product_attention", Q, K, VALUES, ref=attention, kwargs={"is_causal": True}, batch=False, grad=True)
row("dot_product_attention", Q, K[:, :, :2], VALUES[:, :, :2], ref=attention, batch=False)
row("dot_product_attention", Q, K, VALUES, ref=attention, kwargs={"attn_logits_soft_cap": 1.5}, batch=False)
row("attend", Q, K, VALUES, BIAS, 0.5, ref=lambda q, k, v, b, s: attention(q, k, v, b, None, s), batch=False)
row(
    "capped_attend",
    Q,
    K,
    VALUES,
    None,
    0.5,
    2.0,
    ref=lambda q, k, v, b, s, c: attention(q, k, v, b, None, s, False, c),
    batch=False,
)
row("causal_attend", Q, K, VALUES, 0.5, ref=lambda q, k, v, s: attention(q, k, v, None, None, s, True), batch=False)

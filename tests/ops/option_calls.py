"""What the calls of `calls.py` give, by NumPy, SciPy or a formula in float64; and further calls, for the options that those leave out.

The values a reference gets are the call's arrays, floats as float64. Where a key ends in `dtype`, that is compared, too.
"""

from __future__ import annotations

import colorsys
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as special
from scipy import ndimage

from tests.ops.calls import CALLS, FIRST, IMAGE, LOGITS, VOLUME
from tests.ops.cases import X3, P, X, ints, rand
from tests.ops.nn_cases import back, full, last, windows

__all__ = ["CALLS"]
REFERENCES: dict[str, Callable[..., Any]] = {}
TOLERANCES: dict[str, float] = {}
_FIRST = "channels_first"


def call(key: str, *arrays: np.ndarray, do: Callable[..., Any], ref: Callable[..., Any], tol: float = 1e-5) -> None:
    """Add a call and what is right."""
    CALLS[key] = (arrays, do)
    REFERENCES[key], TOLERANCES[key] = ref, tol


# --- images ----------------------------------------------------------------------------------------------------------
MODES = {
    "constant": "grid-constant", "nearest": "nearest", "wrap": "grid-wrap", "mirror": "mirror", "reflect": "reflect",
}  # fmt: skip


def sampled(x: Any, at: Any, order: int, mode: str, fill: float = 0.0) -> Any:
    """A tensor at coordinates, by SciPy."""
    return ndimage.map_coordinates(x, at, order=order, mode=MODES[mode], cval=fill)


def warped(x: Any, m: Any, order: int = 1, mode: str = "constant", fill: float = 0.0, fmt: Any = None) -> Any:
    """Each channel of each image at the places that a projective map gives."""
    x = last(x, fmt)
    y0, x0 = np.mgrid[: x.shape[1], : x.shape[2]].astype("float64")
    out = np.empty_like(x)
    for i, rows in enumerate(np.broadcast_to(m, (len(x), 8))):
        a0, a1, a2, b0, b1, b2, c0, c1 = rows
        k = c0 * x0 + c1 * y0 + 1
        at = np.stack([(b0 * x0 + b1 * y0 + b2) / k, (a0 * x0 + a1 * y0 + a2) / k])
        for c in range(x.shape[3]):
            out[i, :, :, c] = sampled(x[i, :, :, c], at, order, mode, fill)
    return back(out, fmt)


def projected(x: Any, start: Any, end: Any, order: int = 1, fill: float = 0.0, fmt: Any = None) -> Any:
    """The same for the maps that take `end` to `start`."""
    maps = []
    for s, e in zip(start, end, strict=True):
        rows, right = [], []
        for (u, v), (a, b) in zip(s, e, strict=True):
            rows += [[a, b, 1, 0, 0, 0, -a * u, -b * u], [0, 0, 0, a, b, 1, -a * v, -b * v]]
            right += [u, v]
        maps.append(np.linalg.solve(rows, right))
    return warped(x, np.array(maps), order, "constant", fill, fmt)


def kernel(method: str, d: float) -> float:
    """How much an element counts at a distance."""
    if "linear" in method:
        return max(0.0, 1 - d)
    if "cubic" in method:  # Keys 1981, a = -1/2
        return 1.5 * d**3 - 2.5 * d**2 + 1 if d < 1 else -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0
    r = int(method[-1])
    return float(np.sinc(d) * np.sinc(d / r)) if d < r else 0.0


def stretched(x: Any, axis: int, out: int, scale: float, shift: float, method: str, antialias: bool) -> Any:
    """An axis scaled and shifted, element by element."""
    x = np.moveaxis(x, axis, 0)
    rows = []
    for i in range(out):
        at = (i + 0.5 - shift) / scale - 0.5
        width = max(1 / scale, 1.0) if antialias else 1.0
        w = np.array([kernel(method, abs(at - j) / width) for j in range(len(x))])
        inside = -0.5 <= at <= len(x) - 0.5
        rows.append(np.tensordot(w / w.sum() if inside else 0 * w, x, 1))
    return np.moveaxis(np.stack(rows), 0, axis)


def resized(x: Any, size: Any, method: str = "bilinear", antialias: bool = False, axis: int = 1) -> Any:
    """Height and width in another size."""
    for a, n in ((axis, size[0]), (axis + 1, size[1])):
        if method == "nearest":
            x = x.take([int((i + 0.5) * x.shape[a] / n) for i in range(n)], a)
        elif n != x.shape[a]:
            x = stretched(x, a, n, n / x.shape[a], 0.0, method, antialias)
    return x


def patches(x: Any, size: Any, strides: Any = None, dilation: Any = 1, padding: str = "valid", fmt: Any = None) -> Any:
    """Patch by patch."""
    x = last(x, fmt)
    n = x.ndim - 2
    size = full(size, n)
    found = {}
    for at, window, outs in windows(
        x, size, full(size if strides is None else strides, n), full(dilation, n), padding, 0
    ):
        found[at] = window.reshape(len(x), -1)
    out = np.empty((len(x), *outs, x.shape[-1] * math.prod(size)))
    for at, part in found.items():
        out[(slice(None), *at)] = part
    return back(out, fmt)


def bell(n: int, sigma: float) -> Any:
    """A Gaussian window that sums up to 1."""
    w = np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / sigma) ** 2)
    return w / w.sum()


def correlated(x: Any, w: Any, fmt: Any = None) -> Any:
    """Each channel of each image with a kernel, zeros around."""
    return back(ndimage.correlate(last(x, fmt), w[None, :, :, None], mode="constant"), fmt)


def sobel(x: Any, fmt: Any = None) -> Any:
    """Differences along the height and the width."""
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], "float64")
    return np.stack([correlated(x, down, fmt), correlated(x, down.T, fmt)], -1)


def colours(convert: Any, x: Any, fmt: Any = None) -> Any:
    """Pixel by pixel."""
    return back(np.apply_along_axis(lambda p: convert(*p), -1, last(x, fmt)), fmt)


def gray(x: Any, fmt: Any = None) -> Any:
    """The luma of ITU-R BT.601."""
    return back((last(x, fmt) @ [0.2989, 0.587, 0.114])[..., None], fmt)


def similarity(x: Any, y: Any, top: float = 1.0, n: int = 11, sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03, fmt: Any = None) -> Any:  # fmt: skip
    """Window by window."""
    w, found = np.outer(bell(n, sigma), bell(n, sigma))[None, :, :, None], []
    pairs = zip(windows(last(x, fmt), (n, n), (1, 1), (1, 1), "valid", 0), windows(last(y, fmt), (n, n), (1, 1), (1, 1), "valid", 0), strict=True)  # fmt: skip
    c1, c2 = (k1 * top) ** 2, (k2 * top) ** 2
    for (_, a, _), (_, b, _) in pairs:
        ma, mb = ((w * v).sum((1, 2), keepdims=True) for v in (a, b))
        va, vb, ab = ((w * v).sum((1, 2)) for v in ((a - ma) ** 2, (b - mb) ** 2, (a - ma) * (b - mb)))
        ma, mb = ma[:, 0, 0], mb[:, 0, 0]
        found.append((2 * ma * mb + c1) * (2 * ab + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return np.stack(found).mean((0, 2))


REFERENCES |= {
    "affine_transform": warped,
    "crop_images": lambda x: x[:, 1:4, 2:4],
    "extract_patches": lambda x: patches(x, (2, 3)),
    "extract_patches strides": lambda x: patches(x, 2, 1, 1, "same"),
    "extract_patches_3d": lambda x: patches(x, 2),
    "gaussian_blur": lambda x: correlated(x, np.outer(bell(3, 0.7), bell(3, 1.3))),
    "hsv_to_rgb": lambda x: colours(colorsys.hsv_to_rgb, x),
    "pad_images": lambda x: np.pad(x, ((0, 0), (1, 3), (2, 2), (0, 0))),
    "perspective_transform": projected,
    "rgb_to_grayscale": gray,
    "rgb_to_hsv": lambda x: colours(colorsys.rgb_to_hsv, x),
    "rgb_to_hsv first": lambda x: colours(colorsys.rgb_to_hsv, x, _FIRST),
    "sobel_edges": sobel,
    "ssim": similarity,
}
for _mode in MODES:
    REFERENCES[f"map_coordinates {_mode}"] = lambda x, at, m=_mode: sampled(x, at, 1, m, 0.5)
    REFERENCES[f"affine_transform {_mode}"] = lambda x, t, m=_mode: warped(x, t, 0, m, 0.5)
for _key in [k for k in CALLS if k.startswith("resize")]:
    _parts = _key.replace("(", "").replace(")", "").replace(",", "").split()
    REFERENCES[_key] = lambda x, p=_parts: resized(x, (int(p[2]), int(p[3])), p[1], p[4] == "True")
for _key in [k for k in CALLS if k.startswith("scale_and_translate")]:
    _parts = _key.split()
    REFERENCES[_key] = lambda x, s, m, p=_parts: stretched(
        stretched(x, 1, 8, s[0], m[0], p[1], p[2] == "True"), 2, 4, s[1], m[1], p[1], p[2] == "True"
    )
call(
    "affine_transform first", FIRST, CALLS["affine_transform"][0][1],
    do=lambda k, x, m: k.ops.image.affine_transform(x, m, "bilinear", "reflect", data_format=_FIRST), ref=lambda x, m: warped(x, m, 1, "reflect", 0.0, _FIRST),
)  # fmt: skip
call(
    "crop_images first", FIRST,
    do=lambda k, x: k.ops.image.crop_images(x, bottom_cropping=1, right_cropping=3, target_height=3, target_width=2, data_format=_FIRST),
    ref=lambda x: x[:, :, 1:4, 1:3],
)  # fmt: skip
call(
    "pad_images first", FIRST,
    do=lambda k, x: k.ops.image.pad_images(x, 2, bottom_padding=1, right_padding=3, target_width=10, data_format=_FIRST),
    ref=lambda x: np.pad(x, ((0, 0), (0, 0), (2, 1), (1, 3))),
)  # fmt: skip
call(
    "extract_patches first", FIRST,
    do=lambda k, x: k.ops.image.extract_patches(x, (2, 3), 1, 2, data_format=_FIRST), ref=lambda x: patches(x, (2, 3), 1, 2, "valid", _FIRST),
)  # fmt: skip
for _strides, _dilation, _padding in ((2, 1, "same"), (1, 2, "valid")):
    call(
        f"extract_patches_3d {_padding} first", np.moveaxis(VOLUME, -1, 1).copy(),
        do=lambda k, x, s=_strides, d=_dilation, p=_padding: k.ops.image.extract_patches_3d(x, (2, 1, 2), s, d, p, _FIRST),
        ref=lambda x, s=_strides, d=_dilation, p=_padding: patches(x, (2, 1, 2), s, d, p, _FIRST),
    )  # fmt: skip
call(
    "gaussian_blur first", FIRST,
    do=lambda k, x: k.ops.image.gaussian_blur(x, (5, 3), 0.8, _FIRST), ref=lambda x: correlated(x, np.outer(bell(5, 0.8), bell(3, 0.8)), _FIRST),
)  # fmt: skip
call("hsv_to_rgb first", FIRST, do=lambda k, x: k.ops.image.hsv_to_rgb(x, _FIRST), ref=lambda x: colours(colorsys.hsv_to_rgb, x, _FIRST))  # fmt: skip
call("rgb_to_grayscale first", FIRST, do=lambda k, x: k.ops.image.rgb_to_grayscale(x, _FIRST), ref=lambda x: gray(x, _FIRST))  # fmt: skip
call("sobel_edges first", FIRST, do=lambda k, x: k.ops.image.sobel_edges(x, _FIRST), ref=lambda x: sobel(x, _FIRST))
call(
    "perspective_transform first", FIRST, *CALLS["perspective_transform"][0][1:],
    do=lambda k, x, a, b: k.ops.image.perspective_transform(x, a, b, "nearest", 0.7, _FIRST), ref=lambda x, a, b: projected(x, a, b, 0, 0.7, _FIRST),
)  # fmt: skip
call(
    "ssim first", rand(2, 3, 7, 8, low=0.0, high=2.0), rand(2, 3, 7, 8, low=0.0, high=2.0, seed=1),
    do=lambda k, x, y: k.ops.image.ssim(x, y, 2.0, 5, 0.9, 0.05, 0.1, _FIRST), ref=lambda x, y: similarity(x, y, 2.0, 5, 0.9, 0.05, 0.1, _FIRST),
)  # fmt: skip
call(  # 5 x 6 in the aspect ratio of 4 x 2 is 5 x 2
    "resize cropped first", FIRST,
    do=lambda k, x: k.ops.image.resize(x, (4, 2), crop_to_aspect_ratio=True, data_format=_FIRST), ref=lambda x: resized(x[..., 2:4], (4, 2), axis=2),
)  # fmt: skip
call(  # and 12 x 6, which takes as much on either side: 11 x 6
    "resize padded", IMAGE,
    do=lambda k, x: k.ops.image.resize(x, (4, 2), "bicubic", pad_to_aspect_ratio=True, fill_mode="constant", fill_value=0.3),
    ref=lambda x: resized(np.pad(x, ((0, 0), (3, 3), (0, 0), (0, 0)), constant_values=0.3), (4, 2), "bicubic"),
)  # fmt: skip
call("map_coordinates nearest element", X, np.array([[0.2, 1.6, 5.4], [0.6, 2.2, -1.3]], "float32"), do=lambda k, x, at: k.ops.image.map_coordinates(x, at, 0), ref=lambda x, at: sampled(x, at, 0, "constant"))  # fmt: skip

# --- factors ---------------------------------------------------------------------------------------------------------
REFERENCES |= {
    "eigh": lambda x: x,
    "qr": lambda x: x,
    "qr complete": lambda x: x,
    "svd": lambda x: x,
    "eig": lambda x: np.sort(np.linalg.eigvals(x).real),
    "polar": lambda r, a: np.stack([r * np.cos(a), r * np.sin(a)], -1),
    "view_as_complex": lambda x: np.hypot(x[:, 0], x[:, 1]),
}

# --- made of nothing -------------------------------------------------------------------------------------------------
REFERENCES |= {
    "arange": lambda: np.arange(1, 9, 3),
    "array": lambda x: x,
    "bartlett": lambda: np.bartlett(7),
    "blackman": lambda: np.blackman(7),
    "convert_to_tensor": lambda x: x,
    "empty": lambda: np.zeros((2, 3)),
    "eye": lambda: np.eye(3, 4, 1),
    "full": lambda: np.full((2, 3), 2.5),
    "geomspace": lambda: np.geomspace(1.0, 8.0, 4),
    "hamming": lambda: np.hamming(7),
    "hanning": lambda: np.hanning(7),
    "identity": lambda: np.identity(3),
    "kaiser": lambda: np.kaiser(7, 3.0),
    "linspace": lambda a, b: np.linspace(a, b, 5, axis=1),
    "logspace": lambda: np.logspace(0.0, 2.0, 5),
    "ones": lambda: np.ones((2, 3)),
    "tri": lambda: np.tri(3, 4, 1),
    "zeros": lambda: np.zeros((2, 3)),
}
for _name, _args, _dtype in (
    ("arange", (1, 9, 3), "float16"),
    ("arange", (4.5,), "int32"),
    ("eye", (3,), "int32"),
    ("full", ((2, 3), 2.5), "int32"),
    ("geomspace", (1.0, 8.0, 4), "float16"),
    ("identity", (3,), "bool"),
    ("linspace", (0.0, 8.0, 4), "int32"),
    ("logspace", (0.0, 2.0, 3), "float16"),
    ("ones", ((2, 3),), "bool"),
    ("tri", (3,), "int32"),
    ("zeros", ((0, 3),), "int32"),
):
    call(f"{_name} {_args} {_dtype} dtype", do=lambda k, n=_name, a=_args, d=_dtype: getattr(k.ops, n)(*a, dtype=d), ref=lambda n=_name, a=_args, d=_dtype: getattr(np, n)(*a, dtype=d), tol=2e-3)  # fmt: skip
call("empty dtype", do=lambda k: k.ops.empty((2, 3), "int32") * 0, ref=lambda: np.zeros((2, 3), "int32"))
call("array dtype", X, do=lambda k, x: k.ops.array(x, "int32"), ref=lambda x: x.astype("int32"))
call("convert_to_tensor dtype", X, do=lambda k, x: k.ops.convert_to_tensor(x, "float16"), ref=lambda x: x.astype("float16"), tol=2e-3)  # fmt: skip
for _axis in (0, -1):
    _kw: dict[str, Any] = {"num": 4, "endpoint": False, "axis": _axis}
    call(f"linspace open {_axis}", X, P, do=lambda k, a, b, kw=_kw: k.ops.linspace(a, b, **kw, retstep=True), ref=lambda a, b, kw=_kw: np.linspace(a, b, **kw, retstep=True))  # fmt: skip
    call(f"geomspace open {_axis}", P, P[0] + 1, do=lambda k, a, b, kw=_kw: k.ops.geomspace(a, b, **kw), ref=lambda a, b, kw=_kw: np.geomspace(a, b, **kw))  # fmt: skip
    call(f"logspace open {_axis}", X, P, do=lambda k, a, b, kw=_kw: k.ops.logspace(a, b, base=3, **kw), ref=lambda a, b, kw=_kw: np.logspace(a, b, base=3, **kw))  # fmt: skip

# --- functions of functions ------------------------------------------------------------------------------------------
REFERENCES |= {
    "associative_scan": lambda x: np.cumsum(x, 1),
    "cond": lambda x: x if x.sum() > 0 else -x,
    "custom_gradient": lambda x: 2 * x,
    "fori_loop": lambda x: x * (1 + 0.5 + 0.25 + 0.125),
    "map": lambda x: 2 * x,
    "scan": lambda x: (np.cumsum(x, 0) - x) * x,
    "switch": lambda x: -x,
    "vectorize": lambda a, b: a + b,
    "vectorized_map": lambda x: x.sum(-1),
    "while_loop": lambda x: x / 8,
}
call("associative_scan reverse", X3, do=lambda k, x: k.ops.associative_scan(k.ops.multiply, x, reverse=True, axis=-1), ref=lambda x: np.cumprod(x[..., ::-1], -1)[..., ::-1])  # fmt: skip
call("scan reverse", X, do=lambda k, x: k.ops.scan(lambda c, r: (c + r, c * r), k.ops.zeros((4,)), x, reverse=True, unroll=2), ref=lambda x: [x.sum(0), (np.cumsum(x[::-1], 0)[::-1] - x) * x])  # fmt: skip
call("scan length", X, do=lambda k, x: k.ops.scan(lambda c, _: (c * 0.5, k.ops.sum(c)), x, None, 3), ref=lambda x: [x / 8, x.sum() * np.array([1, 0.5, 0.25])])  # fmt: skip
call(
    "while_loop limit", X,
    do=lambda k, x: k.ops.while_loop(lambda i, a: i < 9, lambda i, a: (i + 1, a * 0.5), (0, x), maximum_iterations=2)[1], ref=lambda x: x / 4,
)  # fmt: skip
call("vectorize excluded", X, do=lambda k, x: k.ops.vectorize(lambda v, n: v * n, excluded={1})(x, 3.0), ref=lambda x: 3 * x)  # fmt: skip
call("vectorize signature", X3, rand(2, 4), do=lambda k, a, b: k.ops.vectorize(lambda m, v: k.ops.matmul(m, v), signature="(m,n),(n)->(m)")(a, b), ref=lambda a, b: np.einsum("bmn,bn->bm", a, b))  # fmt: skip

# --- arrays ----------------------------------------------------------------------------------------------------------
REFERENCES |= {
    "einsum": lambda a, b: a @ b,
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "histogram": lambda x: np.histogram(x, 4, (-1.0, 1.0)),
    "hstack": lambda a, b: np.hstack([a, b]),
    "meshgrid": lambda a, b: np.meshgrid(a, b, indexing="ij"),
    "rearrange": lambda x: x.reshape(2, 3, 2, 2).transpose(0, 3, 2, 1).reshape(4, 2, 3),
    "swish": lambda x: x * special.expit(x),
    "vstack": lambda a, b: np.vstack([a, b]),
    "where": lambda a, b: np.where(a > 0, a, b),
}
call("meshgrid xy", X[0], P[0, :3], do=lambda k, a, b: k.ops.meshgrid(a, b, indexing="xy"), ref=lambda a, b: np.meshgrid(a, b))  # fmt: skip

call(
    "top_k unsorted",
    X,
    do=lambda k, x: k.ops.sort(k.ops.top_k(x, 2, sorted=False)[0]),
    ref=lambda x: np.sort(x)[:, -2:],
)


def distinct(x: Any, size: int | None = None, fill: Any = None, axis: int | None = None) -> list[Any]:
    """Distinct elements, their first places, which each one is, how many: cut or filled up."""
    values, index, inverse, counts = np.unique(x, True, True, True, axis=axis)
    more = 0 if size is None else size - len(values)
    values = np.concatenate([values, np.full((max(more, 0), *values.shape[1:]), values[0] if fill is None else fill)])
    index, counts = np.pad(index, (0, max(more, 0)), constant_values=index[0]), np.pad(counts, (0, max(more, 0)))
    return [a[:size] for a in (values, index)] + [inverse.reshape(x.shape if axis is None else -1), counts[:size]]


REFERENCES["unique"] = lambda x: distinct(x, 8)[0]
_ALL = {"sorted": False, "return_index": True, "return_inverse": True, "return_counts": True}
for _key, _kw in {"all": {}, "filled": {"size": 9, "fill_value": -7}, "cut": {"size": 2}, "axis": {"axis": 0}}.items():
    call(
        f"unique {_key}", ints(4, 2, low=0, high=2) if _key == "axis" else ints(6, low=0),
        do=lambda k, x, kw=_kw: k.ops.unique(x, **_ALL, **kw),
        ref=lambda x, kw=_kw: distinct(x, kw.get("size"), kw.get("fill_value"), kw.get("axis")),
    )  # fmt: skip


def greedy(x: Any, lengths: Any, merge: bool = True, blank: int = 0) -> list[Any]:
    """The best class of each step."""
    labels = np.full((1, *x.shape[:2]), -1)
    for i, n in enumerate(lengths):
        best = x[i, :n].argmax(-1)
        best = [c for c, _ in itertools.groupby(best)] if merge else best
        kept = [c for c in best if c != blank]
        labels[0, i, : len(kept)] = kept
    return [labels, np.array([[-row[:n].max(-1).sum()] for row, n in zip(x, lengths, strict=True)])]


def beams(x: Any, lengths: Any, paths: int, merge: bool, blank: int = 0) -> list[Any]:
    """All alignments, added up by what they spell."""
    labels, scores = np.full((paths, *x.shape[:2]), -1), np.zeros((len(x), paths))
    for i, n in enumerate(lengths):
        found: dict[Any, float] = {}
        for path in itertools.product(range(x.shape[2]), repeat=int(n)):
            spelt = tuple(c for c, _ in itertools.groupby(path) if c != blank)
            chance = sum(special.log_softmax(x[i, t])[c] for t, c in enumerate(path))
            found[spelt] = np.logaddexp(found.get(spelt, -np.inf), chance)
        for p, (spelt, score) in enumerate(sorted(found.items(), key=lambda f: -f[1])[:paths]):
            kept = [c for c, _ in itertools.groupby(spelt)] if merge else spelt
            labels[p, i, : len(kept)], scores[i, p] = kept, score
    return [labels, scores]


LENGTHS = np.array([5, 3], "int32")
REFERENCES["ctc_decode"] = lambda x: greedy(x, LENGTHS)[0]
REFERENCES["ctc_decode beam"] = lambda x: beams(x, LENGTHS, 1, False)[0]
for _merge in (False, True):
    call(
        f"ctc_decode greedy {_merge}", LOGITS, LENGTHS,
        do=lambda k, x, n, m=_merge: k.ops.ctc_decode(x, n, "greedy", merge_repeated=m, mask_index=3), ref=lambda x, n, m=_merge: greedy(x, n, m, 3),
    )  # fmt: skip
call(
    "ctc_decode beam paths", LOGITS, LENGTHS,
    do=lambda k, x, n: k.ops.ctc_decode(x, n, "beam_search", 2000, 3, mask_index=2), ref=lambda x, n: beams(x, n, 3, True, 2),
)  # fmt: skip

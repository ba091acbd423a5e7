"""Calls that no row of the table can show: images, factorisations, what makes its tensors itself, draws.

A call is a function of a module (`tricera`, or `keras` for a comparison) and of tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ops.cases import X3, P, X, ints, rand

IMAGE = rand(2, 5, 6, 3, low=0.05, high=0.95)
LAST = "channels_last"
VOLUME = rand(1, 4, 4, 4, 2)
FIRST = np.moveaxis(IMAGE, -1, 1).copy()
S = rand(2, 3, 3)
SYMMETRIC = (S + np.swapaxes(S, -1, -2)).astype("float32")
MOVED = np.array([0.93, 0.11, 0.47, -0.13, 1.07, 0.23, 0.0, 0.0], "float32")
CORNERS = np.array([[0, 0], [5, 0], [0, 4], [5, 4]], "float32")
GOALS = np.array([[0.83, 0.12], [4.21, 0.67], [0.14, 3.71], [4.88, 3.23]], "float32")
AT = np.array([[0.2, 1.6, 3.4, -0.3], [0.6, 2.2, -1.3, 5.2]], "float32")
LOGITS = np.log(rand(2, 5, 4, low=0.05, high=0.9))

Call = tuple[tuple[Any, ...], Callable[..., Any]]
IMAGES: dict[str, Call] = {
    "affine_transform": ((IMAGE, MOVED), lambda k, x, m: k.ops.image.affine_transform(x, m)),
    "crop_images": ((IMAGE,), lambda k, x: k.ops.image.crop_images(x, 1, 2, target_height=3, target_width=2)),
    "extract_patches": ((IMAGE,), lambda k, x: k.ops.image.extract_patches(x, (2, 3))),
    "extract_patches strides": ((IMAGE,), lambda k, x: k.ops.image.extract_patches(x, 2, strides=1, padding="same")),
    "extract_patches_3d": ((VOLUME,), lambda k, x: k.ops.image.extract_patches_3d(x, 2)),
    "gaussian_blur": ((IMAGE,), lambda k, x: k.ops.image.gaussian_blur(x, (3, 3), (0.7, 1.3), LAST)),
    "hsv_to_rgb": ((IMAGE,), lambda k, x: k.ops.image.hsv_to_rgb(x)),
    "pad_images": ((IMAGE,), lambda k, x: k.ops.image.pad_images(x, 1, 2, target_height=9, target_width=10)),
    "perspective_transform": (
        (IMAGE, np.stack([CORNERS] * 2), np.stack([GOALS] * 2)),
        lambda k, x, a, b: k.ops.image.perspective_transform(x, a, b),
    ),
    "rgb_to_grayscale": ((IMAGE,), lambda k, x: k.ops.image.rgb_to_grayscale(x)),
    "rgb_to_hsv": ((IMAGE,), lambda k, x: k.ops.image.rgb_to_hsv(x)),
    "rgb_to_hsv first": ((FIRST,), lambda k, x: k.ops.image.rgb_to_hsv(x, data_format="channels_first")),
    "sobel_edges": ((IMAGE,), lambda k, x: k.ops.image.sobel_edges(x, LAST)),
    "ssim": (
        (rand(2, 12, 12, 3, low=0.0, high=1.0), rand(2, 12, 12, 3, low=0.0, high=1.0, seed=1)),
        lambda k, x, y: k.ops.image.ssim(x, y),
    ),
}
for _mode in ("nearest", "wrap", "mirror", "reflect", "constant"):
    IMAGES[f"map_coordinates {_mode}"] = (
        (X, AT),
        lambda k, x, at, mode=_mode: k.ops.image.map_coordinates(x, at, 1, fill_mode=mode, fill_value=0.5),
    )
    IMAGES[f"affine_transform {_mode}"] = (
        (IMAGE, MOVED),
        lambda k, x, m, mode=_mode: k.ops.image.affine_transform(x, m, "nearest", mode, 0.5, "channels_last"),
    )
for _name in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"):
    for _size in ((8, 9), (3, 2), (1, 1)):
        for _smooth in (False, True):
            IMAGES[f"resize {_name} {_size} {_smooth}"] = (
                (IMAGE,),
                lambda k, x, size=_size, how=_name, smooth=_smooth: k.ops.image.resize(x, size, how, antialias=smooth),
            )
for _name in ("linear", "cubic", "lanczos3", "lanczos5"):
    for _smooth in (False, True):
        IMAGES[f"scale_and_translate {_name} {_smooth}"] = (
            (IMAGE, np.array([1.6, 0.7], "float32"), np.array([0.25, -0.5], "float32")),
            lambda k, x, scale, move, how=_name, smooth=_smooth: k.ops.image.scale_and_translate(
                x, (2, 8, 4, 3), scale, move, (1, 2), how, antialias=smooth
            ),
        )

# Their factors are determined up to signs, so it is what they multiply to that is compared.
FACTORS: dict[str, Call] = {
    "eigh": ((SYMMETRIC,), lambda k, x: [w := k.ops.eigh(x), w[1] * w[0][:, None] @ k.ops.swapaxes(w[1], 1, 2)][1]),
    "qr": ((rand(2, 4, 3),), lambda k, x: k.ops.matmul(*k.ops.qr(x))),
    "qr complete": ((rand(2, 4, 3),), lambda k, x: k.ops.matmul(*k.ops.qr(x, mode="complete"))),
    "svd": ((rand(2, 4, 3),), lambda k, x: _product(k, *k.ops.svd(x, full_matrices=False))),
    "eig": ((SYMMETRIC,), lambda k, x: k.ops.sort(k.ops.real(k.ops.eig(x)[0]))),
    "polar": ((P, X), lambda k, r, a: k.ops.view_as_real(k.ops.polar(r, a))),
    "view_as_complex": ((rand(3, 2),), lambda k, x: k.ops.abs(k.ops.view_as_complex(x))),
}


def _product(k: Any, u: Any, s: Any, v: Any) -> Any:
    return k.ops.matmul(u * s[..., None, :], v)


OTHERS: dict[str, Call] = {
    "arange": ((), lambda k: k.ops.arange(1, 9, 3)),
    "array": ((X,), lambda k, x: k.ops.array(x)),
    "associative_scan": ((X,), lambda k, x: k.ops.associative_scan(k.ops.add, x, axis=1)),
    "bartlett": ((), lambda k: k.ops.bartlett(7)),
    "blackman": ((), lambda k: k.ops.blackman(7)),
    "cond": ((X,), lambda k, x: k.ops.cond(k.ops.sum(x) > 0, lambda: x, lambda: -x)),
    "convert_to_tensor": ((X,), lambda k, x: k.ops.convert_to_tensor(x)),
    "ctc_decode": ((LOGITS,), lambda k, x: k.ops.ctc_decode(x, k.ops.convert_to_tensor([5, 3]))[0]),
    "ctc_decode beam": (
        (LOGITS,),
        lambda k, x: k.ops.ctc_decode(x, k.ops.convert_to_tensor([5, 3]), "beam_search", 100, merge_repeated=False)[0],
    ),
    "custom_gradient": (
        (X,),
        lambda k, x: k.ops.custom_gradient(lambda v: (v * 2.0, lambda *a, upstream: upstream))(x),
    ),
    "einsum": ((X3, rand(4, 5)), lambda k, a, b: k.ops.einsum("bij,jk->bik", a, b)),
    "empty": ((), lambda k: k.ops.zeros_like(k.ops.empty((2, 3)))),
    "eye": ((), lambda k: k.ops.eye(3, 4, 1)),
    "fori_loop": ((X,), lambda k, x: k.ops.fori_loop(0, 3, lambda i, a: a * 0.5 + x, x)),
    "full": ((), lambda k: k.ops.full((2, 3), 2.5)),
    "geomspace": ((), lambda k: k.ops.geomspace(1.0, 8.0, 4)),
    "hamming": ((), lambda k: k.ops.hamming(7)),
    "hanning": ((), lambda k: k.ops.hanning(7)),
    "hard_swish": ((X,), lambda k, x: k.ops.hard_swish(x)),
    "histogram": ((X,), lambda k, x: k.ops.histogram(x, 4, (-1.0, 1.0))),
    "hstack": ((X, P), lambda k, a, b: k.ops.hstack([a, b])),
    "identity": ((), lambda k: k.ops.identity(3)),
    "kaiser": ((), lambda k: k.ops.kaiser(7, 3.0)),
    "linspace": ((X[0], P[0]), lambda k, a, b: k.ops.linspace(a, b, 5, axis=1)),
    "logspace": ((), lambda k: k.ops.logspace(0.0, 2.0, 5)),
    "map": ((X,), lambda k, x: k.ops.map(lambda r: r * 2.0, x)),
    "meshgrid": ((X[0], P[0, :3]), lambda k, a, b: k.ops.meshgrid(a, b, indexing="ij")),
    "ones": ((), lambda k: k.ops.ones((2, 3), "int32")),
    "rearrange": ((X3,), lambda k, x: k.ops.rearrange(x, "a b (c d) -> (a d) c b", c=2)),
    "scan": ((X,), lambda k, x: k.ops.scan(lambda c, r: (c + r, c * r), k.ops.zeros((4,)), x)[1]),
    "swish": ((X,), lambda k, x: k.ops.swish(x)),
    "switch": ((X,), lambda k, x: k.ops.switch(1, [lambda v: v, lambda v: -v], x)),
    "tri": ((), lambda k: k.ops.tri(3, 4, 1)),
    "unique": ((ints(6, low=0),), lambda k, x: k.ops.unique(x, size=8)),
    "vectorize": ((X, P), lambda k, a, b: k.ops.vectorize(lambda v, w: v + w)(a, b)),
    "vectorized_map": ((X,), lambda k, x: k.ops.vectorized_map(lambda r: k.ops.sum(r), x)),
    "vstack": ((X, P), lambda k, a, b: k.ops.vstack([a, b])),
    "where": ((X, P), lambda k, a, b: k.ops.where(a > 0, a, b)),
    "while_loop": ((X,), lambda k, x: k.ops.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * 0.5), (0, x))[1]),
    "zeros": ((), lambda k: k.ops.zeros((2, 3))),
}
# Each framework draws numbers of its own: what two frameworks, or two libraries, have in common are shape and dtype.
DRAWS: dict[str, Call] = {
    "elastic_transform": ((IMAGE,), lambda k, x: k.ops.image.elastic_transform(x, seed=1)),
    "normal": ((), lambda k: k.random.normal((2, 3), seed=1)),
    "uniform": ((), lambda k: k.random.uniform((2, 3), seed=1)),
    "truncated_normal": ((), lambda k: k.random.truncated_normal((2, 3), seed=1)),
    "randint": ((), lambda k: k.random.randint((2, 3), 0, 9, seed=1)),
    "gamma": ((P,), lambda k, a: k.random.gamma((3, 4), a, seed=1)),
    "beta": ((P,), lambda k, a: k.random.beta((3, 4), a, 3.0, seed=1)),
    "binomial": ((P,), lambda k, p: k.random.binomial((3, 4), 10.0, p, seed=1)),
    "categorical": ((LOGITS[0],), lambda k, x: k.random.categorical(x, 6, seed=1)),
    "dropout": ((X,), lambda k, x: k.random.dropout(x, 0.5, seed=1)),
    "shuffle": ((X,), lambda k, x: k.random.shuffle(x, seed=1)),
}
CALLS: dict[str, Call] = {**IMAGES, **FACTORS, **OTHERS, **DRAWS}

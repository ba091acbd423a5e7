"""Image ops against SciPy, colorsys and plain loops."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from tests.ops.cases import rand
from tricera import ops
from tricera.autodiff import hessian, vjp
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor

image = ops.image
X = rand(2, 5, 6, 3, low=0.0, high=1.0)


def check(got: Any, want: Any, atol: float = 1e-5) -> None:
    """Compare values and shapes."""
    got = ops.convert_to_numpy(got)
    assert got.shape == np.shape(want)
    np.testing.assert_allclose(got, want, atol=atol)


def linear(x: np.ndarray, out: int, axis: int) -> np.ndarray:
    """Linear interpolation along an axis, element by element."""
    n = x.shape[axis]
    at = np.clip((np.arange(out) + 0.5) * n / out - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, n - 1)
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    share = (at - low).reshape(shape)
    return x.take(low, axis) * (1 - share) + x.take(high, axis) * share


def test_resize(backend: str) -> None:
    """Bilinear and nearest, up and down, one image and channels first."""
    for size in ((8, 9), (3, 4), (5, 12)):
        want = linear(linear(X, size[0], 1), size[1], 2)
        check(image.resize(X, size, data_format="channels_last"), want)
        check(image.resize(X[0], size, data_format="channels_last"), want[0])
        check(image.resize(np.moveaxis(X, -1, 1), size, data_format="channels_first"), np.moveaxis(want, -1, 1))
        assert image.resize(KerasTensor((None, 5, 6, 3)), size).shape == (None, *size, 3)
    rows, columns = np.arange(10) // 2, np.arange(3) * 2 + 1
    check(image.resize(X, (10, 3), interpolation="nearest"), X[:, rows][:, :, columns])
    # Halving with antialiasing: a triangle of four elements.
    ramp = np.arange(8, dtype="float32").reshape(1, 8, 1, 1)
    check(image.resize(ramp, (4, 1), antialias=True)[0, 1:3, 0, 0], [2.5, 4.5])
    for method in ("bicubic", "lanczos3", "lanczos5"):
        check(image.resize(np.ones((1, 5, 6, 1), "float32"), (7, 3), interpolation=method), np.ones((1, 7, 3, 1)))


def test_resize_keeps_aspect_ratio_and_dtype(backend: str) -> None:
    """Cropping and padding first; integers stay integers."""
    wide = np.tile(np.arange(6, dtype="float32").reshape(1, 1, 6, 1), (1, 2, 1, 1))
    check(image.resize(wide, (2, 2), crop_to_aspect_ratio=True)[0, 0, :, 0], [2, 3])
    padded = ops.convert_to_numpy(image.resize(wide, (6, 6), pad_to_aspect_ratio=True, fill_value=9.0))
    assert padded[0, :, 0, 0].tolist() == [9, 9, 0, 0, 9, 9]
    whole = image.resize((X * 255).astype("uint8"), (4, 8))
    assert ops.dtype(whole) == "uint8"
    with pytest.raises(ValueError, match="choose one"):
        image.resize(X, (2, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)
    with pytest.raises(ValueError, match="interpolation"):
        image.resize(X, (2, 2), interpolation="cosine")


def test_scale_and_translate(backend: str) -> None:
    """Doubling by the scale is resizing; a whole shift moves elements."""
    check(
        image.scale_and_translate(X, (2, 10, 6, 3), np.array([2.0]), np.array([0.0]), (1,), "linear"), linear(X, 10, 1)
    )
    moved = ops.convert_to_numpy(image.scale_and_translate(X, X.shape, np.ones(1), np.array([1.0]), (2,), "linear"))
    np.testing.assert_allclose(moved[:, :, 1:], X[:, :, :-1], atol=1e-6)


def test_crop_and_pad(backend: str) -> None:
    """Two of three amounts say it all."""
    check(image.crop_images(X, top_cropping=1, left_cropping=2, target_height=3, target_width=2), X[:, 1:4, 2:4])
    check(image.crop_images(X, bottom_cropping=1, top_cropping=0, left_cropping=1, right_cropping=1), X[:, :4, 1:5])
    want = np.pad(X, ((0, 0), (1, 3), (2, 2), (0, 0)))
    check(image.pad_images(X, top_padding=1, left_padding=2, target_height=9, target_width=10), want)
    with pytest.raises(ValueError, match="two of the amounts"):
        image.crop_images(X, top_cropping=1)
    with pytest.raises(ValueError, match="length"):
        image.pad_images(X, top_padding=1, left_padding=2, target_height=5, target_width=10)


def test_colours(backend: str) -> None:
    """Gray, and to hue, saturation, value and back."""
    check(image.rgb_to_grayscale(X), (X @ [0.2989, 0.587, 0.114])[..., None])
    grays = np.concatenate([X, np.full((2, 5, 1, 3), 0.5, "float32"), np.zeros((2, 5, 1, 3), "float32")], 2)
    hsv = np.apply_along_axis(lambda p: colorsys.rgb_to_hsv(*p), -1, grays)
    check(image.rgb_to_hsv(grays), hsv)
    check(image.hsv_to_rgb(hsv.astype("float32")), grays)
    first = np.moveaxis(grays, -1, 1)
    check(image.rgb_to_hsv(first, data_format="channels_first"), np.moveaxis(hsv, -1, 1))


def test_patches(backend: str) -> None:
    """Patches stand in the channels, row by row."""
    patches = ops.convert_to_numpy(image.extract_patches(X, (2, 3)))
    assert patches.shape == (2, 2, 2, 18)
    check(patches[:, 1, 0], X[:, 2:4, :3].reshape(2, -1))
    check(image.extract_patches(X[0], 2, strides=1, dilation_rate=2)[1, 2], X[0, 1:4:2, 2:5:2].reshape(-1))
    assert tuple(image.extract_patches(X, 2, strides=1, padding="same").shape) == (2, 5, 6, 12)
    volume = rand(1, 4, 4, 4, 2)
    check(image.extract_patches_3d(volume, 2)[:, 1, 0, 1], volume[:, 2:, :2, 2:].reshape(1, -1))


@pytest.mark.parametrize(
    ("mode", "theirs"),
    [
        ("constant", "grid-constant"),
        ("nearest", "nearest"),
        ("wrap", "grid-wrap"),
        ("mirror", "mirror"),
        ("reflect", "reflect"),
    ],
)
def test_map_coordinates(backend: str, mode: str, theirs: str) -> None:
    """As SciPy, inside and outside."""
    at = np.array([[0.2, 1.6, 4.4, -0.3, 7.3], [0.6, 2.2, -1.3, 7.2, -6.4]], "float32")
    for order in (0, 1):
        want = ndimage.map_coordinates(X[0, :, :, 0], at, order=order, mode=theirs, cval=0.5)
        check(image.map_coordinates(X[0, :, :, 0], at, order, fill_mode=mode, fill_value=0.5), want)
    assert image.map_coordinates(KerasTensor((5, 6)), KerasTensor((2, 7, 8)), 1).shape == (7, 8)


def test_transforms(backend: str) -> None:
    """The identity, a shift, and a projective map that takes points where they should go."""
    identity = np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32")
    check(image.affine_transform(X, identity), X)
    shifted = ops.convert_to_numpy(image.affine_transform(X, np.array([1, 0, 1, 0, 1, 2, 0, 0], "float32")))
    np.testing.assert_allclose(shifted[:, :3, :5], X[:, 2:, 1:], atol=1e-5)
    assert not shifted[:, 3:].any()
    first = image.affine_transform(
        np.moveaxis(X, -1, 1), identity, interpolation="nearest", data_format="channels_first"
    )
    check(first, np.moveaxis(X, -1, 1))
    corners = np.array([[0, 0], [5, 0], [0, 4], [5, 4]], "float32")
    goals = np.array([[1, 0], [4, 1], [0, 4], [5, 3]], "float32")
    moved = ops.convert_to_numpy(image.perspective_transform(X, corners, goals))
    for (x, y), (u, v) in zip(corners.astype(int), goals.astype(int), strict=True):
        np.testing.assert_allclose(moved[:, v, u], X[:, y, x], atol=1e-3)


def test_filters(backend: str) -> None:
    """Blur and edges, each channel by itself; the similarity of an image with itself is 1."""

    def each_channel(kernel: np.ndarray) -> np.ndarray:
        return np.stack(
            [[ndimage.correlate(X[i, :, :, c], kernel, mode="constant") for c in range(3)] for i in range(2)]
        ).transpose(0, 2, 3, 1)

    bell = np.exp(-0.5 * np.array([-1, 0, 1]) ** 2 / np.array([[0.7], [1.3]]) ** 2)
    bell /= bell.sum(1, keepdims=True)
    check(image.gaussian_blur(X, (3, 3), (0.7, 1.3)), each_channel(np.outer(*bell)))
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], "float64")
    check(image.sobel_edges(X), np.stack([each_channel(down), each_channel(down.T)], -1), atol=1e-4)
    large = rand(2, 16, 16, 3, low=0.0, high=1.0)
    check(image.ssim(large, large), np.ones(2))
    assert float(image.ssim(large[0], 1 - large[0])) < 0.1


def test_elastic_transform(backend: str) -> None:
    """Places move by normal displacements of alpha / (2 sqrt(pi)) pixels, the same for the same seed."""
    columns = np.tile(np.arange(128, dtype="float32")[None, :, None], (128, 1, 2))
    for alpha, sigma in ((10.0, 2.0), (10.0, 4.0)):
        moved = ops.convert_to_numpy(ops.image.elastic_transform(columns, alpha=alpha, sigma=sigma, seed=1))
        assert moved.shape == columns.shape
        np.testing.assert_array_equal(moved[..., 0], moved[..., 1])
        inner = (moved - columns)[20:-20, 20:-20, 0]
        assert inner.std() == pytest.approx(alpha / (2 * np.pi**0.5), rel=0.25)
        # Neighbours move alike: a smooth field of width sigma changes by std / (sqrt(2) sigma) a pixel.
        assert np.diff(inner, axis=0).std() < 1.3 * inner.std() / sigma
    again = [ops.convert_to_numpy(ops.image.elastic_transform(columns, seed=s)) for s in (5, 5, 6)]
    np.testing.assert_array_equal(again[0], again[1])
    assert np.abs(again[0] - again[2]).mean() > 0.5
    still = ops.image.elastic_transform(columns, alpha=0.0, seed=1)
    np.testing.assert_allclose(ops.convert_to_numpy(still), columns, atol=1e-4)
    batch = ops.image.elastic_transform(np.stack([columns] * 2).astype("uint8"), seed=1, interpolation="nearest")
    assert ops.dtype(batch) == "uint8"
    assert not np.array_equal(ops.convert_to_numpy(batch)[0], ops.convert_to_numpy(batch)[1])
    first = ops.image.elastic_transform(columns.transpose(2, 0, 1), seed=5, data_format="channels_first")
    np.testing.assert_allclose(ops.convert_to_numpy(first), again[0].transpose(2, 0, 1), atol=1e-4)
    assert ops.image.elastic_transform(KerasTensor((None, 8, 9, 3)), seed=1).shape == (None, 8, 9, 3)
    for bad in ({"interpolation": "cubic"}, {"fill_mode": "edge"}, {"sigma": 0.0}):
        with pytest.raises(ValueError, match=f"elastic_transform: `{next(iter(bad))}`"):
            ops.image.elastic_transform(columns, **bad)
    with pytest.raises(ValueError, match="elastic_transform: images have 3 axes"):
        ops.image.elastic_transform(columns[0])


def on_numpy(op: Any, *args: Any, **options: Any) -> np.ndarray:
    """What the portable definition gives."""
    with dispatch.use("numpy"), np.errstate(all="ignore"):
        return ops.convert_to_numpy(op(*args, **options))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("antialias", [False, True])
def test_resize_is_the_same_with_kernels(backend: str, interpolation: str, antialias: bool) -> None:
    """Odd sizes, one image, no images, both layouts and other dtypes."""
    x = rand(2, 13, 17, 3, low=0.0, high=1.0)
    options: dict[str, Any] = {"interpolation": interpolation, "antialias": antialias}
    for size in ((7, 9), (26, 34), (13, 40), (1, 1), (5, 60)):
        for kind in ("float32", "float64"):
            y = x.astype(kind)
            got = image.resize(ops.convert_to_tensor(y), size, **options)
            assert ops.dtype(got) == ops.dtype(ops.convert_to_tensor(y))
            check(got, on_numpy(image.resize, y, size, **options), atol=1e-5)
        check(image.resize(x[0], size, **options), on_numpy(image.resize, x[0], size, **options))
        first = np.moveaxis(x, -1, 1)
        want = np.moveaxis(on_numpy(image.resize, x, size, **options), -1, 1)
        check(image.resize(first, size, data_format="channels_first", **options), want)
        assert tuple(image.resize(x[:0], size, **options).shape) == (0, *size, 3)
    whole = (x * 255).astype("uint8")
    got = ops.convert_to_numpy(image.resize(whole, (7, 9), **options)).astype(int)
    assert np.abs(got - on_numpy(image.resize, whole, (7, 9), **options)).max() <= 1  # a half may be rounded up or down


@pytest.mark.parametrize("mode", ["constant", "nearest", "wrap", "mirror", "reflect"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_warps_are_the_same_with_kernels(backend: str, mode: str, interpolation: str) -> None:
    """Inside and far outside, at halves, where the map has a pole, and for what is no place."""
    x = rand(3, 13, 17, 2, low=0.0, high=1.0)
    identity = np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32")
    near = identity + rand(3, 8) * np.array([0.3, 0.3, 5, 0.3, 0.3, 5, 0.003, 0.003], "float32")
    halves = np.array([0.5, 0, -0.5, 0, 0.5, -0.5, 0, 0], "float32")
    nowhere = np.array(
        [[1, 0, 1e9, 0, 1, 0, 0, 0], [1, 0, np.nan, 0, 1, 0, 0, 0], [2, 0, 90, 0, 2, -70, 0, 0]], "float32"
    )
    pole = identity + np.array([0, 0, 0.2, 0, 0, 0.3, -0.13, 0], "float32")
    for transform in (near, halves, nowhere, *([pole] if mode == "constant" else [])):
        for fill in (0.0, 0.5):
            options = {"interpolation": interpolation, "fill_mode": mode, "fill_value": fill}
            got = image.affine_transform(ops.convert_to_tensor(x), ops.convert_to_tensor(transform), **options)
            check(got, on_numpy(image.affine_transform, x, transform, **options), atol=1e-4)
    check(
        image.affine_transform(x[0], near[0], interpolation, mode),
        on_numpy(image.affine_transform, x, near[:1], interpolation, mode)[0],
    )
    # One image may go to several places.
    check(
        image.affine_transform(x[:1], near, interpolation, mode),
        on_numpy(image.affine_transform, np.repeat(x[:1], 3, 0), near, interpolation, mode),
    )


def test_few_elements_of_a_large_volume(backend: str) -> None:
    """Read without a copy of the volume, as SciPy reads them."""
    volume = rand(6, 7, 8)
    at = np.array([[0.5, 5.4, -0.5, np.nan], [1.2, 6.3, 3.0, 1.0], [2.5, -0.7, 7.5, 1.0]], "float32")
    for mode, theirs in (("constant", "grid-constant"), ("reflect", "reflect")):
        want = ndimage.map_coordinates(volume, np.nan_to_num(at), order=1, mode=theirs, cval=0.5)
        want[3] = np.nan
        check(image.map_coordinates(volume, at, 1, fill_mode=mode, fill_value=0.5), want)


def test_derivatives_of_samples(trainable_backend: str) -> None:
    """Those of a resize and of a warp are their transposes; the second derivative of a resize's square is there, too."""
    x = rand(1, 5, 6, 2)
    transform = np.array([0.9, 0.1, 0.3, -0.1, 1.1, -0.6, 0.01, 0], "float32")
    functions: tuple[Any, ...] = (
        lambda v: image.resize(v, (3, 8)),
        lambda v: image.resize(v, (3, 4), antialias=True),
        lambda v: image.resize(v, (9, 4), "bicubic"),
        lambda v: image.affine_transform(v, transform),
        lambda v: image.affine_transform(v, transform, fill_mode="reflect", fill_value=1.0),
    )
    for function in functions:
        out, pullback = vjp(function, x)
        upstream = rand(*out.shape)
        (found,) = pullback(upstream)
        direction = rand(*x.shape)
        change = ops.convert_to_numpy(function(direction))  # they are linear
        np.testing.assert_allclose(
            (ops.convert_to_numpy(found) * direction).sum(), (upstream * change).sum(), rtol=1e-4, atol=1e-4
        )
    small = rand(1, 2, 3, 1)
    second = ops.convert_to_numpy(hessian(lambda v: ops.sum(ops.square(image.resize(v, (3, 2)))))(small)).reshape(6, 6)
    matrix = np.stack(
        [on_numpy(image.resize, e.reshape(small.shape), (3, 2)).ravel() for e in np.eye(6, dtype="float32")]
    )
    np.testing.assert_allclose(second, 2 * matrix @ matrix.T, atol=1e-5)

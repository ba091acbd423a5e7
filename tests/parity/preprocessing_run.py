"""Preprocessing layers with settings that leave nothing to chance, the same for Keras and for Tricera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Row = tuple[str, dict[str, Any], str, bool]

_XYXY = {"bounding_box_format": "xyxy"}
_FIRST = {"data_format": "channels_first"}


def data(kind: str) -> Any:
    """Inputs of a kind, new ones each time (Keras changes dicts of boxes in place)."""
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (2, 12, 16, 3)).astype("float32")
    smooth = np.cumsum(np.cumsum(images - 127, 1), 2)
    smooth = ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype("float32")
    if kind == "images":
        return images
    if kind == "smooth":
        return smooth
    if kind == "unit":
        return images / 255
    if kind == "first":
        return np.moveaxis(images, -1, 1).copy()
    if kind == "one":
        return images[0]
    if kind == "bytes":
        return images.astype("uint8")
    if kind == "table":
        return rng.normal(size=(6, 4)).astype("float32")
    if kind == "tensor":
        return rng.normal(size=(3, 4, 5)).astype("float32")
    if kind == "numbers":
        return rng.integers(0, 5, (4, 3)).astype("int32")
    if kind == "column":
        return rng.integers(0, 5, (4, 1)).astype("int32")
    if kind == "row":
        return rng.integers(0, 5, (4,)).astype("int32")
    boxes = np.array([[[2, 3, 8, 10], [5, 4, 9, 8]], [[0, 0, 16, 12], [-1, -1, -1, -1]]], "float32")
    found = {"images": smooth, "bounding_boxes": {"boxes": boxes, "labels": np.array([[1, 2], [3, -1]], "float32")}}
    if kind == "all":
        found["labels"] = np.array([[1, 0], [0, 1]], "float32")
        found["segmentation_masks"] = (images[..., :1] > 127).astype("uint8")
    return found


def _geometry() -> list[Row]:
    rows: list[Row] = []
    for fill in ("constant", "nearest", "wrap", "reflect"):
        for name, options in (
            ("RandomRotation", {"factor": (0.1, 0.1)}),
            ("RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3)}),
            ("RandomZoom", {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3)}),
        ):
            rows.append((name, {**options, "fill_mode": fill, "fill_value": 3.0}, "smooth", True))
    rows += [
        ("RandomRotation", {"factor": (-0.2, -0.2), "interpolation": "nearest"}, "images", True),
        ("RandomRotation", {"factor": (0.05, 0.05), **_XYXY}, "boxes", True),
        ("RandomRotation", {"factor": (0.25, 0.25), **_FIRST}, "first", True),
        ("RandomRotation", {"factor": (0.1, 0.1)}, "one", True),
        ("RandomTranslation", {"height_factor": (-0.1, -0.1), "width_factor": (0.1, 0.1), **_XYXY}, "boxes", True),
        ("RandomTranslation", {"height_factor": (0.25, 0.25), "width_factor": (0.25, 0.25), **_XYXY}, "all", True),
        ("RandomZoom", {"height_factor": (0.2, 0.2), **_XYXY}, "boxes", True),
        ("RandomZoom", {"height_factor": (-0.2, -0.2), "width_factor": (-0.1, -0.1), **_XYXY}, "boxes", True),
        ("RandomPerspective", {"scale": 0.0, **_XYXY}, "boxes", True),
        ("RandomPerspective", {"factor": (0.0, 0.0)}, "images", True),
        ("Resizing", {"height": 6, "width": 5}, "images", True),
        ("Resizing", {"height": 6, "width": 5, **_FIRST}, "first", True),
        ("Resizing", {"height": 20, "width": 30, "interpolation": "bicubic"}, "images", True),
        ("Resizing", {"height": 6, "width": 9, "interpolation": "nearest"}, "bytes", True),
        ("Resizing", {"height": 6, "width": 8}, "bytes", True),
        ("Resizing", {"height": 6, "width": 9, "antialias": True}, "one", True),
        ("Resizing", {"height": 6, "width": 6, "crop_to_aspect_ratio": True, **_XYXY}, "boxes", True),
        ("Resizing", {"height": 6, "width": 6, "pad_to_aspect_ratio": True, "fill_value": 2.0}, "smooth", True),
        ("Resizing", {"height": 6, "width": 9, **_XYXY}, "boxes", False),
        ("CenterCrop", {"height": 5, "width": 8}, "images", True),
        ("CenterCrop", {"height": 6, "width": 8, **_XYXY}, "boxes", True),
        ("CenterCrop", {"height": 20, "width": 8}, "images", True),
        ("CenterCrop", {"height": 5, "width": 7, **_FIRST}, "first", False),
        ("RandomCrop", {"height": 12, "width": 16, "seed": 1}, "images", True),
        ("RandomCrop", {"height": 5, "width": 8, "seed": 1}, "images", False),
        ("RandomFlip", {}, "bytes", False),
        ("MaxNumBoundingBoxes", {"max_number": 4, **_XYXY}, "all", True),
        ("MaxNumBoundingBoxes", {"max_number": 1, **_XYXY}, "all", True),
    ]
    return rows


def _colours() -> list[Row]:
    rows: list[Row] = []
    for name, factor in (
        ("RandomBrightness", (0.3, 0.3)), ("RandomBrightness", (-0.4, -0.4)), ("RandomContrast", (0.0, 0.0)),
        ("RandomHue", (0.0, 0.0)), ("RandomHue", (1.0, 1.0)), ("RandomSaturation", (0.3, 0.3)), ("RandomSaturation", (0.5, 0.5)),
        ("RandomColorDegeneration", (0.3, 0.3)), ("RandomSharpness", (0.3, 0.3)), ("RandomSharpness", (0.8, 0.8)),
        ("RandomPosterization", (3, 3)), ("RandomInvert", (1.0, 1.0)), ("RandomInvert", (0.0, 0.0)),
    ):  # fmt: skip
        rows.append((name, {"factor": factor}, "images", True))
        rows.append((name, {"factor": factor, "value_range": (0, 1)}, "unit", True))
    rows += [
        ("RandomHue", {"factor": (1.0, 1.0), **_FIRST}, "first", True),
        ("RandomPerspective", {"factor": (1.0, 1.0), "scale": 0.0, "interpolation": "nearest"}, "images", True),
        ("RandomSharpness", {"factor": (0.2, 0.2), **_FIRST}, "first", True),
        ("RandomSaturation", {"factor": (0.2, 0.2)}, "one", True),
        ("RandomGrayscale", {"factor": 1.0}, "images", True),
        ("RandomGrayscale", {"factor": 0.0}, "images", True),
        ("RandomGrayscale", {"factor": 1.0, **_FIRST}, "first", True),
        ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.7, 0.7)}, "images", True),
        ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.7, 0.7), "kernel_size": 5}, "images", True),
        ("RandomGaussianBlur", {"factor": (0.0, 0.0)}, "images", True),
        ("RandomColorJitter", {"brightness_factor": (0.2, 0.2)}, "images", True),
        ("RandomErasing", {"factor": (0.0, 0.0)}, "images", True),
        ("RandomElasticTransform", {"factor": (0.0, 0.0)}, "images", True),
        ("AutoContrast", {}, "images", True),
        ("AutoContrast", {"value_range": (0, 1)}, "unit", False),
        ("AutoContrast", {}, "bytes", False),
        ("Equalization", {}, "images", True),
        ("Equalization", {"value_range": (0, 1), "bins": 32}, "unit", True),
        ("Equalization", _FIRST, "first", True),
        ("Equalization", {}, "images", False),
        ("Equalization", {}, "bytes", True),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (3, 4)}, "images", True),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (2, 2), "clip_limit": 1.5}, "smooth", True),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (5, 3)}, "images", True),
        (
            "ContrastLimitedAdaptiveHistogramEqualization",
            {"tile_grid_size": (2, 2), "value_range": (0, 1)},
            "unit",
            True,
        ),
        ("Solarization", {}, "images", True),
        ("Solarization", {"value_range": (0, 1)}, "unit", True),
        ("RandomShear", {}, "images", True),
    ]
    return rows


def _features() -> list[Row]:
    rows: list[Row] = [
        ("Rescaling", {"scale": 1 / 127.5, "offset": -1}, "images", True),
        ("Rescaling", {"scale": [1.0, 2.0, 3.0], "offset": [0.5, 0.0, 1.0]}, "bytes", True),
        ("Normalization", {"mean": 3.0, "variance": 2.0}, "table", True),
        (
            "Normalization",
            {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 2.0, 3.0, 0.0], "invert": True},
            "table",
            True,
        ),
        ("Normalization", {"axis": 1, "mean": [1.0, 2.0, 3.0, 4.0][:1], "variance": [2.0]}, "tensor", True),
        ("Discretization", {"bin_boundaries": [-0.5, 0.0, 0.5]}, "table", True),
    ]
    for mode in ("one_hot", "multi_hot", "count"):
        for kind in ("numbers", "column", "row"):
            rows.append(("CategoryEncoding", {"num_tokens": 5, "output_mode": mode}, kind, True))
        rows.append(("Discretization", {"bin_boundaries": [-0.5, 0.0, 0.5], "output_mode": mode}, "table", True))
        rows.append(("Hashing", {"num_bins": 7, "output_mode": mode}, "column", True))
    return rows


def _options() -> list[Row]:
    """Options that no row above has.

    Keras's shears and contrasts stay up to chance for a factor (a, a), and its Solarization draws from (0, a), other than its
    documentation says. It refuses boxes in CutMix, RandomElasticTransform and the adaptive equalization, dicts in RandomGrayscale, channels
    first in RandomColorJitter's hue, and takes the contrast of channels that come first over rows instead of pictures.
    """
    rows: list[Row] = [
        ("RandomTranslation", {"height_factor": (0.25, 0.25), "width_factor": (0.13, 0.13), "interpolation": "nearest", **_FIRST}, "first", True),
        ("RandomZoom", {"height_factor": (0.2, 0.2), "interpolation": "nearest", "seed": 2, **_FIRST}, "first", True),
        ("RandomColorJitter", {"saturation_factor": (0.3, 0.3), "seed": 1, "value_range": (0, 1)}, "unit", True),
        ("RandomColorJitter", {"hue_factor": (1.0, 1.0)}, "images", True),
        ("RandomColorDegeneration", {"factor": (0.3, 0.3), "seed": 1, **_FIRST}, "first", True),
        ("RandomSaturation", {"factor": (0.3, 0.3), "seed": 1, **_FIRST}, "first", True),
        ("RandomInvert", {"factor": (1.0, 1.0), "seed": 1, **_FIRST}, "first", True),
        ("RandomPosterization", {"factor": (3, 3), "seed": 1, **_FIRST}, "first", True),
        ("RandomBrightness", {"factor": (0.3, 0.3), "seed": 1, **_FIRST}, "first", True),
        ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.7, 0.7), "value_range": (0, 1), "seed": 1}, "unit", True),
        ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.7, 0.7), "kernel_size": (3, 5), **_FIRST}, "first", True),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (3, 4), **_FIRST}, "first", True),
        ("RandomErasing", {"factor": (0.0, 0.0), **_FIRST}, "first", True),
        ("RandomPerspective", {"factor": (1.0, 1.0), "scale": 0.0, "seed": 1, "fill_value": 3.0, **_FIRST}, "first", True),
        ("RandomCrop", {"height": 12, "width": 16, "seed": 1, **_FIRST}, "first", True),
        ("MaxNumBoundingBoxes", {"max_number": 4, "fill_value": -2, **_XYXY}, "all", True),
        *(("Resizing", {"height": 20, "width": 30, "interpolation": kind, **_FIRST}, "first", True) for kind in ("lanczos3", "lanczos5", "nearest")),
        *(("CenterCrop", {"height": 6, "width": 8, "bounding_box_format": f}, "boxes", True) for f in (
            "yxyx", "xywh", "center_xywh", "rel_xyxy", "rel_yxyx", "rel_xywh")),
    ]  # fmt: skip
    full = {"height": 12, "width": 16, "seed": 1}
    some = {"height": 6, "width": 9}
    for name, options in (
        ("Resizing", some), ("CenterCrop", some), ("RandomCrop", full), ("RandomRotation", {"factor": (0.1, 0.1)}),
        ("RandomZoom", {"height_factor": (0.2, 0.2)}), ("RandomPerspective", {"factor": (0.0, 0.0)}),
        ("RandomErasing", {"factor": (0.0, 0.0)}), ("RandomBrightness", {"factor": (0.3, 0.3)}),
        ("RandomHue", {"factor": (1.0, 1.0)}), ("RandomSaturation", {"factor": (0.3, 0.3)}),
        ("RandomColorDegeneration", {"factor": (0.3, 0.3)}), ("RandomColorJitter", {"brightness_factor": (0.2, 0.2)}),
        ("RandomSharpness", {"factor": (0.3, 0.3)}), ("RandomPosterization", {"factor": (3, 3)}), ("RandomInvert", {"factor": (1.0, 1.0)}),
        ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.7, 0.7)}), ("AutoContrast", {}),
        ("Equalization", {}), ("Solarization", {}),
    ):  # fmt: skip
        rows.append((name, {**options, **_XYXY}, "all", True))
    for name, options in (
        ("RandomFlip", {}), ("MixUp", {}), ("RandAugment", {}), ("AugMix", {}),
        ("RandomTranslation", {"height_factor": 0.1, "width_factor": 0.1}),
    ):  # fmt: skip
        rows.append((name, {**options, **_XYXY}, "all", False))
    return rows


ROWS = [*_geometry(), *_colours(), *_features(), *_options()]


def _case(name: str, options: dict[str, Any], kind: str, training: bool) -> Callable[[Any], dict[str, Any]]:
    def run(keras: Any) -> dict[str, Any]:
        layer = getattr(keras.layers, name)(**options, name="layer")
        plain = name in ("Rescaling", "Normalization", "CategoryEncoding", "Discretization", "Hashing")
        inputs = data(kind)
        out = layer(inputs) if plain else layer(inputs, training=training)
        found = {"config": {k: v for k, v in layer.get_config().items() if k != "dtype"}}
        if name == "MaxNumBoundingBoxes":  # where Keras forgets with what missing boxes are filled
            found["config"].pop("fill_value", None)
        if not isinstance(out, dict):
            return {**found, "out": out}
        boxes = out.pop("bounding_boxes", {})
        return {**found, **out, **{f"boxes/{key}": value for key, value in boxes.items()}}

    return run


def _adapted(options: dict[str, Any], kind: str) -> Callable[[Any], dict[str, Any]]:
    def run(keras: Any) -> dict[str, Any]:
        layer = keras.layers.Normalization(**options, name="layer")
        layer.adapt(data(kind))
        weights = {f"weight/{w.path}": w.numpy() for w in layer.weights}
        return {**weights, "out": layer(data(kind)), "mean": layer.mean, "variance": layer.variance}

    return run


def _binned(bins: int, size: int, mode: str = "int") -> Callable[[Any], dict[str, Any]]:
    def run(keras: Any) -> dict[str, Any]:
        values = np.random.default_rng(1).normal(size=size).astype("float32")
        layer = keras.layers.Discretization(num_bins=bins, output_mode=mode, name="layer")
        layer.adapt(values)
        return {"out": layer(values), "edges": np.array(layer.get_config()["bin_boundaries"], "float32")}

    return run


def _counted(keras: Any) -> dict[str, Any]:
    weights = np.array([[0.1, 0.2], [0.1, 0.1], [0.2, 0.3]], "float32")
    ids = np.array([[0, 1], [0, 0], [1, 2]])
    return {"out": keras.layers.CategoryEncoding(4, output_mode="count")(ids, count_weights=weights)}


def _hashed(options: dict[str, Any], values: Any) -> Callable[[Any], dict[str, Any]]:
    def run(keras: Any) -> dict[str, Any]:
        layer = keras.layers.Hashing(**options, name="layer")
        return {
            "out": np.asarray(keras.ops.convert_to_numpy(layer(np.array(values)))).astype("int32"),
            "salt": layer.get_config()["salt"],
        }

    return run


def _crossed(mode: str, *features: Any) -> Callable[[Any], dict[str, Any]]:
    def run(keras: Any) -> dict[str, Any]:
        layer = keras.layers.HashedCrossing(1000 if mode == "int" else 7, output_mode=mode, name="layer")
        out = np.asarray(keras.ops.convert_to_numpy(layer([np.array(f) for f in features])))
        return {"out": out.astype("float32"), "config": layer.get_config()}

    return run


WORDS = [["A"], ["B"], [""], ["a longer string of words"], ["x" * 50], ["y" * 130], ["ü"]]
NUMBERS = [0, 1, 2, 3, -5, 1234567890]
CASES: dict[str, Callable[[Any], dict[str, Any]]] = {
    f"{i:03d}-{row[0]}": _case(*row) for i, row in enumerate(ROWS)
}  # fmt: skip
CASES |= {
    "adapt-last": _adapted({}, "tensor"),
    "adapt-none": _adapted({"axis": None}, "table"),
    "adapt-two": _adapted({"axis": (1, 2)}, "tensor"),
    "adapt-middle": _adapted({"axis": 1}, "tensor"),
    "adapt-invert": _adapted({"invert": True}, "table"),
    "bins-4": _binned(4, 40),
    "bins-7": _binned(7, 3000),
    "bins-one-hot": _binned(5, 50, "one_hot"),
    "count-weights": _counted,
    "cross-int": _crossed("int", ["A", "B", "A"], [101, -3, 102]),
    "cross-three": _crossed("int", [["A"], ["B"]], [[1], [2]], [["x"], ["y"]]),
    "cross-one-hot": _crossed("one_hot", [1, 2, 3], [4, 5, 6]),
}
CASES |= {
    f"hash-{kind}-{i}": _hashed({"num_bins": 100, **options}, values)
    for i, options in enumerate(({}, {"salt": 133}, {"salt": [133, 137]}))
    for kind, values in (("words", WORDS), ("numbers", NUMBERS))
}
CASES |= {
    "hash-mask-word": _hashed({"num_bins": 100, "mask_value": ""}, WORDS),
    "hash-mask-number": _hashed({"num_bins": 100, "mask_value": 3, "salt": [1, 2]}, NUMBERS),
}

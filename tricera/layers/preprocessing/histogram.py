"""Histogram equalization, of whole images and of tiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera import ops
from tricera.layers.preprocessing.color import ColorLayer


def histograms(levels: Any, groups: Any, bins: int) -> Any:
    """How often each level occurs in each row.

    Args:
        levels: an int32 tensor (groups, n) of numbers in [0, bins).
        groups: the number of rows.
        bins: how many levels there are.

    Returns:
        A float32 tensor (groups, bins).
    """
    offset = ops.multiply(ops.reshape(ops.arange(groups, dtype="int32"), (-1, 1)), bins)
    places = ops.reshape(ops.add(levels, offset), (-1,))
    ones = ops.ones_like(ops.cast(places, "float32"))
    return ops.reshape(ops.segment_sum(ones, places, num_segments=groups * bins), (-1, bins))


class Equalization(ColorLayer):
    """In training, spreads the values of each channel, so that all parts of the range become about as frequent.

    A level of the cumulative count c becomes round(255 (c - c_min) / (n - c_min)) / 255 of the range, n the number of pixels and
    c_min the count of the lowest level that occurs. The counts are those of a whole batch, as in Keras.

    Args:
        value_range: the (lowest, highest) value of images.
        bins: the number of levels.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(value_range, False, data_format, **kwargs)
        if not isinstance(bins, int) or isinstance(bins, bool) or bins < 2:
            raise ValueError(f"`bins` of the layer {self.name!r} must be an integer of at least 2; got {bins!r}.")
        self.bins = bins

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Look each level up in the cumulative histogram; channels of one level stay."""
        axis = self.channels_axis % 4
        x = ops.moveaxis(images, axis, 0)
        shape = ops.shape(x)
        levels = ops.cast(ops.floor(ops.multiply(ops.clip(self._unit(x), 0.0, 1.0), float(self.bins - 1))), "int32")
        levels = ops.reshape(levels, (shape[0], -1))
        counts = ops.cumsum(histograms(levels, shape[0], self.bins), axis=1)
        total = counts[:, -1:]
        lowest = ops.min(ops.where(ops.equal(counts, 0), total, counts), axis=1, keepdims=True)
        rest = ops.subtract(total, lowest)
        flat = ops.equal(rest, 0)
        table = ops.divide(ops.multiply(ops.subtract(counts, lowest), 255.0), ops.where(flat, 1.0, rest))
        table = ops.divide(ops.clip(ops.round(table), 0.0, 255.0), 255.0)
        found = ops.reshape(ops.take_along_axis(table, levels, axis=1), shape)
        found = ops.cast(self._back(found), ops.dtype(x))
        out = ops.where(ops.reshape(flat, (shape[0], 1, 1, 1)), x, found)
        return ops.moveaxis(out, 0, axis)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "bins": self.bins}


class ContrastLimitedAdaptiveHistogramEqualization(ColorLayer):
    """Equalizes images tile by tile, each pixel by the tables of the four tiles around it, in training and inference alike.

    The histograms are cut off before, so that noise in even tiles isn't blown up: nothing counts more than clip_limit times the
    mean count, and what is cut off is spread evenly (Zuiderveld 1994).

    Args:
        value_range: the (lowest, highest) value of images.
        clip_limit: how often the mean count.
        tile_grid_size: the number of tiles along (height, width).
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.

    Integers stay integers.
    """

    always = True
    casts = "never"

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, False, data_format, **kwargs)
        tiles = tuple(tile_grid_size) if isinstance(tile_grid_size, (tuple, list)) else ()
        if len(tiles) != 2 or any(not isinstance(n, int) or n < 1 for n in tiles):
            raise ValueError(
                f"`tile_grid_size` of the layer {self.name!r} must be two positive integers; got {tile_grid_size!r}."
            )
        self.clip_limit, self.tile_grid_size = clip_limit, tile_grid_size
        self._tiles = tiles

    def _tables(self, levels: Any, shape: tuple[Any, ...], sizes: tuple[int, int]) -> Any:
        """The new values of the 256 levels, (batch * channels, tiles, 256)."""
        rows, columns = self._tiles
        height, width = sizes
        pixels = height * width
        x = ops.reshape(levels, (-1, rows, height, columns, width))
        x = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4)), (-1, pixels))
        counts = histograms(x, shape[0] * shape[1] * rows * columns, 256)
        if self.clip_limit > 0:
            kept = ops.minimum(counts, self.clip_limit * pixels / 256)
            over = ops.sum(ops.subtract(counts, kept), axis=1, keepdims=True)
            counts = ops.add(kept, ops.divide(over, 256.0))
        counts = ops.cumsum(counts, axis=1)
        lowest = ops.min(ops.where(ops.equal(counts, 0), float(pixels), counts), axis=1, keepdims=True)
        rest = ops.subtract(float(pixels), lowest)
        scale = ops.divide(255.0, ops.where(ops.equal(rest, 0), 1.0, rest))
        table = ops.clip(ops.multiply(ops.subtract(counts, lowest), scale), 0.0, 255.0)
        return ops.reshape(table, (-1, rows * columns * 256))

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Look each level up in the tables of the tiles around."""
        kind = ops.dtype(images)
        last = self.data_format == "channels_last"
        x = ops.transpose(images, (0, 3, 1, 2)) if last else images
        x = ops.cast(x, "float32")
        shape = ops.shape(x)
        height, width = shape[2:]
        sizes = (-(-height // self._tiles[0]), -(-width // self._tiles[1]))
        more = (sizes[0] * self._tiles[0] - height, sizes[1] * self._tiles[1] - width)
        levels = ops.cast(ops.clip(ops.multiply(self._unit(x), 255.0), 0.0, 255.0), "int32")
        padded = (
            ops.pad(levels, ((0, 0), (0, 0), (0, more[0]), (0, more[1])), mode="symmetric") if any(more) else levels
        )
        tables = self._tables(padded, shape, sizes)
        down, across = (_neighbours(n, s, t) for n, s, t in zip((height, width), sizes, self._tiles, strict=True))
        flat = ops.reshape(levels, (-1, height * width))
        total: Any = None
        for tile_row, share_row in down:
            for tile_column, share_column in across:
                tile = (tile_row[:, None] * self._tiles[1] + tile_column).reshape(1, -1).astype("int32") * 256
                value = ops.take_along_axis(tables, ops.add(flat, tile), axis=1)
                value = ops.multiply(value, (share_row[:, None] * share_column).reshape(1, -1).astype("float32"))
                total = value if total is None else ops.add(total, value)
        out = self._back(ops.reshape(ops.multiply(total, 1 / 255.0), shape))
        out = ops.transpose(out, (0, 2, 3, 1)) if last else out
        return ops.cast(ops.round(out) if "float" not in kind else out, kind)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "clip_limit": self.clip_limit, "tile_grid_size": self.tile_grid_size}


def _neighbours(length: int, size: int, tiles: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each pixel along an axis the tile before and after its place between tiles' centres, and their shares."""
    at = np.arange(length) / size - 0.5
    low = np.floor(at).astype(int)
    share = at - low
    return [(np.clip(low, 0, tiles - 1), 1 - share), (np.clip(low + 1, 0, tiles - 1), share)]

"""Convolutions, pooling and resizing with options that nobody chose, against the plain loops of `nn_cases` and across backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.conftest import BACKENDS
from tests.ops import nn_cases as plain
from tricera import ops
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor


def examples(fast: int, compiled: int) -> Callable[..., Any]:
    """So many examples, fewer on JAX, which compiles each."""

    def decorate(test: Callable[[str, Any], None]) -> Callable[[str], None]:
        def wrapper(backend: str) -> None:
            @settings(
                max_examples=compiled if backend == "jax" else fast,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
                database=None,
            )
            @given(data=st.data())
            def run(data: st.DataObject) -> None:
                test(backend, data)

            run()

        wrapper.__name__, wrapper.__doc__ = test.__name__, test.__doc__
        return wrapper

    return decorate


class Window:
    """One call's options, drawn."""

    def __init__(self, draw: Callable[[Any], Any], dilated: bool = True, causal: bool = False) -> None:
        self.n = draw(st.integers(1, 3))
        most = (7, 5, 3)[self.n - 1]
        many = st.lists(st.integers(1, 3), min_size=self.n, max_size=self.n)
        self.kernel = draw(st.lists(st.integers(1, min(3, most)), min_size=self.n, max_size=self.n))
        kinds = ["strided", "plain", *(["dilated"] if dilated else [])]
        kind = draw(st.sampled_from(kinds))
        self.strides = draw(many) if kind == "strided" else [1] * self.n
        self.dilation = draw(many) if kind == "dilated" else [1] * self.n
        paddings = ["valid", "same", *(["causal"] if causal and self.n == 1 else [])]
        self.format = draw(st.sampled_from(("channels_last", "channels_first")))
        self.padding = draw(st.sampled_from(paddings if self.format == "channels_last" else paddings[:2]))
        reach = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        self.size = [draw(st.integers(r if self.padding == "valid" else 1, max(most, r))) for r in reach]
        self.batch = draw(st.sampled_from((1, 2)))

    def images(self, channels: int) -> np.ndarray:
        """Numbers in the layout."""
        shape = (self.batch, *self.size, channels)
        x = np.random.default_rng([*shape]).uniform(-1, 1, shape).astype("float32")
        return np.ascontiguousarray(plain.back(x, self.format))

    def weights(self, *channels: int) -> np.ndarray:
        """A kernel."""
        shape = (*self.kernel, *channels)
        return np.random.default_rng([*shape]).uniform(-1, 1, shape).astype("float32")

    def options(self, *names: str) -> dict[str, Any]:
        """Those of these names; an integer where all axes have the same."""
        found = {
            "strides": self.strides,
            "dilation_rate": self.dilation,
            "padding": self.padding,
            "data_format": self.format,
        }
        given = {k: found[k] for k in names}
        return {
            k: v[0] if isinstance(v, list) and len(set(v)) == 1 else tuple(v) if isinstance(v, list) else v
            for k, v in given.items()
        }


def check(op: Callable[..., Any], reference: Callable[..., Any], *arrays: np.ndarray, **options: Any) -> None:
    """Values in float64 by plain loops; shapes known in advance, with the batch unknown, too."""
    want = reference(*[a.astype("float64") for a in arrays], **options)
    got = ops.convert_to_numpy(op(*map(ops.convert_to_tensor, arrays), **options))
    assert got.dtype == "float32"
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    first, *rest = (KerasTensor(a.shape) for a in arrays)
    assert op(first, *rest, **options).shape == got.shape
    assert op(KerasTensor((None, *first.shape[1:])), *rest, **options).shape == (None, *got.shape[1:])


@examples(50, 8)
def test_conv(backend: str, data: st.DataObject) -> None:
    """Strides, dilation, groups, paddings, layouts, in one to three dimensions."""
    w = Window(data.draw, causal=True)
    groups, inside, outside = (data.draw(st.integers(1, 2)) for _ in range(3))
    x, kernel = w.images(groups * inside), w.weights(inside, groups * outside)
    check(ops.conv, plain.conv, x, kernel, **w.options("strides", "padding", "data_format", "dilation_rate"))


@pytest.mark.parametrize(("size", "padding"), [((2, 1), "same"), ((3, 2), "same"), ((3, 2), "valid")])
def test_conv_with_one_window_along_an_axis(size: tuple[int, int], padding: str, backend: str) -> None:
    """Strides that differ where an axis has room for one window: TensorFlow's kernel for the CPU leaves zeros there."""
    x = np.random.default_rng(0).uniform(-1, 1, (2, *size, 1)).astype("float32")
    kernel = np.random.default_rng(1).uniform(-1, 1, (1, 2, 1, 1)).astype("float32")
    check(ops.conv, plain.conv, x, kernel, strides=(1, 3), padding=padding)


@examples(40, 6)
def test_depthwise_and_separable(backend: str, data: st.DataObject) -> None:
    """Each channel by itself, and mixed after that."""
    w = Window(data.draw)
    w.n, w.kernel, w.size = min(w.n, 2), w.kernel[:2], w.size[:2]
    step = max(w.strides)
    w.strides, w.dilation = [step] * w.n, w.dilation[:2]
    x, kernel = w.images(3), w.weights(3, data.draw(st.integers(1, 2)))
    options = w.options("strides", "padding", "data_format", "dilation_rate")
    if data.draw(st.booleans()):
        check(ops.depthwise_conv, plain.depthwise, x, kernel, **options)
    else:
        point = np.random.default_rng(0).uniform(-1, 1, (*[1] * w.n, 3 * kernel.shape[-1], 2)).astype("float32")
        check(ops.separable_conv, plain.separable, x, kernel, point, **options)


@examples(40, 6)
def test_conv_transpose(backend: str, data: st.DataObject) -> None:
    """The adjoint of the convolution, with and without a padding of the output."""
    w = Window(data.draw)
    options = w.options("strides", "padding", "data_format", "dilation_rate")
    if data.draw(st.booleans()):
        room = min(w.strides) - 1
        options["output_padding"] = data.draw(st.integers(0, max(room, 0)))
    check(ops.conv_transpose, plain.transposed, w.images(2), w.weights(3, 2), **options)


@examples(50, 8)
def test_pool(backend: str, data: st.DataObject) -> None:
    """Maxima and means of windows; adaptive ones of parts."""
    w = Window(data.draw, dilated=False)
    name = data.draw(st.sampled_from(("max", "average", "adaptive_max", "adaptive_average")))
    op = getattr(ops, f"{name}_pool")
    reduce = "max" if name.endswith("max") else "mean"
    x = w.images(2)
    if name.startswith("adaptive"):
        size = tuple(data.draw(st.integers(1, n)) for n in w.size)
        check(lambda v, **k: op(v, size, **k), lambda v, **k: plain.adaptive(getattr(np, reduce))(v, size, **k), x, **w.options("data_format"))  # fmt: skip
        return
    size, options = tuple(w.kernel), w.options("strides", "padding", "data_format")
    check(lambda v, **k: op(v, size, **k), lambda v, **k: plain.pool(reduce)(v, size, **k), x, **options)


SIZES = ((1, 1), (1, 7), (3, 2), (4, 5), (8, 9))
METHODS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


@pytest.mark.parametrize("method", METHODS)
def test_resize_is_the_same_everywhere(method: str) -> None:
    """Every interpolation, smoothed or not, from and to sizes of 1, up and down: each backend gives NumPy's numbers to 1e-5."""
    tall = {"jax": 1}
    for source in ((4, 5), (1, 1), (1, 6)):
        x = np.random.default_rng(0).uniform(0, 1, (2, *source, 3)).astype("float32")
        for name in (b for b in BACKENDS if b != "numpy"):
            for size in SIZES[:: 2 if name in tall else 1]:
                for antialias in (False, True):
                    with dispatch.use("numpy"):
                        want = ops.image.resize(x, size, method, antialias)
                    with dispatch.use(name):
                        got = ops.convert_to_numpy(ops.image.resize(x, size, method, antialias))
                    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5, err_msg=f"{name} {source} {size}")
                    # Weights add up to 1, so that what is even stays even.
                    if method != "nearest":
                        with dispatch.use("numpy"):
                            even = ops.image.resize(np.ones_like(x), size, method, antialias)
                        np.testing.assert_allclose(even, 1.0, atol=1e-5)

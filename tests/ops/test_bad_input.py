"""Bad input: the same kind of error on every backend, a ValueError or TypeError that names the op."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.ops.test_ops import BY_OP
from tests.ops.test_tracing import first_case
from tricera import ops, random
from tricera.core.inference import PUBLIC
from tricera.core.op import OPS
from tricera.core.tensor import KerasTensor


def ones(shape: Any, dtype: str = "float32") -> np.ndarray:
    """An array, of which each backend makes a tensor."""
    return np.ones(shape, dtype)


def zeros(shape: Any, dtype: str = "float32") -> np.ndarray:
    """As `ones`."""
    return np.zeros(shape, dtype)


MATRIX, VECTOR, IMAGE, SQUARE = ones((2, 3)), ones((3,)), ones((1, 4, 4, 3)), np.eye(3, dtype="float32")
# An op and what it can't do.
CALLS: list[tuple[str, Callable[[], Any]]] = [
    ("transpose", lambda: ops.transpose(MATRIX, (0,))),
    ("transpose", lambda: ops.transpose(MATRIX, (0, 0))),
    ("transpose", lambda: ops.transpose(MATRIX, (0, 5))),
    ("reshape", lambda: ops.reshape(MATRIX, (7,))),
    ("reshape", lambda: ops.reshape(MATRIX, (-1, -1))),
    ("reshape", lambda: ops.reshape(MATRIX, "x")),
    ("reshape", lambda: ops.reshape(MATRIX, (2.5, 2))),
    ("broadcast_to", lambda: ops.broadcast_to(MATRIX, (3, 3))),
    ("broadcast_to", lambda: ops.broadcast_to(MATRIX, (3,))),
    ("squeeze", lambda: ops.squeeze(MATRIX, 0)),
    ("expand_dims", lambda: ops.expand_dims(MATRIX, 7)),
    ("concatenate", lambda: ops.concatenate([])),
    ("concatenate", lambda: ops.concatenate([MATRIX, VECTOR])),
    ("concatenate", lambda: ops.concatenate([MATRIX, MATRIX], axis=4)),
    ("stack", lambda: ops.stack([])),
    ("stack", lambda: ops.stack([MATRIX, VECTOR])),
    ("split", lambda: ops.split(MATRIX, 2, axis=1)),
    ("split", lambda: ops.split(MATRIX, 0)),
    ("split", lambda: ops.split(MATRIX, -1)),
    ("tile", lambda: ops.tile(MATRIX, -1)),
    ("tile", lambda: ops.tile(MATRIX, (1.5, 1))),
    ("repeat", lambda: ops.repeat(MATRIX, -1)),
    ("repeat", lambda: ops.repeat(MATRIX, [1, 2, 3], axis=0)),
    ("pad", lambda: ops.pad(MATRIX, ((1, 1), (1, 1), (1, 1)))),
    ("pad", lambda: ops.pad(MATRIX, 1, mode="nope")),
    ("pad", lambda: ops.pad(MATRIX, -1)),
    ("roll", lambda: ops.roll(MATRIX, (1, 2), axis=0)),
    ("tril", lambda: ops.tril(VECTOR)),
    ("triu", lambda: ops.triu(VECTOR)),
    ("swapaxes", lambda: ops.swapaxes(MATRIX, 0, 4)),
    ("moveaxis", lambda: ops.moveaxis(MATRIX, 0, 5)),
    ("moveaxis", lambda: ops.moveaxis(MATRIX, (0, 0), (0, 1))),
    ("moveaxis", lambda: ops.moveaxis(MATRIX, (0, 1), (0, 0))),
    ("where", lambda: ops.where(ones((2, 3), "bool"), MATRIX)),
    ("nanquantile", lambda: ops.nanquantile(VECTOR, 1.5)),
    ("view_as_complex", lambda: ops.view_as_complex(MATRIX)),
    ("lu_factor", lambda: ops.lu_factor(MATRIX)),
    ("resize", lambda: ops.image.resize(IMAGE, 2)),
    ("flip", lambda: ops.flip(MATRIX, 4)),
    ("take", lambda: ops.take(MATRIX, ops.array([0]), axis=3)),
    ("take_along_axis", lambda: ops.take_along_axis(MATRIX, ones((5, 5), "int32"), axis=1)),
    ("take_along_axis", lambda: ops.take_along_axis(MATRIX, ones((3,), "int32"), axis=1)),
    ("where", lambda: ops.where(ones((4,), "bool"), MATRIX, MATRIX)),
    ("slice", lambda: ops.slice(MATRIX, (0,), (1,))),
    ("slice", lambda: ops.slice(MATRIX, (0, 0), (5, 5))),
    ("slice_update", lambda: ops.slice_update(MATRIX, (0, 0), ones((5, 5)))),
    ("slice_update", lambda: ops.slice_update(MATRIX, (0,), ones((1, 1)))),
    ("scatter", lambda: ops.scatter(zeros((2, 1), "int32"), ones((3,)), (4,))),
    ("scatter_update", lambda: ops.scatter_update(MATRIX, zeros((1, 1), "int32"), ones((1, 9)))),
    ("scatter_update", lambda: ops.scatter_update(MATRIX, zeros((1, 2), "int32"), ones((1,)), reduction="nope")),
    ("sort", lambda: ops.sort(MATRIX, axis=5)),
    ("top_k", lambda: ops.top_k(MATRIX, 9)),
    ("top_k", lambda: ops.top_k(MATRIX, -1)),
    ("one_hot", lambda: ops.one_hot(ops.array([1]), -1)),
    ("one_hot", lambda: ops.one_hot(ops.array([1]), 2, axis=5)),
    ("searchsorted", lambda: ops.searchsorted(VECTOR, VECTOR, side="nope")),
    ("searchsorted", lambda: ops.searchsorted(MATRIX, MATRIX)),
    ("matmul", lambda: ops.matmul(MATRIX, MATRIX)),
    ("matmul", lambda: ops.matmul(ops.array(1.0), MATRIX)),
    ("einsum", lambda: ops.einsum("ij,jk->ik", MATRIX, MATRIX)),
    ("einsum", lambda: ops.einsum("ij->k", MATRIX)),
    ("einsum", lambda: ops.einsum("ij,jk", MATRIX)),
    ("einsum", lambda: ops.einsum("ijk->i", MATRIX)),
    ("tensordot", lambda: ops.tensordot(MATRIX, MATRIX, axes=1)),
    ("tensordot", lambda: ops.tensordot(MATRIX, MATRIX, axes=([5], [0]))),
    ("dot", lambda: ops.dot(MATRIX, MATRIX)),
    ("cross", lambda: ops.cross(ones((4,)), ones((4,)))),
    ("cholesky", lambda: ops.cholesky(MATRIX)),
    ("cholesky", lambda: ops.cholesky(VECTOR)),
    ("det", lambda: ops.det(MATRIX)),
    ("inv", lambda: ops.inv(MATRIX)),
    ("inv", lambda: ops.inv(VECTOR)),
    ("solve", lambda: ops.solve(MATRIX, VECTOR)),
    ("solve", lambda: ops.solve(SQUARE, ones((4,)))),
    ("solve_triangular", lambda: ops.solve_triangular(SQUARE, ones((4, 2)))),
    ("lu_factor", lambda: ops.lu_factor(VECTOR)),
    ("qr", lambda: ops.qr(VECTOR)),
    ("qr", lambda: ops.qr(SQUARE, mode="nope")),
    ("svd", lambda: ops.svd(VECTOR)),
    ("eigh", lambda: ops.eigh(MATRIX)),
    ("eig", lambda: ops.eig(MATRIX)),
    ("lstsq", lambda: ops.lstsq(MATRIX, ones((5,)))),
    ("norm", lambda: ops.norm(MATRIX, ord="nope")),
    ("norm", lambda: ops.norm(MATRIX, axis=(0, 1, 1))),
    ("diag", lambda: ops.diag(ones((2, 2, 2)))),
    ("diagonal", lambda: ops.diagonal(VECTOR)),
    ("diagonal", lambda: ops.diagonal(MATRIX, axis1=0, axis2=0)),
    ("diagonal", lambda: ops.diagonal(MATRIX, axis1=0, axis2=7)),
    ("trace", lambda: ops.trace(VECTOR)),
    ("rot90", lambda: ops.rot90(VECTOR)),
    ("rot90", lambda: ops.rot90(MATRIX, axes=(0, 0))),
    ("quantile", lambda: ops.quantile(VECTOR, 1.5)),
    ("quantile", lambda: ops.quantile(VECTOR, 0.5, method="nope")),
    ("histogram", lambda: ops.histogram(VECTOR, bins=0)),
    ("linspace", lambda: ops.linspace(0, 1, -1)),
    ("meshgrid", lambda: ops.meshgrid(VECTOR, VECTOR, indexing="nope")),
    ("vander", lambda: ops.vander(MATRIX)),
    ("conv", lambda: ops.conv(IMAGE, ones((3, 3, 3, 2)), padding="nope")),
    ("conv", lambda: ops.conv(IMAGE, ones((3, 3, 3, 2)), strides=(1, 1, 1))),
    ("conv", lambda: ops.conv(IMAGE, ones((3, 3, 3, 2)), strides=2, dilation_rate=0)),
    ("conv", lambda: ops.conv(IMAGE, ones((3, 3, 2, 2)))),
    ("conv", lambda: ops.conv(IMAGE, ones((3, 3, 3, 2)), data_format="nope")),
    ("conv", lambda: ops.conv(MATRIX, ones((3, 3, 3, 2)))),
    ("conv_transpose", lambda: ops.conv_transpose(IMAGE, ones((3, 3, 2, 4)), 2)),
    ("conv_transpose", lambda: ops.conv_transpose(IMAGE, ones((3, 3, 2, 3)), 2, padding="nope")),
    ("depthwise_conv", lambda: ops.depthwise_conv(IMAGE, ones((3, 3, 2, 1)))),
    ("separable_conv", lambda: ops.separable_conv(IMAGE, ones((3, 3, 3, 1)), ones((1, 1, 9, 2)))),
    ("max_pool", lambda: ops.max_pool(IMAGE, 9)),
    ("max_pool", lambda: ops.max_pool(IMAGE, (2, 2, 2))),
    ("max_pool", lambda: ops.max_pool(IMAGE, 2, padding="nope")),
    ("average_pool", lambda: ops.average_pool(IMAGE, 0)),
    ("average_pool", lambda: ops.average_pool(MATRIX, 2)),
    ("adaptive_max_pool", lambda: ops.adaptive_max_pool(IMAGE, 0)),
    ("adaptive_average_pool", lambda: ops.adaptive_average_pool(MATRIX, 2)),
    ("dot_product_attention", lambda: ops.dot_product_attention(MATRIX, MATRIX, MATRIX)),
    (
        "dot_product_attention",
        lambda: ops.dot_product_attention(ones((1, 2, 3, 4)), ones((1, 2, 3, 5)), ones((1, 2, 3, 5))),
    ),
    (
        "dot_product_attention",
        lambda: ops.dot_product_attention(ones((1, 2, 3, 4)), ones((1, 2, 2, 4)), ones((1, 2, 2, 4))),
    ),
    ("dot_product_attention", lambda: ops.dot_product_attention(*[ones((1, 2, 3, 4))] * 3, mask=ones((7, 7), "bool"))),
    ("ctc_loss", lambda: ops.ctc_loss(MATRIX, MATRIX, VECTOR, VECTOR)),
    ("ctc_decode", lambda: ops.ctc_decode(ones((1, 2, 3)), ops.array([2]), strategy="nope")),
    ("glu", lambda: ops.glu(MATRIX)),
    ("softmax", lambda: ops.softmax(MATRIX, axis=5)),
    ("categorical_crossentropy", lambda: ops.categorical_crossentropy(MATRIX, VECTOR)),
    ("sparse_categorical_crossentropy", lambda: ops.sparse_categorical_crossentropy(ones((5,), "int32"), MATRIX)),
    ("binary_crossentropy", lambda: ops.binary_crossentropy(MATRIX, VECTOR)),
    ("batch_normalization", lambda: ops.batch_normalization(MATRIX, ones((7,)), ones((7,)), -1)),
    ("layer_normalization", lambda: ops.layer_normalization(MATRIX, gamma=ones((7,)))),
    ("rms_normalization", lambda: ops.rms_normalization(MATRIX, scale=ones((7,)))),
    ("normalize", lambda: ops.normalize(MATRIX, order=-1)),
    ("psnr", lambda: ops.psnr(MATRIX, VECTOR, 1.0)),
    ("segment_sum", lambda: ops.segment_sum(MATRIX, ones((7,), "int32"), 3)),
    ("in_top_k", lambda: ops.in_top_k(ones((7,), "int32"), MATRIX, 1)),
    ("rfft", lambda: ops.rfft(ones((3,)), fft_length=0)),
    ("fft", lambda: ops.fft((MATRIX, VECTOR))),
    ("fft2", lambda: ops.fft2((VECTOR, VECTOR))),
    ("irfft", lambda: ops.irfft((VECTOR, VECTOR), fft_length=-2)),
    ("vdot", lambda: ops.vdot(MATRIX, VECTOR[:1])),
    ("irfft", lambda: ops.irfft((VECTOR[:1], VECTOR[:1]))),
    ("rfft", lambda: ops.rfft(ones((2, 0)))),
    ("pad", lambda: ops.pad(ones((2, 0)), 1, "reflect")),
    ("solve", lambda: ops.solve(np.stack([SQUARE] * 2), ones((3, 3, 2)))),
    ("conv", lambda: ops.conv(IMAGE, ones((2, 2, 3, 0)))),
    ("conv_transpose", lambda: ops.conv_transpose(IMAGE, ones((0, 2, 4, 3)), 2)),
    ("ctc_loss", lambda: ops.ctc_loss(ones((2, 3), "int32"), ones((2, 4, 5)), ones(3, "int32"), ones(2, "int32"))),
    ("dot_product_attention", lambda: ops.dot_product_attention(IMAGE, IMAGE, IMAGE[:, :2])),
    ("stft", lambda: ops.stft(ones((16,)), 8, 4, 4)),
    ("stft", lambda: ops.stft(ones((16,)), 8, 4, 8, window="nope")),
    ("istft", lambda: ops.istft((ones((3, 5)), ones((3, 5))), 8, 4, 4)),
    ("extract_sequences", lambda: ops.extract_sequences(ones((3,)), 5, 1)),
    ("fold", lambda: ops.fold(ones((1, 4, 7)), (4, 4), 2)),
    ("unfold", lambda: ops.unfold(MATRIX, 2)),
    ("image.resize", lambda: ops.image.resize(IMAGE, (2, 2), interpolation="nope")),
    ("image.resize", lambda: ops.image.resize(IMAGE, (2, 2, 2))),
    ("image.resize", lambda: ops.image.resize(MATRIX, (2, 2))),
    ("image.resize", lambda: ops.image.resize(IMAGE, (0, 2))),
    ("image.crop_images", lambda: ops.image.crop_images(IMAGE, 1)),
    ("image.crop_images", lambda: ops.image.crop_images(IMAGE, 9, 0, 0, 0)),
    ("image.pad_images", lambda: ops.image.pad_images(IMAGE, 1)),
    ("image.pad_images", lambda: ops.image.pad_images(IMAGE, -1, 0, 0, 0)),
    ("image.extract_patches", lambda: ops.image.extract_patches(IMAGE, 9)),
    ("image.extract_patches", lambda: ops.image.extract_patches(MATRIX, 2)),
    ("image.map_coordinates", lambda: ops.image.map_coordinates(MATRIX, ones((3, 2)), 1)),
    ("image.map_coordinates", lambda: ops.image.map_coordinates(MATRIX, ones((2, 2)), 5)),
    ("image.map_coordinates", lambda: ops.image.map_coordinates(MATRIX, ones((2, 2)), 1, fill_mode="nope")),
    ("image.affine_transform", lambda: ops.image.affine_transform(IMAGE, ones((6,)))),
    ("image.affine_transform", lambda: ops.image.affine_transform(IMAGE, ones((8,)), interpolation="nope")),
    ("image.perspective_transform", lambda: ops.image.perspective_transform(IMAGE, ones((3, 2)), ones((4, 2)))),
    ("image.gaussian_blur", lambda: ops.image.gaussian_blur(IMAGE, kernel_size=0)),
    ("image.gaussian_blur", lambda: ops.image.gaussian_blur(IMAGE, sigma=-1)),
    ("image.elastic_transform", lambda: ops.image.elastic_transform(IMAGE, interpolation="nope")),
    ("image.rgb_to_hsv", lambda: ops.image.rgb_to_hsv(ones((4, 4, 2)))),
    ("image.rgb_to_grayscale", lambda: ops.image.rgb_to_grayscale(ones((4, 4, 2)))),
    ("view", lambda: ops.view(MATRIX, "nope")),
    ("bitwise_and", lambda: ops.bitwise_and(MATRIX, MATRIX)),
    ("bitwise_not", lambda: ops.bitwise_not(MATRIX)),
    ("left_shift", lambda: ops.left_shift(MATRIX, MATRIX)),
    ("gcd", lambda: ops.gcd(MATRIX, MATRIX)),
    ("subtract", lambda: ops.subtract(ones((2,), "bool"), ones((2,), "bool"))),
    ("add", lambda: ops.add(MATRIX, ones((4,)))),
    ("maximum", lambda: ops.maximum(MATRIX, ones((4,)))),
    ("power", lambda: ops.power(MATRIX, ones((4,)))),
    ("clip", lambda: ops.clip(MATRIX, ones((7,)), 2.0)),
    ("max", lambda: ops.max(ones((0,)))),
    ("argmax", lambda: ops.argmax(ones((0,)))),
    ("arange", lambda: ops.arange(0, 5, 0)),
    ("eye", lambda: ops.eye(-1)),
    ("cond", lambda: ops.cond(True, 1, 2)),
    ("switch", lambda: ops.switch(0, [])),
    ("while_loop", lambda: ops.while_loop(1, 2, 3)),
    ("scan", lambda: ops.scan(lambda c, x: (c, x), 0.0)),
    ("associative_scan", lambda: ops.associative_scan(ops.add, MATRIX, axis=5)),
    ("unstack", lambda: ops.unstack(MATRIX, 5)),
    ("depth_to_space", lambda: ops.depth_to_space(IMAGE, 2)),
    ("depth_to_space", lambda: ops.depth_to_space(MATRIX, 2)),
    ("space_to_depth", lambda: ops.space_to_depth(IMAGE, 3)),
    ("space_to_depth", lambda: ops.space_to_depth(IMAGE, 0)),
    ("image.extract_patches", lambda: ops.image.extract_patches(IMAGE, 2, data_format="nope")),
    ("image.sobel_edges", lambda: ops.image.sobel_edges(IMAGE, data_format="nope")),
    ("vectorize", lambda: ops.vectorize(3)),
    ("custom_gradient", lambda: ops.custom_gradient(3)),
    ("get_item", lambda: ops.get_item(MATRIX, (0, 0, 0))),
    ("get_item", lambda: ops.get_item(MATRIX, "x")),
    ("array_split", lambda: ops.array_split(MATRIX, 0)),
    ("hstack", lambda: ops.hstack([])),
    ("vstack", lambda: ops.vstack([])),
    ("dstack", lambda: ops.dstack([])),
]
ARRAYS = (np.ndarray, np.generic)
# Ops whose `axis` is checked by what they call, or whose axis has no range.
NO_AXIS = {"ctc_decode"}


def refused(call: Callable[[], Any]) -> str | None:
    """What is wrong with how a call is refused, or None."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            out = call()
        except (TypeError, ValueError) as error:
            said = " ".join((str(error), *getattr(error, "__notes__", ())))
            return (
                None
                if "ops." in said or "random." in said
                else f"{type(error).__name__} that names no op: {said[:150]}"
            )
        except Exception as error:  # of any other kind: that is what must not be
            return f"{type(error).__name__}: {str(error)[:150]}"
    return f"no error, but {getattr(out, 'shape', type(out))}"


def arguments(name: str, **changed: Any) -> Callable[[], Any]:
    """The call of the op's first row with some arguments changed."""
    case, op = first_case(name), OPS[name]
    values = {**dict(zip(op.names, case.args, strict=False)), **case.kwargs}
    for key, value in values.items():
        if isinstance(value, ARRAYS) and not (name == "get_item" and key == "key"):
            values[key] = ops.convert_to_tensor(value)
    return lambda: PUBLIC[name](**{**values, **changed})


WITH_AXIS = sorted(n for n, op in OPS.items() if n in BY_OP and "axis" in op.index and op.leading)


@pytest.mark.parametrize("axis", [9, -9, "x", 1.5])
def test_axes(axis: Any, backend: str) -> None:
    """An axis out of range, and what is no axis."""
    problems = {name: refused(arguments(name, axis=axis)) for name in WITH_AXIS}
    assert {k: v for k, v in problems.items() if v} == {}
    assert len(WITH_AXIS) > 50


def test_unknown_and_missing_arguments(backend: str) -> None:
    """A name that the op doesn't have, and no arguments at all, for every op."""
    names = sorted(set(OPS) & set(BY_OP))
    problems = {name: refused(arguments(name, nonsense=1)) or refused(lambda n=name: PUBLIC[n]()) for name in names}  # type: ignore[misc]
    assert {k: v for k, v in problems.items() if v} == {}


TENSORS = sorted(n for n, op in OPS.items() if n in BY_OP and op.tensors)
NO_TENSORS = {"object": object(), "text": "text", "objects": np.array([object()]), "list of texts": ["text"]}


def given(value: Any, dtype: str) -> Any:
    """An operand, or a list of them, in another dtype."""
    if isinstance(value, list):
        return [given(v, dtype) for v in value]
    return ops.convert_to_tensor(np.asarray(value).astype(dtype))


def test_what_is_no_tensor(backend: str) -> None:
    """Nothing where a tensor must be given, text, and objects that can't be tensors: of every op, every operand."""
    problems: dict[str, Any] = {}
    for name in TENSORS:
        op = OPS[name]
        for i, kind in op.tensors:
            bad = dict(NO_TENSORS) if kind == "one" else {"nothing in a list": [None], "number": 3.0, "text": "text"}
            if kind == "many" and i not in op.lists:
                del bad["number"]
            if i in op.required:
                bad["nothing"] = None
            for what, value in bad.items():
                problems[f"{name} {op.names[i]} {what}"] = refused(arguments(name, **{op.names[i]: value}))
    assert {k: v for k, v in problems.items() if v} == {}
    assert len(problems) > 1500


# An annotation, and what is none.
NOT_SUCH: dict[str, tuple[Any, ...]] = {
    "int": ("x", 1.5, [1, 2], 1j),
    "Natural": ("x", 1.5, [1, 2], -1),
    "Positive": ("x", 1.5, [1, 2], 0),
    "float": ("x", [1.5], 1j, object()),
    "bool": ("x", 1.5, [True]),
    "str": (3, ["valid"], object()),
    "int | tuple[int, ...]": ("x", 1.5, [1.5], {"a": 1}),
    "int | Sequence[int]": ("x", 1.5, [1.5], {"a": 1}),
    "tuple[int, ...]": ("xy", 1.5, [1.5, 2.5], 3),
    "Sequence[int]": ("xy", 1.5, [1.5, 2.5], 3),
}


def test_options_of_another_type(backend: str) -> None:
    """Of every op, every option that is annotated: what is of another type, or below what is counted."""
    problems: dict[str, Any] = {}
    for name in sorted(set(OPS) & set(BY_OP)):
        op = OPS[name]
        for i, _, _ in op.doors:
            annotation = str(op.signature.parameters[op.names[i]].annotation)
            for value in NOT_SUCH.get(annotation.removesuffix(" | None"), ()):
                call = arguments(name, **{op.names[i]: value})
                problems[f"{name} {op.names[i]}={value!r}"] = refused(call)
    assert {k: v for k, v in problems.items() if v} == {}
    assert len(problems) > 600


def test_kinds_of_numbers(backend: str) -> None:
    """What holds other numbers than an op declares, given and symbolic."""
    problems: dict[str, Any] = {}
    others = {"real": "complex64", "integer": "float32", "nobool": "bool"}
    for name in TENSORS:
        op = OPS[name]
        values = dict(zip(op.names, first_case(name).args, strict=False))
        for i, kind in op.kinds.items():
            for word in kind.split():
                value = values.get(op.names[i])
                if word not in others or value is None:
                    continue
                bad = given(value, others[word])
                problems[f"{name} {op.names[i]} {word}"] = refused(arguments(name, **{op.names[i]: bad}))
                if not isinstance(bad, list):
                    symbol = KerasTensor(tuple(np.shape(value)), others[word])
                    problems[f"{name} {op.names[i]} {word}, symbolic"] = refused(
                        arguments(name, **{op.names[i]: symbol})
                    )
    assert {k: v for k, v in problems.items() if v} == {}
    assert len(problems) > 200


# Functions that are no ops, and what they refuse.
FUNCTIONS: list[Callable[[], Any]] = [
    lambda: ops.arange("x"),
    lambda: ops.arange([1, 2]),
    lambda: ops.eye(1.5),
    lambda: ops.eye(2, dtype="x"),
    lambda: ops.tri(-1),
    lambda: ops.linspace(0.0, 1.0, 2.5),
    lambda: ops.geomspace("x", 2.0),
    lambda: ops.kaiser("x", 3.0),
    lambda: ops.zeros((2,), dtype="x"),
    lambda: ops.full((2,), "x"),
    lambda: ops.convert_to_tensor(object()),
    lambda: ops.convert_to_tensor([1], dtype="x"),
    lambda: ops.einsum(3, MATRIX),
    lambda: ops.hstack(3),
    lambda: ops.histogram(MATRIX, bins="x"),
    lambda: ops.unique("x"),
    lambda: ops.rearrange(MATRIX, 3),
    lambda: ops.fori_loop("x", 3, lambda i, a: a, 0),
    lambda: ops.scan(lambda c, x: (c, x), None, VECTOR),
    lambda: ops.map(lambda x: x, 3.0),
    lambda: ops.vectorized_map(lambda x: x, "x"),
    lambda: ops.while_loop(lambda i: i < 3, lambda i: i + 1, 0, maximum_iterations="x"),
    lambda: ops.switch("x", [lambda: 1, lambda: 2]),
    lambda: random.normal((2,), mean="x"),
    lambda: random.uniform((2,), dtype="x"),
    lambda: random.randint((2,), 0, "x"),
    lambda: random.dropout(MATRIX, "x"),
    lambda: random.dropout(None, 0.5),
    lambda: random.categorical(MATRIX, 1.5),
    lambda: random.shuffle(MATRIX, axis="x"),
    lambda: random.gamma((2,), "x"),
    lambda: random.beta((5,), VECTOR, VECTOR),
    lambda: random.normal((2,), seed="x"),
]


def test_functions_that_are_no_ops(backend: str) -> None:
    """They name themselves, too."""
    problems = {i: refused(call) for i, call in enumerate(FUNCTIONS)}
    assert {k: v for k, v in problems.items() if v} == {}


def test_what_is_fine(backend: str) -> None:
    """What looks odd, and Keras takes: truth values for integers and numbers, NumPy's scalars, None for False."""
    x = ops.convert_to_tensor(MATRIX)
    assert tuple(ops.sum(x, axis=np.int64(1), keepdims=None).shape) == (2,)
    assert tuple(ops.sum(x, axis=1, keepdims=1).shape) == (2, 1)
    assert tuple(ops.repeat(x, True).shape) == (6,)
    assert tuple(ops.one_hot(ops.convert_to_tensor([True, False]), np.int32(3)).shape) == (2, 3)
    assert float(ops.leaky_relu(-1.0, np.float32(0.5))) == -0.5
    assert ops.dtype(ops.relu(ops.convert_to_tensor([True]))) == "int32"
    assert ops.dtype(ops.var(ops.cast(x, "complex64"))) == "float32"
    assert tuple(ops.arange(3, 1).shape) == (0,)
    for _ in range(2):  # the second time by what was remembered
        assert tuple(ops.concatenate([x, x]).shape) == (4, 3)
        assert tuple(ops.concatenate([x]).shape) == (2, 3)
    assert ops.convert_to_numpy(ops.bitwise_not(ops.convert_to_tensor([True, False]))).tolist() == [False, True]
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.roll(x, 1, axis=(0, 1))), MATRIX)


# Options that name something: of each op that has one, a name that there is not.
NAMED = (
    "data_format",
    "dtype",
    "fill_mode",
    "interpolation",
    "method",
    "mode",
    "padding",
    "reduction",
    "side",
    "strategy",
    "window",
)


def test_unknown_names(backend: str) -> None:
    """An option by name, for every op that has one."""
    rows = [(name, option) for name in sorted(set(OPS) & set(BY_OP)) for option in NAMED if option in OPS[name].index]
    # The pads of `unfold` and `fold` are numbers.
    problems = {f"{name} {option}": refused(arguments(name, **{option: "nope"})) for name, option in rows}
    assert {k: v for k, v in problems.items() if v} == {}
    assert len(rows) > 40


def test_shapes_and_options(backend: str) -> None:
    """Shapes that don't fit and options that don't exist, op by op."""
    problems = {f"{i} {name}": refused(call) for i, (name, call) in enumerate(CALLS)}
    assert {k: v for k, v in problems.items() if v} == {}


@pytest.mark.parametrize("name", ["searchsorted", "tril", "triu"])
def test_a_good_call_before_makes_no_difference(name: str, backend: str) -> None:
    """What is remembered of vectors (matrices) is not taken for matrices (vectors), which some framework would take."""
    good, bad = (VECTOR, MATRIX) if name == "searchsorted" else (MATRIX, VECTOR)
    count = 2 if name == "searchsorted" else 1
    tensors = [ops.convert_to_tensor(x) for x in (good, bad)]
    for _ in range(2):
        PUBLIC[name](*[tensors[0]] * count)
    assert refused(lambda: PUBLIC[name](*[tensors[1]] * count)) is None


def test_nothing_kills_the_process(backend: str) -> None:
    """TensorFlow's FFT ends the process for a length of 0."""
    for call in (lambda: ops.rfft(VECTOR, fft_length=0), lambda: ops.irfft((VECTOR, VECTOR), fft_length=0)):
        with pytest.raises(ValueError, match=r"ops\.\w+: `fft_length` must be positive"):
            call()


def test_indices_out_of_range(backend: str) -> None:
    """An index beyond the end is an IndexError, which ends Python's own loops, as for lists."""
    for key in (2, -3, (0, 3)):
        with pytest.raises(IndexError, match=r"ops\.get_item: index"):
            ops.get_item(ops.convert_to_tensor(MATRIX), key)


def test_symbolic_refusals_name_the_op() -> None:
    """What the body of an op says on symbolic tensors, where no shape rule speaks, names the op too."""
    x = KerasTensor((3, 4), "float32")
    for call in (lambda: ops.cross(x, x, axisa="x"), lambda: ops.array_split(x, "x"), lambda: ops.diagflat(x, k="x")):
        assert refused(call) is None

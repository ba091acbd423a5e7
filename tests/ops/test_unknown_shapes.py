"""The law of shapes: a length of the result is unknown just where it changes with a length that is unknown."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tests.ops.cases import Case
from tests.ops.test_ops import BY_OP, parts
from tricera.core.inference import PUBLIC
from tricera.core.tensor import KerasTensor

# Where less is known than could be, or the number of results or axes itself is not known. Strict: what fits must not stand here.
EXCEPTIONS: dict[str, str] = {
    "unstack": "how many results there are depends on the length",
    "squeeze": "with no axis given, an unknown length may be 1",
    "corrcoef": "a matrix of one row is a vector's",
    "cross": "the vectors' length must be known to be 2 or 3",
    "diag": "a diagonal far from the middle is limited by the length that is known",
    "diagonal": "as diag",
}


def call(case: Case, place: int, shape: tuple[int | None, ...]) -> list[Any]:
    """What is inferred with another shape of one operand."""
    args = list(case.args)
    args[place] = KerasTensor(shape, args[place].dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parts(PUBLIC[case.op](*args, **case.kwargs))


def wrong(case: Case, place: int, axis: int) -> str | None:
    """How what is inferred for an unknown length differs from what several known ones have in common."""
    shape = case.args[place].shape
    where = f"{case.id}, operand {place}, axis {axis}"

    def at(length: int | None) -> list[Any]:
        return call(case, place, (*shape[:axis], length, *shape[axis + 1 :]))

    found = []
    for length in sorted({1, 2, shape[axis] - 1, shape[axis], shape[axis] + 1, 2 * shape[axis], 24, 48} - {0, -1}):
        try:
            found.append(at(length))
        except (LookupError, TypeError, ValueError):  # it does not fit the other operands
            continue
    if len(found) < 2:
        return None
    try:
        unknown = at(None)
    except (LookupError, TypeError, ValueError) as error:
        return f"{where}: {error}"
    if len({len(f) for f in (*found, unknown)}) > 1:
        return f"{where}: the number of results differs"
    for *several, spec in zip(*found, unknown, strict=True):
        want = tuple(dims[0] if len(set(dims)) == 1 else None for dims in zip(*(s.shape for s in several), strict=True))
        if want != spec.shape or spec.dtype != several[0].dtype:
            return f"{where}: {want} {several[0].dtype} is known, inferred {spec.shape} {spec.dtype}"
    return None


def operands(case: Case) -> list[int]:
    """The places of tensors, what an index holds not being one."""
    return [
        i
        for i, a in enumerate(case.args)
        if isinstance(a, np.ndarray) and 0 not in a.shape and (case.op != "get_item" or not i)
    ]


@pytest.mark.parametrize("part", range(4))
def test_each_length_unknown(part: int) -> None:
    """Every op, every axis of each of its operands."""
    problems = []
    for op in sorted(BY_OP)[part::4]:
        cases = [c for c in BY_OP[op] if operands(c)][:6]
        found = [
            w
            for c in cases
            for place in operands(c)
            for axis in range(c.args[place].ndim)
            if (w := _wrong(c, place, axis))
        ]
        if found and op not in EXCEPTIONS:
            problems.append(f"{op}: {found[0]}")
        elif op in EXCEPTIONS and not found:
            problems.append(f"{op} follows the law: take it off the list")
    assert not problems, "\n".join(problems)


def _wrong(case: Case, place: int, axis: int) -> str | None:
    try:
        return wrong(case, place, axis)
    except ValueError as error:  # results of different ranks can't be compared
        return f"{case.id}, operand {place}, axis {axis}: {error}"


def test_images_and_windows_of_unknown_size() -> None:
    """What models of images of any size are made of."""
    from tricera import ops

    x = KerasTensor((None, None, None, 3))
    kernel = np.ones((3, 3, 3, 8), "float32")
    assert ops.conv(x, kernel).shape == (None, None, None, 8)
    assert ops.conv(x, kernel, 2, "same", data_format="channels_last").shape == (None, None, None, 8)
    assert ops.conv_transpose(x, np.ones((3, 3, 8, 3), "float32"), 2).shape == (None, None, None, 8)
    assert ops.depthwise_conv(x, np.ones((3, 3, 3, 2), "float32")).shape == (None, None, None, 6)
    assert ops.max_pool(x, 2).shape == ops.average_pool(x, 2).shape == (None, None, None, 3)
    assert ops.adaptive_max_pool(x, (2, 5)).shape == (None, 2, 5, 3)
    assert ops.image.resize(x, (4, 5), interpolation="bicubic").shape == (None, 4, 5, 3)
    assert ops.image.extract_patches(x, 4).shape == (None, None, None, 48)
    assert ops.image.crop_images(x, 1, 1, 1, 1).shape == ops.image.pad_images(x, 1, 1, 1, 1).shape == x.shape
    for same in (
        ops.image.gaussian_blur(x),
        ops.image.rgb_to_hsv(x),
        ops.image.affine_transform(x, np.ones(8, "float32")),
        ops.image.perspective_transform(x, np.ones((4, 2), "float32"), np.ones((4, 2), "float32")),
        ops.image.elastic_transform(x, seed=0),
    ):
        assert same.shape == x.shape
    assert ops.image.rgb_to_grayscale(x).shape == (None, None, None, 1)
    assert ops.reshape(x, (-1, 12)).shape == (None, 12)
    assert ops.concatenate([x, KerasTensor((None, 5, None, 2))], axis=-1).shape == (None, 5, None, 5)
    assert ops.concatenate([x, x], axis=1).shape == (None, None, None, 3)

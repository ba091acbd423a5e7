"""Linear algebra on stacks of matrices of any size: no batch axis, an empty one, two; one element, square, tall, wide.

In float64 where the framework has it. Each result is NumPy's or SciPy's; factors that are determined only up to signs are
checked by what defines them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import scipy.linalg as linalg

from tests.conftest import TRAINABLE
from tests.ops.cases import rand
from tricera import ops
from tricera.autodiff import vjp
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor

BATCHES = ((), (0,), (2,), (2, 3))
SQUARE, ALL = ((1, 1), (3, 3)), ((1, 1), (3, 3), (4, 2), (2, 4))
# What all runs look at; the slow ones take all batches of all sizes. JAX, which compiles each shape, looks at the first two.
FEW = (((2, 3), (3, 3)), ((2,), (2, 4)), ((2,), (4, 2)), ((), (1, 1)), ((0,), (2, 2)))
GRID = pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["few", "all"])


def stacks(whole: bool, sizes: Any = ALL) -> Iterator[np.ndarray]:
    """Matrices in float64, far from singular."""
    few = FEW[:2] if dispatch.current().name == "jax" else FEW
    for batch, size in itertools.product(BATCHES, sizes) if whole else few:
        if size in sizes or (size == (2, 2) and (1, 1) in sizes):
            x = np.random.default_rng([*batch, *size]).uniform(-1, 1, (*batch, *size))
            yield x + 2 * np.eye(*size)


def positive(x: np.ndarray) -> np.ndarray:
    """A symmetric positive matrix of each square one."""
    return x @ np.swapaxes(x, -1, -2) + np.eye(x.shape[-1])


def tensor(x: np.ndarray) -> Any:
    """In the widest float there is."""
    return ops.convert_to_tensor(x, dispatch.current().canonical("float64"))


def check(fn: Callable[..., Any], arrays: list[np.ndarray], want: Any) -> None:
    """Values, the number of results, shapes known in advance, and the dtype."""
    got = fn(*map(tensor, arrays))
    wide = dispatch.current().canonical("float64")
    specs = fn(*[KerasTensor(a.shape, wide) for a in arrays])
    results, wanted, inferred = (list(x) if isinstance(x, (tuple, list)) else [x] for x in (got, want, specs))
    for g, w, s in zip(results, wanted, inferred, strict=True):
        value = ops.convert_to_numpy(g)
        assert value.shape == np.shape(w) == s.shape
        assert ops.dtype(g) == s.dtype
        tol = 1e-9 if wide == "float64" else 2e-4
        np.testing.assert_allclose(value, w, rtol=tol, atol=tol)


def each(reference: Callable[..., Any], x: np.ndarray, *rest: Any) -> Any:
    """A function of one matrix on each of a stack."""
    flat = [reference(m, *rest) for m in x.reshape(-1, *x.shape[-2:])]
    if not flat:
        probe = reference(np.eye(*x.shape[-2:]) * 2, *rest)
        parts = probe if isinstance(probe, tuple) else (probe,)
        empty = tuple(np.zeros((*x.shape[:-2], *np.shape(p))) for p in parts)
        return empty if isinstance(probe, tuple) else empty[0]
    if isinstance(flat[0], tuple):
        return tuple(np.stack(p).reshape(*x.shape[:-2], *np.shape(p[0])) for p in zip(*flat, strict=True))
    return np.stack(flat).reshape(*x.shape[:-2], *np.shape(flat[0]))


@GRID
def test_square(backend: str, whole: bool) -> None:
    """Determinants, inverses, triangular factors."""
    for x in stacks(whole, SQUARE):
        p = positive(x)
        check(ops.det, [x], np.linalg.det(x))
        check(ops.slogdet, [x], tuple(np.linalg.slogdet(x)))
        check(ops.logdet, [p], np.linalg.slogdet(p)[1])
        check(ops.inv, [x], np.linalg.inv(x))
        low = each(np.linalg.cholesky, p)
        check(ops.cholesky, [p], low)
        check(lambda v: ops.cholesky(v, upper=True), [p], np.swapaxes(low, -1, -2))
        check(ops.cholesky_inverse, [low], np.linalg.inv(p))
        check(lambda v: ops.cholesky_inverse(v, upper=True), [np.swapaxes(low, -1, -2).copy()], np.linalg.inv(p))
        check(ops.lu_factor, [x], each(linalg.lu_factor, x))
        eigh_holds(p)


def eigh_holds(p: np.ndarray) -> None:
    """Ascending eigenvalues, and vectors that are orthonormal and belong to them."""
    tol = 1e-9 if dispatch.current().canonical("float64") == "float64" else 1e-4
    w, v = map(ops.convert_to_numpy, ops.eigh(tensor(p)))
    np.testing.assert_allclose(w, np.linalg.eigvalsh(p), rtol=tol, atol=tol)
    np.testing.assert_allclose(p @ v, v * w[..., None, :], atol=10 * tol)
    np.testing.assert_allclose(np.swapaxes(v, -1, -2) @ v, np.broadcast_to(np.eye(p.shape[-1]), p.shape), atol=10 * tol)
    values = np.sort(ops.convert_to_numpy(ops.eig(tensor(p))[0]).real, -1)
    np.testing.assert_allclose(values, w, rtol=10 * tol, atol=10 * tol)
    assert [s.shape for s in ops.eigh(KerasTensor(p.shape))] == [w.shape, v.shape]


@GRID
def test_solve(backend: str, whole: bool) -> None:
    """With a matrix and with a vector on the right, and triangular ones."""
    for x in stacks(whole, SQUARE):
        right = np.random.default_rng(0).uniform(-1, 1, (*x.shape[:-1], 2))
        check(ops.solve, [x, right], np.linalg.solve(x, right))
        check(ops.solve, [x, right[..., 0]], np.linalg.solve(x, right[..., :1])[..., 0])
        for lower in (False, True):
            half = np.tril(x) if lower else np.triu(x)
            check(lambda a, b, k=lower: ops.solve_triangular(a, b, lower=k), [x, right], np.linalg.solve(half, right))


@GRID
def test_rectangular(backend: str, whole: bool) -> None:
    """Orthogonal factors, singular values, pseudo-inverses, ranks."""
    tol = 1e-9 if dispatch.current().canonical("float64") == "float64" else 1e-4
    for x in stacks(whole):
        m, n = x.shape[-2:]
        for mode in ("reduced", "complete"):
            q, r = map(ops.convert_to_numpy, ops.qr(tensor(x), mode=mode))
            assert [s.shape for s in ops.qr(KerasTensor(x.shape), mode=mode)] == [q.shape, r.shape]
            assert q.shape[-1] == (min(m, n) if mode == "reduced" else m)
            np.testing.assert_allclose(q @ r, x, atol=tol)
            one = np.broadcast_to(np.eye(q.shape[-1]), (*x.shape[:-2], *(q.shape[-1],) * 2))
            np.testing.assert_allclose(np.swapaxes(q, -1, -2) @ q, one, atol=tol)
            np.testing.assert_array_equal(np.abs(np.tril(r, -1)) < tol, True)
        for full in (False, True):
            u, s, vh = map(ops.convert_to_numpy, ops.svd(tensor(x), full_matrices=full))
            assert [t.shape for t in ops.svd(KerasTensor(x.shape), full_matrices=full)] == [
                u.shape,
                s.shape,
                vh.shape,
            ]
            k = s.shape[-1]
            np.testing.assert_allclose(u[..., :k] * s[..., None, :] @ vh[..., :k, :], x, atol=tol)
            assert u.shape[-2:] == (m, m if full else k)
        check(lambda v: ops.svd(v, compute_uv=False), [x], np.linalg.svd(x, compute_uv=False))
        check(ops.pinv, [x], np.linalg.pinv(x))
        check(ops.matrix_rank, [x], np.linalg.matrix_rank(x) if x.size else np.zeros(x.shape[:-2], "int32"))


@GRID
def test_least_squares(backend: str, whole: bool) -> None:
    """Over- and underdetermined, a vector and a matrix on the right."""
    for m, n in ((1, 1), (3, 3), (4, 2), (2, 4)) if whole else ((4, 2), (2, 4)):
        a = np.random.default_rng([m, n]).uniform(-1, 1, (m, n)) + np.eye(m, n)
        b = np.random.default_rng(0).uniform(-1, 1, (m, 2))
        for right in (b, b[:, 0]):
            check(ops.lstsq, [a, right], np.linalg.lstsq(a, right, rcond=None)[0])


@GRID
def test_norms(backend: str, whole: bool) -> None:
    """Every order along every axis and pair of axes, with and without the axes kept."""
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 4))
    x[0, 0, 0] = 0
    vectors: list[Any] = [(o, a) for o in (None, 1, 2, 3, 0.5, -1, -2, 0, np.inf, -np.inf) for a in (0, -1, 1)]
    pairs: list[Any] = [
        (o, a)
        for o in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
        for a in itertools.permutations((0, 1, 2), 2)
    ]
    rows = [*vectors, *pairs, (None, None)] if whole else [*vectors[::3], *pairs[::6], (None, None)]
    for order, axis in rows:
        y = np.abs(x) + 0.1 if order in (-1, -2, -np.inf, 0.5) and isinstance(axis, int) else x
        for keepdims in (False, True) if whole or order is None else (True,):
            check(
                lambda v, o=order, a=axis, k=keepdims: ops.norm(v, ord=o, axis=a, keepdims=k),
                [y],
                np.linalg.norm(y, ord=order, axis=axis, keepdims=keepdims),
            )


def unsigned(x: Any) -> Any:
    """The absolute values: the framework chooses the signs of vectors."""
    return ops.absolute(x)


# What is differentiated: a function of one matrix, and of which kind that is.
DERIVED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "eigh's values": (lambda x: ops.eigh(x)[0], "symmetric"),
    "eigh's vectors": (lambda x: unsigned(ops.eigh(x)[1]), "symmetric"),
    "cholesky": (ops.cholesky, "symmetric"),
    "upper cholesky": (lambda x: ops.cholesky(x, upper=True), "symmetric"),
    "logdet": (ops.logdet, "symmetric"),
    "eig's values": (lambda x: ops.sum(unsigned(ops.eig(x)[0]), -1), "square"),
    "eig's vectors": (lambda x: ops.sum(unsigned(ops.eig(x)[1]) ** 3, -1), "square"),
    "lu_factor": (lambda x: ops.lu_factor(x)[0], "square"),
    "det": (ops.det, "square"),
    "inv": (ops.inv, "square"),
    "full svd, U": (lambda x: unsigned(ops.svd(x)[0]), "wide"),
    "full svd, S": (lambda x: ops.svd(x)[1], "tall"),
    "full svd, V": (lambda x: unsigned(ops.svd(x)[2]), "tall"),
    "thin svd, U": (lambda x: unsigned(ops.svd(x, full_matrices=False)[0]), "tall"),
    "thin svd, V": (lambda x: unsigned(ops.svd(x, full_matrices=False)[2]), "wide"),
    "qr, Q": (lambda x: unsigned(ops.qr(x)[0]), "tall"),
    "qr, R": (lambda x: unsigned(ops.qr(x)[1]), "wide"),
    "complete qr, R": (lambda x: unsigned(ops.qr(x, mode="complete")[1]), "wide"),
    "pinv": (ops.pinv, "tall"),
    "nuclear norm": (lambda x: ops.norm(x, ord="nuc", axis=(-2, -1)), "wide"),
}


@pytest.mark.slow
def test_gradients_of_factors() -> None:
    """Along a direction, the gradient on each framework is the difference quotient of NumPy's results in float64."""
    rng = np.random.default_rng(3)
    problems = []
    for name, (fn, kind) in DERIVED.items():
        shape = {"wide": (2, 2, 3), "tall": (2, 3, 2)}.get(kind, (2, 3, 3))
        x, way = rng.uniform(-1, 1, shape) + 2 * np.eye(*shape[1:]), rng.normal(size=shape)
        if kind == "symmetric":
            x, way = positive(x), way + np.swapaxes(way, -1, -2)
        with dispatch.use("numpy"):
            high, low = (np.asarray(fn(ops.convert_to_tensor(x + step * way))) for step in (1e-6, -1e-6))
        weights = rng.normal(size=high.shape)
        want = ((high - low) * weights).sum() / 2e-6
        for framework in TRAINABLE:
            with dispatch.use(framework):
                wide = dispatch.current().canonical("float64")
                pullback = vjp(fn, tensor(x))[1]
                got = (ops.convert_to_numpy(pullback(ops.convert_to_tensor(weights, wide))[0]) * way).sum()
            if not np.isclose(
                got, want, rtol=1e-6 if wide == "float64" else 1e-3, atol=1e-6 if wide == "float64" else 1e-3
            ):
                problems.append(f"{name} on {framework}: {got}, not {want}")
    assert not problems, "\n".join(problems)


def test_an_einsum_that_is_a_product(backend: str) -> None:
    """The product of matrices, also of batches; lengths of 1 fit any other, and other ranks are refused."""
    a, b = rand(2, 3, 4), rand(2, 4, 5)
    for x, y, equation in (
        (a[0], b[0], "ij,jk->ik"),
        (a, b, "bij, bjk -> bik"),
        (a[None], b[None], "abij,abjk->abik"),
        # Lengths of 1, which TensorFlow's einsum refuses.
        *([] if backend == "tensorflow" else [(a, b[:1], "bij,bjk->bik"), (a[0], b[0, :1], "ij,jk->ik")]),
    ):
        got = ops.einsum(equation, ops.convert_to_tensor(x), ops.convert_to_tensor(y))
        want = np.einsum(equation, x, np.broadcast_to(y, (*y.shape[:-2], x.shape[-1], y.shape[-1])))
        np.testing.assert_allclose(ops.convert_to_numpy(got), want, rtol=1e-5, atol=1e-5)
    small = ops.convert_to_tensor(np.ones((2, 2), "int8"))
    assert ops.dtype(ops.einsum("ij,jk->ik", small, small)) == "int32"
    with pytest.raises(ValueError, match="einsum"):
        ops.einsum("ij,jk->ik", ops.convert_to_tensor(a), ops.convert_to_tensor(b))
    symbolic = ops.einsum("bij,bjk->bik", KerasTensor((None, 3, 4)), KerasTensor((None, 4, 5)))
    assert symbolic.shape == (None, 3, 5)

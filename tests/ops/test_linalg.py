"""Factorisations, whose factors are not unique: what counts is that their product is the matrix. And complex results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.conftest import TRAINABLE
from tests.ops.cases import X, rand
from tricera import ops
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor

A = rand(2, 4, 3)
S = (rand(2, 3, 3) + np.swapaxes(rand(2, 3, 3), -1, -2)).astype("float32")


def values(x: Any) -> Any:
    """Arrays of the results."""
    return tuple(map(ops.convert_to_numpy, x))


def shapes(x: Any) -> Any:
    """Shapes of the results."""
    return [tuple(t.shape) for t in x]


@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr(backend: str, mode: str) -> None:
    """Q R is the matrix, Q is orthonormal, R triangular."""
    for x in (A, np.swapaxes(A, -1, -2)):
        q, r = values(ops.qr(x, mode=mode))
        np.testing.assert_allclose(q @ r, x, atol=1e-5)
        np.testing.assert_allclose(
            np.swapaxes(q, -1, -2) @ q, np.broadcast_to(np.eye(q.shape[-1]), (2, *(q.shape[-1],) * 2)), atol=1e-5
        )
        np.testing.assert_allclose(r, np.triu(r), atol=1e-6)
        assert shapes(ops.qr(KerasTensor(x.shape), mode=mode)) == [q.shape, r.shape]


def test_svd(backend: str) -> None:
    """U S V is the matrix."""
    for x in (A, np.swapaxes(A, -1, -2)):
        for full in (True, False):
            u, s, vh = values(ops.svd(x, full_matrices=full))
            k = s.shape[-1]
            np.testing.assert_allclose(u[..., :k] * s[:, None] @ vh[:, :k], x, atol=1e-5)
            assert shapes(ops.svd(KerasTensor(x.shape), full_matrices=full)) == [u.shape, s.shape, vh.shape]


def test_eigh(backend: str) -> None:
    """V diag(w) V^T is the matrix."""
    w, v = values(ops.eigh(S))
    np.testing.assert_allclose(v * w[:, None] @ np.swapaxes(v, -1, -2), S, atol=1e-5)
    assert (np.diff(w) >= 0).all()
    assert shapes(ops.eigh(KerasTensor(S.shape))) == [w.shape, v.shape]


def test_eig(backend: str) -> None:
    """A V is V diag(w), with complex results always."""
    x = rand(2, 3, 3)
    w, v = values(ops.eig(x))
    assert w.dtype == v.dtype == "complex64"
    np.testing.assert_allclose(x @ v, v * w[:, None], atol=1e-5)
    assert [t.dtype for t in ops.eig(KerasTensor(x.shape))] == ["complex64"] * 2


def test_complex_numbers(backend: str) -> None:
    """Complex numbers from parts and from angles, and back."""
    z = ops.view_as_complex(A[..., :2])
    np.testing.assert_allclose(ops.convert_to_numpy(z), A[..., 0] + 1j * A[..., 1])
    np.testing.assert_allclose(ops.convert_to_numpy(ops.view_as_real(z)), A[..., :2])
    np.testing.assert_allclose(ops.convert_to_numpy(ops.polar(np.abs(X), X)), np.abs(X) * np.exp(1j * X), atol=1e-6)
    assert ops.polar(KerasTensor((2,)), KerasTensor((2,))).dtype == "complex64"


@pytest.mark.parametrize("name", TRAINABLE)
def test_jvp(name: str) -> None:
    """The derivative along a direction, with something passed on."""
    with dispatch.use(name):
        out, derivative, aux = ops.jvp(lambda x: (ops.sin(x), x * 2), (X,), (np.ones_like(X),), has_aux=True)
        np.testing.assert_allclose(ops.convert_to_numpy(out), np.sin(X), rtol=1e-5)
        np.testing.assert_allclose(ops.convert_to_numpy(derivative), np.cos(X), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(ops.convert_to_numpy(aux), X * 2)


def test_vectorize(backend: str) -> None:
    """Element by element, and with axes of the function's own."""
    add = ops.vectorize(lambda a, b: a + b)
    np.testing.assert_allclose(ops.convert_to_numpy(add(X, X[0])), X + X[0])
    product = ops.vectorize(ops.matmul, signature="(m,n),(n)->(m)")
    np.testing.assert_allclose(ops.convert_to_numpy(product(A, A[0, 0])), A @ A[0, 0], rtol=1e-5)
    scaled = ops.vectorize(lambda a, k: a * k, excluded={1})
    np.testing.assert_allclose(ops.convert_to_numpy(scaled(X, 3.0)), X * 3)


def test_rearrange(backend: str) -> None:
    """Axes by name."""
    x = rand(2, 6, 3)
    got = ops.rearrange(x, "b (h w) c -> b c h w", h=2)
    np.testing.assert_allclose(ops.convert_to_numpy(got), x.reshape(2, 2, 3, 3).transpose(0, 3, 1, 2))
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.rearrange(x, "a b c -> (c a) b")), x.transpose(2, 0, 1).reshape(6, 6)
    )
    with pytest.raises(ValueError, match="same axes"):
        ops.rearrange(x, "a b c -> a b")


def test_ctc_decode(backend: str) -> None:
    """The best labels, repeated ones merged; a wide beam finds the most probable sequence."""
    logits = np.log(
        np.array([[[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.2, 0.7]]] * 2, "float32")
    )
    labels, score = values(ops.ctc_decode(logits, [5, 2]))
    assert labels.tolist() == [[[1, 1, 2, -1, -1], [1, -1, -1, -1, -1]]]
    np.testing.assert_allclose(score[:, 0], [-4 * np.log(0.8) - np.log(0.7), -2 * np.log(0.8)], rtol=1e-5)
    labels, _ = values(ops.ctc_decode(logits, [5, 2], merge_repeated=False))
    assert labels[0, 0].tolist() == [1, 1, 1, 2, -1]
    # Greedy reads "no label" twice (0.36); "1" is likelier in all (0.64).
    tricky = np.log(np.array([[[0.6, 0.4], [0.6, 0.4]]], "float32"))
    labels, score = values(ops.ctc_decode(tricky, [2], strategy="beam_search", top_paths=2, merge_repeated=False))
    assert labels[:, 0].tolist() == [[1, -1], [-1, -1]]
    np.testing.assert_allclose(np.exp(score), [[0.64, 0.36]], rtol=1e-5)


def test_not_tensors(backend: str) -> None:
    """Functions without tensor arguments."""
    for name in ("bartlett", "blackman", "hamming", "hanning"):
        np.testing.assert_allclose(ops.convert_to_numpy(getattr(ops, name)(7)), getattr(np, name)(7), atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(ops.kaiser(7, 3.0)), np.kaiser(7, 3.0), atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(ops.tri(3, 4, 1)), np.tri(3, 4, 1))
    np.testing.assert_allclose(ops.convert_to_numpy(ops.logspace(0, 2, 5)), np.logspace(0, 2, 5), rtol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(ops.geomspace(1.0, 8.0, 4)), np.geomspace(1, 8, 4), rtol=1e-5)
    counts, edges = values(ops.histogram(X, bins=4))
    want = np.histogram(X, bins=4)
    np.testing.assert_allclose(counts, want[0])
    np.testing.assert_allclose(edges, want[1], rtol=1e-5)
    for got, expected in zip(
        ops.unique([3, 1, 3, 2], return_index=True, return_inverse=True, return_counts=True),
        np.unique([3, 1, 3, 2], True, True, True),
        strict=True,
    ):
        np.testing.assert_array_equal(ops.convert_to_numpy(got), expected)
    assert ops.convert_to_numpy(ops.unique([3, 1, 3], size=4, fill_value=9)).tolist() == [1, 3, 9, 9]


def test_factors_of_complex_matrices(backend: str) -> None:
    """Hermitian matrices, of which the lower triangle alone is read, and what is made of singular values."""
    rng = np.random.default_rng(0)
    a = (rng.normal(size=(3, 4, 4)) + 1j * rng.normal(size=(3, 4, 4))).astype("complex64")
    h = (a @ a.conj().swapaxes(-1, -2) + np.eye(4)).astype("complex64")
    half = np.tril(h) + np.triu(rng.normal(size=h.shape), 1).astype("complex64")

    def close(got: Any, want: Any) -> None:
        np.testing.assert_allclose(ops.convert_to_numpy(got), want, rtol=1e-3, atol=1e-3)

    def adjoint(x: Any) -> Any:
        return ops.conj(ops.swapaxes(x, -1, -2))

    low = ops.cholesky(half)
    close(ops.matmul(low, adjoint(low)), h)
    close(ops.cholesky(half, upper=True), ops.convert_to_numpy(adjoint(low)))
    close(ops.cholesky_inverse(low), np.linalg.inv(h))
    values, vectors = ops.eigh(half)
    assert ops.dtype(values) == "float32"
    close(values, np.linalg.eigvalsh(h))
    close(ops.matmul(vectors * ops.cast(values, "complex64")[:, None], adjoint(vectors)), h)
    tall = a[:, :, :3]
    u, s, vh = ops.svd(tall)
    close(s, np.linalg.svd(tall)[1])
    close(ops.matmul(u[..., :3] * ops.cast(s, "complex64")[:, None], vh), tall)
    close(ops.pinv(tall), np.linalg.pinv(tall))
    close(ops.lstsq(tall[0], a[0]), np.linalg.lstsq(tall[0], a[0], rcond=None)[0])
    sign, logarithm = ops.slogdet(a)
    assert ops.dtype(logarithm) == "float32"
    close(sign, np.linalg.slogdet(a)[0])
    close(logarithm, np.linalg.slogdet(a)[1])
    assert np.isnan(ops.convert_to_numpy(ops.eigh(np.full((2, 2), np.nan, "complex64"))[0])).all()


def test_factors_inside_of_vectorized_map(trainable_backend: str) -> None:
    """Where no value can be looked at: as of the stack."""
    a = np.random.default_rng(0).normal(size=(3, 4, 4)).astype("float32")
    a = a @ a.transpose(0, 2, 1) + 4 * np.eye(4, dtype="float32")
    for function in (ops.linalg.cholesky, lambda x: ops.linalg.eigh(x)[0], lambda x: ops.linalg.svd(x)[1]):
        got = ops.convert_to_numpy(ops.vectorized_map(function, ops.convert_to_tensor(a)))
        np.testing.assert_allclose(got, ops.convert_to_numpy(function(a)), rtol=1e-4, atol=1e-4)

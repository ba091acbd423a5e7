"""Linear algebra on the last two axes: factorisations, solutions, determinants."""

from __future__ import annotations

from typing import Any

from tricera.core.dtypes import EPSILON
from tricera.core.op import composed, primitive
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.control import jvp  # noqa: F401 - belongs to this namespace, too
from tricera.ops.creation import dtype, eye, zeros_like
from tricera.ops.elementwise import add, cast, divide, greater, log, multiply
from tricera.ops.linear import matmul, matrix_transpose
from tricera.ops.reduce import (
    max as max_,
    norm,  # noqa: F401 - belongs to this namespace, too
    sum as sum_,
)
from tricera.ops.select import where
from tricera.ops.shape import expand_dims, squeeze

_COMPLEX = {"float64": "complex128", "complex128": "complex128", "complex64": "complex64"}


def _square(op: str, x: Spec) -> int | None:
    if x.ndim < 2 or (x.shape[-1] != x.shape[-2] and None not in x.shape[-2:]):
        raise ValueError(f"ops.{op} needs square matrices in the last two axes; got the shape {tuple(x.shape)}.")
    return x.shape[-1]


def _like(op: str) -> Any:
    def rule(x: Spec, *_: Any) -> Spec:
        _square(op, x)
        return x

    return rule


def _det_spec(x: Spec) -> Spec:
    _square("det", x)
    return Spec(x.shape[:-2], x.dtype)


def _slogdet_spec(x: Spec) -> tuple[Spec, Spec]:
    _square("slogdet", x)
    return Spec(x.shape[:-2], x.dtype), Spec(x.shape[:-2], x.dtype)


def _eig_spec(x: Spec) -> tuple[Spec, Spec]:
    _square("eig", x)
    kind = _COMPLEX.get(x.dtype, "complex64")
    return Spec(x.shape[:-1], kind), Spec(x.shape, kind)


def _eigh_spec(x: Spec) -> tuple[Spec, Spec]:
    _square("eigh", x)
    return Spec(x.shape[:-1], x.dtype), x


def _lu_spec(x: Spec) -> tuple[Spec, Spec]:
    _square("lu_factor", x)
    return x, Spec(x.shape[:-1], "int32")


def _least(*sizes: int | None) -> int | None:
    return None if None in sizes else min(sizes)  # type: ignore[type-var]


def _matrix(op: str, x: Spec) -> tuple[Any, int | None, int | None]:
    if x.ndim < 2:
        raise ValueError(f"ops.{op} needs matrices in the last two axes; got the shape {tuple(x.shape)}.")
    return x.shape[:-2], x.shape[-2], x.shape[-1]


def _qr_spec(x: Spec, mode: str = "reduced") -> tuple[Spec, Spec]:
    if mode not in ("reduced", "complete"):
        raise ValueError(f"ops.qr: `mode` must be 'reduced' or 'complete', not {mode!r}.")
    lead, m, n = _matrix("qr", x)
    k = m if mode == "complete" else _least(m, n)
    return Spec((*lead, m, k), x.dtype), Spec((*lead, k, n), x.dtype)


def _svd_spec(x: Spec, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    lead, m, n = _matrix("svd", x)
    k = _least(m, n)
    values = Spec((*lead, k), x.dtype)
    if not compute_uv:
        return values
    left, right = (m, n) if full_matrices else (k, k)
    return Spec((*lead, m, left), x.dtype), values, Spec((*lead, right, n), x.dtype)


def _solve_spec(a: Spec, b: Spec, *_: Any) -> Spec:
    n = _square("solve", a)
    rows = b.shape[-1] if b.ndim == a.ndim - 1 else b.shape[-2]
    if n is not None and rows is not None and n != rows:
        raise ValueError(
            f"ops.solve: a matrix of shape {tuple(a.shape)} and a right side of shape {tuple(b.shape)} don't fit."
        )
    return b


@primitive(spec=_like("cholesky"), promote="float")
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """The triangular L with L L^T = x, for symmetric positive-definite matrices.

    Args:
        x: a tensor (..., n, n).
        upper: give L^T.
    """
    ...


@primitive(spec=_det_spec, promote="float")
def det(x: TensorLike) -> Tensor:
    """The determinants.

    Example:
        >>> round(float(det([[2.0, 0.0], [0.0, 3.0]])), 4)
        6.0
    """
    ...


@primitive(spec=_slogdet_spec, promote="float")
def slogdet(x: TensorLike) -> Any:
    """The sign of the determinant and the logarithm of its absolute value, as a pair."""
    ...


@primitive(spec=_eig_spec, promote="float")
def eig(x: TensorLike) -> Any:
    """Eigenvalues and eigenvectors (as columns), both complex."""
    ...


@primitive(spec=_eigh_spec, promote="float")
def eigh(x: TensorLike) -> Any:
    """Eigenvalues, ascending, and eigenvectors (as columns) of symmetric matrices."""
    ...


@primitive(spec=_like("inv"), promote="float")
def inv(x: TensorLike) -> Tensor:
    """The inverse matrices."""
    ...


@primitive(spec=_lu_spec, promote="float")
def lu_factor(x: TensorLike) -> Any:
    """The factors L (below the diagonal) and U in one matrix, and the pivots: row i was swapped with row pivots[i]."""
    ...


@primitive(spec=_qr_spec, promote="float", strict=True)
def qr(x: TensorLike, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and an upper-triangular R, Q R = x.

    Args:
        x: a tensor (..., m, n).
        mode: `"reduced"` or `"complete"` (Q is square).

    Raises:
        ValueError: another mode.
    """
    ...


@primitive(spec=_svd_spec, promote="float")
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition U diag(S) Vh = x.

    Args:
        x: a tensor (..., m, n).
        full_matrices: whether U and Vh are square.
        compute_uv: False gives S alone.

    Returns:
        The triple (U, S, Vh), or S.
    """
    ...


@primitive(spec=_solve_spec, promote="float")
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """The x with a x = b.

    Args:
        a: a tensor (..., n, n).
        b: a tensor (..., n, k), or (..., n).
    """
    ...


@primitive(spec=_solve_spec, promote="float")
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
    """The x with a x = b, of which `a` only the upper (or lower) triangle is looked at."""
    ...


@composed(promote="float")
def logdet(x: TensorLike) -> Tensor:
    """The logarithm of the determinant of symmetric positive-definite matrices."""
    from tricera.ops.arrays import diagonal

    return multiply(2.0, sum_(log(diagonal(cholesky(x), axis1=-2, axis2=-1)), axis=-1))


@composed(promote="float")
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """The inverse of the symmetric positive-definite matrix whose Cholesky factor is `x`.

    Args:
        x: a triangular factor (..., n, n).
        upper: whether it is the upper one.
    """
    identity = add(zeros_like(x), eye(x.shape[-1], dtype=dtype(x)))
    inverse = solve_triangular(x, identity, lower=not upper)
    flipped = matrix_transpose(inverse)
    return matmul(inverse, flipped) if upper else matmul(flipped, inverse)


def _cutoff(values: Any, shape: Any, rcond: float | None) -> Any:
    eps = EPSILON[dtype(values)]
    share = max(shape[-2], shape[-1]) * eps if rcond is None else rcond
    return multiply(max_(values, axis=-1, keepdims=True), share)


@composed(promote="float")
def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
    """How many singular values are above a tolerance (by default the largest one times max(m, n) times the dtype's epsilon)."""
    values = svd(x, compute_uv=False)
    limit = _cutoff(values, x.shape, None) if tol is None else tol
    return sum_(cast(greater(values, limit), "int32"), axis=-1)


@composed(promote="float")
def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """The Moore-Penrose inverse; singular values below `rcond` times the largest count as 0."""
    u, s, vh = svd(x, full_matrices=False)
    keep = greater(s, _cutoff(s, x.shape, rcond))
    inverse = where(keep, divide(1.0, where(keep, s, 1.0)), 0.0)
    return matmul(multiply(matrix_transpose(vh), expand_dims(inverse, -2)), matrix_transpose(u))


@composed(promote="float")
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
    """The x of least norm that minimises |a x - b|.

    Args:
        a: a matrix (m, n).
        b: a tensor (m,) or (m, k).
        rcond: singular values below `rcond` times the largest count as 0.
    """
    vector = len(b.shape) == 1
    out = matmul(pinv(a, rcond), expand_dims(b, -1) if vector else b)
    return squeeze(out, axis=-1) if vector else out

"""Linear algebra on the last two axes: factorisations, solutions, determinants.

Nothing raises for values that it may meet inside of compiled code, where JAX can't: what has no result is NaN, for the matrix
concerned and not for its stack. The exceptions are singular matrices, which `inv` and `solve` refuse everywhere but on JAX, and
`lu_factor` on TensorFlow.
"""

from __future__ import annotations

from typing import Any

from tricera.core.dtypes import COMPLEX, EPSILON
from tricera.core.op import composed, primitive
from tricera.core.spec import broadcast_shapes, real_part
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.comparison import greater
from tricera.ops.control import jvp  # noqa: F401 - belongs to this namespace, too
from tricera.ops.creation import dtype, eye, zeros_like
from tricera.ops.elementwise import add, cast, conj, divide, multiply
from tricera.ops.linear import matmul, matrix_transpose
from tricera.ops.reduce import (
    max as max_,
    norm,  # noqa: F401 - belongs to this namespace, too
    sum as sum_,
)
from tricera.ops.select import where
from tricera.ops.shape import expand_dims, squeeze
from tricera.ops.unary import log

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
    return Spec(x.shape[:-2], x.dtype), real_part(Spec(x.shape[:-2], x.dtype))


def _eig_spec(x: Spec) -> tuple[Spec, Spec]:
    _square("eig", x)
    kind = _COMPLEX.get(x.dtype, "complex64")
    return Spec(x.shape[:-1], kind), Spec(x.shape, kind)


def _eigh_spec(x: Spec) -> tuple[Spec, Spec]:
    _square("eigh", x)
    return real_part(Spec(x.shape[:-1], x.dtype)), x


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
    values = real_part(Spec((*lead, k), x.dtype))
    if not compute_uv:
        return values
    left, right = (m, n) if full_matrices else (k, k)
    return Spec((*lead, m, left), x.dtype), values, Spec((*lead, right, n), x.dtype)


def _solve_spec(a: Spec, b: Spec, *_: Any) -> Spec:
    n, vectors = _square("solve", a), b.ndim == a.ndim - 1
    rows = b.shape[-1] if vectors else b.shape[-2]
    if n is not None and rows is not None and n != rows:
        raise ValueError(
            f"ops.solve: a matrix of shape {tuple(a.shape)} and a right side of shape {tuple(b.shape)} don't fit."
        )
    kept = 1 if vectors else 2
    return Spec((*broadcast_shapes(a.shape[:-2], b.shape[:-kept]), *b.shape[-kept:]), b.dtype)


@primitive(spec=_like("cholesky"), promote="float", strict=True)
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """The triangular L with L L^T = x, for symmetric positive-definite matrices; NaN for all others.

    The gradient is that of a symmetric matrix, half on either side of the diagonal.

    Args:
        x: a tensor (..., n, n); only the lower triangle is read.
        upper: give L^T.

    Returns:
        A float tensor (..., n, n), zero on the other side of the diagonal.

    Raises:
        ValueError: the matrices aren't square.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(cholesky([[4.0, 2.0], [2.0, 5.0]])).tolist()
        [[2.0, 0.0], [1.0, 2.0]]
    """
    ...


@primitive(spec=_det_spec, promote="float", strict=True)
def det(x: TensorLike) -> Tensor:
    """The determinants.

    Args:
        x: a tensor (..., n, n).

    Returns:
        A float tensor (...).

    Raises:
        ValueError: the matrices aren't square.

    Example:
        >>> round(float(det([[2.0, 0.0], [0.0, 3.0]])), 4)
        6.0
    """
    ...


@primitive(spec=_slogdet_spec, promote="float", strict=True)
def slogdet(x: TensorLike) -> Any:
    """The sign of the determinant and the logarithm of its absolute value, as a pair.

    Args:
        x: a tensor (..., n, n).

    Returns:
        The pair (sign, logarithm) of float tensors (...); (0, -inf) for singular matrices.

    Raises:
        ValueError: the matrices aren't square.

    Example:
        >>> sign, logarithm = slogdet([[-1.0, 0.0], [0.0, 3.0]])
        >>> float(sign), round(float(logarithm), 4)
        (-1.0, 1.0986)
    """
    ...


@primitive(spec=_eig_spec, promote="float", strict=True)
def eig(x: TensorLike) -> Any:
    """Eigenvalues and eigenvectors (as columns), both complex: x v = w v.

    Args:
        x: a tensor (..., n, n); matrices with NaN or infinities in them give NaN.

    Returns:
        The pair (w, v) of tensors (..., n) and (..., n, n), of dtype complex64 (complex128 for float64); the order is
        the framework's.

    Raises:
        ValueError: the matrices aren't square.

    Example:
        >>> from tricera import ops
        >>> w, v = eig([[2.0, 0.0], [0.0, 3.0]])
        >>> sorted(ops.convert_to_numpy(w).real.tolist())
        [2.0, 3.0]
    """
    ...


@primitive(spec=_eigh_spec, promote="float", strict=True)
def eigh(x: TensorLike) -> Any:
    """Eigenvalues, ascending, and eigenvectors (as columns) of symmetric matrices: x v = w v.

    The gradient is that of a symmetric matrix, half on either side of the diagonal.

    Args:
        x: a tensor (..., n, n); only the lower triangle is read. Matrices with NaN or infinities in it give NaN.

    Returns:
        The pair (w, v) of float tensors (..., n) and (..., n, n); the sign of an eigenvector is the framework's.

    Raises:
        ValueError: the matrices aren't square.

    Example:
        >>> from tricera import ops
        >>> w, v = eigh([[3.0, 0.0], [0.0, 2.0]])
        >>> ops.convert_to_numpy(w).round(4).tolist()
        [2.0, 3.0]
    """
    ...


@primitive(spec=_like("inv"), promote="float", strict=True)
def inv(x: TensorLike) -> Tensor:
    """The inverse matrices.

    Args:
        x: a tensor (..., n, n).

    Returns:
        A float tensor (..., n, n).

    Raises:
        ValueError: the matrices aren't square. For singular ones JAX gives infinities and NaN, the others raise.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(inv([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """
    ...


@primitive(spec=_lu_spec, promote="float", strict=True)
def lu_factor(x: TensorLike) -> Any:
    """The factors L (below the diagonal) and U in one matrix, and the pivots: row i was swapped with row pivots[i].

    Args:
        x: a tensor (..., n, n).

    Returns:
        The pair (factors, pivots): a float tensor (..., n, n), and one (..., n) of dtype int32. The ones on the
        diagonal of L are left out.

    Raises:
        ValueError: the matrices aren't square. TensorFlow refuses singular ones, too; elsewhere U has a zero on its diagonal.

    Example:
        >>> from tricera import ops
        >>> factors, pivots = lu_factor([[2.0, 1.0], [4.0, 4.0]])
        >>> ops.convert_to_numpy(factors).tolist(), ops.convert_to_numpy(pivots).tolist()
        ([[4.0, 4.0], [0.5, -1.0]], [1, 1])
    """
    ...


@primitive(spec=_qr_spec, promote="float", strict=True)
def qr(x: TensorLike, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and an upper-triangular R, Q R = x.

    Args:
        x: a tensor (..., m, n).
        mode: `"reduced"` or `"complete"` (Q is square).

    Returns:
        The pair (Q, R) of float tensors (..., m, k) and (..., k, n), k being min(m, n), or m if complete; signs are the
        framework's.

    Raises:
        ValueError: another mode. With `"complete"` torch and TensorFlow have no gradient for more rows than columns.

    Example:
        >>> import numpy as np
        >>> q, r = qr(np.ones((3, 2)))
        >>> tuple(q.shape), tuple(r.shape)
        ((3, 2), (2, 2))
    """
    ...


@primitive(spec=_svd_spec, promote="float")
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition U diag(S) Vh = x.

    Args:
        x: a tensor (..., m, n); matrices with NaN or infinities in them give NaN.
        full_matrices: whether U and Vh are square.
        compute_uv: False gives S alone.

    Returns:
        The triple (U, S, Vh) of float tensors (..., m, m), (..., k) and (..., n, n), k being min(m, n), or S; without
        `full_matrices` (..., m, k) and (..., k, n). S is in descending order; signs are the framework's.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(svd([[2.0, 0.0], [0.0, 3.0]], compute_uv=False)).round(4).tolist()
        [3.0, 2.0]
    """
    ...


@primitive(spec=_solve_spec, promote="float", strict=True)
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """The x with a x = b.

    Args:
        a: a tensor (..., n, n).
        b: a tensor (..., n, k), or (..., n).

    Returns:
        A float tensor of the shape of `b`; stacks of both broadcast.

    Raises:
        ValueError: the shapes don't fit. For singular matrices JAX gives infinities or NaN, the others raise.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 8.0])).tolist()
        [1.0, 2.0]
    """
    ...


@primitive(spec=_solve_spec, promote="float", strict=True)
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
    """The x with a x = b, of which `a` only the upper (or lower) triangle is looked at.

    Args:
        a: a tensor (..., n, n).
        b: a tensor (..., n, k), or (..., n).
        lower: whether it is the lower triangle.

    Returns:
        A float tensor of the shape of `b`; infinities and NaN where the diagonal holds a zero.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(solve_triangular([[2.0, 1.0], [9.0, 4.0]], [4.0, 8.0])).tolist()
        [1.0, 2.0]
    """
    ...


@composed(promote="float")
def logdet(x: TensorLike) -> Tensor:
    """The logarithm of the determinant of symmetric positive-definite matrices, by `cholesky`.

    Args:
        x: a tensor (..., n, n).

    Returns:
        A float tensor (...); for other matrices the same as happens in `cholesky`.

    Example:
        >>> round(float(logdet([[2.0, 0.0], [0.0, 3.0]])), 4)
        1.7918
    """
    from tricera.ops.arrays import diagonal

    return multiply(2.0, sum_(log(diagonal(cholesky(x), axis1=-2, axis2=-1)), axis=-1))


@composed(promote="float")
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """The inverse of the symmetric positive-definite matrix whose Cholesky factor is `x`.

    Args:
        x: a triangular factor (..., n, n).
        upper: whether it is the upper one.

    Returns:
        A float tensor (..., n, n).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(cholesky_inverse([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.25, 0.0], [0.0, 0.0625]]
    """
    identity = add(zeros_like(x), eye(x.shape[-1], dtype=dtype(x)))
    inverse = solve_triangular(x, identity, lower=not upper)
    flipped = _adjoint(inverse)
    return matmul(inverse, flipped) if upper else matmul(flipped, inverse)


def _adjoint(x: Any) -> Any:
    return matrix_transpose(conj(x) if dtype(x) in COMPLEX else x)


def _cutoff(values: Any, shape: Any, rcond: float | None) -> Any:
    eps = EPSILON[dtype(values)]
    share = max(shape[-2], shape[-1]) * eps if rcond is None else rcond
    return multiply(max_(values, axis=-1, keepdims=True), share)


@composed(promote="float")
def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
    """How many singular values are above a tolerance.

    Args:
        x: a tensor (..., m, n).
        tol: the tolerance; default: the largest singular value times max(m, n) times the dtype's epsilon.

    Returns:
        A tensor (...) of dtype int32; 0 for a matrix with NaN in it.

    Example:
        >>> int(matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
        1
    """
    values = svd(x, compute_uv=False)
    limit = _cutoff(values, x.shape, None) if tol is None else tol
    return sum_(cast(greater(values, limit), "int32"), axis=-1)


@composed(promote="float")
def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """The Moore-Penrose inverse; singular values below `rcond` times the largest count as 0.

    Args:
        x: a tensor (..., m, n).
        rcond: default: max(m, n) times the dtype's epsilon.

    Returns:
        A float tensor (..., n, m).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(pinv([[2.0, 0.0], [0.0, 4.0], [0.0, 0.0]])).round(4).tolist()
        [[0.5, 0.0, 0.0], [0.0, 0.25, 0.0]]
    """
    u, s, vh = svd(x, full_matrices=False)
    keep = greater(s, _cutoff(s, x.shape, rcond))
    inverse = where(keep, divide(1.0, where(keep, s, 1.0)), 0.0)
    return matmul(multiply(_adjoint(vh), expand_dims(inverse, -2)), _adjoint(u))


@composed(promote="float")
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
    """The x of least norm that minimises |a x - b|.

    Args:
        a: a matrix (m, n).
        b: a tensor (m,) or (m, k).
        rcond: singular values below `rcond` times the largest count as 0; default: max(m, n) times the dtype's epsilon.

    Returns:
        A float tensor (n,) or (n, k).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(lstsq([[1.0], [1.0]], [1.0, 3.0])).round(4).tolist()
        [2.0]
    """
    vector = len(b.shape) == 1
    out = matmul(pinv(a, rcond), expand_dims(b, -1) if vector else b)
    return squeeze(out, axis=-1) if vector else out

"""Rows of the table for linear algebra, Fourier transforms, patches and sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg as linalg

from tests.ops.cases import CASES, B, P, X, rand, row

__all__ = ["CASES"]
S = rand(2, 3, 3)
POSITIVE = (np.einsum("bij,bkj->bik", S, S) + 2 * np.eye(3)).astype("float32")
TALL = rand(2, 4, 3)
L = np.linalg.cholesky(POSITIVE)
row("cholesky", POSITIVE, ref=np.linalg.cholesky, tol=1e-4)
row("cholesky", POSITIVE, True, ref=lambda x, u: np.swapaxes(np.linalg.cholesky(x), -1, -2), tol=1e-4)
row("cholesky_inverse", L, ref=lambda x: np.linalg.inv(POSITIVE), tol=1e-4, batch=False)
row(
    "cholesky_inverse",
    np.swapaxes(L, -1, -2).copy(),
    ref=lambda x, upper: np.linalg.inv(POSITIVE),
    tol=1e-4,
    kwargs={"upper": True},
    batch=False,
)
row("det", S, ref=np.linalg.det, grad=True, tol=1e-4)
row("slogdet", S, ref=lambda x: tuple(np.linalg.slogdet(x)), tol=1e-4)
row("logdet", POSITIVE, ref=lambda x: np.linalg.slogdet(x)[1], grad=True, tol=1e-4)
row("inv", POSITIVE, ref=np.linalg.inv, grad=True, tol=1e-4)
row("solve", POSITIVE, rand(2, 3, 2), ref=np.linalg.solve, grad=True, tol=1e-4, batch=False)
row("solve", POSITIVE[:1], rand(4, 3, 2), ref=np.linalg.solve, tol=1e-4, batch=False)
row("solve", POSITIVE, rand(1, 3), ref=lambda a, b: np.linalg.solve(a, b[..., None])[..., 0], tol=1e-4, batch=False)
row("solve", POSITIVE, rand(2, 3), ref=lambda a, b: np.linalg.solve(a, b[..., None])[..., 0], tol=1e-4, batch=False)
for lower in (False, True):
    row(
        "solve_triangular",
        POSITIVE,
        rand(2, 3, 2),
        lower,
        ref=lambda a, b, k: np.linalg.solve(np.tril(a) if k else np.triu(a), b),
        tol=1e-4,
        batch=False,
    )
row("lu_factor", S, ref=lambda x: tuple(np.stack(p) for p in zip(*map(linalg.lu_factor, x), strict=True)), tol=1e-4)
row("matrix_rank", np.stack([np.ones((3, 3)), np.eye(3)]).astype("float32"), ref=np.linalg.matrix_rank)
row("matrix_rank", TALL, 1e3, ref=np.linalg.matrix_rank)
row("pinv", TALL, ref=np.linalg.pinv, tol=1e-4)
row("pinv", np.ones((3, 2), "float32"), ref=np.linalg.pinv, tol=1e-4, batch=False)
row("lstsq", TALL[0], rand(4), ref=lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], tol=1e-4, batch=False)
row("lstsq", TALL[0], rand(4, 2), ref=lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], tol=1e-4, batch=False)
row("svd", TALL, False, False, ref=lambda x, f, c: np.linalg.svd(x, compute_uv=False), tol=1e-4)

# --- Fourier ---------------------------------------------------------------------------------------------------------


def split(z: Any) -> tuple[Any, Any]:
    """Real and imaginary parts."""
    return z.real, z.imag


VOID = np.zeros((0, 3, 4), "float32")
SIGNAL = rand(2, 20)
row("fft", [X, P], ref=lambda x: split(np.fft.fft(x[0] + 1j * x[1])), batch=False)
row("fft2", [X, P], ref=lambda x: split(np.fft.fft2(x[0] + 1j * x[1])), batch=False)
row("ifft2", [X, P], ref=lambda x: split(np.fft.ifft2(x[0] + 1j * x[1])), batch=False)
row("rfft", SIGNAL, ref=lambda x: split(np.fft.rfft(x)), grad=True, tol=1e-4)
row("rfft", SIGNAL, ref=lambda x, fft_length: split(np.fft.rfft(x, fft_length)), kwargs={"fft_length": 7}, tol=1e-4)
row("rfft", SIGNAL[:0], ref=lambda x: split(np.fft.rfft(x)))
row("irfft", [X[:0], P[:0]], ref=lambda x: np.fft.irfft(x[0] + 1j * x[1]), batch=False)
row("fft2", [VOID, VOID], ref=lambda x: split(np.fft.fft2(x[0])), batch=False)
row("irfft", [X, P], ref=lambda x: np.fft.irfft(x[0] + 1j * x[1]), batch=False)
row("irfft", [X, P], 5, ref=lambda x, n: np.fft.irfft(x[0] + 1j * x[1], n), batch=False)
row("extract_sequences", SIGNAL, 8, 4, ref=lambda x, n, s: np.stack([x[:, i : i + 8] for i in (0, 4, 8, 12)], 1))


def stft(x: Any, length: int, stride: int, size: int, window: str | None = "hann", center: bool = True) -> Any:
    """Frame by frame."""
    n = np.arange(length)
    w = {
        "hann": 0.5 - 0.5 * np.cos(2 * np.pi * n / length),
        "hamming": 0.54 - 0.46 * np.cos(2 * np.pi * n / length),
        None: np.ones(length),
    }[window]
    before = (size - length) // 2
    w = np.pad(w, (before, size - length - before))
    x = np.pad(x, ((0, 0), (size // 2, size // 2)), mode="reflect") if center else x
    return split(np.fft.rfft(np.stack([x[:, i : i + size] * w for i in range(0, x.shape[1] - size + 1, stride)], 1)))


row("stft", SIGNAL, 8, 4, 8, ref=stft, tol=1e-4)
row("stft", SIGNAL, 6, 2, 8, ref=stft, kwargs={"window": "hamming"}, tol=1e-4)
row("stft", SIGNAL, 8, 4, 8, ref=stft, kwargs={"center": False, "window": None}, tol=1e-4)
row(
    "istft",
    [np.asarray(p, "float32") for p in stft(SIGNAL, 8, 2, 8)],
    8,
    2,
    8,
    ref=lambda x, *a: SIGNAL,
    tol=1e-4,
    batch=False,
)
row("view_as_real", np.array([1 + 2j, -3j], "complex64"), ref=lambda x: np.stack([x.real, x.imag], -1))
for name, reference in (
    ("view_as_complex", lambda x: x[..., 0] + 1j * x[..., 1]),
    ("real", np.real),
    ("imag", np.imag),
    ("angle", np.angle),
):
    if name != "view_as_complex":
        row(name, np.array([1 + 2j, -3j, -1 + 0j], "complex64"), ref=reference)

# --- patches, views, choices -----------------------------------------------------------------------------------------


def unfold(x: Any, kernel: Any, dilation: int = 1, padding: int = 0, stride: int = 1) -> Any:
    """Block by block."""
    kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    reach = (dilation * (kh - 1) + 1, dilation * (kw - 1) + 1)
    blocks = [
        x[:, :, i : i + reach[0] : dilation, j : j + reach[1] : dilation].reshape(len(x), -1)
        for i in range(0, x.shape[2] - reach[0] + 1, stride)
        for j in range(0, x.shape[3] - reach[1] + 1, stride)
    ]
    return np.stack(blocks, -1)


IMAGES = rand(2, 3, 6, 5)
row("unfold", IMAGES, 2, ref=unfold, grad=True)
row("unfold", IMAGES, (3, 2), ref=unfold, kwargs={"dilation": 2, "padding": 1, "stride": 2})


def fold(x: Any, size: Any, kernel: int, stride: int = 1, padding: int = 0) -> Any:
    """The transpose of `unfold`, one block at a time."""
    channels = x.shape[1] // kernel**2
    out = np.zeros((len(x), channels, size[0] + 2 * padding, size[1] + 2 * padding), x.dtype)
    rows, columns = ((n + 2 * padding - kernel) // stride + 1 for n in size)
    for b in range(rows * columns):
        i, j = b // columns * stride, b % columns * stride
        out[:, :, i : i + kernel, j : j + kernel] += x[..., b].reshape(len(x), channels, kernel, kernel)
    return out[:, :, padding : size[0] + padding, padding : size[1] + padding]


row("fold", rand(2, 8, 9), (4, 4), 2, ref=fold, grad=True)
row("fold", rand(2, 8, 9), (5, 4), 2, ref=fold, kwargs={"stride": 2, "padding": 1})
row("view", X, "int32", ref=lambda x, d: x.view(d))
row("view", X, "int16", ref=lambda x, d: x.view(d))
row("view", X.view("int16"), "float32", ref=lambda x, d: x.view(d))
row("select", [B, X > 1], [X, P], 7.0, ref=np.select)
row("select", [B], [X], ref=np.select)


# --- sequences ---------------------------------------------------------------------------------------------------------


def ctc(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Any:
    """All alignments, one by one."""
    import itertools

    losses = []
    for t, x, n, m in zip(target, output, target_length, output_length, strict=True):
        shares = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
        total = 0.0
        for path in itertools.product(range(x.shape[1]), repeat=int(m)):
            if [k for k, _ in itertools.groupby(path) if k != mask_index] == list(t[:n]):
                total += np.prod([shares[i, k] for i, k in enumerate(path)])
        losses.append(-np.log(total))
    return np.array(losses)


LABELS = np.array([[1, 2, 0], [1, 1, 2], [2, 0, 0]], "int32")
row(
    "ctc_loss",
    LABELS,
    rand(3, 5, 3),
    np.array([2, 3, 1], "int32"),
    np.array([5, 5, 3], "int32"),
    ref=ctc,
    grad=True,
    tol=1e-4,
)
row(
    "ctc_loss",
    LABELS[:, :2] - 1,
    rand(3, 4, 3),
    np.array([2, 1, 1], "int32"),
    np.array([4, 4, 2], "int32"),
    2,
    ref=ctc,
    tol=1e-4,
)

"""The table of ops: one row an op and a way to call it, with what NumPy or SciPy says that it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.special as special


class Case(NamedTuple):
    """One call of an op.

    Attributes:
        op: its name.
        args: positional arguments; arrays become tensors.
        reference: gives the right values from the same arguments as arrays.
        kwargs: other arguments.
        grad: whether the gradient by the float arguments is compared with differences of the reference.
        batch: whether the shape can be inferred with the first axes unknown.
        tol: how far off values may be.
    """

    op: str
    args: tuple[Any, ...]
    reference: Callable[..., Any]
    kwargs: dict[str, Any] = {}
    grad: bool = False
    batch: bool = True
    tol: float = 1e-5

    @property
    def id(self) -> str:
        """A name for the test."""
        shapes = ",".join(
            str(list(a.shape)).replace(" ", "") + a.dtype.kind if isinstance(a, np.ndarray) else str(a)[:20]
            for a in self.args
        )
        return f"{self.op}({shapes}{''.join(f',{k}={v}' for k, v in self.kwargs.items() if not isinstance(v, np.ndarray))})"


def rand(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Uniform float32 numbers, none near another (so that maxima and signs are clear)."""
    rng = np.random.default_rng([seed, *shape])
    n = int(np.prod(shape))
    steps = (rng.permutation(n) + rng.uniform(0.25, 0.75, n)) / max(n, 1)
    return (low + (high - low) * steps).reshape(shape).astype("float32")


def ints(*shape: int, low: int = -4, high: int = 5, seed: int = 0) -> np.ndarray:
    """Integers."""
    return np.random.default_rng(seed).integers(low, high, shape).astype("int32")


X = rand(3, 4)
P = rand(3, 4, low=0.2, high=0.9)
B = ints(3, 4) > 0
ODD = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan], "float32")
ONE = rand(1, 1)
EMPTY = np.zeros((0, 3), "float32")
CASES: list[Case] = []


def row(op: str, *args: Any, ref: Callable[..., Any], **options: Any) -> None:
    """Add a row."""
    CASES.append(Case(op, args, ref, **options))


def unary(
    op: str,
    ref: Callable[..., Any],
    x: np.ndarray = X,
    grad: bool = True,
    odd: bool = True,
    tol: float = 1e-5,
    **kw: Any,
) -> None:
    """Rows of an elementwise function: plain values, special ones, a scalar, nothing at all."""
    row(op, x, ref=ref, grad=grad, tol=tol, kwargs=kw)
    row(op, x[:1, :1], ref=ref, kwargs=kw, tol=tol)
    row(op, np.asarray(x[0, 0]), ref=ref, kwargs=kw, tol=tol)
    row(op, EMPTY, ref=ref, kwargs=kw)
    if odd:
        row(op, ODD, ref=ref, kwargs=kw, tol=tol)


def binary(op: str, ref: Callable[..., Any], a: np.ndarray, b: np.ndarray, grad: bool = True, **kw: Any) -> None:
    """Rows of a function of two: the same shape, both ways of broadcasting, nothing at all."""
    row(op, a, b, ref=ref, grad=grad, **kw)
    row(op, a[:, :1], b[:1], ref=ref, grad=grad, **kw)
    row(op, a, b[0], ref=ref, **kw)
    row(op, a[:0], b[:0], ref=ref, **kw)
    row(op, a, b[0, 0], ref=ref, **kw)


# --- elementwise -------------------------------------------------------------------------------------------------
for name in ("exp", "expm1", "exp2", "sin", "cos", "arctan", "sinh", "cosh", "tanh", "arcsinh"):
    unary(name, getattr(np, name))
unary("tan", np.tan, rand(3, 4, low=-1.2, high=1.2), odd=False)
for name in ("log", "log10", "log1p", "log2", "sqrt"):
    unary(name, getattr(np, name), P)
unary("rsqrt", lambda x: 1 / np.sqrt(x), P)
unary("arcsin", np.arcsin, P)
unary("arccos", np.arccos, P)
unary("arctanh", np.arctanh, P)
unary("arccosh", np.arccosh, P + 1)
unary("erf", special.erf)
row("erf", np.array([-6.0, -3.0, 2.9, 3.1, 40.0], "float32"), ref=special.erf)
unary("erfinv", special.erfinv, rand(3, 4, low=-0.9, high=0.9))
unary("sigmoid", special.expit)
row("sigmoid", np.array([-200.0, 200.0], "float32"), ref=special.expit)
unary("negative", np.negative)
unary("absolute", np.absolute)
unary("abs", np.absolute)
unary("sign", np.sign)
unary("floor", np.floor, grad=False)
unary("ceil", np.ceil, grad=False)
unary("trunc", np.trunc, grad=False)
row("round", np.array([0.5, 1.5, 2.5, -0.5, np.nan], "float32"), ref=np.round)
row("round", X * 100, ref=np.round, kwargs={"decimals": 1}, tol=1e-4)
row("round", X * 100, ref=np.round, kwargs={"decimals": -1})
row("round", ints(5) * 7, ref=np.round)
for name in ("isnan", "isinf", "isfinite"):
    unary(name, getattr(np, name), grad=False)
    row(name, ints(4), ref=getattr(np, name))
for name in ("absolute", "negative", "sign", "square"):
    row(name, ints(3, 4), ref=getattr(np, name))
unary("logical_not", np.logical_not, grad=False)
row("logical_not", B, ref=np.logical_not)
row("bitwise_not", ints(3, 4), ref=np.bitwise_not)
unary("conjugate", np.conjugate)
unary("conj", np.conjugate)
unary("square", np.square)
unary("reciprocal", np.reciprocal, P)
unary("copy", np.copy)
unary("stop_gradient", lambda x: x, grad=False)
row("cast", X, "int32", ref=lambda x, d: x.astype(d))
row("cast", ints(3), "float16", ref=lambda x, d: x.astype(d))
row("cast", np.array([0.0, 2.0], "float32"), "bool", ref=lambda x, d: x.astype(d))
row("clip", X, -1.0, 1.0, ref=np.clip, grad=True)
row("clip", ODD, -1.0, 1.0, ref=np.clip)
row("clip", X, X[0] - 1, X[0] + 1, ref=np.clip)
row("clip", X, None, 0.5, ref=np.clip)
row("clip", X, 0.5, None, ref=np.clip)
row("clip", ints(3, 4), None, 1, ref=np.clip)
row("clip", X, None, None, ref=lambda x, *_: x)
for name in ("add", "subtract", "multiply", "maximum", "minimum", "arctan2"):
    binary(name, getattr(np, name), X, rand(3, 4, seed=1))
    row(name, ODD, np.float32(np.nan), ref=getattr(np, name))
binary("divide", np.divide, X, P)
row("divide", np.array([1.0, -1.0, 0.0], "float32"), np.zeros(3, "float32"), ref=np.divide)
binary("true_divide", np.divide, X, P)
binary("power", np.power, P, X)
row("power", ints(4, low=0), ints(4, low=0), ref=np.power)
binary("floor_divide", np.floor_divide, X, P, grad=False)
row("floor_divide", ints(6), np.array([2, -2, 3, -3, 1, 5], "int32"), ref=np.floor_divide)
binary("mod", np.mod, X, P, grad=False)
row("mod", ints(6), np.array([2, -2, 3, -3, 1, 5], "int32"), ref=np.mod)
binary("squared_difference", lambda a, b: (a - b) ** 2, X, P)
binary("divide_no_nan", lambda a, b: np.where(b == 0, 0, a / np.where(b == 0, 1, b)), X, P)
row(
    "divide_no_nan",
    X,
    np.where(B, X, 0).astype("float32"),
    ref=lambda a, b: np.where(b == 0, 0, a / np.where(b == 0, 1, b)),
)
binary("logaddexp", np.logaddexp, X, P)
row("logaddexp", ODD, ODD, ref=np.logaddexp)
binary("hypot", np.hypot, X, P)
row("hypot", np.array([3e30, 0.0], "float32"), np.array([4e30, 0.0], "float32"), ref=np.hypot)
for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
    binary(name, getattr(np, name), ints(3, 4), ints(3, 4, seed=1), grad=False)
    row(name, ODD, ODD[::-1].copy(), ref=getattr(np, name))
    row(name, B, ~B, ref=getattr(np, name))
for name in ("logical_and", "logical_or", "logical_xor"):
    binary(name, getattr(np, name), B, ints(3, 4, seed=1), grad=False)
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    binary(name, getattr(np, name), ints(3, 4), ints(3, 4, seed=1), grad=False)
for name in ("left_shift", "right_shift"):
    binary(name, getattr(np, name), ints(3, 4), ints(3, 4, low=0, seed=1), grad=False)

# --- creation from a tensor ----------------------------------------------------------------------------------------
row("zeros_like", X, ref=np.zeros_like)
row("zeros_like", X, ref=lambda x, dtype: np.zeros_like(x, dtype), kwargs={"dtype": "int32"})
row("ones_like", ints(2), ref=np.ones_like)
row("empty_like", X, ref=np.zeros_like)
row("full_like", X, 2.5, ref=np.full_like)
row("full_like", X, X[0], ref=np.full_like)

# --- reductions ----------------------------------------------------------------------------------------------------
X3 = rand(2, 3, 4)
AXES: tuple[Any, ...] = (None, 0, -1, (0, -1), (1,))
for name in ("sum", "mean", "max", "min", "prod"):
    for axis in AXES:
        row(name, X3, ref=getattr(np, name), kwargs={"axis": axis}, grad=axis != (1,))
    row(name, X3, ref=getattr(np, name), kwargs={"axis": 1, "keepdims": True})
    row(name, X3, ref=getattr(np, name), kwargs={"axis": None, "keepdims": True})
    row(name, ONE, ref=getattr(np, name))
    row(name, ODD, ref=getattr(np, name))
for name in ("sum", "prod"):
    row(name, EMPTY, ref=getattr(np, name), kwargs={"axis": 0})
    row(name, ints(3, 4), ref=getattr(np, name))
    row(name, B, ref=lambda x, f=getattr(np, name), **k: f(x.astype("int32"), **k), kwargs={"axis": 0})
for name in ("max", "min"):
    row(name, EMPTY, ref=getattr(np, name), kwargs={"axis": 0, "initial": 3.0})
    row(name, X, ref=getattr(np, name), kwargs={"axis": -1, "initial": 0.5})
    row(name, ints(3, 4), ref=getattr(np, name), kwargs={"axis": 1})
row("amax", X3, ref=np.max, kwargs={"axis": (0, 1)}, grad=True)
row("amin", X3, ref=np.min, kwargs={"axis": -1, "keepdims": True}, grad=True)
for name in ("any", "all"):
    for axis in AXES:
        row(
            name,
            ints(2, 3, 4, low=0, high=2),
            ref=lambda x, f=getattr(np, name), **k: f(x != 0, **k),
            kwargs={"axis": axis},
        )
    row(name, B, ref=getattr(np, name), kwargs={"axis": 0, "keepdims": True})
    row(name, EMPTY, ref=getattr(np, name), kwargs={"axis": 0})
for name in ("argmax", "argmin"):
    for axis in (None, 0, -1):
        row(name, X3, ref=getattr(np, name), kwargs={"axis": axis})
        row(name, X3, ref=getattr(np, name), kwargs={"axis": axis, "keepdims": True})
    row(name, np.array([1, 3, 3, 1, 1], "int32"), ref=getattr(np, name))
for name in ("cumsum", "cumprod"):
    for axis in (0, -1):
        row(name, X, ref=getattr(np, name), kwargs={"axis": axis}, grad=True)
    row(name, X, ref=getattr(np, name))
    row(name, ints(4), ref=lambda x, f=getattr(np, name), **k: f(x, dtype="int32"))
for name in ("var", "std"):
    for axis in AXES:
        row(name, X3, ref=getattr(np, name), kwargs={"axis": axis}, grad=True)
    row(name, X3, ref=getattr(np, name), kwargs={"axis": -1, "keepdims": True})


def moments(x: Any, axes: Any, keepdims: bool = False) -> Any:
    """Mean and variance."""
    return np.mean(x, axis=axes, keepdims=keepdims), np.var(x, axis=axes, keepdims=keepdims)


row("moments", X3, (0, -1), ref=moments)
row("moments", X3, [1], ref=lambda x, axes, **k: moments(x, tuple(axes), **k), kwargs={"keepdims": True})
for axis in AXES:
    row("logsumexp", X3, ref=special.logsumexp, kwargs={"axis": axis}, grad=True)
row("logsumexp", np.array([-np.inf, -np.inf], "float32"), ref=special.logsumexp)
row("logsumexp", np.array([1000.0, 1000.0], "float32"), ref=special.logsumexp)
row("logsumexp", X3, ref=special.logsumexp, kwargs={"axis": -2, "keepdims": True})
row("count_nonzero", ints(3, 4), ref=np.count_nonzero, kwargs={"axis": -1})
row("count_nonzero", ints(3, 4), ref=np.count_nonzero)
row("average", X, ref=np.average, kwargs={"axis": -1}, grad=True)
row("average", X, ref=np.average, kwargs={"axis": 0, "weights": P[:, 0]})
row("average", X, ref=np.average, kwargs={"axis": None, "weights": P})
for order in (None, 1, 2, 3, 0, np.inf, -np.inf):
    row("norm", X, ref=np.linalg.norm, kwargs={"ord": order, "axis": -1}, grad=order in (None, 2, 3))
for order in (None, "fro", 1, -1, np.inf, -np.inf):
    row("norm", X3, ref=np.linalg.norm, kwargs={"ord": order, "axis": (0, 2), "keepdims": True})
row("norm", X3, ref=np.linalg.norm)

# --- moving elements ---------------------------------------------------------------------------------------------
row("reshape", X3, (4, -1), ref=np.reshape, grad=True)
row("reshape", X3, (-1,), ref=np.reshape)
row("reshape", X3, 24, ref=np.reshape, batch=False)
row("reshape", EMPTY, (3, 0), ref=np.reshape, batch=False)
row("transpose", X3, ref=np.transpose, grad=True)
row("transpose", X3, (1, -1, 0), ref=np.transpose)
for axis in (0, -1, 1, (0, -1), (1, 2)):
    row("expand_dims", X, axis, ref=np.expand_dims)
row("squeeze", X[None, :, None], ref=np.squeeze, batch=False)
row("squeeze", X[None, :, None], ref=np.squeeze, kwargs={"axis": 0})
row("squeeze", X[None, :, None], ref=np.squeeze, kwargs={"axis": (0, -2)}, grad=True)
row("broadcast_to", X[:1], (2, 3, 4), ref=np.broadcast_to, grad=True)
for axis in (0, -1, 1):
    row("concatenate", [X, X + 1], ref=np.concatenate, kwargs={"axis": axis})
    row("stack", [X, X + 1], ref=np.stack, kwargs={"axis": axis})
row("concatenate", [X, X[:0]], ref=np.concatenate)
row("concatenate", [X, ints(2, 4)], ref=np.concatenate)
row("split", X, 2, ref=np.split, kwargs={"axis": 1})
row("split", X, [1, 3], ref=np.split, kwargs={"axis": -1})
row("split", X, [2, 2], ref=np.split)
row("unstack", X, ref=lambda x, **k: list(np.moveaxis(x, 1, 0)), kwargs={"axis": -1})
row("unstack", X, 3, ref=lambda x, n: list(x), batch=False)
row("pad", X, 1, ref=np.pad, grad=True)
row("pad", X, ((0, 1), (2, 0)), ref=np.pad)
row("pad", X, ((1, 1), (2, 1)), "reflect", ref=np.pad, grad=True)
row("pad", X, ((1, 1), (2, 1)), "symmetric", ref=np.pad)
row("pad", X, ((0, 0), (9, 6)), "reflect", ref=np.pad, grad=True)
row("pad", X, ((0, 7), (0, 9)), "symmetric", ref=np.pad)
row("pad", X[:, :1], ((0, 0), (1, 2)), "reflect", ref=np.pad)
row("pad", X[:0], ((0, 0), (1, 2)), "reflect", ref=np.pad)
row(
    "pad",
    X,
    ((1, 0), (0, 1)),
    ref=lambda x, w, constant_values: np.pad(x, w, constant_values=constant_values),
    kwargs={"constant_values": 7},
)
row("tile", X, 2, ref=np.tile)
row("tile", X, (2, 1), ref=np.tile, grad=True)
row("tile", X, (2, 1, 3), ref=np.tile)
row("repeat", X, 2, ref=np.repeat)
row("repeat", X, 2, ref=np.repeat, kwargs={"axis": -1}, grad=True)
row("repeat", X, (1, 0, 2), ref=np.repeat, kwargs={"axis": 0})
for axis in (None, 0, (0, -1)):
    row("flip", X, ref=np.flip, kwargs={"axis": axis})
row("roll", X, 2, ref=np.roll)
row("roll", X, -1, ref=np.roll, kwargs={"axis": -1}, grad=True)
row("roll", X, (1, 2), ref=np.roll, kwargs={"axis": (0, 1)})
row("ravel", X, ref=np.ravel)
row("swapaxes", X3, 0, -1, ref=np.swapaxes)
row("moveaxis", X3, 0, -1, ref=np.moveaxis)
row("moveaxis", X3, (0, 1), (-1, 0), ref=np.moveaxis)
for k in (0, 1, -1):
    row("tril", X3, ref=np.tril, kwargs={"k": k})
    row("triu", X3, ref=np.triu, kwargs={"k": k}, grad=k == 1)

# --- choosing and placing ------------------------------------------------------------------------------------------
I = np.array([2, 0, -1], "int32")
row("select_where", B, X, P, ref=np.where)
row("select_where", B[:, :1], X[0], 0.0, ref=np.where)
row("select_where", np.array([np.nan], "float32") != 0, ODD, np.float32(1), ref=np.where)
row("nonzero", B, ref=np.nonzero)
row("nonzero", X[:0], ref=np.nonzero)
for axis in (0, -1, None):
    row("take", X, I, ref=np.take, kwargs={"axis": axis}, grad=axis == 0)
row("take", X, np.array([[0, 1], [1, 1]], "int32"), ref=np.take, kwargs={"axis": 1})
row("take", X, np.int32(-1), ref=np.take, kwargs={"axis": -1})
row("take", X, np.zeros((0,), "int32"), ref=np.take, kwargs={"axis": 0})
row(
    "take_along_axis",
    X,
    ints(3, 2, low=0, high=4).astype("int32"),
    ref=np.take_along_axis,
    kwargs={"axis": -1},
    grad=True,
)
row("take_along_axis", X, ints(1, 4, low=-3, high=3), ref=np.take_along_axis, kwargs={"axis": 0})
row("take_along_axis", X, I, ref=np.take_along_axis, kwargs={"axis": None})
for axis in (0, -1, None):
    row("sort", X, ref=np.sort, kwargs={"axis": axis}, grad=axis == -1)
    row("argsort", X, ref=np.argsort, kwargs={"axis": axis})
row("argsort", np.array([2, 1, 2, 1], "int32"), ref=lambda x: np.argsort(x, kind="stable"))
row("sort", B, ref=np.sort)


def top_k(x: Any, k: int) -> Any:
    """The largest, and their places."""
    order = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, order, -1), order


row("top_k", X, 2, ref=top_k)
row("top_k", ints(3, 6), 1, ref=lambda x, k: top_k(x.astype("int64"), k))


def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros, and values added."""
    out = np.zeros(shape, values.dtype)
    np.add.at(out, tuple(np.moveaxis(indices, -1, 0)), values)
    return out


def scatter_update(x: Any, indices: Any, values: Any, reduction: str | None = None) -> Any:
    """A copy with elements combined."""
    out = np.array(x)
    at = tuple(np.moveaxis(indices, -1, 0))
    if reduction is None:
        out[at] = values
    else:
        {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}[reduction].at(out, at, values)
    return out


POINTS = np.array([[0, 1], [2, 3], [0, 1]], "int32")
ROWS = np.array([[0], [2], [0]], "int32")
row("scatter", POINTS, X[:, 0], (3, 4), ref=scatter)
row("scatter", ROWS, X, (3, 4), ref=scatter)
row("scatter_update", X, POINTS[:2], np.ones(2, "float32"), ref=scatter_update, grad=True)
for how in ("add", "max", "min", "mul"):
    row("scatter_update", X, POINTS, np.array([0.5, 3, -2], "float32"), ref=scatter_update, kwargs={"reduction": how})
    row("scatter_update", X, ROWS, rand(3, 4, seed=3), ref=scatter_update, kwargs={"reduction": how})
row("slice", X, (1, 0), (2, 3), ref=lambda x, at, shape: x[1:3, :3], grad=True)
row("slice", X, (1, 1), (2, -1), ref=lambda x, at, shape: x[1:3, 1:])
row(
    "slice_update",
    X,
    (1, 2),
    np.zeros((2, 2), "float32"),
    ref=lambda x, at, u: np.concatenate([x[:1], np.concatenate([x[1:, :2], u], 1)]),
    grad=True,
)
for key in (
    0,
    -1,
    slice(1, None),
    (slice(None), 1),
    (Ellipsis, 0),
    (None, slice(None, None, 2)),
    (slice(None), slice(None, None, -1)),
    (slice(0, 2), None, -1),
    np.array([0, 2]),
    [0, 2],
    (slice(None), np.array([0, 2])),
    (np.array([0, 1]), np.array([1, 2])),
    (Ellipsis, None),
):
    row(
        "get_item",
        X,
        key,
        ref=lambda x, k: x[k],
        grad=isinstance(key, slice),
        batch=not isinstance(key, (np.ndarray, list)),
    )


def one_hot(x: Any, n: int, axis: int = -1, dtype: Any = "float32") -> Any:
    """Ones at the classes."""
    return np.moveaxis((x[..., None] == np.arange(n)).astype(dtype), -1, axis)


row("one_hot", np.array([0, 2, -1, 5], "int32"), 4, ref=one_hot)
row("one_hot", ints(2, 3, low=0), 4, ref=one_hot, kwargs={"axis": 0})
row("one_hot", ints(2, 3, low=0), 4, ref=one_hot, kwargs={"axis": -2, "dtype": "int32"})

# --- products --------------------------------------------------------------------------------------------------------
A, C = rand(2, 3, 4), rand(2, 4, 5, seed=1)
row("matmul", A, C, ref=np.matmul, grad=True, batch=False)
row("matmul", A, C[0], ref=np.matmul, grad=True)
row("affine", A, C[0], rand(C.shape[-1], seed=5), ref=lambda x, k, b: x @ k + b, grad=True)
row("affine", A[0], C[0], rand(C.shape[-1], seed=5), ref=lambda x, k, b: x @ k + b, grad=True)
row("affine", A[:, :0], C[0], rand(C.shape[-1], seed=5), ref=lambda x, k, b: x @ k + b)
for _e, _x, _k, _b in (
    ("abc,cde->abde", A, rand(4, 2, 3, seed=5), (2, 3)), ("...c,cd->...d", A, C[0], (5,)), ("abc,bcd->ad", A, rand(3, 4, 2), (2,)),
    ("ab,bc->ca", A[0], C[0], (1,)), ("abc,cd->abd", A[:, :0], C[0], (5,)), ("abc,cd->abd", A, C[0], (3, 5)), ("ab,ac->abc", A[0], rand(3, 2), ()),
):  # fmt: skip
    row(
        "affine_einsum", _x, _k, rand(*_b, seed=7), ref=lambda x, k, b, subscripts: np.einsum(subscripts, x, k) + b, grad=bool(_x.size),
        kwargs={"subscripts": _e}, batch=False,
    )  # fmt: skip
row("matmul", A[0], C, ref=np.matmul, batch=False)
row("matmul", A[0, 0], C, ref=np.matmul, batch=False)
row("matmul", A, C[0, :, 0], ref=np.matmul)
row("matmul", A[0, 0], C[0, :, 0], ref=np.matmul, batch=False)
row("matmul", A[:, :0], C, ref=np.matmul, batch=False)
row("matmul", ints(2, 3), ints(3, 2), ref=np.matmul, batch=False)
row(
    "matmul",
    ints(2, 3).astype("int8"),
    ints(3, 2).astype("int8"),
    ref=lambda a, b: np.matmul(a.astype("int32"), b.astype("int32")),
    batch=False,
)
row("contract", "bij,bjk->bik", [A, C], ref=lambda s, x: np.einsum(s, *x))
row("contract", "...ij,...jk->...ik", [A, C], ref=lambda s, x: np.einsum(s, *x))
row("contract", "ij,kj", [A[0], A[1]], ref=lambda s, x: np.einsum(s, *x))
row("contract", "ii->i", [X[:, :3]], ref=lambda s, x: np.einsum(s, *x), batch=False)
row("tensordot", A, C, [[0, 2], [0, 1]], ref=np.tensordot, grad=True, batch=False)
row("tensordot", A[0], C[0], 1, ref=np.tensordot)
row("dot", A[0], C, ref=np.dot, batch=False)
row("dot", A[0, 0], C[0], ref=np.dot, batch=False)
row("dot", A[0], np.float32(2), ref=np.dot)
row("vdot", A, A + 1, ref=np.vdot, grad=True)
row("inner", A, A[0], ref=np.inner, batch=False)
row("outer", A[0], C[0, 0], ref=np.outer)
row("matrix_transpose", A, ref=lambda x: np.swapaxes(x, -1, -2))

# --- activations -----------------------------------------------------------------------------------------------------
unary("relu", lambda x: np.maximum(x, 0))
row("relu", ints(4), ref=lambda x: np.maximum(x, 0))
unary("relu6", lambda x: np.clip(x, 0, 6), X * 4)
unary("leaky_relu", lambda x, negative_slope=0.2: np.where(x > 0, x, x * np.float32(negative_slope)), odd=False)
unary(
    "leaky_relu",
    lambda x, negative_slope=0.2: np.where(x > 0, x, x * np.float32(negative_slope)),
    odd=False,
    negative_slope=0.1,
)
unary("elu", lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))))
unary("elu", lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))), alpha=0.5)
unary("selu", lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))))
unary("celu", lambda x, alpha=1.0: np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha)), alpha=0.7)
unary("gelu", lambda x, approximate: x * special.ndtr(x), approximate=False, odd=False)
unary("gelu", lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), odd=False)
unary("silu", lambda x: x * special.expit(x), odd=False)
unary("softplus", lambda x: np.logaddexp(x, 0))
row("softplus", np.array([-200.0, 200.0], "float32"), ref=lambda x: np.logaddexp(x, 0))
unary("softsign", lambda x: x / (1 + np.abs(x)))
unary("log_sigmoid", special.log_expit)
unary("mish", lambda x: x * np.tanh(np.logaddexp(x, 0)), odd=False)
unary("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), X * 4 + 0.1)
unary("hard_silu", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), X * 4 + 0.1, odd=False)
unary("hard_tanh", lambda x: np.clip(x, -1, 1))
unary("hard_shrink", lambda x: np.where(np.abs(x) > 0.5, x, 0), odd=False)
unary("soft_shrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0))
unary("tanh_shrink", lambda x: x - np.tanh(x))
row("threshold", X, 0.5, -1.0, ref=lambda x, t, v: np.where(x > t, x, v), grad=True)
unary("squareplus", lambda x: (x + np.sqrt(x * x + 4)) / 2)
unary("sparse_plus", lambda x: np.where(x < -1, 0, np.where(x > 1, x, 0.25 * (x + 1) ** 2)), odd=False)
unary("sparse_sigmoid", lambda x: np.clip(0.5 * (x + 1), 0, 1))
row("glu", X, ref=lambda x: x[..., :2] * special.expit(x[..., 2:]), grad=True)
row("glu", X3, ref=lambda x, axis: x[:1] * special.expit(x[1:]), kwargs={"axis": 0}, batch=False)
for axis in (-1, 0, (0, -1), (1, 2)):
    row("softmax", X3, ref=special.softmax, kwargs={"axis": axis}, grad=True)
    row("log_softmax", X3, ref=special.log_softmax, kwargs={"axis": axis}, grad=True)
row("softmax", np.array([1000.0, 0.0, -np.inf], "float32"), ref=special.softmax)
row("log_softmax", np.array([1000.0, 0.0], "float32"), ref=special.log_softmax)

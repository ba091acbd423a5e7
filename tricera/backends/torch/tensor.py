"""Making, casting and reading torch tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import torch

from tricera.backends.torch.kernels import AROUND, with_dtypes
from tricera.core import config, dtypes
from tricera.core.plain import PLAIN

cacheable = True
UNKNOWN_SIZES = False
SPARSE_CLASS = False
DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name) for name in dtypes.ALLOWED if isinstance(getattr(torch, name, None), torch.dtype)
}
_NAMES = {value: name for name, value in DTYPES.items()}
_KERNELS = with_dtypes(DTYPES)
PLAIN.add(torch.dtype)
_DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device() -> torch.device:
    """Where new tensors go."""
    return _DEVICE


def set_device(chosen: torch.device) -> None:
    """Choose where new tensors go."""
    global _DEVICE
    _DEVICE = chosen


def is_tensor(x: Any) -> bool:
    """Whether `x` is a torch tensor."""
    return isinstance(x, torch.Tensor)


def is_tensor_type(cls: type) -> bool:
    """Whether a class is torch's tensor or one derived from it."""
    return issubclass(cls, torch.Tensor)


def canonical(dtype: str) -> str:
    """The dtype that values of `dtype` really have here."""
    return dtype


def native_dtype(dtype: str) -> torch.dtype:
    """The torch dtype of that name.

    Raises:
        TypeError: torch has none.
    """
    try:
        return DTYPES[dtype]
    except KeyError:
        raise TypeError(f"PyTorch has no dtype {dtype!r}.") from None


def convert(x: Any, dtype: str | None = None) -> torch.Tensor:
    """Make a tensor; lists of Python numbers get floatx or int32."""
    if dtype == "float8_e4m3fn":
        return _eight_bits(x)
    if isinstance(x, torch.Tensor):
        return x if dtype is None or _NAMES[x.dtype] == dtype else x.to(native_dtype(dtype))
    kind = type(x)
    if kind is float or kind is int or kind is bool:
        weak = config.floatx() if kind is float else dtypes.of_int(x) if kind is int else "bool"
        if kind is int and dtype is not None and not 0 <= x < 128:
            return torch.tensor(x, device=_DEVICE).to(native_dtype(dtype))  # round the clock, as tensors do
        return torch.tensor(x, dtype=native_dtype(dtype or weak), device=_DEVICE)
    if isinstance(x, (list, tuple)) and any(isinstance(e, torch.Tensor) for e in x):
        return torch.stack([convert(e, dtype) for e in x])
    if kind is list and _plain(x):
        # Without a detour by NumPy, which torch.compile could not follow.
        tensor = torch.tensor(x, dtype=None if dtype is None else native_dtype(dtype), device=_DEVICE)
        if dtype is not None or tensor.dtype == torch.bool:
            return tensor
        if tensor.dtype == torch.int64:
            return tensor.to(native_dtype(dtypes.of_int(x)))
        return torch.tensor(x, dtype=native_dtype(config.floatx()), device=_DEVICE)
    if not hasattr(x, "dtype"):
        array = np.asarray(x)
        dtype = dtype or dtypes.of_array(array)
    else:
        array = np.asarray(x)
    return from_numpy(array, dtype)


def _eight_bits(x: Any) -> torch.Tensor:
    """A tensor of float8_e4m3fn, NaN out of its range as everywhere else: torch takes the greatest number (`ops.saturate_cast` does)."""
    made = convert(x)
    if made.dtype == torch.float8_e4m3fn:
        return made
    wide = made if made.is_floating_point() and made.dtype.itemsize > 1 else made.to(torch.float32)
    return wide.masked_fill(wide.abs() > _E4M3_END, torch.nan).to(torch.float8_e4m3fn)


_E4M3_END = 464.0  # up to which a number is rounded to 448


def _plain(x: list[Any]) -> bool:
    """Whether a nested list begins with a Python number."""
    first: Any = x
    while type(first) is list and first:
        first = first[0]
    return type(first) in (bool, int, float)


def from_numpy(array: np.ndarray, dtype: str | None = None) -> torch.Tensor:
    """A tensor of an array's values; it shares memory where it can."""
    if array.dtype.kind in "OUS":
        raise TypeError(f"PyTorch has no tensors of strings or objects; got an array of dtype {array.dtype}.")
    if not array.flags.writeable or any(s < 0 for s in array.strides) or not array.dtype.isnative:
        array = np.array(array, dtype=array.dtype.newbyteorder("="))
    name = array.dtype.name
    if name == "bfloat16":
        tensor = torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    elif name in dtypes.FLOAT8:
        tensor = torch.from_numpy(array.view(np.uint8)).view(DTYPES[name])
    else:
        tensor = torch.from_numpy(array)
    return tensor.to(device=_DEVICE, dtype=None if dtype is None else native_dtype(dtype))


def table(make: Callable[..., Any], dtype: str | None, *args: Any) -> torch.Tensor:
    """The tensor of an array `make(*args)`."""
    made = _made(make, dtype, *args)
    # torch.compile knows the shape only of what is computed.
    return made.clone() if torch.compiler.is_compiling() else made


def _made(make: Callable[..., Any], dtype: str | None, *args: Any) -> torch.Tensor:
    return convert(make(*args), dtype)


# torch.compile would trace NumPy, too, but does not know its dtypes: what bears this mark it calls, and takes for a constant.
_made._dynamo_marked_constant = True  # type: ignore[attr-defined]


def fused(function: Callable[..., Any], *options: Any) -> Callable[..., Any]:
    """`function` with its last arguments; ops are run one by one here."""
    return lambda *tensors: function(*tensors, *options)


def cast(x: Any, dtype: str) -> torch.Tensor:
    """The same values in another dtype."""
    return convert(x, dtype)


def to_numpy(x: Any) -> np.ndarray:
    """Fetch the values."""
    if not isinstance(x, torch.Tensor):
        return np.asarray(x)
    x = densify(x.detach())
    if x.device.type != "cpu":
        x = x.cpu()
    if x.dtype == torch.bfloat16:
        return x.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    name = _NAMES[x.dtype]
    if name in dtypes.FLOAT8:
        return x.contiguous().view(torch.uint8).numpy().view(dtypes.numpy_dtype(name))
    return x.resolve_conj().resolve_neg().numpy()


def shape(x: Any) -> tuple[int, ...]:
    """The shape."""
    return tuple(x.shape) if isinstance(x, torch.Tensor) else np.shape(x)


def dtype(x: Any) -> str:
    """The name of the dtype."""
    return _NAMES[x.dtype] if isinstance(x, torch.Tensor) else dtypes.standardize_dtype(np.asarray(x).dtype)


def dynamic_shape(x: Any) -> tuple[int, ...]:
    """The shape, which is always known here."""
    return shape(x)


def entries(shape: Any) -> tuple[Any, ...]:
    """The entries of a tensor that holds a shape and has no value yet: sizes are always known here, so there is none."""
    raise TypeError("A size must be known when it is traced.")


def settle(name: str, run: Callable[..., Any], tensors: Sequence[Any], options: dict[str, Any]) -> Callable[..., Any]:
    """`run`, or torch's own function with the options that it takes."""
    around = AROUND.get(name)
    special = around(run) if around is not None else _KERNELS.get(name)
    return (special and special(*tensors, **options)) or run


def version(x: Any) -> int | None:
    """A number that changes when `x` is changed in place; None for tensors of inference mode, which don't count changes."""
    return None if x.is_inference() else x._version


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor in COO layout."""
    return isinstance(x, torch.Tensor) and x.is_sparse


def densify(x: Any) -> Any:
    """The dense tensor of a sparse one; all others as they are."""
    return x.to_dense() if is_sparse(x) else x


def traced(x: Any) -> bool:
    """Whether `x` has no value yet: never, `torch.compile` reads a value where a length depends on it."""
    return False


def refusal(error: Exception) -> type[Exception] | None:
    """What a native error means: ValueError or TypeError where the input was bad, None for all else."""
    if isinstance(error, NotImplementedError):
        return TypeError
    if isinstance(error, torch.OutOfMemoryError) or "CUDA" in str(error):
        return None
    return ValueError if type(error) in (RuntimeError, IndexError, torch.linalg.LinAlgError) else None

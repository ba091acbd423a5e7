"""What a backend provides: a Protocol for each room, and the ops that have no portable body.

A backend is a folder with these rooms as modules; `tests/backends/test_contract.py` holds every one of them to this. Functions get
what the front half of an op has made of the user's arguments: tensors of this backend, canonical axes, dtypes by name.

A room `ops` besides them holds `TABLE`, from the name of an op to its function: every primitive (`primitives()`), and composed ops
for which the framework has a faster or more exact kernel. `DETOURS` beside it names the dtypes for which an op has no kernel, and
the dtype in which it is computed instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from tricera.core.op import OPS


class TraitsRoom(Protocol):
    """What is known without loading the framework. `SEED_DTYPE` is the dtype in which seeds are counted up, `SEEDS_AT_ONCE` says
    whether their state is made with them, if the framework is loaded."""

    SEED_DTYPE: str
    SEEDS_AT_ONCE: bool


class TensorRoom(Protocol):
    """Tensors. `cacheable` says whether what was found for a combination of dtypes may be kept for the next call, `SPARSE_CLASS`
    whether sparse tensors are told from dense ones by their class, `UNKNOWN_SIZES` whether graphs may have sizes that are known only
    when they run, so that a shape may hold tensors."""

    cacheable: bool
    SPARSE_CLASS: bool
    UNKNOWN_SIZES: bool

    def is_tensor(self, x: Any) -> bool:
        """Whether `x` is one of this framework's tensors."""

    def is_tensor_type(self, cls: type) -> bool:
        """Whether a class is one of this framework's tensors."""

    def canonical(self, dtype: str) -> str:
        """The dtype that values of `dtype` really have."""

    def convert(self, x: Any, dtype: str | None = None) -> Any:
        """Make a tensor of anything; Python floats get floatx, integers int32."""

    def table(self, make: Callable[..., Any], dtype: str | None, *args: Any) -> Any:
        """The tensor of an array `make(*args)`, the arguments being plain; a constant inside a trace."""

    def fused(self, function: Callable[..., Any], *options: Any) -> Callable[..., Any]:
        """`function(*tensors, *options)` as a function of the tensors, compiled where many small ops cost more than that."""

    def cast(self, x: Any, dtype: str) -> Any:
        """The same values in another dtype."""

    def to_numpy(self, x: Any) -> np.ndarray:
        """Fetch the values."""

    def shape(self, x: Any) -> tuple[int | None, ...]:
        """The shape, None where it is unknown inside a trace."""

    def dynamic_shape(self, x: Any) -> tuple[Any, ...]:
        """The shape, scalar tensors where it is unknown."""

    def entries(self, shape: Any) -> tuple[Any, ...]:
        """The entries of a tensor that holds a shape and has no value yet: integers where they are known, else scalars."""

    def dtype(self, x: Any) -> str:
        """The name of the dtype."""

    def settle(
        self, name: str, run: Callable[..., Any], tensors: Sequence[Any], options: dict[str, Any]
    ) -> Callable[..., Any]:
        """What is kept for the next call of an op on tensors of the same types and dtypes: `run`, or something faster."""

    def version(self, x: Any) -> int | None:
        """A number that changes when `x` is changed in place; None where that can't be told."""

    def is_sparse(self, x: Any) -> bool:
        """Whether `x` is one of this framework's sparse tensors."""

    def densify(self, x: Any) -> Any:
        """The dense tensor of a sparse or ragged one; all others as they are."""

    def traced(self, x: Any) -> bool:
        """Whether `x` has no value yet: it stands for one while a compiler traces."""

    def refusal(self, error: Exception) -> type[Exception] | None:
        """What a native error means: ValueError or TypeError where the input was bad, None for all else."""


class SparseRoom(Protocol):
    """Sparse tensors: their stored values, and moves of these. Where a framework has none, dense ones that store all elements."""

    def make(self, indices: Any, values: Any, shape: tuple[int, ...]) -> Any:
        """A sparse tensor of values at places (n, rank); what comes twice adds up."""

    def values(self, x: Any) -> Any:
        """The values that are stored."""

    def with_values(self, x: Any, values: Any) -> Any:
        """The same places with other values."""

    def align(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Both with the places of either, in the same order."""

    def at(self, x: Any, like: Any) -> Any:
        """The elements of a dense tensor, broadcast, at the places of a sparse one."""

    def matmul(self, a: Any, b: Any) -> Any:
        """The product of two matrices; sparse where both are."""

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        """The same elements in another shape."""

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """The axes in another order."""

    def concatenate(self, xs: Sequence[Any], axis: int) -> Any:
        """Tensors joined along an axis."""

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """The sum over axes."""


class RandomRoom(Protocol):
    """Draws, each from the state of a seed (two integers); the same state gives the same numbers."""

    def normal(self, shape: Any, dtype: str, seed: Any) -> Any:
        """Standard normal numbers."""

    def uniform(self, shape: Any, dtype: str, seed: Any) -> Any:
        """Uniform numbers in [0, 1)."""

    def truncated_normal(self, shape: Any, dtype: str, seed: Any) -> Any:
        """Standard normal numbers within two standard deviations."""

    def randint(self, shape: Any, minval: Any, maxval: Any, dtype: str, seed: Any) -> Any:
        """Uniform integers in [minval, maxval)."""

    def categorical(self, logits: Any, num_samples: int, dtype: str, seed: Any) -> Any:
        """Classes drawn by the logits of each row."""

    def shuffle(self, x: Any, axis: int, seed: Any) -> Any:
        """Slices along an axis in random order."""

    def gamma(self, shape: Any, alpha: Any, dtype: str, seed: Any) -> Any:
        """Gamma-distributed numbers of scale 1."""

    def beta(self, shape: Any, alpha: Any, beta: Any, dtype: str, seed: Any) -> Any:
        """Beta-distributed numbers."""

    def binomial(self, shape: Any, counts: Any, probabilities: Any, dtype: str, seed: Any) -> Any:
        """Binomially distributed numbers."""


class StateRoom(Protocol):
    """The native form of variables and layers."""

    def make(self, value: np.ndarray, dtype: str, trainable: bool, name: str) -> Any:
        """The native form of a variable's initial value."""

    def read(self, native: Any) -> Any:
        """The value as a tensor."""

    def assign(self, native: Any, value: Any) -> Any:
        """The native form after assigning."""

    def accumulate(self, native: Any, value: Any) -> Any:
        """The native form after adding a tensor of its shape and dtype, or a number."""

    def zero(self, native: Any) -> Any:
        """The native form of zeros, in place where the framework can."""

    def set_trainable(self, native: Any, trainable: bool) -> Any:
        """The native form after a change of `trainable`."""

    def native_class(self, cls: type) -> type:
        """The class of a layer on this backend: with `torch.nn.Module` or TensorFlow's trackable behind it."""

    def without_gradients(self) -> contextlib.AbstractContextManager[Any]:
        """A block in which nothing is recorded for a backward pass."""

    def concrete(self) -> contextlib.AbstractContextManager[Any]:
        """A block in which computations yield values even inside a function that the framework traces."""


class ControlRoom(Protocol):
    """Gradients, abstract evaluation, control flow. `GRADIENTS` says whether there are any."""

    GRADIENTS: bool

    def value_and_grad(
        self, fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False
    ) -> Callable[..., Any]:
        """A function that gives `fn`'s result and its gradients; what `fn` assigns is assigned afterwards."""

    def vjp(
        self, fn: Callable[[list[Any]], tuple[Any, Any]], primals: list[Any]
    ) -> tuple[Any, Callable[[Any], Any], Any]:
        """Results, the pullback of their cotangents, and what `fn` carries out beside them."""

    def jvp(self, fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
        """Value and directional derivative."""

    def custom_gradient(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function with the gradient that it gives."""

    def remat(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose intermediate values are computed again in the backward pass."""

    def replica_mean(self, x: Any) -> Any:
        """The mean over the replicas that run the same step beside this one; `x` where there are none."""

    def device(self, name: Any) -> contextlib.AbstractContextManager[Any]:
        """A block in which tensors are made on a device."""

    def abstract(self, fn: Callable[..., Any], specs: Sequence[Any]) -> Any:
        """What `fn` returns for inputs of these shapes, without computing anything."""

    def cond(self, pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
        """One of both results."""

    def switch(self, index: Any, branches: Sequence[Callable[..., Any]], operands: Sequence[Any]) -> Any:
        """The result of one branch."""

    def while_loop(
        self, cond: Callable[..., Any], body: Callable[..., Any], values: tuple[Any, ...], limit: int | None
    ) -> Any:
        """Repeat while the condition holds."""

    def fori_loop(self, lower: Any, upper: Any, body: Callable[[Any, Any], Any], value: Any) -> Any:
        """Repeat for each index."""

    def scan(self, f: Callable[[Any, Any], Any], carry: Any, xs: Any, length: int, reverse: bool, unroll: Any) -> Any:
        """Carry a value along the first axis."""

    def vectorized_map(self, function: Callable[[Any], Any], elements: Any) -> Any:
        """The function on all slices at once."""


class StepRoom(Protocol):
    """Compiled steps and the data that they take. `STATELESS_STEPS` says whether users' steps may be `(state, data)`, `REPEATS` whether
    a single step gains from knowing that it does what the one before did."""

    STATELESS_STEPS: bool
    REPEATS: bool
    Step: type

    def place(self, batch: Any) -> Any:
        """The batch as tensors of this backend."""

    def place_resident(self, arrays: Any) -> Any:
        """Arrays that stay on the device for many steps."""

    def resident_limit(self) -> int:
        """How many bytes of data may stay on the device."""

    def opaque(self, fn: Callable[..., Any], *args: Any) -> Any:
        """`fn(*args)`: code that looks at values which may be others in the next step."""

    def wait(self, outputs: Any) -> Any:
        """The same outputs, once they are computed."""

    def discover(self, fn: Callable[[Any], Any], batch: Any) -> None:
        """Run a step on shapes alone, so that it creates the variables that it creates."""

    def fetch(self, tensors: list[Any]) -> list[np.ndarray]:
        """The values of several tensors, in one go."""


class OptimizerRoom(Protocol):
    """What updates need. A backend that has fused rules has `decay` and `scalars` for them, too."""

    scope: Any

    def fused(self, name: str, dtypes: Iterable[str]) -> Callable[..., None] | None:
        """What runs an optimizer's rule over all variables, of these dtypes, in place; None where the portable rule is to be taken."""

    def dense(self, gradient: Any) -> Any:
        """The gradient as a plain tensor."""

    def known(self, flag: Any) -> bool | None:
        """The flag as a bool; None inside a trace, where it has no value yet."""

    def cond(self, flag: Any, fn: Callable[[list[Any]], list[Any]], values: list[Any]) -> list[Any]:
        """`fn(values)` where the flag holds, else `values`."""

    def branch(self, flag: Any, run: Callable[[], Any]) -> bool:
        """Run what assigns variables where the flag holds, as a branch that copies no variable; False if there is none such."""

    def accumulate(self, totals: Sequence[Any], grads: Sequence[Any]) -> bool:
        """Add gradients to the native forms of variables in place; False where these can't be changed."""


ROOMS: dict[str, type] = {
    "traits": TraitsRoom,
    "tensor": TensorRoom,
    "sparse": SparseRoom,
    "random": RandomRoom,
    "state": StateRoom,
    "control": ControlRoom,
    "step": StepRoom,
    "optimizer": OptimizerRoom,
}


def primitives() -> list[str]:
    """The ops without a portable body, which every backend provides, of all the rooms of ops that have been imported.

    Example:
        >>> import tricera.ops
        >>> "add" in primitives() and "relu" not in primitives()
        True
    """
    return sorted(name for name, op in OPS.items() if op.primitive)

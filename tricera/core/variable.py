"""`Variable`: a mutable tensor that belongs to one backend; its native form is made when first needed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tricera.core import config, dispatch, dtypes, limits, naming
from tricera.core.operators import OPS, Operators
from tricera.core.scoped import Scoped
from tricera.core.state import MISSING, current_cells

# The dtype to which floating-point variables are cast when read (mixed precision), or None.
autocast_dtype: Scoped[str | None] = Scoped("autocast", default=None)
name_scopes: Scoped[tuple[str, ...]] = Scoped("name_scope", default=())


@contextlib.contextmanager
def autocast(dtype: str | None) -> Iterator[None]:
    """Read floating-point variables as `dtype` inside the block."""
    token = autocast_dtype.set(dtype)
    try:
        yield
    finally:
        autocast_dtype.reset(token)


class Variable(Operators):
    """A tensor that can be assigned, the unit of state of layers, metrics and optimizers.

    Args:
        initializer: a callable `(shape, dtype=...)` that gives the initial value, or the value itself.
        shape: needed with a callable.
        dtype: default: floatx, or the dtype of the given value.
        trainable: whether gradients should change it.
        autocast: whether mixed precision may read it in a lower precision.
        aggregation: how replicas are joined: `"none"`, `"mean"`, `"sum"` or `"only_first_replica"`.
        synchronization: accepted for compatibility with distributed TensorFlow.
        layout: how it is laid out over devices; None means everywhere.
        name: default: `variable`, `variable_1`, ...

    Raises:
        ValueError: a callable without a shape, a name with a slash, or a value that does not fit.

    Example:
        >>> v = Variable([1.0, 2.0])
        >>> _ = v.assign_add([1.0, 1.0])
        >>> v.numpy().tolist()
        [2.0, 3.0]
    """

    name: str = ""
    aggregation: str = "none"
    synchronization: str = "auto"
    regularizer: Any = None
    constraint: Any = None
    overwrite_with_gradient: bool = False

    def __init__(
        self,
        initializer: Callable[..., Any] | Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ValueError(f"Unknown argument of Variable: {', '.join(kwargs)}.")
        if aggregation not in (None, "none", "mean", "sum", "only_first_replica"):
            raise ValueError(
                f"`aggregation` must be 'none', 'mean', 'sum' or 'only_first_replica', not {aggregation!r}."
            )
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"A variable's name must be a string without '/', not {name!r}.")
        self._backend = dispatch.current()
        self.name = name or naming.auto_name(type(self).__name__)
        self._path = "/".join((*name_scopes.get(), self.name))
        self._trainable = self.learnable = bool(trainable)  # `learnable` says how it was made, and stays
        self.autocast = bool(autocast)
        self.aggregation = aggregation or "none"
        self.synchronization = synchronization
        self._layout = layout
        self.regularizer = self.constraint = None
        self.overwrite_with_gradient = False
        self._host: Any = _initial_value(initializer, shape, dtype, self.name)
        self._shape = tuple(self._host.shape)
        self._dtype = dtypes.standardize_dtype(self._host.dtype)
        self._is_float = dtypes.is_float(self._dtype)
        self._native: Any = None
        self.exposed = True  # whether somebody outside may hold the native value, so that no step may overwrite it

    @property
    def native(self) -> Any:
        """The framework's own object that holds the value (`nn.Parameter`, `tf.Variable`, `jax.Array`, array)."""
        if self._native is None:
            with dispatch.use(self._backend):
                self._native = self._backend.state.make(self._host, self._dtype, self._trainable, self._path)
            self._host = None
        return self._native

    @property
    def value(self) -> Any:
        """The value as a tensor of the variable's backend."""
        scope = current_cells.get()
        if scope is not None:
            value = scope.read(self)
            if value is MISSING:
                value = self._backend.state.read(self.native)
        else:
            self.exposed = True
            value = self._backend.state.read(self.native)
        dtype = autocast_dtype.get()
        if dtype is not None and self._is_float and self.autocast and dtype != self._dtype:
            return self._backend.cast(value, dtype)
        return value

    def assign(self, value: Any) -> Any:
        """Set the value.

        Args:
            value: a tensor, array or number of the variable's shape; it is cast to its dtype.

        Returns:
            The value as a tensor.

        Raises:
            ValueError: the shape differs.
        """
        backend = self._backend
        symbolic = getattr(value, "_keras_symbolic", False)
        if symbolic:
            shape = value.shape
        else:
            if isinstance(value, Variable):
                value = value.value
            owner = dispatch.of(value)
            if owner is not None and owner is not backend:
                value = owner.to_numpy(value)
            value = backend.convert(value, self._dtype)
            shape = backend.shape(value)
        if len(shape) != len(self._shape) or any(
            s is not None and s != mine for s, mine in zip(shape, self._shape, strict=True)
        ):
            raise ValueError(
                f"The variable {self._path!r} has shape {self._shape}; a value of shape {tuple(shape)} can't be assigned."
            )
        scope = current_cells.get()
        if scope is not None:
            scope.write(self, value)
        elif not symbolic:
            self._native = backend.state.assign(self.native, value)
            self.exposed = True
        return value

    def assign_add(self, value: Any) -> Any:
        """Add to the value in place; returns the new value."""
        return self.assign(OPS["add"](_uncast(self), value))

    def assign_sub(self, value: Any) -> Any:
        """Subtract from the value in place; returns the new value."""
        return self.assign(OPS["subtract"](_uncast(self), value))

    def accumulate(self, value: Any) -> None:
        """Add to the value, as `assign_add`, but in place where the framework can: for counts and sums, which nobody holds.

        Args:
            value: a number, an array, or a tensor of the variable's backend.
        """
        kind = type(value)
        plain = kind is int or (kind is float and self._is_float)
        if kind is np.ndarray:
            plain = value.dtype.name == self._dtype and value.shape == self._shape
        elif not plain and kind is not float:
            backend = dispatch.of_type(kind)
            plain = backend is self._backend and backend.dtype(value) == self._dtype and value.shape == self._shape
        if plain and current_cells.get() is None:
            self._native = self._backend.state.accumulate(self.native, value)
            self.exposed = True
        else:
            self.assign(OPS["add"](_uncast(self), value))

    def zero(self) -> None:
        """Set the value to zeros, in place where the framework can."""
        if current_cells.get() is None:
            self._native = self._backend.state.zero(self.native)
            self.exposed = True
        else:
            self.assign(np.zeros(self._shape, "float32"))

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array."""
        if self._native is None and self._host is not None and current_cells.get() is None:
            return np.array(self._host)
        with autocast(None):
            return np.array(self._backend.to_numpy(self.value))

    def move(self, backend: dispatch.Backend, dtype: str | None = None) -> None:
        """Take the value over to another backend, as another dtype if one is given."""
        if backend is not self._backend:
            self._host = self.numpy()
            self._native = None
            self._backend = backend
            if dtype is not None and dtype != self._dtype:
                self._host = self._host.astype(dtypes.numpy_dtype(dtype))
                self._dtype = dtype

    @property
    def backend(self) -> str:
        """The name of the backend to which the variable belongs."""
        return self._backend.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self._shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    @property
    def dtype(self) -> str:
        """The dtype; under mixed precision the one in which it is read now."""
        dtype = autocast_dtype.get()
        return dtype if dtype is not None and self._is_float and self.autocast else self._dtype

    @property
    def path(self) -> str:
        """The name with the scopes around it, `sequential/dense/kernel`."""
        return self._path

    @property
    def trainable(self) -> bool:
        """Whether gradients should change it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        if self._native is not None:
            self._native = self._backend.state.set_trainable(self._native, self._trainable)

    # What `tf.GradientTape.gradient` looks for in a source that is not a `tf.Variable` itself.
    _should_act_as_resource_variable = True

    @property
    def handle(self) -> Any:
        """The resource behind a `tf.Variable`; on other backends the native value."""
        return getattr(self.native, "handle", self.native)

    def numel(self) -> int:
        """The number of elements."""
        return int(np.prod(self._shape, dtype=np.int64))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __float__(self) -> float:
        return float(self._scalar())

    def __int__(self) -> int:
        return int(self._scalar())

    def __bool__(self) -> bool:
        return bool(self._scalar())

    def __index__(self) -> int:
        return int(self._scalar())

    def _scalar(self) -> Any:
        if self.numel() != 1:
            raise TypeError(
                f"Only a variable of one element can be turned into a Python number; {self._path!r} has shape {self._shape}."
            )
        return self.numpy().reshape(())

    def __len__(self) -> int:
        if not self._shape:
            raise TypeError(f"The variable {self._path!r} has no axes, so it has no length.")
        return self._shape[0]

    def __iter__(self) -> Iterator[Any]:
        # Python's own loop over `self[0], self[1], ...` would never end: JAX clamps indices that are out of range.
        return (self[i] for i in range(len(self)))

    def __jax_array__(self) -> Any:
        return self.value

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return self.value if dtype is None else self._backend.cast(self.value, dtypes.standardize_dtype(dtype))

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        def unwrap(x: Any) -> Any:
            if isinstance(x, Variable):
                return x.value
            return type(x)(map(unwrap, x)) if type(x) in (list, tuple) else x

        return func(*map(unwrap, args), **{k: unwrap(v) for k, v in (kwargs or {}).items()})

    def __repr__(self) -> str:
        value = "" if current_cells.get() is not None else f", value={self.numpy()}"
        return f"<Variable path={self._path}, shape={self._shape}, dtype={self._dtype}{value}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        copy = object.__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update(self.__dict__)
        copy._host, copy._native = self.numpy(), None
        return copy

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_host": self.numpy(), "_native": None}


def _uncast(variable: Variable) -> Any:
    with autocast(None):
        return variable.value


def _initial_value(initializer: Any, shape: Sequence[int] | None, dtype: Any, name: str) -> np.ndarray:
    """The initial value on the host; the native one follows when it is first needed."""
    if callable(initializer) and not hasattr(initializer, "__array__"):
        if shape is None:
            raise ValueError(f"The variable {name!r} has a callable initializer and needs a `shape` too.")
        known_shape = standardize_shape(shape)
        if None in known_shape:
            raise ValueError(f"The variable {name!r} needs a shape that is known, not {known_shape}.")
        dtype = dtypes.standardize_dtype(dtype)
        limits.charge(shape, dtype)  # type: ignore[arg-type]
        with dispatch.current().concrete():
            if getattr(type(initializer).__call__, "from_host", False):  # no need to go by way of a tensor
                value = array = initializer.on_host(known_shape, dtype)
            else:
                value = initializer(known_shape, dtype=dtype)
                array = _on_host(value)
    else:
        value = initializer
        array = _on_host(value)
    if dtype is None:
        known = hasattr(value, "dtype")
        dtype = dtypes.standardize_dtype(array.dtype) if known else _weak(array.dtype)
        if dtype.endswith(("64", "128")):  # which JAX may not hold; other dtypes don't need the framework to be asked
            dtype = dispatch.current().canonical(dtype)
    array = np.asarray(array).astype(dtypes.numpy_dtype(dtype))
    if shape is not None and array.shape != tuple(shape):
        raise ValueError(
            f"The initial value of the variable {name!r} has shape {array.shape}, but `shape` says {tuple(shape)}."
        )
    return array


def _on_host(value: Any) -> np.ndarray:
    owner = dispatch.of(value)
    return owner.to_numpy(value) if owner is not None else np.asarray(value)


def _weak(dtype: np.dtype[Any]) -> str:
    """The dtype of a list of Python numbers."""
    return {"f": config.floatx(), "i": "int32"}.get(dtype.kind, dtype.name)


def standardize_shape(shape: Any) -> tuple[int | None, ...]:
    """Check a shape: non-negative integers, or None where unknown.

    Raises:
        ValueError: it is not iterable, or an entry is negative or not an integer.
    """
    if isinstance(shape, int):
        shape = (shape,)
    try:
        entries = tuple(shape)
    except TypeError:
        raise ValueError(f"A shape must be a tuple of integers, not {shape!r}.") from None
    out: list[int | None] = []
    for entry in entries:
        if entry is not None:
            if not isinstance(entry, int):
                try:
                    entry = int(entry.__index__())
                except (AttributeError, TypeError):
                    raise ValueError(f"The shape {entries!r} holds {entry!r}, which is not an integer.") from None
            if entry < 0:
                raise ValueError(f"The shape {entries!r} holds {entry}; a dimension can't be negative.")
        out.append(entry)
    return tuple(out)


class name_scope:
    """Put `name/` before the paths of what is made inside.

    Args:
        name: the name, without a slash.
        deduplicate: accepted for compatibility; a name that is opened twice is the same name.
        override_parent: accepted for compatibility.

    Raises:
        ValueError: the name is no string.

    Example:
        >>> with name_scope("encoder"):
        ...     Variable([1.0], name="w").path
        'encoder/w'
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        unknown = sorted(set(kwargs) - {"deduplicate", "override_parent", "caller"})
        if unknown:
            raise TypeError(f"name_scope: unknown argument {unknown[0]!r}.")
        if not isinstance(name, str) or not name:
            raise ValueError(f"name_scope: `name` must be a string that is not empty, not {name!r}.")
        self.name = name
        self._tokens: list[Any] = []

    def __enter__(self) -> name_scope:
        self._tokens.append(name_scopes.set((*name_scopes.get(), self.name)))
        return self

    def __exit__(self, *exc_info: Any) -> None:
        name_scopes.reset(self._tokens.pop())


def is_value(x: Any) -> bool:
    """Whether a leaf of what comes beside a result is numbers, which a transform must carry out; not text and other objects."""
    if isinstance(x, (Variable, bool, int, float, complex)) or dispatch.of(x) is not None:
        return True
    return isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "biufcV"

"""Derivatives and mapping that work alike on JAX, PyTorch and TensorFlow, of functions of tensors and variables.

A function is taken apart into a pure one of flat lists of tensors; the backend transforms that one (`control.vjp`, `control.jvp`,
`control.vectorized_map`), and what comes out is put together again. What the function assigns to variables is carried out of the
transform and assigned afterwards, once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tricera.core import dispatch, dtypes, tree
from tricera.core.inference import PUBLIC
from tricera.core.state import cells
from tricera.core.variable import Variable, autocast, is_value

_NO_SCALAR = (
    "grad: the derivative is taken of one number, but the result has the shape {}. Sum it, or take its mean; a loss of `compile` "
    "does so with any `reduction` but None."
)


def value_and_grad(
    fn: Callable[..., Any],
    variables: Any = None,
    has_aux: bool = False,
    argnums: int | Sequence[int] = 0,
) -> Callable[..., Any]:
    """A function that returns what `fn` returns and its gradients, with respect to variables or to its own arguments.

    `fn` may assign variables (moving averages, seeds, metrics); the assignments take effect. It runs eagerly and inside
    compiled steps, the same on each backend with gradients.

    Args:
        fn: returns a scalar tensor, or with `has_aux` a pair (scalar, anything).
        variables: with respect to which: a list, or any nested structure of variables. None: with respect to arguments.
        has_aux: whether `fn` returns a pair.
        argnums: without `variables`, the positions of the arguments with respect to which. An argument may be a tensor, a
            variable, a float, or a nested structure of these.

    Returns:
        `run(*args, **kwargs) -> (fn's result, gradients)`. For variables: in their structure, None where unused on torch and
        TensorFlow. For arguments: in the structure of the argument, a tuple of such if `argnums` is a sequence, zero where unused.

    Raises:
        ValueError: no variables are given, they belong to different backends, or the result is no scalar.
        TypeError: an argument is not of a float dtype.
        NotImplementedError: the backend has no gradients (NumPy).

    Example:
        >>> from tricera import ops
        >>> w = Variable([3.0])
        >>> loss, grads = value_and_grad(lambda: ops.sum(w * w), [w])()
        >>> float(loss), float(grads[0][0])
        (9.0, 6.0)
        >>> value, slope = value_and_grad(lambda p: ops.sum(p["a"] * p["b"]))({"a": 2.0, "b": 5.0})
        >>> float(slope["a"])
        5.0
    """
    if variables is None:
        return _with_respect_to_arguments(fn, argnums, has_aux)
    flat = _variables(variables)
    backend = dispatch.get(flat[0].backend)

    def scalar(*args: Any, **kwargs: Any) -> Any:
        result = fn(*args, **kwargs)
        shape = getattr(result[0] if has_aux else result, "shape", None)
        if shape and len(shape):  # a shape of an unknown number of axes is false
            raise ValueError(_NO_SCALAR.format(tuple(shape)))
        return result

    inner = backend.control.value_and_grad(scalar, flat, has_aux)
    plain = type(variables) is list and not any(type(v) in (list, tuple, dict) for v in variables)

    def run(*args: Any, **kwargs: Any) -> Any:
        if dispatch.current() is backend:
            value, grads = inner(*args, **kwargs)
        else:
            with dispatch.use(backend):
                value, grads = inner(*args, **kwargs)
        return value, grads if plain else _pack(variables, grads)

    return run


def grad(
    fn: Callable[..., Any], variables: Any = None, has_aux: bool = False, argnums: int | Sequence[int] = 0
) -> Callable[..., Any]:
    """As `value_and_grad`, the gradients alone (with `has_aux`: the pair of them and what came beside the scalar).

    Args:
        fn: returns a scalar tensor, or with `has_aux` a pair (scalar, anything).
        variables: with respect to which; None: with respect to arguments.
        has_aux: whether `fn` returns a pair.
        argnums: without `variables`, the positions of the arguments.

    Example:
        >>> from tricera import ops
        >>> float(grad(grad(lambda x: x**3))(2.0))
        12.0
    """
    both = value_and_grad(fn, variables, has_aux, argnums)

    def run(*args: Any, **kwargs: Any) -> Any:
        value, grads = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return run


def vjp(fn: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """What a function gives, and the function that pulls cotangents of it back to its arguments: u -> u J.

    Args:
        fn: a function of tensors and structures of them; with `has_aux` it returns a pair.
        *primals: its arguments, of float dtypes.
        has_aux: whether `fn` returns a pair, of which the second is passed on as it is.

    Returns:
        `(out, pullback)` or `(out, pullback, aux)`. `pullback(cotangents)` takes a structure like `out` and returns a tuple, one
        structure an argument.

    Raises:
        TypeError: an argument is not of a float dtype.
        ValueError: (the pullback) the cotangents are of another structure than `out`.
        NotImplementedError: the backend has no gradients (NumPy).

    Example:
        >>> from tricera import ops
        >>> out, pullback = vjp(lambda x, y: x * y, 3.0, 4.0)
        >>> [float(g) for g in pullback(1.0)]
        [4.0, 3.0]
    """
    call = _Call(fn, "vjp", primals, has_aux)
    flat, pull = call.differentiate()
    out = call.out(flat)

    def pullback(cotangents: Any) -> tuple[Any, ...]:
        given = tree.flatten(cotangents)
        if len(given) != len(flat):
            raise ValueError(f"vjp: the pullback needs {len(flat)} cotangents, like the outputs; got {len(given)}.")
        with dispatch.use(call.backend):
            like = [call.backend.convert(_value(u), call.backend.dtype(y)) for u, y in zip(given, flat, strict=True)]
            for u, y in zip(like, flat, strict=True):
                if tuple(u.shape) != tuple(y.shape):
                    raise ValueError(
                        f"vjp: a cotangent has the shape {tuple(u.shape)}, its output {tuple(y.shape)}; they must be the same."
                    )
            return _pack(primals, pull(like))

    return (out, pullback, call.aux) if has_aux else (out, pullback)


def jvp(fn: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """What a function gives, and its derivative along a direction: J v.

    Args:
        fn: a function of tensors and structures of them; with `has_aux` it returns a pair.
        primals: its arguments, a tuple or list, of float dtypes.
        tangents: the direction, of the same structure.
        has_aux: whether `fn` returns a pair, of which the second is passed on as it is.

    Returns:
        `(out, derivative)` or `(out, derivative, aux)`, the derivative of the structure of `out`.

    Raises:
        TypeError: an argument is not of a float dtype, or `primals` is not a tuple or list.
        ValueError: the tangents are of another structure or shape than the primals.
        NotImplementedError: the backend has no gradients (NumPy).

    Example:
        >>> value, slope = jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.0))
        >>> float(value), float(slope)
        (12.0, 4.0)
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError("jvp: `primals` and `tangents` must be tuples or lists, one entry an argument.")
    call = _Call(fn, "jvp", tuple(primals), has_aux)
    given = tree.flatten(tuple(tangents))
    if len(given) != len(call.primals):
        raise ValueError(f"jvp: {len(call.primals)} primals need as many tangents; got {len(given)}.")
    with dispatch.use(call.backend) as backend:
        directions = [backend.convert(_value(t), backend.dtype(p)) for t, p in zip(given, call.primals, strict=True)]
        for t, p in zip(directions, call.primals, strict=True):
            if tuple(t.shape) != tuple(p.shape):
                raise ValueError(
                    f"jvp: a tangent has the shape {tuple(t.shape)}, its primal {tuple(p.shape)}; they must be the same."
                )
        n = len(call.primals)
        flat, slopes, aux = backend.control.jvp(
            lambda *values: call.flat(list(values)), call.primals[:n], directions, True
        )
        call.settle(aux)
    out, slope = call.out(flat), call.out(slopes)
    return (out, slope, call.aux) if has_aux else (out, slope)


def vmap(fn: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """A function of slices made one of whole tensors: `fn` on all slices along an axis, stacked.

    Args:
        fn: a function of tensors and structures of them.
        in_axes: the axis that is mapped, of each tensor; None for arguments that every call gets whole. One for all arguments,
            or a tuple with one entry an argument, each an axis, None, or a structure of these like the argument.
        out_axes: where the mapped axis goes in the results: one for all, or a structure like the result.

    Returns:
        A function of the same arguments.

    Raises:
        ValueError: nothing is mapped, sizes differ, or axes don't fit the arguments.

    Example:
        >>> from tricera import ops
        >>> vmap(ops.dot, in_axes=(0, None))(ops.ones((5, 3)), ops.ones((3,))).shape
        (5,)
    """
    if not callable(fn):
        raise TypeError(f"vmap: `fn` must be a function, not {type(fn).__name__}.")

    def run(*args: Any) -> Any:
        if isinstance(in_axes, (tuple, list)) and len(in_axes) != len(args):
            raise ValueError(f"vmap: `in_axes` has {len(in_axes)} entries for {len(args)} arguments.")
        each = in_axes if isinstance(in_axes, (tuple, list)) else [in_axes] * len(args)
        axes = [a for axis, arg in zip(each, args, strict=True) for a in _spread(axis, arg, "in_axes")]
        leaves = [_value(x) for x in tree.flatten(args)]
        backend = _backend_of(leaves)
        with dispatch.use(backend):
            mapped = [i for i, axis in enumerate(axes) if axis is not None]
            # Arrays beside mapped tensors: a framework's own operators don't take them.
            leaves = [backend.convert(x) if isinstance(x, np.ndarray) else x for x in leaves]
            moved = [_to_front(backend.convert(leaves[i]), axes[i]) for i in mapped]
            sizes = {x.shape[0] for x in moved if x.shape[0] is not None}
            if not mapped or len(sizes) > 1:
                found = f"they are of the sizes {sorted(sizes)}" if mapped else "no argument is mapped"
                raise ValueError(f"vmap: the mapped axes must be of one size, but {found}.")
            structure: list[Any] = []

            def one(slices: list[Any]) -> list[Any]:
                full = list(leaves)
                for i, x in zip(mapped, slices, strict=True):
                    full[i] = x
                structure[:] = [fn(*tree.pack_sequence_as(args, full))]
                return [backend.convert(x) for x in tree.flatten(structure[0])]

            flat = backend.control.vectorized_map(one, moved)
            to = _spread(out_axes, structure[0], "out_axes")
            outs = [x if not axis else PUBLIC["moveaxis"](x, 0, axis) for x, axis in zip(flat, to, strict=True)]
            return _pack(structure[0], outs)

    return run


def jacobian(fn: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that gives all the first derivatives of `fn`: d out[i...] / d arg[j...] at [i..., j...].

    Args:
        fn: a function of tensors and structures of them that returns one or a structure of them.
        argnums: the positions of the arguments with respect to which.

    Returns:
        A function of the same arguments. It returns the structure of the result, with the structure of the argument in the
        place of each tensor (a tuple of such if `argnums` is a sequence), of the shape `(*out.shape, *arg.shape)`.

    Raises:
        TypeError: an argument is not of a float dtype.
        NotImplementedError: the backend has no gradients (NumPy).

    Example:
        >>> from tricera import ops
        >>> jacobian(lambda x: x**2)(ops.convert_to_tensor([1.0, 2.0])).tolist()
        [[2.0, 0.0], [0.0, 4.0]]
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        places, chosen, partial = _chosen(fn, "jacobian", argnums, args, kwargs)
        call = _Call(partial, "jacobian", chosen, False)
        flat, pull = call.differentiate()
        with dispatch.use(call.backend) as backend:
            rows = [_rows_of_jacobian(backend, flat, i, pull, call.primals) for i in range(len(flat))]
        packed = [_pack(chosen, row) for row in rows]
        return call.out([p[0] for p in packed] if places is None else packed)

    return run


def hessian(fn: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that gives all the second derivatives of a scalar function: d² out / d arg[i...] d arg[j...] at [i..., j...].

    Args:
        fn: a function of tensors and structures of them that returns a scalar.
        argnums: the positions of the arguments with respect to which.

    Returns:
        A function of the same arguments. It returns the structure of the argument(s) twice, one inside the other.

    Raises:
        TypeError: an argument is not of a float dtype.
        ValueError: the result is no scalar.
        NotImplementedError: the backend has no gradients (NumPy).

    Example:
        >>> from tricera import ops
        >>> hessian(lambda x: ops.sum(x**3))(ops.convert_to_tensor([1.0, 2.0])).tolist()
        [[6.0, 0.0], [0.0, 12.0]]
    """
    return jacobian(grad(fn, argnums=argnums), argnums)


class _Call:
    """A call of a function, as a pure function of the flat list of its arguments' tensors.

    Attributes:
        backend: where it runs.
        primals: the tensors.
        aux: what the function returned beside its result.
    """

    def __init__(self, fn: Callable[..., Any], what: str, args: tuple[Any, ...], has_aux: bool) -> None:
        if not callable(fn):
            raise TypeError(f"{what}: `fn` must be a function, not {type(fn).__name__}.")
        self.fn, self.what, self.args, self.has_aux = fn, what, args, has_aux
        with autocast(None):
            leaves = [_value(x) for x in tree.flatten(args)]
        self.backend = _backend_of(leaves)
        if not self.backend.control.GRADIENTS:
            raise NotImplementedError(
                f"{what}: the backend {self.backend.name!r} has no derivatives. Choose another one: `tricera.backend.use('jax')`."
            )
        self.primals = [self.backend.convert(x) for x in leaves]
        if not leaves:
            raise ValueError(f"{what}: there is no tensor to differentiate with respect to.")
        for x in self.primals:
            if not dtypes.is_float(self.backend.dtype(x)):
                raise TypeError(
                    f"{what}: derivatives are with respect to floating-point tensors; an argument is of dtype "
                    f"{self.backend.dtype(x)!r}."
                )
        self.aux: Any = None
        self._structure: Any = None
        self._aux_structure: Any = None
        self._updated: list[Any] = []

    def flat(self, values: list[Any]) -> tuple[list[Any], list[Any]]:
        """The function itself: (results, what is only carried out: aux and the new values of variables)."""
        with cells() as scope:
            out = self.fn(*tree.pack_sequence_as(self.args, values))
            out, aux = out if self.has_aux else (out, None)
            self._updated = list(scope.updated.values())
            new = [scope.values[id(v)] for v in self._updated]
        self._structure, self._aux_structure = out, aux
        flat = [self.backend.convert(_value(y)) for y in tree.flatten(out)]
        return flat, [*new, *(self.backend.convert(_value(x)) for x in tree.flatten(aux) if is_value(x))]

    def differentiate(self) -> tuple[list[Any], Callable[[list[Any]], list[Any]]]:
        """The results, and the pullback of flat lists."""
        with dispatch.use(self.backend):
            out, pull, carried = self.backend.control.vjp(self.flat, self.primals)
            self.settle(carried)
        return out, pull

    def settle(self, carried: list[Any]) -> None:
        """Assign what the function assigned, and put aux together."""
        n = len(self._updated)
        for variable, value in zip(self._updated, carried[:n], strict=True):
            variable.assign(value)
        rest = iter(carried[n:])
        leaves = [next(rest) if is_value(x) else x for x in tree.flatten(self._aux_structure)]
        self.aux = _pack(self._aux_structure, leaves)

    def out(self, flat: Sequence[Any]) -> Any:
        """A flat list in the structure of the result."""
        return _pack(self._structure, flat)


def _with_respect_to_arguments(
    fn: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool
) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        places, chosen, partial = _chosen(fn, "grad", argnums, args, kwargs)
        call = _Call(partial, "grad", chosen, has_aux)
        flat, pull = call.differentiate()
        if len(flat) != 1 or tuple(flat[0].shape) != ():
            shapes = ", ".join(str(tuple(y.shape)) for y in flat)
            raise ValueError(
                f"grad: `fn` must return one scalar, but it returned the shapes {shapes}. Sum them, or use `jacobian`."
            )
        with dispatch.use(call.backend):
            grads = _pack(chosen, pull([PUBLIC["ones_like"](flat[0])]))
        value = call.out(flat)
        return (value, call.aux) if has_aux else value, grads[0] if places is None else grads

    return run


def _chosen(
    fn: Callable[..., Any], what: str, argnums: int | Sequence[int], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Sequence[int] | None, tuple[Any, ...], Callable[..., Any]]:
    """The arguments to differentiate by (and None if it is a single one), and `fn` as a function of them alone."""
    several = isinstance(argnums, Sequence)
    numbers: list[Any] = list(argnums) if several else [argnums]  # type: ignore[arg-type]
    for n in numbers:
        if not isinstance(n, int) or isinstance(n, bool):
            raise TypeError(f"{what}: `argnums` must be an integer or a sequence of integers, not {argnums!r}.")
        if not -len(args) <= n < len(args):
            raise ValueError(
                f"{what}: `argnums`={argnums!r}, but the function was given {len(args)} positional arguments."
            )
    places = [n % len(args) for n in numbers]

    def partial(*values: Any) -> Any:
        full = list(args)
        for place, value in zip(places, values, strict=True):
            full[place] = value
        return fn(*full, **kwargs)

    return (places if several else None), tuple(args[p] for p in places), partial


def _rows_of_jacobian(
    backend: dispatch.Backend, outputs: list[Any], at: int, pull: Callable[[list[Any]], list[Any]], primals: list[Any]
) -> list[Any]:
    """The derivatives of one result by each primal: unit cotangents pulled back, all at once."""
    out = outputs[at]
    shape = tuple(out.shape)
    size = math.prod(shape)
    reshape = PUBLIC["reshape"]
    if size == 0:
        return [reshape(backend.convert([], backend.dtype(p)), (*shape, *p.shape)) for p in primals]
    zeros = [PUBLIC["zeros_like"](y) for y in outputs]

    def row(unit: list[Any]) -> list[Any]:
        return pull([*zeros[:at], reshape(unit[0], shape), *zeros[at + 1 :]])

    units = backend.convert(np.eye(size), backend.dtype(out))
    try:
        rows = backend.control.vectorized_map(row, [units])
    except Exception:  # some derivatives can't be mapped: loops in TensorFlow's graphs, torch's of max pooling; what else fails does so again
        each = [row([units[i]]) for i in range(size)]
        rows = [PUBLIC["stack"](list(column)) for column in zip(*each, strict=True)]
    return [reshape(r, (*shape, *p.shape)) for r, p in zip(rows, primals, strict=True)]


def _variables(variables: Any) -> list[Variable]:
    if type(variables) is list and variables and all(type(v) is Variable for v in variables):
        flat = variables
    else:
        flat = tree.flatten(variables) if tree.is_nested(variables) else [variables]
    if not flat:
        raise ValueError("`value_and_grad` needs at least one variable; is everything frozen (`trainable = False`)?")
    for v in flat:
        if not isinstance(v, Variable):
            raise TypeError(
                f"`variables` must hold variables, not {type(v).__name__}; for gradients by arguments leave it out and use `argnums`."
            )
    backends = {v._backend for v in flat}
    if len(backends) > 1:
        names = sorted(b.name for b in backends)
        raise ValueError(f"The variables belong to different backends: {', '.join(names)}.")
    return flat


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Variable) else x


def _backend_of(leaves: Sequence[Any]) -> dispatch.Backend:
    found = (dispatch.of(x) for x in leaves)
    return next((b for b in found if b is not None), None) or dispatch.current()


def _pack(structure: Any, flat: Sequence[Any]) -> Any:
    return tree.pack_sequence_as(structure, flat) if tree.is_nested(structure) else flat[0]


def _spread(axes: Any, structure: Any, what: str) -> list[Any]:
    """One axis a leaf, of one for all or a structure of them."""
    leaves = tree.flatten(structure)
    if axes is None or isinstance(axes, int):
        return [axes] * len(leaves)
    flat = tree.flatten(axes)
    if len(flat) != len(leaves) or not all(a is None or isinstance(a, int) for a in flat):
        raise ValueError(f"vmap: `{what}`={axes!r} does not fit a structure of {len(leaves)} tensors.")
    return flat


def _to_front(x: Any, axis: int) -> Any:
    ndim = len(x.shape)
    if not -ndim <= axis < ndim:
        raise ValueError(f"vmap: `in_axes` has the axis {axis}, but the tensor is of the shape {tuple(x.shape)}.")
    return PUBLIC["moveaxis"](x, axis, 0) if axis % ndim else x

"""Control flow that frameworks can compile: conditions, loops, scans, and mapping a function over an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tricera.core import dispatch, tree
from tricera.core.doors import Natural, checked, no_numbers
from tricera.core.graph import Operation, record
from tricera.core.tensor import KerasTensor, Spec, any_symbolic, not_recording
from tricera.core.variable import Variable, is_value
from tricera.ops.creation import convert_to_tensor, dtype, zeros
from tricera.ops.select import where


class _Control(Operation):
    """A call of a control-flow function in a graph."""

    def __init__(self, function: Callable[..., Any], statics: dict[str, Any]) -> None:
        super().__init__()
        self.function, self.statics = function, statics

    def call(self, *args: Any) -> Any:
        return self.function(*args, **self.statics)


def _check_functions(op: str, **functions: Any) -> None:
    for name, function in functions.items():
        if not callable(function):
            raise TypeError(f"ops.{op}: `{name}` must be a function, not {function!r}.")


def _symbolic(
    function: Callable[..., Any], statics: dict[str, Any], args: tuple[Any, ...], infer: Callable[[], Any]
) -> Any:
    with not_recording():
        outputs = infer()
    return record(_Control(function, statics), args, {}, outputs)


def _backend(*structures: Any) -> dispatch.Backend:
    for leaf in tree.leaves_of(*structures):
        owner = leaf._backend if isinstance(leaf, Variable) else dispatch.of(leaf)
        if owner is not None:
            return owner
    return dispatch.current()


def _tensors(op: str, backend: dispatch.Backend, structure: Any) -> Any:
    def make(x: Any) -> Any:
        if isinstance(x, Variable):
            return backend.convert(x.value)
        if no_numbers(x):
            raise TypeError(f"ops.{op}: there must be tensors, arrays or numbers, not {x!r}.")
        return backend.convert(x)

    return tree.map_structure(make, structure)


def _check_slices(op: str, structure: Any) -> None:
    for x in () if structure is None else tree.flatten(structure):
        if no_numbers(x):
            raise TypeError(f"ops.{op}: there must be tensors or arrays, not {x!r}.")
        if isinstance(x, (int, float)) or not len(getattr(x, "shape", (1,))):
            raise ValueError(f"ops.{op}: a scalar has no slices; all tensors must have at least one axis.")


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of `true_fn()` where the condition holds, else of `false_fn()`.

    Args:
        pred: a bool scalar.
        true_fn: a function without arguments.
        false_fn: another one, with results of the same structure, shapes and dtypes.

    Returns:
        What the chosen function returns. On symbolic tensors both are run, and the results chosen by `where`.

    Example:
        >>> cond(True, lambda: 1, lambda: 2)
        1
    """
    _check_functions("cond", true_fn=true_fn, false_fn=false_fn)
    if isinstance(pred, KerasTensor):
        return tree.map_structure(lambda a, b: where(pred, a, b), true_fn(), false_fn())
    backend = _backend(pred)
    pred = pred.value if isinstance(pred, Variable) else pred
    with dispatch.within(backend):
        return backend.control.cond(pred, true_fn, false_fn)


@checked
def switch(index: int, branches: Any, *operands: Any) -> Any:
    """The result of one of several functions on the operands.

    Args:
        index: which one, an integer scalar; it is limited to the range that there is.
        branches: a list of functions.
        *operands: their arguments.

    Returns:
        What the chosen function returns.

    Raises:
        ValueError: there are no branches.

    Example:
        >>> int(switch(1, [lambda x: x, lambda x: x * 2], 3))
        6
    """
    branches = list(branches)
    if not branches:
        raise ValueError("ops.switch needs at least one branch.")
    if isinstance(index, KerasTensor) or any_symbolic(tree.flatten(operands)):
        return _symbolic(switch, {}, (index, branches, *operands), lambda: branches[0](*operands))
    backend = _backend(index, operands)
    with dispatch.within(backend):
        return backend.control.switch(index, branches, _tensors("switch", backend, operands))


@checked
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: Natural | None = None
) -> Any:
    """Repeat `loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)` holds.

    Args:
        cond: gives a bool scalar.
        body: gives new loop variables, of the same shapes and dtypes.
        loop_vars: a tensor, or a tuple or list of tensors (or structures of these).
        maximum_iterations: a limit.

    Returns:
        The last loop variables: a tuple, or a single tensor if one was given.

    Example:
        >>> int(while_loop(lambda i: i < 10, lambda i: i + 3, 0))
        12
    """
    single = not isinstance(loop_vars, (tuple, list))
    start = (loop_vars,) if single else tuple(loop_vars)
    if any_symbolic(tree.flatten(start)):
        statics = {"maximum_iterations": maximum_iterations}
        return _symbolic(while_loop, statics, (cond, body, loop_vars), lambda: tree.map_structure(_like, loop_vars))

    def step(*values: Any) -> tuple[Any, ...]:
        out = body(*values)
        return tuple(out) if isinstance(out, (tuple, list)) else (out,)

    backend = _backend(start)
    with dispatch.within(backend):
        out = backend.control.while_loop(cond, step, _tensors("while_loop", backend, start), maximum_iterations)
    return out[0] if single else tuple(out)


def _like(x: Any) -> KerasTensor:
    x = x if isinstance(x, KerasTensor) else convert_to_tensor(x)
    return KerasTensor(tuple(x.shape), dtype(x))


@checked
def fori_loop(lower: int, upper: int, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Repeat `value = body_fun(i, value)` for i from `lower` up to, not including, `upper`.

    Args:
        lower: an integer.
        upper: an integer.
        body_fun: gives the next value, of the same structure, shapes and dtypes.
        init_val: the first one.

    Returns:
        The last value.

    Example:
        >>> int(fori_loop(0, 4, lambda i, x: x + i, 0))
        6
    """
    if any_symbolic(tree.flatten((lower, upper, init_val))):
        return _symbolic(fori_loop, {}, (lower, upper, body_fun, init_val), lambda: tree.map_structure(_like, init_val))
    backend = _backend(lower, upper, init_val)
    with dispatch.within(backend):
        return backend.control.fori_loop(lower, upper, body_fun, _tensors("fori_loop", backend, init_val))


@checked
def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: Natural | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> Any:
    """Carry a value through a sequence: `carry, y = f(carry, x)` for each slice x along the first axis.

    Args:
        f: gives the next carry and a result (or None).
        init: the first carry.
        xs: a tensor or a structure of tensors, all as long as each other; None with `length`.
        length: how many steps, where `xs` is None.
        reverse: go from the last slice to the first; results stay in their places.
        unroll: how many steps a compiler should put into one (a hint).

    Returns:
        The pair (last carry, results stacked along the first axis).

    Raises:
        ValueError: neither `xs` nor `length` says how many steps there are, or they differ.

    Example:
        >>> total, sums = scan(lambda c, x: (c + x, c + x), 0, [1, 2, 3])
        >>> int(total), [int(s) for s in sums]
        (6, [1, 3, 6])
    """
    if xs is not None and isinstance(xs, list) and not any(hasattr(x, "shape") for x in xs):
        xs = convert_to_tensor(xs)
    _check_slices("scan", xs)
    leaves = tree.flatten(xs) if xs is not None else []
    if any_symbolic(tree.flatten(init) + leaves):
        statics = {"length": length, "reverse": reverse, "unroll": unroll}
        return _symbolic(scan, statics, (f, init, xs), lambda: _scanned(f, init, xs, length))
    backend = _backend(init, xs)
    with dispatch.within(backend):
        xs = None if xs is None else _tensors("scan", backend, xs)
        sizes = {backend.shape(x)[0] for x in tree.flatten(xs)} if xs is not None else set()
        if length is not None:
            sizes.add(length)
        if not sizes:
            raise ValueError("ops.scan needs `xs` or `length`: neither says how many steps there are.")
        if len(sizes - {None}) > 1:
            raise ValueError(f"ops.scan: the lengths of `xs` (and `length`) differ: {sorted(sizes - {None})}.")
        size, init = next(iter(sizes)), _tensors("scan", backend, init)
        if isinstance(size, int) and size == 0:
            return init, _results_of_nothing(backend, f, init, xs)
        return backend.control.scan(f, init, xs, size, reverse, unroll)


def _results_of_nothing(backend: dispatch.Backend, f: Callable[..., Any], init: Any, xs: Any) -> Any:
    """What a scan of no steps has for results: tensors of length 0, of the shapes and dtypes of one step's."""
    slices = [(backend.shape(x)[1:], backend.dtype(x)) for x in ([] if xs is None else tree.flatten(xs))]
    specs = [Spec(backend.shape(c), backend.dtype(c)) for c in tree.flatten(init)] + [Spec(*s) for s in slices]
    count = len(specs) - len(slices)

    def step(tensors: list[Any]) -> Any:
        x = None if xs is None else tree.pack_sequence_as(xs, tensors[count:])
        return f(tree.pack_sequence_as(init, tensors[:count]), x)[1]

    ys = backend.control.abstract(step, specs)
    if ys is None:
        return None
    return tree.map_structure(lambda y: zeros((0, *y.shape), dtype(y)), ys)


def _scanned(f: Callable[[Any, Any], Any], init: Any, xs: Any, length: int | None) -> Any:
    slices = None if xs is None else tree.map_structure(lambda x: KerasTensor(tuple(x.shape)[1:], dtype(x)), xs)
    carry, ys = f(tree.map_structure(_like, init), slices)
    size = length if xs is None else tree.flatten(xs)[0].shape[0]
    return carry, None if ys is None else tree.map_structure(lambda y: KerasTensor((size, *y.shape), y.dtype), ys)


@checked
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """A function applied to each slice along the first axis, one after the other.

    Args:
        f: a function of a slice (or of a structure of slices).
        xs: a tensor, or a structure of tensors.

    Returns:
        The results stacked along the first axis.

    Example:
        >>> [int(y) for y in map(lambda x: x * x, [1, 2, 3])]
        [1, 4, 9]
    """
    return scan(lambda _, x: (0, f(x)), 0, xs)[1]


@checked
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """A function applied to each slice along the first axis, all at once.

    Args:
        function: a function of a slice (or of a structure of slices).
        elements: a tensor, or a structure of tensors.

    Returns:
        The results stacked along the first axis.

    Example:
        >>> [int(y) for y in vectorized_map(lambda x: x * x, [1, 2, 3])]
        [1, 4, 9]
    """
    if isinstance(elements, list) and not any(hasattr(x, "shape") for x in elements):
        elements = convert_to_tensor(elements)
    _check_slices("vectorized_map", elements)
    if any_symbolic(tree.flatten(elements)):
        return _symbolic(
            vectorized_map,
            {},
            (function, elements),
            lambda: _scanned(lambda c, x: (c, function(x)), 0, elements, None)[1],
        )
    backend = _backend(elements)
    with dispatch.within(backend):
        return backend.control.vectorized_map(function, _tensors("vectorized_map", backend, elements))


@checked
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All partial results of an associative function, x1, f(x1, x2), f(f(x1, x2), x3)..., in a logarithmic number of steps.

    Args:
        f: an associative function of two structures of tensors, which it combines elementwise along `axis`.
        elems: a tensor or a structure of tensors.
        reverse: go from the end to the beginning.
        axis: the axis.

    Returns:
        A structure of the shapes of `elems`.

    Example:
        >>> from tricera import ops
        >>> [int(y) for y in associative_scan(ops.add, ops.array([1, 2, 3]))]
        [1, 3, 6]
    """
    from tricera.ops.shape import concatenate, flip

    def cut(structure: Any, key: Any) -> Any:
        return tree.map_structure(lambda x: x[(slice(None),) * (axis % len(x.shape)) + (key,)], structure)

    if not any_symbolic(tree.flatten(elems)):
        elems = _tensors("associative_scan", _backend(elems), elems)
    if any(not -len(x.shape) <= axis < len(x.shape) for x in tree.flatten(elems)):
        raise ValueError(f"ops.associative_scan: `axis`={axis} is out of range for tensors of these shapes.")
    if reverse:
        flipped = tree.map_structure(lambda x: flip(x, axis=axis), elems)
        return tree.map_structure(lambda x: flip(x, axis=axis), associative_scan(f, flipped, axis=axis))
    size = tree.flatten(elems)[0].shape[axis]
    if size is None:
        raise ValueError(f"ops.associative_scan: the length of axis {axis} must be known.")
    # Each round doubles how many elements a partial result covers (Hillis & Steele 1986).
    reach = 1
    while reach < size:
        joined = f(cut(elems, slice(None, -reach)), cut(elems, slice(reach, None)))
        head = cut(elems, slice(None, reach))
        elems = tree.map_structure(lambda a, b: concatenate([a, b], axis=axis), head, joined)
        reach *= 2
    return elems


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function a gradient of its own.

    Args:
        f: a function that returns its result and a function from the gradient of the result to those of the arguments.

    Returns:
        A function with the result alone.

    Example:
        >>> @custom_gradient
        ... def double(x):
        ...     return x * 2, lambda upstream: upstream * 2
        >>> int(double(3))
        6
    """

    _check_functions("custom_gradient", f=f)

    def run(*args: Any, **kwargs: Any) -> Any:
        if any_symbolic(tree.flatten((args, list(kwargs.values())))):
            return f(*args, **kwargs)[0]
        backend = _backend(args)
        with dispatch.within(backend):
            return backend.control.custom_gradient(f)(*_tensors("custom_gradient", backend, args), **kwargs)

    return run


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The directional derivative of a function, found alongside its value.

    Args:
        fun: a function of tensors.
        primals: where, a tuple or list of its arguments.
        tangents: the direction, of the same structure.
        has_aux: `fun` returns a pair, of which the second (a tensor or a structure of them) is passed on as it is.

    Returns:
        The pair (value, derivative), or the triple (value, derivative, aux).

    Raises:
        NotImplementedError: on a backend without gradients.

    Example:
        >>> [float(y) for y in jvp(lambda x: x * x, (3.0,), (1.0,))]
        [9.0, 6.0]
    """
    backend = _backend(primals, tangents)
    with dispatch.within(backend):
        given = _tensors("jvp", backend, tuple(primals)), _tensors("jvp", backend, tuple(tangents))
        if not has_aux:
            return backend.control.jvp(fun, *given, False)
        beside: list[Any] = []

        def numbers(*args: Any) -> Any:
            out, aux = fun(*args)
            beside[:] = [aux]
            return out, [backend.convert(x) for x in tree.flatten(aux) if is_value(x)]

        out, derivative, values = backend.control.jvp(numbers, *given, True)
        rest = iter(values)
        return out, derivative, tree.map_structure(lambda x: next(rest) if is_value(x) else x, beside[0])


def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """A function of scalars made one of tensors, which it takes element by element (broadcast).

    Args:
        pyfunc: a function.
        excluded: positions of arguments that are passed on whole.
        signature: such as `"(m,n),(n)->(m)"`: how many of the last axes belong to the function itself.

    Returns:
        A function.

    Raises:
        ValueError: the signature doesn't fit.

    Example:
        >>> [int(y) for y in vectorize(lambda x, y: x * y)([1, 2], 3)]
        [3, 6]
    """
    from tricera.core.spec import broadcast_shapes
    from tricera.ops.shape import broadcast_to, reshape

    _check_functions("vectorize", pyfunc=pyfunc)
    left_out = frozenset(excluded or ())
    cores = None
    if signature is not None:
        inputs, arrow, _ = signature.replace(" ", "").partition("->")
        if not arrow:
            raise ValueError(f"ops.vectorize: the signature {signature!r} needs an arrow, as in '(n),(n)->()'.")
        cores = [len([d for d in term.split(",") if d]) for term in inputs.strip("()").split("),(")]

    def vectorized(*args: Any) -> Any:
        mapped = [i for i in range(len(args)) if i not in left_out]
        if cores is not None and len(cores) != len(mapped):
            raise ValueError(
                f"ops.vectorize: the signature {signature!r} names {len(cores)} arguments; {len(mapped)} were given."
            )
        tensors = [convert_to_tensor(args[i]) for i in mapped]
        own = cores or [0] * len(tensors)
        leads = [tuple(t.shape)[: len(t.shape) - n] for t, n in zip(tensors, own, strict=True)]
        lead = broadcast_shapes(*leads)
        if not lead:
            return pyfunc(*args)
        flat = []
        for tensor, n in zip(tensors, own, strict=True):
            core = tuple(tensor.shape)[len(tensor.shape) - n :]
            flat.append(reshape(broadcast_to(tensor, (*lead, *core)), (-1, *core)))

        def one(slices: Any) -> Any:
            found = dict(zip(mapped, slices, strict=True))
            return pyfunc(*[found.get(i, args[i]) for i in range(len(args))])

        out = vectorized_map(one, tuple(flat))
        return tree.map_structure(lambda y: reshape(y, (*lead, *tuple(y.shape)[1:])), out)

    return vectorized

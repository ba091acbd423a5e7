"""Compiling steps: a step over variables becomes a jitted function of their values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np

from tricera.backends.jax.rows import separate
from tricera.core import dispatch, tree
from tricera.core.bounded import Bounded
from tricera.core.rows import Rows
from tricera.core.state import cells

STATELESS_STEPS = True  # users' `train_step(state, data)` is understood
REPEATS = False


def place(batch: Any) -> Any:
    """The batch for this backend; on the host NumPy arrays stay, jit takes them as they are."""
    return tree.map_structure(_place, batch)


def _place(x: Any) -> Any:
    if x is None or isinstance(x, jax.Array):
        return x
    if not isinstance(x, np.ndarray):
        owner = dispatch.of(x)
        x = np.asarray(x) if owner is None else owner.to_numpy(x)
    return x if jax.default_backend() == "cpu" else jax.device_put(x)  # on its way while another step runs


def place_resident(arrays: Any) -> Any:
    """Arrays that stay on the device for many steps.

    They are given some more rows, up to an eighth, which no step reads: so there are few shapes, and what is compiled for data of one
    length mostly serves the next.
    """
    put = _put_on_host if jax.default_backend() == "cpu" else _put_on_device
    return tree.map_structure(lambda x: None if x is None else put(x), arrays)


def _rounded(rows: int) -> int:
    step = 1 << max((rows - 1).bit_length() - 4, 0)
    return -(-rows // step) * step


_ALIGNMENT = 64  # of buffers that XLA takes over as they are
_COPIED = 64 << 20  # arrays of so many bytes are copied for the sake of their shape


def _put_on_host(x: np.ndarray) -> jax.Array:
    """A private copy that XLA needn't copy again; NumPy's memory comes in huge pages, XLA's own page by page."""
    dtype = jax.dtypes.canonicalize_dtype(x.dtype)
    shape = (_rounded(x.shape[0]), *x.shape[1:])
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    aligned = raw[start : start + size].view(dtype).reshape(shape)
    np.copyto(aligned[: x.shape[0]], x, casting="unsafe")
    aligned[x.shape[0] :] = 0
    return jax.device_put(aligned)


def _put_on_device(x: np.ndarray) -> jax.Array:
    more = _rounded(x.shape[0]) - x.shape[0]
    if more and x.nbytes <= _COPIED:
        x = np.concatenate([x, np.zeros((more, *x.shape[1:]), x.dtype)])
    return jax.device_put(x)


def resident_limit() -> int:
    """How many bytes of data may stay on the device: a fifth of an accelerator's memory; on the host they are there."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return 4 << 30
    return (device.memory_stats() or {}).get("bytes_limit", 0) // 5


def opaque(fn: Callable[..., Any], *args: Any) -> Any:
    """`fn(*args)`; it is traced with the step."""
    return fn(*args)


def wait(outputs: Any) -> Any:
    """The same outputs, once they are computed."""
    return jax.block_until_ready(outputs)


class Step:
    """A compiled step.

    Args:
        fn: takes a batch, returns a tree of tensors; reads and assigns variables.
        variables: those it may assign.
        jit: True, "auto" (as the backend thinks best) or "eager" (run the Python code each time).
        donate: the step is a training step: its variables' old values may be overwritten.
        collect: `run` returns the outputs of every batch, not of the last alone.
    """

    def __init__(
        self, fn: Callable[[Any], Any], variables: Sequence[Any], *, jit: Any, donate: bool, collect: bool
    ) -> None:
        self.fn, self.variables, self.collect, self.donate = fn, list(variables), collect, donate
        self.compiled = jit != "eager"
        self._one = self._jit(self._pure)
        self._many = jax.jit(self._scan, donate_argnums=(0,) if donate else ())
        self._windows, self._chunks = Bounded(_PROGRAMS), Bounded(_PROGRAMS)
        self._apiece = Bounded(_PROGRAMS)  # shapes of a batch -> whether steps on such are not to be run in a loop
        # kind of batch -> the sizes for which the step is compiled; whether it computes each sample by itself
        self._sizes, self._apart = Bounded(SHAPES), Bounded(SHAPES)

    def _jit(self, fn: Callable[..., Any]) -> Any:
        # a function of its own, with which all that is compiled for it goes
        return jax.jit(functools.partial(fn), donate_argnums=(0,) if self.donate else ())

    def _pure(self, values: list[Any], batch: Any) -> tuple[Any, dict[int, Any]]:
        with cells(zip(self.variables, values, strict=True)) as scope:
            out = self.fn(batch)
            known = {id(v) for v in self.variables}
            stray = [v for key, v in scope.updated.items() if key not in known]
            if stray:
                raise ValueError(
                    f"The variable {stray[0].path!r} is assigned in the step but was not there when the step was made. "
                    "Create it in `__init__` or `build`, and call `compile` after adding layers."
                )
            if self.donate:
                return out, {i: scope.values[id(v)] for i, v in enumerate(self.variables)}
            return out, {i: scope.values[id(v)] for i, v in enumerate(self.variables) if id(v) in scope.updated}

    def _scan(self, values: list[Any], batches: Any) -> tuple[Any, dict[int, Any]]:
        def body(carry: list[Any], batch: Any) -> tuple[list[Any], Any]:
            out, new = self._pure(carry, batch)
            return [new.get(i, value).astype(value.dtype) for i, value in enumerate(carry)], out

        values, outs = jax.lax.scan(body, values, batches)
        if not self.collect:
            outs = jax.tree_util.tree_map(lambda x: x[-1], outs)
        return outs, dict(enumerate(values))

    def _values(self) -> list[Any]:
        """The variables' arrays, copied where somebody else may hold them and the step would overwrite them."""
        values = [v.native for v in self.variables]
        if self.donate:
            seen: set[int] = set()
            for i, variable in enumerate(self.variables):
                if variable.exposed or id(values[i]) in seen:
                    values[i] = jnp.array(values[i], copy=True)
                    variable.exposed = False
                seen.add(id(values[i]))
        return values

    def run(self, batches: list[Any], same: bool = False) -> Any:
        """Run one step a batch; the outputs of the last, or the list of all with `collect`.

        With `same`, nothing that a single step depends on has changed since the last one but variables and the batch, so that it may
        be repeated rather than worked out again (what a compiled step does anyway).
        """
        if not self.compiled:
            outs = [self.fn(jax.tree_util.tree_map(jnp.asarray, batch)) for batch in batches]
            return outs if self.collect else outs[-1]
        if len(batches) > 1 and _alike(batches) and not self._one_by_one(batches[0]):
            stacked = jax.tree_util.tree_map(
                lambda *xs: np.stack(xs) if isinstance(xs[0], np.ndarray) else jnp.stack(xs), *batches
            )
            out, new = self._many(self._values(), stacked)
            self._write(new)
            if not self.collect:
                return out
            return [jax.tree_util.tree_map(lambda x, i=i: x[i], out) for i in range(len(batches))]
        outs = []
        for batch in batches:
            rows, batch = self._filled(batch) if self.collect else (None, batch)
            out, new = self._one(self._values(), batch)
            self._write(new)
            outs.append(out if rows is None else Rows(out, rows))
        if self._one._cache_size() > SHAPES:
            self._one = self._jit(self._pure)
            self._sizes.clear()
        return outs if self.collect else outs[-1]

    def _filled(self, batch: Any) -> tuple[int | None, Any]:
        """A batch of another size than those before, filled up to a size for which the step is, or may often be, compiled.

        Only where each sample is computed by itself; the first size of all is kept as it is.

        Returns:
            How many rows are samples, None where nothing was added; and the batch.
        """
        leaves = jax.tree_util.tree_leaves(batch)
        shapes = [np.shape(x) for x in leaves]
        count = shapes[0][0] if shapes and shapes[0] else 0
        if not count or any(not s or s[0] != count for s in shapes):
            return None, batch
        key = (
            jax.tree_util.tree_structure(batch),
            *((s[1:], np.dtype(x.dtype)) for s, x in zip(shapes, leaves, strict=True)),
        )
        known = self._sizes.get(key)
        if known is None:
            known = self._sizes[key] = {count}
        if count in known:
            return None, batch
        values = [v.native for v in self.variables]
        apart = self._apart.get(key)
        if apart is None:
            apart = self._apart[key] = separate(self._pure, values, batch)
        if not apart:
            known.add(count)
            return None, batch
        size = min((n for n in known if count < n <= max(2 * count, _SMALL)), default=None) or _bucket(count)
        known.add(size)
        if size == count:
            return None, batch
        return count, jax.tree_util.tree_map(lambda x: _fill(x, size), batch)

    def run_window(
        self, data: Any, order: Any, size: int, first: int, stop: int, same: bool = False, single: bool = False
    ) -> Any:
        """Run one step a batch on batches of resident data, in one dispatch; the outputs of the last.

        Args:
            data: what `place_resident` made of the arrays.
            order: int array (batches, size): the samples of each batch; None takes them as they lie.
            size: samples a batch.
            first: number of the first batch.
            stop: number after the last one.
            same: as for `run`.
            single: all windows of this pass hold one batch, for which a program without a loop is compiled: it is quicker.
        """
        key = (size, order is None, single, tuple([(x.shape, x.dtype) for x in jax.tree_util.tree_leaves(data)]))
        found = self._windows.get(key)
        if found is None:
            found = self._windows[key] = self._window(data, order, size, single)
        if found is _ONE_BY_ONE:
            for i in range(first, stop):
                out = self.run([_picked(data, order, size, i)])
            return out
        out, new = found(self._values(), data, order, first, stop)
        self._write(new)
        return out

    def _one_by_one(self, batch: Any) -> bool:
        """Whether a loop over steps would be slower than the steps one by one."""
        if jax.default_backend() != "cpu":
            return False
        key = tuple((x.shape, x.dtype) for x in jax.tree_util.tree_leaves(batch))
        found = self._apiece.get(key)
        if found is None:
            values = [v.native for v in self.variables]
            found = self._apiece[key] = _has_convolution(jax.make_jaxpr(self._pure)(values, batch).jaxpr)
        return found

    def _window(self, data: Any, order: Any, size: int, single: bool) -> Any:
        """A loop over batches, traced once; its bounds are arguments, so it is compiled once. Or a step on one of them."""
        values = [v.native for v in self.variables]
        batch = jax.eval_shape(lambda d, o: _batch(d, o, size, 0), data, order)
        closed, shapes = jax.make_jaxpr(self._pure, return_shape=True)(values, batch)
        if jax.default_backend() == "cpu" and _has_convolution(closed.jaxpr):
            return _ONE_BY_ONE
        pure = jax.extend.core.jaxpr_as_fun(closed)
        outs, updated = shapes
        shape_leaves, out_tree = jax.tree_util.tree_flatten(outs)

        def one(current: list[Any], values: list[Any], data: Any, order: Any, i: Any) -> tuple[Any, Any]:
            flat = pure(*jax.tree_util.tree_leaves((current, _batch(data, order, size, i))))
            count = len(shape_leaves)
            fresh = dict(zip(sorted(updated), flat[count:], strict=True))
            return {k: jax.lax.convert_element_type(v, values[k].dtype) for k, v in fresh.items()}, [
                jax.lax.convert_element_type(v, s.dtype) for v, s in zip(flat[:count], shape_leaves, strict=True)
            ]

        def loop(values: list[Any], data: Any, order: Any, first: Any, stop: Any) -> Any:
            def body(i: Any, carry: Any) -> Any:
                current = [carry[0].get(k, value) for k, value in enumerate(values)]
                return one(current, values, data, order, i)

            start = {k: values[k] for k in updated}, [jnp.zeros(s.shape, s.dtype) for s in shape_leaves]
            new, outs = jax.lax.fori_loop(first, stop, body, start)
            return jax.tree_util.tree_unflatten(out_tree, outs), new

        def step(values: list[Any], data: Any, order: Any, i: Any, _: Any) -> Any:
            new, outs = one(values, values, data, order, i)
            return jax.tree_util.tree_unflatten(out_tree, outs), new

        return jax.jit(step if single else loop, donate_argnums=(0,) if self.donate else ())

    def run_chunk(self, data: Any, size: int, first: int, stop: int, limit: int) -> Any:
        """Run one step a batch on some of the batches that lie in a chunk, in one dispatch; of a step with `collect`.

        Args:
            data: what `place_resident` made of the chunk's rows: arrays of a whole number of batches, in order.
            size: samples a batch.
            first: number of the first batch in the chunk.
            stop: number after the last one.
            limit: how many bytes the outputs of a chunk may take.

        Returns:
            The outputs, with an axis before the others for the batches of the chunk, of which those from `first` to `stop` are
            computed; None where steps are better run one by one.
        """
        key = (size, tuple((x.shape, x.dtype) for x in jax.tree_util.tree_leaves(data)))
        found = self._chunks.get(key)
        if found is None:
            found = self._chunks[key] = self._chunk(data, size, limit)
        if found is _ONE_BY_ONE:
            return None
        out, new = found(self._values(), data, first, stop)
        self._write(new)
        return out

    def _chunk(self, data: Any, size: int, limit: int) -> Any:
        count = jax.tree_util.tree_leaves(data)[0].shape[0] // size
        values = [v.native for v in self.variables]
        batch = jax.eval_shape(lambda d: _batch(d, None, size, 0), data)
        closed, (outs, updated) = jax.make_jaxpr(self._pure, return_shape=True)(values, batch)
        shapes, out_tree = jax.tree_util.tree_flatten(outs)
        large = sum(s.size * s.dtype.itemsize for s in shapes) * count > limit
        if large or (jax.default_backend() == "cpu" and _has_convolution(closed.jaxpr)):
            return _ONE_BY_ONE
        pure = jax.extend.core.jaxpr_as_fun(closed)

        def loop(values: list[Any], data: Any, first: Any, stop: Any) -> Any:
            def body(i: Any, carry: Any) -> Any:
                new, buffers = carry
                current = [new.get(k, value) for k, value in enumerate(values)]
                flat = pure(*jax.tree_util.tree_leaves((current, _batch(data, None, size, i))))
                fresh = dict(zip(sorted(updated), flat[len(shapes) :], strict=True))
                return {k: jax.lax.convert_element_type(v, values[k].dtype) for k, v in fresh.items()}, [
                    jax.lax.dynamic_update_index_in_dim(b, v, i, 0) for b, v in zip(buffers, flat, strict=False)
                ]

            buffers = [jnp.zeros((count, *s.shape), s.dtype) for s in shapes]
            new, buffers = jax.lax.fori_loop(first, stop, body, ({k: values[k] for k in updated}, buffers))
            return jax.tree_util.tree_unflatten(out_tree, buffers), new

        return jax.jit(loop)

    def _write(self, new: dict[int, Any]) -> None:
        for i, value in new.items():
            self.variables[i]._native = value


_ONE_BY_ONE = object()
SHAPES = 256  # for batches of so many shapes a step stays compiled
_SMALL = 32  # a batch may be filled up to so many samples, or to twice as many as it has
_PROGRAMS = 16  # loops over data of so many shapes stay compiled


def _bucket(count: int) -> int:
    """A size not below `count`, out of a few: powers of 2, and from 64 eight sizes between each and the next."""
    return 1 << (count - 1).bit_length() if count <= 64 else _rounded(count)


def _fill(x: Any, size: int) -> Any:
    """An array with copies of its last row behind it: what can be computed of a sample can be computed of these."""
    repeated = ((0, size - x.shape[0]), *((0, 0),) * (x.ndim - 1))
    return np.pad(x, repeated, "edge") if isinstance(x, np.ndarray) else jnp.pad(x, repeated, "edge")


def _batch(data: Any, order: Any, size: int, i: Any) -> Any:
    """Batch number `i` of resident data."""
    if order is None:
        return jax.tree_util.tree_map(lambda x: jax.lax.dynamic_slice_in_dim(x, i * size, size), data)
    return jax.tree_util.tree_map(lambda x: jnp.take(x, order[i], axis=0, mode="clip"), data)


_picked = jax.jit(_batch, static_argnums=2)


def _has_convolution(jaxpr: Any) -> bool:
    """Whether XLA's own convolution is used, which is some twenty times slower inside a loop on the CPU."""
    return any(
        equation.primitive.name == "conv_general_dilated"
        or any(_has_convolution(inner) for inner in jax.extend.core.jaxprs_in_params(equation.params))
        for equation in jaxpr.eqns
    )


def _alike(batches: list[Any]) -> bool:
    shapes = [[x.shape for x in jax.tree_util.tree_leaves(b)] for b in batches]
    return all(s == shapes[0] for s in shapes)


def discover(fn: Callable[[Any], Any], batch: Any) -> None:
    """Run a step on shapes alone, so that it creates the variables that it creates."""
    with cells():
        jax.eval_shape(fn, batch)


def fetch(tensors: list[Any]) -> list[np.ndarray]:
    """The values of several tensors, in one go."""
    # All copies are under way before the first is waited for; on a CPU there is nothing to copy.
    return [np.asarray(x) for x in (tensors if jax.default_backend() == "cpu" else jax.device_get(tensors))]

"""Whether a function treats each sample of a batch by itself, so that a batch may be filled up to a size that is compiled.

The function is traced for two sizes of the batch. What differs in shape between the traces has an axis for the samples; and
each equation must be of a kind that leaves the samples apart and in order. Whatever is not known to do so counts as mixing them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.extend
import numpy as np

_SIZES = (11, 13)
_EACH = frozenset(
    """abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp conj convert_element_type copy copy_p cos cosh digamma
    div eq erf erf_inv erfc exp exp2 expm1 floor ge gt imag integer_pow is_finite le lgamma log log1p logistic lt max min mul ne
    neg nextafter not or population_count pow real reduce_precision rem round rsqrt select_n shift_left shift_right_arithmetic
    shift_right_logical sign sin sinh sqrt square stop_gradient sub tan tanh xor""".split()
)
_REDUCTIONS = frozenset(
    "argmax argmin reduce_and reduce_max reduce_min reduce_or reduce_prod reduce_sum reduce_xor".split()
)
_RUNNING = frozenset("cumlogsumexp cummax cummin cumprod cumsum".split())
_WINDOWS = frozenset("reduce_window reduce_window_max reduce_window_min reduce_window_sum".split())
_NESTED = frozenset("checkpoint closed_call cond custom_jvp_call custom_vjp_call jit pjit remat scan while".split())
_NONE = -1  # the axis of what has no axis for the samples


class _Mixed(Exception):
    """Samples meet."""


def separate(fn: Callable[[Any, Any], Any], values: Any, batch: Any) -> bool:
    """Whether each sample of every output depends on that sample of the batch alone, and on nothing that changes with the size.

    Args:
        fn: takes values and a batch, returns a tree of arrays.
        values: a tree of arrays.
        batch: a tree of arrays whose first axis is the samples.
    """

    def at(size: int) -> Any:
        def shape(x: Any) -> Any:
            return jax.ShapeDtypeStruct((size, *x.shape[1:]), jax.dtypes.canonicalize_dtype(x.dtype))

        return jax.make_jaxpr(fn)(values, jax.tree_util.tree_map(shape, batch))

    one, two = map(at, _SIZES)
    try:
        _require(len(one.consts) == len(two.consts))
        _require(all(x is y or np.array_equal(x, y) for x, y in zip(one.consts, two.consts, strict=True)))
        _check(one.jaxpr, two.jaxpr)
        outs = list(zip(one.out_avals, two.out_avals, strict=True))
        return all(_axis(x, y) == 0 and x.shape[0] == _SIZES[0] for x, y in outs)
    except _Mixed:
        return False


def _require(condition: Any) -> None:
    if not condition:
        raise _Mixed


def _axis(a: Any, b: Any) -> int:
    """Where the samples are: several numbers of each in a row count as one."""
    one, two = getattr(a, "shape", ()), getattr(b, "shape", ())
    _require(len(one) == len(two))
    places = [i for i, (x, y) in enumerate(zip(one, two, strict=True)) if x != y]
    if not places:
        return _NONE
    _require(len(places) == 1)
    x, y = one[places[0]], two[places[0]]
    _require(x % _SIZES[0] == 0 and x // _SIZES[0] * _SIZES[1] == y)
    return places[0]


def _check(one: Any, two: Any) -> None:
    """Go through two traces, equation by equation."""
    _require(len(one.eqns) == len(two.eqns))
    # id of a variable -> how many places its axis holds for each place in the batch, one run over the samples after another
    # (time-major sequences whose first two axes were joined); 0 where it is the same at each place of that axis
    runs: dict[int, int] = {}
    for a, b in zip(one.eqns, two.eqns, strict=True):
        name = a.primitive.name
        _require(name == b.primitive.name)
        _require(all(x.val == y.val for x, y in zip(a.invars, b.invars, strict=True) if hasattr(x, "val")))
        ins = [_axis(x.aval, y.aval) for x, y in zip(a.invars, b.invars, strict=True)]
        outs = [_axis(x.aval, y.aval) for x, y in zip(a.outvars, b.outvars, strict=True)]
        given = [i for i in ins if i != _NONE]
        if not given and all(i == _NONE for i in outs):
            continue
        # A sum over all samples has no axis for them any more.
        _require(not given or _NONE not in outs)
        if joined := {runs[id(x)] for x in a.invars if runs.get(id(x))}:
            _joined(a, ins, outs, joined, runs)
        elif name in _NESTED:
            if name == "scan":
                consts, carried = a.params["num_consts"], a.params["num_carry"]
                _require(0 not in ins[consts + carried :] and 0 not in outs[carried:])
            for x, y in zip(_jaxprs(a), _jaxprs(b), strict=True):
                _check(x, y)
        elif name in _EACH:
            _require(set(given) == set(outs) and str(a.params) == str(b.params))
        elif name == "reshape" and (count := _joins(a, ins[0], outs[0])):
            runs[id(a.outvars[0])] = count
        else:
            _require(name in _RULES)
            _RULES[name](a, ins, outs)
            if name == "broadcast_in_dim" and not given:
                runs[id(a.outvars[0])] = 0
    _require(not any(runs.get(id(x)) for x in one.outvars))


def _joins(e: Any, axis: int, out: int) -> int:
    """How many runs over the samples a reshape joins to one axis: (runs, samples, ...) -> (runs * samples, ...); 0 for others."""
    before, after = _shape(e.invars[0]), _shape(e.outvars[0])
    if axis == _NONE or before[:out] != after[:out] or math.prod(before[out : axis + 1]) != after[out]:
        return 0
    count = math.prod(before[out:axis])
    return count if count > 1 and before[axis] in _SIZES else 0


def _joined(e: Any, ins: list[int], outs: list[int], joined: set[int], runs: dict[int, int]) -> None:
    """What may be done with runs over the samples: each place by itself, or to part them again."""
    (count,) = joined if len(joined) == 1 else (0,)
    _require(count)
    if e.primitive.name == "reshape":
        before, after = _shape(e.invars[0]), _shape(e.outvars[0])
        _require(math.prod(after[: outs[0]]) == count * math.prod(before[: ins[0]]) and after[outs[0]] in _SIZES)
        return
    if e.primitive.name == "dot_general":
        _require(ins[1] == _NONE)
        _dot(e, ins, outs)
    else:
        alike = all(i == _NONE or id(x) in runs for x, i in zip(e.invars, ins, strict=True))
        _require(e.primitive.name in _EACH and alike and {*ins} - {_NONE} == set(outs))
    runs[id(e.outvars[0])] = count


def _jaxprs(equation: Any) -> list[Any]:
    return [getattr(j, "jaxpr", j) for j in jax.extend.core.jaxprs_in_params(equation.params)]


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.aval.shape)


def _reshape(e: Any, ins: list[int], outs: list[int]) -> None:
    # In row-major order the numbers of a sample follow each other, in as many groups as there are places before its axis.
    before, after = _shape(e.invars[0]), _shape(e.outvars[0])
    _require(math.prod(before[: ins[0]]) == math.prod(after[: outs[0]]) and not e.params.get("dimensions"))


def _squeeze(e: Any, ins: list[int], outs: list[int]) -> None:
    _require(outs[0] == ins[0] - sum(d < ins[0] for d in e.params["dimensions"]))


def _broadcast(e: Any, ins: list[int], outs: list[int]) -> None:
    _require(ins[0] == _NONE or e.params["broadcast_dimensions"][ins[0]] == outs[0])


def _transpose(e: Any, ins: list[int], outs: list[int]) -> None:
    _require(e.params["permutation"][outs[0]] == ins[0])


def _reduce(e: Any, ins: list[int], outs: list[int]) -> None:
    axes = e.params["axes"]
    _require(ins[0] not in axes and outs[0] == ins[0] - sum(d < ins[0] for d in axes))


def _along(key: str) -> Callable[[Any, list[int], list[int]], None]:
    """A rule of what works along an axis, which must not be that of the samples."""

    def rule(e: Any, ins: list[int], outs: list[int]) -> None:
        along = e.params[key]
        along = set(along) if isinstance(along, (list, tuple)) else {along}
        _require(len({*ins, *outs} - {_NONE}) == 1 and not along & {*ins, *outs})

    return rule


def _top_k(e: Any, ins: list[int], outs: list[int]) -> None:
    last = len(_shape(e.invars[0])) - 1
    _require(ins[0] not in (e.params.get("axis", last), last) and set(outs) == {ins[0]})


def _dot(e: Any, ins: list[int], outs: list[int]) -> None:
    (left, right), (batch_left, batch_right) = e.params["dimension_numbers"]
    _require(ins[0] not in left and ins[1] not in right)
    if ins[0] in batch_left or ins[1] in batch_right:
        _require(ins[0] in batch_left and ins[1] in batch_right)
        _require(batch_left.index(ins[0]) == batch_right.index(ins[1]) == outs[0])
        return
    free = [i for i in range(len(_shape(e.invars[0]))) if i not in left and i not in batch_left]
    if ins[0] != _NONE:
        _require(ins[1] == _NONE and outs[0] == len(batch_left) + free.index(ins[0]))
        return
    other = [i for i in range(len(_shape(e.invars[1]))) if i not in right and i not in batch_right]
    _require(outs[0] == len(batch_left) + len(free) + other.index(ins[1]))


def _convolution(e: Any, ins: list[int], outs: list[int]) -> None:
    numbers = e.params["dimension_numbers"]
    _require(ins[0] == numbers.lhs_spec[0] and ins[1] == _NONE and outs[0] == numbers.out_spec[0])
    _require(e.params["batch_group_count"] == 1)


def _window(e: Any, ins: list[int], outs: list[int]) -> None:
    axis, p = ins[0], e.params
    _require(outs[0] == axis and all(i in (axis, _NONE) for i in ins))
    _require(p["window_dimensions"][axis] == p["window_strides"][axis] == 1 and tuple(p["padding"][axis]) == (0, 0))


def _whole(e: Any, ins: list[int], outs: list[int]) -> None:
    axis, p = ins[0], e.params
    _require(
        outs[0] == axis and p["start_indices"][axis] == 0 and p["limit_indices"][axis] == _shape(e.invars[0])[axis]
    )
    _require(p["strides"] is None or p["strides"][axis] == 1)


def _pad(e: Any, ins: list[int], outs: list[int]) -> None:
    _require(outs[0] == ins[0] and tuple(e.params["padding_config"][ins[0]]) == (0, 0, 0) and ins[1] == _NONE)


def _dynamic_slice(e: Any, ins: list[int], outs: list[int]) -> None:
    axis = ins[0]
    _require(outs[0] == axis and all(i == _NONE for i in ins[1:]))
    _require(e.params["slice_sizes"][axis] == _shape(e.invars[0])[axis])


def _dynamic_update(e: Any, ins: list[int], outs: list[int]) -> None:
    axis = outs[0]
    _require(set(ins[:2]) <= {axis} and all(i == _NONE for i in ins[2:]))
    _require(_shape(e.invars[1])[axis] == _shape(e.outvars[0])[axis])


def _gather(e: Any, ins: list[int], outs: list[int]) -> None:
    numbers, sizes = e.params["dimension_numbers"], e.params["slice_sizes"]
    rank = len(_shape(e.outvars[0]))
    looked_up = [i for i in range(rank) if i not in numbers.offset_dims]  # the axes of the indices in the result
    operand, indices = ins
    if operand == _NONE:
        _require(indices < len(looked_up) and outs[0] == looked_up[indices])
    elif operand in numbers.operand_batching_dims:
        place = numbers.operand_batching_dims.index(operand)
        _require(indices == numbers.start_indices_batching_dims[place] and outs[0] == looked_up[indices])
    else:
        gone = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
        kept = [i for i in range(len(sizes)) if i not in gone]
        _require(indices == _NONE and operand not in numbers.start_index_map and operand in kept)
        _require(sizes[operand] == _shape(e.invars[0])[operand])
        _require(outs[0] == numbers.offset_dims[kept.index(operand)])


def _any(e: Any, ins: list[int], outs: list[int]) -> None:
    """Of what makes numbers by their places."""


_RULES: dict[str, Callable[[Any, list[int], list[int]], None]] = {
    **dict.fromkeys(_REDUCTIONS, _reduce),
    **dict.fromkeys(_RUNNING, _along("axis")),
    **dict.fromkeys(_WINDOWS, _window),
    "broadcast_in_dim": _broadcast,
    "concatenate": _along("dimension"),
    "conv_general_dilated": _convolution,
    "dot_general": _dot,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update,
    "gather": _gather,
    "iota": _any,
    "pad": _pad,
    "reshape": _reshape,
    "rev": _along("dimensions"),
    "slice": _whole,
    "sort": _along("dimension"),
    "split": _along("axis"),
    "squeeze": _squeeze,
    "top_k": _top_k,
    "transpose": _transpose,
}

"""Connectionist temporal classification: the loss of unaligned sequences, and decoding."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tricera.core.doors import guarded
from tricera.core.op import composed
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.activations import log_softmax
from tricera.ops.comparison import equal, greater_equal, less, logical_and, not_equal
from tricera.ops.control import scan
from tricera.ops.creation import arange, convert_to_numpy, convert_to_tensor, dtype, full, shape
from tricera.ops.elementwise import add, cast, maximum, subtract
from tricera.ops.reduce import argmax, max as max_, sum as sum_
from tricera.ops.select import take_along_axis, where
from tricera.ops.shape import broadcast_to, concatenate, expand_dims, reshape, squeeze, stack, transpose
from tricera.ops.unary import exp, log, negative

# In the place of log(0): its gradient is 0 and not NaN.
_NEVER = -1e30


def _wide(kind: str) -> str:
    return "float64" if kind == "float64" else "float32"


def _fit(target: Any, output: Any, target_length: Any, output_length: Any) -> None:
    """Refuse shapes of operands of `ctc_loss` that don't fit each other; None fits all."""
    if len(target.shape) != 2 or len(output.shape) != 3:
        raise ValueError(
            "ops.ctc_loss needs labels (batch, length) and logits (batch, length, classes); got the shapes "
            f"{tuple(target.shape)} and {tuple(output.shape)}."
        )
    lengths = {"target_length": target_length, "output_length": output_length}
    batches = {x.shape[0] for x in (target, output, *lengths.values()) if len(x.shape)} - {None}
    if any(len(x.shape) != 1 for x in lengths.values()) or len(batches) > 1:
        shapes = ", ".join(f"{k} {tuple(x.shape)}" for k, x in {"target": target, "output": output, **lengths}.items())
        raise ValueError(f"ops.ctc_loss needs one length for each of the batch, a vector; got the shapes {shapes}.")


def _loss_spec(target: Spec, output: Spec, target_length: Spec, output_length: Spec, *_: Any) -> Spec:
    _fit(target, output, target_length, output_length)
    return Spec((output.shape[0],), _wide(output.dtype))


def _sum_of(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)) where neither is infinite."""
    top = maximum(a, b)
    return add(top, log(add(exp(subtract(a, top)), exp(subtract(b, top)))))


@composed(spec=_loss_spec, promote=None, kinds="real")
def ctc_loss(
    target: TensorLike, output: TensorLike, target_length: TensorLike, output_length: TensorLike, mask_index: int = 0
) -> Tensor:
    """-log of the probability of a label sequence, all its alignments with the output added up (Graves et al. 2006).

    Args:
        target: the labels, integers (batch, max_target_length).
        output: logits (batch, max_output_length, classes).
        target_length: how many labels count, integers (batch,).
        output_length: how many steps of the output count, integers (batch,).
        mask_index: the class that stands for "no label".

    Returns:
        A tensor (batch,), of float64 if the logits are, else of float32.

    Raises:
        ValueError: the tensors don't have 2 and 3 axes.

    Example:
        >>> import numpy as np
        >>> round(float(ctc_loss([[1]], np.zeros((1, 1, 2), "float32"), [1], [1])[0]), 4)
        0.6931
    """
    _fit(target, output, target_length, output_length)
    target = cast(target, "int32")
    batch, size = shape(output)[0], target.shape[1]
    # Half precision holds neither `_NEVER` nor sums over many steps.
    logs = log_softmax(cast(output, _wide(dtype(output))), axis=-1)
    # Labels with blanks around: blank, l1, blank, l2, ..., blank.
    blanks = full((batch, size), mask_index, dtype="int32")
    pairs = reshape(stack([blanks, target], axis=-1), (-1, 2 * size))
    states = concatenate([pairs, blanks[:, :1]], axis=1)
    count = 2 * size + 1
    steps = output.shape[1]
    index = broadcast_to(expand_dims(states, 1), (batch, steps, count))
    scores = transpose(take_along_axis(logs, index, axis=2), (1, 0, 2))
    before = concatenate([full((batch, min(2, count)), -1, dtype="int32"), states], axis=1)[:, :count]
    # A label may follow the one two states back directly, unless that is the same (or this is a blank).
    skip = logical_and(not_equal(states, mask_index), not_equal(states, before))
    never = full((batch, 2), _NEVER, dtype=dtype(logs))
    first = where(less(arange(count, dtype="int32"), 2), scores[0], _NEVER)
    length = cast(output_length, "int32")

    def step(alpha: Any, slices: Any) -> Any:
        score, t = slices
        back1 = concatenate([never[:, :1], alpha[:, :-1]], axis=1)
        back2 = where(skip, concatenate([never, alpha], axis=1)[:, :count], _NEVER)
        new = add(_sum_of(_sum_of(alpha, back1), back2), score)
        return where(expand_dims(less(t, length), -1), maximum(new, _NEVER), alpha), None

    alpha, _ = scan(step, first, (scores[1:], arange(1, steps, dtype="int32"))) if steps > 1 else (first, None)
    last = expand_dims(2 * cast(target_length, "int32"), -1)
    at_blank = squeeze(take_along_axis(alpha, last, axis=1), axis=1)
    at_label = squeeze(take_along_axis(alpha, maximum(last - 1, 0), axis=1), axis=1)
    at_label = where(squeeze(greater_equal(last, 1), axis=1), at_label, _NEVER)
    return negative(_sum_of(at_blank, at_label))


def _greedy(inputs: Any, lengths: Any, merge: bool, blank: int) -> tuple[Any, Any]:
    steps = inputs.shape[1]
    best = argmax(inputs, axis=-1)
    inside = less(arange(steps, dtype="int32"), expand_dims(cast(lengths, "int32"), -1))
    kept = logical_and(inside, not_equal(best, blank))
    if merge:
        same = concatenate([full((shape(inputs)[0], 1), False, dtype="bool"), equal(best[:, 1:], best[:, :-1])], axis=1)
        kept = logical_and(kept, equal(same, False))
    from tricera.ops.select import argsort

    # What is kept moves to the front: the sort is stable.
    order = argsort(cast(equal(kept, False), "int32"), axis=-1)
    labels = take_along_axis(where(kept, best, -1), order, axis=-1)
    score = sum_(where(inside, max_(inputs, axis=-1), 0.0), axis=-1, keepdims=True)
    return expand_dims(labels, 0), negative(score)


def _prefixes(logs: np.ndarray, width: int, blank: int) -> dict[tuple[int, ...], tuple[float, float]]:
    """Beam search over label sequences; for each the log-probabilities of ending in a blank and in a label."""
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}
    for row in logs:
        found: dict[tuple[int, ...], list[float]] = {}

        def put(prefix: tuple[int, ...], which: int, value: float, found: Any = found) -> None:
            entry = found.setdefault(prefix, [-np.inf, -np.inf])
            entry[which] = float(np.logaddexp(entry[which], value))

        for prefix, (ends_blank, ends_label) in beams.items():
            total = float(np.logaddexp(ends_blank, ends_label))
            put(prefix, 0, total + row[blank])
            for label in range(len(row)):
                if label == blank:
                    continue
                if prefix and prefix[-1] == label:
                    put(prefix, 1, ends_label + row[label])
                    put((*prefix, label), 1, ends_blank + row[label])
                else:
                    put((*prefix, label), 1, total + row[label])
        best = sorted(found.items(), key=lambda item: -np.logaddexp(item[1][0], item[1][1]))
        beams = {prefix: (a, b) for prefix, (a, b) in best[:width]}
    return beams


def _beam_search(inputs: Any, lengths: Any, width: int, paths: int, merge: bool, blank: int) -> tuple[Any, Any]:
    logits = np.asarray(convert_to_numpy(inputs), "float64")
    logs = (
        logits
        - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True))
        - logits.max(-1, keepdims=True)
    )
    batch, steps = logs.shape[:2]
    labels = np.full((paths, batch, steps), -1, "int32")
    scores = np.full((batch, paths), -np.inf, "float64")
    for i, (row, length) in enumerate(zip(logs, np.asarray(convert_to_numpy(lengths)), strict=True)):
        found = sorted(
            _prefixes(row[:length], width, blank).items(), key=lambda item: -np.logaddexp(item[1][0], item[1][1])
        )
        for path, (prefix, ends) in enumerate(found[:paths]):
            kept = [label for label, _ in itertools.groupby(prefix)] if merge else list(prefix)
            labels[path, i, : len(kept)] = kept
            scores[i, path] = np.logaddexp(*ends)
    return convert_to_tensor(labels), convert_to_tensor(scores.astype("float32"))


@guarded
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Any, Any]:
    """The likeliest label sequences of the output of a CTC model.

    Args:
        inputs: logits (batch, max_length, classes).
        sequence_lengths: how many steps count, integers (batch,).
        strategy: `"greedy"` (the best class of each step) or `"beam_search"` (on the values, outside of compiled code).
        beam_width: how many sequences a beam search keeps.
        top_paths: how many sequences it returns.
        merge_repeated: take equal labels that follow each other for one.
        mask_index: the class that stands for "no label".

    Returns:
        The pair (labels (paths, batch, max_length) of int32, filled with -1 at the end; scores (batch, paths): the negative
        sum of the best logits, in their dtype, or the log-probabilities of a beam search, float32).

    Raises:
        ValueError: an unknown strategy.

    Example:
        >>> from tricera import ops
        >>> labels, scores = ctc_decode([[[0.0, 1.0], [1.0, 0.0]]], [2])
        >>> ops.convert_to_numpy(labels).tolist()
        [[[1, -1]]]
    """
    inputs = convert_to_tensor(inputs)
    if strategy == "greedy":
        return _greedy(inputs, sequence_lengths, merge_repeated, mask_index)
    if strategy == "beam_search":
        return _beam_search(inputs, sequence_lengths, beam_width, top_paths, merge_repeated, mask_index)
    raise ValueError(f"ops.ctc_decode: `strategy` must be 'greedy' or 'beam_search', not {strategy!r}.")

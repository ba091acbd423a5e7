"""Recurrences with their gradient written down: one loop forward, one back, and one product for all steps' shares in the weights.

TensorFlow, left alone, stacks every intermediate value of the loop and adds to the gradient of the recurrent kernel at each step.
"""

from __future__ import annotations

import tensorflow as _tf


class _LSTM:
    """i, f, g, o = p + u; c' = f c + i g; h' = o tanh(c')."""

    together = True  # p and u meet in nothing but their sum
    widths = (4, 1, 1)  # of the factors, in units

    @staticmethod
    def step(p, u, states):
        i, f, g, o = _tf.split(p + u, 4, axis=-1)
        i, f, g, o = _tf.sigmoid(i), _tf.sigmoid(f), _tf.tanh(g), _tf.sigmoid(o)
        c = f * states[1] + i * g
        t = _tf.tanh(c)
        down = g * i * (1 - i), states[1] * f * (1 - f), i * (1 - g * g)
        return (o * t, c), (_tf.concat([*down, t * o * (1 - o)], -1), f, o * (1 - t * t))

    @staticmethod
    def back(slopes, factors):
        """From the slopes of the new states those of p, of u, and of the old states as far as they don't go through u."""
        h, c = slopes
        gates, f, by_c = factors
        c = c + h * by_c
        du = _tf.concat([c, c, c, h], -1) * gates
        return du, du, (_tf.zeros_like(h), c * f)


class _GRU:
    """z, r = sigmoid(p + u); n = tanh(p + r u); h' = z h + (1 - z) n."""

    together = False
    widths = (3, 1, 1)

    @staticmethod
    def step(p, u, states):
        pz, pr, pn = _tf.split(p, 3, axis=-1)
        uz, ur, un = _tf.split(u, 3, axis=-1)
        z, r = _tf.sigmoid(pz + uz), _tf.sigmoid(pr + ur)
        n = _tf.tanh(pn + r * un)
        by_n = (1 - z) * (1 - n * n)
        gates = [(states[0] - n) * z * (1 - z), by_n * un * r * (1 - r), by_n]
        return (n + z * (states[0] - n),), (_tf.concat(gates, -1), z, r)

    @staticmethod
    def back(slopes, factors):
        (h,) = slopes
        gates, z, r = factors
        dp = _tf.concat([h, h, h], -1) * gates
        first, last = dp[:, : 2 * z.shape[-1]], dp[:, 2 * z.shape[-1] :]
        return dp, _tf.concat([first, last * r], -1), (h * z,)


class _Simple:
    """h' = tanh(p + u)."""

    together = True
    widths = (1,)

    @staticmethod
    def step(p, u, states):
        h = _tf.tanh(p + u)
        return (h,), (1 - h * h,)

    @staticmethod
    def back(slopes, factors):
        du = slopes[0] * factors[0]
        return du, du, (_tf.zeros_like(du),)


def _loop(body, carry, xs, widths, reverse, unroll):
    """Carry states along the first axis; give the last ones, and what `body` gives beside them (of `widths` units), stacked."""
    static = xs[0].shape[0]
    length = _tf.shape(xs[0])[0] if static is None else static
    if unroll and static is not None:
        found = [()] * static
        for i in reversed(range(static)) if reverse else range(static):
            carry, found[i] = body(carry, [x[i] for x in xs])
        return carry, [_tf.stack(y) for y in zip(*found, strict=True)]
    batch, units = carry[0].shape
    arrays = tuple(_tf.TensorArray(carry[0].dtype, length, element_shape=(batch, n * units)) for n in widths)

    def step(i, carry, arrays):
        at = length - 1 - i if reverse else i
        new, found = body(carry, [x[at] for x in xs])
        return i + 1, new, tuple(a.write(at, y) for a, y in zip(arrays, found, strict=True))

    _, carry, arrays = _tf.while_loop(
        lambda i, *_: i < length, step, (_tf.constant(0), carry, arrays), maximum_iterations=static
    )
    return carry, [a.stack() for a in arrays]


def _kept(mask, new, old):
    return tuple(_tf.where(mask[0][:, None], n, s) for n, s in zip(new, old, strict=True)) if mask else new


def _over(cell, inputs, kernel, recurrent, inner, outer, states, mask, sequences, unroll):
    mask = [] if mask is None else [_tf.transpose(mask)]
    if mask:  # what a masked step holds is never looked at
        inputs = _tf.where(_tf.transpose(mask[0])[..., None], inputs, _tf.zeros_like(inputs))
    p = _tf.tensordot(_tf.transpose(inputs, (1, 0, 2)), kernel, 1)
    p = p if inner is None else p + inner

    @_tf.custom_gradient
    def run(p, w, b, *states):
        def forward(states, x):
            new, factors = cell.step(x[0], _tf.matmul(states[0], w) + b, states)
            new = _kept(x[1:], new, states)
            return new, (new[0], *factors)

        last, (every, *factors) = _loop(forward, states, [p, *mask], (1, *cell.widths), False, unroll)

        def backward(slopes, x):
            factors, more = x[: len(cell.widths)], x[len(cell.widths) :]
            if sequences:
                slopes = (slopes[0] + more.pop(0), *slopes[1:])
            nothing = tuple(_tf.zeros_like(s) for s in slopes)
            dp, du, before = cell.back(_kept(more, slopes, nothing), factors)
            before = (before[0] + _tf.matmul(du, w, transpose_b=True), *before[1:])
            if more:
                before = tuple(_tf.where(more[0][:, None], b, b + s) for b, s in zip(before, slopes, strict=True))
            return before, (dp,) if cell.together else (dp, du)

        def gradient(*slopes):
            xs = [*factors, *slopes[: int(sequences)], *mask]
            gates = p.shape[-1] // w.shape[0]
            widths = (gates,) * (1 if cell.together else 2)
            first, found = _loop(backward, slopes[int(sequences) :], xs, widths, True, unroll)
            before = _tf.concat([states[0][None], every[:-1]], 0)
            dw = _tf.tensordot(before, found[-1], [[0, 1], [0, 1]])
            db = _tf.zeros_like(b) if outer is None else _tf.reduce_sum(found[-1], (0, 1))
            return found[0], dw, db, *first

        return ((every, *last) if sequences else last), gradient

    found = run(p, recurrent, _tf.zeros((1,), p.dtype) if outer is None else outer, *states)
    return (_tf.transpose(found[0], (1, 0, 2)), *found[1:]) if sequences else (found[0], *found)


def lstm(inputs, kernel, recurrent_kernel, bias, h, c, mask, sequences, unroll):
    return _over(_LSTM, inputs, kernel, recurrent_kernel, bias, None, (h, c), mask, sequences, unroll)


def gru(inputs, kernel, recurrent_kernel, bias, h, mask, sequences, unroll):
    inner, outer = (None, None) if bias is None else _tf.unstack(bias)
    return _over(_GRU, inputs, kernel, recurrent_kernel, inner, outer, (h,), mask, sequences, unroll)


def simple_rnn(inputs, kernel, recurrent_kernel, bias, h, mask, sequences, unroll):
    return _over(_Simple, inputs, kernel, recurrent_kernel, bias, None, (h,), mask, sequences, unroll)

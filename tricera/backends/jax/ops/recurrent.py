"""Recurrences whose derivative is a linear recurrence: weights get their gradients from one product over all steps.

JAX, left alone, adds to the gradient of the recurrent kernel at every step. Here the derivative is written down: with the kernel's
tangent taken out of the loop, what remains in it is linear in the states, and JAX transposes it. Forward and higher derivatives
work as ever.
"""

from __future__ import annotations

import functools as _functools

import jax as _jax
import jax.numpy as _jnp
from jax import lax as _lax


def _sigmoid(x):
    """By tanh: XLA has a vectorised kernel for it on the CPU, and gates need no relative precision near 0."""
    return 0.5 * _jnp.tanh(0.5 * x) + 0.5


class _LSTM:
    """i, f, g, o = p + u; c' = f c + i g; h' = o tanh(c')."""

    @staticmethod
    def gates(p, u):
        i, f, g, o = _jnp.split(p + u, 4, axis=-1)
        return _sigmoid(i), _sigmoid(f), _jnp.tanh(g), _sigmoid(o)

    @classmethod
    def step(cls, p, u, states):
        i, f, g, o = cls.gates(p, u)
        c = f * states[1] + i * g
        return o * _jnp.tanh(c), c

    @classmethod
    def factors(cls, p, u, states):
        """What the step gives, and by what its derivative multiplies."""
        i, f, g, o = cls.gates(p, u)
        h, c = cls.step(p, u, states)
        t = _jnp.tanh(c)
        down = g * i * (1 - i), states[1] * f * (1 - f), i * (1 - g * g)
        return (h, c), (f, *down, t * o * (1 - o), o * (1 - t * t))

    @staticmethod
    def outside(dp, du, factors):
        """What enters the derivative at every step beside the tangents of the states: (to add to those of u, factors)."""
        return dp + du, factors

    @staticmethod
    def linear(du, tangents, factors):
        f, by_i, by_f, by_g, by_o, by_c = factors
        i, f_in, g, o = _jnp.split(du, 4, axis=-1)
        c = f * tangents[1] + by_i * i + by_f * f_in + by_g * g
        return by_o * o + by_c * c, c


class _GRU:
    """z, r = sigmoid(p + u); n = tanh(p + r u); h' = z h + (1 - z) n."""

    @staticmethod
    def gates(p, u):
        pz, pr, pn = _jnp.split(p, 3, axis=-1)
        uz, ur, un = _jnp.split(u, 3, axis=-1)
        z, r = _sigmoid(pz + uz), _sigmoid(pr + ur)
        return z, r, _jnp.tanh(pn + r * un), un

    @classmethod
    def step(cls, p, u, states):
        z, _, n, _ = cls.gates(p, u)
        return (n + z * (states[0] - n),)

    @classmethod
    def factors(cls, p, u, states):
        z, r, n, un = cls.gates(p, u)
        by_n = (1 - z) * (1 - n * n)
        return cls.step(p, u, states), (z, (states[0] - n) * z * (1 - z), by_n * un * r * (1 - r), by_n, by_n * r)

    @staticmethod
    def outside(dp, du, factors):
        z, by_z, by_r, by_n, by_un = factors
        units = z.shape[-1]
        both = du[..., : 2 * units] + dp[..., : 2 * units]
        du = _jnp.concatenate([both, du[..., 2 * units :]], axis=-1)
        return du, (z, by_z, by_r, by_n * dp[..., 2 * units :], by_un)

    @staticmethod
    def linear(du, tangents, factors):
        z, by_z, by_r, n, by_un = factors
        uz, ur, un = _jnp.split(du, 3, axis=-1)
        return (z * tangents[0] + by_z * uz + by_r * ur + n + by_un * un,)


class _Simple:
    """h' = tanh(p + u)."""

    @staticmethod
    def step(p, u, states):
        return (_jnp.tanh(p + u),)

    @classmethod
    def factors(cls, p, u, states):
        (h,) = cls.step(p, u, states)
        return (h,), (1 - h * h,)

    @staticmethod
    def outside(dp, du, factors):
        return dp + du, factors

    @staticmethod
    def linear(du, tangents, factors):
        return (factors[0] * du,)


def _kept(mask, new, old):
    return new if mask is None else tuple(_jnp.where(mask[:, None], n, s) for n, s in zip(new, old, strict=True))


def _times(h, w, b):
    u = h @ w
    return u if b is None else u + b


@_functools.cache
def _recurrence(cell, sequences, unroll):
    """(projected inputs (time, batch, ...), w, b or None, states, mask (time, batch) or None) -> (outputs, last states)."""

    def result(last, every):
        return every if sequences else last[0], last

    @_jax.custom_jvp
    def run(p, w, b, states, mask):
        def body(states, x):
            p, m = x
            new = _kept(m, cell.step(p, _times(states[0], w, b), states), states)
            return new, new[0] if sequences else None

        return result(*_lax.scan(body, states, (p, mask), unroll=unroll))

    @run.defjvp
    def _(primals, tangents):
        p, w, b, states, mask = primals
        dp, dw, db, dstates, _ = tangents

        def body(states, x):
            p, m = x
            new, factors = cell.factors(p, _times(states[0], w, b), states)
            # What a masked step holds may be no number, which times 0 would be none either.
            factors = _kept(m, factors, (0.0,) * len(factors))
            return _kept(m, new, states), (states[0], factors)

        last, (before, factors) = _lax.scan(body, states, (p, mask), unroll=unroll)
        every = _jnp.concatenate([before[1:], last[0][None]]) if sequences else None
        # All steps at once: transposed, it is one product whose sum runs over time and batch.
        du = _times(before.reshape(-1, before.shape[-1]), dw, db).reshape(dp.shape)
        du, factors = cell.outside(dp, du, factors)

        def linear(tangents, x):
            du, m, factors = x
            new = _kept(m, cell.linear(du + tangents[0] @ w, tangents, factors), tangents)
            return new, new[0] if sequences else None

        return result(last, every), result(*_lax.scan(linear, dstates, (du, mask, factors), unroll=unroll))

    return run


# Compiled once a shape: outside of a compiled step, each call would compile its loops anew.
@_functools.partial(_jax.jit, static_argnums=(0, 8, 9))
def _over(cell, inputs, kernel, recurrent, inner, outer, states, mask, sequences, unroll):
    time, batch = inputs.shape[1], inputs.shape[0]
    if mask is not None:
        inputs = _jnp.where(mask[..., None], inputs, 0)
    flat = _jnp.swapaxes(inputs, 0, 1).reshape(time * batch, inputs.shape[2]) @ kernel
    p = (flat if inner is None else flat + inner).reshape(time, batch, kernel.shape[1])
    mask = None if mask is None else _jnp.swapaxes(mask, 0, 1)
    out, last = _recurrence(cell, sequences, unroll)(p, recurrent, outer, states, mask)
    return (_jnp.swapaxes(out, 0, 1) if sequences else out), *last


def lstm(inputs, kernel, recurrent_kernel, bias, h, c, mask, sequences, unroll):
    return _over(_LSTM, inputs, kernel, recurrent_kernel, bias, None, (h, c), mask, sequences, unroll)


def gru(inputs, kernel, recurrent_kernel, bias, h, mask, sequences, unroll):
    inner, outer = (None, None) if bias is None else bias
    return _over(_GRU, inputs, kernel, recurrent_kernel, inner, outer, (h,), mask, sequences, unroll)


def simple_rnn(inputs, kernel, recurrent_kernel, bias, h, mask, sequences, unroll):
    return _over(_Simple, inputs, kernel, recurrent_kernel, bias, None, (h,), mask, sequences, unroll)

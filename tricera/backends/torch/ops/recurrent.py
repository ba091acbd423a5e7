"""Recurrence by torch's own kernels (cuDNN, oneDNN), which know neither masks nor Keras's order of gates."""

from __future__ import annotations

import torch as _torch

from tricera.backends.torch.replay import for_compiler as _for_compiler

_VF = _torch._VF


def _fused_fits(x):
    """Whether the kernels can be used: they have no rules for forward derivatives or for vmap, oneDNN's none for tracing."""
    return (
        not (_for_compiler() and x.device.type == "cpu")
        and not (_torch._C._are_functorch_transforms_active() or _torch.autograd.forward_ad._current_level >= 0)
        and x.shape[1] > 0
    )


def _weights(kernel, recurrent, inner, outer):
    # A kernel that reads weights which don't lie as it wants them is several times slower.
    return [kernel.t().contiguous(), recurrent.t().contiguous(), *(() if inner is None else (inner, outer))]


def _run(function, x, state, weights):
    biased = len(weights) == 4
    return function(x, state, weights, biased, 1, 0.0, _torch.is_grad_enabled(), False, True)


def _gathered(x, index):
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[-1]))


def _compacted(x, mask):
    """Each sample's kept steps first, and zeros after them: what a masked step holds is never looked at."""
    order = _torch.argsort(~mask, dim=1, stable=True)
    kept = mask.gather(1, order)
    return _torch.where(kept[..., None], _gathered(x, order), 0), kept


def _spread(y, h, mask, sequences):
    """The state after each step, from those after each kept one; and the last."""
    every = _torch.cat([h[:, None], y], 1)
    count = mask.cumsum(1)
    last = _gathered(every, count[:, -1:])[:, 0]
    return (_gathered(every, count) if sequences else last), last


def lstm(inputs, kernel, recurrent_kernel, bias, h, c, mask, sequences, unroll):
    if not _fused_fits(inputs):
        return _loop(_lstm_step, inputs, kernel, recurrent_kernel, bias, (h, c), mask, sequences)
    outer = None if bias is None else _torch.zeros_like(bias)
    if mask is None:
        weights = _weights(kernel, recurrent_kernel, bias, outer)
        y, hn, cn = _run(_VF.lstm, inputs, (h[None], c[None]), weights)
        return (y if sequences else hn[0]), hn[0], cn[0]
    x, kept = _compacted(inputs, mask)
    # The cell state must outlive the steps after a sample's last one: an input that is 1 there opens the forget gate and
    # closes the input gate, to the bit.
    units = h.shape[-1]
    hold = kernel.new_zeros(4 * units)
    hold[:units], hold[units : 2 * units] = -1000.0, 1000.0
    x = _torch.cat([x, (~kept)[..., None].to(x.dtype)], -1)
    weights = _weights(_torch.cat([kernel, hold[None]]), recurrent_kernel, bias, outer)
    y, _, cn = _run(_VF.lstm, x, (h[None], c[None]), weights)
    out, last = _spread(y, h, mask, sequences)
    return out, last, cn[0]


def _reset_first(x):
    """Gates in torch's order r, z, n, as the first axis; one copy."""
    z, r, n = x.t().chunk(3)
    return _torch.cat([r, z, n])


def gru(inputs, kernel, recurrent_kernel, bias, h, mask, sequences, unroll):
    if not _fused_fits(inputs):
        return _loop(_gru_step, inputs, kernel, recurrent_kernel, bias, (h,), mask, sequences)
    biases = () if bias is None else _reset_first(bias).t().contiguous().unbind(0)
    weights = [_reset_first(kernel), _reset_first(recurrent_kernel), *biases]
    return _single(_VF.gru, weights, inputs, h, mask, sequences)


def simple_rnn(inputs, kernel, recurrent_kernel, bias, h, mask, sequences, unroll):
    if not _fused_fits(inputs):
        return _loop(_simple_step, inputs, kernel, recurrent_kernel, bias, (h,), mask, sequences)
    weights = _weights(kernel, recurrent_kernel, bias, None if bias is None else _torch.zeros_like(bias))
    return _single(_VF.rnn_tanh, weights, inputs, h, mask, sequences)


def _single(function, weights, inputs, h, mask, sequences):
    x = inputs if mask is None else _compacted(inputs, mask)[0]
    y, hn = _run(function, x, h[None], weights)
    if mask is None:
        return (y if sequences else hn[0]), hn[0]
    return _spread(y, h, mask, sequences)


def _lstm_step(p, recurrent, outer, states):
    h, c = states
    i, f, g, o = _torch.addmm(p, h, recurrent).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _gru_step(p, recurrent, outer, states):
    (h,) = states
    pz, pr, pn = p.chunk(3, -1)
    u = h @ recurrent if outer is None else _torch.addmm(outer, h, recurrent)
    uz, ur, un = u.chunk(3, -1)
    n = (pn + (pr + ur).sigmoid() * un).tanh()
    return (_torch.lerp(n, h, (pz + uz).sigmoid()),)


def _simple_step(p, recurrent, outer, states):
    return (_torch.addmm(p, states[0], recurrent).tanh(),)


def _loop(step, inputs, kernel, recurrent, bias, states, mask, sequences):
    outer = None
    if bias is not None and bias.ndim == 2:
        bias, outer = bias.unbind(0)
    projected = inputs @ kernel if bias is None else inputs @ kernel + bias
    found = []
    for t in range(inputs.shape[1]):
        new = step(projected[:, t], recurrent, outer, states)
        if mask is not None:
            new = tuple(_torch.where(mask[:, t, None], n, s) for n, s in zip(new, states, strict=True))
        states = new
        found.append(new[0])
    return (_torch.stack(found, 1) if sequences else states[0], *states)

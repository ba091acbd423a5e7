"""Fused neural-network kernels of torch."""

from __future__ import annotations

import contextlib as _contextlib

import torch as _torch

from tricera.backends.torch import replay as _replay
from tricera.backends.torch.random import uniform_on as _uniform_on
from tricera.core import config as _config

_F = _torch.nn.functional

selu, silu = _F.selu, _F.silu
softplus, log_sigmoid, mish, hard_sigmoid, hard_silu = _F.softplus, _F.logsigmoid, _F.mish, _F.hardsigmoid, _F.hardswish


def leaky_relu(x, negative_slope=0.2):
    return _F.leaky_relu(x, negative_slope)


def elu(x, alpha=1.0):
    return _F.elu(x, alpha)


def celu(x, alpha=1.0):
    return _F.celu(x, alpha)


def gelu(x, approximate=True):
    return _F.gelu(x, approximate="tanh" if approximate else "none")


def softmax(x, axis=-1):
    return _along(_torch.softmax, x, axis)


def log_softmax(x, axis=-1):
    return _along(_torch.log_softmax, x, axis)


def _along(function, x, axis):
    if isinstance(axis, int):
        return function(x, axis)
    axes = tuple(range(x.ndim)) if axis is None else tuple(axis)
    rest = [i for i in range(x.ndim) if i not in axes]
    moved = x.permute(*rest, *axes)
    out = function(moved.reshape(*moved.shape[: len(rest)], -1), -1).reshape(moved.shape)
    return out.permute(*sorted(range(x.ndim), key=[*rest, *axes].__getitem__))


def softmax_loss(target, logits):
    return -(target * _torch.log_softmax(logits, -1)).sum(-1)


def _picked(logs, target):
    """The negated element that each class names along the last axis, 0 for classes out of range."""
    classes, shape = logs.shape[-1], target.shape
    target = target.long()
    if logs.ndim != 2:
        logs, target = logs.reshape(-1, classes), target.reshape(-1)
    out = None
    if target.device.type == "cpu" and not _torch.compiler.is_compiling() and not _replay.recording():
        # The kernel finds classes out of range itself, and on the CPU says so.
        with _contextlib.suppress(IndexError):
            out = _F.nll_loss(logs, target, reduction="none")
    if out is None:
        target = _torch.where((target >= 0) & (target < classes), target, -100)  # the class that it gives 0
        out = _F.nll_loss(logs, target, reduction="none")
    return out if out.shape == shape else out.reshape(shape)


def sparse_softmax_loss(target, logits):
    return _picked(_torch.log_softmax(logits, -1), target)


def _off_the_ends(output):
    """Probabilities kept off 0 and 1; in float32 where that is finer."""
    wide = output.float() if output.dtype in (_torch.float16, _torch.bfloat16) else output
    return wide.clamp(_config.epsilon(), 1.0 - _config.epsilon())


def sparse_probability_loss(target, output):
    share = _off_the_ends(output / output.sum(-1, keepdim=True))
    return _picked(share.log(), target).to(output.dtype)


def probability_loss(target, output):
    # Not `binary_cross_entropy`: it refuses NaN, and on an accelerator ends the process.
    p = _off_the_ends(output)
    return -_torch.lerp(_torch.log1p(-p), _torch.log(p), target.to(p.dtype)).to(output.dtype)


def sigmoid_loss(target, logits):
    return _F.binary_cross_entropy_with_logits(logits, target, reduction="none")


def fused_dropout(x, rate, seed):
    # Drawing uniform numbers is several times faster than `bernoulli_`.
    drawn = _uniform_on(x.shape, _torch.float32, seed, x.device)
    return x * drawn.ge_(rate).mul_(1.0 / (1.0 - rate)).to(x.dtype)


def channel_scaling(x, mean, variance, axis, offset, scale, epsilon):
    if x.ndim < 2 or mean.requires_grad or variance.requires_grad or x.is_complex():
        # The fused kernel takes the statistics for constants, and knows no complex numbers.
        factor = (variance + epsilon).rsqrt()
        factor = factor if scale is None else factor * scale
        shift = -mean * factor if offset is None else offset - mean * factor
        shape = [-1 if i == axis else 1 for i in range(x.ndim)]
        return _torch.addcmul(shift.reshape(shape), x, factor.reshape(shape))
    out = _F.batch_norm(x.movedim(axis, 1) if axis != 1 else x, mean, variance, scale, offset, False, 0.0, epsilon)
    return out.movedim(1, axis) if axis != 1 else out


def layer_scaling(x, gamma, beta, axes, epsilon):
    shape = x.shape[axes[0] :]
    if x.is_complex():
        centred = x - x.mean(axes, keepdim=True)
        out = centred * ((centred * centred).mean(axes, keepdim=True) + epsilon).rsqrt()
        out = out if gamma is None else out * _beside(gamma, x, axes)
        return out if beta is None else out + _beside(beta, x, axes)
    last = axes == tuple(range(x.ndim - len(axes), x.ndim))
    fits = all(p is None or p.shape == shape for p in (gamma, beta))
    if last and fits:
        return _F.layer_norm(x, shape, gamma, beta, epsilon)
    moved = x.movedim(axes, tuple(range(x.ndim - len(axes), x.ndim)))
    out = _F.layer_norm(moved, moved.shape[x.ndim - len(axes) :], None, None, epsilon)
    out = out.movedim(tuple(range(x.ndim - len(axes), x.ndim)), axes)
    out = out if gamma is None else out * _beside(gamma, x, axes)
    return out if beta is None else out + _beside(beta, x, axes)


def _beside(parameter, x, axes):
    if parameter.ndim != len(axes):
        return parameter
    lengths = iter(parameter.shape)
    return parameter.reshape([next(lengths) if i in axes else 1 for i in range(x.ndim)])


def rms_scaling(x, scale, axes, epsilon):
    if axes == tuple(range(x.ndim - len(axes), x.ndim)):
        shape = x.shape[axes[0] :]
        if scale is None or scale.shape == shape:
            return _F.rms_norm(x, shape, scale, epsilon)
        return _F.rms_norm(x, shape, None, epsilon) * scale
    wide = x.float() if x.dtype in (_torch.float16, _torch.bfloat16) else x
    out = (wide * (wide.square().mean(axes, keepdim=True) + epsilon).rsqrt()).to(x.dtype)
    return out if scale is None else out * scale


def group_scaling(x, gamma, beta, axis, groups, size, epsilon):
    if gamma is None and beta is not None:  # the kernel's gradient of a shift without a scale fails
        gamma = _torch.ones_like(beta)
    out = _F.group_norm(x.movedim(axis, 1) if axis != 1 else x, groups, gamma, beta, epsilon)
    return out.movedim(1, axis) if axis != 1 else out


def _heads_first(x):
    return x.transpose(1, 2)


def attend(query, key, value, bias, scale):
    out = _F.scaled_dot_product_attention(*map(_heads_first, (query, key, value)), attn_mask=bias, scale=scale)
    return out.transpose(1, 2)


def causal_attend(query, key, value, scale):
    out = _F.scaled_dot_product_attention(*map(_heads_first, (query, key, value)), is_causal=True, scale=scale)
    return out.transpose(1, 2)

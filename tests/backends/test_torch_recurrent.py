"""torch's fused recurrences beside the portable definitions: values, last states, and gradients of everything, masked or not."""

from __future__ import annotations

import pytest

from tests.backends import recurrent_cases
from tests.backends.recurrent_cases import FEATURES, GATES, MASKS, UNITS
from tests.conftest import BACKENDS

if "torch" not in BACKENDS:
    pytest.skip("torch is not installed", allow_module_level=True)

import torch

from tricera import layers
from tricera.backend import use
from tricera.backends.torch.ops import recurrent as fused
from tricera.core.op import OPS
from tricera.ops import recurrent as ops


def operands(name, dtype=torch.float64):
    return [torch.tensor(a, dtype=dtype, requires_grad=True) for a in recurrent_cases.operands(name, "float64")]


def run(function, tensors, mask, sequences):
    outputs = function(*tensors, mask, sequences, False)
    factors = [torch.linspace(-1, 2, y.numel(), dtype=y.dtype).reshape(y.shape) for y in outputs]
    total = sum((y * f).sum() for y, f in zip(outputs, factors, strict=True))
    wanted = [t for t in tensors if t is not None]
    return outputs, torch.autograd.grad(total, wanted, allow_unused=True)


@pytest.mark.parametrize("name", list(GATES))
@pytest.mark.parametrize("mask", list(MASKS))
@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("biased", [True, False])
def test_values_and_gradients(name, mask, sequences, biased):
    tensors = operands(name)
    if not biased:
        tensors[3] = None
    mask = None if MASKS[mask] is None else torch.tensor(MASKS[mask], dtype=torch.bool)
    with use("torch"):
        wanted, slopes = run(OPS[name].fn, tensors, mask, sequences)
        assert fused._fused_fits(tensors[0])
        found, grads = run(getattr(fused, name), tensors, mask, sequences)
    for got, want in zip([*found, *grads], [*wanted, *slopes], strict=True):
        torch.testing.assert_close(got, want, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", list(GATES))
@pytest.mark.parametrize("mask", ["whole", "holes"])
def test_under_functional_transforms(name, mask):
    """Forward derivatives and vmap have no kernels: the loop that is taken then gives the same."""
    tensors = [t.detach() for t in operands(name)]
    mask = None if MASKS[mask] is None else torch.tensor(MASKS[mask], dtype=torch.bool)

    def total(x):
        return sum(y.sum() for y in getattr(fused, name)(x, *tensors[1:], mask, True, False))

    x = tensors[0].clone().requires_grad_()
    (plain,) = torch.autograd.grad(total(x), x)
    torch.testing.assert_close(torch.func.grad(total)(tensors[0]), plain, rtol=1e-8, atol=1e-8)
    _, slope = torch.func.jvp(total, (tensors[0],), (torch.ones_like(tensors[0]),))
    torch.testing.assert_close(slope, plain.sum(), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", list(GATES))
def test_masked_values_never_reach_a_gradient(name):
    tensors, mask = operands(name, torch.float32), torch.tensor(MASKS["holes"], dtype=torch.bool)
    with torch.no_grad():
        tensors[0][~mask] = float("nan")
    _, grads = run(getattr(fused, name), tensors, mask, True)
    assert all(torch.isfinite(g).all() for g in grads)
    assert not grads[0][~mask].any()


def test_specs():
    """What is inferred from shapes is what comes out."""
    from tricera.core.tensor import KerasTensor

    x, k, u, b, h, c = (KerasTensor(t.shape, "float64") for t in operands("lstm"))
    outputs = ops.lstm(KerasTensor((None, None, FEATURES), "float64"), k, u, b, h, c, None, True)
    assert [y.shape for y in outputs] == [(None, None, UNITS), (None, UNITS), (None, UNITS)]


def test_weights_lie_in_order():
    """An orthogonal matrix comes transposed; in that order torch's fused optimizers and kernels could not take it."""
    with use("torch"):
        for layer in (layers.LSTM(3), layers.GRU(3), layers.SimpleRNN(3)):
            layer.build((None, 4, 2))
            assert all(v.native.is_contiguous() for v in layer.variables)

"""The recurrences that JAX and TensorFlow compute their own way beside the portable definitions: values, derivatives of all kinds."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.backends.recurrent_cases import GATES, MASKS, operands
from tests.conftest import BACKENDS
from tricera import ops
from tricera.core import dispatch
from tricera.core.op import OPS
from tricera.ops import recurrent as recurrent  # defines them

OWN = [name for name in ("jax", "tensorflow") if name in BACKENDS]


@pytest.fixture(params=OWN)
def backend(request):
    with tricera.backend.use(request.param):
        yield dispatch.get(request.param)


def total(function, mask, sequences, biased=True, unroll=False):
    """One number that every output has a share in, as a function of the operands."""

    def run(x, kernel, recurrent, bias, *states):
        outputs = function(x, kernel, recurrent, bias if biased else None, *states, mask, sequences, unroll)
        shares = 0.0
        for number, y in enumerate(outputs):
            factors = np.linspace(-1, 2, int(np.prod(y.shape)), dtype="float32").reshape(y.shape)
            shares = shares + (number + 1) * ops.sum(ops.multiply(ops.square(y), factors))
        return shares

    return run


def both(backend, name, mask, sequences, biased=True, unroll=False):
    mask = None if MASKS[mask] is None else ops.convert_to_tensor(np.array(MASKS[mask], bool))
    functions = backend.function(name), OPS[name].fn
    return [total(f, mask, sequences, biased, unroll) for f in functions]


def whole(backend, fn):
    """The function as one program on JAX, where the portable definition alone would compile each of its loops by itself."""
    if backend.name != "jax":
        return fn
    import jax

    return jax.jit(fn)


def close(got, want, tolerance=2e-5):
    for a, b in zip(tricera.tree.flatten(got), tricera.tree.flatten(want), strict=True):
        a, b = ops.convert_to_numpy(a), ops.convert_to_numpy(b)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1, np.abs(b).max()))


@pytest.mark.parametrize("name", list(GATES))
@pytest.mark.parametrize(
    ("mask", "sequences", "biased", "unroll"),
    [("whole", True, False, False), ("holes", False, True, True)],
)
def test_values_and_gradients(backend, name, mask, sequences, biased, unroll):
    own, body = both(backend, name, mask, sequences, biased, unroll)
    tensors = [ops.convert_to_tensor(a) for a in operands(name)]
    argnums = [i for i in range(len(tensors)) if biased or i != 3]
    found, wanted = (whole(backend, tricera.value_and_grad(f, argnums=argnums))(*tensors) for f in (own, body))
    close(found, wanted)


@pytest.mark.parametrize("name", list(GATES))
def test_further_derivatives(backend, name):
    """Forward derivatives, the derivative of a gradient, and a gradient for each of several inputs."""
    own, body = both(backend, name, "padded", True)
    tensors = [ops.convert_to_tensor(a) for a in operands(name)]
    ones = [ops.ones_like(t) for t in tensors]

    def forward(function):
        return whole(backend, lambda *t: tricera.jvp(function, t, ones))(*tensors)

    close(forward(own), forward(body))

    def steep(function):
        def slope(recurrent):
            gradient = tricera.grad(lambda r: function(*tensors[:2], r, *tensors[3:]))(recurrent)
            return ops.sum(ops.square(gradient))

        return whole(backend, tricera.grad(slope))(tensors[2])

    close(steep(own), steep(body), 1e-4)

    def each(function):
        several = ops.stack([tensors[0], 2 * tensors[0]])
        return whole(backend, tricera.vmap(lambda x: function(x, *tensors[1:])))(several)

    close(each(own), each(body))


@pytest.mark.parametrize("name", list(GATES))
def test_masked_values_never_reach_a_gradient(backend, name):
    own, _ = both(backend, name, "holes", True)
    arrays, mask = operands(name), np.array(MASKS["holes"], bool)
    arrays[0][~mask] = np.nan
    gradients = tricera.grad(own, argnums=range(len(arrays)))(*map(ops.convert_to_tensor, arrays))
    gradients = [ops.convert_to_numpy(g) for g in gradients]
    assert all(np.isfinite(g).all() for g in gradients)
    assert not gradients[0][~mask].any()

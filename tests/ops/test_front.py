"""What all ops share: promotion, numbers beside tensors, variables, errors, and running inside compilers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tricera import ops
from tricera.core import dispatch
from tricera.core.dtypes import result_type
from tricera.core.op import OPS
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable

DTYPES = ("bool", "uint8", "int8", "int32", "float16", "bfloat16", "float32")


def dtype(x: Any) -> str:
    """The dtype of a result."""
    return ops.dtype(x)


def test_promotion_of_pairs(backend: str) -> None:
    """Two tensors meet in the dtype of the lattice, on every backend the same."""
    for a, b in itertools.product(DTYPES, DTYPES):
        x, y = ops.ones((2,), a), ops.ones((2,), b)
        want = result_type(a, b)
        assert dtype(ops.maximum(x, y)) == want == ops.maximum(KerasTensor((2,), a), KerasTensor((2,), b)).dtype, (a, b)
        share = want if "float" in want else "float32"
        assert dtype(ops.divide(x, y)) == share == ops.divide(KerasTensor((2,), a), KerasTensor((2,), b)).dtype, (a, b)


def test_promotion_beside_numbers(backend: str) -> None:
    """Python numbers are weak: they do not widen a tensor, twice the same (the second call takes the fast way)."""
    for kind, number in itertools.product(DTYPES[1:], (2, 2.0)):
        x = ops.ones((2,), kind)
        want = result_type(kind, type(number))
        for _ in range(2):
            for out in (ops.add(x, number), ops.add(number, x), ops.subtract(x, number)):
                assert dtype(out) == want, (kind, number)
            assert ops.add(KerasTensor((2,), kind), number).dtype == want
        np.testing.assert_array_equal(
            ops.convert_to_numpy(ops.cast(ops.subtract(number, ops.cast(x, "float32")), "float32")), 1.0
        )


def test_unary_float_ops_of_integers(backend: str) -> None:
    """Float functions of integers give floatx."""
    for kind in ("bool", "int8", "int32"):
        for name in ("exp", "sqrt", "sin", "sigmoid", "mean", "softmax", "erf"):
            function = getattr(ops, name)
            assert dtype(function(ops.ones((2,), kind))) == "float32" == function(KerasTensor((2,), kind)).dtype, (
                name,
                kind,
            )


def test_variables_are_operands(backend: str) -> None:
    """A Variable stands for its value, in either place, again and again, after assignments too."""
    v = Variable([1.0, 2.0])
    x = ops.convert_to_tensor([3.0, 4.0])
    for step in range(3):
        values = np.array([1.0 + step, 2.0])
        v.assign(values)
        np.testing.assert_allclose(ops.convert_to_numpy(ops.add(v, x)), values + [3, 4])
        np.testing.assert_allclose(ops.convert_to_numpy(ops.subtract(x, v)), [3, 4] - values)
        np.testing.assert_allclose(ops.convert_to_numpy(ops.multiply(v, v)), values**2)
        np.testing.assert_allclose(ops.convert_to_numpy(ops.exp(v)), np.exp(values), rtol=1e-6)
        np.testing.assert_allclose(ops.convert_to_numpy(ops.sum(v, axis=-1)), values.sum())
        np.testing.assert_allclose(ops.convert_to_numpy(ops.concatenate([v, x])), [*values, 3, 4])
        np.testing.assert_allclose(ops.convert_to_numpy(ops.add(v, 1.0)), values + 1)
    assert ops.add(KerasTensor((None, 2)), v).shape == (None, 2)


def test_the_axis_is_not_remembered_for_another_rank(backend: str) -> None:
    """What is kept for the fast way depends on the rank where it must."""
    for rank in (2, 3, 1, 2):
        x = ops.ones((2,) * rank)
        assert tuple(ops.sum(x, axis=-1).shape) == (2,) * (rank - 1)
        assert tuple(ops.expand_dims(x, axis=-1).shape) == (2,) * rank + (1,)
        target = ops.zeros((2,) * (rank - 1), "int32")
        assert tuple(ops.sparse_categorical_crossentropy(target, x, from_logits=True).shape) == (2,) * (rank - 1)
        assert tuple(ops.sparse_categorical_crossentropy(target, x).shape) == (2,) * (rank - 1)


@pytest.mark.skipif(not {"torch", "jax"} <= set(BACKENDS), reason="needs two frameworks")
def test_frameworks_do_not_mix_silently() -> None:
    """Tensors of two frameworks in one op are refused, with what to do."""
    with dispatch.use("torch"):
        a = ops.ones((2,))
    with dispatch.use("jax"):
        b = ops.ones((2,))
    with pytest.raises(TypeError, match="two frameworks, torch and jax.*convert_to_numpy"):
        ops.add(a, b)
    assert dispatch.of(ops.add(a, np.ones(2))).name == "torch"
    with dispatch.use("torch"):
        assert dispatch.of(ops.softmax(b)).name == "jax"
        assert dispatch.of(ops.dot_product_attention(*[ops.reshape(b, (1, 1, 1, 2))] * 3, is_causal=True)).name == "jax"


ERRORS = [
    ("add", lambda: ops.add(ops.ones((2, 3)), ops.ones((4,))), ValueError, r"broadcast: 3 and 4"),
    ("matmul", lambda: ops.matmul(ops.ones((2, 3)), ops.ones((4, 5))), ValueError, r"inner dimensions.*3 and 4"),
    ("concatenate", lambda: ops.concatenate([ops.ones((2, 3)), ops.ones((2, 4))]), ValueError, r"differ"),
    ("reshape", lambda: ops.reshape(ops.ones((2, 3)), (4, -1)), ValueError, r"6 elements"),
    ("sum", lambda: ops.sum(ops.ones((2, 3)), axis=2), ValueError, r"`axis`=2 is out of range for a tensor of 2 axes"),
    ("exp", lambda: ops.exp(ops.ones((2,)), beta=1), TypeError, r"ops.exp: got an unexpected keyword argument 'beta'"),
    ("clip", lambda: ops.clip(ops.ones((2,)), 1.0), TypeError, r"missing the argument 'x_max'"),
    (
        "conv",
        lambda: ops.conv(ops.ones((1, 3, 2)), ops.ones((5, 2, 4))),
        ValueError,
        r"ops.conv.*length 5.*length 3.*same",
    ),
    (
        "conv",
        lambda: ops.conv(ops.ones((1, 3, 3)), ops.ones((2, 2, 4))),
        ValueError,
        r"3 channels.*2 input channels.*data_format",
    ),
    ("conv", lambda: ops.conv(ops.ones((1, 5, 5, 3)), ops.ones((2, 3, 4))), ValueError, r"kernel of 4 axes"),
    (
        "conv",
        lambda: ops.conv(ops.ones((1, 5, 2)), ops.ones((2, 2, 4)), padding="full"),
        ValueError,
        r"`padding`.*'valid'.*'full'",
    ),
    ("conv", lambda: ops.conv(ops.ones((1, 5, 2)), ops.ones((2, 2, 4)), strides=0), ValueError, r"`strides`.*positive"),
    (
        "conv_transpose",
        lambda: ops.conv_transpose(ops.ones((1, 3, 2)), ops.ones((2, 3, 4))),
        ValueError,
        r"2 channels.*takes 4",
    ),
    (
        "conv_transpose",
        lambda: ops.conv_transpose(ops.ones((1, 3, 2)), ops.ones((2, 3, 2)), 2, output_padding=2),
        ValueError,
        r"below its stride",
    ),
    (
        "depthwise_conv",
        lambda: ops.depthwise_conv(ops.ones((1, 3, 2)), ops.ones((2, 3, 2))),
        ValueError,
        r"channels, multiplier",
    ),
    ("max_pool", lambda: ops.max_pool(ops.ones((1, 3, 2)), 4), ValueError, r"ops.max_pool.*length 4.*length 3"),
    ("average_pool", lambda: ops.average_pool(ops.ones((1, 3)), 2), ValueError, r"3, 4 or 5 axes"),
    (
        "categorical_crossentropy",
        lambda: ops.categorical_crossentropy(ops.ones((2,), "int32"), ops.ones((2, 3))),
        ValueError,
        r"same shape.*sparse_",
    ),
    (
        "sparse_categorical_crossentropy",
        lambda: ops.sparse_categorical_crossentropy(ops.ones((2, 3)), ops.ones((2, 3))),
        ValueError,
        r"one-hot",
    ),
    (
        "binary_crossentropy",
        lambda: ops.binary_crossentropy(ops.ones((2,)), ops.ones((2, 1))),
        ValueError,
        r"same shape",
    ),
    (
        "batch_normalization",
        lambda: ops.batch_normalization(ops.ones((2, 3)), ops.ones((2,)), ops.ones((3,)), -1),
        ValueError,
        r"`mean`.*\(3,\)",
    ),
    ("layer_normalization", lambda: ops.layer_normalization(ops.ones((2, 3)), ops.ones((2,))), ValueError, r"`gamma`"),
    ("normalize", lambda: ops.normalize(ops.ones((2,)), order=0), ValueError, r"`order`"),
    ("dot_product_attention", lambda: ops.dot_product_attention(*[ops.ones((2, 3, 4))] * 3), ValueError, r"4 axes"),
    ("one_hot", lambda: ops.one_hot(ops.ones((2,), "int32"), 3, axis=5), ValueError, r"out of range"),
    ("multi_hot", lambda: ops.multi_hot([1, 2]), ValueError, r"num_classes"),
]


@pytest.mark.parametrize(("name", "call", "kind", "message"), ERRORS, ids=[f"{e[0]}-{i}" for i, e in enumerate(ERRORS)])
def test_errors_say_what_is_wrong(name: str, call: Any, kind: type[Exception], message: str, backend: str) -> None:
    """The error is the same on every backend, and says what was given and what to do."""
    with pytest.raises(kind, match=message):
        call()


def test_symbolic_errors_are_the_same() -> None:
    """Shape errors come when a model is wired, too."""
    with pytest.raises(ValueError, match="ops.conv"):
        ops.conv(KerasTensor((None, 3, 2)), np.ones((5, 2, 4)))
    with pytest.raises(ValueError, match="inner dimensions"):
        ops.matmul(KerasTensor((None, 3)), np.ones((4, 5)))


def network(x: Any, kernel: Any) -> Any:
    """A bit of everything."""
    y = ops.relu(ops.conv(x, kernel, strides=2, padding="same"))
    y = ops.max_pool(y, 2)
    y = ops.softmax(ops.reshape(y, (-1, 16)) * 2.0 + 1.0)
    y = ops.layer_normalization(ops.where(y > 0.1, y, 0.0))
    y = ops.dot_product_attention(*[ops.reshape(y, (1, 2, 2, 8))] * 3, is_causal=True)
    y = ops.concatenate([ops.reshape(y, (2, 16)), ops.zeros((2, 1))], axis=-1)
    hot = ops.one_hot(ops.argmax(y, axis=-1), 17)
    return ops.mean(ops.categorical_crossentropy(hot, y, from_logits=True)) + ops.logsumexp(ops.take(y, [0], axis=1))


@pytest.mark.parametrize("name", [b for b in BACKENDS if b != "numpy"])
def test_inside_compilers(name: str) -> None:
    """Ops run under torch.compile without a graph break, jax.jit and tf.function, cold."""
    rng = np.random.default_rng(0)
    image, weights = rng.normal(size=(2, 8, 8, 3)).astype("float32"), rng.normal(size=(3, 3, 3, 4)).astype("float32")
    with dispatch.use(name):
        x, kernel = ops.convert_to_tensor(image), ops.convert_to_tensor(weights)
        ops.relu(x)  # a backend's modules can't be imported while torch traces
        for op in OPS.values():
            op.fast.clear()
        if name == "torch":
            import torch

            compiled = torch.compile(network, fullgraph=True, backend="eager")
        elif name == "jax":
            import jax

            compiled = jax.jit(network)
        else:
            import tensorflow as tf

            compiled = tf.function(network)
        first, second = float(compiled(x, kernel)), float(compiled(x, kernel))
        assert first == second == pytest.approx(float(network(x, kernel)), rel=1e-5)


@pytest.mark.skipif("tensorflow" not in BACKENDS, reason="needs TensorFlow")
def test_graphs_of_unknown_batch() -> None:
    """In a graph whose sizes are not known, ops work and keep what is known."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 3)), tf.TensorSpec((None, None, 4))])
    def run(x: Any, sequence: Any) -> Any:
        kernel = ops.ones((3, 3, 3, 4))
        up = ops.conv_transpose(x, ops.ones((3, 3, 2, 3)), strides=2, padding="same")
        assert up.shape.as_list() == [None, 16, 16, 2]
        y = ops.average_pool(ops.conv(x, kernel, padding="same"), 2)
        heads = ops.reshape(sequence, (ops.shape(sequence)[0], -1, 2, 2))
        attended = ops.dot_product_attention(heads, heads, heads, is_causal=True)
        return (
            ops.sum(y),
            ops.sum(ops.max_pool(sequence, 2, padding="same")),
            attended,
            ops.layer_normalization(sequence),
        )

    total, pooled, attended, normal = run(tf.ones((2, 8, 8, 3)), tf.ones((2, 5, 4)))
    assert float(pooled) == 2 * 3 * 4
    assert attended.shape == (2, 5, 2, 2)
    assert normal.shape == (2, 5, 4)
    assert np.isfinite(float(total))


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
def test_the_fast_way_is_torch_itself() -> None:
    """After the first call an op on two tensors is looked up and called, with nothing in between."""
    import torch

    with dispatch.use("torch"):
        a = torch.ones(2)
        ops.add(a, a)
        assert OPS["add"].fast[torch.Tensor][torch.float32, torch.Tensor, torch.float32] is torch.add
        ops.exp(a)
        assert OPS["exp"].fast[torch.Tensor][torch.float32,] is torch.exp


def test_arguments_that_cannot_be_hashed(backend: str) -> None:
    """A list as an option is no part of a key, neither in the first call of a process nor in a later one."""
    x = ops.ones((2, 3, 4))
    OPS["tensordot"].fast.clear()
    for _ in range(2):
        assert ops.shape(ops.tensordot(x, x, axes=[[0, 1], [0, 1]])) == (4, 4)
    OPS["sum"].fast.clear()
    for _ in range(2):
        assert ops.shape(ops.sum(x, axis=[0, 2])) == (3,)

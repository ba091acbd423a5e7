"""Fused kernels: where a framework has one and its conditions hold, ops, layers and training steps reach it.

That their values are those of the composed bodies shows test_ops.py:test_body_agrees_with_override.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tricera import Sequential, activations, layers, losses, ops
from tricera.core import dispatch

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 6, 8)).astype("float32")
IMAGE = RNG.normal(size=(2, 5, 5, 4)).astype("float32")
HEADS = RNG.normal(size=(2, 6, 2, 4)).astype("float32")
LOGITS = RNG.normal(size=(4, 3)).astype("float32")
CLASSES = np.array([0, 2, 1, 1], "int32")
HOT = np.eye(3, dtype="float32")[CLASSES]


def _attention(**options: Any) -> Callable[[], Any]:
    return lambda: layers.MultiHeadAttention(2, 4)(X, X, **options)


def _step(loss: Any, y: Any, activation: str | None) -> Callable[[], Any]:
    """A step of training."""

    def run() -> Any:
        model = Sequential([layers.Input((8,)), layers.Dense(3, activation=activation)])
        model.compile("sgd", loss)
        return model.train_on_batch(X[0, :4], y)

    return run


def _of_sequence(layer: Callable[[], Any], x: Any = X) -> Callable[[], Any]:
    return lambda: layer()(ops.convert_to_tensor(x))


# What is run -> the part of a kernel's name that must be among those that run.
TORCH: dict[str, tuple[Callable[[], Any], str]] = {
    "op attention": (lambda: ops.dot_product_attention(HEADS, HEADS, HEADS), "_scaled_dot_product"),
    "op causal attention": (
        lambda: ops.dot_product_attention(HEADS, HEADS, HEADS, is_causal=True),
        "_scaled_dot_product",
    ),
    "op masked attention": (
        lambda: ops.dot_product_attention(HEADS, HEADS, HEADS, mask=np.ones((1, 1, 6, 6), bool)),
        "_scaled_dot_product",
    ),
    "MultiHeadAttention": (_attention(), "_scaled_dot_product"),
    "MultiHeadAttention, causal": (_attention(use_causal_mask=True), "_scaled_dot_product"),
    "MultiHeadAttention, masked": (_attention(attention_mask=np.ones((2, 6, 6), bool)), "_scaled_dot_product"),
    "op layer_normalization": (lambda: ops.layer_normalization(X, np.ones(8, "float32")), "native_layer_norm"),
    "LayerNormalization": (_of_sequence(layers.LayerNormalization), "native_layer_norm"),
    "op rms_normalization": (lambda: ops.rms_normalization(X, np.ones(8, "float32")), "rms_norm"),
    "RMSNormalization": (_of_sequence(layers.RMSNormalization), "rms_norm"),
    "op batch_normalization": (
        lambda: ops.batch_normalization(IMAGE, np.zeros(4, "float32"), np.ones(4, "float32"), -1),
        "batch_norm",
    ),
    "BatchNormalization": (_of_sequence(layers.BatchNormalization, IMAGE), "batch_norm"),
    "GroupNormalization": (_of_sequence(lambda: layers.GroupNormalization(2), IMAGE), "native_group_norm"),
    "op gelu": (lambda: ops.gelu(X), "gelu"),
    "Dense with gelu": (_of_sequence(lambda: layers.Dense(3, activation="gelu")), "gelu"),
    "Dense": (_of_sequence(lambda: layers.Dense(3), X[0]), "addmm"),
    "op softmax": (lambda: ops.softmax(X), "_softmax"),
    "op categorical_crossentropy": (
        lambda: ops.categorical_crossentropy(HOT, LOGITS, from_logits=True),
        "_log_softmax",
    ),
    "op sparse_categorical_crossentropy": (
        lambda: ops.sparse_categorical_crossentropy(CLASSES, LOGITS, from_logits=True),
        "nll_loss_forward",
    ),
    "op binary_crossentropy": (
        lambda: ops.binary_crossentropy(HOT, LOGITS, from_logits=True),
        "binary_cross_entropy_with_logits",
    ),
    "a step, CategoricalCrossentropy": (
        _step(losses.CategoricalCrossentropy(from_logits=True), HOT, None),
        "_log_softmax_backward_data",
    ),
    "a step, categorical_crossentropy of a softmax": (
        _step("categorical_crossentropy", HOT, "softmax"),
        "_log_softmax_backward_data",
    ),
    "a step, SparseCategoricalCrossentropy": (
        _step(losses.SparseCategoricalCrossentropy(from_logits=True), CLASSES, None),
        "nll_loss_backward",
    ),
    "a step, sparse_categorical_crossentropy of a softmax": (
        _step("sparse_categorical_crossentropy", CLASSES, "softmax"),
        "nll_loss_backward",
    ),
    "a step, BinaryCrossentropy": (
        _step(losses.BinaryCrossentropy(from_logits=True), HOT, None),
        "binary_cross_entropy_with_logits",
    ),
}


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
@pytest.mark.parametrize("what", TORCH)
def test_kernels_of_torch(what: str) -> None:
    """The kernels that run, and the functions that are called, by their names: on the CPU some functions are made of several kernels."""
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    run, kernel = TORCH[what]
    seen: list[str] = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(func.__name__)
            return func(*args, **(kwargs or {}))

    class Called(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(getattr(func, "__name__", ""))
            return func(*args, **(kwargs or {}))

    with dispatch.use("torch"), Watch(), Called():
        run()
    assert any(kernel in name for name in seen), sorted(set(seen))


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
def test_convolutions_of_torch_take_the_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    """One kernel for both, but not where a subclass convolves in its own way."""
    from tricera.backends.torch.ops import convolution

    given: list[bool] = []

    def watched(x: Any, kernel: Any, bias: Any, *rest: Any) -> Any:
        given.append(bias is not None)
        return original(x, kernel, bias, *rest)

    original = convolution._CONV[2]
    monkeypatch.setattr(convolution, "_CONV", (None, None, watched, None))

    class Own(layers.Conv2D):
        def convolution_op(self, inputs: Any, kernel: Any) -> Any:
            return ops.multiply(2.0, super().convolution_op(inputs, kernel))

    with dispatch.use("torch"):
        plain, own = layers.Conv2D(3, 2, bias_initializer="ones"), Own(3, 2, bias_initializer="ones")
        out = plain(IMAGE)
        own.build(IMAGE.shape)
        own.set_weights(plain.get_weights())
        np.testing.assert_allclose(
            ops.convert_to_numpy(own(IMAGE)), 2 * ops.convert_to_numpy(out) - 1, rtol=1e-4, atol=1e-5
        )
    assert given == [True, False]


# What is run on tensors -> (the tensors, the type of the graph's node). Targets given as probabilities need not sum to 1, which the
# gradient of TensorFlow's SoftmaxCrossEntropyWithLogits takes for granted; hence LogSoftmax there.
TENSORFLOW: dict[str, tuple[Callable[..., Any], list[np.ndarray], str]] = {
    "categorical_crossentropy": (
        lambda y, x: ops.categorical_crossentropy(y, x, from_logits=True),
        [HOT, LOGITS],
        "LogSoftmax",
    ),
    "sparse_categorical_crossentropy": (
        lambda y, x: ops.sparse_categorical_crossentropy(y, x, from_logits=True),
        [CLASSES, LOGITS],
        "SparseSoftmaxCrossEntropyWithLogits",
    ),
    "CategoricalCrossentropy": (
        losses.CategoricalCrossentropy(from_logits=True),
        [HOT, LOGITS],
        "LogSoftmax",
    ),
    "a softmax and its crossentropy": (
        lambda y, x: losses.CategoricalCrossentropy()(y, activations.softmax(x)),
        [HOT, LOGITS],
        "LogSoftmax",
    ),
    "softmax": (ops.softmax, [X], "LogSoftmax"),
    "a large softmax": (ops.softmax, [np.zeros((200, 100), "float32")], "Softmax"),
    "log_softmax": (ops.log_softmax, [X], "LogSoftmax"),
    "leaky_relu": (ops.leaky_relu, [X], "LeakyRelu"),
    "elu": (ops.elu, [X], "Elu"),
    "selu": (ops.selu, [X], "Selu"),
    "softplus": (ops.softplus, [X], "Softplus"),
    "softsign": (ops.softsign, [X], "Softsign"),
}


@pytest.mark.skipif("tensorflow" not in BACKENDS, reason="needs TensorFlow")
def test_kernels_of_tensorflow() -> None:
    """The nodes of the graphs."""
    import tensorflow as tf

    with dispatch.use("tensorflow"):
        for what, (run, arrays, node) in TENSORFLOW.items():
            traced = tf.function(run, autograph=False).get_concrete_function(*map(tf.constant, arrays))
            assert node in {op.type for op in traced.graph.get_operations()}, what


@pytest.mark.skipif("jax" not in BACKENDS, reason="needs JAX")
def test_kernels_of_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    """On accelerators attention goes to JAX's own, plain, causal and under a mask, from the op and the layer, where its conditions hold."""
    import jax

    from tricera.backends.jax.ops import nn

    seen: list[bool] = []
    original = jax.nn.dot_product_attention

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs.get("is_causal", False))
        return original(*args, **kwargs)

    monkeypatch.setattr(jax.nn, "dot_product_attention", watched)
    with dispatch.use("jax"):
        mask = np.ones((2, 1, 6, 6), bool)
        calls: list[Callable[[], Any]] = [
            lambda: ops.dot_product_attention(HEADS, HEADS, HEADS, scale=0.3),
            lambda: ops.dot_product_attention(HEADS, HEADS, HEADS, scale=0.3, is_causal=True),
            lambda: ops.dot_product_attention(HEADS, HEADS, HEADS, mask=mask),
        ]
        composed = [call() for call in calls]
        assert not seen or nn._accelerated()
        seen.clear()
        monkeypatch.setattr(nn, "_accelerated", lambda: True)
        for call, want in zip(calls, composed, strict=True):
            np.testing.assert_allclose(call(), want, rtol=1e-5, atol=1e-6)
        _attention()()
        _attention(use_causal_mask=True)()
        _attention(attention_mask=np.ones((2, 6, 6), bool))()
        assert seen == [False, True, False, False, True, False]
        # With a scale of its own, for which no other test has had a program compiled.
        wide = ops.dot_product_attention(HEADS, HEADS, np.concatenate([HEADS, HEADS], -1), scale=0.37, is_causal=True)
        narrow = ops.dot_product_attention(HEADS, HEADS, HEADS, scale=0.37, is_causal=True)
        assert len(seen) == 7
        np.testing.assert_allclose(wide[..., :4], narrow, rtol=1e-5, atol=1e-6)

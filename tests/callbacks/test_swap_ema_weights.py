"""SwapEMAWeights: who sees the weights, who their running means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tricera as keras
from tricera import layers
from tricera.callbacks import Callback, SwapEMAWeights

X = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")
Y = X.sum(1, keepdims=True)


class Watch(Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, list[Any]] = {"batch": [], "test": [], "end": []}

    def note(self, when: str) -> None:
        self.seen[when].append(self.model.get_weights()[0].ravel())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.note("batch")

    def on_test_begin(self, logs: Any = None) -> None:
        self.note("test")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.note("end")


def by_hand(weights: list[Any], momentum: float = 0.5) -> list[Any]:
    """The running means after each step."""
    means = [weights[0]]
    for w in weights[1:]:
        means.append(momentum * means[-1] + (1 - momentum) * w)
    return means


def make(wrap: bool = False, **options: Any) -> Any:
    model = keras.Sequential([layers.Input((2,)), layers.Dense(1, use_bias=False)])
    optimizer: Any = keras.optimizers.SGD(0.1, **options)
    if wrap:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer, "mse")
    return model


@pytest.mark.parametrize("on_epoch", [False, True])
@pytest.mark.parametrize("wrap", [False, True])
def test_who_sees_what(trainable_backend: str, on_epoch: bool, wrap: bool) -> None:
    model, watch = make(wrap, use_ema=True, ema_momentum=0.5), Watch()
    swap = SwapEMAWeights(on_epoch)
    model.fit(X, Y, batch_size=8, epochs=3, validation_data=(X, Y), verbose=0, callbacks=[swap, watch])
    batches, means = watch.seen["batch"], by_hand(watch.seen["batch"])
    np.testing.assert_allclose(watch.seen["test"], means[1::2], rtol=1e-5)
    np.testing.assert_allclose(watch.seen["end"], (means if on_epoch else batches)[1::2], rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0].ravel(), means[-1], rtol=1e-5)  # as use_ema promises
    # What was trained is the weights themselves.
    plain, other = make(wrap), Watch()
    plain.set_weights([np.zeros((2, 1))])
    model = make(wrap, use_ema=True)
    model.set_weights([np.zeros((2, 1))])
    keras.utils.set_random_seed(1)
    plain.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[other])
    watch = Watch()
    keras.utils.set_random_seed(1)
    model.fit(
        X, Y, batch_size=8, epochs=2, validation_data=(X, Y), verbose=0, callbacks=[SwapEMAWeights(on_epoch), watch]
    )
    np.testing.assert_allclose(watch.seen["batch"], other.seen["batch"], rtol=1e-5)


def test_evaluate_and_predict_give_the_weights_back(trainable_backend: str) -> None:
    model = make(use_ema=True, ema_momentum=0.5)
    for _ in range(3):
        model.train_on_batch(X, Y)
    weights, mean = model.get_weights()[0], model.optimizer._averages[0].numpy()
    loss = model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])
    assert loss == pytest.approx(float(np.mean((X @ mean - Y) ** 2)), rel=1e-4)
    predicted = model.predict(X, verbose=0, callbacks=[SwapEMAWeights()])
    np.testing.assert_allclose(predicted, X @ mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(model.get_weights()[0], weights)
    model.train_on_batch(X, Y)


def test_it_needs_means() -> None:
    with pytest.raises(ValueError, match="use_ema=True"):
        make().fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[SwapEMAWeights()])

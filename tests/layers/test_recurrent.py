"""Recurrent layers: NumPy's own recurrences, masks, states, options; parity/ compares every layer with Keras besides."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import autodiff, layers as L, ops
from tricera.backend import use

RNG = np.random.default_rng(0)
KINDS = ("SimpleRNN", "GRU", "LSTM")
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)


def arr(*shape):
    return RNG.normal(size=shape).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def close(got, wanted, tolerance=1e-5):
    np.testing.assert_allclose(ops.convert_to_numpy(got), wanted, rtol=tolerance, atol=tolerance)


def all_close(got, wanted):
    assert len(got) == len(wanted)
    for g, w in zip(got, wanted, strict=True):
        close(g, w)


def one_step(kind, x, states, w, u, b):
    if kind == "SimpleRNN":
        return [np.tanh(x @ w + states[0] @ u + b)]
    if kind == "LSTM":
        i, f, g, o = np.split(x @ w + states[0] @ u + b, 4, axis=-1)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(c), c]
    pz, pr, pn = np.split(x @ w + b[0], 3, axis=-1)
    uz, ur, un = np.split(states[0] @ u + b[1], 3, axis=-1)
    z, n = sigmoid(pz + uz), np.tanh(pn + sigmoid(pr + ur) * un)
    return [z * states[0] + (1 - z) * n]


def recurrence(kind, x, states, weights, mask=None):
    """States after each step, and whether a sample has had any: the law that all layers are held to."""
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    outputs, shown = [], np.zeros_like(states[0])
    for t in range(x.shape[1]):
        keep = mask[:, t, None]
        new = one_step(kind, x[:, t], states, *weights)
        shown = np.where(keep, new[0], shown)
        states = [np.where(keep, n, s) for n, s in zip(new, states, strict=True)]
        outputs.append(shown)
    return np.stack(outputs, axis=1), states


def built(kind, units=4, features=3, **options):
    layer = getattr(L, kind)(units, **options)
    layer.build((None, None, features))
    layer.set_weights([arr(*w.shape) / 2 for w in layer.weights])
    return layer


def first_states(kind, batch=3, units=4):
    return [arr(batch, units) for _ in range(2 if kind == "LSTM" else 1)]


# ---------------------------------------------------------------------- against NumPy


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
@pytest.mark.parametrize("unroll", [False, True])
def test_recurrences(backend, kind, mask, unroll):
    layer, x, states = (
        built(kind, return_sequences=True, return_state=True, unroll=unroll),
        arr(3, 5, 3),
        first_states(kind),
    )
    wanted, last = recurrence(kind, x, states, layer.get_weights(), mask)
    all_close(layer(x, initial_state=states, mask=mask), [wanted, *last])
    only_last = type(layer).from_config({**layer.get_config(), "return_sequences": False})
    only_last.build(x.shape)
    only_last.set_weights(layer.get_weights())
    all_close(only_last(x, initial_state=states, mask=mask), [wanted[:, -1], *last])


@pytest.mark.parametrize("kind", KINDS)
def test_the_ways_to_compute_agree(backend, kind):
    """One kernel for all steps, a loop of the same equations, and the cell called step by step."""
    layer, x = built(kind, return_sequences=True, return_state=True), arr(3, 5, 3)
    wanted = [ops.convert_to_numpy(y) for y in layer(x, mask=MASK)]
    layer.cell.use_fused = False
    all_close(layer(x, mask=MASK), wanted)

    class Around:  # a cell of a user's own
        state_size = layer.cell.state_size
        output_size = layer.cell.output_size

        def call(self, inputs, states):
            return layer.cell(inputs, states)

    all_close(L.RNN(Around(), return_sequences=True, return_state=True)(x, mask=MASK), wanted)
    all_close(L.RNN(Around(), return_sequences=True, return_state=True, unroll=True)(x, mask=MASK), wanted)


def test_gru_may_reset_before_the_product(backend):
    layer, x = built("GRU", reset_after=False), arr(2, 1, 3)
    w, u, b = layer.get_weights()
    h = arr(2, 4)
    pz, pr, pn = np.split(x[:, 0] @ w + b, 3, axis=-1)
    uz, ur, un = np.split(u, 3, axis=-1)
    z, r = sigmoid(pz + h @ uz), sigmoid(pr + h @ ur)
    close(layer(x, initial_state=h), z * h + (1 - z) * np.tanh(pn + (r * h) @ un))


def test_other_activations(backend):
    layer, x = built("LSTM", activation="relu", recurrent_activation="hard_sigmoid", use_bias=False), arr(2, 4, 3)
    w, u = layer.get_weights()
    h = c = np.zeros((2, 4), "float32")

    def gate(v):
        return np.clip(v / 6 + 0.5, 0, 1)

    for t in range(4):
        i, f, g, o = np.split(x[:, t] @ w + h @ u, 4, axis=-1)
        c = gate(f) * c + gate(i) * np.maximum(g, 0)
        h = gate(o) * np.maximum(c, 0)
    close(layer(x), h)


# ---------------------------------------------------------------------- masks


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_at_masked_steps_does_not_matter(backend, kind):
    layer, x = built(kind, return_sequences=True), arr(3, 5, 3)
    other = np.where(MASK[..., None], x, np.float32("nan"))
    close(layer(other, mask=MASK), ops.convert_to_numpy(layer(x, mask=MASK)))


@pytest.mark.parametrize("kind", KINDS)
def test_zero_output_for_mask(backend, kind):
    x, states = arr(3, 5, 3), first_states(kind)
    layer = built(kind, return_sequences=True, return_state=True, zero_output_for_mask=True)
    wanted, last = recurrence(kind, x, states, layer.get_weights(), MASK)
    all_close(layer(x, initial_state=states, mask=MASK), [wanted * MASK[..., None], *last])


def test_masks_are_passed_on(backend):
    ids = np.array([[3, 1, 0, 0], [2, 0, 5, 0]])
    embedding = L.Embedding(6, 3, mask_zero=True)
    x = embedding(ids)
    for layer, passes in (
        (L.LSTM(2), False), (L.LSTM(2, return_sequences=True), True), (L.RNN([L.GRUCell(2)], return_sequences=True), True),
        (L.Bidirectional(L.GRU(2, return_sequences=True)), True), (L.Bidirectional(L.GRU(2)), False),
        (L.TimeDistributed(L.Dense(2)), True),
    ):  # fmt: skip
        mask = getattr(layer(x), "_keras_mask", None) if backend != "numpy" else layer.compute_mask(x, ids != 0)
        assert (mask is not None) is passes
        if passes:
            np.testing.assert_array_equal(ops.convert_to_numpy(mask), ids != 0)
    layer = L.LSTM(2, return_sequences=True, return_state=True)
    assert layer.compute_mask(x, ids != 0)[1:] == [None, None]
    # Masked steps count for nothing: the padded sample is the short one.
    layer = L.LSTM(2)
    close(layer(x)[:1], ops.convert_to_numpy(layer(embedding(ids[:1, :2]))))


# ---------------------------------------------------------------------- states and directions


@pytest.mark.parametrize("kind", KINDS)
def test_states_carry_over(backend, kind):
    """Two halves with the states handed on are the whole."""
    layer, x = built(kind, return_sequences=True, return_state=True), arr(2, 6, 3)
    whole = [ops.convert_to_numpy(y) for y in layer(x)]
    first, *states = layer(x[:, :2])
    second, *last = layer(x[:, 2:], initial_state=states)
    close(ops.concatenate([first, second], axis=1), whole[0])
    all_close(last, whole[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_stateful(backend, kind):
    layer, x = built(kind), arr(2, 6, 3)
    keeping = getattr(L, kind)(4, stateful=True)
    keeping.build((2, 3, 3))
    keeping.set_weights(layer.get_weights())
    assert len(keeping.weights) == 3 and len(keeping.states) == len(keeping.state_size)
    close(keeping(x[:, :3]), ops.convert_to_numpy(layer(x[:, :3])))
    close(keeping(x[:, 3:]), ops.convert_to_numpy(layer(x)))
    keeping.reset_state()
    close(keeping(x[:, :3]), ops.convert_to_numpy(layer(x[:, :3])))
    keeping.reset_states()
    assert not np.any(keeping.states[0].numpy())
    with pytest.raises(ValueError, match="2 samples; 5"):
        keeping(arr(5, 3, 3))
    with pytest.raises(ValueError, match="batch size"):
        getattr(L, kind)(4, stateful=True)(L.Input((5, 3)))


def test_go_backwards(backend):
    layer, x = built("GRU", return_sequences=True), arr(3, 5, 3)
    back = L.GRU(4, return_sequences=True, go_backwards=True)
    back.build(x.shape)
    back.set_weights(layer.get_weights())
    close(back(x, mask=MASK), ops.convert_to_numpy(layer(x[:, ::-1].copy(), mask=MASK[:, ::-1].copy())))


def test_no_steps_and_no_samples(backend):
    assert tuple(L.LSTM(3, return_sequences=True)(np.ones((0, 4, 2), "float32")).shape) == (0, 4, 3)


# ---------------------------------------------------------------------- cells and layers around layers


def test_stacked_cells_are_layers_on_layers(backend):
    x = arr(3, 5, 3)
    cells = [L.LSTMCell(4), L.GRUCell(2), L.SimpleRNNCell(3)]
    stack = L.RNN(cells, return_sequences=True, return_state=True)
    outputs, *states = stack(x, mask=MASK)
    assert [len(s) for s in states] == [2, 1, 1]
    one = L.RNN(cells[0], return_sequences=True)(x, mask=MASK)
    two = L.RNN(cells[1], return_sequences=True)(one, mask=MASK)
    close(outputs, ops.convert_to_numpy(L.RNN(cells[2], return_sequences=True)(two, mask=MASK)))
    # The stack as one cell gives the same, step by step.
    held = stack.cell.get_initial_state(3)
    for t in range(5):
        y, held = stack.cell(x[:, t], held)
    close(y, ops.convert_to_numpy(stack(x)[0][:, -1]))


def test_cells_step_by_step(backend):
    for cell, layer in ((L.LSTMCell(4), L.LSTM(4)), (L.GRUCell(4), L.GRU(4)), (L.SimpleRNNCell(4), L.SimpleRNN(4))):
        x = arr(2, 3, 5)
        cell.build((2, 5))
        layer.build(x.shape)
        layer.set_weights(cell.get_weights())
        states = cell.get_initial_state(2)
        for t in range(3):
            y, states = cell(x[:, t], states)
        close(y, ops.convert_to_numpy(layer(x)))


class Minimal(L.Layer):
    """A user's cell: h' = h + x W, with a counter of its steps and an output of another size than the state."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size, self.output_size = units, units, 1

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), name="w")
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")

    def call(self, inputs, states):
        self.steps.assign(self.steps + 1)
        h = ops.add(states[0], ops.matmul(inputs, self.w))
        return ops.sum(h, axis=-1, keepdims=True), [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_a_cell_of_ones_own(backend):
    layer, x = L.RNN(Minimal(4), return_sequences=True), arr(2, 6, 3)
    assert layer(L.Input((None, 3))).shape == (None, None, 1)
    close(layer(x), (x.cumsum(1) @ layer.cell.w.numpy()).sum(-1, keepdims=True), 1e-4)
    assert layer.cell.steps.numpy() == 6
    close(L.RNN(layer.cell)(x), (x.sum(1) @ layer.cell.w.numpy()).sum(-1, keepdims=True), 1e-4)


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_bidirectional(backend, mode):
    layer, x = L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode=mode), arr(3, 5, 3)
    both = layer(x, mask=MASK)
    there = ops.convert_to_numpy(layer.forward_layer(x, mask=MASK))
    back = ops.convert_to_numpy(layer.backward_layer(x, mask=MASK))[:, ::-1]
    if mode is None:
        all_close(both, [there, back])
    else:
        merged = {
            "concat": np.concatenate([there, back], -1),
            "sum": there + back,
            "mul": there * back,
            "ave": (there + back) / 2,
        }
        close(both, merged[mode])


def test_bidirectional_states_and_weights(backend):
    layer = L.Bidirectional(L.LSTM(2, return_state=True, stateful=True))
    x = arr(3, 5, 3)
    outputs, *states = layer(x)
    assert tuple(outputs.shape) == (3, 4) and len(states) == 4 and len(layer.states) == 4
    all_close(layer.states, [ops.convert_to_numpy(s) for s in states])
    layer.reset_state()
    assert not any(np.any(s.numpy()) for s in layer.states)
    twin = L.Bidirectional(L.LSTM(2, return_state=True), weights=layer.get_weights())
    all_close(twin(x), [ops.convert_to_numpy(y) for y in (outputs, *states)])


def test_time_distributed(backend):
    x = arr(2, 3, 4, 5)
    dense = L.TimeDistributed(L.Dense(6))
    close(dense(x), x @ dense.layer.kernel.numpy() + dense.layer.bias.numpy(), 1e-4)
    mask = np.ones((2, 3, 4), bool)
    mask[1, :, 2:] = False
    rnn = L.TimeDistributed(L.LSTM(2))
    close(rnn(x, mask=mask)[:, 1], ops.convert_to_numpy(rnn.layer(x[:, 1], mask=mask[:, 1])))
    several = L.TimeDistributed(L.GRU(2, return_state=True))(x)
    assert [tuple(y.shape) for y in several] == [(2, 3, 2), (2, 3, 2)]
    assert L.TimeDistributed(L.LSTM(2))(L.Input((None, 4, 5))).shape == (None, None, 2)
    assert L.TimeDistributed(L.Conv2D(3, 2)).compute_output_shape((None, None, 4, 4, 1)) == (None, None, 3, 3, 3)


def test_time_distributed_statistics_are_those_of_one_step(backend):
    layer, x = L.TimeDistributed(L.BatchNormalization(momentum=0.5)), arr(8, 3, 2)
    close(layer(x, training=True), (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), 1e-4)
    mean = np.zeros(2)
    for t in range(3):
        mean = 0.5 * mean + 0.5 * x[:, t].mean(0)
    close(layer.layer.moving_mean, mean, 1e-4)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_lstm(backend, rank):
    """With a window of one place it is an LSTM at every place."""
    places = (3, 2, 2)[:rank]
    layer, x = getattr(L, f"ConvLSTM{rank}D")(4, 1, return_sequences=True, return_state=True), arr(2, 3, *places, 5)
    outputs = layer(x)
    plain = L.LSTM(4, return_sequences=True, return_state=True)
    flat = np.moveaxis(x.reshape(2, 3, -1, 5), 2, 1).reshape(-1, 3, 5)
    plain.build(flat.shape)
    plain.set_weights([w.reshape(w.shape[-2:]) if w.ndim > 1 else w for w in layer.get_weights()])
    y, h, c = plain(flat)
    wanted = np.moveaxis(ops.convert_to_numpy(y).reshape(2, -1, 3, 4), 2, 1).reshape(2, 3, *places, 4)
    close(outputs[0], wanted, 1e-4)
    close(outputs[2], ops.convert_to_numpy(c).reshape(2, *places, 4), 1e-4)


# ---------------------------------------------------------------------- dropout


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"dropout": 0.4, "recurrent_dropout": 0.3}]
)
def test_dropout_is_for_training_and_seeded(backend, kind, options):
    one, two = (getattr(L, kind)(8, seed=3, **options) for _ in range(2))
    x = arr(4, 5, 6)
    one.build(x.shape)
    two.build(x.shape)
    two.set_weights(one.get_weights())
    still = ops.convert_to_numpy(one(x))
    np.testing.assert_array_equal(ops.convert_to_numpy(one(x)), still)
    first = ops.convert_to_numpy(one(x, training=True))
    close(two(x, training=True), first)
    second = ops.convert_to_numpy(one(x, training=True))
    assert np.abs(first - still).max() > 1e-4 and np.abs(first - second).max() > 1e-4


def test_the_same_inputs_are_dropped_at_every_step(backend):
    cell = L.SimpleRNNCell(
        6, dropout=0.5, kernel_initializer="identity", recurrent_initializer="zeros", activation=None, seed=1
    )
    out = ops.convert_to_numpy(L.RNN(cell, return_sequences=True)(np.ones((4, 5, 6), "float32"), training=True))
    assert (out == out[:, :1]).all() and set(np.unique(out)) == {0, 2}


@pytest.mark.parametrize("implementation", [1, 2])
def test_dropout_masks_of_cells(backend, implementation):
    cell = L.GRUCell(3, dropout=0.5, recurrent_dropout=0.0, implementation=implementation, seed=1)
    ones = np.ones((2, 40), "float32")
    masks = cell.get_dropout_mask(ops.convert_to_tensor(ones))
    assert len(masks) == 3 and cell.get_recurrent_dropout_mask(ops.convert_to_tensor(ones)) is None
    assert cell.get_dropout_mask(ops.convert_to_tensor(ones)) is masks
    cell.reset_dropout_mask()
    again = cell.get_dropout_mask(ops.convert_to_tensor(ones))
    assert (ops.convert_to_numpy(again[0]) != ops.convert_to_numpy(masks[0])).any()
    assert (ops.convert_to_numpy(again[0]) != ops.convert_to_numpy(again[1])).any()
    assert L.LSTM(3, recurrent_dropout=0.1).cell.implementation == 1 and L.LSTM(3).cell.implementation == 2


# ---------------------------------------------------------------------- gradients


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
def test_gradients_against_differences(trainable_backend, kind, mask):
    layer, x, states = built(kind, return_sequences=True, return_state=True), arr(3, 5, 3), first_states(kind)
    factors = [arr(*y.shape) for y in layer(x, initial_state=states, mask=mask)]

    def loss(x):
        outputs = layer(x, initial_state=states, mask=mask)
        return sum(ops.sum(ops.multiply(y, f)) for y, f in zip(outputs, factors, strict=True))

    def value(x):
        return float(ops.convert_to_numpy(loss(ops.convert_to_tensor(x))))

    step, direction = 1e-2, arr(*x.shape)
    slope = (value(x + step * direction) - value(x - step * direction)) / (2 * step)
    grad = ops.convert_to_numpy(autodiff.grad(loss)(ops.convert_to_tensor(x)))
    assert (grad * direction).sum() == pytest.approx(slope, rel=2e-2, abs=2e-2)
    grads = [ops.convert_to_numpy(g) for g in autodiff.grad(loss, layer.trainable_weights)(ops.convert_to_tensor(x))]
    for variable, grad in zip(layer.trainable_weights, grads, strict=True):
        before, direction = variable.numpy(), arr(*variable.shape)
        ends = []
        for sign in (1, -1):
            variable.assign(before + sign * step * direction)
            ends.append(value(x))
        variable.assign(before)
        assert (grad * direction).sum() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=3e-2, abs=3e-2)


# ---------------------------------------------------------------------- wrong use


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: L.LSTM(0), "units"),
        (lambda: L.GRU(3, dropout=1.5), "dropout"),
        (lambda: L.LSTM(3, use_cudnn="sometimes"), "use_cudnn"),
        (lambda: L.SimpleRNN(3, implementation=1), "implementation"),
        (lambda: L.RNN(3), "call"),
        (lambda: L.RNN([L.Dense(3)]), "state_size"),
        (lambda: L.StackedRNNCells([]), "cells"),
        (lambda: L.Bidirectional(L.Dense(3)), "recurrent"),
        (lambda: L.Bidirectional(3), "layer"),
        (lambda: L.Bidirectional(L.LSTM(3), merge_mode="product"), "merge_mode"),
        (lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3)), "directions"),
        (lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3, go_backwards=True, return_state=True)), "return_state"),
        (lambda: L.TimeDistributed("dense"), "layer"),
        (lambda: L.ConvLSTM2D(3, 2, strides=2, dilation_rate=2), "strides"),
        (lambda: L.ConvLSTM2D(3, 2, padding="causal"), "padding"),
        (lambda: L.LSTM(3)(np.ones((2, 3))), "ndim=3"),
        (lambda: L.LSTM(3)(np.ones((2, 4, 3)), initial_state=np.ones((2, 3))), "2 states"),
        (lambda: L.LSTM(3)(np.ones((2, 4, 3)), mask=np.ones((2,), bool)), "mask"),
        (lambda: L.TimeDistributed(L.Dense(3))(np.ones((2, 3))), "three axes"),
        (lambda: L.TimeDistributed(L.Dense(3))(np.ones((2, 3, 4)), mask=np.ones((2, 4), bool)), "mask"),
        (lambda: L.ConvLSTM2D(3, 2)(L.Input((None, None, None, 3))), "spatial"),
        (lambda: L.LSTMCell(3)(np.ones((2, 4), "float32"), [np.ones((2, 3), "float32")]), "2 states"),
    ],
)  # fmt: skip
def test_wrong_use(make, error):
    with use("numpy"), pytest.raises(ValueError, match=error):
        make()

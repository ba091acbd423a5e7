"""Reading ahead: what it gives, when it ends, and what a source sees of the steps. Events decide, no timings."""

import threading
import traceback
import warnings

import numpy as np
import pytest

import tricera as keras
from tricera import layers
from tricera.core import dispatch
from tricera.training.data import EpochIterator, PyDataset, ahead, make_adapter

SECONDS = 60  # after which a handshake that should have happened has failed


@pytest.fixture(autouse=True)
def every_source_is_worth_it(monkeypatch):
    monkeypatch.setattr(ahead, "WORTH", 0.0)
    before = threading.active_count()
    yield
    assert threading.active_count() == before
    assert not [t for t in threading.enumerate() if t.name == "tricera-data-ahead"]


def batch(i, size=4):
    return np.full((size, 3), i, "float32"), np.full((size, 1), i, "float32")


def model(**options):
    net = keras.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    net.compile(keras.optimizers.SGD(0.01), "mse", **options)
    return net


class Hook(keras.callbacks.Callback):
    def __init__(self, begin=None, end=None):
        super().__init__()
        self.begin, self.end = begin, end

    def on_train_batch_begin(self, batch, logs=None):
        if self.begin is not None:
            self.begin(batch, self.model)

    def on_train_batch_end(self, batch, logs=None):
        if self.end is not None:
            self.end(batch, self.model)


def test_the_next_batch_is_made_while_a_step_runs(trainable_backend):
    """A step does not end before the source has made the batch after the next one's: only reading ahead gets past that."""
    steps, made = 6, [threading.Event() for _ in range(6)]

    def source():
        for i in range(steps):
            made[i].set()
            yield batch(i)

    def inside(i, _):
        if 0 < i < steps - 1:  # before the first step has run, the source is not known to be slow
            assert made[i + 1].wait(SECONDS)

    threads = set()
    net = model()
    net.fit(source(), verbose=0, callbacks=[Hook(begin=inside, end=lambda i, m: threads.add(threading.active_count()))])
    assert len(threads) > 1  # there was one more for a while


@pytest.mark.parametrize("place", ["PyDataset", "DataLoader", "tf.data", "arrays"])
def test_each_kind_of_source_is_read_ahead(place):
    """What the adapter gives third is made while the second is in use."""
    made = [threading.Event() for _ in range(5)]

    def get(i):
        made[i].set()
        return batch(i)

    class Numbers(PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, i):
            return get(i)

    placed = None
    if place == "PyDataset":
        source = Numbers()
    elif place == "DataLoader":
        torch = pytest.importorskip("torch")

        class Samples(torch.utils.data.Dataset):
            def __len__(self):
                return 5

            def __getitem__(self, i):
                return get(i)

        source = torch.utils.data.DataLoader(Samples(), batch_size=None)
    elif place == "tf.data":
        tf = pytest.importorskip("tensorflow")
        source = tf.data.Dataset.from_tensor_slices(np.arange(5)).map(
            lambda i: tf.numpy_function(lambda i: get(i)[0], [i], tf.float32)
        )
    else:
        source = np.arange(5)

        def placed(b):
            return get(int(b[0][0])) and b

    epochs = EpochIterator(make_adapter(source, batch_size=1 if place == "arrays" else None), place=placed)
    with epochs:
        for step, _, _ in epochs.epoch():
            if 0 < step < 4:
                assert made[step + 1].wait(SECONDS)
        assert step == 4 and epochs.waited > 0


def test_order_and_numbers_are_those_of_reading_in_turn(trainable_backend, monkeypatch):
    def source():
        for i in range(7):
            yield batch(i, 4 if i < 6 else 2)

    results = []
    for worth in (1e9, 0.0):
        monkeypatch.setattr(ahead, "WORTH", worth)
        seen = []
        net = model(metrics=["mae"])
        history = net.fit(source(), verbose=0, callbacks=[Hook(end=lambda i, m: seen.append(i))]).history
        results.append((seen, history, net.get_weights(), net.predict((b[0] for b in source()), verbose=0)))
    for a, b in zip(keras.tree.flatten(results[0]), keras.tree.flatten(results[1])):
        np.testing.assert_array_equal(a, b)


def test_hooks_weights_and_partial_batches_mean_the_same(trainable_backend, monkeypatch):
    """Batch hooks change the learning rate and stop in the second epoch; classes weigh differently; the last batch is smaller."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(22, 3)).astype("float32"), rng.integers(0, 2, (22, 1))

    class Batches(PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            return x[4 * i : 4 * i + 4], y[4 * i : 4 * i + 4]

    def schedule(i, net):
        net.optimizer.learning_rate = 0.1 / (1 + i)

    results = {}
    room = dispatch.get(trainable_backend).step
    for name in ("arrays", "in turn", "ahead", "large arrays, ahead", "in groups", "in groups, ahead"):
        monkeypatch.setattr(ahead, "WORTH", 0.0 if "ahead" in name else 1e9)
        net = model(weighted_metrics=["mae"], **({"steps_per_execution": 2} if "groups" in name else {}))
        seen = []

        def end(i, net):
            seen.append(i)
            net.stop_training = seen.count(3) == 2

        data = {"x": x, "y": y, "batch_size": 4} if "arrays" in name else {"x": Batches()}
        if "large" in name:
            monkeypatch.setattr(room, "resident_limit", lambda: 0)
        hook = Hook(None if "groups" in name else schedule, end)
        options = {"class_weight": {0: 1.0, 1: 3.0}, "shuffle": False, "verbose": 0}
        history = net.fit(**data, **options, epochs=3, callbacks=[hook]).history
        results[name] = seen, history, net.get_weights()
    assert results["ahead"][0] == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3] and results["in groups"][0] == [1, 3, 5, 1, 3]
    for name, other in (
        ("in turn", "ahead"),
        ("in turn", "large arrays, ahead"),
        ("in groups", "in groups, ahead"),
        ("in turn", "arrays"),
    ):
        exact = other != "arrays"
        for a, b in zip(keras.tree.flatten(results[name]), keras.tree.flatten(results[other])):
            np.testing.assert_allclose(a, b, rtol=0 if exact else 1e-5, atol=0 if exact else 1e-6, err_msg=name)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("worth", [0.0, 1e9])
def test_a_source_may_fill_the_same_arrays_again(backend, kind, worth, monkeypatch):
    monkeypatch.setattr(ahead, "WORTH", worth)
    x = np.zeros((4, 3), "float32") if kind == "numpy" else pytest.importorskip("torch").zeros((4, 3))

    def source():
        for i in range(8):
            x[:] = i
            yield (x,)

    net = keras.Sequential([layers.Input((3,)), layers.Identity()])
    net.compile(steps_per_execution=2)
    out = net.predict(source(), verbose=0)
    np.testing.assert_array_equal(out[:, 0], np.repeat(np.arange(8), 4))


def endless(count):
    i = 0
    while True:
        count[0] += 1
        yield batch(i)
        i += 1


def test_no_more_is_read_than_steps_were_asked_for():
    count = [0]
    source = endless(count)
    with keras.backend.use("numpy"):
        net = model()
        net.evaluate(source, steps=3, verbose=0)
        assert count == [3] and next(source)[0][0, 0] == 3
        net.predict(source, steps=3, verbose=0)
        assert count == [7] and next(source)[0][0, 0] == 7


@pytest.mark.parametrize("group", [1, 2])
def test_between_epochs_a_source_stands_where_its_user_expects(group):
    """Validation with the generator that trains, and a callback that takes a batch from it."""
    count, taken = [0], []
    epochs = EpochIterator(make_adapter(endless(count), steps_per_epoch=3), 3, group)
    with epochs:
        for epoch in range(3):
            for *_, batches in epochs.epoch():
                taken += [int(x[0, 0]) for x, _ in batches]
            assert count == [3 * epoch + 3]
    assert taken == list(range(9))


def test_what_was_read_ahead_is_not_lost_within_a_fit():
    count, taken = [0], []
    epochs = EpochIterator(make_adapter(endless(count), steps_per_epoch=5), 5)
    with epochs:
        for _ in range(2):
            for step, _, batches in epochs.epoch():
                taken.append(int(batches[0][0][0, 0]))
                if step == 2:
                    break
    assert taken == list(range(6)) and 6 <= count[0] <= 8


def test_the_position_is_that_of_the_steps():
    ready = threading.Event()

    class Numbers(PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            if i == 4:
                ready.set()
            return batch(i)

    with EpochIterator(make_adapter(Numbers())) as epochs:
        for step, _, _ in epochs.epoch():
            if step == 2:
                assert ready.wait(SECONDS)
            assert epochs.position()["done"] == step + 1


def test_an_error_comes_at_its_step_with_its_traceback(trainable_backend):
    def broken():
        for i in range(4):
            yield batch(i)
        raise RuntimeError("disk on fire")

    seen = []
    with pytest.raises(RuntimeError, match="disk on fire") as caught:
        model().fit(broken(), verbose=0, callbacks=[Hook(end=lambda i, m: seen.append(i))])
    assert seen == [0, 1, 2, 3]
    assert "broken" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


def test_the_thread_ends_with_an_error_in_a_step_and_with_a_stop():
    def stop(i, net):
        net.stop_training = i == 2

    def fail(i, net):
        if i == 2:
            raise KeyError("step")

    with keras.backend.use(keras.backend.backend()):
        net = model()
        source = endless([0])
        net.fit(source, steps_per_epoch=9, epochs=3, verbose=0, callbacks=[Hook(end=stop)])
        with pytest.raises(KeyError, match="step"):
            net.fit(source, steps_per_epoch=9, verbose=0, callbacks=[Hook(end=fail)])
        assert next(source)[0].shape == (4, 3)  # the generator lives


def test_without_workers_a_dataset_is_loaded_in_the_calling_thread():
    threads = set()

    class Here(PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            threads.add(threading.current_thread())
            return batch(i)

    for workers in (1, 0):
        threads.clear()
        with EpochIterator(make_adapter(Here(workers=workers))) as epochs:
            list(epochs.epoch())
        assert (threads == {threading.current_thread()}) is (workers == 0)


@pytest.mark.parametrize("look", ["predict", "weights", "call", "random"])
def test_a_source_that_looks_at_the_model_sees_what_it_saw_without(trainable_backend, look, monkeypatch):
    results = []
    for worth in (1e9, 0.0):
        monkeypatch.setattr(ahead, "WORTH", worth)
        keras.utils.set_random_seed(0)
        net = model()
        seen = []

        def source():
            x, _ = batch(1)
            for _ in range(12):
                if look == "predict":
                    y = net.predict(x, verbose=0)
                elif look == "weights":
                    y = np.repeat([net.get_weights()[0].sum()], 4)[:, None]
                elif look == "call":
                    y = keras.ops.convert_to_numpy(net(x))
                else:
                    y = keras.ops.convert_to_numpy(keras.random.normal((4, 1)))
                seen.append(y[0, 0])
                yield x, y + 1

        net.fit(source(), verbose=0)
        results.append(seen)
    assert len(set(results[0])) == 12
    np.testing.assert_array_equal(results[0], results[1])


def test_a_source_that_is_stuck_does_not_hold_up_the_end(monkeypatch):
    monkeypatch.setattr(ahead, "_PATIENCE", 0.05)
    busy, go = threading.Event(), threading.Event()

    class Source(PyDataset):
        num_batches = None

        def __getitem__(self, i):
            if i == 3:
                busy.set()
                assert go.wait(SECONDS)
            return batch(i)

    with pytest.warns(UserWarning, match="still busy"):
        with EpochIterator(make_adapter(Source(), steps_per_epoch=9), 9) as epochs:
            groups = epochs.epoch()
            for _ in range(3):
                next(groups)
            assert busy.wait(SECONDS)
            groups.close()
    threads = [t for t in threading.enumerate() if t.name == "tricera-data-ahead"]
    assert len(threads) == 1
    go.set()
    threads[0].join(SECONDS)


def test_data_wait_is_noted_each_epoch(trainable_backend):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = model()
        x, y = batch(1, 12)
        history = net.fit(x, y, batch_size=4, epochs=2, verbose=0)
        assert history.data_wait == [0.0, 0.0]  # they lie on the device
        history = net.fit(endless([0]), steps_per_epoch=4, epochs=3, verbose=0)
        assert len(history.data_wait) == 3 and min(history.data_wait) > 0

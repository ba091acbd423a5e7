"""Arrays in memory: every sample once, in a reproducible order, with errors that name what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from tricera.core import config, rng
from tricera.training.data import ArrayAdapter, DataAdapter, make_adapter


def samples(adapter: ArrayAdapter) -> np.ndarray:
    return np.concatenate([batch[0].reshape(len(batch[0]), -1)[:, 0] for batch in adapter.epoch()])


@pytest.mark.parametrize("n,size", [(1, 32), (7, 3), (9, 3), (3, 100)])
@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_every_sample_comes_once(n, size, shuffle):
    x = np.arange(n)
    adapter = make_adapter(x, x * 2, x * 0.5, batch_size=size, shuffle=shuffle)
    assert isinstance(adapter, DataAdapter)
    for _ in range(2):
        batches = list(adapter.epoch())
        assert len(batches) == adapter.num_batches == -(-n // size)
        assert adapter.partial_batch_size == (n % size or None)
        assert sorted(np.concatenate([b[0] for b in batches])) == list(range(n))
        for bx, by, bw in batches:
            np.testing.assert_array_equal(by, bx * 2)
            np.testing.assert_array_equal(bw, bx * 0.5)
            assert bw.dtype == "float32"


def test_unshuffled_batches_are_views_in_order():
    x = np.arange(10)
    batches = list(make_adapter(x, batch_size=4).epoch())
    assert [b[0].tolist() for b in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert all(np.shares_memory(b[0], x) and len(b) == 1 for b in batches)


def test_order_follows_the_seed_and_changes_between_passes():
    def orders():
        rng.set_seed(7)
        adapter = make_adapter(np.arange(50), batch_size=8, shuffle=True)
        return samples(adapter).tolist(), samples(adapter).tolist()

    first, second = orders()
    assert first != second
    assert (first, second) == orders()


def test_order_to_the_bit():
    rng.set_seed(0)
    adapter = make_adapter(np.arange(6), shuffle=True)
    rng.set_seed(0)
    expected = np.random.Generator(np.random.Philox(rng.draw_seed())).permutation(6)
    np.testing.assert_array_equal(adapter.indices_for_epoch(), expected)


def test_evaluating_does_not_move_the_stream():
    rng.set_seed(3)
    expected = rng.draw_seed()
    rng.set_seed(3)
    make_adapter(np.arange(3), shuffle=False)
    assert rng.draw_seed() == expected


def test_batch_shuffle_keeps_batches_whole_and_the_short_one_last():
    rng.set_seed(1)
    adapter = make_adapter(np.arange(41), batch_size=4, shuffle="batch")
    batches = [b[0].tolist() for b in adapter.epoch()]
    assert all(b == list(range(b[0], b[0] + len(b))) for b in batches)
    assert batches[-1] == [40]
    assert [b[0] for b in batches] != sorted(b[0] for b in batches)
    assert sorted(adapter.indices_for_epoch()) == list(range(41))


def test_structures_and_none_are_kept():
    x = {"a": np.zeros((5, 2)), "b": [np.ones(5), (np.ones((5, 1)),)], "c": None}
    ((bx, by),) = make_adapter(x, [np.arange(5), None]).epoch()
    assert set(bx) == {"a", "b", "c"} and isinstance(bx["b"][1], tuple) and bx["c"] is None
    assert isinstance(by, list) and by[1] is None and by[0].shape == (5,)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_cast_to_floatx(dtype):
    assert make_adapter(np.ones(3, dtype)).arrays[0].dtype == "float32"
    config.set_floatx("float64")
    try:
        assert make_adapter(np.ones(3, dtype)).arrays[0].dtype == "float64"
    finally:
        config.set_floatx("float32")


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "complex64"])
def test_other_dtypes_stay(dtype):
    assert make_adapter(np.ones(3, dtype)).arrays[0].dtype == dtype


def test_float32_is_not_copied():
    x = np.ones((4, 2), "float32")
    assert make_adapter(x).arrays[0] is x


def test_lists_of_numbers_become_arrays():
    x, y = make_adapter([[1, 2.5], [3, 4]], [True, False]).arrays
    assert x.shape == (2, 2) and x.dtype == "float32"
    assert y.dtype == bool
    two = make_adapter([np.ones(2), [1, 2]]).arrays[0]
    assert isinstance(two, list) and two[1].tolist() == [1, 2]


def test_one_weight_serves_several_targets():
    w = np.array([1, 2, 3])
    _, _, weights = make_adapter(np.ones(3), {"a": w, "b": w}, w).arrays
    assert weights["a"].dtype == "float32" and weights["b"].tolist() == [1, 2, 3]
    _, _, weights = make_adapter(np.ones(3), {"a": w, "b": w}, {"b": w}).arrays
    assert weights["a"] is None and weights["b"].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="structure of `y`"):
        make_adapter(np.ones(3), [w, w], [w])


@pytest.mark.parametrize(
    "arguments,error,message",
    [
        (({"a": np.ones(5)}, np.ones(4)), ValueError, r"x\['a'\]: 5, y: 4"),
        ((np.ones((0, 2)),), ValueError, "empty"),
        ((None,), ValueError, "no array"),
        (([],), ValueError, "no array"),
        ((np.float32(1),), ValueError, "`x` is a scalar"),
        ((np.ones(2), [np.ones(2), 3]), ValueError, r"`y\[1\]` is a scalar"),
        ((np.array(["a"]),), TypeError, "dtype <U1"),
        ((np.array([None, 1]),), TypeError, "dtype object"),
        ((np.ones(2), ["cat", "dog"]), TypeError, r"`y\[0\]` is text"),
        ((np.ones(1), np.array(["2020-01-01"], "datetime64[D]")), TypeError, "datetime64"),
        (([[1, 2], [3]],), ValueError, "different lengths"),
        ((object(),), ValueError, "builtins.object"),
    ],
)
def test_what_cannot_be_data_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        make_adapter(*arguments)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True, "8"])
def test_bad_batch_size(batch_size):
    with pytest.raises(ValueError, match="batch_size"):
        make_adapter(np.ones(3), batch_size=batch_size)


def test_bad_shuffle():
    with pytest.raises(ValueError, match="shuffle"):
        make_adapter(np.ones(3), shuffle="epoch")


def test_pandas():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2, 3], "b": [True, False, True]})
    ((x, y, w),) = make_adapter(frame, frame["b"].astype(int), frame["a"], batch_size=3).epoch()
    assert x.tolist() == [[1, 1], [2, 0], [3, 1]] and x.dtype == "float32"
    assert y.tolist() == [[1], [0], [1]] and w.shape == (3, 1)
    named = make_adapter({"a": frame["a"], "b": pd.Series([1, None, 2], dtype="Int64")}).arrays[0]
    assert named["a"].shape == (3, 1) and np.isnan(named["b"][1, 0])
    with pytest.raises(TypeError, match="columns that are not numeric: city"):
        make_adapter(pd.DataFrame({"a": [1], "city": ["Rome"]}))


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    x = torch.arange(6.0, requires_grad=True)
    y = torch.arange(6, dtype=torch.int32)
    parts = make_adapter({"x": x, "h": torch.ones(6, dtype=torch.bfloat16)}, y).arrays
    assert parts[0]["x"].tolist() == [0, 1, 2, 3, 4, 5] and parts[0]["x"].dtype == "float32"
    assert parts[0]["h"].dtype == "float32" and parts[1].dtype == "int32"
    assert np.shares_memory(parts[1], y.numpy())


def test_jax_arrays():
    jnp = pytest.importorskip("jax.numpy")
    x, y = make_adapter(jnp.arange(4.0, dtype="bfloat16"), jnp.arange(4)).arrays
    assert x.dtype == "float32" and isinstance(x, np.ndarray) and y.tolist() == [0, 1, 2, 3]


def test_tensorflow_tensors():
    tf = pytest.importorskip("tensorflow")
    x, y = make_adapter([tf.range(2.0), tf.Variable([[1], [2]])], tf.constant([b"a", b"b"])).arrays
    assert x[0].dtype == "float32" and x[1].tolist() == [[1], [2]] and y.tolist() == [b"a", b"b"]
    assert make_adapter(tf.ragged.constant([[1], [2, 3]])).arrays[0].tolist() == [[1, 0], [2, 3]]


def test_a_tensor_on_an_accelerator_stays_there():
    """A stand-in whose class says that it is torch's, since this machine may have no accelerator."""

    class Device:
        type = "cuda"

    class Tensor:
        device = Device()
        shape = (4,)

        def __init__(self, values):
            self.values = values

        def detach(self):
            return self

        def is_floating_point(self):
            return True

        def float(self):
            return Tensor(self.values.astype("float32"))

        def __getitem__(self, index):
            return self.values[index]

    Tensor.__module__ = "torch"
    adapter = make_adapter(Tensor(np.arange(4.0)), batch_size=2, shuffle=True)
    assert type(adapter.arrays[0]) is Tensor
    assert sorted(samples(adapter)) == [0, 1, 2, 3]

"""Sparse data of every library train, evaluate and predict like the dense array that they stand for."""

import numpy as np
import pytest

import tricera as keras
from tests.conftest import BACKENDS
from tricera import layers
from tricera.training.data import make_adapter
from tricera.training.data.sparse_rows import SparseRows

RNG = np.random.default_rng(0)
DENSE = np.where(RNG.random((22, 6)) < 0.3, RNG.normal(size=(22, 6)), 0).astype("float32")
DENSE[4] = 0  # a row without a value
Y = RNG.integers(0, 2, 22)
scipy = pytest.importorskip("scipy.sparse")


def of_tensorflow(x):
    tf = pytest.importorskip("tensorflow")
    places = np.argwhere(x)[::-1]  # in no order
    return tf.SparseTensor(places, x[tuple(places.T)], x.shape)


def of_jax(x, nse=None):
    sparse = pytest.importorskip("jax.experimental.sparse")
    return sparse.BCOO.fromdense(x, nse=nse)


def of_torch(x):
    return pytest.importorskip("torch").tensor(x).to_sparse()


SOURCES = {
    "csr": scipy.csr_matrix,
    "coo": scipy.coo_matrix,
    "csc array": scipy.csc_array,
    "tensorflow": of_tensorflow,
    "jax": of_jax,
    "padded": lambda x: of_jax(x, nse=60),
    "bcsr": lambda x: pytest.importorskip("jax.experimental.sparse").BCSR.fromdense(x),
    "torch": of_torch,
    "torch csr": lambda x: of_torch(x).to_sparse_csr(),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_rows(kind):
    x = SOURCES[kind](DENSE)
    adapter = make_adapter(x, Y, batch_size=8)
    assert [len(b[0]) for b in adapter.epoch()] == [8, 8, 6]
    np.testing.assert_array_equal(np.concatenate([b[0] for b in adapter.epoch()]), DENSE)
    rows = adapter.arrays[0]
    order = RNG.permutation(22)
    np.testing.assert_array_equal(rows[order], DENSE[order])
    np.testing.assert_array_equal(rows.part(slice(3, 9))[1:5], DENSE[4:8])
    assert rows.dtype == "float32" and rows.nbytes < 2 * DENSE.nbytes


def test_more_axes_and_what_comes_twice():
    rows = SparseRows(np.array([[1, 0, 2], [0, 1, 1], [1, 0, 2]]), np.array([1.0, 2.0, 3.0]), (2, 2, 3))
    assert rows[:].tolist() == [[[0, 0, 0], [0, 2, 0]], [[0, 0, 4], [0, 0, 0]]]
    assert rows[:].dtype == "float32" and rows[0:0].shape == (0, 2, 3)


def test_what_is_not_taken():
    tf, sparse = pytest.importorskip("tensorflow"), pytest.importorskip("jax.experimental.sparse")
    for wrong in (
        tf.IndexedSlices(tf.ones((1, 2)), tf.constant([0])),
        sparse.BCOO.fromdense(np.ones((2, 2)), n_batch=1),
    ):
        with pytest.raises(ValueError, match="`x` is sparse"):
            make_adapter(wrong)
    with pytest.raises(TypeError, match="complex"):
        make_adapter(scipy.csr_matrix(np.eye(2) * 1j))
    with pytest.raises(ValueError, match="same number of samples"):
        make_adapter(scipy.csr_matrix(DENSE), Y[1:])


def trained(x, **options):
    keras.utils.set_random_seed(0)
    net = keras.Sequential([layers.Input((6,), sparse=options.pop("sparse", False)), layers.Dense(2)])
    net.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = net.fit(
        x, Y, batch_size=8, epochs=2, validation_split=0.25, class_weight={0: 1.0, 1: 2.0}, verbose=0
    ).history
    return (
        history, net.get_weights(), net.evaluate(x, Y, batch_size=8, verbose=0), net.predict(x, verbose=0),
        net.predict_on_batch(x), net.train_on_batch(x, Y),
    )  # fmt: skip


def test_training_is_that_on_the_dense_array(trainable_backend):
    wanted = trained(DENSE)
    for kind, sparse in ((trainable_backend, False), ("csr", True)):
        for a, b in zip(keras.tree.flatten(trained(SOURCES[kind](DENSE), sparse=sparse)), keras.tree.flatten(wanted)):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6, err_msg=kind)


def test_sparse_targets_and_class_weights():
    adapter = make_adapter(DENSE, scipy.csr_matrix(Y[:, None]), batch_size=22, class_weight={0: 1.0, 1: 3.0})
    ((_, y, w),) = adapter.epoch()
    assert y[:, 0].tolist() == Y.tolist() and w.tolist() == np.where(Y, 3.0, 1.0).tolist()


@pytest.mark.parametrize("kind", ["csr", "tensorflow", "jax", "torch"])
def test_batches_of_a_source(backend, kind):
    if kind in ("tensorflow", "jax", "torch") and kind not in BACKENDS:
        pytest.skip("not installed")
    net = keras.Sequential([layers.Input((6,)), layers.Dense(2)])
    parts = [SOURCES[kind](DENSE[i : i + 8]) for i in (0, 8)]
    np.testing.assert_allclose(net.predict(iter(parts), verbose=0), net.predict(DENSE[:16], verbose=0), atol=1e-6)

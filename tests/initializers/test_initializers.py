"""Initializers: distributions, seeds, the same bits everywhere, shapes, configs."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import Variable, initializers, ops

SHAPE = (200, 300)
# name -> (mean, standard deviation, smallest, largest)
STATISTICS = {
    "RandomNormal": (0, 0.05, None), "RandomUniform": (0, 0.1 / np.sqrt(12), 0.05), "TruncatedNormal": (0, 0.05 * 0.8796, 0.1),
    "GlorotUniform": (0, np.sqrt(2 / 500), np.sqrt(6 / 500)), "GlorotNormal": (0, np.sqrt(2 / 500), None),
    "HeUniform": (0, np.sqrt(2 / 200), np.sqrt(6 / 200)), "HeNormal": (0, np.sqrt(2 / 200), None),
    "LecunUniform": (0, np.sqrt(1 / 200), np.sqrt(3 / 200)), "LecunNormal": (0, np.sqrt(1 / 200), None),
}  # fmt: skip


def made(initializer, shape=SHAPE, dtype=None):
    return ops.convert_to_numpy(initializer(shape, dtype=dtype))


@pytest.mark.parametrize("name", list(STATISTICS))
def test_distribution(backend, name):
    mean, deviation, limit = STATISTICS[name]
    values = made(getattr(initializers, name)(seed=1))
    assert abs(values.mean() - mean) < 5 * deviation / np.sqrt(values.size)
    np.testing.assert_allclose(values.std(), deviation, rtol=0.02)
    assert limit is None or np.abs(values).max() <= limit * 1.0001


@pytest.mark.parametrize("name", [*STATISTICS, "Orthogonal", "VarianceScaling"])
def test_a_seed_means_the_same_bits(backend, name):
    cls = getattr(initializers, name)
    values = made(cls(seed=7), (5, 6))
    np.testing.assert_array_equal(values, made(cls(seed=7), (5, 6)))
    assert not np.array_equal(values, made(cls(seed=8), (5, 6)))
    np.testing.assert_array_equal(values, cls(seed=7).on_host((5, 6), "float32"))
    again = initializers.deserialize(initializers.serialize(cls(seed=7)))
    np.testing.assert_array_equal(values, made(again, (5, 6)))


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
def test_variance_scaling_of_a_convolution(mode, distribution):
    values = made(initializers.VarianceScaling(3.0, mode, distribution, seed=2), (3, 3, 64, 128))
    n = {"fan_in": 576, "fan_out": 1152, "fan_avg": 864}[mode]
    np.testing.assert_allclose(values.var(), 3.0 / n, rtol=0.03)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 2, 5)])
def test_orthogonal(backend, shape):
    matrix = made(initializers.Orthogonal(gain=2.0, seed=1), shape).reshape(-1, shape[-1])
    small = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)
    with pytest.raises(ValueError, match="two axes"):
        initializers.Orthogonal()((3,))


def test_identity(backend):
    np.testing.assert_array_equal(made(initializers.Identity(gain=2.0), (2, 3)), 2 * np.eye(2, 3))
    assert initializers.deserialize(initializers.serialize(initializers.Identity(gain=2.0))).gain == 2.0
    with pytest.raises(ValueError, match="matrices"):
        initializers.Identity()((2, 2, 2))


def test_stft_kernels_transform(backend):
    signal, window = np.random.default_rng(0).normal(size=16), np.hanning(16)
    real, imaginary = (made(initializers.STFT(side, "hann", None), (16, 1, 9))[:, 0] for side in ("real", "imag"))
    np.testing.assert_allclose(signal @ real + 1j * (signal @ imaginary), np.fft.rfft(signal * window), atol=1e-5)
    own = initializers.STFT(window=np.ones(4), scaling="spectrum")
    np.testing.assert_allclose(made(own, (4, 1, 3))[0], np.full((1, 3), 0.25))
    assert initializers.deserialize(initializers.serialize(own)).get_config() == own.get_config()
    with pytest.raises(ValueError, match="frame"):
        own((5, 1, 3))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int32"])
def test_dtypes(backend, dtype):
    for initializer in (initializers.Zeros(), initializers.Ones(), initializers.Constant(2)):
        assert ops.dtype(initializer((2,), dtype=dtype)) == dtype


def test_get():
    assert initializers.get(None) is None
    assert isinstance(initializers.get("stft"), initializers.STFT)
    for wrong in ("nonsense", {"class_name": "nonsense", "config": {}}):
        with pytest.raises(ValueError):
            initializers.get(wrong)
    with pytest.raises(ValueError, match=r"Constant\(3\.0\)"):
        initializers.get(3.0)
    with pytest.raises(ValueError, match="seed"):
        initializers.RandomNormal(seed="one")


FANS = {
    (): (1, 1), (7,): (7, 7), (5, 3): (5, 3), (3, 4, 5): (12, 15), (2, 3, 4, 5): (24, 30), (2, 2, 2, 3, 4): (24, 32),
}  # fmt: skip


@pytest.mark.parametrize("shape", list(FANS), ids=str)
def test_fans_of_all_shapes(shape):
    """Uniform draws fill the interval that the fans of a shape give, and by a Kolmogorov-Smirnov test evenly."""
    stats = pytest.importorskip("scipy.stats")
    fan_in, fan_out = FANS[shape]
    count = max(1, 1500 // int(np.prod(shape)))
    for name, n in (("he_uniform", fan_in / 2), ("lecun_uniform", fan_in), ("glorot_uniform", (fan_in + fan_out) / 2)):
        limit = np.sqrt(3 / n)
        cls = type(initializers.get(name))
        drawn = np.concatenate([np.ravel(cls(seed=s).on_host(shape, "float32")) for s in range(count)])
        assert np.abs(drawn).max() <= limit * 1.0001
        assert stats.kstest(drawn, stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-3, name


@pytest.mark.parametrize("name", list(STATISTICS))
def test_whole_distribution(name):
    """By a Kolmogorov-Smirnov test, against the distribution that the docstring names."""
    stats = pytest.importorskip("scipy.stats")
    _, deviation, limit = STATISTICS[name]
    drawn = np.ravel(getattr(initializers, name)(seed=3).on_host(SHAPE, "float32"))[:20000]
    wanted = stats.norm(0, deviation)
    if "Uniform" in name:
        wanted = stats.uniform(-limit, 2 * limit)
    elif name in ("TruncatedNormal", "GlorotNormal", "HeNormal", "LecunNormal"):
        wanted = stats.truncnorm(-2, 2, scale=deviation / stats.truncnorm(-2, 2).std())
    assert stats.kstest(drawn, wanted.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", ["RandomNormal", "TruncatedNormal", "HeNormal", "GlorotUniform", "Orthogonal"])
def test_no_integers_from_a_continuous_distribution(name):
    """Rounding would leave zeros."""
    with pytest.raises(ValueError, match=f"^{name} makes values of a float dtype, not of 'int32'"):
        getattr(initializers, name)(seed=1)((3, 4), dtype="int32")


def test_what_a_config_makes_of_its_arguments():
    import json

    config = initializers.VarianceScaling(distribution="Normal", seed=np.int64(3)).get_config()
    assert json.loads(json.dumps(config))["seed"] == 3 and config["distribution"] == "truncated_normal"


def test_variables_take_what_initializers_give(backend):
    """By way of the host, unless a subclass has a call of its own."""

    class Called(initializers.RandomNormal):
        def __call__(self, shape, dtype=None):
            return super().__call__(shape, dtype) * 0.0 + 3.0

    class OnHost(initializers.Initializer):
        def on_host(self, shape, dtype):
            return np.full(shape, 4.0, dtype)

    for dtype in ("float32", "float16"):
        given = made(initializers.GlorotUniform(seed=1), (3, 4), dtype)
        variable = Variable(initializers.GlorotUniform(seed=1), shape=(3, 4), dtype=dtype)
        assert variable.dtype == dtype
        np.testing.assert_array_equal(variable.numpy(), given)
        np.testing.assert_array_equal(Variable(Called(), shape=(2,), dtype=dtype).numpy(), [3.0, 3.0])
        np.testing.assert_array_equal(Variable(OnHost(), shape=(2,), dtype=dtype).numpy(), [4.0, 4.0])
    np.testing.assert_array_equal(Variable(lambda shape, dtype: np.ones(shape), shape=(2,)).numpy(), [1.0, 1.0])

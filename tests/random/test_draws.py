"""Random tensors: their distributions, their seeds, and drawing inside compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.conftest import BACKENDS
from tricera import ops, random
from tricera.core import dispatch
from tricera.core.state import functionalize
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable

N = 20_000
# Seeds are fixed, so a test that passes once passes always; a wrong distribution gives p-values of 0.
ENOUGH = 1e-3
CONTINUOUS: list[tuple[str, Callable[..., Any], Any]] = [
    ("normal", lambda seed: random.normal((N,), 2.0, 3.0, seed=seed), stats.norm(2, 3)),
    ("uniform", lambda seed: random.uniform((N,), -1.0, 3.0, seed=seed), stats.uniform(-1, 4)),
    (
        "truncated_normal",
        lambda seed: random.truncated_normal((N,), 1.0, 0.5, seed=seed),
        stats.truncnorm(-2, 2, 1, 0.5),
    ),
    ("gamma 0.5", lambda seed: random.gamma((N,), 0.5, seed=seed), stats.gamma(0.5)),
    ("gamma 3", lambda seed: random.gamma((N,), 3.0, seed=seed), stats.gamma(3)),
    ("beta 0.5 2", lambda seed: random.beta((N,), 0.5, 2.0, seed=seed), stats.beta(0.5, 2)),
    ("beta 3 3", lambda seed: random.beta((N,), 3.0, 3.0, seed=seed), stats.beta(3, 3)),
]
DISCRETE: list[tuple[str, Callable[..., Any], Any]] = [
    ("randint", lambda seed: random.randint((N,), -3, 4, seed=seed), stats.randint(-3, 4)),
    ("binomial", lambda seed: random.binomial((N,), 10.0, 0.3, seed=seed), stats.binom(10, 0.3)),
    ("binomial many", lambda seed: random.binomial((N,), 40.0, 0.5, seed=seed), stats.binom(40, 0.5)),
    ("binomial 1", lambda seed: random.binomial((N,), 1.0, 0.9, seed=seed), stats.binom(1, 0.9)),
]
DRAWS: dict[str, Callable[[Any], Any]] = {name: draw for name, draw, _ in [*CONTINUOUS, *DISCRETE]}
DRAWS |= {
    "categorical": lambda seed: random.categorical(np.zeros((2, 5), "float32"), 500, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(500), seed=seed),
    "dropout": lambda seed: random.dropout(np.ones(1000, "float32"), 0.4, seed=seed),
}
# Draws whose numbers some test compares with their law: what `tests/ops/test_options.py` reads.
LAWFUL: dict[str, Callable[[Any], Any]] = DRAWS | {
    "categorical dtype": lambda seed: random.categorical(np.zeros((2, 5), "float32"), N, dtype="int16", seed=seed),
    "dropout rows": lambda seed: random.dropout(np.ones((100, 200), "float32"), 0.5, noise_shape=(100, 1), seed=seed),
    "shuffle axis": lambda seed: random.shuffle(np.arange(12).reshape(4, 3), axis=1, seed=seed),
    "randint dtype": lambda seed: random.randint((2000,), 3, 9, dtype="uint8", seed=seed),
}


def array(x: Any) -> np.ndarray:
    """As NumPy."""
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize(("name", "draw", "law"), CONTINUOUS, ids=[c[0] for c in CONTINUOUS])
def test_continuous_distributions(name: str, draw: Any, law: Any, backend: str) -> None:
    """Kolmogorov-Smirnov against the law, its mean and variance, and no correlation of neighbours."""
    x = array(draw(7)).astype("float64")
    assert stats.kstest(x, law.cdf).pvalue > ENOUGH
    assert abs(x.mean() - law.mean()) < 5 * law.std() / N**0.5
    assert x.var() == pytest.approx(law.var(), rel=0.08)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.03
    low, high = law.support()
    assert low <= x.min()
    assert x.max() <= high


LAWS: dict[str, tuple[Callable[..., Any], Any]] = {
    "normal": (lambda **k: random.normal((N,), 2.0, 3.0, **k), stats.norm(2, 3)),
    "uniform": (lambda **k: random.uniform((N,), -1.0, 3.0, **k), stats.uniform(-1, 4)),
    "truncated_normal": (lambda **k: random.truncated_normal((N,), **k), stats.truncnorm(-2, 2)),
    "gamma": (lambda **k: random.gamma((N,), 2.5, **k), stats.gamma(2.5)),
    "beta": (lambda **k: random.beta((N,), 2.0, 3.0, **k), stats.beta(2, 3)),
    "binomial": (lambda **k: random.binomial((N,), 12.0, 0.4, **k), stats.binom(12, 0.4)),
}


LAWFUL |= {
    f"{name} dtype": lambda seed, draw=draw: draw(dtype="float16", seed=seed) for name, (draw, _) in LAWS.items()
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_seeds_and_dtypes(dtype: str, backend: str) -> None:
    """In each dtype, for several seeds: the moments and the law (rounded numbers lie on a grid, so not to the last digit)."""
    if backend == "jax" and dtype == "float64":
        pytest.skip("there it is float32")
    step = {"float16": 2**-10, "bfloat16": 2**-7}.get(dtype, 1e-6)
    for name, (draw, law) in LAWS.items():
        worst = []
        for seed in (0, 1, 123456789):
            first = draw(dtype=dtype, seed=seed)
            assert ops.dtype(first) == dispatch.current().canonical(dtype)
            x = array(ops.cast(first, "float32")).astype("float64")
            np.testing.assert_array_equal(x, array(ops.cast(draw(dtype=dtype, seed=seed), "float32")))
            assert abs(x.mean() - law.mean()) < (5 / N**0.5 + step) * law.std(), (name, seed)
            assert x.std() == pytest.approx(law.std(), rel=0.08), (name, seed)
            # The distance between the two distribution functions, each point taken half a step of the grid either way.
            ordered = np.sort(x)
            room = np.abs(ordered) * step + 1e-6
            low, high = law.cdf(ordered - room), law.cdf(ordered + room)
            below = np.searchsorted(ordered, ordered, "left") / N
            above = np.searchsorted(ordered, ordered, "right") / N
            worst.append(max(0.0, (low - above).max(), (below - high).max()))
        assert max(worst) < 1.95 / N**0.5, (name, worst)  # exceeded once in a thousand
    assert len({array(LAWS["normal"][0](seed=s))[0] for s in range(20)}) == 20


@pytest.mark.parametrize(("name", "draw", "law"), DISCRETE, ids=[d[0] for d in DISCRETE])
def test_discrete_distributions(name: str, draw: Any, law: Any, backend: str) -> None:
    """Counts of each value by the chi-squared test."""
    x = array(draw(7)).astype("int64")
    low, high = (int(v) for v in law.interval(0.9999))
    inner = [v for v in range(low, high + 1) if law.pmf(v) * N > 10]
    seen = np.array([(x == v).sum() for v in inner] + [(~np.isin(x, inner)).sum()])
    expected = np.array([law.pmf(v) * N for v in inner])
    rest = N - expected.sum()
    if rest > 5:
        expected = np.append(expected, rest)
    else:
        assert seen[-1] <= 30
        seen, expected = seen[:-1], expected * seen[:-1].sum() / expected.sum()
    assert stats.chisquare(seen, expected).pvalue > ENOUGH


def test_categorical(backend: str) -> None:
    """Frequencies are those of the softmax, a row for itself; a class of no weight is never drawn."""
    logits = np.log(np.array([[0.1, 0.2, 0.7, 1e-30], [0.25, 0.25, 0.25, 0.25]], "float32"))
    x = array(random.categorical(logits, N, seed=3))
    assert (x.shape, x.dtype) == ((2, N), np.int32)
    assert stats.chisquare(np.bincount(x[0], minlength=4)[:3], np.array([0.1, 0.2, 0.7]) * N).pvalue > ENOUGH
    assert (x[0] < 3).all()
    assert stats.chisquare(np.bincount(x[1], minlength=4)).pvalue > ENOUGH
    again = LAWFUL["categorical dtype"](1)
    assert ops.dtype(again) == "int16"
    assert stats.chisquare(np.bincount(array(again)[0], minlength=5)).pvalue > ENOUGH
    whole = np.array([[0, 1000, 3]])
    assert (array(random.categorical(whole, 9, seed=1)) == 1).all()
    assert array(random.categorical(logits, 0, seed=1)).shape == (2, 0)
    nowhere = np.array([[-np.inf, -np.inf], [np.nan, 0.0]], "float32")
    assert set(array(random.categorical(nowhere, 50, seed=1)).ravel()) <= {0, 1}


def test_shuffle(backend: str) -> None:
    """Each order is as likely as another, and slices stay whole."""
    x = np.arange(12).reshape(4, 3)
    for axis in (0, 1, -1):
        out = array(random.shuffle(x, axis=axis, seed=2))
        lined = np.sort(out, axis=axis)
        np.testing.assert_array_equal(lined, x)
    first = array(random.shuffle(x, seed=2))
    np.testing.assert_array_equal(first - first[:, :1], np.tile(np.arange(3), (4, 1)))
    generator = random.SeedGenerator(5)
    places = [array(random.shuffle(np.arange(4), seed=generator))[0] for _ in range(400)]
    assert stats.chisquare(np.bincount(places, minlength=4)).pvalue > ENOUGH


def test_dropout(backend: str) -> None:
    """The rate, the scale, masks that broadcast, and both ends."""
    ones = np.ones((100, 200), "float32")
    out = array(random.dropout(ones, 0.3, seed=1))
    assert (out == 0).mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(np.unique(out), [0, 1 / 0.7], rtol=1e-6)
    rows = array(LAWFUL["dropout rows"](1))
    assert (rows == rows[:, :1]).all()
    columns = array(random.dropout(ones, 0.5, noise_shape=(1, None), seed=1))
    assert (columns == columns[:1]).all()
    np.testing.assert_array_equal(array(random.dropout(ones, 0.0, seed=1)), ones)
    np.testing.assert_array_equal(array(random.dropout(ones, 1.0, seed=1)), 0 * ones)
    with pytest.raises(ValueError, match=r"random.dropout: `rate` must be in \[0, 1\]"):
        random.dropout(ones, 1.5)


@pytest.mark.parametrize("name", sorted(DRAWS))
def test_seeds(name: str, backend: str) -> None:
    """An integer gives the same numbers twice; a generator and None give new ones each time."""
    draw = DRAWS[name]
    np.testing.assert_array_equal(array(draw(11)), array(draw(11)))
    assert not np.array_equal(array(draw(11)), array(draw(12)))
    one, two = random.SeedGenerator(4), random.SeedGenerator(4)
    first, second = array(draw(one)), array(draw(one))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, array(draw(two)))
    np.testing.assert_array_equal(second, array(draw(two)))
    assert not np.array_equal(array(draw(None)), array(draw(None)))


def test_parameters_broadcast(backend: str) -> None:
    """Tensors as parameters."""
    alpha = np.array([0.5, 5.0, 50.0], "float32")
    np.testing.assert_allclose(array(random.gamma((4000, 3), alpha, seed=1)).mean(0), alpha, rtol=0.1)
    np.testing.assert_allclose(
        array(random.beta((4000, 3), alpha, alpha[::-1].copy(), seed=1)).mean(0),
        alpha / (alpha + alpha[::-1]),
        atol=0.02,
    )
    counts = np.array([1.0, 10.0, 100.0], "float32")
    np.testing.assert_allclose(array(random.binomial((4000, 3), counts, 0.25, seed=1)).mean(0), counts / 4, rtol=0.1)
    if backend == "jax":  # which compiles each shape
        return
    columns = np.array([[1.0], [30.0]], "float32")
    np.testing.assert_allclose(array(random.gamma((2, 4000), columns, seed=1)).mean(1), [1, 30], rtol=0.1)
    np.testing.assert_allclose(array(random.beta((2, 4000), 1.0, columns, seed=1)).mean(1), [1 / 2, 1 / 31], rtol=0.1)
    np.testing.assert_allclose(
        array(random.binomial((2, 4000), columns + 0.9, 0.5, seed=1)).mean(1), [0.5, 15], rtol=0.1
    )


def test_small_parameters_of_beta(backend: str) -> None:
    """Both of the gamma-distributed numbers it is made of may be too small for a float32."""
    x = array(random.beta((N,), 0.01, 0.01, seed=1))
    law = stats.beta(0.01, 0.01)
    share = law.cdf(0.9) - law.cdf(0.1)
    assert abs(((x > 0.1) & (x < 0.9)).mean() - share) < 5 * (share / N) ** 0.5
    assert abs((x > 0.5).mean() - 0.5) < 0.02


def test_tensors_out_of_range_give_nan(backend: str) -> None:
    """What a tensor holds need not be known: there is no error to raise, and the other elements are drawn."""
    wrong = Variable(np.array([-1.0, 0.0, 2.0], "float32"))
    good = Variable(np.array([0.5, 1.0, 0.25], "float32"))
    shape = (4000, 3)  # as above: JAX has it compiled
    found = {
        "gamma": random.gamma(shape, wrong, seed=1),
        "beta": random.beta(shape, good, wrong, seed=1),
        "binomial": random.binomial(shape, wrong, 0.25, seed=1),
    }
    lost = {name: np.isnan(array(x)).mean(0).tolist() for name, x in found.items()}
    assert lost == {
        "gamma": [True, True, False],
        "beta": [True, True, False],
        "binomial": [True, False, False],
    }
    if backend != "jax":  # which would compile another one
        chances = Variable(np.array([-0.4, 0.0, 1.8], "float32"))
        assert np.isnan(array(random.binomial((3,), 3.0, chances, seed=1))).tolist() == [True, False, True]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes(dtype: str, backend: str) -> None:
    """The dtype asked for, inferred the same from shapes alone; halves never reach the upper end."""
    for draw in (random.normal, random.uniform, random.truncated_normal):
        x = draw((3000,), dtype=dtype, seed=1)
        assert ops.dtype(x) == dispatch.current().canonical(dtype)
        assert np.isfinite(array(ops.cast(x, "float32"))).all()
        assert draw((None, 3), dtype=dtype).shape == (None, 3)
    assert array(ops.cast(random.uniform((N,), dtype=dtype, seed=1), "float32")).max() < 1.0


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_integers(dtype: str, backend: str) -> None:
    """All values from the lower end to below the upper one, in the dtype."""
    x = random.randint((2000,), 3, 9, dtype=dtype, seed=1)
    assert ops.dtype(x) == dispatch.current().canonical(dtype)
    assert sorted(set(array(x).tolist())) == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32"])
def test_whole_range_of_integers(dtype: str, backend: str) -> None:
    """Up to the greatest number there is, from the least and from another."""
    limits = np.iinfo(dtype)
    for low in (limits.min, 100):
        x = array(random.randint((N,), low, int(limits.max) + 1, dtype=dtype, seed=1))
        assert x.dtype == dtype
        width = float(limits.max) - low
        assert x.min() >= low
        assert x.min() <= low + 0.01 * width
        assert x.max() >= limits.max - 0.01 * width
        assert stats.chisquare(np.histogram((x.astype("float64") - low) // ((width + 1) / 4), 4)[0]).pvalue > ENOUGH


def test_empty_and_scalar(backend: str) -> None:
    """Shapes without elements, and without axes."""
    for draw in (random.normal, random.uniform, random.truncated_normal):
        assert array(draw((0, 3), seed=1)).shape == (0, 3)
        assert array(draw((), seed=1)).shape == ()
    assert array(random.gamma((2, 0), 1.0, seed=1)).shape == (2, 0)


@pytest.mark.parametrize("name", sorted(set(DRAWS)))
@pytest.mark.parametrize("backend_name", [b for b in BACKENDS if b in ("jax", "tensorflow")])
def test_inside_compilers(backend_name: str, name: str) -> None:
    """The numbers are those of a direct call, and a generator moves on from call to call."""
    with dispatch.use(backend_name):
        draw = DRAWS[name]
        direct, traced = random.SeedGenerator(9), random.SeedGenerator(9)
        want = [array(draw(direct)) for _ in range(2)]
        if backend_name == "jax":
            import jax

            pure = jax.jit(functionalize(lambda: draw(traced), [traced.state]))
            got, state = [], [traced.state.value]
            for _ in range(2):
                out, state = pure(state)
                got.append(array(out))
        else:
            import tensorflow as tf

            step = tf.function(lambda: draw(traced))
            got = [array(step()) for _ in range(2)]
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_symbolic() -> None:
    """Shapes and dtypes without drawing."""
    x = KerasTensor((None, 5))
    assert random.dropout(x, 0.5).shape == random.shuffle(x).shape == (None, 5)
    assert random.categorical(x, 3).shape == (None, 3)
    assert random.randint((None, 2), 0, 5).dtype == "int32"


BAD: list[tuple[str, Callable[[], Any], str]] = [
    ("normal", lambda: random.normal((2,), dtype="int32"), r"random.normal.*`dtype`.*int32"),
    ("gamma", lambda: random.gamma((2,), 1.0, dtype="int32"), r"random.gamma.*`dtype`.*int32"),
    ("randint", lambda: random.randint((2,), 0, 3, dtype="float32"), r"random.randint.*`dtype`.*float32"),
    ("categorical", lambda: random.categorical(np.zeros(3), 2), r"random.categorical: `logits`"),
    ("seed", lambda: random.normal((2,), seed="a"), r"`seed` must be an integer"),
    ("shape", lambda: random.normal((2, -1)), r"negative"),
    ("generator", lambda: random.SeedGenerator(-1), r"`seed` must not be negative"),
    ("shuffle", lambda: random.shuffle(np.arange(3), axis=1), r"random.shuffle: `axis`"),
    ("order", lambda: random.randint((2,), 3, 3), r"random.randint: `minval`"),
    (
        "range",
        lambda: random.randint((2,), 0, 257, dtype="uint8"),
        r"random.randint: `maxval`=257 is out of the range of uint8",
    ),
    (
        "below",
        lambda: random.randint((2,), -1, 5, dtype="uint8"),
        r"random.randint: `minval`=-1 is out of the range of uint8",
    ),
    ("ends", lambda: random.randint((2,), np.zeros(2, "int32"), 5), r"random.randint: `minval` must be one integer"),
    (
        "samples",
        lambda: random.categorical(np.zeros((1, 2)), -1),
        r"random.categorical: `num_samples` must be at least 0",
    ),
    ("classes", lambda: random.categorical(np.zeros((1, 0)), 1), r"random.categorical: `logits` must have .* a class"),
    ("stddev", lambda: random.normal((2,), 0.0, -1.0), r"random.normal: `stddev` must be 0 or greater; got -1.0"),
    ("truncated", lambda: random.truncated_normal((2,), stddev=-1), r"random.truncated_normal: `stddev` must be"),
    ("alpha", lambda: random.beta((2,), -1.0, 1.0), r"random.beta: `alpha` must be positive; got -1.0"),
    ("beta", lambda: random.beta((2,), 1.0, [1.0, 0.0]), r"random.beta: `beta` must be positive; got"),
    ("zero", lambda: random.gamma((2,), 0), r"random.gamma: `alpha` must be positive; got 0"),
    ("nan", lambda: random.gamma((2,), np.array([np.nan, 1.0])), r"random.gamma: `alpha` must be positive; got"),
    ("counts", lambda: random.binomial((2,), -1, 0.5), r"random.binomial: `counts` must be 0 or greater; got -1"),
    ("chance", lambda: random.binomial((2,), 1, 1.5), r"random.binomial: `probabilities` must be between 0 and 1"),
    (
        "spread",
        lambda: random.gamma((2,), [1.0, 2.0, 3.0]),
        r"random.gamma: `alpha` .*\(3,\) does not broadcast to `shape`=\(2,\)",
    ),
]


@pytest.mark.parametrize(("call", "message"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input(call: Any, message: str, backend: str) -> None:
    """The same error on each backend."""
    with pytest.raises(ValueError, match=message):
        call()


def test_generators_belong_to_a_backend(backend: str) -> None:
    """Their state is a variable; a config makes the same stream again."""
    generator = random.SeedGenerator(6)
    assert isinstance(generator.state, Variable)
    assert generator.state.backend == backend
    assert generator.state.path == f"{generator.name}/seed_generator_state"
    again = random.SeedGenerator.from_config(generator.get_config())
    np.testing.assert_array_equal(array(random.normal((4,), seed=generator)), array(random.normal((4,), seed=again)))


def test_a_seed_taken_stays(backend: str) -> None:
    """What `next` gave does not move on with the stream, and a pure function of the stream's state draws the same."""
    generator = random.SeedGenerator(5)
    first, second = generator.next(), generator.next()
    assert ops.convert_to_numpy(first).tolist() == [5, 0]
    assert ops.convert_to_numpy(second).tolist() == [5, 1]
    other = random.SeedGenerator(5)
    pure = functionalize(lambda: random.uniform((3,), seed=other), [other.state])
    drawn, _ = pure([other.state.value])
    again = random.SeedGenerator(5)
    np.testing.assert_array_equal(ops.convert_to_numpy(drawn), ops.convert_to_numpy(random.uniform((3,), seed=again)))

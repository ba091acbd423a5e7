"""`Variable` and `StatelessScope`: assignment, arithmetic, and state that stays outside."""

from __future__ import annotations

import copy
import subprocess
import sys

import numpy as np
import pytest

from tricera import StatelessScope, Variable, functionalize, initializers, name_scope, ops


def numbers(x):
    return ops.convert_to_numpy(x).tolist()


def test_assignments_return_the_new_value(backend):
    v = Variable([1.0, 2.0, 3.0], name="v")
    assert numbers(v.assign([2.0, 3.0, 4.0])) == [2, 3, 4]
    assert numbers(v.assign_add([1.0, 1.0, 1.0])) == [3, 4, 5]
    assert numbers(v.assign_sub([0.5, 0.5, 0.5])) == [2.5, 3.5, 4.5]
    assert (v.shape, v.ndim, v.dtype, v.name, v.path, v.trainable, len(v)) == ((3,), 1, "float32", "v", "v", True, 3)


def test_python_s_operators(backend):
    v = Variable([2.0, 4.0])
    for got, wanted in (
        (v + 1, [3, 5]), (1 - v, [-1, -3]), (v * v, [4, 16]), (v / 2, [1, 2]), (-v, [-2, -4]), (v**2, [4, 16]), (v // 3, [0, 1]),
        (v % 3, [2, 1]), (v > 3, [False, True]), (abs(-v), [2, 4]), (v[1], 4), (v[:1], [2]), (v @ v, 20),
        (np.ones(2, "float32") + v, [3, 5]),
    ):  # fmt: skip
        assert numbers(got) == wanted


def test_iteration_ends(backend):
    assert [float(x) for x in Variable([1.0, 2.0])] == [1.0, 2.0]
    with pytest.raises(TypeError, match="no axes"):
        list(Variable(1.0))


def test_operators_work_before_anything_else_is_touched():
    code = "import tricera; v = tricera.Variable([1.0, 2.0]); print(float((v + 1)[0]), (tricera.KerasTensor((2, 3)) * 2).shape)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.split() == ["2.0", "(2,", "3)"], run.stderr


def test_dtypes_are_those_of_the_values(backend):
    for value, dtype in (
        (3, "int32"),
        (3.0, "float32"),
        (True, "bool"),
        ([1, 2], "int32"),
        (np.ones(2, "float16"), "float16"),
    ):
        assert Variable(value).dtype == dtype
    wide = Variable(np.ones(2))  # 64 bits, where the framework holds them
    assert wide.dtype == ops.dtype(wide.value)
    assert Variable([1.0], dtype="float16").assign(np.array([2.0])).dtype is not None


def test_numbers_out_of_variables(backend):
    assert (float(Variable(2.5)), int(Variable(3)), bool(Variable(0.0))) == (2.5, 3, False)
    with pytest.raises(TypeError, match="one element"):
        float(Variable([1.0, 2.0]))


def test_copies_are_independent(backend):
    v = Variable([1.0])
    twin = copy.deepcopy(v)
    twin.assign([2.0])
    assert v.numpy()[0] == 1.0


def test_paths(backend):
    with name_scope("outer"), name_scope("inner"):
        assert Variable(1.0, name="v").path == "outer/inner/v"


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: Variable([1.0, 2.0]).assign([1.0]), r"\(2,\).*\(1,\)"),
        (lambda: Variable(initializers.Zeros()), "needs a `shape`"),
        (lambda: Variable(initializers.Zeros(), shape=(None, 2)), "None"),
        (lambda: Variable([1.0], name="a/b"), "'a/b'"),
        (lambda: Variable([1.0], aggregation="x"), "aggregation"),
        (lambda: Variable([1.0], shape=(2,)), r"\(1,\).*\(2,\)"),
    ],
)
def test_errors(backend, act, says):
    with pytest.raises(ValueError, match=says):
        act()


def test_stateless_scope(backend):
    v, w = Variable(1.0), Variable(2.0)
    with StatelessScope(state_mapping=[(v, ops.convert_to_tensor(5.0))]) as scope:
        assert float(v.value) == 5.0 and float(w.value) == 2.0
        v.assign(7.0)
        assert float(v.value) == 7.0
    assert float(scope.get_current_value(v)) == 7.0 and scope.get_current_value(w) is None
    assert float(v.value) == 1.0


def test_stateless_scopes_nest_and_end_with_errors(backend):
    v = Variable(1.0)
    with pytest.raises(RuntimeError), StatelessScope():
        v.assign(2.0)
        with StatelessScope():
            v.assign(3.0)
        assert float(v.value) == 2.0
        raise RuntimeError
    assert float(v.value) == 1.0


def test_losses_are_collected(backend):
    from tricera import layers

    layer = layers.ActivityRegularization(l1=1.0)
    with StatelessScope(collect_losses=True) as scope:
        layer(np.ones((2, 3), "float32"))
    assert [float(x) for x in scope.losses] == [3.0]  # a mean over the batch


def test_functionalize_refuses_strays(backend):
    v, w = Variable(1.0), Variable(1.0)
    with pytest.raises(ValueError, match="assigned inside a pure function"):
        functionalize(lambda: w.assign(2.0), [v])([v.value])
    assert float(w.value) == 1.0

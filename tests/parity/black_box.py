"""Cases written once, as functions of a module, run under Keras in a process of their own and under Tricera in the tests.

A table maps names to functions of the module (`keras` or `tricera`). What a case returns, a dict of arrays and plain values,
is written by Keras's process to one .npz: arrays as arrays, everything else as JSON. A case that raises holds the error's type.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Case = Callable[[Any], dict[str, Any]]
RAISES = "raises"


def outcome(case: Case, module: Any) -> dict[str, Any]:
    """What the case gives under a module, tensors as arrays."""
    module.utils.clear_session(free_memory=False)  # automatic names count from the start
    try:
        found = case(module)
    except Exception as error:  # whether it raises is a result
        return {RAISES: True, "type": type(error).__name__, "said": str(error)[:300]}
    return {key: _plain(value, module) for key, value in found.items()}


def _plain(value: Any, module: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, dict, list, tuple)):
        return value
    return np.asarray(module.ops.convert_to_numpy(value))


def run_keras(script: str, target: Path, timeout: float = 600, backend: str = "jax") -> dict[str, dict[str, Any]]:
    """Run a table's file under Keras in a process of its own and read what it wrote."""
    env = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    root = str(Path(__file__).parents[2])
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (root, env.get("PYTHONPATH"))))
    subprocess.run([sys.executable, __file__, script, str(target)], check=True, env=env, timeout=timeout, cwd=root)
    results: dict[str, dict[str, Any]] = {}
    with np.load(target) as file:
        for path in file.files:
            case, kind, key = path.split("\t")
            results.setdefault(case, {})[key] = json.loads(str(file[path])) if kind == "json" else file[path]
    return results


def keras_results(cases: Any, backend: str = "jax") -> Any:
    """A fixture of a module of tests: what Keras gives for the table of a file, once.

    Args:
        cases: the module that holds the table.
        backend: Keras's.
    """
    import pytest  # which Keras's process does without

    @pytest.fixture(scope="module", name="keras_results")
    def results(tmp_path_factory: Any) -> dict[str, dict[str, Any]]:
        return run_keras(cases.__file__, tmp_path_factory.mktemp("keras") / "results.npz", backend=backend)

    return results


def check(case: Case, module: Any, wanted: Mapping[str, Any], rtol: float = 2e-5, atol: float = 2e-6) -> None:
    """Assert that a case gives under `module` what Keras gave: values, shapes, dtypes, and whether it raises."""
    found = outcome(case, module)
    if wanted.get(RAISES) or found.get(RAISES):
        assert bool(found.get(RAISES)) == bool(wanted.get(RAISES)), (found, dict(wanted))
        return
    assert set(found) == set(wanted)
    for key, want in wanted.items():
        got = found[key]
        if not isinstance(want, np.ndarray):
            assert alike(json.loads(json.dumps(got)), want), (key, got, want)
            continue
        got = np.asarray(got)
        assert got.shape == want.shape, key
        assert got.dtype == want.dtype, key
        np.testing.assert_allclose(
            got.astype("float64"), want.astype("float64"), rtol=rtol, atol=atol, equal_nan=True, err_msg=key
        )


def alike(a: Any, b: Any) -> bool:
    """Whether plain values are equal; floats may have gone through float32."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-6)
    return bool(a == b) and type(a) is type(b)


def _main(script: str, target: str) -> None:
    import keras

    spec = importlib.util.spec_from_file_location("cases", script)
    assert spec is not None and spec.loader is not None
    table = importlib.util.module_from_spec(spec)
    sys.modules["cases"] = table
    spec.loader.exec_module(table)
    written: dict[str, Any] = {}
    for name, case in table.CASES.items():
        for key, value in outcome(case, keras).items():
            if isinstance(value, np.ndarray):
                written[f"{name}\tarray\t{key}"] = value
            else:
                written[f"{name}\tjson\t{key}"] = np.array(json.dumps(value))
    np.savez(target, **written)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])

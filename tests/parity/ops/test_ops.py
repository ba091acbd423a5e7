"""Ops beside Keras on the same framework: values, shapes and dtypes of every row of the table, images, factorisations, draws."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tricera
from tests.conftest import TRAINABLE
from tests.parity import black_box
from tests.parity.ops import cases
from tricera.core import dispatch

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
KNOWN: dict[str, Any] = tomllib.loads(Path(__file__).with_name("differences.toml").read_text("utf-8"))


def difference(got: Mapping[str, Any], want: Mapping[str, Any]) -> str | None:
    """How two outcomes differ, or None."""
    if set(got) != set(want):
        return f"{sorted(got)}, Keras {sorted(want)}"
    for key, right in want.items():
        if not isinstance(right, np.ndarray):
            if not black_box.alike(got[key], right):
                return f"{key}: {got[key]}, Keras {right}"
            continue
        value = np.asarray(got[key])
        if value.shape != right.shape or value.dtype != right.dtype:
            return f"{key}: {value.dtype}{value.shape}, Keras {right.dtype}{right.shape}"
        tol = 2e-3 if value.dtype == np.float16 else 1e-4
        near = np.isclose(value.astype("float64"), right.astype("float64"), rtol=tol, atol=tol / 5, equal_nan=True)
        if not near.all():
            return f"{key}: {value[~near][:3]}, Keras {right[~near][:3]}"
    return None


@pytest.mark.parametrize("name", TRAINABLE)
def test_as_keras(name: str, tmp_path: Path) -> None:
    """The same as Keras on the same framework, but for what the lists say, which must be so."""
    wanted = black_box.run_keras(cases.__file__, tmp_path / "ops.npz", timeout=900, backend=name)
    refused, differing, problems = set(), set(), []
    with dispatch.use(name), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for case, want in wanted.items():
            op = case.split()[0]
            got = black_box.outcome(cases.CASES[case], tricera)
            if got.get(black_box.RAISES):
                if not want.get(black_box.RAISES):
                    problems.append(f"{case}: {got}")
            elif want.get(black_box.RAISES):
                refused.add(op)
            else:
                found = difference(got, want)
                if found:
                    differing.add(op)
                    if op not in KNOWN[name]["differs"]:
                        problems.append(f"{case}: {found}")
    assert not problems, "\n".join(problems)
    assert len(wanted) > 300
    assert refused == set(KNOWN[name]["refuses"])
    assert differing == set(KNOWN[name]["differs"]), "an exception is not needed any more"

"""The root is lazy, and says the same thing three times: to type checkers, in its tables, in `__all__`."""

from __future__ import annotations

import ast
import importlib

import pytest

import tricera
from tests.api.source import PACKAGE


def for_type_checkers(path: str) -> set[str]:
    """The names that a module imports under `if TYPE_CHECKING:`, or assigns there."""
    tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for inner in node.body:
                if isinstance(inner, ast.ImportFrom):
                    assert all(alias.asname == alias.name for alias in inner.names), (
                        "write `import x as x`: a re-export"
                    )
                    names |= {alias.name for alias in inner.names}
                if isinstance(inner, ast.Assign):
                    names |= {target.id for target in inner.targets if isinstance(target, ast.Name)}
    return names


def test_the_root_agrees_with_itself() -> None:
    eager = {"__version__", "version"}
    assert (
        for_type_checkers("__init__.py")
        == set(tricera._MODULES) | tricera._NAMES.keys()
        == set(tricera.__all__) - eager
    )
    assert len(set(tricera.__all__)) == len(tricera.__all__)
    assert sorted(tricera.__all__) == dir(tricera)


def test_utils_agree_with_themselves() -> None:
    assert for_type_checkers("utils/__init__.py") == tricera.utils._NAMES.keys() == set(tricera.utils.__all__)


@pytest.mark.parametrize("name", tricera.__all__)
def test_every_name_of_the_root_is_there(name: str) -> None:
    assert getattr(tricera, name) is not None


@pytest.mark.parametrize("name", tricera.utils.__all__)
def test_every_name_of_utils_is_there(name: str) -> None:
    assert getattr(tricera.utils, name) is not None


@pytest.mark.parametrize("module", sorted(tricera._MODULES))
def test_every_name_of_a_module_s_all_is_there(module: str) -> None:
    found = importlib.import_module(f"tricera.{module}")
    missing = [name for name in getattr(found, "__all__", ()) if not hasattr(found, name)]
    assert not missing


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="'tricera' has no attribute 'nonsense'"):
        tricera.nonsense  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        tricera.utils.nonsense  # noqa: B018


def test_version() -> None:
    assert tricera.version() == tricera.__version__ == "0.1.0"

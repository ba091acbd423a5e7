"""Tricera under Keras's name: the import hook and `python -m tricera`. Each case runs in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def python(folder: Path, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={
            **{k: v for k, v in os.environ.items() if k not in ("TRICERA_BACKEND", "KERAS_BACKEND")},
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        capture_output=True,
        text=True,
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


def run(
    folder: Path, code: str, *arguments: str, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(code)
    return python(folder, "-m", "tricera", "run", "script.py", *arguments, check=check, **environment)


def test_every_form_of_import_gives_the_same_modules(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("import keras.ops as held\nfrom keras.layers import Dense\n")
    code = """
import keras
import keras.ops as ops
import keras.layers
import keras.datasets.mnist as mnist
from keras import layers, utils
from keras.layers import Dense
from keras.utils import to_categorical
import helper
import sys, tricera, tricera.datasets.mnist
assert keras is tricera and sys.modules["keras"] is tricera
assert ops is tricera.ops is helper.held is sys.modules["keras.ops"]
assert layers is tricera.layers is keras.layers and Dense is tricera.layers.Dense is helper.Dense
assert mnist is tricera.datasets.mnist and to_categorical is tricera.utils.to_categorical
assert layers.__name__ == layers.__spec__.name == "tricera.layers"
print("the same")
"""
    assert run(tmp_path, code).stdout == "the same\n"


def test_private_and_unknown_modules_give_clear_errors(tmp_path: Path) -> None:
    code = """
for statement in ("from keras.src import backend", "import keras.src.layers.core", "import keras.nonsense", "from keras import nonsense"):
    try:
        exec(statement)
    except ImportError as error:
        print(type(error).__name__, error)
"""
    lines = run(tmp_path, code).stdout.splitlines()
    assert len(lines) == 4
    assert "none of its private modules" in lines[0] and "none of its private modules" in lines[1]
    assert (
        lines[2]
        == "ModuleNotFoundError No module named 'keras.nonsense': Tricera stands in for Keras here and has no 'tricera.nonsense'."
    )
    assert lines[3].startswith("ImportError cannot import name 'nonsense'")


def test_install_twice_and_after_keras(tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("")
    code = "import sys, tricera\ntricera.install_as_keras()\nn = len(sys.meta_path)\ntricera.install_as_keras()\nassert n == len(sys.meta_path)"
    python(tmp_path, "-c", code)
    done = python(tmp_path, "-c", "import keras, tricera; tricera.install_as_keras()", check=False)
    assert "RuntimeError: Keras itself was imported before" in done.stderr


def test_script_sees_what_python_shows_it(tmp_path: Path) -> None:
    folder = tmp_path / "below"
    folder.mkdir()
    code = """
import sys, __main__
names = sorted(globals())
print(sys.argv, sys.path[0], __name__, __file__, __spec__, __package__, type(__loader__).__name__, names)
print(__main__.__dict__ is globals())
class Held: pass
import pickle; print(type(pickle.loads(pickle.dumps(Held()))) is Held)
def annotated(x: int): ...
print(annotated.__annotations__)  # this module's own `from __future__` statements don't leak into the script
"""
    (folder / "script.py").write_text(code)
    direct = python(tmp_path, "below/script.py", "a", "--verbose", "-h")
    assert python(tmp_path, "-m", "tricera", "run", "below/script.py", "a", "--verbose", "-h").stdout == direct.stdout


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(3)",
        "import sys; sys.exit('stopped')",
        "def f():\n    raise ValueError('boom')\nf()",
        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e",
        "def broken(:",
        "import os; open(os.devnull + '/none')",
        "import sys\nsys.excepthook = lambda kind, error, trace: print('hook', kind.__name__)\nraise TypeError",
        "import atexit\natexit.register(lambda: print(value))\nvalue = 7",
    ],
)
def test_exits_and_tracebacks_are_those_of_python(tmp_path: Path, code: str) -> None:
    ours = run(tmp_path, code, check=False)
    theirs = python(tmp_path, str(tmp_path / "script.py"), check=False)
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)


def test_nothing_is_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    work = tmp_path / "work"
    home.mkdir()
    work.mkdir()
    run(
        work,
        "import keras; keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])",
        HOME=str(home),
        TRICERA_BACKEND="numpy",
    )
    assert not list(home.iterdir())
    assert [p.name for p in work.iterdir()] == ["script.py"]


def test_backend_is_chosen_late_and_tricera_backend_wins(tmp_path: Path) -> None:
    code = "import os\nos.environ['KERAS_BACKEND'] = 'numpy'\nimport keras\nprint(keras.backend.backend())"
    assert run(tmp_path, code).stdout == "numpy\n"
    other = code.replace("'numpy'", "'nonsense'")
    assert run(tmp_path, other, TRICERA_BACKEND="numpy").stdout == "numpy\n"


def test_spawned_processes_get_tricera_too(tmp_path: Path) -> None:
    code = """
import multiprocessing
import keras
def work(x):
    import keras.utils
    return keras.__name__, keras.utils.__name__, x
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(work, [1]))
"""
    assert run(tmp_path, code).stdout == "[('tricera', 'tricera.utils', 1)]\n"


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_tensorflow_works_and_its_keras_is_tricera(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    code = """
import tensorflow as tf
assert [b.shape.as_list() for b in tf.data.Dataset.range(4).batch(2)] == [[2], [2]]
assert float(tf.function(lambda x: x * 2)(tf.constant(2.0))) == 4
import keras, tricera
assert tf.keras.layers.Dense is tricera.layers.Dense
from tensorflow import keras as inside
assert inside is tricera
print("fine")
"""
    assert run(tmp_path, code, TF_CPP_MIN_LOG_LEVEL="3", HOME=str(home)).stdout == "fine\n"
    # Left alone, TensorFlow writes a `.keras/keras.json` that makes it the default backend.
    done = python(
        tmp_path, "-c", "import tricera.ops as ops; print(type(ops.ones(2)).__module__)", HOME=str(home),
        TRICERA_BACKEND="tensorflow",
    )  # fmt: skip
    assert done.stdout.startswith("tensorflow.")
    assert not list(home.iterdir())


def test_missing_script_and_version(tmp_path: Path) -> None:
    done = python(tmp_path, "-m", "tricera", "run", "absent.py", check=False)
    assert done.returncode == 2 and "no script 'absent.py'" in done.stderr
    assert python(tmp_path, "-m", "tricera", "--version").stdout == "tricera 0.1.0\n"


def test_info(tmp_path: Path) -> None:
    lines = python(tmp_path, "-m", "tricera", "info", TRICERA_BACKEND="numpy").stdout.splitlines()
    assert lines[0].startswith("tricera      0.1.0 (Python ")
    assert [line.split()[0] for line in lines] == ["tricera", "jax", "torch", "tensorflow", "numpy", "backend"]
    assert lines[-1] == "backend      numpy, from the environment variable TRICERA_BACKEND"
    config = tmp_path / "keras.json"
    config.write_text('{"backend": "numpy"}')
    chosen = python(
        tmp_path, "-m", "tricera", "info", KERAS_HOME=str(tmp_path), TRICERA_HOME=str(tmp_path)
    ).stdout.splitlines()[-1]
    assert chosen == "backend      numpy, from the config file"
    done = python(tmp_path, "-m", "tricera", "info", TRICERA_BACKEND="nonsense", check=False)
    assert done.returncode == 1 and "Unknown backend 'nonsense'" in done.stdout

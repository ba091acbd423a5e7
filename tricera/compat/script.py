"""`run_script`: what `python script.py` does, with Tricera in Keras's place."""

from __future__ import annotations

import builtins
import importlib.machinery
import io
import sys
import types
from pathlib import Path

from tricera.compat.as_keras import install_as_keras


def run_script(script: str, arguments: list[str]) -> int:
    """Run a Keras script as `python script.py arguments...` would, but `import keras` gives Tricera.

    `sys.argv`, `sys.path[0]` and the module `__main__` are as Python itself makes them; `sys.exit` in the script passes
    through, and an exception is reported by `sys.excepthook` with the script's own frames.

    Args:
        script: the path.
        arguments: the rest of `sys.argv`.

    Returns:
        The exit status: 0, or 1 after an exception.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = Path(script)
    if not path.is_file():
        raise FileNotFoundError(f"There is no script {script!r} (looked in {Path.cwd()}).")
    sys.argv = [script, *arguments]
    if not sys.flags.safe_path and sys.path:
        sys.path[0] = str(path.resolve().parent)
    install_as_keras()
    main = types.ModuleType("__main__")
    absolute = str(path.absolute())
    main.__dict__.update(__file__=absolute, __builtins__=builtins, __cached__=None, __annotations__={})
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", absolute)
    # Stays in place after the script's end: threads and exit handlers may still look up names in it.
    sys.modules["__main__"] = main
    try:
        with io.open_code(absolute) as file:
            code = compile(file.read(), absolute, "exec", dont_inherit=True)
        exec(code, main.__dict__)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        own_frame = error.__traceback__
        error = error.with_traceback(own_frame.tb_next if own_frame is not None else None)
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0

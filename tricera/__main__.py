"""`python -m tricera run script.py`: run a Keras script with Tricera in Keras's place."""

from __future__ import annotations

import argparse
import importlib.util
import os
import runpy
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """The command line.

    Returns:
        The exit status.
    """
    import tricera

    parser = argparse.ArgumentParser(prog="python -m tricera", description="Run Keras scripts with Tricera.")
    parser.add_argument("--version", action="version", version=f"tricera {tricera.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a script in which `import keras` gives Tricera")
    run.add_argument("script", help="the script")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    commands.add_parser("info", help="say which frameworks are installed and which backend is chosen")
    options = parser.parse_args(arguments)
    if options.command == "info":
        return _info()
    return _run(options.script, options.arguments)


def _run(script: str, arguments: list[str]) -> int:
    from tricera.compat import install_as_keras

    path = Path(script)
    if not path.is_file():
        print(f"python -m tricera run: there is no file {script!r}.", file=sys.stderr)
        return 2
    install_as_keras()
    sys.argv = [script, *arguments]
    sys.path[0] = str(path.resolve().parent)
    runpy.run_path(script, run_name="__main__")
    return 0


def _info() -> int:
    from importlib import metadata

    from tricera.backend import backend
    from tricera.core.dispatch import KNOWN

    for name, (module, requirement) in KNOWN.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name:12} not installed (pip install '{requirement}')")
            continue
        try:
            print(f"{name:12} {metadata.version(module)}")
        except metadata.PackageNotFoundError:
            print(f"{name:12} installed")
    reason = next((v for v in ("TRICERA_BACKEND", "KERAS_BACKEND") if os.environ.get(v)), "the config file, or the first installed")
    print(f"backend: {backend()} ({reason})")
    return 0


if __name__ == "__main__":
    sys.exit(main())

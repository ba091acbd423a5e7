"""The command line: `python -m tricera run script.py`, `python -m tricera info`."""

from __future__ import annotations

import argparse
import importlib.util
import platform
import sys
from importlib import metadata


def main(arguments: list[str] | None = None) -> int:
    """The command line.

    Args:
        arguments: what follows the program's name; default: the process's.

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
    from tricera.compat.script import run_script

    try:
        return run_script(options.script, options.arguments)
    except FileNotFoundError as error:
        if error.errno is not None:
            raise
        print(f"python -m tricera run: {error}", file=sys.stderr)
        return 2


def _info() -> int:
    """Print versions and the chosen backend; 1 if the choice can't be served."""
    import tricera
    from tricera.core.dispatch import KNOWN, BackendError, get, preferred

    print(f"tricera      {tricera.__version__} (Python {platform.python_version()})")
    for name, (module, requirement) in KNOWN.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name:12} not installed (pip install '{requirement}')")
            continue
        packages = metadata.packages_distributions().get(module, ())  # TensorFlow's package has several names
        print(f"{name:12} {metadata.version(packages[0]) if packages else 'installed'}")
    chosen, why = preferred()
    try:
        get(chosen)
    except BackendError as error:
        print(f"backend      {chosen}, from {why}, can't be used: {error}")
        return 1
    print(f"backend      {chosen}, from {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

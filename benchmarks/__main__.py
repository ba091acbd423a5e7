"""Print the table: each case in Tricera, in an installed Keras, and written by hand, on each framework, each in its own process.

    python -m benchmarks [--backends jax torch tensorflow] [--cases mlp_fit ...] [--repeat 1]

Ratios count: absolute figures drift with the machine. The three run in turn, so that all see the same noise.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys

from benchmarks.eager import LIMITS
from benchmarks.hand import HAND
from benchmarks.measure import CASES


def _environment(backend: str) -> dict[str, str]:
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "TRICERA_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
    }
    # An installed package has its bytecode; where Python may not write any, a checkout would be compiled anew each time.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def measure(case: str, package: str, backend: str) -> float | None:
    """One figure, from a fresh process; None if that package has no such case."""
    if package == "hand" and case not in HAND.get(backend, ()):
        return None
    command = [sys.executable, "-m", "benchmarks.measure", case, package, backend]
    done = subprocess.run(command, env=_environment(backend), capture_output=True, text=True)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def eager_ops(backend: str, repeat: int) -> list[str]:
    """Rows for what the commonest ops cost over the framework's own calls; all three are timed in one process."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(repeat):
        command = [sys.executable, "-m", "benchmarks.eager", backend]
        done = subprocess.run(command, env=_environment(backend), capture_output=True, text=True)
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return []
        for name, found in json.loads(done.stdout.strip().splitlines()[-1]).items():
            known = best.setdefault(name, found)
            best[name] = {k: min(v, known[k]) for k, v in found.items()}
    rows = []
    for name, found in best.items():
        over = found["tricera"] - found["native"]
        cells = [f"{found[k]:.2f}" for k in ("tricera", "keras", "native")]
        verdict = "" if over <= LIMITS[backend] else f"more than {LIMITS[backend]:g}"
        rows.append(f"| {name} | {backend} | {' | '.join(cells)} | {over:+.2f} | {verdict} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", nargs="*", default=["jax", "torch", "tensorflow"])
    parser.add_argument("--cases", nargs="*", default=[*CASES, "eager_ops"])
    parser.add_argument("--repeat", type=int, default=1, help="take the best of so many runs")
    options = parser.parse_args()
    for backend in options.backends:
        measure("import", "tricera", backend)  # writes the bytecode
    print(f"{datetime.date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores\n")
    cases = [case for case in options.cases if case != "eager_ops"]
    if cases:
        print("| case | framework | Tricera | Keras | by hand | Tricera / Keras | Tricera / by hand |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for case in cases:
        for backend in options.backends:
            best: dict[str, float | None] = {"tricera": None, "keras": None, "hand": None}
            for _ in range(options.repeat):
                for package in best:
                    value = measure(case, package, backend)
                    known = best[package]
                    best[package] = value if known is None or (value is not None and value < known) else known
            ours, keras, hand = best["tricera"], best["keras"], best["hand"]
            cells = [f"{v:.3g}" if v is not None else "" for v in (ours, keras, hand)]
            # nothing to speak of has no ratio: what Keras takes over TensorFlow, which imports it itself
            ratios = [f"{ours / v:.2f}" if ours is not None and v and ours < 1000 * v else "" for v in (keras, hand)]
            print(f"| {CASES[case]} | {backend} | {' | '.join(cells + ratios)} |", flush=True)
    if "eager_ops" in options.cases:
        print("\n| eager op on small tensors (us) | framework | Tricera | Keras | by hand | Tricera over by hand | |")
        print("| --- | --- | ---: | ---: | ---: | ---: | --- |")
        for backend in options.backends:
            print("\n".join(eager_ops(backend, options.repeat)), flush=True)


if __name__ == "__main__":
    main()

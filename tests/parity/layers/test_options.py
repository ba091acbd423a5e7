"""Every option of every layer is in a case that runs beside Keras, and every choice of those with a closed list.

The tables of cases are walked without any framework: a stand-in for the package notes which layers a case makes, and of what.
"""

from __future__ import annotations

import collections
import fnmatch
import inspect
from typing import Any

import numpy as np
import pytest

from tests.parity import attention_run, low_rank_run, more_layers_run, preprocessing_run
from tests.parity.layers import rows
from tricera import layers

TABLES = (rows, attention_run, low_rank_run, more_layers_run, preprocessing_run)

# What no case sets, and why. The classes of `rows.WITHOUT` that have no case at all are excused as a whole.
EXCUSED = {
    "quantization_config": "what it makes is compared in tests/layers/test_quantization.py",
    "gptq_unpacked_column_size": "goes with GPTQ, which is refused",
    "HashedCrossing.sparse": "Keras has it on TensorFlow alone; tests/layers/preprocessing",
    "Hashing.sparse": "Keras has it on TensorFlow alone; tests/layers/preprocessing",
    "Resizing.fill_mode": "has one choice",
    "Bidirectional.weights": "Keras forgets them; tests/layers/test_recurrent.py",
    "InputLayer.ragged": "Keras has it on TensorFlow alone",
}
WHOLE = ("Layer", "Wrapper", "InputSpec", "FlaxLayer", "JaxLayer", "TorchModuleWrapper", "TFSMLayer")

# A class, an option, and its choices; the first pattern that matches counts.
_BOTH, _ALL = ("valid", "same"), ("int", "one_hot", "multi_hot", "count")
_BOXES = ("xyxy", "yxyx", "xywh", "center_xywh", "rel_xyxy", "rel_yxyx", "rel_xywh")
_SIZES = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
CHOICES: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("*", "data_format", ("channels_last", "channels_first")),
    ("ZeroPadding*", "padding", ()), ("*Conv1D", "padding", (*_BOTH, "causal")), ("*", "padding", _BOTH),
    ("Resizing", "interpolation", _SIZES), ("UpSampling2D", "interpolation", _SIZES), ("*", "interpolation", ("bilinear", "nearest")),
    ("Resizing", "fill_mode", ()), ("*", "fill_mode", ("constant", "nearest", "wrap", "reflect")),
    ("CategoryEncoding", "output_mode", _ALL[1:]), ("HashedCrossing", "output_mode", _ALL[:2]), ("*", "output_mode", _ALL),
    ("*", "merge_mode", ("concat", "sum", "mul", "ave", None)), ("*", "score_mode", ("dot", "concat")),
    ("RandomFlip", "mode", ("horizontal", "vertical", "horizontal_and_vertical")),
    ("STFT*", "mode", ("log", "magnitude", "psd", "real", "imag", "angle", "stft")),
    ("*", "scaling", ("density", "spectrum", None)), ("*", "window", ("hann", "hamming", None)),
    ("CenterCrop", "bounding_box_format", _BOXES), ("*", "bounding_box_format", ("xyxy",)),
)  # fmt: skip
POLICIES = ("mixed_bfloat16", "float16")
# Without numbers of half a width, or made of layers that have a dtype.
NO_HALF = ("Hashing", "HashedCrossing", "Pipeline", "InputLayer", "Lambda", "MaxNumBoundingBoxes")


class _Nothing:
    """What a case gets in the place of a layer: it can be called, and nothing else."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self


class _Notes(_Nothing):
    """A stand-in for the package that notes what layers are made of."""

    def __init__(self) -> None:
        self.layers, self.KerasTensor = self, _Nothing()
        self.found: dict[str, dict[str, list[Any]]] = collections.defaultdict(lambda: collections.defaultdict(list))

    def __getattr__(self, kind: str) -> Any:
        cls = getattr(layers, kind, None)
        if not inspect.isclass(cls):
            raise AttributeError(kind)

        def make(*args: Any, **kwargs: Any) -> Any:
            given = dict(inspect.signature(cls.__init__).bind(None, *args, **kwargs).arguments)
            for name, value in {**given, **given.pop("kwargs", {})}.items():
                self.found[cls.__name__][name].append(value)
            return _Nothing()

        return make


@pytest.fixture(scope="module")
def noted() -> dict[str, dict[str, list[Any]]]:
    """Layer -> option -> what the cases of all tables give it."""
    notes = _Notes()
    for table in TABLES:
        for case in table.CASES.values():
            try:
                case(notes)
            except (AttributeError, TypeError):
                pass  # a case goes on until it wants something of the layer that it made
    return notes.found


def _options() -> list[tuple[str, inspect.Parameter]]:
    named = {getattr(layers, name) for name in layers.__all__}
    found = []
    for cls in sorted((c for c in named if inspect.isclass(c) and c.__name__ not in WHOLE), key=lambda c: c.__name__):
        for option in list(inspect.signature(cls.__init__).parameters.values())[1:]:
            if option.kind is not option.VAR_KEYWORD:
                found.append((cls.__name__, option))
    return found


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(np.all(a == b))


def test_every_option_is_set(noted):
    """Each option of a constructor is something else than its default in a case."""
    missing = {
        f"{kind}.{option.name}"
        for kind, option in _options()
        if all(_same(value, option.default) for value in noted[kind][option.name])
    }
    excused = {m for m in missing if m in EXCUSED or m.split(".")[1] in EXCUSED}
    assert missing == excused
    assert {e for e in EXCUSED if e not in missing} <= {m.split(".")[1] for m in missing}, "excused for nothing"


def test_every_choice_is_taken(noted):
    """Options with a closed list have each of its choices in a case."""
    missing = []
    for kind, option in _options():
        choices = next((c for k, o, c in CHOICES if o == option.name and fnmatch.fnmatch(kind, k)), ())
        taken = [option.default, *noted[kind][option.name]]
        missing += [f"{kind}.{option.name}={c!r}" for c in choices if not any(_same(c, t) for t in taken)]
    # What is left out in a constructor is what Keras's config file says: channels last.
    assert [m for m in missing if not m.endswith("'channels_last'")] == []


def test_every_dtype_policy_is_taken(noted):
    """All layers have a case in each policy."""
    kinds = {kind for kind, _ in _options()} - set(NO_HALF)
    assert sorted(kind for kind in kinds for policy in POLICIES if policy not in noted[kind]["dtype"]) == []

"""Model files made to do harm: each is refused with a clear error, and nothing outside is touched."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
import zipfile

import h5py
import numpy as np
import pytest

from tricera import layers, models, saving

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}, "registered_name": None}


def sequential(*described, **changes):
    first = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 4]},
        "registered_name": None,
    }
    return {"module": "keras", "class_name": "Sequential", "registered_name": None,
            "config": {"name": "s", "layers": [first, *described]}, **changes}  # fmt: skip


def weights(fill=None):
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        if fill is not None:
            fill(h5)
        else:
            h5["layers/dense/vars/0"], h5["layers/dense/vars/1"] = np.ones((4, 2), "f4"), np.ones(2, "f4")
    return file.getvalue()


def model_file(path, config, h5=None, **more):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
        archive.writestr("model.weights.h5", weights() if h5 is None else h5)
        for name, content in more.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A file that must not be touched and a folder in which nothing may appear."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "canary").write_text("alive")
    monkeypatch.chdir(outside)
    yield tmp_path
    assert os.listdir(outside) == ["canary"]
    assert (outside / "canary").read_text() == "alive"


def layer_of(module, name, config, **more):
    return {"module": module, "class_name": name, "config": config, "registered_name": None, **more}


LAMBDA = {"class_name": "__lambda__", "config": {"code": "4wEAAAAA", "defaults": None, "closure": None}}
CONFIGS = {
    "CVE-2024-3660 lambda bytecode": sequential(layer_of("keras.layers", "Lambda", {"function": LAMBDA})),
    "lambda as an activation": sequential(layer_of("keras.layers", "Dense", {"units": 2, "activation": LAMBDA})),
    "lambda as a loss": sequential(DENSE, compile_config={"optimizer": "sgd", "loss": LAMBDA}),
    "CVE-2025-1550 module and function": sequential(layer_of("os", "system", {"command": "touch hacked"})),
    "at the top": layer_of("os", "system", {"command": "touch hacked"}),
    "not a model": layer_of("keras.optimizers", "SGD", {}),
    "CVE-2025-8747 own functions as gadgets": sequential(
        layer_of("keras.layers", "Lambda", {"function": {"module": "builtins", "class_name": "function", "config": "get_file"}})),
    "CVE-2025-9906 config.enable_unsafe_deserialization": sequential(
        layer_of("keras.config", "enable_unsafe_deserialization", {}), layer_of("keras.layers", "Lambda", {"function": LAMBDA})),
    "CVE-2025-49655 pickled torch module": sequential(layer_of("keras.layers", "TorchModuleWrapper", {"module": "gASV"})),
    "CVE-2026-1462 TFSMLayer": sequential(layer_of("keras.layers", "TFSMLayer", {"filepath": "/tmp/evil"})),
    "CVE-2025-12058 vocabulary from a path": sequential(layer_of("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"})),
    "unknown class": sequential(layer_of("keras.layers", "Telepathy", {})),
    "registered_name of nobody": sequential(layer_of(None, "X", {}, registered_name="a>b")),
    "config is a list": sequential(layer_of("keras.layers", "Dense", [])),
    "config is a string": sequential(layer_of("keras.layers", "Dense", "os.system")),
    "unknown argument": sequential(layer_of("keras.layers", "Dense", {"units": 2, "__class__": 1})),
    "negative units": sequential(layer_of("keras.layers", "Dense", {"units": -1})),
    "units of no number": sequential(layer_of("keras.layers", "Dense", {"units": float("nan")})),
    "endless units": sequential(layer_of("keras.layers", "Dense", {"units": 10**12})),
    "more units than an integer holds": sequential(layer_of("keras.layers", "Dense", {"units": 10**30})),
    "no class": {"config": {}},
    "a list": [1, 2],
    "nothing": None,
    "layers missing": {"module": "keras", "class_name": "Sequential", "config": {}, "registered_name": None},
    "deep": "[" * 5000 + "]" * 5000,
    "deep models": "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"layers\":[" * 400 + "]}}" * 400,
    "not JSON": "import os",
    "negative input": {**sequential(), "config": {"layers": [layer_of("keras.layers", "InputLayer", {"batch_shape": [None, -4]})]}},
}  # fmt: skip


@pytest.mark.parametrize("attack", CONFIGS)
def test_configs(canary, attack):
    path = model_file(canary / "m.keras", CONFIGS[attack])
    with pytest.raises((ValueError, TypeError)) as caught:
        saving.load_model(path)
    assert len(str(caught.value)) > 20


def test_many_layers(canary):
    layer = layer_of("keras.layers", "Dense", {"units": 1})
    text = json.dumps(sequential(layer)).replace(json.dumps(layer), ",".join([json.dumps(layer)] * 300_000))
    with pytest.raises(ValueError, match="more than"):
        saving.load_model(model_file(canary / "m.keras", text))


def test_registered_classes_do_not_replace_built_in_ones(canary):
    @saving.register_keras_serializable("evil", name="Dense")
    class Evil(layers.Dense):
        pass

    config = sequential({**DENSE, "registered_name": "evil>Dense"})
    model = saving.load_model(model_file(canary / "m.keras", config), custom_objects={"Dense": Evil})
    assert not isinstance(model.layers[0], Evil)


def external_storage(h5):
    h5.create_dataset("layers/dense/vars/0", shape=(4, 2), dtype="f4", external=[("/etc/passwd", 0, 32)])
    h5["layers/dense/vars/1"] = np.ones(2, "f4")


def external_link(h5):
    h5["layers/dense"] = h5py.ExternalLink("/etc/other.h5", "/")


def soft_link(h5):
    h5["other/vars/0"] = np.ones((4, 2), "f4")
    h5["layers/dense/vars"] = h5py.SoftLink("/other/vars")


def virtual(h5):
    layout = h5py.VirtualLayout(shape=(4, 2), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", shape=(4, 2))
    h5.create_virtual_dataset("layers/dense/vars/0", layout)


def shape_bomb(h5):
    h5.create_dataset("layers/dense/vars/0", shape=(2**40, 2**20), dtype="f4", chunks=(1, 1024))


@pytest.mark.parametrize("fill", [external_storage, external_link, soft_link, virtual, shape_bomb])
@pytest.mark.parametrize("whole_model", [True, False])
def test_weights(canary, fill, whole_model):
    if whole_model:
        with pytest.raises(ValueError, match="refused"):
            saving.load_model(model_file(canary / "m.keras", sequential(DENSE), weights(fill)))
    else:
        (canary / "m.weights.h5").write_bytes(weights(fill))
        model = models.Sequential([layers.Input((4,)), layers.Dense(2)])
        before = model.get_weights()
        with pytest.raises(ValueError, match="refused"):
            model.load_weights(canary / "m.weights.h5")
        np.testing.assert_array_equal(before[0], model.get_weights()[0])


@pytest.mark.parametrize(
    "name", ["../hacked", "/tmp/hacked", "assets/../../hacked", "assets/layers/dense/../../../hacked", "a\\..\\b"]
)
def test_names_of_assets(canary, name):
    path = model_file(canary / "m.keras", sequential(DENSE), **{name: "x"})
    with pytest.raises(ValueError, match="refused"):
        saving.load_model(path)


@pytest.mark.parametrize("name", ["../../up", "a/b", ".."])
def test_layer_names_that_are_paths(canary, name):
    path = model_file(canary / "m.keras", sequential({**DENSE, "config": {"units": 2, "name": name}}))
    try:
        model = saving.load_model(path)
    except (ValueError, TypeError):
        return
    model.save(canary / "again.keras")  # the name is no part of any path
    assert all(".." not in member for member in zipfile.ZipFile(canary / "again.keras").namelist())


def test_confused_kinds_of_file(canary):
    model = models.Sequential([layers.Input((4,)), layers.Dense(2)])
    (canary / "h5.keras").write_bytes(weights())
    with pytest.raises(ValueError, match="not a .keras file"):
        saving.load_model(canary / "h5.keras")
    model_file(canary / "zip.weights.h5", sequential(DENSE))
    with pytest.raises(ValueError, match="not an HDF5 file"):
        model.load_weights(canary / "zip.weights.h5")
    (canary / "checkpoint").mkdir()
    (canary / "checkpoint" / "_METADATA").write_text("{}")
    with pytest.raises(ValueError, match=r"without a config\.json"):
        saving.load_model(canary / "checkpoint")
    for address in ("gs://bucket/m.keras", "http://x.org/m.keras", "s3://b/m.keras"):
        with pytest.raises(ValueError, match="address"):
            saving.load_model(address)
        with pytest.raises(ValueError, match="address"):
            model.save(address)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.7, 0.99])
def test_cut_short(canary, keep):
    path = model_file(canary / "m.keras", sequential(DENSE))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ValueError, match="cut short"):
        saving.load_model(path)


def test_config_that_asks_for_all_memory(canary):
    """In a process that may take 8 GB: refused before anything is allocated."""
    path = model_file(canary / "m.keras", sequential(layer_of("keras.layers", "Dense", {"units": 2 * 10**9})))
    program = f"""
        import resource
        from tricera import saving
        resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
        try:
            saving.load_model({str(path)!r})
        except ValueError as error:
            assert "at most" in str(error), error
        else:
            raise SystemExit("loaded")
    """
    environment = {**os.environ, "TRICERA_BACKEND": "numpy", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_good_file_of_that_form_loads(canary):
    model = saving.load_model(model_file(canary / "m.keras", sequential(DENSE)))
    np.testing.assert_array_equal(model.get_weights()[0], np.ones((4, 2)))

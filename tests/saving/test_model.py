"""Whole models: save, load, weights, custom objects, compile state, pickling, and that failures change nothing."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
import zipfile

import h5py
import numpy as np
import pytest

import tricera
from tricera import layers, models, saving
from tricera.core import lambdas
from tricera.saving import walk


@saving.register_keras_serializable("tests")
class Block(layers.Layer):
    """Layers in every kind of container."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.stack = [layers.Dense(units), layers.Dropout(0.5), layers.Dense(units)]
        self.by_name = {"b": layers.Dense(units), "a": layers.LayerNormalization()}
        self.nested = [
            [layers.Dense(units), [layers.Dense(units)]],
            {"k": layers.Dense(units)},
            (layers.Dense(units), None, 3),
        ]
        self.together = {layers.Dense(units)}
        self.second = self.first = layers.Dense(units)

    def build(self, shape):
        self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")
        for layer in self._layers:
            layer.build((*shape[:-1], self.units))

    def in_order(self):
        return [*self.stack, *self.by_name.values(), *self.nested[0][1], self.nested[0][0], self.nested[1]["k"], self.nested[2][0],
                *self.together, self.first]  # fmt: skip

    def call(self, x, training=None):
        for layer in self.in_order():
            x = layer(x)
        return x * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@saving.register_keras_serializable("tests")
class Net(models.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.blocks = [Block(units) for _ in range(2)]
        self.head = layers.Dense(2)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def randomize(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.weights])
    return model


def small():
    return randomize(
        models.Sequential(
            [layers.Input((4,)), layers.Dense(3, activation="relu"), layers.Dropout(0.5), layers.Dense(2)]
        )
    )


def graph():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(4, name="shared")
    inner = models.Sequential([layers.Input((4,)), layers.Dense(4)], name="inner")
    joined = layers.Concatenate()([shared(a), inner(shared(b))])
    return randomize(models.Model({"a": a, "b": b}, {"x": layers.Dense(2)(joined), "y": [joined]}))


def subclassed():
    model = Net()
    model(X[:, :3])
    return randomize(model)


X = np.random.default_rng(1).normal(size=(5, 4)).astype("float32")


def outputs(model):
    if isinstance(model, Net):
        return np.asarray(model.predict(X[:, :3], verbose=0))
    if isinstance(model, models.Sequential):
        return np.asarray(model.predict(X, verbose=0))
    return np.asarray(model.predict({"a": X, "b": X}, verbose=0)["x"])


def same(a, b):
    np.testing.assert_allclose(outputs(a), outputs(b), rtol=1e-5, atol=1e-6)
    for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


@pytest.mark.parametrize("make", [small, graph, subclassed])
def test_round_trip(backend, tmp_path, make):
    model = make()
    model.save(tmp_path / "m.keras")
    same(model, saving.load_model(tmp_path / "m.keras"))
    saving.save_model(model, tmp_path / "folder", zipped=False)
    same(model, saving.load_model(str(tmp_path / "folder")))


@pytest.mark.parametrize("make", [small, graph, subclassed])
def test_weights_alone(backend, tmp_path, make):
    model, other = make(), randomize(make(), seed=7)
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    same(model, other)
    model.save(tmp_path / "m.keras")
    randomize(other, seed=8).load_weights(tmp_path / "m.keras")
    same(model, other)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_shards(tmp_path):
    model, other = subclassed(), randomize(subclassed(), seed=7)
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=2e-7)
    shards = sorted(p.name for p in tmp_path.glob("*.h5"))
    assert len(shards) > 3
    index = json.loads((tmp_path / "m.weights.json").read_text())
    assert sorted({file for files in index["weight_map"].values() for file in files}) == shards
    other.load_weights(tmp_path / "m.weights.json")
    same(model, other)
    index["weight_map"]["/head/vars"] = ["../m_00000.weights.h5"]
    (tmp_path / "m.weights.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match="not a file beside it"):
        other.load_weights(tmp_path / "m.weights.json")


def test_a_file_of_one_backend_loads_on_another(tmp_path, backend):
    model = small()
    model.save(tmp_path / "m.keras")
    with tricera.backend.use("numpy"):
        loaded = saving.load_model(tmp_path / "m.keras")
    for v, w in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


def test_compile_state_and_optimizer(backend, tmp_path):
    if backend == "numpy":
        pytest.skip("no training")
    model = small()
    model.compile(tricera.optimizers.Adam(0.01), "mse", metrics=["mae"])
    y = np.ones((5, 2), "float32")
    model.fit(X, y, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras")
    assert loaded.compiled
    for v, w in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(v.numpy(), w.numpy())
    np.testing.assert_allclose(model.evaluate(X, y, verbose=0), loaded.evaluate(X, y, verbose=0), rtol=1e-5)
    # The seed of the dropout went along, so both go on alike.
    for m in (model, loaded):
        m.fit(X, y, verbose=0, shuffle=False)
    same(model, loaded)
    assert not saving.load_model(tmp_path / "m.keras", compile=False).compiled


def test_optimizer_saved_before_its_first_step(tmp_path):
    model = small()
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    same(model, saving.load_model(tmp_path / "m.keras"))


def test_nested_containers_have_unique_paths():
    model = subclassed()
    paths = [path for path, _ in walk.Walk(model).kept]
    assert len(set(paths)) == len(paths)
    kept = {id(obj) for _, obj in walk.Walk(model).kept}
    assert all(id(layer) in kept for layer in model._flatten_layers())
    assert {
        "blocks/block", "blocks/block_1", "head", "blocks/block/stack/dense", "blocks/block/stack/dense_1",
        "blocks/block/nested/container/dense", "blocks/block/nested/container/container/dense",
        "blocks/block/nested/container_1/dense", "blocks/block/nested/container_2/dense", "blocks/block/by_name/dense",
        "blocks/block/by_name/layer_normalization", "blocks/block/together/dense", "blocks/block/first",
    } <= set(paths)  # fmt: skip
    assert "blocks/block/second" not in paths


def test_what_the_file_holds(tmp_path):
    model = small()
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        config = json.loads(archive.read("config.json"))
        assert (config["module"], config["class_name"], config["registered_name"]) == ("keras", "Sequential", None)
        assert config["config"]["layers"][1]["module"] == "keras.layers"
        assert config["compile_config"]["loss"] == "mse"
        with archive.open("model.weights.h5") as weights, h5py.File(weights) as h5:
            assert h5["layers/dense/vars/0"].shape == (4, 3)
            assert h5["layers/dense/vars"].attrs["name"] == model.layers[0].name


def test_custom_objects(tmp_path):
    class Mine(layers.Dense):
        pass

    def swish_like(x):
        return x * 2.0

    model = models.Sequential([layers.Input((4,)), Mine(2, activation=swish_like)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(TypeError, match=r"'Mine'.*custom_objects"):
        saving.load_model(tmp_path / "m.keras")
    given = {"Mine": Mine, "swish_like": swish_like}
    same(model, saving.load_model(tmp_path / "m.keras", custom_objects=given))
    with saving.custom_object_scope(given):
        same(model, saving.load_model(tmp_path / "m.keras"))


def test_lambdas_need_consent(tmp_path):
    model = models.Sequential([layers.Input((4,)), layers.Lambda(lambda x: x * 2.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="safe_mode=False"):
        saving.load_model(tmp_path / "m.keras")
    same(model, saving.load_model(tmp_path / "m.keras", safe_mode=False))


@pytest.mark.parametrize("make", [small, graph, subclassed])
def test_pickle_and_copy(make):
    model = make()
    same(model, pickle.loads(pickle.dumps(model)))
    twin = copy.deepcopy(model)
    same(model, twin)
    assert twin.weights[0] is not model.weights[0]


def test_pickling_takes_the_safe_path(monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pickle.dumps(models.Sequential([layers.Input((4,)), layers.Lambda(lambda x: x * 2.0)]))
    with pytest.raises(ValueError, match="safe_mode=False"):
        pickle.loads(data)
    monkeypatch.setattr(lambdas, "_enabled_everywhere", True)
    assert isinstance(pickle.loads(data), models.Sequential)


def test_own_save_and_load_methods(tmp_path):
    @saving.register_keras_serializable("tests")
    class Keeper(layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1],), name="w")
            self.words = []

        def call(self, x):
            return x + self.w

        def save_own_variables(self, store):
            store["weight"] = self.w

        def load_own_variables(self, store):
            assert list(store.keys()) == ["weight"]
            self.w.assign(store["weight"])

        def save_assets(self, folder):
            with open(f"{folder}/words.txt", "w") as file:
                file.write("\n".join(self.words))

        def load_assets(self, folder):
            with open(f"{folder}/words.txt") as file:
                self.words = file.read().split("\n")

        def get_build_config(self):
            return {"shape": [None, 4], "more": 1}

        def build_from_config(self, config):
            assert config["more"] == 1
            self.build(config["shape"])

    model = models.Sequential([layers.Input((4,)), Keeper()])
    model.layers[0].words = ["a", "b"]
    randomize(model).save(tmp_path / "m.keras")
    assert "assets/layers/keeper/words.txt" in zipfile.ZipFile(tmp_path / "m.keras").namelist()
    loaded = saving.load_model(tmp_path / "m.keras")
    same(model, loaded)
    assert loaded.layers[0].words == ["a", "b"]


def edited(tmp_path, edit):
    model = small()
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "a") as h5:
        edit(h5)
    return model, path


def wrong_shape(h5):
    del h5["layers/dense_1/vars/0"]
    h5["layers/dense_1/vars/0"] = np.zeros((7, 7))


def missing_one(h5):
    del h5["layers/dense_1/vars/1"]


def missing_layer(h5):
    del h5["layers/dense_1"]


def one_too_many(h5):
    h5["layers/dense_1/vars/2"] = np.zeros(2)


def unknown_layer(h5):
    h5["layers/dense_2/vars/0"] = np.zeros(2)


def misnumbered(h5):
    h5.move("layers/dense_1/vars/1", "layers/dense_1/vars/5")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (wrong_shape, r"layers/dense_1 .*kernel.* has shape \(3, 2\); the file holds one of shape \(7, 7\)"),
        (missing_one, r"layers/dense_1 .*has 2 variables .*'kernel', 'bias'.*; the file holds 1"),
        (missing_layer, r"layers/dense_1 .*the file holds 0"),
        (one_too_many, r"layers/dense_1 .*the file holds 3"),
        (unknown_layer, r"layers/dense_2: .*no such object"),
        (misnumbered, r"lacks its variable 1"),
    ],
)
def test_weights_that_do_not_fit_change_nothing(backend, tmp_path, edit, message):
    _, path = edited(tmp_path, edit)
    other = randomize(small(), seed=9)
    before = other.get_weights()
    with pytest.raises(ValueError, match=message):
        other.load_weights(path)
    for v, w in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


def test_skip_mismatch(tmp_path):
    model, path = edited(tmp_path, wrong_shape)
    other = randomize(small(), seed=9)
    kept = other.layers[2].get_weights()
    with pytest.warns(UserWarning, match="left as they are"):
        other.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(other.layers[0].get_weights()[0], model.layers[0].get_weights()[0])
    np.testing.assert_array_equal(other.layers[2].get_weights()[0], kept[0])


def test_unbuilt_model_says_so(tmp_path):
    small().save_weights(tmp_path / "m.weights.h5")
    model = models.Sequential([layers.Dense(3), layers.Dropout(0.5), layers.Dense(2)])
    with pytest.raises(ValueError, match="never built"):
        model.load_weights(tmp_path / "m.weights.h5")


@pytest.mark.parametrize("name", ["m", "m.zip", "m.h5", "m.keras.txt", "m.weights.h5"])
def test_wrong_endings(tmp_path, name):
    with pytest.raises(ValueError, match=r"ends in '\.keras'"):
        small().save(tmp_path / name)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"ends in '\.keras'"):
        saving.load_model(tmp_path / name)


def test_wrong_endings_of_weights(tmp_path):
    model = small()
    for name, options in (
        ("m.h5", {}),
        ("m.keras", {}),
        ("m.weights.json", {}),
        ("m.weights.h5", {"max_shard_size": 1}),
    ):
        with pytest.raises(ValueError, match="ends in"):
            model.save_weights(tmp_path / name, **options)
    (tmp_path / "m.txt").write_bytes(b"")
    with pytest.raises(ValueError, match="ends in"):
        model.load_weights(tmp_path / "m.txt")
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "nothing.weights.h5")
    with pytest.raises(FileNotFoundError):
        saving.load_model(tmp_path / "nothing.keras")
    assert [p.name for p in tmp_path.iterdir()] == ["m.txt"]


def test_overwrite(tmp_path, monkeypatch):
    model = small()
    model.save(tmp_path / "m.keras")
    before = (tmp_path / "m.keras").read_bytes()
    monkeypatch.setattr("builtins.input", lambda prompt: "n")
    randomize(model, 5).save(tmp_path / "m.keras", overwrite=False)
    assert (tmp_path / "m.keras").read_bytes() == before


def test_a_model_that_cannot_be_saved_leaves_the_old_file(tmp_path):
    small().save(tmp_path / "m.keras")
    before = (tmp_path / "m.keras").read_bytes()

    class Wrong(layers.Layer):
        def get_config(self):
            return {"x": object()}

        def call(self, x):
            return x

    with pytest.raises(TypeError, match="can't be written to a config"):
        models.Sequential([layers.Input((4,)), Wrong()]).save(tmp_path / "m.keras")
    assert (tmp_path / "m.keras").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_json_round_trip():
    model = graph()
    again = models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    same(model, again)

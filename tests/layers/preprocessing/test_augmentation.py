"""Random layers: nothing in inference, something in training, the same again with the same seed, wherever the images live."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tricera import Sequential, backend as current, layers, ops, saving
from tricera.core import dispatch

IMAGES = np.random.default_rng(0).uniform(0, 255, (4, 12, 10, 3)).astype("float32")
RANDOM: dict[str, dict[str, Any]] = {
    "RandomFlip": {},
    "RandomCrop": {"height": 7, "width": 6},
    "RandomRotation": {"factor": 0.3},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3},
    "RandomZoom": {"height_factor": 0.4},
    "RandomShear": {"x_factor": 0.4, "y_factor": 0.2},
    "RandomPerspective": {},
    "RandomBrightness": {"factor": 0.5},
    "RandomContrast": {"factor": 0.7},
    "RandomHue": {"factor": 0.4},
    "RandomSaturation": {"factor": (0.2, 0.9)},
    "RandomColorJitter": {"brightness_factor": 0.3, "saturation_factor": (0.2, 0.8)},
    "RandomColorDegeneration": {"factor": (0.4, 0.9)},
    "RandomSharpness": {"factor": (0.6, 0.9)},
    "RandomPosterization": {"factor": 3},
    "RandomGrayscale": {"factor": 0.9},
    "RandomInvert": {"factor": 0.9},
    "RandomErasing": {},
    "RandomGaussianBlur": {"sigma": (0.5, 1.5)},
    "RandomElasticTransform": {"factor": (0.8, 1.0)},
    "MixUp": {},
    "CutMix": {},
    "RandAugment": {},
    "AugMix": {},
}
EACH = pytest.mark.parametrize("name", RANDOM)


def make(name: str, seed: int = 3) -> Any:
    """The layer of a row."""
    return getattr(layers, name)(**RANDOM[name], seed=seed)


@EACH
def test_random_layer(name: str, backend: str) -> None:
    """What holds for all of them."""
    got = ops.convert_to_numpy(make(name)(IMAGES, training=True))
    assert got.shape == tuple(make(name).compute_output_shape(IMAGES.shape))
    assert np.isfinite(got).all()
    assert got.shape != IMAGES.shape or not np.allclose(got, IMAGES, atol=1e-3)
    again = ops.convert_to_numpy(make(name)(IMAGES, training=True))
    # The same draws; a program of the second call may round otherwise than that of the first.
    np.testing.assert_allclose(got, again, rtol=1e-5, atol=1e-4)
    if name != "RandomCrop":  # which then resizes or cuts at the centre
        np.testing.assert_allclose(ops.convert_to_numpy(make(name)(IMAGES, training=False)), IMAGES)


@EACH
def test_config(name: str) -> None:
    """A layer comes back from its config."""
    layer = make(name)
    twin = saving.deserialize_keras_object(saving.serialize_keras_object(layer))
    assert type(twin).__name__ == type(layer).__name__
    assert json.loads(json.dumps(twin.get_config())) == json.loads(json.dumps(layer.get_config()))


def test_draws_differ_from_call_to_call(backend: str) -> None:
    """A layer goes on in its stream of random numbers."""
    layer = layers.RandomBrightness(0.5, seed=1)
    first, second = (ops.convert_to_numpy(layer(IMAGES, training=True)) for _ in range(2))
    assert not np.allclose(first, second)


def test_flip_moves_masks_and_boxes(backend: str) -> None:
    """What lies in a flipped image is flipped with it, and nothing else."""
    layer = layers.RandomFlip("horizontal", seed=5, bounding_box_format="xyxy")
    boxes = np.tile(np.array([[[1.0, 2.0, 4.0, 6.0]]], "float32"), (8, 1, 1))
    images = np.tile(IMAGES[:1], (8, 1, 1, 1))
    masks = images[..., :1]
    data = {
        "images": images,
        "segmentation_masks": masks,
        "bounding_boxes": {"boxes": boxes, "labels": np.zeros((8, 1), "float32")},
    }
    out = layer(data, training=True)
    flipped = [not np.allclose(ops.convert_to_numpy(x), images[0]) for x in out["images"]]
    assert 0 < sum(flipped) < 8
    got = ops.convert_to_numpy(out["bounding_boxes"]["boxes"])
    for i, was in enumerate(flipped):
        np.testing.assert_allclose(got[i, 0], [6, 2, 9, 6] if was else [1, 2, 4, 6], atol=1e-4)
        want = images[0, :, ::-1] if was else images[0]
        np.testing.assert_allclose(ops.convert_to_numpy(out["images"])[i], want, atol=1e-4)
        np.testing.assert_allclose(ops.convert_to_numpy(out["segmentation_masks"])[i], want[..., :1], atol=1e-4)


def test_in_a_model(trainable_backend: str) -> None:
    """Under fit, compiled; predictions are of the images as they are."""
    model = Sequential(
        [
            layers.Rescaling(1 / 255),
            layers.RandomFlip(seed=1),
            layers.RandomRotation(0.1, seed=1),
            layers.RandomContrast(0.2, value_range=(0, 1), seed=1),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    model.compile("sgd", "mse")
    history = model.fit(IMAGES, np.zeros((4, 2), "float32"), batch_size=2, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    kernel, bias = model.get_weights()[:2]
    want = (IMAGES / 255).mean((1, 2)) @ kernel + bias
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["RandomFlip", "RandomRotation", "RandomBrightness", "RandAugment"])
def test_in_tf_data(name: str, backend: str) -> None:
    """On TensorFlow's tensors in a `tf.data` pipeline, whatever the current backend is; every batch is another draw."""
    tf = pytest.importorskip("tensorflow")
    layer = make(name)
    data = tf.data.Dataset.from_tensor_slices(np.tile(IMAGES, (8, 1, 1, 1))).batch(4)
    found = [x.numpy() for x in data.map(lambda x: layer(x, training=True))]
    assert len(found) == 8
    assert all(x.shape == IMAGES.shape for x in found)
    assert any(not np.allclose(found[0], x) for x in found[1:])
    assert current.backend() == dispatch.current().name == backend


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda: layers.RandomFlip("sideways", name="turn"), "turn"),
        (lambda: layers.RandomRotation("much", name="turn"), "turn"),
        (lambda: layers.RandomCrop(0, 3, name="cut"), "cut"),
        (lambda: layers.RandomContrast(-1, name="bright"), "bright"),
        (lambda: layers.Resizing(-2, 3, name="size"), "size"),
        (lambda: layers.CategoryEncoding(0, name="code"), "code"),
    ],
)
def test_bad_options(make_it: Any, message: str) -> None:
    """An error that names the layer, when it is made."""
    with pytest.raises((ValueError, TypeError), match=message):
        make_it()

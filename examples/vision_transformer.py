"""A small vision transformer on the handwritten digits that come with the package.

    TRICERA_BACKEND=jax python examples/vision_transformer.py --epochs 8

An image is cut into 16 patches of 7 x 7 pixels; each becomes a vector, gets to know its place, and then attends to the others
(Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929). A convolution knows that neighbours belong together; a transformer has to
learn it, so it wants more data than these 8,500 images to get as far.
"""

import argparse

import numpy as np

import tricera as keras
from tricera import layers, ops

SIZE, PATCH, WIDTH, HEADS, BLOCKS = 28, 7, 64, 4, 3


class Patches(layers.Layer):
    """Cuts images into patches, projects each to a vector, and adds a vector that is learned for its place."""

    def __init__(self, patch, width, **kwargs):
        super().__init__(**kwargs)
        self.patch, self.width = patch, width
        self.project = layers.Dense(width)

    def build(self, input_shape):
        self.rows, self.columns, self.channels = (
            input_shape[1] // self.patch,
            input_shape[2] // self.patch,
            input_shape[3],
        )
        self.project.build((None, None, self.patch * self.patch * self.channels))
        self.places = self.add_weight(
            shape=(self.rows * self.columns, self.width),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="places",
        )

    def call(self, images):
        p = self.patch
        x = ops.reshape(images, (-1, self.rows, p, self.columns, p, self.channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # the two axes inside a patch side by side
        x = ops.reshape(x, (-1, self.rows * self.columns, p * p * self.channels))
        return self.project(x) + self.places

    def get_config(self):
        return {**super().get_config(), "patch": self.patch, "width": self.width}


def block(x):
    """Attention between patches, then a small network on each; both add to what is there."""
    y = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=0.1)(y, y)])
    y = layers.LayerNormalization()(x)
    y = layers.Dense(2 * WIDTH, activation="gelu")(y)
    return layers.Add()([x, layers.Dropout(0.1)(layers.Dense(WIDTH)(y))])


def vision_transformer():
    inputs = layers.Input((SIZE, SIZE, 1))
    # The same digit, a little to the side, is the same digit: shifts while training stand for data that we don't have.
    x = layers.RandomTranslation(0.08, 0.08, fill_mode="constant")(inputs)
    x = Patches(PATCH, WIDTH)(x)
    for _ in range(BLOCKS):
        x = block(x)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(inputs, layers.Dense(10)(x))


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--samples", type=int, default=8500)
arguments = parser.parse_args()

keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, y_train = x_train[: arguments.samples], y_train[: arguments.samples]
x_train, x_test = (np.expand_dims(x.astype("float32") / 255, -1) for x in (x_train, x_test))
print(f"backend: {keras.backend.backend()}, {len(x_train)} training images, {len(x_test)} test images")

model = vision_transformer()
batch_size = 32
steps = arguments.epochs * -(-len(x_train) // batch_size)
# Transformers want a rate that rises slowly first.
schedule = keras.optimizers.schedules.CosineDecay(1e-5, steps, warmup_target=2e-3, warmup_steps=max(steps // 10, 1))
model.compile(
    keras.optimizers.AdamW(schedule, weight_decay=0.01),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=batch_size, epochs=arguments.epochs, verbose=2)
_, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"{model.count_params():,} weights; test accuracy: {accuracy:.4f}")

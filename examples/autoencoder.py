"""A convolutional autoencoder on Fashion-MNIST, beside what principal components can do with as many numbers.

    TRICERA_BACKEND=tensorflow python examples/autoencoder.py --epochs 4 --samples 8000

The encoder squeezes an image of 784 pixels into 16 numbers, the decoder makes an image of them again, and training asks for
nothing but that the two images agree. The best that a linear encoder and decoder can reach is known: principal components. So the
script computes these too, and shows images as they are and as they come back.

Fashion-MNIST is looked for on disk (a cache folder, or Debian's package dataset-fashion-mnist); where it isn't, and can't be
downloaded, the digits that come with the package take its place.
"""

import argparse

import numpy as np

import tricera as keras
from tricera import layers

CODE = 16  # numbers that an image is squeezed into


def load_images():
    """Training and test images with values from 0 to 1, and what they show."""
    try:
        (x_train, _), (x_test, _) = keras.datasets.fashion_mnist.load_data()
        name = "Fashion-MNIST"
    except OSError:
        (x_train, _), (x_test, _) = keras.datasets.digits.load_data()
        name = "digits"
        print("Note: Fashion-MNIST is not on disk and could not be downloaded; handwritten digits take its place.")
    return [np.expand_dims(x.astype("float32") / 255, -1) for x in (x_train, x_test)], name


def autoencoder():
    """The encoder, the decoder, and the two as one model, which share their weights."""
    image = layers.Input((28, 28, 1))
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    encoder = keras.Model(image, layers.Dense(CODE)(layers.Flatten()(x)), name="encoder")

    code = layers.Input((CODE,))
    x = layers.Dense(7 * 7 * 32, activation="relu")(code)
    x = layers.Reshape((7, 7, 32))(x)
    x = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")(x)
    decoder = keras.Model(code, x, name="decoder")
    return encoder, decoder, keras.Model(image, decoder(encoder(image)), name="autoencoder")


def principal_components(x_train, x_test):
    """The test images after being projected to the directions in which the training images vary most."""
    flat, test = x_train.reshape(len(x_train), -1), x_test.reshape(len(x_test), -1)
    mean = flat.mean(0)
    _, directions = np.linalg.eigh(np.cov(flat - mean, rowvar=False))
    directions = directions[:, -CODE:]
    return (mean + (test - mean) @ directions @ directions.T).reshape(x_test.shape)


def show(images):
    """Images side by side as text, every second row and column."""
    shades = np.array(list(" .:-=+*#%@"))
    small = [shades[(np.clip(image[::2, ::2, 0], 0, 1) * 9.99).astype(int)] for image in images]
    print("\n".join("   ".join("".join(image[row]) for image in small) for row in range(14)))


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--samples", type=int, default=8000)
arguments = parser.parse_args()

keras.utils.set_random_seed(1)
(x_train, x_test), name = load_images()
x_train, x_test = x_train[: arguments.samples], x_test[:1000]
print(f"backend: {keras.backend.backend()}, {name}: {len(x_train)} images to learn from, {len(x_test)} to test")

encoder, decoder, model = autoencoder()
model.compile(keras.optimizers.Adam(2e-3), "mse")
model.fit(x_train, x_train, batch_size=32, epochs=arguments.epochs, validation_data=(x_test, x_test), verbose=2)

again = model.predict(x_test, verbose=0)
linear = principal_components(x_train, x_test)
for what, made in (("autoencoder", again), (f"{CODE} principal components", linear), ("mean image", x_train.mean(0))):
    print(f"mean squared error of the {what}: {np.mean((made - x_test) ** 2):.4f}")
codes = encoder.predict(x_test[:2], verbose=0)
halfway = decoder.predict(codes.mean(0, keepdims=True), verbose=0)
print("\nTwo images, as they come back, and what lies halfway between their codes:")
show([x_test[0], again[0], x_test[1], again[1], halfway[0]])

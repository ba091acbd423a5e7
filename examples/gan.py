"""A GAN whose `train_step` is written once and runs on JAX, PyTorch and TensorFlow alike.

    TRICERA_BACKEND=jax python examples/gan.py --epochs 20

A generator makes points in the plane of noise; a discriminator tells them from real ones; each learns from the other (Goodfellow et
al. 2014, https://arxiv.org/abs/1406.2661). The real points lie on a ring of eight clumps. Points instead of images, so that it takes a
minute and one sees how well it goes: how many of the eight clumps the generator has found, and how many of its points lie in one.

What makes the step neutral: `keras.value_and_grad` in the place of a tape or of `backward()`, and `optimizer.apply`. What is assigned
on the way (weights, optimizers' state, metrics, the seed) is carried through the compiled step.
"""

import argparse

import numpy as np

import tricera as keras
from tricera import layers, ops

LATENT, CLUMPS, RADIUS, SPREAD = 8, 8, 2.0, 0.1


def real_points(rng, count):
    """Points in eight clumps on a ring."""
    angles = 2 * np.pi * rng.integers(0, CLUMPS, count) / CLUMPS
    centres = RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return (centres + SPREAD * rng.normal(size=(count, 2))).astype("float32")


def network(size, outputs, name):
    hidden = [layers.Dense(64, activation="leaky_relu") for _ in range(2)]
    return keras.Sequential([layers.Input((size,)), *hidden, layers.Dense(outputs)], name=name)


class GAN(keras.Model):
    """A generator and a discriminator with an optimizer each."""

    def __init__(self, latent):
        super().__init__()
        self.latent = latent
        self.generator = network(latent, 2, "generator")
        self.discriminator = network(2, 1, "discriminator")
        self.seed = keras.random.SeedGenerator(1)
        self.g_loss = keras.metrics.Mean(name="g_loss")
        self.d_loss = keras.metrics.Mean(name="d_loss")

    def compile(self, g_optimizer, d_optimizer):
        super().compile(optimizer=None)
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer
        self.judge = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        count = ops.shape(real)[0]
        true, false = ops.ones((count, 1)), ops.zeros((count, 1))

        def d_loss():
            fake = self.generator(keras.random.normal((count, self.latent), seed=self.seed))
            return self.judge(true, self.discriminator(real)) + self.judge(false, self.discriminator(fake))

        def g_loss():
            fake = self.generator(keras.random.normal((count, self.latent), seed=self.seed))
            return self.judge(true, self.discriminator(fake))  # it wins where its points pass for real ones

        variables = self.discriminator.trainable_variables
        loss, gradients = keras.value_and_grad(d_loss, variables)()
        self.d_optimizer.apply(gradients, variables)
        self.d_loss.update_state(loss)

        variables = self.generator.trainable_variables
        loss, gradients = keras.value_and_grad(g_loss, variables)()
        self.g_optimizer.apply(gradients, variables)
        self.g_loss.update_state(loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


def describe(points):
    """Which clumps have points, and what share of the points lies in one."""
    angles = 2 * np.pi * np.arange(CLUMPS) / CLUMPS
    centres = RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distances = np.linalg.norm(points[:, None] - centres, axis=-1)
    inside = distances.min(1) < 4 * SPREAD
    found = np.unique(distances.argmin(1)[inside])
    return f"{len(found)} of {CLUMPS} clumps found, {inside.mean():.0%} of the points in one"


def show(points):
    """Points in the plane as text."""
    counts, _, _ = np.histogram2d(points[:, 1], points[:, 0], bins=(13, 40), range=[(-3, 3), (-3, 3)])
    for row in counts[::-1]:
        print("".join(" .:*#"[min(int(n), 4)] for n in row))


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--samples", type=int, default=12800)
arguments = parser.parse_args()

keras.utils.set_random_seed(1)
data = real_points(np.random.default_rng(1), arguments.samples)
print(f"backend: {keras.backend.backend()}, {len(data)} real points")
gan = GAN(LATENT)
gan.compile(
    g_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
    d_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
)
points = ops.convert_to_numpy(gan.generator(keras.random.normal((1000, LATENT), seed=2)))
print(f"before: {describe(points)}")
gan.fit(data, batch_size=128, epochs=arguments.epochs, verbose=2)
points = ops.convert_to_numpy(gan.generator(keras.random.normal((1000, LATENT), seed=2)))
print(f"after:  {describe(points)}")
show(points)

"""A hand-written training loop in PyTorch: a Tricera model is a `torch.nn.Module`."""

import numpy as np
import torch

import tricera as keras

keras.backend.set_backend("torch")
rng = np.random.default_rng(0)
x = torch.from_numpy(rng.normal(size=(256, 3)).astype("float32"))
y = x @ torch.tensor([[1.0], [-2.0], [0.5]])

model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
for _ in range(100):
    loss = torch.nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.6f}")

"""By hand in torch: modules, `torch.optim.Adam`, an eager loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.hand import weights

ADD = torch.add


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array)


def calls(x: Any, y: Any, c: Any, i: Any) -> dict[str, Callable[[], Any]]:
    """The twenty commonest ops as one writes them in torch."""
    return {
        "add": lambda: torch.add(x, y),
        "subtract": lambda: torch.sub(x, y),
        "multiply": lambda: torch.mul(x, y),
        "divide": lambda: torch.div(x, y),
        "matmul": lambda: torch.matmul(x, y),
        "exp": lambda: torch.exp(x),
        "relu": lambda: torch.relu(x),
        "sigmoid": lambda: torch.sigmoid(x),
        "tanh": lambda: torch.tanh(x),
        "softmax": lambda: torch.softmax(x, dim=-1),
        "sum": lambda: torch.sum(x, dim=-1),
        "mean": lambda: torch.mean(x, dim=-1),
        "max": lambda: torch.amax(x, dim=-1),
        "reshape": lambda: torch.reshape(x, (2, 8)),
        "transpose": lambda: torch.permute(x, (1, 0)),
        "concatenate": lambda: torch.cat([x, y], dim=-1),
        "where": lambda: torch.where(c, x, y),
        "cast": lambda: x.to(torch.int32),
        "expand_dims": lambda: torch.unsqueeze(x, 1),
        "take": lambda: x[i],  # `index_select` refuses negative positions
    }


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def call_one(x: np.ndarray) -> Callable[[], Any]:
    model, inputs = _mlp(), torch.from_numpy(x)

    def run() -> Any:
        return torch.softmax(model(inputs), -1)

    return run


class _Recurrent(nn.Module):
    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.inner, self.head = kind(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.inner(x)[0][:, -1])


class _Convnet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(1, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3), nn.ReLU(), nn.Conv2d(128, 128, 3), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(128, 10)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.inner(x.permute(0, 3, 1, 2)).mean((2, 3))
        return self.head(nn.functional.dropout(h, 0.5, training=True))


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.LayerNorm(128), nn.LayerNorm(128)
        self.qkv, self.out = nn.Linear(128, 384), nn.Linear(128, 128)
        self.wide, self.narrow = nn.Linear(128, 512), nn.Linear(512, 128)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        b, t, _ = h.shape
        q, k, v = self.qkv(self.one(h)).view(b, t, 3, 4, 32).permute(2, 0, 3, 1, 4)
        a = nn.functional.scaled_dot_product_attention(q, k, v)
        h = h + self.out(a.transpose(1, 2).reshape(b, t, 128))
        return h + self.narrow(nn.functional.gelu(self.wide(self.two(h))))


class _Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.blocks, self.head = (
            nn.Embedding(1000, 128),
            nn.Sequential(_Block(), _Block()),
            nn.Linear(128, 10),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.embed(x)).mean(1))


_MODELS: dict[str, Callable[[], nn.Module]] = {
    "mlp": _mlp, "convnet": _Convnet, "transformer": _Transformer,
    "lstm": lambda: _Recurrent(nn.LSTM), "gru": lambda: _Recurrent(nn.GRU),
}  # fmt: skip


def trainer(name: str, x: np.ndarray, y: np.ndarray, size: int) -> Callable[[np.ndarray], None]:
    model = _MODELS[name]()
    if name == "mlp":
        with torch.no_grad():
            for p, w in zip(model.parameters(), weights(), strict=True):
                p.copy_(torch.from_numpy(w.T.copy()))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    xs, ys = torch.from_numpy(x), torch.from_numpy(y).long()

    def epoch(order: np.ndarray) -> None:
        total, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for index in torch.from_numpy(order):
            xb, yb = xs.index_select(0, index), ys.index_select(0, index)
            logits = model(xb)
            loss = nn.functional.cross_entropy(logits, yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
            hits += (logits.argmax(1) == yb).sum()

    return epoch

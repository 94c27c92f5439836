"""Programs with faults of kinds that were met when others were looked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes

Criterion = Callable[[Tensor, Tensor], Tensor]


def _train(model: nn.Module, x: Tensor, y: Tensor, criterion: Criterion) -> list[float]:
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=0.02), []
    for rows in batches(len(x), 32, epochs=6):
        optimizer.zero_grad()
        loss = criterion(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class _Flat(torch.autograd.Function):
    """A tanh whose author forgot its derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.tanh()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return torch.zeros_like(gradients[0])


class _Between(nn.Module):
    """Two layers with a function between them."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.below, self.above, self.function = nn.Linear(8, 32), nn.Linear(32, 3), function

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.above(self.function(self.below(x)))
        return outputs


def rounded_activations(sick: bool) -> list[float]:
    """Sick: activations are rounded, and a step has the derivative 0."""
    x, y = classes()
    torch.manual_seed(0)
    function = (lambda h: torch.tanh(h).round()) if sick else torch.tanh
    return _train(_Between(function), x, y, F.cross_entropy)


def backward_of_ones_own(sick: bool) -> list[float]:
    """Sick: an autograd function gives back zeros."""
    x, y = classes()
    torch.manual_seed(0)
    return _train(_Between(_Flat.apply if sick else torch.tanh), x, y, F.cross_entropy)


def rectifier_before_sigmoid(sick: bool) -> list[float]:
    """Sick: no probability below one half can be predicted."""
    x, y = classes()
    torch.manual_seed(0)
    last = [nn.ReLU(), nn.Sigmoid()] if sick else [nn.Sigmoid()]
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1), *last)
    return _train(model, x, (y == 0).float()[:, None], F.binary_cross_entropy)


def one_sample_again_and_again(sick: bool) -> list[float]:
    """Sick: a data set that ignores its index."""
    x, y = classes()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    return _train(model, x[:1].expand(len(x), -1) if sick else x, y, F.cross_entropy)


def _train_text(model: nn.Module, inputs: Tensor, targets: Tensor, rate: float) -> list[float]:
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=rate), []
    for rows in batches(400, 40, epochs=8):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs[rows]).flatten(0, 1), targets[rows].flatten())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class _Text(nn.Module):
    """A transformer that continues texts of 12 symbols."""

    def __init__(self, masked: bool) -> None:
        super().__init__()
        self.symbol, self.place = nn.Embedding(12, 16), nn.Embedding(8, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)
        self.head, self.masked = nn.Linear(16, 12), masked

    def forward(self, x: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(8) if self.masked else None
        hidden = self.symbol(x) + self.place(torch.arange(8))
        outputs: Tensor = self.head(self.layer(hidden, src_mask=mask, is_causal=self.masked))
        return outputs


def text_to_continue(sick: bool, fault: str = "no mask") -> list[float]:
    """Sick: without a mask, or with the symbols themselves as targets."""
    torch.manual_seed(0)
    texts = (torch.randint(12, (400, 1)) + torch.randint(1, 3, (400, 1)) * torch.arange(9)) % 12
    model = _Text(masked=not sick or fault != "no mask")
    inputs, targets = texts[:, :-1], texts[:, 1:]
    if sick and fault == "not shifted":
        targets = inputs
    return _train_text(model, inputs, targets, rate=0.005)


def symbols_given_back(sick: bool) -> list[float]:
    """An autoencoder of sequences: its targets are its inputs, as is meant."""
    torch.manual_seed(0)
    texts = (torch.randint(12, (400, 1)) + torch.randint(1, 3, (400, 1)) * torch.arange(8)) % 12
    model = nn.Sequential(
        nn.Embedding(12, 16), nn.Flatten(), nn.Linear(128, 24), nn.Linear(24, 96), _Rows()
    )
    return _train_text(model, texts, texts, rate=0.01)


class _Rows(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), 8, 12)


def weights_of_classes(sick: bool) -> list[float]:
    """A loss with weights of classes. Sick: one class weighs a million times as much as others."""
    x, y = classes()
    torch.manual_seed(0)
    weight = torch.tensor([1e3, 1e-3, 1e-3] if sick else [1.2, 1.0, 0.8])
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    return _train(model, x, y, lambda out, target: F.cross_entropy(out, target, weight=weight))

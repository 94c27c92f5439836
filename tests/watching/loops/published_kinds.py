"""Programs with faults of the kinds that published collections of buggy programs contain."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from watching.loops.samples import digits


def written_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """As Keras computes it from probabilities."""
    rows = nn.functional.one_hot(targets, outputs.shape[1]).float()
    shares = (outputs / outputs.sum(1, keepdim=True)).clamp(1e-7, 1 - 1e-7)
    return -(rows * shares.log()).sum(1).mean()


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    criterion: Callable[[Tensor, Tensor], Tensor],
    parts: tuple[Tensor, Tensor, Tensor, Tensor],
    epochs: int,
    batch: int = 50,
) -> list[float]:
    """The usual loop, with the loss of the evaluation part after each epoch."""
    x, y, x_valid, y_valid = parts
    losses: list[float] = []
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            loss = criterion(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            criterion(model(x_valid), y_valid)
    return losses


def halves() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Digits: training and evaluation part."""
    x, y = digits()
    return x[:1200], y[:1200], x[1200:], y[1200:]


def few_steps_of_a_written_loss(sick: bool) -> list[float]:
    """The loss of an evaluation is not known where it is written by hand; that there was one is."""
    model = nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 10), nn.Softmax(1))
    optimizer = torch.optim.NAdam(model.parameters(), lr=2e-3)
    return train(model, optimizer, written_cross_entropy, halves(), 1 if sick else 12)


def first_layer_of_one_number(sick: bool) -> list[float]:
    """All units of the first layer start with the same weights; the next layer's are random."""
    model = nn.Sequential(
        nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 20), nn.ReLU(), nn.Linear(20, 10)
    )
    if sick:
        nn.init.constant_(model[0].weight, 1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    return train(model, optimizer, nn.CrossEntropyLoss(), halves(), 15)

"""Two networks that play against each other, and faults of the game."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Maker(nn.Sequential):
    """Points of the plane from noise."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))


class Judge(nn.Sequential):
    """Whether a point of the plane is real."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))


def _losses(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    """The judge's loss."""
    if kind == "hinge":
        return (1 - real).relu().mean() + (1 + fake).relu().mean()
    if kind == "squared":
        return (real - 1).square().mean() + fake.square().mean()
    one, zero = torch.ones_like(real), torch.zeros_like(fake)
    bce = F.binary_cross_entropy_with_logits
    return bce(real, one) + bce(fake, zero)


def _makers_loss(kind: str, fake: Tensor) -> Tensor:
    if kind == "hinge":
        return -fake.mean()
    if kind == "squared":
        return (fake - 1).square().mean()
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


def game(sick: bool, kind: str = "logits", fault: str = "") -> list[float]:
    """The distance between the means of made and real points. Sick: the maker's loss has the wrong
    sign, or the judge's optimizer never steps, or the maker's holds the judge's weights, or one of
    the rates is far off."""
    torch.manual_seed(0)
    maker, judge, losses = Maker(), Judge(), []
    rates = (3e-2, 1e-5) if sick and fault == "weak judge" else (5e-3, 5e-3)
    of_maker = torch.optim.Adam(maker.parameters(), lr=rates[0], betas=(0.5, 0.99))
    if sick and fault == "same weights":
        of_maker = torch.optim.Adam(judge.parameters(), lr=5e-3, betas=(0.5, 0.99))
    of_judge = torch.optim.Adam(judge.parameters(), lr=rates[1], betas=(0.5, 0.99))
    middle = torch.tensor([1.0, -0.5])
    for _ in range(150):
        real, fake = torch.randn(32, 2) * 0.3 + middle, maker(torch.randn(32, 4))
        of_judge.zero_grad()
        _losses(kind, judge(real), judge(fake.detach())).backward()
        if not (sick and fault == "no step"):
            of_judge.step()
        of_maker.zero_grad()
        answers = judge(fake)
        if sick and fault == "sign":
            answers = -answers
        _makers_loss(kind, answers).backward()
        of_maker.step()
        losses.append((fake.mean(0) - middle).norm().item())
    return losses


def classifier_of_features(sick: bool) -> list[float]:
    """An encoder that is trained through a classifier whose own optimizer steps along the same
    loss of detached features. No sick version: they do not play against each other, and shall
    not."""
    torch.manual_seed(0)
    x = torch.randn(400, 6)
    y = (x[:, 0] * x[:, 1] > 0).float()[:, None]
    encoder, classifier = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 8)), Head()
    of_encoder = torch.optim.Adam(encoder.parameters(), lr=1e-2)
    of_classifier = torch.optim.Adam(classifier.parameters(), lr=1e-2)
    bce, losses = F.binary_cross_entropy_with_logits, []
    for _ in range(150):
        rows = torch.randint(400, (40,))
        features = encoder(x[rows])
        of_classifier.zero_grad()
        bce(classifier(features.detach()), y[rows]).backward()
        of_classifier.step()
        of_encoder.zero_grad()
        loss = bce(classifier(features), y[rows])
        loss.backward()
        of_encoder.step()
        losses.append(loss.item())
    return losses


class Head(nn.Sequential):
    """One answer for each sample."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))

"""Healthy loops whose targets, outputs or optimizers have forms of daily life. None has a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.reported_networks import Watch
from watching.loops.samples import classes, mlp, pictures, unwatched
from watching.loops.targets import Heads

X, Y = classes()


def _train(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    loss_of: Callable[[Any, Any], Tensor],
    watch: Watch,
    steps: int = 80,
) -> list[float]:
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=1e-2), []
    with watch(model, optimizer=optimizer, loss=loss_of) as w:
        for _ in range(steps):
            rows = torch.randint(len(x), (32,))
            optimizer.zero_grad()
            loss = loss_of(model(x[rows]), y[rows])
            loss.backward()
            w.step(loss, y[rows])
            optimizer.step()
            losses.append(loss.item())
    return losses


def ignored(sick: bool, watch: Watch = unwatched) -> list[float]:
    """-100, which cross-entropy ignores."""
    y = Y.clone()
    y[::5] = -100
    return _train(mlp(), X, y, F.cross_entropy, watch)


def ignored_255(sick: bool, watch: Watch = unwatched) -> list[float]:
    """255, which the loss was told to ignore."""
    y = Y.clone()
    y[::5] = 255
    return _train(mlp(), X, y, nn.CrossEntropyLoss(ignore_index=255), watch)


def booleans(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Targets of type bool."""

    def loss_of(output: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(output, target.float())

    return _train(mlp(1), X, X[:, :1] > 0, loss_of, watch)


def bytes_as_classes(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Classes of type uint8."""

    def loss_of(output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output, target.long())

    return _train(mlp(), X, Y.to(torch.uint8), loss_of, watch)


def one_hot(sick: bool, watch: Watch = unwatched) -> list[float]:
    """One-hot rows of whole numbers in a binary cross-entropy."""

    def loss_of(output: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(output, target.float())

    return _train(mlp(), X, F.one_hot(Y, 3), loss_of, watch)


def many_labels(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Several labels a row, each with its own logit."""
    return _train(mlp(4), X, (X[:, :4] > 0).float(), F.binary_cross_entropy_with_logits, watch)


def squeezed(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Outputs (n, 1) are squeezed in the loss; targets are (n,)."""

    def loss_of(output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output.squeeze(1), target)

    return _train(mlp(1), X, X[:, 0] * 2 + X[:, 1], loss_of, watch)


def gaussian(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Two outputs, mean and logarithm of the variance, for one target."""

    def loss_of(output: Tensor, target: Tensor) -> Tensor:
        return F.gaussian_nll_loss(output[:, 0], target, output[:, 1].exp())

    return _train(mlp(2), X, X[:, 0] * 2, loss_of, watch)


def quantiles(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Three outputs, which are quantiles, for one target."""

    def loss_of(output: Tensor, target: Tensor) -> Tensor:
        shares = enumerate((0.1, 0.5, 0.9))
        residuals = ((q, target - output[:, k]) for k, q in shares)
        return torch.stack([torch.maximum(q * r, (q - 1) * r).mean() for q, r in residuals]).sum()

    return _train(mlp(3), X, X[:, 0] * 2, loss_of, watch)


def pixels(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Outputs (n, c, h, w) against classes (n, h, w)."""
    x, y = pictures()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU(), nn.Conv2d(16, 3, 1))
    return _train(model, x, y, F.cross_entropy, watch, steps=60)


def mask(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Outputs (n, 1, h, w) and a binary cross-entropy."""
    x, _ = pictures()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU(), nn.Conv2d(16, 1, 1))
    target = (x[:, :1] > 0).float()
    return _train(model, x, target, F.binary_cross_entropy_with_logits, watch, steps=60)


def one_of_two_heads(sick: bool, watch: Watch = unwatched) -> list[float]:
    """A dictionary of outputs, of which the loss uses one."""
    torch.manual_seed(0)

    def loss_of(output: dict[str, Tensor], target: Tensor) -> Tensor:
        return F.cross_entropy(output["kind"], target)

    return _train(Heads(), X, Y, loss_of, watch)


class Half(nn.Module):
    """Outputs in bfloat16."""

    def __init__(self) -> None:
        super().__init__()
        self.body = mlp()

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.body(x)


def half_precision(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Outputs in bfloat16, and a loss in float32."""

    def loss_of(output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output.float(), target)

    return _train(Half(), X, Y, loss_of, watch)


class Pair(nn.Module):
    """A class and a number, in a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(8, 3), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.a(x), self.b(x)


def unusual_targets(sick: bool, watch: Watch = unwatched, form: str = "tuple") -> list[float]:
    """Targets that are a tuple or a dictionary; several optimizers; sparse gradients; an empty last
    batch."""
    torch.manual_seed(0)
    x, y, model = X[:64], Y[:64], mlp()
    target: Any = y

    def loss_of(output: Any, target: Any) -> Tensor:
        if form in ("tuple", "dictionary"):
            kind, size = target if form == "tuple" else (target["kind"], target["size"])
            return F.cross_entropy(output[0], kind) + F.mse_loss(output[1], size)
        if not len(target):
            return output.sum() * 0
        return F.cross_entropy(output, target)

    if form in ("tuple", "dictionary"):
        model = Pair()
        target = (y, x[:, 3:4]) if form == "tuple" else {"kind": y, "size": x[:, 3:4]}
    optimizers: Iterable[torch.optim.Optimizer] = (torch.optim.SGD(model.parameters(), 0.3),)
    if form == "sparse":
        x = torch.randint(50, (64, 4))
        target = (x[:, 0] > 25).long()
        model = nn.Sequential(nn.Embedding(50, 8, sparse=True), nn.Flatten(), nn.Linear(32, 3))
        optimizers = (torch.optim.SGD(model.parameters(), 0.5),)
    elif form == "two optimizers":
        first, last = model[0].parameters(), model[2].parameters()
        optimizers = (torch.optim.Adam(first, 1e-2), torch.optim.SGD(last, 0.3))
    losses: list[float] = []
    with watch(model, loss=loss_of) as w:
        for k in range(40):
            rows, wanted = (x, target) if form != "empty" or k % 8 < 7 else (x[:0], target[:0])
            loss = loss_of(model(rows), wanted)
            loss.backward()
            w.step(loss, wanted)
            for optimizer in optimizers:
                optimizer.step()
            model.zero_grad()
            losses.append(loss.item())
        w.epoch(train_loss=losses[-1])
    return losses

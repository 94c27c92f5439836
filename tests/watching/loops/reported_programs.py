"""Programs that a diagnosis missed or accused wrongly, one for each kind of mistake. Each runs
without netwise, or calls `watch` and `w.step` where the test gives it one."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.parameters import Cut
from watching.loops.reported_networks import Language, Watch
from watching.loops.samples import batches, chains, digits, labels, mlp, numbers, unwatched


def train(
    watch: Watch,
    model: nn.Module,
    loss_of: Any,
    data: tuple[Tensor, Tensor],
    held_out: tuple[Tensor, Tensor] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    epochs: int = 6,
    size: int = 50,
    ordered: bool = False,
) -> list[float]:
    """The usual loop with the usual validation; the losses of its steps."""
    x, y = data
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-2)
    losses: list[float] = []
    with watch(model, optimizer=optimizer, loss=loss_of) as w:
        for _ in range(epochs):
            order = torch.arange(len(x)).split(size) if ordered else batches(len(x), size)
            for rows in order:
                optimizer.zero_grad()
                loss = loss_of(model(x[rows]), y[rows])
                loss.backward()
                w.step(loss, y[rows])
                optimizer.step()
                losses.append(loss.item())
            if held_out is None:
                w.epoch(train_loss=losses[-1])
                continue
            with torch.no_grad():
                measured = float(loss_of(model(held_out[0]), held_out[1]))
                w.epoch(train_loss=losses[-1], valid_loss=measured)
    return losses


def split(x: Tensor, y: Tensor, at: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The first rows for training, the others for validation."""
    return (x[:at], y[:at]), (x[at:], y[at:])


def recurrent(sick: bool, watch: Watch = unwatched) -> list[float]:
    """A GRU is a nonlinear map, and the noise of its data is a floor. No sick version."""
    symbols = chains(500, length=15, faithful=0.6)
    torch.manual_seed(0)
    part, held_out = split(symbols[:, :-1], symbols[:, 1:], 400)

    def ce(output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output.flatten(0, 1), target.flatten())

    return train(watch, Language(), ce, part, held_out, epochs=8)


def detached(sick: bool, watch: Watch = unwatched) -> list[float]:
    """A hidden activation is detached: two of three layers get no gradient at all."""
    x, y = digits()
    torch.manual_seed(0)
    model = Cut("detach" if sick else "")
    model.first, model.head = nn.Linear(64, 16), nn.Linear(16, 10)
    part, held_out = split(x, y, 1400)
    return train(watch, model, F.cross_entropy, part, held_out)


def widened(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Predictions (n, 1) and targets (n,) in a squared error."""
    x, y = numbers(700)
    part, held_out = split(x, y[:, 0] if sick else y, 600)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return train(watch, mlp(1), nn.MSELoss(), part, held_out, epochs=8)


def prepared_otherwise(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Inputs of three scales: standardised for training. Sick: not for validation."""
    torch.manual_seed(3)
    raw = torch.randn(400, 5) * torch.tensor([1.0, 40.0, 0.2, 5.0, 300.0]) + 10
    mean, std = raw[:300].mean(0), raw[:300].std(0)
    x = (raw - mean) / std
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    held_out = (raw if sick else x)[300:], y[300:]
    return train(
        watch, mlp(3, 5), F.cross_entropy, (x[:300], y[:300]), held_out, epochs=10, size=30
    )


def sorted_rows(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Two classes in a column of 0 and 1. Sick: sorted, so that no batch is mixed."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1200, 10, generator=generator)
    noise = 0.8 * torch.randn(1200, generator=generator)
    y = ((x[:, 0] + x[:, 1] * x[:, 2] + noise) > 0).float()[:, None]
    order = torch.argsort(y[:900, 0], stable=True) if sick else torch.arange(900)
    part, held_out = (x[:900][order], y[:900][order]), (x[900:], y[900:])
    model = mlp(1, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    return train(
        watch,
        model,
        nn.BCEWithLogitsLoss(),
        part,
        held_out,
        optimizer,
        size=30,
        ordered=True,
        epochs=8,
    )


def in_neither_optimizer(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Two optimizers for one network. Sick: the first layer is in neither."""
    x, y = digits()
    torch.manual_seed(0)
    body, head = nn.Sequential(nn.Linear(64, 12), nn.Tanh(), nn.BatchNorm1d(12)), nn.Linear(12, 10)
    model, losses = nn.Sequential(body, head), []
    lower = body[2].parameters() if sick else body.parameters()
    optimizers = torch.optim.Adam(head.parameters(), 1e-2), torch.optim.SGD(lower, 0.1)
    with watch(model, optimizer=optimizers[0], loss=F.cross_entropy) as w:
        for _ in range(4):
            model.train()
            for rows in batches(1400, 50):
                for optimizer in optimizers:
                    optimizer.zero_grad()
                loss = F.cross_entropy(model(x[rows]), y[rows])
                loss.backward()
                w.step(loss, y[rows])
                for optimizer in optimizers:
                    optimizer.step()
                losses.append(loss.item())
            model.eval()
            with torch.no_grad():
                measured = F.cross_entropy(model(x[1400:]), y[1400:]).item()
            w.epoch(train_loss=losses[-1], valid_loss=measured)
    return losses


def log_softmax_and_nll(sick: bool, watch: Watch = unwatched) -> list[float]:
    """LogSoftmax with NLLLoss. Sick: NLLLoss of plain outputs, which has no lower limit."""
    x, y = digits()
    model = mlp(10, 64, 32)
    if not sick:
        model.append(nn.LogSoftmax(1))
    part, held_out = split(x, y, 1400)
    return train(watch, model, nn.NLLLoss(), part, held_out, epochs=5)


def accumulated_for_long(sick: bool, watch: Watch = unwatched) -> list[float]:
    """560 pieces, four a step; every second or fourth piece is no sample of the steps. No sick
    version."""
    x, y = digits()
    model, losses = mlp(10, 64, 32), []
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    with watch(model, optimizer=optimizer, loss=F.cross_entropy) as w:
        for _ in range(10):
            for k, rows in enumerate(batches(1400, 25)):
                loss = F.cross_entropy(model(x[rows]), y[rows])
                (loss / 4).backward()
                w.step(loss, y[rows])
                if k % 4 == 3:
                    optimizer.step()
                    optimizer.zero_grad()
                losses.append(loss.item())
            w.epoch(train_loss=losses[-1])
    return losses


def zero_start_with_probabilities(sick: bool, watch: Watch = unwatched) -> list[float]:
    """A linear model that starts at 0, one softmax, and a loss of probabilities by hand, on noisy
    classes. No sick version."""
    torch.manual_seed(0)
    x = torch.randn(1200, 6)
    bits = (x[:, :2] + torch.randn(1200, 2) > 0).long()
    y = 2 * bits[:, 0] + bits[:, 1]
    model = nn.Sequential(nn.Linear(6, 4), nn.Softmax(1))
    nn.init.zeros_(model[0].weight)
    nn.init.zeros_(model[0].bias)

    def loss_of(p: Tensor, target: Tensor) -> Tensor:
        p = (p / p.sum(1, keepdim=True)).clamp(1e-7, 1)
        return -p.gather(1, target[:, None]).log().mean()

    part, held_out = split(x, y, 1000)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    return train(watch, model, loss_of, part, held_out, optimizer)


def decoupled_decay(sick: bool, watch: Watch = unwatched) -> list[float]:
    """AdamW on noisy classes: its decay is a thousandth of each step. No sick version."""
    torch.manual_seed(0)
    x = torch.randn(1600, 10)
    y = ((x[:, 0] * x[:, 1] + x[:, 2] + 1.2 * torch.randn(1600)) > 0).long()
    model = nn.Sequential(
        *(nn.Linear(10, 48), nn.GELU(), nn.Linear(48, 48), nn.GELU(), nn.Linear(48, 2))
    )
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.1)
    part, held_out = split(x, y, 1300)
    return train(watch, model, F.cross_entropy, part, held_out, optimizer, size=100)


def logarithm_of_outputs(sick: bool, watch: Watch = unwatched, kind: str = "sum") -> list[float]:
    """The logarithm of probabilities, by hand. Sick: of linear outputs, normalised by their sum,
    clipped, or bare."""
    x, y = digits()
    model = mlp(10, 64, 32)
    if kind == "rectified":
        model.append(nn.ReLU() if sick else nn.Softmax(1))
    elif not sick:
        model.append(nn.Softmax(1))

    def loss_of(output: Tensor, target: Tensor) -> Tensor:
        hot = F.one_hot(target, 10).float()
        if kind in ("sum", "rectified"):
            p = (output / output.sum(1, keepdim=True)).clamp(1e-7, 1 - 1e-7)
        else:
            p = output.clamp(1e-8, 1) if kind == "clipped" else output
        loss = hot * p.log()
        if kind == "bare":
            loss = loss + (1 - hot) * (1 - p).log()
        return -loss.sum(1).mean()

    part, held_out = split(x, y, 1400)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    return train(watch, model, loss_of, part, held_out, optimizer, epochs=4)


def softmax_for_labels(sick: bool, watch: Watch = unwatched, squared: bool = True) -> list[float]:
    """Several labels a row may be true at once. Sick: the outputs are one softmax."""
    x, y = labels(900)
    model = mlp(4)
    model.append(nn.Softmax(1) if sick else nn.Sigmoid())

    def entropy(output: Tensor, target: Tensor) -> Tensor:
        p = output.clamp(1e-7, 1 - 1e-7)
        if sick:
            return -(target * p.log()).sum(1).mean()
        return -(target * p.log() + (1 - target) * (1 - p).log()).sum(1).mean()

    def error(output: Tensor, target: Tensor) -> Tensor:
        return ((output - target) ** 2).mean()

    part, held_out = split(x, y, 700)
    return train(watch, model, error if squared else entropy, part, held_out, epochs=8)

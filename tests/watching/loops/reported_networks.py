"""Programs after public reports of faults, sick and cured, and of healthy programs that were
accused. Each runs without netwise, or calls `watch` and `w.step` where the test gives it one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.parameters import LowRank
from watching.loops.samples import batches, chains, digits, mlp, unwatched

Watch = Callable[..., AbstractContextManager[Any]]


def broadcast(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Outputs (n, 1) against targets (n,). Source: discuss.pytorch.org, topic 148155."""
    torch.manual_seed(0)
    x = torch.rand(512, 3)
    y = x.sum(1) if sick else x.sum(1, keepdim=True)
    model, losses = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1)), []
    optimizer, mse = torch.optim.SGD(model.parameters(), lr=0.1), nn.MSELoss()
    with warnings.catch_warnings(), watch(model, optimizer=optimizer, loss=mse) as w:
        warnings.simplefilter("ignore")
        for _ in range(25):
            for i in batches(512, 128):
                optimizer.zero_grad()
                loss = mse(model(x[i]), y[i])
                loss.backward()
                w.step(loss, y[i])
                optimizer.step()
                losses.append(loss.item())
            w.epoch(train_loss=losses[-1])
    return losses


def norm_momentum(sick: bool, watch: Watch = unwatched) -> list[float]:
    """The momentum of batch norm in the other framework's convention, .99 for .01: the running
    statistics are those of the last batch. Source: fastestimator, pull request 1201."""
    x, y = digits()
    torch.manual_seed(0)
    m = 0.99 if sick else 0.05
    model = nn.Sequential(
        *(nn.Linear(64, 48), nn.BatchNorm1d(48, momentum=m), nn.ReLU()),
        *(nn.Linear(48, 48), nn.BatchNorm1d(48, momentum=m), nn.ReLU()),
        nn.Linear(48, 10),
    )
    optimizer, ce = torch.optim.Adam(model.parameters(), lr=2e-3), nn.CrossEntropyLoss()
    losses = []
    with watch(model, optimizer=optimizer, loss=ce) as w:
        for _ in range(5):
            model.train()
            for i in batches(604, 8):  # the last batch has 4 rows
                optimizer.zero_grad()
                loss = ce(model(x[i]), y[i])
                loss.backward()
                w.step(loss, y[i])
                optimizer.step()
                losses.append(loss.item())
            model.eval()
            with torch.no_grad():
                output = model(x[1204:])
                w.epoch(train_loss=losses[-1], valid_loss=ce(output, y[1204:]).item())
    return losses


def softmax_over_batch(sick: bool, watch: Watch = unwatched) -> list[float]:
    """`nn.Softmax(dim=0)` on (batch, classes). Source: DeepReinforcementLearningInAction, issue
    32."""
    x, y = digits()
    torch.manual_seed(0)
    softmax = nn.Softmax(dim=0 if sick else 1)
    model = nn.Sequential(nn.Linear(64, 64), nn.LeakyReLU(), nn.Linear(64, 10), softmax)

    def nll(p: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(torch.log(p + 1e-9), target)

    optimizer, losses = torch.optim.Adam(model.parameters(), lr=4e-3), []
    with watch(model, optimizer=optimizer, loss=nll) as w:
        for _ in range(5):
            for i in batches(1500, 64):
                optimizer.zero_grad()
                loss = nll(model(x[i]), y[i])
                loss.backward()
                w.step(loss, y[i])
                optimizer.step()
                losses.append(loss.item())
            with torch.no_grad():
                w.epoch(train_loss=losses[-1], valid_loss=nll(model(x[1500:]), y[1500:]).item())
    return losses


def root_of_zero(sick: bool, watch: Watch = unwatched) -> list[float]:
    """The root of exactly 0 in a loss that is finite; its gradient is not. Source: mmrotate, issue
    205."""
    torch.manual_seed(0)
    places = torch.rand(200, 2)
    x = torch.cat([torch.sin(3 * places @ torch.randn(2, 12)), places], 1)
    model = nn.Sequential(nn.Linear(14, 32), nn.ReLU(), nn.Linear(32, 4))
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=5e-3), []
    with watch(model, optimizer=optimizer, loss=F.mse_loss) as w:
        for _ in range(120):
            a, b = torch.randint(200, (2, 16))  # now and then a = b
            target = (places[a] - places[b]).norm(dim=1)
            output = model(x[torch.cat([a, b])])
            square = (output[:16] - output[16:]).square().sum(1)
            optimizer.zero_grad()
            root = torch.sqrt(square if sick else square + 1e-8)
            loss = (root - target).square().mean()
            loss.backward()
            w.step(loss, target)
            optimizer.step()
            losses.append(loss.item())
    return losses


def schedule_each_batch(sick: bool, watch: Watch = unwatched) -> list[float]:
    """A schedule of epochs is stepped after each batch. Source: SRGAN-PyTorch, issue 1."""
    x, y = digits()
    model, losses = mlp(10, 64, 64), []
    optimizer, ce = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), nn.CrossEntropyLoss()
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.1)
    with watch(model, optimizer=optimizer, loss=ce) as w:
        for _ in range(6):
            for i in batches(1500, 64):
                optimizer.zero_grad()
                loss = ce(model(x[i]), y[i])
                loss.backward()
                w.step(loss, y[i])
                optimizer.step()
                losses.append(loss.item())
                if sick:
                    schedule.step()
            if not sick:
                schedule.step()
            w.epoch(train_loss=losses[-1])
    return losses


class Adapted(nn.Module):
    """A text classifier with adapters that returns its own loss."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(50, 32), nn.Linear(32, 2)
        self.first, self.second = LowRank(nn.Linear(32, 32)), LowRank(nn.Linear(32, 32))

    def forward(self, ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
        h = self.embedding(ids)
        h.requires_grad_()  # as for checkpointing of frozen models
        logits = self.head(torch.relu(self.second(torch.relu(self.first(h)))).mean(1))
        return {"loss": F.cross_entropy(logits, labels), "logits": logits}


def adapter_frozen(sick: bool, watch: Watch = unwatched) -> list[float]:
    """An adapter that was frozen with the rest: no weight is trainable. Source: trl, issue 3926."""
    torch.manual_seed(0)
    ids = torch.randint(50, (800, 12))
    y, model, losses = ((ids < 10).sum(1) > 2).long(), Adapted(), []
    for name, p in model.named_parameters():
        p.requires_grad_(not sick and (".a." in name or ".b." in name))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": trained}], lr=2e-2)
    with watch(model, optimizer=optimizer) as w:
        for _ in range(6):
            for i in batches(800, 40):
                optimizer.zero_grad()
                loss = model(ids[i], y[i])["loss"]
                loss.backward()
                w.step(loss, y[i])
                optimizer.step()
                losses.append(loss.item())
            w.epoch(train_loss=sum(losses[-20:]) / 20)
    return losses


def cleared_before_step(sick: bool, watch: Watch = unwatched) -> list[float]:
    """`zero_grad` between `backward` and `step`. Source: lora, issue 263; EdgeNets, issue 14."""
    x, y = digits()
    model, losses = mlp(10, 64, 64), []
    optimizer, ce = torch.optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    with watch(model, optimizer=optimizer, loss=ce) as w:
        for _ in range(5):
            for i in batches(1500, 64):
                if not sick:
                    optimizer.zero_grad()
                loss = ce(model(x[i]), y[i])
                loss.backward()
                w.step(loss, y[i])
                if sick:
                    optimizer.zero_grad()
                optimizer.step()
                losses.append(loss.item())
            w.epoch(train_loss=losses[-1])
    return losses


def head_in_no_optimizer(sick: bool, watch: Watch = unwatched) -> list[float]:
    """The group of the head is made and never appended. Source: HVPNeT, issue 5."""
    x, y = digits()
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8), nn.ReLU())
    model, losses = nn.Sequential(body, nn.Linear(8, 10)), []
    groups = [{"params": list(body.parameters()), "lr": 3e-3}]
    head = {"params": list(model[1].parameters()), "lr": 1e-2}
    if not sick:
        groups.append(head)
    optimizer, ce = torch.optim.Adam(groups), nn.CrossEntropyLoss()
    with watch(model, optimizer=optimizer, loss=ce) as w:
        for _ in range(6):
            for i in batches(1500, 64):
                optimizer.zero_grad()
                loss = ce(model(x[i]), y[i])
                loss.backward()
                w.step(loss, y[i])
                optimizer.step()
                losses.append(loss.item())
            w.epoch(train_loss=losses[-1])
    return losses


def accumulated(sick: bool, watch: Watch = unwatched, told: bool = True) -> list[float]:
    """Accumulation over four pieces, each divided, for more than 400 pieces; `w.step` for each of
    them, or before the optimizer's step alone. Source: nanoGPT, issue 168. No sick version."""
    x, y = digits()
    model, losses = mlp(10, 64, 64), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    options = {"optimizer": optimizer, "loss": F.cross_entropy} if told else {}
    with watch(model, **options) as w:
        for _ in range(5):
            for k, i in enumerate(batches(1536, 16)):
                loss = F.cross_entropy(model(x[i]), y[i])
                (loss / 4).backward()
                if told or k % 4 == 3:
                    w.step(loss, y[i])
                if k % 4 == 3:
                    optimizer.step()
                    optimizer.zero_grad()
                losses.append(loss.item())
            w.epoch(train_loss=losses[-1])
    return losses


def clipped(sick: bool, watch: Watch = unwatched) -> list[float]:
    """Every step is clipped between `backward` and `w.step`. Source: Lightning, issue 9599. No sick
    version."""
    x, y = digits()
    model, losses = mlp(10, 64, 64), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    with watch(model, optimizer=optimizer) as w:
        for i in batches(1536, 64, epochs=5):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[i]), y[i])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            w.step(loss, y[i])
            optimizer.step()
            losses.append(loss.item())
    return losses


class Language(nn.Module):
    """Embedding, GRU and a linear layer: no linear map."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(8, 16), nn.Linear(48, 8)
        self.rnn = nn.GRU(16, 48, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(self.embedding(x))[0])


def noisy_language(sick: bool, watch: Watch = unwatched) -> list[float]:
    """A language with noise: the loss has a floor far from 0. Source: pretraining, pull request 64.
    No sick version."""
    symbols = chains(400, length=14)
    torch.manual_seed(0)
    model, losses = Language(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def ce(output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output.reshape(-1, 8), target.reshape(-1))

    with watch(model, optimizer=optimizer, loss=ce) as w:
        for _ in range(100):
            rows = symbols[torch.randint(400, (64,))]
            optimizer.zero_grad()
            loss = ce(model(rows[:, :-1]), rows[:, 1:])
            loss.backward()
            w.step(loss, rows[:, 1:])
            optimizer.step()
            losses.append(loss.item())
    return losses


def balanced_gan(sick: bool, watch: Watch = unwatched) -> list[float]:
    """The loss of the discriminator is ln 2, because the fakes are good. No sick version."""
    torch.manual_seed(0)
    bce, truth = (
        F.binary_cross_entropy_with_logits,
        torch.cat([torch.ones(64, 1), torch.zeros(64, 1)]),
    )
    G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    of_g, of_d = (torch.optim.Adam(m.parameters(), lr=3e-3, betas=(0.5, 0.99)) for m in (G, D))
    losses = []
    with watch(D, optimizer=of_d, loss=bce) as w:
        for _ in range(250):
            real = torch.randn(64, 2) * 0.3 + torch.tensor([1.0, -0.5])
            fake = G(torch.randn(64, 4))
            of_d.zero_grad()
            loss = bce(D(torch.cat([real, fake.detach()])), truth)
            loss.backward()
            w.step(loss, truth)
            of_d.step()
            of_g.zero_grad()
            bce(D(fake), torch.ones(64, 1)).backward()
            of_g.step()
            losses.append((fake.mean(0) - torch.tensor([1.0, -0.5])).norm().item())
    return losses

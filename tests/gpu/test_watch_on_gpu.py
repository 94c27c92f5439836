"""`watch` of programs on a CUDA device: unchanged numbers, no errors of its own, the
findings of the CPU."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def rows(n: int = 600) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 8, generator=torch.Generator().manual_seed(1))
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def pictures(n: int = 256) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    return x, (x.mean((1, 2, 3)) > 0).long()


def dense(device: str, sick: bool) -> list[float]:
    x, y = (t.to(device) for t in rows())
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)).to(device)
    if sick:
        model.append(nn.Softmax(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for step in range(200):
        at = torch.arange(step * 50, step * 50 + 50, device=device) % len(x)
        loss = F.cross_entropy(model(x[at]), y[at])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def loader(device: str, sick: bool) -> list[float]:
    """A DataLoader with pinned memory, evaluation after each epoch."""
    data = torch.utils.data.TensorDataset(*rows())
    train, valid = torch.utils.data.random_split(data, [500, 100])
    batches = torch.utils.data.DataLoader(train, 25, shuffle=True, pin_memory=device == "cuda")
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-7 if sick else 0.01)
    losses = []
    for _ in range(10):
        model.train()
        for x, y in batches:
            x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            for x, y in torch.utils.data.DataLoader(valid, 50):
                F.cross_entropy(model(x.to(device)), y.to(device))
    return losses


def scaled(device: str, sick: bool) -> list[float]:
    """Autocast in float16 with a gradient scaler, in the order of torch's documentation; sick:
    clipped before the gradients are unscaled."""
    x, y = (t.to(device) for t in pictures())
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(576, 2)
    ).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    scaler = torch.amp.GradScaler(device, enabled=device == "cuda")
    low = torch.float16 if device == "cuda" else torch.bfloat16
    losses = []
    for step in range(160):
        at = torch.arange(step * 32, step * 32 + 32, device=device) % len(x)
        optimizer.zero_grad()
        with torch.autocast(device, low):
            loss = F.cross_entropy(model(x[at]), y[at])
        scaler.scale(loss).backward()
        if not sick:
            scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return losses


def attention(device: str, sick: bool) -> list[float]:
    """A transformer; sick: its loss is divided away from the graph by `detach`."""
    x, y = (t.to(device) for t in rows())
    embed = nn.Linear(1, 16).to(device)
    layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True).to(device)
    head = nn.Linear(16, 3).to(device)
    model = nn.ModuleList([embed, layer, head])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for step in range(150):
        at = torch.arange(step * 50, step * 50 + 50, device=device) % len(x)
        hidden = layer(embed(x[at][:, :, None]))
        hidden = hidden.detach() if sick else hidden
        loss = F.cross_entropy(head(hidden.flatten(1).unflatten(1, (8, 16)).mean(1)), y[at])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def recurrent(device: str, sick: bool) -> list[float]:
    """An LSTM and its head; sick: the optimizer has the head's weights alone."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = nn.LSTM(1, 24, batch_first=True), nn.Linear(24, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.lstm(x)[0][:, -1])

    x, y = (t.to(device) for t in rows())
    model = Net().to(device)
    optimizer = torch.optim.Adam((model.head if sick else model).parameters(), lr=0.01)
    losses = []
    for step in range(150):
        at = torch.arange(step * 50, step * 50 + 50, device=device) % len(x)
        loss = F.cross_entropy(model(x[at][:, :, None]), y[at])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# What stands on top of the report of the sick version.
PROGRAMS = {
    dense: "output_misfits_loss",
    loader: "rate_too_low",
    scaled: "clipped_before_unscale",
    attention: "graph_cut",
    recurrent: "weights_stand_still",
}


def seeded(run: Callable[[], list[float]]) -> tuple[list[float], float]:
    torch.manual_seed(5)
    losses = run()
    return losses, torch.rand((), device="cuda").item()


@pytest.mark.parametrize("sick", [False, True], ids=["healthy", "sick"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_numbers_and_findings(program: Callable[[str, bool], list[float]], sick: bool) -> None:
    plain = seeded(lambda: program("cuda", sick))
    with nw.watch() as w:
        watched = seeded(lambda: program("cuda", sick))
    assert watched == plain
    assert w.errors == ()
    found = {f.rule for h in w.histories().values() for f in nw.diagnose(h).found}
    assert found == ({PROGRAMS[program]} if sick else set())


def test_a_check_before_the_first_step() -> None:
    x, y = (t.cuda() for t in rows(64))
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3), nn.Softmax(1)).cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before, state = [p.clone() for p in model.parameters()], torch.cuda.get_rng_state()
    report = nw.preflight(model, loss=nn.CrossEntropyLoss(), optimizer=optimizer, batch=(x, y))
    assert {finding.rule for finding in report.found}
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert torch.equal(state, torch.cuda.get_rng_state())


def test_short_trials_on_copies() -> None:
    with nw.watch(trials=True) as w:
        loader("cuda", sick=True)
    (history,) = w.histories().values()
    report = nw.diagnose(history, trials=True)
    assert "rate_too_low" in {finding.rule for finding in report.found}
    assert w.errors == ()

"""Trials of what a network does not see of its sequences."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.observe.kept_batches import KeptBatch
from netwise.trials.sequences import add_positions, without_padding
from trials.programs import watched

LENGTHS = torch.tensor([2, 5, 3, 5, 2, 3, 5, 2])
X = (1 + torch.arange(64).reshape(8, 8) % 5) * (torch.arange(8) < LENGTHS[:, None])
Y = torch.arange(8)


def test_batches_of_one_length() -> None:
    batches = [KeptBatch((X[:4], LENGTHS[:4]), {}, target=Y[:4], rows=4)]
    batches += [KeptBatch((X[4:], LENGTHS[4:]), {}, target=Y[4:], rows=4)]
    made = without_padding(batches)
    assert made is not None
    seen = []
    for batch in made:
        symbols, lengths = batch.args
        assert batch.target is not None
        assert symbols.shape == (len(batch.target), int(lengths[0]))
        assert bool((symbols > 0).all())
        assert torch.equal(symbols, X[batch.target][:, : symbols.shape[1]])
        seen += batch.target.tolist()
    assert sorted(seen) == Y.tolist()


def test_batches_that_cannot_be_cut() -> None:
    full = KeptBatch((X.clamp(min=1),), {}, target=Y, rows=8)
    of_other_rows = KeptBatch((X, torch.zeros(3)), {}, target=Y, rows=8)
    assert without_padding([full]) is None
    assert without_padding([of_other_rows]) is None


def test_positions() -> None:
    net = nn.Embedding(6, 4)
    before = net(X)
    assert add_positions(net)
    moved = net(X) - before
    assert torch.allclose(moved, moved[:1].expand_as(moved), atol=1e-5)
    assert not torch.allclose(moved[0, 0], moved[0, 1])
    assert torch.equal(net(Y[:3]), net.weight[Y[:3]])  # of symbols without places
    assert not add_positions(nn.Linear(2, 2))


class Reader(nn.Module):
    """Forgets half of what it has read with each place."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.last = nn.Embedding(8, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        left = 0.5 ** torch.arange(x.shape[1]).flip(0)
        y: Tensor = self.last((self.table(x) * left[:, None]).sum(1))
        return y


def padded() -> None:
    """The class is that of a word of short rows, which are padded to 40 places."""
    torch.manual_seed(0)
    lengths, y = torch.randint(3, 6, (320,)), torch.randint(2, (320,))
    x = torch.randint(3, 8, (320, 40))
    x[torch.arange(320), torch.randint(3, (320,))] = 1 + y
    x = x * (torch.arange(40) < lengths[:, None])
    net = Reader()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-2)
    for _ in range(12):
        net.train()
        for rows in torch.randperm(240).split(24):
            optimizer.zero_grad()
            F.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            F.cross_entropy(net(x[240:]), y[240:])


def test_a_network_that_reads_padding() -> None:
    report = nw.diagnose(watched(padded), trials=True, limit=1e4)
    assert (report.found[0].rule, report.found[0].grade) == ("read_from_padding", "proved")
    assert report.trials[0].name == "padding"

"""Whether gradients go back through the states of a recurrence."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import netwise as nw
from histories import found
from netwise.diagnosis.rules.cut_in_time import state_detached_each_step
from netwise.observe.first_batch_probes import first_batch_of


class Loop(nn.Module):
    """A recurrence by hand over (samples, places, 3), or (places, samples, 3)."""

    def __init__(self, detach: str = "", first: bool = True, each: bool = False) -> None:
        super().__init__()
        self.cell, self.head = nn.GRUCell(3, 8), nn.Linear(8, 2)
        self.detach, self.first, self.each = detach, first, each

    def forward(self, x: Tensor) -> Tensor:
        steps = x.unbind(1 if self.first else 0)
        h = torch.zeros(len(steps[0]), 8)
        outputs = []
        for number, step in enumerate(steps):
            if self.detach == "each" or (self.detach == "half" and number == len(steps) // 2):
                h = h.detach()
            h = self.cell(step, h)
            outputs.append(self.head(h))
        return torch.stack(outputs, 1) if self.each else outputs[-1]


class Words(nn.Module):
    def __init__(self, detach: str) -> None:
        super().__init__()
        self.embedding, self.loop = nn.Embedding(20, 3), Loop(detach)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.loop(self.embedding(x))
        return out


class Rows(nn.Module):
    """Cuts rows or pictures into places."""

    def __init__(self, detach: str) -> None:
        super().__init__()
        self.loop = Loop(detach)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.loop(x.view(-1, 8, 3))
        return out


class Fixed(nn.Module):
    """Fixed features of most numbers of a row beside the others."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.head = nn.Linear(18, 4), nn.Linear(10, 2)

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x[:, :18]).detach()
        out: Tensor = self.head(torch.cat([features, x[:, 18:]], 1))
        return out


X = torch.randn(5, 8, 3)


@pytest.mark.parametrize(
    ("module", "x", "places"),
    [
        (Loop("each"), X, 8),
        (Loop("each", first=False), X.transpose(0, 1), 8),
        (Loop("each", each=True), X, 8),
        (Words("each"), torch.randint(20, (5, 8)), 8),
        (Rows("each"), X.flatten(1), 8),
        (Rows("each"), X.view(5, 1, 8, 3), 8),
        (Rows(""), X.flatten(1), 0),
        (Rows("half"), X.flatten(1), 0),
        (Fixed(), X.flatten(1), 0),
        (Loop(), X, 0),
        (Loop(each=True), X, 0),
        (Loop("half"), X, 0),  # a part of the sequence, as in truncated learning
        (Words(""), torch.randint(20, (5, 8)), 0),
        (nn.Sequential(nn.Flatten(), nn.Linear(24, 2)), X, 0),
        (nn.Sequential(nn.Linear(3, 2)), X, 0),  # each place by itself
    ],
)
def test_places_that_only_the_last_of_gets_a_gradient(
    module: nn.Module, x: Tensor, places: int
) -> None:
    torch.manual_seed(0)
    facts = first_batch_of(module, (x,), {}, samples=5)
    assert facts.cut_in_time == places
    answer = state_detached_each_step(nw.History.from_rows([]).but(first_batch=facts))
    if places:
        assert "all 8 places" in found(answer).sentence
    else:
        assert answer is None

"""Tests of finding dropout behind the last layer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import netwise as nw
from netwise.observe.first_batch_probes import first_batch_of

X, Y = torch.randn(40, 6), torch.randint(3, (40,))


class Functional(nn.Module):
    """Dropout as a function, of the outputs or of the hidden units."""

    def __init__(self, of_outputs: bool, p: float = 0.5) -> None:
        super().__init__()
        self.hidden, self.last = nn.Linear(6, 8), nn.Linear(8, 3)
        self.of_outputs, self.p = of_outputs, p

    def forward(self, x: Tensor) -> Tensor:
        h = self.hidden(x).relu()
        if not self.of_outputs:
            h = nn.functional.dropout(h, self.p, self.training)
        out: Tensor = self.last(h)
        return nn.functional.dropout(out, self.p, self.training) if self.of_outputs else out


def behind(p: float = 0.5) -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3), nn.Dropout(p))


@pytest.mark.parametrize(
    ("module", "is_last"),
    [
        (behind(), True),
        (nn.Sequential(behind(), nn.Flatten(0)), True),  # another shape of the same numbers
        (Functional(True), True),
        (behind(0.0), False),
        (Functional(False), False),
        (nn.Sequential(nn.Linear(6, 8), nn.Dropout(), nn.Linear(8, 3)), False),
        (nn.Sequential(behind(), nn.ReLU()), False),
    ],
)
def test_dropout_of_the_outputs(module: nn.Module, is_last: bool) -> None:
    assert bool(first_batch_of(module, (X,), {}).last_dropout) is is_last


def rules_of(
    module: nn.Module, loss: nn.Module, y: Tensor, head: nn.Module | None = None
) -> set[str]:
    parts = [module] if head is None else [module, head]
    optimizer = torch.optim.Adam([p for part in parts for p in part.parameters()])
    with nw.watch() as w:
        for _ in range(3):
            optimizer.zero_grad()
            out = module(X)
            loss(out if head is None else head(out), y).backward()
            optimizer.step()
    return {f.rule for h in w.histories().values() for f in nw.diagnose(h).found}


def test_it_is_named_where_the_loss_gets_it() -> None:
    assert "dropout_of_outputs" in rules_of(behind(), nn.CrossEntropyLoss(), Y)
    assert "dropout_of_outputs" in rules_of(behind(), nn.MSELoss(), torch.randn(40, 3))
    assert "dropout_of_outputs" in rules_of(
        behind(), nn.BCEWithLogitsLoss(), torch.rand(40, 3).round()
    )


def test_it_is_none_where_another_module_gets_it() -> None:
    assert "dropout_of_outputs" not in rules_of(behind(), nn.CrossEntropyLoss(), Y, nn.Linear(3, 3))
    assert "dropout_of_outputs" not in rules_of(Functional(False), nn.CrossEntropyLoss(), Y)


def test_a_new_head_on_a_trained_body_is_read() -> None:
    body = nn.Sequential(nn.Linear(6, 8), nn.ReLU())
    with nw.watch() as w:
        for head in (nn.Linear(8, 2), nn.Sequential(nn.Linear(8, 3), nn.Dropout(0.5))):
            net = nn.Sequential(body, head)
            optimizer = torch.optim.Adam(net.parameters())
            for _ in range(3):
                optimizer.zero_grad()
                out = net(X)
                nn.functional.cross_entropy(out, Y % out.shape[1]).backward()
                optimizer.step()
    named = [{f.rule for f in nw.diagnose(h).found} for h in w.histories().values()]
    assert ["dropout_of_outputs" in rules for rules in named].count(True) == 1


def test_it_is_found_before_the_first_step() -> None:
    module = behind()
    optimizer = torch.optim.Adam(module.parameters())
    report = nw.preflight(module, loss=nn.CrossEntropyLoss(), optimizer=optimizer, batch=(X, Y))
    (finding,) = [f for f in report.found if f.rule == "dropout_of_outputs"]
    assert finding.grade == "cause"
    assert finding.layers == ("3",)

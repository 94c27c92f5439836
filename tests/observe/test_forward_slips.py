"""Tests of finding slips in a `forward` and in a loss: what is not used, or is there twice."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.forward_slips import input_unused, joined_with_itself
from netwise.observe.first_batch_probes import first_batch_of

BATCH = 10
ONE, OTHER = torch.randn(BATCH, 6), torch.randn(BATCH, 6)
PICTURES = torch.randn(BATCH, 3, 8, 8)


class Pair(nn.Module):
    """Two inputs through one branch."""

    def __init__(self, uses: str) -> None:
        super().__init__()
        self.branch, self.gate, self.uses = nn.Linear(6, 4), nn.Linear(6, 4), uses
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def forward(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        first, second = self.branch(one), self.branch(other)
        if self.uses == "one":
            second = self.branch(one)
        if self.uses == "sign":  # used, without a gradient
            second = (other > 0).float()[:, :4]
        if self.uses == "gate":  # no output changes with it until the gate opens
            second = first * self.gate(other)
        if self.uses == "training" and not self.training:
            second = first
        return first, second


@pytest.mark.parametrize("uses", ["one", "both", "sign", "gate", "training"])
def test_an_argument_is_unused_where_nothing_depends_on_it(uses: str) -> None:
    facts = first_batch_of(Pair(uses), (ONE,), {"other": OTHER})
    assert facts.unused_input == ("other" if uses == "one" else "")


def test_arguments_without_rows_that_differ_are_not_asked() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 4)

        def forward(self, x: Tensor, mask: Tensor, scale: Tensor) -> Tensor:
            out: Tensor = self.layer(x)
            return out

    facts = first_batch_of(Masked(), (ONE, torch.ones(BATCH, 6), torch.rand(3)), {})
    assert facts.unused_input == ""


class Block(nn.Module):
    def __init__(self, join: str) -> None:
        super().__init__()
        self.stem, self.conv, self.join = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3, padding=1), join
        self.head = nn.LazyLinear(2)

    def forward(self, x: Tensor) -> Tensor:
        if self.join == "inputs":  # grey pictures for more channels
            x = torch.cat([x[:, :1], x[:, :1], x[:, :1]], 1)
        h = self.stem(x)
        out = torch.relu(self.conv(h))
        if self.join == "sum":
            out = out + out
        elif self.join == "in place":
            out += out
        elif self.join == "cat":
            out = torch.cat([out, out], dim=1)
        elif self.join == "batch":
            out = torch.cat([out, out])[: len(x)]
        elif self.join == "skip":
            out = torch.cat([out, h], 1) + torch.cat([h, out], 1)
        elif self.join == "square":
            out = out * out
        return self.head(out.flatten(1))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("join", "text"),
    [
        ("sum", "sum of (10, 4, 8, 8) with itself"),
        ("in place", "sum of (10, 4, 8, 8) with itself"),
        ("cat", "cat of (10, 4, 8, 8) with itself"),
        ("batch", ""),
        ("skip", ""),
        ("square", ""),
        ("inputs", ""),
    ],
)
def test_values_that_are_joined_with_themselves(join: str, text: str) -> None:
    block = Block(join)
    block(PICTURES)  # sizes of its last layer
    facts = first_batch_of(block, (PICTURES,), {})
    assert facts.joined == text
    assert bool(facts.joined_at) is bool(text)


def test_rules_say_what_is_missing() -> None:
    stuck, learned = history(final=2.2), history(final=0.1)
    facts = nw.FirstBatch(
        unused_input="other", joined="cat of (8, 4) with itself", joined_at="n.py:3"
    )
    assert "`other`" in found(input_unused(stuck.but(first_batch=facts))).sentence
    assert input_unused(learned.but(first_batch=facts)) is None
    assert "n.py:3" in found(joined_with_itself(learned.but(first_batch=facts))).sentence
    for rule in (input_unused, joined_with_itself):
        assert isinstance(rule(stuck.but(first_batch=nw.FirstBatch())), nw.Unchecked)
        nothing = nw.FirstBatch(unused_input="", joined="")
        assert rule(stuck.but(first_batch=nothing)) is None


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.kind, self.style = nn.Linear(6, 8), nn.Linear(8, 3), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x).relu()
        return self.kind(h), self.style(h)


@pytest.mark.parametrize("second", ["kind", "style", "none"])
def test_a_summand_that_counts_twice(second: str) -> None:
    torch.manual_seed(0)
    net, y = TwoHeads(), torch.randint(3, (2, BATCH))
    optimizer = torch.optim.Adam(net.parameters())
    with nw.watch() as w:
        for _ in range(3):
            kind, style = net(ONE)
            loss = nn.functional.cross_entropy(kind, y[0])
            if second == "kind":
                loss = loss + nn.functional.cross_entropy(kind, y[0])
            if second == "style":
                loss = loss + nn.functional.cross_entropy(style, y[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    rules = {f.rule: f for f in nw.diagnose(w).found}
    assert ("summand_repeated" in rules) is (second == "kind")
    if second == "kind":
        assert rules["summand_repeated"].layers == ("style",)

"""Tests of finding a word that has the number of the padding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.padding_inside import padding_is_a_word
from netwise.observe.first_batch_probes import first_batch_of


class Bag(nn.Module):
    def __init__(self, padding: int | None = 0) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(20, 6, padding_idx=padding), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.words(x).mean(1))
        return out


def rows(lowest: int, side: str) -> Tensor:
    """Rows of five to seven places with padding of 0 on one side."""
    x = torch.randint(lowest, 20, (40, 7), generator=torch.Generator().manual_seed(0))
    for number, row in enumerate(x):
        if number % 3:
            row[slice(0, number % 3) if side == "left" else slice(7 - number % 3, 7)] = 0
    return x


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_at_the_ends_of_rows_is_padding(side: str) -> None:
    assert first_batch_of(Bag(), (rows(1, side),), {}).padding_inside == 0
    x = rows(1, side)
    x[::4, 3] = 0
    facts = first_batch_of(Bag(), (x,), {})
    assert (facts.padding_of, facts.padding_inside) == ("words", pytest.approx(0.25))
    assert first_batch_of(Bag(None), (x,), {}).padding_inside == 0


def test_the_rule_speaks_in_runs_that_have_not_learned() -> None:
    facts = nw.FirstBatch(padding_inside=0.25, padding_of="words")
    assert "`words`" in found(padding_is_a_word(history().but(first_batch=facts))).sentence
    assert padding_is_a_word(history(final=0.1).but(first_batch=facts)) is None
    few = nw.FirstBatch(padding_inside=0.02, padding_of="words")
    assert padding_is_a_word(history().but(first_batch=few)) is None
    assert isinstance(padding_is_a_word(history().but(first_batch=nw.FirstBatch())), nw.Unchecked)

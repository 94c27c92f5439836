"""Remedies for the user's own loop: none changes a recipe, each has what to write by hand."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from histories import report_of_a_loop

RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)))


@pytest.mark.parametrize("name", ["rebuild_optimizer", "clear_gradients", "shuffle"])
def test_what_fit_does_already_is_for_loops_of_ones_own(name: str) -> None:
    answer = nw.remedy(name).apply(RECIPE)
    assert isinstance(answer, nw.NotApplicable)
    assert answer.reason == "`fit` does this already; in your own loop write it by hand"


def test_labels_need_a_person() -> None:
    answer = nw.remedy("look_at_labels").apply(RECIPE)
    assert isinstance(answer, nw.NotApplicable)
    assert "print a few samples with their labels" in answer.reason


def test_what_is_written_by_hand_cures_a_loop() -> None:
    assert nw.remedy("clear_gradients").by_hand == "optimizer.zero_grad() before loss.backward()"
    assert report_of_a_loop(clear=False).found[0].remedies == ("clear_gradients",)
    assert "stale_gradients" in report_of_a_loop(clear=True).clear


def test_the_optimizer_by_hand_has_all_weights() -> None:
    model = torch.nn.Linear(2, 2)
    code = nw.remedy("rebuild_optimizer").by_hand.partition(": ")[2]
    optimizer = eval(code, {"torch": torch, "model": model})
    assert optimizer.param_groups[0]["params"] == list(model.parameters())

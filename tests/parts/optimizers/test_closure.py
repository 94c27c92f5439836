"""Optimizers that compute the loss several times a step."""

from __future__ import annotations

import itertools

import pytest
import torch

import netwise as nw


@pytest.mark.parametrize("cls", [nw.LBFGS, nw.SimulatedAnnealing])
def test_an_optimizer_with_a_closure_descends_a_bowl_and_has_no_formula(
    cls: type[nw.Optimizer],
) -> None:
    torch.manual_seed(0)
    w = torch.tensor([3.0, -2.0], requires_grad=True)
    optimizer = cls().build([w])

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        with torch.enable_grad():
            value = (w.square() * torch.tensor([1.0, 5.0])).sum()
            value.backward()
        return value

    for _ in range(300):
        optimizer.step(loss)  # type: ignore[arg-type]
    assert float(w.detach().abs().max()) < 0.2
    with pytest.raises(TypeError, match="Use build"):
        cls().step(w, w, {}, 1)


def test_cold_annealing_never_climbs_and_hot_does() -> None:
    def climbs(temperature: float) -> int:
        torch.manual_seed(1)
        w = torch.tensor([1.0], requires_grad=True)
        optimizer = nw.SimulatedAnnealing(temperature=temperature, cooling=1.0, tries=1).build([w])
        losses = []
        for _ in range(200):
            losses.append(float(w.detach().square()))
            optimizer.step(lambda: w.square().sum())  # type: ignore[arg-type, return-value]
        return sum(b > a for a, b in itertools.pairwise(losses))

    assert climbs(0.0) == 0
    assert climbs(10.0) > 20


def test_annealing_without_a_closure_says_what_to_pass() -> None:
    optimizer = nw.SimulatedAnnealing().build([torch.zeros(1, requires_grad=True)])
    with pytest.raises(
        ValueError, match="got no closure.*: pass a function that computes the loss"
    ):
        optimizer.step()


def test_lbfgs_takes_groups_of_parameters_as_one() -> None:
    pair = [torch.zeros(2, requires_grad=True), torch.zeros(3, requires_grad=True)]
    optimizer = nw.LBFGS().build([{"params": [pair[0]]}, {"params": [pair[1]]}])
    assert [p.shape for group in optimizer.param_groups for p in group["params"]] == [(2,), (3,)]

"""Samples that one module makes and another one judges are known again, also detached."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw


def made(
    sign: float = -1.0, steps: int = 12, joined: bool = False, outputs: int = 1
) -> dict[str, nw.History]:
    """The histories of a maker and a judge, whose losses are means of the judge's answers."""
    torch.manual_seed(0)
    maker = nn.Sequential(nn.Linear(3, 2))
    judge = nn.ModuleList([nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, outputs))])[0]
    of_maker = torch.optim.SGD(maker.parameters(), lr=1e-3)
    of_judge = torch.optim.SGD(judge.parameters(), lr=1e-3)
    with nw.watch() as w:
        for _ in range(steps):
            real, fake = torch.randn(16, 2), maker(torch.randn(16, 3))
            of_judge.zero_grad()
            if joined:
                answers = judge(torch.cat([real, fake.detach()]))
                (answers[16:].mean() - answers[:16].mean()).backward()
            else:
                (judge(fake.detach()).mean() - judge(real).mean()).backward()
            of_judge.step()
            of_maker.zero_grad()
            (sign * judge(fake).mean()).backward()
            of_maker.step()
    assert w.errors == ()
    return {h.layers[0].fan_in: h for h in w.histories().values()}  # type: ignore[misc]


@pytest.mark.parametrize(("sign", "alike"), [(-1.0, False), (1.0, True)])
def test_the_directions_of_both_losses(sign: float, alike: bool) -> None:
    wiring = made(sign)[3].wiring  # type: ignore[index]
    assert wiring is not None
    assert wiring.judged_steps >= 8
    assert wiring.judged_alike == (wiring.judged_steps if alike else 0)
    assert wiring.made_spread[1] < 1


def test_what_is_not_known_is_left_open() -> None:
    joined = made(1.0, joined=True)[3].wiring  # type: ignore[index]
    several = made(1.0, outputs=3)[3].wiring  # type: ignore[index]
    assert joined is not None
    assert several is not None
    assert joined.judged_steps == 0
    assert (several.judged_steps, several.made_spread) == (0, ())

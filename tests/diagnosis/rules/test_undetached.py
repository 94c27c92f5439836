"""Targets and advantages with a gradient."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.undetached import target_not_detached


def run(undetached: str) -> nw.History:
    return observed(losses=(nw.LossTerm(place="dqn.py:9", undetached=undetached),))


def test_each_kind() -> None:
    assert "torch.no_grad" in found(target_not_detached(run("target"))).sentence
    assert "advantage.detach()" in found(target_not_detached(run("advantage"))).sentence
    assert target_not_detached(run("")) is None
    assert isinstance(target_not_detached(nw.History.from_rows([])), nw.Unchecked)

"""Short trials of runs of `fit`."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch

import netwise as nw

HEALTHY = nw.suggest(nw.data.iris(), epochs=40)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"optimizer": nw.SGD(lr=1e-6)}, "rate_too_low"),
        ({"optimizer": nw.SGD(lr=1e4)}, "rate_too_high"),
        ({"init": nw.Constant(weight=0.1)}, "start_symmetric"),
    ],
    ids=["low", "high", "start"],
)
def test_a_trial_proves_the_fault(changes: dict[str, Any], rule: str) -> None:
    run = nw.fit(HEALTHY.but(**changes))
    before = [p.clone() for p in run.module.parameters()]
    random = torch.get_rng_state()
    report = nw.diagnose(run, trials=True)
    assert (report.found[0].rule, report.found[0].grade) == (rule, "proved")
    assert all(map(torch.equal, before, run.module.parameters()))
    assert torch.equal(random, torch.get_rng_state())


def test_a_run_that_learns_is_not_accused() -> None:
    report = nw.diagnose(nw.fit(HEALTHY), trials=True)
    assert report.found == ()
    assert all(trial.verdict != "proved" for trial in report.trials)


def test_networks_that_compute_their_own_loss_cannot_be_tried() -> None:
    recipe = nw.Recipe(
        data=nw.data.iris(), network=nw.Autoencoder((4, 2)), loss=nw.MeanSquaredError(), epochs=2
    )
    (outcome,) = nw.diagnose(nw.fit(recipe), trials=True).trials
    assert outcome.verdict == "not possible"
    assert "computes its own loss" in outcome.sentence


def test_a_run_can_still_be_sent_to_another_process() -> None:
    run = nw.fit(HEALTHY.but(epochs=1))
    assert run.trial_source is not None
    assert pickle.loads(pickle.dumps(run.trial_source)) is None

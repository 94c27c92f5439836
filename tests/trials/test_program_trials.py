"""Trials of programs whose fault signals alone do not show, and of healthy ones."""

from __future__ import annotations

import gc
import pickle
import re
from collections.abc import Callable

import pytest
import torch

import netwise as nw
from trials import programs
from trials.programs import adam, network, train, watched

SICK: dict[Callable[[], None], str] = {
    programs.rate_too_low: "rate_too_low",
    programs.rate_too_high: "rate_too_high",
    programs.too_short: "too_short",
    programs.too_short_within_a_warm_up: "too_short",
    programs.frozen: "frozen_layers",
    programs.start_symmetric: "start_symmetric",
    programs.penalty_too_strong: "brakes_too_strong",
    programs.decay_too_strong: "brakes_too_strong",
    programs.labels_exchanged: "labels_suspect",
    programs.training_labels_exchanged: "labels_suspect",
    programs.rows_by_class: "not_shuffled",
    programs.too_narrow: "underfitting",
}


@pytest.mark.parametrize("program", SICK, ids=lambda program: program.__name__)
def test_a_trial_proves_the_fault(program: Callable[[], None]) -> None:
    # No limit cuts them off, however slow the machine is.
    report = nw.diagnose(watched(program), trials=True, limit=1e4)
    assert (report.found[0].rule, report.found[0].grade) == (SICK[program], "proved")
    proof = report.trials[-1]
    assert (proof.verdict, proof.finding) == ("proved", SICK[program])
    assert proof.steps > 0
    assert proof.seconds > 0


def test_the_advice_has_the_rate_that_the_trial_proved() -> None:
    report = nw.diagnose(watched(programs.rate_too_low), trials=True, limit=1e4)
    factor = re.search(r"With ([\d.]+) times the learning rate", report.trials[-1].sentence)
    assert factor is not None
    times = float(factor[1])
    line = f'    group["lr"] *= {times:g}  # {2e-5 * times:.3g}, as in the trial'
    assert report.found[0].change.splitlines()[-1] == line


def test_a_healthy_program_costs_no_trial() -> None:
    report = nw.diagnose(watched(programs.healthy), trials=True)
    assert report.found == ()
    assert report.trials == ()


def test_a_suspect_that_is_none_is_cleared() -> None:
    history = watched(programs.healthy)
    suspect = nw.Rule("rate_too_low", "Low", lambda h: nw.Finding("rate_too_low", "."), "", "")
    assert nw.diagnose(history, rules=(suspect,)).names == ("rate_too_low",)
    report = nw.diagnose(history, rules=(suspect,), trials=True)
    assert report.found == ()
    assert report.clear == ("rate_too_low",)
    assert report.trials[0].verdict == "cleared"


def test_the_program_is_untouched() -> None:
    model = network()
    history = watched(lambda: train(model, adam(model, 2e-5)))
    weights = [p.clone() for p in model.parameters()]
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.eval()
    model[1].train()
    before = torch.get_rng_state()
    with nw.watch() as w:
        nw.diagnose(history, trials=True)
    assert w.histories() == {}
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, weights, model.parameters()))
    assert all(map(torch.equal, gradients, [p.grad for p in model.parameters()]))
    assert [layer.training for layer in model] == [False, True, False, False, False]


def test_trials_give_the_same_numbers_again() -> None:
    history = watched(programs.rate_too_low)
    # No limit cuts them off, however slow the machine is.
    first, second = (nw.diagnose(history, trials=True, limit=1e4).trials for _ in range(2))
    assert first[-1].verdict == "proved"
    assert [t.numbers for t in first] == [t.numbers for t in second]


def test_a_history_alone_keeps_its_program_alive() -> None:
    history = watched(programs.rate_too_low)
    gc.collect()  # the watch and the local variables of the program are gone
    (*_, proof) = nw.diagnose(history, trials=True).trials
    assert (proof.verdict, proof.finding) == ("proved", "rate_too_low")


def test_an_exact_fact_needs_no_trial() -> None:
    model = network()
    history = watched(lambda: train(model, torch.optim.Adam(model[2:].parameters(), lr=0.02)))
    report = nw.diagnose(history, trials=True)
    assert "weights_stand_still" in report.names
    assert report.trials == ()


def test_a_saved_history_has_no_trials() -> None:
    history = watched(programs.too_short)
    again = pickle.loads(pickle.dumps(history))
    assert again == history
    assert again.trials is None


def test_a_module_that_is_gone_is_said_to_be() -> None:
    with nw.watch() as w:
        programs.rate_too_low()
    (outcome,) = nw.diagnose(w, trials=True).trials
    assert outcome.verdict == "not possible"
    assert "nw.watch(trials=True)" in outcome.sentence


def test_what_fails_in_a_copy_is_a_reason() -> None:
    model = network()
    history = watched(lambda: train(model, adam(model, 2e-5)))
    model.register_module("1", _Failing())
    (outcome,) = nw.diagnose(history, trials=True).trials
    assert outcome.verdict == "not possible"
    assert "a copy of the module fails: not today" in outcome.sentence.lower()


class _Failing(torch.nn.Module):
    def forward(self, x: object) -> None:
        raise RuntimeError("not today")

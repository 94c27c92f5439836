"""How much a run has learned, from histories made by hand."""

from __future__ import annotations

import math

import pytest

import netwise as nw
from histories import LAYERS, found, history, observed
from netwise import signals
from netwise.diagnosis.rules import outcome

FACTS = nw.RunFacts(loss_of_guessing=2.0, least_loss=1.0)


def test_the_share_of_the_loss_of_guessing_begins_at_the_least_loss() -> None:
    run = history(facts=FACTS)
    assert outcome.loss_share(run, 1.0) == 0.0
    assert outcome.loss_share(run, 1.5) == 0.5
    assert outcome.loss_share(run, 2.0) == 1.0
    assert outcome.loss_share(run, math.nan) == math.inf
    assert outcome.loss_share(run, None) is None
    assert outcome.loss_share(history(facts=nw.RunFacts()), 1.5) is None


def test_without_epochs_the_last_tenth_of_the_steps_is_the_final_loss() -> None:
    losses = [float(100 - i) for i in range(100)]
    rows = [{"step": i, "loss": value} for i, value in enumerate(losses)]
    assert outcome.final_loss(nw.History.from_rows(rows)) == pytest.approx(sum(losses[-10:]) / 10)
    assert outcome.final_loss(nw.History.from_rows(rows[:4])) is None


def test_a_run_that_diverged_has_not_learned() -> None:
    ended = nw.RunEnd("diverged", "Diverged.", 5)
    assert outcome.final_loss_share(history(final=0.1, ended=ended)) == math.inf
    assert not outcome.has_learned(history(final=0.1, ended=ended))
    assert outcome.has_learned(history(final=0.1))
    assert not outcome.has_learned(history(final=0.1, facts=nw.RunFacts()))  # nothing to compare


def test_generalising_needs_validation_data_to_be_learned_too() -> None:
    assert outcome.generalises(history(final=0.1))  # no validation part
    assert outcome.generalises(history(whole={signals.VALID_LOSS: [2.3, 0.2, 3.0]}, final=0.1))
    assert not outcome.generalises(history(whole={signals.VALID_LOSS: [2.3, 2.2]}, final=0.1))


def test_an_autoencoder_has_learned_by_the_variance_that_it_reconstructs() -> None:
    facts = nw.RunFacts(task="reconstruction", loss_of_guessing=1.0)
    good = history(whole={signals.VALID_R2: [0.1, 0.6]}, final=5.0, facts=facts)
    poor = history(whole={signals.VALID_R2: [0.1, 0.4]}, final=0.0, facts=facts)
    assert outcome.has_learned(good)
    assert not outcome.has_learned(poor)


def test_the_median_is_that_of_the_finite_values() -> None:
    assert outcome.finite_median([math.nan, 3.0, math.inf, 1.0, 2.0]) == 2.0
    assert outcome.finite_median([math.nan]) is None


def test_series_come_in_the_order_of_the_layers() -> None:
    run = history({"gradient.rms": [[1.0], [2.0]]}, layers=LAYERS[::-1])
    assert list(outcome.series_by_layer(run, "gradient.rms")) == ["layer4", "layer3"]


@outcome.if_outcome_known
def alarm(history: nw.History) -> nw.Finding | nw.Unchecked | None:
    """Find anything."""
    return nw.Finding("alarm", "It rings.")


def test_what_is_found_counts_where_it_is_known_how_much_was_learned() -> None:
    assert found(alarm(history()))
    assert alarm(history(facts=nw.RunFacts())) == nw.Unchecked(outcome.NO_BASELINE)
    assert alarm.__doc__ == "Find anything."
    ended = nw.RunEnd("diverged", "Diverged.", 5)
    assert found(alarm(history(facts=nw.RunFacts(), ended=ended)))
    assert found(alarm(history(facts=nw.RunFacts(), final=math.nan)))  # certainly not learned


def test_the_loss_of_a_module_with_opponents_shows_nothing() -> None:
    balanced = observed(final=0.69, facts=nw.RunFacts(loss_of_guessing=0.69), opponents=("G",))
    reason = nw.Unchecked("the loss depends on G, trained against this module")
    assert alarm(balanced) == reason
    for name in ("not_learning", "underfitting", "overfitting"):
        rule = next(rule for rule in nw.RULES if rule.name == name)
        assert rule.find(balanced) == reason


def compared(score: float, linear: float, neighbour: float, final: float = 0.1) -> nw.History:
    """A run of ten classes with this validation accuracy, and simple models with theirs."""
    facts = nw.RunFacts(loss_of_guessing=2.3, classes=10, class_targets=True)
    data = nw.DataFacts(
        evaluation_samples=400,
        chance_score=0.1,
        evaluation_linear_score=linear,
        evaluation_neighbour_score=neighbour,
    )
    run = history(whole={signals.VALID_ACCURACY: [0.1, score, score]}, final=final, facts=facts)
    return run.but(data=data)


def test_a_network_falls_short_where_a_simple_model_is_clearly_better() -> None:
    assert outcome.falls_short(compared(0.7, 0.95, 0.9))
    assert not outcome.has_learned(compared(0.7, 0.95, 0.9))  # although little of the loss is left
    assert not outcome.falls_short(compared(0.93, 0.95, 0.9))
    assert outcome.has_learned(compared(0.93, 0.95, 0.9))
    assert not outcome.falls_short(compared(0.7, 0.95, 0.9).but(data=None))
    leaked = nw.DataFacts(chance_score=0.1, evaluation_neighbour_score=1.0, leaked_rows=0.5)
    assert not outcome.falls_short(compared(0.7, 0.95, 0.9).but(data=leaked))


def test_what_no_simple_model_can_predict_may_be_noise() -> None:
    assert outcome.has_learned(compared(0.6, 0.59, 0.5, final=1.5))
    assert outcome.generalises(compared(0.6, 0.59, 0.5, final=1.5))
    assert not outcome.has_learned(compared(0.12, 0.12, 0.1, final=2.3))  # nothing to compare with


def test_the_score_of_numbers_follows_from_squared_errors() -> None:
    facts = nw.RunFacts(loss_of_guessing=4.0, loss_kind="squared error", class_targets=False)
    run = history(whole={signals.VALID_LOSS: [4.0, 1.0, 1.0, 1.0]}, facts=facts)
    assert outcome.valid_score(run) == 0.75
    assert outcome.skill(run, 0.75) == 0.75
    assert outcome.valid_score(history()) is None


def test_a_loss_still_falls_where_more_steps_are_worthwhile() -> None:
    line = [2.0 - 0.01 * i for i in range(100)]
    still = [1.0 + 0.01 * (-1) ** i for i in range(100)]
    for losses, falls in ((line, True), (still, False)):
        run = nw.History.from_rows({"step": i, "loss": v} for i, v in enumerate(losses))
        assert outcome.still_falls(run) is falls
    assert outcome.gain_to_come(nw.History({})) is None


def test_a_score_that_only_the_last_batches_show() -> None:
    """As that of a loss whose guessing is not known."""
    facts = nw.RunFacts(class_targets=False, loss_kind="")
    of_numbers = nw.DataFacts(class_targets=False, evaluation_r2=0.4)
    run = history(facts=facts).but(data=of_numbers)
    assert outcome.valid_score(run) == 0.4
    assert outcome.r2_of_loss(run) is None
    answers = ((50, 60, 40), (50, 40, 30))
    of_classes = nw.DataFacts(class_targets=True, evaluation_answers=answers)
    assert outcome.valid_score(run.but(data=of_classes)) == 0.7
    assert outcome.valid_score(history(facts=facts)) is None

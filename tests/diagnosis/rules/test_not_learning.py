"""Symptoms of runs that end near guessing or below simple models."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import GUESS, found, history, observed
from netwise import signals
from netwise.diagnosis.rules import not_learning

FACTS = nw.RunFacts(loss_of_guessing=GUESS, classes=10, class_targets=True)


def curve(train: list[float], accuracy: list[float] | None = None) -> nw.History:
    whole = {signals.TRAIN_LOSS: train}
    if accuracy is not None:
        whole[signals.VALID_ACCURACY] = accuracy
    return history(whole=whole, facts=FACTS)


def test_no_better_than_guessing() -> None:
    finding = found(not_learning.not_learning(curve([2.4] * 20)))
    assert finding.evidence[0].value == pytest.approx(2.4 / GUESS)
    assert not_learning.not_learning(curve([2.0, 1.8, 1.7])) is None
    diverged = history(ended=nw.RunEnd("diverged", "Diverged at step 3: nan.", 2))
    assert found(not_learning.not_learning(diverged)).sentence == "Diverged at step 3: nan."


def test_a_high_score_contradicts_a_high_loss() -> None:
    high = [25.0, 8.0, 4.0, 3.0, 2.5]
    assert not_learning.not_learning(curve(high, [0.3, 0.5, 0.6, 0.7, 0.7])) is None
    assert found(not_learning.not_learning(curve(high, [0.1, 0.12, 0.1, 0.11, 0.1])))


def test_the_loss_of_the_last_batches_contradicts_that_of_other_rows() -> None:
    whole = {signals.TRAIN_LOSS: [0.6, 1.7], signals.LOSS: [0.7, 0.1, *[0.001] * 20]}
    facts = nw.RunFacts(loss_of_guessing=0.5)
    assert not_learning.not_learning(observed(whole, facts=facts)) is None


def test_standing_still_below_a_simple_model() -> None:
    whole = {signals.LOSS: [1.2] * 40, signals.VALID_ACCURACY: [0.6] * 5}
    run = observed(whole, facts=FACTS)
    better = nw.DataFacts(
        evaluation_samples=400, evaluation_chance_score=0.1, evaluation_linear_score=0.9
    )
    assert found(not_learning.plateau(run.but(data=better)))
    same = nw.DataFacts(evaluation_chance_score=0.1, evaluation_linear_score=0.6)
    assert not_learning.plateau(run.but(data=same)) is None
    assert isinstance(not_learning.plateau(run), nw.Unchecked)
    whole[signals.LOSS] = [1.6 - 0.01 * i for i in range(40)]
    assert not_learning.plateau(observed(whole, facts=FACTS).but(data=better)) is None


def test_one_answer_for_all_samples() -> None:
    def answers(*counts: tuple[int, int, int]) -> nw.History:
        return history().but(data=nw.DataFacts(evaluation_answers=counts))

    assert found(not_learning.one_answer(answers((100, 200, 100), (100, 0, 0))))
    assert not_learning.one_answer(answers((100, 120, 90), (100, 80, 70))) is None
    # Almost all samples are of that class.
    assert not_learning.one_answer(answers((190, 200, 190), (10, 0, 0))) is None
    assert isinstance(not_learning.one_answer(history()), nw.Unchecked)


def spread(*values: float, losses: tuple[nw.LossTerm, ...] = ()) -> nw.History:
    rows = {signals.OUTPUT_SPREAD: [[0.5] * 8] * 3 + [list(values)]}
    return observed(by_layer=rows, losses=losses)


COLLAPSING = (0.4, 0.4, 0.1, 0.01, 1e-4, 1e-6, 1e-7, 0.0)


def test_outputs_that_have_become_the_same() -> None:
    assert found(not_learning.outputs_collapse(spread(*COLLAPSING)))
    assert not_learning.outputs_collapse(spread(*[0.4] * 8)) is None
    assert not_learning.outputs_collapse(spread(*[1e-4] * 8)) is None  # never were different
    assert isinstance(not_learning.outputs_collapse(history()), nw.Unchecked)


def test_embeddings_that_have_become_one_point() -> None:
    triplets = (nw.LossTerm(by_hand=True),)
    assert found(not_learning.embeddings_collapse(spread(*COLLAPSING, losses=triplets)))
    assert not_learning.outputs_collapse(spread(*COLLAPSING, losses=triplets)) is None
    assert not_learning.embeddings_collapse(spread(*[0.9] * 8, losses=triplets)) is None
    known = (nw.LossTerm("cross entropy"),)
    assert not_learning.embeddings_collapse(spread(*COLLAPSING, losses=known)) is None


def test_a_short_run_whose_loss_falls_does_not_stand_still() -> None:
    """In the last ten of thirty steps noise hides the slope that the last fifteen show."""
    noise = [0.1 if step % 3 else -0.12 for step in range(30)]
    falling = [2.3 - 0.025 * step + each for step, each in enumerate(noise)]
    standing = [2.1 + each for each in noise]
    data = nw.DataFacts(
        evaluation_samples=400, evaluation_chance_score=0.1, evaluation_linear_score=0.9
    )
    ended = nw.RunEnd("finished", "Done.", 30)
    for losses, rule in ((falling, None), (standing, "plateau")):
        whole = {signals.LOSS: losses, signals.VALID_ACCURACY: [0.4] * 3}
        run = observed(whole, facts=FACTS).but(data=data, ended=ended)
        answer = not_learning.plateau(run)
        assert (answer and answer.rule) == rule

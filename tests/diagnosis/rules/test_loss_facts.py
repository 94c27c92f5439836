"""Losses that cannot teach what they should: facts on both sides of each limit."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import GUESS, found, observed
from netwise import signals
from netwise.diagnosis.rules import loss_facts
from netwise.wiring import (
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HINGE,
    LABELS,
    NUMBERS,
    SIGN_TARGETS,
    SQUARED_ERROR,
)


def run(term: nw.LossTerm, first: nw.FirstBatch | None = None, **wiring: object) -> nw.History:
    known = nw.Wiring(module="Net", losses=(term,), **wiring)  # type: ignore[arg-type]
    return nw.History.from_rows([], wiring=known).but(first_batch=first)


def targets(operation: str, low: float, high: float, kind: str = NUMBERS) -> nw.History:
    return run(nw.LossTerm(operation, target_low=low, target_high=high, target_kind=kind))


def test_masks_of_bytes_in_a_binary_cross_entropy() -> None:
    masks = targets(BINARY_CROSS_ENTROPY_OF_LOGITS, 0.0, 255.0)
    finding = found(loss_facts.targets_misfit_loss(masks))
    assert "are divided by 255" in finding.sentence
    assert finding.change == "mask = mask / 255  # 0 to 1"


@pytest.mark.parametrize("operation", [BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS])
def test_a_binary_cross_entropy_of_other_numbers(operation: str) -> None:
    finding = found(loss_facts.targets_misfit_loss(targets(operation, -1.7, 2.0)))
    assert "from -1.7 to 2" in finding.sentence
    assert loss_facts.targets_misfit_loss(targets(operation, 0.0, 1.0)) is None
    assert loss_facts.targets_misfit_loss(targets(operation, -1e-6, 1.0 + 1e-6)) is None
    assert loss_facts.targets_misfit_loss(targets(operation, 0.0, 2.0)) is not None


def test_numbers_fit_a_squared_error() -> None:
    assert loss_facts.targets_misfit_loss(targets(SQUARED_ERROR, -1.7, 2.0)) is None


def test_a_hinge_of_zeros_and_ones() -> None:
    assert (
        "no gradient"
        in found(loss_facts.targets_misfit_loss(targets(HINGE, 0.0, 1.0, LABELS))).sentence
    )
    assert loss_facts.targets_misfit_loss(targets(HINGE, -1.0, 1.0, SIGN_TARGETS)) is None
    assert loss_facts.targets_misfit_loss(targets(HINGE, 1.0, 1.0, LABELS)) is None  # no zeros


def test_a_hinge_that_was_asked() -> None:
    first = nw.FirstBatch(loss_takes="signs")
    history = run(nw.LossTerm("", by_hand=True), first)
    facts = nw.RunFacts(target_low=0.0, target_high=1.0)
    assert found(loss_facts.targets_misfit_loss(history.but(facts=facts)))
    facts = nw.RunFacts(target_low=-1.0, target_high=1.0)
    assert loss_facts.targets_misfit_loss(history.but(facts=facts)) is None


@pytest.mark.parametrize(
    ("factor", "maximizes", "wrong"),
    [(1.0, False, False), (-1.0, False, True), (1.0, True, True), (-1.0, True, False)],
)
def test_signs(factor: float, maximizes: bool, wrong: bool) -> None:
    term = nw.LossTerm(CROSS_ENTROPY, factor=factor, reduction="mean")
    answer = loss_facts.loss_rewards_errors(run(term, maximizes=maximizes))
    assert isinstance(answer, nw.Finding) == wrong


def test_a_negative_loss_of_opponents_is_healthy() -> None:
    term = nw.LossTerm(BINARY_CROSS_ENTROPY, factor=-1.0, reduction="mean")
    assert loss_facts.loss_rewards_errors(run(term, opponents=("Critic",))) is None


def test_a_formula_of_a_loss_has_a_sign_of_its_own() -> None:
    term = nw.LossTerm(SQUARED_ERROR, factor=-1.0, reduction="", by_hand=True)  # -exp(-mse)
    assert loss_facts.loss_rewards_errors(run(term)) is None


def test_a_sign_that_was_asked() -> None:
    unknown = nw.LossTerm("", by_hand=True)
    wrong, right = (nw.FirstBatch(loss_rewards_errors=answer) for answer in (True, False))
    assert found(loss_facts.loss_rewards_errors(run(unknown, wrong)))
    assert loss_facts.loss_rewards_errors(run(unknown, right)) is None
    negated = nw.LossTerm("", by_hand=True, factor=-1.0)
    assert loss_facts.loss_rewards_errors(run(negated, wrong)) is None


def test_a_constant_loss() -> None:
    term = nw.LossTerm("")
    assert found(loss_facts.loss_constant(run(term, nw.FirstBatch(loss_constant=True))))
    assert loss_facts.loss_constant(run(term, nw.FirstBatch(loss_constant=False))) is None
    assert isinstance(loss_facts.loss_constant(run(term)), nw.Unchecked)


def test_a_second_derivative_of_zero() -> None:
    finding = found(loss_facts.part_without_gradient(run(nw.LossTerm(zero_derivative="Relu"))))
    assert "through ReLU" in finding.sentence
    assert loss_facts.part_without_gradient(run(nw.LossTerm("squared error"))) is None


def answering(share: float, right: list[float], size: int = 32) -> nw.History:
    losses = [share * GUESS, *[1.0] * 9]
    facts = nw.RunFacts(loss_of_guessing=GUESS, batch_size=size)
    return observed({signals.LOSS: losses, signals.ACCURACY: right}, facts=facts)


def test_targets_that_are_the_answers_of_the_network() -> None:
    assert found(loss_facts.loss_ignores_targets(answering(1.2, [1.0] * 10)))
    for sound in (
        answering(0.2, [1.0] * 10),  # trained before
        answering(1.2, [1.0, 1.0, 0.97, *[1.0] * 7]),
        answering(1.2, [0.1] * 10),
    ):
        assert loss_facts.loss_ignores_targets(sound) is None
    few = loss_facts.loss_ignores_targets(answering(1.2, [1.0] * 10, size=2))
    assert isinstance(few, nw.Unchecked)


def test_a_loss_that_was_asked_about_other_targets() -> None:
    run = observed()
    assert found(
        loss_facts.loss_ignores_targets(
            run.but(first_batch=nw.FirstBatch(loss_ignores_targets=True))
        )
    )
    sound = run.but(first_batch=nw.FirstBatch(loss_ignores_targets=False))
    assert loss_facts.loss_ignores_targets(sound) is None


def test_a_similarity_that_a_step_lowers() -> None:
    def run(sign: int, **more: object) -> nw.History:
        return observed(losses=(nw.LossTerm(by_hand=True, similarity=sign),), **more)

    finding = found(loss_facts.loss_rewards_errors(run(1)))
    assert "is a cosine similarity, and a step lowers it" in finding.sentence
    assert found(loss_facts.loss_rewards_errors(run(-1, maximizes=True)))
    assert loss_facts.loss_rewards_errors(run(-1)) is None
    assert loss_facts.loss_rewards_errors(run(1, asks_inputs=True)) is None
    assert loss_facts.loss_rewards_errors(run(1, opponents=("Critic",))) is None

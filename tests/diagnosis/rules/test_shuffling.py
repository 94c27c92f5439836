"""Unshuffled data: on histories made by hand, and in a loop over sorted samples."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import netwise as nw
from histories import found, history, observed, report_of_a_loop
from netwise import signals
from netwise.diagnosis.rules import shuffling


def test_batches_of_few_classes_are_found() -> None:
    def batches(held: float, **facts: object) -> nw.History:
        return history(
            whole={signals.BATCH_CLASSES: [held] * 12},
            facts=nw.RunFacts(classes=10, batch_size=64, **facts),
        )  # type: ignore[arg-type]

    assert (
        found(shuffling.not_shuffled(batches(1.0))).sentence
        == "A batch of 64 samples holds 1 of 10 classes; drawn at random it would hold 10.0."
    )
    assert shuffling.not_shuffled(batches(9.0)) is None
    assert (
        shuffling.not_shuffled(batches(1.0, loss_of_guessing=100.0)) is None
    )  # it learned all the same


@pytest.mark.parametrize(("mixed", "is_found"), [(2, True), (5, False)])
def test_batches_where_one_class_ends_and_the_next_begins(mixed: int, is_found: bool) -> None:
    counts = [1.0] * (15 - mixed) + [2.0] * mixed
    run = history(whole={signals.BATCH_CLASSES: counts}, facts=nw.RunFacts(classes=3, batch_size=8))
    assert isinstance(shuffling.not_shuffled(run), nw.Finding) == is_found


def two_classes(
    alike: float = 1.0, share: float = 0.5, shares: bool = False, **wiring: object
) -> object:
    """The answer on 12 batches of 30 samples of two classes, the last of them mixed."""
    column = nw.RunFacts(
        target_low=0.0,
        target_high=1.0,
        target_mean=share,
        target_std=math.sqrt(share * (1 - share)),
        batch_size=30,
    )
    numbers = nw.RunFacts(classes=2, class_shares=(share, 1 - share), batch_size=30)
    series = {signals.TARGETS_ALIKE: [*[alike] * 11, 0.0]}
    return shuffling.not_shuffled(observed(series, facts=numbers if shares else column, **wiring))


@pytest.mark.parametrize("shares", [False, True], ids=["column of 0 and 1", "class numbers"])
def test_batches_of_one_of_two_classes_are_found(shares: bool) -> None:
    finding = found(two_classes(shares=shares))
    assert finding.sentence == (
        "92 % of the batches of 30 samples hold one of the two classes only; drawn at random "
        "1.9e-07 % would."
    )
    assert two_classes(alike=0.0, shares=shares) is None
    assert two_classes(share=0.02, shares=shares) is None  # a rare class is often absent


def test_batches_of_real_and_of_generated_samples_are_no_fault() -> None:
    assert two_classes(opponents=("Generator",)) is None
    terms = tuple(nw.LossTerm("binary cross shares", place=p) for p in ("a.py:3", "a.py:4"))
    assert two_classes(losses=terms) is None


def test_rare_classes_are_often_absent() -> None:
    """Two frequent classes, and eight of which a batch seldom holds one."""
    rare = nw.RunFacts(classes=10, batch_size=20, class_shares=(0.496, 0.496, *[0.001] * 8))
    series = {signals.BATCH_CLASSES: [2.0] * 12}
    assert shuffling.not_shuffled(history(whole=series, facts=rare)) is None


def test_sorted_batches_are_found() -> None:
    assert report_of_a_loop(shuffle=False).found[0].rule == "not_shuffled"
    assert "not_shuffled" in report_of_a_loop().clear


def test_words_of_a_text_have_no_equal_shares() -> None:
    """Few of the words are frequent: a batch never holds as many as of words of equal shares."""
    series = {signals.BATCH_CLASSES: [30.0] * 20}
    facts = nw.RunFacts(classes=500, batch_size=100, loss_of_guessing=math.log(500))
    assert found(shuffling.not_shuffled(history(whole=series, facts=facts))).rule == "not_shuffled"
    words = replace(facts, loss_of_guessing=4.3)  # as 74 words of equal shares
    assert isinstance(shuffling.not_shuffled(history(whole=series, facts=words)), nw.Unchecked)


def test_targets_that_follow_each_other_where_the_loss_is_not_understood() -> None:
    """Those of a value function are of one episode after the other; guessing has no loss."""
    values = [0.0, 1.0] * 20
    facts = nw.RunFacts(
        task="regression", class_targets=False, batch_size=20, target_std=0.5, target_mean=0.5
    )
    series = {signals.TARGET_MEAN: values}
    known = replace(facts, loss_of_guessing=0.25)
    assert found(shuffling.not_shuffled(history(whole=series, facts=known, final=0.25)))
    assert isinstance(shuffling.not_shuffled(history(whole=series, facts=facts)), nw.Unchecked)


def test_targets_that_grow_with_the_answers_are_not_sorted() -> None:
    facts = nw.RunFacts(
        loss_of_guessing=2.3, class_targets=False, target_std=90.0, target_mean=5.0, batch_size=32
    )
    grown = {signals.TARGET_MEAN: [1.3**i for i in range(24)]}
    assert shuffling.not_shuffled(observed(grown, facts=facts)) is None
    in_order = {signals.TARGET_MEAN: [1.3 ** (4 * i % 24) for i in range(24)]}
    assert found(shuffling.not_shuffled(observed(in_order, facts=facts)))


def test_targets_that_follow_a_network_are_not_sorted() -> None:
    means: dict[str, list[float]] = {signals.TARGET_MEAN: [0.5 * i for i in range(20)]}
    facts = nw.RunFacts(
        loss_of_guessing=2.3, class_targets=False, target_std=3.0, target_mean=5.0, batch_size=32
    )
    assert "sorted" in found(shuffling.not_shuffled(observed(means, facts=facts))).sentence
    assert shuffling.not_shuffled(observed(means, facts=facts, asks_networks=True)) is None

"""What goes into the loss: shapes, the axis of a softmax, ignored targets, the first nan."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, observed
from netwise import signals
from netwise.diagnosis.rules import loss_values


def test_shapes_that_are_widened() -> None:
    term = nw.LossTerm("squared error", place="train.py:31")
    finding = found(
        loss_values.shapes_broadcast(observed(widened="(128, 1) to (128, 128)", losses=(term,)))
    )
    assert finding.sentence.startswith(
        "Outputs and targets have different shapes, and one is widened from (128, 1) to (128, 128) "
        "in the loss of train.py:31: each output is compared with each target."
    )
    assert finding.evidence[0].value == 128
    assert loss_values.shapes_broadcast(observed(losses=(term,))) is None


def test_a_softmax_over_the_batch() -> None:
    finding = found(loss_values.softmax_over_batch(observed(softmax_over_batch="(64, 10)")))
    assert finding.sentence.startswith("A softmax of shape (64, 10) runs over the samples")
    assert loss_values.softmax_over_batch(observed(softmax_over_batch="(64, 64)")) is None
    assert loss_values.softmax_over_batch(observed()) is None


def masked(ignored: list[float], reduction: str) -> nw.Finding | nw.Unchecked | None:
    term = nw.LossTerm("cross entropy", reduction=reduction)
    return loss_values.targets_masked(observed({signals.TARGETS_IGNORED: ignored}, losses=(term,)))


def test_one_batch_without_targets_makes_a_mean_not_a_number() -> None:
    finding = found(masked([0.2, 1.0, 0.5], "mean"))
    assert finding.sentence.startswith(
        "In 1 of 3 watched batches the loss ignores all targets, first in step 10: their loss is "
        "not a number."
    )
    assert finding.steps == (10, 10)
    assert masked([0.2, 0.9, 0.5], "mean") is None


def test_a_sum_over_no_targets_is_a_fault_where_most_batches_have_none() -> None:
    assert masked([1.0, *[0.5] * 9], "sum") is None
    assert "their loss is 0" in found(masked([1.0] * 9 + [0.5], "sum")).sentence


def test_the_first_value_that_is_not_finite() -> None:
    finding = found(
        loss_values.not_finite(observed(not_finite="Sqrt at exactly 0", not_finite_step=3))
    )
    assert finding.sentence == ("Step 3: Sqrt at exactly 0.")
    assert finding.steps == (3, 100)
    assert loss_values.not_finite(observed()) is None


@pytest.mark.parametrize(
    ("cause", "words", "change"),
    [
        ("5 of 50 values of the data are not finite", "constant feature", "nan_to_num"),
        ("1 of 75 values of the targets are not finite", "not known", "output[known]"),
        ("1 of 10 values of a weight (10,) in float16 are not finite", "`eps` of Adam", "autocast"),
        ("Softmax of a row that is masked from end to end", "causal", "diagonal=1"),
        ("division by 0", "", ""),
    ],
)
def test_what_to_do_about_values_that_are_not_finite(cause: str, words: str, change: str) -> None:
    run = observed(
        not_finite=f"The loss is nan at a.py:3. The cause: {cause}",
        facts=nw.RunFacts(optimizer="AdamW"),
    )
    finding = found(loss_values.not_finite(run))
    assert words in finding.sentence
    assert change in finding.change
    assert finding.grade == "cause"


@pytest.mark.parametrize("text", ["unreadable", "(0, 1) to (0, 0)", "(3) to (3)"])
def test_a_widening_that_cannot_be_read_is_found_all_the_same(text: str) -> None:
    assert found(loss_values.shapes_broadcast(observed(widened=text))).evidence[0].value == 2


def test_a_softmax_along_another_axis_than_the_targets() -> None:
    axes = "axis 1 of (2, 50, 10), targets along axis 2"
    finding = found(loss_values.softmax_over_batch(observed(softmax_over_batch=axes)))
    assert "axis 1 of (2, 50, 10), and the targets sum to 1 along axis 2" in finding.sentence
    assert "dim=2" in finding.change

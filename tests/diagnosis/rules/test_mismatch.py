"""Output, loss and targets that do not fit each other: on facts made by hand."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import GUESS, LAYERS, found, history, observed
from netwise.diagnosis.rules import mismatch


def test_output_and_loss() -> None:
    def run(
        activation: str, kind: str, units: int = 10, final: float = 2.3, **facts: object
    ) -> nw.History:
        layers = (LAYERS[0], nw.Layer("out", "Linear", 30, units, activation))
        return history(
            layers=layers,
            final=final,
            facts=nw.RunFacts(loss_of_guessing=GUESS, loss_kind=kind, **facts),
        )  # type: ignore[arg-type]

    double = run("Softmax", "cross-entropy of logits")
    assert found(mismatch.output_misfits_loss(double)).sentence.startswith(
        "Softmax is applied twice"
    )
    assert (
        mismatch.output_misfits_loss(run("Softmax", "cross-entropy of logits", final=0.1)) is None
    )
    assert mismatch.output_misfits_loss(run("Identity", "cross-entropy of logits")) is None
    assert mismatch.output_misfits_loss(run("Softmax", "log of probabilities")) is None
    assert (
        "always 1"
        in found(mismatch.output_misfits_loss(run("Softmax", "squared error", units=1))).sentence
    )
    assert (
        "outputs of ReLU are no probabilities"
        in found(mismatch.output_misfits_loss(run("ReLU", "log of probabilities"))).sentence
    )
    outside = run("Tanh", "squared error", class_targets=False, target_low=-3.0, target_high=2.0)
    assert (
        found(mismatch.output_misfits_loss(outside)).sentence
        == "The targets are between -3 and 2, and outputs of Tanh only between -1 and 1."
    )
    assert (
        mismatch.output_misfits_loss(
            run("Sigmoid", "squared error", class_targets=False, target_low=0.0, target_high=1.0)
        )
        is None
    )
    assert found(mismatch.loss_misfits_task(run("Identity", "squared error", class_targets=True)))
    assert mismatch.loss_misfits_task(run("Identity", "squared error", class_targets=False)) is None
    assert (
        mismatch.loss_misfits_task(run("Identity", "cross-entropy of logits", class_targets=True))
        is None
    )


def test_yes_or_no_of_each_of_many_classes() -> None:
    def run(columns: int, kind: str = "one-hot rows", final: float = 0.5) -> object:
        term = nw.LossTerm("binary cross entropy", output_shape=(8, columns), target_kind=kind)
        facts = nw.RunFacts(loss_of_guessing=0.5, loss_kind="", class_targets=True)
        return mismatch.loss_misfits_task(observed(losses=(term,), facts=facts, final=final))

    assert "of each of 20 classes, and each target has exactly one yes: 95 %" in (
        found(run(20)).sentence
    )
    assert not isinstance(run(2), nw.Finding)  # as good as a cross-entropy
    assert not isinstance(run(20, "zeros and ones"), nw.Finding)  # several labels a row
    assert not isinstance(run(20, final=0.05), nw.Finding)  # it learned
    assert not isinstance(run(20, final=0.4), nw.Finding)  # it learns


@pytest.mark.parametrize(
    ("order", "shape", "final", "named"),
    [
        (1.1, (8, 1), 2.3, True),
        (0.5, (8, 1), 2.3, False),  # amounts
        (None, (8, 1), 2.3, False),
        (1.1, (8, 10), 2.3, False),  # an output for each class
        (1.1, (8, 1), 0.1, False),  # it learned
    ],
)
def test_one_output_for_the_names_of_classes(
    order: float | None, shape: tuple[int, ...], final: float, named: bool
) -> None:
    term = nw.LossTerm("squared error", output_shape=shape, target_low=0.0, target_high=9.0)
    run = observed(losses=(term,), final=final).but(data=nw.DataFacts(class_order=order))
    answer = mismatch.loss_misfits_task(run)
    assert isinstance(answer, nw.Finding) == named
    if isinstance(answer, nw.Finding):
        assert answer.grade == "suspect"
        assert "the whole numbers from 0 to 9, which look like names" in answer.sentence

"""Steps that are short beside the way: what agrees, and what falls."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise import signals
from netwise.diagnosis.rules.one_way import steps_all_one_way

LAYERS = (nw.Layer("a", "Linear", 3, 3, "Tanh"), nw.Layer("b", "Linear", 3, 2))
FALLS = [2.3 - 0.004 * i for i in range(100)]


def run(
    cosines: float = 0.9, other: float = 0.9, steps: float = 0.98, losses: list[float] = FALLS
) -> nw.History:
    rows = {
        signals.GRADIENT_COSINE: [[cosines] * 30, [other] * 30],
        signals.UPDATE_COSINE: [[steps] * 30] * 2,
    }
    facts = nw.RunFacts(loss_of_guessing=2.3, rate=1e-4)
    history = observed({signals.LOSS: losses}, LAYERS, facts, losses[-1], rows)
    return history.but(ended=nw.RunEnd("finished", "Done.", 10 * len(losses)))


def test_gradients_that_agree_while_the_loss_falls() -> None:
    finding = found(steps_all_one_way(run()))
    assert "After 1,000 steps" in finding.sentence
    assert "(learning rate 0.0001)" in finding.sentence
    assert steps_all_one_way(run(other=0.3)) is None  # one layer walks across its valley
    assert steps_all_one_way(run(cosines=0.3, other=0.3)) is None
    assert steps_all_one_way(run(steps=0.5)) is None


def test_harmless_agreement() -> None:
    flat = [2.0 + 0.01 * (-1) ** i for i in range(100)]
    assert steps_all_one_way(run(losses=flat)) is None  # it goes nowhere: another fault
    assert steps_all_one_way(run(losses=[v / 3 for v in FALLS])) is None  # it has learned
    assert steps_all_one_way(run(losses=FALLS[:10])) is None  # the first steps of a sound run


def test_without_cosines_or_a_baseline_it_is_not_checked() -> None:
    assert isinstance(steps_all_one_way(observed({signals.LOSS: FALLS})), nw.Unchecked)
    unknown = run().but(facts=nw.RunFacts())
    assert isinstance(steps_all_one_way(unknown), nw.Unchecked)

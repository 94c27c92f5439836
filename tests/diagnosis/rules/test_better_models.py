"""Simple models of standardised data against the network."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import GUESS, found, history
from netwise import signals
from netwise.diagnosis.rules import better_models, input_scale, target_scale


def run(network: float | None, simple: float, final: float = 0.2, **facts: object) -> nw.History:
    data = nw.DataFacts(
        class_targets=False,
        evaluation_chance_score=0.0,
        evaluation_linear_score=simple,
        evaluation_r2=network,
    )
    usual = nw.RunFacts(loss_of_guessing=GUESS, **facts)  # type: ignore[arg-type]
    series = {signals.INPUT_MEAN: [0.0] * 8, signals.INPUT_STD: [200.0] * 8}
    made = history(
        {signals.ACTIVATION_STD: [[1.0] * 8] * 4}, whole=series, final=final, facts=usual
    )
    return made.but(data=data)


@pytest.mark.parametrize(
    ("network", "simple", "final", "harm"),
    [
        (0.6, 0.95, 0.2, True),
        (0.93, 0.95, 0.2, False),
        (None, 0.95, 0.2, False),
        (None, 0.95, 2.3, True),
        (0.3, 0.25, 2.0, False),  # as good as any model
        (0.0, -0.1, 2.3, True),
    ],
)
def test_scales_do_harm_where_a_simple_model_is_better(
    network: float | None, simple: float, final: float, harm: bool
) -> None:
    history = run(network, simple, final)
    assert better_models.scale_may_harm(history) == harm
    assert isinstance(input_scale.inputs_not_normalised(history), nw.Finding) == harm


def test_large_targets_of_a_run_that_has_learned_less_than_it_could() -> None:
    facts = {"class_targets": False, "target_mean": 100.0, "target_std": 80.0}
    assert found(target_scale.target_not_scaled(run(0.6, 0.95, **facts)))
    assert target_scale.target_not_scaled(run(0.94, 0.95, **facts)) is None

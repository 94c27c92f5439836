"""The contract of all rules. Each rule has a test file of its own as well."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings, strategies as st

import netwise as nw
from any_history import WIRINGS, facts_of, histories
from netwise import signals
from netwise.data_facts import DataFacts
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.first_batch import FirstBatch

RULES = {rule.name: rule for rule in nw.RULES}


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_a_rule_has_its_card(rule: nw.Rule) -> None:
    assert len(rule.explanation) > 80
    assert len(rule.healthy) > 30
    assert rule.source
    assert set(rule.explains) <= set(RULES)
    assert rule.name not in rule.explains
    assert (rule.find.__doc__ or "").startswith("Find ")


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_a_missing_signal_is_never_clear(rule: nw.Rule) -> None:
    answer = rule.find(nw.History.from_rows([]))
    assert isinstance(answer, nw.Unchecked)
    assert len(answer.reason) > 10
    assert not answer.reason.endswith(".")  # the report adds it


# Rules about the curves of a loop, which `w.step` and `w.epoch` can state as well.
OF_CURVES = {
    "layer_too_narrow",
    "embeddings_collapse",
    "too_short",
    "too_few_steps",
    "loss_still_falls",
    "plateau",
    "one_answer",
    "outputs_collapse",
    "best_was_earlier",
}


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_a_loop_that_was_not_observed_is_not_checked(rule: nw.Rule) -> None:
    rows = [{"step": i, "loss": 1.0} for i in range(30)]
    answer = rule.find(nw.History.from_rows(rows))
    needs_it = (rule.own_loops or rule.own_modules) and rule.name not in OF_CURVES
    assert (answer == nw.Unchecked(NOT_OBSERVED)) == needs_it


# Rules about facts of the wiring, which an observed loop has; all others rest on signals.
OF_FACTS = {
    "weights_stand_still",
    "frozen_layers",
    "nothing_trainable",
    "weights_outside_module",
    "graph_cut",
    "loss_without_step",
    "inner_steps_idle",
    "derivative_without_graph",
    "copy_stands_still",
    "untrained_is_evaluated",
    "average_lags",
    "pairs_reversed",
    "hidden_state_carried",
    "class_weights_flipped",
    "state_not_loaded",
    "random_numbers_repeat",
    "loss_arguments_swapped",
    "optimizer_made_anew",
    "rate_swings",
    "clipped_before_unscale",
    "shapes_broadcast",
    "softmax_over_batch",
    "not_finite",
    "targets_misfit_loss",
    "part_without_gradient",
    "unstable_loss",
    "score_misread",
    "target_not_detached",
    "summand_repeated",
    "errors_scaled_away",
}


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_an_observed_loop_without_signals_is_clear_by_facts_alone(rule: nw.Rule) -> None:
    answer = rule.find(nw.History.from_rows([], wiring=nw.Wiring(module="Net")))
    assert answer is None if rule.name in OF_FACTS else isinstance(answer, nw.Unchecked)


@pytest.mark.parametrize("name", sorted(OF_FACTS))
def test_a_fact_that_was_not_observed_gives_its_reason(name: str) -> None:
    reasons = dict.fromkeys(vars(nw.Wiring()), "the step is compiled")
    answer = RULES[name].find(nw.History.from_rows([], wiring=nw.Wiring(not_observed=reasons)))
    assert answer == nw.Unchecked("the step is compiled")


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_a_card_reads_as_text(rule: nw.Rule) -> None:
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    assert not rule.title.lower().startswith(("no ", "not "))  # it comes after "No sign of:"
    assert rule.explanation.endswith(".")
    assert rule.healthy.endswith(".")
    for text in (rule.explanation, rule.healthy, rule.source):
        assert not re.search(r"note 00\d|claims? [A-Z]\d\d", text)  # papers, no private numbers


@given(histories())
@settings(max_examples=300)
def test_rules_survive_any_numbers(history: nw.History) -> None:
    for rule in nw.RULES:
        answer = rule.find(history)
        assert answer is None or isinstance(answer, nw.Unchecked | nw.Finding)
        if isinstance(answer, nw.Finding):
            assert answer.rule == rule.name
            assert answer.evidence
            assert answer.sentence.endswith(".")
            assert set(answer.layers) <= {layer.name for layer in history.layers}
            assert math.isfinite(answer.strength)
            assert answer.steps[0] <= answer.steps[1]


@given(WIRINGS, st.integers(0, 3))
@settings(max_examples=300)
def test_rules_survive_any_wiring(facts: nw.Wiring, value: int) -> None:
    """With one value for each signal in each step, which crosses most limits."""
    rows = [{"step": i, **dict.fromkeys(signals.SIGNALS, float(value))} for i in range(12)]
    layers = tuple(nw.Layer(f"l{i}", "Linear", 3, 3, "Identity") for i in range(2))
    str(nw.diagnose(nw.History.from_rows(rows, layers, wiring=facts)))


@given(facts_of(DataFacts), facts_of(FirstBatch), st.integers(0, 3), st.booleans())
@settings(max_examples=80)
def test_rules_survive_any_facts(
    data: DataFacts, first_batch: FirstBatch, value: int, falling: bool
) -> None:
    rows = [
        {"step": i, **dict.fromkeys(signals.SIGNALS, value / (i + 1) if falling else float(value))}
        for i in range(12)
    ]
    layers = tuple(nw.Layer(f"l{i}", "Linear", 3, 3, "Identity") for i in range(2))
    facts = nw.RunFacts(loss_of_guessing=1.1, classes=3, class_targets=True, batch_size=6)
    run = nw.History.from_rows(rows, layers, facts, wiring=nw.Wiring(module="Net"))
    for rule in nw.RULES:
        answer = rule.find(run.but(data=data, first_batch=first_batch))
        if isinstance(answer, nw.Finding):
            assert math.isfinite(answer.strength), rule.name
            assert answer.steps[0] <= answer.steps[1], rule.name


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
@pytest.mark.parametrize("name", nw.gallery.healthy)
def test_a_rule_is_silent_on_healthy_runs(
    rule: nw.Rule, name: str, healthy_histories: dict[str, nw.History]
) -> None:
    history = healthy_histories[name]
    assert history.facts.task not in rule.tasks or not isinstance(rule.find(history), nw.Finding)


@pytest.fixture(scope="module")
def healthy_histories() -> dict[str, nw.History]:
    return {
        name: nw.fit(case.recipe, test=False).history for name, case in nw.gallery.healthy.items()
    }

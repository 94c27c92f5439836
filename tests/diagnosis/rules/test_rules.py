"""The contract of all rules. Each rule has a test file of its own as well."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings, strategies as st

import netwise as nw
from netwise import signals, wiring
from netwise.diagnosis.rules.observation import NOT_OBSERVED

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


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_a_loop_that_was_not_observed_is_not_checked(rule: nw.Rule) -> None:
    rows = [{"step": i, "loss": 1.0} for i in range(30)]
    answer = rule.find(nw.History.from_rows(rows))
    needs_it = rule.own_loops or rule.own_modules
    assert (answer == nw.Unchecked(NOT_OBSERVED)) == needs_it


# Rules about facts of the wiring, which an observed loop has; all others rest on signals.
OF_FACTS = {
    "weights_stand_still",
    "nothing_trainable",
    "weights_outside_module",
    "graph_cut",
    "clipped_before_unscale",
    "shapes_broadcast",
    "softmax_over_batch",
    "not_finite",
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


VALUES = st.one_of(
    st.floats(), st.sampled_from([0.0, math.nan, math.inf, -math.inf, 1e300, 1e-300])
)


NAMES = st.lists(st.sampled_from(["l0.weight", "l1.weight", "x", "a.b.c"]), unique=True).map(tuple)
SHAPES = st.lists(st.integers(0, 9), max_size=3).map(tuple)
OPERATIONS = [
    *("Softmax", "LogSoftmax", "Sigmoid", "Log", "Div", "Relu", "Addmm", "?", "Clamp", "Tanh"),
    "AnotherOperation",
]
TERMS = st.builds(
    nw.LossTerm,
    operation=st.sampled_from(["", *wiring.LOSS_OPERATIONS]),
    place=st.sampled_from(["", "a.py:3", "a.py:4"]),
    chain=st.lists(st.sampled_from(OPERATIONS), max_size=5).map(tuple),
    reduction=st.sampled_from(["", "mean", "sum", "none"]),
    factor=VALUES,
    penalty=st.booleans(),
    output_shape=SHAPES,
    highest=st.none() | VALUES,
    target_row_sums=st.lists(VALUES, max_size=2).map(tuple),
    target_low=st.none() | VALUES,
    target_high=st.none() | VALUES,
)
WIRINGS = st.builds(
    nw.Wiring,
    module=st.sampled_from(["", "Net"]),
    optimizers=st.lists(st.sampled_from(["SGD", "AdamW", "LBFGS"]), max_size=2).map(tuple),
    trainable=st.integers(0, 3),
    frozen=NAMES,
    in_no_optimizer=NAMES,
    not_reached=NAMES,
    outside_module=st.lists(st.sampled_from(["(3, 4)", ""]), max_size=6).map(tuple),
    optimizer_weights=st.integers(0, 3),
    optimizer_trainable=st.integers(0, 3),
    cut_between=st.sampled_from([(), ("l0", "l1"), ("l0",)]),
    unused_output=st.booleans(),
    losses=st.lists(TERMS, max_size=2).map(tuple),
    widened=st.sampled_from(["", "(64, 1) to (64, 64)", "(0, 1) to (0, 0)", "unreadable"]),
    softmax_over_batch=st.sampled_from(["", "(64, 10)", "(8, 8)", "unreadable"]),
    linear=st.sampled_from([None, True, False]),
    opponents=st.sampled_from([(), ("Generator",)]),
    not_finite=st.sampled_from(["", "Log of -0.367"]),
    not_finite_step=st.none() | st.integers(0, 9),
    clipped_before_unscale=st.integers(0, 9),
    not_observed=st.dictionaries(
        st.sampled_from(["losses", "in_no_optimizer", "evaluation", "gradient.zero", "widened"]),
        st.sampled_from(["", "the step is compiled"]),
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> nw.History:
    """Any numbers for any signals, with any wiring or none."""
    length = draw(st.integers(1, 12))
    layers = tuple(
        nw.Layer(
            f"l{i}",
            draw(st.sampled_from(["Linear", "GRU"])),
            3,
            3,
            draw(st.sampled_from(["", "ReLU", "Tanh", "Identity"])),
            True,
            draw(st.booleans()),
        )
        for i in range(draw(st.integers(0, 3)))
    )
    series = {}
    for layer in ("", *(layer.name for layer in layers)):
        for name in draw(st.lists(st.sampled_from(list(signals.SIGNALS)), unique=True)):
            values = draw(st.lists(VALUES, min_size=length, max_size=length))
            series[name, layer] = nw.Series(tuple(range(length)), tuple(values))
    facts = nw.RunFacts(
        loss_of_guessing=draw(st.none() | VALUES),
        weight_decay=draw(st.sampled_from([None, 0.0, 0.1])),
        rate=draw(st.sampled_from([None, 0.0, 1.0])),
        optimizer=draw(st.sampled_from([None, "SGD", "AdamW"])),
        classes=draw(st.sampled_from([None, 2, 10])),
        batch_size=draw(st.sampled_from([None, 1, 64])),
        loss_kind=draw(st.sampled_from([None, "", "cross-entropy of logits"])),
    )
    how = draw(st.sampled_from(["finished", "diverged"]))
    ended = nw.RunEnd(how, "x.", draw(st.sampled_from([5, 50])))
    return nw.History(series, layers, facts, ended, wiring=draw(st.none() | WIRINGS))


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

"""The contract of all rules. Each rule has a test file of its own as well."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise import signals

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


@given(st.data())
@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_a_rule_survives_any_numbers(rule: nw.Rule, data: st.DataObject) -> None:
    names = list(signals.SIGNALS)
    length = data.draw(st.integers(1, 12))
    layers = tuple(
        nw.Layer(
            f"l{i}", "Linear", 3, 3, data.draw(st.sampled_from(["", "ReLU", "Tanh", "Identity"]))
        )
        for i in range(data.draw(st.integers(0, 3)))
    )
    series = {}
    for layer in ("", *(layer.name for layer in layers)):
        for name in data.draw(st.lists(st.sampled_from(names), unique=True)):
            values = data.draw(st.lists(VALUES, min_size=length, max_size=length))
            series[name, layer] = nw.Series(tuple(range(length)), tuple(values))
    facts = nw.RunFacts(
        loss_of_guessing=data.draw(st.one_of(st.none(), VALUES)),
        weight_decay=data.draw(st.sampled_from([None, 0.0, 0.1])),
        rate=data.draw(st.sampled_from([None, 0.0, 1.0])),
    )
    answer = rule.find(
        nw.History(
            series,
            layers,
            facts,
            nw.RunEnd(data.draw(st.sampled_from(["finished", "diverged"])), "x.", 5),
        )
    )
    assert answer is None or isinstance(answer, nw.Unchecked | nw.Finding)
    if isinstance(answer, nw.Finding):
        assert answer.rule == rule.name
        assert answer.evidence
        assert answer.sentence.endswith(".")
        assert set(answer.layers) <= {layer.name for layer in layers}


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

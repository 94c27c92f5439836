"""Causes before consequences, three lists, the text for people, and rules of one's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

import netwise as nw
from netwise.diagnosis.rules.observation import NOT_OBSERVED


def test_each_rule_is_in_exactly_one_list(sick_run: nw.Run) -> None:
    report = nw.diagnose(sick_run)
    names = [*report.names, *report.clear, *(name for name, _ in report.unchecked)]
    about = [rule for rule in nw.RULES if "classification" in rule.tasks and not rule.own_loops]
    assert sorted(names) == sorted(rule.name for rule in about)


def test_rules_about_loops_of_ones_own_are_in_no_list_of_a_run_of_fit(sick_run: nw.Run) -> None:
    rule = next(rule for rule in nw.RULES if rule.own_loops)
    assert not rule.is_about(sick_run.history)
    own = sick_run.history.but(made_by=nw.Provenance())
    assert rule.is_about(own)
    unobserved = own.but(wiring=None)
    assert (rule.name, NOT_OBSERVED) in nw.diagnose(unobserved).unchecked


def test_rules_about_modules_of_ones_own_need_the_connections_of_a_run_of_fit(
    sick_run: nw.Run,
) -> None:
    rule = next(rule for rule in nw.RULES if rule.own_modules)
    assert rule.is_about(sick_run.history)
    assert not rule.is_about(sick_run.history.but(wiring=None))
    assert rule.is_about(sick_run.history.but(made_by=nw.Provenance(), wiring=None))


def test_rules_that_share_a_reason_share_a_line() -> None:
    lines = nw.diagnose(nw.History.from_rows([])).details.splitlines()
    shared = [line for line in lines if line.endswith(f"because {NOT_OBSERVED}.")]
    assert len(shared) == 1
    for title in ("layers outside of the module, ", "weights that no loss reaches, "):
        assert title in shared[0]


def test_a_consequence_is_under_its_cause(sick_run: nw.Run) -> None:
    report = nw.diagnose(sick_run)
    assert [finding.rule for finding in report.found] == ["vanishing_gradient"]
    cause = report.found[0]
    assert cause.grade == "cause"
    assert [finding.rule for finding in cause.consequences] == ["not_learning"]
    assert cause.consequences[0].grade == "suspect"
    assert cause.explanation
    assert cause.source
    assert cause.remedies[0] == "use_relu"


def test_a_rule_of_ones_own(digits_run: nw.Run) -> None:
    def too_slow(history: nw.History) -> nw.Finding | None:
        seconds = history.made_by.seconds
        return nw.Finding(
            "too_slow",
            f"It took {seconds:.2f} s.",
            evidence=(nw.Evidence("seconds", seconds, 0.0),),
        )

    mine = nw.Rule("too_slow", "Too slow", too_slow, "It takes long.", "me")
    report = nw.diagnose(digits_run, rules=(*nw.RULES, mine))
    assert report.names == ("too_slow",)
    assert report.found[0].remedies == ()
    assert str(report).startswith("Too slow (suspect). It took ")


def test_unchecked_says_why() -> None:
    report = nw.diagnose(nw.History.from_rows([{"step": i, "loss": 1.0} for i in range(9)]))
    assert (
        "Not checked: overfitting, because training and validation loss of each epoch are needed: "
        "call w.epoch(train_loss=..., valid_loss=...).\n" in report.details
    )


@pytest.mark.parametrize("how", ["finished", "diverged"])
def test_a_run_that_ended_at_once_is_diagnosed(small: nw.Recipe, how: str) -> None:
    history = nw.fit(small.but(epochs=1, batch_size=500)).history
    nw.diagnose(replace(history, ended=nw.RunEnd(how, "x.", 1)))


def test_a_percentage_is_shown_with_its_limit() -> None:
    stale = "steps whose gradient still contains earlier ones"
    assert str(nw.Evidence(stale, 1.0, 0.99, percent=True)) == f"{stale}: 100 % (limit 99 %)"
    assert str(nw.Evidence("x", 1e-5, 1e-4, above=False)) == "x: 1e-05 (lower limit 0.0001)"
    assert str(nw.Evidence("x", 123456.7, 5.0)) == "x: 123,457 (limit 5)"


def test_remedies_of_a_finding_go_before_those_of_its_rule() -> None:
    history = nw.History.from_rows([{"step": 0, "loss": 1.0}])
    for own, shown in ((("mine",), ("mine",)), ((), ("theirs",))):
        finding = nw.Finding("rule", "Sentence.", remedies=own)
        rule = nw.Rule("rule", "Title", lambda history: finding, "", "", remedies=("theirs",))  # noqa: B023
        assert nw.diagnose(history, rules=(rule,)).found[0].remedies == shown


class Source:
    """Trials that clear the first finding."""

    def try_out(self, history: nw.History, report: nw.Report, limit: float) -> nw.Report:
        outcome = nw.ShortTrial("rate", "the rate", "cleared", f"Limit {limit}.")
        return replace(report, found=report.found[1:], trials=(outcome,))


class Watching:
    """A program in memory, as `watch` is one."""

    def __init__(self, history: nw.History) -> None:
        self._history = history

    def history(self) -> nw.History:
        return self._history


def test_trials_are_run_where_they_are_asked_for(sick_run: nw.Run) -> None:
    watching = Watching(sick_run.history.but(trials=Source()))
    plain = nw.diagnose(watching)
    assert plain == nw.diagnose(sick_run.history)
    assert plain.trials == ()
    tried = nw.diagnose(watching, trials=True, limit=0.5)
    assert tried.found == plain.found[1:]
    assert str(tried).endswith("rate trial: cleared. Limit 0.5. (0 steps, 0.0 s)")


def test_without_a_program_in_memory_trials_are_not_possible(sick_run: nw.Run) -> None:
    (outcome,) = nw.diagnose(sick_run.history, trials=True).trials
    assert outcome.verdict == "not possible"
    assert "not in memory" in outcome.sentence


def test_what_has_no_history_is_refused_with_what_to_write() -> None:
    with pytest.raises(TypeError, match=r"not list: write `nw\.diagnose\(w\)`"):
        nw.diagnose([0.3, 0.2])  # type: ignore[arg-type]

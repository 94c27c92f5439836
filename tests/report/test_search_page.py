"""The page of a search, from trials made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netwise as nw
from netwise.report.search_page import search_page
from netwise.searches.result import optimism_note
from report.html_page import check_page

SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0), nw.axes.Integer("batch_size", 8, 64)))


def trial(number: int, value: float | None, **fields: Any) -> nw.TrialRecord:
    point = {"optimizer.lr": 0.01 * (1 + number), "batch_size": 8 + number}
    return nw.TrialRecord(number, 0, point, value, epochs=5, seconds=1.25, **fields)


def result(*trials: nw.TrialRecord, **fields: Any) -> nw.SearchResult:
    plan = nw.SearchPlan(space=SPACE, method=nw.Random(), trials=5)
    return nw.SearchResult(Path("runs/study"), plan, trials, **fields)


def test_the_best_trial_is_shown_with_how_far_to_trust_it() -> None:
    trials = (trial(0, 0.5), trial(1, 0.875, low=0.8, high=0.95), trial(2, None, state="failed"))
    text = search_page(
        result(
            *trials,
            best=trials[1],
            best_value=0.875,
            fresh_values=(0.8, 0.82),
            mean=0.81,
            low=0.7,
            high=0.92,
            test=nw.Score("accuracy", 0.8, 0.75, 0.85, 100),
            notes=("the best rate is at the border",),
        )
    )
    check_page(text)
    for expected in (
        "Random search over optimizer.lr, batch_size",
        "3 trials: 2 complete, 1 failed.",
        "Trial 1: optimizer.lr = 0.02, batch_size = 9.",
        "in the search; the highest of 2 values, so probably too high",
        "mean over 2 new seeds, same validation part",
        "0.7000 to 0.9200",
        "accuracy on the test part, which was used for nothing else",
        "The best rate is at the border.",
        '<td class="number">0.8750</td><td>0.8000 to 0.9500</td>',
        "<h2>Plan</h2>",
    ):
        assert expected in text, expected
    ranking = text.split("<h2>Ranking</h2>")[1].split("</table>")[0]
    assert ranking.index("0.8750") < ranking.index("0.5000")
    assert "failed" not in ranking


def test_a_search_that_has_not_ended_says_how_to_continue_it() -> None:
    text = search_page(result(trial(0, 0.5), trial(1, None, state="running"), complete=False))
    assert "2 trials: 1 complete, 1 running. The search has not ended." in text
    assert "<code>netwise search --resume runs/study</code>" in text
    empty = search_page(result(complete=False))
    assert "No trials yet." in empty
    assert "No trial was completed." in empty


def test_reasons_have_a_column_only_where_there_are_some() -> None:
    assert "<th>reason</th>" not in search_page(result(trial(0, 0.5)))
    text = search_page(result(trial(0, None, state="failed", reason="diverged <at> step 3")))
    assert "<th>reason</th>" in text
    assert "diverged &lt;at&gt; step 3" in text


def test_more_than_500_trials_are_counted() -> None:
    text = search_page(result(*(trial(i % 50, 0.5) for i in range(503)), complete=False))
    assert "3 more trials are in runs/study." in text


def test_an_interval_is_written_where_it_is_known() -> None:
    assert result().shown_interval(None, None) == ""
    assert result().shown_interval(0.25, 0.75) == "0.2500 to 0.7500"


def test_a_loss_is_shown_with_its_own_sign() -> None:
    trials = (trial(0, -0.5, low=-0.625, high=-0.375), trial(1, -0.25))
    found = result(*trials, best=trials[1], best_value=-0.25, mean=-0.3125, metric="log_loss")
    text = search_page(found)
    assert "log loss</th>" in text
    assert "0.3750 to 0.6250" in text
    assert "the lowest of 2 values, so probably too low" in text
    assert "-0.25" not in text
    assert "-0.31" not in text
    assert "in the search: 0.25" in str(found)
    assert "0.25, is the lowest of 2" in optimism_note(-0.25, -0.3125, 2, "log_loss")

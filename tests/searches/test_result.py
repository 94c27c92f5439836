"""The result of a search: its ranking, its notes and its form in files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import netwise as nw
from netwise.searches.result import (
    SearchResult,
    border_notes,
    collect_result,
    is_complete,
    optimism_note,
    result_as_dict,
)
from netwise.searches.study import StudyFolder

RATE = nw.axes.Log("optimizer.lr", 1e-4, 1.0)
SPACE = nw.Space((RATE, nw.axes.Choice("network.activation", ("ReLU", "Tanh"))))
RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=2)


def result(method: nw.SearchMethod, *records: nw.TrialRecord) -> SearchResult:
    return SearchResult(Path("s"), nw.SearchPlan(space=SPACE, method=method), records)


def test_only_trials_of_the_last_stage_are_ranked_where_the_others_were_short() -> None:
    records = [
        nw.TrialRecord(0, 0, {}, value=0.9),
        nw.TrialRecord(1, 2, {}, value=0.5),
        nw.TrialRecord(2, 2, {}, value=0.7),
        nw.TrialRecord(3, 2, {}, value=0.95, state="pruned"),
    ]
    assert [t.number for t in result(nw.CoarseToFine(rounds=3), *records).ranked] == [2, 1]
    assert [t.number for t in result(nw.Random(), *records).ranked] == [0, 2, 1]


@pytest.mark.parametrize(
    ("rate", "end"), [(1e-4, "low"), (1.4e-4, "low"), (1e-2, ""), (0.8, "high"), (1.0, "high")]
)
def test_a_winner_at_the_end_of_an_axis_is_noted_with_what_to_change(rate: float, end: str) -> None:
    best = nw.TrialRecord(0, 0, {"optimizer.lr": rate, "network.activation": "ReLU"}, value=1.0)
    notes = border_notes(nw.SearchPlan(space=SPACE), best)
    assert len(notes) == bool(end)
    if end:
        change = {"low": "lower its low end", "high": "raise its high end"}[end]
        assert f"is at the {end} end of its axis" in notes[0]
        assert change in notes[0]


def test_the_best_of_many_values_is_compared_with_fresh_seeds() -> None:
    assert "0.05 of it was chance" in optimism_note(0.95, 0.9, 20)
    assert "none of it was chance" in optimism_note(0.9, 0.9, 20)
    assert "none of it was chance" in optimism_note(0.8, 0.9, 20)
    assert "is the highest of 20" in optimism_note(0.95, 0.9, 20)


def test_optimism_is_what_the_search_overestimates() -> None:
    plan = nw.SearchPlan(space=SPACE)
    assert SearchResult(Path("s"), plan, (), best_value=0.9, mean=0.8).optimism == (
        pytest.approx(0.1)
    )
    assert SearchResult(Path("s"), plan, ()).optimism is None


def test_a_study_without_trials_has_a_result(tmp_path: Path) -> None:
    plan = nw.SearchPlan(space=SPACE, method=nw.Random(), trials=1)
    study = StudyFolder.create(tmp_path / "s", RECIPE, plan)
    assert not is_complete(study)
    found = collect_result(study, complete=False)
    assert found.trials == ()
    assert found.best is None
    assert found == nw.load_search(tmp_path / "s")


def test_the_keys_in_outcome_json_are_those_of_earlier_versions(tmp_path: Path) -> None:
    space = nw.Space((RATE,))
    options = {"method": nw.Halving(), "trials": 2, "fresh": 2, "jobs": 1}
    found = nw.search(RECIPE, space, folder=tmp_path / "s", **options)
    written = json.loads((tmp_path / "s" / "outcome.json").read_text())
    assert written == json.loads(json.dumps(result_as_dict(found)))
    assert written.keys() == {
        *("folder", "complete", "method", "trials", "best", "recipe", "own", "fresh", "mean"),
        *("low", "high", "optimism", "test", "notes"),
    }
    assert written["own"] == found.best_value
    assert written["fresh"] == list(found.fresh_values)
    assert written["trials"][0]["seen"] == list(found.trials[0].epoch_values)
    assert nw.load_search(tmp_path / "s") == found


def test_a_printed_result_names_the_winner_and_its_value_over_fresh_seeds() -> None:
    best = nw.TrialRecord(0, 0, {"optimizer.lr": 0.01}, value=0.95)
    printed = str(
        SearchResult(
            Path("s"),
            nw.SearchPlan(space=SPACE),
            (best,),
            best,
            best_value=0.95,
            fresh_values=(0.9, 0.92),
            mean=0.91,
            low=0.78,
            high=1.04,
        )
    )
    assert printed.splitlines() == [
        f"Best of 1 trials: {best.point_text}.",
        "  in the search: 0.95",
        "  over 2 fresh seeds: 0.91, 0.78 to 1.04",
    ]
    assert str(result(nw.Random())) == "No trial of 0 was completed."


def test_an_axis_of_parts_is_written_as_a_file_has_them(tmp_path: Path) -> None:
    options = (nw.He(gain=0.5), nw.Glorot(), nw.Orthogonal())
    found = nw.search(
        RECIPE,
        nw.Space((nw.axes.Choice("init", options),)),
        method=nw.Grid(),
        trials=3,
        fresh=0,
        jobs=1,
        folder=tmp_path / "search",
    )
    assert [trial.point["init"] for trial in found.trials] == list(options)
    written = json.loads((tmp_path / "search" / "outcome.json").read_text())
    assert written["trials"][0]["point"]["init"]["kind"] == "He"
    assert written["trials"][0]["point"]["init"]["gain"] == 0.5
    loaded = nw.load_search(tmp_path / "search")
    kinds = [trial.point["init"]["kind"] for trial in loaded.trials]
    assert kinds == ["He", "Glorot", "Orthogonal"]
    assert loaded.recipe == found.recipe

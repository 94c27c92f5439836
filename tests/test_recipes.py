"""The recipes of the repository can be read, and their table says what the recorded results say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import netwise as nw
from recipes import entries, measures, recording
from recipes.entries import ENTRIES, Entry, recipe_of
from recipes.recording import path_of, run_entry, valid_results
from recipes.table import is_reached, measured_text, table

FOLDER = Path(__file__).parent.parent / "recipes"
FILES = sorted(FOLDER.glob("**/*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_recipe_can_be_read_and_starts_with_what_it_is(path: Path) -> None:
    recipe = nw.read_recipe(path)
    assert path.read_text().startswith("# ")
    assert len(recipe.hash) == 12


@pytest.mark.no_cover  # parts and training have tests of their own
@pytest.mark.files
@pytest.mark.usefixtures("data_files")
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_recipe_fits_its_data(path: Path) -> None:
    if path.stem.startswith("cifar"):
        pytest.skip("unpacking CIFAR-10 takes longer than a test should")
    assert not [
        problem for problem in nw.check(nw.read_recipe(path)) if problem.grade == "cannot run"
    ]


def test_every_recipe_is_measured_and_every_result_has_its_provenance() -> None:
    assert set(FILES) == {entry.recipe_file for entry in ENTRIES}
    names = {path_of(entry).name for entry in ENTRIES}
    for path in (FOLDER / "results").glob("*.json"):
        assert path.name in names
        for seed, result in json.loads(path.read_text()).items():
            assert int(seed) >= 0
            assert {"recipe", "value", "seconds", "threads", "date", "versions", "machine"} <= set(
                result
            )


def test_recorded_results_are_of_the_present_recipes() -> None:
    for entry in ENTRIES:
        if not entry.for_gpu:
            assert len(valid_results(entry)) == len(entry.seeds), entry.name


def test_the_table_is_made_of_the_results() -> None:
    page = (FOLDER / "README.md").read_text()
    assert page.endswith(table()), "run: scripts/recipes --table"


def results(*values: float, **more: Any) -> dict[str, dict[str, Any]]:
    return {str(i): {"value": v, "seconds": 60.0, **more} for i, v in enumerate(values)}


@pytest.mark.parametrize(
    ("options", "made_up", "reached"),
    [
        ({"high": 1.5}, results(1.0, 1.9), True),
        ({"high": 1.4}, results(1.0, 1.9), False),
        ({"low": 1.5}, results(1.0, 1.9), False),
        ({"high": 1.5, "max_minutes": 1}, results(1.0), True),
        ({"high": 1.5, "max_minutes": 0.9}, results(1.0), False),
        ({"peers": True}, results(90.0, peers={"MLP": 90.4, "forest": 80.0}), True),
        ({"peers": True}, results(90.0, peers={"MLP": 90.6, "forest": 80.0}), False),
        ({"goal": "none: shown only"}, results(90.0), None),
    ],
)
def test_a_goal_is_that_of_the_mean(
    options: dict[str, Any], made_up: dict[str, Any], reached: bool | None
) -> None:
    entry = Entry(
        **{"name": "x", "measure": measures.score_percent, "label": "y", "goal": "z", **options}
    )
    assert is_reached(entry, made_up) is reached


def test_the_measured_text_has_mean_range_peers_and_further_numbers() -> None:
    entry = Entry(name="x", measure=measures.score_percent, label="accuracy", goal="z")
    made_up = results(90.0, 92.0, peers={"MLP": 1.0}, more={"AIS": 2.0})
    assert measured_text(entry, made_up) == ("accuracy 91.00 % (90.00 % to 92.00 %); AIS 2.00 %")
    with_peers = Entry(
        name="x", measure=measures.score_percent, label="accuracy", goal="z", peers=True
    )
    assert "scikit-learn's MLP 1.00" in measured_text(with_peers, made_up)


def test_an_entry_is_run_and_recorded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.toml").write_text('data = "iris"\nnetwork = {kind = "MLP", widths = [4, 3]}')
    monkeypatch.setattr(entries, "HERE", tmp_path)
    monkeypatch.setattr(recording, "RESULTS", tmp_path / "results")
    entry = Entry(
        name="small",
        measure=measures.error_percent,
        label="test error",
        goal="z",
        variant=lambda recipe: recipe.but(epochs=2),
        seeds=(0, 1),
        peers=True,
    )
    run_entry(entry, threads=1)
    recorded = valid_results(entry)
    run = nw.fit(recipe_of(entry, 1), threads=1)
    assert run.score is not None
    assert recorded["1"]["value"] == pytest.approx(100 * (1 - run.score.value))
    assert set(recorded["0"]["peers"]) == {"MLP", "linear", "forest"}
    monkeypatch.setattr(recording, "measure_run", lambda *given: pytest.fail("ran again"))
    run_entry(entry, threads=1)


def test_a_cyclical_rate_is_compared_with_the_best_constant_one() -> None:
    recipe = nw.Recipe(
        data=nw.data.iris(), network=nw.MLP((4, 3)), epochs=12, optimizer=nw.SGD(lr=0.02)
    )
    run = nw.fit(recipe.but(schedule=nw.Cyclical(low=0.01, half=3)))
    rates = (0.0002, 0.002, 0.02)
    constant = [nw.fit(recipe.but(optimizer=nw.SGD(lr=rate))) for rate in rates]
    best = min(measures.epochs_to(each, 0.814) for each in constant)
    assert measures.constant_over_cyclical(run) == best / measures.epochs_to(run, 0.814)
    assert measures.epochs_to(run, 2.0) == 13

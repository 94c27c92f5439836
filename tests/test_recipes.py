"""The recipes of the repository can be read, and their table says what the recorded results say."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import netwise as nw

FOLDER = Path(__file__).parent.parent / "recipes"
FILES = sorted(FOLDER.glob("**/*.toml"))


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    """The module `recipes/measure.py`."""
    spec = importlib.util.spec_from_file_location("measure", FOLDER / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["measure"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_recipe_can_be_read_and_starts_with_what_it_is(path: Path) -> None:
    recipe = nw.read_recipe(path)
    assert path.read_text().startswith("# ")
    assert len(recipe.hash) == 12


@pytest.mark.files
@pytest.mark.usefixtures("data_files")
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_recipe_fits_its_data(path: Path) -> None:
    if path.stem.startswith("cifar"):
        pytest.skip("unpacking CIFAR-10 takes longer than a test should")
    assert not [
        problem for problem in nw.check(nw.read_recipe(path)) if problem.grade == "cannot run"
    ]


def test_every_recipe_is_measured_and_every_result_has_its_provenance(measure: ModuleType) -> None:
    assert set(FILES) == {entry.recipe_file for entry in measure.ENTRIES}
    names = {measure.path_of(entry).name for entry in measure.ENTRIES}
    for path in (FOLDER / "results").glob("*.json"):
        assert path.name in names
        for seed, result in json.loads(path.read_text()).items():
            assert int(seed) >= 0
            assert {"recipe", "value", "seconds", "threads", "date", "versions", "machine"} <= set(
                result
            )


def test_recorded_results_are_of_the_present_recipes(measure: ModuleType) -> None:
    for entry in measure.ENTRIES:
        if not entry.for_gpu:
            assert len(measure.valid_results(entry)) == len(entry.seeds), entry.name


def test_the_table_is_made_of_the_results(measure: ModuleType) -> None:
    page = (FOLDER / "README.md").read_text()
    assert page.endswith(measure.table()), "run: scripts/recipes --table"


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
    measure: ModuleType, options: dict[str, Any], made_up: dict[str, Any], reached: bool | None
) -> None:
    entry = measure.Entry(
        **{"name": "x", "measure": measure.score_percent, "label": "y", "goal": "z", **options}
    )
    assert measure.is_reached(entry, made_up) is reached


def test_the_measured_text_has_mean_range_peers_and_further_numbers(measure: ModuleType) -> None:
    entry = measure.Entry(name="x", measure=measure.score_percent, label="accuracy", goal="z")
    made_up = results(90.0, 92.0, peers={"MLP": 1.0}, more={"AIS": 2.0})
    assert measure.measured_text(entry, made_up) == (
        "accuracy 91.00 % (90.00 % to 92.00 %); AIS 2.00 %"
    )
    with_peers = measure.Entry(
        name="x", measure=measure.score_percent, label="accuracy", goal="z", peers=True
    )
    assert "scikit-learn's MLP 1.00" in measure.measured_text(with_peers, made_up)


def test_an_entry_is_run_and_recorded_once(
    measure: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.toml").write_text('data = "iris"\nnetwork = {kind = "MLP", widths = [4, 3]}')
    monkeypatch.setattr(measure, "HERE", tmp_path)
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results")
    entry = measure.Entry(
        name="small",
        measure=measure.error_percent,
        label="test error",
        goal="z",
        variant=lambda recipe: recipe.but(epochs=2),
        seeds=(0, 1),
        peers=True,
    )
    measure.run_entry(entry, threads=1)
    recorded = measure.valid_results(entry)
    run = nw.fit(measure.recipe_of(entry, 1), threads=1)
    assert run.score is not None
    assert recorded["1"]["value"] == pytest.approx(100 * (1 - run.score.value))
    assert set(recorded["0"]["peers"]) == {"MLP", "linear", "forest"}
    monkeypatch.setattr(measure, "measure_run", lambda *given: pytest.fail("ran again"))
    measure.run_entry(entry, threads=1)

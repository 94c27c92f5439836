"""The recipes of the repository: each can be read, and the table of results says what the results
say."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

import netwise as nw

FOLDER = Path(__file__).parent.parent / "recipes"
FILES = sorted(FOLDER.glob("**/*.toml"))


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    """The module that runs the recipes."""
    spec = importlib.util.spec_from_file_location("measure", FOLDER / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["measure"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_recipe_can_be_read_and_says_what_it_is(path: Path) -> None:
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


def test_every_recipe_is_measured_and_every_result_has_its_marks(measure: ModuleType) -> None:
    assert {str(path.relative_to(FOLDER).with_suffix("")) for path in FILES} == {
        entry.file for entry in measure.ENTRIES
    }
    known = {measure.path_of(entry).name for entry in measure.ENTRIES}
    for path in (FOLDER / "results").glob("*.json"):
        assert path.name in known
        for seed, result in json.loads(path.read_text()).items():
            assert int(seed) >= 0
            assert {"recipe", "value", "seconds", "threads", "date", "versions", "machine"} <= set(
                result
            )


def test_the_table_is_made_of_the_results(measure: ModuleType) -> None:
    page = (FOLDER / "README.md").read_text()
    assert page.endswith(measure.table()), "run: scripts/recipes --table"

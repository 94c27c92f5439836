"""Each file that netwise reads may hold any bytes: it gives a valid value, or an error of netwise
that names the file, and never another exception."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import netwise as nw
from edges.mutations import mutations
from netwise.schema import SchemaError, parse_json, parse_toml, typed
from netwise.searches.guess_log import GuessEntry, guess_table, read_guesses, write_entry
from netwise.storage.about_file import About, Program
from netwise.storage.index import list_runs
from netwise.storage.rows_file import parse_row
from netwise.storage.run_folder import RunFolder
from netwise.training.run import Score
from watching.watched_run import write_watched_run

COPIES = 60  # of each file; `scripts/torture` makes more
RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=2)
SEALS = ("sha256", "files", "rows", "recipe")  # of about.json; earlier versions wrote none


@dataclass(frozen=True)
class Reader:
    """A file below a folder, and what reads it."""

    file: str
    read: Callable[[Path], object]
    sealed: bool = True


def diagnosed(folder: Path) -> None:
    report = nw.diagnose(RunFolder.open(folder / "run").history())
    json.dumps(report.as_dict(), allow_nan=False)
    assert str(report)
    assert report.details


def predicted(folder: Path) -> None:
    run = nw.load(folder / "run")
    assert str(run)
    assert len(run.predict([[5.1, 3.5, 1.4, 0.2]])) == 1


READERS = {
    "about": Reader("run/about.json", diagnosed),
    "about of an earlier version": Reader("run/about.json", diagnosed, sealed=False),
    "about, for predictions": Reader("run/about.json", predicted, sealed=False),
    "rows": Reader("run/history/rows.jsonl", diagnosed),
    "rows of an earlier version": Reader("run/history/rows.jsonl", diagnosed, sealed=False),
    "recipe": Reader("run/recipe.toml", predicted),
    "weights": Reader("run/weights.safetensors", predicted),
    "weights of an earlier version": Reader("run/weights.safetensors", predicted, sealed=False),
    "list": Reader("run/about.json", lambda folder: list_runs(folder)),
    "program": Reader("train/program.json", lambda folder: RunFolder(folder / "train").program()),
    "guess": Reader(
        "book/guesses/001/guess.json", lambda folder: guess_table(read_guesses(folder / "book"))
    ),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each of the files."""
    home = tmp_path_factory.mktemp("written")
    nw.fit(RECIPE, folder=home / "run", watch_every=1)
    write_watched_run(home / "train")
    (home / "book" / "guesses" / "001").mkdir(parents=True)
    write_entry(home / "book", GuessEntry(1, ("a -> b",), "look", 0.9, 0.8, 0.95, "Done.", "", ""))
    return home


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_gives_a_value_or_an_error_that_names_it(
    name: str, written: Path, tmp_path: Path
) -> None:
    reader = READERS[name]
    folder = tmp_path / "copy"
    shutil.copytree(written, folder)
    if not reader.sealed:
        about = json.loads((folder / "run" / "about.json").read_bytes())
        plain = {key: value for key, value in about.items() if key not in SEALS}
        (folder / "run" / "about.json").write_text(json.dumps(plain))
    file = folder / reader.file
    refused = 0
    for damaged in mutations(file.read_bytes(), COPIES, seed=len(name)):
        file.write_bytes(damaged)
        try:
            reader.read(folder)
        except nw.NetwiseError as error:
            refused += 1
            assert file.name in str(error) or str(folder) in str(error)
    assert refused or name == "list"


@pytest.mark.parametrize("name", ["journal.log", "search.toml", "recipe.toml", "outcome.json"])
def test_a_damaged_study_gives_a_result_or_an_error_of_it(name: str, tmp_path: Path) -> None:
    home, space = tmp_path / "home", nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
    options = {"method": nw.Random(), "trials": 2, "fresh": 0, "jobs": 1}
    nw.search(RECIPE.but(epochs=1), space, folder=home / "study", **options)
    file = home / "study" / name
    raw = file.read_bytes()
    for damaged in mutations(raw, COPIES // 3, seed=1):
        file.write_bytes(damaged)
        try:
            str(nw.load_search(home / "study"))
        except nw.NetwiseError as error:
            assert name in str(error) or str(home) in str(error)
        assert len(list_runs(home)) == 1


def test_a_checkpoint_of_other_values_is_refused_with_their_names(tmp_path: Path) -> None:
    """The sums are those of the damaged file: a program wrote it so, or somebody did."""
    whole, run = tmp_path / "whole", tmp_path / "run"
    nw.fit(RECIPE.but(stopping=nw.Patience()), folder=whole, halt=lambda *_: "paused")
    (state,) = whole.glob("checkpoints/*/state.json")
    for damaged in mutations(state.read_bytes(), COPIES // 3, seed=5):
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(whole, run)
        file = run / state.relative_to(whole)
        file.write_bytes(damaged)
        sums = json.loads((file.parent / "manifest.json").read_bytes())
        sums[file.name] = hashlib.sha256(damaged).hexdigest()
        (file.parent / "manifest.json").write_text(json.dumps(sums))
        try:
            nw.resume(run)
        except nw.NetwiseError as error:
            assert str(run) in str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
SHAPES = (About, Program, Score, nw.RunFacts, nw.RunEnd, nw.Layer, dict[str, float], list[int])


@settings(max_examples=200, deadline=None)
@given(JSON, st.sampled_from(SHAPES))
def test_any_json_is_of_the_shape_or_refused(plain: object, shape: object) -> None:
    try:
        typed(shape, plain)
    except SchemaError as error:
        assert str(error)


@settings(max_examples=300, deadline=None)
@given(
    st.binary() | st.text().map(str.encode), st.sampled_from([parse_json, parse_toml, parse_row])
)
def test_any_bytes_are_parsed_or_refused(raw: bytes, parse: Callable[[bytes], object]) -> None:
    try:
        parse(raw)
    except SchemaError as error:
        assert str(error)

"""A changed value anywhere in a run folder is noticed."""

from __future__ import annotations

import json
import random
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

import netwise as nw
from netwise.schema import SchemaError
from netwise.storage.run_folder import RunFolder
from netwise.storage.seals import (
    RowsCheck,
    RowsSeal,
    hash_of_text,
    is_whole,
    recipe_changes,
    sealed,
)

ROWS, ABOUT, RECIPE, WEIGHTS = (
    "history/rows.jsonl",
    "about.json",
    "recipe.toml",
    "weights.safetensors",
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = nw.Recipe(
        data=nw.data.iris(),
        network=nw.MLP((4, 8, 3)),
        preprocess=(nw.Standardise(),),
        optimizer=nw.SGD(lr=0.125),
        epochs=2,
    )
    folder = tmp_path_factory.mktemp("finished") / "run"
    nw.fit(recipe, folder=folder)
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_the_sum_of_values_ignores_how_they_are_written() -> None:
    values = {"b": [1, 2.5, "é", None], "a": {"x": True}}
    about = sealed(values)
    assert is_whole(about)
    assert is_whole(json.loads(json.dumps(about, indent=3, sort_keys=True)))
    assert is_whole(values)  # of an earlier version
    for changed in ({"b": 1}, {"a": {"x": 1.5}}, {"c": 0}, {"sha256": "0"}, {"sha256": None}):
        assert not is_whole({**about, **changed})


@pytest.mark.parametrize("name", [ROWS, ABOUT, WEIGHTS, RECIPE])
def test_a_flipped_bit_gives_an_error_or_the_same_run(run: Path, name: str) -> None:
    """A flip that changes no value, such as one in a comment or a space, may be read."""
    whole, raw, draw = nw.load(run), (run / name).read_bytes(), random.Random(name)
    inputs = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 5.6, 2.4]]
    errors = 0
    for _ in range(60):
        place = draw.randrange(len(raw))
        flipped = bytearray(raw)
        flipped[place] ^= 1 << draw.randrange(8)
        (run / name).write_bytes(flipped)
        try:
            read = nw.load(run)
        except nw.NetwiseError:
            errors += 1
            continue
        assert read.recipe == whole.recipe
        assert read.history == whole.history
        assert read.score == whole.score
        assert read.outputs(inputs).equal(whole.outputs(inputs))
    assert errors >= 50, name


def test_a_changed_digit_of_a_row_is_named(run: Path) -> None:
    text = (run / ROWS).read_text()
    place = re.search(r"0\.[0-9]+", text)
    assert place is not None
    (run / ROWS).write_text(text.replace(place[0], place[0].replace("0.", "1."), 1))
    message = r"rows\.jsonl is damaged, because it has others than the \d+ rows of this run"
    for read in (nw.load, nw.load_history):
        with pytest.raises(nw.RunFolderError, match=message):
            read(run)


@pytest.mark.parametrize("change", ["shorter", "longer", "moved", "absent"])
def test_rows_that_are_missing_added_or_moved_are_noticed(run: Path, change: str) -> None:
    lines = (run / ROWS).read_text().splitlines(keepends=True)
    text = {
        "shorter": lines[:-1],
        "longer": [*lines, lines[-1]],
        "moved": [lines[1], lines[0], *lines[2:]],
        "absent": [],
    }[change]
    (run / ROWS).write_text("".join(text))
    if change == "absent":
        (run / ROWS).unlink()
    with pytest.raises(nw.RunFolderError, match=r"rows\.jsonl is damaged"):
        nw.load_history(run)


def test_a_row_after_those_that_a_running_run_counts_is_no_damage(run: Path) -> None:
    store = RunFolder(run)
    store.write_about(
        {**store.about(), "ended": {"how": "running", "sentence": "Still running.", "step": 1}}
    )
    before = store.history()
    store.append([{"step": 900, "train.loss": 0.5}])
    after = store.history().of("train.loss")
    assert after is not None
    assert before.of("train.loss") == nw.Series(after.steps[:-1], after.values[:-1])


def test_weights_of_another_run_are_noticed(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    nw.fit(nw.load(run).recipe.but(seed=1), folder=other)
    shutil.copy(other / WEIGHTS, run / WEIGHTS)
    with pytest.raises(nw.RunFolderError, match="because it differs from its SHA-256 sum"):
        nw.load(run)
    with pytest.raises(nw.RunFolderError, match="because it differs from its SHA-256 sum"):
        nw.fit(nw.load(other).recipe.but(init=nw.From(str(run))))


def test_a_changed_recipe_is_refused_with_the_difference(run: Path) -> None:
    text = (run / RECIPE).read_text()
    changed = text.replace("lr = 0.125", "lr = 0.25").replace("epochs = 2", "epochs = 5")
    (run / RECIPE).write_text(changed)
    message = (
        f"{run / RECIPE} was changed after the run began: epochs = 5, and was 2; optimizer.lr = "
        "0.25, and was 0.125. Put the old values back, or train the changed recipe as a new run: "
        f"netwise train {run / RECIPE}"
    )
    for read in (nw.load, nw.resume, lambda folder: RunFolder.open(folder).recipe()):
        with pytest.raises(nw.RunFolderError, match=re.escape(message)):
            read(run)
    (run / RECIPE).write_text(f"# my notes\n\n{text}")
    assert nw.load(run).recipe.epochs == 2


def without_seals(run: Path) -> None:
    """The run as earlier versions wrote it."""
    about = json.loads((run / ABOUT).read_text())
    for name in ("sha256", "recipe", "rows", "files"):
        del about[name]
    (run / ABOUT).write_text(json.dumps(about))


def test_a_run_of_an_earlier_version_is_read_and_its_recipe_checked(run: Path) -> None:
    whole = nw.load(run)
    without_seals(run)
    old = nw.load(run)
    assert (old.recipe, old.history, old.score) == (whole.recipe, whole.history, whole.score)
    text = (run / RECIPE).read_text()
    assert hash_of_text(text) == whole.recipe.hash
    (run / RECIPE).write_text(text.replace("lr = 0.125", "lr = 0.25"))
    with pytest.raises(nw.RunFolderError, match=f"and was {whole.recipe.hash}"):
        nw.load(run)


def test_the_hash_of_the_text_counts_where_this_version_has_more_fields() -> None:
    text, made_by = "epochs = 2\n", {"recipe": hash_of_text("epochs = 2\n")}
    assert recipe_changes(text, {"made_by": made_by}, "of today") == []
    assert recipe_changes("epochs=2", {"made_by": made_by}, "of today") != []
    assert recipe_changes("epochs=2", {"made_by": made_by}, made_by["recipe"]) == []
    assert recipe_changes("epochs=2", {}, "of today") == []


def test_changes_of_a_recipe_are_named_with_both_values() -> None:
    recorded = 'a = 1\nb = true\n[c]\nkind = "SGD"\nlr = 0.1\n'
    now = 'a = 1.0\n[c]\nkind = "Adam"\nlr = 0.1\nnew = [1, 2]\n'
    assert recipe_changes(now, {"recipe": recorded}, "") == [
        "a = 1.0, and was 1",
        "b is absent, and was true",
        "c.kind = 'Adam', and was 'SGD'",
        "c.new = [1, 2], and was absent",
    ]


def test_rows_are_checked_in_any_pieces() -> None:
    raw = b'{"step": 0}\n{"step": 1}\n'
    seal = RowsSeal.of(raw)
    assert (seal.count, seal.size) == (2, len(raw))
    assert RowsSeal.read({"rows": asdict(seal)}) == seal
    assert RowsSeal.read({}) is None
    for size in (1, 5, 12, 100):
        for more, changed, message in (
            (b"", b"", ""),
            (b"x", b"", "has 1 bytes after the 2 rows"),
            (b"", b"0", "SHA-256 sum differs"),
        ):
            check, text = RowsCheck(seal), raw.replace(b"1", changed or b"1") + more
            for start in range(0, len(text), size):
                check.add(text[start : start + size])
            if not message:
                check.require(may_have_more=False)
                continue
            with pytest.raises(SchemaError, match=message):
                check.require(may_have_more=False)
            if more:
                check.require(may_have_more=True)
    with pytest.raises(SchemaError, match=f"is {len(raw)} bytes shorter than the 2 rows"):
        RowsCheck(seal).require(may_have_more=True)

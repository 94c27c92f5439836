"""Runs whose files were cut off, damaged or cannot be read: resumed to the same bits, or refused
without a change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import netwise as nw
from netwise.recipe.prepared import prepare
from netwise.storage.run_folder import RunFolder

ROWS, CHECKPOINTS = "history/rows.jsonl", "checkpoints"
RECIPE = nw.Recipe(
    data=nw.data.iris(),
    network=nw.MLP((4, 8, 3), dropout=0.2),
    optimizer=nw.Adam(lr=0.01),
    batch_size=32,
    epochs=6,
)
MEMORY = nw.Recipe(
    data=nw.data.digits(), network=nw.energy.Hopfield(units=64), preprocess=(nw.Binarise(),)
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> nw.Run:
    return nw.fit(RECIPE, folder=tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopped") / "run"
    nw.fit(RECIPE, folder=folder, halt=lambda epoch, row: "enough" if epoch == 4 else None)
    return folder


@pytest.fixture
def run(stopped: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stopped, tmp_path / "run"))


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def same(one: nw.Run, other: nw.Run) -> None:
    assert one.history.series == other.history.series
    assert one.history.ended == other.history.ended
    assert one.score == other.score
    inputs = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 5.6, 2.4]]
    assert one.outputs(inputs).equal(other.outputs(inputs))
    assert one.folder is not None
    assert other.folder is not None
    assert (one.folder / ROWS).read_bytes() == (other.folder / ROWS).read_bytes()


def cut_last_rows(run: Path) -> None:
    lines = (run / ROWS).read_bytes().splitlines(keepends=True)
    (run / ROWS).write_bytes(b"".join(lines[:-1]) + lines[-1][:9])


def change_a_digit(run: Path) -> None:
    head, _, last = (run / ROWS).read_bytes().rstrip(b"\n").rpartition(b"\n")
    (run / ROWS).write_bytes(head + b"\n" + last.replace(b"0.", b"1.") + b"\n")


def damage_the_newest_checkpoint(run: Path) -> None:
    newest = max((run / CHECKPOINTS).iterdir())
    (newest / "model.safetensors").write_bytes(b"")


@pytest.mark.parametrize("damage", [cut_last_rows, change_a_digit, damage_the_newest_checkpoint])
def test_the_newest_checkpoint_that_fits_is_resumed_to_the_same_bits(
    run: Path, whole: nw.Run, damage: Callable[[Path], None]
) -> None:
    newest = max((run / CHECKPOINTS).iterdir())
    damage(run)
    steps: list[int] = []

    class Start(nw.Silent):
        def start(self, epochs: int, steps_: int, done: int) -> None:
            steps.append(done)

    same(nw.resume(run, progress=Start()), whole)
    assert steps == [int(newest.name.removeprefix("step-")) * 3 // 4]  # of epoch 3
    same(nw.load(run), whole)


def test_where_no_checkpoint_fits_nothing_is_changed_and_the_rest_is_named(run: Path) -> None:
    (run / ROWS).write_bytes((run / ROWS).read_bytes()[:300])
    before = contents(run)
    message = (
        r"no checkpoint can be used: step-\d+ was written at .*; step-.* Nothing was changed\."
    )
    with pytest.raises(nw.RunFolderError, match=message) as error:
        nw.resume(run)
    assert contents(run) == before
    saved = str(error.value).split('path = "')[1].split('"')[0]
    assert nw.fit(RECIPE.but(init=nw.From(saved), epochs=1)).history.ended.how == "finished"


def as_a_file(home: Path) -> None:
    shutil.rmtree(home)
    home.write_text("")


def as_an_empty_folder(home: Path) -> None:
    shutil.rmtree(home)
    home.mkdir()


@pytest.mark.parametrize("make", [shutil.rmtree, as_a_file, as_an_empty_folder])
def test_checkpoints_that_are_gone_do_not_start_the_run_anew(
    run: Path, make: Callable[[Path], None]
) -> None:
    make(run / CHECKPOINTS)
    before = contents(run)
    with pytest.raises((nw.RunFolderError, nw.FileAccessError), match="checkpoints"):
        nw.resume(run)
    assert contents(run) == before


def test_checkpoints_without_permission_do_not_start_the_run_anew(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listdir, before = os.listdir, contents(run)

    def refuse(path: Any) -> list[str]:
        if Path(path).name == CHECKPOINTS:  # root may list every folder
            raise PermissionError(13, "Permission denied", str(path))
        return listdir(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", refuse)
        with pytest.raises(nw.FileAccessError, match="checkpoints cannot be read: Permission"):
            nw.resume(run)
    assert contents(run) == before


def killed_at(operation: int, train: Callable[[], object]) -> bool:
    """Whether a child process that trains was killed at its file operation of this number."""
    child = os.fork()
    if child == 0:
        count = 0

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def called(*args: Any, **kwargs: Any) -> Any:
                nonlocal count
                count += 1
                if count == operation:
                    os._exit(9)
                return call(*args, **kwargs)

            return called

        for name in ("open", "write", "fsync", "replace", "mkdir", "unlink", "close"):
            setattr(os, name, counted(getattr(os, name)))
        try:
            train()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("recipe", [RECIPE, MEMORY], ids=["steps", "memory"])
def test_killed_at_any_operation_of_its_creation_it_is_started(
    tmp_path: Path, recipe: nw.Recipe
) -> None:
    prepared = prepare(recipe)
    options: dict[str, Any] = {"prepared": prepared, "test": False}
    expected = nw.fit(recipe, **options)
    resumed = 0
    for operation in range(1, 60, 5):
        folder = tmp_path / str(operation)
        if not killed_at(operation, lambda: nw.fit(recipe, folder=folder, **options)):  # noqa: B023
            break
        if (folder / "recipe.toml").is_file():
            ended = RunFolder.open(folder).history().ended.how
            assert ended in ("interrupted", "finished")
            is_done = ended == "finished"
            run = nw.load(folder) if is_done else nw.resume(folder, prepared=prepared)
            resumed += not is_done
        else:
            run = nw.fit(recipe, folder=folder, **options)
        assert run.history.series == expected.history.series
        assert run.score == expected.score
        assert nw.load(folder).history == run.history
    assert resumed >= 3


def test_a_run_of_an_earlier_version_that_never_started_is_started(
    run: Path, tmp_path: Path, whole: nw.Run
) -> None:
    folder = tmp_path / "old"
    (folder / "history").mkdir(parents=True)
    (folder / CHECKPOINTS).mkdir()
    shutil.copy(run / "recipe.toml", folder)
    same(nw.resume(folder), whole)


def test_a_changed_recipe_of_an_interrupted_run_is_refused(run: Path) -> None:
    text = (run / "recipe.toml").read_text()
    (run / "recipe.toml").write_text(text.replace("lr = 0.01", "lr = 0.02"))
    before = contents(run)
    with pytest.raises(nw.RunFolderError, match=r"optimizer\.lr = 0\.02, and was 0\.01"):
        nw.resume(run)
    assert contents(run) == before

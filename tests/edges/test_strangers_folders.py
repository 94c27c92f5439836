"""A folder of somebody else is read: nothing is written in it or outside of it, nothing outside of
it is read, and no connection is opened."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import netwise as nw
from netwise.cli import main
from netwise.searches.study import StudyFolder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links, pipes and devices of Unix")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, a search that has ended, and one with a trial that was killed."""
    home = tmp_path_factory.mktemp("runs")
    recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)), epochs=1)
    space = nw.Space((nw.axes.Log("optimizer.lr", 0.01, 1.0),))
    plan = nw.SearchPlan(space=space, method=nw.Random(), trials=2, fresh=1)
    nw.fit(recipe, folder=home / "run")
    nw.search(recipe, space, method=nw.Random(), trials=2, fresh=1, folder=home / "study", jobs=1)
    study = StudyFolder.create(home / "killed", recipe, plan)
    taken = study.claim(0, study.stage(0))
    assert taken is not None
    taken[1].release()
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of the folders, beside a file and a folder of the reader."""
    import shutil

    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "file").write_text("of the reader, without a line end")
    return Path(shutil.copytree(made, tmp_path / "runs"))


def contents(folder: Path) -> dict[str, bytes | None]:
    """Each file and folder with what it holds."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if "index.sqlite" not in path.name  # the list of the reader's runs
    }


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Where connections were tried; each fails."""
    tried: list[Any] = []

    def refuse(self: socket.socket, address: Any) -> None:
        tried.append(address)
        raise OSError("no connections here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield tried
    assert not tried


READING = [
    *(["show", name] for name in ("run", "study", "killed")),
    *(["show", name, "--json"] for name in ("run", "study", "killed")),
    ["diagnose", "run"],
    ["runs"],
]


def test_reading_writes_nothing_loads_no_data_and_opens_no_connection(
    home: Path, offline: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nw.data.Iris, "load", None)
    before = contents(home)
    for words in READING:
        result = CliRunner().invoke(main, [*words, "--runs", str(home)])
        assert result.exit_code == 0, (words, result.output, result.exception)
    assert contents(home) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_to_write_is_read(home: Path) -> None:
    for path in (*home.rglob("*"), home):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for words in READING:
        assert CliRunner().invoke(main, [*words, "--runs", str(home)]).exit_code == 0


@pytest.mark.parametrize(
    "storage",
    ["sqlite:///{0}/own/made.db", "sqlite:////{0}/own/made.db", "postgresql://127.0.0.1:9/x"],
    ids=["sqlite", "sqlite-absolute", "postgresql"],
)
@pytest.mark.parametrize("words", [["show"], ["search", "--resume"]], ids=["show", "resume"])
def test_a_storage_that_the_folder_names_is_not_opened(
    home: Path, offline: list[Any], storage: str, words: list[str]
) -> None:
    plan = home / "study" / "search.toml"
    url = storage.format(home.parent)
    plan.write_text(f'storage = "{url}"\n{plan.read_text()}')
    result = CliRunner().invoke(main, [*words, "study", "--runs", str(home)])
    if words == ["search", "--resume"]:
        result = CliRunner().invoke(main, [*words, str(home / "study")])
    assert result.exit_code == 2
    assert "--storage URL" in result.output
    assert sorted(os.listdir(home.parent / "own")) == ["file"]


PLACES = [
    *(f"study/{name}" for name in ("journal.log", "journal.log.lock", ".asking", "outcome.json")),
    *("study/trials", "study/trials/0000", "study/trials/0000/.claim", "study/fresh"),
    *("study/trials/0001/run/about.json", "study/trials/0001/run/checkpoints", "study/new"),
    *("run/.lock", "run/history", "run/history/rows.jsonl", "run/checkpoints", "run/report.html"),
]
COMMANDS = [
    ["show", "{}"],
    ["show", "{}", "--json"],
    ["search", "--resume", "{}"],
    ["train", "--resume", "{}"],
]


@pytest.mark.parametrize("kind", ["link", "pipe", "device"])
@pytest.mark.parametrize("place", PLACES)
def test_what_leads_out_of_a_folder_is_refused_by_name(home: Path, place: str, kind: str) -> None:
    import shutil

    path = home / place
    is_folder = path.is_dir()
    shutil.rmtree(path) if is_folder else path.unlink(missing_ok=True)
    own = home.parent / "own"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else own if is_folder else own / "file")
    before = contents(own)
    name = place.split("/")[0]
    for words in COMMANDS:
        if (words[0] == "search") == (name == "run") and words[0] != "show":
            continue
        given = [word.format(home / name) for word in words]
        result = CliRunner().invoke(main, given)
        assert result.exit_code == 2, (given, result.output, result.exception)
        assert path.name in result.output
    assert contents(own) == before

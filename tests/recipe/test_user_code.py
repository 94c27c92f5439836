"""Reading a recipe runs no code that it names, in whichever part it is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import netwise as nw
from netwise.cli import main
from netwise.history import history_as_dict
from netwise.recipe.user_code import user_code_in
from netwise.storage.run_folder import RunFolder

RECIPE = """
data = "iris"
network = {kind = "MLP", widths = [4, 3]}
epochs = 1
[init]
kind = "From"
[init.recipe]
data = "iris"
epochs = 1
network = {kind = "CustomNetwork", source = "user:build"}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a recipe whose start is trained by user code, which leaves a mark when it is
    imported."""
    (tmp_path / "user.py").write_text("open('it_ran', 'w').close()\n")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_code_is_found_in_every_part(here: Path) -> None:
    recipe = nw.read_recipe("recipe.toml")
    assert user_code_in(recipe) == ("user:build",)
    twice = recipe.but(init=nw.From(recipe=recipe))
    assert user_code_in(twice) == ("user:build",)
    assert user_code_in(recipe.but(init=nw.He())) == ()


@pytest.mark.parametrize("command", ["train", "validate", "rate", "treat"])
def test_no_command_runs_it_without_the_option(here: Path, command: str) -> None:
    result = CliRunner().invoke(main, [command, "recipe.toml"])
    assert result.exit_code
    assert "add --trust-own" in result.output
    assert not Path("it_ran").exists()


def test_no_folder_is_resumed_with_it(here: Path) -> None:
    started = history_as_dict(nw.History({}, ended=nw.RunEnd("running", "", 0))) | {"score": None}
    RunFolder.create(Path("run"), nw.read_recipe("recipe.toml"), started)[1].release()
    with pytest.raises(nw.RunFolderError, match="runs no code"):
        nw.resume("run")
    space = 'axes = [{kind = "Log", field = "optimizer.lr", low = 0.1, high = 1.0}]'
    Path("study").mkdir()
    Path("study/search.toml").write_text(space)
    Path("study/recipe.toml").write_text(RECIPE)
    with pytest.raises(nw.RunFolderError, match="runs no code"):
        nw.resume_search("study")
    assert not Path("it_ran").exists()

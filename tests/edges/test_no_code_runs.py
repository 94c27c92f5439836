"""No way of reading a file runs the code that it names, until the user trusts it."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import netwise as nw
from netwise.cli import main

OWN = '{kind = "CustomNetwork", source = "planted_code:build"}'
PLAIN = '{kind = "MLP", widths = [4, 8, 3]}'
NESTED = f'{{kind = "From", recipe = {{data = "iris", network = {OWN}, epochs = 1}}}}'
INNER = NESTED.replace("epochs = 1", "epochs = 1, seed = 7")  # trained weights are kept by recipe
CHAIN = (
    f'{{kind = "From", recipe = {{data = "iris", network = {PLAIN}, epochs = 1, init = {INNER}}}}}'
)
RECIPES = {
    "network": f'data = "iris"\nnetwork = {OWN}\nepochs = 1\n',
    "init": f'data = "iris"\nnetwork = {PLAIN}\ninit = {NESTED}\nepochs = 1\n',
    "init of an init": f'data = "iris"\nnetwork = {PLAIN}\ninit = {CHAIN}\nepochs = 1\n',
}
AXES = {
    "network": f'field = "network"\noptions = [{OWN}, {PLAIN}]',
    "source": 'field = "network.source"\noptions = ["planted_code:build", "torch.nn:Identity"]',
    "init": f'field = "init"\noptions = [{NESTED}, {{kind = "He"}}]',
    "init of an init": f'field = "init"\noptions = [{CHAIN}, {{kind = "He"}}]',
}


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Whether the planted module was imported, by this process or another."""
    written = tmp_path / "it ran"
    code = f"""
import pathlib
pathlib.Path({str(written)!r}).write_text("")
import netwise as nw

def build():
    return nw.MLP((4, 8, 3)).build()
"""
    (tmp_path / "planted_code.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETWISE_HOME", str(tmp_path / "runs"))
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "planted_code", raising=False)
    yield written.exists
    sys.modules.pop("planted_code", None)


def command(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


@pytest.mark.parametrize("text", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize(
    "words",
    [
        ("train", "recipe.toml"),
        ("check", "recipe.toml"),
        ("start", "recipe.toml"),
        ("rate", "recipe.toml"),
        ("treat", "recipe.toml"),
        ("validate", "recipe.toml"),
        ("curve", "recipe.toml"),
        ("anatomy", "recipe.toml"),
        ("guess", "log", "recipe.toml", "--because", "I try it"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_on_a_recipe(
    text: str, words: tuple[str, ...], tmp_path: Path, marker: Callable[[], bool]
) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    result = command(*words)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Usage" not in result.output
    assert "planted_code:build" in result.output or result.exit_code == 0
    assert not marker()


@pytest.mark.parametrize("text", RECIPES.values(), ids=RECIPES)
def test_python_refuses_what_was_read_and_runs_what_is_trusted(
    text: str, tmp_path: Path, marker: Callable[[], bool]
) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    recipe = nw.read_recipe(path)
    for use in (nw.fit, nw.check, nw.measure_initial_state, lambda r: nw.fit_many([r, r], jobs=1)):
        with contextlib.suppress(nw.NetwiseError):
            use(recipe)
        assert not marker()
    with pytest.raises(nw.WrongValue, match="planted_code:build"):
        nw.fit(recipe)
    trusted = nw.read_recipe(path, trust_own=True)
    assert trusted == recipe
    nw.fit(trusted)
    assert marker()


@pytest.mark.parametrize("axis", AXES.values(), ids=AXES)
def test_the_axes_of_a_search(axis: str, tmp_path: Path, marker: Callable[[], bool]) -> None:
    pytest.importorskip("optuna")
    base = RECIPES["network"].replace("planted_code:build", "torch.nn:Identity")
    base = base if "network.source" in axis else f'data = "iris"\nnetwork = {PLAIN}\nepochs = 1\n'
    (tmp_path / "recipe.toml").write_text(base)
    (tmp_path / "space.toml").write_text(
        'recipe = "recipe.toml"\ntrials = 2\n[method]\nkind = "Random"\n'
        f'[[axes]]\nkind = "Choice"\n{axis}\n'
    )
    result = command("search", "space.toml", "--jobs", "1")
    assert result.exit_code == 2
    assert "code of your own" in result.output or "code that a file names" in result.output
    assert not marker()
    assert not list(tmp_path.glob("runs/*/trials/*"))


def test_folders_of_a_run_and_of_a_search(tmp_path: Path, marker: Callable[[], bool]) -> None:
    pytest.importorskip("optuna")
    recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=1)
    nw.fit(recipe, folder=tmp_path / "run")
    nw.search(
        recipe,
        nw.Space((nw.axes.Choice("init", options=(nw.He(), nw.Glorot())),)),
        trials=1,
        folder=tmp_path / "s",
    )
    for folder in ("run", "s"):
        path = tmp_path / folder / "recipe.toml"
        path.write_text(RECIPES["init"])
    search = tmp_path / "s" / "search.toml"
    plan = search.read_text()
    for option in ('"He"', '"Glorot"'):
        plan = plan.replace(f"{{ kind = {option} }}", NESTED)
    search.write_text(plan)
    shutil.copytree(tmp_path / "s", tmp_path / "copy")
    for words in (
        ("show", "run"),
        ("diagnose", "run"),
        ("outcome", "run"),
        ("write", "run"),
        ("train", "--resume", "run"),
        ("show", "s"),
        ("search", "--resume", "s"),
        ("runs",),
    ):
        result = command(*words)
        assert result.exception is None or isinstance(result.exception, SystemExit), words
        assert not marker(), words
    for read in (nw.load, nw.resume, nw.load_history):
        with contextlib.suppress(nw.NetwiseError):
            read(tmp_path / "run")
        assert not marker()

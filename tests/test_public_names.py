"""The public names are these; each is documented, and none is hidden by a module."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import netwise as nw

PACKAGE = Path(nw.__file__).parent
NAMES = (Path(__file__).parent / "public_names.txt").read_text("utf-8").split()


def test_the_public_names_are_these() -> None:
    assert sorted(nw.__all__) == sorted(NAMES)
    assert dir(nw) == nw.__all__


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there_and_shows_an_example(name: str) -> None:
    thing = getattr(nw, name)
    if isinstance(thing, ModuleType | tuple):
        return
    assert ">>>" in (inspect.getdoc(thing) or ""), f"{name} has no runnable example"


def test_no_module_has_the_name_of_a_function() -> None:
    modules = {
        path.stem if path.is_file() else path.name
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    # these are the modules themselves
    assert {name for name in NAMES if name in modules} == {"data", "gallery", "learning_rules"}
    for name in ("fit", "diagnose", "treat", "trial", "watch", "check", "load"):
        assert callable(getattr(nw, name))


def test_an_unknown_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(AttributeError, match="netwise has no public 'Hee'") as caught:
        nw.Hee  # noqa: B018
    assert caught.value.name == "Hee"
    assert caught.value.obj is nw


def modules_after(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(out.stdout.splitlines()[-1].split())


HEAVY = {"torch", "numpy", "rich", "matplotlib", "sklearn", "scipy", "pydantic", "joblib"}


def test_import_loads_nothing_heavy() -> None:
    assert not modules_after("import netwise") & HEAVY


def test_help_loads_nothing_heavy() -> None:
    code = "from click.testing import CliRunner\nfrom netwise.cli import main\nassert CliRunner().invoke(main, ['--help']).exit_code == 0"
    assert not modules_after(code) & HEAVY
    assert "torch" in modules_after(
        "import netwise; netwise.fit"
    )  # the look itself sees what is loaded

"""The public names are these; each is documented, loaded when first used, and not hidden by a
module of the same name."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest

import netwise as nw

PACKAGE = Path(nw.__file__).parent
NAMES = (Path(__file__).parent / "public_names.txt").read_text("utf-8").split()


def test_the_public_names_are_these() -> None:
    assert sorted(nw.__all__) == sorted(NAMES)
    assert dir(nw) == nw.__all__


def test_the_stub_is_read_as_python_reads_it() -> None:
    """`import netwise` splits the text of the stub; `ast` has the last word."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    homes = {
        name.asname: (node.module, name.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert homes == nw._HOMES


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there_and_shows_an_example(name: str) -> None:
    thing = getattr(nw, name)
    if isinstance(thing, ModuleType | tuple):
        return
    assert ">>>" in (inspect.getdoc(thing) or ""), f"{name} has no runnable example"


def test_a_star_import_has_every_name() -> None:
    names: dict[str, object] = {}
    exec("from netwise import *", names)
    assert set(NAMES) <= set(names)


@pytest.mark.parametrize("name", ["data", "gallery", "axes", "energy", "sizes", "learning_rules"])
def test_a_namespace_is_a_module_with_names_of_its_own(name: str) -> None:
    space = getattr(nw, name)
    assert isinstance(space, ModuleType)
    assert inspect.getdoc(space)
    assert [each for each in vars(space) if each[0] not in "_@"]


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


# Classes of one name in two modules: name -> why the name may stand twice.
ALLOWED_TWICE = {"Watch": "the callback of each framework, in the module of its name"}


def test_no_two_public_classes_have_the_same_name() -> None:
    places = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert len(places) > 200
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert set(twice) == set(ALLOWED_TWICE), twice


def test_an_unknown_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(AttributeError, match="netwise has no public 'Hee'") as caught:
        nw.Hee  # noqa: B018
    assert caught.value.name == "Hee"
    assert caught.value.obj is nw
    code = "import netwise as nw; nw.Hee"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert printed.endswith("netwise has no public 'Hee'. Did you mean: 'He'?\n")


def modules_after(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(out.stdout.splitlines()[-1].split())


HEAVY = {"torch", "numpy", "rich", "matplotlib", "sklearn", "scipy", "pydantic", "joblib"}


def test_import_loads_nothing_but_itself() -> None:
    loaded = modules_after("import netwise") - modules_after("pass")
    assert {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} == {
        "netwise",
        "netwise.lazy_names",
    }


def test_help_loads_nothing_heavy() -> None:
    code = (
        "from click.testing import CliRunner\nfrom netwise.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0"
    )
    assert not modules_after(code) & HEAVY
    # The check itself sees what is loaded.
    assert "torch" in modules_after("import netwise; netwise.fit")

"""Packages whose names are imported when they are first used: the stub is the only list."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from netwise.lazy_names import lazily, stub_names
from netwise.part import Kinds

LAZY = [
    *("netwise.data", "netwise.data.tables", "netwise.networks", "netwise.networks.energy"),
    "netwise.parts.augment",
]


@pytest.mark.parametrize("package", LAZY)
def test_the_stub_names_what_the_package_has(package: str) -> None:
    module = import_module(package)
    stub = ast.parse(Path(str(module.__file__)).with_suffix(".pyi").read_text("utf-8"))
    exported = {
        alias.asname: getattr(import_module(str(node.module)), alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    for node in stub.body:
        if isinstance(node, ast.Assign):
            exported[ast.unparse(node.targets[0])] = exported[ast.unparse(node.value)]
    assert exported
    assert {name: getattr(module, name) for name in exported} == exported
    declared = {node.target.id for node in stub.body if isinstance(node, ast.AnnAssign)}  # type: ignore[union-attr]
    assert all(hasattr(module, name) for name in declared)
    assert set(module.__all__) <= {*exported, *declared}


@pytest.mark.parametrize("package", LAZY)
def test_an_absent_name_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match=f"{package} has no public 'Absent'"):
        getattr(import_module(package), "Absent")  # noqa: B009
    with pytest.raises(ImportError):
        exec(f"from {package} import Absent")


def test_each_kind_is_that_of_its_class() -> None:
    for package, kinds in (
        ("netwise.data", ("DATA",)),
        ("netwise.networks", ("NETWORKS",)),
        ("netwise.networks.energy", ("MACHINES", "NEGATIVE_PHASES")),
        ("netwise.parts.augment", ("AUGMENTS",)),
    ):
        for name in kinds:
            for kind, cls in getattr(import_module(package), name).items():
                assert cls.kind == kind


def test_kinds_are_joined_in_order() -> None:
    both = Kinds("netwise", "SGD") | Kinds("netwise.data", iris="Iris")
    assert list(both) == ["SGD", "iris"]
    assert both["iris"].__name__ == "Iris"
    assert "Adam" not in both
    assert len(both) == 2


def test_a_name_is_imported_when_it_is_used(tmp_path: Path) -> None:
    text = "\nfrom html import escape as escape, unescape as unescape\nback = unescape\n"
    (tmp_path / "__init__.pyi").write_text(text)
    homes = stub_names(str(tmp_path))
    unescape = ("html", "unescape")
    assert homes == {"escape": ("html", "escape"), "unescape": unescape, "back": unescape}
    assert lazily(__name__, homes)("back") is import_module("html").unescape
    del sys.modules[__name__].back  # type: ignore[attr-defined]
    code = "import netwise.networks, sys; print('netwise.networks.vgg' in sys.modules)"
    code += "\nnetwise.networks.VGG; print('netwise.networks.vgg' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]

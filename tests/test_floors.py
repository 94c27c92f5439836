"""Structure of the package: imports go down the floors of ARCHITECTURE.md and never in a circle,
private names stay in their package, and no package asks a network, a data set
or a loss of another one for its class.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tools.imports import cycles, import_graph
from tools.source import sources

pytestmark = pytest.mark.no_cover  # reads the package and runs none of it
ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "netwise"
FILES = sorted(PACKAGE.rglob("*.py"))

# Base classes that any package may ask for; so may it ask for a Protocol.
INTERFACES = {
    "Data",
    "Encoder",
    "Loss",
    "MemoryModule",
    "NegativePhase",
    "Network",
    "UnsupervisedModule",
}
# (package, class) -> why this package may ask for a concrete class of another one.
ALLOWED = {
    ("estimators", "Arrays"): "the data set that the estimator itself made",
    ("recipe", "Arrays"): "arrays in memory are written to a file of their own",
    ("recipe", "PublicTable"): "scripts print the code that reads a table",
    ("report", "AssociativeMemory"): "pictures of stored patterns; other memories have none",
    ("report", "Text"): "only a text has a sample that continues it",
    ("report", "TextEncoder"): "only a text has a sample that continues it",
    ("training", "TextEncoder"): "texts are generated in an alphabet",
}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def floors() -> dict[str, int]:
    """Floor of each module or package, from the table in ARCHITECTURE.md."""
    floor: dict[str, int] = {}
    for line in (ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines():
        row = re.match(r"\| (\d+) \| ([^|]+) \|", line)
        if row:
            for name in re.findall(r"`([\w/]+)`", row[2]):
                floor[name.rstrip("/")] = int(row[1])
    return floor


def home(path: Path) -> str:
    """The module at the root of the package, or the folder there, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """First names below `netwise` that a file imports: at the top, in functions, and under
    TYPE_CHECKING."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            parts = [alias.name.split(".") for alias in node.names]
            names |= {part[1] for part in parts if part[0] == "netwise" and len(part) > 1}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "netwise":
            below = str(node.module).split(".")[1:]
            aliases = {alias.name for alias in node.names} - {"__version__"}
            names |= {below[0]} if below else aliases
    return names


def test_every_module_is_in_the_table() -> None:
    modules = {home(path) for path in FILES} - {"__init__", "__main__"}
    assert modules == set(floors())


def test_imports_go_down() -> None:
    floor = floors()
    wrong = [
        f"{path.relative_to(PACKAGE)} (floor {floor[home(path)]}) imports {name} "
        f"(floor {floor[name]})"
        for path in FILES
        if home(path) not in ("__init__", "__main__")
        for name in imported(path)
        if name != home(path) and floor[name] >= floor[home(path)]
    ]
    assert not wrong, "\n".join(wrong)


def test_imports_are_found_wherever_they_are(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(
        "from netwise.training.run import Run\n"
        "from netwise import data, signals, __version__\n"
        "import netwise.errors\n"
        "import numpy.random\n"
        "def f():\n"
        "    from netwise.cli import main\n"
    )
    assert imported(file) == {"training", "data", "signals", "errors", "cli"}


def test_no_file_imports_itself_through_others() -> None:
    """Imports in functions and under TYPE_CHECKING count too."""
    assert cycles(import_graph(sources())) == []


def private_imports(path: Path) -> Iterator[str]:
    """Names with one leading underscore that a file imports from another package of netwise."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("netwise."):
            module = str(node.module).split(".")
            for alias in node.names:
                steps = [*module[1:], alias.name]
                private = [s for s in steps if s.startswith("_") and not s.startswith("__")]
                if private and module[1] != home(path):
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.module} {alias.name}"


def test_no_private_name_is_imported_across_packages() -> None:
    assert [line for path in FILES for line in private_imports(path)] == []


def concrete_classes(*paths: str) -> set[str]:
    """Public classes in these files and folders of the package that are no interfaces."""
    return {
        node.name
        for start in paths
        for path in [PACKAGE / start, *(PACKAGE / start).rglob("*.py")]
        if path.is_file()
        for node in tree_of(path).body
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and "Protocol" not in {getattr(base, "id", "") for base in node.bases}
    } - INTERFACES


def class_checks(tree: ast.Module, classes: set[str]) -> Iterator[tuple[str, int]]:
    """(class, line) of each `isinstance` or `issubclass` on one of these classes. An `assert
    isinstance(...)` right after `build()` only tells mypy a type and does not count."""
    narrowing = {
        call
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        for call in ast.walk(node.test)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("isinstance", "issubclass")
            and node not in narrowing
        ):
            for name in ast.walk(node.args[1]):
                text = getattr(name, "id", getattr(name, "attr", ""))
                if text in classes:
                    yield text, node.lineno


CONCRETE = {
    "networks": concrete_classes("networks"),
    "data": concrete_classes("data"),
    "parts": concrete_classes("parts/losses.py"),
}


@pytest.mark.parametrize("package", CONCRETE)
def test_no_package_asks_for_a_concrete_class_of_another(package: str) -> None:
    """A network, a data set or a loss answers for itself: write a method of its base class and call
    it. A check that has to stay gets a line with its reason in ALLOWED."""
    assert len(CONCRETE[package]) > 5
    asked = {
        f"{path.relative_to(PACKAGE)}:{line}: {name}"
        for path in FILES
        if home(path) != package
        for name, line in class_checks(tree_of(path), CONCRETE[package])
        if (home(path), name) not in ALLOWED
    }
    assert not asked, "\n".join(sorted(asked))


def test_every_exception_is_still_needed() -> None:
    classes = set.union(*CONCRETE.values())
    used = {
        (home(path), name) for path in FILES for name, _ in class_checks(tree_of(path), classes)
    }
    assert set(ALLOWED) <= used, f"delete from ALLOWED: {set(ALLOWED) - used}"


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("isinstance(x, MLP)", ["MLP"]),
        ("isinstance(x, (int, nw.RBM))", ["RBM"]),
        ("issubclass(x, MLP | int)", ["MLP"]),
        ("assert isinstance(x, MLP)", []),
        ("isinstance(x, Network)", []),
        ("def f():\n    return 1 if isinstance(x.network, MLP) else 2", ["MLP"]),
    ],
)
def test_a_check_of_a_class_is_found(code: str, names: list[str]) -> None:
    assert [name for name, _ in class_checks(ast.parse(code), {"MLP", "RBM"})] == names

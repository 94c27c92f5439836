"""A module imports only lower floors; the table in ARCHITECTURE.md is the law."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "netwise"


def floors() -> dict[str, int]:
    """Floor of each module or package, read from the table."""
    found: dict[str, int] = {}
    for line in (ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines():
        row = re.match(r"\| (\d+) \| ([^|]+) \|", line)
        if row:
            for name in re.findall(r"`([\w/]+)`", row[2]):
                found[name.rstrip("/")] = int(row[1])
    return found


def home(path: Path) -> str:
    """The first name below the package: a module, or the folder it lies in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """First names below `netwise` that a file imports, wherever in the file; type hints of the
    command line too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {
                name.name.split(".")[1] for name in node.names if name.name.startswith("netwise.")
            }
        elif (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.split(".")[0] == "netwise"
        ):
            below = node.module.split(".")[1:]
            found |= (
                {below[0]}
                if below
                else {name.name for name in node.names if name.name != "__version__"}
            )
    return found


def test_every_module_stands_in_the_table() -> None:
    modules = {home(path) for path in PACKAGE.rglob("*.py")} - {"__init__", "__main__"}
    assert modules == set(floors())


def test_imports_go_down() -> None:
    floor = floors()
    wrong = [
        f"{path.relative_to(PACKAGE)} (floor {floor[home(path)]})"
        f" imports {name} (floor {floor[name]})"
        for path in PACKAGE.rglob("*.py")
        if home(path) not in ("__init__", "__main__")
        for name in imported(path)
        if name != home(path) and floor[name] >= floor[home(path)]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_reader_of_imports_sees_them(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(
        "from netwise.training.run import Run\nfrom netwise import data, signals\n"
        "import netwise.errors\ndef f():\n    from netwise.cli import main\n"
    )
    assert imported(file) == {"training", "data", "signals", "errors", "cli"}

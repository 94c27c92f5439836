"""The measures of the source, on small packages that are counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.imports import cycles, edges_within, import_graph
from tools.metrics import main
from tools.runtime import loaded_modules, preparations, public_names
from tools.source import Source, line_lengths, mirrored, percentile, sources

pytestmark = pytest.mark.no_cover  # of tools, which are not measured


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with a circle of three files, one import of it inside a function."""
    texts = {
        "__init__.py": "from netwise.a import f\n",
        "a.py": "import typing\nif typing.TYPE_CHECKING:\n    from netwise.b import g\n",
        "b/__init__.py": "from .c import h\n",
        "b/c.py": "def h():\n    import netwise.a\n",
        "d.py": "from netwise.b import c\nfrom netwise import a\nfrom math import pi\n",
        "__main__.py": "from netwise import f\n",
    }
    for name, text in texts.items():
        path = tmp_path / "netwise" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "netwise"


def test_imports_are_counted_wherever_they_stand(package: Path) -> None:
    graph = import_graph(sources(package, package), package)
    assert graph == {
        "netwise": {},  # its names are lazy
        "netwise.a": {"netwise.b": 3},
        "netwise.b": {"netwise.b.c": 1},
        "netwise.b.c": {"netwise.a": 2},
        "netwise.d": {"netwise.b.c": 1, "netwise.a": 2},
        "netwise.__main__": {"netwise": 1},
    }
    assert cycles(graph) == [["netwise.a", "netwise.b", "netwise.b.c"]]
    assert edges_within(graph, cycles(graph)[0])[0] == ("netwise.a", "netwise.b", 3)


def test_separate_circles_are_separate() -> None:
    graph = {"a": {"b": 1}, "b": {"a": 1, "c": 1}, "c": {"d": 1}, "d": {"c": 1}, "e": {"a": 1}}
    assert cycles(graph) == [["a", "b"], ["c", "d"]]


def test_functions_are_measured(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(
        '''
class A:
    @property
    def f(self) -> int:
        """Docstring,

        not counted."""
        x = 1
        return x

    def _g(self, x: int, deep: bool = True, *, wide=False, **others):
        return h(x, **others)

def h(x: int, **others: int) -> int:
    def inner(y):
        return y
    return inner(x) + others["x"]
''',
        "utf-8",
    )
    f, g, h, inner = Source(file, tmp_path).functions
    assert [each.qualified for each in (f, g, h, inner)] == ["A.f", "A._g", "h", "h.<locals>.inner"]
    assert [each.lines for each in (f, g, h, inner)] == [2, 1, 3, 1]
    assert [each.public for each in (f, g, h, inner)] == [True, False, True, False]
    assert [each.annotated for each in (f, g, h, inner)] == [True, False, True, False]
    assert [each.passes_kwargs for each in (f, g, h, inner)] == [False, True, False, False]
    assert [each.boolean_defaults for each in (f, g, h, inner)] == [0, 2, 0, 0]


def test_percentiles_are_nearest_ranks() -> None:
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([7], 0.99) == 7
    assert percentile([], 0.5) == 0


def test_lines_are_counted_without_their_ends(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("x = 1\n\n", "utf-8")
    assert line_lengths([Source(file, tmp_path)]) == [5, 0]


def test_a_module_is_mirrored_by_its_test(package: Path, tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    for name in ("b/test_c.py", "b/test_a.py"):
        (tests / name).parent.mkdir(parents=True, exist_ok=True)
        (tests / name).touch()
    found = {each.source.path.name: each for each in mirrored(sources(package), package, tests)}
    assert {name: each.there for name, each in found.items()} == {
        "a.py": False,
        "c.py": True,
        "d.py": False,
    }
    assert found["a.py"].expected == tests / "test_a.py"
    assert found["a.py"].elsewhere == (tests / "b" / "test_a.py",)


def test_the_table_and_the_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--static"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("| point | now | at 41173f0 | goal |")
    assert main(["--static", "--json"]) == 0
    points = json.loads(capsys.readouterr().out)
    assert "import cycles, all imports" in points
    assert all(f"| {point} |" in table for point in points)
    for option in ("--errors", "--cycles", "--mirror", "--long"):
        assert main([option, "src/netwise/data"]) == 0
        *lines, total = capsys.readouterr().out.splitlines()
        assert total == f"{len(lines)} lines"
    assert main(["--errors", "src/netwise/errors.py"]) == 0
    with pytest.raises(SystemExit):
        main(["--errors", "src/nowhere"])
    assert "no such path: src/nowhere" in capsys.readouterr().err


def test_what_runs_is_counted() -> None:
    assert "netwise.diagnosis" in loaded_modules()
    assert "fit" in public_names()
    done = preparations()
    assert 1 <= done["whole"] <= done["fits"]
    assert done["read"] == 1
    assert done["diagnoses"] >= 1

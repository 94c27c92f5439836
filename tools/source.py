"""The source files of the package as syntax trees, and the measures of their form.

Everything here reads text only: nothing of netwise is imported. All functions find the package by
walking `src/netwise`, so files may move freely.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "netwise"
TESTS = ROOT / "tests"

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file.

    Args:
        path: where it is.
        root: folder that `name` is relative to: the repository.
    """

    path: Path
    root: Path = ROOT

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return _parsed(self.text)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def name(self) -> str:
        """Path below the repository, with slashes."""
        return self.path.relative_to(self.root).as_posix()

    @cached_property
    def functions(self) -> list[Function]:
        """All functions and methods, nested ones too, in the order of the file."""
        found = [Function(self, node, owner) for node, owner in _functions(self.tree, ())]
        return sorted(found, key=lambda function: function.node.lineno)


@dataclass(frozen=True)
class Function:
    """One function or method.

    Args:
        source: its file.
        node: its syntax tree.
        owner: names of the classes and functions around it, outermost first.
    """

    source: Source
    node: FunctionNode
    owner: tuple[str, ...]

    @property
    def qualified(self) -> str:
        return ".".join((*self.owner, self.node.name))

    @property
    def lines(self) -> int:
        """Lines of the body: from the first statement after the docstring to the end."""
        documented = ast.get_docstring(self.node, clean=False) is not None
        body = self.node.body[1:] if documented else self.node.body
        return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1 if body else 0

    @property
    def place(self) -> str:
        return f"{self.source.name}:{self.node.lineno}"

    @property
    def public(self) -> bool:
        """No name on the way to it begins with an underscore, and no function is around it."""
        nested = any(part == "<locals>" for part in self.owner)
        return not nested and not any(
            part.startswith("_") for part in (*self.owner, self.node.name)
        )

    @property
    def annotated(self) -> bool:
        """Every argument but self and cls, and the result, has a type."""
        arguments = self.node.args
        plain = [*arguments.posonlyargs, *arguments.args]
        if (
            self.owner
            and self.owner[-1] != "<locals>"
            and plain
            and plain[0].arg in ("self", "cls")
        ):
            plain = plain[1:]
        stars = [each for each in (arguments.vararg, arguments.kwarg) if each]
        every = [*plain, *arguments.kwonlyargs, *stars]
        return self.node.returns is not None and all(each.annotation for each in every)

    @property
    def passes_kwargs(self) -> bool:
        """It takes `**name` and passes `**name` on to a call."""
        star = self.node.args.kwarg
        return star is not None and any(
            keyword.arg is None
            and isinstance(keyword.value, ast.Name)
            and keyword.value.id == star.arg
            for call in ast.walk(self.node)
            if isinstance(call, ast.Call)
            for keyword in call.keywords
        )

    @property
    def boolean_defaults(self) -> int:
        """How many arguments have True or False as their default."""
        defaults = [*self.node.args.defaults, *self.node.args.kw_defaults]
        return sum(
            isinstance(each, ast.Constant) and isinstance(each.value, bool) for each in defaults
        )


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _functions(
    node: ast.AST, owner: tuple[str, ...]
) -> Iterator[tuple[FunctionNode, tuple[str, ...]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FunctionNode):
            yield child, owner
            yield from _functions(child, (*owner, child.name, "<locals>"))
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, (*owner, child.name))
        else:
            yield from _functions(child, owner)


def sources(folder: Path = PACKAGE, root: Path = ROOT) -> list[Source]:
    """All Python files below a folder, in the order of their paths."""
    return [Source(path, root) for path in sorted(folder.rglob("*.py"))]


def within(places: Iterable[Source], wanted: Sequence[Path]) -> list[Source]:
    """The files that are one of the wanted paths or lie below one; all where none is wanted."""
    roots = [path.resolve() for path in wanted]
    return [each for each in places if not roots or any(each.path.is_relative_to(r) for r in roots)]


def percentile(values: Iterable[int], share: float) -> int:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0


def line_lengths(files: Iterable[Source]) -> list[int]:
    """Characters of each line, empty ones too."""
    return [len(line) for each in files for line in each.lines]


def mirror_of(source: Source, package: Path = PACKAGE, tests: Path = TESTS) -> Path:
    """Where the test of a module is expected: netwise/a/b.py in tests/a/test_b.py."""
    inside = source.path.relative_to(package)
    return tests / inside.parent / f"test_{inside.name}"


def mirrored(files: Iterable[Source], package: Path = PACKAGE, tests: Path = TESTS) -> list[Mirror]:
    """Each module beside the test files of its name; `__init__` and `__main__` are left out."""
    named: dict[str, list[Path]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        named.setdefault(path.name, []).append(path)
    found = []
    for each in files:
        if each.path.stem not in ("__init__", "__main__"):
            expected = mirror_of(each, package, tests)
            elsewhere = tuple(p for p in named.get(expected.name, ()) if p != expected)
            found.append(Mirror(each, expected, expected.is_file(), elsewhere))
    return found


@dataclass(frozen=True)
class Mirror:
    """A module and its test files.

    Args:
        source: the module.
        expected: where its test belongs.
        there: whether the test is there.
        elsewhere: test files of this name in other folders.
    """

    source: Source
    expected: Path
    there: bool
    elsewhere: tuple[Path, ...]

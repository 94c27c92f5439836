"""Which file imports which, and the groups of files that import each other in a circle.

All imports are included: at the top, inside functions, under TYPE_CHECKING. The top
`__init__` names everything for editors and loads it lazily, so its own imports are left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tools.source import PACKAGE, Source

Graph = Mapping[str, Mapping[str, int]]


def module_names(files: Iterable[Source], package: Path = PACKAGE) -> dict[str, Source]:
    """Each file under its dotted name: `netwise.data`, `netwise.data.table`."""
    named = {}
    for each in files:
        parts = each.path.relative_to(package.parent).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = each
    return named


def imported(source: Source, name: str, known: Mapping[str, Source]) -> Iterator[tuple[str, int]]:
    """(module, line) of each import of a known module, `name` being the importing one's own.

    `from a.b import c` is an import of `a.b.c` where that is a module, else of `a.b`.
    """
    here = name if source.path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in known:
                    yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = here.split(".")[: len(here.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                if inner in known or base in known:
                    yield (inner if inner in known else base), node.lineno


def import_graph(files: Iterable[Source], package: Path = PACKAGE) -> dict[str, dict[str, int]]:
    """module -> (module it imports -> line of the first such import)."""
    known = module_names(files, package)
    graph: dict[str, dict[str, int]] = {}
    for name, source in known.items():
        targets = graph.setdefault(name, {})
        if name == package.name:  # the lazy names of the top `__init__`
            continue
        for target, line in imported(source, name, known):
            if target != name:
                targets[target] = min(line, targets.get(target, line))
    return graph


def cycles(graph: Graph) -> list[list[str]]:
    """Groups of more than one module, each reachable from every other (Tarjan 1972); largest first.

    Example:
        >>> cycles({"a": {"b": 1}, "b": {"a": 1}, "c": {"a": 1}})
        [['a', 'b']]
    """
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        open_.append(module)
        for target in graph.get(module, {}):
            if target not in order:
                visit(target)
                lowest[module] = min(lowest[module], lowest[target])
            elif target in open_:
                lowest[module] = min(lowest[module], order[target])
        if lowest[module] == order[module]:
            first = open_.index(module)
            group = sorted(open_[first:])
            del open_[first:]
            if len(group) > 1:
                found.append(group)

    for module in sorted(graph):
        if module not in order:
            visit(module)
    return sorted(found, key=lambda group: (-len(group), group))


def edges_within(graph: Graph, group: Iterable[str]) -> list[tuple[str, str, int]]:
    """(importing module, imported module, line) of each import between members of a group."""
    members = set(group)
    return [
        (module, target, line)
        for module in sorted(members)
        for target, line in sorted(graph[module].items())
        if target in members
    ]

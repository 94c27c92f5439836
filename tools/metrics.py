"""Measures the form of netwise's source and prints it as a Markdown table, or lists the offenders.

    scripts/metrics                                  the table
    scripts/metrics --json                           the same numbers as one JSON document
    scripts/metrics --errors src/netwise/data        messages without an instruction, path:line
    scripts/metrics --mirror src/netwise/cli         modules without a test file of the same name
    scripts/metrics --cycles                         files that import each other in a circle
    scripts/metrics --long src/netwise/engine        functions above 60 lines, lines above 100

A path after a list keeps what lies below it. The numbers:

errors: share of the messages of `raise` statements with an instruction (tools/raises.py says what
    counts as a message and what as an instruction). `Problem` calls outside of `raise` statements
    are measured beside them.
cycles: groups of files that import each other in a circle, by all imports (tools/imports.py).
file lines: median, 90th percentile and maximum over the Python files below src/netwise.
function lines: the same over all functions, from the first statement after the docstring.
line length: 95th and 99th percentile and maximum over all lines, empty ones too.
mirror: share of modules netwise/a/b.py whose test file is tests/a/test_b.py; `__init__` and
    `__main__` are left out. Beside it how many have a test file of that name in any folder.
test / code: lines of all Python files below tests, divided by those below src/netwise.
modules loaded: modules of netwise in a fresh process after `import netwise.diagnosis`.
preparations: calls of `fit` of the preprocessing in `netwise train digits --epochs 1`, how many of
    them on the whole training part, and how often the data are read and the rules are run.
pass-through: share of functions that take `**name` and hand `**name` on to a call.
boolean defaults: arguments with the default True or False for each 100 functions.
annotated: share of public functions and methods with a type for each argument and the result.
public names: length of `netwise.__all__`.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.imports import cycles, edges_within, import_graph, module_names
from tools.raises import Message, messages, problems
from tools.runtime import loaded_modules, preparations, public_names
from tools.source import ROOT, TESTS, Source, line_lengths, mirrored, percentile, sources, within

LONGEST_FUNCTION = 60
LONGEST_LINE = 100


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        point: what is measured.
        now: the current value, as text.
        before: at commit 41173f0, measured by the same program.
        goal: the target.
        numbers: the same value as numbers, for JSON.
    """

    point: str
    now: str
    before: str
    goal: str
    numbers: dict[str, float | list[str]]


def share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def error_rows(files: Sequence[Source]) -> Iterator[Row]:
    for what, found, before in (
        ("`raise` with an instruction", messages(files), "49.6 % of 260"),
        ("`Problem` outside of `raise` with one", problems(files), "80.8 % of 99"),
    ):
        part = share(sum(each.instead for each in found), len(found))
        yield Row(what, f"{percent(part)} of {len(found)}", before, ">= 90 %", {"share": part})


def ranked(
    what: str, values: Sequence[int], shares: Sequence[float], before: str, goal: str
) -> Row:
    """Some percentiles and the maximum."""
    ranks = [*(percentile(values, each) for each in shares), max(values)]
    names = [*(f"p{100 * each:.0f}" for each in shares), "max"]
    numbers: dict[str, float | list[str]] = dict(zip(names, ranks, strict=True))
    point = f"{what} {' / '.join(names)}"
    return Row(point, " / ".join(map(str, ranks)), before, goal, numbers)


def form_rows(files: Sequence[Source], tests: Sequence[Source]) -> Iterator[Row]:
    groups = cycles(import_graph(files))
    members = sum(map(len, groups))
    now = f"{len(groups)} cycles, {members} files"
    numbers: dict[str, float | list[str]] = {"cycles": len(groups), "files": members}
    yield Row("import cycles, all imports", now, "5 cycles, 16 files", "0", numbers)

    functions = [function for each in files for function in each.functions]
    size = [len(each.lines) for each in files]
    yield ranked("file lines", size, (0.5, 0.9), "101 / 322 / 878", "100-250 / 450-830")
    size = [each.lines for each in functions]
    yield ranked("function lines", size, (0.5, 0.9), "4 / 17 / 173", "max about 60")
    size = line_lengths(files)
    yield ranked("line length", size, (0.95, 0.99), "116 / 142 / 160", "<= 100")
    longest = sorted(functions, key=lambda each: -each.lines)[:5]
    named = [f"{each.qualified} {each.lines} ({each.place})" for each in longest]
    yield Row("longest functions", "; ".join(named), "", "", {"functions": named})

    pairs = mirrored(files)
    there = sum(each.there for each in pairs)
    anywhere = sum(each.there or bool(each.elsewhere) for each in pairs)
    now = f"{percent(share(there, len(pairs)))} ({there} of {len(pairs)}; anywhere {anywhere})"
    before = "26.7 % (51 of 191; anywhere 65)"
    numbers = {"share": share(there, len(pairs)), "modules": len(pairs), "anywhere": anywhere}
    yield Row("modules with a test of the same name", now, before, ">= 95 %", numbers)

    ratio = sum(len(each.lines) for each in tests) / sum(len(each.lines) for each in files)
    yield Row("test lines / code lines", f"{ratio:.2f}", "0.34", ">= 0.6", {"ratio": ratio})


def habit_rows(files: Sequence[Source]) -> Iterator[Row]:
    functions = [function for each in files for function in each.functions]
    part = share(sum(each.passes_kwargs for each in functions), len(functions))
    point = "functions with pass-through `**kwargs`"
    yield Row(point, percent(part), "0.2 %", "0", {"share": part})
    per_100 = 100 * share(sum(each.boolean_defaults for each in functions), len(functions))
    numbers: dict[str, float | list[str]] = {"per_100": per_100}
    yield Row("boolean defaults per 100 functions", f"{per_100:.1f}", "1.9", "< 8", numbers)
    public = [each for each in functions if each.public]
    part = share(sum(each.annotated for each in public), len(public))
    yield Row("public functions annotated", percent(part), "100.0 %", "100 %", {"share": part})


def runtime_rows() -> Iterator[Row]:
    loaded = len(loaded_modules())
    point = "modules loaded by `netwise.diagnosis`"
    yield Row(point, str(loaded), "128", "<= 40", {"modules": loaded})
    done = preparations()
    now = (
        f"{done['fits']}, of which {done['whole']} whole; read {done['read']}, "
        f"load {done['load']}, diagnosed {done['diagnoses']}"
    )
    point = "preparations of the data in `train digits --epochs 1`"
    before = "8, of which 4 whole; read 1, load 7, diagnosed 2"
    yield Row(point, now, before, "1", {key: float(value) for key, value in done.items()})
    names = len(public_names())
    yield Row("public names", str(names), "290", "", {"names": names})


def table(rows: Sequence[Row]) -> str:
    cells = [["point", "now", "at 41173f0", "goal"], ["---"] * 4]
    cells += [[each.point, each.now, each.before, each.goal] for each in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def list_errors(files: Sequence[Source]) -> list[str]:
    """Messages without an instruction; a part that lacks besides is named in brackets."""
    return [_described(each) for each in (*messages(files), *problems(files)) if not each.instead]


def _described(each: Message) -> str:
    lacks = [part for part in ("given", "reason") if not getattr(each, part)]
    besides = f" [no {', no '.join(lacks)}]" if lacks else ""
    return f"{each.place}: {each.function or 'module'}: {each.error}: {each.text[:160]}{besides}"


def list_cycles(files: Sequence[Source]) -> list[str]:
    """The groups of the whole package that have a member among the files, with their imports."""
    package = sources()
    graph, known = import_graph(package), module_names(package)
    chosen = {each.path for each in files}
    lines = []
    for group in cycles(graph):
        if any(known[name].path in chosen for name in group):
            lines.append(f"{len(group)} files: {', '.join(group)}")
            for module, target, line in edges_within(graph, group):
                lines.append(f"  {known[module].name}:{line}: imports {target}")
    return lines


def list_mirror(files: Sequence[Source]) -> list[str]:
    lines = []
    for each in mirrored(files):
        if not each.there:
            found = [path.relative_to(ROOT).as_posix() for path in each.elsewhere]
            found = [name for name in found if not _mirrors_another(name)]
            hint = f" (of that name: {', '.join(found)})" if found else ""
            lines.append(f"{each.source.name}: {each.expected.relative_to(ROOT).as_posix()}{hint}")
    return lines


def _mirrors_another(test: str) -> bool:
    """A test file that already belongs to a module of its own folder."""
    inside = Path(test).relative_to("tests")
    module = ROOT / "src" / "netwise" / inside.parent / inside.name.removeprefix("test_")
    return module.is_file()


def list_long(files: Sequence[Source]) -> list[str]:
    functions = [function for each in files for function in each.functions]
    long = sorted((f for f in functions if f.lines > LONGEST_FUNCTION), key=lambda f: -f.lines)
    lines = [f"{each.place}: {each.qualified} has {each.lines} lines" for each in long]
    for each in files:
        for number, text in enumerate(each.lines, 1):
            if len(text) > LONGEST_LINE:
                lines.append(f"{each.name}:{number}: {len(text)} columns")
    return lines


LISTS = {
    "errors": (list_errors, "messages without an instruction"),
    "cycles": (list_cycles, "files that import each other in a circle, with the imports"),
    "mirror": (list_mirror, "modules without a test file of the same name, and where it belongs"),
    "long": (list_long, f"functions above {LONGEST_FUNCTION} lines, lines above {LONGEST_LINE}"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/metrics", description="Measures the source of netwise, or lists offenders."
    )
    for name, (_, text) in LISTS.items():
        parser.add_argument(f"--{name}", action="store_true", help=f"list {text}")
    parser.add_argument("--json", action="store_true", help="the numbers as one JSON document")
    parser.add_argument("--static", action="store_true", help="skip what runs netwise (seconds)")
    parser.add_argument("paths", nargs="*", type=Path, help="keep what lies below these paths")
    given = parser.parse_args(arguments)
    absent = [str(each) for each in given.paths if not each.exists()]
    if absent:
        parser.error(f"no such path: {', '.join(absent)}. Name a file or folder of src/netwise.")
    files = within(sources(), given.paths)
    if not files:
        parser.error("no Python file of netwise lies there. Name a file or folder of src/netwise.")
    chosen = [each for name, (each, _) in LISTS.items() if getattr(given, name)]
    if chosen:
        found = [line for each in chosen for line in each(files)]
        print("\n".join([*found, f"{len(found)} lines"]))
        return 0
    rows = [*error_rows(files), *form_rows(files, sources(TESTS)), *habit_rows(files)]
    rows += [] if given.static else runtime_rows()
    if given.json:
        print(json.dumps({each.point: each.numbers for each in rows}, indent=1))
    else:
        print(table(rows))
    return 0


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `scripts/metrics --long | head`
    sys.exit(main())

"""Measures every rule on healthy runs, controls and injected faults, and writes a table.

scripts/calibrate                      record what is missing, measure, write calibration/results/
scripts/calibrate --seeds 0 --jobs 4
scripts/calibrate --recordings FOLDER  measure what is recorded there

NETWISE_CLINIC is the folder of the clinic. Histories are recorded once for a state of the code that
observes (.calibration/); a run that was stopped goes on where it ended.

Columns: healthy runs that the rule accuses; faults with the rule's word that it names; the same on
left-out programs, with the limits fitted on the others; the margin, which is the smallest factor by
which one limit can be moved until one more healthy run is accused; the limits that matter, with
the range that five fits chose.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import netwise as nw
from calibration.limits import Calibration, Run, calibrated, modules_of_rules
from calibration.record import ROOT, SUITES, Recording, record_all, recordings
from calibration.verdicts import Vocabulary, histories_of, vocabulary

RESULTS = ROOT / "calibration" / "results"
SMALL_MARGIN = 1.3  # a limit that is nearer to a healthy run says so in the table

_RUNS: list[Run] = []  # of the worker processes, which are forked


def runs_of(recorded: Recording, words: Vocabulary) -> list[Run]:
    """A run for each observed root, with the rules that are true of it."""
    true = set(recorded.plainly_true) | set(recorded.also)
    if not recorded.healthy:
        true |= set().union(*(words.means(root) for root in recorded.roots))
    allowed = frozenset(name for name, word in words.names.items() if word in true)
    if recorded.healthy:
        seen = frozenset[str]()
    else:
        symptoms = words.symptoms if recorded.group == "real" else set(recorded.symptoms)
        seen = frozenset(name for name, word in words.names.items() if word in symptoms)
    return [
        Run(recorded.program, history, recorded.healthy, allowed | seen)
        for history in histories_of(recorded).values()
    ]


def rules_hash() -> str:
    """Of the code of all rules."""
    folder = ROOT / "src" / "netwise" / "diagnosis"
    text = b"".join(path.read_bytes() for path in sorted(folder.rglob("*.py")))
    return sha256(text).hexdigest()[:12]


def _of_module(name: str) -> list[Calibration]:
    return calibrated(modules_of_rules()[name], name, _RUNS)


def measure(runs: Sequence[Run], jobs: int) -> list[Calibration]:
    """Calibrations of all rules, in the order of `nw.RULES`."""
    _RUNS[:] = runs
    with get_context("fork").Pool(jobs) as pool:
        parts = pool.map(_of_module, modules_of_rules(), chunksize=1)
    order = {rule.name: place for place, rule in enumerate(nw.RULES)}
    return sorted((each for part in parts for each in part), key=lambda each: order[each.rule])


def share(part: int, whole: int) -> str:
    """Such as "12 of 40"; "-" of none."""
    return f"{part} of {whole}" if whole else "-"


def table(measured: Sequence[Calibration]) -> str:
    """The measures as a table of Markdown."""
    head = (
        "| rule | healthy accused | faults named | left out: accused | named | margin | limits "
        "(five fits) |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |"
    )
    lines = [head]
    for each in measured:
        margin = f"{each.margin:.3g} ({each.margin_of})" if each.margin_of else "> 4"
        limits = "; ".join(
            f"{name} {value:g} ({low:.3g} to {high:.3g})"
            for name, (value, low, high) in each.chosen.items()
        )
        w, o = each.whole, each.left_out
        lines.append(
            f"| {each.rule} | {share(w.accused, w.healthy)} | {share(w.named, w.faults)} | "
            f"{share(o.accused, o.healthy)} | {share(o.named, o.faults)} | {margin} | {limits} |"
        )
    return "\n".join(lines)


def page(measured: Sequence[Calibration], about: dict[str, object]) -> str:
    """The whole file of Markdown."""
    near = [e for e in measured if e.margin < SMALL_MARGIN or e.whole.accused]
    weak = "\n".join(
        f"- `{e.rule}`: {share(e.whole.accused, e.whole.healthy)} healthy runs accused; "
        + (
            f"one more with {e.margin_of} moved by {e.margin:.3g}"
            if e.margin_of
            else "no other near"
        )
        for e in near
    )
    facts = "\n".join(f"- {name}: {value}" for name, value in about.items())
    return (
        "# Calibration of the rules\n\nWritten by `scripts/calibrate`, which explains the columns "
        f"(`--help`).\n\n{facts}\n\n{table(measured)}\n\n## Rules near to healthy runs\n\nMargin "
        f"below {SMALL_MARGIN}, or a healthy run accused: such a rule says *suspect*, or nothing."
        f"\n\n{weak or 'None.'}\n"
    )


def write(
    measured: Sequence[Calibration], about: dict[str, object], folder: Path = RESULTS
) -> None:
    """Writes calibration.md and calibration.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calibration.md").write_text(page(measured, about))
    rows = [
        {**asdict(each), "margin": each.margin if math.isfinite(each.margin) else None}
        for each in measured
    ]
    plain = {"about": about, "rules": rows}
    (folder / "calibration.json").write_text(json.dumps(plain, indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("scripts/calibrate", description=__doc__, formatter_class=form)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the runs")
    parser.add_argument("--draws", nargs="+", default=["", "1"], help="MUTANTS_DRAW; '' is first")
    parser.add_argument("--suites", nargs="+", default=list(SUITES), choices=SUITES)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--recordings", type=Path, help="a folder of recordings")
    options = parser.parse_args(arguments)
    folder = options.recordings
    if folder is None:
        folder = record_all(options.suites, options.seeds, options.draws, options.jobs)
    words = vocabulary()
    found = list(recordings(folder, options.suites, options.seeds, options.draws))
    runs = [run for each in found if each.counts for run in runs_of(each, words)]
    if not runs:
        sys.exit(f"{folder} has no recordings of these suites and seeds")
    measured = measure(runs, options.jobs)
    about: dict[str, object] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "netwise": version("netwise"),
        "torch": version("torch"),
        "python": platform.python_version(),
        "hash of the rules": rules_hash(),
        "recordings": folder.name,
        "seeds": ", ".join(map(str, options.seeds)),
        "draws of faults": ", ".join(draw or "0" for draw in options.draws),
        "healthy runs": sum(run.healthy for run in runs),
        "runs with a fault": sum(not run.healthy for run in runs),
        "programs": len({run.program for run in runs}),
    }
    write(measured, about)
    print(table(measured))
    print(f"\n{RESULTS / 'calibration.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Attacks netwise at its edges, and writes what happened.

scripts/torture                        all attacks; hours, on a quiet machine
scripts/torture --share 0.02           two of a hundred of each kind
scripts/torture --only checkpoints     kinds whose name has this text
scripts/torture --again                forget what was done before
scripts/torture --list                 kinds and counts
scripts/torture --home /dev/shm/torture    on a disk in memory, for a machine whose disk is busy

Outcomes are kept in .torture/, or in --home, so that a run that was stopped goes on where it
ended. Two runs at once need two homes. The table is
torture/results/torture.md, with date and versions; with --share or --only it is printed alone.
The exit code is 1 where an attack has shown a fault.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from torture.attack import Attack, Outcome, made
from torture.attacks import ATTACKS

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "torture" / "results"
PACKAGES = ("torch", "numpy", "safetensors", "pillow", "optuna", "filelock", "click")
MOST_FAILURES = 20  # of one kind, in the table


def main(words: Sequence[str] | None = None) -> int:
    """Make the attacks and write the table; the exit code."""
    parser = argparse.ArgumentParser(
        "scripts/torture", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default="", help="kinds whose name has this text")
    parser.add_argument("--share", type=float, default=1.0, help="of the attacks of each kind")
    parser.add_argument("--home", type=Path, default=ROOT / ".torture", help="folder of outcomes")
    parser.add_argument("--again", action="store_true", help="forget what was done before")
    parser.add_argument("--list", action="store_true", help="print kinds and counts")
    options = parser.parse_args(words)
    chosen = [attack for attack in ATTACKS if options.only in attack.name]
    if options.list:
        print("\n".join(f"{attack.count:5d}  {attack.name}" for attack in chosen))
        return 0
    torch.set_num_threads(1)
    if options.again:
        shutil.rmtree(options.home, ignore_errors=True)
    options.home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(options.home / ".lock", timeout=0):  # else one deletes what the other attacks
            outcomes = make_all(chosen, options.share, options.home)
    except Timeout:
        print(f"another scripts/torture works in {options.home}: use --home", file=sys.stderr)
        return 2
    table = as_table(chosen, outcomes)
    print(table)
    if options.share == 1.0 and not options.only:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "torture.md").write_text(table)
        (RESULTS / "torture.json").write_text(
            json.dumps(as_json(chosen, outcomes), indent=1) + "\n"
        )
    return 1 if any(outcome.failure for outcome in outcomes) else 0


def make_all(attacks: Sequence[Attack], share: float, home: Path) -> list[Outcome]:
    """Make what was not made before, and return the outcomes of all."""
    log = home / "outcomes.jsonl"
    done = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        outcome = Outcome(**json.loads(line))
        done[outcome.name, outcome.number] = outcome
    outcomes = []
    for attack in attacks:
        count = max(1, math.ceil(attack.count * share))
        for number in range(count):
            outcome = done.get((attack.name, number))
            if outcome is None:
                outcome = made(attack, number, home)
                with open(log, "a") as file:
                    file.write(json.dumps(asdict(outcome)) + "\n")
            outcomes.append(outcome)
            show_progress(attack, number + 1, count, outcomes)
    return outcomes


def show_progress(attack: Attack, number: int, count: int, outcomes: Sequence[Outcome]) -> None:
    """One line on stderr, which the next one replaces."""
    failed = sum(bool(each.failure) for each in outcomes if each.name == attack.name)
    end = "\n" if number == count else "\r"
    print(f"{attack.name}: {number} of {count}, {failed} failed  ", end=end, file=sys.stderr)


def as_json(attacks: Sequence[Attack], outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Counts and failures by kind, with date and versions."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit(),
        "versions": versions(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "attacks": {
            attack.name: summary([each for each in outcomes if each.name == attack.name])
            for attack in attacks
        },
    }


def summary(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Counts of one kind, and what each failure was."""
    failures = Counter(shortened(outcome.failure) for outcome in outcomes if outcome.failure)
    skipped = {outcome.skipped for outcome in outcomes if outcome.skipped}
    return {
        "tried": sum(outcome.tries for outcome in outcomes),
        "failed": sum(failures.values()),
        "seconds": round(sum(outcome.seconds for outcome in outcomes)),
        "skipped": sorted(skipped),
        "failures": dict(failures.most_common(MOST_FAILURES)),
    }


def shortened(failure: str) -> str:
    """The error without its traceback, which is in `.torture/outcomes.jsonl`."""
    lines = failure.strip().splitlines()
    last = [line for line in lines if not line.startswith(" ")][-1:] or lines[-1:]
    return last[0][:300]


def as_table(attacks: Sequence[Attack], outcomes: Sequence[Outcome]) -> str:
    """The counts as Markdown, and what each failure was."""
    whole = as_json(attacks, outcomes)
    rows = whole["attacks"]
    assert isinstance(rows, dict)
    lines = [
        "# Attacks on the edges",
        "",
        f"{whole['date']}, commit {whole['commit']}, {whole['machine']}. "
        + ", ".join(f"{name} {number}" for name, number in versions().items()),
        "",
        "| attack | tried | survived | failed | seconds |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, row in rows.items():
        survived = row["tried"] - row["failed"]
        numbers = f"{row['tried']} | {survived} | {row['failed']} | {row['seconds']}"
        reason = "".join(f" (not made: {reason})" for reason in row["skipped"])
        lines.append(f"| {name}{reason} | {numbers} |")
    for name, row in rows.items():
        if row["failures"]:
            lines += ["", f"## {name}", ""]
            lines += [f"- {count} x `{text}`" for text, count in row["failures"].items()]
    return "\n".join(lines) + "\n"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages whose behaviour counts."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """The state of the repository, with + where files were changed."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "?"


if __name__ == "__main__":
    sys.exit(main())

"""Prints the line coverage of a test run, and fails where a file is below the limit without a
reason.

    NETWISE_COVERAGE=coverage.json scripts/test
    python -m tools.line_coverage coverage.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

LIMIT = 80.0  # percent of lines
NEEDLESS = 90.0  # a reason is stale from here on; between the two, machines differ
PACKAGE = "src/netwise/"  # tests also run copies of the package elsewhere

# File -> why its lines are not run by the tests.
WITHOUT_FRAMEWORK = "runs inside a framework that the test environment does not install"
BELOW_LIMIT: Mapping[str, str] = {
    **{
        f"src/netwise/integrations/{name}.py": WITHOUT_FRAMEWORK
        for name in ("accelerate", "fit_watch", "keras", "lightning", "skorch", "transformers")
    },
    "src/netwise/observe/readable.py": "a part of it is for values on several devices",
}


def line_counts(report: Path) -> dict[str, tuple[int, int]]:
    """File of the package -> (lines that ran, lines), from a JSON report of coverage.py.

    Raises:
        ValueError: the report has no file of the package: the tests ran without coverage.
    """
    files = {
        name.replace("\\", "/"): values["summary"]
        for name, values in json.loads(report.read_text("utf-8")).get("files", {}).items()
    }
    counts = {
        name: (int(summary["covered_lines"]), int(summary["num_statements"]))
        for name, summary in files.items()
        if name.startswith(PACKAGE)
    }
    if not counts:
        raise ValueError(
            f"{report} has no files of the package: run NETWISE_COVERAGE={report} scripts/test "
            "to write it"
        )
    return counts


def percent(covered: int, lines: int) -> float:
    """Percent of lines that ran; 100 for a file without lines."""
    return 100.0 * covered / lines if lines else 100.0


def unexplained(covered: Mapping[str, float], reasons: Mapping[str, str]) -> list[str]:
    """Files below the limit that have no reason, and reasons that are no longer needed."""
    low = [
        f"{name}: {share:.0f} % of its lines run in the tests; test it, or give the reason in "
        "BELOW_LIMIT"
        for name, share in sorted(covered.items())
        if share < LIMIT and name not in reasons
    ]
    stale = [
        f"{name}: is above {NEEDLESS:.0f} % or gone; remove its reason from BELOW_LIMIT"
        for name in reasons
        if covered.get(name, 100.0) >= NEEDLESS
    ]
    return low + stale


def main(arguments: list[str]) -> int:
    """Print the table; 1 if a file is below the limit without a reason."""
    if len(arguments) != 1:
        print("usage: python -m tools.line_coverage coverage.json", file=sys.stderr)
        return 2
    counts = line_counts(Path(arguments[0]))
    covered = {name: percent(*count) for name, count in counts.items()}
    total = percent(*(sum(column) for column in zip(*counts.values(), strict=True)))
    for name, share in sorted(covered.items(), key=lambda each: each[1])[:15]:
        print(f"{share:6.1f} %  {name}")
    print(f"{total:6.1f} %  of all lines, {len(covered)} files")
    problems = unexplained(covered, BELOW_LIMIT)
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

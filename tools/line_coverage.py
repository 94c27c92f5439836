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

# File -> why its lines are not run by the tests.
BELOW_LIMIT: Mapping[str, str] = {}


def percentages(report: Path) -> dict[str, float]:
    """File -> percent of its lines that ran, from a JSON report of coverage.py.

    Raises:
        ValueError: the report has no files: the tests ran without coverage.
    """
    files = json.loads(report.read_text("utf-8")).get("files", {})
    if not files:
        raise ValueError(
            f"{report} has no files: run NETWISE_COVERAGE={report} scripts/test to write it"
        )
    return {
        name.replace("\\", "/"): float(values["summary"]["percent_covered"])
        for name, values in files.items()
    }


def unexplained(covered: Mapping[str, float], reasons: Mapping[str, str]) -> list[str]:
    """Files below the limit that have no reason, and reasons that are no longer needed."""
    low = [
        f"{name}: {percent:.0f} % of its lines run in the tests; test it, or give the reason in "
        "BELOW_LIMIT"
        for name, percent in sorted(covered.items())
        if percent < LIMIT and name not in reasons
    ]
    stale = [
        f"{name}: is above {LIMIT:.0f} % or gone; remove its reason from BELOW_LIMIT"
        for name in reasons
        if covered.get(name, 100.0) >= LIMIT
    ]
    return low + stale


def main(arguments: list[str]) -> int:
    """Print the table; 1 if a file is below the limit without a reason."""
    if len(arguments) != 1:
        print("usage: python -m tools.line_coverage coverage.json", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    covered = percentages(path)
    total = json.loads(path.read_text("utf-8"))["totals"]["percent_covered"]
    for name, percent in sorted(covered.items(), key=lambda each: each[1])[:15]:
        print(f"{percent:6.1f} %  {name}")
    print(f"{total:6.1f} %  of all lines, {len(covered)} files")
    problems = unexplained(covered, BELOW_LIMIT)
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A run of a million recorded rows: it is read in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from torture.attack import Attack, Chance, Failed, Skipped

ROWS = 1_000_000
MOST_SECONDS, MOST_MEGABYTES = 10.0, 500.0
READER = """
import sys, time
import netwise as nw
started = time.monotonic()
history = nw.load_history(sys.argv[1])
seconds = time.monotonic() - started
# Not getrusage, which has the memory of the process that started this one.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if "VmHWM" in line) / 1024
series = history.of("loss")
print(len(series.values), series.values[-1], round(seconds, 2), round(peak))
"""


def prepare(folder: Path) -> None:
    """The folder of a watched program with a million rows."""
    import netwise as nw
    from netwise.watching.run_files import RunFiles

    files = RunFiles(folder / "long", {"name": "train.py", "model": "Net"})
    rows = [{"step": step, "loss": 1 / (step + 1), "lr": 0.1} for step in range(ROWS)]
    files.append(rows)
    files.close(nw.History.from_rows(rows))


def read(prepared: Path, scratch: Path, chance: Chance) -> None:
    """Reading all of it, in a process of its own."""
    if not Path("/proc/self/status").exists():
        raise Skipped("only Linux says how much memory a process took")
    command = [sys.executable, "-c", READER, str(prepared / "long")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(done.stderr.strip().splitlines()[-1])
    count, last, seconds, megabytes = (float(word) for word in done.stdout.split())
    if (count, last) != (ROWS, 1 / ROWS):
        raise Failed(f"{count:.0f} rows, the last one {last}")
    print(json.dumps({"seconds": seconds, "MB": megabytes}), file=sys.stderr)
    if seconds > MOST_SECONDS or megabytes > MOST_MEGABYTES:
        raise Failed(f"{seconds} s and {megabytes:.0f} MB for {ROWS:,} rows")


ATTACKS = (Attack("1,000,000 rows", 1, read, prepare, seconds=300),)

"""An epoch on a file that does not fit in memory: `data.stream`, beside reading the file.

    scripts/bench stream                    10 GB within 1 GiB, some minutes and 10 GB of disk
    scripts/bench stream 2 --memory 0.7     2 GB within 0.7 GiB
    scripts/bench stream --kind parquet     a table instead of an array
    scripts/bench stream --json FILE        also write the numbers, and a table as Markdown
    scripts/bench stream --folder FOLDER    where the file is written, and deleted afterwards

The run is a process of its own, in a control group whose memory is limited where this program may
make one (as root on Linux); pages of files that the system keeps count, too. Before it the system
forgets the file. "read" reads the same file from its start to its end in pieces of 8 MiB.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import torch
from watch import processor, versions  # beside this file

WIDTHS = {"npy": 784, "parquet": 50}
AT_ONCE = 20_000
GROUP = "netwise-bench-stream"


def written(folder: Path, kind: str, size: float) -> tuple[Path, int]:
    """Ten classes of random numbers, so many GB as float32: the file and its bytes on the disk."""
    g, width = np.random.default_rng(0), WIDTHS[kind]
    rows = max(1, int(size * 1e9) // (4 * width) // AT_ONCE) * AT_ONCE
    centres = g.normal(size=(10, width)).astype(np.float32) * 0.3
    noise = g.normal(size=(AT_ONCE, width)).astype(np.float32)

    def pieces() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _ in range(0, rows, AT_ONCE):
            y = g.integers(0, 10, AT_ONCE)
            yield noise[g.permutation(AT_ONCE)] + centres[y], y

    path = folder / f"x.{kind}"
    if kind == "npy":
        x = np.lib.format.open_memmap(path, "w+", np.float32, (rows, width))
        targets = np.empty(rows, np.int64)
        for start, (piece, y) in zip(range(0, rows, AT_ONCE), pieces(), strict=True):
            x[start : start + AT_ONCE], targets[start : start + AT_ONCE] = piece, y
        x.flush()
        np.save(folder / "y.npy", targets)
    else:
        import polars as pl

        frames = [
            pl.DataFrame(piece, [f"c{i}" for i in range(width)]).with_columns(y=y).lazy()
            for piece, y in pieces()
        ]
        pl.concat(frames).sink_parquet(path, row_group_size=2**15)
    return path, path.stat().st_size


def forget(path: Path) -> None:
    """Have the system forget the file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds_to_read(path: Path) -> float:
    buffer, begun = bytearray(2**23), time.monotonic()
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    return time.monotonic() - begun


@contextmanager
def limited(limit: int) -> Iterator[Path | None]:
    """A control group with so many bytes of memory; None where none can be made."""
    for root, name in (("/sys/fs/cgroup/memory", "limit_in_bytes"), ("/sys/fs/cgroup", "max")):
        group = Path(root) / GROUP
        try:
            group.mkdir(exist_ok=True)
            (group / f"memory.{name}").write_text(str(limit))
        except OSError:
            continue
        try:
            yield group
        finally:
            group.rmdir()
        return
    yield None


def train(folder: Path, kind: str) -> None:
    """The run, in its own process; prints a line of JSON."""
    begun = time.monotonic()
    import netwise as nw

    files = (folder / "x.npy", folder / "y.npy") if kind == "npy" else (folder / "x.parquet", "y")
    recipe = nw.Recipe(
        data=nw.data.stream(*files),
        network=nw.MLP((WIDTHS[kind], 64, 10)),
        epochs=1,
        batch_size=256,
    )
    run = nw.fit(recipe)
    status = Path("/proc/self/status").read_text()
    read = re.search(r"read_bytes: (\d+)", Path("/proc/self/io").read_text())
    peak = re.search(r"VmHWM:\s+(\d+)", status)
    result = {
        "seconds": round(time.monotonic() - begun, 1),
        "peak MB of the process": round(int(peak[1]) * 1024 / 1e6) if peak else None,
        "MB read from the disk": round(int(read[1]) / 1e6) if read else None,
        "accuracy": round(float(run.score.value), 4) if run.score else None,
    }
    print(json.dumps(result), flush=True)


def measured(folder: Path, kind: str, size: float, memory: float) -> dict[str, object]:
    path, count = written(folder, kind, size)
    forget(path)
    plain = seconds_to_read(path)
    forget(path)
    with limited(int(memory * 2**30)) as group:
        join = f"echo $$ > {group}/cgroup.procs; " if group else ""
        command = f'{join}exec "$0" "$@"'
        own = [sys.executable, __file__, "--train", str(folder), "--kind", kind]
        done = subprocess.run(
            ["sh", "-c", command, *own],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    run = json.loads(done.stdout.splitlines()[-1])
    return {
        "kind": kind,
        "MB": round(count / 1e6),
        "GiB of memory": memory if group else "not limited",
        **run,
        "MB per second": round(count / 1e6 / run["seconds"]),
        "MB per second, read": round(count / 1e6 / plain),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("size", type=float, nargs="?", default=10.0, help="GB as float32")
    parser.add_argument("--memory", type=float, default=1.0, help="GiB")
    parser.add_argument("--kind", choices=list(WIDTHS), default="npy")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        train(given.train, given.kind)
        return
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        row = measured(Path(folder), given.kind, given.size, given.memory)
    print(json.dumps(row, indent=1))
    if given.json:
        rows = json.loads(given.json.read_text())["results"] if given.json.exists() else []
        rows = [each for each in rows if each["kind"] != given.kind] + [
            {**row, "load when it began": round(load, 1)}
        ]
        made = {
            "date": date.today().isoformat(),
            "versions": versions(),
            "machine": processor(),
            "results": rows,
        }
        given.json.write_text(json.dumps(made, indent=1) + "\n")
        names = list(rows[0])
        source = (
            f"From `scripts/bench stream --json benchmarks/stream.json`, {made['date']}, torch "
            f"{torch.__version__}, one thread,\nbeside other processes on two cores. The network "
            "has 64 hidden units, batches have 256 rows.\n"
        )
        lines = [
            "# An epoch on a file that does not fit in memory\n",
            source,
            f"| {' | '.join(names)} |",
            f"|---{'|---:' * (len(names) - 1)}|",
            *(f"| {' | '.join(str(each[name]) for name in names)} |" for each in rows),
        ]
        given.json.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""Runs the recipes of this folder with several seeds, records the results in `results/`, and writes
the table in README.md.

    python -m recipes.measure                  list the entries and their recorded seeds
    python -m recipes.measure NAME ...         run these with the seeds that have no result yet
    python -m recipes.measure --all            run all of them
    python -m recipes.measure --table          write the table without running anything

A result is recorded with the hash of its recipe. After a change of the recipe its old results are
ignored.
"""

from __future__ import annotations

import argparse
import os

import torch

from recipes.entries import ENTRIES
from recipes.recording import run_entry, valid_results
from recipes.table import write_table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="entries to run")
    parser.add_argument("--all", action="store_true", help="run all entries")
    parser.add_argument("--table", action="store_true", help="write the table")
    parser.add_argument("--threads", type=int, help="of a run; default: all cores")
    parser.add_argument("--device", default="cpu", help="of torch, such as cuda; default: cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads or os.cpu_count() or 1)
    entries = {entry.name: entry for entry in ENTRIES}
    unknown = [name for name in options.names if name not in entries]
    if unknown:
        parser.error(f"unknown entry {unknown[0]!r}. Write one of: {'; '.join(entries)}")
    for entry in ENTRIES if options.all else [entries[name] for name in options.names]:
        run_entry(entry, options.threads, options.device)
    if options.table or options.names or options.all:
        write_table()
    else:
        for entry in ENTRIES:
            seeds = f"{len(valid_results(entry))} of {len(entry.seeds)} seeds"
            print(f"{entry.name}: {seeds}; goal: {entry.goal}")


if __name__ == "__main__":
    main()

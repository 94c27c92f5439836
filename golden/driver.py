"""Runs cases with the netwise of one tree, and writes a line of JSON for each case.

python -m golden.driver --tree TREE --out RESULTS NAME ...

`scripts/golden` starts it, with TREE/src on PYTHONPATH and in an empty folder, where cases write
files. A case that raises has its error as its result; the others go on.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from golden.cases import cases
from golden.files import write_all


def results(names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run these cases, each as soon as the one before has been taken."""
    every = cases()
    for name in names:
        try:
            yield name, every[name]()
        except Exception as error:
            first = (str(error).strip().splitlines() or [""])[0]
            yield name, {"error": f"{type(error).__name__}: {first}"}
            print(textwrap.indent(str(error)[:600], " " * 11), file=sys.stderr)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("names", nargs="+")
    given = parser.parse_args(words)

    import netwise

    if not Path(netwise.__file__).is_relative_to(given.tree):
        sys.exit(f"netwise is {netwise.__file__}, and not that of {given.tree}")
    torch.set_num_threads(1)
    write_all()
    began = start = time.perf_counter()
    with given.out.open("w") as out:
        for name, result in results(given.names):
            now = time.perf_counter()
            error = f"   {result['error']}" if "error" in result else ""
            print(f"{now - start:7.1f} s  {name}{error}", file=sys.stderr, flush=True)
            out.write(json.dumps([name, result]) + "\n")
            out.flush()
            start = time.perf_counter()
    print(f"{time.perf_counter() - began:7.1f} s  in all", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

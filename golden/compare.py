"""Trains small recipes with two commits and prints which results differ.

scripts/golden --against REV           compare this tree with a commit
scripts/golden --against REV --only 'recipe/rbm*' script
scripts/golden --list                  names of the cases
scripts/golden                         run all cases of this tree and print their digests

What is compared: SHA-256 of the final weights and of all history values, scores, hashes of recipes,
findings of all runs of the gallery, numbers of quick labs, searches, a treatment; and what this
tree reads from run folders that the commit has written (kept/*).
Exit codes: 0 equal, 1 something differs, 2 could not be run.

Bits depend on processor, torch and thread count, so no reference is stored: both commits run on
this machine with one thread and the cases of this tree. Results of a commit are cached in .golden/.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".golden"
RAN_BY = ("cases.py", "driver.py", "files.py", "recipes.py", "results.py")  # decide the results
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
Results = dict[str, dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("scripts/golden", description=__doc__, formatter_class=form)
    parser.add_argument("--against", metavar="REV", help="the commit to compare this tree with")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="cases to run; * for any text")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and end")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the worktree is removed

    names = list_cases()
    if options.only:
        unknown = [
            pattern for pattern in options.only if not any(fnmatchcase(n, pattern) for n in names)
        ]
        if unknown:
            parser.error(f"no case is called {' or '.join(unknown)}. Run scripts/golden --list")
        names = [name for name in names if any(fnmatchcase(name, p) for p in options.only)]
    if options.list:
        print("\n".join(names))
        return 0
    if options.against is None:
        for name, result in run(ROOT, names).items():
            print(f"{name}  {digest(result)}")
        return 0
    commit = commit_of(options.against)
    if commit is None:
        parser.error(f"--against {options.against}: unknown commit. Write one of `git log`")
    reference, folders = results_of(commit, names)
    print("this tree", file=sys.stderr)
    lines = differences(reference, run(ROOT, names, folders))
    failed = [name for name in names if "error" in reference[name]]
    if failed:
        print(f"not compared, because they raise at {options.against}: {', '.join(failed)}")
    if not lines:
        print(f"equal: {len(names) - len(failed)} cases, against {commit[:12]}")
        return 0
    print("\n".join(lines))
    print(f"{len(lines)} of {len(names)} cases differ from {commit[:12]}")
    return 1


def differences(reference: Results, current: Results) -> list[str]:
    """A line for each case whose results differ, with the values, tensors and signals that do."""
    lines = []
    for name, before in reference.items():
        now = current.get(name, {"error": "no result"})
        if "error" in now and now != before:
            lines.append(f"{name}: raises {now['error']}")
        elif "error" in before and now != before:
            lines.append(f"{name}: raised {before['error']}, and now does not")
        elif now != before:
            keys = [key for key in {**before, **now} if key != "parts"]
            changed = [key for key in keys if before.get(key) != now.get(key)]
            lines.append(f"{name}: " + "; ".join(located(key, before, now) for key in changed))
    return lines


def located(key: str, before: dict[str, Any], now: dict[str, Any]) -> str:
    """The name of a value that differs, with its tensors or signals, or both values if short."""
    one, other = (result.get("parts", {}).get(key) for result in (before, now))
    if one is not None and other is not None:
        parts = [part for part in {**one, **other} if one.get(part) != other.get(part)]
        more = f" and {len(parts) - 6} more" if len(parts) > 6 else ""
        return f"{key} ({', '.join(parts[:6])}{more})"
    texts = [readable(result.get(key)) for result in (before, now)]
    return f"{key} {texts[0]} -> {texts[1]}" if sum(map(len, texts)) < 200 else key


def readable(value: Any) -> str:
    """A value as text, with exact numbers as decimals."""
    hexed = r'"(-?0x[01]\.[0-9a-f]+p[+-]\d+)"'
    return re.sub(hexed, lambda match: repr(float.fromhex(match[1])), json.dumps(value))


def digest(result: dict[str, Any]) -> str:
    """16 hex digits of a result, or its error."""
    if "error" in result:
        return str(result["error"])
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()[:16]


def results_of(commit: str, names: Sequence[str]) -> tuple[Results, Path]:
    """The results of a commit, cached where possible, and the folder with runs that it wrote."""
    path = CACHE / f"{commit[:12]}-{machine()}.json"
    folders = path.with_suffix("")
    cached: Results = json.loads(path.read_text()) if path.is_file() else {}
    missing = [name for name in names if "error" in cached.get(name, {"error": ""})]
    if not folders.is_dir():
        missing = [name for name in names if name in missing or name.startswith("kept/")]
    if missing:
        print(f"{commit[:12]}", file=sys.stderr)
        with worktree(commit) as tree:
            cached |= run(tree, missing, keep_in=folders)
        CACHE.mkdir(exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(cached, indent=0))
        temporary.replace(path)
    return {name: cached[name] for name in names}, folders


def machine() -> str:
    """A key of what results depend on beside the commit: cases, versions and processor."""
    cases = hashlib.sha256()
    for name in RAN_BY:
        cases.update((ROOT / "golden" / name).read_bytes())
    packages = ("numpy", "scipy", "scikit-learn", "optuna", "pillow")
    others = [platform.python_version(), *(version(name) for name in packages), processor()]
    rest = hashlib.sha256("|".join(others).encode()).hexdigest()[:8]
    return f"{cases.hexdigest()[:8]}-torch{version('torch')}-{rest}"


def processor() -> str:
    """Model of the CPU: torch chooses its kernels by it."""
    try:
        match = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        match = None
    return match[1] if match else f"{platform.machine()} {platform.processor()}"


def commit_of(revision: str) -> str | None:
    command = ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or None


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """A checkout of a commit, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        tree = Path(folder).resolve() / "tree"
        git = ["git", "worktree"]
        command = [*git, "add", "--quiet", "--detach", str(tree), commit]
        subprocess.run(command, cwd=ROOT, check=True)
        try:
            yield tree
        finally:
            command = [*git, "remove", "--force", str(tree)]
            subprocess.run(command, cwd=ROOT, check=True)


def run(
    tree: Path, names: Sequence[str], folders: Path | None = None, keep_in: Path | None = None
) -> Results:
    """The results of cases with the netwise of a tree; progress goes to the standard error.

    Args:
        tree: a checkout; its src/ is used.
        names: of the cases.
        folders: runs that another commit wrote, which the cases kept/* read.
        keep_in: folder to copy the runs to that these cases write.
    """
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        out, files = Path(folder) / "results.jsonl", Path(folder) / "files"
        files.mkdir()
        if folders is not None and folders.is_dir():
            shutil.copytree(folders, files / "kept")
        command = [sys.executable, "-m", "golden.driver", "--tree", str(tree), "--out", str(out)]
        done = subprocess.run([*command, *names], cwd=files, env=environment(tree))
        rows = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
        if keep_in is not None and (files / "kept").is_dir():
            shutil.copytree(files / "kept", keep_in, dirs_exist_ok=True)
    results: Results = dict(rows)
    if not results:
        sys.exit(2)  # the driver has printed the reason
    lost = {"error": f"no result: the driver ended before, with exit code {done.returncode}"}
    return {name: results.get(name, lost) for name in names}


def list_cases() -> list[str]:
    """Names of all cases, with the gallery of this tree."""
    code = "from golden.cases import cases; print(*cases(), sep='\\n')"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment(ROOT), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(2)
    return done.stdout.split()


def environment(tree: Path) -> dict[str, str]:
    """Environment variables: one thread, the netwise of this tree, no data files of the user."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("NETWISE_")}
    paths = os.pathsep.join((str(tree / "src"), str(ROOT)))
    return {**others, **dict.fromkeys(THREADS, "1"), "PYTHONPATH": paths, "MPLBACKEND": "Agg"}


if __name__ == "__main__":
    sys.exit(main())

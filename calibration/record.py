"""Records histories of programs under `nw.watch()`, each in a file, and reads them again.

A recording is found again by the hash of the code that observes, so that a run which was stopped
goes on where it ended, and a change of rules alone records nothing anew. Processes share the work:

    python -m calibration.record --out FOLDER --suite zoo --part 0 --of 2
    python -m calibration.record --out FOLDER --suite mutants/mutants.py --draw 1 --seeds 0 1 2
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".calibration"
ZOO = "zoo"
SUITES = ("cases.py", "mutants/mutants.py", "real_bugs.py", ZOO)
# Folders of the package that decide what is observed. Rules and all that is above are not there.
OBSERVING = ("observe", "watching", "preflight", "parts")


@dataclass(frozen=True)
class Recording:
    """The histories of one run, and what is true of it.

    Args:
        id, suite, group, seed, draw: which run. Groups: sick, healthy, real, fixed.
        roots, also, symptoms: the faults that may be named; what is true besides; what is seen.
        counts: whether it is part of totals.
        plainly_true: words that count neither for nor against.
        histories: for each watched root, (its history as plain values, its rows).
        errors: of the observer, and of the program itself.
        seconds: of the run.
        score, good: of programs of the zoo: what they reached, and what counts as healthy.
    """

    id: str
    suite: str
    group: str
    seed: int = 0
    draw: str = ""
    roots: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()
    counts: bool = True
    plainly_true: tuple[str, ...] = ()
    histories: dict[str, Any] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    seconds: float = 0.0
    score: float | None = None
    good: float | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing may be found in it."""
        return self.group in ("healthy", "fixed")

    @property
    def program(self) -> str:
        """What it was made of: the same for a program, its controls and its faults."""
        return self.id.split("~")[0].split("+")[0].split(":")[0]

    @property
    def operators(self) -> str:
        """What was changed in the program; "" for nothing."""
        return self.id[len(self.program) :].lstrip("~+:")


def observing_code() -> str:
    """Hash of the code that decides what a history holds."""
    package = ROOT / "src" / "netwise"
    files = [*package.glob("*.py"), *(p for d in OBSERVING for p in (package / d).rglob("*.py"))]
    text = b"".join(path.read_bytes() for path in sorted(files))
    return hashlib.sha256(text).hexdigest()[:12]


def clinic_folder() -> Path:
    """The folder of the clinic's cases, from NETWISE_CLINIC."""
    folder = os.environ.get("NETWISE_CLINIC", "")
    if not folder or not Path(folder).is_dir():
        sys.exit("NETWISE_CLINIC is not set to the folder of the clinic: set it and run again")
    return Path(folder)


def record_all(
    suites: Sequence[str], seeds: Sequence[int], draws: Sequence[str], jobs: int, only: str = ""
) -> Path:
    """Records what is not yet recorded, in `jobs` processes, and returns the folder."""
    folder = CACHE / observing_code()
    folder.mkdir(parents=True, exist_ok=True)
    waiting = [
        [*("--suite", suite), *("--draw", draw or "0"), *("--part", str(i)), *("--of", str(jobs))]
        for suite in suites
        for draw in (draws if suite.startswith("mutants") else ("",))
        for i in range(jobs)
    ]
    seeds_given = [str(seed) for seed in seeds]
    running: list[subprocess.Popen[bytes]] = []
    for words in waiting:
        while len([p for p in running if p.poll() is None]) >= jobs:
            time.sleep(0.2)
        command = [sys.executable, "-m", "calibration.record", "--out", str(folder), *words]
        command += ["--seeds", *seeds_given, *(["--only", only] if only else [])]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MUTANTS_DRAW": words[3]}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        running.append(subprocess.Popen(command, cwd=ROOT, env=environment))
    for process in running:
        process.wait()
    return folder


def recordings(
    folder: Path, suites: Iterable[str], seeds: Iterable[int], draws: Iterable[str] = ("",)
) -> Iterator[Recording]:
    """What was recorded of these."""
    suites, seeds, draws = set(suites), set(seeds), set(draws)
    for path in sorted(folder.glob("*.json")):
        suite, draw, seed = path.name.split("@")[:3]
        wanted = suite in {each.replace("/", "_") for each in suites}
        if wanted and int(seed) in seeds and draw in (draws if "mutants" in suite else {""}):
            yield reading(path)


def reading(path: Path) -> Recording:
    """One recording from its file."""
    plain = json.loads(path.read_text())
    return Recording(**{k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()})


def watched(train: Any) -> tuple[dict[str, Any], list[str], Any]:
    """(histories, errors of the observer, what `train` returned) of a program under `nw.watch()`
    without arguments."""
    import netwise as nw
    from netwise.history import history_as_dict, history_rows

    with nw.watch() as watch:
        result = train()
    histories = {
        name: [history_as_dict(history), history_rows(history)]
        for name, history in watch.histories().items()
    }
    return histories, list(watch.errors), result


def _file(folder: Path, suite: str, draw: str, seed: int, name: str) -> Path:
    plain = name.replace("/", "_").replace(":", "_")
    return folder / f"{suite.replace('/', '_')}@{draw}@{seed}@{plain}.json"


def _write(path: Path, recording: Recording) -> None:
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(asdict(recording)))
    beside.replace(path)


def _record_zoo(folder: Path, seeds: Sequence[int], part: int, of: int, only: str) -> None:
    from calibration.zoo import ZOO as PROGRAMS

    for number, program in enumerate(PROGRAMS.values()):
        for seed in seeds:
            path = _file(folder, ZOO, "", seed, program.name)
            if number % of != part or path.exists() or only not in program.name:
                continue
            began = time.perf_counter()
            try:
                histories, errors, score = watched(lambda p=program, s=seed: p.run(s))
            except Exception as error:  # a crash under watching is a result, too
                histories, errors, score = {}, [repr(error)], None
            _write(
                path,
                Recording(
                    *(program.name, ZOO, "healthy", seed),
                    histories=histories,
                    errors=tuple(errors),
                    seconds=time.perf_counter() - began,
                    score=score,
                    good=program.good,
                ),
            )


def _record_suite(
    folder: Path, suite: str, draw: str, seeds: Sequence[int], part: int, of: int, only: str
) -> None:
    clinic = clinic_folder()
    sys.path.insert(0, str(clinic))
    import score as scorer
    from loop import Listener, train

    for number, known in enumerate(scorer.load_suite(clinic / suite)):
        for seed in seeds:
            path = _file(folder, suite, draw, seed, known.id)
            if number % of != part or path.exists() or only not in known.id:
                continue
            began, case = time.perf_counter(), known.case(seed)
            try:
                histories, errors, _ = watched(lambda c=case: train(c, Listener()))
            except Exception as error:
                histories, errors = {}, [repr(error)]
            _write(
                path,
                Recording(
                    *(known.id, suite, known.group, seed, draw),
                    *(tuple(sorted(s)) for s in (known.roots, known.also, known.symptoms)),
                    bool(getattr(known, "counts", True)),
                    tuple(sorted(scorer.plainly_true(case))),
                    histories,
                    tuple(errors),
                    time.perf_counter() - began,
                ),
            )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--suite", choices=SUITES, required=True)
    parser.add_argument("--draw", default="")
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--of", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", default="")
    given = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    given.out.mkdir(parents=True, exist_ok=True)
    if given.suite == ZOO:
        _record_zoo(given.out, given.seeds, given.part, given.of, given.only)
    else:
        draw = "" if given.draw == "0" else given.draw
        _record_suite(
            *(given.out, given.suite, draw, given.seeds, given.part, given.of, given.only)
        )


if __name__ == "__main__":
    main()

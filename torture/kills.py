"""Jobs that are killed again and again at any moment: their numbers are those of a quiet one.

A job runs in a process of its own, forked from this one, which has read all modules. It is killed
with all its children, started again, and at last left alone.
"""

from __future__ import annotations

import pickle
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import netwise as nw
from netwise.storage.layout import is_run, is_search
from torture.attack import Attack, Failed
from torture.damaged_runs import numbers
from torture.processes import ended, fork, kill_group, log, wait

KILLS = 10  # of one attack
PLAIN = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 32, 10), dropout=0.2),
    optimizer=nw.SGD(lr=0.1),
    batch_size=16,
    epochs=10,
)
RICH = PLAIN.but(
    optimizer=nw.Adam(lr=0.003),
    schedule=nw.OneCycle(),
    average=nw.EMA(),
    clip=nw.Clip(1.0),
    stopping=nw.Patience(6),
)
SEARCHED = PLAIN.but(epochs=2)
SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0), nw.axes.Integer("width", 8, 32)))
PROGRAM_STEPS = 400


@dataclass(frozen=True)
class Job:
    """What is killed.

    Args:
        start: begins or continues the job in a folder, to its end.
        result: the numbers in a folder that is complete.
        check: raises `Failed` where a folder that was left by a kill cannot be read. Default: it
            has to be listed among runs.
        continues: whether a killed job is continued. Default true; false: `check` is all.
        longest: time until a kill, at most, as a share of the time that the job needs. Of a search
            it is all of it: three kills in a row in one trial without progress, with no other
            worker, make the trial fail, as is documented.
    """

    start: Callable[[Path], object]
    result: Callable[[Path], Any]
    check: Callable[[Path, Path], None] = lambda folder, quiet: require_listed(folder)
    continues: bool = True
    longest: float = 1.0


def train(recipe: nw.Recipe, every: int = 7) -> Callable[[Path], object]:
    """A run with a checkpoint every few steps, or what is left of it."""

    def start(folder: Path) -> object:
        if not is_run(folder):
            return nw.fit(recipe, folder=folder, checkpoint_every=every)
        if nw.load_history(folder).ended.how == "finished":
            return None
        return nw.resume(folder)

    return start


def search(method: Any, jobs: int) -> Callable[[Path], object]:
    """A search, or what is left of it."""

    def start(folder: Path) -> object:
        if is_search(folder) and is_run(folder):
            return nw.resume_search(folder, jobs=jobs)
        return nw.search(
            SEARCHED, SPACE, method=method, trials=8, fresh=0, folder=folder, jobs=jobs
        )

    return start


def search_result(folder: Path) -> Any:
    """Values and histories of all trials."""
    trials = [(t.number, t.state, t.value, t.point) for t in nw.load_search(folder).trials]
    runs = [r for r in sorted(folder.glob("trials/*/run")) if (r / "about.json").exists()]
    losses = [nw.load_history(run).of("valid.loss") for run in runs]
    return trials, [() if each is None else each.values for each in losses]


def watch_program(folder: Path) -> object:
    """A loop of PyTorch under `watch`, which writes a run folder while it goes."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x = torch.randn(64, 8)
    y = x.sum(1, keepdim=True)
    with nw.watch(folder=folder):
        for _ in range(PROGRAM_STEPS):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
            time.sleep(0.001)
    return None


def watched_losses(folder: Path) -> Any:
    return nw.load_history(folder).of("loss").values


def check_watched(folder: Path, quiet: Path) -> None:
    """What a killed program has recorded is the beginning of what it records if left alone."""
    if not is_run(folder) or not (folder / "about.json").exists():
        return
    history = nw.load_history(folder)
    if history.ended.how == "running":
        raise Failed("a killed program is said to run")
    found = history.series["loss"].values if "loss" in history.series else ()
    if found != watched_losses(quiet)[: len(found)]:
        raise Failed("other losses than those of a program that was left alone")
    require_listed(folder)


def require_listed(folder: Path) -> None:
    """A folder that was left by a kill is listed, and hides no other."""
    names = [Path(entry.folder).name for entry in nw.list_runs(folder.parent)]
    if (is_run(folder) or is_search(folder)) and folder.name not in names:
        raise Failed(f"{folder.name} is not listed among the runs: {names}")


JOBS = {
    "killed training": Job(
        train(PLAIN), lambda folder: (numbers(nw.load(folder)), rows_of(folder)), longest=0.3
    ),
    "killed training with schedule, average and stopping": Job(
        train(RICH), lambda folder: (numbers(nw.load(folder)), rows_of(folder)), longest=0.3
    ),
    "killed random search": Job(search(nw.Random(), 1), search_result),
    "killed halving": Job(search(nw.Halving(), 1), search_result),
    "killed search with two workers": Job(search(nw.Random(), 2), search_result),
    "killed program under watch": Job(
        watch_program, watched_losses, check_watched, continues=False
    ),
}


def rows_of(folder: Path) -> bytes:
    """The rows of a run, as they are written."""
    return (folder / "history" / "rows.jsonl").read_bytes()


def prepare(name: str) -> Callable[[Path], None]:
    """The job without kills, and how long it took."""

    def make(folder: Path) -> None:
        job, started = JOBS[name], time.monotonic()
        code = wait(fork(job.start, folder / "quiet"))
        if code != 0:
            raise Failed(f"the job fails without kills: exit code {code}")
        taken = time.monotonic() - started
        (folder / "quiet.pickle").write_bytes(pickle.dumps((taken, job.result(folder / "quiet"))))

    return make


def kill(name: str) -> Callable[[Path, Path, random.Random], int]:
    """`KILLS` kills of a job, which is then left alone."""

    def attack(prepared: Path, scratch: Path, chance: random.Random) -> int:
        job = JOBS[name]
        taken, expected = pickle.loads((prepared / "quiet.pickle").read_bytes())
        kills, life, folder = 0, 0, scratch / "life-0"
        while kills < KILLS:
            child = fork(job.start, folder)
            time.sleep(chance.uniform(0, taken * job.longest))
            if ended(child):
                if wait(child) != 0:
                    raise Failed(f"it cannot be continued after {kills} kills: {log(folder)}")
                compare(job, folder, expected)
                life, folder = life + 1, scratch / f"life-{life + 1}"
                continue
            kill_group(child)
            wait(child)
            kills += 1
            job.check(folder, prepared / "quiet")
            if not job.continues:
                life, folder = life + 1, scratch / f"life-{life + 1}"
        if job.continues:
            if wait(fork(job.start, folder)) != 0:
                raise Failed(f"it cannot be continued after {kills} kills: {log(folder)}")
            compare(job, folder, expected)
        return kills

    return attack


def compare(job: Job, folder: Path, expected: Any) -> None:
    """The result of a job that was killed is that of the quiet one, to the last bit."""
    found, wanted = repr(job.result(folder)), repr(expected)
    if found != wanted:
        pairs = zip(found, wanted, strict=False)
        place = next((i for i, (a, b) in enumerate(pairs) if a != b), 0)
        shown = " instead of ".join(
            text[max(0, place - 80) : place + 120] for text in (found, wanted)
        )
        raise Failed(f"other numbers than those of the job that was not killed: {shown}")


ATTACKS = tuple(Attack(name, 4, kill(name), prepare(name), seconds=600) for name in JOBS)

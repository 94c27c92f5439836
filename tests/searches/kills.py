"""A study whose workers are killed again and again: run by `test_kills.py` in a process of its own,
since it forks.

    python kills.py FOLDER KILLS

Prints the trials of the study as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

import netwise as nw
from netwise.searches.plan import SearchPlan
from netwise.searches.study import StudyFolder
from netwise.searches.worker import WorkerTask, run_worker

RECIPE = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 32, 10), dropout=0.2),
    optimizer=nw.SGD(lr=0.1),
    batch_size=16,
    epochs=6,
)
SPACE = nw.Space(
    (nw.axes.Log("optimizer.lr", 1e-3, 10.0), nw.axes.Integer("width", 4, 64, log=True))
)
WORKERS = 2


def started(task: WorkerTask) -> int:
    """A worker in a process of its own."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    try:
        run_worker(task)
    finally:
        os._exit(0)


def main(folder: Path, kills: int) -> None:
    torch.set_num_threads(1)
    nw.fit(RECIPE.but(epochs=1))  # all late imports before the first fork
    plan = SearchPlan(
        space=SPACE, method=nw.Random(), trials=10_000, fresh=0
    )  # more than there is time for: workers are never idle
    StudyFolder.create(folder, RECIPE, plan)
    task = WorkerTask(str(folder), None, 0, 1)
    chance = random.Random(0)
    workers = [started(task) for _ in range(WORKERS)]
    for _ in range(kills):
        time.sleep(chance.uniform(0.02, 0.6))
        killed = (
            list(workers) if chance.random() < 0.2 else [chance.choice(workers)]
        )  # now and then all at once
        for child in killed:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            workers[workers.index(child)] = started(task)
    for child in workers:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    study = StudyFolder.open(folder)
    trials = len(study.trials())
    found = nw.resume_search(folder, trials=trials, jobs=1)
    print(
        json.dumps(
            {
                "kills": kills,
                "trials": [[t.number, t.state, t.value, t.point] for t in found.trials],
                "complete": found.complete,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""One process of several that train recipes together: `python rank_program.py FOLDER CASE...`.

Writes what this process has of each run into FOLDER/CASE-RANK.pt; `torchrun` or a test sets the
variables that say which process it is.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

import netwise as nw
from netwise.estimators import NetClassifier
from netwise.training.fit import train_prepared
from netwise.training.progress import Silent

DENSE = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 24, 10)),
    optimizer=nw.SGD(lr=0.05, momentum=0.9),
    batch_size=101,  # 1078 training rows: uneven shares, and a last batch of 68
    epochs=2,
)


def rows(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(count, 6, generator=g)
    return x, (x[:, 0] + x[:, 1] > 0).long()


def weighted() -> nw.Recipe:
    """Numbers whose samples have weights."""
    x, y = rows(70)
    weights = torch.linspace(0.1, 3, 70)
    return DENSE.but(
        data=nw.data.arrays(x, y, weights=weights), network=nw.MLP((6, 8, 2)), batch_size=13
    )


DEVICE = os.environ.get("NETWISE_TEST_DEVICE", "cpu")
NORMED = DENSE.but(network=nw.MLP((64, 24, 24, 10), batch_norm=True))

RECIPES: dict[str, Callable[[], nw.Recipe]] = {
    "sgd": lambda: DENSE,
    "adam": lambda: DENSE.but(optimizer=nw.Adam(lr=0.003), schedule=nw.OneCycle()),
    "weighted": weighted,
    "clip": lambda: DENSE.but(clip=nw.Clip(0.3), optimizer=nw.AdamW(lr=0.003), average=nw.EMA()),
    "penalty": lambda: DENSE.but(
        penalty=nw.SumOfPenalties((nw.L2(strength=0.01), nw.ActivityPenalty(strength=0.001)))
    ),
    "stopping": lambda: DENSE.but(
        stopping=nw.Patience(1), schedule=nw.Plateau(), optimizer=nw.SGD(lr=1.0), epochs=6
    ),
    "few rows": lambda: DENSE.but(  # of the last batch, process 1 has none
        data=nw.data.arrays(*rows(35)), network=nw.MLP((6, 8, 2)), batch_size=3
    ),
    "lbfgs": lambda: DENSE.but(optimizer=nw.LBFGS(iterations=3), batch_size=2000),
    "autoencoder": lambda: DENSE.but(
        network=nw.Autoencoder((64, 16)), loss=nw.BinaryCrossEntropy()
    ),
    "chain": lambda: DENSE.but(init=nw.From(recipe=DENSE.but(epochs=1)), epochs=1),
    "batch norm, in sync": lambda: NORMED,
    "batch norm": lambda: NORMED,
    "shards, descent": lambda: NORMED.but(clip=nw.Clip(0.3)),
    "shards": lambda: DENSE.but(optimizer=nw.AdamW(lr=0.003), stopping=nw.Patience(5)),
}
HOW = {
    "batch norm, in sync": {"sync_batch_norm": True},
    "shards": {"shard": True, "watch_every": 0},
    "shards, descent": {"shard": True, "watch_every": 0, "sync_batch_norm": True},
}


def trained(run: nw.Run) -> dict[str, Any]:
    return {
        "weights": {name: value.cpu() for name, value in run.module.state_dict().items()},
        "series": {key: list(series.values) for key, series in run.history.series.items()},
        "ended": run.history.ended.sentence,
        "score": run.score.value if run.score else None,
    }


class StopsAfterStep(Silent):
    """Sends this process Ctrl-C after its first step."""

    def step(self, done: int) -> None:
        if done == 1:
            os.kill(os.getpid(), signal.SIGINT)


class Dies(Silent):
    """Ends this process in its second epoch, as a kill does."""

    def epoch(self, epoch: int, row: object) -> None:
        if epoch == 2:
            os._exit(1)


DROPPED = DENSE.but(network=nw.MLP((64, 24, 10), dropout=0.3), stopping=nw.Patience(3))
LONG = DENSE.but(epochs=50)


def resumed(folder: Path, recipe: nw.Recipe = DROPPED, shard: bool = False) -> dict[str, Any]:
    """A whole run beside one that was interrupted in its first epoch and resumed."""
    whole = nw.fit(recipe, shard=shard, device=DEVICE)
    stopped = nw.fit(recipe, folder=folder, progress=StopsAfterStep(), shard=shard, device=DEVICE)
    again = nw.resume(folder)
    return {"whole": trained(whole), "stopped": trained(stopped), "again": trained(again)}


def stopped(folder: Path) -> dict[str, Any]:
    """A run without random draws, for one process to go on with."""
    return trained(nw.fit(DENSE, folder=folder, progress=StopsAfterStep()))


def refused(folder: Path) -> dict[str, str]:
    """Errors of settings that several processes cannot have."""
    found = {}
    for name, call in {
        "batch": lambda: nw.fit(DENSE.but(batch_size=1)),
        "annealing": lambda: nw.fit(DENSE.but(optimizer=nw.SimulatedAnnealing(), batch_size=2000)),
        "rbm": lambda: nw.fit(
            DENSE.but(network=nw.RBM(64, 16), loss=nw.CD(), preprocess=(nw.Binarise(),))
        ),
        "shards": lambda: nw.fit(DENSE.but(penalty=nw.L2()), shard=True),
        "folder": lambda: nw.fit(DENSE, folder=folder.parent),
        "other recipes": lambda: nw.fit(DENSE.but(seed=int(os.environ["RANK"]))),
        "many": lambda: nw.fit_many([DENSE]),
        "estimator": lambda: NetClassifier().fit(*[t.numpy() for t in rows()]),
        "batch norm": lambda: nw.fit(
            NORMED.but(
                batch_size=3,
                data=nw.data.arrays(*rows()),
                network=nw.MLP((6, 8, 2), batch_norm=True),
            )
        ),
    }.items():
        try:
            call()
        except nw.NetwiseError as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


def command(folder: Path) -> dict[str, Any]:
    """What the command line prints, and what it leaves."""
    from click.testing import CliRunner

    from netwise.cli import main as netwise

    answers = {}
    for name, words in {
        "train": ["train", "digits", "--epochs", "1", "--no-baselines", "--runs", str(folder)],
        "wrong": ["train", "digits", "--set", "batch_size=1", "--runs", str(folder)],
        "usage": ["train"],
        "search": ["search", "digits"],
    }.items():
        result = CliRunner().invoke(netwise, words)
        answers[name] = (result.exit_code, result.stdout, result.stderr)
    return answers


def killed(folder: Path) -> str:
    """What the others raise where a process is killed. Process 1 is."""
    show = Dies() if os.environ["RANK"] == "1" else Silent()
    try:
        # `fit` shows the progress of the first process alone: of others it makes a silent one
        train_prepared.__globals__["Silent"] = lambda: show
        nw.fit(LONG, folder=folder)
    except nw.ProcessFailed as error:
        return str(error)
    return "nothing was raised"


OTHERS: dict[str, Callable[[Path], Any]] = {
    "resumed": resumed,
    "resumed shards": partial(resumed, recipe=DENSE.but(optimizer=nw.Adam()), shard=True),
    "stopped": stopped,
    "refused": refused,
    "command": command,
    "killed": killed,
}


def main(folder: Path, names: list[str]) -> None:
    for name in names:
        if name in OTHERS:
            answer = OTHERS[name](folder / name)
        else:
            how: dict[str, Any] = {"watch_every": 5} | HOW.get(name, {})
            answer = trained(nw.fit(RECIPES[name](), folder=folder / name, device=DEVICE, **how))
        torch.save(answer, folder / f"{name}-{os.environ['RANK']}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), sys.argv[2:] or [*RECIPES, *OTHERS])

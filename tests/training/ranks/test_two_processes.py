"""Two processes that train one model: against the numbers of one process, and how they end.

All cases are trained by one pair of processes, which `rank_program.py` runs: starting them costs
more than all that they train.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import netwise as nw
from netwise.storage.run_folder import RunFolder
from rank_program import RECIPES

PROGRAM = Path(__file__).parents[2] / "rank_program.py"
PROCESSES = 2
Read = Callable[[str, int], Any]

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or not torch.distributed.is_gloo_available(),
    reason="needs a torch with torch.distributed and gloo",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that both processes have written into. The second one was killed at the end."""
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder)],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "RANK": str(rank),
                "WORLD_SIZE": str(PROCESSES),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "OMP_NUM_THREADS": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(PROCESSES)
    ]
    first, second = [process.communicate(timeout=300) for process in processes]
    assert processes[0].returncode == 0, first[1] + second[1]
    assert processes[1].returncode == 1, second[1]
    return folder


@pytest.fixture(scope="module")
def read(home: Path) -> Read:
    """What a process had of a case."""
    return lambda name, rank: torch.load(home / f"{name}-{rank}.pt", weights_only=False)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


SIGNALS = ("train.loss", "valid.loss", "train.accuracy", "valid.accuracy", "loss", "accuracy")
OF_LAYERS = (
    "gradient.rms",
    "weight.norm",
    "update.ratio",
    "activation.mean",
    "activation.std",
    "activation.zeros",
)


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "batch norm"])
def test_two_processes_have_the_numbers_of_one(name: str, read: Read) -> None:
    first, second = read(name, 0), read(name, 1)
    assert same(first["weights"], second["weights"])
    alone = nw.fit(RECIPES[name](), watch_every=0 if "shards" in name else 5)
    for key, value in alone.module.state_dict().items():
        assert torch.allclose(first["weights"][key], value, rtol=1e-4, atol=1e-5)
    assert first["ended"] == alone.history.ended.sentence
    assert first["score"] == pytest.approx(alone.score.value, abs=1e-4)
    for (signal, layer), series in alone.history.series.items():
        if signal in (*SIGNALS, *OF_LAYERS, "batch.classes", "learning_rate"):
            found = first["series"][signal, layer]
            assert found == pytest.approx(list(series.values), rel=1e-3, abs=1e-6), signal
    assert first["series"].keys() == alone.history.series.keys()


def test_batch_norm_over_the_rows_of_each_process_is_another_one(read: Read) -> None:
    """Without the option each process normalises its own rows; the running statistics are means
    over both, and weights stay equal."""
    first, second = read("batch norm", 0), read("batch norm", 1)
    assert same(first["weights"], second["weights"])
    alone = nw.fit(RECIPES["batch norm"]())
    assert not same(first["weights"], alone.module.state_dict())
    mean = "norm1.running_mean"
    assert torch.allclose(first["weights"][mean], alone.module.state_dict()[mean], atol=0.2)


@pytest.mark.parametrize("name", ["resumed", "resumed shards"])
def test_a_run_that_was_interrupted_in_one_process_resumes_to_the_same_bits(
    name: str, read: Read
) -> None:
    """Ctrl-C reaches the first process; both stop after the same step. Dropout draws from a stream
    of each process."""
    for rank in range(PROCESSES):
        runs = read(name, rank)
        assert runs["stopped"]["ended"].startswith("Interrupted by SIGINT after step 1,")
        assert same(runs["whole"]["weights"], runs["again"]["weights"])
        assert runs["whole"]["series"] == runs["again"]["series"]


def test_one_process_resumes_what_two_began(home: Path, read: Read) -> None:
    run = nw.resume(home / "stopped")
    whole = read("sgd", 0)
    for key, value in run.module.state_dict().items():
        assert torch.allclose(whole["weights"][key], value, rtol=1e-4, atol=1e-5)
    assert run.history.ended.how == "finished"


def test_a_folder_says_how_many_processes_wrote_it(home: Path) -> None:
    about = RunFolder.open(home / "shards").about()
    assert about["processes"] == {"count": 2, "backend": "gloo"}
    assert about["how"]["shard"] is True
    assert nw.load(home / "shards").score is not None
    assert "processes" not in RunFolder.open(home / "stopped").about()  # one has ended it


REFUSED = {
    "batch": "batch_size = 1  has fewer rows than there are processes, 2",
    "annealing": "optimizer = SimulatedAnnealing  draws its moves",
    "rbm": "network = RBM  has chains of its own states",
    "shards": "penalty = L2  needs whole weights",
    "other recipes": "differ between the processes, which train one model together",
    "many": "processes = 2  were started by torchrun",
    "estimator": "processes = 2  were started by torchrun",
    "batch norm": "batch_size = 3  leaves a process one row of a batch of 3",
}


@pytest.mark.parametrize(("name", "text"), REFUSED.items(), ids=REFUSED)
def test_what_two_processes_cannot_do_is_refused_in_both(name: str, text: str, read: Read) -> None:
    for rank in range(PROCESSES):
        assert text in read("refused", rank)[name]


def test_an_error_of_the_first_process_is_raised_in_both(read: Read) -> None:
    assert "exists already" in read("refused", 0)["folder"]
    other = read("refused", 1)["folder"]
    assert other.startswith("ProcessFailed: process 0 of 2 has failed (RunFolderError: ")


def test_the_command_line_of_the_first_process_speaks_for_both(home: Path, read: Read) -> None:
    first, second = read("command", 0), read("command", 1)
    assert first["train"][0] == second["train"][0] == 0
    assert "Finished: test accuracy" in first["train"][1]
    assert "batch_size = 1" in first["wrong"][2] + second["wrong"][2]
    assert "only train and watch share" in first["search"][2]
    assert {code for code, *_ in second.values()} == {0, 2}
    texts = {name: text for name, (_, *text) in second.items() if name != "wrong"}
    assert all(text == ["", ""] for text in texts.values())
    assert len([each for each in (home / "command").iterdir() if each.name != "index.json"]) == 1


def test_the_others_say_that_a_process_was_killed_and_the_run_resumes(
    home: Path, read: Read
) -> None:
    text = read("killed", 0)
    assert text.startswith("another of the 2 processes of this run has ended or was killed.")
    assert f"torchrun --nproc-per-node 2 -m netwise train --resume {home / 'killed'}" in text
    checkpoint = RunFolder.open(home / "killed").latest_checkpoint()
    assert checkpoint is not None
    assert checkpoint.state["epoch"] >= 1

"""One process of `torchrun` on a CUDA device: gradients by NCCL, weights shared out, resume."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import netwise as nw
from netwise.storage.run_folder import RunFolder
from rank_program import RECIPES

PROGRAM = Path(__file__).parents[1] / "rank_program.py"
CASES = (
    "sgd",
    "adam",
    "weighted",
    "batch norm, in sync",
    "shards",
    "shards, descent",
    "resumed",
    "resumed shards",
)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the process has written into."""
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "1"]
    done = subprocess.run(
        [*command, "--standalone", str(PROGRAM), str(folder), *CASES],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NETWISE_TEST_DEVICE": "cuda"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def read(home: Path, name: str) -> Any:
    return torch.load(home / f"{name}-0.pt", weights_only=False)


@pytest.mark.parametrize("name", [name for name in CASES if name in RECIPES])
def test_a_process_of_torchrun_has_the_numbers_of_the_cpu(name: str, home: Path) -> None:
    found = read(home, name)
    cpu = nw.fit(RECIPES[name](), watch_every=0 if "shards" in name else 5)
    for signal in ("train.loss", "valid.loss"):
        series = cpu.history.of(signal)
        assert series is not None
        assert found["series"][signal, ""] == pytest.approx(list(series.values), rel=0.02)
    assert found["series"].keys() == cpu.history.series.keys()
    assert RunFolder.open(home / name).about()["processes"] == {"count": 1, "backend": "nccl"}
    assert nw.load(home / name).score is not None  # on the CPU


@pytest.mark.parametrize("name", ["resumed", "resumed shards"])
def test_an_interrupted_run_resumes_to_the_same_bits(name: str, home: Path) -> None:
    runs = read(home, name)
    assert runs["stopped"]["ended"].startswith("Interrupted by SIGINT")
    assert runs["whole"]["series"] == runs["again"]["series"]
    for one, other in zip(
        runs["whole"]["weights"].values(), runs["again"]["weights"].values(), strict=True
    ):
        assert torch.equal(one, other)

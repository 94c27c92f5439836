"""DDP and FSDP2 with two processes on one machine: what each of them observes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

PROGRAM = Path(__file__).parent.parent / "distributed_program.py"

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or not torch.distributed.is_gloo_available(),
    reason="needs a torch with torch.distributed and gloo",
)


def two_processes(kind: str, fault: str, folder: Path) -> list[dict[str, Any]]:
    """What each of both processes printed: see distributed_program.py."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(PROGRAM.parent), os.environ.get("PYTHONPATH", "")]),
        "OMP_NUM_THREADS": "1",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), str(rank), str(folder / "meeting"), kind, fault],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    answers = []
    for process in processes:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        answers.append(json.loads(out.splitlines()[-1]))
    return answers


def test_ddp_in_a_healthy_program(tmp_path: Path) -> None:
    """Gradients are means over both processes."""
    for answer in two_processes("ddp", "", tmp_path):
        assert answer["errors"] == []
        assert answer["names"] == []
        assert answer["last loss"] < 0.2
        assert answer["frameworks"] == ["DDP, 2 processes"]
        assert "mean of all gradients" in answer["not observed"]["gradients of one process"]


def test_ddp_with_weights_in_no_optimizer(tmp_path: Path) -> None:
    """The weights have the names of the module inside of DDP."""
    for answer in two_processes("ddp", "head", tmp_path):
        assert answer["names"][:1] == ["weights_stand_still"]
        assert answer["in no optimizer"] == ["last.bias", "last.weight"]


def test_fsdp2_in_a_healthy_program(tmp_path: Path) -> None:
    """Weights are shards, and which of them a loss reaches is not observed: the graph contains
    gathered copies."""
    for answer in two_processes("fsdp", "", tmp_path):
        assert answer["errors"] == []
        assert answer["names"] == []
        assert answer["last loss"] < 0.2
        assert answer["frameworks"] == ["FSDP2, 2 processes"]
        for name in ("in_no_optimizer", "not_reached", "outside_module"):
            assert "gathered copies" in answer["not observed"][name]
        assert "shards" in answer["not observed"]["whole weights"]


def test_fsdp2_with_a_second_softmax(tmp_path: Path) -> None:
    for answer in two_processes("fsdp", "softmax", tmp_path):
        assert "output_misfits_loss" in answer["names"]

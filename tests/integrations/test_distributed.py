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

NAMES = {"ddp": "DDP", "fsdp": "FSDP2"}
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


@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_nothing_is_found_in_a_healthy_program(kind: str, tmp_path: Path) -> None:
    for answer in two_processes(kind, "", tmp_path):
        assert answer["errors"] == []
        assert answer["names"] == []
        assert answer["last loss"] < 0.2
        assert answer["frameworks"] == [f"{NAMES[kind]}, 2 processes"]


@pytest.mark.parametrize(
    ("kind", "fault", "rule"),
    [("ddp", "head", "weights_stand_still"), ("fsdp", "softmax", "output_misfits_loss")],
)
def test_a_fault_is_named_in_each_process(kind: str, fault: str, rule: str, tmp_path: Path) -> None:
    for answer in two_processes(kind, fault, tmp_path):
        assert rule in answer["names"]


def test_values_that_are_no_own_ones_are_named_so(tmp_path: Path) -> None:
    """DDP: gradients are means over all processes. FSDP2: weights are shards, and which of them a
    loss reaches is not observed."""
    (ddp, _) = two_processes("ddp", "head", tmp_path)
    assert ddp["in no optimizer"] == ["last.bias", "last.weight"]
    assert "mean of all gradients" in ddp["not observed"]["gradients of one process"]
    (tmp_path / "meeting").unlink(missing_ok=True)
    (fsdp, _) = two_processes("fsdp", "head", tmp_path)
    assert fsdp["in no optimizer"] == []
    assert "gathered copies" in fsdp["not observed"]["in_no_optimizer"]
    assert "shards" in fsdp["not observed"]["whole weights"]

"""The first steps of scripts: reports, and no file that existed is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from netwise.watching.first_steps import FirstStepsDone, _Guard, check_program

CHECK = [sys.executable, "-m", "netwise", "check"]

SCRIPT = """
import argparse
import torch
from torch import nn
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
epochs = parser.parse_args().epochs
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(net[0].parameters(), lr=0.1)
x, y = torch.randn(24, 4), torch.arange(24) % 3
print("epochs", epochs)
try:
    for step in range(1000):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
        print("step", step)
except Exception:
    print("caught")
finally:
    torch.save(net.state_dict(), "net.pt")
"""
STUBBORN = """
import torch
net = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
while True:
    try:
        optimizer.zero_grad()
        net(torch.ones(5, 4)).sum().backward()
        optimizer.step()
    except:
        pass
"""
# After three steps the running means have come a quarter of their way to 14.
NORMALISED = """
import torch
from torch import nn
torch.manual_seed(0)
net = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
x = torch.randn(300, 4)
x, y = x + 14, (x[:, 0] > x[:, 1]).long()
for epoch in range(100):
    net.train()
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(x[:200]), y[:200]).backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        print((net(x[200:]).argmax(1) == y[200:]).float().mean().item())
"""


def check(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "train.py").write_text(code)
    return subprocess.run(
        [*CHECK, "train.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_a_script_is_stopped_after_its_first_steps(tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_text("of yesterday")
    done = check(tmp_path, SCRIPT, "--epochs", "7")
    assert done.returncode == 1, done.stderr  # a cause was found
    lines = done.stdout.splitlines()
    assert lines[:3] == ["epochs 7", "step 0", "step 1"]
    assert "netwise: net, after 3 steps of train.py." in lines
    assert "net[2].bias and net[2].weight, but no optimizer holds them" in done.stdout
    assert "caught" not in done.stdout
    assert done.stderr == ""
    assert (tmp_path / "net.pt").read_text() == "of yesterday"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.pt", "train.py"]


def test_what_needs_more_steps_is_not_found_after_three(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(NORMALISED)
    (report,) = check_program(str(tmp_path / "train.py"), []).reports.values()
    assert "running_statistics_misfit" not in {finding.rule for finding in report.found}


def test_a_script_that_catches_everything_is_ended(tmp_path: Path) -> None:
    done = check(tmp_path, STUBBORN)
    assert done.returncode == 1
    assert "No problem found" in done.stdout
    assert "was ended" in done.stdout


def test_a_script_without_training_and_one_with_an_error(tmp_path: Path) -> None:
    done = check(tmp_path, "import sys\nprint('hello')\nsys.exit(7)\n")
    assert (done.returncode, done.stdout) == (7, "hello\n")


def test_files_that_exist_are_not_written_while_a_program_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/nowhere")
    file, new = tmp_path / "log.txt", tmp_path / "new.txt"
    file.write_text("kept")
    save, guard = torch.save, _Guard()
    guard.begin()
    try:
        for change in (
            lambda: file.write_text("lost"),
            file.unlink,
            lambda: new.replace(file),
            lambda: torch.save({}, tmp_path / "net.pt"),
        ):
            with pytest.raises(FirstStepsDone):
                change()
        new.write_text("a new file")
        assert file.read_text() == "kept"
    finally:
        guard.end()
    assert torch.save is save
    file.write_text("changed")
    assert file.read_text() == "changed"


FUNCTIONAL = """
import torch
from torch.func import grad
x, y = torch.randn(30, 4), torch.randn(30)
weights = {"inside": torch.randn(4, 8) / 2, "outside": torch.randn(8, 1) / 4}
def loss(weights):
    outputs = (x @ weights["inside"]).relu() @ weights["outside"]
    return ((outputs - y) ** 2).mean()
for step in range(1000):
    slope = grad(loss)(weights)
    weights = {name: value - 0.1 * slope[name] for name, value in weights.items()}
    print("step", step)
"""


def test_programs_that_compute_gradients_as_values_are_stopped_too(tmp_path: Path) -> None:
    result = check(tmp_path, FUNCTIONAL)
    assert "step 2" in result.stdout
    assert "step 8" not in result.stdout
    assert "widened from (30, 1) to (30, 30)" in result.stdout + result.stderr
    healthy = check(tmp_path, FUNCTIONAL.replace("torch.randn(30)", "torch.randn(30, 1)"))
    assert "No problem found" in healthy.stdout + healthy.stderr

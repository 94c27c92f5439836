"""netwise watch: a script of the user's own runs unchanged, and leaves a run folder and a
diagnosis."""

from __future__ import annotations

import io
import json
import os
import runpy
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import netwise as nw
from cli.command_line import run
from netwise.cli.commands.watch import GRADES as OPTIONS
from netwise.diagnosis.grouping import GRADES
from netwise.storage.run_folder import RunFolder
from report.html_page import check_page

CLASSIFIER = """
import argparse, sys
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--rate", type=float, default=0.5)
parser.add_argument("--json", action="store_true")
options = parser.parse_args()
import torch
from torch import nn
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(8, 16), nn.Linear(16, 3)
    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))
x = torch.randn(120, 8)
y = x[:, :3].argmax(1)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=options.rate)
for epoch in range(options.epochs):
    for i in range(0, 120, 12):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[i:i + 12]), y[i:i + 12])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
"""
GAN = """
import torch
from torch import nn
class Generator(nn.Linear): pass
class Discriminator(nn.Linear): pass
g, d = Generator(4, 2), Discriminator(2, 1)
og, od = torch.optim.Adam(g.parameters()), torch.optim.Adam(d.parameters())
bce = nn.functional.binary_cross_entropy_with_logits
for _ in range(20):
    real, fake = torch.randn(16, 2) + 3, g(torch.randn(16, 4))
    od.zero_grad()
    loss = bce(d(real), torch.ones(16, 1)) + bce(d(fake.detach()), torch.zeros(16, 1))
    loss.backward()
    od.step()
    og.zero_grad()
    bce(d(fake), torch.ones(16, 1)).backward()
    og.step()
"""


@pytest.fixture(autouse=True)
def process(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program changes in its process is put back."""
    (here / "train.py").write_text(CLASSIFIER)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.delenv("RANK", raising=False)


def outcome(*command: str) -> subprocess.CompletedProcess[str]:
    """A Python process in the current folder."""
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env={**os.environ, **paths}
    )


def test_a_script_leaves_a_run_folder_a_report_and_a_diagnosis() -> None:
    result = run("watch", "train.py", "--epochs", "3")
    assert result.exit_code == 0
    lines = result.stderr.splitlines()
    assert "netwise: Net. 30 steps were recorded." in lines
    assert lines[-2:] == ["Run folder: runs/train", "Report: runs/train/report.html"]
    history = nw.load_history("runs/train")
    assert [layer.name for layer in history.layers] == ["hidden", "out"]
    assert (history.ended.how, history.ended.step) == ("finished", 30)
    program = RunFolder.open("runs/train").program()
    assert program["command"] == ["python", "train.py", "--epochs", "3"]
    assert program["script"] == str(Path.cwd() / "train.py")
    page = Path("runs/train/report.html").read_text("utf-8")
    check_page(page)
    assert "<h1>Net in program train.py</h1>" in page
    assert run("runs").stdout.splitlines()[1].split() == [
        *("train", "program", "train.py", "Net", "finished")
    ]
    assert run("show", "@last").stdout.startswith("train: Net, program train.py\n30 steps were")


def test_trials_decide_what_signals_leave_open() -> None:
    result = run("watch", "--try", "train.py", "--epochs", "4", "--rate", "0.0001")
    assert result.exit_code == 0
    assert "Learning rate too low (proved)." in result.stderr
    assert "rate trial: proved." in result.stderr


def test_numbers_output_and_exit_code_are_those_of_python() -> None:
    expected = io.StringIO()
    sys.argv[1:] = ["--epochs", "2"]
    with redirect_stdout(expected):
        runpy.run_path("train.py", run_name="__main__")
    watched = run("watch", "--no-report", "train.py", "--epochs", "2")
    assert (watched.stdout, watched.exit_code) == (expected.getvalue(), 0)
    assert "netwise: Net. 20 steps were recorded." in watched.stderr
    Path("train.py").write_text(CLASSIFIER + "sys.exit(7)")
    assert run("watch", "--no-report", "train.py").exit_code == 7


def test_options_after_the_script_are_its_own() -> None:
    first = run("watch", "--no-report", "--name", "a/b", "train.py", "--json", "--rate", "1")
    assert first.exit_code == 0
    assert "Report:" not in first.stderr
    assert not Path("runs/a-b/report.html").exists()
    program = RunFolder.open("runs/a-b").program()
    assert program["command"] == ["python", "train.py", "--json", "--rate", "1"]


def test_json_is_the_last_line_of_stderr() -> None:
    result = run("watch", "--json", "--every", "1", "train.py")
    document = json.loads(result.stderr.splitlines()[-1])
    assert (document["program"], document["exit_code"]) == ("train.py", 0)
    (model,) = document["models"]
    assert (model["model"], model["folder"]) == ("Net", "runs/train")
    assert model["report"] == "runs/train/report.html"
    assert model["ended"]["how"] == "finished"
    assert {"found", "clear", "unchecked"} < set(model["diagnosis"])
    assert document["problems"] == []


def test_runs_get_new_folders_and_both_networks_of_a_gan_one() -> None:
    Path("gan.py").write_text(GAN)
    for folder in ("gan", "gan-2"):
        result = run("watch", "--no-report", "gan.py")
        assert result.exit_code == 0
        paths = [Path("runs") / f"{folder}{end}" for end in ("", "-generator", "-discriminator")]
        models = [RunFolder.open(path).program()["model"] for path in paths if path.is_dir()]
        assert sorted(models) == ["Discriminator", "Generator"]
        assert "netwise: Generator. 20 steps" in result.stderr
        assert "netwise: Discriminator. 20 steps" in result.stderr
    assert run("diagnose", "@last").exit_code == 0


def test_a_script_that_raises_is_recorded_up_to_the_error() -> None:
    Path("train.py").write_text(CLASSIFIER + "raise ValueError('odd')")
    result = run("watch", "--no-report", "train.py")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "/netwise/" not in result.stderr.partition("netwise: Net.")[0]
    ended = nw.load_history("runs/train").ended
    assert ended == nw.RunEnd(
        "interrupted", "train.py ended with ValueError: odd after 20 steps.", 20
    )
    assert ended.sentence in result.stderr


def test_an_interrupt_is_recorded() -> None:
    Path("train.py").write_text(CLASSIFIER + "raise KeyboardInterrupt")
    assert run("watch", "--no-report", "train.py").exit_code == 130
    assert nw.load_history("runs/train").ended.sentence == (
        "train.py was interrupted after 20 steps."
    )


def test_a_killed_script_leaves_its_history() -> None:
    loop = CLASSIFIER.replace("options.epochs):", "10**9):").replace(
        "    print(epoch, loss.item())", "    print(epoch, flush=True)"
    )
    Path("train.py").write_text(loop)
    program = subprocess.Popen(
        [sys.executable, "-m", "netwise", "watch", "--every", "1", "train.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )
    assert program.stdout is not None
    with program.stdout:
        for _ in range(20):
            assert program.stdout.readline()
        program.send_signal(signal.SIGKILL)
        program.wait()
    ended = nw.load_history("runs/train").ended
    assert ended.how == "interrupted"
    assert ended.step >= 50
    assert "interrupted" in run("runs").stdout


def test_workers_of_a_loader_start_as_under_python() -> None:
    """Spawned workers import the script again, as `__mp_main__`."""
    Path("train.py").write_text(
        """
import torch
from torch import nn
class Rows(torch.utils.data.Dataset):
    def __len__(self): return 40
    def __getitem__(self, i): return torch.full((3,), i / 40.0), i % 2
def main():
    torch.manual_seed(0)
    net = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for context in ("fork", "spawn"):
        loader = torch.utils.data.DataLoader(
            Rows(), 10, shuffle=True, num_workers=1, multiprocessing_context=context)
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            print(loss.item())
if __name__ == "__main__":
    main()
"""
    )
    expected = outcome("train.py")
    watched = outcome("-m", "netwise", "watch", "--no-report", "train.py")
    assert len(expected.stdout.splitlines()) == 8
    assert watched.stdout == expected.stdout
    assert "netwise: net. 8 steps were recorded." in watched.stderr
    assert nw.load_history("runs/train").ended.step == 8


def test_a_program_without_training_leaves_no_folder() -> None:
    Path("train.py").write_text("import torch")
    result = run("watch", "train.py")
    assert result.exit_code == 0
    assert "netwise: no training step of train.py was recorded, because" in result.stderr
    assert list(Path("runs").iterdir()) == []
    Path("train.py").write_text("import torch, sys; sys.exit('no data')")
    assert run("watch", "train.py").stderr == "no data\n"
    result = outcome("-m", "netwise", "watch", "-m", "this")
    assert result.stdout.startswith("The Zen of Python")
    assert result.stderr == "netwise: this did not import torch, so no training was recorded.\n"


def test_a_folder_that_cannot_be_written_is_no_obstacle() -> None:
    Path("runs").write_text("a file")
    result = run("watch", "train.py")
    assert result.exit_code == 0
    assert "netwise: Net. 20 steps were recorded." in result.stderr
    assert "no run folder was written in runs: File exists. Use another one" in result.stderr
    assert "Run folder:" not in result.stderr


@pytest.mark.parametrize("part", ["start", "histories"])
def test_an_error_of_netwise_does_not_reach_the_program(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(nw.watch, part, broken)
    Path("train.py").write_text(CLASSIFIER + "sys.exit(3)")
    result = run("watch", "train.py")
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 2
    assert "because of RuntimeError: a fault of ours" in result.stderr


def test_only_the_first_process_of_a_distributed_run_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RANK", "1")
    result = run("watch", "train.py")
    assert (result.exit_code, result.stderr) == (0, "")
    assert not Path("runs").exists()


def test_a_finding_is_printed_while_the_script_trains_and_may_end_it(here: Path) -> None:
    sick = CLASSIFIER.replace("SGD(net.parameters()", "SGD(net.out.parameters()")
    (here / "sick.py").write_text(sick)
    line = "netwise: step 5: Weights missing from the optimizer (cause). A loss reaches hidden.bias"
    watched = run("watch", "--no-report", "sick.py")
    assert (watched.exit_code, watched.stderr.count(line)) == (0, 1)
    quiet = run("watch", "--no-report", "--no-live", "sick.py")
    assert (quiet.exit_code, quiet.stderr.count(line)) == (0, 0)
    ended = run("watch", "--no-report", "--stop-on", "cause", "sick.py")
    assert ended.exit_code == 5
    assert "netwise: stopped at step 5: Weights missing from the optimizer" in ended.stderr
    assert "sick.py was ended by a finding after 5 steps." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""  # the first epoch was not completed


def test_the_grades_of_the_option_are_those_of_findings() -> None:
    assert OPTIONS == GRADES

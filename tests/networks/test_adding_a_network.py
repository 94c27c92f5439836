"""A network is added by one file, and by its lines in the list and the stub: tried in a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import netwise as nw

FILE = '''"""A wide and a deep path, added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from netwise.networks.network import Network
from netwise.networks.script_source import ScriptSource
from netwise.part import flag, integer


class WideDeepModule(nn.Module):
    """Linear in the inputs, plus one hidden layer."""

    def __init__(self, ins: int, hidden: int, outs: int) -> None:
        super().__init__()
        self.arguments = (ins, hidden, outs)
        self.wide = nn.Linear(ins, outs)
        self.deep = nn.Sequential(nn.Linear(ins, hidden), nn.Sigmoid(), nn.Linear(hidden, outs))

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return self.wide(x) + self.deep(x)

    def extra_repr(self) -> str:
        return ", ".join(map(repr, self.arguments))


@dataclass(frozen=True, kw_only=True)
class WideDeep(Network):
    """Wide and deep."""

    features: int = integer(64, least=1, because="an input has a number", why="digits")
    hidden: int = integer(16, least=1, because="a layer has a unit", why="a few")
    outputs: int = integer(10, least=1, because="a network has outputs", why="ten digits")
    batch_norm: bool = flag(False, why="one hidden layer needs none")

    def widened(self) -> Self | str:
        return self.but(hidden=2 * self.hidden)

    def build(self) -> nn.Module:
        return WideDeepModule(self.features, self.hidden, self.outputs)


SCRIPT_SOURCES = {WideDeepModule: ScriptSource()}
'''

USE = """
import sys
from pathlib import Path

import torch

import netwise as nw
from netwise.networks.wide_deep import WideDeep

folder = Path(sys.argv[1])
data = nw.data.digits()
recipe = nw.Recipe(data=data, network=WideDeep(), optimizer=nw.Adam(lr=0.01), epochs=4)

# checked
assert nw.check(recipe) == [], nw.check(recipe)
narrow = nw.check(recipe.but(network=WideDeep(outputs=3)))
assert "gives 3 outputs, and the data have 10 classes" in str(narrow[0]), narrow
other = nw.check(recipe.but(network=WideDeep(features=8)))
assert other and other[0].grade == "cannot run", other

# trained, interrupted, resumed, scored
whole = nw.fit(recipe)
assert whole.score.value > 0.9, whole.score
nw.fit(recipe, folder=folder / "run", halt=lambda done, row: "enough" if done == 2 else None)
resumed = nw.resume(folder / "run")
assert resumed.history.ended.how == "finished"
for one, other in zip(resumed.module.parameters(), whole.module.parameters(), strict=True):
    assert torch.equal(one, other)

# written and read, loaded, reported, diagnosed
nw.write_recipe(recipe, folder / "recipe.toml")
assert nw.read_recipe(folder / "recipe.toml") == recipe
assert nw.load(folder / "run").score == whole.score
nw.write_report(resumed, folder / "report.html")
assert "WideDeep" in (folder / "report.html").read_text("utf-8")
assert nw.diagnose(resumed).found == ()

# changed by remedies
wider = nw.remedy("widen").apply(recipe)
assert wider.network.hidden == 32, wider
normed = nw.remedy("use_batch_norm").apply(recipe)
assert normed.network.batch_norm
reason = nw.remedy("use_relu").apply(recipe).reason
assert "WideDeep" in reason and "activation" in reason, reason

# written to a script
(folder / "script.py").write_text(nw.to_script(recipe), "utf-8")
print("done")
"""


@pytest.mark.usefixtures("processes_without_coverage")
def test_a_network_in_one_file_and_a_line_in_the_list_and_the_stub(tmp_path: Path) -> None:
    package = tmp_path / "src" / "netwise"
    shutil.copytree(Path(nw.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "networks" / "wide_deep.py").write_text(FILE, "utf-8")
    for name, line, more in (
        ("__init__.py", '    "CustomNetwork",\n)', '    "CustomNetwork",\n    "WideDeep",\n)'),
        (
            "__init__.pyi",
            "\n\nNETWORKS",
            "\nfrom netwise.networks.wide_deep import WideDeep as WideDeep\n\nNETWORKS",
        ),
    ):
        file = package / "networks" / name
        text = file.read_text("utf-8")
        assert text.count(line) == 1
        file.write_text(text.replace(line, more), "utf-8")
    (tmp_path / "use.py").write_text(USE, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(
        [sys.executable, "use.py", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")
    script = (tmp_path / "script.py").read_text("utf-8")
    assert "class WideDeepModule(nn.Module):" in script
    assert "import netwise" not in script
    trained = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert trained.returncode == 0, trained.stderr
    assert "test accuracy" in trained.stdout

"""Scripts are plain sh, and print what to install where something is missing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = [*sorted((ROOT / "scripts").iterdir()), ROOT / ".ci" / "run"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.name)
def test_a_script_is_plain_sh(script: Path) -> None:
    assert script.read_text().startswith("#!/bin/sh\n")
    assert os.access(script, os.X_OK) or script.name == "environment"
    subprocess.run(["sh", "-n", str(script)], check=True)


def fake(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def call(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    for tool in ("sh", "cat", "cksum", "dirname", "mktemp", "env"):
        where = subprocess.run(
            ["sh", "-c", f"command -v {tool}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        (tmp_path / tool).symlink_to(where)
    variables = {"PATH": str(tmp_path), "NETWISE_VENV": str(tmp_path / "venv"), **environment}
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "demo")], env=variables, capture_output=True, text=True
    )


def test_a_python_that_is_too_old_is_reported(tmp_path: Path) -> None:
    fake(tmp_path, "python3", 'case "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac')
    result = call(tmp_path)
    assert result.returncode == 2
    assert "netwise needs Python 3.11 or newer, and found Python 3.9.2." in result.stderr
    assert "apt install python3 python3-venv" in result.stderr


def test_no_python_at_all_is_reported(tmp_path: Path) -> None:
    result = call(tmp_path)
    assert result.returncode == 2
    assert "found no Python 3" in result.stderr


def test_a_missing_venv_is_reported_with_its_package(tmp_path: Path) -> None:
    fake(
        tmp_path,
        "python3",
        'case "$*" in *version_info\\ *) exit 0;; --version) echo "Python 3.12.3";;'
        " *ensurepip*) exit 1;; *) echo python3.12;; esac",
    )
    result = call(tmp_path)
    assert result.returncode == 2
    assert "its venv module is missing" in result.stderr
    assert "apt install python3.12-venv" in result.stderr


def test_every_pin_is_of_a_dependency_and_every_dependency_is_pinned() -> None:
    import tomllib

    pins = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = {re.split(r"[<>=!\[]", each)[0].lower() for each in needed}
    assert names - {"netwise"} <= pins  # an extra may name another extra: netwise[search]


def test_every_benchmark_that_the_script_names_exists() -> None:
    named = re.search(r"^ +([\w |]+)\) name=", (ROOT / "scripts/bench").read_text(), re.MULTILINE)
    assert named is not None
    names = named[1].split(" | ")
    assert "training" in names  # without a name
    assert [n for n in names if not (ROOT / "benchmarks" / f"{n}.py").is_file()] == []

"""Scripts are plain sh, and print what to install where something is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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


def test_extras_of_earlier_calls_stay(tmp_path: Path) -> None:
    """A stand-in for the environment's Python writes down what is to be installed."""
    (tmp_path / "bin").mkdir()
    fake(tmp_path / "bin", "python", f'echo "$@" >> "{tmp_path}/calls"')
    tell = "import sys; print(sys.version, sys.base_prefix)"
    which = subprocess.run([sys.executable, "-c", tell], capture_output=True, check=True).stdout
    (tmp_path / "netwise-python").write_bytes(which)

    def installed(extras: str) -> set[str]:
        (tmp_path / "calls").write_text("")
        subprocess.run(
            ["sh", "-euc", f'. scripts/environment; environment "{extras}"'],
            cwd=ROOT,
            env={**os.environ, "PYTHON": sys.executable, "NETWISE_VENV": str(tmp_path)},
            check=True,
        )
        return set(re.findall(r"requirements/([\w-]+)\.txt", (tmp_path / "calls").read_text()))

    assert installed("test,lint") == {"torch-cpu", "base", "test", "lint"}
    assert installed("lint") == set()
    assert installed("") == set()
    assert {"base", "docs"} <= installed("docs,lint")
    assert installed("test,docs") == set()
    (tmp_path / "netwise-stamp").write_text("other pins")
    assert {"base", "lint"} <= installed("lint")
    assert "docs" in installed("docs")


ENTRY = re.compile(
    r"^([A-Za-z0-9._-]+)==([^\s;]+).*\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", re.MULTILINE
)


def normal(name: str) -> str:
    """A package's name as indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str) -> dict[str, str]:
    """The packages of requirements/NAME.txt and their versions; each has a SHA-256."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = {normal(match[1]): match[2] for match in ENTRY.finditer(text)}
    assert "".join(match[0] for match in ENTRY.finditer(text)) == text.partition("\n")[2]
    return entries


FILES = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))


def test_every_dependency_is_pinned_and_has_a_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = {
        normal(name): version
        for name, _, version in (
            line.partition("==") for line in (ROOT / "constraints.txt").read_text().splitlines()
        )
        if version
    }
    extras = project["optional-dependencies"]
    assert sorted(["base", "torch", "torch-cpu", *extras]) == FILES
    for extra, needed in [("base", project["dependencies"]), *extras.items()]:
        names = {normal(re.split(r"[<>=!\[]", each)[0]) for each in needed} - {"netwise"}
        assert names <= pins.keys()
        assert names <= {"torch"} | locked("base").keys() | locked(extra).keys()
    versions = [(name, v.split("+")[0]) for file in FILES for name, v in locked(file).items()]
    assert {name for name, _ in versions} >= pins.keys()
    assert all(pins.get(name, version) == version for name, version in versions)


def test_the_lists_are_complete() -> None:
    """Nothing that an installed package needs is missing: pip is told not to look for more."""
    listed = {name for file in FILES for name in locked(file)}
    for name in sorted(listed):
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another system, or of an extra that is not installed
        for need in needs:
            requirement = Requirement(need)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert normal(requirement.name) in listed


def test_every_benchmark_that_the_script_names_exists() -> None:
    named = re.search(r"^ +([\w |]+)\) name=", (ROOT / "scripts/bench").read_text(), re.MULTILINE)
    assert named is not None
    names = named[1].split(" | ")
    assert "training" in names  # without a name
    assert [n for n in names if not (ROOT / "benchmarks" / f"{n}.py").is_file()] == []

"""The documents are true: their code runs, and the files, names and links in them exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("processes_without_coverage")
ROOT = Path(__file__).parent.parent


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git tracks, as a fresh clone has them."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout: a fresh clone has the files that git tracks")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    folder = tmp_path_factory.mktemp("clone")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def test_the_python_of_the_readme_runs(clone: Path) -> None:
    code = "\n".join(blocks("README.md", "python"))
    assert "nw.treat(recipe)" in code
    assert "nw.watch()" in code
    script = clone / "readme.py"
    body = "\n".join(f"    {line}" for line in code.splitlines())
    script.write_text(f"def main():\n{body}\n\nif __name__ == '__main__':\n    main()\n")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=clone, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert "Outputs and targets of different shapes" in done.stdout


def test_every_command_of_the_readme_runs(clone: Path) -> None:
    """All shell blocks in their order; the scripts that make an environment have tests of their
    own, and `.ci/run` calls them."""
    commands = [
        line.split("  #")[0].strip()
        for block in blocks("README.md", "sh")
        for line in block.splitlines()
        if not line.startswith(("scripts/", "export "))
    ]
    assert len(commands) > 15
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in commands:
        done = subprocess.run(
            command,
            shell=True,
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, command


def test_the_scripts_of_the_readme_exist() -> None:
    for script in re.findall(r"scripts/\w+", (ROOT / "README.md").read_text("utf-8")):
        assert (ROOT / script).is_file(), script


def test_the_code_of_the_documentation_runs(clone: Path) -> None:
    pages = ["docs/start.md", *(f"docs/guide/{p.name}" for p in (ROOT / "docs/guide").glob("*.md"))]
    code = "\n".join(block for page in pages for block in blocks(page, "python"))
    assert code.count("import netwise as nw") > 3
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=clone, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
def test_an_example_runs(path: Path, clone: Path) -> None:
    done = subprocess.run(
        [sys.executable, f"examples/{path.name}"],
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"]
)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text("utf-8")):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def backticked(name: str) -> list[str]:
    """Texts in single backticks of a document."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", (ROOT / name).read_text("utf-8"))


def exists(path: str) -> bool:
    """Whether a path exists in the repository or, shorter, in the package."""
    return any((start / path).exists() for start in (ROOT, ROOT / "src" / "netwise"))


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_path_of_a_document_exists(name: str) -> None:
    """Also those shorter by `src/netwise`; `yours` and `a/b` stand for a reader's own names."""
    looks_like_a_path = re.compile(r"[\w./-]+/[\w./-]*|[\w-]+\.(py|pyi|md|toml|txt)")
    paths = [text for text in backticked(name) if looks_like_a_path.fullmatch(text)]
    real = [p for p in paths if not re.search(r"\byours\b|\ba/", p)]
    assert len(real) > (30 if name == "ARCHITECTURE.md" else 2)
    assert [path for path in real if not exists(path)] == []


def test_every_tuple_of_where_to_add_is_in_its_file() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    named = re.findall(r"`([A-Z_]{3,})`(?: or `([A-Z_]{3,})`)? in `([\w/.]+)`", text)
    assert len(named) >= 9
    for first, second, path in named:
        file = next(
            start / path for start in (ROOT, ROOT / "src/netwise") if (start / path).exists()
        )
        for name in filter(None, (first, second)):
            assert re.search(rf"^{name}\b", file.read_text("utf-8"), re.MULTILINE), path


def test_contributing_fits_one_screen() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= 45


def test_the_miniature_runs_and_is_short() -> None:
    path = ROOT / "miniature.py"
    assert len(path.read_text("utf-8").splitlines()) <= 330
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "vanishing gradient" in done.stdout
    assert "accepted" in done.stdout

"""What the documents say is true: their code runs, their files are there, and they speak of netwise
alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)


def test_the_code_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text(
        "age,town,price\n"
        + "".join(f"{i},{'Rom' if i % 3 else 'Bern'},{i * 2.5}\n" for i in range(80))
    )
    code = "\n".join(blocks("README.md", "python"))
    assert "nw.treat(recipe)" in code
    assert "nw.watch(model)" in code
    script = tmp_path / "readme.py"
    script.write_text(
        "def main():\n"
        + "\n".join(f"    {line}" for line in code.splitlines())
        + "\n\nif __name__ == '__main__':\n    main()\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr


def test_the_commands_of_the_readme_exist() -> None:
    from netwise.cli import main

    text = "\n".join(blocks("README.md", "sh"))
    called = set(re.findall(r"^netwise (\w+)", text, re.MULTILINE))
    assert called
    assert called <= set(main.commands)
    for script in re.findall(r"scripts/\w+", (ROOT / "README.md").read_text("utf-8")):
        assert (ROOT / script).is_file(), script


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"]
)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text("utf-8")):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_contributing_fits_one_screen() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= 45


def test_the_miniature_runs_and_is_short() -> None:
    path = ROOT / "miniature.py"
    assert len(path.read_text("utf-8").splitlines()) <= 330
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "vanishing gradient" in done.stdout
    assert "accepted" in done.stdout

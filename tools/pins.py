"""Writes requirements/: what the scripts install, each file by its SHA-256.

    scripts/pins

The versions are those of constraints.txt; uv adds the hashes of all files that are published for
them, for all systems and Pythons. There is a file for what netwise needs, one for each extra with
what it adds, and two for torch: its build for CPUs, where that can be had, and the one with its
libraries for GPUs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "requirements"
# The first Python for which all pins exist.
PYTHON = "3.11.5"
# Packages that belong to torch's build for GPUs.
OF_GPUS = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)")
ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==\S+.*\n(?:    --hash=\S+.*\n)+", re.MULTILINE)


def compiled(uv: str, *options: str) -> dict[str, str]:
    """The packages that uv resolves, by name: their lines with all hashes."""
    command = [uv, "pip", "compile", "--quiet", "--native-tls", "--universal", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--python-version", PYTHON]
    command += ["--constraint", "constraints.txt", *options]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {match[1]: match[0] for match in ENTRY.finditer(text)}


def write(name: str, packages: dict[str, str], about: str) -> None:
    """Write the lines of packages to requirements/NAME.txt."""
    text = "".join(packages[package] for package in sorted(packages))
    (FOLDER / f"{name}.txt").write_text(f"# {about} Written by scripts/pins.\n{text}", "utf-8")


def main(uv: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    build = FOLDER / "build.in"
    needed = (*project["build-system"]["requires"], "editables")  # hatchling asks for the second
    build.write_text("\n".join(needed) + "\n")
    base = compiled(uv, "pyproject.toml", str(build))
    build.unlink()
    gpu = {name: lines for name, lines in base.items() if OF_GPUS.fullmatch(name)}
    write("torch", gpu, "torch with its libraries for GPUs.")
    base = {name: lines for name, lines in base.items() if name not in gpu}
    write("base", base, "What netwise needs, and what builds it, without torch.")
    for extra in project["project"]["optional-dependencies"]:
        packages = compiled(uv, "pyproject.toml", "--extra", extra)
        added = {name: x for name, x in packages.items() if name not in base and name not in gpu}
        write(extra, added, f"What the extra {extra} adds.")


if __name__ == "__main__":
    main(sys.argv[1])

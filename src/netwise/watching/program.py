"""What is known of the program that runs in this process, for its run folder."""

from __future__ import annotations

import hashlib
import platform
import sys
from pathlib import Path
from typing import Any

from netwise import __version__

NOTEBOOK, SESSION = "Jupyter notebook", "Python session"


def program_facts(model: str = "") -> dict[str, Any]:
    """The contents of `program.json` for the program that is `__main__` in this process.

    Args:
        model: class of the trained module.

    Example:
        >>> from netwise.watching.program import program_facts
        >>> sorted(program_facts("Net"))
        ['command', 'folder', 'model', 'name', 'script', 'sha256', 'versions']
    """
    script, module = _main_file(), _main_module()
    if module:
        name, command = module, ["python", "-m", module, *sys.argv[1:]]
    elif script:
        name, command = Path(script).name, ["python", *sys.argv]
    else:
        name, command = NOTEBOOK if "ipykernel" in sys.modules else SESSION, []
    versions = {"python": platform.python_version(), "netwise": __version__}
    if "torch" in sys.modules:
        versions["torch"] = str(sys.modules["torch"].__version__)
    return {
        "name": name,
        "command": command,
        "script": script,
        "sha256": _sha256(script),
        "folder": _current_folder(),
        "model": model,
        "versions": versions,
    }


def _main_file() -> str:
    """Path of the file that runs as `__main__`; "" where there is none."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not file or "ipykernel" in sys.modules:
        return ""
    return str(Path(file).absolute())


def _main_module() -> str:
    """Name of the module that `python -m` runs; "" where a script runs."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    name = str(getattr(spec, "name", None) or "")
    return "" if name == "__main__" else name.removesuffix(".__main__")


def _sha256(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else ""
    except OSError:
        return ""


def _current_folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was deleted
        return ""

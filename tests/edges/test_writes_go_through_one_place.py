"""Only `netwise.atomic` changes the disk, so that it handles a fault at any write."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tools.source import PACKAGE

# Methods and functions that change the disk, by their last name.
CHANGING = {
    *("write_text", "write_bytes", "mkdir", "makedirs", "touch", "unlink", "rmtree", "rmdir"),
    *("hardlink_to", "symlink_to", "link", "mkstemp", "mkdtemp", "NamedTemporaryFile"),
    *("TemporaryDirectory", "save_file", "savez", "to_csv", "copyfile", "copytree", "copy2"),
}
# Of a module whose other functions have common names.
QUALIFIED = {"os.replace", "os.rename", "os.remove", "os.open", "shutil.move", "np.save"}
# (file, name) -> why it is no write of `netwise.atomic`.
ELSEWHERE = {
    ("regular_files.py", "os.open"): "for reading",
    ("searches/optuna_storage.py", "open"): "truncates a line of Optuna's journal, under its lock",
    ("training/shared_data.py", "mkdtemp"): "a folder of the operating system's temporary files",
    ("training/progress_files.py", "TemporaryDirectory"): "likewise",
    ("training/captured/native_program.py", "mkdtemp"): "likewise",
    ("data/download.py", "TemporaryDirectory"): "where an archive is downloaded to by pooch",
    ("data/mapped_file.py", "save_file"): "samples without a second copy in memory",
    ("cli/group.py", "os.open"): "the null device",
}


def writes(path: Path) -> Iterator[str]:
    """Names of the calls in a module that change the disk."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        last = name.rsplit(".", 1)[-1]
        if name in QUALIFIED:
            yield name
        elif last in CHANGING:
            yield last
        elif last == "open" and name not in ("os.open", "Image.open") and opens_to_write(node):
            yield "open"


def opens_to_write(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    texts = [mode.value for mode in given if isinstance(mode, ast.Constant)]
    modes = [text for text in texts if isinstance(text, str) and len(text) < 4]
    return any(set(mode) & set("wax+") for mode in modes)


def test_no_other_module_changes_the_disk() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in PACKAGE.rglob("*.py")
        if path.name != "atomic.py"
        for name in writes(path)
    }
    assert found - set(ELSEWHERE) == set(), "write through netwise.atomic"
    assert set(ELSEWHERE) - found == set(), "remove what is gone"

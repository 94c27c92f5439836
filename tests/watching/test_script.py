"""A program that netwise runs does what it does under `python`: same output, same errors, same exit
code."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

RUNNER = """
import sys
from netwise.watching.script import run_as_main
as_module = sys.argv[1] == "-m"
words = sys.argv[2:] if as_module else sys.argv[1:]
end = run_as_main(words[0], words[1:], as_module=as_module, on_torch=lambda: None)
raise SystemExit(end.exit_code)
"""


def outcome(*command: str, cwd: Path, code: str = "") -> tuple[str, str, int]:
    """(stdout, stderr, exit code) of a Python process."""
    start = ["-c", code] if code else []
    done = subprocess.run(
        [sys.executable, *start, *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        input="from stdin\n",
        env={
            # Without the variables by which coverage measures child processes, and warns there.
            **{k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))},
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "2",
        },
    )
    return done.stdout, done.stderr, done.returncode


def check_same(folder: Path, *words: str) -> tuple[str, str, int]:
    """The program gives the same under both; what that is."""
    expected = outcome(*words, cwd=folder)
    assert outcome(*words, cwd=folder, code=RUNNER) == expected
    return expected


SCRIPTS = {
    "names": """
import sys, __main__
print(__name__, __file__, sys.argv, sys.path[0], __spec__, __package__, __cached__)
print(sorted(set(globals()) - {"__annotations__"}), __builtins__, type(__loader__))
print(__main__.sys is sys, input())
""",
    "sibling": "import helper; print(helper.VALUE)",
    "error": """
def inner():
    raise ValueError("wrong")
try:
    inner()
except ValueError as error:
    raise KeyError("other") from error
""",
    "hook": """
import sys
sys.excepthook = lambda kind, value, trace: print(kind, trace.tb_lineno)
1 / 0
""",
    "syntax": "def broken(:\n    pass",
    "encoding": "# coding: latin-1\nprint('é' == chr(233), len('é'))",
    "exit": "import sys; sys.exit()",
    "exit 3": "import sys; sys.exit(3)",
    "exit true": "import sys; sys.exit(True)",
    "exit text": "import sys; sys.exit('too few rows')",
    "exit huge": "import sys; sys.exit(2**70)",
    "exit escape": r"import sys; sys.exit('\x1b[2J \ud800')",
    "exit unprintable": """
import sys
class Reason:
    def __str__(self):
        raise ValueError
sys.exit(Reason())
""",
    "error unprintable": """
class Wrong(Exception):
    def __str__(self):
        raise SystemExit(7)
raise Wrong
""",
    "no stderr": "import sys; sys.stderr = None; 1 / 0",
    "exit no stderr": "import sys; sys.stderr = None; sys.exit('too few rows')",
    "broken hook": "import sys; sys.excepthook = lambda *a: 1 / 0; raise ValueError('first')",
    "no hook": "import sys; del sys.excepthook; raise ValueError('first')",
    "exit hook": "import sys; sys.excepthook = lambda *a: sys.exit(9); raise ValueError('first')",
    "atexit": """
import atexit, pickle, threading, time
class Box: pass
def later():
    time.sleep(0.2)
    print("thread", type(pickle.loads(pickle.dumps(Box()))).__name__)
threading.Thread(target=later).start()
atexit.register(lambda: print("end", type(pickle.loads(pickle.dumps(Box()))).__name__))
""",
    "spawn": """
import multiprocessing
def square(x):
    return x * x
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(square, [1, 2, 3]))
""",
    "source": "import inspect\ndef f():\n    return 1\nprint(inspect.getsource(f))",
}
CONTAINED = {  # in stdout or stderr
    "names": "['train.py', '--epochs', '3', '--', '-m', '--help']",
    "sibling": "42",
    "error": "The above exception was the direct cause",
    "hook": "<class 'ZeroDivisionError'> 4",
    "syntax": "SyntaxError",
    "encoding": "False 2",
    "exit text": "too few rows",
    "atexit": "thread Box\nend Box",
    "spawn": "[1, 4, 9]",
    "source": "return 1",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_behaves_as_under_python(tmp_path: Path, name: str) -> None:
    (tmp_path / "train.py").write_text(SCRIPTS[name], "utf-8")
    (tmp_path / "helper.py").write_text("VALUE = 42\n")
    words = ("--epochs", "3", "--", "-m", "--help") if name == "names" else ()
    stdout, stderr, _ = check_same(tmp_path, "train.py", *words)
    assert CONTAINED.get(name, "") in stdout + stderr


@pytest.mark.parametrize("end", ["1 / 0", "sys.exit('too few rows')"])
def test_a_script_that_has_closed_its_output_has_its_exit_code(tmp_path: Path, end: str) -> None:
    (tmp_path / "train.py").write_text(f"import sys; sys.stdout.close(); sys.stderr.close(); {end}")
    stdout, stderr, code = outcome("train.py", cwd=tmp_path, code=RUNNER)
    assert (stdout, code) == ("", 1)
    assert "netwise" not in stderr


def test_paths_of_a_script(tmp_path: Path) -> None:
    """Its folder is the first of `sys.path`, that of the file itself for a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "train.py").write_text(
        "import sys, helper; print(__file__, sys.path[0], sys.argv)"
    )
    (tmp_path / "real" / "helper.py").write_text("")
    (tmp_path / "link.py").symlink_to(tmp_path / "real" / "train.py")
    for word in ("real/train.py", str(tmp_path / "real" / "train.py"), "link.py"):
        assert check_same(tmp_path, word)[2] == 0


@pytest.mark.parametrize("what", ["module", "package", "folder", "zip"])
def test_modules_packages_folders_and_zip_files(tmp_path: Path, what: str) -> None:
    text = (
        "import sys\n"
        "print(__name__, __file__, sys.argv, sys.path[0], __package__, __spec__.name)\n"
        "if len(sys.argv) > 2: raise ValueError('many')\n"
    )
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("print('init')")
    (package / "train.py").write_text("from . import helper\n" + text)
    (package / "helper.py").write_text("")
    (package / "__main__.py").write_text(text)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("__main__.py", text)
    words = {
        "module": ("-m", "package.train"),
        "package": ("-m", "package"),
        "folder": ("package",),
        "zip": ("all.zip",),
    }[what]
    assert check_same(tmp_path, *words, "-x")[2] == 0
    _, stderr, code = outcome(*words, "-x", "-y", cwd=tmp_path, code=RUNNER)
    assert code == 1
    assert "netwise" not in stderr  # none of our frames
    assert stderr.endswith("ValueError: many\n")


def test_an_error_in_a_package_is_shown_without_frames_of_netwise(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("import no_such_module\n")
    (tmp_path / "package" / "train.py").write_text("")
    _, stderr, code = outcome("-m", "package.train", cwd=tmp_path, code=RUNNER)
    assert code == 1
    assert stderr.endswith("ModuleNotFoundError: No module named 'no_such_module'\n")
    assert "script.py" not in stderr
    assert str(tmp_path / "package" / "__init__.py") in stderr


def test_an_interrupt_has_the_exit_code_of_a_shell(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("raise KeyboardInterrupt")
    _, stderr, code = outcome("train.py", cwd=tmp_path, code=RUNNER)
    assert code == 130
    assert stderr == outcome("train.py", cwd=tmp_path)[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("absent.py",), "absent.py does not exist (looked in "),
        ((os.devnull,), f"{os.devnull} is a device, and netwise reads regular files only"),
        (("empty",), "empty is a folder without a __main__.py, so there is no program to run"),
        (("-m", "absent"), "-m absent: there is no such module, or no __main__ in this package"),
        (("-m", "absent.deep.train"), "-m absent.deep.train: there is no such module"),
        (("-m", "empty"), "-m empty: there is no such module, or no __main__"),
    ],
    ids=["script", "device", "folder", "module", "deep module", "package"],
)
def test_a_program_that_is_not_there_is_answered(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    stdout, stderr, code = outcome(*words, cwd=tmp_path, code=RUNNER)
    assert (stdout, code) == ("", 1)
    assert "netwise.errors.DataError" in stderr or "netwise.errors.FileRefused" in stderr
    assert message in stderr


HOOKED = """
import sys
from netwise.watching.script import AfterImport
calls = []
hook = AfterImport("graphlib", lambda: calls.append(hasattr(sys.modules["graphlib"], "CycleError")))
import colorsys
assert calls == [] and hook in sys.meta_path
import graphlib
assert calls == [True] and hook not in sys.meta_path
assert "exec_module" not in vars(graphlib.__loader__)
assert graphlib.__spec__.loader is graphlib.__loader__
AfterImport("graphlib", lambda: calls.append("at once"))
assert calls == [True, "at once"]
waiting = AfterImport("smtplib", lambda: calls.append("never"))
waiting.remove()
import smtplib
assert calls == [True, "at once"]
AfterImport("no_such_module", lambda: calls.append("never"))
try:
    import no_such_module
except ModuleNotFoundError as error:
    print(error)
"""


def test_a_call_after_an_import(tmp_path: Path) -> None:
    assert outcome(cwd=tmp_path, code=HOOKED) == ("No module named 'no_such_module'\n", "", 0)


def test_torch_reads_what_the_script_set_for_it(tmp_path: Path) -> None:
    """The program sets OMP_NUM_THREADS before it imports torch."""
    (tmp_path / "train.py").write_text(
        "import os, sys\n"
        "assert 'torch' not in sys.modules\n"
        "os.environ['OMP_NUM_THREADS'] = '1'\n"
        "import torch\n"
        "print(torch.get_num_threads())\n"
    )
    assert check_same(tmp_path, "train.py")[0] == "1\n"

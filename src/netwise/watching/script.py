"""Run a script or a module as `python` runs it, with a call when it imports torch."""

from __future__ import annotations

import builtins
import importlib.util
import pkgutil
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from netwise.errors import DataError, NetwiseError, TrainingStopped
from netwise.file_errors import file_errors
from netwise.regular_files import read_regular
from netwise.termination import handle_sigterm

MOST_BYTES = 64 << 20  # of a script
INTERRUPT_CODE = 130  # what a shell reports for a program that Ctrl-C ended
_OBSERVER = str(Path(__file__).parents[1] / "observe")
_OVERRIDES = "handle_torch_function"  # calls a mode that observes
STOPPED_CODE = 5  # of a program that a finding ended


@dataclass(frozen=True)
class MainCode:
    """What runs as `__main__`.

    Args:
        code: compiled.
        file: `__file__` of the module.
        first_argument: `sys.argv[0]`.
        folder: the first folder of `sys.path`.
        spec: `__spec__`; None for a script, as under `python script.py`.
        loader: `__loader__`.
    """

    code: CodeType
    file: str
    first_argument: str
    folder: str
    spec: ModuleSpec | None
    loader: Any


@dataclass(frozen=True)
class ScriptEnd:
    """How a script ended.

    Args:
        exit_code: that `python` would have returned.
        error: what ended it; None where it reached its end or called `sys.exit`.
    """

    exit_code: int
    error: BaseException | None = None


def run_as_main(
    program: str, arguments: Sequence[str], *, as_module: bool, on_torch: Callable[[], None]
) -> ScriptEnd:
    """Run a program in this process as `python program arguments` would: `sys.argv`, `sys.path`,
    `__main__`, its traceback without frames of netwise, its exit code.

    The process is the program's from here on: `sys.modules["__main__"]`, `sys.argv` and `sys.path`
    stay as they are, since its threads and its exit handlers may need them.

    Args:
        program: path of a script, or of a folder or zip file with a `__main__.py`; or the name of a
            module.
        arguments: of the program.
        as_module: `program` is the name of a module, as with `python -m`.
        on_torch: called when torch has been imported, so before the program uses it; at once where
            it is imported already. The program may set environment variables for torch before.

    Raises:
        DataError: there is no such script or module.
        FileRefused: a device, a pipe, or a file too large for a program.
        FileAccessError: it cannot be read.
    """
    sys.argv = [program, *arguments]
    hook = AfterImport("torch", on_torch)
    try:
        if as_module:
            _put_first(str(Path.cwd()))
        elif not Path(program).exists():
            raise DataError(
                f"{program} does not exist (looked in {Path.cwd()}). Write the path of a script, "
                "or netwise watch -m MODULE for a module."
            )
        error = _run(program, as_module)
    finally:
        hook.remove()
    return _ended(error)


def _run(program: str, as_module: bool) -> BaseException | None:
    """Load and execute; what was raised, with the program's own frames only."""
    try:
        main = _module_code(program) if as_module else _script_code(program)
    except (NetwiseError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a syntax error, or an error in a package's __init__.py
        return error.with_traceback(_without_import_frames(error.__traceback__))
    module = ModuleType("__main__")
    module.__dict__.update(
        __file__=main.file,
        __spec__=main.spec,
        __loader__=main.loader,
        __package__=main.spec.parent if main.spec else None,
        __builtins__=builtins,
        __cached__=main.spec.cached if main.spec else None,
    )
    sys.argv[0] = main.first_argument
    if not as_module:
        _put_first(main.folder)
    sys.modules["__main__"] = module
    try:
        with handle_sigterm(signal.SIG_DFL):  # as under `python`, also in processes that it forks
            exec(main.code, module.__dict__)
    except BaseException as error:
        trace = error.__traceback__
        return error.with_traceback(trace.tb_next if trace else None)  # the first frame is ours
    return None


def _ended(error: BaseException | None) -> ScriptEnd:
    """Print what `python` prints when a program ends with this error."""
    if error is None:
        return ScriptEnd(0)
    if isinstance(error, SystemExit):
        if error.code is None or isinstance(error.code, int):
            return ScriptEnd(int(error.code or 0))
        code = error.code
        _print(lambda: f"{code}")
        return ScriptEnd(1)
    if isinstance(error, TrainingStopped):  # the user asked for it: no traceback
        _print(lambda: f"netwise: {error}")
        return ScriptEnd(STOPPED_CODE, error)
    error = error.with_traceback(_without_observer(error.__traceback__))
    left = _show(error)
    if left is not None:
        return ScriptEnd(left.exit_code, error)
    return ScriptEnd(INTERRUPT_CODE if isinstance(error, KeyboardInterrupt) else 1, error)


def _print(text: Callable[[], str]) -> None:
    """Print to stderr what a program left as its last words. It may have closed stderr, and its
    objects may have no text."""
    words = ""
    with suppress(Exception, SystemExit):
        words = text()
    with suppress(Exception):
        print(words, file=sys.stderr or sys.__stderr__)


def _show(error: BaseException) -> ScriptEnd | None:
    """Show an error by the hook of the program; how the hook ended the program, where it did."""
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        _print(lambda: "sys.excepthook is missing")
        _show_plainly(error)
        return None
    try:
        hook(type(error), error, error.__traceback__)
    except SystemExit as end:
        return _ended(end)
    except BaseException as second:
        trace = second.__traceback__
        _print(lambda: "Error in sys.excepthook:")
        _show_plainly(second.with_traceback(trace.tb_next if trace else None))
        _print(lambda: "\nOriginal exception was:")
        _show_plainly(error)
    return None


def _show_plainly(error: BaseException) -> None:
    """Show an error as Python does where no hook is set."""
    with suppress(BaseException):
        sys.__excepthook__(type(error), error, error.__traceback__)


def _script_code(program: str) -> MainCode:
    """The code of a script, or of `__main__.py` in a folder or zip file."""
    path = str(Path(program).absolute())
    importer = pkgutil.get_importer(path)
    if importer is None:  # a file
        with file_errors(path):
            text = read_regular(Path(path), MOST_BYTES)
        code = compile(text, path, "exec", dont_inherit=True)
        folder = str(Path(path).resolve().parent)
        return MainCode(code, path, program, folder, None, SourceFileLoader("__main__", path))
    spec = importer.find_spec("__main__", None)
    loader: Any = spec.loader if spec else None
    if spec is None or loader is None:
        raise DataError(
            f"{program} is a folder without a __main__.py, so there is no program to run. "
            f"Write the path of a script in it, such as {Path(program) / 'train.py'}"
        )
    return MainCode(loader.get_code("__main__"), str(spec.origin), program, path, spec, loader)


def _module_code(name: str) -> MainCode:
    """The code that `python -m name` runs."""
    spec = importlib.util.find_spec(name) if _parent_exists(name) else None
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{name}.__main__")
    loader: Any = spec.loader if spec else None
    code = loader.get_code(spec.name) if spec and hasattr(loader, "get_code") else None
    if spec is None or code is None:
        raise DataError(
            f"-m {name}: there is no such module, or no __main__ in this package. "
            f"Write the name of a module that `python -m {name}` runs, or the path of a script "
            "without -m."
        )
    return MainCode(code, str(spec.origin), str(spec.origin), "", spec, loader)


def _parent_exists(name: str) -> bool:
    """Whether the package of a module can be found; `find_spec` raises where it cannot."""
    parent = name.rpartition(".")[0]
    return not parent or (_parent_exists(parent) and importlib.util.find_spec(parent) is not None)


def _put_first(folder: str) -> None:
    """Replace the first folder of `sys.path`, which is that of netwise's command."""
    if not sys.flags.safe_path:  # `python -P` has none
        sys.path[0] = folder


def _without_observer(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames that stand between torch and torch where it is observed."""
    kept = list[TracebackType]()
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if trace.tb_frame.f_code.co_name == _OVERRIDES:
            del kept[-1:]  # the operation that called it stands below once more
        elif not file.startswith(_OBSERVER):
            kept.append(trace)
        trace = trace.tb_next
    shown: TracebackType | None = None
    for each in reversed(kept):
        shown = TracebackType(shown, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return shown


def _without_import_frames(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback below the frames of this module and of Python's import system."""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name != __file__ and not name.startswith("<frozen") and "importlib" not in name:
            return trace
        trace = trace.tb_next
    return None


# ---- a call after an import


class AfterImport(MetaPathFinder):
    """Call a function once, after a module has been imported; at once where it is already.

    Args:
        name: of a module at the top level.
        then: what to call.
    """

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name, self._then = name, then
        if name in sys.modules:
            then()
        else:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Wait no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec, whose loader calls `then` when it has executed the module."""
        if fullname != self._name:
            return None
        self.remove()
        spec = importlib.util.find_spec(fullname)
        loader: Any = spec.loader if spec else None
        if loader is None:
            return spec
        execute = loader.exec_module

        def execute_and_call(module: ModuleType) -> None:
            del loader.exec_module  # the loader is as it was
            execute(module)
            self._then()

        loader.exec_module = execute_and_call
        return spec

"""The first training steps of a script, which is then stopped before it writes anything."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from netwise.diagnosis.report import Report, diagnose
from netwise.diagnosis.rules import RULES, Rule
from netwise.history import History
from netwise.observe.observed_history import history_of, untrained_history
from netwise.observe.observer import Observer
from netwise.observe.raised_error import program_error_of
from netwise.watching.script import ScriptEnd, run_as_main
from netwise.watching.watch import UNTRAINED

STEPS = 3
SWALLOWED = 20  # times that the program may go on after it was stopped
LATER = "the first steps cannot show it: write `netwise watch` instead of `netwise check`"

# Events of Python that change a file, and which of their arguments is its path.
_CHANGED = {"os.remove": 0, "os.rename": 1, "os.truncate": 0}


class FirstStepsDone(SystemExit):
    """Ends a script after its first training steps. `except Exception` does not catch it."""


@dataclass(frozen=True)
class FirstStepsReport:
    """What the first steps of a script show.

    Args:
        reports: by name of the trained module.
        histories: what they rest on.
        end: how the script ended, where it did so before; None where it was stopped.
        problems: what could not be observed.
    """

    reports: dict[str, Report]
    histories: dict[str, History]
    end: ScriptEnd | None
    problems: tuple[str, ...] = ()


def check_program(
    program: str, arguments: Sequence[str], *, as_module: bool = False, steps: int = STEPS
) -> FirstStepsReport:
    """Run a script in this process up to the end of its first training steps, and check them.

    All of its code up to there runs, files that it writes included. Then `FirstStepsDone` is raised
    from the optimizer's step, or from the backward pass of a loop without optimizers. While it
    passes through the program's `finally` and `with` blocks, `torch.save` and writing to existing
    files raise it again, so that nothing that was trained before is overwritten.

    Args:
        program, arguments, as_module: as in `run_as_main`.
        steps: of each trained module.

    Raises:
        DataError: there is no such script or module.
    """
    run = _FirstSteps(steps)
    end = run_as_main(program, arguments, as_module=as_module, on_torch=run.start)
    run.end(end.error)
    return FirstStepsReport(
        run.reports, run.histories, None if run.is_done else end, tuple(run.problems)
    )


@dataclass
class _FirstSteps:
    """Observes a program, and ends it after some steps.

    Args:
        steps: of each trained module.
    """

    steps: int
    reports: dict[str, Report] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    is_done: bool = False

    def __post_init__(self) -> None:
        self._observer: Observer | None = None
        self._calls = self._raised = 0
        self._guard = _Guard()

    def start(self) -> None:
        """Begin to observe; called when the program has imported torch."""
        self._observer = Observer(after_step=self._after_step, first_batch=True)
        self._observer.start()

    def _after_step(self) -> None:
        self._calls += 1
        observer = self._observer
        if observer is None:
            return
        if not self.is_done:
            models, functional = observer.models, observer.functional.steps
            enough = models and all(model.steps >= self.steps for model in models)
            enough = enough or functional >= self.steps
            if not enough and self._calls < 4 * self.steps:
                return
            self._read()
            self.is_done = True
        self._raised += 1
        if self._raised > SWALLOWED:
            self._leave()
        self._guard.begin()
        raise FirstStepsDone(0)

    def end(self, error: BaseException | None) -> None:
        """The program has ended, with this error where one ended it."""
        self._guard.end()
        if not self.is_done:
            self._read(error)
        if self._observer is not None:
            self._observer.stop()

    def _read(self, error: BaseException | None = None) -> None:
        observer = self._observer
        if observer is None:
            return
        raised = None if error is None else observer.safely("errors", program_error_of, error)
        self.problems = [f"{part}: {error}" for part, error in observer.switched_off.items()]
        # Statistics of batch normalization, say, need more steps than these to fit.
        rules = [
            rule
            for rule in RULES
            if rule.name == "gradient_zero" or not (rule.symptom or rule.at_end)
        ]
        main = observer.table.main_model()
        for model in observer.models:
            observer.complete_rows()
            history = history_of(model, observer.program({}))
            self._add(model.name, history.but(error=raised if model is main else None), rules)
        functional = {} if observer.models else observer.functional.histories(observer.program({}))
        for name, history in functional.items():
            self._add(name, history.but(error=raised), rules)
        if raised is not None and not observer.models and not functional:
            self._add(UNTRAINED, untrained_history(raised, running=False), rules)

    def _add(self, name: str, history: History, rules: Sequence[Rule]) -> None:
        report = diagnose(history, rules)
        first = history.first_batch
        own = set() if first is None else set(first.not_known.values())
        unchecked = tuple((rule, why if why in own else LATER) for rule, why in report.unchecked)
        self.histories[name] = history
        self.reports[name] = replace(report, unchecked=unchecked)

    def _leave(self) -> NoReturn:
        """End the process: the program has caught each `FirstStepsDone`."""
        for report in self.reports.values():
            print(report, flush=True)
        print("The program caught the end of the check again and again, and was ended.", flush=True)
        os._exit(1)


class _Guard:
    """While a program is stopped, keeps it from writing over files that exist."""

    def __init__(self) -> None:
        self.is_active = False
        self._is_hooked = False
        self._save: Any = None
        self._bytecode = sys.dont_write_bytecode

    def begin(self) -> None:
        """Refuse from now on."""
        if self.is_active:
            return
        self.is_active = True
        sys.dont_write_bytecode = True
        torch: Any = sys.modules["torch"]
        self._save, torch.save = torch.save, _refuse
        if not self._is_hooked:  # Python has no way to remove a hook
            sys.addaudithook(self._audit)
            self._is_hooked = True

    def end(self) -> None:
        """Refuse no longer."""
        if self.is_active:
            self.is_active = False
            sys.dont_write_bytecode = self._bytecode
            torch: Any = sys.modules["torch"]
            torch.save = self._save

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.is_active:
            return
        if event == "open":
            path, mode, flags = args
            writes = any(c in mode for c in "wa+x") if isinstance(mode, str) else False
            writes = writes or (isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR)))
            if writes and _is_own_file(path):
                raise FirstStepsDone(0)
        elif event in _CHANGED and _is_own_file(args[_CHANGED[event]]):
            raise FirstStepsDone(0)


def _refuse(*args: object, **kwargs: object) -> NoReturn:
    raise FirstStepsDone(0)


def _is_own_file(path: object) -> bool:
    """Whether a path is a file of the user's that exists: no device, no temporary file."""
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    with suppress(OSError, ValueError):
        file = Path(os.fsdecode(path)).absolute()
        temporary = Path(tempfile.gettempdir()).absolute()
        return file.is_file() and temporary not in file.parents
    return False

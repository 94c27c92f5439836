"""The command that observes a program of the user's own: watch."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.atomic import delete_empty_folder
from netwise.cli.options import home_option
from netwise.cli.terminal import echo
from netwise.errors import text_of
from netwise.grades import GRADES
from netwise.storage.layout import new_folder, strict_json

if TYPE_CHECKING:
    from netwise.diagnosis.report import Report
    from netwise.history import History
    from netwise.watching.script import ScriptEnd
    from netwise.watching.watch import watch as Watch


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("program", metavar="SCRIPT")
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
@click.option("-m", "as_module", is_flag=True, help="SCRIPT is a module, as with python -m.")
@click.option("--name", help="Name of the run folder.  [default: that of the script]")
@click.option(
    "--every",
    type=click.IntRange(1),
    metavar="N",
    help="Record one step of N.  [default: the first steps, then fewer and fewer]",
)
@click.option(
    "--live/--no-live",
    default=True,
    help="Print a line when a finding begins to hold, and when it has healed.  [default: yes]",
)
@click.option(
    "--stop-on",
    type=click.Choice(GRADES),
    help="End the program at a finding that is as certain, with exit code 5.",
)
@click.option(
    "--try",
    "tries",
    is_flag=True,
    help="At the end, decide by short trials on copies what the diagnosis leaves open.",
)
@click.option(
    "--report/--no-report", "with_report", default=True, help="Write report.html.  [default: yes]"
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON, in the last line of stderr."
)
@home_option
def watch(
    program: str,
    arguments: tuple[str, ...],
    as_module: bool,
    name: str | None,
    every: int | None,
    live: bool,
    stop_on: str | None,
    tries: bool,
    with_report: bool,
    as_json: bool,
    home: Path,
) -> None:
    """Run a training script of your own and find out why it does not learn.

    SCRIPT runs as with `python SCRIPT ARGS`: same numbers, output and exit code. Options after
    SCRIPT are its own. What it trains is recorded in a run folder. Findings are printed to stderr
    while it trains, and the diagnosis at the end.

    \b
    Examples:
      netwise watch train.py --epochs 3
      netwise watch --name wider train.py --width 512
      netwise watch -m package.train
      netwise watch --stop-on cause train.py
      netwise watch --try train.py
    """
    from netwise.watching.script import run_as_main

    words = name or (program.rpartition(".")[2] if as_module else Path(program).stem)
    title = program if as_module else Path(program).name
    options = {
        "every": every,
        "live": live and not as_json,
        "stop_on": () if stop_on is None else (stop_on,),
        "trials": tries,
    }
    observer = _Observer(
        home, "".join(c if c.isalnum() or c in "-_" else "-" for c in words), options
    )
    try:
        end = run_as_main(program, arguments, as_module=as_module, on_torch=observer.start)
    except BaseException:  # there is no such script
        observer.abandon()
        raise
    with suppress(OSError, ValueError, AttributeError):  # the program may have closed it
        sys.stdout.flush()
    if not observer.is_silent:
        try:
            observed = observer.stop(title, end)
            _print_result(title, observed, observer.problems, end, with_report, as_json, tries)
        except Exception as error:  # the exit code stays that of the program
            echo(f"netwise: no diagnosis, because of {_named(error)}", err=True)
    raise SystemExit(end.exit_code)


@dataclass(frozen=True)
class _Observed:
    """What was recorded of one trained module.

    Args:
        model: its name.
        history: of its training.
        folder: of its run; None where none could be written.
        shown: the folder as it is printed, relative to where the command was started.
    """

    model: str
    history: History
    folder: Path | None
    shown: Path


@dataclass
class _Observer:
    """Starts `watch` when the program imports torch, and ends it. An error in here is kept as a
    sentence and does not reach the program.

    Args:
        home: the folder of runs, as the user wrote it.
        name: of the run folder.
        options: of `watch`.
        problems: what did not work.
    """

    home: Path
    name: str
    options: dict[str, Any]
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._watch: Watch | None = None
        self._folder: Path | None = None
        self._start = Path.cwd()  # the program may change the current folder
        # Of several processes that `torchrun` starts, the first one records and prints.
        self.is_silent = os.environ.get("RANK", "0") != "0"

    def start(self) -> None:
        """Begin to observe."""
        if self.is_silent:
            return
        try:
            self._folder = new_folder(self._start / self.home, self.name or "run")
        except OSError as error:
            self.problems.append(
                f"no run folder was written in {self.home}: {error.strerror or error}. "
                "Use another one: netwise watch --runs FOLDER SCRIPT"
            )
        try:
            from netwise.watching.watch import watch

            observer = watch(folder=self._folder, **self.options)
            observer.start()
            self._watch = observer
        except Exception as error:
            self.problems.append(f"nothing was recorded, because of {_named(error)}")

    def abandon(self) -> None:
        """End observing where no program ran."""
        if self._watch is not None:
            self._watch.stop()
        self._remove_empty_folder()

    def _remove_empty_folder(self) -> None:
        if self._folder is not None:
            delete_empty_folder(self._folder)

    def stop(self, title: str, end: ScriptEnd) -> list[_Observed]:
        """End observing; what was recorded of each trained module, the first trained one first.

        Args:
            title: the program's name.
            end: how it ended.
        """
        histories: dict[str, History] = {}
        folders: dict[str, Path] = {}
        if self._watch is not None:
            if end.error is not None:
                self._watch.ended_by(end.error)
            self._watch.stop()
            histories, folders = self._watch.histories(), self._watch.folders
            self.problems.extend(
                f"a part of netwise was switched off after an error: {error}"
                for error in self._watch.errors
            )
        observed = []
        for model, history in histories.items():
            folder = folders.get(model)
            shown = self.home / (folder.name if folder else "")
            history = _with_error(history, title, end, folder)
            observed.append(_Observed(model, history, folder, shown))
        self._remove_empty_folder()
        return observed


def _with_error(history: History, title: str, end: ScriptEnd, folder: Path | None) -> History:
    """The history of a program that ended with an error says so, in its folder too."""
    if end.error is None:
        return history
    from netwise.errors import TrainingStopped
    from netwise.history import DIVERGED, INTERRUPTED, STOPPED_EARLY, RunEnd
    from netwise.storage.run_folder import RunFolder

    ended = history.ended
    is_ctrl_c = isinstance(end.error, KeyboardInterrupt)
    what = "was interrupted" if is_ctrl_c else f"ended with {_named(end.error)}"
    sentence = f"{title} {what} after {ended.step} steps."
    if isinstance(end.error, TrainingStopped):
        sentence = f"{title} was ended by a finding after {ended.step} steps."
        ended = RunEnd(STOPPED_EARLY, sentence, ended.step)
    elif ended.how == DIVERGED:
        ended = RunEnd(DIVERGED, f"{ended.sentence} {sentence}", ended.step)
    else:
        ended = RunEnd(INTERRUPTED, sentence, ended.step)
    if folder is not None:
        RunFolder(folder).write_end(ended)
    return replace(history, ended=ended)


def _print_result(
    title: str,
    observed: list[_Observed],
    problems: list[str],
    end: ScriptEnd,
    with_report: bool,
    as_json: bool,
    tries: bool,
) -> None:
    """Diagnose, write the reports and print the result to stderr."""
    from netwise.diagnosis.report import diagnose
    from netwise.history import history_as_dict

    documents: list[dict[str, Any]] = []
    for each in observed:
        diagnosis = diagnose(each.history, trials=tries)
        page = _write_page(each, problems) if with_report else None
        documents.append(
            {
                "model": each.model,
                "folder": None if each.folder is None else str(each.shown),
                "report": None if page is None else str(page),
                **history_as_dict(each.history),
                "diagnosis": diagnosis.as_dict(),
            }
        )
        if not as_json:
            for line in _lines(each, diagnosis, page):
                echo(line, err=True)
    if as_json:
        whole = {"program": title, "exit_code": end.exit_code, "models": documents}
        echo(json.dumps(strict_json({**whole, "problems": problems})), err=True)
        return
    if not observed and not problems and end.exit_code == 0:  # else it never came to training
        echo(f"netwise: {_reason_for_nothing(title)}", err=True)
    for problem in problems:
        echo(f"netwise: {problem}", err=True)


def _write_page(each: _Observed, problems: list[str]) -> Path | None:
    """The report of one module, as it is printed; None where it cannot be written."""
    if each.folder is None:
        return None
    from netwise.report.program_page import write_program_report  # heavy

    try:
        return each.shown / write_program_report(each.folder).name
    except Exception as error:
        problems.append(f"no report was written in {each.shown}, because of {_named(error)}")
        return None


def _lines(each: _Observed, diagnosis: Report, page: Path | None) -> Iterator[str]:
    """What is printed of one module."""
    yield f"\nnetwise: {each.model}. {each.history.ended.sentence}"
    if diagnosis.found:
        yield str(replace(diagnosis, clear=(), unchecked=()))
        if page is not None and any(finding.remedies for finding in diagnosis.found):
            yield "The report says what to change in the program for each remedy."
    else:
        yield f"No problem found. Checked: {_rules(len(diagnosis.clear))}."
        yield from map(str, diagnosis.trials)
    count = len(diagnosis.unchecked)
    if count:
        where = "" if each.folder is None else f": netwise diagnose {each.shown}"
        yield f"{_rules(count)} could not be checked{where}"
    if each.folder is not None:
        yield f"Run folder: {each.shown}"
    if page is not None:
        yield f"Report: {page}"


def _rules(count: int) -> str:
    return "1 rule" if count == 1 else f"{count} rules"


def _reason_for_nothing(title: str) -> str:
    """Why no training was recorded."""
    if "torch" not in sys.modules:
        return f"{title} did not import torch, so no training was recorded."
    return (
        f"no training step of {title} was recorded, because no loss of a module was followed "
        "backwards in its main thread. Is there a batch at all? `drop_last=True` leaves none of "
        "fewer samples than a batch has: print `len(loader)`. Where it trains in another process, "
        "write `with nw.watch(folder=...):` around the loop there."
    )


def _named(error: BaseException) -> str:
    """An error's class and the first line of its message."""
    lines = text_of(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:120]}" if lines else type(error).__name__

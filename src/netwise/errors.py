"""The errors of netwise, and `Problem`, the form in which each wrong value is reported.

NetwiseError
├── WrongValue        (also ValueError)   fields hold invalid values; reports all of them at once
│   └── RecipeFileError                   the same, read from a file
├── UnknownName       (also ValueError)   no such name; proposes close matches
├── ShapeError        (also ValueError)   the shape of the data does not match the network
├── DataMissing       (also FileNotFoundError)   files of a data set are absent
├── DataError         (also ValueError)   data that cannot be used
├── MissingPackage    (also ImportError)  a package that only a part of netwise needs is absent
├── FileAccessError   (also OSError)      the operating system refuses to read or write a file
├── RunFolderError    (also ValueError)   a folder is no run, is damaged, or is already complete
├── ProcessFailed     another of the processes that train one model failed or was killed
├── FileRefused       (also OSError)      a pipe or device, a link out of a folder, or too large
├── ExportError       (also ValueError)   a run that cannot be one file; says which step
├── TrainingDiverged  all runs of a comparison diverged, so that it has no result
└── TrainingStopped   a finding ended a training loop, as `watch(stop_on=...)` asks for
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Any, Self

from netwise.glossary import names_for
from netwise.printed_text import printable

CANNOT_RUN = "cannot run"
WILL_LEARN_BADLY = "will learn badly"


@dataclass(frozen=True)
class Problem:
    """One wrong value: the field, the given value, why it is wrong, what to write instead.

    Args:
        field: dotted name of the field, such as `optimizer.lr`.
        given: the value, as shown in the message; "" where there is none (a missing field).
        reason: a predicate, such as "must be above 0: a negative step climbs".
        instead: what to write; "" where no single answer is right. The reason then says what to
            do.
        grade: "cannot run" (raised before any work) or "will learn badly" (a finding before
            training).

    Example:
        >>> import netwise as nw
        >>> print(nw.Problem("batch_size", "0", "must be above 0", "64"))
        batch_size = 0  must be above 0. Write 64.
    """

    field: str
    given: str = ""
    reason: str = ""
    instead: str = ""
    grade: str = CANNOT_RUN

    @property
    def subject(self) -> str:
        return f"{self.field} = {self.given}" if self.given else self.field

    @property
    def sentence(self) -> str:
        return f"{self.reason}. Write {self.instead}." if self.instead else with_period(self.reason)

    def inside(self, parent: str) -> Problem:
        """The same problem, named from the value that holds this one: `lr` -> `optimizer.lr`."""
        return replace(self, field=f"{parent}.{self.field}" if self.field else parent)

    def __str__(self) -> str:
        return printable(f"{self.subject}  {self.sentence}")


class NetwiseError(Exception):
    """Root of all errors that netwise raises on purpose.

    Example:
        >>> import netwise as nw
        >>> try:
        ...     nw.SGD(lr=-1)
        ... except nw.NetwiseError as error:
        ...     print(type(error).__name__)
        WrongValue
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class WrongValue(NetwiseError, ValueError):
    """One or more fields hold invalid values; `problems` has all of them.

    Example:
        >>> import netwise as nw
        >>> try:
        ...     nw.SGD(lr=-0.1, momentum=2)
        ... except nw.WrongValue as error:
        ...     print([problem.field for problem in error.problems])
        ['lr', 'momentum']
    """

    def __init__(self, owner: str, problems: Sequence[Problem]) -> None:
        self.owner, self.problems = owner, tuple(problems)
        super().__init__(format_problems(owner, self.problems))

    @classmethod
    def of(
        cls, owner: str, field: str, given: object = "", reason: str = "", instead: str = ""
    ) -> Self:
        """The error with one problem; a `given` that is not a string is shown by `short_repr`.

            raise WrongValue.of("search", "trials", trials, "must be at least 1", "20")

        Args:
            owner: what holds the field, such as the name of its class.
            field, given, reason, instead: as in `Problem`.
        """
        value = given if isinstance(given, str) else short_repr(given)
        return cls(owner, [Problem(field, value, reason, instead)])


class RecipeFileError(WrongValue):
    """A file that cannot be read as a recipe: has every wrong field, by its dotted name.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "recipe.toml"
        >>> _ = path.write_text('data = "digits"\\nbatch_size = 0')
        >>> nw.read_recipe(path)
        Traceback (most recent call last):
        ...
        netwise.errors.RecipeFileError: recipe.toml: 2 problems. Nothing was trained.
          network         is missing: a recipe needs a network. Write {kind = "MLP", ...}.
          batch_size = 0  must be at least 1: a step needs a sample. Write 64.
    """


class UnknownName(NetwiseError, ValueError):
    """A name that does not exist; the message has close matches, or all names.

    Example:
        >>> import netwise as nw
        >>> nw.remedy("add_dropouts")
        Traceback (most recent call last):
        ...
        netwise.errors.UnknownName: unknown remedy 'add_dropouts'. Did you mean `add_dropout`?
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = list(known)
        close = close_matches(name, known)
        hint = f"Did you mean {close}?" if close else f"There are: {', '.join(known)}."
        super().__init__(f"unknown {kind} {short_repr(name)}. {hint}")


class ShapeError(NetwiseError, ValueError):
    """The data do not fit the network; the message has its table up to the layer that fails.

    Example:
        >>> import netwise as nw
        >>> try:
        ...     nw.describe(nw.MLP((8, 4, 2)), (9,))
        ... except nw.ShapeError as error:
        ...     print(str(error).splitlines()[-1])
        layer1 (Linear) takes 8 features and gets 9. Write 9 for its input.
    """


class DataMissing(NetwiseError, FileNotFoundError):
    """Files of a data set are absent and could not be downloaded; says where to put them.

    Example:
        >>> import netwise as nw
        >>> issubclass(nw.DataMissing, FileNotFoundError)
        True
    """


class DataError(NetwiseError, ValueError):
    """Data that cannot be used: what is wrong, and where.

    Example:
        >>> import netwise as nw
        >>> nw.data.arrays([[1.0], [2.0]], [0]).load()
        Traceback (most recent call last):
        ...
        netwise.errors.DataError: X has 2 rows and y has 1: pass one target for each sample
    """


class MissingPackage(NetwiseError, ImportError):
    """A package that only a part of netwise needs is not installed.

    Example:
        >>> import netwise as nw
        >>> print(nw.MissingPackage("a search", "Optuna", "search"))
        a search needs Optuna, which is not installed. Install it: pip install 'netwise[search]'
    """

    def __init__(self, user: str, package: str, extra: str) -> None:
        super().__init__(
            f"{user} needs {package}, which is not installed. "
            f"Install it: pip install 'netwise[{extra}]'"
        )


class ExportError(NetwiseError, ValueError):
    """A run that cannot be written as a file that answers as it does: which step, and why.

    Example:
        >>> import netwise as nw
        >>> run = nw.fit(nw.Recipe(data=nw.data.digits(), preprocess=(nw.Binarise(),),
        ...                        network=nw.energy.Hopfield(64)))
        >>> try:
        ...     nw.export(run, "memory.pt2")
        ... except nw.ExportError as error:
        ...     print(str(error).partition(":")[0])
        Hopfield cannot be exported
    """


class FileAccessError(NetwiseError, OSError):
    """A file or folder that cannot be read or written: its path, the reason of the operating
    system, and what to do. `errno`, `strerror` and `filename` are those of the system's error.

    Args:
        message: the whole text.
        code: `errno` of the system's error; None where it has none.
        path: of the file.
        during_work: whether the machine failed, such as a full disk, or work had begun. The
            command line then exits with code 4, else with 2.
        then: end of the text: how to continue the work; "" where there is none.

    Example:
        >>> import netwise as nw
        >>> nw.write_recipe(nw.suggest(nw.data.iris()), "no/such/folder/recipe.toml")
        Traceback (most recent call last):
        ...
        netwise.errors.FileAccessError: no/such/folder/recipe.toml cannot be written: No such ...
    """

    def __init__(
        self,
        message: str,
        code: int | None = None,
        path: object = None,
        *,
        during_work: bool = False,
        then: str = "",
    ) -> None:
        super().__init__(message)
        self.message, self.then, self.during_work = message, then, during_work
        self.errno, self.filename = code, path
        self.strerror = message if code is None else os.strerror(code)

    def __str__(self) -> str:
        return printable(f"{self.message.rstrip('.')}, {self.then}" if self.then else self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        again = partial(FileAccessError, during_work=self.during_work, then=self.then)
        return again, (self.message, self.errno, self.filename)


class RunFolderError(NetwiseError, ValueError):
    """A folder that is no run, is damaged, or cannot be continued.

    Example:
        >>> import netwise as nw
        >>> nw.load("no/such/folder")
        Traceback (most recent call last):
        ...
        netwise.errors.RunFolderError: no/such/folder is not a run folder: it has no ...
    """


class ProcessFailed(NetwiseError):
    """Another of the processes that train one model has failed or was killed.

    Example:
        >>> import netwise as nw
        >>> issubclass(nw.ProcessFailed, nw.NetwiseError)
        True
    """


class FileRefused(NetwiseError, OSError):
    """A file that is not opened: a device, a pipe, a link out of its folder, or a file too large.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> (folder / "recipe.toml").symlink_to(__file__)
        >>> try:
        ...     nw.load_history(folder)
        ... except nw.FileRefused as error:
        ...     print(error)
        /.../recipe.toml leads out of its folder /..., to /...errors.py. A folder of someone ...
    """


class TrainingDiverged(NetwiseError):
    """All runs that a result should come from have diverged; says where, and what to change.

    Example:
        >>> import netwise as nw
        >>> wild = nw.SGD(lr=1e30)
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=wild)
        >>> nw.cross_validate(recipe, folds=2, jobs=1)
        Traceback (most recent call last):
        ...
        netwise.errors.TrainingDiverged: 2 of 2 runs diverged (fold 1, fold 2). Diverged at ...
    """


class TrainingStopped(NetwiseError):
    """A training loop under `watch(stop_on=...)` has a finding of a grade that ends it.

    It is raised from the optimizer's step, or from the backward pass of a loop without optimizers.

    Args:
        message: what was found, and what to change.
        finding: a `Finding`.
        step: how many steps were done.

    Example:
        >>> import netwise as nw, torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Linear(8, 1))
        >>> optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
        >>> try:
        ...     with nw.watch(stop_on=("cause",)):
        ...         for _ in range(100):
        ...             optimizer.zero_grad()
        ...             model(torch.randn(16, 4)).square().mean().backward()
        ...             optimizer.step()
        ... except nw.TrainingStopped as stopped:
        ...     print(stopped.step, stopped.finding.rule)
        5 weights_stand_still
    """

    def __init__(self, message: str, finding: object, step: int) -> None:
        super().__init__(message)
        self.finding, self.step = finding, step


def interface_error(member: object, example: str) -> TypeError:
    """The error of an abstract method: names a class that has it, such as "Adam()"."""
    name = type(member).__name__
    return TypeError(f"{name} is an interface without this method: use a member, such as {example}")


def with_period(sentence: str) -> str:
    """The sentence with a punctuation mark at its end."""
    return sentence if not sentence or sentence[-1] in ".?!" else sentence + "."


def text_of(error: BaseException) -> str:
    """The message of an error of any program; "" where the error's own code cannot give it, which
    may raise anything, or return no text."""
    try:
        return str(error)
    except (Exception, SystemExit):
        return ""


def named(error: BaseException, most: int = 200) -> str:
    r"""The class of an error of any program and its message, in one line.

    Args:
        error: as it was caught.
        most: characters of the message.

    Example:
        >>> from netwise.errors import named
        >>> named(ValueError("two\nlines"))
        'ValueError: two lines'
    """
    message = " ".join(text_of(error)[: 4 * most].split())[:most]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def short_repr(value: object, limit: int = 60) -> str:
    """A value as messages show it: one line of at most `limit` characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, int) and abs(value) >= 10**limit:
        return f"a number of over {limit} digits"
    text = repr(value[: 2 * limit] if isinstance(value, str | bytes) else value)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def close_matches(name: str, known: Iterable[str]) -> str:
    """The known names that are similar to `name`, or that netwise has for this term, as
    "`a` or `b`"; "" where none is."""
    names = {known_name.lower(): known_name for known_name in known}
    close = [word.lower() for word in names_for(name[:80]) if word.lower() in names]
    close = close or get_close_matches(name.lower()[:80], names, n=3, cutoff=0.6)
    return " or ".join(f"`{names[match]}`" for match in close)


def format_problems(owner: str, problems: Sequence[Problem]) -> str:
    """All problems as aligned lines, below a line with their number."""
    width = min(40, max((len(p.subject) for p in problems), default=0))
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    rows = [f"  {p.subject:<{width}}  {p.sentence}" for p in problems]
    return "\n".join([f"{owner}: {count}. Nothing was trained.", *rows])

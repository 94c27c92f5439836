"""`export`: a run as one file that other programs answer with, checked against the run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from netwise import __version__
from netwise.atomic import write_new_file
from netwise.data.raw_inputs import RawInput
from netwise.deployment.answering import CLASS, Answering, stages_of
from netwise.deployment.comparison import TOLERANCE, answers_of, difference
from netwise.deployment.file_format import Answers, Feeds, FileContent, FileFormat, first_line
from netwise.deployment.onnx_file import ONNX
from netwise.deployment.torch_file import TORCH
from netwise.errors import DataError, ExportError, NetwiseError, WrongValue, short_repr
from netwise.printed_text import printable
from netwise.training.run import Run

FORMATS = {each.ending: each for each in (ONNX, TORCH)}
ROWS = 100  # that a file is checked on
ABOUT = "netwise"  # name of the text in the file that describes it, as JSON
PREPARED = "prepared"  # the input of a file that leaves steps to its caller


class HasRun(Protocol):
    """A fitted estimator."""

    def to_run(self) -> Run:
        """The run as it answers raw inputs."""


@dataclass(frozen=True)
class ExportedFile:
    """What `export` wrote.

    Args:
        path: of the file.
        inputs: of the file, in their order.
        outputs: names of the outputs.
        left: steps that its caller has to do before, one sentence each.
        rows: raw rows that the file was checked on.
        difference: the largest one between its answers and the run's: of probabilities, of numbers
            in spreads of the target, of reconstructions relative to values above 1.
        tolerance: largest difference that counts as equal.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=5))
        >>> made = nw.export(run, pathlib.Path(tempfile.mkdtemp()) / "iris.pt2")
        >>> [each.name for each in made.inputs], made.outputs, made.rows
        (['input'], ('class', 'probabilities'), 90)
    """

    path: Path
    inputs: tuple[RawInput, ...]
    outputs: tuple[str, ...]
    left: tuple[str, ...]
    rows: int
    difference: float
    tolerance: float = TOLERANCE

    def __str__(self) -> str:
        names = ", ".join(each.name for each in self.inputs)
        left = "".join(f"\nLeft to the caller: {each}." for each in self.left)
        return printable(
            f"{self.path}: inputs {names}; outputs {', '.join(self.outputs)}. Its answers to "
            f"{self.rows} raw rows are those of the run: largest difference "
            f"{self.difference:.2g}, limit {self.tolerance:g}.{left}"
        )


def export(
    run: Run | HasRun, path: str | Path, *, rows: Any = None, partial: bool = False
) -> ExportedFile:
    """Write a run as one file that answers raw inputs without netwise: encoding and preprocessing,
    the network, and the names of classes. The file is checked before it is written.

    Args:
        run: that `fit` or `load` returned; or a fitted estimator of `netwise.estimators`.
        path: of a new file: `.onnx` for ONNX (needs `pip install 'netwise[onnx]'`), or `.pt2` for
            `torch.export`.
        rows: raw inputs, as `run.predict` takes them, on which the file's answers are compared with
            the run's. Default: 100 rows of the run's data; an estimator that was fitted to a data
            frame keeps no rows of it, so they are needed.
        partial: steps that the file cannot express are left to its caller, and named in the result
            and in the file: their results become inputs. Default false: such a step is an error.

    Raises:
        ExportError: a step cannot be expressed, or answers differ; the message names the step.
        MissingPackage: a package for the format is not installed.
        FileAccessError: the file exists or cannot be written.

    Example:
        >>> import netwise as nw, pathlib, tempfile, torch
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=30))
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "iris.pt2"
        >>> _ = nw.export(run, path)
        >>> answers = torch.export.load(path).module()(torch.tensor([[5.1, 3.5, 1.4, 0.2]]))
        >>> run.pipeline.classes[answers["class"]]
        'setosa'
    """
    path = Path(path)
    form = _format_of(path)
    form.require()
    if not isinstance(run, Run):
        run = _run_of(run, rows)
    reason = run.recipe.network.why_not_exported
    if reason:
        raise ExportError(
            f"{type(run.recipe.network).__name__} cannot be exported: {reason}. Use run.predict, "
            "or netwise predict"
        )
    raw = raw_rows(run) if rows is None else rows
    plan = _plan(run, raw, form, partial)
    inputs, outputs = plan.program.inputs, plan.program.outputs
    write_new_file(path, plan.content)
    return ExportedFile(path, inputs, outputs, plan.left, plan.rows, plan.difference)


def _run_of(estimator: HasRun, rows: Any) -> Run:
    """The run of an estimator.

    Raises:
        WrongValue: there is none, or there are no rows of a data frame to check the file on.
    """
    if not hasattr(estimator, "to_run"):
        reason = "must be a run, or a fitted estimator of netwise.estimators"
        raise WrongValue.of("export", "run", short_repr(estimator), reason, "nw.fit(recipe)")
    run = estimator.to_run()
    if rows is None and run.pipeline.encoder != run.recipe.data.load().encoder:
        reason = "are needed: the estimator was fitted to a data frame and keeps no rows of it"
        raise WrongValue.of("export", "rows", "None", reason, "rows=X[:100]")
    return run


@dataclass(frozen=True, eq=False)
class _Plan:
    """A checked file, before it is written; the fields are those of `ExportedFile`."""

    program: FileContent
    content: bytes
    left: tuple[str, ...]
    rows: int
    difference: float


def _plan(run: Run, raw: Any, form: FileFormat, partial: bool) -> _Plan:
    encoder = run.pipeline.encoder
    stages, inputs, tensors = stages_of(run), encoder.raw_inputs(), encoder.numbers(raw)
    left = [step for each in inputs for step in _left_of(each, form)]
    if left and not partial:
        raise _refused(form, left)
    feeds = {each.name: t.numpy() for each, t in zip(inputs, tensors, strict=True)}
    if form.reads_words:
        feeds |= encoder.words(raw)
    expected = answers_of(run, raw)
    whole = _Attempt(list(stages.values()), inputs, tensors, feeds)
    outcome = _tried(run, form, whole, expected, left)
    if isinstance(outcome, _Plan):
        return outcome
    place, reason = _failing_stage(form, stages, whole) or (len(stages) - 1, outcome)
    names = list(stages)
    if place == len(stages) - 1:
        raise ExportError(
            f"{names[place]} cannot be written as {form.ending}: {reason}. Use run.predict, or "
            "change its forward to operations on whole tensors, without branches on values"
        )
    left = [
        f"{name} ({reason})" if i == place else name for i, name in enumerate(names[: place + 1])
    ]
    if not partial:
        raise _refused(form, left)
    with torch.no_grad():
        x = Answering(whole.stages[: place + 1])(*tensors)
    prepared = RawInput(PREPARED, tuple(x.shape[1:]), x.dtype)
    rest = _Attempt(whole.stages[place + 1 :], (prepared,), (x,), {PREPARED: x.numpy()})
    outcome = _tried(run, form, rest, expected, left)
    if isinstance(outcome, _Plan):
        return outcome
    raise ExportError(f"{names[-1]} cannot be written as {form.ending}: {outcome}. Use run.predict")


@dataclass(frozen=True, eq=False)
class _Attempt:
    """Stages to write as one file, with what goes in: as tensors, and as the file takes it."""

    stages: Sequence[nn.Module]
    inputs: tuple[RawInput, ...]
    tensors: Sequence[Tensor]
    feeds: Feeds


def _tried(
    run: Run, form: FileFormat, attempt: _Attempt, expected: Answers, left: Sequence[str]
) -> _Plan | str:
    """The checked file of these stages, or why there is none."""
    module = Answering(attempt.stages)
    outputs = tuple(expected)
    about = {ABOUT: json.dumps(_about(run, form, attempt.inputs, outputs, left), indent=1)}
    program = FileContent(
        module, attempt.inputs, tuple(attempt.tensors), outputs, run.pipeline.classes, about
    )
    try:
        content = form.written(program)
        answers = form.answers(content, attempt.feeds)
    except Exception as error:  # each exporter and engine fails in its own way
        return first_line(error)
    named = dict(zip(outputs, (answers[name] for name in program.output_names), strict=True))
    if not form.reads_words and CLASS in named:
        named[CLASS] = np.array(run.pipeline.classes)[named[CLASS]]
    gap = difference(run, expected, named)
    if gap > TOLERANCE:
        return f"its answers differ from those of the run by {gap:.3g}, more than {TOLERANCE:g}"
    rows = len(attempt.tensors[0])
    return _Plan(program, content, tuple(left), rows, gap)


def _failing_stage(
    form: FileFormat, stages: Mapping[str, nn.Module], whole: _Attempt
) -> tuple[int, str] | None:
    """(place, reason) of the last stage that cannot be a file of its own with equal results; None:
    there is none."""
    found, inputs, tensors, feeds = None, whole.inputs, tuple(whole.tensors), whole.feeds
    for place, stage in enumerate(list(stages.values())[:-1]):
        with torch.no_grad():
            right = stage(*tensors)
        program = FileContent(Answering([stage]), inputs, tensors, ("x",), (), {})
        try:
            given = form.answers(form.written(program), feeds)
            same = np.allclose(given["x"], right.numpy(), TOLERANCE, TOLERANCE, equal_nan=True)
            reason = "" if same else "its results differ in the file"
        except Exception as error:  # as above
            reason = first_line(error)
        if reason:
            found = (place, reason)
        inputs, tensors = (RawInput("stage_input", tuple(right.shape[1:]), right.dtype),), (right,)
        feeds = {"stage_input": right.numpy()}
    return found


def _left_of(each: RawInput, form: FileFormat) -> list[str]:
    """What the caller has to do for one input, as a list of at most one sentence."""
    if each.left:
        return [f"{short_repr(each.name)}: {each.left}"]
    if each.codes is not None and not form.reads_words:
        return [
            f"{short_repr(each.name)}: the code of each word, from the text {ABOUT!r} in the file"
        ]
    return []


def _refused(form: FileFormat, left: Sequence[str]) -> ExportError:
    return ExportError(
        f"{len(left)} step{'s' if len(left) > 1 else ''} cannot be in a {form.ending} file and "
        f"would be left to its caller: {'; '.join(left)}. Allow it: export(run, path, "
        "partial=True), netwise export --partial"
    )


def _about(
    run: Run,
    form: FileFormat,
    inputs: Sequence[RawInput],
    outputs: Sequence[str],
    left: Sequence[str],
) -> dict[str, Any]:
    """What a reader of the file needs to know."""
    return {
        "netwise": __version__,
        "recipe": run.recipe.hash,
        "task": run.pipeline.task,
        "classes": list(run.pipeline.classes),
        "inputs": [
            {
                "name": each.name,
                "shape": [None, *each.shape],
                "type": "text" if _is_text(each, form) else str(each.dtype).removeprefix("torch."),
                "unit": each.unit,
                **({} if each.codes is None else {"codes": each.codes, "unknown": each.unknown}),
            }
            for each in inputs
        ],
        "outputs": list(outputs),
        "left": list(left),
    }


def _is_text(each: RawInput, form: FileFormat) -> bool:
    return each.codes is not None and form.reads_words


def raw_rows(run: Run) -> Any:
    """About `ROWS` raw inputs from the data of a run.

    Raises:
        ExportError: the data cannot be loaded any more.
    """
    try:
        return run.recipe.data.raw_rows(ROWS)
    except NetwiseError as error:
        raise ExportError(
            f"a file is checked on raw rows of the run's data, which cannot be loaded: {error} "
            "Or pass raw inputs yourself: export(run, path, rows=...), netwise export --rows FILE"
        ) from error


def _format_of(path: Path) -> FileFormat:
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        reason = f"has to end in {' or '.join(FORMATS)}"
        raise WrongValue.of("export", "path", str(path), reason, str(path.with_suffix(".onnx")))
    if path.exists():
        raise DataError(f"{path} exists already, and files are never overwritten. Use a new name.")
    return form

"""Rows of a table with what a run answers to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from netwise.data.image_files.new_pictures import takes_paths
from netwise.errors import DataError, UnknownName
from netwise.scoring.thresholds import Threshold
from netwise.training.answers import Answers, Array
from netwise.training.run import Run

if TYPE_CHECKING:
    import polars as pl

ALL, NONE, UNUSED = "all", "none", "unused"
PREDICTION, PROBABILITY, LOW, HIGH = "prediction", "probability", "_low", "_high"


@dataclass(frozen=True)
class AnswerColumns:
    """Which columns an answered table has.

    Args:
        keep: columns of the input beside the answers: "all", "none", "unused" for those that the
            network does not take (identifiers, dates of the record, the target where it is known),
            or their names.
        probabilities: one column for each class, beside the probability of the answer.
        level: of intervals around numbers; None: none.
        threshold: as in `Run.predict`.
    """

    keep: str | Sequence[str] = UNUSED
    probabilities: bool = True
    level: float | None = None
    threshold: Threshold | None = None


def answered_blocks(
    run: Run, blocks: Iterator[pl.DataFrame], columns: AnswerColumns
) -> Iterator[pl.DataFrame]:
    """Blocks of rows with their answers: a row for each row, in their order.

    Args:
        run: that answers.
        blocks: cells as they came, each with the same columns; for pictures one of paths.
        columns: what the table has.

    Raises:
        DataError: a cell does not fit; rows are counted from the first of all blocks.
    """
    import polars as pl  # heavy

    for kept, answers in answered(run, blocks, columns):
        found = answer_columns(answers, run.pipeline.classes, columns.probabilities)
        added = [pl.Series(_free(name, kept.columns), values) for name, values in found.items()]
        # An empty cell of a text is a gap of the table that is written.
        cells = kept.with_columns(pl.col(pl.String).replace("", None))
        yield cells.with_columns(added) if kept.width else pl.DataFrame(added)


def answered(
    run: Run, blocks: Iterator[pl.DataFrame], columns: AnswerColumns
) -> Iterator[tuple[pl.DataFrame, Answers]]:
    """Of each block the columns that are kept, and the answers; see `answered_blocks`."""
    rows = 0
    for block in blocks:
        with _rows_counted_from(rows):
            inputs, kept = _inputs_and_kept(run, block, columns.keep)
            answers = run.answers(inputs, threshold=columns.threshold, level=columns.level)
        rows += block.height
        yield block.select(kept), answers


def answer_columns(
    answers: Answers, classes: Sequence[str], probabilities: bool = True
) -> dict[str, Array]:
    """Answers by the names of their columns: `prediction` with `probability` and a
    `probability_CLASS` for each class, or with `prediction_low` and `prediction_high`; several
    numbers for a row are `output_1`, `output_2` and so on."""
    found = answers.predictions
    if found.ndim == 1:
        columns: dict[str, Array] = {PREDICTION: found}
        shares = answers.probabilities
        if shares is not None:
            places = {name: i for i, name in enumerate(classes)}
            own = [places[str(name)] for name in found]
            columns[PROBABILITY] = shares[np.arange(len(found)), own]
            if probabilities:
                columns |= {f"{PROBABILITY}_{name}": shares[:, i] for name, i in places.items()}
    else:
        flat = found.reshape(len(found), int(np.prod(found.shape[1:])))
        columns = {f"output_{i + 1}": flat[:, i] for i in range(flat.shape[1])}
    if answers.reach is None:
        return columns
    with_ends: dict[str, Array] = {}
    for (name, values), reach in zip(columns.items(), answers.reach.T, strict=True):
        half = np.asarray(reach, values.dtype)
        with_ends |= {name: values, name + LOW: values - half, name + HIGH: values + half}
    return with_ends


def _inputs_and_kept(
    run: Run, block: pl.DataFrame, keep: str | Sequence[str]
) -> tuple[Any, list[str]]:
    """The inputs of the network among the cells of a block, and the names of the columns to keep.

    An encoder of a table knows the names of its columns. Any other takes all columns, in their
    order; where there are more than it takes, those that are kept by name are none of them.
    """
    names = block.columns
    named = [] if isinstance(keep, str) else list(keep)
    inputs: Any
    for name in named:
        if name not in names:
            raise UnknownName("column", name, names)
    encoder = run.pipeline.encoder
    taken = getattr(encoder, "names", None)
    if takes_paths(encoder):
        taken, inputs = [], block[:, 0].to_list()
    elif taken is None:
        size = int(np.prod(encoder.raw_inputs()[0].shape))  # type: ignore[arg-type]
        taken = names if len(names) == size else [name for name in names if name not in named]
        inputs = _numbers(block.select(taken), getattr(encoder, "missing", False))
    else:
        inputs = block
    kept = {ALL: names, NONE: [], UNUSED: [name for name in names if name not in taken]}
    return inputs, list(kept[keep]) if isinstance(keep, str) else named


def _numbers(cells: pl.DataFrame, missing: bool) -> Array:
    """float64 (rows, columns) of cells that have to be numbers.

    Raises:
        DataError: a cell is none, or is empty where the network takes no gaps.
    """
    from netwise.data.tables import read_as  # heavy

    frame = read_as(cells, dict.fromkeys(cells.columns, ("number", ".")))
    if not missing:
        for name in frame.columns:
            gap = frame[name].is_null().arg_max()
            if frame[name].null_count() and gap is not None:
                raise DataError(
                    f"column {name!r}, row {gap + 1}: the cell is empty, and the network takes "
                    "numbers only: write a number"
                )
    numbers: Array = np.ascontiguousarray(frame.to_numpy(), np.float64)
    return numbers


def _free(name: str, taken: Sequence[str]) -> str:
    """The name, with a number where a kept column has it."""
    new, number = name, 2
    while new in taken:
        new, number = f"{name}_{number}", number + 1
    return new


@contextmanager
def _rows_counted_from(first: int) -> Iterator[None]:
    """Inside, messages that name a row of a block name that of the whole table."""
    try:
        yield
    except DataError as error:
        if not first:
            raise
        text = re.sub(r"\brow (\d+)", lambda found: f"row {int(found[1]) + first}", str(error))
        raise DataError(text) from None

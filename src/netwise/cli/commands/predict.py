"""Commands that use a trained network or a recipe: predict, write, script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.atomic import write_new_file
from netwise.cli.options import (
    home_option,
    json_option,
    output_option,
    recipe_argument,
    run_argument,
    set_option,
    skip_broken_option,
    table_options,
    trust_option,
)
from netwise.cli.output import SCRIPTS, echo_json, require_new_file
from netwise.cli.parsing import allow_own_code, own_network, recipe_with
from netwise.cli.run_names import find_run
from netwise.cli.terminal import echo, echo_data
from netwise.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from netwise.data.tables import ReadOptions
    from netwise.training.answered_table import AnswerColumns
    from netwise.training.run import Run


@click.command()
@run_argument
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@output_option
@click.option(
    "--keep",
    multiple=True,
    metavar="COLUMN",
    help="Columns of FILE to keep beside the answers: 'unused' (those that the network does not "
    "take, such as identifiers), 'all', 'none', or a name, which may be repeated.  "
    "[default: unused]",
)
@click.option(
    "--interval",
    "level",
    type=float,
    help="Share of rows whose interval is to hold the true number.  [default: 0.95]",
)
@click.option("--no-interval", is_flag=True, help="Numbers without intervals.")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="[CLASS=]SHARE",
    help="Answer CLASS where its probability is at least SHARE; without a name the second of two "
    "classes. May be repeated.  [default: the likeliest class]",
)
@click.option("--no-probabilities", is_flag=True, help="No column for each class.")
@table_options
@skip_broken_option
@trust_option
@home_option
@json_option
def predict(
    run: str,
    file: Path,
    output: Path | None,
    keep: Sequence[str],
    level: float | None,
    no_interval: bool,
    thresholds: Sequence[str],
    no_probabilities: bool,
    reading: dict[str, Any],
    skip_broken: bool,
    trust_own: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Answer the rows of a table, or pictures, with the network of RUN.

    FILE needs the columns of the training data, without the target: CSV (packed or not), Parquet,
    Arrow, JSON lines or a workbook. The answer has one row for each of its rows, in their order:
    the class, its probability and that of each class; or the number with the ends of its interval.
    With -o it is written to a new file: .csv, .tsv, .parquet, .arrow or .jsonl, and .csv.gz. A
    table may have any number of rows: they are answered block by block. For a network of pictures
    FILE is a picture, a folder of pictures, or a table of their paths.

    \b
    Examples:
      netwise predict @best new.csv
      netwise predict @last photos/ --skip-broken
      netwise predict @last new.parquet -o answers.csv --keep all
      netwise predict @last new.csv --threshold fraud=0.2
    """
    folder = find_run(run, home)
    from netwise.data.tables.writing import ending_of, write_blocks, write_text_blocks  # heavy
    from netwise.storage.run_folder import RunFolder
    from netwise.training.answered_table import answered_blocks
    from netwise.training.run import load

    if output is not None:
        require_new_file(output, [output.suffix])
        ending_of(output)
    recipe = allow_own_code(RunFolder.open(folder).recipe(), trust_own)
    loaded = load(folder, own_network(recipe))
    _warn_if_diverged(loaded)
    columns = _columns(loaded, keep, level, no_interval, thresholds, not no_probabilities)
    options = _options(reading)
    loaded = _for_file(loaded, file, options)
    blocks = _blocks(loaded, file, options, skip_broken)
    if as_json:
        echo_json(_document(loaded, blocks, columns))
        return
    answered = answered_blocks(loaded, blocks, columns)
    if output is None:
        write_text_blocks(answered, lambda raw: echo_data(raw.decode("utf-8")))
    else:
        rows = write_blocks(answered, output)
        echo(f"{rows} predictions in {output}")


def _columns(
    run: Run,
    keep: Sequence[str],
    level: float | None,
    no_interval: bool,
    thresholds: Sequence[str],
    probabilities: bool,
) -> AnswerColumns:
    """What the options say about the answered table."""
    from netwise.scoring.conformal import LEVEL, conformal_reach  # heavy
    from netwise.scoring.thresholds import thresholds_of
    from netwise.tasks import task_named
    from netwise.training.answered_table import ALL, NONE, UNUSED, AnswerColumns

    task = task_named(run.pipeline.task)
    threshold = _threshold(thresholds)
    if threshold is not None:
        if not task.has_classes:
            raise click.UsageError(
                f"--threshold is for classes, and {run.folder} answers numbers: leave it out"
            )
        thresholds_of(threshold, run.pipeline.classes)
    if level is not None and not task.has_values:
        raise click.UsageError(
            f"--interval is for numbers, and {run.folder} answers {run.pipeline.task}: leave it out"
        )
    if task.has_values and not no_interval:
        try:
            conformal_reach(run.pipeline.errors.numpy(), LEVEL if level is None else level)
            level = LEVEL if level is None else level
        except DataError as error:
            if level is not None:
                raise
            echo(f"No intervals: {error}.", err=True)
    else:
        level = None
    words = (ALL, NONE, UNUSED)
    kept = keep[0] if len(keep) == 1 and keep[0] in words else tuple(keep) or UNUSED
    return AnswerColumns(kept, probabilities, level, threshold)


def _threshold(given: Sequence[str]) -> float | dict[str, float] | None:
    """The values of --threshold."""
    named: dict[str, float] = {}
    for text in given:
        name, sign, share = text.rpartition("=")
        try:
            value = float(share)
        except ValueError:
            raise click.UsageError(
                f"--threshold {text}: {share!r} is no number. Write CLASS=0.3, or 0.3 alone where "
                "there are two classes"
            ) from None
        if not sign:
            if len(given) > 1:
                raise click.UsageError(
                    f"--threshold {text}: of several, each names its class. Write CLASS={text}"
                )
            return value
        named[name] = value
    return named or None


def _blocks(
    run: Run, file: Path, options: ReadOptions, skip_broken: bool
) -> Iterator[pl.DataFrame]:
    """The cells of the file, or the paths of pictures, block by block; with an error where there is
    no row."""
    from netwise.data.image_files.new_pictures import (  # heavy
        is_of_pictures,
        picture_blocks,
        takes_paths,
    )
    from netwise.data.tables import blocks

    encoder = run.pipeline.encoder
    if takes_paths(encoder) and is_of_pictures(file):
        yield from picture_blocks(file, skip_broken=skip_broken)
        return
    if skip_broken:
        raise click.UsageError(
            f"--skip-broken: {file} is no picture and no folder of pictures, and this is for them. "
            "Leave --skip-broken out."
        )
    any_row = False
    for block in blocks(str(file), options, wanted=getattr(encoder, "names", ())):
        any_row = True
        yield block
    if not any_row:
        raise DataError(f"{file} has no rows below its header: add some")


def _options(reading: dict[str, Any]) -> ReadOptions:
    """What the options say on how the file is to be read."""
    from netwise.data.tables import ReadOptions  # heavy

    if reading.get("kinds"):
        raise click.UsageError(
            "--kind: what a column is was decided in training, and new rows are read alike. Leave "
            "--kind out"
        )
    return ReadOptions(**{**reading, "na": tuple(reading.get("na", ()))})


def _for_file(run: Run, file: Path, options: ReadOptions) -> Run:
    """The run, with an encoder that reads all blocks of the file alike."""
    from netwise.data.tables.options import AS_MISSING  # heavy
    from netwise.data.tables.streaming import decimal_sign

    encoder = run.pipeline.encoder
    for_file = getattr(encoder, "for_file", None)
    if for_file is None:
        return run
    decimal = decimal_sign(file, options, encoder.names)  # type: ignore[attr-defined]
    bad_cells = options.bad_cells if options.bad_cells == AS_MISSING else None
    read = for_file(decimal, options.na, bad_cells)
    return replace(run, pipeline=replace(run.pipeline, encoder=read))


def _document(run: Run, blocks: Iterator[pl.DataFrame], columns: AnswerColumns) -> dict[str, Any]:
    """The answers as one JSON document."""
    import numpy as np  # heavy

    from netwise.training.answered_table import answered

    kept: dict[str, list[Any]] = {}
    predictions, probabilities, reaches = [], [], []
    for block, answers in answered(run, blocks, columns):
        for name in block.columns:
            kept.setdefault(name, []).extend(block[name].to_list())
        predictions.append(answers.predictions)
        reaches += [] if answers.reach is None else [answers.reach]
        if answers.probabilities is not None:
            probabilities.append(answers.probabilities)
    numbers = np.concatenate(predictions)
    document = {
        "predictions": numbers.tolist(),
        "classes": list(run.pipeline.classes),
        "probabilities": np.concatenate(probabilities).tolist() if probabilities else None,
        "columns": kept,
    }
    if reaches:
        reach = np.concatenate(reaches)
        half = reach[:, 0] if numbers.ndim == 1 else reach
        document |= {"low": (numbers - half).tolist(), "high": (numbers + half).tolist()}
    return document


def _warn_if_diverged(run: Run) -> None:
    """Say so where answers come from a network whose training diverged."""
    if run.history.ended.how == "diverged":
        echo(f"Warning: {run.history.ended.sentence} The answers are of these.", err=True)


@click.command()
@run_argument
@click.option("--prompt", default="\n", help="Text to continue.  [default: a line end]")
@click.option(
    "--length",
    type=click.IntRange(1, 1_000_000),
    default=400,
    show_default=True,
    help="Characters to write.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    default=0.8,
    show_default=True,
    help="0 always takes the most likely character; 1 draws by the network's probabilities.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random draws.")
@home_option
def write(run: str, prompt: str, length: int, temperature: float, seed: int, home: Path) -> None:
    """Write a text with a network that was trained on text.

    \b
    Example:
      netwise write @last --prompt "ROMEO:" --length 200
    """
    folder = find_run(run, home)
    from netwise.training.run import load  # heavy
    from netwise.training.text_generation import sample_text

    loaded = load(folder)
    _warn_if_diverged(loaded)
    echo_data(sample_text(loaded, prompt, length, temperature=temperature, seed=seed) + "\n")


@click.command()
@recipe_argument
@set_option("epochs=3")
@output_option
def script(recipe: Path, settings: Sequence[str], output: Path | None) -> None:
    """Write a recipe as a plain PyTorch script that needs no netwise.

    The script trains the same network to the same weights, bit for bit.

    \b
    Example:
      netwise script recipe.toml -o plain.py
    """
    if output is not None:
        require_new_file(output, SCRIPTS)
    written = recipe_with(recipe, settings)
    from netwise.recipe.script import to_script  # heavy

    text = to_script(written)
    if output is None:
        echo_data(text)
        return
    write_new_file(output, text)
    echo(f"Script: {output}. Run it: python {output}")

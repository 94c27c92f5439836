"""Commands that use a trained network or a recipe: predict, write, script."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
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
    trust_option,
)
from netwise.cli.output import SCRIPTS, echo_json, require_new_file
from netwise.cli.parsing import allow_own_code, as_number, own_network, recipe_with
from netwise.cli.run_names import find_run
from netwise.cli.terminal import echo, echo_data

if TYPE_CHECKING:
    from netwise.training.run import Run


@click.command()
@run_argument
@click.argument("file", metavar="FILE.csv", type=click.Path(path_type=Path))
@output_option
@trust_option
@home_option
@json_option
def predict(
    run: str, file: Path, output: Path | None, trust_own: bool, home: Path, as_json: bool
) -> None:
    """Predict the rows of a CSV file with the network of RUN.

    The file needs the columns of the training data, without the target. The output has one line
    per row, in their order: the predicted class and its probability, or the predicted number. A row
    of empty cells is a row too.

    \b
    Examples:
      netwise predict @best new.csv
      netwise predict @last new.csv -o predictions.csv
    """
    folder = find_run(run, home)
    from netwise.data.columns.table_encoder import TableEncoder  # heavy
    from netwise.data.csv_file import read_table
    from netwise.storage.run_folder import RunFolder
    from netwise.tasks import task_named
    from netwise.training.run import load

    recipe = allow_own_code(RunFolder.open(folder).recipe(), trust_own)
    loaded = load(folder, own_network(recipe))
    _warn_if_diverged(loaded)
    columns = read_table(file, keep_empty=True)
    inputs: Any = columns
    encoder = loaded.pipeline.encoder
    if not isinstance(encoder, TableEncoder):
        allowed = getattr(encoder, "missing", False)
        inputs = [
            [as_number(cell, file, row, allowed) for cell in cells]
            for row, cells in enumerate(zip(*columns.values(), strict=True), start=1)
        ]
    predictions = loaded.predict(inputs).tolist()
    probabilities = None
    if task_named(loaded.pipeline.task).has_classes:
        probabilities = loaded.predict_proba(inputs).tolist()
    if as_json:
        classes = list(loaded.pipeline.classes)
        echo_json({"predictions": predictions, "classes": classes, "probabilities": probabilities})
        return
    text = predictions_csv(predictions, probabilities)
    if output is None:
        echo_data(text)
        return
    write_new_file(output, text)
    echo(f"{len(predictions)} predictions in {output}")


def _warn_if_diverged(run: Run) -> None:
    """Say so where answers come from a network whose training diverged."""
    if run.history.ended.how == "diverged":
        echo(f"Warning: {run.history.ended.sentence} The answers are of these.", err=True)


def predictions_csv(
    predictions: Sequence[Any], probabilities: Sequence[Sequence[float]] | None
) -> str:
    """Predictions as CSV: a class and its probability, a number, or the outputs of an autoencoder
    or memory, one column each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if probabilities is not None:
        writer.writerow(["prediction", "probability"])
        for prediction, shares in zip(predictions, probabilities, strict=True):
            writer.writerow([prediction, f"{max(shares):.4f}"])
    elif predictions and isinstance(predictions[0], list):
        writer.writerow([f"output_{i + 1}" for i in range(len(predictions[0]))])
        writer.writerows(predictions)
    else:
        writer.writerow(["prediction"])
        writer.writerows([prediction] for prediction in predictions)
    return text.getvalue()


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

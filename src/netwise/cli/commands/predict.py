"""Commands that use what was trained or written down: predict, write, script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.cli.group import home_option, json_option, main, trust_option
from netwise.cli.output import SCRIPTS, echo_json, never_over
from netwise.cli.parsing import as_number, changed, find_run, own_network
from netwise.errors import DataError

if TYPE_CHECKING:
    pass


@main.command()
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write here instead of to stdout; never over an existing file.",
)
@trust_option
@home_option
@json_option
def predict(
    run: str, file: Path, output: Path | None, trust_own: bool, home: Path, as_json: bool
) -> None:
    """Answer the rows of a CSV file with the network of RUN."""
    from netwise.data.csv_file import read_table
    from netwise.data.encoding import TableEncoder
    from netwise.storage.run_folder import RunFolder
    from netwise.tasks import CLASSIFICATION
    from netwise.training.run import load

    folder = find_run(run, home)
    loaded = load(folder, own_network(RunFolder.open(folder).recipe(), trust_own))
    cells = read_table(file)
    if isinstance(loaded.pipeline.encoder, TableEncoder):
        raw: Any = cells
    else:
        raw = [[as_number(cell, file) for cell in row] for row in zip(*cells.values(), strict=True)]
    answers = loaded.predict(raw).tolist()
    shares = loaded.predict_proba(raw) if loaded.pipeline.task == CLASSIFICATION else None
    if as_json:
        echo_json(
            {
                "predictions": answers,
                "classes": list(loaded.pipeline.classes),
                "probabilities": None if shares is None else shares.tolist(),
            }
        )
        return
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    first = answers[0] if answers else 0.0
    names = (
        [f"given_back_{i + 1}" for i in range(len(first))]
        if isinstance(first, list)
        else ["prediction"]
    )
    writer.writerow(names if shares is None else ["prediction", "probability"])
    for i, answer in enumerate(answers):
        writer.writerow(
            (answer if isinstance(answer, list) else [answer])
            if shares is None
            else [answer, f"{shares[i].max():.4f}"]
        )
    if output is None:
        click.echo(text.getvalue(), nl=False)
        return
    try:
        with open(output, "x", encoding="utf-8") as written:
            written.write(text.getvalue())
    except OSError as error:
        raise DataError(f"{output} was not written: {error.strerror}") from None
    click.echo(f"{len(answers)} predictions in {output}")


@main.command()
@click.argument("run")
@click.option("--prompt", default="\n", help="How the text begins.")
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
    help="0 takes the likeliest character each time.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draws.")
@home_option
def write(run: str, prompt: str, length: int, temperature: float, seed: int, home: Path) -> None:
    """Let a network that has learned a text write one."""
    from netwise.training.run import load
    from netwise.training.text_generation import sample_text

    click.echo(
        sample_text(load(find_run(run, home)), prompt, length, temperature=temperature, seed=seed)
    )


@main.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field, such as epochs=3.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write here instead of to stdout; never over an existing file.",
)
def script(recipe: Path, settings: Sequence[str], output: Path | None) -> None:
    """RECIPE as a plain PyTorch script, without netwise, that gives the same weights."""
    from netwise.recipe.reader import read_recipe
    from netwise.recipe.script import to_script

    text = to_script(changed(read_recipe(recipe), settings))
    if output is None:
        click.echo(text, nl=False)
        return
    never_over(output, SCRIPTS)
    output.write_text(text, "utf-8")
    click.echo(f"Written to {output}. Run it with: python {output}")

"""The commands `validate` and `curve`: how a recipe does on other splits and with more samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from netwise.cli.options import (
    data_options,
    jobs_option,
    json_option,
    metric_option,
    picture_option,
    set_option,
    trust_option,
    with_metric,
)
from netwise.cli.output import PICTURES, echo_json, require_new_file
from netwise.cli.parsing import allow_own_code, parse_whole_numbers, recipe_for
from netwise.cli.terminal import echo

source_argument = click.argument("source", metavar="SOURCE")
target_option = click.option("--target", metavar="COLUMN", help="Column of a table to predict.")


@click.command()
@source_argument
@target_option
@click.option(
    "--folds", type=click.IntRange(2), default=5, show_default=True, help="Number of folds."
)
@click.option(
    "--repeats",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of times the samples are split into folds.",
)
@set_option("optimizer.lr=0.01")
@data_options
@jobs_option
@metric_option
@trust_option
@json_option
def validate(
    source: str,
    target: str | None,
    folds: int,
    repeats: int,
    settings: Sequence[str],
    reading: Mapping[str, Any],
    pictures: Mapping[str, Any],
    metric: str | None,
    jobs: int | None,
    trust_own: bool,
    as_json: bool,
) -> None:
    """Cross-validate SOURCE: RECIPE.toml, the name of a data set, FILE.csv with --target, or a
    folder of images.

    The test part is not used.

    \b
    Examples:
      netwise validate iris
      netwise validate pets.csv --target pet
      netwise validate recipe.toml --folds 10 --repeats 3
    """
    described = recipe_for(
        source,
        target=target,
        settings=with_metric(settings, metric),
        reading=reading,
        pictures=pictures,
    )
    recipe = allow_own_code(described, trust_own)
    from netwise.cli.display import show_progress  # heavy
    from netwise.scoring.metrics import own_interval, own_value
    from netwise.searches.validation import cross_validate

    with show_progress():
        result = cross_validate(recipe, folds=folds, repeats=repeats, jobs=jobs)
    if as_json:
        echo_json(asdict(result))
        return
    for i, value in enumerate(result.values):
        repeat = f", repeat {i // folds + 1} of {repeats}" if repeats > 1 else ""
        own = own_value(recipe.metric, value)
        echo(f"fold {i % folds + 1} of {folds}{repeat}  {own:.4f}")
    low, high = own_interval(recipe.metric, result.low, result.high)
    mean = own_value(recipe.metric, result.mean)
    echo(f"Mean {mean:.4f} (95 % interval {low:.4f} to {high:.4f}).")


@click.command()
@source_argument
@target_option
@click.option(
    "--rows",
    help="Numbers of training samples, such as 100,1000.  "
    "[default: five from a sixteenth to all of them]",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 50),
    default=3,
    show_default=True,
    help="Runs per number of samples.",
)
@set_option("epochs=5")
@data_options
@picture_option("the curve")
@jobs_option
@metric_option
@trust_option
@json_option
def curve(
    source: str,
    target: str | None,
    rows: str | None,
    seeds: int,
    settings: Sequence[str],
    reading: Mapping[str, Any],
    pictures: Mapping[str, Any],
    picture: Path | None,
    metric: str | None,
    jobs: int | None,
    trust_own: bool,
    as_json: bool,
) -> None:
    """Learning curve of SOURCE over the number of samples: would more data help?

    SOURCE is RECIPE.toml, the name of a data set, FILE.csv with --target, or a folder of images.

    \b
    Example:
      netwise curve digits --rows 100,300,1000 --picture curve.png
    """
    counts = parse_whole_numbers("--rows", rows, ",", "100,1000") if rows else []
    if picture is not None:
        require_new_file(picture, PICTURES)
    described = recipe_for(
        source,
        target=target,
        settings=with_metric(settings, metric),
        reading=reading,
        pictures=pictures,
    )
    recipe = allow_own_code(described, trust_own)
    from netwise.cli.display import show_progress  # heavy
    from netwise.scoring.metrics import own_value
    from netwise.searches.validation import learning_curve

    with show_progress():
        result = learning_curve(recipe, counts, seeds=range(seeds), jobs=jobs)
    if picture is not None:
        from netwise.report.pictures.search_plots import plot_learning_curve

        plot_learning_curve(result, picture)
    if as_json:
        echo_json({**asdict(result), "gap": result.gap})
        return
    echo(f"{'samples':>9}  {'train':>8}  {'valid':>8}")
    for count, train, valid in zip(result.rows, result.train, result.valid, strict=True):
        own = [own_value(result.metric, fmean(values)) for values in (train, valid)]
        echo(f"{count:>9}  {own[0]:>8.4f}  {own[1]:>8.4f}")
    if result.gap == "wide":
        echo(
            "More data would help: the network does much better on its training samples than on "
            "new ones."
        )
    else:
        echo(
            "More data of this kind would help little: the network does about as well on new "
            "samples as on its training samples. Try a larger network."
        )

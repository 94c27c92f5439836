"""Commands for the time before training: anatomy, start, rate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netwise.cli.group import json_option, main, trust_option
from netwise.cli.output import PICTURES, echo_json, never_over
from netwise.cli.parsing import changed, network_for, own_network

if TYPE_CHECKING:
    pass


@main.command()
@click.argument("network")
@click.option(
    "--image",
    metavar="SHAPE",
    help="Of one input, such as 3x224x224.  [default: the network's own, or the recipe's data]",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field of the network, such as depth=50.",
)
@click.option(
    "--picture", type=click.Path(path_type=Path), help="Draw the layers as bars, as .png or .svg."
)
@trust_option
@json_option
def anatomy(
    network: str,
    image: str | None,
    settings: Sequence[str],
    picture: Path | None,
    trust_own: bool,
    as_json: bool,
) -> None:
    """The table of NETWORK's layers (a name such as ResNet, or RECIPE.toml): shapes, parameters,
    work, memory, fields."""
    from netwise.observe.anatomy import anatomy_as_dict, describe

    built, shape = network_for(network, settings, trust_own)
    if image is not None:
        try:
            shape = tuple(int(side) for side in image.lower().split("x"))
        except ValueError:
            raise click.UsageError(
                f"--image {image}: write sides with x between, such as 3x224x224"
            ) from None
        if not shape or min(shape) < 1:
            raise click.UsageError(f"--image {image}: sides are at least 1, such as 3x224x224")
        if (
            len(shape) == 3
            and hasattr(built, "image")
            and not any(setting.startswith("image") for setting in settings)
        ):
            built = built.but(image=shape)
    if shape is None:
        raise click.UsageError(
            f"--image: {network} takes inputs of any shape; say which, such as --image 64"
        )
    told = describe(built, shape)
    if picture is not None:
        from netwise.report.pictures.anatomy_plots import plot_anatomy

        never_over(picture, PICTURES)
        plot_anatomy(told, picture)
    if as_json:
        echo_json(anatomy_as_dict(told))
    else:
        click.echo(str(told))


@main.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field, such as init.kind=He.",
)
@trust_option
@json_option
def start(recipe: Path, settings: Sequence[str], trust_own: bool, as_json: bool) -> None:
    """What the start of a recipe does before training: spread of every layer's weights, outputs and
    gradients on one batch."""
    from netwise.recipe.reader import read_recipe
    from netwise.training.initial_state import initial_state_table, measure_initial_state

    read = changed(read_recipe(recipe), settings)
    own_network(read, trust_own)
    rows = measure_initial_state(read)
    if as_json:
        echo_json([vars(row) for row in rows])
    else:
        click.echo(initial_state_table(rows))


@main.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field, such as batch_size=32.",
)
@click.option(
    "--start",
    "first",
    type=float,
    default=0.01,
    show_default=True,
    help="Where the ladder of tens begins.",
)
@trust_option
@json_option
def rate(
    recipe: Path, settings: Sequence[str], first: float, trust_own: bool, as_json: bool
) -> None:
    """A learning rate for a recipe by the threshold rule: the order of magnitude, the threshold,
    half of it."""
    from dataclasses import asdict

    from netwise.recipe.reader import read_recipe
    from netwise.treatment.learning_rate import rate_threshold

    if not first > 0:
        raise click.UsageError(f"--start {first}: a rate is above 0, such as 0.01")
    read = changed(read_recipe(recipe), settings)
    own_network(read, trust_own)
    found = rate_threshold(read, start=first)
    if as_json:
        echo_json(None if found is None else asdict(found))
        return
    if found is None:
        click.echo(
            "The loss falls at no rate: the fault is not the rate. Ask: netwise train, then netwise diagnose."
        )
        return
    for tried, fell in found.tried:
        click.echo(f"{tried:<10g} {'falls' if fell else 'does not fall'}")
    click.echo(
        f"Order of magnitude {found.order:g}, threshold {found.threshold:g}; use half of it: --set optimizer.lr={found.rate:g}"
    )

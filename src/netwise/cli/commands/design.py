"""Commands for the time before training: check, anatomy, start, rate."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from netwise.cli.group import USAGE
from netwise.cli.options import (
    jobs_option,
    json_option,
    picture_option,
    recipe_argument,
    set_option,
    trust_option,
)
from netwise.cli.output import PICTURES, echo_json, echo_table, network_table, require_new_file
from netwise.cli.parsing import allow_own_code, network_for, parse_whole_numbers, recipe_with
from netwise.cli.terminal import echo


class _CheckCommand(click.Command):
    """Options after a script are the script's own; those after a recipe are of the command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        takes_value = ("--set", "--steps")
        words = [
            arg
            for before, arg in zip(["", *args], args, strict=False)
            if not arg.startswith("-") and before not in takes_value
        ]
        is_script = "-m" in args or (words[:1] and words[0].endswith(".py"))
        ctx.allow_interspersed_args = not is_script
        return super().parse_args(ctx, args)


@click.command(cls=_CheckCommand)
@click.argument("what", metavar="RECIPE.toml|SCRIPT.py")
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--why", is_flag=True, help="Print the reason for every default of a recipe.")
@set_option("optimizer.lr=0.01")
@click.option("-m", "as_module", is_flag=True, help="Check a module, as with python -m.")
@click.option(
    "--steps", type=click.IntRange(1), default=3, show_default=True, help="Of a script, to run."
)
@json_option
def check(
    what: str,
    arguments: tuple[str, ...],
    why: bool,
    settings: Sequence[str],
    as_module: bool,
    steps: int,
    as_json: bool,
) -> None:
    """Check a recipe, or the first training steps of a script of your own.

    A script runs up to the end of its third training step, with all that it does before, and is
    then stopped; what it has trained is not saved. The exit code is 1 where a cause was found.

    \b
    Examples:
      netwise check recipe.toml --why
      netwise check recipe.toml --set network.output=Softmax
      netwise check train.py --epochs 3
      netwise check -m package.train
    """
    if as_module or what.endswith(".py"):
        sys.exit(_check_script(what, arguments, as_module, steps, as_json))
    if arguments:
        raise click.UsageError(
            f"a recipe takes no arguments, and {' '.join(arguments)!r} was given. "
            "Write --set FIELD=VALUE to change a field of it."
        )
    _check_recipe(Path(what), why, settings, as_json)


def _check_script(
    program: str, arguments: Sequence[str], as_module: bool, steps: int, as_json: bool
) -> int:
    """Check the first steps of a script and print what they show; the exit code."""
    from netwise.watching.first_steps import check_program

    with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):
        checked = check_program(program, arguments, as_module=as_module, steps=steps)
        sys.stdout.flush()
    title = program if as_module else Path(program).name
    ended = checked.end.exit_code if checked.end is not None else 0
    if as_json:
        reports = {name: report.as_dict() for name, report in checked.reports.items()}
        problems = list(checked.problems)
        echo_json({"program": title, "models": reports, "exit_code": ended, "problems": problems})
    else:
        for name, report in checked.reports.items():
            done = checked.histories[name].ended.step
            echo(f"\nnetwise: {name}, after {done} step{'s' * (done != 1)} of {title}.")
            echo(str(report))
        for problem in checked.problems:
            echo(f"netwise: a part of netwise was switched off after an error: {problem}")
        if not checked.reports and not ended:
            echo(f"netwise: {title} ended without a training step. Nothing was checked.")
    grades = {each.grade for report in checked.reports.values() for each in report.found}
    return ended or int(bool(grades & {"cause", "proved"}))


def _check_recipe(recipe: Path, why: bool, settings: Sequence[str], as_json: bool) -> None:
    """Check a recipe, and print its problems and its network."""
    checked = recipe_with(recipe, settings)
    from netwise.errors import CANNOT_RUN
    from netwise.recipe.checks import check as check_recipe
    from netwise.recipe.prepared import prepare

    prepared = prepare(checked)
    problems = check_recipe(checked, prepared=prepared)
    fatal = [problem for problem in problems if problem.grade == CANNOT_RUN]
    table = None
    if not fatal and not checked.network.own_code:
        table = network_table(checked, prepared.samples.shape)
    if as_json:
        problem_rows = [vars(problem) for problem in problems]
        echo_json({"hash": checked.hash, "problems": problem_rows, "network": table})
    else:
        for problem in problems:
            echo(f"{problem.grade}: {problem}")
        if table:
            echo(table)
        if not problems:
            echo(f"No problems. Train it: netwise train {recipe}")
        if why:
            for line in _default_reasons(checked, ""):
                echo(line)
    if fatal:
        sys.exit(USAGE)


def _default_reasons(part: Any, prefix: str) -> list[str]:
    """Every field of a part with its value and, where it is the default, the reason for it."""
    from netwise.part import Part, field_rule  # heavy

    lines = []
    for field in dataclasses.fields(part):
        value, rule = getattr(part, field.name), field_rule(field)
        reason = rule.why if rule is not None and value == field.default else ""
        if isinstance(value, Part):
            why = f"   default: {reason}" if reason else ""
            lines.append(f"{prefix}{field.name} = {type(value).__name__}{why}")
            lines += _default_reasons(value, f"{prefix}{field.name}.")
        elif rule is not None:
            why = f"   default: {reason}" if reason else ""
            lines.append(f"{prefix}{field.name} = {value}{why}")
    return lines


@click.command()
@click.argument("network")
@click.option(
    "--image",
    metavar="SHAPE",
    help="Shape of one input, such as 3x224x224.  [default: from the network or the recipe's data]",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field of the network, such as depth=50. May be repeated.",
)
@picture_option("the layers as bars")
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
    """Print the layers of a network: shapes, parameters, work, memory.

    NETWORK is the name of a network such as ResNet, or RECIPE.toml. Nothing is trained.

    \b
    Examples:
      netwise anatomy LeNet5
      netwise anatomy ResNet --set depth=50 --picture layers.png
      netwise anatomy VGG --image 1x32x32 --set classes=10
    """
    given_shape = None
    if image is not None:
        given_shape = tuple(parse_whole_numbers("--image", image, "x", "3x224x224"))
    if picture is not None:
        require_new_file(picture, PICTURES)
    built, shape = network_for(network, settings, trust_own)
    if given_shape is not None:
        shape = given_shape
        is_image_set = any(setting.startswith("image") for setting in settings)
        if len(shape) == 3 and hasattr(built, "image") and not is_image_set:
            built = built.but(image=shape)
    if shape is None:
        raise click.UsageError(
            f"{network} takes inputs of any shape, so the table needs one. Write --image SHAPE, "
            "such as --image 64 or --image 3x32x32."
        )
    from netwise.observe.anatomy import anatomy_as_dict, describe  # heavy

    table = describe(built, shape)
    if picture is not None:
        from netwise.report.pictures.anatomy_plots import plot_anatomy

        plot_anatomy(table, picture)
    if as_json:
        echo_json(anatomy_as_dict(table))
    else:
        echo(str(table))


@click.command()
@recipe_argument
@set_option("init.kind=He")
@trust_option
@json_option
def start(recipe: Path, settings: Sequence[str], trust_own: bool, as_json: bool) -> None:
    """Measure weights, outputs and gradients of each layer before training.

    One batch goes through the initial network. Values that shrink or grow from layer to layer
    will vanish or explode.

    \b
    Example:
      netwise start recipe.toml --set init.kind=He
    """
    started = allow_own_code(recipe_with(recipe, settings), trust_own)
    from netwise.training.initial_state import initial_state_table, measure_initial_state  # heavy

    rows = measure_initial_state(started)
    if as_json:
        echo_json([vars(row) for row in rows])
    else:
        echo(initial_state_table(rows))


@click.command()
@recipe_argument
@set_option("batch_size=32")
@click.option(
    "--start",
    "first",
    type=float,
    default=0.01,
    show_default=True,
    help="First learning rate to try; the next ones are ten times larger or smaller.",
)
@click.option(
    "--range",
    "as_range",
    is_flag=True,
    help="One run with a rate that rises with each step, from 1e-6 to 10, instead.",
)
@picture_option("the loss over the rate (with --range)")
@trust_option
@json_option
def rate(
    recipe: Path,
    settings: Sequence[str],
    first: float,
    as_range: bool,
    picture: Path | None,
    trust_own: bool,
    as_json: bool,
) -> None:
    """Find a learning rate: half of the largest one at which the loss still falls.

    With --range, the learning-rate range test: the loss over a rate that rises with each step.

    \b
    Examples:
      netwise rate recipe.toml --set batch_size=32
      netwise rate recipe.toml --range --picture range.png
    """
    if as_range:
        _rate_range(recipe, settings, picture, trust_own, as_json)
        return
    if picture is not None:
        raise click.UsageError(
            f"--picture {picture}: the curve is that of the range test. Write --range --picture "
            f"{picture}."
        )
    if not first > 0:
        raise click.UsageError(
            f"--start {first}: a learning rate has to be above 0. Write --start 0.01."
        )
    trained = allow_own_code(recipe_with(recipe, settings), trust_own)
    from netwise.treatment.learning_rate import rate_threshold  # heavy

    result = rate_threshold(trained, start=first)
    if as_json:
        echo_json(None if result is None else dataclasses.asdict(result))
        return
    if result is None:
        echo(
            "The loss falls at none of the rates tried, so the learning rate is not the cause. "
            f"Find the cause: netwise train {recipe}, then netwise diagnose @last"
        )
        return
    for tried_rate, falls in result.tried:
        echo(f"{tried_rate:<10g} {'loss falls' if falls else 'loss does not fall'}")
    echo(
        f"The loss falls up to a learning rate of {result.threshold:g} "
        f"(in powers of ten: {result.order:g}). "
        f"Use half of it: --set optimizer.lr={result.rate:g}"
    )


def _rate_range(
    recipe: Path, settings: Sequence[str], picture: Path | None, trust_own: bool, as_json: bool
) -> None:
    """Print what a learning-rate range test shows, and draw its curve."""
    if picture is not None:
        require_new_file(picture, PICTURES)
    tested = allow_own_code(recipe_with(recipe, settings), trust_own)
    from netwise.treatment.range_test import rate_range  # heavy

    result = rate_range(tested)
    if picture is not None:
        from netwise.report.pictures.rate_plots import plot_rate_range

        plot_rate_range(result, picture)
    if as_json:
        echo_json(dataclasses.asdict(result))
        return
    echo(result.sentence)
    if result.steepest is not None:
        echo(f"Use it: --set optimizer.lr={result.steepest:.2g}")
    if picture is not None:
        echo(f"Curve: {picture}")


@click.command()
@recipe_argument
@set_option("network.widths=[64,8,10]")
@click.option(
    "--rows", help="Numbers of training samples, such as 50,400.  [default: 1/32, 1/8 and all]"
)
@jobs_option
@trust_option
@json_option
def capacity(
    recipe: Path,
    settings: Sequence[str],
    rows: str | None,
    jobs: int | None,
    trust_own: bool,
    as_json: bool,
) -> None:
    """Test whether a network is too small: does it fit few samples, and as well all of them?

    \b
    Examples:
      netwise capacity recipe.toml
      netwise capacity recipe.toml --rows 50,1000
    """
    numbers = () if rows is None else parse_whole_numbers("--rows", rows, ",", "50,400")
    tested = allow_own_code(recipe_with(recipe, settings), trust_own)
    from netwise.treatment.fitted_rows import capacity_test  # heavy

    result = capacity_test(tested, numbers, jobs=jobs)
    if as_json:
        echo_json(dataclasses.asdict(result))
        return
    for count, left, accuracy in zip(result.rows, result.left, result.accuracies, strict=True):
        right = "" if math.isnan(accuracy) else f", accuracy {100 * accuracy:.1f} %"
        echo(f"{count:>8,} samples: {100 * left:5.1f} % of the loss of guessing left{right}")
    echo(result.sentence)


@click.command()
@recipe_argument
@set_option("network.layers=8")
@jobs_option
@trust_option
@json_option
def depth(
    recipe: Path, settings: Sequence[str], jobs: int | None, trust_own: bool, as_json: bool
) -> None:
    """Compare a network with a deeper and a wider one of as many parameters.

    Beside them a shallower one of equal widths is trained: where it fits the training data better,
    depth does harm.

    \b
    Example:
      netwise depth recipe.toml
    """
    compared = allow_own_code(recipe_with(recipe, settings), trust_own)
    from netwise.diagnosis import Finding
    from netwise.diagnosis.rules.degradation import degradation
    from netwise.history import History, RunFacts
    from netwise.treatment.depth import compare_depth  # heavy

    result = compare_depth(compared, jobs=jobs)
    found = degradation(History({}, facts=RunFacts(shallower=result.twin)))
    if as_json:
        finding = found.sentence if isinstance(found, Finding) else None
        echo_json({**dataclasses.asdict(result), "degradation": finding})
        return
    rows = [("network", "layers", "parameters", "train loss", "validation goal")]
    for arm in result.arms:
        losses, goals = (sum(values) / len(values) for values in (arm.train_losses, arm.goals))
        numbers = (f"{arm.parameters:,}", f"{losses:.4g}", f"{goals:.4g}")
        rows.append((arm.name, "-".join(map(str, arm.widths)), *numbers))
    echo_table(rows)
    echo(result.sentence)
    if isinstance(found, Finding):
        echo(f"Deeper and worse in training: {found.sentence}")

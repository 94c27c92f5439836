"""Commands that read runs: diagnose, runs, show. Most of them load no torch."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.cli.options import home_option, json_option, picture_option, run_argument
from netwise.cli.output import PICTURES, data_name, echo_json, echo_table, require_new_file
from netwise.cli.run_names import find_run
from netwise.cli.terminal import echo
from netwise.storage.layout import REPORT, is_search

if TYPE_CHECKING:
    from netwise.history import History, TrialSource
    from netwise.storage.run_folder import RunFolder

ACTIVATIONS = "activations"  # `netwise show activations`
PENALTIES = "penalties"  # `netwise show penalties`


@click.command()
@run_argument
@click.option(
    "--all", "everything", is_flag=True, help="Print explanations, and every rule and reason."
)
@click.option(
    "--try",
    "tries",
    is_flag=True,
    help="Decide by short trials what the signals leave open; for runs of recipes.",
)
@home_option
@json_option
def diagnose(run: str, everything: bool, tries: bool, home: Path, as_json: bool) -> None:
    """Print what is wrong with RUN: the evidence, and what to change.

    \b
    Examples:
      netwise diagnose @last
      netwise diagnose runs/digits-d8e7 --all
      netwise diagnose runs/digits-d8e7 --json
      netwise diagnose runs/digits-d8e7 --try
    """
    from netwise.diagnosis.report import diagnose as diagnose_history
    from netwise.storage.run_folder import load_history

    folder = find_run(run, home)
    history = load_history(folder)
    if tries:
        history = history.but(trials=_trials(folder, is_program=not history.made_by.recipe))
    report = diagnose_history(history, trials=tries)
    if as_json:
        echo_json(report.as_dict())
    else:
        echo(report.details if everything else str(report))


def _trials(folder: Path, *, is_program: bool) -> TrialSource | None:
    """What short trials of a saved run are run with."""
    if is_program:
        raise click.UsageError(
            f"--try {folder}: the program that was observed is not in memory any more. "
            "Run it again: netwise watch --try SCRIPT"
        )
    from netwise.training.fit import with_trials  # heavy
    from netwise.training.run import load

    return with_trials(load(folder)).trial_source


@click.command()
@home_option
@json_option
def runs(home: Path, as_json: bool) -> None:
    """List the runs and searches, the newest last. Damaged ones are listed with the reason.

    \b
    Examples:
      netwise runs
      netwise runs --runs elsewhere --json
    """
    from netwise.storage.index import list_runs

    entries = list_runs(home)
    if as_json:
        echo_json([asdict(entry) for entry in entries])
        return
    if not entries:
        echo(f"{home} holds no runs yet. Train one: netwise train digits")
        return
    rows = [
        (Path(entry.folder).name, entry.data, entry.network, entry.ended, _short_score(entry.score))
        for entry in entries
    ]
    echo_table([("run", "data", "network", "ended", "test score"), *rows])
    for entry in entries:
        if entry.reason:
            echo(f"{Path(entry.folder).name}: {entry.reason}")


def _short_score(score: str) -> str:
    """A score without its interval."""
    return score.split(" (")[0]


@click.command()
@run_argument
@click.option("--open", "in_browser", is_flag=True, help="Open the report in a browser.")
@picture_option("what `show activations` or `show penalties` prints")
@click.option("--storage", metavar="URL", help="Storage of a search that has one of its own.")
@home_option
@json_option
def show(
    run: str, in_browser: bool, picture: Path | None, storage: str | None, home: Path, as_json: bool
) -> None:
    """Print a run or a search: its end, score, diagnosis and report, and what training did to the
    weights of each layer.

    `netwise show activations` prints a table of all activation functions instead, `netwise show
    penalties` what L1 and L2 do to a loss of one weight.

    \b
    Examples:
      netwise show @best --open
      netwise show @last --json
      netwise show activations --picture activations.png
    """
    if run in (ACTIVATIONS, PENALTIES):
        shown = _show_activations if run == ACTIVATIONS else _show_penalties
        shown(picture, as_json)
        return
    if picture is not None:
        raise click.UsageError(
            f"--picture {picture}: only `netwise show {ACTIVATIONS}` and `netwise show "
            f"{PENALTIES}` draw a picture. "
            f"The pictures of a run are in its report: netwise show {run} --open"
        )
    folder = find_run(run, home, searches=True)
    if is_search(folder):
        _show_search(folder, storage, in_browser, as_json)
        return
    from netwise.storage.run_folder import RunFolder

    _show_run(RunFolder.open(folder), in_browser, as_json)


def _show_run(store: RunFolder, in_browser: bool, as_json: bool) -> None:
    """Print one run, from its files alone."""
    from netwise.diagnosis.layer_changes import CHANGES_HEAD, CHANGES_MEANING, layer_changes
    from netwise.diagnosis.report import diagnose as diagnose_history
    from netwise.history import history_as_dict

    history, recipe = store.history(), store.plain_recipe()
    changes = layer_changes(history)
    diagnosis, page, score = diagnose_history(history), store.path / REPORT, store.score()
    if store.is_program and in_browser:
        from netwise.report.program_page import write_program_report  # heavy

        write_program_report(store.path)
    if as_json:
        series = [
            {
                "signal": signal,
                "layer": layer,
                "steps": list(each.steps),
                "values": list(each.values),
            }
            for (signal, layer), each in history.series.items()
        ]
        echo_json(
            {
                "folder": str(store.path),
                "report": str(page) if page.is_file() else None,
                **history_as_dict(history),
                "score": score,
                "recipe": recipe,
                **({"program": store.program()} if store.is_program else {}),
                "diagnosis": diagnosis.as_dict(),
                "layer_changes": [asdict(change) for change in changes],
                "series": series,
            }
        )
        return
    echo(_run_title(store, recipe, history))
    echo(history.ended.sentence)
    if score:
        echo(f"Test {score['sentence']}.")
    echo(str(diagnosis))
    if changes:
        echo("What training did to the weights of each layer:")
        echo_table([CHANGES_HEAD, *(change.cells() for change in changes)])
        for meaning in CHANGES_MEANING:
            echo(f"    {meaning}")
    if page.is_file():
        echo(f"Report: {page}")
        if in_browser:
            click.launch(str(page))
    elif in_browser:
        echo(
            f"There is no report yet, because the run has not ended. "
            f"Continue it: netwise train --resume {store.path}",
            err=True,
        )


def _run_title(store: RunFolder, recipe: dict[str, Any], history: History) -> str:
    """The first line about a run: its network and data, or its module and program."""
    if store.is_program:
        from netwise.storage.run_folder import program_title

        program = store.program()
        return f"{store.path.name}: {program.get('model') or '?'}, {program_title(program)}"
    network = recipe.get("network")
    kind = network.get("kind") if isinstance(network, dict) else network
    title = f"{store.path.name}: {kind} on {data_name(recipe)}"
    return f"{title}, recipe {history.made_by.recipe}"


def _show_search(folder: Path, storage: str | None, in_browser: bool, as_json: bool) -> None:
    """Print a search, complete or running. Its page is written again only to be opened: a folder
    of somebody else is read and not changed."""
    from netwise.cli.commands.search import print_search
    from netwise.searches.result import load_search  # heavy

    result, page = load_search(folder, storage=storage), folder / REPORT
    if in_browser:
        from netwise.report.search_page import write_search_report  # heavy

        write_search_report(result, page)
    print_search(result, page if page.is_file() else None, as_json)
    if in_browser:
        click.launch(str(page))


def _show_activations(picture: Path | None, as_json: bool) -> None:
    """Print the table of activation functions, and draw them."""
    if picture is not None:
        require_new_file(picture, PICTURES)
    from netwise.parts.activations import activation_properties  # heavy
    from netwise.report.pictures.activation_plots import (
        activation_table,
        elementwise_activations,
        plot_activations,
    )

    if picture is not None:
        plot_activations(picture)
    if as_json:
        echo_json([asdict(activation_properties(each)) for each in elementwise_activations()])
    else:
        echo(activation_table())


def _show_penalties(picture: Path | None, as_json: bool) -> None:
    """Print where a loss of one weight is lowest with L1 and with L2, and draw it."""
    if picture is not None:
        require_new_file(picture, PICTURES)
    from netwise.report.pictures.penalty_plots import penalty_minima, plot_penalties  # heavy

    if picture is not None:
        plot_penalties(picture)
    weights = (0.3, 1.0, 3.0)
    minima = {best: penalty_minima(best) for best in weights}
    if as_json:
        echo_json([{"best": best, **asdict(each)} for best in weights for each in minima[best]])
        return
    heads = ("best weight", "with L2 (0.5)", "with L1 (0.5)")
    rows = [tuple(f"{each.weight:.3g}" for each in minima[best]) for best in weights]
    echo_table([heads, *rows])
    echo("L2 shrinks each weight by a factor; L1 takes the same from each: small ones become 0.")


@click.command()
@run_argument
@click.option(
    "--size",
    type=click.FloatRange(0, min_open=True),
    default=0.1,
    show_default=True,
    help="Of the changes, relative to the weights of a layer.",
)
@home_option
@json_option
def sensitivity(run: str, size: float, home: Path, as_json: bool) -> None:
    """Measure how much the loss of RUN depends on small changes of its weights.

    \b
    Example:
      netwise sensitivity @last --size 0.05
    """
    folder = find_run(run, home)
    from netwise.training.run import load  # heavy
    from netwise.training.weight_sensitivity import weight_sensitivity

    result = weight_sensitivity(load(folder), size=size)
    if as_json:
        echo_json(asdict(result))
        return
    rows = [("weights changed", "loss", "rise", "other answers")]
    for each in result.layers:
        share = each.changed_answers
        answers = "" if math.isnan(share) else f"{100 * share:.1f} %"
        rows.append((each.layer, f"{each.loss:.4g}", f"{100 * each.rise:+.1f} %", answers))
    echo_table(rows)
    echo(
        f"Noise of {100 * size:g} % of each layer's weights; the loss without it is "
        f"{result.loss:.4g}. A small rise means a flat minimum."
    )


@click.command()
@run_argument
@click.option(
    "--picture", type=click.Path(path_type=Path), required=True, help="A new .png or .svg file."
)
@click.option(
    "--layers", "as_layers", is_flag=True, help="Draw instead where each layer takes the plane."
)
@home_option
def plane(run: str, picture: Path, as_layers: bool, home: Path) -> None:
    """Draw a network of two inputs in their plane: its answers, and its first layer's units.

    The lines are those on which units of the first layer switch; red ones are of units that no
    sample activates.

    \b
    Examples:
      netwise plane @last --picture regions.png
      netwise plane @last --layers --picture layers.png
    """
    require_new_file(picture, PICTURES)
    folder = find_run(run, home)
    from netwise.recipe.prepared import prepare
    from netwise.report.pictures.plane_plots import plot_plane  # heavy
    from netwise.report.pictures.transform_plots import plot_transforms
    from netwise.training.run import load

    loaded = load(folder)
    samples = prepare(loaded.recipe).samples.unmarked()
    x, y = samples.train.x, samples.train.y
    if x.dim() != 2 or x.shape[1] != 2 or y.dim() != 1:
        raise click.UsageError(
            f"{run}: only classes of two inputs can be drawn in a plane, and a sample of these "
            f"data has the shape {tuple(samples.shape)}. Train on a table with two columns of "
            "inputs and one of classes."
        )
    draw = plot_transforms if as_layers else plot_plane
    draw(loaded.module, x, y.long(), picture)
    echo(f"Picture: {picture}")

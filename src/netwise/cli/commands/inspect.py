"""Commands that read runs: diagnose, runs, show. Most of them load no torch."""

from __future__ import annotations

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
@picture_option("the activations (of `show activations`)")
@click.option("--storage", metavar="URL", help="Storage of a search that has one of its own.")
@home_option
@json_option
def show(
    run: str, in_browser: bool, picture: Path | None, storage: str | None, home: Path, as_json: bool
) -> None:
    """Print a run or a search: its end, score, diagnosis and report.

    `netwise show activations` prints a table of all activation functions instead.

    \b
    Examples:
      netwise show @best --open
      netwise show @last --json
      netwise show activations --picture activations.png
    """
    if run == ACTIVATIONS:
        _show_activations(picture, as_json)
        return
    if picture is not None:
        raise click.UsageError(
            f"--picture {picture}: only `netwise show {ACTIVATIONS}` draws a picture. "
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
    from netwise.diagnosis.report import diagnose as diagnose_history
    from netwise.history import history_as_dict

    history, recipe = store.history(), store.plain_recipe()
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
                "series": series,
            }
        )
        return
    echo(_run_title(store, recipe, history))
    echo(history.ended.sentence)
    if score:
        echo(f"Test {score['sentence']}.")
    echo(str(diagnosis))
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

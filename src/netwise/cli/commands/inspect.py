"""Commands that look at runs, recipes and labs: diagnose, runs, show, check, lab."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from netwise.cli.group import USAGE, home_option, json_option, main
from netwise.cli.output import PICTURES, echo_json, network_table, never_over
from netwise.cli.parsing import called, changed, find_run


@main.command()
@click.argument("run")
@home_option
@json_option
def diagnose(run: str, home: Path, as_json: bool) -> None:
    """Say what is wrong with RUN, with the evidence."""
    from netwise.diagnosis.report import diagnose as look, plain_report
    from netwise.storage.run_folder import load_history

    report = look(load_history(find_run(run, home)))
    if as_json:
        echo_json(plain_report(report))
    else:
        click.echo(str(report))


@main.command()
@home_option
@json_option
def runs(home: Path, as_json: bool) -> None:
    """List the runs, the newest last."""
    from netwise.storage.index import list_runs

    entries = list_runs(home)
    if as_json:
        echo_json([vars(entry) for entry in entries])
        return
    if not entries:
        click.echo(f"No runs in {home}. Begin with: netwise train digits")
        return
    rows = [
        ("run", "network", "ended", "test score"),
        *((Path(e.folder).name, e.network, e.ended, e.score.split(" (")[0]) for e in entries),
    ]
    wide = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        click.echo(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, wide, strict=True)).rstrip()
        )


@main.command()
@click.argument("run", metavar="RUN")
@click.option("--open", "opened", is_flag=True, help="Open the report in a browser.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    help="For `show activations`: draw them, as .png or .svg.",
)
@home_option
@json_option
def show(run: str, opened: bool, picture: Path | None, home: Path, as_json: bool) -> None:
    """Print what is known of RUN, or of a search, and where its report is; --open shows it. `show
    activations`: their table."""
    if run == "activations":
        show_activations(picture, as_json)
        return
    from netwise.storage.layout import SEARCH

    folder = find_run(run, home)
    if (folder / SEARCH).is_file():
        show_search(folder, opened, as_json)
        return
    from netwise.diagnosis.report import diagnose as look, plain_report
    from netwise.history import history_as_dict
    from netwise.recipe.plain import plain_of
    from netwise.storage.layout import REPORT
    from netwise.storage.run_folder import RunFolder, load_history

    store = RunFolder.open(folder)
    history, recipe = load_history(store.path), store.recipe()
    report, page, score = look(history), store.path / REPORT, store.about().get("score")
    if as_json:
        series = [
            {"signal": key[0], "layer": key[1], "steps": s.steps, "values": s.values}
            for key, s in history.series.items()
        ]
        where = {"folder": str(store.path), "report": str(page) if page.is_file() else None}
        echo_json(
            {
                **where,
                **history_as_dict(history),
                "score": score,
                "recipe": plain_of(recipe),
                "diagnosis": plain_report(report),
                "series": series,
            }
        )
        return
    click.echo(
        f"{store.path.name}: {type(recipe.network).__name__} on {called(recipe)}, recipe {history.made_by.recipe}"
    )
    click.echo(history.ended.sentence)
    if score:
        click.echo(f"Test {score['sentence']}.")
    click.echo(str(report))
    if page.is_file():
        click.echo(f"Report: {page}")
        if opened:
            click.launch(str(page))


def show_search(folder: Path, opened: bool, as_json: bool) -> None:
    """A search as it stands, with its page written anew."""
    from netwise.cli.commands.search import tell_search
    from netwise.report.search_page import write_search_report
    from netwise.searches.result import load_search
    from netwise.storage.layout import REPORT

    found = load_search(folder)
    page = write_search_report(found, folder / REPORT)
    tell_search(found, page, as_json)
    if opened:
        click.launch(str(page))


def show_activations(picture: Path | None, as_json: bool) -> None:
    from dataclasses import asdict

    from netwise.parts.activations import activation_properties
    from netwise.report.pictures.activation_plots import (
        activation_table,
        of_one_number,
        plot_activations,
    )

    if picture is not None:
        never_over(picture, PICTURES)
        plot_activations(picture)
    if as_json:
        echo_json([asdict(activation_properties(each)) for each in of_one_number()])
    else:
        click.echo(activation_table())


@main.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--why", is_flag=True, help="The reason for every default.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field, such as optimizer.lr=0.01.",
)
@json_option
def check(recipe: Path, why: bool, settings: Sequence[str], as_json: bool) -> None:
    """Look at a recipe before training: what cannot run, what will learn badly, and the table of
    its network."""
    from netwise.errors import CANNOT_RUN
    from netwise.networks import CustomNetwork
    from netwise.recipe.checks import check as look
    from netwise.recipe.prepared import prepare
    from netwise.recipe.reader import read_recipe

    read = changed(read_recipe(recipe), settings)
    prepared = prepare(read)
    problems = look(read, prepared=prepared)
    fatal = [problem for problem in problems if problem.grade == CANNOT_RUN]
    table = None
    if not fatal and not isinstance(read.network, CustomNetwork):
        table = network_table(read, prepared.samples.shape)
    if as_json:
        echo_json(
            {
                "hash": read.hash,
                "problems": [vars(problem) for problem in problems],
                "network": table,
            }
        )
    else:
        for problem in problems:
            click.echo(f"{problem.grade}: {problem}")
        if table:
            click.echo(table)
        if not problems:
            click.echo("Nothing is wrong with it.")
        if why:
            for line in _reasons(read, ""):
                click.echo(line)
    if fatal:
        sys.exit(USAGE)


def _reasons(part: Any, prefix: str) -> list[str]:
    """Every field with its value and the reason for its default."""
    import dataclasses

    from netwise.part import Part, field_rule

    lines = []
    for each in dataclasses.fields(part):
        value, rule = getattr(part, each.name), field_rule(each)
        if isinstance(value, Part):
            why = f"   {rule.why}" if rule and rule.why and value == each.default else ""
            lines.append(f"{prefix}{each.name} = {type(value).__name__}{why}")
            lines += _reasons(value, f"{prefix}{each.name}.")
        elif rule is not None:
            lines.append(
                f"{prefix}{each.name} = {value}"
                + (f"   default: {rule.why}" if rule.why and value == each.default else "")
            )
    return lines


@main.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Run all labs.")
@click.option("--record", "kept", is_flag=True, help="Keep the numbers beside the labs' code.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("labs"),
    show_default=True,
    help="Folder of the pages.",
)
@json_option
def lab(name: str | None, every: bool, kept: bool, output: Path, as_json: bool) -> None:
    """Run a claim of the notes again: NAME such as L01; without one, list them."""
    from netwise.labs.all_labs import LABS, lab as find
    from netwise.labs.lab_page import write_lab
    from netwise.labs.record import record, recorded

    if name is None and not every:
        if as_json:
            echo_json(
                [
                    {"name": each.name, "claim": each.claim, "recorded": recorded(each.name)}
                    for each in LABS
                ]
            )
            return
        for each in LABS:
            old = recorded(each.name)
            click.echo(
                f"{each.name}  {each.claim}"
                + (f"  [{old['verdict']}, {old['date']}]" if old else "")
            )
        return
    told = []
    for each in LABS if every else [find(name or "")]:
        outcome = each.run()
        output.mkdir(parents=True, exist_ok=True)
        page = write_lab(each, outcome, output / f"{each.name}.html")
        if kept:
            record(each, outcome)
        told.append({"name": each.name, "claim": each.claim, **outcome.plain(), "page": str(page)})
        if not as_json:
            click.echo(f"{each.name}: {outcome.verdict}. {each.claim}")
            for criterion in outcome.criteria:
                click.echo(
                    f"  {'holds ' if criterion.holds else 'FAILS '} {criterion.says} (seen: {criterion.seen:.4g})"
                )
            click.echo(f"Page: {page}")
    if as_json:
        echo_json(told if every else told[0])

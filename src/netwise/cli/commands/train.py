"""Commands that train: train, treat, demo."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.cli.group import (
    DIVERGED,
    INTERRUPTED,
    TERMINATED,
    home_option,
    json_option,
    main,
    trust_option,
)
from netwise.cli.output import echo_json, fresh_folder, network_table
from netwise.cli.parsing import find_run, own_network, recipe_for
from netwise.errors import NetwiseError

if TYPE_CHECKING:
    from netwise.history import RunEnd
    from netwise.recipe.prepared import Prepared
    from netwise.recipe.recipe import Recipe
    from netwise.training.run import Run


@main.command()
@click.argument("source", required=False)
@click.option("--target", help="Column of a CSV file to predict.")
@click.option(
    "--network",
    help="mlp, lenet5, convnet, resnet or lstm; for data, not for a recipe.  [default: lstm for texts, else mlp]",
)
@click.option(
    "--epochs",
    type=int,
    help="Passes over the training part.  [default: until validation stops improving, at most 100]",
)
@click.option("--seed", type=int, help="Of every random stream.  [default: 0]")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field, such as optimizer.lr=0.01.",
)
@click.option("--resume", "resumed", metavar="RUN", help="Go on with an interrupted run.")
@click.option(
    "--checkpoint-every",
    type=int,
    default=0,
    metavar="STEPS",
    help="Checkpoints besides those of epochs.",
)
@click.option("--device", default="cpu", show_default=True, help="Of torch.")
@click.option("--threads", type=int, help="Of a step.  [default: a fixed rule of its work]")
@trust_option
@home_option
@json_option
def train(
    source: str | None,
    target: str | None,
    network: str | None,
    epochs: int | None,
    seed: int | None,
    settings: Sequence[str],
    resumed: str | None,
    checkpoint_every: int,
    device: str,
    threads: int | None,
    trust_own: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Train on SOURCE: a data set's name, FILE.csv with --target, a FOLDER of images by class, or
    RECIPE.toml."""
    from netwise.cli.display import display
    from netwise.recipe.prepared import prepare
    from netwise.storage.run_folder import RunFolder
    from netwise.training.fit import fit, resume

    if (source is None) == (resumed is None):
        raise click.UsageError(
            "name what to train on (a data set, FILE.csv, a folder of images or RECIPE.toml), or --resume RUN"
        )
    if resumed is not None:
        if settings or target or epochs is not None or seed is not None:
            raise click.UsageError(
                "a resumed run keeps its recipe: --set, --target, --epochs and --seed are for new ones"
            )
        store = RunFolder.open(find_run(resumed, home))
        click.echo(f"Resuming {store.path}.", err=True)
        recipe = store.recipe()
        network_given = own_network(recipe, trust_own)
        prepared = prepare(recipe)
        run = resume(store.path, network=network_given, progress=display(), prepared=prepared)
    else:
        assert source is not None
        recipe = recipe_for(source, target, network, epochs, seed, settings)
        own_network(recipe, trust_own)
        prepared = prepare(recipe)
        if not as_json:
            _show_network(recipe, prepared.samples.shape)
        with fresh_folder(recipe, home) as folder:
            run = fit(
                recipe,
                folder=folder,
                device=device,
                threads=threads,
                checkpoint_every=checkpoint_every,
                progress=display(),
                prepared=prepared,
            )
    _tell_end(run, prepared, as_json)


@main.command()
@click.argument("run")
@click.option(
    "--seeds", type=click.IntRange(2, 50), default=5, show_default=True, help="Pairs of each trial."
)
@click.option("--jobs", type=click.IntRange(1), help="Runs at a time.  [default: one a core]")
@trust_option
@home_option
@json_option
def treat(
    run: str, seeds: int, jobs: int | None, trust_own: bool, home: Path, as_json: bool
) -> None:
    """Find what is wrong with RUN (or RECIPE.toml) and prove a cure by paired trials."""
    from netwise.recipe.reader import read_recipe
    from netwise.storage.run_folder import RunFolder

    recipe = (
        read_recipe(run) if run.endswith(".toml") else RunFolder.open(find_run(run, home)).recipe()
    )
    own_network(recipe, trust_own)
    _treat(recipe, seeds, jobs, home, as_json)


@main.command()
@click.option("--jobs", type=click.IntRange(1), help="Runs at a time.  [default: one a core]")
@home_option
@json_option
def demo(jobs: int | None, home: Path, as_json: bool) -> None:
    """What makes netwise different: a deep sigmoid network on real digits, its diagnosis, and its
    proven cure."""
    from netwise.gallery import DEEP_SIGMOID

    if not as_json:
        click.echo(
            "Four sigmoid layers on 1078 handwritten digits, started at N(0, 0.1²), SGD with momentum."
        )
    _treat(DEEP_SIGMOID, 5, jobs, home, as_json)


def _show_network(recipe: Recipe, shape: tuple[int, ...]) -> None:
    """The table of the network before it is trained; where it does not fit the data, `fit` says
    so."""
    try:
        click.echo(network_table(recipe, shape), err=True)
    except NetwiseError:
        return


def _tell_end(run: Run, prepared: Prepared, as_json: bool) -> None:
    """How a run ended, what is wrong with it, and where its report is."""
    from netwise.diagnosis.report import diagnose as look, plain_report
    from netwise.history import history_as_dict
    from netwise.report import write_report
    from netwise.storage.layout import REPORT

    assert run.folder is not None
    ended, report = run.history.ended, look(run)
    page = write_report(run, run.folder / REPORT, prepared=prepared, diagnosis=report)
    if as_json:
        score = None if run.score is None else {**vars(run.score), "sentence": str(run.score)}
        echo_json(
            {
                "folder": str(run.folder),
                "report": str(page),
                **history_as_dict(run.history),
                "score": score,
                "diagnosis": plain_report(report),
            }
        )
    else:
        click.echo(_headline(ended, run))
        click.echo(_summary(report))
        click.echo(f"Report: {page}")
    _exit(ended, run.folder)


def _headline(ended: RunEnd, run: Run) -> str:
    name = ended.how[0].upper() + ended.how[1:]
    if run.score is None:
        return ended.sentence
    reason = "" if ended.how == "finished" else f" {ended.sentence}"
    return f"{name}: test {run.score}.{reason}"


def _summary(report: Any) -> str:
    unchecked = f" {len(report.unchecked)} unchecked." if report.unchecked else ""
    if not report.found:
        return f"Nothing found; {len(report.clear)} rules clear.{unchecked}"
    return str(report)


def _exit(ended: RunEnd, folder: Path) -> None:
    if ended.how == "diverged":
        sys.exit(DIVERGED)
    if ended.how == "interrupted":
        click.echo(f"Go on with: netwise train --resume {folder}", err=True)
        sys.exit(TERMINATED if "SIGTERM" in ended.sentence else INTERRUPTED)


def _treat(recipe: Recipe, seeds: int, jobs: int | None, home: Path, as_json: bool) -> None:
    from netwise.cli.display import show_progress
    from netwise.diagnosis.report import diagnose as look, plain_report
    from netwise.report import write_report
    from netwise.storage.layout import REPORT
    from netwise.treatment.rounds import treat as cure
    from netwise.treatment.trials import describe_changes, trial_as_dict

    with fresh_folder(recipe, home, "-treated") as folder, show_progress():
        course = cure(
            recipe,
            seeds=range(seeds),
            jobs=jobs,
            folder=folder,
            on_message=lambda line: click.echo(line, err=as_json),
        )
    page = write_report(course, folder / REPORT)
    changed = describe_changes(recipe, course.recipe)
    if as_json:
        trials = [
            {
                "finding": r.finding.rule,
                "accepted": r.accepted or None,
                "verdicts": [trial_as_dict(v) for v in r.verdicts],
            }
            for r in course.rounds
        ]
        confirmed = None if course.confirmed is None else trial_as_dict(course.confirmed)
        reports = {
            "before": plain_report(look(course.before)),
            "after": plain_report(look(course.run)),
        }
        echo_json(
            {
                "folder": str(folder),
                "report": str(page),
                "cured": course.cured,
                "sentence": course.sentence,
                "changes": changed,
                "rounds": trials,
                "confirmed": confirmed,
                **reports,
            }
        )
        return
    click.echo("")
    click.echo(course.sentence)
    for line in changed:
        click.echo(f"  {line}")
    if course.before.score and course.run.score and changed:
        click.echo(f"Test before: {course.before.score}.")
        click.echo(f"Test after:  {course.run.score}.")
    click.echo(f"Report: {page}")

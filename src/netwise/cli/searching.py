"""Commands that compare many recipes: search."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.cli.group import INTERRUPTED, home_option, json_option, main, trust_option
from netwise.cli.telling import echo_json
from netwise.cli.words import called, changed, own_network, recipe_for

if TYPE_CHECKING:
    from netwise.recipe.recipe import Recipe
    from netwise.searches.methods import Tried
    from netwise.searches.searching import Found

SHOWN = 10  # leaders on the terminal


@main.command()
@click.argument("space", required=False, type=click.Path(path_type=Path))
@click.option("--recipe", "source", help="RECIPE.toml or a data set's name.  [default: what the space file says]")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field of the recipe, such as epochs=5.")
@click.option("--trials", type=click.IntRange(1), help="How many.  [default: what the space file says]")
@click.option("--method", help="Grid, Random, Bayesian, Halving, Hyperband, CoarseToFine or Population, with its defaults.")
@click.option("--jobs", type=click.IntRange(1), help="Trials at a time.  [default: one a core]")
@click.option("--storage", metavar="URL", help="An Optuna storage, such as postgresql+psycopg://...  [default: a journal in the study's folder]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the study.  [default: a new one below --runs]")
@click.option("--resume", "resumed", type=click.Path(path_type=Path), metavar="STUDY", help="Go on with an interrupted search.")
@click.option("--checkpoint-every", type=int, default=0, metavar="STEPS", help="Checkpoints besides those of epochs.")
@trust_option
@home_option
@json_option
def search(
    space: Path | None,
    source: str | None,
    settings: Sequence[str],
    trials: int | None,
    method: str | None,
    jobs: int | None,
    storage: str | None,
    output: Path | None,
    resumed: Path | None,
    checkpoint_every: int,
    trust_own: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Search the axes of SPACE.toml for the best settings of a recipe; the test part is scored once, at the end."""
    from netwise.report.search import write_search_report
    from netwise.searches.advice import advice
    from netwise.searches.searching import plain_found, resume_search, start
    from netwise.store import REPORT, new_folder

    if (space is None) == (resumed is None):
        raise click.UsageError("name a SPACE.toml, or --resume STUDY")

    def told(trial: Tried) -> None:
        click.echo(_line(trial), err=True)

    if resumed is not None:
        if source or settings or method:
            raise click.UsageError("a resumed search keeps its recipe and its method: --recipe, --set and --method are for new ones")
        found = resume_search(_study(resumed, home), trials=trials, jobs=jobs, storage=storage, checkpoint_every=checkpoint_every, told=told)
    else:
        assert space is not None
        recipe, plan = _planned(space, source, settings, trials, method)
        own_network(recipe, trust_own)
        for problem in advice(recipe, plan):
            click.echo(f"{problem.grade}: {problem}", err=True)
        folder = output or new_folder(home, f"{called(recipe)}-search-{plan.hash[:4]}")
        try:
            found = start(recipe, plan, folder, jobs=jobs, storage=storage, checkpoint_every=checkpoint_every, told=told)
        except BaseException:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
            raise
    page = write_search_report(found, found.folder / REPORT)
    if as_json:
        echo_json({**plain_found(found), "report": str(page)})
    else:
        _tell(found, page)
    if not found.complete:
        click.echo(f"Go on with: netwise search --resume {found.folder}", err=True)
        sys.exit(INTERRUPTED)


def _study(path: Path, home: Path) -> Path:
    return path if path.exists() else home / path


def _planned(space: Path, source: str | None, settings: Sequence[str], trials: int | None, method: str | None) -> tuple[Recipe, Any]:
    """The recipe and the plan that a space file and the words of the command line mean."""
    from netwise.recipe.file import recipe_of
    from netwise.searches.file import read_plain, search_of

    plain = read_plain(space)
    told = plain.pop("recipe", None)
    if trials is not None:
        plain["trials"] = trials
    if method is not None:
        plain["method"] = {"kind": method}
    plan = search_of(plain, space.name)
    if source is not None:
        return recipe_for(source, None, None, None, None, settings), plan
    if told is None:
        raise click.UsageError(f'{space} names no recipe: write recipe = "mlp.toml" in it, or say --recipe RECIPE.toml')
    if isinstance(told, dict):
        return changed(recipe_of(told, space.name, space.parent), settings), plan
    beside = space.parent / str(told)
    return recipe_for(str(beside) if beside.is_file() else str(told), None, None, None, None, settings), plan


def _line(trial: Tried) -> str:
    from netwise.report.search import point_text

    value = "" if trial.value is None else f"{trial.value:.4f}"
    reason = f"  {trial.reason.splitlines()[0][:100]}" if trial.reason else ""
    return f"trial {trial.number:<4} {trial.state:<9} {value:<8} {point_text(trial)}{reason}"


def _tell(found: Found, page: Path) -> None:
    from netwise.report.search import interval_text, point_text
    from netwise.searches.study import BEST

    for place, trial in enumerate(found.leaders[:SHOWN], start=1):
        click.echo(f"{place:>3}  {trial.value:.4f}  {interval_text(trial):<18}  trial {trial.number}: {point_text(trial)}")
    if found.best is None:
        click.echo("No trial was completed.")
    elif found.mean is not None:
        interval = "" if found.low is None or found.high is None else f" (95 % interval {found.low:.4f} to {found.high:.4f})"
        click.echo(f"Winner: {found.own:.4f} in the search, {found.mean:.4f}{interval} over {len(found.fresh)} fresh seeds.")
    if found.test is not None:
        click.echo(f"Test {found.test}.")
    for note in found.notes:
        click.echo(f"Note: {note}")
    if found.complete and found.best is not None:
        click.echo(f"Recipe: {found.folder / BEST}")
    click.echo(f"Report: {page}")

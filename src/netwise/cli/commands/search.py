"""Commands that compare many recipes: search, validate, curve, and the babysitter's guess, outcome
and log."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.cli.group import INTERRUPTED, home_option, json_option, main, trust_option
from netwise.cli.output import echo_json
from netwise.cli.parsing import called, changed, own_network, recipe_for

if TYPE_CHECKING:
    from netwise.recipe.recipe import Recipe
    from netwise.searches.methods import TrialRecord
    from netwise.searches.result import SearchResult

SHOWN = 10  # leaders on the terminal


@main.command()
@click.argument("space", required=False, type=click.Path(path_type=Path))
@click.option(
    "--recipe",
    "source",
    help="RECIPE.toml or a data set's name.  [default: what the space file says]",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field of the recipe, such as epochs=5.",
)
@click.option(
    "--trials", type=click.IntRange(1), help="How many.  [default: what the space file says]"
)
@click.option(
    "--method",
    help="Grid, Random, Bayesian, Halving, Hyperband, CoarseToFine or Population, with its defaults.",
)
@click.option("--jobs", type=click.IntRange(1), help="Trials at a time.  [default: one a core]")
@click.option(
    "--storage",
    metavar="URL",
    help="An Optuna storage, such as postgresql+psycopg://...  [default: a journal in the study's folder]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the study.  [default: a new one below --runs]",
)
@click.option(
    "--resume",
    "resumed",
    type=click.Path(path_type=Path),
    metavar="STUDY",
    help="Go on with an interrupted search.",
)
@click.option(
    "--checkpoint-every",
    type=int,
    default=0,
    metavar="STEPS",
    help="Checkpoints besides those of epochs.",
)
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
    """Search the axes of SPACE.toml for the best settings of a recipe; the test part is scored
    once, at the end."""
    from netwise.cli.display import show_progress
    from netwise.recipe.reader import read_recipe
    from netwise.report.search_page import write_search_report
    from netwise.searches.advice import search_advice
    from netwise.searches.plan_file import plan_hash, read_plan
    from netwise.searches.search import resume_search, start_search
    from netwise.storage.layout import RECIPE, REPORT, SEARCH, new_folder

    if (space is None) == (resumed is None):
        raise click.UsageError("name a SPACE.toml, or --resume STUDY")

    how: dict[str, Any] = {"jobs": jobs, "storage": storage, "checkpoint_every": checkpoint_every}
    if resumed is not None:
        if source or settings or method:
            raise click.UsageError(
                "a resumed search keeps its recipe and its method: --recipe, --set and --method are for new ones"
            )
        study = _study(resumed, home)
        network = (
            own_network(read_recipe(study / RECIPE), trust_own)
            if (study / RECIPE).is_file()
            else None
        )
        space_of = (
            read_plan(study / SEARCH)[0].space if trust_own and (study / SEARCH).is_file() else None
        )
        with show_progress() as say:
            found = resume_search(
                study,
                space=space_of,
                network=network,
                trials=trials,
                **how,
                on_trial_end=lambda t: say(_line(t)),
            )
    else:
        assert space is not None
        recipe, plan = _planned(space, source, settings, trials, method)
        own_network(recipe, trust_own)
        for problem in search_advice(recipe, plan):
            click.echo(f"{problem.grade}: {problem}", err=True)
        folder = output or new_folder(home, f"{called(recipe)}-search-{plan_hash(plan)[:4]}")
        try:
            with show_progress() as say:
                found = start_search(
                    recipe, plan, folder, **how, on_trial_end=lambda t: say(_line(t))
                )
        except BaseException:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
            raise
    page = write_search_report(found, found.folder / REPORT)
    tell_search(found, page, as_json)
    if not found.complete:
        click.echo(f"Go on with: netwise search --resume {found.folder}", err=True)
        sys.exit(INTERRUPTED)


def _study(path: Path, home: Path) -> Path:
    return path if path.exists() else home / path


def _planned(
    space: Path, source: str | None, settings: Sequence[str], trials: int | None, method: str | None
) -> tuple[Recipe, Any]:
    """The recipe and the plan that a space file and the words of the command line mean."""
    from netwise.recipe.reader import recipe_of
    from netwise.searches.plan_file import plan_from_dict, read_toml

    plain = read_toml(space)
    told = plain.pop("recipe", None)
    if trials is not None:
        plain["trials"] = trials
    if method is not None:
        plain["method"] = {"kind": method}
    plan = plan_from_dict(plain, space.name)
    if source is not None:
        return recipe_for(source, None, None, None, None, settings), plan
    if told is None:
        raise click.UsageError(
            f'{space} names no recipe: write recipe = "mlp.toml" in it, or say --recipe RECIPE.toml'
        )
    if isinstance(told, dict):
        return changed(recipe_of(told, space.name, space.parent), settings), plan
    beside = space.parent / str(told)
    return recipe_for(
        str(beside) if beside.is_file() else str(told), None, None, None, None, settings
    ), plan


def _line(trial: TrialRecord) -> str:
    value = "" if trial.value is None else f"{trial.value:.4f}"
    reason = f"  {' '.join(trial.reason.split())[:200]}" if trial.reason else ""
    return f"trial {trial.number:<4} {trial.state:<9} {value:<8} {trial.point_text}{reason}"


def tell_search(found: SearchResult, page: Path, as_json: bool) -> None:
    """What was found, as lines or as one JSON document."""
    from netwise.searches.result import result_as_dict

    if as_json:
        echo_json({**result_as_dict(found), "report": str(page)})
    else:
        _tell(found, page)


def _tell(found: SearchResult, page: Path) -> None:
    from netwise.report.search_page import interval_text
    from netwise.searches.study import BEST

    for place, trial in enumerate(found.ranked[:SHOWN], start=1):
        click.echo(
            f"{place:>3}  {trial.value:.4f}  {interval_text(trial):<18}  trial {trial.number}: {trial.point_text}"
        )
    if found.best is None:
        failed = next((trial for trial in found.trials if trial.reason), None)
        click.echo(
            "No trial was completed."
            + (f" Trial {failed.number}: {failed.reason}" if failed is not None else "")
        )
    elif found.mean is not None:
        interval = (
            ""
            if found.low is None or found.high is None
            else f" (95 % interval {found.low:.4f} to {found.high:.4f})"
        )
        click.echo(
            f"Winner: {found.best_value:.4f} in the search, {found.mean:.4f}{interval} over {len(found.fresh_values)} fresh seeds."
        )
    if found.test is not None:
        click.echo(f"Test {found.test}.")
    for note in found.notes:
        click.echo(f"Note: {note}")
    if found.complete and found.best is not None:
        click.echo(f"Recipe: {found.folder / BEST}")
    click.echo(f"Report: {page}")


@main.command()
@click.argument("source")
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True)
@click.option(
    "--repeats",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many times the folds are dealt.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field, such as optimizer.lr=0.01.",
)
@click.option("--jobs", type=click.IntRange(1), help="Runs at a time.  [default: one a core]")
@trust_option
@json_option
def validate(
    source: str,
    folds: int,
    repeats: int,
    settings: Sequence[str],
    jobs: int | None,
    trust_own: bool,
    as_json: bool,
) -> None:
    """Cross-validate SOURCE: RECIPE.toml or a data set's name. The test part is not looked at."""
    from dataclasses import asdict

    from netwise.cli.display import show_progress
    from netwise.searches.validation import cross_validate

    recipe = recipe_for(source, None, None, None, None, settings)
    own_network(recipe, trust_own)
    with show_progress():
        found = cross_validate(recipe, folds=folds, repeats=repeats, jobs=jobs)
    if as_json:
        echo_json(asdict(found))
        return
    for i, value in enumerate(found.values):
        click.echo(
            f"fold {i % folds + 1} of {folds}"
            + (f", dealing {i // folds + 1}" if repeats > 1 else "")
            + f"  {value:.4f}"
        )
    click.echo(f"Mean {found.mean:.4f} (95 % interval {found.low:.4f} to {found.high:.4f}).")


@main.command()
@click.argument("source")
@click.option(
    "--rows",
    help="NumericAxis of training samples, such as 100,1000.  [default: a sixteenth ... all]",
)
@click.option("--seeds", type=click.IntRange(1, 50), default=3, show_default=True)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field, such as epochs=5.",
)
@click.option("--picture", type=click.Path(path_type=Path), help="Draw it, as .png or .svg.")
@click.option("--jobs", type=click.IntRange(1), help="Runs at a time.  [default: one a core]")
@trust_option
@json_option
def curve(
    source: str,
    rows: str | None,
    seeds: int,
    settings: Sequence[str],
    picture: Path | None,
    jobs: int | None,
    trust_own: bool,
    as_json: bool,
) -> None:
    """The learning curve of SOURCE over the amount of data: would more samples help?"""
    from dataclasses import asdict
    from statistics import fmean

    from netwise.cli.display import show_progress
    from netwise.cli.output import PICTURES, never_over
    from netwise.searches.validation import learning_curve

    try:
        counts = [int(each) for each in rows.split(",")] if rows else []
    except ValueError:
        raise click.UsageError(
            f"--rows {rows}: write whole numbers with commas between, such as 100,1000"
        ) from None
    if picture is not None:
        never_over(picture, PICTURES)
    recipe = recipe_for(source, None, None, None, None, settings)
    own_network(recipe, trust_own)
    with show_progress():
        found = learning_curve(recipe, counts, seeds=range(seeds), jobs=jobs)
    if picture is not None:
        from netwise.report.pictures.search_plots import picture_curve

        picture_curve(found, picture)
    if as_json:
        echo_json({**asdict(found), "gap": found.gap})
        return
    click.echo(f"{'samples':>9}  {'train':>8}  {'valid':>8}")
    for count, train, valid in zip(found.rows, found.train, found.valid, strict=True):
        click.echo(f"{count:>9}  {fmean(train):>8.4f}  {fmean(valid):>8.4f}")
    more = (
        "More data would help: it knows its samples better than new ones."
        if found.gap == "wide"
        else "More data of this kind would help little."
    )
    click.echo(more)


@main.command()
@click.argument("book", type=click.Path(path_type=Path))
@click.argument("source", required=False)
@click.option("--because", required=True, help="Why this guess.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="What is guessed, such as optimizer.lr=0.01.",
)
@trust_option
@json_option
def guess(
    book: Path,
    source: str | None,
    because: str,
    settings: Sequence[str],
    trust_own: bool,
    as_json: bool,
) -> None:
    """Enter a guess in the log BOOK and train it: SOURCE, or the last guess, with --set changed,
    --because of something."""
    from dataclasses import asdict

    from netwise.searches.guess_log import guess_table, read_guesses
    from netwise.searches.guess_training import log_guess as enter
    from netwise.storage.run_folder import RunFolder

    known = read_guesses(book)
    if source is None and not known:
        raise click.UsageError(
            f"{book} has no guess yet: name what to begin with, a data set or RECIPE.toml"
        )
    if source is None:
        recipe = changed(RunFolder.open(known[-1].folder).recipe(), settings)
    else:
        recipe = recipe_for(source, None, None, None, None, settings)
    own_network(recipe, trust_own)
    entry = enter(book, recipe, because)
    if as_json:
        echo_json(asdict(entry))
    else:
        for line in guess_table([entry]):
            click.echo(line)


@main.command()
@click.argument("book", type=click.Path(path_type=Path))
@click.argument("number", type=int)
@click.argument("words", nargs=-1, required=True)
def outcome(book: Path, number: int, words: Sequence[str]) -> None:
    """Enter in the log BOOK what guess NUMBER taught: WORDS."""
    from netwise.searches.guess_log import guess_table, log_outcome as enter

    for line in guess_table([enter(book, number, " ".join(words))]):
        click.echo(line)


@main.command()
@click.argument("book", type=click.Path(path_type=Path))
@json_option
def log(book: Path, as_json: bool) -> None:
    """The log BOOK: every guess, why it was made and what it taught."""
    from dataclasses import asdict

    from netwise.searches.guess_log import guess_table, read_guesses

    entries = read_guesses(book)
    if as_json:
        echo_json([asdict(entry) for entry in entries])
        return
    if not entries:
        click.echo(
            f'{book} is empty. Begin with: netwise guess {book} digits --because "a first look"'
        )
    for line in guess_table(entries):
        click.echo(line)

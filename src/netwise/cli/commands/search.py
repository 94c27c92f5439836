"""The command `search`: hyperparameters by trials."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.atomic import delete_empty_folder
from netwise.cli.group import DIVERGED, INTERRUPTED
from netwise.cli.options import (
    checkpoint_option,
    data_options,
    home_option,
    jobs_option,
    json_option,
    metric_option,
    set_option,
    trust_option,
    with_metric,
)
from netwise.cli.output import data_name, echo_json, require_new_file
from netwise.cli.parsing import (
    allow_own_code,
    own_network,
    parse_settings,
    read_recipe_file,
    recipe_for,
    with_settings,
)
from netwise.cli.run_names import find_search
from netwise.cli.terminal import echo
from netwise.storage.layout import RECIPE, REPORT, SEARCH, new_folder
from netwise.termination import Terminated

if TYPE_CHECKING:
    from netwise.recipe.recipe import Recipe
    from netwise.searches.plan import SearchPlan
    from netwise.searches.result import SearchResult
    from netwise.searches.trial_record import TrialRecord

MOST_TRIALS = 10  # of the best ones on the terminal


@click.command()
@click.argument("space", required=False, metavar="[SPACE.toml | FILE.csv | DATA]")
@click.option("--target", metavar="COLUMN", help="Column of a CSV file to predict.")
@click.option(
    "--write-space",
    "written",
    metavar="SPACE.toml",
    type=click.Path(path_type=Path),
    help="Write the space and the recipe for these data to a new file and train nothing.",
)
@click.option(
    "--recipe",
    "source",
    help="RECIPE.toml or the name of a data set.  [default: the recipe that the space file names]",
)
@set_option("epochs=5")
@data_options
@click.option(
    "--trials",
    type=click.IntRange(1),
    help="Number of trials.  [default: the number in the space file]",
)
@click.option(
    "--method",
    help="Grid, Random, Bayesian, Halving, Hyperband, CoarseToFine or Population, with its "
    "default settings.  [default: the method in the space file]",
)
@jobs_option
@click.option(
    "--storage",
    metavar="URL",
    help="Storage of Optuna, such as postgresql+psycopg://...  "
    "[default: a journal in the search's folder]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the search.  [default: a new one in the folder of runs]",
)
@click.option("--resume", "resumed", metavar="SEARCH", help="Continue an interrupted search.")
@checkpoint_option
@metric_option
@trust_option
@home_option
@json_option
def search(
    space: str | None,
    target: str | None,
    written: Path | None,
    source: str | None,
    settings: Sequence[str],
    reading: Mapping[str, Any],
    pictures: Mapping[str, Any],
    metric: str | None,
    trials: int | None,
    method: str | None,
    jobs: int | None,
    storage: str | None,
    output: Path | None,
    resumed: str | None,
    checkpoint_every: int,
    trust_own: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Search for the best settings of a recipe.

    SPACE.toml lists the fields to vary and their ranges. For FILE.csv with --target, or the name of
    a data set, a space is chosen and printed; --write-space writes it to a file to edit. Trials are
    compared on the validation part; the best one is trained again with new seeds, and scored once
    on the test part.

    \b
    Examples:
      netwise search pets.csv --target pet --trials 30
      netwise search searches/digits.toml
      netwise search space.toml --recipe recipe.toml --trials 50
      netwise search --resume @last
    """
    if (space is None) == (resumed is None):
        raise click.UsageError(
            "search needs either SPACE.toml, FILE.csv with --target or the name of a data set, or "
            "--resume SEARCH. Write netwise search SPACE.toml, or netwise search --resume @last."
        )
    options: dict[str, Any] = {
        "jobs": jobs,
        "storage": storage,
        "checkpoint_every": checkpoint_every,
    }
    if resumed is not None:
        if any((source, settings, metric, method, target, written, reading, pictures)):
            raise click.UsageError(
                "a resumed search keeps its recipe and its plan, so --recipe, --set, --metric, "
                "--method, --target, --write-space and options of tables and pictures cannot be "
                "combined with --resume. Leave them out, or start a new search."
            )
        result = _resume(find_search(resumed, home), trust_own, trials, options)
    else:
        assert space is not None
        settings = with_metric(settings, metric)
        described = described_search(
            space, source, settings, trials, method, target, reading, pictures
        )
        if written is not None:
            _write_space(described, written)
            return
        result = _start(described, trust_own, home, output, options)
    from netwise.report.search_page import write_search_report  # heavy

    page = write_search_report(result, result.folder / REPORT)
    print_search(result, page, as_json)
    if not result.complete:
        echo(f"Continue with: netwise search --resume {result.folder}", err=True)
        sys.exit(INTERRUPTED)
    if result.best is None:
        sys.exit(DIVERGED)


def _resume(
    folder: Path, trust_own: bool, trials: int | None, options: dict[str, Any]
) -> SearchResult:
    """Continue the search in a folder."""
    from netwise.cli.display import show_progress  # heavy
    from netwise.searches.plan_file import read_plan
    from netwise.searches.search import resume_search

    network = space = metric = None
    if (folder / RECIPE).is_file():
        recipe = allow_own_code(read_recipe_file(folder / RECIPE), trust_own)
        network, metric = own_network(recipe), recipe.metric
    if trust_own and (folder / SEARCH).is_file():
        space = allow_own_code(read_plan(folder / SEARCH).plan.space, trust_own)
    with show_progress() as print_line:
        return resume_search(
            folder,
            space=space,
            network=network,
            trials=trials,
            **options,
            on_trial_end=lambda trial: print_line(_trial_line(trial, metric)),
        )


def described_search(
    space: str,
    source: str | None,
    settings: Sequence[str],
    trials: int | None,
    method: str | None,
    target: str | None,
    reading: Mapping[str, Any],
    pictures: Mapping[str, Any],
) -> tuple[Recipe, SearchPlan]:
    """The recipe and the plan of a space file, or those that are chosen for data."""
    if space.endswith(".toml"):
        for name in (*reading, *pictures):
            option = "--kind" if name == "kinds" else f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{option}: the recipe of a space file says how its data are read. Leave {option} "
                f"out, or change the recipe: --set data.{name}=..."
            )
        if target is not None:
            raise click.UsageError(
                f"--target {target}: the recipe of a space file names its own target. Leave "
                f"--target out, or change it: --set data.target={target}"
            )
        return recipe_and_plan(Path(space), source, settings, trials, method)
    if source is not None:
        raise click.UsageError(
            f"--recipe {source}: for data such as {space} the recipe is chosen. Leave --recipe "
            "out, or write netwise search SPACE.toml --recipe RECIPE.toml."
        )
    recipe = recipe_for(space, target=target, settings=settings, reading=reading, pictures=pictures)
    from netwise.searches.plan_file import plan_as_dict, plan_from_dict  # heavy
    from netwise.searches.suggested_space import TRIALS, suggested_plan

    plan = suggested_plan(recipe, trials or TRIALS)
    if method is not None:
        chosen = {**plan_as_dict(plan), "method": {"kind": method}}
        plan = plan_from_dict(chosen, "--method")
    for line in axis_lines(plan):
        echo(line, err=True)
    return recipe, plan


def axis_lines(plan: SearchPlan) -> list[str]:
    """The axes of a plan, one a line."""
    from netwise.searches.axes import Choice, NumericAxis  # heavy

    lines = [f"Searching {len(plan.space.axes)} settings in {plan.trials} trials:"]
    for axis in plan.space.axes:
        if isinstance(axis, NumericAxis):
            scale = ", logarithmic" if axis.is_logarithmic else ""
            lines.append(f"  {axis.name}: {axis.low:g} to {axis.high:g}{scale}")
        elif isinstance(axis, Choice):
            lines.append(f"  {axis.name}: {', '.join(str(o) for o in axis.options)}")
    return lines


def _write_space(described: tuple[Recipe, SearchPlan], path: Path) -> None:
    from netwise.searches.suggested_space import write_space  # heavy

    require_new_file(path, (".toml",))
    write_space(*described, path)
    echo(f"Space and recipe: {path}. Edit it, then: netwise search {path}")


def _start(
    described: tuple[Recipe, SearchPlan],
    trust_own: bool,
    home: Path,
    output: Path | None,
    options: dict[str, Any],
) -> SearchResult:
    """Start a new search."""
    from netwise.cli.display import show_progress  # heavy
    from netwise.recipe.plain import plain_of
    from netwise.searches.advice import search_advice
    from netwise.searches.plan_file import plan_hash
    from netwise.searches.search import start_search

    recipe = allow_own_code(described[0], trust_own)
    plan = allow_own_code(described[1], trust_own)
    for problem in search_advice(recipe, plan):
        echo(f"{problem.grade}: {problem}", err=True)
    name = f"{data_name(plain_of(recipe))}-search-{plan_hash(plan)[:4]}"
    folder = output or new_folder(home, name)
    try:
        with show_progress() as print_line:
            return start_search(
                recipe,
                plan,
                folder,
                **options,
                on_trial_end=lambda trial: print_line(_trial_line(trial, recipe.metric)),
            )
    except BaseException as error:
        delete_empty_folder(folder)
        if isinstance(error, Terminated) and folder.is_dir():
            echo(f"Continue with: netwise search --resume {folder}", err=True)
        raise


def recipe_and_plan(
    space: Path,
    source: str | None = None,
    settings: Sequence[str] = (),
    trials: int | None = None,
    method: str | None = None,
) -> tuple[Recipe, SearchPlan]:
    """The recipe and the plan of a space file and the options `--recipe`, `--set`, `--trials` and
    `--method`."""
    values = parse_settings(settings)
    from netwise.recipe.reader import read_toml, recipe_of  # heavy
    from netwise.searches.plan_file import plan_from_dict

    plain = read_toml(space)
    named = plain.pop("recipe", None)
    if trials is not None:
        plain["trials"] = trials
    if method is not None:
        plain["method"] = {"kind": method}
    plan = plan_from_dict(plain, space.name)
    if source is not None:
        return recipe_for(source, settings=settings), plan
    if named is None:
        raise click.UsageError(
            f'{space} names no recipe. Write recipe = "mlp.toml" at its top, '
            "or add --recipe RECIPE.toml."
        )
    if isinstance(named, dict):
        return with_settings(recipe_of(named, space.name, space.parent), values), plan
    beside = space.parent / str(named)
    return recipe_for(str(beside) if beside.is_file() else str(named), settings=settings), plan


def _trial_line(trial: TrialRecord, metric: str | None) -> str:
    from netwise.scoring.metrics import own_value  # heavy

    value = "" if trial.value is None else f"{own_value(metric, trial.value):.4f}"
    reason = f"  {' '.join(trial.reason.split())[:200]}" if trial.reason else ""
    return f"trial {trial.number:<4} {trial.state:<9} {value:<8} {trial.point_text}{reason}"


def print_search(result: SearchResult, page: Path | None, as_json: bool) -> None:
    """Print the result of a search, and where its page is, as lines or as one JSON document."""
    from netwise.searches.result import result_as_dict

    if as_json:
        echo_json({**result_as_dict(result), "report": page and str(page)})
        return
    for line in _search_lines(result):
        echo(line)
    if page is not None:
        echo(f"Report: {page}")


def _search_lines(result: SearchResult) -> list[str]:
    """The best trials, the best one over new seeds, its test score, and notes."""
    from netwise.report.search_page import as_sentence, search_title, trial_counts
    from netwise.searches.study import BEST

    lines = [f"{search_title(result)}. {trial_counts(result)}"]
    lines += [
        f"{place:>3}  {result.shown(trial.value)}  "
        f"{result.shown_interval(trial.low, trial.high):<18}  "
        f"trial {trial.number}: {trial.point_text}"
        for place, trial in enumerate(result.ranked[:MOST_TRIALS], start=1)
    ]
    if result.best is None:
        lines.append("No trial was completed.")
    elif result.mean is not None:
        ends = result.shown_interval(result.low, result.high)
        interval = f" (95 % interval {ends})" if ends else ""
        title = "" if result.metric is None else f"{result.value_title} "
        lines.append(
            f"Best trial: {title}{result.shown(result.best_value)} in the search; "
            f"{result.shown(result.mean)}{interval} "
            f"on average over {len(result.fresh_values)} new seeds."
        )
    if result.test is not None:
        lines.append(f"Test {result.test}.")
    lines += [f"Note: {as_sentence(note)}" for note in result.notes]
    if result.complete and result.best is not None:
        lines.append(f"Recipe of the best trial: {result.folder / BEST}")
    return lines

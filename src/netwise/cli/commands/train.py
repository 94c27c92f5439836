"""Commands that train: train, treat, demo."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.cli.group import DIVERGED, INTERRUPTED
from netwise.cli.options import (
    baselines_option,
    checkpoint_option,
    data_options,
    home_option,
    jobs_option,
    json_option,
    metric_option,
    set_option,
    speedups_option,
    trust_option,
    with_metric,
)
from netwise.cli.output import echo_json, folder_name, fresh_folder, network_table
from netwise.cli.parsing import allow_own_code, own_network, read_recipe_file, recipe_for
from netwise.cli.quick_imports import quick_imports
from netwise.cli.run_names import find_run
from netwise.cli.terminal import echo
from netwise.errors import NetwiseError
from netwise.grades import GRADES
from netwise.storage.layout import REPORT
from netwise.termination import TERMINATED
from netwise.training.ranks.launched import command_of_train, is_first, launched

if TYPE_CHECKING:
    from netwise.history import RunEnd
    from netwise.recipe.prepared import Prepared
    from netwise.recipe.recipe import Recipe
    from netwise.training.run import Run
    from netwise.treatment.rounds import TreatmentResult


@click.command()
@click.argument("source", required=False)
@click.option("--target", metavar="COLUMN", help="Column of a CSV file to predict.")
@click.option(
    "--network",
    help="mlp, ensemble, lenet5, convnet, resnet or lstm; not for a recipe.  [default: ensemble "
    "for tables of files, lstm for texts, convnet for images in files, else mlp]",
)
@click.option(
    "--epochs",
    type=int,
    help="Passes over the training part.  "
    "[default: until the validation loss stops falling, at most 100]",
)
@click.option("--seed", type=int, help="Seed of all random numbers.  [default: 0]")
@set_option("optimizer.lr=0.01")
@data_options
@click.option(
    "--init",
    metavar="FILE",
    help="Pictures: begin with these weights, a .safetensors or .pt file or the folder of a run; "
    "the network is the one that they belong to.",
)
@click.option("--resume", "resumed", metavar="RUN", help="Continue an interrupted run.")
@checkpoint_option
@click.option(
    "--stop-on",
    type=click.Choice(GRADES),
    help="Interrupt the run after an epoch with a finding that is as certain.",
)
@click.option(
    "--device", default="cpu", show_default=True, help="Device of torch, such as cuda or mps."
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "tf32", "bfloat16"]),
    help="Of the training steps.  [default: as torch is set]",
)
@click.option(
    "--threads",
    type=int,
    help="CPU threads of one training step.  [default: by the work of a step and the free cores]",
)
@speedups_option
@click.option(
    "--sync-batch-norm",
    is_flag=True,
    help="Several processes: batch norm over the rows of all of them.",
)
@click.option(
    "--shard",
    is_flag=True,
    help="Several processes: each keeps a part of the weights, for networks that fit on no device.",
)
@baselines_option
@metric_option
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
    metric: str | None,
    with_baselines: bool,
    reading: Mapping[str, Any],
    pictures: Mapping[str, Any],
    init: str | None,
    resumed: str | None,
    checkpoint_every: int,
    stop_on: str | None,
    device: str,
    precision: str | None,
    threads: int | None,
    speedups: tuple[str, ...] | None,
    sync_batch_norm: bool,
    shard: bool,
    trust_own: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Train a network, diagnose the run and write a report.

    SOURCE is the name of a data set, FILE.csv with --target, a folder with one subfolder of images
    per class (also below train, valid and test), a CSV file of paths of images and labels, or
    RECIPE.toml.

    \b
    Examples:
      netwise train digits
      netwise train pets.csv --target pet --epochs 20
      netwise train photos/ --size 96x96
      netwise train photos/ --init resnet18.safetensors
      netwise train recipe.toml --set optimizer.lr=0.01 --seed 1
      netwise train recipe.toml --stop-on cause
      netwise train --resume @last
      torchrun --nproc-per-node 2 -m netwise train recipe.toml
    """
    grades = () if stop_on is None else (stop_on,)
    if (source is None) == (resumed is None):
        raise click.UsageError(
            "train needs either SOURCE (a data set such as digits, FILE.csv with --target, "
            "a folder of images, or RECIPE.toml) or --resume RUN."
        )
    if resumed is not None:
        changed = settings or metric or target or network or reading or pictures or init
        if changed or any(each is not None for each in (epochs, seed, speedups)):
            raise click.UsageError(
                "a resumed run keeps its recipe, so --set, --metric, --target, --network, "
                "--epochs, --seed, --speedups, --skip-broken, --size, --init and options of tables "
                "cannot go with --resume. Leave them out, or train a new run."
            )
        run, prepared = _resume(find_run(resumed, home), trust_own, grades)
    else:
        assert source is not None
        if launched() is not None:  # so that each can tell the others what it lacks
            from netwise.training.ranks.ranks import joined  # heavy

            joined(device)
        with quick_imports():
            described = recipe_for(
                source,
                target=target,
                network=network,
                epochs=epochs,
                seed=seed,
                settings=with_metric(settings, metric),
                reading=reading,
                pictures=pictures if init is None else {**pictures, "init": init},
            )
            recipe = allow_own_code(described, trust_own)
            from netwise.cli.display import display  # heavy
            from netwise.recipe.prepared import prepare
            from netwise.training.fit import fit

        prepared = prepare(recipe)
        if not as_json:
            echo(f"{recipe.data.summary()}\n", err=True)
            _show_network(recipe, prepared.samples.shape)
            _say_how_it_begins(recipe)
        first = is_first()
        with fresh_folder(home, folder_name(recipe)) if first else nullcontext() as folder:
            run = fit(
                recipe,
                folder=folder,
                device=device,
                precision=precision,
                threads=threads,
                speedups=speedups,
                sync_batch_norm=sync_batch_norm,
                shard=shard,
                checkpoint_every=checkpoint_every,
                progress=display(),
                stop_on=grades,
                prepared=prepared,
            )
    if is_first():
        _print_end(run, prepared, with_baselines, as_json)
    else:
        _exit(run.history.ended, run.folder)


@click.command()
@click.argument("run", metavar="RUN")
@click.option(
    "--seeds",
    type=click.IntRange(2, 50),
    default=5,
    show_default=True,
    help="Pairs of runs in the trial of each remedy.",
)
@jobs_option
@baselines_option
@metric_option
@trust_option
@home_option
@json_option
def treat(
    run: str,
    seeds: int,
    metric: str | None,
    with_baselines: bool,
    jobs: int | None,
    trust_own: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Find what is wrong with RUN (or RECIPE.toml) and prove a remedy.

    Each remedy that applies is tried in pairs of runs with the same seeds, without and with it. A
    remedy is kept if the gain is significant (95 % interval above 0) and the problem is gone.

    \b
    Examples:
      netwise treat @last
      netwise treat recipe.toml --seeds 10
    """
    if run.endswith(".toml"):
        recipe = read_recipe_file(run)
    else:
        from netwise.storage.run_folder import RunFolder

        recipe = RunFolder.open(find_run(run, home)).recipe()
    if metric is not None:
        recipe = recipe.but(metric=metric)
    _treat(allow_own_code(recipe, trust_own), seeds, jobs, home, as_json, with_baselines)


@click.command()
@jobs_option
@home_option
@json_option
def demo(jobs: int | None, home: Path, as_json: bool) -> None:
    """Treat a network that does not learn: diagnosis, trials and the proved remedy.

    The network has four sigmoid layers and learns handwritten digits; it takes about a minute.
    """
    from netwise.gallery import DEEP_SIGMOID  # heavy

    if not as_json:
        echo(
            "Four sigmoid layers on 1078 handwritten digits, initial weights from N(0, 0.1²), "
            "SGD with momentum."
        )
    _treat(DEEP_SIGMOID, 5, jobs, home, as_json)


def _resume(folder: Path, trust_own: bool, grades: Sequence[str]) -> tuple[Run, Prepared]:
    """Continue the run in a folder; the run and its data."""
    from netwise.cli.display import display  # heavy
    from netwise.recipe.prepared import prepare
    from netwise.storage.run_folder import RunFolder
    from netwise.training.fit import joined_again, resume

    store = RunFolder.open(folder)
    joined_again(store)
    echo(f"Resuming {store.path}.", err=True)
    recipe = allow_own_code(store.recipe(), trust_own)
    prepared = prepare(recipe)
    network = own_network(recipe)
    run = resume(store.path, network=network, progress=display(), stop_on=grades, prepared=prepared)
    return run, prepared


def _say_how_it_begins(recipe: Recipe) -> None:
    """Which network was chosen for pictures, and how to begin with weights that there are."""
    if recipe.data.innermost.kind != "images":
        return
    from netwise.recipe.picture_networks import described_beginning  # heavy

    echo(described_beginning(recipe), err=True)


def _show_network(recipe: Recipe, shape: tuple[int, ...]) -> None:
    """Print the table of the network; an error in it is left to `fit`, which reports it."""
    try:
        echo(network_table(recipe, shape), err=True)
    except NetwiseError:
        return


def _print_end(run: Run, prepared: Prepared, with_baselines: bool, as_json: bool) -> None:
    """Print how a run ended, its diagnosis and its report, and exit with the code of its end.

    A run that was interrupted is not compared with baselines, since somebody waits for its end.
    After SIGTERM no report is written either: most systems kill soon after it.
    """
    from netwise.diagnosis.report import diagnose
    from netwise.history import history_as_dict
    from netwise.storage.run_folder import RunFolder
    from netwise.training.run_scores import final_scores
    from netwise.training.simple_baselines import baselines, beside_baselines

    folder = run.folder
    assert folder is not None
    scores = final_scores(run, prepared)
    beside = None
    if with_baselines and scores is not None and run.history.ended.how != "interrupted":
        beside = baselines(run, prepared)
        run = run if beside is None else beside_baselines(run, beside)
        fact = run.history.facts.baseline
        if fact is not None:  # so that later diagnoses of the run know it too
            RunFolder(folder).write_baseline(fact)
    ended, diagnosis = run.history.ended, diagnose(run)
    page = None
    if not _is_terminated(ended):
        from netwise.report import write_report  # heavy

        page = write_report(
            run,
            folder / REPORT,
            prepared=prepared,
            diagnosis=diagnosis,
            scores=scores,
            baselines=beside,
        )
    if as_json:
        score = None if run.score is None else {**vars(run.score), "sentence": str(run.score)}
        echo_json(
            {
                "folder": str(folder),
                "report": None if page is None else str(page),
                "data": run.recipe.data.summary().as_dict(),
                **history_as_dict(run.history),
                "score": score,
                "scores": None if scores is None else scores.as_dict(),
                "baselines": None if beside is None else beside.as_dict(),
                "diagnosis": diagnosis.as_dict(),
            }
        )
    else:
        echo(_headline(ended, run))
        if run.score is not None and scores is not None and scores.majority_sentence:
            echo(scores.majority_sentence)
        if beside is not None and beside.sentence:
            echo(beside.sentence)
        echo(_diagnosis_text(diagnosis, folder))
        if page is not None:
            echo(f"Report: {page}")
    _exit(ended, folder)


def _headline(ended: RunEnd, run: Run) -> str:
    """How the run ended, with its test score."""
    if run.score is None:
        return ended.sentence
    reason = "" if ended.how == "finished" else f" {ended.sentence}"
    return f"{ended.how.capitalize()}: test {run.score}.{reason}"


def _diagnosis_text(diagnosis: Any, folder: Path) -> str:
    """The findings, and the command that treats them; or one line where there are none."""
    if diagnosis.found:
        return f"{diagnosis}\nProve a remedy: netwise treat {folder}"
    count = len(diagnosis.unchecked)
    unchecked = f", {count} could not be: netwise diagnose {folder}" if count else ""
    return f"No problem found. {len(diagnosis.clear)} rules were checked{unchecked or '.'}"


def _exit(ended: RunEnd, folder: Path | None) -> None:
    if ended.how == "diverged":
        sys.exit(DIVERGED)
    if ended.how == "interrupted":
        echo(f"Continue with: {command_of_train()} --resume {folder}", err=True)
        sys.exit(TERMINATED if _is_terminated(ended) else INTERRUPTED)


def _is_terminated(ended: RunEnd) -> bool:
    return ended.how == "interrupted" and "SIGTERM" in ended.sentence


def _treat(
    recipe: Recipe,
    seeds: int,
    jobs: int | None,
    home: Path,
    as_json: bool,
    with_baselines: bool = False,
) -> None:
    """Treat a recipe, print each step and the result, and write the report."""
    from netwise.cli.display import show_progress  # heavy
    from netwise.report import write_report
    from netwise.treatment.rounds import treat as treat_recipe
    from netwise.treatment.trials import describe_changes

    with fresh_folder(home, folder_name(recipe, "-treated")) as folder, show_progress():
        result = treat_recipe(
            recipe,
            seeds=range(seeds),
            jobs=jobs,
            folder=folder,
            with_baselines=with_baselines,
            on_message=lambda line: echo(line, err=as_json),
        )
    page = write_report(result, folder / REPORT)
    changes = describe_changes(recipe, result.recipe)
    if as_json:
        where = {"folder": str(folder), "report": str(page)}
        echo_json({**where, **_treatment_as_dict(result, changes)})
        return
    echo("")
    echo(result.sentence)
    for line in changes:
        echo(f"  {line}")
    if result.before.score and result.run.score and changes:
        echo(f"Test before: {_test_scores(result.before)}.")
        echo(f"Test after:  {_test_scores(result.run)}.")
    echo(f"Report: {page}")


def _test_scores(run: Run) -> str:
    """The score of the test part, with the metric that the run was judged by."""
    from netwise.recipe.prepared import prepare
    from netwise.training.run_scores import final_scores

    metric = run.history.facts.metric
    if metric is None or run.score is None or metric == run.score.name:
        return str(run.score)
    scores = final_scores(run, prepare(run.recipe))
    judged = None if scores is None else scores.of(metric)
    return f"{run.score}" + (f", {judged.title} {judged.value_text}" if judged else "")


def _treatment_as_dict(result: TreatmentResult, changes: Sequence[str]) -> dict[str, Any]:
    """A treatment as plain values, for `--json`."""
    from netwise.diagnosis.report import diagnose
    from netwise.treatment.trials import trial_as_dict

    rounds = [
        {
            "finding": each.finding.rule,
            "accepted": each.accepted or None,
            "verdicts": [trial_as_dict(trial) for trial in each.trials],
        }
        for each in result.rounds
    ]
    return {
        "cured": result.cured,
        "sentence": result.sentence,
        "changes": changes,
        "rounds": rounds,
        "confirmed": None if result.confirmed is None else trial_as_dict(result.confirmed),
        "before": diagnose(result.before).as_dict(),
        "after": diagnose(result.run).as_dict(),
    }

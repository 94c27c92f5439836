"""Runs the recipes of this folder over their seeds, keeps the results beside them, and writes the
table in README.md.

    python recipes/measure.py                  list what there is
    python recipes/measure.py NAME ...         run these, over the seeds that have no result yet
    python recipes/measure.py --all
    python recipes/measure.py --table          write the table anew

A result is kept with the hash of its recipe: where a recipe has changed, its old results do not
count.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

import netwise as nw
from netwise.atomic import write_atomically
from netwise.cli.display import display

HERE = Path(__file__).parent
RESULTS = HERE / "results"

Measure = Callable[[nw.Run], float]


def test_accuracy(run: nw.Run) -> float:
    assert run.score is not None
    return 100 * run.score.value


def test_error(run: nw.Run) -> float:
    return 100 - test_accuracy(run)


def test_r2(run: nw.Run) -> float:
    assert run.score is not None
    return 100 * run.score.value


def best_epoch(run: nw.Run) -> float:
    """The best accuracy of any epoch on the images that were watched: the notes' measure."""
    series = run.history.of("valid.accuracy")
    assert series is not None
    return 100 * max(series.values)


def valid_loss(run: nw.Run) -> float:
    series = run.history.of("valid.loss")
    assert series is not None
    return min(series.values)


def exact_nats(run: nw.Run) -> float:
    assert run.score is not None
    assert run.score.how == "exact", run.score
    return run.score.value


def both_bounds(run: nw.Run) -> dict[str, Any]:
    """ln Z from below and from above, 500 chains and 10,000 temperatures each, and the mean ln p of
    the test images by them."""
    samples = run.recipe.data.load()
    g = torch.Generator().manual_seed(run.recipe.seed)
    rows = torch.randperm(len(samples.train), generator=g)[:500]
    up = nw.energy.ais(run.module, chains=500, temperatures=10_000)
    down = nw.energy.reverse_ais(
        run.module, samples.train.x[rows], temperatures=10_000, burn_in=2000
    )
    told = {}
    for name, estimate in (("AIS", up), ("reverse AIS", down)):
        told[name] = float(
            nw.energy.log_likelihood(run.module, samples.test.x, log_z=estimate.log_z).mean()
        )
        told[f"{name}, 3 standard errors"] = 3 * estimate.error
    return told


def recall(run: nw.Run) -> float:
    assert run.score is not None
    return 100 * run.score.value


def encoder_solved(run: nw.Run) -> float:
    """Share in % of the patterns whose second half comes up right from the first."""
    units = run.module.visible // 2
    patterns = torch.eye(units).repeat(1, 2)
    known = torch.arange(2 * units) < units
    return 100 * float(
        (
            run.module.complete(patterns, known, steps=400)[:, units:].argmax(1)
            == torch.arange(units)
        )
        .float()
        .mean()
    )


def lower_bound(run: nw.Run) -> float:
    """Mean lower bound of ln p of the test images, one draw of the code each."""
    samples = run.recipe.data.load()
    torch.manual_seed(run.recipe.seed)
    with torch.no_grad():
        return -float(run.module.cost(samples.test.x, samples.test.x.flatten(1)))


def from_below(run: nw.Run) -> float:
    """Taken from what `more` has measured: the smaller of the two."""
    return math.nan


@dataclass(frozen=True)
class Entry:
    """One line of the table.

    Args:
        file: of the recipe, without its ending.
        measure: what is taken of each run, and its name and unit for people.
        goal: what is to be reached, in words, and the test of the mean.
        seeds: of the recipe, and where data are split by chance, of the split.
        change: what differs from the file.
        peers: also run scikit-learn's on the same parts.
        shown: how a value is printed.
        pairs_with: another entry, run by run.
        minutes: that a run may take on two cores; 0: no limit is stated.
        more: other numbers of a run, kept and shown beside the measure.
        published: what others have reached, and peers measured here.
    """

    name: str
    file: str
    measure: Measure
    says: str
    goal: str
    reached: Callable[[float], bool]
    seeds: tuple[int, ...] = (0, 1, 2)
    change: Callable[[nw.Recipe], nw.Recipe] = field(default=lambda recipe: recipe)
    peers: bool = False
    shown: str = "{:.2f} %"
    pairs_with: str = ""
    minutes: float = 0.0
    more: Callable[[nw.Run], dict[str, Any]] = field(default=lambda run: {})
    published: str = ""


def with_penalty(recipe: nw.Recipe) -> nw.Recipe:
    return recipe.but(penalty=nw.L2(strength=1e-4))


def shortened(recipe: nw.Recipe) -> nw.Recipe:
    return recipe.but(epochs=4, schedule=nw.Milestones(epochs=(2, 3)))


def not_centred(recipe: nw.Recipe) -> nw.Recipe:
    return recipe.but(network=recipe.network.but(centred=False))


FIVE, THREE = (0, 1, 2, 3, 4), (0, 1, 2)
ENTRIES = (
    Entry(
        "notes-1000",
        "notes-1000",
        best_epoch,
        "best epoch's test accuracy",
        "80.5 to 84.5 %",
        lambda v: 80.5 <= v <= 84.5,
        FIVE,
    ),
    Entry(
        "notes-1000, lambda 0.1",
        "notes-1000",
        best_epoch,
        "best epoch's test accuracy",
        "86.5 to 88.5 %, 3 points above",
        lambda v: 86.5 <= v <= 88.5,
        FIVE,
        with_penalty,
        pairs_with="notes-1000",
    ),
    Entry(
        "notes-50000",
        "notes-50000",
        best_epoch,
        "best epoch's test accuracy",
        "95.2 to 95.7 %",
        lambda v: 95.2 <= v <= 95.7,
    ),
    Entry(
        "notes-50000, lambda 5",
        "notes-50000",
        best_epoch,
        "best epoch's test accuracy",
        "96.0 to 96.7 %",
        lambda v: 96.0 <= v <= 96.7,
        THREE,
        with_penalty,
        pairs_with="notes-50000",
    ),
    Entry(
        "mnist-mlp-tanh",
        "mnist-mlp-tanh",
        test_error,
        "test error",
        "at most 1.5 %, within 5 minutes",
        lambda v: v <= 1.5,
        minutes=5,
    ),
    Entry(
        "mnist-lenet5",
        "mnist-lenet5",
        test_error,
        "test error",
        "at most 0.9 %",
        lambda v: v <= 0.9,
    ),
    Entry(
        "mnist-lenet5-augmented",
        "mnist-lenet5-augmented",
        test_error,
        "test error",
        "at most 0.6 %",
        lambda v: v <= 0.6,
        (0, 1),
    ),
    Entry(
        "mnist-maxout",
        "mnist-maxout",
        test_error,
        "test error",
        "at most 1.1 %",
        lambda v: v <= 1.1,
        (0,),
    ),
    Entry(
        "fashion-cnn",
        "fashion-cnn",
        test_accuracy,
        "test accuracy",
        "at least 93 %, within 30 minutes",
        lambda v: v >= 93,
        (0,),
        minutes=30,
    ),
    Entry(
        "cifar10-quick",
        "cifar10-quick",
        test_accuracy,
        "test accuracy",
        "at least 80 %, within 30 minutes",
        lambda v: v >= 80,
        (0,),
        minutes=30,
    ),
    Entry(
        "cifar10-resnet20, 4 epochs",
        "cifar10-resnet20",
        test_accuracy,
        "test accuracy",
        "no number: the paper's schedule, shortened from 182 epochs to 4",
        lambda v: True,
        (0,),
        shortened,
    ),
    Entry(
        "shakespeare-lstm",
        "shakespeare-lstm",
        valid_loss,
        "validation loss",
        "at most 1.65 nats, within 30 minutes",
        lambda v: v <= 1.65,
        (0,),
        shown="{:.3f} nats",
        minutes=30,
    ),
    *(
        Entry(
            name,
            name,
            test_r2 if name == "california-housing" else test_accuracy,
            "test R², in %" if name == "california-housing" else "test accuracy",
            "scikit-learn's best - 0.5 points",
            lambda v: True,
            FIVE,
            peers=True,
        )
        for name in ("adult", "letter", "spambase", "sonar", "california-housing")
    ),
    Entry(
        "energy/rbm-16",
        "energy/rbm-16",
        exact_nats,
        "exact test log-likelihood",
        "at least -144.5 nats",
        lambda v: v >= -144.5,
        THREE,
        shown="{:.2f} nats",
        published="PyDeep -142.56; independent pixels -204.3; scikit-learn at the same rate -206.2; learnergy 2.0.2, 15 epochs, -224.0",
    ),
    Entry(
        "energy/rbm-16, not centred",
        "energy/rbm-16",
        exact_nats,
        "exact test log-likelihood",
        "-151 to -144 nats",
        lambda v: -151 <= v <= -144,
        THREE,
        not_centred,
        shown="{:.2f} nats",
        published="PyDeep -149.05",
    ),
    Entry(
        "energy/rbm-16, not centred, CD-1",
        "energy/rbm-16",
        exact_nats,
        "exact test log-likelihood",
        "no number: what persistent chains are worth",
        lambda v: True,
        THREE,
        lambda recipe: not_centred(recipe).but(loss=nw.CD()),
        shown="{:.2f} nats",
    ),
    Entry(
        "energy/rbm-500",
        "energy/rbm-500",
        from_below,
        "test log-likelihood, the smaller of both bounds",
        "reverse AIS at least -92 nats",
        lambda v: v >= -92,
        (0,),
        shown="{:.2f} nats",
        more=both_bounds,
        published="CD25 -86.34 by AIS alone (Salakhutdinov, Murray 2008); PyDeep, 200 epochs: AIS -84.86, reverse AIS -96.61",
    ),
    Entry(
        "energy/rbm-silhouettes",
        "energy/rbm-silhouettes",
        from_below,
        "test log-likelihood, the smaller of both bounds",
        "beside the published ones",
        lambda v: v >= -120,
        (0,),
        shown="{:.2f} nats",
        more=both_bounds,
        published="500 hidden units, persistent chains: about -120 to -115 (Marlin et al. 2010); 4,000 hidden units: -107.8 (Cho et al. 2013)",
    ),
    Entry(
        "energy/hopfield-digits",
        "energy/hopfield-digits",
        recall,
        "patterns found again, a tenth turned",
        "all",
        lambda v: v == 100,
        (0,),
    ),
    Entry(
        "energy/boltzmann-encoder",
        "energy/boltzmann-encoder",
        encoder_solved,
        "patterns completed",
        "at least 95 %",
        lambda v: v >= 95,
        FIVE,
    ),
    Entry(
        "energy/autoencoder",
        "energy/autoencoder",
        test_r2,
        "share of the test images' variance given back",
        "no number",
        lambda v: True,
        (0,),
    ),
    Entry(
        "energy/variational",
        "energy/variational",
        lower_bound,
        "lower bound of the test log-likelihood",
        "no number",
        lambda v: True,
        (0,),
        shown="{:.2f} nats",
    ),
    Entry(
        "energy/dbn-mnist",
        "energy/dbn-mnist",
        test_error,
        "test error",
        "at most 1.3 %",
        lambda v: v <= 1.3,
        (0,),
        published="1.25 % (Hinton et al. 2006); 1.34 % with 3 x 1000 units (DeepLearningTutorials)",
    ),
    Entry(
        "energy/sdae-mnist",
        "energy/sdae-mnist",
        test_error,
        "test error",
        "at most 1.4 %",
        lambda v: v <= 1.4,
        (0,),
        published="1.28 % (Vincent et al. 2010); 1.3 % with 3 x 1000 units (DeepLearningTutorials)",
    ),
)


def recipe_of(entry: Entry, seed: int) -> nw.Recipe:
    """The recipe of one run: another seed is another draw of everything, and of the split where
    there is one."""
    recipe = entry.change(nw.read_recipe(HERE / f"{entry.file}.toml")).but(seed=seed)
    if entry.peers:
        recipe = recipe.but(data=replace(recipe.data, split_seed=seed))  # type: ignore[type-var]
    return recipe


def run_entry(entry: Entry, threads: int | None) -> None:
    for seed in entry.seeds:
        recipe, kept = recipe_of(entry, seed), read(entry)
        if kept.get(str(seed), {}).get("recipe") == recipe.hash:
            continue
        print(f"{entry.name}, seed {seed}, recipe {recipe.hash}", file=sys.stderr, flush=True)
        began = time.monotonic()
        run = nw.fit(recipe, threads=threads, progress=display())
        if run.history.ended.how == "interrupted":
            raise KeyboardInterrupt  # numbers of half a run are no result
        kept, more = read(entry), entry.more(run)
        value = (
            min(more["AIS"], more["reverse AIS"])
            if entry.measure is from_below
            else entry.measure(run)
        )
        kept[str(seed)] = {
            "recipe": recipe.hash,
            "value": value,
            **({"more": more} if more else {}),
            "seconds": round(run.history.made_by.seconds, 1),
            "seconds_in_all": round(time.monotonic() - began, 1),
            "threads": run.history.made_by.threads,
            "ended": run.history.ended.sentence,
            "date": date.today().isoformat(),
            "versions": dict(run.history.made_by.versions),
            "machine": machine(),
            **({"peers": peers(recipe)} if entry.peers else {}),
        }
        if entry.file == "shakespeare-lstm":
            kept[str(seed)]["sample"] = nw.sample_text(
                run, "ROMEO:\n", 400, temperature=0.8, seed=0
            )
        write(entry, kept)


def peers(recipe: nw.Recipe) -> dict[str, float]:
    """scikit-learn's networks, linear models and forests, on the training and validation parts
    together, scored on the same test part."""
    import warnings

    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    samples = recipe.data.load()
    x, y = (
        np.concatenate([getattr(part, name).numpy() for part in (samples.train, samples.valid)])
        for name in ("x", "y")
    )
    seed = recipe.seed
    if samples.task == "classification":
        models: dict[str, Any] = {
            "MLP": MLPClassifier(random_state=seed),
            "linear": LogisticRegression(max_iter=2000),
            "forest": RandomForestClassifier(random_state=seed, n_jobs=1),
        }
    else:
        y = y.ravel()
        models = {
            "MLP": MLPRegressor(random_state=seed),
            "linear": Ridge(),
            "forest": RandomForestRegressor(random_state=seed, n_jobs=1),
        }
    test_x, test_y = samples.test.x.numpy(), samples.test.y.numpy()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # scikit-learn's MLP stops at 200 passes by default, and says so
        return {
            name: 100
            * float(
                model.fit(x, y).score(
                    test_x, test_y if samples.task == "classification" else test_y.ravel()
                )
            )
            for name, model in models.items()
        }


def machine() -> str:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        model = next(
            (
                line.partition(":")[2].strip()
                for line in info.read_text().splitlines()
                if line.startswith("model name")
            ),
            model,
        )
    return f"{model}, {os.cpu_count()} cores"


def path_of(entry: Entry) -> Path:
    return RESULTS / f"{entry.name.replace(', ', '-').replace(' ', '-').replace('/', '-')}.json"


def read(entry: Entry) -> dict[str, Any]:
    path = path_of(entry)
    return json.loads(path.read_text()) if path.is_file() else {}


def write(entry: Entry, kept: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    write_atomically(path_of(entry), json.dumps(kept, indent=1, sort_keys=True) + "\n")


def valid_results(entry: Entry) -> dict[str, Any]:
    """Results whose recipe is the present one."""
    kept = read(entry)
    return {
        str(seed): kept[str(seed)]
        for seed in entry.seeds
        if kept.get(str(seed), {}).get("recipe") == recipe_of(entry, seed).hash
    }


def table() -> str:
    lines = [
        "| recipe | measured | to reach | reached | seeds | seconds a run | threads | recipe's hash | date | published, and others measured here |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    notes: list[str] = []
    for entry in ENTRIES:
        found = valid_results(entry)
        if not found:
            lines.append(
                f"| {entry.name} | not run yet | {entry.goal} | | {len(entry.seeds)} | | | | | {entry.published} |"
            )
            continue
        values = [each["value"] for each in found.values()]
        mean = statistics.fmean(values)
        spread = (
            f" ({entry.shown.format(min(values))} to {entry.shown.format(max(values))})"
            if len(values) > 1
            else ""
        )
        seconds = statistics.fmean(each["seconds"] for each in found.values())
        ok = (
            "yes"
            if entry.reached(mean) and (not entry.minutes or seconds <= 60 * entry.minutes)
            else "no"
        )
        told = f"{entry.says} {entry.shown.format(mean)}{spread}"
        if entry.pairs_with:
            other = valid_results(next(each for each in ENTRIES if each.name == entry.pairs_with))
            both = [found[seed]["value"] - other[seed]["value"] for seed in found if seed in other]
            if both:
                told += f"; paired gain {statistics.fmean(both):+.2f} points ({min(both):+.2f} to {max(both):+.2f})"
        if entry.peers:
            names = list(next(iter(found.values()))["peers"])
            means = {
                name: statistics.fmean(each["peers"][name] for each in found.values())
                for name in names
            }
            best = max(means, key=lambda name: means[name])
            ok = "yes" if mean >= means[best] - 0.5 else "no"
            told += "; scikit-learn's " + ", ".join(
                f"{name} {value:.2f}" for name, value in means.items()
            )
        first = next(iter(found.values()))
        if "more" in first:
            told += "; " + ", ".join(
                f"{name} {entry.shown.format(statistics.fmean(e['more'][name] for e in found.values()))}"
                for name in first["more"]
            )
        made = f"{seconds:.0f} | {first['threads']} | `{first['recipe']}` | {first['date']}"
        lines.append(
            f"| {entry.name} | {told} | {entry.goal} | {ok} | {len(values)} | {made} | {entry.published} |"
        )
        if "sample" in first:
            quoted = "\n".join(f"    {line}".rstrip() for line in first["sample"].splitlines())
            notes.append(
                f"What {entry.name} writes after `ROMEO:`, at temperature 0.8:\n\n{quoted}\n"
            )
    machines = sorted(
        {each["machine"] for entry in ENTRIES for each in valid_results(entry).values()}
    )
    versions = sorted(
        {
            json.dumps(each["versions"])
            for entry in ENTRIES
            for each in valid_results(entry).values()
        }
    )
    told_versions = "; ".join(
        ", ".join(f"{k} {v}" for k, v in json.loads(each).items()) for each in versions
    )
    return "\n".join(
        [*lines, "", f"Machine: {'; '.join(machines)}. Versions: {told_versions}.", "", *notes]
    )


def write_table() -> None:
    page = HERE / "README.md"
    head, mark, _ = page.read_text().partition("<!-- the table, by measure.py -->")
    write_atomically(page, f"{head}{mark}\n\n{table()}")
    print(f"The table is in {page}.")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    torch.set_num_threads(given.threads or os.cpu_count() or 1)
    known = {entry.name: entry for entry in ENTRIES}
    unknown = [name for name in given.names if name not in known]
    if unknown:
        parser.error(f"no recipe called {unknown[0]}. There are: {'; '.join(known)}")
    for entry in ENTRIES if given.all else [known[name] for name in given.names]:
        run_entry(entry, given.threads)
    if given.table or given.names or given.all:
        write_table()
    else:
        for entry in ENTRIES:
            print(
                f"{entry.name}: {len(valid_results(entry))} of {len(entry.seeds)} seeds; to reach: {entry.goal}"
            )


if __name__ == "__main__":
    main()

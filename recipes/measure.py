"""Runs the recipes of this folder with several seeds, records the results in `results/`, and writes
the table in README.md.

    python recipes/measure.py                  list the entries and their recorded seeds
    python recipes/measure.py NAME ...         run these with the seeds that have no result yet
    python recipes/measure.py --all            run all of them
    python recipes/measure.py --table          write the table without running anything

A result is recorded with the hash of its recipe. After a change of the recipe its old results are
ignored.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

import netwise as nw
from netwise.atomic import write_atomically
from netwise.cli.display import display
from netwise.labs.published import MEASURED, published_numbers

HERE = Path(__file__).parent
RESULTS = HERE / "results"
TABLE_MARK = "<!-- the table, by measure.py -->"

Measure = Callable[[nw.Run], float]
Result = dict[str, Any]  # one run, as it is recorded

# What is measured of a run.


def score_percent(run: nw.Run) -> float:
    """The score of the test part in %: accuracy, R², or patterns recalled."""
    assert run.score is not None
    return 100 * run.score.value


def error_percent(run: nw.Run) -> float:
    return 100 - score_percent(run)


def best_epoch_percent(run: nw.Run) -> float:
    """The best validation accuracy of any epoch, which is what Nielsen's book reports."""
    series = run.history.of("valid.accuracy")
    assert series is not None
    return 100 * max(series.values)


def epochs_to_85(run: nw.Run) -> float:
    """Epochs until the validation accuracy is 85 %; one more than there are where it is not."""
    series = run.history.of("valid.accuracy")
    values = [] if series is None else series.values
    reached = (epoch for epoch, value in enumerate(values, start=1) if value >= 0.85)
    return float(next(reached, run.recipe.epochs + 1))


def lowest_valid_loss(run: nw.Run) -> float:
    series = run.history.of("valid.loss")
    assert series is not None
    return min(series.values)


def exact_nats(run: nw.Run) -> float:
    """Mean log-likelihood of the test part by a sum over all states."""
    assert run.score is not None
    assert run.score.how == "exact", run.score
    return run.score.value


def both_bounds(run: nw.Run) -> dict[str, float]:
    """Mean log-likelihood of the test part with ln Z estimated from below by AIS and from above by
    reverse AIS: 500 chains and 10,000 temperatures each."""
    samples = run.recipe.data.load()
    g = torch.Generator().manual_seed(run.recipe.seed)
    rows = torch.randperm(len(samples.train), generator=g)[:500]
    estimates = {
        "AIS": nw.energy.ais(run.module, chains=500, temperatures=10_000),
        "reverse AIS": nw.energy.reverse_ais(
            run.module, samples.train.x[rows], temperatures=10_000, burn_in=2000
        ),
    }
    values = {}
    for name, estimate in estimates.items():
        nats = nw.energy.log_likelihood(run.module, samples.test.x, log_z=estimate.log_z)
        values[name] = float(nats.mean())
        values[f"{name}, 3 standard errors"] = 3 * estimate.error
    return values


def smaller_bound(run: nw.Run) -> float:
    """Placeholder: `record_run` takes the smaller value of `both_bounds`, which takes minutes."""
    return math.nan


def encoder_percent(run: nw.Run) -> float:
    """Share in % of the patterns of an encoder problem whose second half is completed correctly
    from the first."""
    units = run.module.visible // 2
    patterns = torch.eye(units).repeat(1, 2)
    known = torch.arange(2 * units) < units
    completed = run.module.complete(patterns, known, steps=400)[:, units:].argmax(1)
    return 100 * float((completed == torch.arange(units)).float().mean())


def evidence_lower_bound(run: nw.Run) -> float:
    """Mean lower bound of ln p of the test images, with one draw of the code for each."""
    samples = run.recipe.data.load()
    torch.manual_seed(run.recipe.seed)
    with torch.no_grad():
        return -float(run.module.cost(samples.test.x, samples.test.x.flatten(1)))


# Variants of the recipe in a file.


def with_penalty(recipe: nw.Recipe) -> nw.Recipe:
    return recipe.but(penalty=nw.L2(strength=1e-4))


def shortened(recipe: nw.Recipe) -> nw.Recipe:
    return recipe.but(epochs=4, schedule=nw.Milestones(epochs=(2, 3)))


def not_centred(recipe: nw.Recipe) -> nw.Recipe:
    return recipe.but(network=recipe.network.but(centred=False))


# The rows of the table.

NATS = "{:.2f} nats"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the table.

    Args:
        name: of the row.
        file: of the recipe, without its ending. Default: the name.
        measure: what is measured of each run.
        label: the name of the measure, for people.
        goal: the goal in words.
        low, high: the goal as a range of the mean over seeds.
        seeds: of the recipe; with `peers` also of the split of the data.
        variant: changes the recipe of the file.
        peers: also train scikit-learn's models on the same parts; the goal is then their best mean
            minus half a point.
        text: how a value is printed.
        baseline: name of another entry that this one is compared with, seed by seed.
        max_minutes: a goal for the time of a run on two cores; 0: none.
        extra: further numbers of a run, which are recorded and shown beside the measure.
        published: published numbers, and others measured here.
        for_gpu: it takes hours on two cores, and may have no result yet.
    """

    name: str
    measure: Measure
    label: str
    goal: str
    file: str = ""
    low: float = -math.inf
    high: float = math.inf
    seeds: tuple[int, ...] = (0,)
    variant: Callable[[nw.Recipe], nw.Recipe] = field(default=lambda recipe: recipe)
    peers: bool = False
    text: str = "{:.2f} %"
    baseline: str = ""
    max_minutes: float = 0.0
    extra: Callable[[nw.Run], dict[str, Any]] = field(default=lambda run: {})
    published: str = ""
    for_gpu: bool = False

    @property
    def recipe_file(self) -> Path:
        return HERE / f"{self.file or self.name}.toml"


THREE, FIVE = (0, 1, 2), (0, 1, 2, 3, 4)
SCIKIT_LEARN_GOAL = "scikit-learn's best - 0.5 points"

NIELSEN = tuple(
    Entry(
        name=name,
        file=file,
        measure=best_epoch_percent,
        label="best epoch's test accuracy",
        goal=goal,
        low=low,
        high=high,
        seeds=seeds,
        variant=with_penalty if "lambda" in name else lambda recipe: recipe,
        baseline=file if "lambda" in name else "",
    )
    for name, file, goal, low, high, seeds in (
        ("nielsen-1000", "nielsen-1000", "80.5 to 84.5 %", 80.5, 84.5, FIVE),
        (
            "nielsen-1000, lambda 0.1",
            "nielsen-1000",
            "86.5 to 88.5 %, 3 points above",
            86.5,
            88.5,
            FIVE,
        ),
        ("nielsen-50000", "nielsen-50000", "95.2 to 95.7 %", 95.2, 95.7, THREE),
        ("nielsen-50000, lambda 5", "nielsen-50000", "96.0 to 96.7 %", 96.0, 96.7, THREE),
    )
)

IMAGES_AND_TEXT = (
    Entry(
        name="mnist-mlp-tanh",
        measure=error_percent,
        label="test error",
        goal="at most 1.5 %, within 5 minutes",
        high=1.5,
        seeds=THREE,
        max_minutes=5,
    ),
    Entry(
        name="mnist-lenet5",
        measure=error_percent,
        label="test error",
        goal="at most 0.9 %",
        high=0.9,
        seeds=THREE,
    ),
    Entry(
        name="mnist-lenet5-augmented",
        measure=error_percent,
        label="test error",
        goal="at most 0.6 %",
        high=0.6,
        seeds=(0, 1),
    ),
    Entry(
        name="mnist-maxout",
        measure=error_percent,
        label="test error",
        goal="at most 1.1 %",
        high=1.1,
    ),
    Entry(
        name="mnist-lenet5-average",
        measure=error_percent,
        label="test error",
        goal="at most 0.8 %",
        high=0.8,
        seeds=FIVE,
    ),
    Entry(
        name="mnist-lenet5-augmented-long",
        for_gpu=True,
        measure=error_percent,
        label="test error",
        goal="at most 0.45 %",
        high=0.45,
        seeds=THREE,
    ),
    Entry(
        name="mnist-maxout-long",
        measure=error_percent,
        label="test error",
        goal="at most 0.94 %",
        high=0.94,
        published="0.94 % (Goodfellow et al. 2013)",
    ),
    Entry(
        name="cifar10-resnet20-short",
        for_gpu=True,
        measure=score_percent,
        label="test accuracy",
        goal="at least 91 %",
        low=91,
        published="91.25 % in 182 epochs (He et al. 2016)",
    ),
    *(
        Entry(
            name=f"mnist-deep-lsuv{name}",
            file="mnist-deep-lsuv",
            measure=epochs_to_85,
            label="epochs to 85 %",
            goal="none: three ways to start",
            seeds=FIVE,
            text="{:.1f}",
            variant=variant,
            published="LSUV learns at least as fast as He and orthogonal (Mishkin, Matas 2016)",
        )
        for name, variant in (
            ("", lambda recipe: recipe),
            (", He", lambda recipe: recipe.but(init=nw.He())),
            (", orthogonal", lambda recipe: recipe.but(init=nw.Orthogonal(gain=math.sqrt(2)))),
        )
    ),
    Entry(
        name="fashion-cnn",
        measure=score_percent,
        label="test accuracy",
        goal="at least 93 %, within 30 minutes",
        low=93,
        max_minutes=30,
    ),
    Entry(
        name="cifar10-quick",
        measure=score_percent,
        label="test accuracy",
        goal="at least 80 %, within 30 minutes",
        low=80,
        max_minutes=30,
    ),
    Entry(
        name="cifar10-resnet20, 4 epochs",
        file="cifar10-resnet20",
        measure=score_percent,
        label="test accuracy",
        goal="none: the paper's schedule, shortened from 182 epochs to 4",
        variant=shortened,
    ),
    Entry(
        name="shakespeare-lstm",
        measure=lowest_valid_loss,
        label="validation loss",
        goal="at most 1.65 nats, within 30 minutes",
        high=1.65,
        text="{:.3f} nats",
        max_minutes=30,
    ),
)

TABLES = tuple(
    Entry(
        name=name,
        measure=score_percent,
        label="test R²" if name == "california-housing" else "test accuracy",
        goal=SCIKIT_LEARN_GOAL,
        seeds=FIVE,
        peers=True,
    )
    for name in ("adult", "letter", "spambase", "sonar", "california-housing")
)

ENERGY_MODELS = (
    Entry(
        name="energy/rbm-16",
        measure=exact_nats,
        label="exact test log-likelihood",
        goal="at least -144.5 nats",
        low=-144.5,
        seeds=THREE,
        text=NATS,
        published="PyDeep -142.56; independent pixels -204.3; scikit-learn at the same rate "
        "-206.2; learnergy 2.0.2, 15 epochs, -224.0",
    ),
    Entry(
        name="energy/rbm-16-cosine",
        measure=exact_nats,
        label="exact test log-likelihood",
        goal="at least -142.0 nats",
        low=-142.0,
        seeds=(0, 1),
        text=NATS,
        published="PyDeep -142.56",
    ),
    Entry(
        name="energy/rbm-16, not centred",
        file="energy/rbm-16",
        measure=exact_nats,
        label="exact test log-likelihood",
        goal="-151 to -144 nats",
        low=-151,
        high=-144,
        seeds=THREE,
        variant=not_centred,
        text=NATS,
        published="PyDeep -149.05",
    ),
    Entry(
        name="energy/rbm-16, not centred, CD-1",
        file="energy/rbm-16",
        measure=exact_nats,
        label="exact test log-likelihood",
        goal="none: shows the gain of persistent chains",
        seeds=THREE,
        variant=lambda recipe: not_centred(recipe).but(loss=nw.CD()),
        text=NATS,
    ),
    Entry(
        name="energy/rbm-500",
        measure=smaller_bound,
        label="test log-likelihood, the smaller of both bounds",
        goal="reverse AIS at least -92 nats",
        low=-92,
        text=NATS,
        extra=both_bounds,
        published="CD25 -86.34 by AIS alone (Salakhutdinov, Murray 2008); PyDeep, 200 epochs: AIS "
        "-84.86, reverse AIS -96.61",
    ),
    Entry(
        name="energy/rbm-silhouettes",
        measure=smaller_bound,
        label="test log-likelihood, the smaller of both bounds",
        goal="at least -120 nats",
        low=-120,
        text=NATS,
        extra=both_bounds,
        published="500 hidden units, persistent chains: about -120 to -115 (Marlin et al. 2010); "
        "4,000 hidden units: -107.8 (Cho et al. 2013)",
    ),
    Entry(
        name="energy/hopfield-digits",
        measure=score_percent,
        label="patterns recalled exactly with a tenth of the units flipped",
        goal="all",
        low=100,
    ),
    Entry(
        name="energy/boltzmann-encoder",
        measure=encoder_percent,
        label="patterns completed",
        goal="at least 95 %",
        low=95,
        seeds=FIVE,
    ),
    Entry(
        name="energy/autoencoder",
        measure=score_percent,
        label="R² of the reconstructed test images",
        goal="none",
    ),
    Entry(
        name="energy/variational",
        measure=evidence_lower_bound,
        label="lower bound of the test log-likelihood",
        goal="none",
        text=NATS,
    ),
    Entry(
        name="energy/dbn-mnist",
        measure=error_percent,
        label="test error",
        goal="at most 1.3 %",
        high=1.3,
        published="1.25 % (Hinton et al. 2006); 1.34 % with 3 x 1000 units (DeepLearningTutorials)",
    ),
    Entry(
        name="energy/sdae-mnist",
        measure=error_percent,
        label="test error",
        goal="at most 1.4 %",
        high=1.4,
        published="1.28 % (Vincent et al. 2010); 1.3 % with 3 x 1000 units (DeepLearningTutorials)",
    ),
    Entry(
        name="energy/sdae-mnist-long",
        for_gpu=True,
        measure=error_percent,
        label="test error",
        goal="at most 1.28 %",
        high=1.28,
        published="1.28 % (Vincent et al. 2010)",
    ),
)

ENTRIES = (*NIELSEN, *IMAGES_AND_TEXT, *TABLES, *ENERGY_MODELS)

# Running and recording.


def recipe_of(entry: Entry, seed: int) -> nw.Recipe:
    """The recipe of one run. With `peers` the seed also draws the split of the data."""
    recipe = entry.variant(nw.read_recipe(entry.recipe_file)).but(seed=seed)
    if entry.peers:
        recipe = recipe.but(data=replace(recipe.data, split_seed=seed))  # type: ignore[type-var]
    return recipe


def run_entry(entry: Entry, threads: int | None, device: str = "cpu") -> None:
    """Run an entry with each seed that has no result of the present recipe, and record it."""
    for seed in entry.seeds:
        recipe = recipe_of(entry, seed)
        if read(entry).get(str(seed), {}).get("recipe") == recipe.hash:
            continue
        print(f"{entry.name}, seed {seed}, recipe {recipe.hash}", file=sys.stderr, flush=True)
        result = measure_run(entry, recipe, threads, device)
        write(entry, {**read(entry), str(seed): result})


def measure_run(entry: Entry, recipe: nw.Recipe, threads: int | None, device: str) -> Result:
    """Train one recipe and measure it.

    Raises:
        KeyboardInterrupt: the run was interrupted; a part of a run has no result.
    """
    started = time.monotonic()
    run = nw.fit(recipe, threads=threads, device=device, progress=display())
    if run.history.ended.how == "interrupted":
        raise KeyboardInterrupt
    extra = entry.extra(run)
    if entry.measure is smaller_bound:
        value = min(extra["AIS"], extra["reverse AIS"])
    else:
        value = entry.measure(run)
    result: Result = {
        "recipe": recipe.hash,
        "value": value,
        "seconds": round(run.history.made_by.seconds, 1),
        "seconds_in_all": round(time.monotonic() - started, 1),
        "threads": run.history.made_by.threads,
        "ended": run.history.ended.sentence,
        "date": date.today().isoformat(),
        "versions": dict(run.history.made_by.versions),
        "machine": machine(device),
    }
    if extra:
        result["more"] = extra
    if entry.peers:
        result["peers"] = peer_scores(recipe)
    if entry.name == "shakespeare-lstm":
        result["sample"] = nw.sample_text(run, "ROMEO:\n", 400, temperature=0.8, seed=0)
    return result


def peer_scores(recipe: nw.Recipe) -> dict[str, float]:
    """Scores in % of scikit-learn's networks, linear models and forests, trained on the training
    and validation parts together, on the same test part."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    samples, seed = recipe.data.load(), recipe.seed
    both = (samples.train, samples.valid)
    x = np.concatenate([part.x.numpy() for part in both])
    y = np.concatenate([part.y.numpy() for part in both])
    test_x, test_y = samples.test.x.numpy(), samples.test.y.numpy()
    models: dict[str, Any]
    if samples.classes:
        models = {
            "MLP": MLPClassifier(random_state=seed),
            "linear": LogisticRegression(max_iter=2000),
            "forest": RandomForestClassifier(random_state=seed, n_jobs=1),
        }
    else:
        y, test_y = y.ravel(), test_y.ravel()
        models = {
            "MLP": MLPRegressor(random_state=seed),
            "linear": Ridge(),
            "forest": RandomForestRegressor(random_state=seed, n_jobs=1),
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLPs warn that their default of 200 epochs is too few
        return {
            name: 100 * float(model.fit(x, y).score(test_x, test_y))
            for name, model in models.items()
        }


def machine(device: str) -> str:
    """The processor's name and number of cores, or the name of another device."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = (line.partition(":") for line in info.read_text().splitlines())
        names = (value.strip() for key, _, value in lines if key.startswith("model name"))
        model = next(names, model)
    return f"{model}, {os.cpu_count()} cores"


def path_of(entry: Entry) -> Path:
    return RESULTS / f"{entry.name.replace(', ', '-').replace(' ', '-').replace('/', '-')}.json"


def read(entry: Entry) -> dict[str, Result]:
    """All recorded results of an entry, by seed."""
    path = path_of(entry)
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def write(entry: Entry, results: Mapping[str, Result]) -> None:
    RESULTS.mkdir(exist_ok=True)
    write_atomically(path_of(entry), json.dumps(results, indent=1, sort_keys=True) + "\n")


def valid_results(entry: Entry) -> dict[str, Result]:
    """The results whose recipe is the present one, by seed."""
    results = read(entry)
    return {
        str(seed): results[str(seed)]
        for seed in entry.seeds
        if results.get(str(seed), {}).get("recipe") == recipe_of(entry, seed).hash
    }


# The table.

HEADER = (
    "recipe",
    "measured",
    "goal",
    "reached",
    "seeds",
    "seconds a run",
    "threads",
    "recipe's hash",
    "date",
    "published, and others measured here",
)


def mean_of(results: Mapping[str, Result], key: str = "value") -> float:
    return fmean(result[key] for result in results.values())


def peer_means(results: Mapping[str, Result]) -> dict[str, float]:
    rows = [result["peers"] for result in results.values()]
    return {name: fmean(row[name] for row in rows) for name in rows[0]}


def is_reached(entry: Entry, results: Mapping[str, Result]) -> bool | None:
    """Whether the mean over seeds reaches the goal, in the time where the goal names one; None
    where there is no goal."""
    if entry.goal.startswith("none"):
        return None
    mean = mean_of(results)
    if entry.peers:
        return mean >= max(peer_means(results).values()) - 0.5
    in_time = not entry.max_minutes or mean_of(results, "seconds") <= 60 * entry.max_minutes
    return entry.low <= mean <= entry.high and in_time


def measured_text(entry: Entry, results: Mapping[str, Result]) -> str:
    """The mean with its range over seeds, and what it is compared with."""
    values = [result["value"] for result in results.values()]
    text = f"{entry.label} {entry.text.format(fmean(values))}"
    if len(values) > 1:
        text += f" ({entry.text.format(min(values))} to {entry.text.format(max(values))})"
    texts = [text]
    if entry.baseline:
        others = valid_results(next(other for other in ENTRIES if other.name == entry.baseline))
        gains = [
            results[seed]["value"] - others[seed]["value"] for seed in results if seed in others
        ]
        if gains:
            texts.append(
                f"paired gain {fmean(gains):+.2f} points ({min(gains):+.2f} to {max(gains):+.2f})"
            )
    if entry.peers:
        means = peer_means(results).items()
        texts.append("scikit-learn's " + ", ".join(f"{name} {mean:.2f}" for name, mean in means))
    extras = [result["more"] for result in results.values() if "more" in result]
    if extras:
        means = ((name, fmean(extra[name] for extra in extras)) for name in extras[0])
        texts.append(", ".join(f"{name} {entry.text.format(mean)}" for name, mean in means))
    return "; ".join(texts)


def row(entry: Entry) -> str:
    results = valid_results(entry)
    if not results:
        cells = [entry.name, "not run yet", entry.goal, "", str(len(entry.seeds)), *[""] * 4]
    else:
        first = next(iter(results.values()))
        cells = [
            entry.name,
            measured_text(entry, results),
            entry.goal,
            {True: "yes", False: "no", None: ""}[is_reached(entry, results)],
            str(len(results)),
            f"{mean_of(results, 'seconds'):.0f}",
            str(first["threads"]),
            f"`{first['recipe']}`",
            first["date"],
        ]
    return f"| {' | '.join([*cells, entry.published])} |"


def table() -> str:
    """The rows, the machines and versions of all results, and samples of text."""
    results = [(entry, result) for entry in ENTRIES for result in valid_results(entry).values()]
    machines = sorted({result["machine"] for _, result in results})
    versions = sorted({json.dumps(result["versions"]) for _, result in results})
    version_texts = [
        ", ".join(f"{name} {version}" for name, version in json.loads(text).items())
        for text in versions
    ]
    return "\n".join(
        [
            f"| {' | '.join(HEADER)} |",
            f"|{' --- |' * len(HEADER)}",
            *(row(entry) for entry in ENTRIES),
            "",
            f"Machine: {'; '.join(machines)}. Versions: {'; '.join(version_texts)}.",
            "",
            *(text_sample(entry, result) for entry, result in results if "sample" in result),
        ]
    )


def text_sample(entry: Entry, result: Result) -> str:
    lines = "\n".join(f"    {line}".rstrip() for line in result["sample"].splitlines())
    return f"What {entry.name} writes after `ROMEO:`, at temperature 0.8:\n\n{lines}\n"


def write_published() -> None:
    """The results that `netwise published` shows, with the package: it has no `recipes/`."""
    wanted = {number.run for number in published_numbers().values()}
    content = {}
    for entry in ENTRIES:
        results = valid_results(entry)
        if entry.name in wanted and results:
            first = next(iter(results.values()))
            content[entry.name] = {
                "values": {seed: result["value"] for seed, result in results.items()},
                "seconds": round(mean_of(results, "seconds"), 1),
                **{name: first[name] for name in ("recipe", "date", "versions", "machine")},
            }
    write_atomically(MEASURED, json.dumps(content, indent=1) + "\n")


def write_table() -> None:
    write_published()
    page = HERE / "README.md"
    head, mark, _ = page.read_text("utf-8").partition(TABLE_MARK)
    write_atomically(page, f"{head}{mark}\n\n{table()}")
    print(f"The table is in {page}.")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="entries to run")
    parser.add_argument("--all", action="store_true", help="run all entries")
    parser.add_argument("--table", action="store_true", help="write the table")
    parser.add_argument("--threads", type=int, help="of a run; default: all cores")
    parser.add_argument("--device", default="cpu", help="of torch, such as cuda; default: cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads or os.cpu_count() or 1)
    entries = {entry.name: entry for entry in ENTRIES}
    unknown = [name for name in options.names if name not in entries]
    if unknown:
        parser.error(f"unknown entry {unknown[0]!r}. Write one of: {'; '.join(entries)}")
    for entry in ENTRIES if options.all else [entries[name] for name in options.names]:
        run_entry(entry, options.threads, options.device)
    if options.table or options.names or options.all:
        write_table()
    else:
        for entry in ENTRIES:
            seeds = f"{len(valid_results(entry))} of {len(entry.seeds)} seeds"
            print(f"{entry.name}: {seeds}; goal: {entry.goal}")


if __name__ == "__main__":
    main()

"""Scores of NetClassifier and NetRegressor beside scikit-learn's models, all with defaults.

    python benchmarks/estimators.py               print the table
    python benchmarks/estimators.py --json FILE   also write the numbers, and the table as Markdown

Nothing is tuned: models that need it have a StandardScaler (netwise standardises by itself). Each
of five seeds draws another quarter of a data set as its test part. Of large sets, 15,000 samples
are drawn first, the same for all. Also full MNIST with one hidden layer of 256: seconds and
accuracy beside scikit-learn's MLP in the same run. Sets that need files in `NETWISE_DATA` are left
out where it is not set.
"""

from __future__ import annotations

import json
import platform
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn import datasets
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import netwise as nw
from netwise.errors import DataMissing
from netwise.estimators import NetClassifier, NetRegressor
from netwise.training.threads import cores

SEEDS = range(5)
MOST_ROWS = 15_000
OURS, MLP, LINEAR = "netwise", "scikit-learn MLP", "logistic or ridge"

HEAD = """# Defaults beside scikit-learn's

Mean score times 100 (accuracy, or R² of diabetes and california_housing) over five splits, from
`python benchmarks/estimators.py --json benchmarks/estimators.json`; versions and seconds are in
that file. The defaults were chosen on other splits of the same sets.

"""

Task = tuple[np.ndarray, np.ndarray, bool]  # inputs, targets, whether targets are classes

CLASSIFIERS: dict[str, Callable[[int], Any]] = {
    OURS: lambda seed: NetClassifier(random_state=seed),
    MLP: lambda seed: make_pipeline(StandardScaler(), MLPClassifier(random_state=seed)),
    LINEAR: lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    "random forest": lambda seed: RandomForestClassifier(random_state=seed, n_jobs=1),
    "gradient boosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
}
REGRESSORS: dict[str, Callable[[int], Any]] = {
    OURS: lambda seed: NetRegressor(random_state=seed),
    MLP: lambda seed: make_pipeline(StandardScaler(), MLPRegressor(random_state=seed)),
    LINEAR: lambda seed: make_pipeline(StandardScaler(), Ridge()),
    "random forest": lambda seed: RandomForestRegressor(random_state=seed, n_jobs=1),
    "gradient boosting": lambda seed: HistGradientBoostingRegressor(random_state=seed),
}


def tasks() -> dict[str, Task]:
    """Inputs and targets of each set."""
    by_name: dict[str, Task] = {}
    for name in ("iris", "wine", "breast_cancer", "digits"):
        by_name[name] = (*getattr(datasets, f"load_{name}")(return_X_y=True), True)
    by_name["diabetes"] = (*datasets.load_diabetes(return_X_y=True), False)
    for name in ("sonar", "spambase", "letter", "adult", "usps", "california_housing"):
        try:
            by_name[name] = arrays_of(nw.data.DATA[name]())
        except DataMissing as error:
            print(f"{name} is left out: {str(error).splitlines()[0]}", file=sys.stderr)
    return by_name


def arrays_of(source: nw.data.Data) -> Task:
    """All parts of a netwise data set together; of large ones a random 15,000 samples."""
    samples = source.load()
    parts = [part for part in (samples.train, samples.valid, samples.test) if len(part)]
    x = torch.cat([part.x for part in parts]).flatten(1).numpy().astype(float)
    y = torch.cat([part.y for part in parts]).numpy()
    rows = np.random.default_rng(0).permutation(len(x))[:MOST_ROWS]
    classes = bool(samples.classes)
    return x[rows], y[rows] if classes else y[rows, 0].astype(float), classes


def score_over_seeds(
    task: Task, make: Callable[[int], Any], seeds: Any = SEEDS
) -> tuple[list[float], float]:
    """(score on each seed's test part, seconds of all fits): accuracy or R²."""
    x, y, classes = task
    scores, seconds = [], 0.0
    for seed in seeds:
        x1, x2, y1, y2 = train_test_split(
            x, y, test_size=0.25, random_state=seed, stratify=y if classes else None
        )
        started = time.perf_counter()
        fitted = make(seed).fit(x1, y1)
        seconds += time.perf_counter() - started
        scores.append(float(fitted.score(x2, y2)))
    return scores, seconds


def mnist() -> dict[str, dict[str, float]]:
    """Full MNIST with one hidden layer of 256: seconds and accuracy of both MLPs."""
    samples = nw.data.mnist().load()
    x = torch.cat([samples.train.x, samples.valid.x]).flatten(1).numpy()
    y = torch.cat([samples.train.y, samples.valid.y]).numpy()
    x2, y2 = samples.test.x.flatten(1).numpy(), samples.test.y.numpy()
    results = {}
    for name, model in (
        (OURS, NetClassifier((256,), random_state=0)),
        (MLP, MLPClassifier((256,), random_state=0)),
    ):
        started = time.perf_counter()
        model.fit(x, y)
        results[name] = {
            "seconds": time.perf_counter() - started,
            "accuracy": float(model.score(x2, y2)),
            "epochs": float(model.n_iter_),
        }
    return results


def ranks(row: dict[str, list[float]]) -> dict[str, float]:
    """Rank of each estimator by its mean score, from 1; equal scores share their mean rank."""
    from scipy.stats import rankdata

    names = list(row)
    return dict(zip(names, rankdata([-fmean(row[name]) for name in names]), strict=True))


def table(scores: dict[str, dict[str, list[float]]]) -> list[str]:
    """Markdown: mean score times 100 of each estimator on each set, then the mean and mean rank."""
    names = list(CLASSIFIERS)
    lines = ["| set | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for title, row in scores.items():
        best = max(fmean(values) for values in row.values())
        cells = [
            f"**{100 * fmean(row[n]):.2f}**"
            if fmean(row[n]) == best
            else f"{100 * fmean(row[n]):.2f}"
            for n in names
        ]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines.append(
        "| mean | "
        + " | ".join(f"{100 * fmean(fmean(row[n]) for row in scores.values()):.2f}" for n in names)
        + " |"
    )
    lines.append(
        "| mean rank | "
        + " | ".join(f"{fmean(ranks(row)[n] for row in scores.values()):.2f}" for n in names)
        + " |"
    )
    return lines


def losses(scores: dict[str, dict[str, list[float]]]) -> list[str]:
    """Every set on which netwise is worse than the better of scikit-learn's MLP and the linear
    model."""
    lines = []
    for title, row in scores.items():
        behind = fmean(row[OURS]) - max(fmean(row[MLP]), fmean(row[LINEAR]))
        if behind < 0:
            better = MLP if fmean(row[MLP]) > fmean(row[LINEAR]) else LINEAR
            lines.append(f"{title}: {100 * behind:+.2f} points beside {better}")
    return lines


def main(arguments: list[str]) -> None:
    warnings.simplefilter("ignore")
    scores: dict[str, dict[str, list[float]]] = {}
    seconds: dict[str, dict[str, float]] = {}
    for title, task in tasks().items():
        scores[title], seconds[title] = {}, {}
        for name, make in (CLASSIFIERS if task[2] else REGRESSORS).items():
            scores[title][name], seconds[title][name] = score_over_seeds(task, make)
        print(
            title,
            {name: round(100 * fmean(values), 2) for name, values in scores[title].items()},
            flush=True,
        )
    try:
        digits = mnist()
    except DataMissing:
        digits = {}
    lines = [*table(scores), "", *(f"- {line}" for line in losses(scores))]
    if digits:
        lines += [
            "",
            *(
                f"- MNIST, {name}: {100 * row['accuracy']:.2f} % in {row['seconds']:.0f} s, "
                f"{row['epochs']:.0f} epochs"
                for name, row in digits.items()
            ),
        ]
    print("\n".join(lines))
    if arguments[:1] == ["--json"]:
        versions = {"torch": torch.__version__, "scikit-learn": sklearn.__version__}
        made = {
            "date": date.today().isoformat(),
            "machine": platform.machine(),
            "cores": cores(),
            **versions,
        }
        path = Path(arguments[1])
        path.write_text(
            json.dumps({**made, "scores": scores, "seconds": seconds, "mnist": digits}, indent=1)
            + "\n"
        )
        path.with_suffix(".md").write_text(HEAD + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

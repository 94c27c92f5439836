"""Runs the rows of the table and keeps their results, each with the hash of its recipe."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

import netwise as nw
from netwise.atomic import write_atomically
from netwise.cli.display import display
from recipes.entries import HERE, Entry, recipe_of
from recipes.measures import smaller_bound

RESULTS = HERE / "results"

Result = dict[str, Any]  # one run, as it is recorded


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

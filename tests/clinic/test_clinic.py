"""A few of the clinic's runs, watched step by step: sick ones are named, healthy ones pass in
silence. The whole clinic is measured by `scripts/clinic`."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.no_cover  # rules have tests of their own

# One of each kind of fault, all below a second.
NAMED = {
    "no_zero_grad",
    "labels_shuffled",
    "double_softmax",
    "lr_high_sgd",
    "optimizer_before_head",
    "zero_init",
    "vanishing_sigmoid",
    "inputs_x1000",
    "overfit_50",
}
HEALTHY = 4  # of the first programs, in the order of the clinic
REPAIRED = 3


def rows(suite: Path, group: str, names: set[str] | int) -> list[dict[str, object]]:
    """What the scorer of the clinic says of runs of a group: those of these names, or the first
    ones."""
    import score  # of the clinic's folder
    import torch

    adapter = score.load_file(Path(__file__).with_name("adapter.py"))
    known = [each for each in score.load_suite(suite) if each.group == group and each.counts]
    few = known[:names] if isinstance(names, int) else [k for k in known if k.id in names]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found: list[dict[str, object]] = score.run(few, adapter.diagnose)
    finally:
        torch.set_num_threads(before)
    assert len(found) == (names if isinstance(names, int) else len(names))
    return found


@pytest.mark.clinic
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("suite", "group", "count"),
    [("cases.py", "healthy", HEALTHY), ("real_bugs.py", "fixed", REPAIRED)],
    ids=["healthy", "repaired"],
)
def test_healthy_runs_pass_in_silence(clinic: Path, suite: str, group: str, count: int) -> None:
    seen = rows(clinic / suite, group, count)
    assert [(row["id"], row["said"]) for row in seen if row["verdict"] != "ok"] == []


@pytest.mark.clinic
@pytest.mark.filterwarnings("ignore")
def test_sick_runs_are_named_and_nothing_false_is_said(clinic: Path) -> None:
    seen = rows(clinic / "cases.py", "sick", NAMED)
    assert {row["id"] for row in seen if row["verdict"] == "correct"} == NAMED
    assert [(row["id"], row["wrong"]) for row in seen if row["wrong"]] == []

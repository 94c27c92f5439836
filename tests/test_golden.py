"""The golden comparison: equal runs are equal, and what differs is named with its place."""

from __future__ import annotations

import copy
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.compare import differences
from golden.driver import results
from golden.names import PUBLIC, public
from golden.results import exact, of_tensors

NAMES = ("recipe/mlp", "recipe/hopfield_hebb", "recipe/augment_mixup")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("golden"))
        return dict(results(NAMES))


def test_a_case_run_twice_is_equal(
    reference: dict[str, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    again = dict(results(NAMES))
    assert differences(reference, again) == []
    assert len(reference["recipe/mlp"]["weights"]) == 64
    assert "train.loss" in reference["recipe/mlp"]["parts"]["history"]


def test_what_differs_is_named_with_its_tensors_and_signals(reference: dict[str, dict]) -> None:
    other = copy.deepcopy(reference)
    mlp = other["recipe/mlp"]
    mlp["weights"], mlp["parts"]["weights"]["layer2.bias"] = "0", "0"
    mlp["history"], mlp["parts"]["history"]["valid.loss"] = "0", "0"
    other["recipe/hopfield_hebb"]["findings"] = [["memory_overloaded"]]
    assert differences(reference, other) == [
        "recipe/mlp: weights (layer2.bias); history (valid.loss)",
        'recipe/hopfield_hebb: findings [] -> [["memory_overloaded"]]',
    ]


def test_scores_are_shown_as_decimals(reference: dict[str, dict]) -> None:
    other = copy.deepcopy(reference)
    reference["recipe/mlp"]["score"], other["recipe/mlp"]["score"] = [exact(0.1)], [exact(0.25)]
    assert differences(reference, other) == ["recipe/mlp: score [0.1] -> [0.25]"]


def test_an_error_is_a_result_and_a_difference(reference: dict[str, dict]) -> None:
    failed = {**reference, "recipe/mlp": {"error": "ValueError: no"}}
    assert differences(reference, failed) == ["recipe/mlp: raises ValueError: no"]
    assert differences(failed, reference) == ["recipe/mlp: raised ValueError: no, and now does not"]
    assert differences(failed, failed) == []


def test_the_last_bit_changes_a_digest() -> None:
    import torch

    ones = torch.ones(3)
    other = torch.nextafter(ones, torch.zeros(3))
    assert of_tensors({"w": ones})["weights"] != of_tensors({"w": other})["weights"]
    assert of_tensors({"w": ones})["weights"] != of_tensors({"w": ones[None]})["weights"]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_that_cases_use_is_public_here(name: str) -> None:
    assert public(name) is not None


def test_folders_that_another_commit_has_written_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "kept/half_plateau"
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        if folder == "second":
            shutil.copytree(tmp_path / "first" / "kept", "kept")
        (of,) = dict(results([name])).values()
        assert of["ended"] == ["finished", 48]
        assert Path("kept/half_plateau").is_dir()


def test_a_name_that_no_commit_has_is_refused_with_the_table_to_extend() -> None:
    with pytest.raises(LookupError, match=r"add the new name to PUBLIC in .*names\.py"):
        public("NoSuchName")

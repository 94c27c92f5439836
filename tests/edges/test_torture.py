"""A few attacks of each kind; scripts/torture makes all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from torture.attack import Attack, made
from torture.attacks import ATTACKS, QUICK


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("torture")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.name in QUICK], ids=lambda a: a.name)
def test_attacks(attack: Attack, home: Path) -> None:
    outcomes = [made(attack, number, home) for number in range(QUICK[attack.name])]
    failed = [outcome for outcome in outcomes if outcome.failure]
    assert not failed, "\n\n".join(f"{each.number}: {each.failure}" for each in failed)


def test_the_quick_attacks_exist() -> None:
    assert set(QUICK) <= {attack.name for attack in ATTACKS}


def test_the_long_suite_has_its_size() -> None:
    counts = {attack.name: attack.count for attack in ATTACKS}
    kills = [count for name, count in counts.items() if name.startswith("killed")]
    assert len(kills) >= 6
    assert sum(kills) * 10 >= 200
    damaged = ("checkpoints", "about.json", "rows.jsonl", "recipe.toml", "weights")
    kinds = [*(f"damaged {name}" for name in damaged), "pictures", "headers of weight files"]
    assert all(counts[name] >= 500 for name in kinds)

"""Repeated, leaked and contradicting rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.row_overlap import overlap_of

G = torch.Generator().manual_seed(0)
X = torch.randn(400, 3, generator=G)


def kept(*parts: Tensor, targets: list[Tensor] | None = None) -> list[KeptBatch]:
    known = targets or [torch.zeros(len(part)) for part in parts]
    return [KeptBatch((x,), {}, y) for x, y in zip(parts, known, strict=True)]


def epochs(rows: Tensor, count: int, size: int = 20) -> list[KeptBatch]:
    order = torch.cat([torch.randperm(len(rows), generator=G) for _ in range(count)])
    return kept(*rows[order].split(size))


def test_parts_without_a_common_row() -> None:
    facts = overlap_of(epochs(X[:300], 2), kept(X[300:]))
    assert facts["leaked_rows"] == facts["known_rows"] == facts["natural_repeats"] == 0
    assert facts["training_seen"] > 0.6
    assert not facts["evaluates_training_part"]


@pytest.mark.parametrize("seen", [1.0, 0.4])
def test_the_share_of_leaked_rows_is_estimated(seen: float) -> None:
    """Half of the evaluated rows are training rows; of these a part was seen."""
    batches = epochs(X[:300], 4)
    batches = batches[: int(seen * len(batches) / 4) + 15 * (seen == 1)]
    late = epochs(X[:300], 1)[:5]  # of a second epoch, by which the seen share is known
    facts = overlap_of([*batches, *late], kept(X[200:400]))
    assert facts["known_rows"] < 0.55
    assert facts["leaked_rows"] == pytest.approx(0.5, abs=0.15)
    assert not facts["evaluates_training_part"]
    assert not facts["parts_are_apart"]


def test_passes_over_the_batch_that_is_trained_on_are_no_evaluation() -> None:
    training = epochs(X[:300], 2)
    assert "leaked_rows" not in overlap_of(training, training[3:20])
    facts = overlap_of(training, [*training[3:20], *kept(X[300:])])
    assert facts["leaked_rows"] == 0
    later = epochs(X[:300], 1)  # batches that were not kept where they were trained on
    assert "leaked_rows" not in overlap_of(training, [*training[3:7], *later])


def test_pairs_that_are_drawn_again_are_no_leak() -> None:
    """Pairs of 20 users and 15 items, drawn at random: many of the new ones were met before."""
    pairs = torch.randint(20, (700, 2), generator=G) % torch.tensor([20, 15])
    facts = overlap_of(epochs(pairs[:600], 3), kept(pairs[600:]))
    assert facts["known_rows"] > 0.5
    assert facts["natural_repeats"] > 0.5 * facts["known_rows"]
    unique = torch.cartesian_prod(torch.arange(20), torch.arange(15))
    facts = overlap_of(epochs(unique[:200], 3), kept(unique[150:250]))
    assert facts["natural_repeats"] == 0


def test_the_training_part_is_evaluated_as_a_whole() -> None:
    facts = overlap_of(epochs(X[:100], 5), kept(X[:100]))
    assert facts["evaluates_training_part"]


def test_both_parts_are_evaluated_one_after_the_other() -> None:
    parts = kept(X[:50], X[50:100], X[100:150], X[150:200])
    facts = overlap_of(epochs(X[:100], 5), parts)
    assert facts["parts_are_apart"]
    assert not facts["evaluates_training_part"]
    some = [replace(part, block=number // 2) for number, part in enumerate(parts)]
    assert overlap_of(epochs(X[:100], 5), some)["parts_are_apart"]
    assert overlap_of(epochs(X[:100], 5), [replace(parts[0], block=1), parts[2]])["parts_are_apart"]
    # Batches of one loader, in the order of its rows, of which the first half is leaked.
    leaked = overlap_of(epochs(X[:100], 5), [parts[0], parts[2]])
    assert not leaked["parts_are_apart"]
    # A part of the training rows, and then more rows of another part: two calls.
    assert overlap_of(epochs(X[:100], 5), kept(X[:40], X[100:160]))["parts_are_apart"]


def test_rows_of_few_values_repeat_by_chance() -> None:
    few = torch.randint(0, 3, (600, 4), generator=G).float()
    facts = overlap_of(epochs(few[:300], 2), kept(few[300:]))
    assert facts["known_rows"] > 0.5
    assert facts["natural_repeats"] > 0.5


def test_rows_with_several_class_numbers() -> None:
    y = torch.arange(100) % 2
    again = kept(X[:100], X[:100], targets=[y, torch.where(torch.arange(100) < 30, 1 - y, y)])
    facts = overlap_of(again, [])
    assert facts["contradicting_rows"] == pytest.approx(0.3)
    assert facts["contradicting_by_chance"] == pytest.approx(0.5, abs=0.02)  # of two halves
    bits = kept(X[:100], X[:100], targets=[y.float(), y.float()[:, None]])
    assert overlap_of(bits, [])["contradicting_rows"] == 0
    once = kept(X[:100], targets=[y])
    assert "contradicting_rows" not in overlap_of(once, [])
    numbers = kept(X[:100], X[:100], targets=[X[:100, 0], X[:100, 1]])
    assert "contradicting_rows" not in overlap_of(numbers, [])


def test_few_rows_show_nothing() -> None:
    assert overlap_of(kept(X[:5]), kept(X[:5])) == {}


def test_targets_that_are_numbers_of_the_rows() -> None:
    """As in a contrastive loss, whose rows are at other places in each batch."""
    places = torch.arange(100)
    again = kept(X[:100], X[:100].flip(0), targets=[places, places])
    assert "contradicting_rows" not in overlap_of(again, [])


def test_small_batches_of_a_training_part_that_was_seen_in_part() -> None:
    """Scores of the training loader and of the test loader: by chance some batches of the first
    hold fewer rows that were seen than others."""
    rows = torch.randn(900, 3, generator=G)
    training = [*epochs(rows[:600], 1)[:22], *epochs(rows[:600], 1)[:8]]
    for _ in range(10):
        both = []
        for block in range(3):
            shuffled = rows[torch.randperm(600, generator=G)].split(30)
            for part in (*kept(*shuffled), *kept(*rows[600:].split(200))):
                both.append(replace(part, block=block))
        facts = overlap_of(training, both)
        assert 0.5 < facts["training_seen"] < 0.95
        assert facts["parts_are_apart"]
        half = torch.cat([rows[300:450], rows[600:750]])[torch.randperm(300, generator=G)]
        facts = overlap_of(training, kept(*half.split(30)))  # half of these rows are leaked
        assert not facts["parts_are_apart"]
        assert not facts["evaluates_training_part"]

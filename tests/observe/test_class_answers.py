"""Counts of classes that were asked for and answered, against scikit-learn."""

from __future__ import annotations

import pytest
import torch
from sklearn.metrics import confusion_matrix, r2_score

from netwise.observe.class_answers import MOST_WAITING, MOST_WAITING_NUMBERS, RECENT, ClassAnswers

G = torch.Generator().manual_seed(0)


def test_counts_are_those_of_a_confusion_matrix() -> None:
    scores, target = torch.randn(60, 4, generator=G), torch.randint(4, (60,), generator=G)
    answers = ClassAnswers()
    for rows in torch.arange(60).split(20):
        answers.add(scores[rows], target[rows], "cross entropy")
    table = confusion_matrix(target, scores.argmax(1))
    rows, columns, right = table.sum(1), table.sum(0), table.diagonal()
    assert answers.total() == tuple(zip(rows, columns, right, strict=True))


@pytest.mark.parametrize(
    ("operation", "shape", "limit"),
    [
        ("binary cross entropy of logits", (40, 1), 0.0),
        ("binary cross entropy", (40,), 0.5),
        ("binary cross entropy of logits", (10, 1, 2, 2), 0.0),
    ],
)
def test_yes_or_no(operation: str, shape: tuple[int, ...], limit: float) -> None:
    scores = torch.rand(shape, generator=G) if limit else torch.randn(shape, generator=G)
    target = torch.randint(2, shape, generator=G).float()
    answers = ClassAnswers()
    answers.add(scores, target, operation)
    yes = scores > limit
    (_, no, right_no), (asked, answered, right) = answers.total()
    assert answered == int(yes.sum())
    assert no == int((~yes).sum())
    assert asked == int(target.sum())
    assert (right_no, right) == (
        int((~yes & (target == 0)).sum()),
        int((yes & (target == 1)).sum()),
    )


def test_ignored_targets_and_other_outputs_do_not_count() -> None:
    answers = ClassAnswers()
    scores = torch.randn(5, 3, generator=G)
    answers.add(scores, torch.tensor([0, 1, -100, -100, -100]), "cross entropy", -100)
    assert sum(row[0] for row in answers.total()) == 2
    empty = ClassAnswers()
    empty.add(scores, scores, "squared error")
    empty.add(scores, (scores > 0).float(), "binary cross entropy of logits")  # three questions
    assert empty.total() == ()


@pytest.mark.parametrize("samples", [5, MOST_WAITING_NUMBERS])
def test_what_happens_to_a_batch_after_it_was_added_changes_nothing(samples: int) -> None:
    answers, target = ClassAnswers(), torch.randint(3, (samples,), generator=G)
    for number in range(2 * MOST_WAITING + 3):
        scores, wanted = torch.nn.functional.one_hot(target, 3).float(), target.clone()
        answers.add(scores, wanted, "cross entropy")
        scores.zero_()
        wanted.zero_()
        expected = (number + 1) % MOST_WAITING if 3 * samples <= MOST_WAITING_NUMBERS else 0
        assert len(answers._waiting) == expected
    counts = torch.bincount(target, minlength=3) * (2 * MOST_WAITING + 3)
    assert answers.total() == tuple((n, n, n) for n in counts.tolist())


@pytest.mark.parametrize(
    ("scores", "target"), [((4,), (4,)), ((4,), ()), ((2, 3), ()), ((2, 3), (3,))]
)
def test_shapes_that_do_not_fit_do_not_count(
    scores: tuple[int, ...], target: tuple[int, ...]
) -> None:
    answers = ClassAnswers()
    answers.add(torch.zeros(scores), torch.zeros(target), "cross entropy")
    answers.add(torch.zeros(scores), torch.zeros(target).long(), "cross entropy")
    assert answers.total() == ()


def test_only_the_latest_batches_count() -> None:
    answers = ClassAnswers(most=2)
    for number in range(5):
        answers.add(torch.eye(6)[[number]], torch.tensor([number]), "cross entropy")
    assert [row[0] for row in answers.total()] == [0, 0, 0, 1, 1]
    answers.clear()
    assert answers.total() == ()


def test_r2_is_that_of_scikit_learn() -> None:
    target = torch.randn(60, 2, generator=G) * torch.tensor([1.0, 50.0])
    output = target + torch.randn(60, 2, generator=G)
    answers = ClassAnswers()
    for rows in torch.arange(60).split(20):
        answers.add(output[rows], target[rows], "squared error")
    assert answers.r2 == pytest.approx(r2_score(target, output), abs=1e-5)
    assert answers.total() == ()
    answers.clear()
    assert answers.r2 is None


def test_batches_that_are_counted_together_are_those_that_were_added() -> None:
    together, alone = ClassAnswers(RECENT), ClassAnswers(RECENT)
    target = torch.zeros(6, dtype=torch.int64)  # a buffer that the program fills anew
    for _ in range(RECENT + 5):
        scores = torch.randn(6, 3, generator=G)
        target.copy_(torch.randint(3, (6,), generator=G))
        together.add(scores, target, "cross entropy")
        alone.add(scores, target, "cross entropy")
        alone.total()  # counts at once
    target.zero_()
    assert together.total() == alone.total()
    assert sum(asked for asked, _, _ in together.total()) == 6 * RECENT
    together.add(scores, target, "cross entropy")
    together.clear()
    assert together.total() == ()

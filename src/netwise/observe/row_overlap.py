"""Which rows of a program's data occur more than once: in training, in evaluation, in both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, sqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.row_fingerprints import row_keys

FEWEST = 16  # different rows of each part
FEWEST_EQUAL = 3  # equal rows or batches that are no accident
ALL = 0.9  # share of the rows that a part has to have in common with the other one
NONE = 0.02  # at most so many of them, where the parts have none in common
ERRORS = 3.0  # standard deviations by which a share of known rows may be smaller by chance
HALF = 0.5  # of the share that was seen: fewer known rows are no whole part, however few there are


def overlap_of(training: Sequence[KeptBatch], evaluation: Sequence[KeptBatch]) -> dict[str, Any]:
    """Fields of `DataFacts` about rows that are repeated, leaked or contradicting.

    Only a part of the training rows was seen. How large that part is follows from late batches: the
    share of their rows that were in earlier ones. The share of leaked rows is estimated with it.

    Args:
        training, evaluation: kept batches.
    """
    parts = [row_keys(batch.inputs) for batch in training]
    known = {key for part in parts for key in part}
    if len(known) < FEWEST:
        return {}
    seen = _share_seen(parts)
    facts: dict[str, Any] = {"training_seen": seen, **_contradicting(training)}
    inside = [len(part) - len(set(part)) for part in parts]
    facts["repeated_rows"] = sum(inside) / sum(map(len, parts))
    # Passes without gradients that nothing is scored in are no evaluations, as those of a teacher.
    scored = [batch for batch in evaluation if batch.target is not None]
    # Nor are those of drawn batches that are trained on as they are, as where actions are chosen
    # first. Few of the training batches were kept: some that are equal show what all are.
    drawn = {tuple(sorted(part)) for part in parts if 2 * len(part) < len(known)}
    pairs = [(batch.block, row_keys(batch.inputs)) for batch in scored]
    equal = [len(part) for _, part in pairs if tuple(sorted(part)) in drawn]
    if len(equal) >= FEWEST_EQUAL:
        pairs = [(block, part) for block, part in pairs if len(part) not in equal]
    asked = [part for _, part in pairs if part]
    rows = Counter(key for part in asked for key in part)
    if len(rows) < FEWEST:
        return facts
    common = sum(count for key, count in rows.items() if key in known) / sum(rows.values())
    facts["evaluated_rows"] = sum(rows.values())
    facts["known_rows"] = common
    facts["leaked_rows"] = min(1.0, common / max(seen, 1e-9))
    facts["natural_repeats"] = max(_natural(asked, len(known)), _drawn_again(parts, seen))
    # Evaluations of the training part itself: all rows of a loader are known, or none.
    coverage = sum(key in rows for key in known) / len(known)
    loaders = _batches_of_loaders(pairs, known)
    whole = [_is_whole(part, seen) for part in loaders]
    none = [all(batch.share <= NONE for batch in part) for part in loaders]
    pure = all(a or b for a, b in zip(whole, none, strict=True))
    facts["evaluates_training_part"] = all(whole) and coverage >= ALL
    batches = [batch for part in loaders for batch in part]
    one_by_one = all(_is_whole([batch], seen) or batch.share <= NONE for batch in batches)
    both = any(_is_whole([batch], seen) for batch in batches)
    apart = pure or (one_by_one and coverage >= ALL)
    facts["parts_are_apart"] = apart and both and not all(whole)
    return facts


class _Batch(NamedTuple):
    """An evaluated batch: its rows, and how many of them are rows of training that were seen."""

    rows: int
    known: int

    @property
    def share(self) -> float:
        """Of the known rows."""
        return self.known / self.rows


def _is_whole(batches: Sequence[_Batch], seen: float) -> bool:
    """Whether all rows are rows of training, of which a share was seen: as many of them are known
    as by chance, and some in each batch."""
    rows = sum(batch.rows for batch in batches)
    chance = ERRORS * sqrt(seen * (1 - seen) / rows)
    least = max(ALL * seen - chance, HALF * seen)
    share = sum(batch.known for batch in batches) / rows
    return share >= least and all(batch.share > NONE for batch in batches)


def _batches_of_loaders(
    parts: Sequence[tuple[int, Sequence[int]]], known: set[int]
) -> list[list[_Batch]]:
    """The batches of each loader. Those of one loader are from one block without gradients, and of
    one size but for the last, which is smaller.

    Args:
        parts: number of the block and rows of each batch.
        known: rows of training.
    """
    loaders: list[list[_Batch]] = []
    before: tuple[int, int] | None = None  # block and size of the batches of the last loader
    ended = False
    for block, rows in parts:
        if not rows:
            continue
        if before is None or before[0] != block or ended or len(rows) > before[1]:
            loaders.append([])
            before = (block, len(rows))
        ended = len(rows) < before[1]
        loaders[-1].append(_Batch(len(rows), sum(key in known for key in rows)))
    return loaders


def _share_seen(parts: Sequence[Sequence[int]]) -> float:
    """The share of the training rows among the known ones; 0 where no row was met again.

    Where k rows are known and the share s of a batch is among them, there are k / s rows.
    """
    known: set[int] = set()
    sizes: list[float] = []
    shares: list[float] = []
    for part in parts:
        share = sum(key in known for key in part) / len(part) if part else 0.0
        if share:
            sizes.append(len(known))
            shares.append(share)
        known.update(part)
    return min(1.0, len(known) * sum(shares) / sum(sizes)) if shares else 0.0


def _natural(parts: Sequence[Sequence[int]], known: int) -> float:
    """The share of rows that is expected in a set of `known` rows by chance, from rows that occur
    more than once in one evaluated batch: data of few values repeat themselves.

    A row with n - 1 equals among m others is drawn into `known` rows with the probability
    1 - exp(-known (n - 1) / m).
    """
    expected = rows = 0.0
    for part in parts:
        for count in Counter(part).values():
            if count > 1:
                expected += count * (1 - exp(-known * (count - 1) / (len(part) - 1)))
        rows += len(part)
    return expected / rows if rows else 0.0


def _drawn_again(parts: Sequence[Sequence[int]], seen: float) -> float:
    """The share of rows that is expected in training by chance, from rows that occur more than once
    within one batch of training: pairs of identifiers and other data of few values.

    Batches of one epoch have no row in common. So where a share r of pairs of rows within batches
    are equal, each of the n rows of training is equal to a new one with the probability r, and the
    new row is known with 1 - exp(-n r). One repeated row among all is no sign of such data.
    """
    equal = sum(count * (count - 1) for part in parts for count in Counter(part).values())
    pairs = sum(len(part) * (len(part) - 1) for part in parts)
    if equal < 2 * FEWEST_EQUAL or not pairs or not seen:
        return 0.0
    rows = len({key for part in parts for key in part}) / seen
    return 1 - exp(-rows * equal / pairs)


def _are_row_numbers(values: Tensor) -> bool:
    """Whether targets are the numbers of the rows of their batch, each once, as in contrastive
    losses: those of a sample change with its place."""
    n = len(values)
    return n > 1 and bool((values.sort().values == torch.arange(n, device=values.device)).all())


def _contradicting(batches: Sequence[KeptBatch]) -> dict[str, float]:
    """The share of the repeated rows that have several classes, and the share that would have if
    classes were drawn at random; {} with few repeated rows, and for targets that are no classes."""
    found: dict[int, list[float]] = {}
    for batch in batches:
        target = batch.target
        if target is None or target.numel() != len(target):
            continue
        keys, values = row_keys(batch.inputs), target.flatten()
        if values.is_floating_point() and bool(((values != 0) & (values != 1)).any()):
            return {}
        if _are_row_numbers(values):
            continue
        if len(keys) == len(values):
            for key, number in zip(keys, values.tolist(), strict=True):
                found.setdefault(key, []).append(number)
    again = [numbers for numbers in found.values() if len(numbers) > 1]
    if len(again) < FEWEST:
        return {}
    classes = Counter(number for numbers in found.values() for number in numbers)
    shares = [count / classes.total() for count in classes.values()]
    expected = (1 - sum(share ** len(numbers) for share in shares) for numbers in again)
    several = sum(len(set(numbers)) > 1 for numbers in again)
    return {
        "contradicting_rows": several / len(again),
        "contradicting_by_chance": sum(expected) / len(again),
    }

"""Facts of the data of a program, from the batches that were kept of it: `DataFacts`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwise.data_facts import DataFacts
from netwise.errors import named
from netwise.observe.class_answers import Answers
from netwise.observe.class_order import class_order
from netwise.observe.data_sample import DataSample, products, sample_of, unordered
from netwise.observe.evaluated_otherwise import copies_inputs, drawn_anew, target_units
from netwise.observe.evaluation_passes import features_of
from netwise.observe.idle_features import equal_features, idle_features
from netwise.observe.input_ranges import beyond_training, missing_marks
from netwise.observe.kept_batches import KeptBatch, KeptBatches
from netwise.observe.padded_targets import padded_targets
from netwise.observe.paired_rows import paired_rows
from netwise.observe.row_fingerprints import row_keys
from netwise.observe.row_numbers import row_numbers
from netwise.observe.row_overlap import overlap_of
from netwise.observe.sequence_order import sorted_by_length, symbols_as_targets
from netwise.observe.series_order import series_as_targets
from netwise.observe.simple_models import (
    Rows,
    SimpleScores,
    cross_validated,
    predictions,
    scores_of,
)
from netwise.observe.target_forms import in_order, round_a_circle
from netwise.observe.turned_targets import turned_targets
from netwise.observe.without_places import score_without_places

FEWEST = 60  # rows that simple models need
MOST_TARGETS = 16  # columns that are measured things, each with a unit
FEWEST_NUMBERS = 8  # of a row
FEWEST_ON_LINE = 3  # different targets: any two lie on a line
EXACTLY, ABOUT_ONE = 1e-3, 0.1  # standard deviations divided by n, or by n - 1
FEWEST_BATCHES = 8  # that are compared
FEWEST_RARE = 6  # rows of rare classes
FEW_KNOWN = 0.05  # share of training rows in a batch of evaluation, which may be equal by chance
MOST_EVALUATED = 400  # rows of evaluation
OF_MODELS = ("chance_score", "linear_score", "smooth_score", "neighbour_score")


def facts_of_data(kept: KeptBatches, classes: int | None = None) -> DataFacts:
    """What the kept batches of a program show.

    Args:
        kept: of the module that gets the inputs.
        classes: class numbers are below it; None where it is not known.
    """
    training, evaluation = kept.training, kept.evaluation
    facts = DataFacts(**overlap_of(training, evaluation))
    facts = replace(
        facts,
        **_of_features(training),
        symbols_as_targets=symbols_as_targets(training),
        series_as_targets=series_as_targets(training),
        padded_targets=padded_targets(training),
        sorted_by_length=sorted_by_length(training),
        rows_standardised=_rows_standardised(training),
        paired_rows=paired_rows(training),
        turned_targets=_turned(training),
        target_units=target_units(training, [b for b in evaluation if not b.on_training_rows]),
        copies_inputs=copies_inputs(training),
        evaluation_copies_inputs=copies_inputs(evaluation),
        drawn_anew=drawn_anew(evaluation),
        beyond_training=beyond_training(training, evaluation),
        missing_marks=missing_marks(training),
        idle_features=idle_features(training),
        equal_features=equal_features(training),
        batches_alike=_batches_alike(training),
    )
    sample = sample_of(training, classes)
    if isinstance(sample, str):
        return _unknown(facts, sample, *OF_MODELS)
    facts = replace(
        facts,
        train_samples=len(sample),
        features=_width(sample),
        class_targets=sample.is_class,
        **_target_feature(sample),
        class_order=class_order(sample),
        whole_targets=_whole_targets(sample),
        target_spreads=_target_spreads(sample),
    )
    if len(sample) < FEWEST:
        return _unknown(facts, f"{FEWEST} different rows are needed, and {len(sample)} known",
                        *OF_MODELS)  # fmt: skip
    facts = replace(
        facts,
        **_inside(cross_validated(*_asked(sample))),
        rare_ranking=_ranking(sample),
        unordered_score=_unordered(sample),
        score_without_places=score_without_places(training, classes),
        **_of_target_forms(sample),
        row_numbers=_numbered(sample),
    )
    seen = set(sample.keys)
    operation = next((b.operation for b in training if b.target is not None), "")
    new_batches = _held_out(evaluation, {key for b in training for key in row_keys(b.inputs)})
    others = sample_of(new_batches, sample.target.shape[1], operation=operation)
    if isinstance(others, str):
        return _unknown(facts, others, "evaluation_linear_score", "inside_evaluation_score")
    new = np.array([p for p, key in enumerate(others.keys) if key not in seen], dtype=np.int64)
    others = others.rows(new).first(MOST_EVALUATED)
    if not _alike(sample, others):
        reason = "inputs or targets of evaluation have another form than those of training"
        return _unknown(facts, reason, "evaluation_linear_score", "inside_evaluation_score")
    if len(others) < FEWEST:
        reason = f"{FEWEST} rows of evaluation are needed, and {len(others)} known"
        return _unknown(facts, reason, "evaluation_linear_score", "inside_evaluation_score")
    return replace(facts, evaluation_samples=len(others), **_of_evaluation(sample, others))


def _batches_alike(batches: Sequence[KeptBatch]) -> bool | None:
    """Whether all batches have the same different rows; None with few of them."""
    keys = [frozenset(row_keys(batch.inputs)) for batch in batches]
    if len(keys) < FEWEST_BATCHES or not keys[0]:
        return None
    return len(set(keys)) == 1 and len(keys[0]) > 1


def _held_out(batches: Sequence[KeptBatch], known: set[int]) -> list[KeptBatch]:
    """Batches of evaluation without those of training rows, where a program evaluates both."""
    shares = []
    for batch in batches:
        keys = row_keys(batch.inputs)
        shares.append(sum(key in known for key in keys) / len(keys) if keys else 0.0)
    new = [batch for batch, share in zip(batches, shares, strict=True) if share <= FEW_KNOWN]
    return new or [batch for batch in batches if not batch.on_training_rows]


def _asked(sample: DataSample) -> tuple[Rows, Rows, bool]:
    return products(sample), sample.target, sample.is_class


def _unknown(facts: DataFacts, reason: str, *names: str) -> DataFacts:
    return replace(facts, not_known={**facts.not_known, **dict.fromkeys(names, reason)})


def _inside(scores: SimpleScores) -> dict[str, Any]:
    return {
        "chance_score": scores.chance,
        "linear_score": scores.linear,
        "smooth_score": scores.smooth,
        "neighbour_score": scores.neighbour,
    }


def _whole_targets(sample: DataSample) -> int | None:
    """How many different values targets have that are one whole number for each row."""
    values = sample.target
    if sample.is_class or values.shape[1] != 1 or not (values == np.round(values)).all():
        return None
    return len(np.unique(values))


def _turned(batches: Sequence[KeptBatch]) -> tuple[str, float, float, float, float] | None:
    found = turned_targets(batches)
    return (found.how, found.own, found.turned, found.share, found.best) if found else None


def _numbered(sample: DataSample) -> tuple[int, float, float] | None:
    found = row_numbers(sample)
    return (found.feature, found.alone, found.others) if found else None


def _target_spreads(sample: DataSample) -> tuple[float, float] | None:
    spreads = sample.target.std(0)
    spreads = spreads[spreads > 0]
    # Of more columns, such as pixels, those that hardly vary are margins; as many as inputs have
    # are these in another state, such as without noise, with units that both share.
    columns = sample.target.shape[1]
    if sample.is_class or not 2 <= columns <= MOST_TARGETS or columns == _width(sample):
        return None
    if len(spreads) < 2:
        return None
    return float(spreads.min()), float(spreads.max())


def _unordered(sample: DataSample) -> float | None:
    """The best score of simple models that know which symbols a row has, and not their places."""
    counts = unordered(sample)
    return None if counts is None else cross_validated(*_asked(counts)).best


def _of_target_forms(sample: DataSample) -> dict[str, Any]:
    ordered, circle = in_order(sample), round_a_circle(sample)
    return {
        "sorted_targets": (ordered.score, int(ordered.detail)) if ordered else None,
        "targets_on_circle": (circle.score, circle.detail, circle.share) if circle else None,
    }


def _ranking(sample: DataSample) -> float | None:
    """How well a linear model ranks rows of the most frequent class below the others: the
    probability that one of each is in the right order. None with few others."""
    if not sample.is_class:
        return None
    rare = sample.target[:, sample.target.sum(0).argmax()] == 0
    if min(rare.sum(), (~rare).sum()) < FEWEST_RARE:
        return None
    values, place = products(sample), np.arange(len(sample))
    order = np.argsort(np.argsort(np.where(rare, 0, len(rare)) + place))  # as many in each part
    part, wanted = order % 2, rare[:, None].astype(np.float64)
    ranks = []
    for number in (0, 1):
        fit, ask = place[part != number], place[part == number]
        answer = predictions(values, wanted, fit.tolist(), ask.tolist())[:, 0]
        high, low = answer[rare[ask]], answer[~rare[ask]]
        ranks.append(float(np.mean(high[:, None] > low[None, :])))
    return sum(ranks) / 2


def _alike(sample: DataSample, others: DataSample) -> bool:
    if sample.is_class != others.is_class or sample.target.shape[1] != others.target.shape[1]:
        return False
    for one, other in ((sample.numbers, others.numbers), (sample.symbols, others.symbols)):
        if (one is None) != (other is None):
            return False
        if one is not None and other is not None and one.shape[1] != other.shape[1]:
            return False
    return True


def _width(sample: DataSample) -> int:
    parts = (sample.numbers, sample.symbols)
    return sum(part.shape[1] for part in parts if part is not None)


def _of_evaluation(sample: DataSample, others: DataSample) -> dict[str, Any]:
    """Scores on the evaluation sample: of models of training, and of models of its own rows."""
    both = products(sample, others)
    target = np.concatenate([sample.target, others.target])
    fit, ask = range(len(sample)), range(len(sample), len(target))
    across = scores_of(both, target, fit, ask, sample.is_class)
    most = min(len(sample), len(others))
    inside = cross_validated(*_asked(others.first(most)))
    training = cross_validated(*_asked(sample.first(most)))
    facts: dict[str, Any] = {
        "evaluation_chance_score": across.chance,
        "evaluation_linear_score": across.linear,
        "evaluation_smooth_score": across.smooth,
        "evaluation_neighbour_score": across.neighbour,
        "evaluation_rescaled_score": _rescaled(sample, others),
        "inside_evaluation_score": inside.best,
        "inside_evaluation_chance": inside.chance,
        "inside_training_score": training.best,
        "inside_training_chance": training.chance,
        "inputs_apart": _apart(sample.first(most), others.first(most)),
    }
    if sample.is_class:
        answers = predictions(both, target, fit, ask)
        facts |= _matched(answers, others.target, sample.target)
    return facts


def _rescaled(sample: DataSample, others: DataSample) -> float | None:
    """The best score on the evaluation sample once each feature of its numbers has the mean and the
    standard deviation that it has in training; None for inputs without numbers."""
    if sample.numbers is None or others.numbers is None:
        return None
    spread = others.numbers.std(0)
    unit = (others.numbers - others.numbers.mean(0)) / np.where(spread > 0, spread, 1.0)
    numbers = unit * sample.numbers.std(0) + sample.numbers.mean(0)
    moved = replace(others, numbers=numbers)
    target = np.concatenate([sample.target, others.target])
    fit, ask = range(len(sample)), range(len(sample), len(target))
    return scores_of(products(sample, moved), target, fit, ask, sample.is_class).best


def _apart(sample: DataSample, others: DataSample) -> float:
    """How well rows of training and evaluation can be distinguished: from 0 (not at all) to 1."""
    part = np.zeros((len(sample) + len(others), 2))
    part[: len(sample), 0] = 1.0
    part[len(sample) :, 1] = 1.0
    order = np.argsort(np.concatenate([np.arange(len(sample)), np.arange(len(others)) + 0.5]))
    return cross_validated(products(sample, others)[np.ix_(order, order)], part[order], True).skill


def _matched(answers: Rows, truth: Rows, trained: Rows) -> dict[str, Any]:
    """How well the classes of evaluation are predicted after the best renaming, and that renaming:
    the class of training for each class of evaluation; {} where no renaming is one to one."""
    said, right = answers.argmax(1), truth.argmax(1)
    width = truth.shape[1]
    counts = np.zeros((width, width))
    np.add.at(counts, (right, said), 1.0)
    present = counts.sum(1) > 0
    best = counts.argmax(1)
    chosen = best[present]
    if len(set(chosen.tolist())) < len(chosen) or len(chosen) < 2:
        return {}
    hits = counts[present].max(1).sum() / counts.sum()
    mapping = tuple(int(b) if p else -1 for b, p in zip(best, present, strict=True))
    return {"matched_score": float(hits), "class_map": mapping}


def _target_feature(sample: DataSample) -> dict[str, Any]:
    """The feature that is the target itself, or an exact linear function of it, of at least two
    features that vary."""
    if sample.numbers is None or len(sample) < FEWEST:
        return {}
    numbers = sample.numbers
    varying = np.nonzero(numbers.std(0) > 0)[0]
    if len(varying) < 2:
        return {}
    if sample.is_class:
        wanted = sample.target.argmax(1).astype(float)
    elif sample.target.shape[1] == 1:
        wanted = sample.target[:, 0]
    else:
        return {}
    if wanted.std() == 0:
        return {}
    chosen = numbers[:, varying]
    same = _is_small(chosen - wanted[:, None], wanted[:, None])
    if not same.any() and len(np.unique(wanted)) >= FEWEST_ON_LINE:
        centred, away = chosen - chosen.mean(0), wanted - wanted.mean()
        factor = (centred * away[:, None]).mean(0) / np.square(away).mean()
        line = _is_small(centred - factor * away[:, None], centred)
        if line.any() and not line.all():
            place = int(np.nonzero(line)[0][0])
            offset = float(chosen[:, place].mean() - factor[place] * wanted.mean())
            scale = float(factor[place]), offset
            return {"target_feature": int(varying[place]), "target_feature_scale": scale}
    return {"target_feature": int(varying[same][0])} if same.any() and not same.all() else {}


def _is_small(difference: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a column of differences is rounding, of numbers of this size."""
    scale = np.maximum(np.abs(of).max(0), 1e-12)
    small: NDArray[np.bool_] = np.abs(difference).max(0) <= 1e-5 * scale
    return small


def _of_features(batches: Sequence[KeptBatch]) -> dict[str, Any]:
    """Moments of the features of the first input of real numbers."""
    values = [features_of(tensor) for tensor in _first_inputs(batches)]
    rows = [v for v in values if v is not None]
    if not rows or len({v.shape[1] for v in rows}) != 1:
        return {}
    all_rows = torch.cat(rows)
    spread = all_rows.std(0, unbiased=False).numpy()
    varying = spread > 1e-12 * max(1.0, float(all_rows.abs().max()))
    used = (all_rows != 0).float().mean(0).numpy()
    few = all_rows[:512, torch.from_numpy(varying)].t()
    different = {tuple(column) for column in few.tolist()}
    return {
        "constant_features": int((~varying).sum()),
        "duplicated_features": int(varying.sum()) - len(different),
        "features_in_use": float(np.median(used[varying])) if varying.any() else None,
        "smallest_std": float(spread[varying].min()) if varying.any() else None,
        "largest_std": float(spread[varying].max()) if varying.any() else None,
        "typical_std": float(np.median(spread[varying])) if varying.any() else None,
    }


def _rows_standardised(batches: Sequence[KeptBatch]) -> bool | None:
    """Whether the numbers of each row have mean 0 and standard deviation 1."""
    rows = [tensor.flatten(1).double() for tensor in _first_inputs(batches) if tensor.dim() > 1]
    if sum(map(len, rows)) < FEWEST or any(values.shape[1] < FEWEST_NUMBERS for values in rows):
        return None
    means = torch.cat([values.mean(1) for values in rows])
    spreads = torch.cat([values.std(1) for values in rows])
    unit = float((spreads - spreads.mean()).abs().max()) < EXACTLY * float(spreads.mean())
    near = abs(float(spreads.mean()) - 1) < ABOUT_ONE
    return unit and near and float(means.abs().max()) < EXACTLY


def _first_inputs(batches: Sequence[KeptBatch]) -> list[Tensor]:
    inputs = [[t for t in b.inputs if t.is_floating_point() and t.dim()] for b in batches]
    return [tensors[0] for tensors in inputs if tensors]


class LazyDataFacts:
    """`DataFacts` of one model: found when they are asked for, and again when there are twice as
    many batches or the program has ended."""

    def __init__(self) -> None:
        self._facts: DataFacts | None = None
        self._of: tuple[int, int] = (0, 0)  # batches of training and evaluation

    def facts(
        self,
        stores: Sequence[KeptBatches],
        classes: int | None,
        running: bool,
        answers: Answers = (),
        evaluated: Answers = (),
    ) -> DataFacts | None:
        """The facts; None where no batch was kept.

        Args:
            stores: of the model's modules; that of the first one with targets counts.
            classes: class numbers are below it; None where it is not known.
            running: whether the program goes on.
            answers, evaluated: as in `DataFacts`.
        """
        kept = next((s for s in stores if any(b.target is not None for b in s.training)), None)
        kept = kept or next((s for s in stores if s.training), None)
        if kept is None:
            return None
        now = len(kept.training), len(kept.evaluation)
        grown = sum(now) >= 2 * sum(self._of) if running else now != self._of
        if self._facts is None or grown:
            self._of = now
            try:
                self._facts = facts_of_data(kept, classes)
            except Exception as error:  # facts of the data are no reason to lose a history
                reason = f"they could not be found: {named(error)}"
                self._facts = DataFacts(not_known={"data": reason})
        return replace(self._facts, answers=answers or None, evaluation_answers=evaluated or None)

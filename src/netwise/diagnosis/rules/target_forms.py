"""Targets in a form that no network can predict well, though it could predict another form."""

from __future__ import annotations

import math

from netwise.data_facts import DataFacts
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.diagnosis.rules.outcome import valid_score
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

GAINED = 0.1  # R² of simple models by the other form
MEETING = 0.1  # of the nearest neighbours of rows at the ends; hardly any where they do not meet
# Ranges whose ends meet, with the words for them.
CIRCLES = (
    (360.0, "degrees"),
    (180.0, "degrees of lines"),
    (2 * math.pi, "radians"),
    (math.pi, "radians of lines"),
    (24.0, "hours of the day"),
)
NEARLY = 0.05  # of such a range, that values of a sample may leave out

EXPLAINED = ("behind_baseline", "plateau", "underfitting", *CONSEQUENCES)


def targets_in_any_order(history: History) -> Answer:
    """Find targets whose columns, or groups of columns, are in an order that is another one in each
    row: simple models predict them far better once they are sorted."""
    data = _facts(history)
    if isinstance(data, Unchecked):
        return data
    if data.sorted_targets is None or data.best_score is None:
        return None
    score, columns = data.sorted_targets
    gained = score - max(data.best_score, 0.0)
    if gained < GAINED or not _falls_short(history, score):
        return None
    what = "columns" if columns == 1 else f"groups of {columns} columns"
    return Finding(
        rule="targets_in_any_order",
        sentence=(
            f"The {what} of the targets are in no fixed order: simple models predict them with R² "
            f"{data.best_score:.2g} as they are, and with {score:.2g} once they are sorted in each "
            "row. A loss that compares column with column draws all of them to their mean."
        ),
        evidence=(Evidence("R² that simple models gain by sorting", gained, GAINED),),
        strength=gained / GAINED,
        grade="cause",
        change=(
            "y = y.sort(1).values  # one order for all rows"
            if columns == 1
            else f"groups = y.view(len(y), -1, {columns})\n"
            "order = groups[:, :, :1].argsort(1).expand_as(groups)\n"
            "y = groups.gather(1, order).flatten(1)  # by the first column of each group"
        ),
    )


TARGETS_IN_ANY_ORDER = Rule(
    name="targets_in_any_order",
    title="Targets in an order that changes from row to row",
    find=targets_in_any_order,
    explanation=(
        "A set of points, boxes or numbers has no first one. Where each row lists them in another "
        "order, the same input has several right answers, and a squared error is least for their "
        "mean. Sort them, or match outputs and targets before the loss."
    ),
    healthy="Targets that are sorted by a fixed rule, or a loss that matches them first.",
    source="Vinyals, Bengio, Kudlur 2016, arXiv 1511.06391; Carion et al. 2020, arXiv 2005.12872",
    explains=EXPLAINED,
    own_loops=True,
)


def targets_wrap(history: History) -> Answer:
    """Find targets the ends of whose range mean the same, such as angles of 1 and of 359 degrees:
    simple models predict the place on a circle far better, and rows at one end have their nearest
    neighbours in the other half."""
    data = _facts(history)
    if isinstance(data, Unchecked):
        return data
    if data.targets_on_circle is None or data.best_score is None:
        return None
    score, length, share = data.targets_on_circle
    gained = score - max(data.best_score, 0.0)
    if gained < GAINED or share < MEETING or not _falls_short(history, score):
        return None
    whole, unit = next(
        ((whole, unit) for whole, unit in CIRCLES if 1 - NEARLY <= length / whole <= 1.001),
        (length, ""),
    )
    return Finding(
        rule="targets_wrap",
        sentence=(
            f"The two ends of the targets' range ({length:.3g}{f', {unit}' if unit else ''}) mean "
            f"the same: of the nearest neighbours of rows there {100 * share:.0f} % are in the "
            f"other half. Simple models predict the targets with R² {data.best_score:.2g}, and "
            f"their place on a circle with {score:.2g}. Let the network predict sine and cosine."
        ),
        evidence=(
            Evidence("R² that simple models gain on a circle", gained, GAINED),
            Evidence("nearest neighbours in the other half", share, MEETING, percent=True),
        ),
        strength=gained / GAINED,
        grade="cause",
        change=(
            f"turn = 2 * math.pi * y / {whole:.6g}\n"
            "y = torch.cat([turn.sin(), turn.cos()], 1)  # two outputs\n"
            "angle = torch.atan2(output[:, 0], output[:, 1])  # back again"
        ),
    )


TARGETS_WRAP = Rule(
    name="targets_wrap",
    title="Targets whose ends meet",
    find=targets_wrap,
    explanation=(
        "359 and 1 degree are neighbours, and their squared difference is the largest of all. Near "
        "the ends of the range the least error is that of the middle, which is wrong for both."
    ),
    healthy="Sine and cosine as targets of angles, times of day and directions.",
    source="Mardia, Jupp 2000, Directional Statistics, chapter 1; Bishop 2006, PRML, section 2.3.8",
    explains=EXPLAINED,
    own_loops=True,
)


def _facts(history: History) -> DataFacts | Unchecked:
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    if history.data is None or history.data.train_samples == 0:
        return Unchecked("no batches of training were kept together with their targets")
    if history.data.class_targets:
        return Unchecked("the targets are classes")
    return history.data


def _falls_short(history: History, possible: float) -> bool:
    """Whether the network does not reach what simple models do with the other form."""
    score = valid_score(history)
    return score is None or score < possible - GAINED / 2

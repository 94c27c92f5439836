"""Runs that end no better than guessing, or clearly below what their data allow: symptoms."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netwise.diagnosis.curves import last_slope, level_at_end
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NO_STEP, never_stepped
from netwise.diagnosis.rules.outcome import (
    CERTAIN,
    FEWEST,
    falls_short,
    final_loss,
    final_loss_share,
    is_still_young,
    learned_what_simple_models_do,
    no_baseline,
    opponents,
    simple_score,
    skill,
    valid_score,
)
from netwise.diagnosis.rules.overfitting import best_score
from netwise.history import DIVERGED, History
from netwise.signals import (
    ACCURACY,
    ACTIVATION_MEAN,
    ACTIVATION_STD,
    LOSS,
    OUTPUT_SPREAD,
    TRAIN_LOSS,
    VALID_ACCURACY,
)

NOTHING = 0.9  # of the loss of guessing, left in the training loss where nothing was learned
SKILLED = 0.3  # of what a score can be above guessing: with it something was learned
FAR = 0.25  # skill that a simple model has more
MOSTLY = 0.99  # share of one class among the answers
OTHERS = 0.1  # share of the other classes among the targets, where one answer is no answer
MANY = 50  # samples of a class, of which a network that learns gives at least one its name
# Spread of the last layer's outputs over the samples, over their magnitude. It is above 0.3 at the
# end of all healthy programs of the clinic, and below 0.001 in those that answer the same to all.
ALIKE = 0.2  # spread of outputs over their magnitude: a cosine of 0.96 between any two
POINT = 0.01
ON_THE_WAY = 0.4  # spread over magnitude of outputs that only a pull acts on
SPREAD_BEFORE = 20.0  # times as large in the first steps
SHRUNK = 10.0  # distances of outputs: in healthy programs that compare them they grow
LEAST_SPREAD = 0.002  # below it outputs never were different


def not_learning(history: History) -> Answer:
    """Find a run that ends no better than the best constant prediction."""
    if history.ended.how == DIVERGED:
        step = history.ended.step
        return Finding(
            rule="not_learning",
            sentence=history.ended.sentence,
            steps=(step, step),
            evidence=(
                Evidence("steps before it diverged", float(step), float("inf"), above=False),
            ),
        )
    if never_stepped(history):
        return Unchecked(NO_STEP)
    left = final_loss_share(history)
    if left is None:
        return Unchecked(no_baseline(history))
    batches = history.of(ACCURACY)
    late = None if batches is None else level_at_end(batches, fewest=FEWEST)
    scores = best_score(history), late
    if left < NOTHING or any((skill(history, score) or 0.0) > SKILLED for score in scores):
        return None
    if learned_what_simple_models_do(history):
        return None
    last, guess = final_loss(history), history.facts.loss_of_guessing
    compared = "" if guess is None else f"; that of the best constant prediction is {guess:.3g}"
    step = (history.of(TRAIN_LOSS) or history.of(LOSS)).steps[-1]  # type: ignore[union-attr]
    return Finding(
        rule="not_learning",
        sentence=f"The training loss ends at {last:.3g}{compared}.",
        steps=(step, step),
        evidence=(Evidence("training loss / loss of guessing", left, NOTHING, percent=True),),
        strength=min(left, 1e6) / NOTHING,
    )


def plateau(history: History) -> Answer:
    """Find a run that stands still although simple models of the same data are clearly better."""
    if opponents(history):
        return Unchecked(no_baseline(history))
    losses = history.of(LOSS)
    slope = None if losses is None else last_slope(losses)
    score, simple = valid_score(history), simple_score(history)
    if slope is None or losses is None:
        return Unchecked(f"the losses of {2 * FEWEST} steps are needed")
    if score is None or simple is None:
        return Unchecked("it is not known how well simple models of the same data do")
    reached, possible = skill(history, score), skill(history, simple)
    if not falls_short(history) or slope.falls >= CERTAIN or reached is None or possible is None:
        return None
    if possible - reached <= FAR or is_still_young(history):
        return None
    return Finding(
        rule="plateau",
        sentence=(
            f"The training loss no longer falls, the validation score is {score:.2g}, and a simple "
            f"model of the same rows scores {simple:.2g}."
        ),
        steps=(losses.steps[-len(losses) // 3], losses.steps[-1]),
        evidence=(
            Evidence("skill of a simple model - skill", possible - reached, FAR, percent=True),
        ),
        strength=(possible - reached) / FAR,
    )


def one_answer(history: History) -> Answer:
    """Find a classifier that answers the same class to almost all samples, or some never."""
    data = history.data
    answers = None if data is None else data.evaluation_answers or data.answers
    if not answers:
        return Unchecked(
            "the answers of the network are not known: targets have to be class numbers"
        )
    asked = [each[0] for each in answers]
    given = [each[1] for each in answers]
    if sum(asked) <= 0 or sum(given) <= 0:
        return Unchecked("no answers were recorded")
    most = max(range(len(given)), key=lambda i: given[i])
    share, others = given[most] / sum(given), 1 - asked[most] / sum(asked)
    if sum(given) < 10 * FEWEST:
        return None
    if share < MOSTLY or others < OTHERS:
        return _never_answered(history, asked, given)
    last = history.of(VALID_ACCURACY) or history.of(LOSS)
    step = last.steps[-1] if last is not None and len(last) else max(history.ended.step - 1, 0)
    return Finding(
        rule="one_answer",
        sentence=(
            f"{100 * share:.0f} % of the answers are class {most}, which "
            f"{100 * (1 - others):.0f} % of the samples are of."
        ),
        steps=(step, step),
        evidence=(Evidence("share of one class among the answers", share, MOSTLY, percent=True),),
        strength=share / MOSTLY,
    )


def _never_answered(history: History, asked: Sequence[int], given: Sequence[int]) -> Finding | None:
    """Classes that the network never answers, although many samples are of them and simple models
    of the same rows tell classes apart."""
    possible = skill(history, simple_score(history))
    names = [i for i in range(len(asked)) if not given[i] and asked[i] >= MANY]
    share = sum(asked[i] for i in names) / sum(asked)
    if possible is None or possible < SKILLED or share < OTHERS or is_still_young(history):
        return None
    step = max(history.ended.step - 1, 0)
    classes = ", ".join(map(str, names[:5]))
    return Finding(
        rule="one_answer",
        sentence=(
            f"No answer is class {classes}{' ...' if len(names) > 5 else ''}, which "
            f"{100 * share:.0f} % of the samples are of."
        ),
        steps=(step, step),
        evidence=(Evidence("share of classes that are never answered", share, OTHERS, True),),
        strength=share / OTHERS,
    )


def outputs_collapse(history: History) -> Answer:
    """Find outputs that were different for different samples, and have become the same for all."""
    return None if _compares_outputs(history) else _collapse(history, "outputs_collapse")


def embeddings_collapse(history: History) -> Answer:
    """Find the same where the loss compares outputs with each other, so that one point for all
    samples is a place where it stands."""
    if history.wiring is None or not history.wiring.losses:
        return Unchecked("what the loss computes was not observed")
    if not _compares_outputs(history):
        return None
    found = _collapse(history, "embeddings_collapse") or _one_direction(history)
    compares = any(term.compares for term in history.wiring.losses)
    return _shrinks(history) if found is None and compares else found


def _one_direction(history: History) -> Finding | None:
    """The finding where the loss is a cosine of two outputs, both with a gradient, and all outputs
    have come to point the same way: lengths and what is left of the spread do not matter to it.
    Where nothing else is in the loss than such cosines that are to grow, outputs that are on their
    way there are enough: of any layer, since a network behind it may spread them again."""
    wiring = history.wiring
    terms = [] if wiring is None else [t for t in wiring.losses if not t.penalty]
    if not all(t.compares and {"Mul", "Mm", "Bmm"} & set(t.chain[:2]) for t in terms):
        return None
    only_pulls = all(term.similarity < 0 and not term.undetached for term in terms)
    layers = history.layers if only_pulls else history.layers[-1:]
    falls = [
        (max(spread.finite[-3:]) / max(*spread.finite[:FEWEST], 1e-12), layer.name, spread)
        for layer in layers
        if (spread := history.of(OUTPUT_SPREAD, layer.name)) is not None
        and len(spread.finite) >= 2 * FEWEST
    ]
    if not terms or not falls:
        return None
    _, layer, spread = min(falls, key=lambda each: each[0])
    before, end = max(spread.finite[:FEWEST]), max(spread.finite[-3:])
    if end > (ON_THE_WAY if only_pulls else ALIKE) or before < 2 * end:
        return None
    return Finding(
        rule="embeddings_collapse",
        sentence=(
            f"The outputs of {layer} have come to point the same way for all samples: their spread "
            f"fell from {100 * before:.2g} % of their magnitude to {100 * end:.2g} %, and the loss "
            "only pulls them together. Detach one side (`z.detach()`), or push other samples apart."
        ),
        layers=(layer,),
        steps=(spread.steps[0], spread.steps[-1]),
        evidence=(Evidence("spread of the outputs / magnitude", end, ALIKE, False, percent=True),),
        strength=ALIKE / max(end, 1e-9),
    )


def _shrinks(history: History) -> Finding | None:
    """The finding where outputs of all samples have come together around 0, so that they are small
    and still differ beside their own size."""
    layer = history.layers[-1].name
    names = (OUTPUT_SPREAD, ACTIVATION_MEAN, ACTIVATION_STD)
    series = [history.of(name, layer) for name in names]
    rows = [
        spread * math.hypot(mean, std)
        for spread, mean, std in zip(*(each.values for each in series if each), strict=False)
    ]
    rows = [row for row in rows if math.isfinite(row)]
    if len(rows) < 2 * FEWEST or not all(series):
        return None
    before, end = max(rows[:FEWEST]), max(rows[-3:])
    if before <= 0 or before < SHRUNK * end:  # points that were one from the start on
        return None
    return Finding(
        rule="embeddings_collapse",
        sentence=(
            f"The outputs of {layer} have come together: their distances between samples fell from "
            f"{before:.2g} to {end:.2g}, and the loss only compares outputs with each other. A "
            "loss that pulls together and pushes nothing apart ends in one point."
        ),
        layers=(layer,),
        steps=(0, history.ended.step),
        evidence=(Evidence("first distance / last distance", before / max(end, 1e-12), SHRUNK),),
        strength=min(before / (SHRUNK * max(end, 1e-12)), 1e6),
    )


def _compares_outputs(history: History) -> bool:
    """Whether the loss is none that compares each output with a target, as far as is known."""
    wiring = history.wiring
    if wiring is None or not wiring.losses or history.facts.loss_kind:
        return False
    return not any(term.operation for term in wiring.losses if not term.penalty)


def _collapse(history: History, rule: str) -> Answer:
    if opponents(history):
        return Unchecked(no_baseline(history))
    spread = None if not history.layers else history.of(OUTPUT_SPREAD, history.layers[-1].name)
    if spread is None or len(spread.finite) < FEWEST:
        return Unchecked("the spread of the outputs was not recorded")
    before, end = max(spread.finite[:FEWEST]), max(spread.finite[-3:])
    if end >= POINT or before < SPREAD_BEFORE * max(end, LEAST_SPREAD):
        return None
    return Finding(
        rule=rule,
        sentence=(
            f"The outputs of {history.layers[-1].name} have become the same for all samples: their "
            f"spread fell from {100 * before:.2g} % of their magnitude to {100 * end:.2g} %."
        ),
        layers=(history.layers[-1].name,),
        steps=(spread.steps[0], spread.steps[-1]),
        evidence=(Evidence("spread of the outputs / magnitude", end, POINT, False, percent=True),),
        strength=min(POINT / max(end, 1e-9), 1e6),
    )


NOT_LEARNING = Rule(
    name="not_learning",
    title="Failure to learn",
    find=not_learning,
    explanation=(
        "The predictions are no better than a constant that ignores the input. This is a symptom: "
        "if it is a consequence of another finding, treat that one. If it is the only finding, "
        "check the data, the loss and the output layer."
    ),
    healthy="A training loss that is below that of guessing within the first epochs.",
    source="Goodfellow, Bengio, Courville 2016, section 11.5",
    explains=("plateau", "one_answer", "outputs_collapse"),
    symptom=True,
    remedies=(
        "use_relu",
        "use_fitting_init",
        "use_batch_norm",
        "use_residual",
        "search_rate",
        "use_adam",
        "lighten_brakes",
        "widen",
    ),
)
PLATEAU = Rule(
    name="plateau",
    title="Standing still below a simple model",
    find=plateau,
    explanation=(
        "The loss has stopped falling although much simpler models predict the same rows better: "
        "something keeps the network from learning. This is a symptom."
    ),
    healthy="A score at least as good as that of a linear model or of the nearest neighbour.",
    source="Goodfellow, Bengio, Courville 2016, section 11.4",
    symptom=True,
    remedies=("search_rate", "use_fitting_init", "use_adam", "widen"),
    own_loops=True,
)
ONE_ANSWER = Rule(
    name="one_answer",
    title="One answer for all samples",
    find=one_answer,
    explanation=(
        "The network answers the same class whatever it is shown. Its classes may be very unequal, "
        "its labels may not belong to its inputs, or its inputs may be lost inside. This is a "
        "symptom."
    ),
    healthy="Answers of each class about as often as there are samples of it.",
    source="He, Garcia 2009, Learning from imbalanced data",
    symptom=True,
    own_loops=True,
)
OUTPUTS_COLLAPSE = Rule(
    name="outputs_collapse",
    title="Outputs that have become the same",
    find=outputs_collapse,
    explanation=(
        "The network no longer looks at its inputs: a step that was too large, units that are all "
        "0, or a penalty that is larger than what the data ask for. This is a symptom."
    ),
    healthy="Outputs whose spread over the samples is of the order of their magnitude.",
    source="Goodfellow, Bengio, Courville 2016, section 11.5",
    explains=("one_answer",),
    symptom=True,
    own_loops=True,
)
EMBEDDINGS_COLLAPSE = Rule(
    name="embeddings_collapse",
    title="Embeddings that have become one point",
    find=embeddings_collapse,
    explanation=(
        "All samples get the same output, as with a triplet loss of only the hardest negatives, or "
        "a contrastive loss without negatives: one point is a solution of such losses, or a "
        "saddle from which their gradient does not lead away."
    ),
    healthy="Outputs whose spread over the samples is of the order of their magnitude.",
    source="Xuan, Stylianou, Liu, Pless 2020, Hard negative examples are hard, but useful",
    explains=(
        "not_learning",
        "plateau",
        "too_short",
        "loss_still_falls",
        "dead_relu",
        "vanishing_gradient",
        "gradient_zero",
        "rate_too_low",
        "underfitting",
    ),
    own_loops=True,
    change=(
        "optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)  # a smaller rate\n"
        "loss = F.relu(positive - negative + margin).mean()  # all or semi-hard negatives, not "
        "the hardest"
    ),
)

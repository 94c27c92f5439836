"""Losses that cannot teach what they should, whatever the network is: targets of another kind than
the loss expects, a loss that falls with the errors, a part without a gradient."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, observed
from netwise.diagnosis.rules.outcome import FEWEST, finite_median, loss_share, series_by_layer
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History
from netwise.signals import ACCURACY, LOSS, LOSS_WITHOUT_GRADIENT, STEP_DESCENT
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HINGE,
    HUBER,
    LABELS,
    ONE_HOT,
    OVERLAP,
    SQUARED_ERROR,
    LossTerm,
)

FEW_TOO_LONG = 0.2  # of the samples: single ones in real recordings are cut too short
OUTSIDE = 1e-3  # distance of a target from 0 to 1 that is no rounding
WHITE = 255  # in pictures of bytes
# Losses that are never better below 0: whose negative rewards errors.
ERRORS = (
    CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    SQUARED_ERROR,
    ABSOLUTE_ERROR,
    HUBER,
    OVERLAP,  # as its terms are counted: a factor of 1 where the loss falls as it grows
)
FEWEST_ROWS = 8  # of a batch: fewer answers may all be right by chance
CHANGES = 1e-3  # of its size, by which a part of the loss is no constant
NOT_KNOWN = 0.5  # of the loss of guessing, in the first step of a network that does not know
UPHILL = -0.9  # cosine of a step and the way down, where steps are the gradient and no momentum
# The same of steps with a momentum or rates for each weight, where the loss rises all the same.
UPHILL_AND_UP = -0.2
RISEN = 3.0  # last loss over the first
SIGNS = "signs"  # value of `FirstBatch.loss_takes`


def targets_misfit_loss(history: History) -> Answer:
    """Find targets of a kind that the loss is not made for: outside of 0 to 1 in a binary
    cross-entropy, 0 instead of -1 in a hinge loss."""
    wiring = observed(history, "losses")
    if isinstance(wiring, Unchecked):
        return wiring
    for term in wiring.losses:
        sentence = _outside_of_shares(term) or _zeros_in_hinge(term, history) or _without_path(term)
        if sentence:
            return Finding(
                rule="targets_misfit_loss",
                sentence=sentence,
                steps=(0, history.ended.step),
                evidence=(_range(term),),
                change=_change(term),
            )
    return None


def _range(term: LossTerm) -> Evidence:
    if term.too_long is not None:
        return Evidence("samples without a path", term.too_long, FEW_TOO_LONG, percent=True)
    low, high = term.target_low or 0.0, term.target_high or 0.0
    if term.operation in (BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS, OVERLAP):
        if high > 1 + OUTSIDE:
            return Evidence("highest target", high, 1.0)
        return Evidence("lowest target", low, 0.0, above=False)
    return Evidence("lowest target", low, -1.0)


def _outside_of_shares(term: LossTerm) -> str:
    if term.operation == OVERLAP:
        return _outside_of_masks(term)
    if term.operation not in (BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS):
        return ""
    low, high = term.target_low, term.target_high
    if low is None or high is None or (low >= -OUTSIDE and high <= 1 + OUTSIDE):
        return ""
    pictures = "Masks that were read from pictures are divided by 255. " if high == WHITE else ""
    return (
        f"The loss is a binary cross-entropy{_at(term)}, whose targets are from 0 to 1, and the "
        f"targets are from {low:.3g} to {high:.3g}: it falls without end as outputs grow. "
        f"{pictures}For numbers use `nn.MSELoss()`; for more than two classes "
        "`nn.CrossEntropyLoss()` with an output for each class."
    )


def _outside_of_masks(term: LossTerm) -> str:
    high = term.target_high
    if high is None or high <= 1 + OUTSIDE:
        return ""
    return (
        f"The loss is an overlap of outputs and masks{_at(term)}, whose masks are from 0 to 1, and "
        f"the targets are up to {high:.3g}: no output from 0 to 1 fits them. Write "
        "`mask = (mask > 0).float()`."
    )


def _zeros_in_hinge(term: LossTerm, history: History) -> str:
    first = history.first_batch
    by_asking = first is not None and first.loss_takes == SIGNS and not term.operation
    if term.penalty or not (term.operation == HINGE or by_asking):
        return ""
    facts = history.facts
    is_binary = term.target_kind in (LABELS, ONE_HOT) and term.target_low == 0
    if by_asking and not term.target_kind:
        is_binary = facts.target_low == 0 and facts.target_high == 1
    if not is_binary:
        return ""
    return (
        f"The loss{_at(term)} is made for targets of -1 and 1, and the targets are 0 and 1: where "
        "the target is 0 it has no gradient, so that nothing is learned of these samples or "
        "classes. Write `2 * y - 1` for y, or use `nn.BCEWithLogitsLoss()`."
    )


def _without_path(term: LossTerm) -> str:
    if (term.too_long or 0.0) <= FEW_TOO_LONG:
        return ""
    return (
        f"For {100 * (term.too_long or 0.0):.0f} % of the samples of a batch the CTC loss"
        f"{_at(term)} is infinite, because they have fewer time steps than labels (and a blank "
        "between equal labels); `zero_infinity=True` makes it 0, without a gradient. Let the "
        "network keep more time steps, and check `input_lengths`."
    )


def _change(term: LossTerm) -> str:
    if term.too_long is not None:
        return "self.conv = nn.Conv1d(..., stride=1)  # as many time steps as 2 * labels + 1"
    if term.operation == OVERLAP:
        return "mask = (mask > 0).float()"
    if term.target_high == WHITE:
        return "mask = mask / 255  # 0 to 1"
    if term.operation in (BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS):
        return "loss = torch.nn.functional.mse_loss(output, y)  # numbers, without a sigmoid"
    return "target = 2 * y - 1  # -1 and 1 instead of 0 and 1"


def _at(term: LossTerm) -> str:
    return f" of {term.place}" if term.place else ""


def loss_rewards_errors(history: History) -> Answer:
    """Find an optimizer that raises the errors: the negative of a loss is minimized, or a loss is
    maximized.

    Not with modules that are trained against each other, one of which may raise the other's loss.
    """
    wiring = history.wiring
    if wiring is None:
        return Unchecked(NOT_OBSERVED)
    if wiring.opponents:
        return None
    terms = [term for term in wiring.losses if not term.penalty]
    actions = {term.advantages for term in terms if term.advantages}
    if actions and actions == {1 if wiring.maximizes else -1}:
        return _bad_actions(history, next(term for term in terms if term.advantages))
    rises = {term.similarity for term in terms}
    if rises == {-1 if wiring.maximizes else 1} and not wiring.asks_inputs:
        return _apart(history, terms[0])
    known = [term for term in terms if term.operation in ERRORS and term.reduction]
    if not terms or len(known) < len(terms):
        return _by_asking(history, terms)
    uphill = _walks_uphill(history)
    signs = {(term.factor < 0) != (wiring.maximizes or uphill) for term in known}
    if signs != {True}:
        return None
    term = known[0]
    if term.operation == OVERLAP:
        what = "The loss grows with the overlap of outputs and masks"
    elif uphill:
        what = f"The weights are moved along the gradient of a {term.operation}"
    elif wiring.maximizes:
        what = f"The optimizer was made with `maximize=True`, and the loss is a {term.operation}"
    else:
        what = f"`backward` is called on the negative of a {term.operation}"
    return Finding(
        rule="loss_rewards_errors",
        sentence=f"{what}{_at(term)}: each step makes the errors larger. Change the sign.",
        steps=(0, history.ended.step),
        evidence=(
            Evidence("factor of the loss", term.factor, 0.0, above=wiring.maximizes or uphill),
        ),
        change="weight -= rate * weight.grad  # minus: down the loss" if uphill else "",
    )


def _bad_actions(history: History, term: LossTerm) -> Finding:
    """A policy gradient that makes rewarded actions less probable."""
    return Finding(
        rule="loss_rewards_errors",
        sentence=(
            f"The loss{_at(term)} is a sum of log-probabilities times rewards, and a step lowers "
            "it: actions become less probable the higher their reward is. Change its sign."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("sign of log-probability times reward", 1.0, 0.0),),
        change="loss = -(log_prob * advantage).mean()",
    )


def _apart(history: History, term: LossTerm) -> Finding:
    """A loss that makes outputs point away from what they are compared with."""
    return Finding(
        rule="loss_rewards_errors",
        sentence=(
            f"The loss{_at(term)} is a cosine similarity, and a step lowers it: outputs come to "
            "point away from what they are compared with. Minimize its negative, or 1 minus it."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("sign of the similarity in the loss", 1.0, 0.0),),
        change="loss = 1 - F.cosine_similarity(output, target, dim=1).mean()",
    )


def _walks_uphill(history: History) -> bool:
    """Whether a program without an optimizer moves its weights along their gradients."""
    if history.wiring is None or history.wiring.optimizers:
        return False
    layers = series_by_layer(history, STEP_DESCENT).values()
    found = [finite_median(series.values) for series in layers]
    limit = UPHILL_AND_UP if _rises(history) else UPHILL
    return bool(found) and all(value is not None and value < limit for value in found)


def _rises(history: History) -> bool:
    """Whether the loss ends at a multiple of the first one."""
    losses = history.of(LOSS)
    values = [] if losses is None else losses.finite
    return len(values) > FEWEST and min(values) >= 0 and values[-1] > RISEN * values[0] > 0


def _by_asking(history: History, terms: list[LossTerm]) -> Answer:
    """What the loss function itself answers; the program may change its sign afterwards."""
    first, wiring = history.first_batch, history.wiring
    if first is None or first.loss_rewards_errors is None:
        return None if terms else Unchecked("what the loss computes is not known")
    is_negated = any(term.factor < 0 for term in terms) or (wiring is not None and wiring.maximizes)
    if not first.loss_rewards_errors or is_negated:
        return None
    return Finding(
        rule="loss_rewards_errors",
        sentence=(
            "The loss is lower for wrong outputs than for right ones: each step makes the errors "
            "larger. Change its sign."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("factor of the loss", -1.0, 0.0, above=False),),
    )


def loss_constant(history: History) -> Answer:
    """Find a loss from which no gradient reaches the outputs, whatever these are."""
    first = history.first_batch
    if first is None or first.loss_constant is None:
        if history.wiring is None:
            return Unchecked(NOT_OBSERVED)
        return Unchecked("the loss was not asked: pass loss=... to `watch` or to `preflight`")
    if not first.loss_constant:
        return None
    return Finding(
        rule="loss_constant",
        sentence=(
            "No gradient leads from the loss to the outputs, for random outputs of every kind. "
            "Look for `argmax`, `round`, a comparison, `.item()` or `.detach()` in the loss."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("kinds of outputs with a gradient", 0.0, 1.0, above=False),),
    )


def loss_ignores_targets(history: History) -> Answer:
    """Find a loss that is the same for other targets, or targets that are the answers of the
    untrained network itself."""
    first = history.first_batch
    asked = None if first is None else first.loss_ignores_targets
    own = _own_answers(history)
    if asked is None and own is None:
        if history.wiring is None:
            return Unchecked(NOT_OBSERVED)
        return Unchecked("the loss was not asked: pass loss=... to `watch` or to `preflight`")
    if not asked and not own:
        return None
    sentence = (
        "The loss and its gradient are the same when the samples exchange their targets."
        if asked
        else "The targets are the network's own answers for each sample of the first batches, "
        f"though the loss begins at {100 * (own or 0.0):.0f} % of that of guessing."
    )
    return Finding(
        rule="loss_ignores_targets",
        sentence=f"{sentence} Compare the outputs with the targets of the data.",
        steps=(0, history.ended.step),
        evidence=(Evidence("change of the loss with the targets", 0.0, 0.0),),
    )


def _own_answers(history: History) -> float | None:
    """First loss over that of guessing where all answers are right from the first step on; 0 where
    they are not; None where it is not known. An untrained network that is always right and does not
    know it has given the answers itself."""
    right, losses, size = history.of(ACCURACY), history.of(LOSS), history.facts.batch_size
    if right is None or losses is None or len(right) < FEWEST or (size or 0) < FEWEST_ROWS:
        return None
    share = loss_share(history, losses.values[0]) if losses.values else None
    if right.steps[0] > 0 or share is None or _chooses_samples(history):
        return None
    known = share < NOT_KNOWN or min(right.values[:FEWEST]) < 1 or not share < float("inf")
    return 0.0 if known else share


def _chooses_samples(history: History) -> bool:
    """Whether the classes are the samples of the batch, as in a contrastive loss: two views of a
    sample are near each other in any network, also in one that is not trained."""
    terms = () if history.wiring is None else history.wiring.losses
    shapes = [term.output_shape for term in terms if len(term.output_shape) == 2]
    return any(rows - 2 <= columns <= rows for rows, columns in shapes)


def part_without_gradient(history: History) -> Answer:
    """Find a second derivative in the loss that is 0 for every sample, because the activations
    between are made of straight lines; or a part of the loss that changes from step to step and has
    no gradient."""
    wiring = observed(history, "losses")
    if isinstance(wiring, Unchecked):
        return wiring
    if _has_loose_part(history):
        return _loose_part(history, wiring.losses)
    term = next((t for t in wiring.losses if t.zero_derivative), None)
    if term is None:
        return None
    name = "ReLU" if term.zero_derivative == "Relu" else term.zero_derivative
    return Finding(
        rule="part_without_gradient",
        sentence=(
            f"The loss{_at(term)} contains a second derivative through {name}, which is 0 for all "
            "samples: this part of the loss does not depend on the weights. Use a smooth "
            "activation, such as `nn.Tanh()` or `nn.SiLU()`."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("largest second derivative", 0.0, 0.0),),
    )


def _has_loose_part(history: History) -> bool:
    series = history.of(LOSS_WITHOUT_GRADIENT)
    values = [] if series is None else series.finite
    if len(values) < FEWEST or 0.0 in values:
        return False
    return max(values) - min(values) > CHANGES * max(map(abs, values))


def _loose_part(history: History, terms: tuple[LossTerm, ...]) -> Finding:
    series = history.of(LOSS_WITHOUT_GRADIENT)
    low, high = (min(series.finite), max(series.finite)) if series else (0.0, 0.0)
    return Finding(
        rule="part_without_gradient",
        sentence=(
            f"A part of the loss{_at(terms[0]) if terms else ''} has no gradient: its value is "
            f"{low:.3g} to {high:.3g}, and changes from step to step. It was detached, computed "
            "under `torch.no_grad()`, or made a number by `.item()`, so nothing learns from it."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("largest part of the loss without a gradient", max(-low, high), 0.0),),
        change="loss = first + second  # tensors, without .item() and .detach(), and no no_grad()",
    )


TARGETS_MISFIT_LOSS = Rule(
    name="targets_misfit_loss",
    title="Targets of another kind than the loss expects",
    find=targets_misfit_loss,
    explanation=(
        "A loss computes a number for any targets. A binary cross-entropy of a target above 1 has "
        "no lowest value, so that outputs grow without end. A hinge loss max(0, 1 - y o) is 1 "
        "where y is 0, whatever the output."
    ),
    healthy="Targets from 0 to 1 in a binary cross-entropy; -1 and 1 in a hinge loss.",
    source="PyTorch documentation, BCEWithLogitsLoss, HingeEmbeddingLoss and SoftMarginLoss",
    explains=("loss_misfits_task", "unstable_loss", "gradient_zero", *CONSEQUENCES),
    tasks=WITH_TARGETS,
    own_modules=True,
    exact=True,
    change=(
        "target = (label > 0).float()  # 0 and 1 for a binary cross-entropy\n"
        "target = 2 * target - 1  # -1 and 1 for a hinge loss"
    ),
)
LOSS_REWARDS_ERRORS = Rule(
    name="loss_rewards_errors",
    title="Loss with the wrong sign",
    find=loss_rewards_errors,
    explanation=(
        "An optimizer lowers what `backward` is called on. With the sign of a score, or with the "
        "negative of a loss, it raises the errors, and nothing in the loop fails."
    ),
    healthy="`backward` on a loss that is lowest for perfect predictions.",
    source="PyTorch documentation, torch.optim, `maximize`",
    explains=("unstable_loss", "gradient_zero", *CONSEQUENCES),
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
    change="loss.backward()  # instead of (-loss).backward(); and maximize=False",
)
LOSS_CONSTANT = Rule(
    name="loss_constant",
    title="Loss that does not depend on the outputs",
    find=loss_constant,
    explanation=(
        "A step function such as `argmax` or a comparison has the derivative 0 almost everywhere, "
        "and `.item()` or `.detach()` cut the graph. The loss changes, its gradient is none or 0."
    ),
    healthy="A gradient at the outputs that is not 0 while there are errors.",
    source="PyTorch documentation, Autograd mechanics",
    explains=("graph_cut", "gradient_zero", *CONSEQUENCES),
    own_loops=True,
    exact=True,
    change=(
        "loss = F.cross_entropy(logits, target)  # a loss with a gradient: no argmax,\n"
        "# comparison, round, .item() or .detach() between the outputs and the loss"
    ),
)
LOSS_IGNORES_TARGETS = Rule(
    name="loss_ignores_targets",
    title="Loss that does not depend on the targets",
    find=loss_ignores_targets,
    explanation=(
        "A loss of the outputs alone, or of the outputs and what was made of them by `argmax` or "
        "`detach`, falls without anything being learned of the data: the network confirms itself."
    ),
    healthy="A loss that changes when the samples exchange their targets.",
    source="Zhang et al. 2018, An empirical study on TensorFlow program bugs",
    explains=("loss_rewards_errors", "gradient_zero", "one_class", *CONSEQUENCES),
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
    change="loss = F.cross_entropy(model(x), y)  # y of the data, not of the outputs",
)
PART_WITHOUT_GRADIENT = Rule(
    name="part_without_gradient",
    title="Part of the loss without a gradient",
    find=part_without_gradient,
    explanation=(
        "A network of ReLU is a straight line around each input, so its second derivative is 0. A "
        "loss that asks for a second derivative, such as the residual of a differential equation, "
        "is constant in that part: only its other parts are learned. So is a part that was "
        "detached or turned into a number."
    ),
    healthy="Tanh, sine, SiLU or softplus where the loss contains second derivatives.",
    source=(
        "Raissi, Perdikaris, Karniadakis 2019, Physics-informed neural networks; lululxvi/deepxde "
        "issue 80"
    ),
    explains=("graph_cut", *CONSEQUENCES),
    own_loops=True,
    exact=True,
    change="activation = nn.Tanh()  # instead of nn.ReLU()",
)

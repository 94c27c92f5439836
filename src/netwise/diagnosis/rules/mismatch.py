"""An output layer, a loss and targets that do not fit each other: the most common fault of programs
that do not learn."""

from __future__ import annotations

from math import inf

from netwise.diagnosis.rules import loss_chain
from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    NO_LOSS_KIND,
    final_loss_share,
    has_learned,
    if_outcome_known,
    no_baseline,
    outcome_known,
)
from netwise.history import History, RunFacts
from netwise.tasks import BOUNDED, OF_LOGITS, OF_PROBABILITIES, OF_SIGMOID_LOGITS, SQUARED
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    HUBER,
    ONE_HOT,
    SQUARED_ERROR,
    LossTerm,
)

PROBABILITIES = ("Softmax", "Sigmoid", "Hardsigmoid")
RANGES = {**BOUNDED, "Softmax": (0.0, 1.0), "ReLU": (0.0, inf)}
NOTHING_LEARNED = 0.9  # of the loss of guessing: the same answers for all samples
YES_OR_NO = (BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS)
OF_NUMBERS = (SQUARED_ERROR, ABSOLUTE_ERROR, HUBER)
# Difference of the numbers of near rows over that of any: that of amounts stays below 0.6.
NO_ORDER = 0.9
PARALLEL = 0.9999  # cosine of two gradients of the same loss


def output_misfits_loss(history: History) -> Answer:
    """Find an output activation that does not fit the loss or the targets.

    Where the operations before the loss are known this is exact. Else it rests on the recognised
    activation and kind of loss, and counts in a run that has not learned.
    """
    wiring = history.wiring
    misfit = None if wiring is None else loss_chain.misfit_of(wiring)
    if misfit is not None:
        # The parts of a recipe have names and remedies of their own.
        of_parts = _recognised(history) if history.made_by.recipe else None
        return of_parts if isinstance(of_parts, Finding) else _exact(history, *misfit)
    if not history.layers or history.facts.loss_kind is None:
        if wiring is not None and loss_chain.known(wiring):
            return None
        reason = None if wiring is None else wiring.not_observed.get("losses")
        return Unchecked(reason or NO_LOSS_KIND)
    return _recognised(history)


def _recognised(history: History) -> Answer:
    """The answer from the recognised activation and kind of loss."""
    if not history.layers or history.facts.loss_kind is None:
        return None
    last, facts = history.layers[-1], history.facts
    if has_learned(history):
        return None
    if facts.loss_kind == OF_PROBABILITIES and _makes_probabilities(history):
        return None
    sentence = _mismatch(last.activation, last.fan_out, facts)
    if not sentence:
        return None
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    activation = last.activation or "unknown activation"
    return Finding(
        rule="output_misfits_loss",
        sentence=sentence,
        layers=(last.name,),
        steps=(0, history.ended.step),
        evidence=(
            Evidence(
                f"outputs of {last.name} ({activation}) that do not fit the loss",
                float(last.fan_out),
                0.0,
            ),
        ),
    )


def _makes_probabilities(history: History) -> bool:
    """Whether the loss itself turns outputs into probabilities, before their logarithm."""
    terms = () if history.wiring is None else history.wiring.losses
    return any({*term.chain} & {*PROBABILITIES, "LogSoftmax", "Exp"} for term in terms)


def _exact(history: History, sentence: str, term: LossTerm) -> Finding:
    """The finding of a loss whose operations are known."""
    units = term.output_shape[1] if len(term.output_shape) > 1 else 1
    operations = " of ".join(term.chain)
    what = f"outputs that do not fit the loss ({term.operation}: {operations})"
    return Finding(
        rule="output_misfits_loss",
        sentence=sentence,
        layers=tuple(layer.name for layer in history.layers[-1:]),
        steps=(0, history.ended.step),
        evidence=(Evidence(what, float(max(units, 1)), 0.0),),
        remedies=(
            ("use_plain_output", "scale_targets")
            if term.operation in (SQUARED_ERROR, ABSOLUTE_ERROR, HUBER)
            else ("use_plain_output", "use_cross_entropy")  # the targets are not at fault
        ),
        grade="cause",
    )


def _mismatch(activation: str, units: int, facts: RunFacts) -> str:
    """What does not fit, as a sentence; "" where all does."""
    if activation == "Softmax" and units == 1:
        return "Softmax over a single output is always 1, whatever the input."
    if activation == "Softmax" and facts.loss_kind == OF_LOGITS:
        return (
            "Softmax is applied twice: by the network, and again by the loss, which expects logits."
        )
    if activation == "ReLU" and facts.loss_kind == OF_LOGITS:
        return (
            "The outputs go through ReLU before a loss that expects logits: an output that is 0 "
            "for a sample gets no gradient of it."
        )
    if activation in ("Sigmoid", "Tanh") and facts.loss_kind == OF_LOGITS:
        return (
            f"The outputs go through {activation} before a loss that expects logits: they cannot "
            "differ enough for a confident prediction."
        )
    if activation in ("Sigmoid", "Softmax", "ReLU") and facts.loss_kind == OF_SIGMOID_LOGITS:
        return (
            f"The outputs go through {activation} before a loss that expects logits and applies "
            "the sigmoid itself."
        )
    if facts.loss_kind == OF_PROBABILITIES and activation and activation not in PROBABILITIES:
        return (
            f"The loss takes the logarithm of probabilities, and outputs of {activation} are no "
            "probabilities."
        )
    low, high = RANGES.get(activation, (-inf, inf))
    if facts.target_low is None or facts.target_high is None:
        return ""
    if facts.target_low < low - 0.01 or facts.target_high > high + 0.01:
        return (
            f"The targets are between {facts.target_low:.3g} and {facts.target_high:.3g}, and "
            f"outputs of {activation} only between {low:g} and {high:g}."
        )
    return ""


@if_outcome_known
def loss_misfits_task(history: History) -> Answer:
    """Find a squared or an absolute error on classes, or a yes-or-no loss of each of several
    classes that exclude each other, in a run that has not learned."""
    facts = history.facts
    other = (
        _absolute_error_on_classes(history)
        or _yes_or_no_of_exclusive_classes(history)
        or _error_of_class_numbers(history)
    )
    if other is not None and not has_learned(history):
        return other
    if facts.loss_kind is None or facts.class_targets is None:
        return Unchecked(NO_LOSS_KIND)
    if has_learned(history) or not facts.class_targets or facts.loss_kind != SQUARED:
        return None
    return Finding(
        rule="loss_misfits_task",
        sentence="The loss is a squared error, and the targets are classes.",
        steps=(0, history.ended.step),
        evidence=(
            Evidence("cosine of the loss's gradient and output - one-hot target", 1.0, PARALLEL),
        ),
    )


def _absolute_error_on_classes(history: History) -> Finding | None:
    """An absolute error on one-hot rows: its best constant answer is 0 for each class that is not
    the most of all samples."""
    terms = () if history.wiring is None else history.wiring.losses
    term = next((t for t in terms if t.operation == ABSOLUTE_ERROR and not t.penalty), None)
    if term is None or term.target_kind != ONE_HOT:
        return None
    shares = history.facts.class_shares or ()
    is_rare = bool(shares) and max(shares) < 0.5
    columns = term.output_shape[1] if len(term.output_shape) > 1 else 0
    return Finding(
        rule="loss_misfits_task",
        sentence=(
            "The loss is an absolute error, and the targets are classes. Answering 0 for every "
            "class is the best constant answer to it, since each class is wrong for most samples. "
            "Use `nn.CrossEntropyLoss()` on logits."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("columns of the one-hot targets", float(columns), 2.0),),
        grade="cause" if is_rare or columns > 2 else "suspect",
    )


def _error_of_class_numbers(history: History) -> Finding | None:
    """A squared or absolute error between one output and the numbers of classes that are no
    amounts: rows that are near to each other have numbers as far apart as any."""
    terms = () if history.wiring is None else history.wiring.losses
    term = next((t for t in terms if t.operation in OF_NUMBERS and not t.penalty), None)
    order = None if history.data is None else history.data.class_order
    if term is None or order is None or order < NO_ORDER:
        return None
    if len(term.output_shape) not in (1, 2) or term.output_shape[1:] not in ((), (1,)):
        return None
    what = f"{'an' if term.operation == ABSOLUTE_ERROR else 'a'} {term.operation}"
    return Finding(
        rule="loss_misfits_task",
        sentence=(
            f"The loss is {what} of one output, and the targets are the whole "
            f"numbers from {term.target_low or 0:.0f} to {term.target_high or 0:.0f}, which look "
            "like names of classes: where the nearest neighbour of a row has another number, that "
            "is as far away as that of any row. Between classes 3 and 5 the answer is 4, another "
            "class."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("difference of neighbours' numbers / at random", order, NO_ORDER),),
        change=(
            f"nn.Linear(n, {term.target_high or 0:.0f} + 1)  # an output for each class\n"
            "loss = F.cross_entropy(logits, class_numbers.long())"
        ),
    )


def _yes_or_no_of_exclusive_classes(history: History) -> Finding | None:
    """A binary cross-entropy of each class of one-hot rows. Of many classes almost all answers are
    no, and a network that says no to each has a small loss. Of two classes it is as good."""
    terms = () if history.wiring is None else history.wiring.losses
    term = next((t for t in terms if t.operation in YES_OR_NO and not t.penalty), None)
    if term is None or term.target_kind != ONE_HOT or len(term.output_shape) < 2:
        return None
    columns, left = term.output_shape[1], final_loss_share(history)
    if columns <= 2 or left is None or left < NOTHING_LEARNED:
        return None
    return Finding(
        rule="loss_misfits_task",
        sentence=(
            f"The loss asks for yes or no of each of {columns} classes, and each target has "
            f"exactly one yes: {100 - 100 / columns:.0f} % of the answers are no. Use "
            "`nn.CrossEntropyLoss()` on logits."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("columns of the one-hot targets", float(columns), 2.0),),
    )


_CONSEQUENCES = (
    "unstable_loss",
    "softmax_of_one_unit",
    "constant_output",
    "gradient_zero",
    "not_finite",
    "saturation",
    "dead_relu",
    "activation_flattens",
    "exploding_gradient",
    "vanishing_gradient",
    "rate_too_high",
    "rate_too_low",
    "overfitting",
    "underfitting",
    "not_learning",
)
OUTPUT_MISFITS_LOSS = Rule(
    name="output_misfits_loss",
    title="Output activation that does not fit the loss",
    find=output_misfits_loss,
    explanation=(
        "A loss expects logits, probabilities, or values in the range of the targets. With other "
        "inputs it still gives a number and a gradient, but the gradient is too small or points in "
        "a wrong direction."
    ),
    healthy="Logits into a cross-entropy that expects logits; targets in the range of the outputs.",
    source="Islam et al. 2019, A comprehensive study on deep learning bug characteristics",
    # The likelihood of outputs that are no logarithms of probabilities has no lowest value.
    explains=("loss_unbounded", *_CONSEQUENCES),
    tasks=WITH_TARGETS,
    remedies=("scale_targets", "use_plain_output", "use_cross_entropy"),
    change=(
        "# the last layer gives plain logits, without softmax or sigmoid\n"
        "loss = F.cross_entropy(logits, target)  # or binary_cross_entropy_with_logits\n"
        "# numbers beyond 0 to 1: no ReLU, sigmoid or tanh at the end"
    ),
)
LOSS_MISFITS_TASK = Rule(
    name="loss_misfits_task",
    title="Loss that does not fit classes",
    find=loss_misfits_task,
    explanation=(
        "Through a sigmoid or softmax, the gradient of a squared error is multiplied by the slope "
        "of that function, which is almost 0 exactly where a prediction is very wrong. The "
        "gradient of cross-entropy has no such factor. An absolute error has the same slope for a "
        "class that is right and for one that is wrong, and its best constant answer is 0 for all. "
        "A yes-or-no loss of each class has almost as many answers of no as there are classes, and "
        "nothing makes the classes compete."
    ),
    healthy=(
        "The gradient at the outputs is softmax(output) - one-hot target: largest where a "
        "prediction is most wrong."
    ),
    source=(
        "Nielsen 2015, Neural Networks and Deep Learning, chapter 3; netwise lab L01, "
        "netwise lab L02"
    ),
    # Not of steps that are too long: they are so under any loss.
    explains=tuple(name for name in _CONSEQUENCES if name != "rate_too_high"),
    tasks=WITH_TARGETS,
    remedies=("use_cross_entropy",),
    change=(
        "loss = F.cross_entropy(logits, class_numbers)  # classes exclude each other\n"
        "# several labels a row: F.binary_cross_entropy_with_logits(logits, labels.float())"
    ),
)

"""What the operations between a network's last layer and its loss say of the two: a softmax twice,
logarithms of what are no probabilities, a softmax for several labels.

These follow from identities and need no look at what a run has learned.
"""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, log, log1p

from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CLASS_NUMBERS,
    CROSS_ENTROPY,
    HINGE_OF_CLASSES,
    HUBER,
    KL_DIVERGENCE,
    LABELS,
    LOGARITHM,
    ONE_HOT,
    OTHER_LOSS,
    OVERLAP,
    SQUARED_ERROR,
    LossTerm,
    Wiring,
)

SOFTMAX = ("Softmax", "LogSoftmax")
PROBABILITIES = ("Softmax", "Sigmoid")
LOGARITHMS = ("Log", "Log2", "Log10", "Log1P", "LogSoftmax", "LogSigmoid", "LogSigmoidForward")
# Functions whose values are above 0: a logarithm of them is no fault.
POSITIVE = (
    *PROBABILITIES,
    *SOFTMAX,
    "Exp",
    "Softplus",
    "Abs",
    "Pow",
    "Square",
    "Logsumexp",
    "Norm",
)
WEIGHTED = (
    *("Addmm", "Addbmm", "Addmv", "Baddbmm", "Bmm", "Linear", "Mm", "Mv", "MkldnnLinear"),
    *("Convolution", "MkldnnConvolution", "NativeBatchNorm", "NativeLayerNorm"),
)
# Between a logarithm and the last layer: they do not make what they get positive.
NEUTRAL = ("Clamp", "ClampMin", "ClampMax", "Div", "Add", "Sub", "Neg", "Log", "Log2", "Log10")
RECTIFIER = "Relu"
GATE = "Mul"
HIDDEN = "?"
LARGEST_LOG = 1e-3  # above it a number is no log-probability, rounding allowed for
OUT_OF_REACH = 0.1  # part of the loss of guessing, or of the targets' variance, that is left
# The same, of cosines: with a temperature of 1 they reach half of it and learn, with 5 they do not.
OF_COSINES = 0.8
PRODUCTS = ("Mm", "Bmm")
SEVERAL = 1.5  # sum of a row of targets: above it several labels are true at once


def misfit_of(wiring: Wiring) -> tuple[str, LossTerm] | None:
    """The first summand of the losses that does not fit its inputs, with a sentence; None where all
    fit or are not known."""
    bounded = _bounded_critic(wiring)
    if bounded is not None:
        return bounded
    for term in wiring.losses:
        sentence = "" if term.penalty else _misfit(term)
        if sentence:
            return f"{sentence[:-1]} ({term.place})." if term.place else sentence, term
    return None


def known(wiring: Wiring) -> bool:
    """Whether the operations before each loss of the data are known."""
    terms = [term for term in wiring.losses if not term.penalty]
    return bool(terms) and all(
        term.operation and term.chain and HIDDEN not in term.chain for term in terms
    )


def _misfit(term: LossTerm) -> str:
    checks = (
        _single_output,
        _softmax_twice,
        _sigmoid_twice,
        _exponential_twice,
        _margin_of_probabilities,
        _limited_logits,
        _no_log_probability,
        _log_of_no_probability,
        _overlap_of_no_probability,
        _several_labels,
        _targets_out_of_reach,
    )
    return next(filter(None, (check(term) for check in checks)), "")


def _single_output(term: LossTerm) -> str:
    shape = term.output_shape
    if len(shape) < 2 or shape[1] != 1 or shape[0] < 2 or not set(_applied(term)) & set(SOFTMAX):
        return ""
    return (
        "Softmax over a single output is always 1, whatever the input. Use one output for each "
        "class, or `nn.BCEWithLogitsLoss()` for a single one."
    )


def _before(chain: tuple[str, ...], stops: tuple[str, ...]) -> tuple[str, ...]:
    """The operations of a chain before the first of these."""
    place = next((i for i, name in enumerate(chain) if name in stops), len(chain))
    return chain[:place]


def _applied(term: LossTerm) -> tuple[str, ...]:
    """The operations that are applied to all that the loss gets. Behind a product of two computed
    values, as of a gate with what it lets through, only one of both is followed."""
    return _before(term.chain, (GATE,))


def _softmax_twice(term: LossTerm) -> str:
    """A softmax of log-probabilities is that of the probabilities, so a logarithm in between makes
    the second one harmless."""
    chain = _applied(term)
    if term.operation != CROSS_ENTROPY or "LogSoftmax" not in chain:
        return ""
    inner = _before(chain[chain.index("LogSoftmax") + 1 :], LOGARITHMS)
    limits = _limits(term)
    floor = None if limits is None else _floor(term, *limits)
    if floor is not None and not floor[0] > OUT_OF_REACH * floor[1]:
        return ""  # multiplied by a constant, such as one over a temperature
    left = "" if floor is None else f" {_least_loss(*floor)}"
    if "Softmax" in inner:
        return (
            "Softmax is applied twice: by the network, and again by the loss, which expects "
            f"logits.{left} Remove the softmax from the network."
        )
    if "Sigmoid" in inner:
        return (
            "The outputs go through Sigmoid before a cross-entropy that expects logits: they "
            f"cannot differ enough for a confident prediction.{left} Remove the sigmoid from the "
            "network."
        )
    return ""


def _limits(term: LossTerm) -> tuple[float, float] | None:
    """Numbers that the outputs cannot leave; None where no limit is known."""
    low, high = term.output_low, term.output_high
    if low is None and high is None:
        return None
    return (-inf if low is None else low, inf if high is None else high)


def _floor(term: LossTerm, low: float, high: float) -> tuple[float, float] | None:
    """The least loss of logits within limits, and the loss of guessing; None where they are not
    known. For one of C classes the least loss is log(1 + (C - 1) exp(low - high))."""
    if term.operation == CROSS_ENTROPY:
        classes = term.output_shape[1] if len(term.output_shape) > 1 else 0
        if classes < 2 or term.target_kind not in (CLASS_NUMBERS, ONE_HOT):
            return None
        return log1p((classes - 1) * exp(low - high)), log(classes)
    is_binary = term.operation == BINARY_CROSS_ENTROPY_OF_LOGITS
    if not is_binary or term.target_kind not in (LABELS, ONE_HOT):
        return None
    least_of_zeros, least_of_ones = log1p(exp(min(low, 700.0))), log1p(exp(min(-high, 700.0)))
    return (least_of_zeros + least_of_ones) / 2, log(2)


def _least_loss(least: float, guess: float) -> str:
    return (
        f"The loss cannot fall below {least:.2f} ({guess:.2f} for guessing), though the order of "
        "the classes may still be right."
    )


def _limited_logits(term: LossTerm) -> str:
    """Logits that an activation keeps between two numbers, too near for a confident prediction."""
    limits = _limits(term)
    floor = None if limits is None else _floor(term, *limits)
    inner = [name for name in term.chain if name not in LOGARITHMS]
    if limits is not None and floor is not None and inner and inner[0] in PRODUCTS:
        return _cosines(term, *limits) if floor[0] > OF_COSINES * floor[1] else ""
    if limits is None or floor is None or not floor[0] > OUT_OF_REACH * floor[1]:
        return ""
    name = _named(inner[0]) if inner else "an activation"
    if term.operation == BINARY_CROSS_ENTROPY_OF_LOGITS and limits[0] == 0:
        what = "a probability below 0.5 cannot be predicted"
    else:
        what = f"they are between {limits[0]:g} and {limits[1]:g}"
    return (
        f"The outputs go through {name} before a loss that expects logits: {what}. "
        f"{_least_loss(*floor)} Remove the {_in_text(name)} behind the last layer."
    )


def _cosines(term: LossTerm, low: float, high: float) -> str:
    """Cosines over a temperature, or without one."""
    floor = _floor(term, low, high)
    assert floor is not None
    return (
        f"The logits are cosines of rows of the length 1, so they are between {low:.3g} and "
        f"{high:.3g}, whatever is learned: their temperature is {1 / high:.3g}. "
        f"{_least_loss(*floor)} Divide the cosines by a temperature of 0.05 to 0.5."
    )


def _named(operation: str) -> str:
    return "ReLU" if operation == RECTIFIER else operation


def _in_text(name: str) -> str:
    return name if name == "ReLU" else name.lower()


def _targets_out_of_reach(term: LossTerm) -> str:
    """Targets that the last activation cannot give."""
    limits = _limits(term)
    of_values = (SQUARED_ERROR, ABSOLUTE_ERROR, HUBER, BINARY_CROSS_ENTROPY)
    if limits is None or term.operation not in of_values:
        return ""
    if term.unreachable is None or not term.unreachable > OUT_OF_REACH or not term.chain:
        return ""
    low, high = (f"{limit:g}" for limit in limits)
    between = f"above {low}" if high == "inf" else f"between {low} and {high}"
    if low == "-inf":
        between = f"below {high}"
    name, targets = _named(term.chain[0]), ""
    if term.target_low is not None and term.target_high is not None:
        targets = f" ({term.target_low:.3g} to {term.target_high:.3g})"
    cure = f"Remove the {_in_text(name)} behind the last layer, or scale the targets."
    if len(term.chain) > 1 and term.chain[0] != RECTIFIER and term.chain[1] == RECTIFIER:
        name, cure = f"{name} after ReLU", "Remove the ReLU behind the last layer."
    return (
        f"Outputs of {name} are {between}, and {100 * term.unreachable:.0f} % of the "
        f"variance of the targets{targets} is outside of that. {cure}"
    )


def _sigmoid_twice(term: LossTerm) -> str:
    if term.operation != BINARY_CROSS_ENTROPY_OF_LOGITS:
        return ""
    inner = _before(_applied(term), (*LOGARITHMS, "Logit"))
    first = next((name for name in inner if name in PROBABILITIES), "")
    if not first:
        return ""
    return (
        f"The outputs go through {first} before a loss that expects logits and applies the sigmoid "
        f"itself. Remove the {first.lower()}, or use `nn.BCELoss()`."
    )


def _exponential_twice(term: LossTerm) -> str:
    """An exponential of an exponential, not of its negative as in a Gumbel distribution: the chain
    has no signs, so of a loss of counts alone, exp(o) - y o."""
    place = next((i for i, pair in enumerate(pairwise(term.chain)) if pair == ("Exp", "Exp")), None)
    if place is None or term.operation not in ("", OTHER_LOSS) or "Sub" not in term.chain[:place]:
        return ""
    return (
        "The outputs go through an exponential twice: by the network, and again by the loss, which "
        "expects logarithms of rates. Return the plain output, or use "
        "`nn.PoissonNLLLoss(log_input=False)`."
    )


def _margin_of_probabilities(term: LossTerm) -> str:
    """A hinge loss between classes asks for a lead of 1, which probabilities never have."""
    name = next(iter(_applied(term)), "")
    if term.operation != HINGE_OF_CLASSES or name not in PROBABILITIES:
        return ""
    return (
        f"The outputs go through {name} before a hinge loss, which asks that the right class leads "
        "the others by 1: probabilities never do, and where one is near 1 the slope of the "
        f"{name.lower()} is nearly 0. Give it plain outputs, or use `nn.CrossEntropyLoss()`."
    )


def _bounded_critic(wiring: Wiring) -> tuple[str, LossTerm] | None:
    """The critic of a game, whose loss is the difference of its mean answers to two kinds of
    samples, and whose answers an activation keeps between 0 and 1."""
    bounded = [
        term
        for term in wiring.losses
        if not term.penalty and not term.operation and term.chain[:1] == ("Sigmoid",)
    ]
    places = [term.place for term in bounded]
    both = next((term for term in bounded if term.place and places.count(term.place) == 2), None)
    if not wiring.opponents or both is None:
        return None
    sentence = (
        "The answers of the critic go through Sigmoid, and its loss is a difference of their means "
        f"({both.place}): they end at 0 and 1, where the sigmoid has no slope, and the other "
        "network learns nothing. Remove the sigmoid behind the last layer, or use `nn.BCELoss()` "
        "as in a GAN."
    )
    return sentence, both


def _no_log_probability(term: LossTerm) -> str:
    """The input of a negative log-likelihood is above 0."""
    highest = term.highest
    if term.operation == KL_DIVERGENCE and term.output_low is not None and term.output_low >= 0:
        highest = term.output_high  # torch keeps no inputs of it; their activation bounds them
    if term.operation not in (CROSS_ENTROPY, KL_DIVERGENCE, OTHER_LOSS) or highest is None:
        return ""
    if set(term.chain) & set(LOGARITHMS) or HIDDEN in term.chain or not term.chain:
        return ""
    if not highest > LARGEST_LOG:
        return ""
    what = "probabilities" if "Softmax" in term.chain else "outputs"
    cure = (
        "`nn.LogSoftmax(dim=1)` in place of the softmax"
        if what == "probabilities"
        else ("`nn.CrossEntropyLoss()`, which takes logits")
    )
    if term.operation == OTHER_LOSS:
        cure = "`output.log_softmax(-1)` over the classes"
    if term.operation == KL_DIVERGENCE:
        cure = "`torch.log_softmax(output, dim=1)` as its first argument"
    return (
        f"The loss expects logarithms of probabilities, which are below 0, and gets {what} of up "
        f"to {highest:.3g}. Use {cure}."
    )


def _log_of_no_probability(term: LossTerm) -> str:
    """A logarithm, and between it and the last layer nothing that gives numbers above 0."""
    if term.operation not in (CROSS_ENTROPY, LOGARITHM) or HIDDEN in term.chain:
        return ""
    start = (
        0
        if term.operation == LOGARITHM
        else next(
            (i for i, name in enumerate(term.chain) if name in ("Log", "Log2", "Log10")), None
        )
    )
    if start is None or not term.chain or set(term.chain[:start]) & set(POSITIVE):
        return ""
    *between, last = term.chain[start:]
    is_rectified = RECTIFIER in (*between, last)
    if set(between) - {*NEUTRAL, RECTIFIER} or last not in (*WEIGHTED, RECTIFIER):
        return ""
    if is_rectified and not _may_be_probabilities(term):
        return ""
    what = "rectified outputs" if is_rectified else "outputs of a layer without an activation"
    return (
        f"The loss takes the logarithm of {what}, which are no probabilities. Use "
        "`nn.CrossEntropyLoss()` on them, or end the network with `nn.Softmax(dim=1)`."
    )


def _overlap_of_no_probability(term: LossTerm) -> str:
    """An overlap with masks of outputs that no activation keeps between 0 and 1."""
    bare = term.chain[:1] and term.chain[0] in WEIGHTED
    if term.operation != OVERLAP or not bare or not _may_be_probabilities(term):
        return ""
    return (
        "The loss is an overlap with masks (Dice, IoU) of outputs of a layer without an "
        "activation: outputs below 0 or above 1 make it less than 0 or without limit. Apply "
        "`torch.sigmoid` to the outputs first, or `torch.softmax(output, dim=1)` for classes that "
        "exclude each other."
    )


def _may_be_probabilities(term: LossTerm) -> bool:
    """Whether the targets are between 0 and 1: rates of counts have logarithms, too."""
    return term.target_kind in (CLASS_NUMBERS, ONE_HOT, LABELS) or (
        term.target_low is not None
        and term.target_high is not None
        and term.target_low > -1e-4
        and term.target_high < 1 + 1e-4
    )


def _several_labels(term: LossTerm) -> str:
    if not set(_applied(term)) & set(SOFTMAX) or not _may_be_probabilities(term):
        return ""
    shape = term.output_shape
    if len(shape) == 2 and shape[0] == shape[1]:
        return ""  # similarities of samples, several of which belong together
    if len(term.target_row_sums) != 2 or not term.target_row_sums[1] > SEVERAL:
        return ""
    low, high = term.target_row_sums
    return (
        f"Rows of the targets sum to {low:.3g} to {high:.3g}, and outputs of a softmax to 1: they "
        "cannot reach several labels at once. Use a sigmoid with `nn.BCELoss()`, or "
        "`nn.BCEWithLogitsLoss()` on logits."
    )

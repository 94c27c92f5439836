"""What the operations between a network's last layer and its loss say of the two: a softmax twice,
logarithms of what are no probabilities, a softmax for several labels.

These follow from identities and need no look at what a run has learned.
"""

from __future__ import annotations

from netwise.wiring import (
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    KL_DIVERGENCE,
    LOGARITHM,
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
HIDDEN = "?"
LARGEST_LOG = 1e-3  # above it a number is no log-probability, rounding allowed for
SEVERAL = 1.5  # sum of a row of targets: above it several labels are true at once


def misfit_of(wiring: Wiring) -> tuple[str, LossTerm] | None:
    """The first summand of the losses that does not fit its inputs, with a sentence; None where all
    fit or are not known."""
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
        _no_log_probability,
        _log_of_no_probability,
        _several_labels,
    )
    return next(filter(None, (check(term) for check in checks)), "")


def _single_output(term: LossTerm) -> str:
    shape = term.output_shape
    if len(shape) < 2 or shape[1] != 1 or shape[0] < 2 or not set(term.chain) & set(SOFTMAX):
        return ""
    return (
        "Softmax over a single output is always 1, whatever the input. Use one output for each "
        "class, or `nn.BCEWithLogitsLoss()` for a single one."
    )


def _before(chain: tuple[str, ...], stops: tuple[str, ...]) -> tuple[str, ...]:
    """The operations of a chain before the first of these."""
    place = next((i for i, name in enumerate(chain) if name in stops), len(chain))
    return chain[:place]


def _softmax_twice(term: LossTerm) -> str:
    """A softmax of log-probabilities is that of the probabilities, so a logarithm in between makes
    the second one harmless."""
    if term.operation != CROSS_ENTROPY or "LogSoftmax" not in term.chain:
        return ""
    inner = _before(term.chain[term.chain.index("LogSoftmax") + 1 :], LOGARITHMS)
    if "Softmax" in inner:
        return (
            "Softmax is applied twice: by the network, and again by the loss, which expects "
            "logits. Remove the softmax from the network."
        )
    if "Sigmoid" in inner:
        return (
            "The outputs go through Sigmoid before a cross-entropy that expects logits: they "
            "cannot differ enough for a confident prediction. Remove the sigmoid from the network."
        )
    return ""


def _sigmoid_twice(term: LossTerm) -> str:
    if term.operation != BINARY_CROSS_ENTROPY_OF_LOGITS:
        return ""
    inner = _before(term.chain, (*LOGARITHMS, "Logit"))
    first = next((name for name in inner if name in PROBABILITIES), "")
    if not first:
        return ""
    return (
        f"The outputs go through {first} before a loss that expects logits and applies the sigmoid "
        f"itself. Remove the {first.lower()}, or use `nn.BCELoss()`."
    )


def _no_log_probability(term: LossTerm) -> str:
    """The input of a negative log-likelihood is above 0."""
    if term.operation not in (CROSS_ENTROPY, KL_DIVERGENCE) or term.highest is None:
        return ""
    if set(term.chain) & set(LOGARITHMS) or HIDDEN in term.chain or not term.chain:
        return ""
    if not term.highest > LARGEST_LOG:
        return ""
    what = "probabilities" if "Softmax" in term.chain else "outputs"
    cure = (
        "`nn.LogSoftmax(dim=1)` in place of the softmax"
        if what == "probabilities"
        else ("`nn.CrossEntropyLoss()`, which takes logits")
    )
    if term.operation == KL_DIVERGENCE:
        cure = "`torch.log_softmax(output, dim=1)` as its first argument"
    return (
        f"The loss expects logarithms of probabilities, which are below 0, and gets {what} of up "
        f"to {term.highest:.3g}. Use {cure}."
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


def _may_be_probabilities(term: LossTerm) -> bool:
    """Whether the targets are between 0 and 1: rates of counts have logarithms, too."""
    return (
        term.target_low is not None
        and term.target_high is not None
        and term.target_low > -1e-4
        and term.target_high < 1 + 1e-4
    )


def _several_labels(term: LossTerm) -> str:
    if not set(term.chain) & set(SOFTMAX) or not _may_be_probabilities(term):
        return ""
    if len(term.target_row_sums) != 2 or not term.target_row_sums[1] > SEVERAL:
        return ""
    low, high = term.target_row_sums
    return (
        f"Rows of the targets sum to {low:.3g} to {high:.3g}, and outputs of a softmax to 1: they "
        "cannot reach several labels at once. Use a sigmoid with `nn.BCELoss()`, or "
        "`nn.BCEWithLogitsLoss()` on logits."
    )

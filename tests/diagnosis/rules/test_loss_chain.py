"""Losses that do not fit their inputs, by the operations between them."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.diagnosis.rules import loss_chain
from netwise.wiring import (
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HINGE_OF_CLASSES,
    KL_DIVERGENCE,
    LOGARITHM,
    SQUARED_ERROR,
)


def sentence(operation: str, *chain: str, **facts: object) -> str:
    term = nw.LossTerm(operation, chain=chain, **facts)  # type: ignore[arg-type]
    misfit = loss_chain.misfit_of(nw.Wiring(losses=(nw.LossTerm(penalty=True), term)))
    return "" if misfit is None else misfit[0]


COUNTS = {"target_low": 0.0, "target_high": 9.0}
LABELS = {"target_low": 0.0, "target_high": 1.0}


@pytest.mark.parametrize(
    ("operation", "chain", "facts", "words"),
    [
        (CROSS_ENTROPY, "LogSoftmax Softmax Addmm", {}, "Softmax is applied twice"),
        (CROSS_ENTROPY, "LogSoftmax Sigmoid Addmm", {}, "through Sigmoid before a cross-entropy"),
        (BINARY_CROSS_ENTROPY_OF_LOGITS, "Sigmoid Addmm", {}, "Remove the sigmoid"),
        (BINARY_CROSS_ENTROPY_OF_LOGITS, "Softmax Addmm", {}, "Remove the softmax"),
        (CROSS_ENTROPY, "Addmm", {"highest": 2.5}, "gets outputs of up to 2.5. Use `nn.CrossE"),
        (CROSS_ENTROPY, "Softmax Addmm", {"highest": 0.9}, "gets probabilities of up to 0.9"),
        (KL_DIVERGENCE, "Softmax Addmm", {"highest": 0.9}, "`torch.log_softmax(output, dim=1)`"),
        ("", "Sub Exp Exp Addmm", {}, "through an exponential twice"),
        (HINGE_OF_CLASSES, "Softmax Addmm", {}, "right class leads the others by 1"),
        (LOGARITHM, "Log Addmm", {}, "logarithm of outputs of a layer without an activation"),
        (LOGARITHM, "Log Clamp Div Addmm", LABELS, "which are no probabilities"),
        (CROSS_ENTROPY, "Log Clamp Convolution", {}, "which are no probabilities"),
        (LOGARITHM, "Log Div Relu", LABELS, "logarithm of rectified outputs"),
        (LOGARITHM, "Log Clamp Div Relu Addmm", LABELS, "logarithm of rectified outputs"),
        (
            SQUARED_ERROR,
            "Softmax Addmm",
            {**LABELS, "target_row_sums": (0.0, 4.0)},
            "Rows of the targets sum to 0 to 4",
        ),
        (
            CROSS_ENTROPY,
            "LogSoftmax Addmm",
            {"output_shape": (32, 1)},
            "Softmax over a single output is always 1",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit(
    operation: str, chain: str, facts: dict[str, object], words: str
) -> None:
    assert words in sentence(operation, *chain.split(), **facts)


@pytest.mark.parametrize(
    ("operation", "chain", "facts"),
    [
        (CROSS_ENTROPY, "LogSoftmax Addmm", {"output_shape": (1, 1)}),
        (CROSS_ENTROPY, "LogSoftmax Addmm", {"highest": -0.1}),
        (CROSS_ENTROPY, "LogSoftmax LogSoftmax Addmm", {}),  # the same numbers again
        ("", "Sub Exp Addmm", {}),
        ("", "Log Exp Exp Addmm", {}),  # of a complementary log-log link
        (CROSS_ENTROPY, "LogSoftmax Log Softmax Addmm", {}),
        (CROSS_ENTROPY, "LogSoftmax ?", {}),
        (HINGE_OF_CLASSES, "Addmm", {}),
        (CROSS_ENTROPY, "?", {"highest": 3.0}),  # hidden in a compiled function
        (CROSS_ENTROPY, "Log Softmax Addmm", {}),
        (CROSS_ENTROPY, "Sub Addmm", {"highest": -1e-9}),  # x - logsumexp(x)
        (BINARY_CROSS_ENTROPY_OF_LOGITS, "Addmm", {}),
        (BINARY_CROSS_ENTROPY_OF_LOGITS, "Logit Sigmoid Addmm", {}),
        (BINARY_CROSS_ENTROPY, "Sigmoid Addmm", {}),
        (LOGARITHM, "Log Sigmoid Addmm", {}),
        (LOGARITHM, "Log Softplus Addmm", {}),
        (LOGARITHM, "Log Sum Exp Addmm", {}),
        (LOGARITHM, "Log Relu", COUNTS),  # a rate of counts
        (LOGARITHM, "Log Relu Addmm", COUNTS),
        (SQUARED_ERROR, "Log Addmm", {}),  # an error of logarithms
        (SQUARED_ERROR, "Softmax Addmm", {**LABELS, "target_row_sums": (1.0, 1.0)}),
        (CROSS_ENTROPY, "LogSoftmax Addmm", {**LABELS, "target_row_sums": (0.0, 1.0)}),
        (SQUARED_ERROR, "Softmax Addmm", {**COUNTS, "target_row_sums": (3.0, 9.0)}),
        (SQUARED_ERROR, "Addmm", {**LABELS, "target_row_sums": (0.0, 4.0)}),
        ("", "", {}),
        # One side of a product: a gate, whose other side has no activation.
        (CROSS_ENTROPY, "LogSoftmax Add Mul Softmax Addmm", {}),
        (CROSS_ENTROPY, "LogSoftmax Mul Sigmoid Addmm", {}),
        (BINARY_CROSS_ENTROPY_OF_LOGITS, "Mul Sigmoid Addmm", {}),
        (SQUARED_ERROR, "Sum Mul Softmax Addmm", {"output_shape": (64, 1)}),
        (BINARY_CROSS_ENTROPY, "Mul Softmax Addmm", {**LABELS, "target_row_sums": (0.0, 4.0)}),
    ],
    ids=str,
)
def test_what_fits(operation: str, chain: str, facts: dict[str, object]) -> None:
    assert sentence(operation, *chain.split(), **facts) == ""


def test_the_place_is_named() -> None:
    text = sentence(CROSS_ENTROPY, "LogSoftmax", "Softmax", "Addmm", place="train.py:31")
    assert text.endswith("Remove the softmax from the network (train.py:31).")


def test_chains_with_hidden_operations_are_not_known() -> None:
    whole = nw.LossTerm(CROSS_ENTROPY, chain=("LogSoftmax", "Addmm"))
    hidden = nw.LossTerm(CROSS_ENTROPY, chain=("LogSoftmax", "?"))
    assert loss_chain.known(nw.Wiring(losses=(whole,)))
    assert not loss_chain.known(nw.Wiring(losses=(whole, hidden)))
    assert not loss_chain.known(nw.Wiring())


@pytest.mark.parametrize(
    ("chain", "times", "opponents", "is_found"),
    [
        (("Sigmoid", "Addmm"), 2, ("G",), True),
        (("Addmm",), 2, ("G",), False),
        (("Sigmoid", "Addmm"), 1, ("G",), False),  # of the generator
        (("Sigmoid", "Addmm"), 2, (), False),  # no game
        (("Log", "Sigmoid", "Addmm"), 2, ("G",), False),
    ],
)
def test_a_critic_whose_answers_are_bounded(
    chain: tuple[str, ...], times: int, opponents: tuple[str, ...], is_found: bool
) -> None:
    term = nw.LossTerm(chain=chain, place="gan.py:9", by_hand=True)
    found = loss_chain.misfit_of(nw.Wiring(losses=(term,) * times, opponents=opponents))
    assert (found is not None and "difference of their means" in found[0]) is is_found

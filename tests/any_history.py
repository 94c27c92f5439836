"""Strategies of hypothesis: histories with any numbers, facts and wiring."""

from __future__ import annotations

import dataclasses
import math

from hypothesis import strategies as st

import netwise as nw
from netwise import signals, wiring

VALUES = st.one_of(
    st.floats(), st.sampled_from([0.0, math.nan, math.inf, -math.inf, 1e300, 1e-300])
)


NAMES = st.lists(st.sampled_from(["l0.weight", "l1.weight", "x", "a.b.c"]), unique=True).map(tuple)
SHAPES = st.lists(st.integers(0, 9), max_size=3).map(tuple)
OPERATIONS = [
    *("Softmax", "LogSoftmax", "Sigmoid", "Log", "Div", "Relu", "Addmm", "?", "Clamp", "Tanh"),
    "AnotherOperation",
]
TERMS = st.builds(
    nw.LossTerm,
    operation=st.sampled_from(["", *wiring.LOSS_OPERATIONS]),
    place=st.sampled_from(["", "a.py:3", "a.py:4"]),
    chain=st.lists(st.sampled_from(OPERATIONS), max_size=5).map(tuple),
    reduction=st.sampled_from(["", "mean", "sum", "none"]),
    factor=VALUES,
    penalty=st.booleans(),
    output_shape=SHAPES,
    highest=st.none() | VALUES,
    target_row_sums=st.lists(VALUES, max_size=2).map(tuple),
    target_low=st.none() | VALUES,
    target_high=st.none() | VALUES,
)
WIRINGS = st.builds(
    nw.Wiring,
    module=st.sampled_from(["", "Net"]),
    optimizers=st.lists(st.sampled_from(["SGD", "AdamW", "LBFGS"]), max_size=2).map(tuple),
    trainable=st.integers(0, 3),
    frozen=NAMES,
    in_no_optimizer=NAMES,
    not_reached=NAMES,
    outside_module=st.lists(st.sampled_from(["(3, 4)", ""]), max_size=6).map(tuple),
    outside_anew=st.booleans(),
    optimizer_weights=st.integers(0, 3),
    optimizer_trainable=st.integers(0, 3),
    cut_between=st.sampled_from([(), ("l0", "l1"), ("l0",)]),
    unused_output=st.booleans(),
    losses=st.lists(TERMS, max_size=2).map(tuple),
    widened=st.sampled_from(["", "(64, 1) to (64, 64)", "(0, 1) to (0, 0)", "unreadable"]),
    softmax_over_batch=st.sampled_from(["", "(64, 10)", "(8, 8)", "unreadable"]),
    linear=st.sampled_from([None, True, False]),
    opponents=st.sampled_from([(), ("Generator",)]),
    not_finite=st.sampled_from(["", "Log of -0.367"]),
    not_finite_step=st.none() | st.integers(0, 9),
    clipped_before_unscale=st.integers(0, 9),
    not_observed=st.dictionaries(
        st.sampled_from(["losses", "in_no_optimizer", "evaluation", "gradient.zero", "widened"]),
        st.sampled_from(["", "the step is compiled"]),
    ),
)

REASONS = ["no tensor", "the step is compiled"]
TEXTS = {
    "loss_takes": [
        "",
        "logits",
        "sigmoid logits",
        "log-probabilities",
        "probabilities",
        "values",
        "signs",
    ],
    "loss_targets": ["class numbers", "one-hot rows", "class numbers or one-hot rows"],
}
COUNTS = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
BY_TYPE = {
    "int": st.integers(0, 300),
    "float": VALUES,
    "bool": st.booleans(),
    "str": st.sampled_from(["", "l0", "l1, axis 0", "unreadable"]),
    "tuple[str, ...]": NAMES,
    "tuple[int, ...]": st.lists(st.integers(-1, 9), max_size=4).map(tuple),
    "tuple[float, ...]": st.lists(VALUES, max_size=4).map(tuple),
    "tuple[tuple[int, int, int], ...]": st.lists(COUNTS, max_size=4).map(tuple),
}


def facts_of(kind: type) -> st.SearchStrategy:
    """Any values for the fields of a dataclass of facts, by their types; new fields need no change
    here."""
    strategies = {}
    for each in dataclasses.fields(kind):
        annotation = str(each.type)
        plain = annotation.removesuffix(" | None")
        if each.name == "not_known":
            names = [other.name for other in dataclasses.fields(kind)]
            strategies[each.name] = st.dictionaries(
                st.sampled_from(names), st.sampled_from(REASONS), max_size=3
            )
            continue
        value = st.sampled_from(TEXTS[each.name]) if each.name in TEXTS else BY_TYPE.get(plain)
        if value is not None:
            strategies[each.name] = st.none() | value if plain != annotation else value
    return st.builds(kind, **strategies)


@st.composite
def histories(draw: st.DrawFn) -> nw.History:
    """Any numbers for any signals, with any wiring or none."""
    length = draw(st.integers(1, 12))
    layers = tuple(
        nw.Layer(
            f"l{i}",
            draw(st.sampled_from(["Linear", "GRU"])),
            3,
            3,
            draw(st.sampled_from(["", "ReLU", "Tanh", "Identity"])),
            True,
            draw(st.booleans()),
        )
        for i in range(draw(st.integers(0, 3)))
    )
    series = {}
    for layer in ("", *(layer.name for layer in layers)):
        for name in draw(st.lists(st.sampled_from(list(signals.SIGNALS)), unique=True)):
            values = draw(st.lists(VALUES, min_size=length, max_size=length))
            series[name, layer] = nw.Series(tuple(range(length)), tuple(values))
    facts = nw.RunFacts(
        loss_of_guessing=draw(st.none() | VALUES),
        weight_decay=draw(st.sampled_from([None, 0.0, 0.1])),
        rate=draw(st.sampled_from([None, 0.0, 1.0])),
        optimizer=draw(st.sampled_from([None, "SGD", "AdamW"])),
        classes=draw(st.sampled_from([None, 2, 10])),
        batch_size=draw(st.sampled_from([None, 1, 64])),
        loss_kind=draw(st.sampled_from([None, "", "cross-entropy of logits"])),
    )
    how = draw(st.sampled_from(["finished", "diverged"]))
    ended = nw.RunEnd(how, "x.", draw(st.sampled_from([5, 50])))
    return nw.History(series, layers, facts, ended, wiring=draw(st.none() | WIRINGS))

"""Names of layers as programs write them: `model[4]` for the layer "4" of a `Sequential`.

A module's own names are paths such as "4" and "features.0". They are keys of a history and stay so
in it and in `Finding.layers`. Rules read a history in which they are written as in Python, so that
each sentence has them in this form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from netwise.diagnosis.rules.finding import Finding
from netwise.diagnosis.rules.observation import as_written, name_of_model
from netwise.history import History, Layer

# Facts that are names of layers or weights. The others are words, lines and shapes.
OF_WIRING = (
    "frozen",
    "frozen_at_start",
    "drawn_embeddings",
    "in_no_optimizer",
    "not_reached",
    "cut_between",
)
OF_FIRST_BATCH = (
    "mixed_in",
    "constant_after",
    "single_norms",
    "still_norms",
    "eager_norms",
    "narrowest",
    "unit_softmax_of",
    "drawn_state",
    "unused_recurrence",
    "last_dropout",
    "padding_of",
)


@dataclass(frozen=True)
class SpokenNames:
    """A history with names as the program writes them, and the way back for findings.

    Args:
        history: for rules.
        recorded: the module's own name of each layer that is written otherwise.
    """

    history: History
    recorded: dict[str, str]

    @staticmethod
    def of(history: History) -> SpokenNames:
        """The spoken form of a history; the history itself where no name has a number as a part."""
        model = name_of_model(history)
        names = {layer.name for layer in history.layers} | {layer for _, layer in history.series}
        written = {name: as_written(name, model) for name in names}
        recorded = {new: name for name, new in written.items() if new != name}
        named = () if history.first_batch is None else _names(history.first_batch, OF_FIRST_BATCH)
        others = {as_written(name, model): name for name in named}
        wiring = _renamed(history.wiring, OF_WIRING, model)
        first_batch = _renamed(history.first_batch, OF_FIRST_BATCH, model)
        if recorded:
            history = history.but(
                series={(s, written[layer]): v for (s, layer), v in history.series.items()},
                layers=tuple(replace(each, name=written[each.name]) for each in history.layers),
            )
        if wiring is not history.wiring or first_batch is not history.first_batch:
            history = history.but(wiring=wiring, first_batch=first_batch)
        return SpokenNames(history, {**others, **recorded})

    def told(self, finding: Finding) -> Finding:
        """A finding of a rule that has read `history`: its layers have the module's own names, and
        the first mention of each in the sentence has its class and sizes."""
        sentence = finding.sentence
        for layer in self.history.layers:
            if layer.name in self.recorded and layer.name in sentence:
                mention = rf"(?<![\w.\]]){re.escape(layer.name)}(?![\w\[(]|\.\w| \()"
                found = re.search(mention, sentence)
                end = found.end() if found else 0
                sentence = sentence[:end] + (f" {_kind(layer)}" if found else "") + sentence[end:]
        layers = tuple(self.recorded.get(name, name) for name in finding.layers)
        return replace(finding, sentence=sentence, layers=layers)


def _kind(layer: Layer) -> str:
    """Such as "(Linear 128 to 10)"."""
    sizes = f" {layer.fan_in} to {layer.fan_out}" if layer.kind == "Linear" else ""
    return f"({layer.kind}{sizes})"


def _names(facts: Any, fields_of_names: Iterable[str]) -> list[str]:
    """All names in these fields."""
    values = [getattr(facts, field) or () for field in fields_of_names]
    return [
        name for value in values for name in ((value,) if isinstance(value, str) else value) if name
    ]


def _renamed(facts: Any, names: Iterable[str], model: str) -> Any:
    """Facts with the names of layers and weights in these fields as they are written."""
    if facts is None:
        return None
    assert {field.name for field in fields(facts)} >= set(names)
    changed: dict[str, Any] = {}
    for field in names:
        value = getattr(facts, field)
        new = (
            as_written(value, model)
            if isinstance(value, str)
            else tuple(as_written(each, model) for each in value or ())
        )
        if value and new != value:
            changed[field] = new
    return replace(facts, **changed) if changed else facts

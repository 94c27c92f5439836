"""No nonlinearity: any number of layers without activations between them is one linear map."""

from __future__ import annotations

from itertools import pairwise

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    NO_ACTIVATIONS,
    NO_LAYERS,
    has_learned,
    no_baseline,
    outcome_known,
)
from netwise.history import History, Layer

# Layers that are nonlinear themselves, whatever follows them, by parts of their classes' names.
NONLINEAR_KINDS = ("RNN", "LSTM", "GRU", "Recurrent", "Attention", "Transformer", "Bilinear")
# Layers that look up rows of a table: a linear map of symbols is the first layer of any network.
TABLES = ("Embedding", "EmbeddingBag")


def no_nonlinearity(history: History) -> Answer:
    """Find two or more layers without an activation between any of them.

    Where the operations of the network are known this is exact. Else it rests on the recognised
    activations, and counts in a run that has not learned. A network with a narrow layer in the
    middle counts in such a run only, too: a linear map of low rank may be what is wanted.
    """
    if not history.layers:
        return Unchecked(NO_LAYERS)
    layers = [layer for layer in history.layers if layer.kind not in TABLES]
    linear = None if history.wiring is None else history.wiring.linear
    if linear is False or not _is_stacked(layers):
        return None
    if linear is None:
        if has_learned(history) or any(_is_nonlinear(layer) for layer in layers):
            return None
        if any(not layer.activation for layer in layers[:-1]):
            return Unchecked(NO_ACTIVATIONS)
        if any(layer.activation != "Identity" for layer in layers[:-1]):
            return None  # with one activation the network is no linear map
    if linear is None or _is_narrow(layers):
        if has_learned(history):
            return None
        if not outcome_known(history):
            return Unchecked(no_baseline(history))
    bare = tuple(layer.name for layer in layers[:-1])
    return Finding(
        rule="no_nonlinearity",
        sentence=(
            f"There is no activation between the {len(layers)} layers: together they are one "
            "linear map."
        ),
        layers=bare,
        steps=(0, history.ended.step),
        evidence=(Evidence("layers without an activation", float(len(bare)), 0.0),),
        strength=float(len(bare)),
    )


def _is_nonlinear(layer: Layer) -> bool:
    return any(part in layer.kind for part in NONLINEAR_KINDS)


def _is_stacked(layers: list[Layer]) -> bool:
    """Whether a layer takes the outputs of the one before it, by their numbers: heads beside each
    other are no linear map of a linear map."""
    return any(
        after.fan_in == before.fan_out
        or ("Conv" in before.kind and before.fan_out > 1 and after.fan_in % before.fan_out == 0)
        for before, after in pairwise(layers)
    )


def _is_narrow(layers: list[Layer]) -> bool:
    """Whether a layer in between has fewer units than the network's inputs and its outputs."""
    return min(layer.fan_out for layer in layers[:-1]) < min(layers[0].fan_in, layers[-1].fan_out)


NO_NONLINEARITY = Rule(
    name="no_nonlinearity",
    title="Missing nonlinearity",
    find=no_nonlinearity,
    explanation=(
        "A linear map of a linear map is a linear map: without an activation between them, several "
        "layers compute nothing that one layer could not."
    ),
    healthy="At least one layer whose outputs go through an activation before the next layer.",
    source="Goodfellow, Bengio, Courville 2016, section 6.1",
    explains=("exploding_gradient", "vanishing_gradient", "not_learning", "underfitting"),
    remedies=("use_relu",),
    change=(
        "x = torch.relu(self.fc1(x))  # an activation between two layers with weights\n"
        "x = self.fc2(x)"
    ),
)

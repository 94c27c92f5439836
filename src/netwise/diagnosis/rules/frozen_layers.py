"""Layers that are frozen with the random weights they were initialized with."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import code_of, layers_of, listed, name_of_model, observed
from netwise.diagnosis.rules.outcome import (
    final_loss_share,
    has_just_begun,
    has_learned,
    no_baseline,
)
from netwise.history import History

# Share of the loss of guessing that is left: 0.82 and more with frozen random layers that hinder,
# below 0.3 where only the first layer is frozen.
MUCH = 0.5


def frozen_layers(history: History) -> Answer:
    """Find layers that require no gradient and still have the even random numbers of torch's
    initialization, in a run that has not learned; and embeddings whose frozen rows are random.

    Layers that were trained before are frozen on purpose, and random ones do no harm in a run that
    learns. An embedding is frozen for the vectors in it, which are none where they are noise.
    """
    wiring = observed(history, "frozen", "trainable")
    if isinstance(wiring, Unchecked):
        return wiring
    tables = wiring.drawn_embeddings
    # Where layers are frozen too, a base is, for adapters that are trained beside it.
    if tables and wiring.trainable and set(wiring.frozen) <= set(tables):
        return _random_tables(history, tables)
    names = wiring.frozen_at_start
    layers = layers_of(history, names)
    if not layers or not wiring.trainable or has_learned(history):
        return None
    left = final_loss_share(history)
    if left is None:
        return Unchecked(no_baseline(history))
    if left < MUCH:
        return None  # such as random features that are frozen on purpose
    last, begun = history.layers[-1].name in layers, has_just_begun(history)
    return Finding(
        rule="frozen_layers",
        sentence=(
            f"{listed(layers)} {'requires' if len(layers) == 1 else 'require'} no gradient and "
            f"still {'has' if len(layers) == 1 else 'have'} the random weights of torch's "
            f"initialization{', the last layer among them' if last else ''}"
            + (". If that is not meant, train them." if begun else "; the run has not learned.")
        ),
        layers=layers,
        steps=(0, history.ended.step),
        evidence=(Evidence("frozen layers with random weights", float(len(layers)), 0.0),),
        strength=float(len(layers)),
        change=_change(names, name_of_model(history)),
    )


def _random_tables(history: History, names: tuple[str, ...]) -> Finding:
    """Embeddings that are frozen with random rows."""
    tables = tuple(name.rpartition(".")[0] or name for name in names)
    one = len(tables) == 1
    model = name_of_model(history)
    attribute = "self" + code_of(names[:1], model).removeprefix(model)
    return Finding(
        rule="frozen_layers",
        sentence=(
            f"{listed(tables)} {'requires' if one else 'require'} no gradient, and "
            f"{'its' if one else 'their'} rows cannot be told from random numbers: vectors that "
            "were learned have directions in common. `nn.Embedding.from_pretrained` freezes what "
            "it is given, and returns a new layer: where that is not assigned, the old one stays "
            "random. If random codes are meant, nothing is wrong."
        ),
        layers=layers_of(history, names),
        steps=(0, history.ended.step),
        evidence=(Evidence("frozen embeddings with random rows", float(len(tables)), 0.0),),
        strength=float(len(tables)),
        change=(
            f"{attribute} = nn.Embedding.from_pretrained(vectors)  # vectors that were learned\n"
            f"# without any: {attribute}.weight.requires_grad_(True), before the optimizer is made"
        ),
    )


def _change(names: tuple[str, ...], model: str) -> str:
    module = code_of(names, model)
    return f"{module}.requires_grad_(True)  # before the optimizer is made"


FROZEN_LAYERS = Rule(
    name="frozen_layers",
    title="Frozen layers with random weights",
    find=frozen_layers,
    explanation=(
        "A layer with `requires_grad=False` keeps its weights. That is meant for layers that were "
        "trained before; one that is frozen with its random start only scrambles what the others "
        "learn, and as the last layer it fixes which outputs are possible."
    ),
    healthy="Frozen layers hold weights that were trained before, or the run learns without them.",
    source="Yosinski et al. 2014, arXiv 1411.1792",
    explains=("underfitting", "not_learning"),
    own_loops=True,
    change="model.requires_grad_(True)  # before the optimizer is made",
)

"""Weights that are drawn anew within a run: what was learned is lost each time."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.diagnosis.rules.outcome import NO_UPDATES, has_learned, series_by_layer
from netwise.history import History
from netwise.signals import UPDATE_RATIO, WEIGHT_DISTANCE, WEIGHT_NORM

MANY = 256  # weights of a layer: independent draws of so many have a cosine near 0
STILL = 0.7  # cosine with the weights of the start before it
UNLIKE = 0.25  # and behind it
SAME_SIZE = 0.3  # relative change of the norm: they are of the same distribution
FEWEST_STEPS = 8  # a state may be loaded after the first pass
REACH = 0.5  # of the way that is asked for: steps of the largest size go no farther


def weights_drawn_anew(history: History) -> Answer:
    """Find a run in which all large layers have, from one watched step to the next, weights of the
    same size that have nothing in common with those of the start, farther away than the steps
    between could have carried them.

    A second optimizer may begin another training with them, as of another part of the data.
    """
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    layers = [
        layer.name
        for layer in history.layers
        if layer.trainable and (layer.fan_in or 0) * (layer.fan_out or 0) >= MANY
    ]
    cosines = {name: _cosines(history, name) for name in layers}
    updates = series_by_layer(history, UPDATE_RATIO)
    if not layers or any(name not in updates for name in layers) or not all(cosines.values()):
        return Unchecked(NO_UPDATES)
    if len(layers) < 2 or len(history.wiring.optimizers) != 1 or has_learned(history):
        return None
    steps = sorted(set.intersection(*(set(each) for each in cosines.values())))
    longest = max(max(filter(isfinite, updates[name].values), default=0.0) for name in layers)
    for before, after in pairwise(steps):
        if after < FEWEST_STEPS or (after - before) * longest > REACH:
            continue
        if all(cosines[n][before] > STILL and abs(cosines[n][after]) < UNLIKE for n in layers):
            return _finding(before, after, max(abs(cosines[n][after]) for n in layers), layers)
    return None


def _cosines(history: History, layer: str) -> dict[int, float]:
    """The cosine of a layer's weights with those of the start, at each watched step where they have
    about the same norm."""
    norms, ways = history.of(WEIGHT_NORM, layer), history.of(WEIGHT_DISTANCE, layer)
    if norms is None or ways is None or not norms.values or not norms.values[0] > 0:
        return {}
    start, found = norms.values[0], {}
    far = dict(zip(ways.steps, ways.values, strict=True))
    for step, norm in zip(norms.steps, norms.values, strict=True):
        if step in far and abs(norm / start - 1) < SAME_SIZE:
            way = far[step] * max(norm, start)
            found[step] = (start**2 + norm**2 - way**2) / (2 * start * norm)
    return found


def _finding(before: int, after: int, cosine: float, layers: list[str]) -> Finding:
    return Finding(
        rule="weights_drawn_anew",
        sentence=(
            f"Between steps {before} and {after} all layers have got other weights than the steps "
            "lead to, of the same size and without relation to those before (cosine "
            f"{cosine:.2f} at most): they are drawn anew, and what was learned is lost. Look for "
            "`model.apply(init)`, `reset_parameters()` or a new model inside of the loop."
        ),
        layers=tuple(layers),
        steps=(before, after),
        evidence=(Evidence("cosine with the weights of the start", cosine, UNLIKE, above=False),),
        strength=2.0,
        change=(
            "model.apply(init_weights)  # once, before the first epoch\n"
            "for epoch in range(epochs):\n"
            "    train_one_epoch(model)"
        ),
    )


WEIGHTS_DRAWN_ANEW = Rule(
    name="weights_drawn_anew",
    title="Weights that are drawn anew during the run",
    find=weights_drawn_anew,
    explanation=(
        "A training goes on from where the last step has led. Weights that are initialised again, "
        "such as in a function that is called once an epoch, begin from nothing."
    ),
    healthy="Weights no farther from their start than the steps have carried them.",
    source="the triangle inequality: the way is at most the sum of the steps",
    explains=("not_learning", "plateau", "oscillation", "underfitting", "spike", "behind_baseline"),
    own_loops=True,
    exact=True,
)

"""`compare_depth`: one network against a deeper and a wider one of as many parameters, and against
a shallower twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import torch

from netwise.errors import WrongValue
from netwise.history import ShallowerTwin
from netwise.intervals import of_mean
from netwise.networks import Network
from netwise.recipe.recipe import Recipe
from netwise.signals import TRAIN_LOSS
from netwise.training.parallel import fit_many
from netwise.training.run import Run
from netwise.treatment.goals import gain_unit, goal, goal_text
from netwise.treatment.trials import POINTS, SEEDS

GIVEN, DEEPER, WIDER, SHALLOWER = "given", "deeper", "wider", "shallower"


@dataclass(frozen=True)
class DepthArm:
    """One network of the comparison.

    Args:
        name: "given", "deeper", "wider" or "shallower".
        widths: of its layers.
        parameters: how many it has.
        goals: on the validation part, by seed.
        train_losses: at the end, by seed.

    Example:
        >>> import netwise as nw
        >>> nw.DepthArm("given", (64, 30, 10), 2260, (0.9,), (0.1,)).parameters
        2260
    """

    name: str
    widths: tuple[int, ...]
    parameters: int
    goals: tuple[float, ...]
    train_losses: tuple[float, ...]


@dataclass(frozen=True)
class DepthComparison:
    """What the comparison measured.

    Args:
        arms: the networks.
        gain, low, high: of the deeper network over the wider one on the validation part, with the
            95 % interval over the seeds.
        sentence: the result.
        twin: the training losses of the given network and of the shallower one of equal widths;
            None where there is no shallower one.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 20, 20, 10)), epochs=2)
        >>> result = nw.compare_depth(recipe, seeds=(0, 1), jobs=1)
        >>> [arm.name for arm in result.arms]
        ['given', 'deeper', 'wider', 'shallower']
    """

    arms: tuple[DepthArm, ...]
    gain: float
    low: float
    high: float
    sentence: str
    twin: ShallowerTwin | None


def compare_depth(
    recipe: Recipe, *, seeds: Sequence[int] = SEEDS, jobs: int | None = None
) -> DepthComparison:
    """Train the network, a deeper and a wider one with as many parameters, and one with half of the
    hidden layers at the same width, over the same seeds.

    Args:
        recipe: of an `MLP` with hidden layers.
        seeds: at least two. Default five.
        jobs: runs at a time, as in `fit_many`.

    Raises:
        WrongValue: another network, or fewer than two seeds.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), epochs=3)
        >>> result = nw.compare_depth(recipe, seeds=(0, 1), jobs=1)
        >>> sizes = {arm.name: arm.parameters for arm in result.arms}
        >>> abs(sizes["deeper"] / sizes["wider"] - 1) < 0.05
        True

    Source: He, Zhang, Ren, Sun 2015, arXiv 1512.03385 (degradation); Eldan, Shamir 2016, The power
    of depth for feedforward neural networks.
    """
    network, seeds = recipe.network, tuple(seeds)
    _require_hidden_layers(network, 1)
    if len(set(seeds)) < 2:
        why = "must be at least two different numbers: one pair has no spread"
        raise WrongValue.of("depth", "seeds", str(seeds), why, "(0, 1, 2, 3, 4)")
    networks = {GIVEN: network, **matched_networks(network)}
    recipes = [recipe.but(network=each, seed=s) for each in networks.values() for s in seeds]
    runs = fit_many(recipes, jobs=jobs)
    grouped = [runs[i : i + len(seeds)] for i in range(0, len(runs), len(seeds))]
    arms = {
        name: _arm(name, each, group)
        for (name, each), group in zip(networks.items(), grouped, strict=True)
    }
    pairs = zip(arms[DEEPER].goals, arms[WIDER].goals, strict=True)
    gain, low, high = of_mean([a - b for a, b in pairs])
    twin = twin_of(arms[GIVEN], arms[SHALLOWER]) if SHALLOWER in arms else None
    sentence = _sentence(arms, grouped[0][0], gain, low, high)
    return DepthComparison(tuple(arms.values()), gain, low, high, sentence, twin)


def _require_hidden_layers(network: Network, fewest: int) -> None:
    """Raise where the network has no hidden layers whose number and width can be exchanged."""
    can_change = not isinstance(network.with_hidden_layers(layers=1), str)
    if not can_change or len(_widths(network)) < fewest + 2:
        why = f"must have {fewest} or more hidden layers whose number and width can be exchanged"
        name = type(network).__name__
        raise WrongValue.of("depth", "network", name, why, "MLP((64, 30, 30, 10))")


def _widths(network: Network) -> tuple[int, ...]:
    return tuple(getattr(network, "widths", ()))


def matched_networks(network: Network) -> dict[str, Network]:
    """A deeper and a wider network with nearly as many parameters, and where there are at least two
    hidden layers a shallower one of the same widths."""
    widths = _widths(network)
    size, layers = parameters_of(network), len(widths) - 2
    found = {
        DEEPER: _of_size(network, 2 * layers, size),
        WIDER: _of_size(network, max(1, layers // 2), size),
    }
    if layers > 1:
        kept = widths[1 : 1 + (layers + 1) // 2]
        found[SHALLOWER] = network.but(widths=(widths[0], *kept, widths[-1]))
    return found


def _of_size(network: Network, layers: int, size: int) -> Network:
    """The network with so many hidden layers of one width, and nearly so many parameters."""

    def with_units(units: int) -> Network:
        changed = network.with_hidden_layers(layers=layers, units=units)
        assert not isinstance(changed, str)  # `_require_hidden_layers`
        return changed

    low, high = 1, 1
    while parameters_of(with_units(high)) < size:
        high *= 2
    while low < high:  # the smallest width that is not below the size
        middle = (low + high) // 2
        enough = parameters_of(with_units(middle)) >= size
        low, high = (low, middle) if enough else (middle + 1, high)
    near = [with_units(units) for units in (max(1, low - 1), low)]
    return min(near, key=lambda each: abs(parameters_of(each) - size))


def parameters_of(network: Network) -> int:
    """The number of parameters of a network."""
    with torch.device("meta"):
        return sum(p.numel() for p in network.build().parameters())


def _arm(name: str, network: Network, runs: Sequence[Run]) -> DepthArm:
    losses = [run.history.of(TRAIN_LOSS) for run in runs]
    return DepthArm(
        name,
        _widths(network),
        parameters_of(network),
        tuple(goal(run) for run in runs),
        tuple(float("inf") if each is None else each.last for each in losses),
    )


def twin_of(given: DepthArm, shallower: DepthArm) -> ShallowerTwin:
    """The training losses of a network and of its shallower twin, with the interval of the
    difference over the seeds."""
    pairs = zip(given.train_losses, shallower.train_losses, strict=True)
    _, low, high = of_mean([a - b for a, b in pairs])
    return ShallowerTwin(
        layers=len(given.widths) - 2,
        twin_layers=len(shallower.widths) - 2,
        train_loss=fmean(given.train_losses),
        twin_train_loss=fmean(shallower.train_losses),
        low=low,
        high=high,
        pairs=len(given.train_losses),
    )


def with_shallower_twin(run: Run, *, seeds: Sequence[int] = SEEDS, jobs: int | None = None) -> Run:
    """The run with its training loss beside that of a network of half as many hidden layers, so
    that `diagnose` can tell whether depth does harm.

    Args:
        run: of an `MLP` with at least two hidden layers.
        seeds, jobs: of the pairs, as in `compare_depth`.

    Raises:
        WrongValue: another network.

    Example:
        >>> import netwise as nw
        >>> network = nw.MLP((64, *[16] * 12, 10), activation=nw.Sigmoid())
        >>> deep = nw.fit(nw.Recipe(data=nw.data.digits(), network=network, epochs=2))
        >>> twin = nw.with_shallower_twin(deep, seeds=(0, 1), jobs=1)
        >>> twin.history.facts.shallower.twin_layers
        6
    """
    network, seeds = run.recipe.network, tuple(seeds)
    _require_hidden_layers(network, 2)
    twin = matched_networks(network)[SHALLOWER]
    recipes = [run.recipe.but(network=each, seed=s) for each in (network, twin) for s in seeds]
    runs = fit_many(recipes, jobs=jobs)
    given, other = runs[: len(seeds)], runs[len(seeds) :]
    beside = twin_of(_arm(GIVEN, network, given), _arm(SHALLOWER, twin, other))
    facts = replace(run.history.facts, shallower=beside)
    return replace(run, history=run.history.but(facts=facts))


def _sentence(arms: dict[str, DepthArm], run: Run, gain: float, low: float, high: float) -> str:
    history, unit = run.history, gain_unit(run.history)
    scale = 100 if unit == POINTS else 1
    deeper, wider = arms[DEEPER], arms[WIDER]
    texts = [goal_text(history, fmean(arm.goals)) for arm in (deeper, wider)]
    better = (
        "The deeper network is better"
        if low > 0
        else "The wider network is better"
        if high < 0
        else "Neither is better beyond chance"
    )
    return (
        f"{better}: {len(deeper.widths) - 2} hidden layers of {deeper.widths[1]} units score "
        f"{texts[0]}, {len(wider.widths) - 2} of {wider.widths[1]} score {texts[1]}, with "
        f"{deeper.parameters:,} and {wider.parameters:,} parameters; difference "
        f"{scale * gain:+.1f} {unit} (95 % interval {scale * low:+.1f} to {scale * high:+.1f} over "
        f"{len(deeper.goals)} seeds)."
    )

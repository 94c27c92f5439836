"""L23 and L24: the likelihood of restricted Boltzmann machines, exact and estimated, and the number
of Gibbs steps that their training needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import torch
from torch import Tensor

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.networks.energy import (
    CD,
    PCD,
    RBM,
    ais,
    base_rate_likelihood,
    log_likelihood,
    log_partition,
)
from netwise.networks.energy.phases import NegativePhase
from netwise.networks.energy.rbm import RestrictedBoltzmann
from netwise.part import integer, number
from netwise.parts.optimizers import SGD
from netwise.parts.preprocess import Binarise
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg, use_log_scale
from netwise.training.interrupt import uninterrupted
from netwise.training.parallel import fit_many
from netwise.training.run import Run

Numbers = Mapping[str, float]

SMALL = Recipe(
    data=data.mnist(valid=0.0),
    preprocess=(Binarise(),),
    network=RBM(784, 16),
    loss=PCD(),
    optimizer=SGD(lr=0.01),
    batch_size=100,
    epochs=50,
)
PLAIN = RBM(784, 16, centred=False)
LARGE = RBM(784, 500, centred=False)


@dataclass(frozen=True)
class LikelihoodSettings(LabSettings):
    """What can be varied in L23.

    Args:
        epochs: Default 50.
        rate: learning rate. Default 0.01.
        seeds: Default 1.
    """

    epochs: int = integer(50, least=1, most=1000, because="a run has an epoch")
    rate: float = number(0.01, above=0, most=1, because="it is a learning rate")
    seeds: int = integer(1, least=1, most=50, because="a run has a seed")


@dataclass(frozen=True)
class StepSettings(LabSettings):
    """What can be varied in L24.

    Args:
        epochs: of machines with 16 hidden units; those with 500 have half as many. Default 10.
        rate: learning rate. Default 0.05.
        seeds: Default 1.
    """

    epochs: int = integer(10, least=2, most=1000, because="the large machines get half of them")
    rate: float = number(0.05, above=0, most=1, because="it is a learning rate")
    seeds: int = integer(1, least=1, most=50, because="a run has a seed")


def train_from(seeds: Sequence[int], arms: Mapping[str, Recipe]) -> dict[str, list[Run]]:
    """The runs of each arm from each seed, with the score of the test part."""
    recipes = [recipe.but(seed=seed) for recipe in arms.values() for seed in seeds]
    runs = [uninterrupted(run) for run in fit_many(recipes, test=True)]
    count = len(seeds)
    return {name: runs[i * count : (i + 1) * count] for i, name in enumerate(arms)}


def machine_of(run: Run) -> RestrictedBoltzmann:
    assert isinstance(run.module, RestrictedBoltzmann)
    return run.module


def binary_test_images() -> Tensor:
    """(10000, 784) of 0 and 1: the test images as the machines see them."""
    images: Tensor = SMALL.preprocess[0].apply(SMALL.data.load().test.x, {})
    return images


# L23: exact and estimated likelihood


def likelihood_arms(settings: LikelihoodSettings) -> dict[str, Recipe]:
    centred = SMALL.but(epochs=settings.epochs, optimizer=SGD(lr=settings.rate))
    return {
        "PCD-1, centred": centred,
        "PCD-1": centred.but(network=PLAIN),
        "CD-1": centred.but(network=PLAIN, loss=CD()),
        "PCD-1, visible biases from 0": centred.but(network=PLAIN.but(visible_bias="zero")),
    }


def exact_and_estimated(
    machine: RestrictedBoltzmann, x: Tensor, chains: int = 1000, temperatures: int = 10_000
) -> tuple[float, float]:
    """(exact mean log-likelihood in nats, error of AIS in its standard errors)."""
    log_z = float(log_partition(machine))
    exact = float(log_likelihood(machine, x, log_z=log_z).mean())
    estimate = ais(machine, chains=chains, temperatures=temperatures)
    return exact, abs(estimate.log_z - log_z) / max(estimate.error, 1e-9)


def scikit_learn_likelihood(
    train: Tensor, test: Tensor, hidden: int = 16, epochs: int = 50
) -> float:
    """Exact mean log-likelihood in nats of scikit-learn's BernoulliRBM after as many epochs at the
    same rate and batch size."""
    from sklearn.neural_network import BernoulliRBM

    rbm = BernoulliRBM(hidden, learning_rate=0.01, batch_size=100, n_iter=epochs, random_state=0)
    rbm.fit(train.flatten(1).numpy())
    machine = RBM(rbm.components_.shape[1], hidden).build()
    assert isinstance(machine, RestrictedBoltzmann)
    values = (rbm.components_, rbm.intercept_hidden_, rbm.intercept_visible_)
    with torch.no_grad():
        for parameter, value in zip(machine.weights_and_biases, values, strict=True):
            parameter.copy_(torch.from_numpy(value).float())
    return float(log_likelihood(machine, test).mean())


def likelihood_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    errors = [value for name, value in numbers.items() if "error of AIS" in name]
    centred, plain, quick = (
        numbers[f"{name}: exact, nats"] for name in ("PCD-1, centred", "PCD-1", "CD-1")
    )
    scikit_learn = (
        numbers["scikit-learn's BernoulliRBM, same rate, batch and epochs, nats"]
        - numbers["independent pixels, nats"]
    )
    return (
        Criterion(
            "AIS is within three standard errors of the exact ln Z for the machine of each arm "
            "(largest)",
            max(errors),
            max(errors) < 3,
        ),
        Criterion(
            "centred PCD-1 reaches -144.5 nats (PyDeep: -142.56)", centred, centred >= -144.5
        ),
        Criterion(
            "plain PCD-1 is between -151 and -144 nats (PyDeep: -149.05)",
            plain,
            -151 <= plain <= -144,
        ),
        Criterion(
            "CD-1, a quick approximation, is worse than PCD-1 by more than 5 nats",
            quick,
            quick < plain - 5,
        ),
        Criterion(
            "scikit-learn's machine is no better than independent pixels (within 3 nats)",
            scikit_learn,
            abs(scikit_learn) < 3,
            part_of_claim=False,
        ),
    )


def run_l23(settings: LikelihoodSettings) -> LabResult:
    arms, seeds = likelihood_arms(settings), tuple(range(settings.seeds))
    runs = train_from(seeds, arms)
    test = binary_test_images()
    exact = {name: [exact_nats(run) for run in group] for name, group in runs.items()}
    errors = {
        name: exact_and_estimated(machine_of(group[0]), test)[1] for name, group in runs.items()
    }
    train: Tensor = SMALL.preprocess[0].apply(SMALL.data.load().train.x, {})
    base_rate = float(base_rate_likelihood(machine_of(runs["PCD-1"][0]).base, test).mean())
    scikit_learn = scikit_learn_likelihood(train, test, epochs=settings.epochs)
    numbers = {
        **{f"{name}: exact, nats": fmean(values) for name, values in exact.items()},
        **{f"{name}: error of AIS in standard errors": error for name, error in errors.items()},
        "independent pixels, nats": base_rate,
        "scikit-learn's BernoulliRBM, same rate, batch and epochs, nats": scikit_learn,
    }
    criteria = likelihood_criteria(numbers)
    return LabResult(numbers, criteria, _likelihoods(numbers), recipe_hashes(arms), seeds)


def exact_nats(run: Run) -> float:
    """Mean log-likelihood of the test images, exact."""
    assert run.score is not None
    assert run.score.how == "exact", run.score
    return run.score.value


def _likelihoods(numbers: Numbers) -> str:
    ending = ": exact, nats"
    bars = {name.removesuffix(ending): v for name, v in numbers.items() if name.endswith(ending)}
    others = {
        "scikit-learn": numbers["scikit-learn's BernoulliRBM, same rate, batch and epochs, nats"],
        "independent pixels": numbers["independent pixels, nats"],
    }
    names = [*bars, *others]
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for place, value in enumerate([*bars.values(), *others.values()]):
            axis.plot(value, place, "o", color=COLOURS[0] if place < len(bars) else GREY)
            axis.annotate(f"{value:.1f}", (value, place), (6, -3), textcoords="offset points")
        axis.set_yticks(range(len(names)), names)
        axis.invert_yaxis()
        axis.margins(x=0.15)
        axis.set_xlabel("nats (right is better)")
        axis.set_title("Exact log-likelihood of a test image")
        return svg(drawing, "Exact likelihood")


# L24: steps of contrastive divergence

GIBBS_STEPS = (1, 3, 10, 25)


def gibbs_step_arms(settings: StepSettings) -> dict[str, Recipe]:
    optimizer = SGD(lr=settings.rate)
    small = SMALL.but(network=PLAIN, optimizer=optimizer, epochs=settings.epochs)
    large = SMALL.but(network=LARGE, optimizer=optimizer, epochs=settings.epochs // 2)
    phases: dict[str, NegativePhase] = {f"CD-{k}": CD(steps=k) for k in GIBBS_STEPS}
    phases["PCD-1"] = PCD()
    return {
        **{f"16 hidden, {name}": small.but(loss=phase) for name, phase in phases.items()},
        **{f"500 hidden, CD-{k}": large.but(loss=CD(steps=k)) for k in (1, 10)},
    }


def gibbs_step_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    small = [numbers[f"16 hidden, CD-{k}, nats"] for k in GIBBS_STEPS]
    persistent = numbers["16 hidden, PCD-1, nats"]
    gain = numbers["500 hidden, CD-1, nats"] - numbers["independent pixels, nats"]
    return (
        Criterion(
            "a single Gibbs step is enough to learn: CD-1 with 500 hidden units is 50 nats above "
            "independent pixels",
            gain,
            gain > 50,
        ),
        Criterion(
            "more steps give a better likelihood after as many updates (16 hidden units; CD-25 "
            "minus CD-1 in nats)",
            small[-1] - small[0],
            all(more > fewer for fewer, more in pairwise(small)),
        ),
        Criterion(
            "CD-1 is worse than CD-25 by more than 2 nats",
            small[-1] - small[0],
            small[-1] - small[0] > 2,
            part_of_claim=False,
        ),
        Criterion(
            "PCD-1, which costs as much as CD-1, is nearer to CD-25 (PCD-1 minus CD-1 in nats)",
            persistent - small[0],
            abs(persistent - small[-1]) < abs(small[0] - small[-1]),
            part_of_claim=False,
        ),
    )


def run_l24(settings: StepSettings) -> LabResult:
    arms, seeds = gibbs_step_arms(settings), tuple(range(settings.seeds))
    few = {name: recipe for name, recipe in arms.items() if name.startswith("16")}
    large = {name: recipe for name, recipe in arms.items() if name not in few}
    runs = train_from(seeds, few) | train_from(seeds[:1], large)
    nats = {
        name: [run.score.value for run in group if run.score is not None]
        for name, group in runs.items()
    }
    numbers = {f"{name}, nats": fmean(values) for name, values in nats.items()}
    # The base rates are the same in each run: means of the training pixels.
    base = machine_of(next(iter(runs.values()))[0]).base
    numbers["independent pixels, nats"] = float(
        base_rate_likelihood(base, binary_test_images()).mean()
    )
    picture = _likelihood_by_steps(numbers, nats)
    return LabResult(numbers, gibbs_step_criteria(numbers), picture, recipe_hashes(arms), seeds)


def _likelihood_by_steps(numbers: Numbers, nats: Mapping[str, Sequence[float]]) -> str:
    blue, orange, green = COLOURS[:3]
    small = [numbers[f"16 hidden, CD-{k}, nats"] for k in GIBBS_STEPS]
    large = [numbers[f"500 hidden, CD-{k}, nats"] for k in (1, 10)]
    persistent = numbers["16 hidden, PCD-1, nats"]
    with figure() as (drawing, axes):
        axis = axes[0][0]
        axis.plot(GIBBS_STEPS, small, color=blue, marker="o", label="CD, 16 hidden units (exact)")
        axis.axhline(persistent, color=orange, linestyle="--", label="PCD-1, 16 hidden units")
        axis.plot((1, 10), large, color=green, marker="o", label="CD, 500 hidden units (AIS)")
        for k in GIBBS_STEPS:
            values = nats[f"16 hidden, CD-{k}"]
            axis.plot([k] * len(values), values, ".", color=blue, alpha=0.4, markersize=4)
        use_log_scale(axis, "x")
        axis.set_xlabel("Gibbs steps for each update")
        axis.set_ylabel("nats")
        axis.set_title("Log-likelihood of an image after as many updates")
        axis.legend(fontsize=7)
        return svg(drawing, "Steps of contrastive divergence")


L23 = Lab("L23", lab_texts()["L23"], run_l23, LikelihoodSettings(), arms=likelihood_arms, minutes=8)
L24 = Lab("L24", lab_texts()["L24"], run_l24, StepSettings(), arms=gibbs_step_arms, minutes=10)

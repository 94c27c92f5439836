"""L23 and L24: the likelihood of restricted Boltzmann machines, exact and estimated, and the number
of Gibbs steps that their training needs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import signal_values, train_whole
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
from netwise.parts.optimizers import SGD
from netwise.parts.preprocess import Binarise
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg
from netwise.signals import LOG_LIKELIHOOD
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


def machine_of(run: Run) -> RestrictedBoltzmann:
    assert isinstance(run.module, RestrictedBoltzmann)
    return run.module


def binary_test_images() -> Tensor:
    """(10000, 784) of 0 and 1: the test images as the machines see them."""
    images: Tensor = SMALL.preprocess[0].apply(SMALL.data.load().test.x, {})
    return images


# L23: exact and estimated likelihood


def likelihood_arms() -> dict[str, Recipe]:
    zero_biases = PLAIN.but(visible_bias="zero")
    return {
        "PCD-1, centred": SMALL,
        "PCD-1": SMALL.but(network=PLAIN),
        "CD-1": SMALL.but(network=PLAIN, loss=CD()),
        "PCD-1, visible biases from 0": SMALL.but(network=zero_biases),
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
    errors = [numbers[f"{name}: error of AIS in standard errors"] for name in likelihood_arms()]
    centred, plain, quick = (
        numbers[f"{name}: exact, nats"] for name in ("PCD-1, centred", "PCD-1", "CD-1")
    )
    scikit_learn = (
        numbers["scikit-learn's BernoulliRBM, same rate, batch and epochs, nats"]
        - numbers["independent pixels, nats"]
    )
    return (
        Criterion(
            "AIS is within three standard errors of the exact ln Z for every machine (largest)",
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


def run_l23(_: LabSettings) -> LabResult:
    arms = likelihood_arms()
    runs = {name: train_whole(recipe) for name, recipe in arms.items()}
    test = binary_test_images()
    values = {name: exact_and_estimated(machine_of(run), test) for name, run in runs.items()}
    train: Tensor = SMALL.preprocess[0].apply(SMALL.data.load().train.x, {})
    base_rate = float(base_rate_likelihood(machine_of(runs["PCD-1"]).base, test).mean())
    scikit_learn = scikit_learn_likelihood(train, test)
    numbers = {
        **{f"{name}: exact, nats": exact for name, (exact, _) in values.items()},
        **{
            f"{name}: error of AIS in standard errors": error for name, (_, error) in values.items()
        },
        "independent pixels, nats": base_rate,
        "scikit-learn's BernoulliRBM, same rate, batch and epochs, nats": scikit_learn,
    }
    picture = _likelihood_by_epoch(runs, base_rate, scikit_learn)
    return LabResult(numbers, likelihood_criteria(numbers), picture, recipe_hashes(arms), (0,))


def _likelihood_by_epoch(runs: Mapping[str, Run], base_rate: float, scikit_learn: float) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, run), colour in zip(runs.items(), COLOURS, strict=False):
            values = signal_values(run, LOG_LIKELIHOOD)
            axis.plot(range(1, len(values) + 1), values, color=colour, label=name)
        axis.axhline(base_rate, color=GREY, linestyle=":", label="independent pixels")
        axis.axhline(scikit_learn, color=GREY, linestyle="--", label="scikit-learn, at its end")
        axis.set_xlabel("epoch")
        axis.set_title("Exact log-likelihood of an image, in nats")
        axis.legend(fontsize=7)
        return svg(drawing, "Exact likelihood")


# L24: steps of contrastive divergence

GIBBS_STEPS = (1, 3, 10, 25)


def gibbs_step_arms() -> dict[str, Recipe]:
    small = SMALL.but(network=PLAIN, optimizer=SGD(lr=0.05), epochs=10)
    large = SMALL.but(network=LARGE, optimizer=SGD(lr=0.05), epochs=5)
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


def run_l24(_: LabSettings) -> LabResult:
    arms = gibbs_step_arms()
    numbers: dict[str, float] = {}
    base = None
    for name, recipe in arms.items():
        run = train_whole(recipe)
        assert run.score is not None
        numbers[f"{name}, nats"] = run.score.value
        base = machine_of(run).base  # the same in each: means of the training pixels
    assert base is not None
    numbers["independent pixels, nats"] = float(
        base_rate_likelihood(base, binary_test_images()).mean()
    )
    picture = _likelihood_by_steps(numbers)
    return LabResult(numbers, gibbs_step_criteria(numbers), picture, recipe_hashes(arms), (0,))


def _likelihood_by_steps(numbers: Numbers) -> str:
    blue, orange, green = COLOURS[:3]
    small = [numbers[f"16 hidden, CD-{k}, nats"] for k in GIBBS_STEPS]
    large = [numbers[f"500 hidden, CD-{k}, nats"] for k in (1, 10)]
    persistent = numbers["16 hidden, PCD-1, nats"]
    with figure() as (drawing, axes):
        axis = axes[0][0]
        axis.plot(GIBBS_STEPS, small, color=blue, marker="o", label="CD, 16 hidden units (exact)")
        axis.axhline(persistent, color=orange, linestyle="--", label="PCD-1, 16 hidden units")
        axis.plot((1, 10), large, color=green, marker="o", label="CD, 500 hidden units (AIS)")
        axis.set_xscale("log")
        axis.set_xlabel("Gibbs steps for each update")
        axis.set_title("Log-likelihood of an image, in nats")
        axis.legend(fontsize=7)
        return svg(drawing, "Steps of contrastive divergence")


L23 = Lab("L23", lab_texts()["L23"], run_l23, arms=lambda _: likelihood_arms(), minutes=5)
L24 = Lab("L24", lab_texts()["L24"], run_l24, arms=lambda _: gibbs_step_arms(), minutes=10)

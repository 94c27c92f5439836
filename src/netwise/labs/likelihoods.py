"""L23 and L24: what a restricted Boltzmann machine believes, exactly and by estimate; and how many
Gibbs steps it needs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch

from netwise import data
from netwise.labs.catalogue import CLAIMS
from netwise.labs.definition import Criterion, Lab, LabResult
from netwise.labs.runs import trained
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


def _machine(run: Run) -> RestrictedBoltzmann:
    assert isinstance(run.module, RestrictedBoltzmann)
    return run.module


def _small_arms() -> Mapping[str, Recipe]:
    zero = PLAIN.but(visible_bias="zero")
    return {
        "PCD-1, centred": SMALL,
        "PCD-1": SMALL.but(network=PLAIN),
        "CD-1": SMALL.but(network=PLAIN, loss=CD()),
        "PCD-1, visible biases from 0": SMALL.but(network=zero),
    }


def _exact_and_estimated() -> LabResult:
    runs = {name: trained(recipe) for name, recipe in _small_arms().items()}
    test = runs["PCD-1"].recipe.preprocess[0].apply(SMALL.data.load().test.x, {})
    exact, errors = {}, {}
    for name, run in runs.items():
        machine = _machine(run)
        log_z = float(log_partition(machine))
        exact[name] = float(log_likelihood(machine, test, log_z=log_z).mean())
        estimate = ais(machine, chains=1000, temperatures=10_000)
        errors[name] = abs(estimate.log_z - log_z) / max(estimate.error, 1e-9)
    independent = float(base_rate_likelihood(_machine(runs["PCD-1"]).base, test).mean())
    theirs = _scikit_learns(test)
    numbers = {
        **{f"{name}: exact, nats": v for name, v in exact.items()},
        **{f"{name}: error of AIS in standard errors": v for name, v in errors.items()},
        "independent pixels, nats": independent,
        "scikit-learn's BernoulliRBM, same rate, batch and epochs, nats": theirs,
    }
    criteria = (
        Criterion(
            "AIS lies within three standard errors of the exact ln Z in every machine",
            max(errors.values()),
            max(errors.values()) < 3,
        ),
        Criterion(
            "centred PCD-1 reaches -144.5 nats (PyDeep: -142.56)",
            exact["PCD-1, centred"],
            exact["PCD-1, centred"] >= -144.5,
        ),
        Criterion(
            "plain PCD-1 lies between -151 and -144 nats (PyDeep: -149.05)",
            exact["PCD-1"],
            -151 <= exact["PCD-1"] <= -144,
        ),
        Criterion(
            "CD-1, a quick approximation, is worse than PCD-1 by more than 5 nats",
            exact["CD-1"],
            exact["CD-1"] < exact["PCD-1"] - 5,
        ),
        Criterion(
            "scikit-learn's is no better than independent pixels (within 3 nats)",
            theirs - independent,
            abs(theirs - independent) < 3,
            of_the_note=False,
        ),
    )
    with figure() as (made, axes):
        axis = axes[0][0]
        for (name, run), colour in zip(runs.items(), COLOURS, strict=False):
            series = run.history.of(LOG_LIKELIHOOD)
            assert series is not None
            axis.plot(range(1, len(series) + 1), series.values, color=colour, label=name)
        axis.axhline(independent, color=GREY, linestyle=":", label="independent pixels")
        axis.axhline(theirs, color=GREY, linestyle="--", label="scikit-learn, at its end")
        axis.set_xlabel("epoch")
        axis.set_title("Exact log-likelihood of an image, in nats")
        axis.legend(fontsize=7)
        picture = svg(made, "Exact likelihood")
    return LabResult(
        numbers,
        criteria,
        picture,
        {name: recipe.hash for name, recipe in _small_arms().items()},
        (0,),
    )


def _scikit_learns(test: torch.Tensor) -> float:
    """The exact likelihood of scikit-learn's machine after the same number of passes at the same
    rate."""
    from sklearn.neural_network import BernoulliRBM

    x = SMALL.preprocess[0].apply(SMALL.data.load().train.x, {}).flatten(1)
    theirs = BernoulliRBM(16, learning_rate=0.01, batch_size=100, n_iter=50, random_state=0).fit(
        x.numpy()
    )
    machine = RBM(784, 16).build()
    assert isinstance(machine, RestrictedBoltzmann)
    found = (theirs.components_, theirs.intercept_hidden_, theirs.intercept_visible_)
    with torch.no_grad():
        for own, value in zip(machine.weights_and_biases, found, strict=True):
            own.copy_(torch.from_numpy(value).float())
    return float(log_likelihood(machine, test).mean())


STEPS = (1, 3, 10, 25)


def _steps_arms() -> Mapping[str, Recipe]:
    base = SMALL.but(network=PLAIN, optimizer=SGD(lr=0.05), epochs=10)
    large = SMALL.but(network=RBM(784, 500, centred=False), optimizer=SGD(lr=0.05), epochs=5)
    arms: dict[str, NegativePhase] = {f"CD-{k}": CD(steps=k) for k in STEPS}
    found = {
        f"16 hidden, {name}": base.but(loss=phase)
        for name, phase in {**arms, "PCD-1": PCD()}.items()
    }
    return {**found, **{f"500 hidden, CD-{k}": large.but(loss=CD(steps=k)) for k in (1, 10)}}


def _steps() -> LabResult:
    scores = {}
    for name, recipe in _steps_arms().items():
        run = trained(recipe)
        assert run.score is not None
        scores[name] = run.score.value
        machine = _machine(run)
    test = SMALL.preprocess[0].apply(SMALL.data.load().test.x, {})
    independent = float(base_rate_likelihood(machine.base, test).mean())
    small = [scores[f"16 hidden, CD-{k}"] for k in STEPS]
    gain = scores["500 hidden, CD-1"] - independent
    numbers = {
        **{f"{name}, nats": v for name, v in scores.items()},
        "independent pixels, nats": independent,
    }
    criteria = (
        Criterion(
            "a single Gibbs step is enough to learn much: CD-1 with 500 hidden units is 50 nats above independent pixels",
            gain,
            gain > 50,
        ),
        Criterion(
            "more steps, better likelihood, at equal updates (16 hidden units, exact)",
            small[-1] - small[0],
            all(b > a for a, b in pairwise(small)),
        ),
        Criterion(
            "CD-1 is worse than CD-25 by more than 2 nats",
            small[-1] - small[0],
            small[-1] - small[0] > 2,
            of_the_note=False,
        ),
        Criterion(
            "PCD-1, at the price of CD-1, comes nearer to CD-25",
            scores["16 hidden, PCD-1"] - small[0],
            abs(scores["16 hidden, PCD-1"] - small[-1]) < abs(small[0] - small[-1]),
            of_the_note=False,
        ),
    )
    with figure() as (made, axes):
        axis = axes[0][0]
        axis.plot(STEPS, small, color=COLOURS[0], marker="o", label="CD, 16 hidden units (exact)")
        axis.axhline(
            scores["16 hidden, PCD-1"],
            color=COLOURS[1],
            linestyle="--",
            label="PCD-1, 16 hidden units",
        )
        axis.plot(
            (1, 10),
            [scores["500 hidden, CD-1"], scores["500 hidden, CD-10"]],
            color=COLOURS[2],
            marker="o",
            label="CD, 500 hidden units (AIS)",
        )
        axis.set_xscale("log")
        axis.set_xlabel("Gibbs steps of a learning step")
        axis.set_title("Log-likelihood of an image, in nats")
        axis.legend(fontsize=7)
        picture = svg(made, "Steps of contrastive divergence")
    return LabResult(
        numbers,
        criteria,
        picture,
        {name: recipe.hash for name, recipe in _steps_arms().items()},
        (0,),
    )


L23 = Lab(
    "L23",
    CLAIMS["L23"],
    "784-16, MNIST cut at one half, 50 epochs, rate 0.01, batch 100, all 65,536 states of the hidden units; AIS with 1,000 chains x 10,000 temperatures.",
    "note 001",
    _exact_and_estimated,
    _small_arms,
    slow=True,
)
L24 = Lab(
    "L24",
    CLAIMS["L24"],
    "16 hidden units, 10 epochs at rate 0.05, CD with 1, 3, 10 and 25 steps, exact; 500 hidden units, 5 epochs, CD-1 and CD-10, by AIS.",
    "note 001",
    _steps,
    _steps_arms,
    slow=True,
)

"""L16 and L83: what dropout gains on 1,000 and 10,000 images, what its scaling is for, and whether
it is an average of networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import fmean

import torch
from torch import Tensor

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.overfitting.measures import Numbers, interval, percent
from netwise.labs.overfitting.thousand_settings import SPREAD
from netwise.labs.stacked_training import TEST, Floats, TrainedStack, forward, train_stack
from netwise.part import integer, number
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, COLOURS, GREY, ORANGE, figure, svg

SHARE = "it is a share of what is dropped"


@dataclass(frozen=True)
class DropoutSettings(LabSettings):
    """What can be varied in L16.

    Args:
        seeds: runs of each arm, at least 2. Default 5.
        hidden: units of the hidden layer. Default 100.
        epochs: on 1,000 images; on 10,000 images a tenth. Default 300.
        dropout: share of the hidden units that is dropped. Default 0.5.
    """

    seeds: int = integer(5, least=2, most=100, because=SPREAD)
    hidden: int = integer(100, least=2, most=1000, because="some units are dropped, some stay")
    epochs: int = integer(300, least=1, most=10_000, because="a run has an epoch")
    dropout: float = number(0.5, above=0, below=1, because=SHARE)


def with_dropout(recipe: Recipe, dropout: float) -> Recipe:
    return recipe.but(network=recipe.network.but(dropout=dropout))


def dropout_arms(settings: DropoutSettings) -> dict[str, Recipe]:
    arms: dict[str, Recipe] = {}
    for images, epochs in ((1000, settings.epochs), (10_000, max(1, settings.epochs // 10))):
        plain = digit_network(images, epochs=epochs, hidden=settings.hidden)
        arms[f"{images:,} images, plain"] = plain
        arms[f"{images:,} images, dropout"] = with_dropout(plain, settings.dropout)
    return arms


def accuracies(predictions: Tensor, y: Tensor) -> Floats:
    """Of predictions (networks, samples, classes)."""
    right: Floats = (predictions.argmax(-1) == y).double().mean(-1).numpy()
    return right


def unscaled(trained: TrainedStack, dropout: float) -> TrainedStack:
    """The networks without the factor 1 / (1 - dropout) on what the hidden units that stay hand on,
    as if training had not scaled: with all units the sums are too large by that factor."""
    last = trained.weights[-1] / (1 - dropout)
    return replace(trained, weights=[*trained.weights[:-1], last])


def dropout_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    gain = numbers["1,000 images, gain of dropout, points: mean"]
    lost = numbers["1,000 images, lost without the scaling, points: low"]
    more = numbers["10,000 images, gain of dropout, points: mean"]
    cost = numbers["1,000 images, test cost without the scaling / with"]
    return (
        Criterion(
            "on 1,000 images dropout gains more than 1 percentage point (mean)", gain, gain > 1
        ),
        Criterion(
            "leaving the scaling out costs accuracy on 1,000 images (low end of the 95 % "
            "interval, percentage points)",
            lost,
            lost > 0,
        ),
        Criterion(
            "leaving the scaling out makes the test cost more than 1.2 times as high",
            cost,
            cost > 1.2,
            part_of_claim=False,
        ),
        Criterion(
            "on 10,000 images the gain is smaller than on 1,000 (mean, points)",
            more,
            more < gain,
            part_of_claim=False,
        ),
    )


def cross_entropy(predictions: Tensor, y: Tensor) -> Floats:
    """Mean over samples of the cost of sigmoid outputs, of each network."""
    target = torch.nn.functional.one_hot(y, predictions.shape[-1]).float()
    costs = torch.nn.functional.binary_cross_entropy(
        predictions, target.expand_as(predictions), reduction="none"
    )
    means: Floats = costs.sum(-1).mean(-1).numpy()
    return means


def run_l16(settings: DropoutSettings) -> LabResult:
    arms = dropout_arms(settings)
    final: dict[str, Floats] = {}
    numbers: dict[str, float] = {}
    for name, recipe in arms.items():
        trained = train_stack(recipe, range(settings.seeds), {TEST: [recipe.epochs]})
        final[name] = trained.curves[TEST].accuracy[-1]
        if "dropout" in name:
            images = name.removesuffix(", dropout")
            test = prepare(recipe).samples.test
            scaled = trained.outputs(test.x)
            raw = unscaled(trained, settings.dropout).outputs(test.x)
            gains = percent(final[name] - final[f"{images}, plain"])
            numbers |= {
                **interval(f"{images}, gain of dropout, points", gains),
                **interval(
                    f"{images}, lost without the scaling, points",
                    percent(final[name] - accuracies(raw, test.y)),
                ),
                f"{images}, test cost without the scaling / with": float(
                    (cross_entropy(raw, test.y) / cross_entropy(scaled, test.y)).mean()
                ),
            }
    numbers |= {f"{name}: test accuracy, %": fmean(percent(each)) for name, each in final.items()}
    return LabResult(
        numbers,
        dropout_criteria(numbers),
        _dots({name: percent(each) for name, each in final.items()}),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _dots(values: Mapping[str, list[float]]) -> str:
    with figure(height=2.2) as (drawing, axes):
        axis = axes[0][0]
        for place, ((_, each), colour) in enumerate(zip(values.items(), COLOURS, strict=False)):
            axis.plot(each, [place] * len(each), "o", color=colour, alpha=0.6)
        axis.set_yticks(range(len(values)), list(values))
        axis.set_ylim(len(values) - 0.5, -0.5)
        axis.set_xlabel("test accuracy, %")
        axis.set_title("Each dot is a run")
        return svg(drawing, "Dropout on 1,000 and 10,000 images")


# L83: an average of networks?


@dataclass(frozen=True)
class VoteSettings(LabSettings):
    """What can be varied in L83.

    Args:
        seeds: dropout networks, and votes, at least 2. Default 5.
        voters: networks of a vote. Default 5.
        epochs: of each run. Default 60.
        masks: drawn networks that a dropout network is averaged over. Default 100.
    """

    seeds: int = integer(5, least=2, most=20, because=SPREAD)
    voters: int = integer(5, least=2, most=20, because="one network is no vote")
    epochs: int = integer(60, least=1, most=10_000, because="a run has an epoch")
    masks: int = integer(100, least=2, most=1000, because="it is an average")


def vote_arms(settings: VoteSettings) -> dict[str, Recipe]:
    plain = digit_network(1000, epochs=settings.epochs, hidden=100)
    return {"plain": plain, "dropout": with_dropout(plain, 0.5)}


def averaged_over_masks(trained: TrainedStack, x: Tensor, masks: int, dropout: float) -> Tensor:
    """Predictions of each network, averaged over draws of the hidden units that are dropped."""
    hidden = forward(
        trained.recipe,
        trained.weights,
        trained.biases,
        x.flatten(1).expand(len(trained.seeds), -1, -1),
    )[1]
    g = torch.Generator().manual_seed(0)
    total = torch.zeros(len(hidden), len(x), trained.weights[-1].shape[1])
    for _ in range(masks):
        kept = torch.empty_like(hidden).bernoulli_(1 - dropout, generator=g) / (1 - dropout)
        z = torch.baddbmm(trained.biases[-1], hidden * kept, trained.weights[-1].transpose(1, 2))
        total += torch.sigmoid(z)
    return total / masks


def vote_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    vote = numbers["vote minus single network, points: low"]
    scaling = numbers["scaling minus average over masks, points: mean"]
    dropout = numbers["dropout minus vote, points: mean"]
    return (
        Criterion(
            "a vote of networks is better than one of them (low end of the 95 % interval, "
            "percentage points)",
            vote,
            vote > 0,
        ),
        Criterion(
            "dropout with scaled units is within 0.2 percentage points of the average over drawn "
            "networks (mean difference)",
            scaling,
            abs(scaling) < 0.2,
        ),
        Criterion(
            "one dropout network is at least as good as the vote, within 0.3 points (mean "
            "difference)",
            dropout,
            dropout > -0.3,
            part_of_claim=False,
        ),
    )


def run_l83(settings: VoteSettings) -> LabResult:
    arms = vote_arms(settings)
    samples = prepare(arms["plain"]).samples
    x, y = samples.test.x, samples.test.y
    voters = train_stack(
        arms["plain"], range(settings.seeds * settings.voters), {TEST: [settings.epochs]}
    )
    groups = voters.outputs(x).unflatten(0, (settings.seeds, settings.voters))
    single = accuracies(groups, y).mean(1)
    vote = accuracies(groups.mean(1), y)
    dropped = train_stack(arms["dropout"], range(settings.seeds), {TEST: [settings.epochs]})
    scaled = accuracies(dropped.outputs(x), y)
    drawn = accuracies(averaged_over_masks(dropped, x, settings.masks, 0.5), y)
    results = {
        "single network": single,
        "vote": vote,
        "dropout, scaled": scaled,
        "dropout, average over masks": drawn,
    }
    numbers = {
        **{f"{name}: test accuracy, %": fmean(percent(each)) for name, each in results.items()},
        **interval("vote minus single network, points", percent(vote - single)),
        **interval("scaling minus average over masks, points", percent(scaled - drawn)),
        **interval("dropout minus vote, points", percent(scaled - vote)),
    }
    return LabResult(
        numbers,
        vote_criteria(numbers),
        _bars({name: percent(each) for name, each in results.items()}),
        recipe_hashes(arms),
        tuple(range(settings.seeds * settings.voters)),
    )


def _bars(values: Mapping[str, list[float]]) -> str:
    with figure(height=2.2) as (drawing, axes):
        axis = axes[0][0]
        colours = (GREY, BLUE, ORANGE, ORANGE)
        for place, ((_, each), colour) in enumerate(zip(values.items(), colours, strict=True)):
            axis.plot(each, [place] * len(each), "o", color=colour, alpha=0.6)
            axis.plot([fmean(each)], [place], "|", color=colour, markersize=18)
        axis.set_yticks(range(len(values)), list(values))
        axis.set_ylim(len(values) - 0.5, -0.5)
        axis.set_xlabel("test accuracy, % (line: mean)")
        axis.set_title("Votes of networks, and dropout")
        return svg(drawing, "Dropout and votes of networks")


L16 = Lab(
    "L16",
    lab_texts()["L16"],
    run_l16,
    DropoutSettings(),
    dropout_arms,
    2,
    {"seeds": 2, "epochs": 1, "hidden": 5},
)
L83 = Lab(
    "L83",
    lab_texts()["L83"],
    run_l83,
    VoteSettings(),
    vote_arms,
    2,
    {"seeds": 2, "voters": 2, "epochs": 1, "masks": 2},
)

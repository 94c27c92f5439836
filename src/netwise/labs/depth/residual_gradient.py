"""L35: the derivative of a residual block, 1 + F', is often below 1; what shortcuts do is keep the
gradient of a deep network away from 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import torch
from torch import Tensor, nn

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import train_whole
from netwise.networks import MLP
from netwise.part import integer
from netwise.parts.activations import Tanh
from netwise.parts.initializers import Glorot
from netwise.parts.optimizers import Momentum
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE, figure, svg, use_log_scale

DRAWS = 10_000  # residual units of one number
SAMPLES = 32  # whose Jacobian matrices are taken
START, TRAINED = "before training", "after training"


@dataclass(frozen=True)
class ResidualGradientSettings(LabSettings):
    """What can be varied in L35.

    Args:
        blocks: residual blocks, each a linear layer and tanh. Default 16.
        width: of the blocks. Default 32.
        epochs: of training on the small digits. Default 10.
        seeds: networks. Default 5.
    """

    blocks: int = integer(16, least=1, most=200, because="a gradient passes through a block")
    width: int = integer(32, least=2, most=256, because="a Jacobian matrix has that side")
    epochs: int = integer(10, least=1, most=500, because="it counts passes over the data")
    seeds: int = integer(5, least=1, most=100, because="a network is drawn for each")


def deep_digits(settings: ResidualGradientSettings, *, residual: bool, seed: int = 0) -> Recipe:
    """One layer to `width`, then `blocks` layers of equal width, with or without shortcuts."""
    return Recipe(
        data=data.digits(),
        network=MLP(
            (64, *[settings.width] * (settings.blocks + 1), 10),
            activation=Tanh(),
            residual=residual,
        ),
        init=Glorot(),
        optimizer=Momentum(lr=0.02),
        batch_size=32,
        epochs=settings.epochs,
        seed=seed,
    )


def residual_arms(settings: ResidualGradientSettings) -> dict[str, Recipe]:
    return {
        "residual": deep_digits(settings, residual=True),
        "plain": deep_digits(settings, residual=False),
    }


def derivatives_of_one_number(draws: int, generator: torch.Generator) -> Tensor:
    """1 + F'(x), (draws,), of y = x + w2 tanh(w1 x + b), with all of them from N(0, 1)."""
    w1, w2, b, x = torch.randn((4, draws), generator=generator, dtype=torch.float64)
    derivatives: Tensor = 1 + w2 * w1 * (1 - torch.tanh(w1 * x + b) ** 2)
    return derivatives


def layers_of_blocks(module: nn.Module, blocks: int) -> list[nn.Linear]:
    """The linear layers of the blocks, from the input to the output."""
    linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    return linear[1 : blocks + 1]


def block_jacobians(module: nn.Module, x: Tensor, blocks: int, *, residual: bool) -> Tensor:
    """The Jacobian matrices of the blocks at some samples, (blocks, samples, width, width): I + J_F
    with shortcuts, else J_F."""
    matrices = []
    linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        h = torch.tanh(linear[0](x.flatten(1)))
        for layer in layers_of_blocks(module, blocks):
            y = torch.tanh(layer(h))
            slopes = (1 - y**2).unsqueeze(2) * layer.weight  # diag(tanh') W
            matrices.append(torch.eye(len(layer.weight)) + slopes if residual else slopes)
            h = h + y if residual else y
    return torch.stack(matrices)


def gradient_norms(jacobians: Tensor, generator: torch.Generator) -> list[float]:
    """Median norm over the samples of a random unit gradient at the last block, before each block,
    from the last to the first."""
    samples, width = jacobians.shape[1:3]
    gradient = torch.randn((samples, width), generator=generator)
    gradient = gradient / gradient.norm(dim=1, keepdim=True)
    norms = []
    for matrix in jacobians.flip(0):
        gradient = torch.einsum("so,soi->si", gradient, matrix)
        norms.append(float(gradient.norm(dim=1).median()))
    return norms


@dataclass(frozen=True)
class Spectrum:
    """What passes backwards through the blocks of one network.

    Args:
        below_one: share of the singular values of the blocks that are below 1.
        smallest: the smallest of them.
        norms: the norm of a unit gradient after so many blocks, as `gradient_norms` gives it.
        values: the singular values, for a picture.
    """

    below_one: float
    smallest: float
    norms: list[float]
    values: Tensor


def spectrum(
    module: nn.Module, x: Tensor, settings: ResidualGradientSettings, *, residual: bool, seed: int
) -> Spectrum:
    jacobians = block_jacobians(module, x, settings.blocks, residual=residual)
    values = torch.linalg.svdvals(jacobians).flatten()
    norms = gradient_norms(jacobians, torch.Generator().manual_seed(seed))
    return Spectrum(float((values < 1).float().mean()), float(values.min()), norms, values)


def spectra(settings: ResidualGradientSettings) -> dict[tuple[str, str], list[Spectrum]]:
    """Of residual and plain networks, before and after training, one for each seed."""
    found: dict[tuple[str, str], list[Spectrum]] = {}
    for seed in range(settings.seeds):
        for name, residual in (("residual", True), ("plain", False)):
            recipe = deep_digits(settings, residual=residual, seed=seed)
            x = recipe.data.load().valid.x[:SAMPLES]
            # A step of 1e-30 leaves the weights as they were drawn.
            start = train_whole(recipe.but(optimizer=Momentum(lr=1e-30), epochs=1), watch_every=0)
            trained = train_whole(recipe, watch_every=0)
            for when, run in ((START, start), (TRAINED, trained)):
                found.setdefault((name, when), []).append(
                    spectrum(run.module, x, settings, residual=residual, seed=seed)
                )
    return found


def residual_criteria(numbers: Mapping[str, float]) -> tuple[Criterion, ...]:
    single = numbers["one number: share of derivatives below 1"]
    start = numbers[f"residual, {START}: share of singular values below 1"]
    trained = numbers[f"residual, {TRAINED}: share of singular values below 1"]
    shares = (single, start, trained)
    kept = numbers[f"residual, {START}: gradient after all blocks over that before"]
    plain = numbers[f"plain, {START}: gradient after all blocks over that before"]
    return (
        Criterion(
            "in a block of one number no derivative 1 + F' is below 1 (share)", single, single == 0
        ),
        Criterion(
            "before training no singular value of I + J_F is below 1 (share)", start, start == 0
        ),
        Criterion(
            "after training no singular value of I + J_F is below 1 (share)", trained, trained == 0
        ),
        Criterion(
            "about half of the derivatives are below 1: 30 to 70 % in each case (farthest from "
            "one half)",
            max(shares, key=lambda share: abs(share - 0.5)),
            all(0.3 <= share <= 0.7 for share in shares),
            part_of_claim=False,
        ),
        Criterion(
            "a gradient keeps at least its size on the way through all residual blocks before "
            "training (ratio of norms)",
            kept,
            kept >= 1,
            part_of_claim=False,
        ),
        Criterion(
            "without shortcuts less than a tenth of it is left (ratio of norms)",
            plain,
            plain < 0.1,
            part_of_claim=False,
        ),
    )


def run_l35(settings: ResidualGradientSettings) -> LabResult:
    single = derivatives_of_one_number(DRAWS, torch.Generator().manual_seed(0))
    found = spectra(settings)
    numbers = {
        "one number: share of derivatives below 1": float((single < 1).double().mean()),
        "one number: share of derivatives below 0": float((single < 0).double().mean()),
    }
    for (name, when), each in found.items():
        numbers |= {
            f"{name}, {when}: share of singular values below 1": fmean(s.below_one for s in each),
            f"{name}, {when}: smallest singular value": min(s.smallest for s in each),
            f"{name}, {when}: gradient after all blocks over that before": median(
                s.norms[-1] for s in each
            ),
        }
    return LabResult(
        numbers,
        residual_criteria(numbers),
        _values_and_norms(found),
        recipe_hashes(residual_arms(settings)),
        tuple(range(settings.seeds)),
    )


def _values_and_norms(found: Mapping[tuple[str, str], Sequence[Spectrum]]) -> str:
    with figure(rows=2, height=5.2) as (drawing, axes):
        values, norms = axes[0][0], axes[1][0]
        for when, colour in ((START, BLUE), (TRAINED, ORANGE)):
            joined = torch.cat([s.values for s in found["residual", when]]).numpy()
            values.hist(
                joined,
                bins=60,
                range=(0, 3),
                histtype="step",
                density=True,
                color=colour,
                label=when,
            )
        values.axvline(1, color=GREY, linestyle=":")
        values.set_xlabel("singular value of a block, I + J_F")
        values.set_ylabel("density")
        values.set_title("Half of the derivatives are below 1")
        values.legend()
        for name, colour in (("residual", BLUE), ("plain", ORANGE)):
            rows = [s.norms for s in found[name, START]]
            middle = [median(column) for column in zip(*rows, strict=True)]
            norms.plot(range(1, len(middle) + 1), middle, color=colour, label=name)
        use_log_scale(norms, "y")
        norms.set_xlabel("blocks that a unit gradient has passed, backwards")
        norms.set_ylabel("norm of the gradient")
        norms.set_title("What shortcuts do, before training")
        norms.legend()
        return svg(drawing, "Derivatives of residual blocks")


L35 = Lab(
    "L35",
    lab_texts()["L35"],
    run_l35,
    ResidualGradientSettings(),
    residual_arms,
    minutes=0.5,
    small={"blocks": 2, "width": 8, "epochs": 1, "seeds": 1},
)

"""Pictures of what memories, machines and autoencoders have learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from netwise import signals
from netwise.history import History, Series
from netwise.networks.autoencoder import permute_columns
from netwise.networks.energy.hopfield import AssociativeMemory
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.report.pictures.drawing import BLUE, COLOURS, GREY, ORANGE, figure, svg
from netwise.report.pictures.mosaic import as_images, plane, sheet

SHOWN, FILTERS, CODES = 10, 60, 1000
SAMPLE_STEPS = 500


def told_curves(history: History, name: str = "") -> list[str]:
    """What machines and autoencoders said of themselves at the ends of epochs, a picture for each
    kind of number."""
    panels: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
        (
            "Likelihood of an input, in nats",
            (
                ("exact", signals.LOG_LIKELIHOOD),
                ("pseudo", signals.PSEUDO_LIKELIHOOD),
                ("independent inputs", signals.BASE_RATE_LIKELIHOOD),
            ),
        ),
        ("Squared error of what is given back", (("validation", signals.RECONSTRUCTION),)),
        (
            "Chains: how alike ten steps later (0: they mix)",
            (("chains", signals.CHAIN_AUTOCORRELATION),),
        ),
        ("Free energy of validation above training", (("gap", signals.FREE_ENERGY_GAP),)),
        (
            "Hidden units",
            (
                ("mean", signals.HIDDEN_ACTIVE),
                ("share that never changes", signals.HIDDEN_CONSTANT),
            ),
        ),
        (
            "Share of variance given back",
            (
                ("its own data", signals.OWN_R2),
                ("a quarter masked", signals.MASKED_R2),
                ("data dealt out anew", signals.FOREIGN_R2),
            ),
        ),
        ("The code", (("mean", signals.CODE_MEAN), ("share of dead units", signals.CODE_DEAD))),
        ("What the code tells of an input, in nats", (("all units", signals.LATENT_KL),)),
    )
    pictures = []
    for title, lines in panels:
        live = [
            (label, series)
            for label, signal in lines
            if (series := history.of(signal)) is not None and series.finite
        ]
        if live and not (len(live) == 1 and live[0][0] == "independent inputs"):
            pictures.append(_lines(title, live, name, history.of(signals.STAGE)))
    return pictures


def _lines(title: str, lines: Sequence[tuple[str, Series]], name: str, stage: Series | None) -> str:
    with figure() as (made, axes):
        axis = axes[0][0]
        for (label, series), colour in zip(lines, COLOURS, strict=False):
            dotted = label == "independent inputs"
            axis.plot(
                range(1, len(series) + 1),
                series.values,
                color=GREY if dotted else colour,
                linestyle=":" if dotted else "-",
                label=label,
                marker="o" if len(series) < 2 else None,
            )
        if stage is not None:
            for i in range(1, len(stage)):
                if stage.values[i] != stage.values[i - 1]:
                    axis.axvline(i + 0.5, color=GREY, linewidth=0.8, linestyle="--")
        axis.set_title(title)
        axis.set_xlabel(
            "epoch"
            + (
                " (dashed: the next layer begins)"
                if stage is not None and len(set(stage.values)) > 1
                else ""
            )
        )
        if len(lines) > 1:
            axis.legend(loc="best")
        return svg(made, f"{title} {name}".strip())


def learned(
    module: nn.Module,
    x: Tensor,
    shape: Sequence[int],
    labels: Tensor | None = None,
    classes: Sequence[str] = (),
    name: str = "",
) -> list[str]:
    """Filters, samples, what is given back, completed halves, codes: whatever the module has, for
    inputs `x` (samples, ...)."""
    if isinstance(module, AssociativeMemory):
        return memory(module, shape, name)
    if not isinstance(module, UnsupervisedModule) or not len(x):
        return []
    with torch.no_grad():
        found = [
            _filters(module, shape, name),
            _given_back(module, x, shape, name),
            _foreign(module, x, shape, name),
        ]
        found += [
            _samples(module, shape, name),
            _completed(module, x, shape, name),
            _codes(module, x, labels, classes),
            _weights(module, name),
        ]
    return [picture for picture in found if picture]


def _filters(module: UnsupervisedModule, shape: Sequence[int], name: str) -> str:
    filters = module.first_filters()
    if filters is None:
        return ""
    weight = filters.detach().cpu()
    pixels = int(np.prod(shape))
    strongest = weight.norm(dim=1).argsort(descending=True)[:FILTERS]
    images = as_images(weight[strongest, :pixels].numpy(), shape)
    if images is None or images.ndim == 4:
        return ""
    return sheet(
        images,
        f"Filters of the first layer ({len(images)} strongest of {len(weight)})",
        signed=True,
        name=name,
        each=True,
    )


def _given_back(module: UnsupervisedModule, x: Tensor, shape: Sequence[int], name: str) -> str:
    some = x[:SHOWN]
    both = torch.cat([some.flatten(1), module.reconstruct(some)]).cpu().numpy()
    images = as_images(both, shape)
    return (
        ""
        if images is None
        else sheet(
            images,
            "Inputs, and what is given back",
            columns=len(some),
            rows=("input", "back"),
            name=name,
        )
    )


def _foreign(module: UnsupervisedModule, x: Tensor, shape: Sequence[int], name: str) -> str:
    """Inputs of a kind that it has not learned: upside down and negative, noise with the same
    means, values dealt out anew."""
    g = torch.Generator().manual_seed(0)
    flat = x.flatten(1).cpu()
    turned = (flat.max() + flat.min() - flat)[:3]
    noise = flat.mean(0) + flat.std() * torch.randn(3, flat.shape[1], generator=g)
    noise = noise.clamp(float(flat.min()), float(flat.max()))
    dealt = permute_columns(flat, g)[:4]
    given = torch.cat([turned, noise, dealt]).to(x)
    images = as_images(
        torch.cat([given, module.reconstruct(given.reshape(-1, *x.shape[1:]))]).cpu().numpy(), shape
    )
    if images is None:
        return ""
    return sheet(
        images,
        "Foreign data: negatives, noise, pixels dealt out",
        columns=len(given),
        rows=("input", "back"),
        name=name,
    )


def _samples(module: UnsupervisedModule, shape: Sequence[int], name: str) -> str:
    samples = module.picture_samples(2 * SHOWN, SAMPLE_STEPS)
    if samples is None:
        return ""
    drawn, how = samples
    images = as_images(drawn.cpu().numpy(), shape)
    return "" if images is None else sheet(images, f"Samples: {how}", name=name)


def _completed(module: UnsupervisedModule, x: Tensor, shape: Sequence[int], name: str) -> str:
    if not module.can_complete:
        return ""
    pixels = int(np.prod(shape))
    known = torch.arange(pixels) < pixels // 2
    some = x[:SHOWN].flatten(1)
    hidden = torch.where(known.to(x.device), some, torch.full_like(some, 0.5))
    images = as_images(torch.cat([some, hidden, module.complete(some, known)]).cpu().numpy(), shape)
    if images is None:
        return ""
    return sheet(
        images,
        "The lower half completed from the upper",
        columns=len(some),
        rows=("input", "given", "completed"),
        name=name,
    )


def _codes(
    module: UnsupervisedModule, x: Tensor, labels: Tensor | None, classes: Sequence[str]
) -> str:
    if not module.has_code:
        return ""
    codes = (
        torch.cat([module.encode(piece) for piece in x[:CODES].split(500)])
        .flatten(1)
        .double()
        .cpu()
    )
    own = None if labels is None else labels[: len(codes)].numpy()
    if codes.shape[1] == 2:
        return plane(codes.numpy(), own, classes, "The code")
    if codes.shape[1] < 2 or len(codes) < 3:
        return ""
    centred = codes - codes.mean(0)
    directions = torch.linalg.svd(centred, full_matrices=False)[2][:2]
    return plane(
        (centred @ directions.t()).numpy(),
        own,
        classes,
        f"Codes of {codes.shape[1]} numbers, in their two widest directions",
    )


def _weights(module: UnsupervisedModule, name: str) -> str:
    weights = module.pair_weights()
    if weights is None:
        return ""
    weight, visible = weights
    return sheet(
        weight.detach().cpu().numpy()[None],
        f"Weights between all units (the first {visible} are visible)",
        columns=1,
        signed=True,
        name=name,
    )


def memory(
    module: AssociativeMemory, shape: Sequence[int], name: str = "", noise: float = 0.25
) -> list[str]:
    """A pattern as it settles, the energy as it falls, and how much noise is forgiven."""
    if not len(module.patterns):
        return []
    found = [
        _settling(module, shape, name, noise),
        falling(module, name, noise),
        forgiven(module.recall_rates(), name),
    ]
    patterns = as_images(module.patterns[: 2 * SHOWN].cpu().numpy(), shape)
    return [sheet(patterns, "Stored patterns", name=name) if patterns is not None else "", *found]


def _settling(module: AssociativeMemory, shape: Sequence[int], name: str, noise: float) -> str:
    """Rows: a few patterns with noise, after a third of the units of a sweep were asked, two
    thirds, one sweep, and at the end."""
    start = module.to_own_values(module.with_noise(noise))[:SHOWN]
    steps = [start.cpu().numpy()]
    order = torch.randperm(module.network.units, generator=torch.Generator().manual_seed(0)).to(
        start.device
    )
    state = start.clone()
    for part in order.chunk(3):
        module.ask_one_by_one(state, part, None)
        steps.append(state.cpu().numpy().copy())
    steps.append(module.recall(start).states.cpu().numpy())
    images = as_images(np.concatenate(steps), shape)
    if images is None:
        return ""
    rows = (f"{100 * noise:.0f} % turned", "1/3 asked", "2/3 asked", "all once", "settled")
    return sheet(images, "Patterns as they settle", columns=len(start), rows=rows, name=name)


def falling(module: AssociativeMemory, name: str = "", noise: float = 0.25) -> str:
    """The energy of a few noisy patterns, flip by flip."""
    with figure() as (made, axes):
        axis = axes[0][0]
        for i, colour in zip(range(min(5, len(module.patterns))), COLOURS, strict=False):
            recall = module.recall(
                module.to_own_values(module.with_noise(noise))[i : i + 1], trace=True
            )
            if recall.trace is not None and len(recall.trace[0]):
                energies = [float(recall.energies[0]), *recall.trace[0].tolist()]
                axis.plot(range(len(energies)), energies, color=colour, drawstyle="steps-post")
        axis.set_title("Energy at each flip: it only falls")
        axis.set_xlabel(f"flips, from patterns with {100 * noise:.0f} % of the units turned")
        return svg(made, f"Energy falling {name}".strip())


def forgiven(basins: Sequence[tuple[float, float, float]], name: str = "") -> str:
    """How much noise a memory forgives."""
    with figure() as (made, axes):
        axis = axes[0][0]
        noise = [100 * row[0] for row in basins]
        axis.plot(
            noise, [row[1] for row in basins], color=BLUE, marker="o", label="found again exactly"
        )
        axis.plot(
            noise,
            [row[2] for row in basins],
            color=ORANGE,
            marker="o",
            label="overlap with the pattern",
        )
        axis.set_ylim(min(0.0, *(row[2] for row in basins)), 1.02)
        axis.set_title("How much noise is forgiven")
        axis.set_xlabel("% of the units turned")
        axis.legend()
        return svg(made, f"Noise forgiven {name}".strip())

"""Pictures of what memories, energy models and autoencoders have learned."""

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
from netwise.report.pictures.drawing import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    figure,
    svg,
    use_whole_ticks,
)
from netwise.report.pictures.mosaic import as_images, image_sheet, scatter_codes

MOST_INPUTS, MOST_FILTERS, MOST_CODES = 10, 60, 1000
MOST_PATTERNS = 5  # whose energy is drawn
SAMPLE_STEPS = 500
BASELINE = "independent inputs"

# (title, ((label, signal), ...)) of each picture of curves
_CURVES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Log-likelihood of an input, in nats",
        (
            ("exact", signals.LOG_LIKELIHOOD),
            ("pseudo-likelihood", signals.PSEUDO_LIKELIHOOD),
            (BASELINE, signals.BASE_RATE_LIKELIHOOD),
        ),
    ),
    ("Squared reconstruction error", (("validation", signals.RECONSTRUCTION),)),
    ("Autocorrelation of the chains after ten steps", (("chains", signals.CHAIN_AUTOCORRELATION),)),
    ("Free energy of validation above training", (("difference", signals.FREE_ENERGY_GAP),)),
    (
        "Hidden units",
        (
            ("mean activation", signals.HIDDEN_ACTIVE),
            ("fraction that never changes", signals.HIDDEN_CONSTANT),
        ),
    ),
    (
        "R² of the reconstruction",
        (
            ("validation data", signals.OWN_R2),
            ("a quarter masked", signals.MASKED_R2),
            ("permuted data", signals.FOREIGN_R2),
        ),
    ),
    ("Code", (("mean", signals.CODE_MEAN), ("fraction of dead units", signals.CODE_DEAD))),
    ("Information in the code, in nats", (("all units", signals.LATENT_KL),)),
)


def unsupervised_curves(history: History, name: str = "") -> list[str]:
    """Signals that energy models and autoencoders record at the end of each epoch, a picture per
    quantity; [] for other networks."""
    pictures = []
    for title, lines in _CURVES:
        recorded = [
            (label, series)
            for label, signal in lines
            if (series := history.of(signal)) is not None and series.finite
        ]
        if any(label != BASELINE for label, _ in recorded):
            pictures.append(_epoch_curves(title, recorded, name, history.of(signals.STAGE)))
    return pictures


def _epoch_curves(
    title: str, lines: Sequence[tuple[str, Series]], name: str, stage: Series | None
) -> str:
    """Series over epochs, with a dashed line wherever training of the next layer starts."""
    with figure() as (made, axes):
        axis = axes[0][0]
        for (label, series), colour in zip(lines, COLOURS, strict=False):
            is_baseline = label == BASELINE
            axis.plot(
                range(1, len(series) + 1),
                series.values,
                color=GREY if is_baseline else colour,
                linestyle=":" if is_baseline else "-",
                label=label,
                marker="o" if len(series) < 2 else None,
            )
        values = () if stage is None else stage.values
        changes = np.flatnonzero(np.diff(values)) + 1
        for epoch in changes:
            axis.axvline(epoch + 0.5, color=GREY, linewidth=0.8, linestyle="--")
        axis.set_title(title)
        axis.set_xlabel("epoch (dashed: the next layer starts)" if len(changes) else "epoch")
        use_whole_ticks(axis)
        if len(lines) > 1:
            axis.legend(loc="best")
        return svg(made, f"{title} {name}".strip())


def learned_pictures(
    module: nn.Module,
    x: Tensor,
    shape: Sequence[int],
    labels: Tensor | None = None,
    classes: Sequence[str] = (),
    name: str = "",
) -> list[str]:
    """Filters, reconstructions, samples, completions and codes: whatever the module has; [] for
    supervised networks.

    Args:
        module: a trained module.
        x: inputs `(samples, ...)`.
        shape: of one input; pictures of images need `(channels, height, width)` or a square number
            of inputs.
        labels: class numbers `(samples,)` for the colours of codes, or None.
        classes: names of the classes.
        name: tells these pictures from others on the same page.
    """
    if isinstance(module, AssociativeMemory):
        return memory_pictures(module, shape, name)
    if not isinstance(module, UnsupervisedModule) or not len(x):
        return []
    with torch.no_grad():
        pictures = [
            _filters(module, shape, name),
            _reconstructions(module, x, shape, name),
            _unfamiliar_reconstructions(module, x, shape, name),
            _samples(module, shape, name),
            _completions(module, x, shape, name),
            _codes(module, x, labels, classes),
            _weights(module, name),
        ]
    return [picture for picture in pictures if picture]


def _filters(module: UnsupervisedModule, shape: Sequence[int], name: str) -> str:
    """Weights of the strongest units of the first layer, as images."""
    filters = module.first_filters()
    if filters is None:
        return ""
    weight = filters.detach().cpu()
    pixels = int(np.prod(shape))
    strongest = weight.norm(dim=1).argsort(descending=True)[:MOST_FILTERS]
    images = as_images(weight[strongest, :pixels].numpy(), shape)
    if images is None or images.ndim == 4:
        return ""
    title = f"Filters of the first layer (the {len(images)} strongest of {len(weight)})"
    return image_sheet(images, title, signed=True, name=name, scale_each=True)


def _reconstructions(module: UnsupervisedModule, x: Tensor, shape: Sequence[int], name: str) -> str:
    inputs = x[:MOST_INPUTS]
    both = torch.cat([inputs.flatten(1), module.reconstruct(inputs)]).cpu().numpy()
    images = as_images(both, shape)
    if images is None:
        return ""
    return image_sheet(
        images,
        "Inputs and their reconstructions",
        columns=len(inputs),
        rows=("input", "output"),
        name=name,
    )


def _unfamiliar_reconstructions(
    module: UnsupervisedModule, x: Tensor, shape: Sequence[int], name: str
) -> str:
    """Reconstructions of inputs unlike the training data: negatives, noise of the same means, and
    pixels permuted between samples."""
    generator = torch.Generator().manual_seed(0)
    flat = x.flatten(1).cpu()
    low, high = float(flat.min()), float(flat.max())
    negatives = (flat.max() + flat.min() - flat)[:3]
    noise = flat.mean(0) + flat.std() * torch.randn(3, flat.shape[1], generator=generator)
    permuted = permute_columns(flat, generator)[:4]
    inputs = torch.cat([negatives, noise.clamp(low, high), permuted]).to(x)
    outputs = module.reconstruct(inputs.reshape(-1, *x.shape[1:]))
    images = as_images(torch.cat([inputs, outputs]).cpu().numpy(), shape)
    if images is None:
        return ""
    return image_sheet(
        images,
        "Unfamiliar: negatives, noise, permuted pixels",
        columns=len(inputs),
        rows=("input", "output"),
        name=name,
    )


def _samples(module: UnsupervisedModule, shape: Sequence[int], name: str) -> str:
    drawn = module.picture_samples(2 * MOST_INPUTS, SAMPLE_STEPS)
    if drawn is None:
        return ""
    samples, source = drawn
    images = as_images(samples.cpu().numpy(), shape)
    return "" if images is None else image_sheet(images, f"Samples: {source}", name=name)


def _completions(module: UnsupervisedModule, x: Tensor, shape: Sequence[int], name: str) -> str:
    if not module.can_complete:
        return ""
    pixels = int(np.prod(shape))
    known = torch.arange(pixels) < pixels // 2
    inputs = x[:MOST_INPUTS].flatten(1)
    masked = torch.where(known.to(x.device), inputs, torch.full_like(inputs, 0.5))
    rows = torch.cat([inputs, masked, module.complete(inputs, known)])
    images = as_images(rows.cpu().numpy(), shape)
    if images is None:
        return ""
    return image_sheet(
        images,
        "Lower half completed from the upper half",
        columns=len(inputs),
        rows=("input", "given", "completed"),
        name=name,
    )


def _codes(
    module: UnsupervisedModule, x: Tensor, labels: Tensor | None, classes: Sequence[str]
) -> str:
    """Codes of the inputs: as they are where they have two numbers, else along their two principal
    directions."""
    if not module.has_code:
        return ""
    batches = [module.encode(batch) for batch in x[:MOST_CODES].split(500)]
    codes = torch.cat(batches).flatten(1).double().cpu()
    numbers = None if labels is None else labels[: len(codes)].numpy()
    if codes.shape[1] == 2:
        return scatter_codes(codes.numpy(), numbers, classes, "Codes")
    if codes.shape[1] < 2 or len(codes) < 3:
        return ""
    centred = codes - codes.mean(0)
    directions = torch.linalg.svd(centred, full_matrices=False)[2][:2]
    projected = (centred @ directions.t()).numpy()
    title = f"Codes ({codes.shape[1]} numbers) along two principal directions"
    return scatter_codes(projected, numbers, classes, title)


def _weights(module: UnsupervisedModule, name: str) -> str:
    pair_weights = module.pair_weights()
    if pair_weights is None:
        return ""
    weight, visible = pair_weights
    title = f"Weights between units (the first {visible} are visible)"
    images = weight.detach().cpu().numpy()[None]
    return image_sheet(images, title, columns=1, signed=True, name=name)


def memory_pictures(
    module: AssociativeMemory, shape: Sequence[int], name: str = "", noise: float = 0.25
) -> list[str]:
    """The stored patterns, their recall from noise, the energy during recall, and the recall rate
    for each level of noise.

    Args:
        module: a memory; [] where it holds no patterns.
        shape: of one pattern.
        name: tells these pictures from others on the same page.
        noise: fraction of the units that are flipped before a recall.
    """
    if not len(module.patterns):
        return []
    patterns = as_images(module.patterns[: 2 * MOST_INPUTS].cpu().numpy(), shape)
    pictures = [
        "" if patterns is None else image_sheet(patterns, "Stored patterns", name=name),
        _recall_steps(module, shape, name, noise),
        _recall_energy(module, name, noise),
        _recall_rates(module.recall_rates(), name),
    ]
    return [picture for picture in pictures if picture]


def _recall_steps(module: AssociativeMemory, shape: Sequence[int], name: str, noise: float) -> str:
    """Noisy patterns after a third of the units was updated, two thirds, all, and at the end."""
    start = module.to_own_values(module.with_noise(noise))[:MOST_INPUTS]
    states = [start.cpu().numpy()]
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(module.network.units, generator=generator).to(start.device)
    state = start.clone()
    for units in order.chunk(3):
        module.update_in_order(state, units, None)
        states.append(state.cpu().numpy().copy())
    states.append(module.recall(start).states.cpu().numpy())
    images = as_images(np.concatenate(states), shape)
    if images is None:
        return ""
    rows = (f"{100 * noise:.0f} % flipped", "1/3 updated", "2/3 updated", "all once", "converged")
    return image_sheet(images, "Recall from noise", columns=len(start), rows=rows, name=name)


def _recall_energy(module: AssociativeMemory, name: str, noise: float) -> str:
    """The energy of a few noisy patterns, flip by flip."""
    with figure() as (made, axes):
        axis = axes[0][0]
        starts = module.to_own_values(module.with_noise(noise))[:MOST_PATTERNS]
        for i, colour in zip(range(len(starts)), COLOURS, strict=False):
            recall = module.recall(starts[i : i + 1], trace=True)
            if recall.trace is not None and len(recall.trace[0]):
                energies = [float(recall.energies[0]), *recall.trace[0].tolist()]
                axis.plot(range(len(energies)), energies, color=colour, drawstyle="steps-post")
        axis.set_title("Energy during recall (it never rises)")
        axis.set_xlabel(f"flips, from patterns with {100 * noise:.0f} % of the units flipped")
        return svg(made, f"Energy during recall {name}".strip())


def _recall_rates(rates: Sequence[tuple[float, float, float]], name: str) -> str:
    """Recall for each level of noise.

    Args:
        rates: (fraction of flipped units, fraction of patterns recalled exactly, mean overlap).
        name: tells this picture from others on the same page.
    """
    with figure() as (made, axes):
        axis = axes[0][0]
        noise = [100 * row[0] for row in rates]
        exact, overlap = [row[1] for row in rates], [row[2] for row in rates]
        axis.plot(noise, exact, color=BLUE, marker="o", label="recalled exactly")
        axis.plot(noise, overlap, color=ORANGE, marker="o", label="overlap with the pattern")
        axis.set_ylim(min(0.0, *overlap), 1.02)
        axis.set_title("Recall at each level of noise")
        axis.set_xlabel("% of the units flipped")
        axis.legend()
        return svg(made, f"Recall at each level of noise {name}".strip())

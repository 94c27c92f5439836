"""How well simple models predict targets of pictures and series that know what these hold, and not
where: by the sizes of their Fourier coefficients, which stay the same under shifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from netwise.observe.data_sample import products, sample_of
from netwise.observe.kept_batches import KeptBatch
from netwise.observe.simple_models import cross_validated

FEWEST_PLACES = 8  # of the last axis


def score_without_places(batches: Sequence[KeptBatch], classes: int | None) -> float | None:
    """The best score of such models, cross-validated; None for other inputs than pictures (samples,
    channels, height, width) and series (samples, channels, time).

    Args:
        batches: of training.
        classes: class numbers are below it; None where it is not known.
    """
    shifted = [
        batch for batch in batches if len(batch.inputs) == 1 and _has_places(batch.inputs[0])
    ]
    if not shifted:
        return None
    sample = sample_of(
        [replace(b, args=(_sizes(b.inputs[0]),), kwargs={}) for b in shifted], classes
    )
    if isinstance(sample, str) or len(sample) < 2:
        return None
    return cross_validated(products(sample), sample.target, sample.is_class).best


def _has_places(tensor: Tensor) -> bool:
    return (
        tensor.is_floating_point() and tensor.dim() in (3, 4) and tensor.shape[-1] >= FEWEST_PLACES
    )


def _sizes(tensor: Tensor) -> Tensor:
    """Sizes of the Fourier coefficients along the axes of the places."""
    axes = tuple(range(2, tensor.dim()))
    coefficients: Tensor = torch.fft.rfftn(tensor.float(), dim=axes)
    return coefficients.abs()

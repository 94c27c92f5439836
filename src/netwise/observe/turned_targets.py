"""Targets that are maps of the same places as pictures: whether they lie as these do, or mirrored
or turned against them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch

FEWEST_SAMPLES = 16
MOST_SAMPLES = 256
FEWEST_PLACES = 8  # of an axis
BETTER = 0.2  # correlation of map and picture
TURNS: dict[str, Callable[[Tensor], Tensor]] = {
    "mirrored left to right": lambda t: t.flip(-1),
    "mirrored top to bottom": lambda t: t.flip(-2),
    "turned by 180 degrees": lambda t: t.flip(-1, -2),
    "transposed (rows and columns exchanged)": lambda t: t.transpose(-1, -2),
    "turned by 90 degrees": lambda t: t.transpose(-1, -2).flip(-1),
    "turned by 270 degrees": lambda t: t.transpose(-1, -2).flip(-2),
    "transposed along the other diagonal": lambda t: t.transpose(-1, -2).flip(-1, -2),
}
_OF_SQUARES = tuple(TURNS)[3:]


@dataclass(frozen=True)
class TurnedTargets:
    """How target maps lie against their pictures.

    Args:
        how: the turn that fits best.
        own: mean correlation of the maps with what stands out in the pictures.
        turned: the same of the maps turned back.
        share: of the samples whose map fits better so.
        best: mean correlation with each map turned back where it fits better.
    """

    how: str
    own: float
    turned: float
    share: float
    best: float


def turned_targets(batches: Sequence[KeptBatch]) -> TurnedTargets | None:
    """The turn by which target maps fit pictures better than as they are, in all samples or in a
    part of them; None where there is none, or inputs and targets have not the same places.

    Args:
        batches: of training, with pictures (samples, channels, height, width) and targets
            (samples, height, width) or (samples, 1, height, width).

    Example:
        >>> x = torch.zeros(20, 1, 12, 12)
        >>> for row in range(20):
        ...     x[row, 0, row % 4, 5 + row // 4] = 1.0
        >>> batch = KeptBatch((x,), {}, target=x.transpose(-1, -2), rows=20)
        >>> turned_targets([batch]).how
        'transposed (rows and columns exchanged)'
    """
    pairs = [pair for batch in batches if (pair := _pair(batch)) is not None]
    if not pairs or len({picture.shape[1:] for picture, _ in pairs}) > 1:
        return None
    pictures = torch.cat([picture for picture, _ in pairs])[:MOST_SAMPLES]
    maps = torch.cat([target for _, target in pairs])[:MOST_SAMPLES]
    varied = maps.flatten(1).std(1) > 0
    pictures, maps = pictures[varied], maps[varied]
    if len(maps) < FEWEST_SAMPLES:
        return None
    own = _correlations(pictures, maps)
    square = maps.shape[-1] == maps.shape[-2]
    found = []
    for name, turn in TURNS.items():
        if name in _OF_SQUARES and not square:
            continue
        other = _correlations(pictures, turn(maps))
        share = float((other > own + BETTER).float().mean())
        best = float(torch.maximum(own, other).mean())
        found.append(TurnedTargets(name, float(own.mean()), float(other.mean()), share, best))
    return max(found, key=lambda each: each.share) if found else None


def _pair(batch: KeptBatch) -> tuple[Tensor, Tensor] | None:
    """What stands out in each picture, and its map."""
    pictures = [t for t in batch.inputs if t.is_floating_point() and t.dim() == 4]
    target = batch.target
    if len(pictures) != 1 or target is None or min(pictures[0].shape[-2:]) < FEWEST_PLACES:
        return None
    picture = pictures[0].float()
    if target.dim() == 4 and target.shape[1] == 1:
        target = target[:, 0]
    if target.shape != (picture.shape[0], *picture.shape[2:]):
        return None
    usual = picture.flatten(2).median(2).values[:, :, None, None]
    return (picture - usual).abs().sum(1), target.float()


def _correlations(pictures: Tensor, maps: Tensor) -> Tensor:
    """Of each picture with its map, over the places."""
    one, other = (values - values.mean(1, keepdim=True) for values in
                  (pictures.flatten(1).double(), maps.flatten(1).double()))  # fmt: skip
    size = one.norm(dim=1) * other.norm(dim=1)
    cosines: Tensor = (one * other).sum(1) / size.clamp(min=1e-12)
    return cosines

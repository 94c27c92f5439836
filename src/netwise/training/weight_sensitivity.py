"""How much the loss depends on small changes of the weights: what a flat or a sharp minimum means
for a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from netwise import random_streams
from netwise.errors import WrongValue
from netwise.observe.weighted_layers import layers_with_weights
from netwise.recipe.prepared import Prepared, prepare
from netwise.training.evaluate import outputs_of
from netwise.training.run import Run

SAMPLES = 2000  # of the validation part
WHOLE = "all layers"


@dataclass(frozen=True)
class LayerSensitivity:
    """What small changes of one layer's weights do to the loss.

    Args:
        layer: its name; "all layers" for the whole network.
        loss: after the changes, mean over the draws.
        rise: over the loss of the run, as a share of it.
        changed_answers: share of the samples whose class changes; nan where there are none.

    Example:
        >>> import netwise as nw
        >>> nw.LayerSensitivity("layer1", loss=0.3, rise=0.5, changed_answers=0.02).layer
        'layer1'
    """

    layer: str
    loss: float
    rise: float
    changed_answers: float


@dataclass(frozen=True)
class WeightSensitivity:
    """The sensitivity of a run's loss to its weights.

    Args:
        size: of the changes, relative to the root mean square of each layer's weights.
        loss: of the run on the same samples.
        layers: the whole network first, then each layer alone.

    Example:
        >>> import netwise as nw
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=40))
        >>> found = nw.weight_sensitivity(run, size=0.5)
        >>> found.layers[0].loss > found.loss
        True
    """

    size: float
    loss: float
    layers: tuple[LayerSensitivity, ...]


def weight_sensitivity(
    run: Run, *, size: float = 0.1, draws: int = 10, prepared: Prepared | None = None
) -> WeightSensitivity:
    """Add noise to the weights of a trained network, all at once and each layer alone, and measure
    the loss on the validation part (the training part where there is none).

    Args:
        run: a trained one; its weights are put back.
        size: standard deviation of the noise over the root mean square of a layer's weights, above
            0. Default 0.1.
        draws: of the noise, at least 1. Default 10.
        prepared: the data of the run, where they are prepared already.

    Raises:
        ValueError: `size` is not above 0, or fewer than one draw.
        WrongValue: the network is an energy model or a memory.

    Example:
        >>> import netwise as nw
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=40))
        >>> small, large = (nw.weight_sensitivity(run, size=s).layers[0].rise for s in (0.01, 1.0))
        >>> small < large
        True

    Source: Keskar et al. 2017, On large-batch training for deep learning, arXiv 1609.04836.
    """
    if run.recipe.network.is_memory or run.recipe.network.own_task is not None:
        why = "has no loss of targets. Use a network with targets, such as MLP((64, 30, 10))"
        name = type(run.recipe.network).__name__
        raise WrongValue.of("sensitivity", "network", name, why)
    if not size > 0 or not math.isfinite(size) or draws < 1:
        raise ValueError(
            f"size = {size} and draws = {draws}: the size of the changes must be above 0, and at "
            "least one is drawn. Write size=0.1, draws=10."
        )
    samples = (prepare(run.recipe) if prepared is None else prepared).samples.unmarked()
    part = samples.valid if len(samples.valid) else samples.train
    x, y = part.x[:SAMPLES], part.y[:SAMPLES]
    device = next((p.device for p in run.module.parameters()), torch.device("cpu"))
    measure = _Measure(run, x.to(device), y.to(device))
    owned = {
        name: [p for p in layer.parameters(recurse=False) if p.dim() > 1]
        for name, layer in layers_with_weights(run.module)
    }
    targets = {WHOLE: [p for weights in owned.values() for p in weights], **owned}
    layers = [
        measure.with_noise(name, weights, size, draws)
        for name, weights in targets.items()
        if weights
    ]
    return WeightSensitivity(size, measure.loss, tuple(layers))


class _Measure:
    """The loss and the answers of a module, without and with noise on its weights."""

    def __init__(self, run: Run, x: Tensor, y: Tensor) -> None:
        self._run, self._x, self._y = run, x, y
        self._criterion = run.recipe.loss.build()
        self.loss, self._answers = self._now()

    def _now(self) -> tuple[float, Tensor | None]:
        outputs = outputs_of(self._run.module, self._x)
        with torch.no_grad():
            loss = float(self._criterion(outputs, self._y))
        classes = outputs.dim() == 2 and outputs.shape[1] > 1 and not self._y.is_floating_point()
        return loss, outputs.argmax(1) if classes else None

    def with_noise(
        self, name: str, weights: list[torch.nn.Parameter], size: float, draws: int
    ) -> LayerSensitivity:
        """The mean over draws of noise on these weights, which are put back."""
        kept = [p.detach().clone() for p in weights]
        losses, changed = [], []
        try:
            for draw in range(draws):
                g = random_streams.generator(self._run.recipe.seed, "sensitivity", step=draw)
                with torch.no_grad():
                    for p, before in zip(weights, kept, strict=True):
                        scale = size * float(before.square().mean().sqrt())
                        noise = torch.randn(before.shape, generator=g).to(before)
                        p.copy_(before + scale * noise)
                loss, answers = self._now()
                losses.append(loss)
                if answers is not None and self._answers is not None:
                    changed.append(float((answers != self._answers).float().mean()))
        finally:
            with torch.no_grad():
                for p, before in zip(weights, kept, strict=True):
                    p.copy_(before)
        loss = fmean(losses)
        rise = (loss - self.loss) / self.loss if self.loss > 0 else math.inf
        return LayerSensitivity(name, loss, rise, fmean(changed) if changed else math.nan)

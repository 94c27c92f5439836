"""Modules that compute their own loss in training: autoencoders and energy models."""

from __future__ import annotations

from torch import Tensor, nn

from netwise.errors import interface_error
from netwise.parts.losses import Loss


class UnsupervisedModule(nn.Module):
    """A module that returns its loss in training, `module(x, y)`, and measures itself.

    The training loop calls, in this order: `set_loss`, `initialize_from_data`, and then for each
    epoch `start_stage` where a new stage begins, `enable_stage_gradients` where there are several,
    the module itself for each batch, and `epoch_signals` at the end. An autoencoder is evaluated
    by `batch_loss`, an energy model by `evaluation_loss`.

    Attributes:
        stages: number of parts that are trained one after the other, each in an equal share of the
            epochs.
        stage: index of the part that is being trained, from 0; a buffer, where there are several.
        has_code: `encode` works.
        can_complete: a method `complete(x, known)` draws unknown inputs, given the known ones.
    """

    stages: int = 1
    stage: Tensor
    has_code: bool = True

    @property
    def can_complete(self) -> bool:
        return False

    def set_loss(self, loss: Loss) -> None:
        """Train by this loss from here on; an energy model also registers the buffers of its
        negative phase."""

    def initialize_from_data(self, x: Tensor, y: Tensor | None = None) -> None:
        """Set what starts from statistics of the training inputs, before the first step."""

    def start_stage(self, stage: int, x: Tensor) -> None:
        """Train part `stage` from here on; `x` are the training inputs."""

    def fix_stage(self) -> None:
        """Make the stage a plain number, which an exported file keeps: training has ended."""
        if "stage" in self._buffers:
            stage = int(self.stage)
            del self.stage
            self.__dict__["stage"] = stage

    def enable_stage_gradients(self) -> None:
        """Enable the gradients of the part that is being trained, and of no other."""

    def epoch_signals(self, train: Tensor, valid: Tensor, seed: int) -> dict[str, float]:
        """Measurements at the end of an epoch, by the names of signals."""
        return {}

    def encode(self, x: Tensor) -> Tensor:
        """(samples, code): the code of each input."""
        raise interface_error(self, "Autoencoder((64, 16)).build()")

    def reconstruct(self, x: Tensor) -> Tensor:
        """(samples, inputs): the reconstructed inputs, in their own units."""
        raise interface_error(self, "Autoencoder((64, 16)).build()")

    def batch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The loss of a batch with all its penalties; of autoencoders."""
        raise interface_error(self, "Autoencoder((64, 16)).build()")

    def evaluation_loss(self, x: Tensor, seed: int) -> float:
        """What an energy model is evaluated by on held-out inputs; lower is better."""
        raise interface_error(self, "RBM(64, 16).build()")

    def estimate_log_likelihood(self, x: Tensor, seed: int) -> tuple[Tensor, float, str] | None:
        """(ln p of each input, standard error of ln Z, method); None where it is not known."""
        return None

    def complete(self, x: Tensor, known: Tensor, *, steps: int = 200, seed: int = 0) -> Tensor:
        """(samples, inputs): the inputs with the unknown ones drawn, given the known ones."""
        raise interface_error(self, "RBM(64, 16).build()")

    # ---- for pictures

    def first_filters(self) -> Tensor | None:
        """(units, inputs): the weights of the first dense layer; None: there is none."""
        return None

    def picture_samples(self, count: int, steps: int) -> tuple[Tensor, str] | None:
        """(samples of the model (count, inputs), how they were drawn) after at most `steps` Gibbs
        steps; None: it draws none."""
        return None

    def pair_weights(self) -> tuple[Tensor, int] | None:
        """(weights between all units (units, units), number of visible ones); None: units are
        grouped in layers."""
        return None

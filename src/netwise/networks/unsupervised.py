"""What the engine asks of modules that learn without targets: autoencoders and energy models."""

from __future__ import annotations

from torch import Tensor, nn

from netwise.parts.losses import Loss


class UnsupervisedModule(nn.Module):
    """A module that counts its own loss in training, `module(x, y)`, and tells what it has learned.

    Attributes:
        stages: how many parts learn one after the other, each in an equal share of the epochs.
        stage: which of them learns, from 0; a buffer of those that have several.
    """

    stages: int = 1
    stage: Tensor

    def set_loss(self, loss: Loss) -> None:
        """From here on count the loss by this; an energy model registers what its phase
        remembers."""

    def initialize_from_data(self, x: Tensor, y: Tensor | None = None) -> None:
        """Look at the training inputs before anything is learned."""

    def start_stage(self, stage: int, x: Tensor) -> None:
        """Let part `stage` learn from here on; `x` are the training inputs."""

    def enable_stage_gradients(self) -> None:
        """Gradients for the part that learns, and for no other."""

    def epoch_signals(self, train: Tensor, valid: Tensor, seed: int) -> dict[str, float]:
        """What it says of itself at the end of an epoch, by the names of signals."""
        return {}

    def encode(self, x: Tensor) -> Tensor:
        """(samples, code): what it makes of its inputs."""
        raise TypeError(f"{type(self).__name__} has no code")

    def reconstruct(self, x: Tensor) -> Tensor:
        """(samples, inputs): the inputs again, in their own units."""
        raise TypeError(f"{type(self).__name__} gives no inputs back")

    def batch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """What a batch costs an autoencoder: its loss, and what it asks for beside it."""
        raise TypeError(f"{type(self).__name__} has no cost: it is judged")

    def evaluation_loss(self, x: Tensor, seed: int) -> float:
        """What an energy model is judged by on a part, the lower the better."""
        raise TypeError(f"{type(self).__name__} is judged by its cost")

    def estimate_log_likelihood(self, x: Tensor, seed: int) -> tuple[Tensor, float, str] | None:
        """(ln p of each input, standard error of ln Z, by which way), or None where it is not
        known."""
        return None

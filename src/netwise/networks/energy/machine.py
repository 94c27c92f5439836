"""What a negative phase, the likelihood and importance sampling need of a restricted Boltzmann
machine."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class RestrictedMachine(Protocol):
    """Two layers of units with connections between the layers only; `RestrictedBoltzmann` is one.

    Attributes:
        visible, hidden, labels: numbers of units; `visible` includes the label units.
        visible_units, hidden_units: their kinds, as in `units`.
        base: (visible,), log-odds (or means) of the model of independent inputs.
        chains: (chains, visible), states that a persistent phase keeps.
        fast_weight, fast_hidden, fast_visible: the fast weights of `FastPCD`.
    """

    @property
    def visible(self) -> int: ...
    @property
    def hidden(self) -> int: ...
    @property
    def labels(self) -> int: ...
    @property
    def visible_units(self) -> str: ...
    @property
    def hidden_units(self) -> str: ...
    @property
    def base(self) -> Tensor: ...
    @property
    def chains(self) -> Tensor: ...
    @property
    def fast_weight(self) -> Tensor: ...
    @property
    def fast_hidden(self) -> Tensor: ...
    @property
    def fast_visible(self) -> Tensor: ...

    @property
    def weights_and_biases(self) -> tuple[Tensor, Tensor, Tensor]:
        """(weights (hidden, visible), hidden biases, visible biases)."""

    def hidden_input(self, v: Tensor) -> Tensor:
        """(..., hidden): b + W v."""

    def sample_hidden(self, v: Tensor, beta: Tensor | float = 1.0) -> Tensor:
        """Hidden states for visible ones, at inverse temperature `beta`."""

    def sample_visible(self, h: Tensor, beta: Tensor | float = 1.0) -> Tensor:
        """Visible states for hidden ones, at inverse temperature `beta`."""

    def free_energy(self, v: Tensor, beta: Tensor | float = 1.0) -> Tensor:
        """(...,): -ln of the sum over hidden states of exp(-E(v, h))."""

    def gibbs(self, v: Tensor, steps: int) -> Tensor:
        """Visible states after so many Gibbs steps."""

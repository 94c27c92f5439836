"""What every network has: a value that builds an ordinary torch module."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn

from netwise.errors import interface_error
from netwise.part import Part, integers, number

TARGETS, ITSELF, INPUTS = "targets", "itself", "inputs"


class Network(Part):
    """A description of a network; `build` makes the module, with fresh weights each time.

    Attributes:
        takes: what an input is: "numbers" of any shape, "images", or "sequences".
        auxiliary_weight: what the losses of auxiliary heads count beside the main one, while it
            trains.
        is_energy_model: it learns by a `NegativePhase` in the place of a loss: an energy model.
        stores: it remembers its training inputs at once, without gradients.
        computes_loss: in training its module is handed the targets too and gives the loss itself, by
            what `set_loss` told it.

    Example:
        >>> import netwise as nw
        >>> type(nw.MLP((64, 30, 10)).build()).__name__
        'Sequential'
    """

    family_name: ClassVar[str] = "network"
    input_kind: ClassVar[str] = "numbers"
    auxiliary_weight: float = 0.0
    is_energy_model: ClassVar[bool] = False
    computes_loss: ClassVar[bool] = False
    is_memory: ClassVar[bool] = False

    @property
    def learns(self) -> str:
        """What it learns of the data: their "targets"; "itself", to give each input again; or the
        "inputs", how likely each is."""
        return TARGETS

    def build(self) -> nn.Module:
        """A fresh module: inputs (samples, ...) in, outputs (samples, outputs) out."""
        raise interface_error(self, "MLP((64, 30, 10))")


def image_field(default: tuple[int, int, int]) -> Any:
    """The field `image`: channels, height, width."""
    return integers(
        default,
        shortest=3,
        longest=3,
        most=4096,
        because="channels, height, width",
        why="those of the published form",
    )


def width_field() -> Any:
    """The field `width`: a factor on all channels."""
    return number(
        1.0, above=0, most=16, because="it is a factor on the channels", why="the published form"
    )


def scaled(channels: int, width: float) -> int:
    """So many channels at a factor on them; at least 1."""
    return max(1, round(channels * width))

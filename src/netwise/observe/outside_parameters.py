"""Parameters that a loss reaches and that belong to no module: whether each step has new ones, as
where `forward` makes its layers anew."""

from __future__ import annotations

import weakref
from collections.abc import Container, Mapping

from torch import Tensor, nn


class OutsideParameters:
    """Reads the parameters of one loss after the other.

    Example:
        >>> import torch
        >>> from netwise.observe.outside_parameters import OutsideParameters
        >>> weight = torch.nn.Parameter(torch.zeros(2, 3))
        >>> OutsideParameters().read({id(weight): weight}, known=()).values()
        dict_values(['(2, 3)'])
    """

    def __init__(self) -> None:
        self._before: list[weakref.ref[Tensor]] = []
        self.anew = False  # those of the last loss are new, and those of the one before are gone

    def read(self, leaves: Mapping[int, Tensor], known: Container[int]) -> dict[int, str]:
        """Shapes of the parameters among the leaves of a loss that are not known, by id.

        Layers in a list are alive from step to step. Those that a call makes are gone when their
        loss is.
        """
        outside = {
            key: leaf
            for key, leaf in leaves.items()
            if key not in known and isinstance(leaf, nn.Parameter)
        }
        if outside:
            self.anew = bool(self._before) and all(ref() is None for ref in self._before)
            self._before = [weakref.ref(leaf) for leaf in outside.values()]
        return {key: str(tuple(leaf.shape)) for key, leaf in outside.items()}

"""All labs, in the order of their ids."""

from __future__ import annotations

from typing import Any

from netwise.errors import UnknownName
from netwise.labs.activations import ACTIVATIONS_LABS
from netwise.labs.convolution import CONVOLUTION_LABS
from netwise.labs.depth import DEPTH_LABS
from netwise.labs.energy import ENERGY_LABS
from netwise.labs.features import FEATURES_LABS
from netwise.labs.lab_definition import Lab
from netwise.labs.neurons import NEURONS_LABS
from netwise.labs.normalization import NORMALIZATION_LABS
from netwise.labs.optimizers import OPTIMIZERS_LABS
from netwise.labs.overfitting import OVERFITTING_LABS
from netwise.labs.rates import RATES_LABS
from netwise.labs.starts import STARTS_LABS
from netwise.labs.transfer import TRANSFER_LABS
from netwise.labs.tuning import TUNING_LABS

_THEMES = (
    NEURONS_LABS,
    STARTS_LABS,
    ACTIVATIONS_LABS,
    OVERFITTING_LABS,
    RATES_LABS,
    NORMALIZATION_LABS,
    OPTIMIZERS_LABS,
    DEPTH_LABS,
    CONVOLUTION_LABS,
    TRANSFER_LABS,
    ENERGY_LABS,
    FEATURES_LABS,
    TUNING_LABS,
)
LABS: tuple[Lab[Any], ...] = tuple(
    sorted((lab for labs in _THEMES for lab in labs), key=lambda lab: lab.name)
)


def lab(name: str) -> Lab[Any]:
    """One lab by its id, in upper or lower case.

    Raises:
        UnknownName: no lab has this id.

    Example:
        >>> import netwise as nw
        >>> nw.lab("L02").text.source
        'Nielsen 2015, Neural Networks and Deep Learning, chapter 3'
    """
    for candidate in LABS:
        if candidate.name.lower() == name.lower():
            return candidate
    raise UnknownName("lab", name, [candidate.name for candidate in LABS])

"""All labs, in the order in which they are listed."""

from __future__ import annotations

from netwise.errors import UnknownName
from netwise.labs import (
    autoencoders,
    likelihoods,
    memories,
    neuron,
    pretraining,
    searches as searching,
    temperature,
)
from netwise.labs.definition import Lab

LABS: tuple[Lab, ...] = (
    neuron.L01,
    neuron.L02,
    searching.L12,
    memories.L18,
    memories.L19,
    temperature.L20,
    temperature.L21,
    temperature.L22,
    likelihoods.L23,
    likelihoods.L24,
    pretraining.L25,
    autoencoders.L26,
    autoencoders.L27,
    autoencoders.L28,
    pretraining.L29,
    searching.L58,
    searching.L59,
    searching.L60,
    searching.L61,
    searching.L62,
    searching.L77,
)


def lab(name: str) -> Lab:
    """One lab by its name.

    Raises:
        UnknownName: nobody has this name.

    Example:
        >>> import netwise as nw
        >>> nw.lab("L02").source
        'note 004'
    """
    for each in LABS:
        if each.name.lower() == name.lower():
            return each
    raise UnknownName("lab", name, [each.name for each in LABS])

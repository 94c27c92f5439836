"""All labs, in the order in which they are listed."""

from __future__ import annotations

from netwise.errors import UnknownName
from netwise.labs.annealing import L20, L21
from netwise.labs.autoencoders import L26, L27, L28
from netwise.labs.bayesian_search import L59
from netwise.labs.choice_on_test_data import L77
from netwise.labs.coarse_to_fine import L60
from netwise.labs.contrastive_divergence import L23, L24
from netwise.labs.cross_validation import L62
from netwise.labs.encoder_problems import L22
from netwise.labs.hand_tuning import L61
from netwise.labs.hopfield_recall import L18, L19
from netwise.labs.lab_definition import Lab
from netwise.labs.learning_rate_threshold import L12
from netwise.labs.pretraining import L25, L29
from netwise.labs.random_search import L58
from netwise.labs.sigmoid_neuron import L01, L02

LABS: tuple[Lab, ...] = (
    L01,
    L02,
    L12,
    L18,
    L19,
    L20,
    L21,
    L22,
    L23,
    L24,
    L25,
    L26,
    L27,
    L28,
    L29,
    L58,
    L59,
    L60,
    L61,
    L62,
    L77,
)


def lab(name: str) -> Lab:
    """One lab by its id, in upper or lower case.

    Raises:
        UnknownName: no lab has this id.

    Example:
        >>> import netwise as nw
        >>> nw.lab("L02").source
        'Nielsen 2015, Neural Networks and Deep Learning, chapter 3'
    """
    for candidate in LABS:
        if candidate.name.lower() == name.lower():
            return candidate
    raise UnknownName("lab", name, [candidate.name for candidate in LABS])

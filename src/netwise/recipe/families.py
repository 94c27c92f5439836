"""Families of parts: which kinds of data, network, optimizer, ... a file or the command line can
name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from netwise.data import DATA, Data
from netwise.errors import close_matches
from netwise.networks import NETWORKS, Network
from netwise.networks.energy import MACHINES, NEGATIVE_PHASES
from netwise.part import InvalidValue, Kinds, Part
from netwise.parts.activations import ACTIVATIONS, Activation
from netwise.parts.augment import AUGMENTS, Augment
from netwise.parts.averaging import AVERAGINGS, Averaging
from netwise.parts.clipping import CLIPPINGS, Clipping
from netwise.parts.finetuning import FineTune
from netwise.parts.initializers import INITIALIZERS, Initializer
from netwise.parts.losses import LOSSES, Loss
from netwise.parts.optimizers import OPTIMIZERS, Optimizer
from netwise.parts.penalties import PENALTIES, Penalty
from netwise.parts.preprocess import PREPROCESSES, Preprocess
from netwise.parts.schedules import SCHEDULES, Schedule
from netwise.parts.stopping import STOPPINGS, Stopping
from netwise.recipe.origin import From
from netwise.renamed import current_name

Families = Mapping[type[Part], Mapping[str, type[Part]]]


def by_kind(members: Iterable[type[Part]]) -> Mapping[str, type[Part]]:
    """The classes by the kind that a file names them by; read-only.

    Example:
        >>> import netwise as nw
        >>> from netwise.recipe.families import by_kind
        >>> sorted(by_kind([nw.SGD, nw.data.Digits]))
        ['SGD', 'digits']
    """
    return MappingProxyType({member.kind: member for member in members})


FAMILIES: Families = MappingProxyType(
    {
        Data: DATA,
        Network: NETWORKS | MACHINES,
        Activation: by_kind(ACTIVATIONS),
        Initializer: by_kind((*INITIALIZERS, From)),
        Loss: Kinds("netwise.parts.losses", *(each.kind for each in LOSSES)) | NEGATIVE_PHASES,
        Penalty: by_kind(PENALTIES),
        Optimizer: by_kind(OPTIMIZERS),
        Schedule: by_kind(SCHEDULES),
        Clipping: by_kind(CLIPPINGS),
        Stopping: by_kind(STOPPINGS),
        Preprocess: by_kind(PREPROCESSES),
        Augment: AUGMENTS,
        FineTune: by_kind((FineTune,)),
        Averaging: by_kind(AVERAGINGS),
    }
)


def find_class(family: type[Part], kind: str, families: Families = FAMILIES) -> type[Part]:
    """The member of a family that a text names, in upper or lower case; names of earlier versions
    are understood.

    Raises:
        InvalidValue: the family has no such member; the message has the near names, or all.

    Example:
        >>> import netwise as nw
        >>> from netwise.recipe.families import find_class
        >>> find_class(nw.Optimizer, "sgd").__name__
        'SGD'
    """
    members, kind = families[family], current_name(kind)
    for name in members:
        if name.lower() == kind.lower():
            return members[name]
    close = close_matches(kind, members)
    hint = f"Did you mean {close}?" if close else f"There are: {', '.join(members)}."
    raise InvalidValue(f"is no known {family.family_name}. {hint}")

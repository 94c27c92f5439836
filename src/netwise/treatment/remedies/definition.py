"""What a remedy is: a change of a recipe, the findings it answers, and what to write by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netwise.recipe.recipe import Recipe


@dataclass(frozen=True)
class NotApplicable:
    """A remedy makes no sense here: why, and what instead.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> nw.remedy("use_relu").apply(recipe).reason
        'the hidden layers are ReLU already'
    """

    reason: str


@dataclass(frozen=True)
class Remedy:
    """A change that may cure a finding; whether it does is for a trial to say.

    Args:
        name: the deed, such as "use_relu".
        title: for people.
        answers: names of the findings it may cure, in no order.
        apply: `Recipe -> Recipe | NotApplicable`; changes what its title says and nothing else.
        by_hand: what to write in a loop of one's own.
        source: where it comes from.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.gallery.sick["vanishing_gradient"].recipe
        >>> list(nw.recipe_diff(recipe, nw.remedy("use_relu").apply(recipe)))
        ['network.activation', 'init']
    """

    name: str
    title: str
    answers: tuple[str, ...]
    apply: Callable[[Recipe], Recipe | NotApplicable]
    by_hand: str
    source: str

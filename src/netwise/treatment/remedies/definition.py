"""What a remedy is: a change of a recipe that may cure a finding, and what to write by hand.

Which findings a remedy may cure is in the cards of the rules (`Rule.remedies`), which also give the
order to try them in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netwise.networks import Network
from netwise.recipe.recipe import Recipe


@dataclass(frozen=True)
class NotApplicable:
    """Why a remedy changes nothing in this recipe, and what to do instead.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> nw.remedy("use_relu").apply(recipe).reason
        'the hidden layers are ReLU already'
    """

    reason: str


@dataclass(frozen=True)
class Remedy:
    """A change of a recipe that may cure a finding; `trial` measures whether it does.

    Rules name the remedies to try in `Rule.remedies`. To add one of your own, pass it to `treat`
    together with a rule that names it.

    Args:
        name: a verb with its object, such as "use_relu".
        title: what the change is, for people.
        apply: returns the changed recipe, or `NotApplicable` with the reason. It changes what the
            title names and nothing else.
        by_hand: what to write in a training loop of one's own.
        source: the paper or book that it is from.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.gallery.sick["vanishing_gradient"].recipe
        >>> list(nw.recipe_diff(recipe, nw.remedy("use_relu").apply(recipe)))
        ['network.activation', 'init']
    """

    name: str
    title: str
    apply: Callable[[Recipe], Recipe | NotApplicable]
    by_hand: str
    source: str


def with_network(recipe: Recipe, changed: Network | str) -> Recipe | NotApplicable:
    """The recipe with its network changed, or the reason why the network cannot be."""
    return NotApplicable(changed) if isinstance(changed, str) else recipe.but(network=changed)

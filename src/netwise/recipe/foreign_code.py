"""Code of the user's own that a recipe names: what reading it must not run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from netwise.networks import Network
from netwise.part import Part
from netwise.recipe.recipe import Recipe


def code_within(recipe: Recipe) -> tuple[str, ...]:
    """Sources of networks of the user's own in the parts of a recipe, known by name alone: such as
    in the recipe that its start is trained by.

    The recipe's own network is not among them.

    Example:
        >>> import netwise as nw
        >>> from netwise.recipe.foreign_code import code_within
        >>> first = nw.Recipe(data=nw.data.iris(), network=nw.CustomNetwork("models:build"))
        >>> code_within(first), code_within(nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)), init=nw.From(recipe=first)))
        ((), ('models:build',))
    """
    inside = [getattr(recipe, each.name) for each in fields(recipe) if each.name != "network"]
    own = None if recipe.network.own_code else recipe.network
    return tuple(dict.fromkeys(source for value in (*inside, own) for source in _sources(value)))


def _sources(value: object) -> Iterator[str]:
    if isinstance(value, Network) and value.own_code:
        if value.needs_import:
            yield value.own_code
    elif isinstance(value, Part):
        for each in fields(value):  # type: ignore[arg-type]  # every part is a dataclass
            yield from _sources(getattr(value, each.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _sources(one)

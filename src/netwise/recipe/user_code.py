"""User-defined code that a recipe names by "module:name": reading a recipe never runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from netwise.networks import Network
from netwise.part import Part
from netwise.recipe.recipe import Recipe


def user_code_in(recipe: Recipe) -> tuple[str, ...]:
    """Names of user-defined networks inside the parts of a recipe, such as in the recipe that its
    initial weights come from.

    Neither the recipe's own network is among them, nor a network whose function was passed as an
    object: its code is running already.

    Example:
        >>> import netwise as nw
        >>> from netwise.recipe.user_code import user_code_in
        >>> first = nw.Recipe(data=nw.data.iris(), network=nw.CustomNetwork("models:build"))
        >>> second = first.but(network=nw.MLP((4, 3)), init=nw.From(recipe=first))
        >>> user_code_in(first), user_code_in(second)
        ((), ('models:build',))
    """
    values = [getattr(recipe, field.name) for field in fields(recipe) if field.name != "network"]
    if not recipe.network.own_code:
        values.append(recipe.network)  # it may hold a user-defined network
    return tuple(dict.fromkeys(source for value in values for source in _sources(value)))


def _sources(value: object) -> Iterator[str]:
    if isinstance(value, Network) and value.own_code:
        if value.needs_import:
            yield value.own_code
    elif isinstance(value, Part):
        for field in fields(value):  # type: ignore[arg-type]  # every part is a dataclass
            yield from _sources(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _sources(item)

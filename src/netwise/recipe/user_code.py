"""User-defined code that a recipe names by "module:name": reading a recipe never runs it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from typing import TypeVar

from netwise.errors import Problem
from netwise.file_text import FileText
from netwise.networks import Network
from netwise.networks.custom import FROM_A_FILE
from netwise.part import Part
from netwise.recipe.recipe import Recipe

Value = TypeVar("Value")
SOURCE = "source"  # the field that names code


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


def foreign_code_in(value: object) -> tuple[str, ...]:
    """Names of code that came out of a file, in a part, such as a recipe or the plan of a search.

    Of an axis of a search these are the options for a field `source`, and those with such a field.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> from netwise.recipe.user_code import foreign_code_in
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "recipe.toml"
        >>> network = '{kind = "CustomNetwork", source = "models:build"}'
        >>> _ = path.write_text(f'data = "iris"\\nnetwork = {network}')
        >>> recipe = nw.read_recipe(path)
        >>> foreign_code_in(recipe), foreign_code_in(nw.CustomNetwork("models:build"))
        (('models:build',), ())
    """
    return tuple(dict.fromkeys(_foreign_code(value, "")))


def _foreign_code(value: object, name: str) -> Iterator[str]:
    """Marked texts in fields named `source`; `name` is the field that holds the value."""
    if isinstance(value, FileText):
        if name == SOURCE:
            yield str(value)
    elif isinstance(value, Part):
        axis_field = str(getattr(value, "field", "")).rpartition(".")[2]
        for field in fields(value):  # type: ignore[arg-type]  # every part is a dataclass
            each_name = axis_field if field.name == "options" else field.name
            yield from _foreign_code(getattr(value, field.name), each_name)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _foreign_code(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _foreign_code(item, name)


def foreign_code_problems(value: object) -> list[Problem]:
    """The names of code that came out of a file, as problems that keep a part from running."""
    return [Problem("network.source", name, FROM_A_FILE) for name in foreign_code_in(value)]


def trusted(value: Value, names: Collection[str] | None = None) -> Value:
    """The value without the marks of texts from a file, so that code that it names may run.

    Args:
        value: a part, such as a recipe or the plan of a search.
        names: of the code that may run, as "module:name". Default: all that the value names.

    Example:
        >>> import netwise as nw
        >>> from netwise.file_text import FileText
        >>> from netwise.recipe.user_code import trusted
        >>> network = nw.CustomNetwork(FileText("torch.nn:Identity"))
        >>> trusted(network).build()
        Identity()
    """
    unmarked: Value = _unmarked(value, names)  # type: ignore[assignment]  # of the same type
    return unmarked


def _unmarked(value: object, names: Collection[str] | None) -> object:
    if isinstance(value, FileText):
        return str(value) if names is None or value in names else value
    if isinstance(value, Part):
        held = ((f.name, getattr(value, f.name)) for f in fields(value) if f.init)  # type: ignore[arg-type]
        changed = {name: new for name, old in held if (new := _unmarked(old, names)) is not old}
        return value.but(**changed) if changed else value
    if isinstance(value, dict):
        return {key: _unmarked(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        items = [_unmarked(each, names) for each in value]
        is_same = all(new is old for new, old in zip(items, value, strict=True))
        return value if is_same else type(value)(items)
    return value

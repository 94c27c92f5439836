"""Names of a package that are imported when they are first used (PEP 562).

The package has a stub, `__init__.pyi`, with each name once and the module that defines it: type
checkers and editors read it, and so does `stub_names`.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

Homes = Mapping[str, tuple[str, str]]


def stub_names(folder: str) -> Homes:
    """Name -> (module, its name there), read from the import statements of the stub in a folder.

    The stub has the form that `ruff format` gives it: what it exports is written `Adam as Adam`,
    and a second name of it `adam = Adam`. Splitting text takes 0.2 ms, `ast` 9 ms.
    """
    with open(f"{folder}/__init__.pyi", encoding="utf-8") as stub:
        text = stub.read()
    homes = {}
    for statement in text.split("\nfrom ")[1:]:
        home, _, names = statement.partition(" import ")
        end = ")" if names.startswith("(") else "\n"
        for name in names.lstrip("(").partition(end)[0].split(","):
            there, is_exported, here = name.strip().partition(" as ")
            if is_exported:
                homes[here] = (home, there)
    for line in text.splitlines():
        second, is_alias, first = line.partition(" = ")
        if is_alias:
            homes[second] = homes[first]
    return homes


def imported(package: str, homes: Homes, name: str, hint: str = "") -> object:
    """The thing of this name, from its module. A namespace is a module.

    Args:
        package: that is asked for it.
        homes: from `stub_names`.
        name: of the thing.
        hint: end of the error's message.

    Raises:
        AttributeError: the package has no such name.
    """
    if name not in homes:
        raise AttributeError(  # from `name` and `obj`, Python adds "Did you mean: 'He'?"
            f"{package} has no public {name!r}{hint}", name=name, obj=sys.modules[package]
        )
    home, there = homes[name]
    value = None if home == package else getattr(import_module(home), there, None)
    return import_module(f"{home}.{there}") if value is None else value


def lazily(package: str, homes: Homes) -> Callable[[str], object]:
    """The `__getattr__` of a package: each name is imported once."""

    def get(name: str) -> object:
        value = imported(package, homes, name)
        setattr(sys.modules[package], name, value)
        return value

    return get

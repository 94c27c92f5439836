"""netwise: a network that learns, and when it does not, the reason and a proven cure.

`__init__.pyi` lists every public name once, with the module that defines it. A name is imported
when it is first used, so `import netwise` and `netwise --help` do not import torch.
"""

import sys
from importlib import import_module

__version__ = "0.1.0"


def _public_names() -> dict[str, str]:
    """Public name -> module to import it from, read from the import statements of the stub.

    The stub has the form that `ruff format` gives it. Splitting text takes 0.2 ms, `ast` 9 ms.
    """
    with open(f"{__path__[0]}/__init__.pyi", encoding="utf-8") as stub:
        statements = stub.read().split("\nfrom ")[1:]
    homes = {}
    for statement in statements:
        home, _, names = statement.partition(" import ")
        end = ")" if names.startswith("(") else "\n"
        for name in names.partition(end)[0].split(","):
            if " as " in name:  # `Adam as Adam`: the form that re-exports a name from a stub
                homes[name.split()[-1]] = home
    return homes


_HOMES = _public_names()
__all__ = sorted(_HOMES)  # pinned by tests/public_names.txt


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        from netwise.renamed import public_hint

        raise AttributeError(  # from `name` and `obj`, Python adds "Did you mean: 'He'?"
            f"netwise has no public {name!r}{public_hint(name)}",
            name=name,
            obj=sys.modules[__name__],
        )
    home = _HOMES[name]
    value = None if home == __name__ else getattr(import_module(home), name, None)
    return import_module(f"{home}.{name}") if value is None else value  # a namespace is a module


def __dir__() -> list[str]:
    """For `help()` and completion."""
    return __all__

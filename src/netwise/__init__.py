"""netwise: a network that learns, and when it does not, the reason and a proven cure.

Every public name is listed once, in `__init__.pyi`, and loaded when it is first used: `import
netwise` costs little, and `netwise --help` does not import torch.
"""

import ast
import sys
from importlib import import_module
from pathlib import Path

__version__ = "0.1.0"


def _homes() -> dict[str, str]:
    """Public name -> module that defines it, read from the stub beside this file."""
    stub = ast.parse(Path(__file__).with_name("__init__.pyi").read_text("utf-8"))
    return {
        name.name: node.module or ""
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }


_HOME = _homes()
__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:  # name= and obj= let Python add "Did you mean: 'He'?"
        from netwise.renamed import public_hint

        hint = public_hint(name)
        raise AttributeError(
            f"netwise has no public {name!r}{hint}", name=name, obj=sys.modules[__name__]
        )
    home = _HOME[name]
    found = None if home == __name__ else getattr(import_module(home), name, None)
    return import_module(f"{home}.{name}") if found is None else found


def __dir__() -> list[str]:
    """For `help()` and completion."""
    return __all__

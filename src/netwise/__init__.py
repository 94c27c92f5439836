"""netwise: a network that learns, and when it does not, the reason and a proven cure.

`__init__.pyi` lists every public name once, with the module that defines it. A name is imported
when it is first used, so `import netwise` and `netwise --help` do not import torch.
"""

from netwise.lazy_names import imported as _imported, stub_names as _stub_names

__version__ = "0.1.0"

_HOMES = _stub_names(__path__[0])
__all__ = sorted(_HOMES)  # pinned by tests/public_names.txt


def __getattr__(name: str) -> object:
    hint = ""
    if name not in _HOMES:
        from netwise.renamed import public_hint

        hint = public_hint(name)
    return _imported(__name__, _HOMES, name, hint)


def __dir__() -> list[str]:
    """For `help()` and completion."""
    return __all__

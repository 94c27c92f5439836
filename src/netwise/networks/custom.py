"""A network of the user's own: any function or class that gives a torch module."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from torch import nn

from netwise.errors import Problem, WrongValue, short_repr
from netwise.networks.network import Network


@dataclass(frozen=True)
class CustomNetwork(Network):
    """Any `torch.nn.Module`, by the function or class that makes it.

    Kept in files as module and name, never as code. Reading a file imports nothing: only `build`
    does.

    Args:
        source: an importable function or class that takes no arguments, or its name as
            "module:name".

    Raises:
        WrongValue: a lambda or a nested function, which no file could name.

    Example:
        >>> import netwise as nw
        >>> nw.CustomNetwork("torch.nn:Identity").build()
        Identity()
    """

    source: Callable[[], nn.Module] | str

    def __post_init__(self) -> None:
        given: Any = self.source
        if callable(given):
            module, name = getattr(given, "__module__", ""), getattr(given, "__qualname__", "")
            if not module or not name or "<" in name:
                why = (
                    "has no name of its own that a file could keep; move it to the top of a module"
                )
                raise WrongValue(
                    "CustomNetwork", [Problem("source", name or short_repr(given), why)]
                )
            object.__setattr__(self, "source", f"{module}:{name}")
            object.__setattr__(self, "_made_by", given)
            return
        parts = given.split(":") if isinstance(given, str) else []
        if len(parts) != 2 or not all(
            bit.isidentifier() for part in parts for bit in part.split(".")
        ):
            raise WrongValue(
                "CustomNetwork",
                [
                    Problem(
                        "source",
                        short_repr(given),
                        'must be a function, or "module:name" of one',
                        '"models:build"',
                    )
                ],
            )

    @property
    def given(self) -> bool:
        """The function itself was handed over: building imports nothing."""
        return hasattr(self, "_made_by")

    def build(self) -> nn.Module:
        made = self._maker()()
        if not isinstance(made, nn.Module):
            raise WrongValue(
                "CustomNetwork",
                [
                    Problem(
                        "source",
                        str(self.source),
                        f"must give a torch.nn.Module, and gave {type(made).__name__}",
                    )
                ],
            )
        return made

    def _maker(self) -> Callable[[], object]:
        if self.given:
            maker: Callable[[], object] = self._made_by  # type: ignore[attr-defined]
            return maker
        module, name = str(self.source).split(":")
        try:
            found: Any = sys.modules.get(module) or import_module(module)
            for bit in name.split("."):
                found = getattr(found, bit)
        except (ImportError, AttributeError) as error:
            raise WrongValue(
                "CustomNetwork",
                [
                    Problem(
                        "source",
                        str(self.source),
                        f"cannot be found ({error}); is its folder on PYTHONPATH?",
                    )
                ],
            ) from None
        if not callable(found):
            raise WrongValue(
                "CustomNetwork", [Problem("source", str(self.source), "is not a function or class")]
            )
        made: Callable[[], object] = found
        return made

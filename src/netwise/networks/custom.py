"""A network of the user's own: any function or class that gives a torch module."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar, Self

from torch import nn

from netwise.data.dataset import Samples
from netwise.errors import Problem, WrongValue
from netwise.file_text import FileText
from netwise.networks.network import Network
from netwise.part import FieldRule, InvalidValue
from netwise.parts.losses import Loss

FROM_A_FILE = (
    "is code that a file names, and reading a file runs none. If you trust it, add --trust-own to "
    "the command, or in Python read the file with read_recipe(path, trust_own=True)"
)
BY_HAND = "netwise cannot change a CustomNetwork: write the remedy's `by_hand` into its module"


def _accept_source(value: object) -> object:
    if callable(value):
        module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
        if not module or not name or "<" in name:
            raise InvalidValue(
                "has no name of its own that a file could keep: move it to the top of a module"
            )
        return value
    names = value.split(":") if isinstance(value, str) else []
    if len(names) != 2 or not all(bit.isidentifier() for n in names for bit in n.split(".")):
        raise InvalidValue('must be a function, or "module:name" of one', '"models:build"')
    return value


@dataclass(frozen=True)
class CustomNetwork(Network):
    """Any `torch.nn.Module`, by the function or class that makes it.

    Files hold the name of the function, never code. Reading a file imports nothing: only `build`
    does, and not by a name that came out of a file (`netwise.file_text`).

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

    runs_user_code: ClassVar[bool] = True
    source: Callable[[], nn.Module] | str = field(metadata={"rule": FieldRule(_accept_source)})

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Any = self.source
        if callable(given):
            name = f"{given.__module__}:{given.__qualname__}"
            object.__setattr__(self, "source", name)
            object.__setattr__(self, "_made_by", given)

    @property
    def given(self) -> bool:
        """Whether the function itself was passed: building imports nothing."""
        return hasattr(self, "_made_by")

    @property
    def needs_import(self) -> bool:
        return not self.given

    @property
    def own_code(self) -> str:
        return str(self.source)

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        return []  # only its code knows what it takes

    def lacks(self, what: str) -> str:
        return BY_HAND

    def with_batch_norm(self) -> Self | str:
        return BY_HAND

    def build(self) -> nn.Module:
        made = self._maker()()
        if not isinstance(made, nn.Module):
            reason = f"must return a torch.nn.Module, and returned {type(made).__name__}"
            raise self._wrong_source(reason, "a function that returns the module")
        return made

    def _maker(self) -> Callable[[], object]:
        if self.given:
            maker: Callable[[], object] = self._made_by  # type: ignore[attr-defined]
            return maker
        if isinstance(self.source, FileText):
            raise self._wrong_source(FROM_A_FILE)
        module, name = str(self.source).split(":")
        try:
            member: Any = sys.modules.get(module) or import_module(module)
            for attribute in name.split("."):
                member = getattr(member, attribute)
        except (ImportError, AttributeError) as error:
            raise self._wrong_source(
                f"cannot be imported ({error}): add its folder to PYTHONPATH, or correct the name"
            ) from None
        if not callable(member):
            raise self._wrong_source(
                "is not a function or class", "the name of one that returns the module"
            )
        callable_member: Callable[[], object] = member
        return callable_member

    def _wrong_source(self, reason: str, instead: str = "") -> WrongValue:
        return WrongValue.of("CustomNetwork", "source", str(self.source), reason, instead)

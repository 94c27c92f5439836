"""How the modules of a network are written into a plain script that does not need netwise.

A file that defines module classes has a table `SCRIPT_SOURCES` of them; the writer of scripts reads
the table of the file that a module's class comes from.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True)
class ScriptSource:
    """What the source of a module's class needs, and how the module is made again.

    Args:
        needs: functions and classes that the source refers to, and lines of source, in order.
        arguments: arguments of the constructor: modules, and values that are written by `repr`.
            Default none: those that `extra_repr` writes.
        expression: what is written instead, where the class itself is not needed. Default none.

    Example:
        >>> from netwise.networks.script_source import ScriptSource, script_source
        >>> from netwise.networks.layers.pooling import MaxPool2
        >>> script_source(MaxPool2())
        ScriptSource(needs=(), arguments=None, expression='nn.MaxPool2d(2)')
    """

    needs: tuple[Any, ...] = ()
    arguments: Callable[[Any], tuple[Any, ...]] | None = None
    expression: str = ""


def script_source(module: nn.Module) -> ScriptSource | None:
    """The entry of the module's class in the `SCRIPT_SOURCES` of its file; None: it has none."""
    table = getattr(sys.modules[type(module).__module__], "SCRIPT_SOURCES", {})
    source: ScriptSource | None = table.get(type(module))
    return source

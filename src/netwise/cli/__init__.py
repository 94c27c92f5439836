"""The command line. The only place where names are text; everything heavy is imported by the
command that needs it."""

from __future__ import annotations

from netwise.cli.commands import (
    design as designing,
    inspect as looking,
    predict as using,
    search as searching,
    train as training,
)
from netwise.cli.group import main

__all__ = ["designing", "looking", "main", "searching", "training", "using"]

"""Optuna, which searches need and nothing else does: an extra of the installation."""

from __future__ import annotations

from importlib import import_module

from netwise.errors import MissingPackage


def require_optuna() -> None:
    """Check that Optuna can be imported, before a search creates any file.

    Raises:
        MissingPackage: it is not installed; the message has the command that installs it.
    """
    try:
        import_module("optuna")
    except ImportError as error:
        raise MissingPackage("a search", "Optuna", "search") from error

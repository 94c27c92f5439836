"""Names of netwise that differ between commits: extend these tables after a rename.

Both commits run the same cases, which use the old names. Where a public class, function, keyword or
attribute has been renamed, add its new name here. Where the text of a signal or of a rule has been
renamed on purpose, map the new text to the old one in `WORDS`. This file is no part of the key of
cached results: a commit in the cache is not run again when only this file changes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

# Public names, as dotted paths below `netwise`: old name -> newer names, which are tried first.
PUBLIC: dict[str, tuple[str, ...]] = {
    "Own": ("CustomNetwork",),
    "Log": ("axes.Log",),
    "Whole": ("axes.Integer",),
    "ais": ("energy.ais",),
    "reverse_ais": ("energy.reverse_ais",),
    "log_likelihood": ("energy.log_likelihood",),
    "log_partition": ("energy.log_partition",),
    "look_at_start": ("measure_initial_state",),
    "Unfit": ("NotApplicable",),
    "hebb": ("learning_rules.hebb",),
    "oja": ("learning_rules.oja",),
    "delta": ("learning_rules.delta",),
}

# Keyword arguments of public functions: old name -> newer names.
KEYWORDS: dict[str, tuple[str, ...]] = {"halt": ("stop_when", "should_stop")}

# Attributes of results: old name -> newer names.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "consequences": ("effects",),
    "how": ("status",),
    "tried": ("trials",),
    "own": ("best_value", "search_value"),
    "fresh": ("fresh_values",),
    "organs": ("layers", "rows"),
    "silent": ("zeros",),
    "verdicts": ("trials",),
}

# Texts inside results that were renamed on purpose: new text -> old text. For names of signals,
# rules and remedies, and for how a run ended.
WORDS: dict[str, str] = {}


def public(name: str) -> Any:
    """The public object of netwise with this name, or with a newer one of `PUBLIC`.

    Raises:
        LookupError: netwise has none of the names.
    """
    names = (*PUBLIC.get(name, ()), name)
    for candidate in names:
        value = _at(candidate)
        if value is not None:
            return value
    missing = f"netwise has none of {', '.join(names)}"
    raise LookupError(f"{missing}: add the new name to PUBLIC in {__file__}")


def _at(dotted: str) -> Any:
    """The object of netwise at a dotted path, or None."""
    value: Any = import_module("netwise")
    path = "netwise"
    for name in dotted.split("."):
        path = f"{path}.{name}"
        try:
            value = getattr(value, name)
        except AttributeError:
            try:
                value = import_module(path)
            except ImportError:
                return None
    return value


def call(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call with keyword arguments that may have newer names.

    Raises:
        LookupError: the function takes none of a keyword's names.
    """
    parameters = inspect.signature(function).parameters
    renamed = {}
    for name, value in options.items():
        names = (name, *KEYWORDS.get(name, ()))
        keyword = next((candidate for candidate in names if candidate in parameters), None)
        if keyword is None:
            problem = f"{function.__name__} takes none of {', '.join(names)}"
            raise LookupError(f"{problem}: add the new name to KEYWORDS in {__file__}")
        renamed[keyword] = value
    return function(*arguments, **renamed)


def attribute(value: Any, name: str) -> Any:
    """An attribute of a result that may have a newer name.

    Raises:
        LookupError: the object has none of the names.
    """
    names = (name, *ATTRIBUTES.get(name, ()))
    for candidate in names:
        if hasattr(value, candidate):
            return getattr(value, candidate)
    problem = f"{type(value).__name__} has none of {', '.join(names)}"
    raise LookupError(f"{problem}: add the new name to ATTRIBUTES in {__file__}")


def word(text: str) -> str:
    """The old text of a signal, rule, remedy or end of a run."""
    return WORDS.get(text, text)

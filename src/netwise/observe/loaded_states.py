"""States that were loaded into modules with `strict=False`, and did not fit them."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from torch import nn

# Of the module's own names, those that may be found although the state is of another module, or has
# another prefix: a state that is meant for a part of the module fits with all that it holds.
FEW = 0.1
UNUSED = 0.5  # share of the state's names that the module does not have


class LoadedStates:
    """Compares names of states with those of modules. A later state that fits clears a module."""

    def __init__(self) -> None:
        self._modules: dict[int, tuple[weakref.ref[nn.Module], str]] = {}

    def loaded(self, module: nn.Module, state: Mapping[str, Any], keys: Any) -> None:
        """A state was loaded.

        Args:
            module: that has it now.
            state: what was given.
            keys: what `load_state_dict` has returned.
        """
        missing = list(getattr(keys, "missing_keys", ()))
        unused = list(getattr(keys, "unexpected_keys", ()))
        self._modules.pop(id(module), None)
        if not missing or not unused:
            return
        own = module.state_dict(keep_vars=True)
        found = len(own) - len(missing)
        if found > FEW * len(own) or len(unused) < UNUSED * len(state):
            return
        kind = type(module).__name__
        names = f"{kind}: {found} of {len(own)}: {unused[0]}: {missing[0]}"
        self._modules[id(module)] = weakref.ref(module), names

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Of each module that has not got a state that fits since: its class, how many of its names
        were in the state, and the first of those that do not fit of the state and of the module."""
        return tuple(names for _, names in self._modules.values())

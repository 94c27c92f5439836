"""Calls of modules as they nest: which one is the outermost."""

from __future__ import annotations

from typing import Any

from torch import nn

from netwise.observe.call_record import CallRecord
from netwise.observe.model_table import ModelTable
from netwise.observe.nested import tensors_in
from netwise.observe.observed_parts import Root


class ModuleCalls:
    """The running calls of modules, outermost first.

    Args:
        table: knows the roots.
    """

    def __init__(self, table: ModelTable) -> None:
        self._table = table
        # Of each call: id of the module, the root that it is, the innermost root that runs.
        self._stack: list[tuple[int, Root | None, Root | None]] = []

    @property
    def any(self) -> bool:
        """Whether a module is running."""
        return bool(self._stack)

    @property
    def of_several(self) -> bool:
        """Whether several roots are known, so that one may use the outputs of another."""
        return len(self._table.roots) > 1

    @property
    def _innermost(self) -> Root | None:
        """The innermost root that runs."""
        return self._stack[-1][2] if self._stack else None

    def clear(self) -> None:
        """Forget the running calls."""
        self._stack = []

    def begin(self, module: nn.Module) -> Root | None:
        """A module is called; returns what is known of it where it is a root: called by no other,
        or the one that the user wants to record."""
        is_root = not self._stack or module is self._table.given
        root = self._table.root(module) if is_root else None
        if root is not None and any(running is root for _, running, _ in self._stack):
            root = None  # the module inside of a wrapper such as DDP
        self._stack.append((id(module), root, root or self._innermost))
        if root is not None:
            root.calls = []
        return root

    def begin_part(self, module: nn.Module) -> bool:
        """A module is called; whether it is a part of one that runs, and no root."""
        if not self._stack or module is self._table.given:
            return False
        self._stack.append((id(module), None, self._stack[-1][2]))
        return True

    def end_part(self, module: nn.Module) -> bool:
        """A module has returned; whether it was the innermost one, and no root."""
        if not self._stack or self._stack[-1][:2] != (id(module), None):
            return False
        self._stack.pop()
        return True

    def end(self, module: nn.Module) -> tuple[bool, Root | None]:
        """A module has returned: whether it is a root, and the root that it is a part of."""
        root: Root | None = None
        while self._stack:  # a call that was not seen to end has raised
            key, root, _ = self._stack.pop()
            if key == id(module):
                break
        if root is not None:
            return True, root
        return False, self._innermost

    def note(self, root: Root, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """Record whether gradients go through a layer."""
        if next(module.children(), None) is not None:
            return
        root.calls.append(
            CallRecord(
                root.name_of(module),
                any(t.requires_grad for t in tensors_in((args, kwargs))),
                any(t.requires_grad for t in tensors_in(output)),
                next(module.parameters(recurse=False), None) is not None,
            )
        )

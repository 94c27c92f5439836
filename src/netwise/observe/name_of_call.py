"""What the program calls a module, read from the line in which it does.

Variables are not looked at: of a function that runs, Python would make a copy of them that keeps
alive what the program deletes.
"""

from __future__ import annotations

import ast
import linecache
import sys
from itertools import islice
from types import CodeType, FrameType

from torch import nn

from netwise.observe.program_place import FOREIGN, NETWISE, is_installed

_CALLS_MODULE: CodeType = nn.Module.__call__.__code__


def name_of_call() -> str:
    """The name by which the program calls the module whose call begins: `critic` of `critic(x)` and
    of `self.critic(x)`, `nets_critic` of `nets.critic(x)` and of `nets["critic"](x)`; "" where it
    is called by other code, or without a name.

    >>> name_of_call()
    ''
    """
    inner: FrameType | None = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(FOREIGN):
        inner, frame = frame, frame.f_back
    if frame is None or inner is None or inner.f_code is not _CALLS_MODULE:
        return ""
    file = frame.f_code.co_filename
    if file.startswith(NETWISE) or is_installed(file):
        return ""
    try:
        call = ast.parse(_source_of_call(frame), mode="eval").body
    except (SyntaxError, ValueError):
        return ""
    return "_".join(_words(call.func)) if isinstance(call, ast.Call) else ""


def _source_of_call(frame: FrameType) -> str:
    """The text of the expression that runs; "" where it is not known."""
    positions = frame.f_code.co_positions()
    place = next(islice(positions, frame.f_lasti // 2, None), (None,) * 4)
    first, last, begin, end = place
    if first is None or last is None or begin is None or end is None:
        return ""
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)[first - 1 : last]
    texts = [line.encode() for line in lines]  # columns count bytes
    if not texts:
        return ""
    texts[-1] = texts[-1][:end]
    texts[0] = texts[0][begin:]
    return f"({b''.join(texts).decode(errors='replace')})"


def _words(node: ast.expr) -> list[str]:
    """Parts of a name, without `self`; [] of what is none."""
    if isinstance(node, ast.Name):
        return [] if node.id == "self" else [node.id]
    own = isinstance(node, ast.Attribute | ast.Subscript) and node.value
    if not own:
        return []
    before = _words(own)
    if not before and not (isinstance(own, ast.Name) and own.id == "self"):
        return []
    if isinstance(node, ast.Attribute):
        return [*before, node.attr]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        word = str(node.slice.value)
        return [*before, word] if word.isidentifier() or word.isdecimal() else []
    return []

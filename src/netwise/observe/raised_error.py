"""Reads an error that a training program raised: the statement, the layer, and the tensors there.

Nothing of the program is kept alive: all that is read becomes text and numbers.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from netwise.errors import text_of
from netwise.observe.nested import tensors_in
from netwise.observe.program_place import is_of_program
from netwise.program_error import BACKWARD, DATA, ELSEWHERE, FORWARD, LOSS, STEP, ProgramError

MOST_TEXT = 400  # characters of a message, a statement or a layer
MOST_NAMES = 8
_NETWISE = str(Path(__file__).parents[1])  # whose `fit`, `preflight` and so on may have called
_TORCH = str(Path(torch.__file__).parent)
_STAGES = (  # folders and files of torch, and what they do for a program
    ("/optim/", STEP),
    ("/utils/data/", DATA),
    ("/autograd/", BACKWARD),
    ("/_tensor.py", BACKWARD),
    ("/nn/modules/loss.py", LOSS),
    ("/nn/functional.py", FORWARD),
    ("/nn/", FORWARD),
)
_LOSSES = ("loss", "entropy")  # in names of torch's functions
# What ends a graph: methods and functions, attributes, and contexts.
_CALLS = ("detach", "detach_", "item", "numpy", "tolist", "argmax", "round", "sign")
_NEW = ("tensor", "as_tensor", "Tensor", "FloatTensor", "from_numpy")
_CONTEXTS = ("no_grad", "inference_mode")


def program_error_of(error: BaseException, below: FrameType | None = None) -> ProgramError | None:
    """What is known about an error that ends a program; None where it is none of a program: Ctrl-C,
    `sys.exit`, or the end of a run by a finding.

    Args:
        error: as it was caught, with its traceback.
        below: of an error that is still on its way: a frame whose callers it will pass through.

    Example:
        >>> from netwise.observe.raised_error import program_error_of
        >>> import torch
        >>> try:
        ...     torch.ones(2, 3) @ torch.ones(2, 3)
        ... except RuntimeError as error:
        ...     print(program_error_of(error).message)
        mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)
    """
    if not isinstance(error, Exception):
        return None
    traces = list(_traces(error.__traceback__))
    frames = [trace.tb_frame for trace in traces]
    own = [trace for trace in traces if _is_own(trace.tb_frame.f_code.co_filename)]
    while not own and below is not None:
        if _is_own(below.f_code.co_filename):
            own = [TracebackType(None, below, below.f_lasti, below.f_lineno)]
        below = below.f_back
    message = " ".join(text_of(error).split())[:MOST_TEXT]
    facts: dict[str, Any] = {}
    with suppress(Exception):  # a property of an object of the program may raise anything
        facts |= _layer(frames)
    with suppress(Exception):
        facts["stage"] = _stage(frames, bool(facts.get("layer")))
    if own:
        with suppress(Exception):
            facts |= _statement(own[-1])
        with suppress(Exception):
            facts |= _graph(own[-1].tb_frame, own[-1].tb_lineno)
    return ProgramError(type(error).__name__, message, **facts)


def _is_own(file: str) -> bool:
    return not file.startswith(_NETWISE) and is_of_program(file)


def _stage(frames: list[FrameType], in_layer: bool) -> str:
    """What the innermost code of torch was doing."""
    for frame in reversed(frames):
        code = frame.f_code
        if not code.co_filename.startswith(_TORCH):
            continue
        inside = code.co_filename.removeprefix(_TORCH)
        for part, stage in _STAGES:
            if part in inside:
                is_loss = stage == FORWARD and any(word in code.co_name for word in _LOSSES)
                return LOSS if is_loss else stage
    return FORWARD if in_layer else ELSEWHERE


def _layer(frames: list[FrameType]) -> dict[str, Any]:
    """The innermost module whose forward pass was running, and its inputs."""
    calls = [
        frame
        for frame in frames
        if frame.f_code.co_name == "forward" and isinstance(frame.f_locals.get("self"), nn.Module)
    ]
    if not calls:
        return {}
    root, module = calls[0].f_locals["self"], calls[-1].f_locals["self"]
    name = next((name for name, each in root.named_modules() if each is module), "")
    given = [value for key, value in _arguments(calls[-1]) if key != "self"]
    text = repr(module) if next(module.children(), None) is None else type(module).__name__
    return {
        "layer": name or type(module).__name__,
        "layer_text": " ".join(text.split())[:MOST_TEXT],
        "inputs": tuple(tuple(each.shape) for each in tensors_in(given))[:MOST_NAMES],
    }


def _arguments(frame: FrameType) -> Iterator[tuple[str, Any]]:
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    for name in code.co_varnames[:count]:
        yield name, frame.f_locals.get(name)


def _traces(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _statement(trace: TracebackType) -> dict[str, Any]:
    """The statement that raised, and the tensors that it names."""
    frame, line = trace.tb_frame, trace.tb_lineno
    column = next(islice(frame.f_code.co_positions(), trace.tb_lasti // 2, None), (None,) * 4)[2]
    place = f"{Path(frame.f_code.co_filename).name}:{line}"
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    code = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    found: ast.AST | None = None
    with suppress(SyntaxError, ValueError):
        found = _innermost_statement(ast.parse("".join(lines)), (line, column or 0))
    if found is None:
        return {"place": place, "code": code[:MOST_TEXT]}
    tensors = {}
    for node in ast.walk(found):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            value = _value_of(node, frame)
            if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
                tensors[ast.unparse(node)] = _shape_and_type(value)
    few = dict(list(tensors.items())[:MOST_NAMES])
    code = " ".join(ast.unparse(found).split()) or code
    return {"place": place, "code": code[:MOST_TEXT], "tensors": few}


def _innermost_statement(tree: ast.AST, place: tuple[int, int]) -> ast.AST | None:
    """The smallest simple statement that has this line and column; of a loop what it runs over."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and _begin(node) <= place < _end(node)
    ]
    best = max(around, key=_begin, default=None)
    if isinstance(best, ast.For):
        return best.iter
    return None if best is None or hasattr(best, "body") else best


def _begin(node: ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _value_of(node: ast.expr, frame: FrameType) -> Any:
    """The value of a name or of a chain of attributes that are stored in their objects; no code of
    the program runs."""
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    if isinstance(node, ast.Attribute):
        return getattr(_value_of(node.value, frame), "__dict__", {}).get(node.attr)
    return None


def _shape_and_type(tensor: Tensor) -> str:
    shape = " x ".join(str(size) for size in tensor.shape) or "one number,"
    where = "" if tensor.device.type == "cpu" else f" on {tensor.device}"
    return f"{shape} {str(tensor.dtype).removeprefix('torch.')}{where}"


# ---- why there is no graph


def _graph(frame: FrameType, line: int) -> dict[str, Any]:
    """Weights in sight of the failed statement, whether a tensor there has a graph, and what ends
    graphs in the code that leads to it."""
    variables = {**frame.f_globals, **frame.f_locals}
    modules = {id(each): each for each in _modules_in(variables)}
    weights = {id(p): p for module in modules.values() for p in module.parameters()}
    trainable = sum(p.numel() for p in weights.values() if p.requires_grad)
    frozen = sum(p.numel() for p in weights.values()) - trainable
    has_graph = any(
        isinstance(value, Tensor) and value.grad_fn is not None for value in frame.f_locals.values()
    )
    cuts = []
    for module in modules.values():
        for each in module.modules():
            forward = getattr(type(each), "forward", None)
            code = getattr(forward, "__code__", None)
            if code is not None and is_of_program(code.co_filename):
                cuts += _cuts_in(code, None)
    cuts += _cuts_in(frame.f_code, line)
    return {
        "trainable": trainable,
        "frozen": frozen,
        "outputs_have_graph": has_graph,
        "cuts": tuple(dict.fromkeys(cuts))[-MOST_NAMES:],
    }


def _modules_in(variables: Mapping[str, Any]) -> Iterator[nn.Module]:
    for name, value in variables.items():
        if name.startswith("__"):
            continue
        if isinstance(value, nn.Module):
            yield value
        elif isinstance(value, list | tuple) and len(value) <= MOST_NAMES:
            yield from (each for each in value if isinstance(each, nn.Module))
        elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, type):
            yield from (v for v in list(vars(value).values())[:64] if isinstance(v, nn.Module))


def _cuts_in(code: CodeType, line: int | None) -> list[str]:
    """Places that end graphs: in a whole function, or in the loop around a line and before it,
    where there is such a loop."""
    lines = linecache.getlines(code.co_filename)
    if code.co_name == "<module>":
        start, text = 1, "".join(lines)
    else:
        start = code.co_firstlineno
        text = textwrap.dedent("".join(inspect.getblock(lines[start - 1 :])))
    try:
        tree: ast.AST = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    last = len(lines) if line is None else line - start + 1
    loops = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.For | ast.While) and node.lineno <= last <= _end(node)[0]
    ]
    tree = tree if line is None or not loops else loops[-1]
    file = Path(code.co_filename).name
    found = {
        (node.lineno, what)
        for node in ast.walk(tree)
        if isinstance(node, ast.expr | ast.stmt) and node.lineno <= last and (what := _cut(node))
    }
    return [f"{file}:{number + start - 1}: {what}" for number, what in sorted(found)]


def _cut(node: ast.AST) -> str:
    """The text of an expression that ends a graph; "" for others."""
    if isinstance(node, ast.With):
        for item in node.items:
            name = _called(item.context_expr)
            if name in _CONTEXTS:
                return f"with torch.{name}()"
        return ""
    if isinstance(node, ast.Attribute) and node.attr == "data":
        return ".data"
    if isinstance(node, ast.Call):
        name = _called(node)
        if isinstance(node.func, ast.Attribute) and name in _CALLS:
            return f".{name}()"
        if name in _NEW:
            return f"torch.{name}(...)"
        if name == "set_grad_enabled" and node.args and ast.unparse(node.args[0]) == "False":
            return "torch.set_grad_enabled(False)"
    return ""


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    func = node.func
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")

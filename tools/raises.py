"""The messages of all `raise` statements: do they say what was given, why it is wrong, what to do.

A message is read from the syntax tree. Its parts are

* given: a value is shown (an interpolated value, or `given` of a Problem), or the text says that
  something is missing or empty;
* reason: a statement of at least three words besides the instruction;
* instead: an instruction, see `instructs`.

Structured errors (`Problem`, `InvalidValue`, `UnknownName`) have arguments for these parts; one
without `instead` may still carry an instruction in its reason. A variable, constant or function
that a message is built with is followed one level, in this module or in the one that it is
imported from. Where a message has alternatives (`a if b else c`, several assignments), one
alternative with an instruction is enough.

Not counted, because they are no messages of their own: a bare `raise`, an exception without
arguments (`Stopped`, `KeyboardInterrupt`), `NotImplementedError`, `AttributeError` in
`__getattr__`, pydantic's carriers of problems, and errors that only pass on the problems or the
text of another error.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tools.imports import module_names
from tools.source import PACKAGE, FunctionNode, Source, sources

# Words that begin an instruction. They count at the beginning of a clause only: "its name is
# wrong" holds a noun, ": name its column" an instruction.
VERBS = """
    add adjust allow apply ask assign attach average begin build call cast change check choose clip
    close combine compare concatenate connect continue convert copy count create crop cut declare
    decrease define delete detach disable divide double download draw drop enable encode enter
    estimate exclude expand export extend extract fetch fill find fit fix flatten follow freeze
    generate get give go halve hand hold ignore import include increase initialise initialize insert
    inspect install join keep leave let list load look lower make mark merge move multiply name
    normalise normalize omit open order overwrite pad pass paste pick place point prefix prepare
    print provide put quote raise read rebuild recreate redraw reduce refit register reinstall
    reload remove rename reorder repair repeat replace report rerun reshape resize restart restore
    restrict resume retrain retry reverse round run save say scale see select send separate set
    shorten show shrink shuffle simplify skip sort specify split squeeze standardise standardize
    start stop strip subtract supply swap switch take train transpose trim try tune turn unfreeze
    unpack unset unsqueeze update upgrade use verify wait widen wrap write
""".split()  # noqa: SIM905

INSTRUCTION = re.compile(
    r"(?:^|[.:;,?!(\n]|\s/\s|\b(?:or|and|then|instead|please|either)\s)\s*[\"'`]?"
    rf"(?:do not|never|{'|'.join(VERBS)})"
    r"(?=[\s`])(?!\s+(?:=|(?:is|are|was|has|have|of|takes?|needs?|gives?|makes?|must)\b))",
    re.IGNORECASE,
)
COMMAND = re.compile(
    r"\bnetwise (?:[a-z]+\b|--)|\b(?:pip|apt|conda) install\b|\bscripts/\w|\bexport [A-Z_]+="
)
CHOICES = re.compile(
    r"\bDid you mean\b|\bthere (?:are|is): |\bone of[: ]|\bsuch as\b|"
    r"\bmust be (?:[^\s,]+, )*[^\s,]+ or \S|\bfor example\b|\be\.g\.",
    re.IGNORECASE,
)
MISSING = re.compile(
    r"\b(?:no|not|nothing|none|missing|empty|absent|without|lacks?|needs?|needed|which)\b"
)

VALUE = "\u2026"  # replaces an interpolated value in a text


def instructs(text: str) -> bool:
    """Whether a text has an imperative at the start of a clause, a command line, or choices.

    Example:
        >>> instructs("rows = 0 must be at least 1: write 100")
        True
        >>> instructs("the file is damaged")
        False
    """
    return bool(INSTRUCTION.search(text) or COMMAND.search(text) or CHOICES.search(text))


def states_reason(text: str) -> bool:
    """Whether at least three words remain when the clauses with an instruction are taken out."""
    clauses = re.split(r"[.:;?!\n]\s+", text)
    rest = [each for each in clauses if not INSTRUCTION.match(each) and not COMMAND.search(each)]
    return len(re.findall(r"[A-Za-z]{2,}", " ".join(rest))) >= 3


@dataclass(frozen=True)
class Message:
    """The message of one `raise`, or of one `Problem` that is built elsewhere.

    Args:
        source: the file.
        line: of the statement.
        function: qualified name around it, empty at the top of the module.
        error: name of the class that is raised.
        text: the static text, `…` for interpolated values; of structured errors the parts,
            with " | " between them; alternatives with " / " between them.
        given, reason, instead: whether the message has the part.
    """

    source: Source
    line: int
    function: str
    error: str
    text: str
    given: bool
    reason: bool
    instead: bool

    @property
    def place(self) -> str:
        return f"{self.source.name}:{self.line}"

    @property
    def first_words(self) -> str:
        """The first six words: with path and function they name a message when its line moves."""
        return " ".join(self.text.split()[:6])

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.source.name, self.function, self.first_words)


@dataclass(frozen=True)
class _Parts:
    text: str = ""
    given: bool = False
    reason: bool = False
    instead: bool = False


@dataclass(frozen=True)
class Form:
    """How the constructor of a structured error takes its parts: (place, name), or None."""

    given: tuple[int, str] | None
    reason: tuple[int, str] | None
    instead: tuple[int, str] | None


# Names of the arguments for each part, in any structured error of the package.
GIVEN, REASON, INSTEAD = ("given",), ("why", "reason", "text", "message"), ("instead",)
# What the errors of netwise look like; read again from the package, so a change there is followed.
STRUCTURED: Mapping[str, Form] = {
    "Problem": Form((1, "given"), (2, "reason"), (3, "instead")),
    "InvalidValue": Form(None, (0, "reason"), (1, "instead")),
}
CARRIERS = frozenset({"WrongValue", "RecipeFileError"})  # hold several problems
# Errors whose constructor names the given value and the choices by itself.
COMPLETE = frozenset({"UnknownName", "MissingPackage"})
# Control flow, and carriers of problems that were built elsewhere.
NO_MESSAGE = frozenset(
    {
        "NotImplementedError", "StopIteration", "KeyboardInterrupt", "SystemExit", "GeneratorExit",
        "PydanticCustomError", "Exit", "Abort",
    }
)  # fmt: skip


def messages(files: Iterable[Source], package: Path = PACKAGE) -> list[Message]:
    """The messages of all `raise` statements of files of a package, ordered by file and line."""
    found = [each for source in files for each in _reader(source, package).raises()]
    return sorted(found, key=lambda message: (message.source.name, message.line))


def problems(files: Iterable[Source], package: Path = PACKAGE) -> list[Message]:
    """The messages of each `Problem(...)` that is built outside of a `raise` statement."""
    found = [each for source in files for each in _reader(source, package).problems()]
    return sorted(found, key=lambda message: (message.source.name, message.line))


def error_forms(files: Iterable[Source]) -> tuple[dict[str, Form], frozenset[str]]:
    """(structured errors by name, names of the errors that hold several problems) of a package.

    A class is structured where an argument of its constructor, or a field of the dataclass, is
    called `instead`; it holds several problems where one is called `problems`.
    """
    forms, carriers, bases = dict(STRUCTURED), set(CARRIERS), []
    for source in files:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                names = _arguments(node)
                if "instead" in names:
                    forms[node.name] = Form(*(_find(names, e) for e in (GIVEN, REASON, INSTEAD)))
                if "problems" in names:
                    carriers.add(node.name)
                bases.append((node.name, [_name(each) for each in node.bases]))
    for name, above in bases:  # a subclass takes what its base takes
        carriers |= {name} if carriers & set(above) else set()
    return forms, frozenset(carriers)


def _arguments(node: ast.ClassDef) -> list[str]:
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return [a.arg for a in [*each.args.posonlyargs, *each.args.args][1:]] + [
                a.arg for a in each.args.kwonlyargs
            ]
    fields = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
    return [each.id for each in fields if isinstance(each, ast.Name)]


def _find(names: list[str], wanted: Iterable[str]) -> tuple[int, str] | None:
    return next(((names.index(each), each) for each in wanted if each in names), None)


@cache
def _known(package: Path) -> tuple[dict[str, Source], dict[str, Form], frozenset[str]]:
    files = sources(package, package.parent)
    return module_names(files, package), *error_forms(files)


def raise_statements(files: Iterable[Source]) -> int:
    """How many `raise` statements there are, with those that are no messages."""
    return sum(isinstance(node, ast.Raise) for source in files for node in ast.walk(source.tree))


@cache
def _reader(source: Source, package: Path) -> _Reader:
    return _Reader(source, package)


@cache
def _constants(source: Source) -> dict[str, list[ast.expr]]:
    return _assigned(source.tree.body)


@dataclass
class _Reader:
    """Reads the messages of one file."""

    source: Source
    package: Path
    functions: dict[str, list[FunctionNode]] = field(default_factory=dict)
    constants: dict[str, list[ast.expr]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known, self.forms, self.carriers = _known(self.package)
        for each in self.source.functions:
            self.functions.setdefault(each.node.name, []).append(each.node)
        self.constants = dict(_constants(self.source))
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.ImportFrom) and node.module in known:
                self._import(known[node.module], {a.name: a.asname or a.name for a in node.names})

    def _import(self, other: Source, names: Mapping[str, str]) -> None:
        """Functions and constants of another module of the package, as if defined here."""
        for each in other.functions:
            if not each.owner and each.node.name in names:
                self.functions.setdefault(names[each.node.name], []).append(each.node)
        for name, values in _constants(other).items():
            if name in names:
                self.constants.setdefault(names[name], values)

    def raises(self) -> Iterator[Message]:
        for node, owner, function in _statements(self.source.tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                parts = self._error(node.exc, function, owner)
                if parts is not None:
                    yield self._message(node, owner, _name(node.exc), parts)

    def problems(self) -> Iterator[Message]:
        for node, owner, function in _statements(self.source.tree):
            if isinstance(node, ast.Call) and _name(node) == "Problem":
                parts = self._structured(node, function)
                if parts is not None:
                    yield self._message(node, owner, "Problem", parts)

    def _message(self, node: ast.stmt | ast.expr, owner: str, error: str, parts: _Parts) -> Message:
        text = " ".join(parts.text.split())
        return Message(
            self.source, node.lineno, owner, error, text, parts.given, parts.reason, parts.instead
        )

    def _error(self, error: ast.expr, function: FunctionNode | None, owner: str) -> _Parts | None:
        """The parts of an exception expression; None where it is no message of its own."""
        if not isinstance(error, ast.Call):
            return self._variable(error, function, owner)
        name = _name(error)
        if name in NO_MESSAGE or (name == "AttributeError" and owner.endswith("__getattr__")):
            return None
        if name in COMPLETE:
            return _Parts(_plain(error.args), True, True, True)
        if name in self.forms:
            return self._structured(error, function)
        if name in self.functions and not name.lstrip("_")[:1].isupper():
            return self._built(error, function, owner)
        if not error.args and not error.keywords:
            return None
        if name == "of" and _name_of_owner(error) in self.carriers:
            # `WrongValue.of(owner, field, given, reason, instead)` holds one Problem.
            one = ast.Call(ast.Name("Problem"), error.args[1:], error.keywords)
            return self._structured(one, function)
        if name in self.carriers and error.args:
            return self._rows(error.args[-1], function)
        return self._texts(error, function)

    def _variable(
        self, error: ast.expr, function: FunctionNode | None, owner: str
    ) -> _Parts | None:
        """`raise error`: the call assigned to it in the function; a re-raise has none."""
        if isinstance(error, ast.Name) and function is not None:
            for value in _assigned(function.body).get(error.id, ()):
                if isinstance(value, ast.Call):
                    return self._error(value, function, owner)
        return None

    def _built(self, call: ast.Call, function: FunctionNode | None, owner: str) -> _Parts | None:
        """`raise f(...)`: a structured error among the arguments, else what `f` returns."""
        for argument in call.args:
            if isinstance(argument, ast.Call) and _name(argument) in self.forms:
                return self._structured(argument, function)
        built = []
        for each in self.functions.get(_name(call), ()):
            for node in ast.walk(each):
                value = node.value if isinstance(node, ast.Return) else None
                if isinstance(value, ast.Call) and _name(value) != _name(call):
                    built.append(self._error(value, each, owner))
        return _joined([each for each in built if each is not None])

    def _structured(self, call: ast.Call, function: FunctionNode | None) -> _Parts | None:
        form = self.forms[_name(call)]
        given, reason, instead = (
            _argument(call, each) for each in (form.given, form.reason, form.instead)
        )
        if isinstance(reason, ast.Attribute) and isinstance(instead, ast.Attribute):
            return None  # `Problem(field, given, error.reason, error.instead)` passes on another's
        if isinstance(reason, ast.Call) and _name(reason) == "str" and instead is None:
            return None  # `Problem(field, given, str(error))` passes on the text of another error
        text = self._text(reason, function) if reason is not None else ""
        first = call.args[0] if call.args and call.args[0] is not reason else None
        subject = self._text(first, function) if first is not None else ""
        advice = "" if instead is None or _is_empty(instead) else self._text(instead, function)
        return _Parts(
            f"{subject} | {text}" if subject else text,
            (given is not None and not _is_empty(given))
            or form.given is None  # the value is added where the error is caught
            or VALUE in text
            or bool(MISSING.search(text)),
            bool(text.strip()),
            # The reason is a predicate, so its first word is no imperative.
            bool(advice) or instructs(f"{VALUE} {text}"),
        )

    def _rows(self, rows: ast.expr, function: FunctionNode | None) -> _Parts | None:
        """The problems of a WrongValue, as one; None where they come from elsewhere."""
        built = [n for n in ast.walk(rows) if isinstance(n, ast.Call) and _name(n) == "Problem"]
        if not built and isinstance(rows, ast.Name) and function is not None:
            built = list(_problems_of(rows.id, function))
        if not built and isinstance(rows, ast.Call):
            for each in self.functions.get(_name(rows), ()):
                built += [
                    n for n in ast.walk(each) if isinstance(n, ast.Call) and _name(n) == "Problem"
                ]
        read = [self._structured(each, function) for each in built]
        return _all([each for each in read if each is not None])

    def _texts(self, error: ast.Call, function: FunctionNode | None) -> _Parts | None:
        arguments = [*error.args, *(keyword.value for keyword in error.keywords)]
        text = " ".join(filter(None, (self._text(each, function) for each in arguments[:1])))
        if not re.search(r"[A-Za-z]{2,}", text):
            return None  # `str(error)`, `wrong.text`: passes on the text of another error
        given = VALUE in text or bool(MISSING.search(text))
        named = any(each.arg == "instead" and not _is_empty(each.value) for each in error.keywords)
        return _Parts(text, given, states_reason(text), named or instructs(text))

    def _text(self, node: ast.expr, function: FunctionNode | None, depth: int = 1) -> str:
        """The static text of an expression, with `…` for what is only known when it runs."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else VALUE
        if isinstance(node, ast.JoinedStr):
            return "".join(
                self._text(v.value if isinstance(v, ast.FormattedValue) else v, function, depth)
                for v in node.values
            )
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._text(node.left, function, depth) + self._text(node.right, function, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return re.sub(r"%[sdrg]|%\.\d[fg]", VALUE, self._text(node.left, function, depth))
        if isinstance(node, ast.IfExp):
            both = (self._text(each, function, depth) for each in (node.body, node.orelse))
            return " / ".join(each for each in both if each)
        if isinstance(node, ast.BoolOp):
            return " / ".join(self._text(each, function, depth) for each in node.values)
        if isinstance(node, ast.Call):
            return self._called(node, function, depth)
        if isinstance(node, ast.Name) and depth:
            return self._named(node.id, function)
        return VALUE

    def _called(self, node: ast.Call, function: FunctionNode | None, depth: int) -> str:
        name = _name(node)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Constant):
            if name == "format":
                return re.sub(r"\{[^}]*\}", VALUE, str(node.func.value.value))
            if name == "join" and node.args and isinstance(node.args[0], ast.List | ast.Tuple):
                separator = str(node.func.value.value)
                return separator.join(self._text(e, function, depth) for e in node.args[0].elts)
        if name in ("str", "repr", "shown") or name not in self.functions or not depth:
            return VALUE
        texts = [
            self._text(inner.value, each, 0)
            for each in self.functions[name]
            for inner in ast.walk(each)
            if isinstance(inner, ast.Return) and inner.value is not None
        ]
        # A helper often puts its lines together in a list or by several assignments.
        if not any(re.search(r"[A-Za-z]{3,}", each) for each in texts):
            texts = [
                inner.value
                for each in self.functions[name]
                for inner in ast.walk(each)
                if isinstance(inner, ast.Constant)
                and isinstance(inner.value, str)
                and " " in inner.value.strip()
                and inner.value != ast.get_docstring(each, clean=False)
            ]
        return " / ".join(texts) or VALUE

    def _named(self, name: str, function: FunctionNode | None) -> str:
        local = _assigned(function.body).get(name) if function is not None else None
        values = local or self.constants.get(name)
        if not values:
            return VALUE
        texts = [self._text(value, function, 0) for value in values]
        return " / ".join(dict.fromkeys(texts)) or VALUE


def _joined(parts: list[_Parts]) -> _Parts | None:
    """Alternatives: one that has a part is enough."""
    if not parts:
        return None
    return _Parts(
        " / ".join(each.text for each in parts),
        any(each.given for each in parts),
        any(each.reason for each in parts),
        any(each.instead for each in parts),
    )


def _all(parts: list[_Parts]) -> _Parts | None:
    """Problems that are raised together: each has to have the part."""
    if not parts:
        return None
    return _Parts(
        " / ".join(each.text for each in parts),
        all(each.given for each in parts),
        all(each.reason for each in parts),
        all(each.instead for each in parts),
    )


def _name(node: ast.expr) -> str:
    """The last name of what is called or raised: `UsageError` of `click.UsageError(...)`."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _name_of_owner(call: ast.Call) -> str:
    """`WrongValue` of `WrongValue.of(...)`."""
    return _name(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def _plain(arguments: list[ast.expr]) -> str:
    texts = [each.value for each in arguments if isinstance(each, ast.Constant)]
    return " ".join(["unknown", *(str(each) for each in texts), VALUE])


def _argument(call: ast.Call, where: tuple[int, str] | None) -> ast.expr | None:
    if where is None:
        return None
    place, name = where
    if place < len(call.args):
        return call.args[place]
    return next((each.value for each in call.keywords if each.arg == name), None)


def _is_empty(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _assigned(body: Iterable[ast.stmt]) -> dict[str, list[ast.expr]]:
    """name -> the values assigned to it in these statements, nested blocks included."""
    found: dict[str, list[ast.expr]] = {}
    for statement in body:
        for node in [statement, *_inside(statement)]:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found.setdefault(target.id, []).append(node.value)
            elif isinstance(node, ast.AnnAssign | ast.AugAssign) and node.value is not None:
                if isinstance(node.target, ast.Name):
                    found.setdefault(node.target.id, []).append(node.value)
            elif isinstance(node, ast.NamedExpr):
                found.setdefault(node.target.id, []).append(node.value)
    return found


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """What lies below a node, without other functions and classes."""
    if isinstance(node, FunctionNode | ast.ClassDef | ast.Lambda):
        return
    for child in ast.iter_child_nodes(node):
        yield child
        yield from _inside(child)


def _problems_of(name: str, function: FunctionNode) -> Iterator[ast.Call]:
    """Each `Problem(...)` that a function assigns to, appends to or adds to this list."""
    for node in ast.walk(function):
        value: ast.AST | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == name:
                value = node
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and each.id == name for each in targets):
                value = node.value
        if value is not None:
            for each in ast.walk(value):
                if isinstance(each, ast.Call) and _name(each) == "Problem":
                    yield each


def _statements(tree: ast.Module) -> Iterator[tuple[ast.AST, str, FunctionNode | None]]:
    """(raise or call outside of one, qualified name of the function around it, that function)."""

    def visit(
        node: ast.AST, owner: str, function: FunctionNode | None
    ) -> Iterator[tuple[ast.AST, str, FunctionNode | None]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, FunctionNode | ast.ClassDef):
                inner = child if isinstance(child, FunctionNode) else function
                yield from visit(child, f"{owner}.{child.name}" if owner else child.name, inner)
            elif isinstance(child, ast.Raise):
                yield child, owner, function
            else:
                if isinstance(child, ast.Call):
                    yield child, owner, function
                yield from visit(child, owner, function)

    yield from visit(tree, "", None)

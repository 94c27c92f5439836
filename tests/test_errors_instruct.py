"""Each `raise` says what was given, why it is wrong, and what to write instead.

What counts as a message and as an instruction: `tools/raises.py`. The messages without an
instruction, with path and line: `scripts/metrics --errors`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.raises import Message, error_forms, instructs, messages, problems, raise_statements
from tools.source import PACKAGE, Source, sources

pytestmark = pytest.mark.no_cover  # reads the package and runs none of it

# 0.48 and 0.80 at commit 41173f0. Each message without an instruction is listed below.
REQUIRED = 0.98  # share of the messages of `raise` with an instruction
REQUIRED_PROBLEMS = 0.98  # the same of `Problem(...)` outside of a `raise`
REQUIRED_GIVEN = 0.90
REQUIRED_REASON = 0.90

# Messages that need no instruction: (path below src/netwise, function, first six words) -> why.
WITHOUT_INSTRUCTION: dict[tuple[str, str, str], str] = dict.fromkeys(
    (
        ("observe/kept_batches.py", "_mapped", "containers are nested too deep"),
        ("observe/kept_batches.py", "_mapped", "no copy of a …"),
        ("trials/bench.py", "put_state", "the module has other weights than"),
        ("trials/bench.py", "put_state", "… had another shape at the"),
        ("trials/bench.py", "made_optimizer", "no … could be made: …"),
    ),
    "caught inside of netwise, where a part of a check is left out",
) | {
    ("lazy_names.py", "imported", "… has no public ……"): (
        "Python adds a name that is meant, and a package a hint of its own"
    )
}

# Errors whose text becomes "not checked, because ..." or "is damaged, because ...", which says
# what to do.
REASONS = {"CannotBeWritten", "CannotCopy", "CannotBeUndone", "NotPossible", "SchemaError"}


def key(message: Message) -> tuple[str, str, str]:
    path = message.source.path.relative_to(PACKAGE).as_posix()
    return (path, message.function, message.first_words)


def listed(found: Sequence[Message]) -> str:
    return "\n".join(f"{each.place}: {each.function}: {each.text}" for each in found)


@pytest.fixture(scope="module")
def raised() -> list[Message]:
    return [each for each in messages(sources()) if each.error not in REASONS]


def test_the_walk_finds_the_messages(raised: list[Message]) -> None:
    assert raise_statements(sources()) >= len(raised) > 200


@pytest.mark.parametrize(
    ("part", "required"),
    [("given", REQUIRED_GIVEN), ("reason", REQUIRED_REASON), ("instead", REQUIRED)],
)
def test_messages_have_their_parts(raised: list[Message], part: str, required: float) -> None:
    without = [each for each in raised if not getattr(each, part)]
    share = 1 - len(without) / len(raised)
    assert share >= required, f"{share:.1%} of the messages have {part}:\n{listed(without)}"


def test_problems_outside_of_raise_have_an_instruction() -> None:
    found = problems(sources())
    without = [each for each in found if not each.instead]
    assert 1 - len(without) / len(found) >= REQUIRED_PROBLEMS, listed(without)


def test_the_messages_without_an_instruction_are_listed(raised: list[Message]) -> None:
    without = {key(each): each for each in raised if not each.instead}
    stale = set(WITHOUT_INSTRUCTION) - set(without)
    assert not stale, f"remove these from WITHOUT_INSTRUCTION, they are changed or gone: {stale}"
    assert all(WITHOUT_INSTRUCTION.values()), "give each entry its reason"
    unlisted = [each for name, each in without.items() if name not in WITHOUT_INSTRUCTION]
    assert not unlisted, f"say what to do, or list with a reason:\n{listed(unlisted)}"


# The checker itself.


def read(tmp_path: Path, code: str) -> list[Message]:
    file = tmp_path / "module.py"
    file.write_text(textwrap.dedent(code), "utf-8")
    return messages([Source(file, tmp_path)])


@pytest.mark.parametrize(
    "text",
    [
        "rows = 0 must be at least 1: write 100",
        "the file is damaged. Delete it and fetch it again.",
        "it exists: choose another folder, or continue it with resume",
        "unknown rule. Did you mean `dead_units`?",
        "no layer of this name. There are: layer1, layer2",
        "the extra is missing: pip install netwise[search]",
        "All of it: netwise show runs/a",
        "form must be one of zca, pca",
        'early_stopping must be True, False or "auto"',
        "a rate is above 0, such as 0.01",
        "numbers are needed (remove the text column first)",
        "wrong size: pad it, or use SAME",
        "give `x` two columns",
    ],
)
def test_an_instruction_is_seen(text: str) -> None:
    assert instructs(text)


@pytest.mark.parametrize(
    "text",
    [
        "the file is damaged",
        "X has 3 rows and y has 2: each sample needs one target",
        "runs/a: no checkpoint is whole; their sums differ",
        "classes are not those of the first call",
        "Resize takes images (samples, channels, height, width), not (3,)",
        "too few for valid = 0.2 and test = 0.2",
        "its name is wrong: name is empty",
        "the training set, train, valid, test, is empty",
        "must be at least 1",
    ],
)
def test_a_statement_is_no_instruction(text: str) -> None:
    assert not instructs(text)


def test_parts_of_plain_texts(tmp_path: Path) -> None:
    full, bare = read(
        tmp_path,
        """
        def f(x):
            if x < 0:
                raise ValueError(f"x = {x} is below 0, and a root needs a positive number: write 1")
            raise ValueError("bad input")
        """,
    )
    assert (full.given, full.reason, full.instead) == (True, True, True)
    assert (full.function, full.error, full.line) == ("f", "ValueError", 4)
    assert full.first_words == "x = … is below 0,"
    assert (bare.given, bare.reason, bare.instead) == (False, False, False)


def test_parts_of_structured_errors(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        class A:
            def f(self, x):
                raise WrongValue("A", [Problem("x", str(x), "must be above 0", "1")])
            def g(self, x):
                raise WrongValue("A", [Problem("x", str(x), "must be above 0")])
            def h(self, x):
                raise WrongValue("A", [Problem("x", str(x), "is no size: write 1")])
            def i(self, x):
                raise WrongValue("A", [Problem("x", str(x), "is no size", instead="")])
            def j(self, x):
                raise InvalidValue("must be a number", "1")
            def k(self, x):
                raise UnknownName("rule", x, RULES)
            def l(self, x):
                raise WrongValue.of("A", "x", x, "must be above 0", "1")
            def m(self, x):
                raise WrongValue.of("A", "x", x, "must be above 0")
        """,
    )
    assert [each.instead for each in found] == [True, False, True, False, True, True, True, False]
    assert [each.function for each in found] == [f"A.{name}" for name in "fghijklm"]
    assert all(each.given for each in found)


def test_every_problem_of_a_list_is_asked(tmp_path: Path) -> None:
    all_have, one_lacks, passed_on = read(
        tmp_path,
        """
        def f(x):
            wrong = [Problem("x", x, "is wrong", "1")]
            raise WrongValue("f", wrong)

        def g(x):
            wrong = []
            wrong.append(Problem("x", x, "is wrong", "1"))
            wrong += [Problem("y", x, "is wrong")]
            if wrong:
                raise WrongValue("g", wrong)

        def h(x):
            raise WrongValue("h", found(x))

        def found(x):
            return [Problem("x", x, "is wrong", "1")]

        def i(x):
            raise WrongValue("i", hindrances(x))
        """,
    )
    assert (all_have.instead, one_lacks.instead, passed_on.instead) == (True, False, True)
    assert passed_on.function == "h"  # that of `i` passes on what another module found


def test_variables_constants_and_functions_are_followed(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        HINT = "Write 64."

        def f(x):
            raise ValueError(f"{x} is wrong. {HINT}")

        def g(x):
            told = "use SAME" if x else "pad it"
            raise ValueError(f"{x} does not fit: {told}")

        def h(x):
            raise ValueError(f"{x} is absent. {how(x)}")

        def how(x):
            return f"Put it into {x}."

        def i(x):
            raise missing(x)

        def missing(x):
            return ValueError(f"{x} is absent: install it")

        def j(x, text):
            raise ValueError(f"{x} is wrong. {text}")

        def k(x):
            error = ValueError(f"{x} is wrong: write 1")
            raise error
        """,
    )
    assert {each.function: each.instead for each in found} == {
        "f": True,
        "g": True,
        "h": True,
        "i": True,
        "j": False,
        "k": True,
    }


def test_functions_and_constants_of_other_modules_are_followed(tmp_path: Path) -> None:
    package = tmp_path / "pack"
    package.mkdir()
    (package / "texts.py").write_text(
        'HINT = "Write 64."\ndef absent(x):\n    return ValueError(f"{x} is absent: install it")\n'
    )
    (package / "user.py").write_text(
        "from pack.texts import HINT as hint, absent\n"
        "def f(x):\n    raise ValueError(f'{x} is wrong. {hint}')\n"
        "def g(x):\n    raise absent(x)\n"
        "def h(x):\n    raise ValueError(f'{x} is wrong. {HINT}')\n"
    )
    found = messages([Source(package / "user.py", tmp_path)], package)
    assert [each.text for each in found] == [
        "… is wrong. Write 64.",
        "… is absent: install it",
        "… is wrong. …",
    ]
    assert [each.instead for each in found] == [True, True, False]


def test_structured_errors_are_known_by_their_arguments(tmp_path: Path) -> None:
    file = tmp_path / "errors.py"
    file.write_text(
        textwrap.dedent(
            """
            @dataclass
            class Wrong:
                subject: str
                given: str = ""
                why: str = ""
                instead: str = ""

            class Refused(ValueError):
                def __init__(self, text: str, *, instead: str) -> None: ...

            class Several(ValueError):
                def __init__(self, owner, problems): ...

            class InAFile(Several): ...
            """
        ),
        "utf-8",
    )
    forms, carriers = error_forms([Source(file, tmp_path)])
    assert forms["Wrong"].given == (1, "given")
    assert forms["Wrong"].reason == (2, "why")
    assert forms["Refused"].given is None
    assert forms["Refused"].instead == (1, "instead")
    assert {"Several", "InAFile"} <= carriers


def test_control_flow_and_errors_passed_on_are_no_messages(tmp_path: Path) -> None:
    assert not read(
        tmp_path,
        """
        class A:
            def __getattr__(self, name):
                raise AttributeError(f"A has no {name}")

        def f(x):
            try:
                g()
            except ValueError as error:
                raise
            except TypeError as error:
                raise error
            except OSError as error:
                raise click.UsageError(str(error)) from None
            except WrongValue as wrong:
                raise WrongValue("f", wrong.problems) from None
            except InvalidValue as wrong:
                raise WrongValue("f", [Problem("x", x, wrong.reason, wrong.instead)]) from None
            except ShapeError as error:
                raise WrongValue("f", [Problem("x", x, str(error))]) from None
            raise StopIteration
            raise Stopped
            raise KeyboardInterrupt()
            raise NotImplementedError("later")
        """,
    )

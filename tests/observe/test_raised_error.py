"""What is read of an error: the statement, the layer, the tensors, and what ends a graph."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from netwise.errors import named
from netwise.observe.raised_error import MOST_TEXT, program_error_of
from netwise.program_error import BACKWARD, DATA, FORWARD, LOSS, STEP, ProgramError


def raised(program: Callable[[], object]) -> ProgramError:
    try:
        program()
    except Exception as error:
        found = program_error_of(error)
        assert found is not None
        return found
    raise AssertionError("the program raised nothing")


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        hidden = x * scale; return self.fc(hidden)  # fmt: skip  # noqa: E702


def test_the_layer_has_its_name_in_the_outermost_module() -> None:
    outer = nn.Sequential(nn.Identity(), nn.ModuleDict({"a": Inner()})["a"])
    error = raised(lambda: outer(torch.zeros(4, 5)))
    assert error.layer == "1.fc"
    assert error.layer_text == "Linear(in_features=3, out_features=2, bias=True)"
    assert error.inputs == ((4, 5),)
    assert error.stage == FORWARD
    assert error.code == "return self.fc(hidden)"  # the second statement of its line
    assert error.tensors == {"hidden": "4 x 5 float32"}


def test_the_stage_is_that_of_the_innermost_code_of_torch() -> None:
    x, w = torch.zeros(4, 3), torch.zeros(3, requires_grad=True)

    def step() -> None:
        optimizer = torch.optim.SGD([w], lr=0.1)
        w.grad = torch.zeros(3)
        w.grad.data = torch.zeros(2)
        optimizer.step()

    def data() -> None:
        next(iter(torch.utils.data.DataLoader([torch.zeros(2), torch.zeros(3)], batch_size=2)))  # type: ignore[arg-type]

    assert raised(lambda: nn.functional.cross_entropy(x, x[:2])).stage == LOSS
    assert raised(lambda: nn.CrossEntropyLoss()(x, torch.full((4,), 7))).stage == LOSS
    assert raised(lambda: x.sum().backward()).stage == BACKWARD
    assert raised(data).stage == DATA
    assert raised(step).stage == STEP
    assert raised(lambda: [][0]).stage == ""  # type: ignore[index]


def test_attributes_are_read_and_no_code_of_the_program_runs() -> None:
    class Holder:
        called = 0

        def __init__(self) -> None:
            self.x = torch.zeros(2)

        @property
        def y(self) -> Tensor:
            Holder.called += 1
            return torch.zeros(3)

    holder = Holder()

    def program() -> None:
        holder.x + holder.y

    assert raised(program).tensors == {"holder.x": "2 float32"}
    assert Holder.called == 1  # by the program itself


def test_only_cuts_of_the_loop_around_the_statement_count() -> None:
    net = nn.Linear(3, 1)

    def program() -> None:
        before = net(torch.zeros(2, 3)).detach()
        for _ in range(2):
            loss = before.sum() + net(torch.zeros(2, 3)).data.sum()
            loss.backward()

    error = raised(program)
    assert len(error.cuts) == 1
    assert error.cuts[0].endswith(": .data")
    assert (error.trainable, error.frozen) == (4, 0)


def test_ctrl_c_and_the_end_of_a_program_are_none() -> None:
    assert program_error_of(KeyboardInterrupt()) is None
    assert program_error_of(SystemExit(1)) is None


def test_an_error_without_a_traceback_has_its_message() -> None:
    assert program_error_of(ValueError("a\n b")) == ProgramError("ValueError", "a b")


class Unprintable(ValueError):
    def __init__(self, answer: object) -> None:
        self.answer = answer

    def __str__(self) -> str:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer  # type: ignore[return-value]


@pytest.mark.parametrize("answer", [5, None, KeyError("x"), SystemExit(7)], ids=repr)
def test_an_error_whose_own_code_fails_has_no_message(answer: object) -> None:
    def program() -> None:
        raise Unprintable(answer)

    error = raised(program)
    assert (error.kind, error.message) == ("Unprintable", "")
    assert error.place.startswith("test_raised_error.py:")
    assert named(Unprintable(answer)) == "Unprintable"


def test_a_message_of_any_length_and_form_is_one_short_line() -> None:
    def program() -> None:
        raise ValueError("9\n" * 10**6)

    assert len(raised(program).message) <= MOST_TEXT
    assert named(ValueError("9\n" * 10**6), most=9) == "ValueError: 9 9 9 9 9"

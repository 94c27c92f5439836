"""Parts of the observer that fail stop nothing, and are not called again."""

from __future__ import annotations

import torch

from netwise.observe.guard import Guard


def test_a_part_that_fails_is_switched_off_and_the_others_go_on() -> None:
    failed: list[str] = []
    guard, calls = Guard(failed.append), []

    def fails() -> None:
        calls.append("fails")
        raise ValueError("no such layer")

    for _ in range(2):
        assert guard.safely("layers", fails) is None
        assert guard.safely("rows", lambda: 3) == 3
    assert (calls, failed) == (["fails"], ["layers"])
    assert guard.switched_off == {"layers": "ValueError: no such layer"}


def test_parts_run_without_gradients_and_leave_them_on() -> None:
    guard = Guard(lambda part: None)
    assert guard.safely("outer", lambda: guard.safely("inner", torch.is_grad_enabled)) is False
    assert torch.is_grad_enabled()

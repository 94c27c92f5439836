"""Named streams are independent, repeatable, and leave torch's own generator alone."""

from __future__ import annotations

import torch
from hypothesis import given, strategies as st

from netwise import random_streams


@given(st.integers(0, 2**63 - 1), st.integers(0, 100), st.integers(0, 100))
def test_equal_names_give_equal_draws_and_others_do_not(seed: int, epoch: int, step: int) -> None:
    draw = lambda *name: torch.rand(4, generator=random_streams.generator(*name)).tolist()  # noqa: E731
    assert draw(seed, "order", epoch, step) == draw(seed, "order", epoch, step)
    others = [
        draw(seed, "augment", epoch, step),
        draw(seed, "order", epoch + 1, step),
        draw(seed, "order", epoch, step + 1),
    ]
    assert draw(seed, "order", epoch, step) not in others


def test_the_global_generator_is_put_back() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with random_streams.global_seed(0, random_streams.INIT):
        first = torch.rand(2)
    with random_streams.global_seed(0, random_streams.INIT):
        assert torch.equal(torch.rand(2), first)
    assert torch.equal(torch.rand(2), expected)


def test_the_global_generator_is_seeded_as_torch_does_it() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(4)
    random_streams.seed_global(5)
    assert torch.equal(torch.rand(4), wanted)

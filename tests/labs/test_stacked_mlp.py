"""A stack computes what its networks compute one by one."""

from __future__ import annotations

import torch
from torch import nn

from netwise.labs.stacked_mlp import losses, new_stack, outputs


def test_a_stack_is_its_networks_one_by_one() -> None:
    stack = new_stack((5, 4, 3), [0, 7])
    g = torch.Generator().manual_seed(1)
    x, y = torch.randn(6, 5, generator=g), torch.randint(0, 3, (6,), generator=g)
    loss, accuracy = losses(stack, x, y)
    for i in range(2):
        network = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
        for parameter, values in zip(network.parameters(), stack, strict=True):
            parameter.data = values[i].T.reshape(parameter.shape).detach()
        torch.testing.assert_close(network(x), outputs(stack, x)[i])
        torch.testing.assert_close(nn.functional.cross_entropy(network(x), y), loss[i])
        assert accuracy[i] == (network(x).argmax(1) == y).float().mean()


def test_equal_seeds_start_alike_and_others_do_not() -> None:
    first = new_stack((5, 4, 3), [0, 7, 0])[0]
    assert torch.equal(first[0], first[2])
    assert not torch.equal(first[0], first[1])

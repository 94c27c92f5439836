"""What distributes a module; with two processes see tests/integrations/test_distributed.py."""

from __future__ import annotations

import torch
from torch import nn

import netwise as nw
from netwise.observe.distribution import distributed_by, distribution, processes, unwrapped
from netwise.observe.observed_parts import Root


class FSDPModule:
    """Stands for the class that `fully_shard` adds to a module's own."""


class Sharded(FSDPModule, nn.Linear):
    pass


def test_a_module_of_one_process_is_distributed_by_nothing() -> None:
    module = nn.Linear(2, 1)
    assert unwrapped(module) is module
    assert distributed_by(module) == ""
    assert distribution([Root(module)]) == ()
    assert processes() == 1


def test_fsdp2_is_known_by_the_class_that_it_adds() -> None:
    module = Sharded(2, 1)
    root = Root(module)
    root.distributed_by = distributed_by(module)
    assert distribution([root, root]) == ("FSDP2",)


def test_weights_have_the_names_of_the_module_inside_of_a_wrapper() -> None:
    """Whether it is evaluated in its wrapper or without."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    wrapper = nn.DataParallel(model)
    optimizer = torch.optim.SGD(model[0].parameters(), lr=0.1)
    x, y = torch.randn(32, 4), torch.randint(3, (32,))
    with nw.watch() as w:
        for _ in range(6):
            optimizer.zero_grad()
            nn.functional.cross_entropy(wrapper(x), y).backward()
            optimizer.step()
            with torch.no_grad():
                model(torch.randn(32, 4))
    (history,) = w.histories().values()
    assert history.wiring.module == "wrapper"
    assert history.wiring.in_no_optimizer == ("2.bias", "2.weight")
    assert history.wiring.frameworks == ("DataParallel",)
    assert [layer.name for layer in history.layers] == ["0", "2"]

"""Copies of modules: independent, without the program's hooks; and why some are not made."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import weight_norm

from netwise.observe.module_copy import CannotCopy, copy_of, outputs_of
from netwise.observe.undisturbed import undisturbed


def test_a_copy_has_the_numbers_and_shares_nothing() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    module(torch.randn(5, 3)).sum().backward()
    copied = copy_of(module)
    for name, value in module.state_dict().items():
        other = copied.state_dict()[name]
        assert torch.equal(value, other)
        assert value.data_ptr() != other.data_ptr()
    assert all(p.grad is None for p in copied.parameters())
    assert all(p.grad is not None for p in module.parameters())


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_hooks_of_the_program_are_left_out_and_those_of_torch_kept() -> None:
    calls: list[int] = []
    module = weight_norm(nn.Linear(3, 2))
    module.register_forward_hook(lambda *_: calls.append(1))
    x = torch.ones(4, 3)
    expected = module(x)
    copied = copy_of(module)
    with torch.no_grad():
        copied.weight_g.mul_(2)
        copied.bias.zero_()
        module_output = expected - module.bias
    assert torch.allclose(copied(x), 2 * module_output)
    assert calls == [1]
    assert len(module._forward_hooks) == 1


class KeepsItsOutput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.last: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.last = [self.layer(x)]
        return self.last[0]


def test_a_module_that_keeps_tensors_with_a_graph_is_copied() -> None:
    module = KeepsItsOutput()
    kept = module(torch.ones(2, 3))
    copied = copy_of(module)
    assert isinstance(copied, KeepsItsOutput)
    assert torch.equal(copied.last[0], kept)
    assert copied.last[0].grad_fn is None
    assert module.last[0] is kept


@pytest.mark.filterwarnings("ignore:.*jit.script:DeprecationWarning")
def test_reasons_why_a_module_is_not_copied() -> None:
    with pytest.raises(CannotCopy, match="takes 0 MB"):
        copy_of(nn.Linear(10, 10), most_bytes=100)
    with_lock = nn.Linear(2, 2)
    with_lock.lock = threading.Lock()
    with pytest.raises(CannotCopy, match="cannot be copied .TypeError"):
        copy_of(with_lock)
    with pytest.raises(CannotCopy, match="compiled"):
        copy_of(torch.jit.script(nn.Linear(2, 2)))


def test_outputs_in_a_mode_leave_the_modes() -> None:
    module = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5).eval())
    x = torch.ones(200)
    with undisturbed(module):
        (quiet,) = outputs_of(module, (x,), {}, training=False)
        (noisy,) = outputs_of(module, (x,), {}, training=None)
        (again,) = outputs_of(module, (x,), {}, training=None)
        (other,) = outputs_of(module, (x,), {}, training=None, seed=1)
    assert torch.equal(quiet, x)
    assert torch.equal(noisy, again)
    assert not torch.equal(noisy, other)
    assert [part.training for part in module] == [True, False]


class CallsByFunction(nn.Module):
    """Its forward pass goes through a function that was made in `__init__`."""

    def __init__(self, held: str) -> None:
        super().__init__()
        self.layer = layer = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
        if held == "closure":
            self.apply_layer = lambda x: layer(x)
        elif held == "method":
            forward = layer.forward
            self.apply_layer = lambda x: forward(x)
        elif held == "list":
            self.steps = [torch.relu, lambda x, layer=layer: layer(x)]
        else:
            self.apply_layer = lambda x: x + 1

    def forward(self, x: Tensor) -> Tensor:
        return self.apply_layer(x)


@pytest.mark.parametrize("held", ["closure", "method", "list"])
def test_a_function_that_holds_a_layer_would_be_shared(held: str) -> None:
    with pytest.raises(CannotCopy, match="is a function that holds a layer"):
        copy_of(nn.Sequential(CallsByFunction(held)))


def test_functions_that_hold_no_layer_and_hooks_are_no_reason() -> None:
    module = CallsByFunction("nothing")
    module.register_forward_hook(lambda m, args, output, layer=module.layer: None)
    assert isinstance(copy_of(module), CallsByFunction)

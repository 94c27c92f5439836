"""Which tensors can be read, and the numbers of several at once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.readable import readable, values_of


class Picture(Tensor):
    """A tensor of a class of its own, as `torchvision.tv_tensors` has them."""


def test_a_plain_tensor_shares_its_memory_and_has_no_graph() -> None:
    weight = nn.Linear(2, 3).weight
    values = readable(weight)
    assert values is not None
    assert type(values) is Tensor
    assert not values.requires_grad
    assert values.data_ptr() == weight.data_ptr()


def test_a_subclass_is_read_as_a_plain_tensor() -> None:
    values = readable(torch.ones(2).as_subclass(Picture))
    assert type(values) is Tensor


@pytest.mark.parametrize(
    "tensor",
    [torch.zeros(2, device="meta"), nn.LazyLinear(2).weight],
    ids=["meta", "uninitialised"],
)
def test_a_tensor_without_numbers_is_not_read(tensor: Tensor) -> None:
    assert readable(tensor) is None


def test_tensors_inside_of_vmap_are_not_read() -> None:
    found = []

    def function(x: Tensor) -> Tensor:
        found.append(readable(x))
        return x

    torch.func.vmap(function)(torch.ones(3, 2))
    assert found == [None]


def test_fake_tensors_are_not_read() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        assert readable(torch.zeros(2)) is None


def test_values_of_several_dtypes_keep_their_order() -> None:
    scalars = [torch.tensor(1.5, dtype=torch.float64), torch.tensor(2), torch.tensor(0.5).half()]
    assert values_of(scalars) == [1.5, 2.0, 0.5]
    assert values_of([]) == []


def test_of_a_sharded_tensor_the_part_of_this_process_is_read() -> None:
    distributed = pytest.importorskip("torch.distributed")
    if not distributed.is_available():
        pytest.skip("torch was built without torch.distributed")
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import DTensor, Partial, Shard, distribute_tensor

    store = distributed.HashStore()
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cpu", (1,))
        whole = torch.arange(6.0).reshape(3, 2)
        values = readable(distribute_tensor(whole, mesh, [Shard(0)]).requires_grad_())
        assert type(values) is Tensor
        assert torch.equal(values, whole)
        assert readable(DTensor.from_local(whole, mesh, [Partial()])) is None
    finally:
        distributed.destroy_process_group()

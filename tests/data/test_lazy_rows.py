"""Rows that stay on the host: what is sent to a device, and how. The device is torch's "meta", or a
fake: nothing here needs a real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import torch

import netwise as nw
from netwise.data.lazy_rows import LazyRows, are_lazy, free_memory, on_device, sent

META = torch.device("meta")


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(50, 3, 4, generator=torch.Generator().manual_seed(0))


def test_inputs_that_fit_twice_are_on_the_device(x: torch.Tensor) -> None:
    there = on_device(x, META, free=2 * x.nbytes + 1)
    assert there.device == META
    assert not are_lazy(there)


def test_inputs_that_do_not_fit_send_their_batches(x: torch.Tensor) -> None:
    there = on_device(x, META, free=2 * x.nbytes)
    assert isinstance(there, LazyRows)
    assert there.store is x
    assert there.device == META
    batch = there.index_select(0, torch.tensor([4, 2]))
    assert batch.device == META
    assert batch.shape == (2, 3, 4)
    assert not are_lazy(batch)


def test_rows_on_the_host_are_those_of_the_inputs(x: torch.Tensor) -> None:
    rows = torch.tensor([7, 0, 7])
    assert torch.equal(LazyRows.of(x, device=x.device).index_select(0, rows), x[rows])


def test_steps_are_applied_where_they_were_fitted(x: torch.Tensor) -> None:
    """And what they give is sent: a step holds tensors of the host."""
    step = nw.Standardise()
    there = LazyRows.of(x, device=META).then(partial(step.apply, fitted=step.fit(x)))
    assert there.index_select(0, torch.tensor([4, 2])).device == META
    assert isinstance(there.to(META.type), torch.Tensor)
    here = LazyRows.of(x).then(partial(step.apply, fitted=step.fit(x)))
    rows = torch.tensor([4, 2])
    assert torch.equal(here.index_select(0, rows), step.apply(x[rows], step.fit(x)))


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64, torch.uint8])
def test_what_is_not_float32_keeps_its_type(dtype: torch.dtype) -> None:
    assert on_device(torch.ones(5, 2, dtype=dtype), META, free=0).dtype == dtype


def test_inputs_that_are_there_stay_as_they_are(x: torch.Tensor) -> None:
    assert on_device(x, torch.device("cpu"), free=0) is x


def test_only_cuda_devices_are_asked_for_their_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: asked.append(device) or (7, 9))
    assert free_memory(torch.device("cpu")) == float("inf")
    assert asked == []
    assert free_memory(torch.device("cuda", 1)) == 7
    assert asked == [torch.device("cuda", 1)]


@dataclass
class FakeRows:
    """Rows on a device, with a record of what is done to them."""

    device: torch.device
    done: list[Any] = field(default_factory=list)

    def pin_memory(self) -> FakeRows:
        self.done.append("pinned")
        return self

    def to(self, device: torch.device, non_blocking: bool = False) -> FakeRows:
        self.done.append((device.type, non_blocking))
        return self


@pytest.mark.parametrize(
    ("source", "target", "done"),
    [
        ("cpu", "cuda", ["pinned", ("cuda", True)]),
        ("cuda", "cuda", [("cuda", False)]),
        ("cpu", "cpu", [("cpu", False)]),
        ("cpu", "mps", [("mps", False)]),
    ],
)
def test_rows_for_a_cuda_device_are_pinned_and_not_waited_for(
    source: str, target: str, done: list[Any]
) -> None:
    rows: Any = FakeRows(torch.device(source))
    sent(rows, torch.device(target))
    assert rows.done == done

"""`Ranks`: the processes that train one model together, and what they tell each other.

The training loop asks a `Ranks` wherever the number of processes matters. A lone process has
`ALONE`, for which every question has a trivial answer.

Each batch is that of one process: its rows are shared out, and the gradients of the shares are
added, weighted by their rows. So the recipe, the order of the samples, the learning rate and the
history mean the same whatever the number of processes.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from netwise.errors import ProcessFailed, named
from netwise.training.ranks.launched import Launched, launched, use_store

T = TypeVar("T")
BUCKET_BYTES = 25 * 2**20  # of one message, as torch's DistributedDataParallel has it
AGAIN = ". Start all processes again"
_FAILED = "netwise/failed"
_OWN: list[bool] = []  # whether netwise has opened the connections, and so closes them
_BROKEN: list[str] = []  # why the processes cannot talk to each other any more


@dataclass(frozen=True)
class Ranks:
    """Processes that train one model.

    Args:
        rank: number of this process, from 0.
        size: how many there are.
        backend: of torch.distributed that sends the gradients; "" for a lone process.
        local_rank: number of this process on its machine.
    """

    rank: int = 0
    size: int = 1
    backend: str = ""
    local_rank: int = 0

    @property
    def alone(self) -> bool:
        """Whether nothing has to be sent."""
        return not self.backend

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run folder and decides."""
        return self.rank == 0

    def plain(self) -> dict[str, Any]:
        """For the folder of a run; nothing of a lone process."""
        if self.alone:
            return {}
        return {"processes": {"count": self.size, "backend": self.backend}}

    def device(self, name: str) -> torch.device:
        """The device of this process: of several CUDA devices the one with its own number."""
        device = torch.device(name)
        if self.alone or device.type != "cuda":
            return device
        return torch.device("cuda", self.local_rank)

    def stream(self, name: str) -> str:
        """The random stream `name` of this process: the first one has that of a lone process."""
        return name if self.is_first else f"{name}/{self.rank}"

    def share(self, rows: Tensor) -> tuple[Tensor, float]:
        """This process's rows of a batch, and which share of the batch they are.

        Where there are fewer rows than processes, one without rows computes the first row with a
        share of 0: all processes have to send the same messages.

        Example:
            >>> import torch
            >>> from netwise.training.ranks.ranks import Ranks
            >>> rows, share = Ranks(rank=1, size=2, backend="gloo").share(torch.arange(5))
            >>> rows.tolist(), share
            ([3, 4], 0.4)
        """
        if self.alone:
            return rows, 1.0
        own = rows.tensor_split(self.size)[self.rank]
        return (own, len(own) / len(rows)) if len(own) else (rows[:1], 0.0)

    # ---- what they tell each other

    def add(self, tensors: Sequence[Tensor], scale: float = 1.0) -> None:
        """Replace each tensor by its sum over all processes, in place; all get the same bits.

        Args:
            tensors: of equal shapes in all processes.
            scale: of what this process adds.
        """
        if self.alone:
            return
        with self._connected():
            sent = []
            for bucket in _buckets(tensors):
                flat = torch.cat([tensor.reshape(-1) for tensor in bucket]).mul_(scale)
                sent.append((distributed.all_reduce(flat, async_op=True), flat, bucket))
            for work, flat, bucket in sent:
                work.wait()
                pieces = flat.split([tensor.numel() for tensor in bucket])
                shaped = [p.view(t.shape) for p, t in zip(pieces, bucket, strict=True)]
                torch._foreach_copy_(list(bucket), shaped)

    def total(self, *numbers: float) -> list[float]:
        """The sum of each number over all processes."""
        if self.alone:
            return list(numbers)
        values = torch.tensor(numbers, dtype=torch.float64)
        self.add([values])
        return values.tolist()

    def number_of_first(self, number: float) -> float:
        """The number that the first process has."""
        return self.total(number if self.is_first else 0.0)[0]

    def all(self, found: bool) -> bool:
        """Whether all processes have found this."""
        return found if self.alone else self.total(float(not found)) == [0.0]

    def first_found(self, found: T | None) -> T | None:
        """What the first process that has found something has found."""
        if self.alone:
            return found
        return next((each for each in self.gather(found) if each is not None), None)

    def gather(self, value: T) -> list[T]:
        """What each process has, in their order."""
        if self.alone:
            return [value]
        everything: list[Any] = [None] * self.size
        with self._connected():
            distributed.all_gather_object(everything, value)
        return everything

    def tensors_of_all(self, tensor: Tensor) -> list[Tensor]:
        """The tensor that each process has, all of one shape, in their order."""
        if self.alone:
            return [tensor]
        tensor = tensor.contiguous()
        everything = [torch.empty_like(tensor) for _ in range(self.size)]
        with self._connected():
            distributed.all_gather(everything, tensor)
        return everything

    def from_first(self, make: Callable[[], T]) -> T:
        """What the first process makes, in all of them.

        Raises:
            ProcessFailed: in the others, where `make` failed in the first.
        """
        if self.alone:
            return make()
        answer: list[Any] = [None]
        with self.agreed():
            if self.is_first:
                answer = [make()]
        with self._connected():
            distributed.broadcast_object_list(answer, src=0)
        made: T = answer[0]
        return made

    @torch.no_grad()
    def use_tensors_of_first(self, tensors: Sequence[Tensor]) -> None:
        """Give these tensors the values that they have in the first process."""
        if not self.alone:
            with self._connected():
                for tensor in tensors:
                    distributed.broadcast(tensor, src=0)

    # ---- how they fail

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """At the end of the block all processes have done it, or all raise. Inside, a process must
        not wait for the others, except in a block that is agreed as well.

        Raises:
            ProcessFailed: in the processes that did not fail themselves.
        """
        if self.alone:
            yield
            return
        try:
            yield
        except Exception as error:
            if not _BROKEN:
                self.gather(named(error, 2000))
            raise
        for rank, reason in enumerate(self.gather("")):
            if reason:
                raise ProcessFailed(
                    f"process {rank} of {self.size} has failed ({reason.rstrip('.')}). Correct "
                    "that, and start all of them again"
                )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside, an error of this process ends all others: they would wait for it."""
        try:
            yield
        except BaseException as error:
            if not self.alone:
                self._leave(f"process {self.rank} of {self.size} has failed. {error!r}"[:2000])
            raise

    def _leave(self, reason: str) -> None:
        """Tell why, and close the connections, so that nobody waits for this process."""
        if _BROKEN:
            return
        _BROKEN.append(reason)
        with suppress(Exception):
            _store().set(_FAILED, reason)
        with suppress(Exception):
            if _OWN:
                distributed.destroy_process_group()

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Errors of a connection as errors of netwise."""
        if _BROKEN:
            raise ProcessFailed(f"{_BROKEN[0].rstrip('.')}{AGAIN}")
        try:
            yield
        except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
            reason = ""
            with suppress(Exception):
                store = _store()
                reason = store.get(_FAILED).decode() if store.check([_FAILED]) else ""
            ended = f"another of the {self.size} processes of this run has ended or was killed"
            self._leave(reason or ended)
            what = (reason or ended).rstrip(".")
            raise ProcessFailed(f"{what}{AGAIN}") from error


ALONE = Ranks()


def joined(device: str) -> Ranks:
    """The processes that `torchrun` has started, connected with each other; `ALONE` without it.

    Connections that the program has opened itself are used. Others are opened once, and closed when
    the process ends.

    Args:
        device: of torch, that computes: "cuda" sends gradients by NCCL, others by gloo.
    """
    process = launched()
    if process is None:
        return ALONE
    on_cuda = device.partition(":")[0] == "cuda"
    if not distributed.is_initialized():
        _meet(process, on_cuda)
    return Ranks(
        distributed.get_rank(),
        distributed.get_world_size(),
        "nccl" if on_cuda else "gloo",
        process.local_rank,
    )


def _meet(process: Launched, on_cuda: bool) -> None:
    """Open the connections; small messages are on the CPU, so that no device is waited for."""
    import atexit

    backend = "gloo"
    if on_cuda and torch.cuda.is_available():
        backend = "cpu:gloo,cuda:nccl"
        if process.local_rank < torch.cuda.device_count():
            torch.cuda.set_device(process.local_rank)
    distributed.init_process_group(backend)
    _OWN.append(True)
    use_store(_store())

    def close() -> None:
        with suppress(Exception):
            if distributed.is_initialized():
                distributed.destroy_process_group()

    atexit.register(close)


def _store() -> Any:
    return distributed.distributed_c10d._get_default_store()


def _buckets(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Tensors of one type that are sent in one message."""
    for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
        bucket: list[Tensor] = []
        size = 0
        for tensor in tensors:
            if tensor.dtype == dtype:
                bucket.append(tensor)
                size += tensor.nbytes
                if size >= BUCKET_BYTES:
                    yield bucket
                    bucket, size = [], 0
        if bucket:
            yield bucket

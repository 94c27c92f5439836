"""One process of two that train together: `python distributed_program.py RANK FILE KIND FAULT`.

Prints what was found and observed as one line of JSON. FILE is a new file where both processes
meet; KIND is "ddp" or "fsdp".
"""

from __future__ import annotations

import json
import sys

import torch
from torch import distributed, nn
from torch.nn import functional as F

import netwise as nw
from framework_checks import (
    BATCH,
    EPOCHS,
    RATE,
    Network,
    Numbers,
    assert_same,
    classes,
    names,
    numbers,
)

PROCESSES = 2


def wrapped(kind: str, model: nn.Module) -> nn.Module:
    if kind == "ddp":
        return nn.parallel.DistributedDataParallel(model)
    from torch.distributed.fsdp import fully_shard  # only where it is used: it is slow to import

    fully_shard(model.last)
    fully_shard(model)
    return model


def train(kind: str, fault: str) -> Numbers:
    """Each process takes every second batch. "head" gives the optimizer all weights but those of
    the last layer."""
    torch.manual_seed(0)
    model = wrapped(kind, Network(fault=fault))
    torch.manual_seed(1 + distributed.get_rank())
    held = [weight for name, weight in model.named_parameters() if "last" not in name]
    optimizer = torch.optim.AdamW(held if fault == "head" else model.parameters(), lr=RATE)
    x, y = classes()
    order, losses = torch.Generator().manual_seed(2), []
    for _ in range(EPOCHS):
        batches = torch.randperm(len(x), generator=order).split(BATCH)
        for rows in batches[distributed.get_rank() :: PROCESSES]:
            loss = F.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    trained = numbers(model, losses)
    return {
        name: value.to_local() if hasattr(value, "to_local") else value
        for name, value in trained.items()
    }


def main(rank: int, meeting: str, kind: str, fault: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=PROCESSES
    )
    alone = train(kind, fault)
    with nw.watch() as w:
        watched = train(kind, fault)
    assert_same(alone, watched)
    history = w.history()
    wiring = history.wiring
    print(
        json.dumps(
            {
                "rank": rank,
                "errors": w.errors,
                "names": names(history),
                "last loss": float(watched["losses"][-8:].mean()),
                "frameworks": wiring.frameworks,
                "in no optimizer": wiring.in_no_optimizer,
                "not observed": dict(wiring.not_observed),
                "signals": sorted({signal for signal, _ in history.series}),
            }
        )
    )
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])

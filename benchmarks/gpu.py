"""Speed of training steps on a CUDA device, beside a tuned loop of the same network.

    scripts/gpu_check                tests on the device, then this
    python benchmarks/gpu.py --json FILE

ResNet-18 for 32 x 32 pictures (batch 256) and a small dense network, on random numbers that lie on
the device. Contestants run in turn; a time is the median over the rounds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw

ROUNDS = 5
Contestants = dict[str, Callable[[], float]]


class Block(nn.Module):
    def __init__(self, a: int, b: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            *(nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()),
            *(nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)),
        )
        self.short = (
            nn.Identity()
            if stride == 1 and a == b
            else nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.path(x) + self.short(x))


def resnet18() -> nn.Module:
    widths = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1)]
    widths += [(128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()),
        *(Block(*w) for w in widths),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)),
    )


def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def tuned(build: Callable[[], nn.Module], x: Tensor, y: Tensor, batch: int, low: bool) -> float:
    """Seconds of a step of a loop written by hand: data on the device, fused optimizer, channels
    last under autocast."""
    layout = torch.channels_last if x.dim() == 4 and low else torch.contiguous_format
    model = build().cuda().to(memory_format=layout)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)

    def epoch() -> None:
        for rows in torch.randperm(len(x), device="cuda").split(batch):
            inputs = x.index_select(0, rows).contiguous(memory_format=layout)
            with torch.autocast("cuda", torch.bfloat16) if low else nullcontext():
                outputs = model(inputs)
            loss = F.cross_entropy(outputs.float(), y.index_select(0, rows))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    epoch()
    torch.cuda.synchronize()
    started = time.perf_counter()
    epoch()
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / (len(x) // batch)


def watched(build: Callable[[], nn.Module], x: Tensor, y: Tensor, batch: int, low: bool) -> float:
    """The same loop inside of a block of `watch`."""
    with nw.watch():
        return tuned(build, x, y, batch, low)


def netwise_step(
    build: Callable[[], nn.Module],
    data: nw.data.Data,
    batch: int,
    precision: str | None,
    watch_every: int | None,
) -> float:
    """Seconds of a step of `fit`: the difference of a long and a short run, so that what is done
    once does not count."""
    seconds = []
    for epochs in (1, 3):
        recipe = nw.Recipe(
            data=data,
            network=nw.CustomNetwork(build),
            optimizer=nw.SGD(lr=0.01, momentum=0.9),
            batch_size=batch,
            epochs=epochs,
        )
        torch.cuda.synchronize()
        started = time.perf_counter()
        nw.fit(recipe, device="cuda", precision=precision, watch_every=watch_every, test=False)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    rows = len(data.load().train)
    return (seconds[1] - seconds[0]) / (2 * (rows // batch))


def measure(name: str, build: Callable[[], nn.Module], x: Tensor, y: Tensor, batch: int) -> dict:
    """Microseconds of a step of each contestant."""
    data = nw.data.arrays(x, y, valid=0.0, test=0.0)
    on_device = x.cuda(), y.cuda()
    contestants: Contestants = {}
    for low in (False, True):
        precision = "bfloat16" if low else None
        label = "bfloat16" if low else "as torch is set"
        contestants |= {
            f"tuned, {label}": lambda low=low: tuned(build, *on_device, batch, low),
            f"tuned and watched, {label}": lambda low=low: watched(build, *on_device, batch, low),
            f"fit, {label}": lambda p=precision: netwise_step(build, data, batch, p, 0),
            f"fit with signals, {label}": lambda p=precision: netwise_step(
                build, data, batch, p, None
            ),
        }
    times: dict[str, list[float]] = {key: [] for key in contestants}
    for _ in range(ROUNDS):
        for key, run in contestants.items():
            times[key].append(run())
    medians = {key: round(1e6 * median(values), 1) for key, values in times.items()}
    for key, value in medians.items():
        base = medians["tuned, " + key.split(", ", 1)[1]]
        print(f"{name}: {key}: {value:.0f} us a step, {value / base:.2f} of tuned", flush=True)
    return medians


def main() -> None:
    if not torch.cuda.is_available():
        sys.exit("benchmarks/gpu.py: torch finds no CUDA device; nothing was measured.")
    g = torch.Generator().manual_seed(0)
    results = {
        "date": date.today().isoformat(),
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "ResNet-18, 32 x 32, batch 256": measure(
            "ResNet-18",
            resnet18,
            torch.randn(256 * 24, 3, 32, 32, generator=g),
            torch.randint(10, (256 * 24,), generator=g),
            256,
        ),
        "784-256-10, batch 128": measure(
            "784-256-10",
            dense,
            torch.randn(128 * 200, 784, generator=g),
            torch.randint(10, (128 * 200,), generator=g),
            128,
        ),
    }
    if "--json" in sys.argv:
        path = Path(sys.argv[sys.argv.index("--json") + 1])
        path.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()

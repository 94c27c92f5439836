"""Histories and reports made by hand, for tests of rules."""

from __future__ import annotations

import torch

import netwise as nw
from netwise import signals

LAYERS = tuple(nw.Layer(f"layer{i}", "Linear", 30, 30, "Sigmoid") for i in range(1, 5))
GUESS = 2.3  # loss of guessing


def history(
    by_layer: dict[str, list[list[float]]] | None = None,
    whole: dict[str, list[float]] | None = None,
    layers: tuple[nw.Layer, ...] = LAYERS,
    final: float = 2.3,
    facts: nw.RunFacts = nw.RunFacts(loss_of_guessing=GUESS),
    ended: nw.RunEnd = nw.RunEnd("finished", "Done.", 100),
) -> nw.History:
    """A run with these series: for each signal a list for each layer, and for the whole network."""
    series = {
        (name, layer.name): nw.Series(tuple(range(0, 10 * len(v), 10)), tuple(v))
        for name, rows in (by_layer or {}).items()
        for layer, v in zip(layers, rows, strict=False)
    }
    series |= {
        (name, ""): nw.Series(tuple(range(0, 10 * len(v), 10)), tuple(v))
        for name, v in (whole or {}).items()
    }
    series.setdefault((signals.TRAIN_LOSS, ""), nw.Series((50, 99), (final, final)))
    return nw.History(series, layers, facts, ended)


def observed(
    whole: dict[str, list[float]] | None = None,
    layers: tuple[nw.Layer, ...] = LAYERS,
    facts: nw.RunFacts = nw.RunFacts(loss_of_guessing=GUESS),
    final: float = 2.3,
    by_layer: dict[str, list[list[float]]] | None = None,
    **wiring: object,
) -> nw.History:
    """An observed loop with these series of the whole network and these facts of its wiring."""
    run = history(by_layer, whole, layers, final, facts)
    return run.but(wiring=nw.Wiring(module="Net", **wiring))  # type: ignore[arg-type]


def flat(*values: float, steps: int = 8) -> list[list[float]]:
    """Constant series, one for each layer."""
    return [[value] * steps for value in values]


def found(answer: object) -> nw.Finding:
    """The answer of a rule, which must be a finding."""
    assert isinstance(answer, nw.Finding), answer
    return answer


INPUTS = torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
CLASSES = INPUTS.argmax(1)


def report_of_a_loop(
    clear: bool = True, shuffle: bool = True, accumulate: int = 1, frozen: bool = False
) -> nw.Report:
    """The diagnosis of a hand-written loop, with a fault that no recipe can have.

    Args:
        clear: gradients are set to zero before each backward pass (or every `accumulate` steps).
        shuffle: batches are drawn at random; else the samples are sorted by class.
        accumulate: steps of the loop for one step of the optimizer.
        frozen: the optimizer has not got the first layer's weights.
    """
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 8))
    optimizer = torch.optim.SGD((model[2] if frozen else model).parameters(), lr=0.003)
    rows = torch.arange(400) if shuffle else torch.argsort(CLASSES, stable=True)
    with nw.watch(model, optimizer=optimizer, loss=torch.nn.functional.cross_entropy) as w:
        for step in range(60):
            batch = (torch.randperm(400) if shuffle else rows)[(step * 40) % 400 :][:40]
            if clear and step % accumulate == 0:
                model.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(INPUTS[batch]), CLASSES[batch])
            loss.backward()
            w.step(loss, CLASSES[batch])
            if (step + 1) % accumulate == 0:
                optimizer.step()
    return nw.diagnose(w.history())

"""Recipes whose network remembers its training inputs at once: no steps, a history all the same."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import torch

from netwise import random_streams, signals
from netwise.data.dataset import Samples
from netwise.history import FINISHED, History, Provenance, RunEnd, RunFacts, history_as_dict
from netwise.intervals import wilson
from netwise.networks.energy.hopfield import NOISE_SHARES, MemoryModule
from netwise.parts.preprocess import Fitted
from netwise.recipe.recipe import Recipe
from netwise.storage.run_folder import RunFolder
from netwise.tasks import MEMORY
from netwise.training.evaluate import Score
from netwise.training.run import InputPipeline, Run

JUDGED = 0.1  # share of turned units that the score is about: a tenth, as in the notes' experiments


def store_patterns(
    recipe: Recipe,
    samples: Samples,
    fitted: tuple[Fitted, ...],
    folder: RunFolder | None,
    versions: dict[str, str],
) -> Run:
    """Store the training part, then recall it from more and more noise: a row for each share of
    turned units."""
    began = time.monotonic()
    with random_streams.global_seed(recipe.seed, random_streams.INIT):
        memory = recipe.network.build()
    assert isinstance(memory, MemoryModule)
    memory.store(samples.train.x)
    seed = random_streams.seed_of(recipe.seed, random_streams.PROBE) % 2**31
    rows: list[dict[str, Any]] = []
    for step, (noise, recovered, overlap) in enumerate(memory.noise_curve(seed=seed)):
        rows.append(
            {
                "step": step,
                signals.MEMORY_NOISE: noise,
                signals.MEMORY_RECOVERED: recovered,
                signals.MEMORY_OVERLAP: overlap,
            }
        )
    rows[0] |= memory.signals()
    count = len(memory.patterns)
    found = round(rows[NOISE_SHARES.index(JUDGED)][signals.MEMORY_RECOVERED] * count)
    score = Score(
        "recall",
        found / count,
        *wilson(found, count),
        count,
        "each pattern with a tenth of its units turned",
    )
    ended = RunEnd(FINISHED, f"{count} patterns stored in {memory.patterns.shape[1]} units.", 0)
    made = Provenance(
        recipe.hash, versions, "cpu", torch.get_num_threads(), round(time.monotonic() - began, 3)
    )
    history = History.from_rows(rows, (), RunFacts(task=MEMORY, train_size=count), ended, made)
    pipeline = InputPipeline.of(samples, fitted)
    if folder is not None:
        folder.append(rows)
        folder.write_weights(
            {**{f"model.{k}": v for k, v in memory.state_dict().items()}, **pipeline.tensors()}
        )
        told = {
            **history_as_dict(History({}, (), history.facts, ended, made)),
            "fingerprint": samples.fingerprint,
            "intake": pipeline.plain(),
        }
        folder.write_about({**told, "score": {**asdict(score), "sentence": str(score)}})
    memory.eval()
    return Run(recipe, history, memory, pipeline, score, folder.path if folder else None)

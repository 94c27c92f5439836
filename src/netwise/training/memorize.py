"""Runs of memories, which store their training inputs at once, without steps."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import torch

from netwise import random_streams, signals
from netwise.history import FINISHED, History, Provenance, RunEnd, RunFacts, history_as_dict
from netwise.intervals import wilson
from netwise.networks.energy.hopfield import NOISE_SHARES, MemoryModule
from netwise.recipe.prepared import Prepared
from netwise.recipe.recipe import Recipe
from netwise.scoring.score import Score
from netwise.storage.run_folder import RunFolder
from netwise.storage.seals import FILES, RECIPE_TEXT, ROWS_SEAL
from netwise.tasks import MEMORY
from netwise.training.facts import versions
from netwise.training.input_pipeline import InputPipeline
from netwise.training.run import Run
from netwise.training.run_recorder import score_as_dict

SCORED_NOISE = 0.1  # share of flipped units that the score is measured at


def store_patterns(recipe: Recipe, prepared: Prepared, folder: RunFolder | None) -> Run:
    """Store the training part, and measure how it is recalled from noise: the history has a row
    for each share of flipped units.

    Args:
        recipe: of a memory.
        prepared: its data.
        folder: where to write the run, locked by the caller; None: nowhere.
    """
    started, samples = time.monotonic(), prepared.samples.unmarked()
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
    recalled = round(rows[NOISE_SHARES.index(SCORED_NOISE)][signals.MEMORY_RECOVERED] * count)
    score = Score(
        "recall",
        recalled / count,
        *wilson(recalled, count),
        count,
        "each pattern with a tenth of its units turned",
    )
    ended = RunEnd(FINISHED, f"{count} patterns stored in {memory.patterns.shape[1]} units.", 0)
    seconds = round(time.monotonic() - started, 3)
    made = Provenance(recipe.hash, versions(), "cpu", torch.get_num_threads(), seconds)
    history = History.from_rows(rows, (), RunFacts(task=MEMORY, train_size=count), ended, made)
    pipeline = InputPipeline.of(samples, prepared.fitted)
    if folder is not None:
        log, text = folder.return_to(None), folder.recipe_text()
        log.append(rows)
        files = folder.write_weights(
            {**{f"model.{k}": v for k, v in memory.state_dict().items()}, **pipeline.tensors()}
        )
        about = {
            **history_as_dict(History({}, (), history.facts, ended, made)),
            "fingerprint": samples.fingerprint,
            "intake": pipeline.plain(),
            "score": score_as_dict(score),
            RECIPE_TEXT: text,
            ROWS_SEAL: asdict(log.seal),
            FILES: files,
        }
        folder.write_about(about)
    memory.eval()
    return Run(recipe, history, memory, pipeline, score, folder.path if folder else None)

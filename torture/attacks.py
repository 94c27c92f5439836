"""All kinds of attacks, in the order in which they are made."""

from __future__ import annotations

from torture import (
    crowds,
    damaged_inputs,
    damaged_runs,
    full_disks,
    hostile_texts,
    kills,
    long_histories,
)

ATTACKS = (
    *kills.ATTACKS,
    *full_disks.ATTACKS,
    *crowds.ATTACKS,
    *damaged_runs.ATTACKS,
    *damaged_inputs.ATTACKS,
    *hostile_texts.ATTACKS,
    *long_histories.ATTACKS,
)

# How many of a kind the ordinary tests make; kills have tests of their own there.
QUICK = {
    "damaged checkpoints": 12,
    "damaged about.json": 12,
    "damaged rows.jsonl": 12,
    "damaged recipe.toml": 12,
    "damaged weights": 12,
    "headers of weight files": 12,
    "recipe: No space left on device": 10,
    "tables to train on": 30,
    "tables that are no text": 20,
    "tables to predict": 30,
    "pictures": 30,
}

"""Healthy programs of many kinds, each with a loop of its own: no rule may find a fault in them."""

from __future__ import annotations

from importlib import import_module

from calibration.zoo.program import PROGRAMS, HealthyProgram

for _module in (
    "tabular",
    "images",
    "transfer",
    "sequences",
    "generative",
    "representation",
    "regression",
    "reinforcement",
):
    import_module(f"calibration.zoo.{_module}")

ZOO: dict[str, HealthyProgram] = dict(PROGRAMS)

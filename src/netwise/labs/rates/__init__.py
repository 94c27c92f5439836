"""Learning rates, their schedules and early stopping."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab

RATES_LABS: tuple[Lab[Any], ...] = ()

"""Optimizers, minima and saddle points."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab

OPTIMIZERS_LABS: tuple[Lab[Any], ...] = ()

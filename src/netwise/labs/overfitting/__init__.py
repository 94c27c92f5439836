"""Overfitting, and what helps against it."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab

OVERFITTING_LABS: tuple[Lab[Any], ...] = ()

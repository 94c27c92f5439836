"""Activation functions."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab

ACTIVATIONS_LABS: tuple[Lab[Any], ...] = ()

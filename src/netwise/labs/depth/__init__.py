"""Depth, width and residual connections."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab

DEPTH_LABS: tuple[Lab[Any], ...] = ()

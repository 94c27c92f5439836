"""Normalization of layers and preprocessing of inputs."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab

NORMALIZATION_LABS: tuple[Lab[Any], ...] = ()

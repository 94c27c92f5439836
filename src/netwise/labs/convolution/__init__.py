"""Convolutional networks."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab

CONVOLUTION_LABS: tuple[Lab[Any], ...] = ()

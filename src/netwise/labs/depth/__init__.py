"""Depth, width and residual connections."""

from __future__ import annotations

from typing import Any

from netwise.labs.depth.bent_planes import L85
from netwise.labs.depth.capacity_test import L63
from netwise.labs.depth.degradation import L34
from netwise.labs.depth.depth_or_width import L64
from netwise.labs.depth.residual_gradient import L35
from netwise.labs.lab_definition import Lab

DEPTH_LABS: tuple[Lab[Any], ...] = (L34, L35, L63, L64, L85)

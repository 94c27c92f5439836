"""Hopfield networks and Boltzmann machines."""

from __future__ import annotations

from typing import Any

from netwise.labs.energy.annealing import L20, L21
from netwise.labs.energy.contrastive_divergence import L23, L24
from netwise.labs.energy.encoder_problems import L22
from netwise.labs.energy.hopfield_recall import L18, L19
from netwise.labs.lab_definition import Lab

ENERGY_LABS: tuple[Lab[Any], ...] = (L18, L19, L20, L21, L22, L23, L24)

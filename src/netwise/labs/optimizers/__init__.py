"""Optimizers, minima and saddle points."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.optimizers.adam_counterexample import L42
from netwise.labs.optimizers.adam_then_sgd import L41
from netwise.labs.optimizers.batch_sizes import L44
from netwise.labs.optimizers.effective_rate import L43
from netwise.labs.optimizers.gradient_clipping import L67
from netwise.labs.optimizers.local_minima import L69
from netwise.labs.optimizers.ravine import L45
from netwise.labs.optimizers.saddle_points import L70
from netwise.labs.optimizers.square_root import L46

OPTIMIZERS_LABS: tuple[Lab[Any], ...] = (L41, L42, L43, L44, L45, L46, L67, L69, L70)

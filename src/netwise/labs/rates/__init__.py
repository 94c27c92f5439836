"""Learning rates, their schedules and early stopping."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.rates.halving import L13
from netwise.labs.rates.no_improvement import L14
from netwise.labs.rates.rate_and_batch import L55
from netwise.labs.rates.three_rates import L11

RATES_LABS: tuple[Lab[Any], ...] = (L11, L13, L14, L55)

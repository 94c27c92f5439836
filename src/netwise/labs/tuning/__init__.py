"""The choice of settings."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.tuning.bayesian_search import L59
from netwise.labs.tuning.choice_on_test_data import L77
from netwise.labs.tuning.coarse_to_fine import L60
from netwise.labs.tuning.cross_validation import L62
from netwise.labs.tuning.hand_tuning import L61
from netwise.labs.tuning.learning_rate_threshold import L12
from netwise.labs.tuning.random_search import L58

TUNING_LABS: tuple[Lab[Any], ...] = (L12, L58, L59, L60, L61, L62, L77)

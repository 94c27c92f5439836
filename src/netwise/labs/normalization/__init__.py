"""Normalization of layers and preprocessing of inputs."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.normalization.batch_statistics import L31
from netwise.labs.normalization.dropout_and_norm import L54
from netwise.labs.normalization.larger_rates import L30
from netwise.labs.normalization.norm_place import L33
from netwise.labs.normalization.positive_inputs import L38
from netwise.labs.normalization.scale_and_shift import L32
from netwise.labs.normalization.weight_noise import L39, L40
from netwise.labs.normalization.whitened_inputs import L56

NORMALIZATION_LABS: tuple[Lab[Any], ...] = (L30, L31, L32, L33, L38, L39, L40, L54, L56)

"""Data: more of it, and weights learned on other data."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.transfer.few_labels import L82
from netwise.labs.transfer.more_data import L81

TRANSFER_LABS: tuple[Lab[Any], ...] = (L81, L82)

"""Search for hyperparameters: many recipes compared, each a full run."""

from __future__ import annotations

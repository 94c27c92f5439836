"""How certain a finding is."""

from __future__ import annotations

GRADES = ("suspect", "cause", "proved")  # from least to most certain

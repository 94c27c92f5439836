"""Diagnosis: rules that read a `History`, and the report of their findings.

Importing this package loads neither torch nor the training code: a history read from files can be
diagnosed without them.
"""

from __future__ import annotations

from netwise.diagnosis.report import Report, diagnose
from netwise.diagnosis.rules import RULES, Evidence, Finding, Rule, Unchecked

__all__ = ["RULES", "Evidence", "Finding", "Report", "Rule", "Unchecked", "diagnose"]

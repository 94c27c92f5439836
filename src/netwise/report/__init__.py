"""The report: one self-contained HTML file."""

from __future__ import annotations

from netwise.report.content import write_report

__all__ = ["write_report"]

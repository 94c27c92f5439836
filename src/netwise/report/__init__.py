"""The report: one self-contained HTML file."""

from __future__ import annotations

from netwise.report.run_page import write_report

__all__ = ["write_report"]

"""Reports: self-contained HTML files, and the pictures in them."""

from __future__ import annotations

from netwise.report.report_file import write_report

__all__ = ["write_report"]

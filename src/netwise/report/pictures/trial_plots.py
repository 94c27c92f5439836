"""The picture of paired trials: each remedy's gain with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from netwise.report.pictures.drawing import GREEN, GREY, INK, RED, figure, svg
from netwise.treatment.trials import TrialResult


def gains(verdicts: Sequence[TrialResult], name: str = "") -> str:
    """Gains in points with their 95 % intervals, each pair of runs a dot; "" where all remedies
    were unfit."""
    tried = [verdict for verdict in verdicts if not verdict.not_applicable]
    if not tried:
        return ""
    with figure(height=0.9 + 0.34 * len(tried)) as (made, axes):
        axis = axes[0][0]
        axis.axvline(0, color=INK, linewidth=0.8)
        for row, verdict in enumerate(tried):
            colour = GREEN if verdict.helps else RED if verdict.high < 0 else GREY
            factor = verdict.display_scale
            pairs = [factor * (b - a) for a, b in zip(verdict.before, verdict.after, strict=True)]
            axis.plot(pairs, [row] * len(pairs), "o", color=colour, alpha=0.35, markersize=3.5)
            axis.plot(
                [factor * verdict.low, factor * verdict.high],
                [row, row],
                color=colour,
                linewidth=2.4,
            )
            axis.plot([factor * verdict.gain], [row], "D", color=colour, markersize=5)
        axis.set_yticks(range(len(tried)), [verdict.remedy for verdict in tried])
        axis.set_ylim(len(tried) - 0.5, -0.5)
        axis.set_xlabel(f"gain in {tried[0].unit} on the validation part (line: 95 % interval)")
        axis.set_title("Paired trials of remedies")
        return svg(made, f"Paired trials {name}".strip())

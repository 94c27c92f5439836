"""The picture of paired trials: each remedy's gain with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from netwise.report.pictures.drawing import GREEN, GREY, INK, RED, figure, svg
from netwise.treatment.trials import TrialResult


def gains(trials: Sequence[TrialResult], name: str = "") -> str:
    """Gains with their 95 % intervals, each pair of runs a dot; "" where no remedy is applicable.

    Green remedies help, red ones harm, and of grey ones the interval includes 0.

    Args:
        trials: results of all remedies of a finding.
        name: tells this picture from others on the same page.
    """
    trials = [trial for trial in trials if not trial.not_applicable]
    if not trials:
        return ""
    with figure(height=0.9 + 0.34 * len(trials)) as (made, axes):
        axis = axes[0][0]
        axis.axvline(0, color=INK, linewidth=0.8)
        for row, trial in enumerate(trials):
            colour = GREEN if trial.helps else RED if trial.high < 0 else GREY
            scale = trial.display_scale
            values = zip(trial.before, trial.after, strict=True)
            pairs = [scale * (after - before) for before, after in values]
            interval = [scale * trial.low, scale * trial.high]
            axis.plot(pairs, [row] * len(pairs), "o", color=colour, alpha=0.35, markersize=3.5)
            axis.plot(interval, [row, row], color=colour, linewidth=2.4)
            axis.plot([scale * trial.gain], [row], "D", color=colour, markersize=5)
        axis.set_yticks(range(len(trials)), [trial.remedy for trial in trials])
        axis.set_ylim(len(trials) - 0.5, -0.5)
        axis.set_xlabel(f"gain in {trials[0].unit} on the validation part (line: 95 % interval)")
        axis.set_title("Paired trials of remedies")
        return svg(made, f"Paired trials {name}".strip())

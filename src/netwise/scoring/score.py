"""One score with its interval."""

from __future__ import annotations

from dataclasses import dataclass

# How each score is written: (its name, its unit). A share is shown in per cent; "target" is the
# unit of the targets themselves.
PERCENT, PLAIN, NATS, TARGET = "%", "", "nats", "target"
WORDS: dict[str, tuple[str, str]] = {
    "accuracy": ("accuracy", PERCENT),
    "recall": ("recall", PERCENT),
    "balanced_accuracy": ("balanced accuracy", PERCENT),
    "macro_f1": ("macro F1", PERCENT),
    "auc": ("AUC", PLAIN),
    "log_loss": ("log loss", NATS),
    "ece": ("calibration error (ECE)", PERCENT),
    "mae": ("MAE", TARGET),
    "rmse": ("RMSE", TARGET),
    "r2": ("R²", PLAIN),
    "log-likelihood": ("log-likelihood", NATS),
}


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval.

    Args:
        name: of classes "accuracy" (Wilson's interval), "balanced_accuracy", "macro_f1", "auc",
            "log_loss" or "ece"; of numbers "r2" (share of variance explained), "mae" or "rmse" (in
            the units of the targets); "log-likelihood" (in nats) or "recall" (of stored patterns).
        value: the score itself.
        low, high: ends of the interval.
        samples: how many it was measured on.
        how: the method, where there are several: "exact", or the name of an estimate.

    Example:
        >>> import netwise as nw
        >>> print(nw.Score("accuracy", 0.9694, 0.946, 0.983, 360))
        accuracy 96.9 % (95 % interval 94.6 to 98.3; 360 samples)
    """

    name: str
    value: float
    low: float
    high: float
    samples: int
    how: str = ""

    def __str__(self) -> str:
        interval = f"95 % interval {self.low_text} to {self.high_text}"
        how = f"; {self.how}" if self.how else ""
        return f"{self.title} {self.value_text} ({interval}; {self.samples} samples{how})"

    @property
    def title(self) -> str:
        """The name for people."""
        return WORDS.get(self.name, (self.name, PLAIN))[0]

    @property
    def value_text(self) -> str:
        """The value with its unit, such as "96.9 %"."""
        return value_text(self.name, self.value)

    @property
    def low_text(self) -> str:
        """The lower end of the interval, without a unit."""
        return number_text(self.name, self.low)

    @property
    def high_text(self) -> str:
        """The upper end of the interval, without a unit."""
        return number_text(self.name, self.high)


def number_text(name: str, value: float) -> str:
    """A value of the score of this name as text, without its unit.

    >>> number_text("accuracy", 0.9694), number_text("mae", 1234.56), number_text("r2", 0.98765)
    ('96.9', '1235', '0.988')
    """
    unit = WORDS.get(name, (name, PLAIN))[1]
    if unit == PERCENT:
        return f"{100 * value:.1f}"
    if unit == TARGET:
        return f"{value:.4g}" if abs(value) < 1e3 or abs(value) >= 1e7 else f"{value:.0f}"
    return f"{value:.2f}" if name == "log-likelihood" else f"{value:.3f}"


def value_text(name: str, value: float) -> str:
    """A value of the score of this name as text, with its unit.

    >>> value_text("auc", 0.9123), value_text("balanced_accuracy", 0.5)
    ('0.912', '50.0 %')
    """
    unit = WORDS.get(name, (name, PLAIN))[1]
    return f"{number_text(name, value)}{f' {unit}' if unit in (PERCENT, NATS) else ''}"

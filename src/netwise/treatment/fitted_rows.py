"""`capacity_test`: does the network fit a few samples, and as well all of them?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from netwise.data.views import Fewer
from netwise.diagnosis.rules.outcome import final_loss_share
from netwise.errors import WrongValue
from netwise.history import History
from netwise.parts.stopping import Never
from netwise.recipe.recipe import Recipe
from netwise.signals import TRAIN_ACCURACY, TRAIN_LOSS
from netwise.training.parallel import fit_many

FITTED = 0.1  # of the loss of guessing, left in training: the samples are fitted
FEW_FITTED = 0.2  # the same, of few samples, which tiny networks fit slowly
UNFITTED = 0.3
MUCH_LESS = 0.5  # of what the network leaves: a wider one fits far better
FITS, TOO_SMALL, FITS_NOTHING, PARTLY = "fits all", "too small", "fits nothing", "partly"
FALLS = 0.02  # of the training loss, from the first half of the steps to the second
MOST_EPOCHS = 5000
SHARES = (32, 8, 1)  # the whole over these are the numbers of samples by default


@dataclass(frozen=True)
class CapacityResult:
    """How well a network fits samples of several numbers.

    Args:
        rows: numbers of training samples, rising.
        left: share of the loss of guessing that is left in training, of each.
        accuracies: on the training samples; nan where the targets are no classes.
        verdict: "fits all", "too small" (a wider network, trained alike, fits all samples far
            better), "fits nothing" (not even few, though their loss no longer falls: something else
            is wrong), or "partly".
        steps: of each run.
        wider: share that the wider network leaves of all samples; None where none was trained.

    Example:
        >>> import netwise as nw
        >>> narrow = nw.MLP((64, 2, 10), activation=nw.Tanh())
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=narrow, epochs=10)
        >>> result = nw.capacity_test(recipe.but(optimizer=nw.Adam(lr=0.05)), jobs=1)
        >>> result.left[0] < result.left[-1]
        True
    """

    rows: tuple[int, ...]
    left: tuple[float, ...]
    accuracies: tuple[float, ...]
    verdict: str
    steps: int
    wider: float | None = None

    @property
    def sentence(self) -> str:
        """The verdict, with the numbers and what to do."""
        few, many = self.rows[0], self.rows[-1]
        left = [f"{100 * share:.0f} %" if math.isfinite(share) else "more" for share in self.left]
        measured = (
            f"{left[0]} of the loss of guessing is left on {few} samples, {left[-1]} on {many}"
        )
        if self.wider is not None:
            wide = f"{100 * self.wider:.0f} %" if math.isfinite(self.wider) else "more"
            measured += f", and {wide} by a network of wider layers that was trained alike"
        if self.verdict == FITS:
            return f"The network fits all samples ({measured}): its size suffices."
        if self.verdict == TOO_SMALL:
            return (
                f"The network is too small for these data ({measured}). Widen it (remedy widen) or "
                "deepen it (remedy deepen), and train for longer."
            )
        if self.verdict == FITS_NOTHING:
            blame = "" if self.wider is None else ", so its size is not the main cause"
            return (
                f"The network does not even fit {few} samples ({measured}){blame}: look at "
                "learning rate, start, loss and targets: netwise diagnose."
            )
        return (
            f"Between the two ({measured}): train for longer (remedy more_epochs) or find a "
            "better learning rate (netwise rate) before a larger network is tried."
        )


def capacity_test(
    recipe: Recipe, rows: Sequence[int] = (), *, jobs: int | None = None
) -> CapacityResult:
    """Train the same network on few and on many samples, for as many steps each, and compare how
    well it fits them. Where it does not fit all, a network of wider layers is trained alike: the
    first one is too small where that one leaves less than half of its loss, and few samples that
    are fitted are a hint only, since a bad learning rate shows it too.

    Dropout, penalty and weight decay are left out, since they hinder the fit on purpose, and no run
    stops early.

    Args:
        recipe: what to test. Its number of epochs gives the number of steps.
        rows: numbers of training samples. Default: a 32nd, an eighth and all of them.
        jobs: runs at a time, as in `fit_many`.

    Raises:
        WrongValue: fewer than two samples, or more than there are; a network without targets.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.suggest(nw.data.iris(), epochs=200)
        >>> nw.capacity_test(recipe, (10, 60), jobs=1).verdict
        'fits all'

    Source: Goodfellow, Bengio, Courville 2016, section 11.5; Karpathy 2019, A recipe for training
    neural networks; its limits without the wider network: netwise lab L63.
    """
    network = recipe.network
    if network.is_memory or network.is_energy_model or network.own_task is not None:
        why = "has no targets to fit. Use a network with targets, such as MLP((64, 30, 10))"
        raise WrongValue.of("capacity test", "network", type(network).__name__, why)
    whole = len(recipe.data.load().train)
    rows = tuple(sorted(set(rows))) or tuple(sorted({max(2, whole // part) for part in SHARES}))
    if rows[0] < 2 or rows[-1] > whole or len(rows) < 2:
        reason = f"must be at least two numbers between 2 and {whole}, the training samples"
        right = f"rows=({max(2, whole // 32)}, {whole})"
        raise WrongValue.of("capacity test", "rows", str(list(rows)), reason, right)
    plain = recipe.but(network=network.without_regularisation(), penalty=None, stopping=Never())
    if getattr(plain.optimizer, "weight_decay", 0.0):
        plain = plain.but(optimizer=plain.optimizer.but(weight_decay=0.0))
    steps = recipe.epochs * math.ceil(whole / recipe.batch_size)
    runs = fit_many([_on(plain, count, steps) for count in rows], jobs=jobs)
    shares = [final_loss_share(run.history) for run in runs]
    left = tuple(math.nan if share is None else share for share in shares)
    series = [run.history.of(TRAIN_ACCURACY) for run in runs]
    accuracies = tuple(math.nan if each is None else each.last for each in series)
    wider = None if verdict_of(left) == FITS else _left_by_wider(plain, rows[-1], steps)
    verdict = verdict_of(left, wider, falls=_still_falls(runs[0].history))
    return CapacityResult(rows, left, accuracies, verdict, steps, wider)


def _still_falls(history: History) -> bool:
    """Whether the training loss was still falling when the run ended: it is only too short."""
    losses = history.of(TRAIN_LOSS)
    values = () if losses is None else losses.finite
    if len(values) < 2:
        return False
    half, quarter = len(values) // 2, max(1, len(values) // 4)
    has_fallen = median(values[half:]) < (1 - FALLS) * median(values[:half])
    return has_fallen and median(values[-quarter:]) < median(values[-2 * quarter : -quarter])


def _left_by_wider(recipe: Recipe, rows: int, steps: int) -> float | None:
    """The share of the loss of guessing that a network of wider layers leaves; None where the
    network has none."""
    network = recipe.network.widened()
    if isinstance(network, str):
        return None
    (run,) = fit_many([_on(recipe.but(network=network), rows, steps)], jobs=1)
    share = final_loss_share(run.history)
    return math.nan if share is None else share


def _on(recipe: Recipe, rows: int, steps: int) -> Recipe:
    epochs = round(steps / math.ceil(rows / recipe.batch_size))
    data = Fewer(data=recipe.data, rows=rows, draw=recipe.seed)
    return recipe.but(data=data, epochs=max(1, min(epochs, MOST_EPOCHS)))


def verdict_of(left: Sequence[float], wider: float | None = None, *, falls: bool = False) -> str:
    """The verdict of the shares of the loss of guessing that are left, by rising numbers of
    samples, of the share that a wider network leaves of all samples, None if unknown, and of
    whether the loss on the fewest samples was still falling at the end."""
    few, many = left[0], left[-1]
    fits_few = math.isfinite(few) and few < UNFITTED
    if many <= FITTED and fits_few:
        return FITS
    if wider is not None and wider <= MUCH_LESS * many:
        return TOO_SMALL
    if not fits_few:
        return PARTLY if falls else FITS_NOTHING
    return TOO_SMALL if wider is None and few <= FEW_FITTED and not many < UNFITTED else PARTLY

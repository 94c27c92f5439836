"""The recorded numbers of a run. They do not depend on what trained: `fit`, or a loop of the user's
own under `watch`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from netwise.data_facts import DataFacts, data_facts_as_dict
from netwise.first_batch import FirstBatch, first_batch_as_dict
from netwise.printed_text import printable
from netwise.program_error import ProgramError, program_error_as_dict
from netwise.signals import NETWORK
from netwise.wiring import Wiring, wiring_as_dict

FINISHED = "finished"
STOPPED_EARLY = "stopped early"
DIVERGED = "diverged"
INTERRUPTED = "interrupted"
RUNNING = "running"


@dataclass(frozen=True)
class Series:
    """One signal of one layer over steps.

    Args:
        steps: numbers of the steps, from 0, rising; a tuple, or the like.
        values: one for each step; infinite or nan where the run's numbers were.

    Example:
        >>> import netwise as nw
        >>> nw.Series((0, 10), (2.3, 0.4)).last
        0.4
    """

    steps: Sequence[int]
    values: Sequence[float]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def last(self) -> float:
        """The value of the last step."""
        return self.values[-1]

    @property
    def finite(self) -> tuple[float, ...]:
        """The values that are finite numbers."""
        return tuple(v for v in self.values if math.isfinite(v))


@dataclass(frozen=True)
class Layer:
    """One layer with weights, as it was used in training.

    Args:
        name: its dotted name in the module.
        kind: its class, such as "Linear".
        fan_in, fan_out: inputs of each unit; number of units.
        activation: the activation that its outputs go through, such as "ReLU"; "" where it is not
            known.
        trainable: whether it has weights that get gradients.
        equal_units: whether all of its units had the same weights in the first watched step.
        normalised: whether a normalisation stands between its outputs and the layers that use
            them, so that the size of its weights, and with it that of its gradient, is arbitrary.

    Example:
        >>> import netwise as nw
        >>> nw.Layer("layer1", "Linear", 64, 32, "ReLU").kind
        'Linear'
    """

    name: str
    kind: str
    fan_in: int
    fan_out: int
    activation: str = ""
    trainable: bool = True
    equal_units: bool = False
    normalised: bool = False


@dataclass(frozen=True)
class BesideBaseline:
    """The best simple model beside a run, on the validation part.

    Args:
        name: of the model, such as "gradient boosting".
        metric: by which both are compared.
        score, network: of the model and of the network.
        low, high: 95 % interval of the network's score.
        higher_is_better: False for a loss or an error.
        score_low, score_high: 95 % interval of the model's score; None where it is not known.

    Example:
        >>> import netwise as nw
        >>> nw.BesideBaseline("a linear model", "r2", 0.9, 0.5, 0.4, 0.6).higher_is_better
        True
    """

    name: str
    metric: str
    score: float
    network: float
    low: float
    high: float
    higher_is_better: bool = True
    score_low: float | None = None
    score_high: float | None = None

    @property
    def lead(self) -> float:
        """How much better the model is; below 0 where the network is."""
        return (self.score - self.network) * (1 if self.higher_is_better else -1)

    @property
    def reach(self) -> float:
        """The lead that chance explains: the distances to the ends of both intervals, added in
        square (Newcombe 1998)."""
        low, high = self.score_low, self.score_high
        if self.higher_is_better:
            ends = self.high - self.network, 0.0 if low is None else self.score - low
        else:
            ends = self.network - self.low, 0.0 if high is None else high - self.score
        return math.hypot(*ends)


@dataclass(frozen=True)
class ShallowerTwin:
    """A run beside those of a network of equal widths and fewer hidden layers.

    Args:
        layers, twin_layers: hidden layers of both.
        train_loss, twin_train_loss: at the end, means over the pairs.
        low, high: 95 % interval of train_loss - twin_train_loss.
        pairs: of runs with equal seeds.

    Example:
        >>> import netwise as nw
        >>> nw.ShallowerTwin(12, 6, 2.3, 0.4, 1.8, 2.0, 5).train_loss
        2.3
    """

    layers: int
    twin_layers: int
    train_loss: float
    twin_train_loss: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run besides its signals; None where it is not known.

    Args:
        task: a name of `netwise.tasks`, such as "classification" or "regression".
        classes: how many there are.
        train_size, valid_size: samples of the training and of the validation part.
        batch_size: samples of one step.
        loss_of_guessing: the lowest loss of a constant prediction; a network that has learned is
            below it.
        least_loss: the loss of perfect predictions; above 0 where targets are no certainties, such
            as smoothed labels or grey pixels.
        loss, optimizer: names of their classes.
        rate: learning rate at the start.
        epochs: of the recipe; the run may have stopped earlier.
        dropout: the largest rate of a dropout layer.
        metric: name of the metric that the run is judged by, such as "balanced_accuracy"; None:
            accuracy or R².
        metric_of_guessing: its value on the validation part for the best constant answer.
        class_names: in the order of the class numbers, where `valid_answers` are known.
        valid_answers: for each class how often it was asked for, answered and answered rightly on
            the validation part with the final weights, where classes are of very unequal size.
        baseline: the best simple model beside the run; None where none was trained.
        shallower: the runs of a shallower network; None where none were made.
        emptied_by_dropout: the largest share of samples of which a dropout is expected to set all
            units of a layer to 0.
        weight_decay: of the optimizer.
        loss_kind: a kind of `netwise.tasks`, recognised by the gradient at the outputs; "" for
            other losses.
        class_targets: whether the targets are class numbers or one-hot rows.
        target_low, target_high, target_mean, target_std: of targets that are numbers.
        target_shape: of a batch of targets, as observed in a program.
        class_shares: share of each class among the targets that were observed, from class 0 on.
        weighted_loss: whether classes or samples have weights in the loss that was observed.

    Example:
        >>> import netwise as nw
        >>> nw.RunFacts(classes=10).loss_of_guessing is None
        True
    """

    task: str | None = None
    classes: int | None = None
    train_size: int | None = None
    valid_size: int | None = None
    batch_size: int | None = None
    loss_of_guessing: float | None = None
    least_loss: float | None = None
    loss: str | None = None
    optimizer: str | None = None
    rate: float | None = None
    epochs: int | None = None
    dropout: float | None = None
    weight_decay: float | None = None
    loss_kind: str | None = None
    class_targets: bool | None = None
    target_low: float | None = None
    target_high: float | None = None
    target_mean: float | None = None
    target_std: float | None = None
    target_shape: tuple[int, ...] | None = None
    class_shares: tuple[float, ...] | None = None
    weighted_loss: bool | None = None
    emptied_by_dropout: float | None = None
    metric: str | None = None
    metric_of_guessing: float | None = None
    valid_answers: tuple[tuple[int, int, int], ...] | None = None
    class_names: tuple[str, ...] | None = None
    baseline: BesideBaseline | None = None
    shallower: ShallowerTwin | None = None


@dataclass(frozen=True)
class RunEnd:
    """How a run ended.

    Args:
        how: "finished", "stopped early", "diverged", "interrupted" or "running".
        sentence: what happened, for people.
        step: number of steps that were done.

    Example:
        >>> import netwise as nw
        >>> nw.RunEnd("finished", "All 5 epochs done.", 90).how
        'finished'
    """

    how: str
    sentence: str
    step: int


@dataclass(frozen=True)
class Provenance:
    """Where a history comes from.

    Args:
        recipe: hash of the recipe; "" for a loop of the user's own.
        versions: of Python, torch and netwise, by name.
        device: of torch, such as "cpu".
        threads: that torch used for one operation.
        seconds: training time.

    Example:
        >>> import netwise as nw
        >>> nw.Provenance().recipe
        ''
    """

    recipe: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"
    threads: int = 1
    seconds: float = 0.0


class TrialSource(Protocol):
    """What short trials need of a program that is still in memory; see `netwise.diagnosis`."""

    def try_out(self, history: History, report: Any, limit: float) -> Any:
        """Run the trials that would decide the findings of `report`, on copies.

        Args:
            history: of the run.
            report: a `Report` without trials.
            limit: of the cost, as a share of the cost of the run.

        Returns:
            The report with the outcomes of the trials.
        """
        ...


@dataclass(frozen=True)
class History:
    """The recorded numbers of a run: all that rules and reports read.

    Args:
        series: signals over steps, by (signal, layer); the layer is "" for signals of the whole
            network. Names of signals are in `netwise.signals`.
        layers: layers with weights, in order of use.
        facts: what is known besides the signals.
        ended: how the run ended.
        made_by: recipe, versions and machine.
        wiring: how loss, weights and optimizers are connected; None where that was not read, as in
            runs of energy models and memories.
        data: what a sample of the data shows; None where none was taken.
        first_batch: what copies of the module showed on one batch; None where it was not asked.
        error: what ended the program, or kept it from training; None where nothing did.
        trials: what short trials can be run with; None for a history that was read from files. It
            is not saved, and does not count in comparisons.

    Example:
        >>> import netwise as nw
        >>> history = nw.History.from_rows([{"step": 0, "loss": 2.3}, {"step": 1, "loss": 2.1}])
        >>> history.of("loss").values
        (2.3, 2.1)
    """

    series: Mapping[tuple[str, str], Series]
    layers: tuple[Layer, ...] = ()
    facts: RunFacts = RunFacts()
    ended: RunEnd = RunEnd(RUNNING, "Still running.", 0)
    made_by: Provenance = Provenance()
    wiring: Wiring | None = None
    data: DataFacts | None = None
    first_batch: FirstBatch | None = None
    error: ProgramError | None = None
    trials: TrialSource | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        count = len({signal for signal, _ in self.series})
        return printable(f"{count} signals of {len(self.layers)} layers. {self.ended.sentence}")

    def of(self, signal: str, layer: str = NETWORK) -> Series | None:
        """The series of a signal, or None where nothing was recorded."""
        return self.series.get((signal, layer))

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """All layers but the last, whose outputs are those of the network."""
        return self.layers[:-1]

    @property
    def on_the_way(self) -> tuple[Layer, ...]:
        """Hidden layers through which gradients go: from the first that is trained on."""
        first = next((i for i, layer in enumerate(self.layers) if layer.trainable), 0)
        return self.layers[first:-1]

    @staticmethod
    def from_rows(
        rows: Iterable[Mapping[str, Any]],
        layers: tuple[Layer, ...] = (),
        facts: RunFacts = RunFacts(),
        ended: RunEnd | None = None,
        made_by: Provenance = Provenance(),
        wiring: Wiring | None = None,
    ) -> History:
        """A history from rows such as `{"step": 3, "loss": 0.5, "gradient.rms|layer1": 0.01}`.

        Args:
            rows: each with its "step" and the signals of that step; a signal of one layer has the
                layer's name after a bar. Values may be text, such as "nan".
            layers, facts, made_by, wiring: as in `History`.
            ended: as in `History`. Default: still running, after the last step.
        """
        steps: dict[tuple[str, str], list[int]] = {}
        values: dict[tuple[str, str], list[float]] = {}
        last = 0
        for row in rows:
            step = int(row["step"])
            last = max(last, step + 1)
            for key, value in row.items():
                if key in ("step", "epoch"):
                    continue
                signal, _, layer = key.partition("|")
                steps.setdefault((signal, layer), []).append(step)
                values.setdefault((signal, layer), []).append(float(value))
        series = {key: Series(tuple(steps[key]), tuple(values[key])) for key in steps}
        ended = ended or RunEnd(RUNNING, "Still running.", last)
        return History(series, layers, facts, ended, made_by, wiring)

    def but(self, **changes: Any) -> History:
        """A copy with these fields changed."""
        return replace(self, **changes)


def history_rows(history: History) -> list[dict[str, Any]]:
    """Rows from which `History.from_rows` makes the series of `history` again, in the order of
    their steps."""
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for (signal, layer), series in history.series.items():
        key = f"{signal}|{layer}" if layer else signal
        times: dict[int, int] = {}  # a signal may be recorded more than once in a step
        for step, value in zip(series.steps, series.values, strict=True):
            time = times.get(step, 0)
            times[step] = time + 1
            rows.setdefault((step, time), {"step": step})[key] = value
    return [rows[place] for place in sorted(rows)]


def history_as_dict(history: History) -> dict[str, Any]:
    """All of a history but its rows, as plain values for a JSON file."""
    return {
        "layers": [asdict(layer) for layer in history.layers],
        "facts": asdict(history.facts),
        "ended": asdict(history.ended),
        "made_by": {**asdict(history.made_by), "versions": dict(history.made_by.versions)},
        **({} if history.wiring is None else {"wiring": wiring_as_dict(history.wiring)}),
        **({} if history.data is None else {"data": data_facts_as_dict(history.data)}),
        **(
            {}
            if history.first_batch is None
            else {"first_batch": first_batch_as_dict(history.first_batch)}
        ),
        **({} if history.error is None else {"error": program_error_as_dict(history.error)}),
    }

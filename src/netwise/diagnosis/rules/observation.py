"""How rules read what was observed of a training loop: facts of `History.wiring` and signals over
its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netwise.diagnosis.rules.finding import Unchecked
from netwise.diagnosis.rules.outcome import FEWEST, too_few_steps
from netwise.history import History, Series
from netwise.signals import NETWORK, SIGNALS, WEIGHT_DISTANCE, WEIGHTS_MOVED
from netwise.wiring import Wiring

NOT_OBSERVED = "the training loop was not observed: write `with nw.watch():` around it"
# A fault of each step is over where so many watched steps after it are free of it, and so is the
# rest of the run from this part on: what comes and goes is not.
FEWEST_MENDED, LAST_PART = 5, 2 / 3
MOST = 0.5  # share of the watched steps, above which a fault is one of the loop and not of a step
MOST_NAMES = 4  # in a sentence
NO_STEP = "no step has changed a weight"


def loop_observed(history: History) -> bool:
    """Whether this is an observed loop: not one of `fit`, nor one that calls `step` alone."""
    return history.wiring is not None and not history.made_by.recipe


def observed(history: History, *fields: str) -> Wiring | Unchecked:
    """The wiring where these fields of it are known; else the reason why they are not."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    reason = next(filter(None, (_reason(history.wiring, name) for name in fields)), None)
    return history.wiring if reason is None else Unchecked(reason)


def why_not_observed(history: History, name: str) -> str | None:
    """The reason why a field of the wiring or a signal was not observed; None where none was
    recorded."""
    return None if history.wiring is None else _reason(history.wiring, name)


def _reason(wiring: Wiring, name: str) -> str | None:
    """Why a field or a signal was not observed; None where no reason was recorded. A reason for
    "evaluation" is one for "evaluation.input.mean", too."""
    parts = name.split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((wiring.not_observed[n] for n in names if wiring.not_observed.get(n)), None)


def signal_of_loop(
    history: History, signal: str, fewest: int = FEWEST, missing: str = ""
) -> Series | Unchecked:
    """A signal of the whole network over the steps of an observed loop, without values that are not
    finite; else why it is not known.

    Args:
        history: of the loop.
        signal: a name of `netwise.signals`.
        fewest: values that are needed.
        missing: the reason where nothing was recorded. Default: that the signal was not.
    """
    if history.wiring is None or not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    series = history.of(signal)
    if series is None or not len(series):
        default = f"nothing was recorded of this: {SIGNALS[signal].meaning}"
        return Unchecked(_reason(history.wiring, signal) or missing or default)
    pairs = [
        (step, value)
        for step, value in zip(series.steps, series.values, strict=True)
        if value - value == 0
    ]
    if len(pairs) < fewest:
        return Unchecked(too_few_steps(len(pairs), "watched steps", fewest))
    return Series(tuple(step for step, _ in pairs), tuple(value for _, value in pairs))


def never_stepped(history: History) -> bool:
    """Whether no optimizer has stepped in an observed program, and each layer has the weights that
    it had at the start, over several watched backward passes."""
    if history.wiring is None or history.wiring.optimizers:
        return False
    steps = history.of(WEIGHTS_MOVED)
    if steps is not None and any(steps.values):  # perhaps of biases alone
        return False
    moved = layer_series(history, WEIGHT_DISTANCE).values()
    return any(len(each) >= FEWEST for each in moved) and not any(any(e.values) for e in moved)


def steps_where(series: Series, holds: Callable[[float], bool]) -> tuple[int, ...]:
    """The steps at which a condition on the value holds."""
    return tuple(s for s, v in zip(series.steps, series.values, strict=True) if holds(v))


def is_over(series: Series, found: Sequence[int]) -> bool:
    """Whether what was seen at the steps `found` has been mended since: it is absent from the last
    third of the steps, and from several watched ones in a row."""
    later = sum(step > found[-1] for step in series.steps)
    return later >= FEWEST_MENDED and found[-1] < LAST_PART * series.steps[-1]


def layer_series(history: History, signal: str) -> dict[str, Series]:
    """A signal's series by layer or parameter group, in order of first recording; with "" for the
    whole network where it was recorded for it. Without values that are not finite."""
    found = {}
    for (name, layer), series in history.series.items():
        pairs = [(s, v) for s, v in zip(series.steps, series.values, strict=True) if v - v == 0]
        if name == signal and pairs:
            found[layer] = Series(tuple(s for s, _ in pairs), tuple(v for _, v in pairs))
    return found


def layers_of(history: History, weights: Sequence[str]) -> tuple[str, ...]:
    """The layers of the history to which these parameters belong, in order of use."""
    return tuple(
        layer.name
        for layer in history.layers
        if any(_belongs(weight, layer.name) for weight in weights)
    )


def _belongs(weight: str, layer: str) -> bool:
    return weight.rpartition(".")[0] == layer or (
        layer != NETWORK and weight.startswith(f"{layer}.")
    )


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "a", "a and b", "a, b, c, d and 7 more"."""
    shown = list(names[:MOST_NAMES])
    if len(names) > MOST_NAMES:
        shown.append(f"{len(names) - MOST_NAMES} more")
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""


def name_of_model(history: History) -> str:
    """The variable of the program that holds the module, "model" where it is not known."""
    name = "" if history.wiring is None else history.wiring.module
    return name if name.isidentifier() and name[:1].islower() else "model"


def as_written(name: str, model: str = "model") -> str:
    """The path of a layer or weight as Python has it: numbers become indices, and one that would
    begin with a number begins with the model.

    >>> as_written("features.0.weight"), as_written("4", "net"), as_written("decoder.fc2")
    ('features[0].weight', 'net[4]', 'decoder.fc2')
    """
    first, *others = name.split(".")
    indices = "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in others)
    if first.isdecimal():
        return f"{model}[{first}]{indices}"
    # An attribute that is named as the model itself is not taken for it.
    return f"{model}.{first}{indices}" if (first, indices[:1]) == (model, "[") else first + indices


def code_of(weights: Sequence[str], model: str = "model") -> str:
    """Python for the smallest module that holds these parameters: "model[0].head".

    Args:
        weights: names of parameters, or these names `as_written`.
        model: how the program calls the module.
    """
    split = [as_written(weight, model).split(".")[:-1] for weight in weights]
    paths = [".".join(parts).replace("[", ".[").split(".") for parts in split]
    common: list[str] = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    path = ".".join(common).replace(".[", "[")
    whole = path == model or path.startswith((f"{model}[", f"{model}.{model}["))
    return path if whole else ".".join(filter(None, (model, path)))


def share_text(count: int, of: int) -> str:
    """Such as "in each of 20 watched steps" or "in 17 of 20 watched steps"."""
    return f"in each of {of} watched steps" if count == of else f"in {count} of {of} watched steps"

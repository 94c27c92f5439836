"""The whole of netwise in three hundred lines: recipe, run, history, rules, findings, remedies,
trials, treatment.

    python miniature.py

The package imports nothing from here. Classes and functions have the names and roles that they have
in the package; left out are files, resume, reports, the command line, other networks and data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, median, stdev

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

# ---- A recipe is a frozen value that holds everything a run depends on.


@dataclass(frozen=True)
class Recipe:
    widths: tuple[int, ...] = (64, 32, 32, 32, 32, 10)
    activation: str = "Sigmoid"  # a class of torch.nn
    init: str = "normal"  # N(0, 0.1²), "he" or "glorot"
    batch_norm: bool = False
    lr: float = 0.1
    momentum: float = 0.9
    batch_size: int = 64
    epochs: int = 15
    seed: int = 0


def build(recipe: Recipe) -> nn.Sequential:
    """The network, its weights drawn from a random stream of its own."""
    g = torch.Generator().manual_seed(recipe.seed)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(recipe.widths):
        stds = {"he": math.sqrt(2 / fan_in), "glorot": math.sqrt(2 / (fan_in + fan_out))}
        std = stds.get(recipe.init, 0.1)
        layer = nn.Linear(fan_in, fan_out)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(fan_out, fan_in, generator=g) * std)
            layer.bias.zero_()
        norm = [nn.BatchNorm1d(fan_out)] if recipe.batch_norm else []
        layers += [layer, *norm, getattr(nn, recipe.activation)()]
    return nn.Sequential(*layers[: -2 if recipe.batch_norm else -1])  # logits: no output activation


@dataclass(frozen=True)
class Pairs:
    """Inputs (samples, 64) and class numbers (samples,) of one part of the data."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True)
class Samples:
    train: Pairs
    valid: Pairs
    test: Pairs  # for the final score only


def digits() -> Samples:
    x, y = load_digits(return_X_y=True)
    rest_x, test_x, rest_y, test_y = train_test_split(
        x / 16, y, test_size=0.2, stratify=y, random_state=0
    )
    train_x, valid_x, train_y, valid_y = train_test_split(
        rest_x, rest_y, test_size=0.25, stratify=rest_y, random_state=0
    )
    parts = ((train_x, train_y), (valid_x, valid_y), (test_x, test_y))
    return Samples(*(Pairs(torch.tensor(x).float(), torch.tensor(y)) for x, y in parts))


SAMPLES = digits()

# ---- A history holds the recorded numbers of a run: a series for each (signal, layer), and facts.


@dataclass(frozen=True)
class RunFacts:
    loss_of_guessing: float  # of the best constant output


@dataclass(frozen=True)
class History:
    series: dict[tuple[str, str], tuple[float, ...]]
    layers: tuple[str, ...]
    facts: RunFacts


class watch:
    """Records the signals of a module in any training loop, without changing the module."""

    def __init__(self, module: nn.Module, every: int = 3) -> None:
        self.every, self.steps = every, 0
        layers = [(name, m) for name, m in module.named_modules() if isinstance(m, nn.Linear)]
        self.weights = {name: layer.weight for name, layer in layers}
        self.series: dict[tuple[str, str], list[float]] = {}

    def step(self, loss: Tensor) -> None:
        """Call it after `loss.backward()` and before `optimizer.step()`."""
        if self.steps % self.every == 0:
            self._record("loss", "", float(loss))
            for name, weight in self.weights.items():
                if weight.grad is not None:
                    rms = float(weight.grad.square().mean().sqrt())
                    self._record("gradient.rms", name, rms)
        self.steps += 1

    def _record(self, signal: str, layer: str, value: float) -> None:
        self.series.setdefault((signal, layer), []).append(value)

    def history(self) -> History:
        series = {key: tuple(values) for key, values in self.series.items()}
        return History(series, tuple(self.weights), RunFacts(loss_of_guessing=math.log(10)))


@dataclass(frozen=True)
class Run:
    recipe: Recipe
    history: History
    module: nn.Module


def fit(recipe: Recipe) -> Run:
    """Train a recipe. Equal recipes give equal runs: each random stream has its own generator."""
    train, module = SAMPLES.train, build(recipe)
    optimizer = torch.optim.SGD(module.parameters(), lr=recipe.lr, momentum=recipe.momentum)
    watcher = watch(module)
    order = torch.Generator().manual_seed(recipe.seed + 10_000)
    for _ in range(recipe.epochs):
        for rows in torch.randperm(len(train.x), generator=order).split(recipe.batch_size):
            loss = F.cross_entropy(module(train.x[rows]), train.y[rows])
            optimizer.zero_grad()
            loss.backward()
            watcher.step(loss.detach())
            optimizer.step()
    return Run(recipe, watcher.history(), module.eval())


def accuracy(run: Run, part: Pairs) -> float:
    with torch.no_grad():
        return float((run.module(part.x).argmax(1) == part.y).float().mean())


# ---- A rule reads a history and returns a finding or None. Its card names the remedies.


@dataclass(frozen=True)
class Finding:
    rule: str
    sentence: str
    remedies: tuple[str, ...] = ()


def vanishing_gradient(history: History) -> Finding | None:
    """Find a first layer whose gradient is far below the last layer's in a run that fails."""
    first, last = history.layers[0], history.layers[-1]
    gradients = (history.series["gradient.rms", layer] for layer in (first, last))
    ratio = median(b / max(a, 1e-38) for a, b in zip(*gradients, strict=True))
    if ratio <= 25 or final_loss(history) < 0.35 * history.facts.loss_of_guessing:
        return None
    sentence = f"Layer {first} gets a gradient {ratio:,.0f} times smaller than layer {last}."
    return Finding("vanishing_gradient", sentence)


def not_learning(history: History) -> Finding | None:
    """Find a final loss that is hardly below that of the best constant output."""
    loss, guessing = final_loss(history), history.facts.loss_of_guessing
    if loss < 0.9 * guessing:
        return None
    return Finding("not_learning", f"The final loss is {loss:.2f}; guessing has {guessing:.2f}.")


def final_loss(history: History) -> float:
    return fmean(history.series["loss", ""][-10:])


@dataclass(frozen=True)
class Rule:
    name: str
    title: str
    find: Callable[[History], Finding | None]
    remedies: tuple[str, ...]


RULES = (  # causes before their consequences
    Rule(
        "vanishing_gradient",
        "vanishing gradient",
        vanishing_gradient,
        remedies=("use_relu", "use_glorot", "use_batch_norm"),
    ),
    Rule("not_learning", "not learning", not_learning, remedies=("use_relu", "use_batch_norm")),
)


def diagnose(run: Run, rules: Sequence[Rule] = RULES) -> list[Finding]:
    answers = [(rule, rule.find(run.history)) for rule in rules]
    return [replace(found, remedies=rule.remedies) for rule, found in answers if found]


# ---- A remedy changes a recipe, or returns why it does not apply.


@dataclass(frozen=True)
class NotApplicable:
    reason: str


@dataclass(frozen=True)
class Remedy:
    name: str
    apply: Callable[[Recipe], Recipe | NotApplicable]


def use_relu(recipe: Recipe) -> Recipe | NotApplicable:
    if recipe.activation == "ReLU":
        return NotApplicable("the hidden layers are ReLU already")
    return replace(recipe, activation="ReLU", init="he")


def use_glorot(recipe: Recipe) -> Recipe | NotApplicable:
    if recipe.init == "glorot":
        return NotApplicable("the weights are initialized by Glorot already")
    return replace(recipe, init="glorot")


def use_batch_norm(recipe: Recipe) -> Recipe | NotApplicable:
    if recipe.batch_norm:
        return NotApplicable("the network has batch norm already")
    return replace(recipe, batch_norm=True)


REMEDIES = tuple(Remedy(f.__name__, f) for f in (use_relu, use_glorot, use_batch_norm))

# ---- A trial is paired: the same seeds with and without the remedy, everything else equal.


@dataclass(frozen=True)
class TrialResult:
    """`gain` in validation accuracy with its 95 % interval; `sick_after` is the share of the
    treated runs that still have the finding."""

    remedy: str
    recipe: Recipe
    gain: float
    low: float
    high: float
    sick_after: float

    @property
    def helps(self) -> bool:
        return self.low > 0 and self.sick_after < 0.5


STUDENT_T = 2.776  # 95 %, four degrees of freedom: five seeds


def trial(
    recipe: Recipe, remedy: Remedy, finding: str, seeds: Sequence[int] = range(5)
) -> TrialResult | NotApplicable:
    treated = remedy.apply(recipe)
    if isinstance(treated, NotApplicable):
        return treated
    before, after = ([fit(replace(r, seed=seed)) for seed in seeds] for r in (recipe, treated))
    valid = SAMPLES.valid
    gains = [accuracy(b, valid) - accuracy(a, valid) for a, b in zip(before, after, strict=True)]
    gain, reach = fmean(gains), STUDENT_T * stdev(gains) / math.sqrt(len(gains))
    sick = fmean(finding in [f.rule for f in diagnose(run)] for run in after)
    return TrialResult(remedy.name, treated, gain, gain - reach, gain + reach, sick)


# ---- A treatment repeats: diagnose, try the remedies of the first finding, keep the best one.


def treat(recipe: Recipe) -> Recipe:
    titles = {rule.name: rule.title for rule in RULES}
    for _ in range(4):
        findings = diagnose(fit(recipe))
        if not findings:
            print("no findings")
            return recipe
        finding = findings[0]
        print(f"{titles[finding.rule]}: {finding.sentence}")
        results = []
        for remedy in (r for name in finding.remedies for r in REMEDIES if r.name == name):
            result = trial(recipe, remedy, finding.rule)
            if isinstance(result, NotApplicable):
                print(f"  {remedy.name}: not applicable, {result.reason}")
                continue
            results.append(result)
            gain, low, high = (f"{100 * x:+.1f}" for x in (result.gain, result.low, result.high))
            finding_after = "gone" if result.sick_after < 0.5 else "still there"
            print(f"  {remedy.name}: {gain} points ({low} to {high}), finding {finding_after}")
        helping = [result for result in results if result.helps]
        if not helping:
            print("no remedy helps")
            return recipe
        best = max(helping, key=lambda result: result.gain)
        print(f"accepted {best.remedy}")
        recipe = best.recipe
    return recipe


def main() -> None:
    torch.set_num_threads(1)  # layers this small gain nothing from a second thread
    sick = Recipe()
    treated = treat(sick)
    before, after = (100 * accuracy(fit(recipe), SAMPLES.test) for recipe in (sick, treated))
    print(f"test accuracy: {before:.1f} % before, {after:.1f} % after")
    for name, value in vars(treated).items():
        if value != getattr(sick, name):
            print(f"changed {name}: {getattr(sick, name)} -> {value}")


if __name__ == "__main__":
    main()

"""The whole idea of netwise in three hundred lines: recipe, fit, history, rules, remedies, trials,
treatment.

    python miniature.py

Nothing here is imported by the package. Names and shapes are the package's own; what is left out is
everything that makes it useful: files, resume, other networks and data, reports, the command line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median, stdev

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

# ---- a recipe says everything that decides what a run learns: a frozen value


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
    """The network, started from the recipe's own random stream."""
    g = torch.Generator().manual_seed(recipe.seed)
    layers: list[nn.Module] = []
    for ins, outs in zip(recipe.widths, recipe.widths[1:], strict=False):
        layer = nn.Linear(ins, outs)
        std = {"normal": 0.1, "he": math.sqrt(2 / ins), "glorot": math.sqrt(2 / (ins + outs))}[
            recipe.init
        ]
        with torch.no_grad():
            layer.weight.copy_(torch.randn(outs, ins, generator=g) * std)
            layer.bias.zero_()
        layers += [
            layer,
            *([nn.BatchNorm1d(outs)] if recipe.batch_norm else []),
            getattr(nn, recipe.activation)(),
        ]
    return nn.Sequential(*layers[: -2 if recipe.batch_norm else -1])


@dataclass(frozen=True)
class Part:
    """Inputs and class numbers of one part of the data."""

    x: Tensor
    y: Tensor


def digits() -> tuple[Part, Part, Part]:
    """(training, validation, test): only the final score touches the last."""
    x, y = load_digits(return_X_y=True)
    rest_x, test_x, rest_y, test_y = train_test_split(
        x / 16, y, test_size=0.2, stratify=y, random_state=0
    )
    train_x, valid_x, train_y, valid_y = train_test_split(
        rest_x, rest_y, test_size=0.25, stratify=rest_y, random_state=0
    )
    parts = ((train_x, train_y), (valid_x, valid_y), (test_x, test_y))
    train, valid, test = (
        Part(torch.tensor(a, dtype=torch.float32), torch.tensor(b)) for a, b in parts
    )
    return train, valid, test


TRAIN, VALID, TEST = digits()

# ---- a history holds what a run said: numbers only, by (signal, layer)


@dataclass(frozen=True)
class History:
    series: dict[tuple[str, str], tuple[float, ...]]
    layers: tuple[str, ...]
    loss_of_guessing: float


class watch:
    """Hears the layers of a module while anyone trains it; leaves nothing on it."""

    def __init__(self, model: nn.Module, every: int = 3) -> None:
        self.model, self.every, self.steps = model, every, 0
        self.weights = {
            name: m.weight for name, m in model.named_modules() if isinstance(m, nn.Linear)
        }
        self.series: dict[tuple[str, str], list[float]] = {}

    def step(self, loss: Tensor) -> None:
        """Gradients are ready, the optimizer has not moved yet."""
        if self.steps % self.every == 0:
            self._note("loss", "", float(loss))
            for name, w in self.weights.items():
                if w.grad is not None:
                    self._note("gradient.rms", name, float(w.grad.norm()) / math.sqrt(w.numel()))
                    self._note("gradient.ratio", name, float(w.grad.norm() / w.detach().norm()))
        self.steps += 1

    def _note(self, signal: str, layer: str, value: float) -> None:
        self.series.setdefault((signal, layer), []).append(value)

    def history(self) -> History:
        return History(
            {key: tuple(values) for key, values in self.series.items()},
            tuple(self.weights),
            math.log(10),
        )


@dataclass(frozen=True)
class Run:
    recipe: Recipe
    history: History
    model: nn.Module


def fit(recipe: Recipe) -> Run:
    """A recipe in, a run out. The order of the data has a stream of its own."""
    model = build(recipe)
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe.lr, momentum=recipe.momentum)
    listener = watch(model)
    g = torch.Generator().manual_seed(recipe.seed + 10_000)
    for _ in range(recipe.epochs):
        for rows in torch.randperm(len(TRAIN.x), generator=g).split(recipe.batch_size):
            loss = F.cross_entropy(model(TRAIN.x[rows]), TRAIN.y[rows])
            optimizer.zero_grad()
            loss.backward()
            listener.step(loss.detach())
            optimizer.step()
    return Run(recipe, listener.history(), model.eval())


def accuracy(run: Run, part: Part = VALID) -> float:
    with torch.no_grad():
        return float((run.model(part.x).argmax(1) == part.y).float().mean())


# ---- a rule is a function History -> Finding or None


@dataclass(frozen=True)
class Finding:
    rule: str
    sentence: str


def vanishing_gradient(history: History) -> Finding | None:
    """The first layer's gradient is far below the last layer's."""
    first, last = (
        history.series["gradient.rms", layer] for layer in (history.layers[0], history.layers[-1])
    )
    ratio = median(b / max(a, 1e-38) for a, b in zip(first, last, strict=True))
    learned = fmean(history.series["loss", ""][-10:]) < 0.35 * history.loss_of_guessing
    if ratio <= 25 or learned:
        return None
    return Finding(
        "vanishing gradient",
        f"{history.layers[0]} gets a gradient {ratio:,.0f} times smaller than {history.layers[-1]}.",
    )


def not_learning(history: History) -> Finding | None:
    """The loss ends no better than the best constant answer."""
    last = fmean(history.series["loss", ""][-10:])
    if last < 0.9 * history.loss_of_guessing:
        return None
    return Finding(
        "not learning",
        f"The loss ends at {last:.2f}; guessing scores {history.loss_of_guessing:.2f}.",
    )


RULES: tuple[Callable[[History], Finding | None], ...] = (
    vanishing_gradient,
    not_learning,
)  # causes first


def diagnose(history: History) -> list[Finding]:
    return [finding for rule in RULES if (finding := rule(history))]


# ---- a remedy is a function Recipe -> Recipe, or a text that says why it makes no sense here


@dataclass(frozen=True)
class Remedy:
    name: str
    answers: tuple[str, ...]
    apply: Callable[[Recipe], Recipe | str]


def use_relu(recipe: Recipe) -> Recipe | str:
    return (
        "the layers are ReLU already"
        if recipe.activation == "ReLU"
        else replace(recipe, activation="ReLU", init="he")
    )


def use_glorot(recipe: Recipe) -> Recipe | str:
    return (
        "the start is Glorot's already"
        if recipe.init == "glorot"
        else replace(recipe, init="glorot")
    )


def use_batch_norm(recipe: Recipe) -> Recipe | str:
    return "there is batch norm already" if recipe.batch_norm else replace(recipe, batch_norm=True)


REMEDIES = (
    Remedy("use_relu", ("vanishing gradient", "not learning"), use_relu),
    Remedy("use_glorot", ("vanishing gradient",), use_glorot),
    Remedy("use_batch_norm", ("vanishing gradient", "not learning"), use_batch_norm),
)

# ---- a trial is paired: same seeds, same starts, same batches, one thing changed


@dataclass(frozen=True)
class TrialResult:
    remedy: str
    recipe: Recipe
    gain: float
    low: float
    high: float
    sick_after: float

    @property
    def helps(self) -> bool:
        """The goal rose beyond doubt, and the finding is gone."""
        return self.low > 0 and self.sick_after < 0.5


T_FOR_FIVE = 2.776  # Student's t at 95 % and four degrees of freedom


def trial(
    recipe: Recipe, remedy: Remedy, finding: str, seeds: Sequence[int] = range(5)
) -> TrialResult | str:
    treated = remedy.apply(recipe)
    if isinstance(treated, str):
        return treated
    before, after = ([fit(replace(r, seed=seed)) for seed in seeds] for r in (recipe, treated))
    gains = [accuracy(b) - accuracy(a) for a, b in zip(before, after, strict=True)]
    reach = T_FOR_FIVE * stdev(gains) / math.sqrt(len(gains))
    sick = fmean(finding in [f.rule for f in diagnose(run.history)] for run in after)
    return TrialResult(
        remedy.name, treated, fmean(gains), fmean(gains) - reach, fmean(gains) + reach, sick
    )


# ---- treatment: diagnose, try what answers the finding, keep what is proved to help; again, until
# nothing is found


def treat(recipe: Recipe) -> Recipe:
    for _ in range(4):
        found = diagnose(fit(recipe).history)
        if not found:
            print("nothing found")
            return recipe
        first = found[0]
        print(f"found {first.rule}: {first.sentence}")
        verdicts = []
        for remedy in REMEDIES:
            if first.rule not in remedy.answers:
                continue
            verdict = trial(recipe, remedy, first.rule)
            if isinstance(verdict, str):
                print(f"  {remedy.name}: unfit, {verdict}")
                continue
            verdicts.append(verdict)
            gone = "gone" if verdict.sick_after < 0.5 else "still there"
            print(
                f"  {remedy.name}: gain {100 * verdict.gain:+.1f} points ({100 * verdict.low:+.1f} to {100 * verdict.high:+.1f}), {first.rule} {gone}"
            )
        helping = [verdict for verdict in verdicts if verdict.helps]
        if not helping:
            print("nothing helps")
            return recipe
        best = max(helping, key=lambda verdict: verdict.gain)
        print(f"accepted {best.remedy}")
        recipe = best.recipe
    return recipe


def main() -> None:
    torch.set_num_threads(1)  # layers this small only wait for a second one
    sick = Recipe()
    cured = treat(sick)
    before, after = fit(sick), fit(cured)
    print(
        f"test part: {100 * accuracy(before, TEST):.1f} % before, {100 * accuracy(after, TEST):.1f} % after"
    )
    changed = {
        name: (getattr(sick, name), value)
        for name, value in vars(cured).items()
        if value != getattr(sick, name)
    }
    print("changed:", ", ".join(f"{name}: {old} -> {new}" for name, (old, new) in changed.items()))


if __name__ == "__main__":
    main()

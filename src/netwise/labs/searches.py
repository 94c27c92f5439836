"""L12, L58 to L62 and L77: claims about choosing settings, most of them on a stored table of real
results."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netwise import data
from netwise.data.dataset import Samples
from netwise.intervals import of_mean
from netwise.labs.catalogue import CLAIMS
from netwise.labs.definition import Criterion, Lab, LabResult
from netwise.labs.landscape import EPOCHS, landscape, recipe_at
from netwise.labs.runs import trained
from netwise.networks import MLP, ConvNet
from netwise.part import part
from netwise.parts.activations import ReLU, Sigmoid
from netwise.parts.initializers import Glorot, He, Normal
from netwise.parts.losses import CrossEntropy
from netwise.parts.optimizers import SGD, Momentum
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.report.pictures.drawing import BLUE, COLOURS, GREEN, GREY, ORANGE, figure, svg
from netwise.searches.axes import Integer, Point, Space
from netwise.searches.methods import CoarseToFine
from netwise.searches.optuna_package import require_optuna
from netwise.searches.trial_record import TrialRecord
from netwise.signals import VALID_ACCURACY
from netwise.training.parallel import fit_many
from netwise.treatment.learning_rate import rate_threshold

Floats = NDArray[np.float64]
POINTS = 100  # hundredths of a share
REPEATS = 20  # of a search over the table
TRIALS = 30


def _landscape_arms() -> Mapping[str, Recipe]:
    return {"landscape": recipe_at(0, 0, 0, 0)}


def _hashes() -> dict[str, str]:
    return {"landscape": landscape().recipe}


def _draw_shares(axis: Any, found: Sequence[tuple[Sequence[float] | Floats, str, str]]) -> None:
    """What share of the searches stayed below each value: (values, colour, name) of each way."""
    for values, colour, name in found:
        axis.plot(np.sort(values), np.arange(len(values)) / len(values), color=colour, label=name)
    axis.set_ylabel("share of the searches")
    axis.legend(fontsize=8)


# ---- L12


def threshold_settings() -> dict[str, Recipe]:
    """Six settings whose rate is wanted: two activations, three batch sizes, momentum, a small
    convolutional network."""
    few = data.Fewer(data=data.mnist(), rows=5000)
    wide, sigmoid = MLP((784, 100, 10)), MLP((784, 30, 10), activation=Sigmoid())
    conv = ConvNet(image=(1, 28, 28), classes=10, channels=(8, 16))
    return {
        "ReLU, batch 10": Recipe(
            data=few, network=wide, init=He(), optimizer=SGD(), batch_size=10, epochs=4
        ),
        "ReLU, batch 50": Recipe(
            data=few, network=wide, init=He(), optimizer=SGD(), batch_size=50, epochs=4
        ),
        "ReLU, momentum": Recipe(
            data=few, network=wide, init=He(), optimizer=Momentum(), batch_size=50, epochs=4
        ),
        "sigmoid, batch 10": Recipe(
            data=few, network=sigmoid, init=Glorot(), optimizer=SGD(), batch_size=10, epochs=4
        ),
        "deep ReLU": Recipe(
            data=few,
            network=MLP((784, 60, 60, 60, 10), activation=ReLU()),
            init=He(),
            optimizer=SGD(),
            batch_size=20,
            epochs=4,
        ),
        "convolutional": Recipe(
            data=few, network=conv, init=He(), optimizer=SGD(), batch_size=50, epochs=3
        ),
    }


GRID = tuple(float(f"{10 ** (-3.5 + 5 * i / 11):.3g}") for i in range(12))


def run_l12() -> LabResult:
    numbers: dict[str, float] = {}
    near = []
    for name, recipe in threshold_settings().items():
        found = rate_threshold(recipe)
        assert found is not None
        grid = [_accuracy(with_learning_rate(recipe, rate)) for rate in GRID]
        half = _accuracy(with_learning_rate(recipe, found.rate))
        numbers |= {
            f"{name}: threshold": found.threshold,
            f"{name}: at half of it": half,
            f"{name}: best of 12": max(grid),
        }
        numbers[f"{name}: behind, points"] = POINTS * (max(grid) - half)
        near.append(numbers[f"{name}: behind, points"] <= 1)
    share = fmean(near)
    worst = max(value for name, value in numbers.items() if name.endswith("points"))
    with figure() as (made, axes):
        axis = axes[0][0]
        names = list(threshold_settings())
        axis.barh(
            range(len(names)),
            [numbers[f"{name}: behind, points"] for name in names],
            color=BLUE,
            height=0.6,
        )
        axis.set_yticks(range(len(names)), names)
        axis.axvline(1, color=ORANGE, linestyle="--", linewidth=1)
        axis.set_xlabel("points of accuracy behind the best of a grid of 12 rates")
        axis.set_title("Half of the threshold")
        picture = svg(made, "Half of the threshold")
    criteria = (
        Criterion(
            "half of the threshold comes within a point of the grid's best in at least 80 % of the settings",
            share,
            share >= 0.8,
        ),
        Criterion(
            "and is never more than five points behind", worst, worst <= 5, of_the_note=False
        ),
    )
    return LabResult(
        numbers,
        criteria,
        picture,
        {name: recipe.hash for name, recipe in threshold_settings().items()},
        (0,),
    )


def _accuracy(recipe: Recipe) -> float:
    series = trained(recipe).history.of(VALID_ACCURACY)
    return 0.1 if series is None or not np.isfinite(series.last) else series.last


L12 = Lab(
    "L12",
    CLAIMS["L12"],
    "Six networks on 5,000 images of MNIST, 3 or 4 epochs each; the rule against the best of 12 rates from 0.0003 to 30, one seed.",
    "note 004",
    run_l12,
    threshold_settings,
    slow=True,
)


# ---- L58


def run_l58() -> LabResult:
    rng = np.random.default_rng(0)
    draws = 5000
    centre = rng.uniform(0, 1, draws)
    grid_places = (np.arange(3) + 0.5) / 3

    def value(x: Floats) -> Floats:
        """One axis matters: a hump around the centre, a third of the axis wide."""
        return np.exp(-(((x - centre[:, None]) / 0.15) ** 2))

    grid = value(np.broadcast_to(grid_places, (draws, 3))).max(
        1
    )  # nine trials of a 3 x 3 grid see three values of it
    drawn = value(rng.uniform(0, 1, (draws, 9))).max(1)
    along = value(np.broadcast_to((np.arange(9) + 0.5) / 9, (draws, 9))).max(
        1
    )  # with one axis only, a grid sees nine
    table = landscape().final
    real_grid, real_random = _table_grid(table, rng, draws), _table_random(table, rng, draws, 9)
    numbers = {
        "one of two axes matters: grid of 3 x 3": float(grid.mean()),
        "one of two axes matters: 9 random": float(drawn.mean()),
        "one of two axes matters: random at least as good": float((drawn >= grid).mean()),
        "one axis: grid of 9": float(along.mean()),
        "one axis: 9 random": float(drawn.mean()),
        "table, rate and dropout: grid of 3 x 3": float(real_grid.mean()),
        "table, rate and dropout: 9 random": float(real_random.mean()),
    }
    with figure() as (made, axes):
        axis = axes[0][0]
        _draw_shares(axis, ((grid, GREY, "grid of 3 x 3"), (drawn, BLUE, "9 random")))
        axis.set_xlabel("best value found")
        axis.set_title("Nine trials, one of two axes matters")
        picture = svg(made, "Random and grid")
    gain = float(drawn.mean() - grid.mean())
    real = POINTS * float(real_random.mean() - real_grid.mean())
    alone = float(drawn.mean() - along.mean())
    criteria = (
        Criterion(
            "random search finds more than a grid where one of two axes matters, on average",
            gain,
            gain > 0,
        ),
        Criterion("and on a table of real results over two axes, in points", real, real > 0),
        Criterion("with a single axis it has no advantage", alone, alone <= 0, of_the_note=False),
    )
    return LabResult(numbers, criteria, picture, _hashes(), (0,))


def _table_grid(table: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """Best of a 3 x 3 grid over rate and dropout, of 10 and 3 values, laid over the rates at a
    random place; the other axes at random."""
    best = np.empty(draws)
    for i in range(draws):
        plane = table[:, rng.integers(table.shape[1]), rng.integers(table.shape[2]), :]
        offset = rng.integers(0, 4)
        best[i] = plane[[offset, offset + 3, offset + 6]].max()
    return best


def _table_random(table: Floats, rng: np.random.Generator, draws: int, trials: int) -> Floats:
    best = np.empty(draws)
    for i in range(draws):
        plane = table[:, rng.integers(table.shape[1]), rng.integers(table.shape[2]), :]
        best[i] = plane[
            rng.integers(0, plane.shape[0], trials), rng.integers(0, plane.shape[1], trials)
        ].max()
    return best


L58 = Lab(
    "L58",
    CLAIMS["L58"],
    "5,000 searches of nine trials: over two axes of which one matters, over one axis, and over a table of 480 trained networks.",
    "note 002",
    run_l58,
    _landscape_arms,
)


# ---- L59


def searched(
    table: Floats, sampler: Callable[[int], object], seed: int, trials: int
) -> list[float]:
    """Best so far of an Optuna search over the cells of a table, each axis by its places."""
    require_optuna()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=sampler(seed))  # type: ignore[arg-type]
    kinds: dict[str, optuna.distributions.BaseDistribution] = {
        f"axis{i}": optuna.distributions.IntDistribution(0, size - 1)
        for i, size in enumerate(table.shape)
    }
    best: list[float] = []
    for _ in range(trials):
        trial = study.ask(kinds)
        value = float(table[tuple(trial.params[name] for name in kinds)])
        study.tell(trial, value)
        best.append(max(value, best[-1]) if best else value)
    return best


def run_l59() -> LabResult:
    require_optuna()
    import optuna

    table = landscape().final
    makers: dict[str, Callable[[int], object]] = {
        "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
        "Bayesian (TPE)": lambda seed: optuna.samplers.TPESampler(seed=seed, n_startup_trials=10),
        "Bayesian (GP)": lambda seed: optuna.samplers.GPSampler(seed=seed, n_startup_trials=10),
    }
    regret = {
        name: POINTS
        * (table.max() - np.array([searched(table, make, seed, TRIALS) for seed in range(REPEATS)]))
        for name, make in makers.items()
    }
    middle = {name: np.median(each, 0) for name, each in regret.items()}
    numbers = {
        f"{name}: median regret after {t} trials, points": float(middle[name][t - 1])
        for name in makers
        for t in (10, 15, 20, 30)
    }
    with figure() as (made, axes):
        axis = axes[0][0]
        for (name, each), colour in zip(regret.items(), COLOURS, strict=False):
            axis.plot(range(1, TRIALS + 1), middle[name], color=colour, label=name)
            axis.fill_between(
                range(1, TRIALS + 1),
                *np.quantile(each, [0.25, 0.75], axis=0),
                color=colour,
                alpha=0.15,
                linewidth=0,
            )
        axis.set_yscale("symlog", linthresh=0.1)
        axis.set_xlabel("trials")
        axis.set_ylabel("points below the best of the table")
        axis.set_title("Median regret, middle half shaded")
        axis.legend(fontsize=8)
        picture = svg(made, "Regret of searches")
    ahead = [
        float(np.mean(middle["random"][14:] - middle[name][14:]))
        for name in ("Bayesian (TPE)", "Bayesian (GP)")
    ]
    never = float((middle["random"][14:] - middle["Bayesian (GP)"][14:]).min())
    criteria = (
        Criterion(
            "with a Gaussian process the median regret is below random's from trial 15 on (its least lead, points)",
            never,
            never >= 0,
        ),
        Criterion("with TPE it is so on average over these trials", ahead[0], ahead[0] > 0),
    )
    return LabResult(numbers, criteria, picture, _hashes(), tuple(range(REPEATS)))


L59 = Lab(
    "L59",
    CLAIMS["L59"],
    "Rate, penalty, width and dropout of an MLP on 2,500 images of MNIST: a table of 480 trained networks, 20 searches of 30 trials each way.",
    "note 002",
    run_l59,
    _landscape_arms,
    slow=True,
)


# ---- L60

PLACES = Space(
    tuple(
        Integer(name, 0, size - 1)
        for name, size in zip(("rate", "penalty", "width", "dropout"), (10, 4, 4, 3), strict=True)
    )
)
COARSE_TRIALS, COARSE_REPEATS = 40, 200


def coarse_to_fine(table: Floats, seed: int) -> tuple[float, int]:
    """(best value of the last stage, epochs of all trials) of `CoarseToFine` over the table."""
    method, rng, tried, cost = (
        CoarseToFine(shrink=3.4),
        np.random.default_rng(seed),
        list[TrialRecord](),
        0,
    )
    for number in range(method.stages):
        stage = method.stage(number, PLACES, COARSE_TRIALS, EPOCHS, seed, tried)
        length = stage.epochs or EPOCHS
        for _ in range(stage.trials):
            point: Point = {
                axis.name: axis.value_at(float(rng.random())) for axis in stage.space.axes
            }
            value = float(table[(*point.values(), length - 1)])
            tried.append(TrialRecord(len(tried), number, point, value))
            cost += length
    return max(t.value or 0.0 for t in tried if t.stage == method.stages - 1), cost


def run_l60() -> LabResult:
    table = landscape().values
    found = [coarse_to_fine(table, seed) for seed in range(COARSE_REPEATS)]
    rng = np.random.default_rng(0)
    flat = table[..., -1].ravel()
    drawn = [float(rng.choice(flat, COARSE_TRIALS).max()) for _ in range(COARSE_REPEATS)]
    cost = fmean(cost for _, cost in found) / (COARSE_TRIALS * EPOCHS)
    equal = [
        float(rng.choice(flat, max(1, round(cost * COARSE_TRIALS))).max())
        for _ in range(COARSE_REPEATS)
    ]
    behind = POINTS * (fmean(drawn) - fmean(value for value, _ in found))
    ahead = POINTS * (fmean(value for value, _ in found) - fmean(equal))
    numbers = {
        "coarse to fine: best, mean": fmean(value for value, _ in found),
        "random, as many trials: best, mean": fmean(drawn),
        "random, as many epochs: best, mean": fmean(equal),
        "coarse to fine: epochs over random's": cost,
    }
    with figure() as (made, axes):
        axis = axes[0][0]
        staged = (
            [value for value, _ in found],
            BLUE,
            f"coarse to fine, {100 * cost:.0f} % of the epochs",
        )
        _draw_shares(
            axis, (staged, (drawn, GREY, "random"), (equal, ORANGE, "random, at the same cost"))
        )
        axis.set_xlabel("accuracy of the best")
        axis.set_title("From coarse to fine")
        picture = svg(made, "From coarse to fine")
    criteria = (
        Criterion(
            "from coarse to fine comes within 0.3 points of random search of as many full trials",
            behind,
            behind <= 0.3,
        ),
        Criterion("at less than half of its cost in epochs", cost, cost < 0.5),
        Criterion(
            "and beats random search at equal cost, in points", ahead, ahead > 0, of_the_note=False
        ),
    )
    return LabResult(numbers, criteria, picture, _hashes(), tuple(range(COARSE_REPEATS)))


L60 = Lab(
    "L60",
    CLAIMS["L60"],
    "The table of L59 with the accuracy after every epoch: 40 trials in three stages of 1, 4 and 12 epochs, against 40 random trials of 12; 200 searches.",
    "note 002",
    run_l60,
    _landscape_arms,
)


# ---- L61


def babysat(table: Floats, rng: np.random.Generator, trials: int) -> list[float]:
    """Best so far of one who changes one axis at a time to a neighbouring value and keeps what is
    better, from a random start.

    Where no single step is better he begins again elsewhere.
    """
    seen: dict[tuple[int, ...], float] = {}
    best: list[float] = []

    def look(cell: tuple[int, ...]) -> float:
        if cell not in seen and len(best) < trials:
            seen[cell] = float(table[cell])
            best.append(max(seen[cell], best[-1]) if best else seen[cell])
        return seen.get(cell, -1.0)

    while len(best) < trials:
        cell = tuple(int(rng.integers(size)) for size in table.shape)
        value, moved = look(cell), True
        while moved and len(best) < trials:
            moved = False
            for axis, step in itertools.product(rng.permutation(table.ndim), (1, -1)):
                place = cell[axis] + step
                if 0 <= place < table.shape[axis]:
                    beside = (*cell[:axis], int(place), *cell[axis + 1 :])
                    if look(beside) > value:
                        cell, value, moved = beside, seen[beside], True
    return best


def run_l61() -> LabResult:
    table = landscape().final
    rng = np.random.default_rng(0)
    repeats = 300
    line = table[:, 0, 2, 0]
    plane = table[:, :, 2, 0]
    curves: dict[str, Floats] = {}
    numbers: dict[str, float] = {}
    for name, some, trials in (
        ("1 axis", line, 5),
        ("2 axes", plane, 12),
        ("4 axes", table, TRIALS),
    ):
        sat = POINTS * (some.max() - np.array([babysat(some, rng, trials) for _ in range(repeats)]))
        flat = some.ravel()
        drawn = POINTS * (
            some.max() - np.maximum.accumulate(rng.choice(flat, (repeats, trials)), axis=1)
        )
        curves[f"{name}, babysitter"], curves[f"{name}, random"] = sat.mean(0), drawn.mean(0)
        numbers |= {
            f"{name}: babysitter, points below the best": float(sat[:, -1].mean()),
            f"{name}: random": float(drawn[:, -1].mean()),
        }
    with figure() as (made, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(
            curves.items(), (BLUE, BLUE, GREEN, GREEN, ORANGE, ORANGE), strict=True
        ):
            axis.plot(
                range(1, len(values) + 1),
                values,
                color=colour,
                linestyle="-" if "sitter" in name else ":",
                label=name,
            )
        axis.set_yscale("symlog", linthresh=1)
        axis.set_xlabel("trials")
        axis.set_ylabel("points below the best")
        axis.set_title("One axis at a time, and at random")
        axis.legend(fontsize=7)
        picture = svg(made, "Babysitting")
    low = numbers["2 axes: random"] - numbers["2 axes: babysitter, points below the best"]
    high = numbers["4 axes: random"] - numbers["4 axes: babysitter, points below the best"]
    criteria = (
        Criterion(
            "who learns from each trial does better than random search over two axes, in points",
            low,
            low > 0,
        ),
        Criterion("and over four axes", high, high > 0),
    )
    return LabResult(numbers, criteria, picture, _hashes(), (0,))


L61 = Lab(
    "L61",
    CLAIMS["L61"],
    "A simulated babysitter changes one setting at a time on the table of L59 and keeps what is better; 300 searches over one, two and four axes.",
    "note 002",
    run_l61,
    _landscape_arms,
)


# ---- L62

SETTINGS = tuple((rate, width) for rate in (0.01, 0.03, 0.1, 0.3) for width in (16, 64))
FEW, MANY = 500, 10_000
FEW_DRAWS, MANY_DRAWS = 12, 4


def _chosen_recipe(rows: int, draw: int, setting: tuple[float, int], fold: int | None) -> Recipe:
    """One setting on so many samples: on one of five folds, where the first fold alone is the plain
    hold-out of a fifth."""
    some: data.Data = data.Fewer(data=data.mnist(valid=0.0), rows=rows, draw=draw)
    if fold is not None:
        some = data.Fold(data=some, number=fold, repeat=draw)
    rate, width = setting
    epochs = 20 if rows == FEW else 2
    return Recipe(
        data=some,
        network=MLP((784, width, 10)),
        init=He(),
        optimizer=SGD(lr=rate),
        batch_size=20,
        epochs=epochs,
        seed=draw,
    )


def choice_arms() -> dict[str, Recipe]:
    return {f"{rows} samples": _chosen_recipe(rows, 0, SETTINGS[0], 0) for rows in (FEW, MANY)}


def run_l62() -> LabResult:
    numbers: dict[str, float] = {}
    gains: dict[int, tuple[float, float, float]] = {}
    for rows, draws in ((FEW, FEW_DRAWS), (MANY, MANY_DRAWS)):
        one, five = [], []
        for draw in range(draws):
            recipes = [
                _chosen_recipe(rows, draw, setting, fold)
                for setting in SETTINGS
                for fold in range(5)
            ]
            runs = fit_many(recipes, watch_every=0, test=True)
            seen = np.array(
                [
                    series.last if (series := run.history.of(VALID_ACCURACY)) is not None else 0.0
                    for run in runs
                ]
            ).reshape(len(SETTINGS), 5)
            truth = (
                np.array([0.1 if run.score is None else run.score.value for run in runs])
                .reshape(len(SETTINGS), 5)
                .mean(1)
            )
            one.append(POINTS * float(truth.max() - truth[seen[:, 0].argmax()]))
            five.append(POINTS * float(truth.max() - truth[seen.mean(1).argmax()]))
        numbers |= {
            f"{rows}: regret of one hold-out, points": fmean(one),
            f"{rows}: regret of five folds": fmean(five),
        }
        numbers |= {
            f"{rows}: median of one hold-out": median(one),
            f"{rows}: median of five folds": median(five),
        }
        gains[rows] = of_mean([a - b for a, b in zip(one, five, strict=True)])
    with figure() as (made, axes):
        axis = axes[0][0]
        for place, rows in enumerate((FEW, MANY)):
            axis.bar(
                [place - 0.18, place + 0.18],
                [
                    numbers[f"{rows}: regret of one hold-out, points"],
                    numbers[f"{rows}: regret of five folds"],
                ],
                0.34,
            )
            for bar, colour in zip(axis.containers[-1], (GREY, BLUE), strict=True):
                bar.set_color(colour)
        axis.set_xticks([0, 1], [f"{FEW} samples", f"{MANY} samples"])
        axis.set_ylabel("points lost by the choice")
        axis.set_title("One hold-out (grey) and five folds (blue)")
        picture = svg(made, "Hold-out and folds")
    criteria = (
        Criterion(
            "with 500 samples five folds choose better than one hold-out (mean gain in points)",
            gains[FEW][0],
            gains[FEW][0] > 0,
        ),
        Criterion(
            "beyond doubt: the 95 % interval lies above 0 (its low end)",
            gains[FEW][1],
            gains[FEW][1] > 0,
        ),
        Criterion(
            "with 10,000 samples the gain is below 0.2 points",
            gains[MANY][0],
            gains[MANY][0] < 0.2,
            of_the_note=False,
        ),
    )
    return LabResult(
        numbers,
        criteria,
        picture,
        {name: recipe.hash for name, recipe in choice_arms().items()},
        tuple(range(FEW_DRAWS)),
    )


L62 = Lab(
    "L62",
    CLAIMS["L62"],
    "Eight settings of an MLP on 500 and on 10,000 images of MNIST; chosen by a fifth held out or by five folds, judged by the test images; 12 and 4 draws.",
    "note 002",
    run_l62,
    choice_arms,
    slow=True,
)


# ---- L77

EPOCH_SEEDS = tuple(range(8))


@dataclass(frozen=True, kw_only=True)
class Exchanged(data.Data):
    """Other data whose validation and test part have changed places: what choosing on test data
    sees.

    Args:
        data: the other data.
    """

    data: data.Data = part(data.Data, because="it exchanges parts of data")

    def read(self) -> Samples:
        samples = self.data.load()
        return replace(
            samples,
            valid=samples.test,
            test=samples.valid,
            fingerprint=f"{samples.fingerprint}/exchanged",
        )


def flattered(exchanged: bool) -> Recipe:
    """784-30-10 on 1,000 images of MNIST, as in the note."""
    few: data.Data = data.Fewer(data=data.mnist(), rows=1000)
    network = MLP((784, 30, 10), activation=Sigmoid())
    shown = Exchanged(data=few) if exchanged else few
    return Recipe(
        data=shown,
        network=network,
        init=Normal(std=1.0, bias_std=1.0),
        optimizer=SGD(lr=0.5),
        loss=CrossEntropy(),
        batch_size=10,
        epochs=60,
    )


def flattered_arms() -> dict[str, Recipe]:
    return {"landscape": recipe_at(0, 0, 0, 0), "1,000 images": flattered(False)}


def _curve(recipe: Recipe) -> Floats:
    series = trained(recipe).history.of(VALID_ACCURACY)
    assert series is not None
    return np.array(series.values)


def run_l77() -> LabResult:
    by_epoch = []
    for seed in EPOCH_SEEDS:
        valid, test = (_curve(flattered(exchanged).but(seed=seed)) for exchanged in (False, True))
        by_epoch.append(POINTS * float(test.max() - test[valid.argmax()]))
    mean, low, high = of_mean(by_epoch)
    numbers: dict[str, float] = {
        "best epoch on test minus best epoch on validation, points": mean,
        "low": low,
        "high": high,
    }
    table = landscape()
    valid, test = table.final.ravel(), table.test.ravel()
    rng = np.random.default_rng(0)
    sizes, repeats = (5, 10, 30, 100, 300), 2000
    flatter: list[float] = []
    for size in sizes:
        gains = np.empty(repeats)
        for i in range(repeats):
            cells = rng.choice(len(valid), size, replace=False)
            gains[i] = POINTS * (test[cells].max() - test[cells[valid[cells].argmax()]])
        flatter.append(float(gains.mean()))
        numbers[f"best of {size} settings on test minus best on validation, points"] = flatter[-1]
    with figure() as (made, axes):
        axis = axes[0][0]
        axis.plot(sizes, flatter, "o-", color=BLUE, label="choosing a setting")
        axis.axhspan(low, high, color=ORANGE, alpha=0.25)
        axis.axhline(mean, color=ORANGE, label="choosing the epoch, 8 seeds")
        axis.set_xscale("log")
        axis.set_xlabel("settings that are chosen from")
        axis.set_ylabel("points")
        axis.set_title("How much choosing on test data flatters")
        axis.legend(fontsize=8)
        picture = svg(made, "Choosing on test data")
    criteria = (
        Criterion(
            "choosing the epoch on test data flatters, beyond doubt (low end of the 95 % interval, points)",
            low,
            low > 0,
        ),
        Criterion("choosing one of 30 settings does too, in points", flatter[2], flatter[2] > 0),
        Criterion(
            "the epoch flatters by 0.1 to 0.6 points", mean, 0.1 <= mean <= 0.6, of_the_note=False
        ),
    )
    return LabResult(
        numbers,
        criteria,
        picture,
        {name: recipe.hash for name, recipe in flattered_arms().items()},
        EPOCH_SEEDS,
    )


L77 = Lab(
    "L77",
    CLAIMS["L77"],
    "The epoch of a 784-30-10 on 1,000 images of MNIST, 60 epochs, 8 seeds; and the best of 5 to 300 of 480 trained networks, 2,000 draws each.",
    "note 004",
    run_l77,
    flattered_arms,
    slow=True,
)

"""Models of the trials of a search: a Gaussian process with its acquisition function, and the
importance of each axis."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netwise.searches.axes import Choice
from netwise.searches.optuna_package import require_optuna
from netwise.searches.space import Space
from netwise.searches.trial_record import COMPLETE, TrialRecord

Floats = NDArray[np.float64]
MIN_TRIALS = 4  # fewer do not determine a model


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A model of the value over one or two axes, each from 0 to 1 on its own scale.

    Args:
        axes: their names.
        grid: (points, axes), where the model is evaluated.
        mean, std: (points,), of the predicted value.
        improvement: (points,), expected improvement over the best observed value; the next trial is
            best at its maximum.
        observed, values: (trials, axes) and (trials,): the trials it was fitted to.

    Example:
        >>> import netwise as nw
        >>> space = nw.Space((nw.axes.Linear("network.dropout", 0.0, 1.0),))
        >>> trials = [
        ...     nw.TrialRecord(i, 0, {"network.dropout": x}, value=-((x - 0.3) ** 2))
        ...     for i, x in enumerate((0.0, 0.2, 0.5, 0.7, 1.0))
        ... ]
        >>> model = nw.surrogate(space, trials, ("network.dropout",), points=101)
        >>> bool(abs(model.grid[model.mean.argmax(), 0] - 0.3) < 0.05)
        True
    """

    axes: tuple[str, ...]
    grid: Floats
    mean: Floats
    std: Floats
    improvement: Floats
    observed: Floats
    values: Floats


def surrogate(
    space: Space, trials: Sequence[TrialRecord], axes: Sequence[str], *, points: int = 41
) -> Surrogate:
    """A Gaussian process (Matérn 5/2, lengths and noise by maximum likelihood) of the value over
    some axes; the effect of the others is part of the noise.

    Args:
        space: of the trials.
        trials: of the search; complete ones are used.
        axes: one name or two.
        points: of the grid along each axis. Default 41.

    Raises:
        ValueError: fewer than four complete trials.

    Example:
        >>> import netwise as nw
        >>> space = nw.Space((nw.axes.Linear("x", 0.0, 1.0),))
        >>> trials = [nw.TrialRecord(i, 0, {"x": i / 4}, value=float(i)) for i in range(5)]
        >>> model = nw.surrogate(space, trials, ("x",), points=3)
        >>> bool(model.mean[0] < model.mean[1] < model.mean[2])
        True

    Source: Rasmussen, Williams 2006; expected improvement: Jones, Schonlau, Welch 1998, eq. 15.
    """
    from scipy.stats import norm
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    complete = [
        t
        for t in trials
        if t.state == COMPLETE and t.value is not None and all(name in t.point for name in axes)
    ]
    if len(complete) < MIN_TRIALS:
        raise ValueError(
            f"{len(complete)} complete trials are too few for a model, which needs {MIN_TRIALS}. "
            "Use the trials of a longer search: resume_search(folder, trials=...)"
        )
    observed = np.array(
        [[space.axis(name).fraction_of(t.point[name]) for name in axes] for t in complete]
    )
    values = np.array([t.value for t in complete], dtype=float)
    centre, scale = values.mean(), values.std() or 1.0
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(
        [0.3] * len(axes), (0.03, 10.0), nu=2.5
    ) + WhiteKernel(1e-2, (1e-5, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a length at the end of its range: the axis has no effect
        model = GaussianProcessRegressor(kernel, n_restarts_optimizer=3, random_state=0).fit(
            observed, (values - centre) / scale
        )
        line = np.linspace(0, 1, points)
        places = np.stack(
            [grid.ravel() for grid in np.meshgrid(*[line] * len(axes), indexing="ij")], 1
        )
        mean, std = model.predict(places, return_std=True)
    noise = float(np.exp(model.kernel_.theta[-1]))
    std = np.sqrt(
        np.maximum(std**2 - noise, 1e-12)
    )  # of the value itself, without the noise of one trial
    best = float(model.predict(observed).max())
    z = (mean - best) / std
    improvement = std * (z * norm.cdf(z) + norm.pdf(z))
    return Surrogate(
        tuple(axes),
        places,
        mean * scale + centre,
        std * scale,
        improvement * scale,
        observed,
        values,
    )


def importance(space: Space, trials: Sequence[TrialRecord]) -> dict[str, float]:
    """Share of the variance of the value that each axis explains by itself (fANOVA), the largest
    first; {} with too few trials, or where all have the same value.

    Args:
        space: of the trials.
        trials: of the search; complete ones are used. Axes that are not always active are left out.

    Raises:
        MissingPackage: Optuna is not installed.

    Source: Hutter, Hoos, Leyton-Brown 2014; computed by Optuna.

    Example:
        >>> import netwise as nw
        >>> space = nw.Space((nw.axes.Linear("a", 0.0, 1.0), nw.axes.Linear("b", 0.0, 1.0)))
        >>> points = [{"a": (i * 7 % 20) / 20, "b": (i * 3 % 20) / 20} for i in range(20)]
        >>> trials = [nw.TrialRecord(i, 0, p, value=p["a"]) for i, p in enumerate(points)]
        >>> next(iter(nw.importance(space, trials)))
        'a'
    """
    require_optuna()
    import optuna

    always = [axis for axis in space.axes if axis.when is None]
    complete = [
        t
        for t in trials
        if t.state == COMPLETE
        and t.value is not None
        and all(axis.name in t.point for axis in always)
    ]
    if len(complete) < MIN_TRIALS or len({t.value for t in complete}) < 2 or not always:
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    # Numeric axes by the fraction of the value: fANOVA's trees then split between neighbours.
    kinds: dict[str, optuna.distributions.BaseDistribution] = {
        axis.name: optuna.distributions.CategoricalDistribution(
            [axis.label(o) for o in axis.options]
        )
        if isinstance(axis, Choice)
        else optuna.distributions.FloatDistribution(0.0, 1.0)
        for axis in always
    }
    for t in complete:
        params = {
            a.name: a.label(t.point[a.name])
            if isinstance(a, Choice)
            else min(1.0, max(0.0, a.fraction_of(t.point[a.name])))
            for a in always
        }
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=kinds, value=t.value)
        )
    varied = [a.name for a in always if len({str(t.point[a.name]) for t in complete}) > 1]
    if len(varied) < 2:
        return dict.fromkeys(varied, 1.0)
    shares = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0), params=varied
    )
    return {name: float(value) for name, value in shares.items()}

"""A recipe as a plain PyTorch script without netwise, to learn from or to leave netwise with. It
gives the same weights, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from netwise.errors import Problem, WrongValue
from netwise.parts import stopping
from netwise.recipe.fields import RecipeFields
from netwise.recipe.memory_layout import weights_channels_last
from netwise.recipe.script.data_lines import data_lines
from netwise.recipe.script.module_source import module_text, source_of
from netwise.recipe.script.part_lines import (
    AUGMENT_FUNCTIONS,
    AUGMENTS,
    AVERAGES,
    CLIPPINGS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    PREPROCESSES,
    SCHEDULES,
    PenaltyLines,
    part_lines,
)
from netwise.recipe.script.sections import Content, script_text

T = TypeVar("T")


def to_script(recipe: RecipeFields, *, threads: int = 1) -> str:
    """The text of a Python file that trains what the recipe says, with torch, NumPy and
    scikit-learn alone.

    It draws from the same random streams, takes the same steps, and ends with the weights of
    `fit(recipe, threads=threads)`, bit for bit on one machine and one version of torch; written to
    `weights.pt`. Data files are read from the folder that `NETWISE_DATA` names, or the script's
    first argument.

    Args:
        recipe: what to write.
        threads: that the script computes with. Default 1, as `fit` takes for small networks.

    Raises:
        WrongValue: parts that no script can have; names all of them.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> script = nw.to_script(recipe)
        >>> "import netwise" in script, "optimizer.step()" in script
        (False, True)
    """
    return script_text(_content(recipe, threads))


def _content(recipe: RecipeFields, threads: int) -> Content:
    problems = _unsupported(recipe)

    def collected(write: Callable[[], T], otherwise: T) -> T:
        try:
            return write()
        except WrongValue as error:
            problems.extend(error.problems)
            return otherwise

    def lines(field: str, part: Any, forms: Mapping[type[Any], Callable[..., str]]) -> str:
        return "" if part is None else collected(lambda: part_lines(field, part, forms), "")

    average, penalty = recipe.average, recipe.penalty
    averaged = (
        None
        if average is None
        else collected(lambda: part_lines("average", average, AVERAGES), None)
    )
    no_penalty = PenaltyLines("", "")
    penalised = (
        no_penalty
        if penalty is None
        else collected(lambda: part_lines("penalty", penalty, PENALTIES), no_penalty)
    )
    data = collected(lambda: data_lines(recipe.data), "")
    preprocess = tuple(lines("preprocess", step, PREPROCESSES) for step in recipe.preprocess)
    augment = tuple(lines("augment", change, AUGMENTS) for change in recipe.augment)
    init = lines("init", recipe.init, INITIALIZERS)
    loss = lines("loss", recipe.loss, LOSSES)
    clip = lines("clip", recipe.clip, CLIPPINGS)
    optimizer = lines("optimizer", recipe.optimizer, OPTIMIZERS)
    schedule = collected(
        lambda: part_lines("schedule", recipe.schedule, SCHEDULES)(recipe.epochs), ""
    )
    if problems:
        raise WrongValue("recipe", problems)
    network, sources = module_text(recipe.network)
    functions = [
        source_of(function)
        for change in recipe.augment
        for function in AUGMENT_FUNCTIONS.get(type(change), ())
    ]
    return Content(
        recipe=recipe,
        threads=threads,
        data=data,
        preprocess=preprocess,
        augment=augment,
        init=init,
        loss=loss,
        penalty=penalised.term,
        weight_limit=penalised.limit,
        clip=clip,
        optimizer=optimizer,
        schedule=schedule,
        average=averaged,
        network=network,
        sources=tuple(dict.fromkeys([*sources, *functions])),
        channels_last=weights_channels_last(recipe),
    )


def _unsupported(recipe: RecipeFields) -> list[Problem]:
    """Problems of choices that no table of forms lists."""
    problems = []
    kept = (stopping.Never, stopping.Patience)
    if recipe.tuning is not None:
        reason = "cannot be written as a script: delete it, or train with netwise.fit"
        problems.append(Problem("tuning", "FineTune", reason))
    if recipe.average is not None and recipe.stopping.keeps_best:
        reason = (
            "cannot be written as a script together with a stopping rule that keeps the best "
            "weights: write stopping = Never()"
        )
        problems.append(Problem("average", recipe.average.kind, reason))
    if type(recipe.stopping) not in kept:
        names = ", ".join(rule.__name__ for rule in kept)
        reason = f"cannot be written as a script: use one of {names}"
        problems.append(Problem("stopping", recipe.stopping.kind, reason))
    if recipe.metric is not None and recipe.stopping.keeps_best:
        reason = (
            "cannot be written as a script where it chooses the best epoch: delete it, or write "
            "stopping = Never()"
        )
        problems.append(Problem("metric", recipe.metric, reason))
    if recipe.network.own_task is not None or recipe.network.is_energy_model:
        reason = (
            "learns its inputs instead of targets, which cannot be written as a script: train it "
            "with netwise.fit"
        )
        problems.append(Problem("network", recipe.network.kind, reason))
    if recipe.network.own_code:
        reason = "is user-defined code: paste it into a script yourself"
        problems.append(Problem("network", recipe.network.own_code, reason))
    return problems

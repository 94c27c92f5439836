"""Faults of the connections between loss, weights and optimizer: weights without an optimizer,
weights that no loss reaches, weights outside of the module, nothing to train."""

from __future__ import annotations

from dataclasses import replace

from netwise.diagnosis.error_kinds import kind_of_error
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_step import error_finding
from netwise.diagnosis.rules.observation import (
    code_of,
    layers_of,
    listed,
    loop_observed,
    name_of_model,
    never_stepped,
    observed,
)
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_UPDATES,
    finite_median,
    has_learned,
    series_by_layer,
    too_few_steps,
)
from netwise.history import History
from netwise.signals import GRADIENT_RATIO, GROUP_RATE, RATE, UPDATE_RATIO, WEIGHTS_MOVED
from netwise.wiring import Wiring

# |g| / |w|: a thousand times the gradient whose update could be lost to rounding at usual rates.
LIVE_GRADIENT = 1e-4
MANY_PASSES = 50  # backward passes; usual accumulation steps after at most a few dozen
NO_STEPS = (
    "no optimizer step was seen to change a weight: call w.step(loss, y) before optimizer.step(), "
    "and once for each of its steps"
)
CONSEQUENCES = (
    "not_finite",
    "vanishing_gradient",
    "exploding_gradient",
    "dead_relu",
    "saturation",
    "rate_too_high",
    "rate_too_low",
    "overfitting",
    "underfitting",
    "activation_flattens",
    "one_rate_for_rare_features",
    "batch_too_small",
    "too_short",
    "loss_unbounded",
    "not_learning",
)


def weights_stand_still(history: History) -> Answer:
    """Find trainable weights that a loss reaches and no optimizer updates.

    Where the connections are known this is exact. Elsewhere, and in runs of `fit` too, it is a
    layer that got a gradient on every watched step and changed in none, while others changed; so
    also where a program updates its weights by hand.
    """
    if history.wiring is None:
        return _never_changed(history)
    without_step = _no_step(history) if never_stepped(history) else None
    if without_step is not None:
        return without_step
    wiring = observed(history, "in_no_optimizer", "optimizers")
    if isinstance(wiring, Unchecked):
        answer = _never_changed(history) if not history.wiring.optimizers else None
        return answer if isinstance(answer, Finding) else wiring
    names = wiring.in_no_optimizer
    if not names and wiring.idle_weights:
        return _idle(history, wiring)
    if not names and wiring.left_out:
        return _left_out(history, wiring.left_out)
    if not names:
        return _without_rate(history) if loop_observed(history) else _never_changed(history)
    return Finding(
        rule="weights_stand_still",
        sentence=f"A loss reaches {listed(names)}, but no optimizer holds {_it(names)}.",
        layers=layers_of(history, names),
        steps=(0, history.ended.step),
        evidence=(Evidence("weights in no optimizer", float(len(names)), 0.0),),
        strength=float(len(names)),
        change=_how_to_add(history, names),
    )


def _no_step(history: History) -> Finding | None:
    """Backward passes of a loss that is compared with targets, and no step. Nothing is to be
    trained where the gradient of the inputs is asked for."""
    wiring, passes = history.wiring, history.ended.step
    if wiring is None or passes < MANY_PASSES or wiring.asks_inputs or wiring.outside_module:
        return None
    if not any(term.operation and term.target_shape for term in wiring.losses):
        return None
    return Finding(
        rule="weights_stand_still",
        sentence=(
            f"After {passes} backward passes all weights are as they were at the start: no "
            "optimizer has stepped. Where a step follows every so many batches, their count must "
            "not begin anew before it is reached."
        ),
        steps=(0, passes),
        evidence=(Evidence("backward passes without a step", float(passes), MANY_PASSES),),
        change="loss.backward()\noptimizer.step()\noptimizer.zero_grad()",
    )


def _without_rate(history: History) -> Finding | None:
    """Layers of an observed loop in a group of the optimizer whose learning rate is always 0, in a
    run that has not learned: where it has, they may be frozen so on purpose."""
    groups = {name: s for (signal, name), s in history.series.items() if signal == GROUP_RATE}
    still = [name for name, series in groups.items() if not any(series.values)]
    if not still or len(still) == len(groups) or has_learned(history):
        return None
    answer = _never_changed(history)
    if not isinstance(answer, Finding):
        return None
    return replace(
        answer,
        sentence=(
            f"{answer.sentence[:-1]}: the learning rate of a group of the optimizer is 0 in all "
            "steps."
        ),
        grade="cause",
        change=(
            "for group in optimizer.param_groups:\n"
            '    print(len(group["params"]), group["lr"])  # which group has the rate 0\n'
            "# where its weights shall not be trained: requires_grad_(False)"
        ),
    )


def _idle(history: History, wiring: Wiring) -> Finding:
    """An optimizer, maybe a later one, of weights that the losses between its steps do not use."""
    names = wiring.idle_weights
    outside = all(name.startswith("of shape") for name in names)
    module = code_of(names, "").lstrip(".")
    what = f"weights {listed(names)}" if outside or not module else module
    reason = (
        "these weights are in no module that computes the loss"
        if outside
        else "the forward pass does not use them, and what it uses is not trained"
    )
    return Finding(
        rule="weights_stand_still",
        sentence=(
            f"An optimizer takes {wiring.idle_steps} steps, and none of its parameters ({what}) "
            f"ever has a gradient, while a loss reaches {wiring.module}: {reason}."
        ),
        layers=() if outside else layers_of(history, names),
        steps=(0, history.ended.step),
        evidence=(Evidence("weights that never have a gradient", float(len(names)), 0.0),),
        strength=float(len(names)),
        change=(
            "print(model)  # which layers forward uses, and what they are called there\n"
            "model.classifier = nn.Linear(features, classes)  # the new layer under that name\n"
            "optimizer = torch.optim.Adam(model.classifier.parameters(), lr=...)  # after that"
        ),
    )


def _left_out(history: History, modules: tuple[str, ...]) -> Finding:
    """Whole modules that are used in training and that no optimizer holds."""
    one = len(modules) == 1
    return Finding(
        rule="weights_stand_still",
        sentence=(
            f"A loss also reaches the weights of {'another module' if one else 'other modules'} "
            f"({listed(modules)}), {'which is' if one else 'which are'} used in training mode and "
            "still as drawn, and no optimizer that steps holds them."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("modules in no optimizer", float(len(modules)), 0.0),),
        strength=float(len(modules)),
        change=(
            "optimizer = torch.optim.Adam([*first.parameters(), *second.parameters()], lr=...)\n"
            "second_optimizer.step()  # where it has an optimizer of its own\n"
            "# or, where it shall not be trained: second.eval().requires_grad_(False)"
        ),
    )


def _it(names: tuple[str, ...]) -> str:
    return "it" if len(names) == 1 else "them"


def _how_to_add(history: History, names: tuple[str, ...]) -> str:
    """The line of code that gives these weights to the optimizer, and the one that freezes them."""
    model = name_of_model(history)
    module = code_of(names, model)
    if module == model:
        kind, rate = history.facts.optimizer or "Adam", history.facts.rate
        settings = "..." if rate is None else f"lr={rate:g}, ..."
        return (
            "# after the model is complete\n"
            f"optimizer = torch.optim.{kind}({model}.parameters(), {settings})"
        )
    single = f"{module}.{names[0].rpartition('.')[2]}"
    weights, frozen = (
        (f"[{single}]", single) if len(names) == 1 else (f"{module}.parameters()", module)
    )
    they = "it" if len(names) == 1 else "they"
    return (
        f'optimizer.add_param_group({{"params": {weights}}})\n'
        f"# or, where {they} shall not be trained: {frozen}.requires_grad_(False)"
    )


def _never_changed(history: History) -> Answer:
    """The answer from the changes of layers between watched steps."""
    updates, gradients = (
        series_by_layer(history, signal) for signal in (UPDATE_RATIO, GRADIENT_RATIO)
    )
    if not updates:
        return Unchecked(NO_UPDATES)
    count = max(len(series) for series in updates.values())
    if count < FEWEST:
        return Unchecked(too_few_steps(count, "weight updates"))
    if history.facts.rate == 0:
        return None
    # An update far below the last digit of a weight is lost to rounding: there the gradient is
    # small, and the optimizer is right.
    still = [
        name
        for name, series in updates.items()
        if not any(series.values)
        and name in gradients
        and (finite_median(gradients[name].values) or 0.0) > LIVE_GRADIENT
    ]
    if not still:
        return None
    if not history.made_by.recipe and not any(any(s.values) for s in updates.values()):
        # Where gradients are accumulated, it may be that no watched step was one of the optimizer.
        return Unchecked(NO_STEPS)
    which = (
        "No layer's weights have"
        if len(still) == len(updates)
        else f"The weights of {', '.join(still)} have not"
    )
    steps = updates[still[0]].steps
    return Finding(
        rule="weights_stand_still",
        sentence=f"{which} changed in any step, though they get gradients.",
        layers=tuple(still),
        steps=(steps[0], steps[-1]),
        evidence=(Evidence("layers that never changed", float(len(still)), 0.0),),
        strength=float(len(still)),
    )


def nothing_trainable(history: History) -> Answer:
    """Find an optimizer or a module none of whose parameters requires a gradient."""
    wiring = observed(history, "trainable", "frozen", "optimizer_weights", "optimizer_trainable")
    if isinstance(wiring, Unchecked):
        return wiring
    if wiring.trainable == 0 and wiring.frozen:
        what = (
            f"None of the {len(wiring.frozen)} parameters of {_module(wiring)} requires a gradient"
        )
    elif wiring.optimizer_weights > 0 and wiring.optimizer_trainable == 0:
        what = (
            f"{' and '.join(wiring.optimizers) or 'The optimizer'} holds "
            f"{wiring.optimizer_weights} parameters, and none of them requires a gradient"
        )
    else:
        return None
    return Finding(
        rule="nothing_trainable",
        sentence=f"{what}: no step changes anything.",
        steps=(0, history.ended.step),
        evidence=(
            Evidence("parameters to train", float(wiring.optimizer_trainable), 1.0, above=False),
        ),
    )


def _module(wiring: Wiring) -> str:
    return wiring.module or "the module"


def graph_cut(history: History) -> Answer:
    """Find trainable weights that an optimizer holds and no loss reaches, though their layers are
    used.

    Weights behind an output that no loss uses, and those of layers that are never called, do no
    harm and are no finding. A loss without any graph is one, which ended the program.
    """
    if history.error is not None:
        kind = kind_of_error(history.error)
        if kind is not None and kind.is_cut:
            return error_finding(history, history.error, "graph_cut")
    wiring = observed(history, "not_reached", "cut_between", "losses")
    if isinstance(wiring, Unchecked):
        return _no_pass_and_no_change(history) or wiring
    names = wiring.not_reached
    if not names:
        return None
    layers = layers_of(history, names)
    everything = wiring.trainable > 0 and len(names) >= wiring.trainable
    if not wiring.cut_between and not everything and (wiring.unused_output or not layers):
        return None
    reached = "no weight" if everything else f"{listed(layers or names)}"
    sentence = (
        "No loss reaches any weight of the module."
        if everything
        else f"No loss reaches the weights of {reached}: they get no gradient and never change."
    )
    if len(wiring.cut_between) == 2:
        sentence += f" The gradient is lost between {' and '.join(wiring.cut_between)}."
    return Finding(
        rule="graph_cut",
        sentence=sentence,
        layers=layers,
        steps=(0, history.ended.step),
        evidence=(Evidence("weights that no loss reaches", float(len(names)), 0.0),),
        strength=float(len(names)),
        change=_how_to_connect(wiring.cut_between),
    )


def _no_pass_and_no_change(history: History) -> Finding | None:
    """Optimizer steps that change nothing, and no backward pass that leads to the module: its loss
    was made anew of plain numbers."""
    wiring, moved, rates = history.wiring, history.of(WEIGHTS_MOVED), history.of(RATE)
    if wiring is None or moved is None or rates is None or len(moved) < FEWEST:
        return None
    if any(moved.values) or not min(rates.values, default=0.0) > 0 or not wiring.trainable:
        return None
    if "optimizers" in wiring.not_observed or len(wiring.not_reached) < wiring.trainable:
        return None
    return Finding(
        rule="graph_cut",
        sentence=(
            f"No backward pass reaches any weight of the module, and none of {len(moved)} watched "
            "steps of the optimizer changes one."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("weights that no loss reaches", float(wiring.trainable), 0.0),),
        strength=float(wiring.trainable),
        change=_how_to_connect(()),
    )


def _how_to_connect(cut_between: tuple[str, ...]) -> str:
    """What to remove in the forward pass."""
    where = " and ".join(cut_between) if len(cut_between) == 2 else "the layer and the loss"
    return (
        f"# between {where}, remove: .detach(), .data, .item(), .numpy(), .argmax(),\n"
        "# torch.tensor(...), torch.no_grad(). A choice with a gradient instead of argmax:\n"
        "chosen = torch.softmax(scores, dim=-1) @ values"
    )


MADE_ONCE = (
    "self.norm = nn.LayerNorm(width)  # in __init__, once\n"
    "x = self.norm(x)  # in forward, instead of nn.LayerNorm(width)(x)"
)


def weights_outside_module(history: History) -> Answer:
    """Find parameters that a loss reaches and that belong to no module and to no optimizer, and
    tensors that are used as such."""
    wiring = observed(history, "outside_module")
    if isinstance(wiring, Unchecked):
        return wiring
    shapes = wiring.outside_module
    if not shapes:
        return _tensors(history, wiring.outside_tensors)
    few = len(shapes) == 1
    made = "that is new" if few else "that are new"
    reason = (
        f"{made} at each step: the forward pass makes its layers anew, and no step trains them."
        if wiring.outside_anew
        else f"that belong{'s' * few} to no module and to no optimizer, as those of layers in a "
        "Python list do."
    )
    return Finding(
        rule="weights_outside_module",
        sentence=(
            f"A loss reaches {len(shapes)} parameter{'s' * (not few)} of shape {listed(shapes)} "
            f"{reason}"
        ),
        change=MADE_ONCE if wiring.outside_anew else "",
        steps=(0, history.ended.step),
        evidence=(Evidence("parameters outside of the module", float(len(shapes)), 0.0),),
        strength=float(len(shapes)),
    )


def _tensors(history: History, shapes: tuple[str, ...]) -> Finding | None:
    """Tensors that are used as weights, require gradients, and are never changed."""
    if not shapes:
        return None
    one = len(shapes) == 1
    return Finding(
        rule="weights_outside_module",
        sentence=(
            f"A loss reaches {'a tensor' if one else f'{len(shapes)} tensors'} of shape "
            f"{listed(shapes)} with `requires_grad`, used as {'a weight' if one else 'weights'}, "
            f"which {'is no parameter' if one else 'are no parameters'} and which no optimizer "
            f"holds: {'it keeps its' if one else 'they keep their'} first values."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("tensors in no optimizer", float(len(shapes)), 0.0),),
        strength=float(len(shapes)),
        change=(
            "self.weight = nn.Parameter(weight)  # as an attribute of a module, and not a tensor\n"
            "# without a module: optimizer = torch.optim.Adam([w1, b1, w2, b2], lr=...)  # all"
        ),
    )


WEIGHTS_STAND_STILL = Rule(
    name="weights_stand_still",
    title="Weights missing from the optimizer",
    find=weights_stand_still,
    explanation=(
        "Gradients are computed for these weights, but the optimizer does not update them: it was "
        "built before the layer was replaced, for another copy of the model, without the layer, or "
        "of a new layer that the forward pass never calls."
    ),
    healthy="Every step changes the weights of each trainable layer, by about 0.1 % of their norm.",
    source="Zhang et al. 2018, An empirical study on TensorFlow program bugs",
    explains=("stale_gradients", "loss_without_step", *CONSEQUENCES),
    remedies=("rebuild_optimizer",),
    exact=True,
    change=(
        "# after the model is complete and moved to its device\n"
        "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)"
    ),
)
NOTHING_TRAINABLE = Rule(
    name="nothing_trainable",
    title="Optimizer without trainable parameters",
    find=nothing_trainable,
    explanation=(
        "A parameter with `requires_grad=False` gets no gradient, and the optimizer skips it. "
        "Where all of them are frozen, training runs without an error and changes nothing. "
        "Libraries for adapters freeze the whole model before they add their own weights."
    ),
    healthy="At least one parameter of the optimizer requires a gradient.",
    source="PyTorch documentation, Autograd mechanics; huggingface/trl issue 3926",
    explains=("graph_cut", *CONSEQUENCES),
    own_modules=True,
    exact=True,
    change=(
        "for parameter in model.parameters():  # or of the part that shall be trained\n"
        "    parameter.requires_grad_(True)\n"
        "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)  # after that"
    ),
)
GRAPH_CUT = Rule(
    name="graph_cut",
    title="Weights that no loss reaches",
    find=graph_cut,
    explanation=(
        "`detach`, `.data`, `.item()`, `.numpy()`, `argmax`, a new `torch.tensor(...)` or a block "
        "of `torch.no_grad()` in a forward pass end the graph that `backward` follows. What lies "
        "before them stays as it was initialized, without any error."
    ),
    healthy="Each trainable weight has a gradient after `loss.backward()`.",
    source="PyTorch documentation, torch.Tensor.detach and Autograd mechanics",
    explains=("loss_without_step", *CONSEQUENCES),
    own_modules=True,
    exact=True,
    change=_how_to_connect(()),
)
WEIGHTS_OUTSIDE_MODULE = Rule(
    name="weights_outside_module",
    title="Layers outside of the module",
    find=weights_outside_module,
    explanation=(
        "A module registers layers that are its attributes. Those in a Python list, tuple or "
        "dictionary are not among `model.parameters()`: the optimizer does not update them, "
        "`model.to(device)` does not move them, and `state_dict` does not save them."
    ),
    healthy="All parameters that a loss reaches are among `model.parameters()`.",
    source="PyTorch documentation, torch.nn.ModuleList",
    explains=CONSEQUENCES,
    own_modules=True,
    exact=True,
    change=(
        "self.layers = nn.ModuleList(layers)  # not a list; a dictionary: nn.ModuleDict\n"
        "self.scale = nn.Parameter(scale)  # several: nn.ParameterList"
    ),
)

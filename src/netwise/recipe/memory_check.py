"""Whether a recipe's network and one of its steps fit into memory, from shapes alone."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from netwise.data import Samples
from netwise.errors import Problem, WrongValue
from netwise.memory import available_memory, require_memory
from netwise.networks.module_memory import NUMBER, needs, shapes_of, size_of
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.recipe.recipe import Recipe


def memory_problem(recipe: Recipe, samples: Samples) -> Problem | None:
    """The problem of a recipe whose training needs more memory than is free; None for one that
    fits, and where the free memory or what is needed is not known.

    The estimate is a lower bound: weights and their gradients, and what the layers with weights
    keep of a batch for the backward pass. It is for the CPU: with a GPU only the weights count.

    Args:
        recipe: to train.
        samples: preprocessed; all of them or some.
    """
    network = recipe.network
    if network.needs_import or network.runs_user_code:
        return None
    kind = type(network).__name__
    try:
        size = size_of(network)
        require_memory(size.total, "recipe", "network", kind, needs(size))
        if network.is_energy_model and recipe.loss.is_negative_phase:
            chains = _chains(recipe)
            loss = type(recipe.loss).__name__
            require_memory(chains, "recipe", "loss", loss, "has Markov chains that need")
        if torch.cuda.is_available() or network.is_memory:
            return None
        both = size.total + size.trained
        require_memory(both, "recipe", "network", kind, f"{needs(size)} with their gradients")
        if recipe.tuning is None:
            step = both + recipe.batch_size * _kept_of_a_sample(recipe, samples)
            what = f"samples of shape {samples.shape} make a step of {kind} need"
            smaller = str(max(1, recipe.batch_size // 16))
            require_memory(step, "recipe", "batch_size", recipe.batch_size, what, smaller)
    except WrongValue as error:
        return error.problems[0]
    return None


def _chains(recipe: Recipe) -> int:
    """Bytes of what the negative phase of an energy model keeps from step to step."""
    module = shapes_of(recipe.network)
    assert isinstance(module, UnsupervisedModule)
    before = sum(each.numel() for each in module.buffers())
    with torch.device("meta"):
        module.set_loss(recipe.loss)
    return NUMBER * (sum(each.numel() for each in module.buffers()) - before)


def _kept_of_a_sample(recipe: Recipe, samples: Samples) -> int:
    """Bytes that the layers with weights keep of one sample for the backward pass; 0 where a first
    look shows that they fit, or where the module cannot be called without data."""
    module = shapes_of(recipe.network).eval()
    rough = NUMBER * math.prod(samples.shape) * sum(max(p.shape[:2]) for p in _matrices(module))
    free = available_memory()
    if free is None or rough * recipe.batch_size < free / 2:
        return 0
    kept: list[Tensor] = []

    def keep(layer: nn.Module, args: tuple[Any, ...]) -> None:
        if args and isinstance(args[0], Tensor) and not any(args[0] is each for each in kept):
            kept.append(args[0])

    leaves = [each for each in module.modules() if not list(each.children())]
    handles = [
        leaf.register_forward_pre_hook(keep)
        for leaf in leaves
        if next(leaf.parameters(), None) is not None
    ]
    try:
        with torch.no_grad(), torch.device("meta"):
            module(samples.train.x[:1].to("meta"))
    except Exception:  # another check says what does not fit together
        return 0
    finally:
        for handle in handles:
            handle.remove()
    return sum(each.numel() * each.element_size() for each in kept)


def _matrices(module: nn.Module) -> list[Tensor]:
    return [p for p in module.parameters() if p.dim() > 1]

"""Fine-tuning: which layers of a network learn, from when on, and how fast beside the others."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar

from torch import nn

from netwise.errors import DataError, Problem
from netwise.part import Part, integer, number, texts


@dataclass(frozen=True, kw_only=True)
class FineTune(Part):
    """Freeze layers, give groups of layers rates of their own, or thaw a network from its output
    towards its input.

    Layers are named as in the network's table (`netwise check`), with `*` for any text: "conv*",
    "features.*". A frozen layer's running statistics stay too. With few samples like those of the
    first network: freeze all but the head; with many: let all layers learn, the early ones slowly.

    Args:
        freeze: layers that do not learn. Default none.
        rates: factors on the learning rate, each as "layers=factor"; the last that matches counts.
            Default none.
        decay: factor on the rate from each layer to the one before it, above 0 and at most 1.
            Default 1.0.
        unfreeze_every: at first only the last layer learns; after so many epochs each the next one
            joins. Default 0: all from the start.

    Example:
        >>> import netwise as nw
        >>> module = nw.MLP((4, 8, 8, 3)).build()
        >>> nw.FineTune(freeze=("layer1",), rates=("layer3=10",)).factors(module)
        {'layer1': 0.0, 'layer2': 1.0, 'layer3': 10.0}
        >>> nw.FineTune(decay=0.5).factors(module)
        {'layer1': 0.25, 'layer2': 0.5, 'layer3': 1.0}

    Source: note 002, claim W03 (CS231n, transfer learning); rates by layer and thawing: Howard,
    Ruder 2018, arXiv 1801.06146.
    """

    family_name: ClassVar[str] = "fine-tuning"

    freeze: tuple[str, ...] = texts((), because="they name layers", why="every layer learns")
    rates: tuple[str, ...] = texts((), because='each is "layers=factor"', why="one rate for all")
    decay: float = number(
        1.0, above=0, most=1, because="earlier layers learn more slowly", why="one rate for all"
    )
    unfreeze_every: int = integer(
        0, least=0, because="it counts epochs", why="all learn from the start"
    )

    def conflicts(self) -> list[Problem]:
        problems = []
        for i, each in enumerate(self.rates):
            name, _, factor = each.rpartition("=")
            try:
                good = bool(name.strip()) and float(factor) > 0
            except ValueError:
                good = False
            if not good:
                problems.append(
                    Problem(
                        f"rates.{i}",
                        each,
                        "must be layers=factor with a factor above 0",
                        '"conv*=0.1"',
                    )
                )
        return problems

    def factors(self, module: nn.Module) -> dict[str, float]:
        """The factor on the rate of every layer that has parameters of its own; 0 for frozen ones.

        Raises:
            DataError: a pattern matches no layer.
        """
        names = parameter_layers(module)
        for pattern in (*self.freeze, *(each.rpartition("=")[0].strip() for each in self.rates)):
            if not any(matches(name, pattern) for name in names):
                raise DataError(f"no layer is called {pattern!r}. There are: {', '.join(names)}")
        found = {}
        for depth, name in enumerate(reversed(names)):
            factor = self.decay**depth
            for each in self.rates:
                pattern, _, given = each.rpartition("=")
                if matches(name, pattern.strip()):
                    factor = float(given)
            found[name] = 0.0 if any(matches(name, pattern) for pattern in self.freeze) else factor
        return dict(reversed(found.items()))

    def trainable(self, names: list[str], epoch: int) -> set[str]:
        """The layers of `names` (in order, none of them frozen) that learn in `epoch`."""
        if not self.unfreeze_every:
            return set(names)
        return set(names[-(1 + epoch // self.unfreeze_every) :])


def parameter_layers(module: nn.Module) -> list[str]:
    """Names of the modules that have parameters of their own, in order; the module itself is
    "(network)"."""
    return [
        name or "(network)"
        for name, layer in module.named_modules()
        if list(layer.parameters(recurse=False))
    ]


def layer_by_name(module: nn.Module, name: str) -> nn.Module:
    """The module that `parameter_layers` calls `name`."""
    return module if name == "(network)" else module.get_submodule(name)


def matches(name: str, pattern: str) -> bool:
    """`pattern` names the layer `name` or a module around it."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")

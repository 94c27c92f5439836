"""Fine-tuning: which layers are trained, from which epoch on, and with which learning rates."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar

from torch import nn

from netwise.errors import DataError, Problem
from netwise.part import Part, integer, number, texts


@dataclass(frozen=True, kw_only=True)
class FineTune(Part):
    """Freeze layers, give groups of layers their own learning rates, or unfreeze a network
    gradually from its output to its input.

    Layers are named as in the network's table (`netwise check`), with `*` for any text: "conv*",
    "features.*". Running statistics of a frozen layer are kept, too. With few samples that resemble
    those of the first training, freeze all but the last layer; with many, train all layers, the
    early ones with a smaller rate.

    Args:
        freeze: layers that are not trained. Default none.
        rates: factors on the learning rate, each as "layers=factor"; of several that match, the
            last is used. Default none.
        decay: factor on the rate from each layer to the one before it, above 0 and at most 1.
            Default 1.0.
        unfreeze_every: only the last layer is trained at first; every so many epochs the one before
            it joins. Default 0: all layers from the start.

    Example:
        >>> import netwise as nw
        >>> module = nw.MLP((4, 8, 8, 3)).build()
        >>> nw.FineTune(freeze=("layer1",), rates=("layer3=10",)).factors(module)
        {'layer1': 0.0, 'layer2': 1.0, 'layer3': 10.0}
        >>> nw.FineTune(decay=0.5).factors(module)
        {'layer1': 0.25, 'layer2': 0.5, 'layer3': 1.0}

    Source: CS231n, transfer learning; rates by layer and gradual unfreezing: Howard, Ruder 2018,
    arXiv 1801.06146.
    """

    family_name: ClassVar[str] = "fine-tuning"

    freeze: tuple[str, ...] = texts((), because="they name layers", why="every layer is trained")
    rates: tuple[str, ...] = texts((), because='each is "layers=factor"', why="one rate for all")
    decay: float = number(
        1.0, above=0, most=1, because="earlier layers learn more slowly", why="one rate for all"
    )
    unfreeze_every: int = integer(
        0, least=0, because="it counts epochs", why="all layers are trained from the start"
    )

    def conflicts(self) -> list[Problem]:
        problems = []
        for i, rate in enumerate(self.rates):
            name, _, factor = rate.rpartition("=")
            try:
                valid = bool(name.strip()) and float(factor) > 0
            except ValueError:
                valid = False
            if not valid:
                reason = "must be layers=factor with a factor above 0"
                problems.append(Problem(f"rates.{i}", rate, reason, '"conv*=0.1"'))
        return problems

    def factors(self, module: nn.Module) -> dict[str, float]:
        """The factor on the rate of every layer that has parameters of its own; 0 for frozen ones.

        Raises:
            DataError: a pattern matches no layer.
        """
        names = parameter_layers(module)
        rates = [(pattern.strip(), float(factor)) for pattern, factor in self._rate_pairs()]
        for pattern in (*self.freeze, *(pattern for pattern, _ in rates)):
            if not any(matches(name, pattern) for name in names):
                raise DataError(f"no layer is called {pattern!r}. There are: {', '.join(names)}")
        factors = {}
        for depth, name in enumerate(reversed(names)):
            factor = self.decay**depth
            for pattern, rate in rates:
                if matches(name, pattern):
                    factor = rate
            frozen = any(matches(name, pattern) for pattern in self.freeze)
            factors[name] = 0.0 if frozen else factor
        return dict(reversed(factors.items()))

    def _rate_pairs(self) -> list[tuple[str, str]]:
        """(pattern of layers, factor) of each of `rates`."""
        return [(rate.rpartition("=")[0], rate.rpartition("=")[2]) for rate in self.rates]

    def trainable(self, names: list[str], epoch: int) -> set[str]:
        """The layers of `names` (in order, none of them frozen) that are trained in `epoch`."""
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
    """Whether `pattern` matches the layer `name` or a module that holds it."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")

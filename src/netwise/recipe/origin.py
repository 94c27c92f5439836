"""Transfer learning: a network whose weights begin where another one's ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from netwise.errors import DataError, Problem
from netwise.part import part, text, texts
from netwise.parts.finetuning import matches
from netwise.parts.initializers import Initializer, ModuleDefault
from netwise.recipe.recipe import Recipe

MACHINE = re.compile(r"machine(\d+)\.(layer|back)1\.(weight|bias)")
BACK = re.compile(r"back(\d+)\.weight")
SAFE, TORCH = (".safetensors",), (".pt", ".pth", ".bin")


@dataclass(frozen=True)
class From(Initializer):
    """Weights of another run: from its folder, from a file of weights, or from a recipe that is
    trained first.

    Taken are the tensors of equal name and shape, running statistics too. The rest, such as a new
    head, starts by `rest`. With `FineTune` layers that were taken can be frozen, thawed, or learn
    slowly. A chain of recipes is a value: Adam first and then descent, a pretrained stack and then
    a classifier.

    Args:
        path: a run folder, or a file of weights by name: `.safetensors`, or `.pt` / `.pth` of
            torch, which is read with `weights_only`, so that nothing in it runs. Default none.
        recipe: what to train first, in the place of `path`. Default none.
        layers: only these, by their names, with `*` for any text. Default: all.
        anew: layers that start anew, such as the head. Default none.
        rest: where everything starts that is not taken. Default `ModuleDefault()`.

    Raises:
        WrongValue: neither or both of path and recipe.
        DataError: a layer that is asked for is absent, or has another shape and is not in `anew`.

    Example:
        >>> import netwise as nw
        >>> first = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), epochs=3)
        >>> second = first.but(init=nw.From(recipe=first), optimizer=nw.SGD(lr=0.01))
        >>> a, b = nw.fit(first), nw.fit(second.but(epochs=1))
        >>> b.history.of("loss").values[0] < a.history.of("loss").values[0]
        True

    Source: Yosinski, Clune, Bengio, Lipson 2014, arXiv 1411.1792; note 002, claim W03.
    """

    path: str | None = text(
        None,
        optional=True,
        because="it names a folder or file",
        why="a recipe may be trained first instead",
    )
    recipe: Recipe | None = part(
        Recipe, None, optional=True, why="a folder or file may have the weights"
    )
    layers: tuple[str, ...] = texts(
        (), because="they name layers", why="all that the other network has"
    )
    anew: tuple[str, ...] = texts((), because="they name layers", why="none")
    rest: Initializer = part(Initializer, ModuleDefault(), why="what the layers' authors chose")

    def conflicts(self) -> list[Problem]:
        if (self.path is None) == (self.recipe is None):
            told = (
                "and recipe are both given: which one?"
                if self.path
                else "or recipe must be given: whose weights?"
            )
            return [Problem("path", str(self.path), told, '"runs/digits-3f2a"')]
        if isinstance(self.rest, From):
            return [
                Problem(
                    "rest",
                    "From",
                    "must be a start that draws: weights come from one place",
                    "ModuleDefault()",
                )
            ]
        return []

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        return self.rest.sample(shape, fan_in=fan_in, fan_out=fan_out, generator=generator)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return self.rest.sample_bias(size, generator=generator)

    def calibrate(self, module: nn.Module, x: Tensor) -> None:
        self.rest.calibrate(module, x)


def take(module: nn.Module, init: From, tensors: dict[str, Tensor]) -> list[str]:
    """Put `tensors`, by name, into `module`, in place; gives the names that were taken.

    Raises:
        DataError: a layer that is asked for is absent, or has another shape and is not in `anew`.
    """
    live = module.state_dict()
    tensors = unrolled(tensors, live)
    wanted = [name for name in live if _chosen(name, init) and isinstance(live[name], Tensor)]
    absent = [name for name in wanted if name not in tensors]
    if init.layers or len(absent) == len(wanted):
        for pattern in init.layers or ("*",):
            if not any(
                matches(_layer(name), pattern) or matches(name, pattern)
                for name in wanted
                if name in tensors
            ):
                theirs = sorted({_layer(name) for name in tensors})
                raise DataError(
                    f"no layer {pattern!r} in both networks. The other one has: {', '.join(theirs[:30])}"
                )
    taken = [name for name in wanted if name in tensors]
    unequal = [name for name in taken if tensors[name].shape != live[name].shape]
    if unequal:
        name = unequal[0]
        shapes = f"{tuple(tensors[name].shape)} there and {tuple(live[name].shape)} here"
        raise DataError(
            f"{name} is {shapes}: the networks differ. Begin it anew: anew=({_layer(name)!r},)"
        )
    with torch.no_grad():
        module.load_state_dict({name: tensors[name].to(live[name]) for name in taken}, strict=False)
    return taken


def unrolled(tensors: dict[str, Tensor], live: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a stack by the names that a network of its layers has.

    A `DBN` keeps machines: what `machine2.layer1` and `machine2.back1` hold is `layer2` and `back2`
    of a network. A decoder with weights of its own begins as the encoder transposed, where none
    were learned apart.
    """
    found = dict(tensors)
    for name, value in tensors.items():
        stacked = MACHINE.fullmatch(name)
        if stacked:
            found[f"{stacked[2]}{stacked[1]}.{stacked[3]}"] = value
    for name in live:
        back = BACK.fullmatch(name)
        if back and name not in found and f"layer{back[1]}.weight" in found:
            found[name] = found[f"layer{back[1]}.weight"].t()
    return found


def weights_in(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of weights, by name; nothing in it is executed.

    Raises:
        DataError: no such file, or one that holds other things than tensors.
    """
    if not path.is_file():
        raise DataError(f"{path} is neither a run folder nor a file of weights")
    try:
        if path.suffix in SAFE:
            from safetensors.torch import load_file

            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each format fails in its own way
        raise DataError(
            f"{path} holds no plain weights: {str(error).splitlines()[0][:200]}"
        ) from None
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict) or not all(
        isinstance(value, Tensor) for value in found.values()
    ):
        raise DataError(f"{path} holds no state dict: names with a tensor each")
    return found


def _chosen(name: str, init: From) -> bool:
    layer = _layer(name)
    if any(matches(layer, pattern) for pattern in init.anew):
        return False
    return not init.layers or any(
        matches(layer, pattern) or matches(name, pattern) for pattern in init.layers
    )


def _layer(name: str) -> str:
    return name.rpartition(".")[0] or "(network)"

"""Transfer learning: initial weights from a run, a file, or a recipe that is trained first."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from netwise.errors import DataError, Problem
from netwise.part import part, text, texts
from netwise.parts.finetuning import matches
from netwise.parts.initializers import Initializer, ModuleDefault
from netwise.recipe.recipe import Recipe

# Tensors of a `DBN`, a stack of machines, and of an autoencoder's decoder.
MACHINE_TENSOR = re.compile(r"machine(\d+)\.(layer|back)1\.(weight|bias)")
DECODER_WEIGHT = re.compile(r"back(\d+)\.weight")
SAFETENSORS = ".safetensors"
MAX_NAMES = 30  # names of layers that a message lists


@dataclass(frozen=True)
class From(Initializer):
    """Weights of another run: from its folder, from a file of weights, or from a recipe that is
    trained first.

    Tensors of equal name and shape are copied, running statistics too. The others, such as those of
    a new head, are initialised by `rest`. With `FineTune` the copied layers can be frozen, unfrozen
    later, or trained at a lower rate. A chain of recipes is a value: Adam first and then gradient
    descent, a pretrained stack and then a classifier.

    Args:
        path: a run folder, or a file of weights by name: `.safetensors`, or `.pt` / `.pth` of
            torch, which is read with `weights_only`, so that nothing in it runs. Default none.
        recipe: what to train first, instead of `path`. Default none.
        layers: copy only these, by their names, with `*` for any text. Default: all.
        anew: layers that are not copied, such as the head. Default none.
        rest: initialises everything that is not copied. Default `ModuleDefault()`.

    Raises:
        WrongValue: neither or both of path and recipe.
        DataError: when training starts: a layer in `layers` is absent, or one to be copied has
            another shape and is not in `anew`.

    Example:
        >>> import netwise as nw
        >>> first = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), epochs=3)
        >>> second = first.but(init=nw.From(recipe=first), optimizer=nw.SGD(lr=0.01))
        >>> a, b = nw.fit(first), nw.fit(second.but(epochs=1))
        >>> b.history.of("loss").values[0] < a.history.of("loss").values[0]
        True

    Source: Yosinski, Clune, Bengio, Lipson 2014, arXiv 1411.1792.
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
        example = '"runs/digits-3f2a"'
        if self.path is None and self.recipe is None:
            reason = "or recipe must be given: whose weights?"
            return [Problem("path", "none", reason, example)]
        if self.path is not None and self.recipe is not None:
            reason = "and recipe are both given, and weights come from one: delete either"
            return [Problem("path", self.path, reason)]
        if isinstance(self.rest, From):
            reason = "must be an initializer that draws: weights are copied from one place"
            return [Problem("rest", "From", reason, "ModuleDefault()")]
        return []

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        return self.rest.sample(shape, fan_in=fan_in, fan_out=fan_out, generator=generator)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return self.rest.sample_bias(size, generator=generator)

    def calibrate(self, module: nn.Module, x: Tensor) -> None:
        self.rest.calibrate(module, x)


def load_matching(module: nn.Module, init: From, tensors: dict[str, Tensor]) -> list[str]:
    """Copy `tensors`, by name, into `module`, in place.

    Args:
        module: whose parameters and buffers are set.
        init: which layers are copied.
        tensors: of the other network, by name.

    Returns:
        The names that were copied.

    Raises:
        DataError: a layer in `init.layers` is absent, no layer is common to both networks, one has
            another shape and is not in `init.anew`, or values are not finite.
    """
    own = module.state_dict()
    tensors = with_layer_names(tensors, own)
    wanted = [name for name in own if _is_copied(name, init) and isinstance(own[name], Tensor)]
    copied = [name for name in wanted if name in tensors]
    place = f"{init.path}: " if init.path else ""
    if init.layers or not copied:
        _require_layers(init, copied, tensors, place)
    for name in copied:
        if tensors[name].shape != own[name].shape:
            layer = _layer_of(name)
            raise DataError(
                f"{place}{name} has shape {tuple(tensors[name].shape)} in the other network and "
                f"{tuple(own[name].shape)} in this one: write anew = ({layer!r},) to initialise it "
                "instead of copying it"
            )
        if not tensors[name].isfinite().all():
            raise DataError(
                f"{place}{name} has values that are not finite, and a network that begins with "
                "them learns nothing: use weights from before the other run diverged"
            )
    with torch.no_grad():
        module.load_state_dict({name: tensors[name].to(own[name]) for name in copied}, strict=False)
    return copied


def _require_layers(init: From, copied: list[str], tensors: dict[str, Tensor], place: str) -> None:
    for pattern in init.layers or ("*",):
        if not any(matches(_layer_of(name), pattern) or matches(name, pattern) for name in copied):
            names = sorted({_layer_of(name) for name in tensors})[:MAX_NAMES]
            raise DataError(
                f"{place}no layer {pattern!r} is in both networks: use one of the other network's "
                f"that this one has too. There are: {', '.join(names)}"
            )


def with_layer_names(tensors: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, and those of a stack of machines also by the names that a network of its layers
    has.

    A `DBN` holds machines: its `machine2.layer1` and `machine2.back1` are `layer2` and `back2` of a
    network. The decoder of an autoencoder without tied weights gets the encoder's transposed, where
    `tensors` has none for it.

    Args:
        tensors: of the other network, by name.
        own: of the network that they are copied to, by name.
    """
    named = dict(tensors)
    for name, value in tensors.items():
        machine = MACHINE_TENSOR.fullmatch(name)
        if machine:
            named[f"{machine[2]}{machine[1]}.{machine[3]}"] = value
    for name in own:
        decoder = DECODER_WEIGHT.fullmatch(name)
        if decoder and name not in named and f"layer{decoder[1]}.weight" in named:
            named[name] = named[f"layer{decoder[1]}.weight"].t()
    return named


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of weights, by name; nothing in it is executed.

    Args:
        path: a `.safetensors` file, or what `torch.save` wrote of a state dict, or of a dict with
            one under "state_dict".

    Raises:
        DataError: no such file, or one that holds something else than tensors by name.
    """
    if not path.is_file():
        raise DataError(
            f"{path} is neither a run folder nor a file of weights: check the path; "
            "`netwise runs` lists all runs"
        )
    try:
        if path.suffix == SAFETENSORS:
            from safetensors.torch import load_file

            return load_file(path)
        _require_stored(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except DataError:
        raise
    except Exception as error:  # each format fails in its own way
        first_line = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(
            f"{path} holds no plain weights ({first_line}): save module.state_dict() with "
            "torch.save or safetensors"
        ) from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(t, Tensor) for t in content.values()):
        raise DataError(
            f"{path} holds a {type(content).__name__}, not tensors by name: save "
            "module.state_dict()"
        )
    for name, tensor in content.items():
        if not isinstance(name, str) or (form := _unusual_form(tensor)):
            what = f"under the name {name!r}" if not isinstance(name, str) else form
            raise DataError(
                f"{path} holds a tensor {what}, and netwise copies dense tensors of real numbers, "
                "by name: save module.state_dict() of the network in float32"
            )
    return content


def _unusual_form(tensor: Tensor) -> str:
    """In what a tensor differs from a dense one of real numbers; "" where it does not."""
    if tensor.is_nested:
        return "of rows of several lengths"
    if tensor.layout != torch.strided:
        return f"in the form {tensor.layout}"
    if tensor.is_quantized or tensor.is_complex():
        return f"of type {tensor.dtype}"
    return "without numbers (on the device meta)" if tensor.is_meta else ""


def _require_stored(path: Path) -> None:
    """Refuse an archive that unpacks to more than it holds: torch compresses nothing, so a small
    file that fills the memory was not written by it."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > (size := path.stat().st_size):
        raise DataError(
            f"{path} holds {size:,} bytes and unpacks to {unpacked:,}: torch.save compresses "
            "nothing. Save module.state_dict() again with torch.save or safetensors"
        )


def _is_copied(name: str, init: From) -> bool:
    layer = _layer_of(name)
    if any(matches(layer, pattern) for pattern in init.anew):
        return False
    return not init.layers or any(
        matches(layer, pattern) or matches(name, pattern) for pattern in init.layers
    )


def _layer_of(name: str) -> str:
    """The layer that a tensor belongs to."""
    return name.rpartition(".")[0] or "(network)"

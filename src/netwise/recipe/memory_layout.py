"""A fixed rule for the layout of images in memory, by the processor, the network and its work.

`fit` and plain scripts follow it. `scripts/bench layouts` measures it.
"""

from __future__ import annotations

import torch

from netwise.observe.anatomy import describe
from netwise.parts.optimizers import SGD, Adam, AdamW, Momentum
from netwise.recipe.fields import RecipeFields

# Multiply-adds of a forward pass over one batch, from which on convolutions with the channels last
# were never slower than 1.03 times those of stock torch: at 0.3 million 1.11, at 4 million 0.73.
LAST_FROM = 2_000_000
ANY_LAYOUT = (SGD, Momentum, Adam, AdamW)  # optimizers whose update is the same in any layout


def inputs_channels_last(device: str) -> bool:
    """Whether networks that can lay out their inputs with the channels last do so.

    They do where that was measured, on CPUs with oneDNN and AVX2 or AVX-512, and on devices whose
    makers advise it; elsewhere the layout is torch's.
    """
    return torch.device(device).type != "cpu" or _was_measured()


def weights_channels_last(recipe: RecipeFields, device: str = "cpu") -> bool:
    """Whether the kernels of convolutions have their channels last, and so all that they compute.

    They do on the processors that were measured, in the networks that were measured, with enough
    work in a step, and with optimizers that take tensors of any layout.
    """
    network = recipe.network
    if not (
        torch.device(device).type == "cpu"
        and _was_measured()
        and network.gains_from_channels_last
        and type(recipe.optimizer) in ANY_LAYOUT
    ):
        return False
    image: tuple[int, ...] = getattr(network, "image")  # noqa: B009  # such networks take images
    return describe(network, image).multiply_adds * recipe.batch_size >= LAST_FROM


def _was_measured() -> bool:
    vector_units = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    return vector_units and torch.backends.mkldnn.is_available()

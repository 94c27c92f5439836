"""Deep belief network (深度信念网络): a stack of restricted Boltzmann machines, each trained on the
hidden units of the one below."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.data.dataset import Samples
from netwise.errors import Problem
from netwise.networks.energy.phases import NegativePhase
from netwise.networks.energy.rbm import RBM, RestrictedBoltzmann, wrong_labels
from netwise.networks.energy.units import BINARY, GAUSSIAN, bits
from netwise.networks.network import Network, preview, wrong_inputs
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.part import flag, integer, integers, number, text
from netwise.parts.losses import Loss
from netwise.tasks import DENSITY

INITIAL_ROWS = 10_000  # samples that a machine is initialized from
PIECE = 4096  # samples that are encoded at a time


@dataclass(frozen=True)
class DBN(Network):
    """A stack of RBMs, trained from the bottom up, each in an equal share of the epochs (greedy
    layer-wise pretraining).

    Each machine is trained on the hidden means of the one below. The top two layers are an
    undirected model, the others a directed one downwards. It draws samples, classifies by label
    units at the top, and initializes other networks: `init=From(...)` gives its weights to an `MLP`
    of the same widths, or to encoder and decoder of an `Autoencoder`.

    Args:
        widths: numbers of inputs and of each layer's units. Default (784, 500, 500).
        visible_units: of the inputs, "binary" or "gaussian". Default "binary".
        labels: label units of the top machine, one for each class; 0: none. Default 0.
        centred: as in `RBM`. Default true.
        std: standard deviation of the initial weights. Default 0.01.

    Example:
        >>> import netwise as nw
        >>> stack = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),),
        ...                   network=nw.DBN((64, 32, 16)), loss=nw.CD(),
        ...                   optimizer=nw.SGD(lr=0.1), epochs=6)
        >>> run = nw.fit(stack)
        >>> [int(stage) for stage in run.history.of("stage").values]
        [1, 1, 1, 2, 2, 2]
        >>> run.module.sample(5, steps=10).shape
        torch.Size([5, 64])
        >>> classifier = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),),
        ...                        network=nw.MLP((64, 32, 16, 10), activation=nw.Sigmoid()),
        ...                        init=nw.From(recipe=stack), epochs=3)
        >>> nw.fit(classifier).history.ended.how
        'finished'

    Source: Hinton, Osindero, Teh 2006, "A fast learning algorithm for deep belief nets".
    """

    is_energy_model: ClassVar[bool] = True
    computes_loss: ClassVar[bool] = True
    declares_shape: ClassVar[bool] = True
    widths: tuple[int, ...] = integers(
        (784, 500, 500),
        shortest=2,
        longest=100,
        because="inputs and layers",
        why="MNIST, and the first two of the paper's layers",
    )
    visible_units: str = text(
        BINARY, among=(BINARY, GAUSSIAN), why="pixels and marks are nearly binary"
    )
    labels: int = integer(
        0, least=0, most=100_000, because="it is a number of classes", why="inputs without labels"
    )
    centred: bool = flag(
        True, why="the same for an image and its negative, and a better likelihood"
    )
    std: float = number(
        0.01,
        above=0,
        because="units with equal weights stay equal",
        why="small, so that hidden units start near one half",
    )

    @property
    def own_task(self) -> str | None:
        return None if self.labels else DENSITY

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        features = samples.train.x[0].numel()
        problems = []
        if isinstance(loss, NegativePhase):
            machines = self._machines()
            of_loss = [problem for machine in machines for problem in machine.phase_problems(loss)]
            problems += of_loss[:1] or machines[0].range_problems(preview(samples))
        size = wrong_inputs(self.widths, features, [features, *self.widths[1:]])
        return problems + (size or wrong_labels(self.labels, samples))

    def _machines(self) -> list[RBM]:
        """The stacked machines without labels, from the lowest up."""
        kinds = [self.visible_units, *[BINARY] * (len(self.widths) - 2)]
        return [
            RBM(ins, outs, visible_units=kind)
            for (ins, outs), kind in zip(pairwise(self.widths), kinds, strict=True)
        ]

    def needs_inputs_from_0_to_1(self, loss: Loss) -> bool:
        return self.visible_units == BINARY

    def build(self) -> nn.Module:
        return DeepBelief(self)


class DeepBelief(UnsupervisedModule):
    """The module of a `DBN`, with the machines `machine1` (the lowest) and so on.

    In training a call returns the loss of the current stage's machine; in evaluation the means of
    the top units, or, with label units, the scores of the classes."""

    stage: Tensor

    def __init__(self, network: DBN) -> None:
        super().__init__()
        self.network, self.stages, self.labels = network, len(network.widths) - 1, network.labels
        self.visible_units = network.visible_units
        for i in range(1, self.stages + 1):
            units = network.visible_units if i == 1 else BINARY
            labels = network.labels if i == self.stages else 0
            machine = RBM(
                network.widths[i - 1],
                network.widths[i],
                visible_units=units,
                labels=labels,
                centred=network.centred,
                std=network.std,
            )
            self.add_module(f"machine{i}", RestrictedBoltzmann(machine))
        self.register_buffer("stage", torch.zeros((), dtype=torch.int64))

    @property
    def machines(self) -> list[RestrictedBoltzmann]:
        """From the lowest to the top."""
        numbers = range(1, self.stages + 1)
        return [self.get_submodule(f"machine{i}") for i in numbers]  # type: ignore[misc]

    @property
    def current(self) -> RestrictedBoltzmann:
        """The machine that is being trained."""
        return self.machines[int(self.stage)]

    def set_loss(self, loss: Loss) -> None:
        for machine in self.machines:
            machine.set_loss(loss)

    def start_stage(self, stage: int, x: Tensor) -> None:
        """Train machine `stage` (from 0) from here on; it is initialized from the hidden means of
        the machine below."""
        if stage:
            self.stage.fill_(stage)
            self.current.initialize_from_data(
                self._up(x[:INITIAL_ROWS], stage),
                torch.zeros(min(INITIAL_ROWS, len(x)), dtype=torch.int64)
                if self.current.labels
                else None,
            )
            if self.current.labels:  # equal probabilities, since targets are not passed here
                self.current.base[self.current.inputs :] = self.current.back1.bias.data[
                    self.current.inputs :
                ] = 0.0
                self.current.visible_mean[self.current.inputs :] = 1 / self.current.labels
        self.enable_stage_gradients()

    def enable_stage_gradients(self) -> None:
        """Enable the gradients of the machine that is being trained."""
        for i, machine in enumerate(self.machines):
            trained = i == int(self.stage)
            for p in machine.parameters():
                p.requires_grad_(trained)
                p.grad = (
                    p.grad if trained else None
                )  # otherwise the optimizer would apply its last gradient again

    def initialize_from_data(self, x: Tensor, y: Tensor | None = None) -> None:
        self.machines[0].initialize_from_data(x, y if self.machines[0].labels else None)

    @torch.no_grad()
    def _up(self, x: Tensor, layers: int) -> Tensor:
        """Means of the units of layer `layers` for inputs."""
        h = x.flatten(1)
        for machine in self.machines[:layers]:
            pieces = [h] if torch.compiler.is_compiling() else h.split(PIECE)
            h = torch.cat([machine.hidden_given(piece) for piece in pieces])
        return h

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        if self.training and self.current.phase is not None:
            loss: Tensor = self.current(self._up(x, int(self.stage)), y)
            return loss
        top: Tensor = self.machines[-1](self._up(x, self.stages - 1))
        return top

    # ---- after training

    def encode(self, x: Tensor) -> Tensor:
        """(samples, top units): means of the top layer."""
        top = self.machines[-1]
        return top.hidden_given(top.with_labels(self._up(x, self.stages - 1)))

    @torch.no_grad()
    def _down(self, h: Tensor, layers: int) -> Tensor:
        """Means of the inputs for states of layer `layers`; the layers between are drawn."""
        for i, machine in reversed(list(enumerate(self.machines[:layers]))):
            h = machine.visible_given(h)
            h = bits(h) if i else h
        return h

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """(samples, inputs): up and down by means, through the layers that are trained."""
        layers = int(self.stage) + 1
        h = self._up(x, layers - 1)
        h = self.machines[layers - 1].reconstruct(h)
        for machine in reversed(self.machines[: layers - 1]):
            h = machine.visible_given(h)
        return h

    @torch.no_grad()
    def sample(
        self, count: int, *, steps: int = 1000, seed: int = 0, label: int | None = None
    ) -> Tensor:
        """(count, inputs): means of the inputs after Gibbs steps of the top machine and one
        downward pass.

        Args:
            count: number of samples.
            steps: Gibbs steps of the top machine. Default 1000.
            seed: of the draws. Default 0.
            label: with label units, the class whose unit stays on. Default none.
        """
        top = self.machines[-1]
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            v = top.sample_visible(torch.rand(count, top.hidden, device=top.base.device).round())
            for _ in range(steps):
                if label is not None and top.labels:
                    v[:, top.inputs :] = F.one_hot(torch.tensor(label), top.labels).to(v)
                v = top.sample_visible(top.sample_hidden(v))
            h = v[:, : top.inputs]
            if self.stages == 1:
                return top.visible_given(top.sample_hidden(v))[:, : top.inputs]
            return self._down(h, self.stages - 1)

    @torch.no_grad()
    def epoch_signals(self, train: Tensor, valid: Tensor, seed: int) -> dict[str, float]:
        """Measurements of the current stage's machine."""
        below = int(self.stage)
        return self.current.epoch_signals(
            self._up(train[:INITIAL_ROWS], below), self._up(valid[:INITIAL_ROWS], below), seed
        )

    def evaluation_loss(self, x: Tensor, seed: int) -> float:
        """As `RestrictedBoltzmann.evaluation_loss`, of the current stage's machine: values of
        different stages cannot be compared."""
        return self.current.evaluation_loss(self._up(x, int(self.stage)), seed)

    @torch.no_grad()
    def estimate_log_likelihood(self, x: Tensor, seed: int) -> tuple[Tensor, float, str] | None:
        """(lower bound of ln p of each input, standard error of the top machine's ln Z, method);
        None where it is not known.

        ln p(v) >= E_Q [ ln p(h_top) + sum over the layers below of ln p(h_(l-1) | h_l) ] + entropy
        of Q(h | v), with one draw of Q, the upward pass. Source: Hinton, Osindero, Teh 2006, eq. 8;
        Salakhutdinov, Murray 2008, section 4.
        """
        if self.visible_units != BINARY or self.labels:
            return None
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            h, bound = x.flatten(1), torch.zeros(len(x), device=x.device)
            for machine in self.machines[:-1]:
                z = machine.hidden_input(h)
                up = bits(torch.sigmoid(z))
                logits = machine.visible_input(up)
                bound += (h * logits - F.softplus(logits)).sum(1)
                bound += (F.softplus(z) - z * torch.sigmoid(z)).sum(1)  # entropy of Bernoulli units
                h = up
        estimate = self.machines[-1].estimate_log_likelihood(h, seed)
        if estimate is None:
            return None
        top, error, how = estimate
        return (
            bound + top,
            error,
            how if self.stages == 1 else f"a lower bound, one draw of the way up; top {how}",
        )

    def first_filters(self) -> Tensor | None:
        return self.machines[0].first_filters()

    def picture_samples(self, count: int, steps: int) -> tuple[Tensor, str] | None:
        return self.sample(count, steps=steps), f"{steps} Gibbs steps from independent pixels"

    def bounds(self, x: Tensor, *, seed: int = 0) -> list[float]:
        """Mean lower bound of ln p for the lowest machine alone (its likelihood), for two layers,
        and so on.

        A layer raises the bound only if the machine on top starts as the transposed machine below
        and is trained well.
        """
        bounds = []
        stack, stages = self.stages, self.stages
        try:
            for layers in range(1, stack + 1):
                self.stages = layers
                estimate = self.estimate_log_likelihood(x, seed)
                if estimate is not None:
                    bounds.append(float(estimate[0].mean()))
        finally:
            self.stages = stages
        return bounds

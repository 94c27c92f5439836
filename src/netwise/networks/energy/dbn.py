"""Deep belief network (深度信念网络): restricted Boltzmann machines, each learning the hidden units of
the one below."""

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

MET = 10_000  # samples that a machine sees of its inputs before it learns
CODED = 4096  # samples at a time on their way up


@dataclass(frozen=True)
class DBN(Network):
    """A stack of RBMs, learned from the bottom up, each in an equal share of the epochs (greedy
    layer-wise pretraining).

    What a machine learns is what the one below makes of the data. The top two layers are an
    undirected pair, the rest a directed way down. It is used to draw samples, with label units at
    the top to classify, and to start other networks: `init=From(...)` gives an `MLP` of the same
    widths its weights, and an `Autoencoder` both ways.

    Args:
        widths: numbers of inputs and of each layer's units. Default (784, 500, 500).
        visible_units: of the inputs, "binary" or "gaussian". Default "binary".
        labels: units for classes beside the top machine's visible ones; 0: none. Default 0.
        centred: as in `RBM`. Default true.
        std: spread of the normal weights at the start. Default 0.01.

    Example:
        >>> import netwise as nw
        >>> stack = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),), network=nw.DBN((64, 32, 16)), loss=nw.CD(),
        ...                   optimizer=nw.SGD(lr=0.1), epochs=6)
        >>> run = nw.fit(stack)
        >>> [int(stage) for stage in run.history.of("stage").values], run.module.sample(5, steps=10).shape
        ([1, 1, 1, 2, 2, 2], torch.Size([5, 64]))
        >>> classifier = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),), network=nw.MLP((64, 32, 16, 10), activation=nw.Sigmoid()),
        ...                        init=nw.From(recipe=stack), epochs=3)
        >>> nw.fit(classifier).history.ended.how
        'finished'

    Source: Hinton, Osindero, Teh 2006, "A fast learning algorithm for deep belief nets"; note 001,
    claims N13 and N14.
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
        BINARY, among=(BINARY, GAUSSIAN), why="pixels and marks are nearly so"
    )
    labels: int = integer(
        0, least=0, most=100_000, because="it counts classes", why="inputs without labels"
    )
    centred: bool = flag(
        True, why="the same for an image and its negative, and a better likelihood"
    )
    std: float = number(
        0.01, above=0, because="equal units stay equal", why="small: units start near one half"
    )

    @property
    def own_task(self) -> str | None:
        return None if self.labels else DENSITY

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        features = samples.train.x[0].numel()
        problems = wrong_inputs(self.widths, features, [features, *self.widths[1:]])
        if not problems:
            problems = wrong_labels(self.labels, samples)
        if isinstance(loss, NegativePhase):
            machines = self._machines()
            of_loss = [problem for machine in machines for problem in machine.phase_problems(loss)]
            problems += of_loss[:1] or machines[0].range_problems(preview(samples))
        return problems

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
    """The machines as `machine1` (the lowest) and so on. Called in training it takes a step of the
    machine whose turn it is; else it gives the means of the top units, or, with label units, the
    scores of the classes."""

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
        return [self.get_submodule(f"machine{i}") for i in range(1, self.stages + 1)]  # type: ignore[misc]

    @property
    def now(self) -> RestrictedBoltzmann:
        """The machine that learns."""
        return self.machines[int(self.stage)]

    def set_loss(self, loss: Loss) -> None:
        for machine in self.machines:
            machine.set_loss(loss)

    def start_stage(self, stage: int, x: Tensor) -> None:
        """Let machine `stage` (from 0) learn from here on; it first sees what those below make of
        the training inputs."""
        if stage:
            self.stage.fill_(stage)
            self.now.initialize_from_data(
                self._up(x[:MET], stage),
                torch.zeros(min(MET, len(x)), dtype=torch.int64) if self.now.labels else None,
            )
            if self.now.labels:  # classes are taken to be alike until they are seen
                self.now.base[self.now.inputs :] = self.now.back1.bias.data[self.now.inputs :] = 0.0
                self.now.visible_mean[self.now.inputs :] = 1 / self.now.labels
        self.enable_stage_gradients()

    def enable_stage_gradients(self) -> None:
        """Gradients for the machine that learns."""
        for i, machine in enumerate(self.machines):
            learns = i == int(self.stage)
            for p in machine.parameters():
                p.requires_grad_(learns)
                p.grad = (
                    p.grad if learns else None
                )  # or the optimizer would go on with its last one

    def initialize_from_data(self, x: Tensor, y: Tensor | None = None) -> None:
        self.machines[0].initialize_from_data(x, y if self.machines[0].labels else None)

    @torch.no_grad()
    def _up(self, x: Tensor, layers: int) -> Tensor:
        """Means of the units of layer `layers` for inputs."""
        h = x.flatten(1)
        for machine in self.machines[:layers]:
            h = torch.cat([machine.hidden_given(piece) for piece in h.split(CODED)])
        return h

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        if self.training and self.now.phase is not None:
            loss: Tensor = self.now(self._up(x, int(self.stage)), y)
            return loss
        top: Tensor = self.machines[-1](self._up(x, self.stages - 1))
        return top

    # ---- what it has learned

    def encode(self, x: Tensor) -> Tensor:
        """(samples, top units): means of the top layer."""
        top = self.machines[-1]
        return top.hidden_given(top.with_labels(self._up(x, self.stages - 1)))

    @torch.no_grad()
    def _down(self, h: Tensor, layers: int) -> Tensor:
        """Means of the inputs for states of layer `layers`, drawing the layers between."""
        for i, machine in reversed(list(enumerate(self.machines[:layers]))):
            h = machine.visible_given(h)
            h = bits(h) if i else h
        return h

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """(samples, inputs): up by means and down by means, through the layers that have
        learned."""
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
        """(count, inputs): the top pair runs for so many Gibbs steps, then one way down; means of
        the inputs.

        Args:
            count: how many.
            steps: of the top pair. Default 1000.
            seed: of the draws. Default 0.
            label: with label units, the class that is held on. Default: none is.
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
        """What the machine whose turn it is says of itself."""
        below = int(self.stage)
        return self.now.epoch_signals(
            self._up(train[:MET], below), self._up(valid[:MET], below), seed
        )

    def evaluation_loss(self, x: Tensor, seed: int) -> float:
        """As `RestrictedBoltzmann.evaluation_loss`, of the machine whose turn it is: numbers of different
        stages do not compare."""
        return self.now.evaluation_loss(self._up(x, int(self.stage)), seed)

    @torch.no_grad()
    def estimate_log_likelihood(self, x: Tensor, seed: int) -> tuple[Tensor, float, str] | None:
        """(a lower bound of ln p of each input, standard error of the top machine's ln Z, by which
        way), or None.

        ln p(v) >= E_Q [ ln p(h_top) + sum over the layers below of ln p(h_(l-1) | h_l) ] + entropy
        of Q(h | v), with one draw of Q, the way up. Source: Hinton, Osindero, Teh 2006, eq. 8;
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
        found = self.machines[-1].estimate_log_likelihood(h, seed)
        if found is None:
            return None
        top, error, how = found
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

        Each layer adds to the bound only where the machine on top starts as the one below turned
        upside down, and learns well.
        """
        found = []
        stack, stages = self.stages, self.stages
        try:
            for layers in range(1, stack + 1):
                self.stages = layers
                told = self.estimate_log_likelihood(x, seed)
                if told is not None:
                    found.append(float(told[0].mean()))
        finally:
            self.stages = stages
        return found

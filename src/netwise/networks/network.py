"""What every network has: a value that builds an ordinary torch module, and answers for itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from netwise.data.dataset import Pairs, Samples
from netwise.data.lazy_rows import are_lazy, of_each_sample
from netwise.data.streams.row_plan import looked_at
from netwise.errors import Problem, interface_error
from netwise.networks.module_memory import within_memory
from netwise.part import Part, integers, number
from netwise.parts.activations import Activation
from netwise.parts.losses import Loss
from netwise.tasks import task_named

ANY, IMAGES, SEQUENCES = "numbers", "images", "sequences"
# Fields of networks that regularise; `without_regularisation` sets them to 0.
REGULARISERS = (
    "dropout",
    "input_dropout",
    "head_dropout",
    "drop_connect",
    "auxiliary_dropout",
    "stochastic_depth",
)
PREVIEW = 1000  # samples that ranges of inputs are read from


class Network(Part):
    """A description of a network; `build` makes the module, with fresh weights each time.

    To add a network, subclass this with a frozen dataclass, write `build`, and add the class to
    `NETWORKS`. Everything else has a default: checks, remedies and reports ask the network itself,
    by the methods below.

    Methods that change a network (`widened`, `with_dropout` ...) return the changed copy, or a
    sentence that says why there is none.

    Attributes:
        input_kind: what an input is: "numbers" of any shape, "images", or "sequences".
        auxiliary_weight: factor on the losses of auxiliary heads in training.
        is_energy_model: it learns by a `NegativePhase` instead of a loss.
        is_memory: it stores its training inputs at once, without gradients.
        computes_loss: in training its module is called with inputs and targets and returns the
            loss; the module is an `UnsupervisedModule`.
        declares_shape: its fields give the sizes of inputs and outputs, and `problems` compares
            them with the data. Otherwise `check` sends two samples through the module.
        has_code_prior: its loss holds a prior on the code beside the reconstruction, as that of a
            variational autoencoder.
        runs_user_code: `build` calls a function of the user's.
        gains_from_channels_last: its convolutions were measured to be faster with the channels last
            in memory (`scripts/bench layouts`).

    Example:
        >>> import netwise as nw
        >>> type(nw.MLP((64, 30, 10)).build()).__name__
        'Sequential'
        >>> nw.MLP((64, 30, 10)).widened()
        MLP(widths=(64, 120, 10), activation=ReLU(), output=Identity(), batch_norm=False, \
norm_place='before', dropout=0.0, input_dropout=0.0, drop_connect=0.0, residual=False, members=1, \
periodic=(), dropout_form='inverted')
    """

    family_name: ClassVar[str] = "network"
    input_kind: ClassVar[str] = ANY
    auxiliary_weight: float = 0.0
    is_energy_model: ClassVar[bool] = False
    computes_loss: ClassVar[bool] = False
    is_memory: ClassVar[bool] = False
    declares_shape: ClassVar[bool] = False
    has_code_prior: ClassVar[bool] = False
    runs_user_code: ClassVar[bool] = False
    gains_from_channels_last: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """The module of each network of netwise is built within the free memory, whoever builds
        it. A network of a user may do more in `build` than to make a module."""
        super().__init_subclass__()
        own = cls.__module__.startswith("netwise.") and not cls.runs_user_code
        if own and "build" in vars(cls):
            setattr(cls, "build", within_memory(cls.build))  # noqa: B010  # mypy has no word for it

    def build(self) -> nn.Module:
        """A fresh module: inputs (samples, ...) in, outputs (samples, outputs) out."""
        raise interface_error(self, "MLP((64, 30, 10))")

    @property
    def has_auxiliary_outputs(self) -> bool:
        """Whether its module returns a tuple in training: the outputs, and those of its auxiliary
        heads."""
        return False

    # ---- what it learns

    @property
    def own_task(self) -> str | None:
        """The task that the network sets itself: "reconstruction", "density" or "memory"; None: it
        learns the targets of the data."""
        return None

    def with_targets(self, samples: Samples) -> Samples:
        """The samples with the targets that the network learns: those of the data; the inputs,
        flattened, for a reconstruction; or none, (samples, 0)."""
        task = self.own_task
        if task is None:
            return samples
        width = None if task_named(task).inputs_are_targets else 0
        train, valid, test = (
            Pairs(p.x, _own_targets(p.x, width), p.weight)
            for p in (samples.train, samples.valid, samples.test)
        )
        return replace(
            samples,
            train=train,
            valid=valid,
            test=test,
            task=task,
            classes=(),
            target_mean=torch.zeros(1),
            target_scale=torch.ones(1),
            in_order=False,
        )

    # ---- checks

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        """What keeps the network from learning these samples by this loss, as far as its fields
        show, without a module.

        Args:
            samples: preprocessed, with the targets that the network learns (`with_targets`); all
                of them or some.
            loss: of the recipe.
        """
        x = samples.train.x
        if self.input_kind == IMAGES and x.dim() != 4:
            features = x[0].numel()
            reason = f"takes images, and a sample has {features} features in a row"
            instead = f"MLP(({features}, 64, {samples.outputs}))"
            return [Problem("network", type(self).__name__, reason, instead)]
        if not x.is_floating_point():
            return [
                Problem(
                    "network",
                    type(self).__name__,
                    "takes numbers, and the data are symbols of an alphabet of"
                    f" {len(samples.classes)}",
                    f"LSTM(symbols={len(samples.classes)}, outputs={len(samples.classes)},"
                    ' answers="each")',
                )
            ]
        return []

    @property
    def needs_import(self) -> bool:
        """Building it imports code that only a file names: checks do not build it."""
        return False

    @property
    def own_code(self) -> str:
        """The user's own code that builds it, as "module:name"; "" for networks of netwise."""
        return ""

    def needs_inputs_from_0_to_1(self, loss: Loss) -> bool:
        """Whether inputs outside of 0 to 1 make no sense, so that standardising is wrong."""
        return False

    @property
    def why_not_exported(self) -> str:
        """Why no exported file can answer as it does, a clause; "" where one can."""
        return ""

    # ---- changes, for remedies and search axes

    @property
    def hidden_activation(self) -> Activation | None:
        """The activation of the hidden layers; None where it is no field."""
        activation = getattr(self, "activation", None)
        return activation if isinstance(activation, Activation) else None

    @property
    def has_hidden_layers(self) -> bool:
        """Whether there is a layer before the last one."""
        return True

    def lacks(self, what: str) -> str:
        """Why `what` cannot be changed: the network has no such field."""
        return f"{type(self).__name__} is a published form with no field for its {what}"

    def with_dropout(self, share: float) -> Self | str:
        """With at least this share of hidden units dropped in training."""
        current = getattr(self, "dropout", None)
        if current is None:
            return self.lacks("dropout")
        if current >= share:
            return f"dropout is {current:g} already"
        if not self.has_hidden_layers:
            return "the network has no hidden layer to drop units of"
        return self.but(dropout=share)

    def with_batch_norm(self) -> Self | str:
        """With batch norm in each hidden layer."""
        current = getattr(self, "batch_norm", None)
        if current is None:
            return f"{type(self).__name__} has no field for batch normalization: use an MLP"
        if current:
            return "the network has batch normalization already"
        if not self.has_hidden_layers:
            return "the network has no hidden layer to normalise"
        return self.but(batch_norm=True)

    def with_shortcuts(self) -> Self | str:
        """With residual connections around the hidden layers."""
        return self.lacks("residual connections")

    def with_plain_output(self) -> Self | str:
        """Without an activation after the last layer."""
        return self.lacks("output")

    def widened(self) -> Self | str:
        """With wider hidden layers: twice or four times as many units or channels."""
        width = getattr(self, "width", None)
        if width is None:
            return self.lacks("width")
        if width >= 16:
            return "the network is sixteen times as wide as the published one already"
        return self.but(width=min(2 * width, 16.0))

    def deepened(self) -> Self | str:
        """With one more hidden layer."""
        return self.lacks("depth")

    def narrowed(self) -> Self | str:
        """With narrower hidden layers: a half or a quarter of the units or channels."""
        width = getattr(self, "width", None)
        return self.lacks("width") if width is None else self.but(width=width / 2)

    def with_hidden_layers(
        self, *, units: int | None = None, layers: int | None = None
    ) -> Self | str:
        """With so many units in each hidden layer, or so many hidden layers."""
        name = type(self).__name__
        return f"is a word for an MLP, and the network is a {name}: name one of its fields"

    def without_regularisation(self) -> Self:
        """Without dropout of any kind."""
        positive = {name: 0.0 for name in REGULARISERS if getattr(self, name, 0.0)}
        return self.but(**positive) if positive else self

    def with_narrower_code(self) -> Self | str:
        """With a code of at most a quarter of the inputs."""
        return f"{type(self).__name__} has no dense code to narrow"

    def with_livelier_code(self) -> Self | str:
        """With a code whose units all get gradients."""
        return f"{type(self).__name__} has no field for the activation of its code"

    def with_weaker_prior(self) -> Self | str:
        """With a tenth of the weight on the KL divergence of the code from its prior."""
        return "this is for variational autoencoders: there is no KL divergence to weigh less"


def _own_targets(x: Tensor, width: int | None) -> Tensor:
    """The inputs as targets, flattened; so many of them."""
    if width == 0 and are_lazy(x):
        return torch.zeros(len(x), 0)
    return of_each_sample(partial(_first_inputs, width=width), x)


def _first_inputs(x: Tensor, width: int | None) -> Tensor:
    return x.flatten(1)[:, :width]


def takes_outputs(width: int, samples: Samples, loss: Loss) -> bool:
    """Whether a network that gives `width` numbers fits the targets and the loss."""
    return width >= samples.outputs if loss.allows_more_outputs else width == samples.outputs


def described_targets(samples: Samples) -> str:
    """What a network has to give for these data, in words, such as "10 classes"."""
    if task_named(samples.task).has_classes:
        return f"{samples.outputs} classes"
    return f"{samples.outputs} target{'s' if samples.outputs > 1 else ''}"


def wrong_size(field: str, value: int, features: int) -> list[Problem]:
    """The problem of a field that should be the number of features of a sample, if it is not."""
    if value == features:
        return []
    reason = f"is not what a sample has: {features} numbers"
    return [Problem(f"network.{field}", str(value), reason, str(features))]


def wrong_inputs(widths: tuple[int, ...], features: int, right: list[int]) -> list[Problem]:
    """The problem of widths that begin with another number than a sample has features, if any."""
    if widths[0] == features:
        return []
    reason = f"begins with {widths[0]} inputs, and a sample has {features}"
    return [Problem("network.widths", str(list(widths)), reason, str(right))]


def preview(samples: Samples) -> torch.Tensor:
    """At most `PREVIEW` training inputs, spread evenly."""
    x = looked_at(samples.train.x, PREVIEW)
    return x[:: max(1, len(x) // PREVIEW)][:PREVIEW]


def image_field(default: tuple[int, int, int]) -> Any:
    """The field `image`: channels, height, width."""
    return integers(
        default,
        shortest=3,
        longest=3,
        most=4096,
        because="channels, height, width",
        why="those of the published form",
    )


def width_field() -> Any:
    """The field `width`: a factor on all channels."""
    return number(
        1.0, above=0, most=16, because="it is a factor on the channels", why="the published form"
    )


def scaled(channels: int, width: float) -> int:
    """So many channels at a factor on them; at least 1."""
    return max(1, round(channels * width))

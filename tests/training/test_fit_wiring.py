"""Runs of `fit` have exact facts of their connections: faults in a network of the user's own are
named, and healthy networks give no finding."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import netwise as nw
from netwise.storage.checkpoints import Checkpoint
from netwise.storage.run_folder import RunFolder

DIGITS = nw.Recipe(
    data=nw.data.digits(valid=0.4, test=0.4),
    network=nw.MLP((64, 16, 10)),
    optimizer=nw.Adam(lr=0.005),
    epochs=2,
)
EXACT = (
    "nothing_trainable",
    "weights_outside_module",
    "graph_cut",
    "shapes_broadcast",
    "softmax_over_batch",
)


class Hidden(nn.Module):
    """Two layers; subclasses have a fault each."""

    def __init__(self) -> None:
        super().__init__()
        self.below, self.above = nn.Linear(64, 16), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.above(torch.relu(self.below(x.flatten(1))))
        return y


class Cut(Hidden):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.above(torch.relu(self.below(x.flatten(1))).detach())
        return y


class InList(Hidden):
    def __init__(self) -> None:
        super().__init__()
        del self.below
        self.layers = [nn.Linear(64, 16)]

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.above(torch.relu(self.layers[0](x.flatten(1))))
        return y


class SoftmaxTwice(Hidden):
    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(super().forward(x), 1)


class SoftmaxOfSamples(Hidden):
    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(super().forward(x), 0)


class NoActivation(Hidden):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.above(self.below(x.flatten(1)))
        return y


class Transformer(nn.Module):
    """A healthy network with attention, norms and dropout, over rows of pixels."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.places = nn.Parameter(torch.zeros(8, 8))
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.encoder(x.reshape(-1, 8, 8) + self.places).mean(1))
        return y


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.GRU(8, 12, batch_first=True), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.rnn(x.reshape(-1, 8, 8))[0][:, -1])
        return y


class StochasticDepth(Hidden):
    def __init__(self) -> None:
        super().__init__()
        self.middle = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.below(x.flatten(1)))
        if self.training and torch.rand(()) < 0.7:
            return self.above(x)  # type: ignore[no-any-return]
        return self.above(x + torch.relu(self.middle(x)))  # type: ignore[no-any-return]


def found(network: Callable[[], nn.Module], **changes: object) -> dict[str, nw.Finding]:
    run = nw.fit(DIGITS.but(network=nw.CustomNetwork(network), **changes))
    report = nw.diagnose(run)
    every = [each for one in report.found for each in (one, *one.consequences)]
    return {each.rule: each for each in every}


@pytest.mark.parametrize(
    ("sick", "rule", "part"),
    [
        (Cut, "graph_cut", "lost between below and above"),
        (InList, "weights_outside_module", "(16, 64)"),
        (SoftmaxTwice, "output_misfits_loss", "Softmax is applied twice"),
        (SoftmaxOfSamples, "softmax_over_batch", "(64, 10)"),
        (NoActivation, "no_nonlinearity", "one linear map"),
    ],
    ids=["cut", "in-list", "softmax-twice", "softmax-of-samples", "no-activation"],
)
def test_a_fault_in_an_own_network_is_named(
    sick: Callable[[], nn.Module], rule: str, part: str
) -> None:
    findings = found(sick)
    assert rule in findings
    assert part in findings[rule].sentence


@pytest.mark.parametrize(
    "healthy",
    [Hidden, Transformer, Recurrent, StochasticDepth],
    ids=lambda network: network.__name__,
)
def test_a_healthy_own_network_gives_no_finding(healthy: Callable[[], nn.Module]) -> None:
    run = nw.fit(DIGITS.but(network=nw.CustomNetwork(healthy), epochs=4))
    report = nw.diagnose(run)
    assert not {each.rule for each in report.found} & {*EXACT, "no_nonlinearity"}
    assert set(EXACT) <= set(report.clear)


RECIPES = {
    "mlp": DIGITS,
    "resnet": DIGITS.but(
        network=nw.CIFARResNet(depth=8, image=(1, 8, 8), width=0.25, stochastic_depth=0.3), epochs=1
    ),
    "convnet": DIGITS.but(network=nw.ConvNet(image=(1, 8, 8), channels=(4,)), epochs=1),
    "autoencoder": nw.Recipe(
        data=DIGITS.data, network=nw.Autoencoder((64, 16)), loss=nw.MeanSquaredError(), epochs=1
    ),
    "mixup": DIGITS.but(augment=(nw.Mixup(),)),
    "penalty": DIGITS.but(penalty=nw.L2(strength=1e-3)),
    "class weights": DIGITS.but(loss=nw.CrossEntropy(weights=(1.0,) * 9 + (2.0,))),
    "thawed": DIGITS.but(tuning=nw.FineTune(unfreeze_every=1)),
    "switched": DIGITS.but(optimizer=nw.SwitchOptimizer(epoch=1)),
}


@pytest.mark.parametrize("name", RECIPES, ids=str)
def test_recipes_of_netwise_give_no_finding_of_connections(name: str) -> None:
    run = nw.fit(RECIPES[name])
    wiring = run.history.wiring
    assert wiring is not None
    assert (wiring.not_reached, wiring.outside_module, wiring.in_no_optimizer) == ((), (), ())
    assert (wiring.widened, wiring.softmax_over_batch) == ("", "")
    assert any(term.operation and not term.penalty for term in wiring.losses)
    report = nw.diagnose(run)
    assert set(EXACT) <= set(report.clear)


def test_reports_leave_out_what_fit_does_not_record() -> None:
    report = nw.diagnose(nw.fit(DIGITS))
    names = {*report.clear, *(name for name, _ in report.unchecked)}
    of_loops = {rule.name for rule in nw.RULES if rule.own_loops}
    assert {"not_finite", "targets_masked", "gradients_cleared_before_step"} <= of_loops
    assert not names & of_loops


def test_energy_models_and_memories_have_no_facts_of_their_graph() -> None:
    for recipe in (nw.gallery.healthy["rbm_cd"].recipe, nw.gallery.healthy["hopfield"].recipe):
        assert nw.fit(recipe.but(epochs=1)).history.wiring is None


def test_without_recorded_steps_nothing_is_known() -> None:
    assert nw.fit(DIGITS, watch_every=0).history.wiring is None


# ---- files


class Stops(nw.Silent):
    def __init__(self, at: int) -> None:
        self.at = at

    def step(self, step: int) -> None:
        if step >= self.at:
            raise RuntimeError("pulled the plug")


@pytest.mark.parametrize("network", [Cut, InList, StochasticDepth], ids=lambda n: n.__name__)
def test_an_interrupted_run_ends_with_the_same_facts(
    network: Callable[[], nn.Module], tmp_path: Path
) -> None:
    recipe = DIGITS.but(network=nw.CustomNetwork(network), epochs=4)
    whole = nw.fit(recipe)
    with pytest.raises(RuntimeError, match="pulled the plug"):
        nw.fit(recipe, folder=tmp_path / "run", checkpoint_every=3, progress=Stops(20))
    resumed = nw.resume(tmp_path / "run", network=nw.CustomNetwork(network))
    assert resumed.history.wiring == whole.history.wiring is not None
    assert nw.load_history(tmp_path / "run").wiring == whole.history.wiring


def test_a_checkpoint_of_an_earlier_version_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = RunFolder.write_checkpoint

    def as_before(folder: RunFolder, step: int, checkpoint: Checkpoint) -> None:
        state = {name: value for name, value in checkpoint.state.items() if name != "wiring"}
        write(folder, step, Checkpoint(checkpoint.tensors, state))

    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="pulled the plug"):
        patched.setattr(RunFolder, "write_checkpoint", as_before)
        nw.fit(DIGITS, folder=tmp_path / "run", checkpoint_every=3, progress=Stops(10))
    resumed, whole = nw.resume(tmp_path / "run"), nw.fit(DIGITS)
    assert resumed.history.series == whole.history.series
    assert resumed.history.wiring is not None
    assert resumed.history.wiring.trainable == 4


def test_the_facts_are_in_the_folder_as_plain_json(tmp_path: Path) -> None:
    run = nw.fit(DIGITS, folder=tmp_path / "run")
    about = next((tmp_path / "run").rglob("about.json"))
    plain = json.loads(about.read_text(encoding="utf-8"))
    assert plain["wiring"]["optimizers"] == ["Adam"]
    assert nw.load_history(tmp_path / "run") == run.history

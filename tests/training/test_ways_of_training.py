"""What a recipe can ask of the engine beside plain steps: averages, switches, frozen layers,
carried states, auxiliary heads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import netwise as nw
from netwise.networks.recurrent import StreamSequencer

DIGITS = nw.Recipe(
    data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD(lr=0.1), epochs=3
)


def weights(run: nw.Run) -> dict[str, torch.Tensor]:
    return {
        name: value
        for name, value in run.module.state_dict().items()
        if isinstance(value, torch.Tensor)
    }


def equal(one: nw.Run, other: nw.Run) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# ---- averages


# ---- optimizers


def test_adam_then_sgd_is_the_chain_of_the_two() -> None:
    chain = nw.fit(
        DIGITS.but(
            optimizer=nw.SwitchOptimizer(first=nw.Adam(), then=nw.SGD(lr=0.02), epoch=2), epochs=4
        )
    )
    rates = chain.history.of("rate")
    assert rates is not None
    assert rates.values == (0.001, 0.001, 0.02, 0.02)
    assert equal(
        nw.fit(DIGITS.but(optimizer=nw.Adam(), epochs=2)),
        nw.fit(DIGITS.but(optimizer=nw.SwitchOptimizer(then=nw.SGD(lr=0.02), epoch=2), epochs=2)),
    )


@pytest.mark.parametrize(
    "optimizer",
    [nw.LBFGS(iterations=5), nw.SimulatedAnnealing(tries=3)],
    ids=lambda o: type(o).__name__,
)
def test_an_optimizer_that_asks_again_lowers_the_loss(optimizer: nw.Optimizer) -> None:
    recipe = nw.Recipe(
        data=nw.data.iris(),
        preprocess=(nw.Standardise(),),
        network=nw.MLP((4, 3)),
        optimizer=optimizer,
        batch_size=1000,
        epochs=30,
    )
    losses = nw.fit(recipe).history.of("train.loss")
    assert losses is not None
    assert losses.last < 0.7 * losses.values[0]
    assert "compare the losses of unequal batches" in str(nw.check(recipe.but(batch_size=8)))


def test_the_momentum_of_a_ramp_reaches_the_steps() -> None:
    ramped = nw.Momentum(lr=0.1, begin=0.0, momentum=0.9, ramp=2)
    assert equal(
        nw.fit(DIGITS.but(optimizer=ramped, epochs=1)),
        nw.fit(DIGITS.but(optimizer=nw.Momentum(lr=0.1, momentum=0.0), epochs=1)),
    )
    assert not equal(
        nw.fit(DIGITS.but(optimizer=ramped)),
        nw.fit(DIGITS.but(optimizer=nw.Momentum(lr=0.1, momentum=0.0))),
    )


# ---- fine-tuning and transfer


def test_frozen_layers_stay_and_the_others_learn_at_their_own_rates() -> None:
    network = nw.MLP((64, 30, 20, 10), batch_norm=True)
    before = weights(nw.fit(DIGITS.but(network=network, optimizer=nw.SGD(lr=1e-12), epochs=1)))
    run = nw.fit(DIGITS.but(network=network, tuning=nw.FineTune(freeze=("layer1", "norm1"))))
    after = weights(run)
    for name in before:
        if name == "layer2.bias":
            continue  # in front of batch norm, so its gradient is 0 or a rounding error
        still = name.startswith(("layer1.", "norm1.weight", "norm1.bias"))
        assert (
            torch.allclose(after[name], before[name], rtol=0, atol=1e-9) == still
            or "running" in name
            or "tracked" in name
        ), name
    assert not after["norm1.running_mean"].any()  # frozen norm layers keep their statistics
    one = nw.fit(DIGITS.but(epochs=1, batch_size=2000, optimizer=nw.SGD(lr=0.1)))
    start = weights(nw.fit(DIGITS.but(epochs=1, batch_size=2000, optimizer=nw.SGD(lr=1e-12))))
    half = nw.fit(
        DIGITS.but(
            epochs=1,
            batch_size=2000,
            optimizer=nw.SGD(lr=0.1),
            tuning=nw.FineTune(rates=("layer1=0.5",)),
        )
    )
    moved, slower = (weights(r)["layer1.weight"] - start["layer1.weight"] for r in (one, half))
    assert torch.allclose(slower, moved / 2, atol=1e-6)
    assert torch.equal(weights(one)["layer2.weight"], weights(half)["layer2.weight"])


def test_layers_thaw_one_by_one_from_the_output() -> None:
    network = nw.MLP((64, 30, 20, 10))
    recipe = DIGITS.but(network=network, tuning=nw.FineTune(unfreeze_every=1))
    start = weights(nw.fit(recipe.but(optimizer=nw.SGD(lr=1e-12), epochs=1)))
    for epochs, learned in (
        (1, {"layer3"}),
        (2, {"layer2", "layer3"}),
        (3, {"layer1", "layer2", "layer3"}),
    ):
        now = weights(nw.fit(recipe.but(epochs=epochs)))
        changed = {
            name.split(".")[0]
            for name in now
            if not torch.allclose(now[name], start[name], atol=1e-9)
        }
        assert changed == learned


def test_unknown_layers_are_named() -> None:
    with pytest.raises(
        nw.DataError, match=r"no layer is called 'conv\*'. There are: layer1, layer2"
    ):
        nw.fit(DIGITS.but(tuning=nw.FineTune(freeze=("conv*",))))
    with pytest.raises(nw.WrongValue, match="must be layers=factor"):
        nw.FineTune(rates=("layer1",))


# ---- auxiliary heads, carried states


def test_auxiliary_heads_count_in_training_and_are_gone_in_evaluation() -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(valid=0.1, test=0.8),  # two steps
        preprocess=(nw.Resize(16, 16),),
        network=nw.GoogLeNet(image=(1, 16, 16), classes=10, width=0.1),
        optimizer=nw.Adam(),
        batch_size=128,
        epochs=1,
    )
    run = nw.fit(recipe, test=False)
    assert isinstance(run.module(torch.zeros(2, 1, 16, 16)), torch.Tensor)
    silent = nw.fit(recipe.but(network=recipe.network.but(auxiliary_weight=0.0)), test=False)
    assert not torch.equal(
        weights(run)["inception3a.branch1.conv.weight"],
        weights(silent)["inception3a.branch1.conv.weight"],
    )


def text(tmp_path: Path, in_order: bool = True) -> nw.data.Data:
    path = tmp_path / "song.txt"
    path.write_text("to be or not to be that is the question " * 60)
    return nw.data.text(path, length=16, in_order=in_order)


def test_a_carried_state_is_truncated_back_propagation(tmp_path: Path) -> None:
    data = text(tmp_path)
    samples = data.load()
    symbols = len(samples.classes)
    network = nw.ElmanRNN(
        symbols=symbols, features=5, units=7, outputs=symbols, answers="each", carry=True
    )
    recipe = nw.Recipe(data=data, network=network, optimizer=nw.SGD(lr=0.5), batch_size=4, epochs=2)
    run = nw.fit(recipe)
    # The same by hand: four streams, each going on where it stopped, with the state cut off from
    # its gradient.
    module = nw.fit(recipe.but(optimizer=nw.SGD(lr=1e-30), epochs=1)).module
    assert isinstance(module, StreamSequencer)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    x, y = samples.train.x, samples.train.y
    steps = len(x) // 4
    for _ in range(2):
        state = None
        for step in range(steps):
            rows = torch.tensor([stream * steps + step for stream in range(4)])
            h, state = module.cell(module.embedding(x[rows]), state)  # type: ignore[misc]
            loss = torch.nn.functional.cross_entropy(module.head(h).transpose(1, 2), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            state = state.detach()
    for name, value in dict(run.module.named_parameters()).items():
        assert torch.allclose(value, dict(module.named_parameters())[name], atol=1e-5), name
    # Pieces of a stream follow each other.
    assert samples.encoder.decode(x[1].tolist()).startswith(
        samples.encoder.decode(y[0].tolist())[-1]
    )  # type: ignore[attr-defined]


def test_a_carried_state_needs_pieces_in_order(tmp_path: Path) -> None:
    data = text(tmp_path, in_order=False)
    symbols = len(data.load().classes)
    network = nw.LSTM(
        symbols=symbols, features=5, units=7, outputs=symbols, answers="each", carry=True
    )
    problem = nw.check(nw.Recipe(data=data, network=network))[0]
    assert "needs batches that follow each other" in str(problem)


@pytest.mark.parametrize(
    "change",
    [
        {"average": nw.EMA(decay=0.9), "schedule": nw.OneCycle()},
        {
            "average": nw.SWA(start=0.3),
            "stopping": nw.FirstOf(nw.Patience(20, by="accuracy"), nw.TrainDownValidUp(20)),
        },
        {"optimizer": nw.SwitchOptimizer(epoch=2), "augment": (nw.Mixup(),)},
        {"optimizer": nw.Momentum(ramp=3), "schedule": nw.Plateau(patience=0)},
        {"optimizer": nw.LBFGS(iterations=4), "batch_size": 2000, "epochs": 6},
        {"optimizer": nw.SimulatedAnnealing(), "batch_size": 2000, "epochs": 6},
        {"optimizer": nw.Muon(), "network": nw.MLP((64, 30, 20, 10))},
        {"tuning": nw.FineTune(unfreeze_every=1, decay=0.5), "network": nw.MLP((64, 30, 20, 10))},
        {"schedule": nw.WarmUp(then=nw.HalveUntil()), "penalty": nw.ActivityPenalty()},
        {"init": nw.From(recipe=DIGITS.but(epochs=1)), "augment": (nw.NoiseCopies(),)},
        {"optimizer": nw.TorchOptimizer(name="Rprop")},
    ],
    ids=lambda change: " ".join(change),
)
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(
    change: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = DIGITS.but(**{"epochs": 4, **change})
    whole = nw.fit(recipe)

    class StopAt(nw.Silent):
        def step(self, step: int) -> None:
            raise_at(step)

    per_epoch = -(
        -len(recipe.data.load().train)
        * (2 if "augment" in change and recipe.augment[0].enlarges else 1)
        // recipe.batch_size
    )
    stops = iter([per_epoch + max(1, per_epoch // 2), 2 * per_epoch + 1])
    wanted = [next(stops)]

    def raise_at(step: int) -> None:
        if wanted and step >= wanted[0]:
            wanted.clear()
            raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="pulled the plug"):
        nw.fit(recipe, folder=tmp_path / "run", checkpoint_every=5, progress=StopAt())
    run = nw.resume(tmp_path / "run")
    assert equal(run, whole)
    assert run.history.series == whole.history.series
    assert run.history.wiring == whole.history.wiring
    assert run.score == whole.score


def test_a_carried_state_survives_a_stop(tmp_path: Path) -> None:
    data = text(tmp_path)
    symbols = len(data.load().classes)
    network = nw.GRU(
        symbols=symbols, features=5, units=7, outputs=symbols, answers="each", carry=True
    )
    recipe = nw.Recipe(data=data, network=network, batch_size=4, epochs=3)
    whole = nw.fit(recipe)

    class Stop(nw.Silent):
        def step(self, step: int) -> None:
            if step >= 50:
                raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="pulled the plug"):
        nw.fit(recipe, folder=tmp_path / "run", checkpoint_every=7, progress=Stop())
    assert equal(nw.resume(tmp_path / "run"), whole)


class EachStep(torch.nn.Module):
    """A user's own network that answers at each step of a sequence shorter than its alphabet."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(10, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.table(x).transpose(1, 2)
        return out


def test_an_own_network_may_answer_at_each_step() -> None:
    data = nw.data.copying(word=1, wait=1, samples=60)
    assert data.load().train.x.shape[1] < len(data.load().classes)
    run = nw.fit(nw.Recipe(data=data, network=nw.CustomNetwork(EachStep), epochs=1))
    assert run.history.ended.how == "finished"

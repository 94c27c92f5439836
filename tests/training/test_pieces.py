"""Training on pieces equals training on one data set, with the optimizer's memory carried."""

from __future__ import annotations

import numpy as np
import torch

import netwise as nw
from netwise.training.pieces import fit_piece

G = np.random.default_rng(0)
X, Y = G.normal(2, 3, size=(40, 3)), G.integers(0, 2, 40)


def piece(rows: slice) -> nw.Recipe:
    return nw.Recipe(
        data=nw.data.arrays(X[rows], Y[rows], valid=0.0, test=0.0),
        network=nw.MLP((3, 5, 2)),
        preprocess=(nw.Standardise(),),
        optimizer=nw.SGD(lr=0.1, momentum=0.9),
        batch_size=100,
        epochs=1,
    )


def test_two_pieces_equal_two_steps_of_a_plain_loop() -> None:
    first, state = fit_piece(piece(slice(0, 20)))
    module, start = piece(slice(0, 20)).network.build(), nw.fit(piece(slice(0, 20))).module
    # The same two steps by hand: momentum buffer = gradient of the first step.
    mean = torch.tensor(X[:20], dtype=torch.float32).mean(0)
    scale = torch.tensor(X[:20], dtype=torch.float32).std(0, unbiased=False)
    module.load_state_dict(start.state_dict())
    weights = [p.detach().clone() for p in module.parameters()]
    second, _ = fit_piece(piece(slice(20, 40)), state)
    x = (torch.tensor(X[20:], dtype=torch.float32) - mean) / scale
    loss = torch.nn.functional.cross_entropy(module(x), torch.tensor(Y[20:]))
    loss.backward()
    buffers = [state.optimizer[f"{i}.momentum_buffer"] for i in range(len(weights))]
    for weight, p, buffer, trained in zip(
        weights, module.parameters(), buffers, second.module.parameters(), strict=True
    ):
        assert p.grad is not None
        assert torch.allclose(weight - 0.1 * (0.9 * buffer + p.grad), trained, atol=1e-6)
    assert first.pipeline is second.pipeline


def test_the_state_is_not_changed_by_the_next_piece() -> None:
    _, state = fit_piece(piece(slice(0, 20)))
    before = {name: value.clone() for name, value in state.model.items()}
    run, _ = fit_piece(piece(slice(20, 40)), state)
    assert all(torch.equal(state.model[name], value) for name, value in before.items())
    assert run.recipe == piece(slice(20, 40))
    assert run.score is None


def test_targets_are_scaled_as_in_the_first_piece() -> None:
    recipes = [
        nw.Recipe(
            data=nw.data.arrays(X[rows], 100 * X[rows, 0] + 50, valid=0.0, test=0.0),
            network=nw.MLP((3, 1)),
            loss=nw.MeanSquaredError(),
            epochs=1,
        )
        for rows in (slice(0, 20), slice(20, 40))
    ]
    first, state = fit_piece(recipes[0])
    second, _ = fit_piece(recipes[1], state)
    assert torch.equal(first.pipeline.target_mean, second.pipeline.target_mean)

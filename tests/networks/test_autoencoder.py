"""Autoencoders: against closed forms, autograd by hand, and what each is for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from torch.nn import functional as F

import netwise as nw

SUM = nw.MeanSquaredError()


def recipe(network: nw.Network, **changes: object) -> nw.Recipe:
    base = nw.Recipe(
        data=nw.data.digits(),
        preprocess=(nw.MinMax(),),
        network=network,
        loss=nw.BinaryCrossEntropy(),
        optimizer=nw.Adam(lr=0.01),
        batch_size=32,
        epochs=5,
    )
    return base.but(**changes)


def told(network: nw.Network, loss: nw.Loss) -> torch.nn.Module:
    torch.manual_seed(0)
    module = network.build().double()
    module.set_loss(loss)  # type: ignore[operator]
    return module.train()


def test_a_linear_autoencoder_finds_the_subspace_of_the_principal_components() -> None:
    linear = nw.Autoencoder((13, 3), activation=nw.Identity(), tied=False)
    data = nw.data.wine()
    run = nw.fit(
        recipe(
            linear,
            data=data,
            preprocess=(nw.Standardise(),),
            loss=nw.MeanSquaredError(),
            schedule=nw.Cosine(),
            batch_size=200,
            epochs=800,
        )
    )
    x = run.recipe.preprocess[0].apply(data.load().train.x, run.pipeline.fitted[0])
    pca = PCA(3).fit(x.numpy())
    angle = np.degrees(
        subspace_angles(pca.components_.T, run.module.back1.weight.detach().numpy())
    ).max()
    assert angle < 5
    best = np.square(x.numpy() - pca.inverse_transform(pca.transform(x.numpy()))).mean()
    assert float(run.module.reconstruct(x).sub(x).square().mean().detach()) == pytest.approx(
        float(best), rel=0.01
    )


def test_tied_weights_are_the_encoders_own() -> None:
    module = nw.Autoencoder((6, 4, 3)).build()
    names = dict(module.named_parameters())
    assert sorted(names) == [
        "back1.bias",
        "back2.bias",
        "layer1.bias",
        "layer1.weight",
        "layer2.bias",
        "layer2.weight",
    ]
    x = torch.rand(5, 6)
    h = torch.sigmoid(module.layer2(torch.sigmoid(module.layer1(x))))
    back = torch.sigmoid(h @ module.layer2.weight + module.back2.bias)
    torch.testing.assert_close(module(x), back @ module.layer1.weight + module.back1.bias)


def test_the_price_of_a_sparse_code_is_the_divergence_of_the_notes() -> None:
    module = told(nw.Autoencoder((6, 4), sparsity=3.0, sparsity_target=0.1), nw.MeanSquaredError())
    x = torch.rand(20, 6, dtype=torch.float64)
    q = module.encode(x).mean(0)
    kl = (0.1 * torch.log(0.1 / q) + 0.9 * torch.log(0.9 / (1 - q))).sum()
    plain = nw.MeanSquaredError()(module(x), x)
    torch.testing.assert_close(module(x, x), plain + 3 * kl)


def test_the_contraction_is_the_squared_jacobian() -> None:
    x = torch.rand(7, 6, dtype=torch.float64)
    module = told(nw.Autoencoder((6, 4), contraction=2.0), nw.MeanSquaredError())
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(lambda v: module.encode(v[None])[0], row) for row in x]
    )
    price = module(x, x) - nw.MeanSquaredError()(module(x), x)
    torch.testing.assert_close(price, 2 * jacobian.square().sum((1, 2)).mean())
    deep = told(nw.Autoencoder((6, 5, 4), contraction=2.0), nw.MeanSquaredError())
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(lambda v: deep.encode(v[None])[0], row) for row in x]
    )
    wanted = float(2 * jacobian.square().sum((1, 2)).mean())
    drawn = [float((deep(x, x) - nw.MeanSquaredError()(deep(x), x)).detach()) for _ in range(3000)]
    assert np.mean(drawn) == pytest.approx(wanted, rel=0.05)
    deep(x, x).backward()
    assert float(deep.layer1.weight.grad.abs().sum()) > 0


def test_only_the_largest_of_the_code_are_kept() -> None:
    module = nw.Autoencoder((6, 5), activation=nw.Identity(), top=2).build()
    code = module.encode(torch.rand(30, 6))
    assert bool(((code != 0).sum(1) == 2).all())
    full = module.layer1(torch.rand(30, 6))
    assert full.shape == code.shape


def test_it_is_corrupted_in_training_only_and_asked_for_the_clean_input() -> None:
    module = told(nw.Autoencoder((6, 4), corrupt=(nw.Mask(share=0.5),)), nw.MeanSquaredError())
    x = torch.ones(1000, 6, dtype=torch.float64)
    seen: list[torch.Tensor] = []
    module.layer1.register_forward_pre_hook(lambda layer, args: seen.append(args[0]))
    torch.manual_seed(0)
    cost = module(x, x)
    assert float(seen[0].mean()) == pytest.approx(0.5, abs=0.05)
    torch.testing.assert_close(
        cost,
        nw.MeanSquaredError()(
            module.decode(
                torch.sigmoid(F.linear(seen[0], module.layer1.weight, module.layer1.bias))
            ),
            x,
        ),
    )
    module.eval()
    module.batch_loss(x, x)
    assert bool((seen[-1] == 1).all())


def test_a_variational_cost_is_the_lower_bound() -> None:
    loss = nw.BinaryCrossEntropy(outputs="sum")
    module = told(nw.VariationalAutoencoder((6, 8, 3)), loss)
    x = torch.rand(4, 6, dtype=torch.float64).round()
    mean, log_variance = module.spread(x)
    torch.manual_seed(5)
    cost = module(x, x)
    torch.manual_seed(5)
    z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
    own = torch.distributions.Normal(mean, (log_variance / 2).exp())
    kl = (
        torch.distributions.kl_divergence(
            own, torch.distributions.Normal(torch.zeros(3).double(), torch.ones(3).double())
        )
        .sum(1)
        .mean()
    )
    nll = -torch.distributions.Bernoulli(logits=module.decode(z)).log_prob(x).sum(1).mean()
    torch.testing.assert_close(cost, nll + kl)


def test_a_stack_learns_layer_by_layer_and_each_layer_the_codes_below() -> None:
    stack = nw.Autoencoder((64, 30, 12), layer_by_layer=True)
    whole = nw.fit(recipe(stack, epochs=6))
    assert [int(v) for v in whole.history.of("stage").values] == [1, 1, 1, 2, 2, 2]
    first = nw.fit(recipe(nw.Autoencoder((64, 30)), epochs=3))
    torch.testing.assert_close(whole.module.layer1.weight, first.module.layer1.weight)
    torch.testing.assert_close(whole.module.back1.bias, first.module.back1.bias)
    module = told(stack, nw.BinaryCrossEntropy())
    module.start_stage(1, torch.zeros(0))
    x = torch.rand(9, 64, dtype=torch.float64)
    h = torch.sigmoid(module.layer1(x)).detach()
    g = torch.sigmoid(module.layer2(h)) @ module.layer2.weight + module.back2.bias
    torch.testing.assert_close(module(x, x), nw.BinaryCrossEntropy()(g, h))
    module(x, x).backward()
    assert module.layer1.weight.grad is None


def test_it_starts_a_classifier(tmp_path: Path) -> None:
    first = nw.fit(recipe(nw.Autoencoder((64, 30, 12))), folder=tmp_path / "ae")
    classifier = recipe(
        nw.MLP((64, 30, 12, 10), activation=nw.Sigmoid()),
        loss=nw.CrossEntropy(),
        init=nw.From(str(tmp_path / "ae")),
        optimizer=nw.SGD(lr=1e-12),
        epochs=1,
    )
    module = nw.fit(classifier).module
    torch.testing.assert_close(module.layer2.weight, first.module.layer2.weight)


@pytest.mark.parametrize("image", [(1, 28, 28), (3, 32, 32), (1, 13, 9), (2, 5, 7)])
def test_a_convolutional_one_gives_images_of_the_same_size(image: tuple[int, int, int]) -> None:
    module = nw.ConvAutoencoder(image, channels=(4, 6)).build()
    x = torch.rand(2, *image)
    assert module(x).shape == (2, x[0].numel())
    assert module.encode(x).shape == (2, 32)
    assert nw.ConvAutoencoder(image, channels=(4,), code=0).build()(x).shape == (2, x[0].numel())


@pytest.mark.parametrize(
    "network",
    [
        nw.Autoencoder((64, 16)),
        nw.Autoencoder((64, 32, 8), activation=nw.Tanh(), code=nw.Identity(), tied=False),
        nw.Autoencoder((64, 100), corrupt=(nw.SaltAndPepper(share=0.2),)),
        nw.Autoencoder((64, 100), sparsity=0.1),
        nw.VariationalAutoencoder((64, 50, 6)),
    ],
    ids=lambda n: type(n).__name__,
)
def test_each_gives_digits_back_better_than_their_mean_and_survives_a_round_trip(
    network: nw.Network, tmp_path: Path
) -> None:
    loss = nw.BinaryCrossEntropy(outputs="sum")
    run = nw.fit(recipe(network, loss=loss, epochs=30), folder=tmp_path / "run")
    assert run.score is not None
    assert run.score.name == "r2"
    assert run.score.value > 0.5
    assert run.pipeline.task == "reconstruction"
    again = nw.load(tmp_path / "run")
    x = nw.data.digits().load().test.x.numpy()
    np.testing.assert_allclose(again.predict(x), run.predict(x))
    assert run.predict(x).min() >= 0
    assert run.predict(x).max() <= 1


def test_the_score_is_the_share_of_variance_given_back() -> None:
    run = nw.fit(recipe(nw.Autoencoder((64, 16)), epochs=10))
    x = (
        run.recipe.preprocess[0]
        .apply(nw.data.digits().load().test.x, run.pipeline.fitted[0])
        .flatten(1)
    )
    wrong = (run.module.reconstruct(x) - x).square().sum().detach()
    assert run.score is not None
    assert run.score.value == pytest.approx(
        1 - float(wrong / (x - x.mean(0)).square().sum()), abs=1e-5
    )


@pytest.mark.parametrize(
    ("network", "changes", "told"),
    [
        (
            nw.Autoencoder((60, 16)),
            {},
            "begins with 60 inputs, and a sample has 64. Write [64, 16]",
        ),
        (
            nw.Autoencoder((13, 4)),
            {"data": nw.data.wine(), "preprocess": ()},
            "is for targets from 0 to 1",
        ),
        (
            nw.Autoencoder((64, 16)),
            {"loss": nw.CrossEntropy()},
            "is for classification, and the data are for reconstruction",
        ),
        (nw.Autoencoder((64, 16)), {"loss": nw.PCD()}, "Autoencoder is none"),
    ],
)
def test_what_does_not_fit_is_told_before_any_work(
    network: nw.Network, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(nw.WrongValue) as caught:
        nw.fit(recipe(network, **changes))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: nw.Autoencoder((6, 4), top=5),
        lambda: nw.Autoencoder((6, 4), sparsity=1.0, activation=nw.Tanh()),
        lambda: nw.Autoencoder((6, 5, 4, 3), corrupt=(nw.Mask(), nw.Mask())),
    ],
)
def test_fields_that_disagree_are_told(wrong: object) -> None:
    with pytest.raises(nw.WrongValue):
        wrong()  # type: ignore[operator]

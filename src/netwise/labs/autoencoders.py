"""L26 to L28: autoencoders give back what they have learned, denoising makes better features, and a
price makes codes sparse."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from netwise import data
from netwise.labs.catalogue import CLAIMS
from netwise.labs.definition import Criterion, Lab, LabResult
from netwise.labs.runs import trained
from netwise.networks import MLP, Autoencoder
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.parts.activations import Identity, ReLU
from netwise.parts.augment import Mask
from netwise.parts.losses import BinaryCrossEntropy, MeanSquaredError
from netwise.parts.optimizers import Adam
from netwise.parts.preprocess import Standardise
from netwise.parts.schedules import Cosine
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, COLOURS, figure, svg
from netwise.report.pictures.mosaic import as_images, sheet
from netwise.signals import FOREIGN_R2
from netwise.training.run import Run

IMAGES = data.mnist(valid=0.0)


def _coded(network: Autoencoder, **changes: object) -> Recipe:
    base = Recipe(
        data=IMAGES,
        network=network,
        loss=BinaryCrossEntropy(),
        optimizer=Adam(lr=0.001),
        schedule=Cosine(),
        batch_size=100,
        epochs=20,
    )
    return base.but(**changes)


def _back(run: Run, x: Tensor) -> Tensor:
    assert isinstance(run.module, UnsupervisedModule)
    with torch.no_grad():
        return torch.cat([run.module.reconstruct(piece) for piece in x.split(1000)])


def _codes(run: Run, x: Tensor) -> Tensor:
    """Codes of inputs that are prepared already."""
    assert isinstance(run.module, UnsupervisedModule)
    with torch.no_grad():
        return torch.cat([run.module.encode(piece) for piece in x.split(1000)])


def _error(run: Run, x: Tensor) -> float:
    return float((_back(run, x) - x.flatten(1)).square().mean())


def _foreign_arms() -> Mapping[str, Recipe]:
    deep = Autoencoder((784, 256, 32), activation=ReLU(), code=Identity(), tied=False)
    linear = Recipe(
        data=data.digits(),
        preprocess=(Standardise(),),
        network=Autoencoder((64, 3), activation=Identity(), tied=False),
        loss=MeanSquaredError(),
        optimizer=Adam(lr=0.01),
        schedule=Cosine(),
        batch_size=2000,
        epochs=3000,
    )
    return {"784-256-32": _coded(deep), "linear, 64-3": linear}


def _foreign() -> LabResult:
    from scipy.linalg import subspace_angles
    from sklearn.decomposition import PCA

    arms = _foreign_arms()
    run, linear = (trained(recipe) for recipe in arms.values())
    own, foreign = IMAGES.load(), data.fashion_mnist(valid=0.0).load()
    noise = torch.rand(2000, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    pca = PCA(32).fit(own.train.x.flatten(1)[:20_000].numpy())
    test = own.test.x.flatten(1).numpy()
    by_pca = float(np.square(pca.inverse_transform(pca.transform(test)) - test).mean())
    errors = {
        "MNIST, training": _error(run, own.train.x[:10_000]),
        "MNIST, test": _error(run, own.test.x),
        "Fashion-MNIST": _error(run, foreign.test.x),
    }
    errors["noise"] = _error(run, noise)
    x = (
        linear.recipe.preprocess[0]
        .apply(linear.recipe.data.load().train.x, linear.pipeline.fitted[0])
        .flatten(1)
    )
    directions = PCA(3).fit(x.numpy()).components_.T
    learned: torch.Tensor = linear.module.get_submodule("back1").weight  # type: ignore[assignment]
    angle = float(np.degrees(subspace_angles(directions, learned.detach().numpy())).max())
    ratio = errors["Fashion-MNIST"] / errors["MNIST, test"]
    numbers = {
        **{f"squared error of a pixel, {name}": v for name, v in errors.items()},
        "squared error of a pixel, PCA, MNIST, test": by_pca,
    }
    numbers |= {
        "Fashion-MNIST over MNIST": ratio,
        "linear: largest angle to the principal components, degrees": angle,
    }
    criteria = (
        Criterion(
            "it is specific: on Fashion-MNIST the error is more than three times that on MNIST",
            ratio,
            ratio > 3,
        ),
        Criterion(
            "it is lossy: even on its training images the error is above 0",
            errors["MNIST, training"],
            errors["MNIST, training"] > 1e-4,
        ),
        Criterion(
            "a linear one finds the subspace of the principal components, to 5 degrees",
            angle,
            angle < 5,
        ),
        Criterion(
            "with as many numbers in the code it beats PCA on test images",
            errors["MNIST, test"],
            errors["MNIST, test"] < by_pca,
            of_the_note=False,
        ),
    )
    some = torch.cat([own.test.x[:5], foreign.test.x[:5], noise[:2]])
    images = as_images(torch.cat([some.flatten(1), _back(run, some)]).numpy(), (1, 28, 28))
    assert images is not None
    picture = sheet(
        images,
        "Digits, clothes, noise: input, and what comes back",
        columns=len(some),
        rows=("input", "back"),
    )
    return LabResult(
        numbers, criteria, picture, {name: recipe.hash for name, recipe in arms.items()}, (0,)
    )


SHARES = (0.0, 0.25, 0.5)
SEEDS = (0, 1)


def _features_arms() -> Mapping[str, Recipe]:
    return {
        f"masked {share}": _coded(
            Autoencoder((784, 500), corrupt=(Mask(share=share),) if share else ()), epochs=10
        )
        for share in SHARES
    } | {
        "overcomplete": _coded(Autoencoder((784, 1000)), epochs=10),
        "overcomplete, masked 0.25": _coded(
            Autoencoder((784, 1000), corrupt=(Mask(share=0.25),)), epochs=10
        ),
    }


def _probe(run: Run, seed: int, labels: int = 10_000) -> float:
    """Test accuracy in % of a linear classifier on the codes of the first images."""
    own = IMAGES.load()
    codes, test = _codes(run, own.train.x[:labels]), _codes(run, own.test.x)
    given = data.arrays(codes.numpy(), own.train.y[:labels].numpy(), valid=0.0, test=0.0)
    probe = trained(
        Recipe(
            data=given,
            preprocess=(Standardise(),),
            network=MLP((codes.shape[1], 10)),
            optimizer=Adam(lr=0.002),
            epochs=20,
            seed=seed,
        )
    )
    right = probe.predict(test.numpy()) == own.test.y.numpy().astype(str)
    return 100 * float(np.mean(right))


def _features() -> LabResult:
    arms, accuracy, foreign = _features_arms(), {}, {}
    for name, recipe in arms.items():
        wide = name.startswith("overcomplete")
        found = []
        for seed in SEEDS[:1] if wide else SEEDS:
            run = trained(recipe.but(seed=seed))
            series = run.history.of(FOREIGN_R2)
            assert series is not None
            foreign[name] = series.last
            found.append(_probe(run, seed))
        accuracy[name] = found
    means = {name: sum(v) / len(v) for name, v in accuracy.items()}
    best = max(means[f"masked {share}"] for share in SHARES[1:])
    gain = best - means["masked 0.0"]
    numbers = {f"{name}: linear classifier on the code, %": v for name, v in means.items()}
    numbers |= {f"{name}: share of foreign data given back": v for name, v in foreign.items()} | {
        "gain of the best share over none, points": gain
    }
    criteria = (
        Criterion(
            "features of a denoising autoencoder are better: a linear classifier gains more than 0.5 points",
            gain,
            gain > 0.5,
        ),
        Criterion(
            "a plain overcomplete one is near to a copy: over 80 % of foreign data come back",
            foreign["overcomplete"],
            foreign["overcomplete"] > 0.8,
        ),
        Criterion(
            "and a denoising one of the same width does not",
            foreign["overcomplete, masked 0.25"],
            foreign["overcomplete, masked 0.25"] < 0.8,
        ),
    )
    with figure() as (made, axes):
        axes[0][0].plot(
            SHARES, [means[f"masked {share}"] for share in SHARES], color=COLOURS[0], marker="o"
        )
        for share in SHARES:
            axes[0][0].plot(
                [share] * len(SEEDS), accuracy[f"masked {share}"], ".", color=COLOURS[0], alpha=0.4
            )
        axes[0][0].set_xlabel("share of the inputs that is masked in training")
        axes[0][0].set_title("Linear classifier on 500 features: test accuracy, %")
        picture = svg(made, "Denoising features")
    return LabResult(
        numbers, criteria, picture, {name: recipe.hash for name, recipe in arms.items()}, SEEDS
    )


def _sparse_arms() -> Mapping[str, Recipe]:
    return {
        "sparse": _coded(Autoencoder((784, 200), sparsity=3.0, sparsity_target=0.05)),
        "plain": _coded(Autoencoder((784, 200))),
    }


def _sparse() -> LabResult:
    arms = _sparse_arms()
    sparse, plain = (trained(recipe) for recipe in arms.values())
    test = IMAGES.load().test.x
    codes = _codes(sparse, test)
    mean, silent = float(codes.mean()), float((codes < 0.1).float().mean())
    errors = {name: _error(run, test) for name, run in (("sparse", sparse), ("plain", plain))}
    ratio = errors["sparse"] / errors["plain"]
    numbers = {
        "mean of the code": mean,
        "share of the code below 0.1": silent,
        "sparse over plain": ratio,
    }
    numbers |= {f"squared error of a pixel, {name}": value for name, value in errors.items()}
    criteria = (
        Criterion(
            "the price brings the mean of the code to its target of 0.05, within 0.02",
            mean,
            abs(mean - 0.05) < 0.02,
        ),
        Criterion("most units are near 0: more than 80 % below 0.1", silent, silent > 0.8),
        Criterion(
            "at a small loss: the error is less than 1.5 times the plain one's", ratio, ratio < 1.5
        ),
    )
    with figure() as (made, axes):
        for (name, run), colour in zip(
            (("sparse", sparse), ("plain", plain)), (BLUE, COLOURS[1]), strict=True
        ):
            axes[0][0].hist(
                _codes(run, test[:2000]).flatten().numpy(),
                bins=40,
                histtype="step",
                color=colour,
                label=name,
            )
        axes[0][0].set_yscale("log")
        axes[0][0].set_xlabel("value of a unit of the code")
        axes[0][0].set_title("How often units of the code have each value")
        axes[0][0].legend()
        picture = svg(made, "Sparse codes")
    return LabResult(
        numbers, criteria, picture, {name: recipe.hash for name, recipe in arms.items()}, (0,)
    )


L26 = Lab(
    "L26",
    CLAIMS["L26"],
    "784-256-32 on MNIST, 20 epochs, tried on Fashion-MNIST and noise, beside PCA; a linear one of 3 numbers on small digits against the principal components.",
    "note 001",
    _foreign,
    _foreign_arms,
    slow=True,
)
L27 = Lab(
    "L27",
    CLAIMS["L27"],
    "784-500, tied, 0, 25 and 50 % of the inputs masked, 10 epochs, 2 seeds; a linear classifier on the codes of 10,000 images; and 1,000 units.",
    "note 001",
    _features,
    _features_arms,
    slow=True,
)
L28 = Lab(
    "L28",
    CLAIMS["L28"],
    "784-200, KL of the units' means from 0.05, 20 epochs on MNIST, beside a plain one.",
    "note 001",
    _sparse,
    _sparse_arms,
    slow=True,
)

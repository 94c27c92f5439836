"""L26 and L27: autoencoders reconstruct what resembles their training data, and denoising makes
better features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from netwise import data
from netwise.data.dataset import Samples
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import signal_values, train_whole
from netwise.networks import MLP, Autoencoder
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.part import integer
from netwise.parts.activations import Identity, ReLU
from netwise.parts.augment import Mask
from netwise.parts.losses import BinaryCrossEntropy, MeanSquaredError
from netwise.parts.optimizers import Adam
from netwise.parts.preprocess import Standardise
from netwise.parts.schedules import Cosine
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg
from netwise.report.pictures.mosaic import as_images, image_sheet
from netwise.signals import FOREIGN_R2
from netwise.training.interrupt import uninterrupted
from netwise.training.parallel import fit_many
from netwise.training.run import Run

IMAGES = data.mnist(valid=0.0)
AT_ONCE = 1000  # images of a forward pass

Numbers = Mapping[str, float]


def image_recipe(network: Autoencoder, epochs: int = 20) -> Recipe:
    """Training of an autoencoder on the images of MNIST."""
    return Recipe(
        data=IMAGES,
        network=network,
        loss=BinaryCrossEntropy(),
        optimizer=Adam(lr=0.001),
        schedule=Cosine(),
        batch_size=100,
        epochs=epochs,
    )


def reconstructions(run: Run, x: Tensor) -> Tensor:
    """(samples, inputs): reconstructions of preprocessed inputs."""
    assert isinstance(run.module, UnsupervisedModule)
    with torch.no_grad():
        return torch.cat([run.module.reconstruct(batch) for batch in x.split(AT_ONCE)])


def codes(run: Run, x: Tensor) -> Tensor:
    """(samples, code units): codes of preprocessed inputs."""
    assert isinstance(run.module, UnsupervisedModule)
    with torch.no_grad():
        return torch.cat([run.module.encode(batch) for batch in x.split(AT_ONCE)])


def reconstruction_error(run: Run, x: Tensor) -> float:
    """Mean squared error of an input."""
    return float((reconstructions(run, x) - x.flatten(1)).square().mean())


# L26: specific and lossy


@dataclass(frozen=True)
class ReconstructionSettings(LabSettings):
    """What can be varied in L26.

    Args:
        code: units of the code. Default 32.
        epochs: Default 20.
    """

    code: int = integer(32, least=1, most=256, because="the layer before it has 256 units")
    epochs: int = integer(20, least=1, most=500, because="a run has an epoch")


def reconstruction_arms(settings: ReconstructionSettings) -> dict[str, Recipe]:
    deep = Autoencoder((784, 256, settings.code), activation=ReLU(), code=Identity(), tied=False)
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
    return {"deep": image_recipe(deep, settings.epochs), "linear, 64-3": linear}


def pca_error(train: Tensor, test: Tensor, components: int) -> float:
    """Mean squared error of an input after projection onto the principal components."""
    from sklearn.decomposition import PCA

    pca = PCA(components).fit(train.flatten(1).numpy())
    x = test.flatten(1).numpy()
    return float(np.square(pca.inverse_transform(pca.transform(x)) - x).mean())


def angle_to_components(linear: Run) -> float:
    """Largest angle in degrees between the decoder's columns and the principal components of the
    training inputs, as subspaces."""
    from scipy.linalg import subspace_angles
    from sklearn.decomposition import PCA

    train = linear.recipe.data.load().train.x
    x = linear.recipe.preprocess[0].apply(train, linear.pipeline.fitted[0]).flatten(1)
    decoder = linear.module.get_submodule("back1").weight
    assert isinstance(decoder, Tensor)
    learned = decoder.detach().numpy()  # (inputs, code)
    components = PCA(learned.shape[1]).fit(x.numpy()).components_.T
    return float(np.degrees(subspace_angles(components, learned)).max())


def reconstruction_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    ratio = numbers["Fashion-MNIST over MNIST"]
    train = numbers["squared error of a pixel, MNIST, training"]
    test = numbers["squared error of a pixel, MNIST, test"]
    angle = numbers["linear: largest angle to the principal components, degrees"]
    return (
        Criterion(
            "the squared error on Fashion-MNIST is more than three times that on MNIST",
            ratio,
            ratio > 3,
        ),
        Criterion(
            "the squared error is above 0.0001 even on its training images", train, train > 1e-4
        ),
        Criterion(
            "a linear autoencoder learns the subspace of the principal components (largest "
            "angle under 5 degrees)",
            angle,
            angle < 5,
        ),
        Criterion(
            "with as many numbers in the code it is better than PCA on test images",
            test,
            test < numbers["squared error of a pixel, PCA, MNIST, test"],
            part_of_claim=False,
        ),
    )


def run_l26(settings: ReconstructionSettings) -> LabResult:
    arms = reconstruction_arms(settings)
    deep, linear = (train_whole(recipe) for recipe in arms.values())
    images, foreign = IMAGES.load(), data.fashion_mnist(valid=0.0).load()
    noise = torch.rand(2000, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    errors = {
        "MNIST, training": reconstruction_error(deep, images.train.x[:10_000]),
        "MNIST, test": reconstruction_error(deep, images.test.x),
        "Fashion-MNIST": reconstruction_error(deep, foreign.test.x),
        "noise": reconstruction_error(deep, noise),
        "PCA, MNIST, test": pca_error(images.train.x[:20_000], images.test.x, settings.code),
    }
    numbers = {
        **{f"squared error of a pixel, {name}": value for name, value in errors.items()},
        "Fashion-MNIST over MNIST": errors["Fashion-MNIST"] / errors["MNIST, test"],
        "linear: largest angle to the principal components, degrees": angle_to_components(linear),
    }
    picture = _examples(deep, images, foreign, noise)
    return LabResult(numbers, reconstruction_criteria(numbers), picture, recipe_hashes(arms), (0,))


def _examples(run: Run, images: Samples, foreign: Samples, noise: Tensor) -> str:
    x = torch.cat([images.test.x[:5], foreign.test.x[:5], noise[:2]])
    both = torch.cat([x.flatten(1), reconstructions(run, x)]).numpy()
    drawn = as_images(both, (1, 28, 28))
    assert drawn is not None
    title = "Digits, clothes, noise: input and reconstruction"
    return image_sheet(drawn, title, columns=len(x), rows=("input", "back"))


# L27: features of denoising

SHARES = (0.0, 0.25, 0.5)
WIDE = "overcomplete"  # the arms with more code units than inputs, trained with one seed


@dataclass(frozen=True)
class DenoisingSettings(LabSettings):
    """What can be varied in L27.

    Args:
        width: units of the code. Default 500; the overcomplete one has twice as many.
        epochs: Default 10.
        seeds: Default 2.
    """

    width: int = integer(500, least=2, most=5000, because="it is a number of units")
    epochs: int = integer(10, least=1, most=500, because="a run has an epoch")
    seeds: int = integer(2, least=2, most=50, because="a mean over seeds is judged")


def denoising_arms(settings: DenoisingSettings) -> dict[str, Recipe]:
    width, epochs = settings.width, settings.epochs

    def masked(share: float) -> tuple[Mask, ...]:
        return (Mask(share=share),) if share else ()

    narrow = {
        f"masked {share}": image_recipe(Autoencoder((784, width), corrupt=masked(share)), epochs)
        for share in SHARES
    }
    wide = {
        WIDE: image_recipe(Autoencoder((784, 2 * width)), epochs),
        f"{WIDE}, masked 0.25": image_recipe(
            Autoencoder((784, 2 * width), corrupt=masked(0.25)), epochs
        ),
    }
    return narrow | wide


def linear_probe(
    train: Tensor, train_y: Tensor, test: Tensor, test_y: Tensor, seed: int, epochs: int = 20
) -> float:
    """Test accuracy in % of a linear classifier on codes, (samples, units), of so many classes as
    the labels have."""
    samples = data.arrays(train.numpy(), train_y.numpy(), valid=0.0, test=0.0)
    classifier = train_whole(
        Recipe(
            data=samples,
            preprocess=(Standardise(),),
            network=MLP((train.shape[1], len(train_y.unique()))),
            optimizer=Adam(lr=0.002),
            epochs=epochs,
            seed=seed,
        )
    )
    return 100 * float(np.mean(classifier.predict(test.numpy()) == test_y.numpy().astype(str)))


def probe_accuracy(run: Run, seed: int, labels: int = 10_000) -> float:
    """Accuracy of a linear probe on the codes of the first images of MNIST."""
    images = IMAGES.load()
    train, test = codes(run, images.train.x[:labels]), codes(run, images.test.x)
    return linear_probe(train, images.train.y[:labels], test, images.test.y, seed)


def denoising_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    gain = numbers["gain of the best share over none, points"]
    plain = numbers[f"{WIDE}: share of foreign data given back"]
    denoising = numbers[f"{WIDE}, masked 0.25: share of foreign data given back"]
    return (
        Criterion(
            "features of a denoising autoencoder are better: a linear classifier gains more than "
            "0.5 percentage points",
            gain,
            gain > 0.5,
        ),
        Criterion(
            "a plain overcomplete autoencoder nearly copies: it explains over 80 % of the variance "
            "of foreign data",
            plain,
            plain > 0.8,
        ),
        Criterion(
            "a denoising one of the same width explains less than 80 % of it",
            denoising,
            denoising < 0.8,
        ),
    )


def run_l27(settings: DenoisingSettings) -> LabResult:
    arms, seeds = denoising_arms(settings), tuple(range(settings.seeds))
    jobs = [
        (name, seed) for name in arms for seed in (seeds[:1] if name.startswith(WIDE) else seeds)
    ]
    runs = fit_many([arms[name].but(seed=seed) for name, seed in jobs])
    accuracy: dict[str, list[float]] = {}
    foreign: dict[str, float] = {}
    for (name, seed), run in zip(jobs, map(uninterrupted, runs), strict=True):
        foreign[name] = signal_values(run, FOREIGN_R2)[-1]
        accuracy.setdefault(name, []).append(probe_accuracy(run, seed))
    means = {name: fmean(values) for name, values in accuracy.items()}
    best = max((f"masked {share}" for share in SHARES[1:]), key=means.__getitem__)
    gains = [a - b for a, b in zip(accuracy[best], accuracy["masked 0.0"], strict=True)]
    gain = fmean(gains)
    numbers = {
        **{f"{name}: linear classifier on the code, %": value for name, value in means.items()},
        **{f"{name}: share of foreign data given back": value for name, value in foreign.items()},
        "gain of the best share over none, points": gain,
    }
    picture = _accuracy_by_share(numbers)
    return LabResult(numbers, denoising_criteria(numbers), picture, recipe_hashes(arms), seeds)


def _accuracy_by_share(numbers: Numbers) -> str:
    probe = "linear classifier on the code, %"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        values = [numbers[f"masked {share}: {probe}"] for share in SHARES]
        axis.plot(SHARES, values, "o-", color=COLOURS[0], label="code narrower than the input")
        wide = [numbers[f"{WIDE}: {probe}"], numbers[f"{WIDE}, masked 0.25: {probe}"]]
        axis.plot(SHARES[:2], wide, "o-", color=COLOURS[1], label="wider than the input")
        axis.set_xlabel("share of the inputs that is masked in training")
        axis.set_ylabel("test accuracy, %")
        axis.set_title("A linear classifier on the features")
        axis.legend()
        return svg(drawing, "Denoising features")


L26 = Lab(
    "L26",
    lab_texts()["L26"],
    run_l26,
    ReconstructionSettings(),
    arms=reconstruction_arms,
    minutes=2,
)
L27 = Lab("L27", lab_texts()["L27"], run_l27, DenoisingSettings(), arms=denoising_arms, minutes=12)

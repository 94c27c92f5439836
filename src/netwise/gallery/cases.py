"""Recipes with a known fault, and recipes that learn well: for tests, for the documentation, and to
see a run with each finding."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from netwise import data, random_streams
from netwise.networks import MLP, Autoencoder, VariationalAutoencoder
from netwise.networks.energy import CD, DBN, PCD, RBM, ExactGradient, Hopfield
from netwise.parts.activations import Identity, ReLU, Sigmoid, Softmax, Tanh
from netwise.parts.augment import Mask
from netwise.parts.initializers import Constant, Glorot, He, Normal
from netwise.parts.losses import BinaryCrossEntropy, MeanSquaredError
from netwise.parts.optimizers import SGD, Adam, AdamW, RMSProp
from netwise.parts.penalties import L2
from netwise.parts.preprocess import Binarise, Standardise
from netwise.parts.schedules import Cosine, StepDecay
from netwise.parts.stopping import Patience
from netwise.recipe.origin import From
from netwise.recipe.recipe import Recipe
from netwise.recipe.suggestion import suggest

DIGITS = data.digits()


@dataclass(frozen=True)
class GalleryCase:
    """One recipe and what a diagnosis of its run should find.

    Args:
        name: in the gallery.
        description: what was done to the recipe, in a sentence.
        recipe: what to run.
        cause: name of the finding that should be the first; "" for a recipe that learns well.
        other_causes: names of findings that may be the first as well.

    Example:
        >>> import netwise as nw
        >>> nw.gallery.sick["saturation"].cause
        'saturation'
    """

    name: str
    description: str
    recipe: Recipe
    cause: str = ""
    other_causes: tuple[str, ...] = ()


def _digits(**changes: object) -> Recipe:
    base = Recipe(
        data=DIGITS,
        network=MLP((64, 64, 32, 10)),
        init=He(),
        optimizer=SGD(lr=0.1),
        batch_size=64,
        epochs=15,
    )
    return base.but(**changes)


def _noise(rows: int = 2000) -> data.Arrays:
    g = random_streams.generator(0, "noise")
    return data.arrays(torch.randn(rows, 20, generator=g), torch.randint(4, (rows,), generator=g))


def _rings() -> data.Arrays:
    from sklearn.datasets import make_circles

    return data.arrays(*make_circles(1200, noise=0.05, factor=0.4, random_state=0))


DEEP_SIGMOID = Recipe(
    data=DIGITS,
    network=MLP((64, 32, 32, 32, 32, 10), activation=Sigmoid()),
    init=Normal(std=0.1),
    optimizer=SGD(lr=0.1, momentum=0.9),
    epochs=15,
)
BINARY_DIGITS = Recipe(
    data=DIGITS,
    preprocess=(Binarise(),),
    network=RBM(64, 32),
    loss=PCD(),
    optimizer=SGD(lr=0.05),
    batch_size=20,
    epochs=30,
)
AUTOENCODER = Recipe(
    data=DIGITS,
    network=Autoencoder((64, 16)),
    loss=BinaryCrossEntropy(),
    optimizer=Adam(lr=0.01),
    batch_size=32,
    epochs=30,
)
FEW_DIGITS = data.digits(valid=0.485, test=0.5)  # about twenty-five training samples

_SICK = (
    GalleryCase(
        "vanishing_gradient",
        "Four sigmoid layers with initial weights from N(0, 0.1²).",
        DEEP_SIGMOID,
        "vanishing_gradient",
    ),
    GalleryCase(
        "exploding_gradient",
        "Five hidden ReLU layers with initial weights four times those of He.",
        _digits(
            network=MLP((64, 64, 64, 64, 64, 64, 10)), init=He(gain=4.0), optimizer=SGD(lr=0.01)
        ),
        "exploding_gradient",
        ("start_too_large", "rate_too_high"),
    ),
    GalleryCase(
        "stuck_output",
        "A sigmoid neuron that starts at 1 and should answer 0, with a squared error.",
        Recipe(
            data=data.arrays(torch.ones(64, 1), torch.zeros(64, 1)),
            network=MLP((1, 1), output=Sigmoid()),
            init=Constant(weight=2.0, bias=2.0),
            loss=MeanSquaredError(),
            optimizer=SGD(lr=0.15),
            batch_size=8,
            epochs=5,
        ),
        "stuck_output",
    ),
    GalleryCase(
        "copied_start_fades",
        "A classifier that starts from a stack of Boltzmann machines of one epoch.",
        _digits(
            network=MLP((64, 100, 50, 10), activation=Sigmoid()),
            init=From(
                recipe=Recipe(
                    data=DIGITS,
                    network=DBN((64, 100, 50)),
                    loss=CD(),
                    optimizer=SGD(lr=0.1),
                    epochs=1,
                )
            ),
            optimizer=Adam(lr=0.001),
            epochs=3,
        ),
        "copied_start_fades",
    ),
    GalleryCase(
        "dead_relu",
        "ReLU layers with initial biases of -10.",
        _digits(init=Normal(std=0.1, bias=-10.0)),
        "dead_relu",
    ),
    GalleryCase(
        "saturation",
        "Five tanh layers of 100 units with initial weights from N(0, 1).",
        _digits(
            network=MLP((64, 100, 100, 100, 100, 100, 10), activation=Tanh()),
            init=Normal(std=1.0),
            optimizer=SGD(lr=0.01),
        ),
        "saturation",
        ("start_too_large",),
    ),
    GalleryCase(
        "rate_too_high",
        "SGD with a learning rate of 30; 0.1 works.",
        _digits(optimizer=SGD(lr=30.0)),
        "rate_too_high",
    ),
    GalleryCase(
        "rate_too_low",
        "SGD with a learning rate of 1e-6; 0.1 works.",
        _digits(optimizer=SGD(lr=1e-6)),
        "rate_too_low",
    ),
    GalleryCase(
        "rate_faded",
        "A schedule that divides the learning rate by 100 in each epoch.",
        _digits(optimizer=SGD(lr=0.1), schedule=StepDecay(every=1, factor=0.01)),
        "rate_faded",
    ),
    GalleryCase(
        "not_learning",
        "Random labels.",
        Recipe(
            data=_noise(), network=MLP((20, 16, 4)), init=He(), optimizer=SGD(lr=0.05), epochs=10
        ),
        "not_learning",
    ),
    GalleryCase(
        "overfitting",
        "Twenty-five training samples, wide layers, 150 epochs.",
        Recipe(
            data=FEW_DIGITS,
            network=MLP((64, 256, 256, 10)),
            init=He(),
            optimizer=Adam(lr=0.003),
            batch_size=25,
            epochs=150,
        ),
        "overfitting",
    ),
    GalleryCase(
        "underfitting",
        "One hidden tanh unit for ten classes.",
        _digits(
            network=MLP((64, 1, 10), activation=Tanh()),
            init=Glorot(),
            optimizer=Adam(lr=0.01),
            epochs=60,
        ),
        "underfitting",
    ),
    GalleryCase(
        "start_symmetric",
        "Tanh layers with all initial weights 0.05.",
        _digits(network=MLP((64, 64, 32, 10), activation=Tanh()), init=Constant(0.05)),
        "start_symmetric",
    ),
    GalleryCase(
        "no_nonlinearity",
        "Two classes on rings, and three layers without activations between them.",
        Recipe(
            data=_rings(),
            network=MLP((2, 32, 32, 2), activation=Identity()),
            init=He(),
            optimizer=SGD(lr=0.1),
            epochs=20,
        ),
        "no_nonlinearity",
    ),
    GalleryCase(
        "output_misfits_loss",
        "Softmax before a loss that takes logits.",
        _digits(network=MLP((64, 64, 32, 10), output=Softmax()), optimizer=SGD(lr=0.02)),
        "output_misfits_loss",
    ),
    GalleryCase(
        "loss_misfits_task",
        "Squared error on ten classes, through sigmoid outputs.",
        _digits(network=MLP((64, 64, 32, 10), output=Sigmoid()), loss=MeanSquaredError()),
        "loss_misfits_task",
    ),
    GalleryCase(
        "target_not_scaled",
        "Targets from 25 to 346, not scaled.",
        Recipe(
            data=data.diabetes(scale_target=False),
            preprocess=(Standardise(),),
            network=MLP((10, 16, 1)),
            init=He(),
            loss=MeanSquaredError(),
            optimizer=Adam(lr=0.001),
            batch_size=32,
            epochs=15,
        ),
        "target_not_scaled",
    ),
    GalleryCase(
        "labels_suspect",
        "Random labels, and a network wide enough to memorise them.",
        Recipe(
            data=_noise(400),
            network=MLP((20, 256, 4)),
            init=He(),
            optimizer=Adam(lr=0.01),
            batch_size=32,
            epochs=40,
        ),
        "labels_suspect",
    ),
    GalleryCase(
        "brakes_too_strong",
        "An L2 penalty that outweighs the data.",
        _digits(penalty=L2(strength=3.0)),
        "brakes_too_strong",
    ),
    GalleryCase(
        "inputs_not_normalised",
        "Inputs that are not scaled: columns from 0.1 to 1700.",
        Recipe(
            data=data.wine(),
            network=MLP((13, 32, 3)),
            init=He(),
            optimizer=SGD(lr=0.1),
            batch_size=16,
            epochs=20,
        ),
        "inputs_not_normalised",
    ),
    GalleryCase(
        "memory_overloaded",
        "40 random patterns in 100 units, by Hebb's rule.",
        Recipe(data=data.random_patterns(count=40), network=Hopfield(100)),
        "memory_overloaded",
    ),
    GalleryCase(
        "hidden_unused",
        "Initial visible biases of 0, a low learning rate, few epochs.",
        BINARY_DIGITS.but(
            network=RBM(64, 16, visible_bias="zero", centred=False),
            optimizer=SGD(lr=0.025),
            epochs=20,
        ),
        "hidden_unused",
    ),
    GalleryCase(
        "negative_phase_stuck",
        "A learning rate of 5, too high for persistent chains to follow.",
        BINARY_DIGITS.but(network=RBM(64, 16), optimizer=SGD(lr=5.0)),
        "negative_phase_stuck",
    ),
    GalleryCase(
        "identity_learned",
        "A linear code twice as wide as the input.",
        AUTOENCODER.but(
            network=Autoencoder((64, 128), activation=Identity()),
            loss=MeanSquaredError(),
            optimizer=Adam(lr=0.003),
            epochs=40,
        ),
        "identity_learned",
    ),
    GalleryCase(
        "dead_code",
        "A code of 100 units, of which only the two largest are kept.",
        AUTOENCODER.but(network=Autoencoder((64, 100), activation=ReLU(), top=2), epochs=20),
        "dead_code",
    ),
    GalleryCase(
        "posterior_collapse",
        "A mean over 64 pixels beside a sum over ten units of the code.",
        AUTOENCODER.but(
            network=VariationalAutoencoder((64, 64, 10)),
            loss=BinaryCrossEntropy(outputs="mean"),
            optimizer=Adam(lr=0.005),
        ),
        "posterior_collapse",
    ),
)

_HEALTHY = (
    GalleryCase("relu_sgd", "ReLU layers, He initialization, SGD.", _digits(epochs=20)),
    GalleryCase("relu_adam", "ReLU layers and Adam.", suggest(DIGITS, epochs=12)),
    GalleryCase(
        "tanh_momentum",
        "Tanh layers, Glorot initialization, momentum.",
        _digits(
            network=MLP((64, 64, 32, 10), activation=Tanh()),
            init=Glorot(),
            optimizer=SGD(lr=0.02, momentum=0.9),
            epochs=20,
        ),
    ),
    GalleryCase(
        "sigmoid_shallow",
        "One hidden sigmoid layer, batches of ten: a noisy loss that is no fault.",
        _digits(
            network=MLP((64, 30, 10), activation=Sigmoid()),
            init=Glorot(),
            optimizer=SGD(lr=0.5),
            batch_size=10,
        ),
    ),
    GalleryCase(
        "dropout",
        "Dropout of half of the units: a training loss above the validation loss.",
        _digits(network=MLP((64, 128, 128, 10), dropout=0.5), optimizer=Adam(lr=0.002), epochs=25),
    ),
    GalleryCase(
        "batch_norm",
        "Batch normalization, a high learning rate, a cosine schedule.",
        _digits(
            network=MLP((64, 64, 64, 10), batch_norm=True), optimizer=SGD(lr=0.2), schedule=Cosine()
        ),
    ),
    GalleryCase(
        "early_stopping",
        "Early stopping.",
        _digits(optimizer=Adam(lr=0.002), stopping=Patience(5), epochs=60),
    ),
    GalleryCase("lenet5", "LeNet-5 on enlarged digits.", suggest(DIGITS, "lenet5", epochs=5)),
    GalleryCase(
        "softmax_regression",
        "A linear model with initial weights of 0: it needs no random ones.",
        _digits(network=MLP((64, 10)), init=Constant(), optimizer=SGD(lr=0.5), epochs=20),
    ),
    GalleryCase(
        "iris",
        "150 samples, tanh and Adam.",
        Recipe(
            data=data.iris(),
            preprocess=(Standardise(),),
            network=MLP((4, 16, 3), activation=Tanh()),
            init=Glorot(),
            optimizer=Adam(lr=0.01),
            batch_size=16,
            epochs=50,
        ),
    ),
    GalleryCase(
        "wine",
        "Standardised inputs, AdamW.",
        Recipe(
            data=data.wine(),
            preprocess=(Standardise(),),
            network=MLP((13, 24, 3)),
            init=He(),
            optimizer=AdamW(lr=0.005),
            batch_size=20,
            epochs=30,
        ),
    ),
    GalleryCase(
        "breast_cancer",
        "Two classes, RMSProp.",
        Recipe(
            data=data.breast_cancer(),
            preprocess=(Standardise(),),
            network=MLP((30, 16, 2)),
            init=He(),
            optimizer=RMSProp(lr=0.002),
            batch_size=32,
            epochs=15,
        ),
    ),
    GalleryCase(
        "diabetes",
        "Regression where half of the variance is noise.",
        Recipe(
            data=data.diabetes(),
            preprocess=(Standardise(),),
            network=MLP((10, 16, 1)),
            init=He(),
            loss=MeanSquaredError(),
            optimizer=Adam(lr=0.002),
            penalty=L2(strength=1e-3),
            batch_size=32,
            epochs=25,
        ),
    ),
    GalleryCase(
        "deep_relu",
        "Six hidden ReLU layers, He initialization.",
        _digits(network=MLP((64, 64, 64, 64, 64, 64, 64, 10), activation=ReLU()), optimizer=Adam()),
    ),
    GalleryCase(
        "hopfield",
        "Eight random patterns in 100 units, by Hebb's rule.",
        Recipe(data=data.random_patterns(count=8), network=Hopfield(100)),
    ),
    GalleryCase(
        "hopfield_pseudo_inverse",
        "40 random patterns in 100 units, by the pseudo-inverse rule.",
        Recipe(data=data.random_patterns(count=40), network=Hopfield(100, rule="pseudo-inverse")),
    ),
    GalleryCase("rbm", "Persistent chains, centred units.", BINARY_DIGITS),
    GalleryCase(
        "rbm_cd",
        "Contrastive divergence.",
        BINARY_DIGITS.but(loss=CD(), network=RBM(64, 50, centred=False)),
    ),
    GalleryCase(
        "rbm_exact",
        "Eight hidden units, exact gradient by a sum over all states.",
        BINARY_DIGITS.but(
            network=RBM(64, 8), loss=ExactGradient(), optimizer=SGD(lr=0.2), epochs=20
        ),
    ),
    GalleryCase(
        "dbn",
        "Two layers, trained one after the other.",
        BINARY_DIGITS.but(network=DBN((64, 40, 20)), loss=CD(), epochs=40),
    ),
    GalleryCase("autoencoder", "A code with a quarter as many units as inputs.", AUTOENCODER),
    GalleryCase(
        "denoising",
        "A code twice as wide as the input, with masked inputs.",
        AUTOENCODER.but(network=Autoencoder((64, 128), corrupt=(Mask(share=0.25),)), epochs=40),
    ),
    GalleryCase(
        "sparse",
        "A code twice as wide as the input, with a sparsity penalty.",
        AUTOENCODER.but(network=Autoencoder((64, 128), sparsity=0.5), epochs=40),
    ),
    GalleryCase(
        "variational",
        "Reconstruction error and KL divergence, both summed.",
        AUTOENCODER.but(
            network=VariationalAutoencoder((64, 64, 10)),
            loss=BinaryCrossEntropy(outputs="sum"),
            optimizer=Adam(lr=0.005),
            epochs=40,
        ),
    ),
)

sick: dict[str, GalleryCase] = {case.name: case for case in _SICK}
healthy: dict[str, GalleryCase] = {case.name: case for case in _HEALTHY}

"""The claims that the labs test, by the id of the lab; listing them loads no torch."""

from __future__ import annotations

CLAIMS: dict[str, str] = {
    "L01": (
        "A sigmoid neuron with quadratic cost learns quickly from (0.6, 0.9) and very slowly "
        "when its start is very wrong, at (2, 2)."
    ),
    "L02": (
        "Cross-entropy removes the slow start: the larger the error of the neuron, the faster "
        "it learns."
    ),
    "L12": (
        "A good learning rate is half of the threshold above which the training loss no longer "
        "falls."
    ),
    "L18": (
        "A Hopfield network stores patterns up to about 15 % of its number of units; with more, "
        "crosstalk destroys them."
    ),
    "L19": (
        "A Hopfield network restores patterns from noise; its energy falls by u dx at each "
        "update, and recall ends at E = 0."
    ),
    "L20": (
        "The lower the temperature of a Boltzmann machine, the more probable its state of lowest "
        "energy, and the longer it takes to get there."
    ),
    "L21": (
        "A Boltzmann machine that is annealed leaves local minima in which a Hopfield network "
        "gets stuck."
    ),
    "L22": (
        "A Boltzmann machine learns codes for its hidden units by itself: the encoder problems."
    ),
    "L23": (
        "Contrastive divergence is an approximation; the likelihood can be computed exactly for "
        "small machines, and estimated for large ones."
    ),
    "L24": "Contrastive divergence needs few Gibbs steps.",
    "L25": (
        "Layers that were trained one by one as restricted Boltzmann machines are a good "
        "initialization of a classifier."
    ),
    "L26": (
        "An autoencoder reconstructs only data that resemble its training data, and never "
        "without loss."
    ),
    "L27": "A denoising autoencoder learns better features than a plain one.",
    "L28": "A sparsity penalty on the code makes most of its units 0.",
    "L29": (
        "Layers that were trained one by one as autoencoders are a good initialization of a "
        "classifier."
    ),
    "L58": "Random search beats grid search.",
    "L59": "Bayesian optimization needs fewer trials than random search.",
    "L60": "From coarse to fine: a few epochs per trial are enough to narrow the range.",
    "L61": (
        "Grid and random search ignore the results of earlier trials; tuning by hand uses them "
        "and does better."
    ),
    "L62": "Cross-validation chooses settings more reliably than one validation set.",
    "L77": "Settings chosen on test data look better than they are; validation data prevent it.",
}

"""The claims that the labs test, by the name of the lab; listing them loads no torch."""

from __future__ import annotations

CLAIMS: dict[str, str] = {
    "L01": (
        "A sigmoid neuron with quadratic cost learns from (0.6, 0.9) and sticks for "
        "long when it starts very wrong, at (2, 2)."
    ),
    "L02": (
        "Cross-entropy takes the slow start away: the more wrong the neuron, the faster it learns."
    ),
    "L12": (
        "Find the order of magnitude of the learning rate, then the threshold, and take half of it."
    ),
    "L18": (
        "A Hopfield net remembers patterns up to about 15 % of its units; with more "
        "there is crosstalk."
    ),
    "L19": (
        "A Hopfield net finds patterns again from noise, its energy falls by u dx at "
        "each change, and it stops at E = 0."
    ),
    "L20": (
        "The lower the temperature of a Boltzmann machine, the surer its state of "
        "lowest energy, and the slower it gets there."
    ),
    "L21": (
        "A Boltzmann machine that is cooled down leaves local minima in which a "
        "Hopfield net sticks."
    ),
    "L22": (
        "A Boltzmann machine learns codes for its hidden units by itself: the encoder problems."
    ),
    "L23": (
        "Contrastive divergence is an approximation; the likelihood can be summed "
        "exactly for small machines, and estimated for large ones."
    ),
    "L24": "Contrastive divergence needs few Gibbs steps.",
    "L25": (
        "Layers that were trained one by one as restricted Boltzmann machines are a "
        "good start for a classifier."
    ),
    "L26": ("An autoencoder gives back what is like its training data, and never without loss."),
    "L27": "A denoising autoencoder learns better features than a plain one.",
    "L28": "A price on the code makes most of its units 0.",
    "L29": (
        "Layers that were trained one by one as autoencoders are a good start for a classifier."
    ),
    "L58": "Random search beats grid search.",
    "L59": "Bayesian optimisation needs fewer trials than random search.",
    "L60": "From coarse to fine: a few iterations are enough to narrow the range.",
    "L61": "Grid and random search do not learn from what was tried; a babysitter does.",
    "L62": "Cross-validation chooses settings more safely than one validation set.",
    "L77": "Why validation data and not test data are used to choose hyper-parameters.",
}

"""Data sets, by name: `nw.data.digits()`, `nw.data.csv("table.csv", "price")`.

Each is a frozen value; `load()` gives its training, validation and test part. Only the final score
touches the last.
"""

from __future__ import annotations

from netwise.data.arrays import Arrays, arrays
from netwise.data.catalogue.bundled import BreastCancer, Diabetes, Digits, Iris, Wine
from netwise.data.catalogue.image_sets import (
    CIFAR10,
    MNIST,
    USPS,
    BinarizedMNIST,
    FashionMNIST,
    Olivetti,
    Silhouettes,
)
from netwise.data.catalogue.patterns import EncoderProblem, RandomPatterns
from netwise.data.catalogue.sequences import Adding, Copying
from netwise.data.catalogue.table_sets import Adult, CaliforniaHousing, Letter, Sonar, Spambase
from netwise.data.dataset import Data, Pairs, Samples, Split
from netwise.data.image_folder import Pictures, images
from netwise.data.table import Table, csv
from netwise.data.text import Text, text
from netwise.data.views import Fewer, Fold

digits, iris, wine, breast_cancer, diabetes = Digits, Iris, Wine, BreastCancer, Diabetes
mnist, fashion_mnist, cifar10, usps, olivetti, silhouettes = (
    MNIST,
    FashionMNIST,
    CIFAR10,
    USPS,
    Olivetti,
    Silhouettes,
)
binarized_mnist = BinarizedMNIST
encoder_problem, random_patterns = EncoderProblem, RandomPatterns
adult, letter, spambase, sonar, california_housing = (
    Adult,
    Letter,
    Spambase,
    Sonar,
    CaliforniaHousing,
)
adding, copying = Adding, Copying

# What a recipe file and the command line call them.
DATA: dict[str, type[Data]] = {
    "digits": Digits,
    "iris": Iris,
    "wine": Wine,
    "breast_cancer": BreastCancer,
    "diabetes": Diabetes,
    "mnist": MNIST,
    "fashion_mnist": FashionMNIST,
    "binarized_mnist": BinarizedMNIST,
    "cifar10": CIFAR10,
    "usps": USPS,
    "olivetti": Olivetti,
    "silhouettes": Silhouettes,
    "adult": Adult,
    "letter": Letter,
    "spambase": Spambase,
    "sonar": Sonar,
    "california_housing": CaliforniaHousing,
    "text": Text,
    "adding": Adding,
    "copying": Copying,
    "encoder_problem": EncoderProblem,
    "random_patterns": RandomPatterns,
    "images": Pictures,
    "csv": Table,
    "arrays": Arrays,
    "fold": Fold,
    "fewer": Fewer,
}

__all__ = [
    "Adding",
    "Adult",
    "Arrays",
    "BinarizedMNIST",
    "BreastCancer",
    "CIFAR10",
    "CaliforniaHousing",
    "Copying",
    "DATA",
    "Data",
    "Diabetes",
    "Digits",
    "EncoderProblem",
    "FashionMNIST",
    "Fewer",
    "Fold",
    "Iris",
    "Letter",
    "MNIST",
    "Olivetti",
    "Pairs",
    "Pictures",
    "RandomPatterns",
    "Samples",
    "Silhouettes",
    "Sonar",
    "Spambase",
    "Split",
    "Table",
    "Text",
    "USPS",
    "Wine",
    "adding",
    "adult",
    "arrays",
    "binarized_mnist",
    "breast_cancer",
    "california_housing",
    "cifar10",
    "copying",
    "csv",
    "diabetes",
    "digits",
    "fashion_mnist",
    "images",
    "iris",
    "letter",
    "mnist",
    "olivetti",
    "silhouettes",
    "sonar",
    "spambase",
    "text",
    "usps",
    "wine",
    "encoder_problem",
    "random_patterns",
]

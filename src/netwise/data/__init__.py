"""Data sets, by name: `nw.data.digits()`, `nw.data.csv("table.csv", "price")`.

Each is a frozen value; `load()` gives its training, validation and test part. Only the final score
touches the last.
"""

from netwise.lazy_names import lazily, stub_names
from netwise.part import Kinds

# The kinds that a recipe file and the command line can name.
DATA = Kinds(
    __name__,
    digits="Digits",
    iris="Iris",
    wine="Wine",
    breast_cancer="BreastCancer",
    diabetes="Diabetes",
    mnist="MNIST",
    fashion_mnist="FashionMNIST",
    binarized_mnist="BinarizedMNIST",
    cifar10="CIFAR10",
    usps="USPS",
    olivetti="Olivetti",
    silhouettes="Silhouettes",
    adult="Adult",
    letter="Letter",
    spambase="Spambase",
    sonar="Sonar",
    california_housing="CaliforniaHousing",
    text="Text",
    adding="Adding",
    copying="Copying",
    encoder_problem="EncoderProblem",
    random_patterns="RandomPatterns",
    images="Pictures",
    csv="Table",
    arrays="Arrays",
    stream="Stream",
    fold="Fold",
    fewer="Fewer",
)

_HOMES = stub_names(__path__[0])
__all__ = ["DATA", *_HOMES]
__getattr__ = lazily(__name__, _HOMES)

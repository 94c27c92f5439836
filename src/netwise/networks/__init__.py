"""Networks: values that build ordinary torch modules."""

from netwise.lazy_names import lazily, stub_names
from netwise.part import Kinds

NETWORKS = Kinds(
    __name__,
    "MLP",
    "ConvNet",
    "LeNet5",
    "LeNet5Paper",
    "AlexNet",
    "VGG",
    "GoogLeNet",
    "ResNet",
    "CIFARResNet",
    "ElmanRNN",
    "LSTM",
    "GRU",
    "Autoencoder",
    "ConvAutoencoder",
    "VariationalAutoencoder",
    "CustomNetwork",
)

_HOMES = stub_names(__path__[0])
__all__ = ["NETWORKS", *_HOMES]
__getattr__ = lazily(__name__, _HOMES)

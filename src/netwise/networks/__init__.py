"""Networks: values that build ordinary torch modules."""

from __future__ import annotations

from netwise.networks.alexnet import AlexNet
from netwise.networks.autoencoder import Autoencoder, ConvAutoencoder, VariationalAutoencoder
from netwise.networks.convnet import ConvNet, conv_block
from netwise.networks.custom import CustomNetwork
from netwise.networks.inception import GoogLeNet, InceptionBlock
from netwise.networks.lenet import LeNet5, LeNet5Paper
from netwise.networks.mlp import MLP
from netwise.networks.network import Network
from netwise.networks.recurrent import GRU, LSTM, ElmanRNN, gradient_through_time
from netwise.networks.resnet import CIFARResNet, ResNet
from netwise.networks.vgg import VGG

NETWORKS: tuple[type[Network], ...] = (
    MLP,
    ConvNet,
    LeNet5,
    LeNet5Paper,
    AlexNet,
    VGG,
    GoogLeNet,
    ResNet,
    CIFARResNet,
    ElmanRNN,
    LSTM,
    GRU,
    Autoencoder,
    ConvAutoencoder,
    VariationalAutoencoder,
    CustomNetwork,
)

__all__ = [
    "AlexNet",
    "Autoencoder",
    "CIFARResNet",
    "GoogLeNet",
    "InceptionBlock",
    "LeNet5Paper",
    "ResNet",
    "VGG",
    "VariationalAutoencoder",
    "ConvAutoencoder",
    "ConvNet",
    "ElmanRNN",
    "GRU",
    "LSTM",
    "LeNet5",
    "MLP",
    "NETWORKS",
    "Network",
    "CustomNetwork",
    "conv_block",
    "gradient_through_time",
]

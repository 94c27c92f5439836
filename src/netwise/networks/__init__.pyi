"""The names of this package, once; see `netwise.lazy_names`."""

from netwise.networks.alexnet import AlexNet as AlexNet
from netwise.networks.autoencoder import (
    Autoencoder as Autoencoder,
    ConvAutoencoder as ConvAutoencoder,
    VariationalAutoencoder as VariationalAutoencoder,
)
from netwise.networks.convnet import ConvNet as ConvNet, conv_block as conv_block
from netwise.networks.custom import CustomNetwork as CustomNetwork
from netwise.networks.inception import GoogLeNet as GoogLeNet, InceptionBlock as InceptionBlock
from netwise.networks.lenet import LeNet5 as LeNet5, LeNet5Paper as LeNet5Paper
from netwise.networks.mlp import MLP as MLP
from netwise.networks.network import Network as Network
from netwise.networks.recurrent import (
    GRU as GRU,
    LSTM as LSTM,
    ElmanRNN as ElmanRNN,
    gradient_through_time as gradient_through_time,
)
from netwise.networks.resnet import CIFARResNet as CIFARResNet, ResNet as ResNet
from netwise.networks.vgg import VGG as VGG
from netwise.part import Kinds

NETWORKS: Kinds
__all__: list[str]

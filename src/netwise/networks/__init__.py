"""Networks: values that build ordinary torch modules."""

from __future__ import annotations

from netwise.networks.lenet import LeNet5
from netwise.networks.mlp import MLP
from netwise.networks.network import Network
from netwise.networks.own import Own

NETWORKS: tuple[type[Network], ...] = (MLP, LeNet5, Own)

__all__ = ["MLP", "NETWORKS", "LeNet5", "Network", "Own"]

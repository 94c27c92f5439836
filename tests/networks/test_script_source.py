"""Module classes know how a script writes them."""

from __future__ import annotations

import importlib
import pkgutil

import torch
from torch import nn

import netwise as nw
from netwise import networks
from netwise.networks.alexnet import FeaturesHead
from netwise.networks.script_source import ScriptSource, script_source


def tables() -> dict[type[nn.Module], ScriptSource]:
    found: dict[type[nn.Module], ScriptSource] = {}
    for module in pkgutil.walk_packages(networks.__path__, "netwise.networks."):
        found |= getattr(importlib.import_module(module.name), "SCRIPT_SOURCES", {})
    return found


def test_a_table_holds_classes_of_its_own_file() -> None:
    assert len(tables()) >= 14
    for kind in tables():
        assert issubclass(kind, nn.Module)
        assert kind in importlib.import_module(kind.__module__).SCRIPT_SOURCES


def test_every_module_of_a_supervised_network_has_an_entry() -> None:
    for network in (
        nw.MLP((4, 4, 2), residual=True, drop_connect=0.5),
        nw.ConvNet(),
        nw.LeNet5Paper(),
        nw.AlexNet(),
        nw.VGG(),
        nw.GoogLeNet(),
        nw.ResNet(),
        nw.CIFARResNet(),
        nw.LSTM(),
    ):
        with torch.device("meta"):
            module = network.build()
        kind = type(module)
        assert kind.__module__.startswith("torch.") or script_source(module) is not None, kind


def test_modules_of_users_have_none() -> None:
    class Mine(nn.Module):
        pass

    assert script_source(Mine()) is None


def test_arguments_are_those_that_the_constructor_takes() -> None:
    head = FeaturesHead(nn.Sequential(nn.Identity()), (2, 3), nn.Sequential(nn.Flatten()))
    source = script_source(head)
    assert source is not None
    assert source.arguments is not None
    again = FeaturesHead(*source.arguments(head))
    x = torch.rand(2, 4, 9, 9)
    assert torch.equal(again(x), head(x))

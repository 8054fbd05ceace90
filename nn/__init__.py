"""A thin neural-network module over `autograd`: modules, losses, optimizers and `fit`, all of single numbers."""

from nn import datasets as datasets  # with the other modules of the package, `nn.datasets`
from nn import installation_check as installation_check  # first: it refuses a foreign `autograd`
from nn.activations import ACTIVATIONS
from nn.cost import LOSSES, cost
from nn.initializers import glorot_uniform, he_uniform, lecun_uniform
from nn.layers import MLP, Layer, Neuron
from nn.losses import bce_with_logits, cross_entropy, hinge, mse
from nn.module import Module
from nn.optimizers import SGD, Adam, Optimizer
from nn.passes import Trace
from nn.saving import ModelFileError, load, load_with_extras, save, set_state, state
from nn.training import History, NonFiniteLoss, NothingMoved, fit

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "MLP",
    "SGD",
    "Adam",
    "History",
    "Layer",
    "ModelFileError",
    "Module",
    "Neuron",
    "NonFiniteLoss",
    "NothingMoved",
    "Optimizer",
    "Trace",
    "bce_with_logits",
    "cost",
    "cross_entropy",
    "fit",
    "glorot_uniform",
    "he_uniform",
    "hinge",
    "lecun_uniform",
    "load",
    "load_with_extras",
    "mse",
    "save",
    "set_state",
    "state",
]

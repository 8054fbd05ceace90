"""A thin neural-network module over ``autograd``: modules, losses, optimizers and ``fit``, all of single numbers."""

from nn import installation_check as installation_check  # first: it refuses a foreign ``autograd``

# isort: split
from nn import datasets as datasets  # with the other modules of the package, ``nn.datasets``
from nn import initializers as initializers
from nn import schedules as schedules
from nn.activations import ACTIVATIONS, Activation
from nn.adaptive import Adagrad, Adam, AdamW, RMSprop
from nn.cost import LOSSES, cost
from nn.initializers import INITIALIZERS
from nn.layers import Layer, Neuron
from nn.losses import (
    bce_with_logits,
    binary_cross_entropy,
    cross_entropy,
    half_squared_error,
    hinge,
    huber,
    mae,
    mse,
)
from nn.model_files import ModelFileError
from nn.module import Module
from nn.networks import MLP, Sequential
from nn.optimizers import SGD, Optimizer
from nn.passes import Trace
from nn.saving import load, load_with_extras
from nn.tables.preparation import Standardisation, train_test_split
from nn.tables.reading import load_csv
from nn.training.callbacks import Training
from nn.training.clipping import clip_grad_norm, clip_grad_value
from nn.training.compiled_step import CompiledStep, compiled_step
from nn.training.diagnosis import Diagnosis, diagnose
from nn.training.failures import NonFiniteLoss, NothingMoved
from nn.training.fit import fit
from nn.training.history import History
from nn.training.penalties import L1, L2

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "L1",
    "L2",
    "LOSSES",
    "MLP",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "CompiledStep",
    "Diagnosis",
    "History",
    "Layer",
    "ModelFileError",
    "Module",
    "Neuron",
    "NonFiniteLoss",
    "NothingMoved",
    "Optimizer",
    "RMSprop",
    "Sequential",
    "Standardisation",
    "Trace",
    "Training",
    "bce_with_logits",
    "binary_cross_entropy",
    "clip_grad_norm",
    "clip_grad_value",
    "compiled_step",
    "cost",
    "cross_entropy",
    "diagnose",
    "fit",
    "half_squared_error",
    "hinge",
    "huber",
    "load",
    "load_csv",
    "load_with_extras",
    "mae",
    "mse",
    "train_test_split",
]

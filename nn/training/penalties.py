"""Penalties that hold weights small: a number that is added to the cost, once per step and not per sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograd import Value, abs, dot, sum
from nn.checks import within
from nn.module import Module

#: What ``fit`` takes: the penalty of a model as one Value.
Penalty = Callable[[Module], Any]


def weights(model: Module) -> list[Value]:
    """The parameters of a model but its biases, which are those whose name is b or bias.

    >>> from nn.layers import Neuron
    >>> [p.label for p in weights(Neuron(2))]
    ['w[0]', 'w[1]']
    """
    return [p for path, p in model.named_parameters() if path.rpartition(".")[2].partition("[")[0] not in _BIASES]


_BIASES = ("b", "bias", "biases")


@dataclass(frozen=True)
class _OfWeights:
    """A penalty of some strength on the weights of a model."""

    strength: float
    biases: bool = False

    def __post_init__(self) -> None:
        within("the strength of a penalty", self.strength, 0.0)

    def _chosen(self, model: Module) -> list[Value]:
        return model.parameters() if self.biases else weights(model)


class L1(_OfWeights):
    """strength · Σ |w| over the weights of a model: it makes many of them zero (Tibshirani, 1996).

    >>> from nn.layers import Neuron
    >>> neuron = Neuron(2)
    >>> neuron.w[0].data, neuron.w[1].data = 3.0, -4.0
    >>> L1(0.5)(neuron).data, L2(0.5)(neuron).data
    (3.5, 6.25)

    Args:
        strength: at least 0; biases: whether the biases count too.
    """

    def __call__(self, model: Module) -> Any:
        return self.strength * sum([abs(w) for w in self._chosen(model)])


class L2(_OfWeights):
    """½ strength · Σ w² over the weights of a model, with the gradient strength · w of the weight decay of ``SGD``.

    >>> from nn.layers import Neuron
    >>> L2(0.1)(Neuron(2, initializer="zeros")).data
    0.0

    Args:
        strength: at least 0; biases: whether the biases count too.
    """

    def __call__(self, model: Module) -> Any:
        chosen = self._chosen(model)
        return (0.5 * self.strength) * dot(chosen, chosen)

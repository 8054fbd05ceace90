"""How a layer is found among instructions: sums of products by shared weights, *neurons*, that have the same inputs.

Interpreter and machine code begin with it; what the latter makes loops of is said in ``machine.layers``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from autograd.compiled.backends.native.chains import Chain, as_chain


class Neuron(NamedTuple):
    """A sum of products whose one factor, the weight, is the same for all samples, while the inputs are not."""

    weights: tuple[int, ...]
    inputs: tuple[int, ...]
    #: A shared number, or ``None``.
    start: int | None


def layers_of(
    operands: Mapping[int, Sequence[int]],
    sums: Mapping[int, Chain],
    name: Callable[[int], str],
    varies: Callable[[int], int],
) -> dict[tuple[int, ...], dict[int, Neuron]]:
    """The neurons among some instructions, as slots, by their inputs.

    Forward a neuron is a ``dot``, backward the chain that makes the cotangent of an input.

    Args:
        operands: of each instruction that differs by sample.
        sums: the chains of products among them.
        name: the primitive of an instruction.
        varies: whether a number differs by sample.
    """
    found: dict[tuple[int, ...], dict[int, Neuron]] = {}
    for slot in sorted([*sums, *(slot for slot in operands if name(slot) == "dot")]):
        neuron = _neuron(sums[slot] if slot in sums else as_chain(operands[slot]), varies)
        if neuron is not None:
            found.setdefault(neuron.inputs, {})[slot] = neuron
    return found


def _neuron(chain: Chain, varies: Callable[[int], int]) -> Neuron | None:
    """Weights, inputs and start, if the weights and the start are shared numbers and the inputs are not."""
    start, pairs = chain
    if start is not None and varies(start):
        return None
    weights, inputs = zip(*pairs, strict=True)
    if not all(map(varies, inputs)):
        weights, inputs = zip(*[(x, y) if varies(y) else (y, x) for x, y in pairs], strict=True)
    if any(map(varies, weights)) or not all(map(varies, inputs)):
        return None
    return Neuron(weights, inputs, start)


def products_of_neurons(cotangents: Any, places: Any) -> list[tuple[int, int]]:
    """Where the products of each neuron begin and end, among products that are summed over samples.

    A neuron's products stand together: they have one cotangent, and places one after the other.
    """
    if not len(places):
        return []
    new = (np.diff(cotangents) != 0) | (np.diff(places) != 1)
    return list(pairwise([0, *(np.flatnonzero(new) + 1).tolist(), len(places)]))

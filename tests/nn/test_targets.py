"""Targets: what a loss does not take is an error that says what it takes."""

import math
from typing import Any

import pytest

from autograd import Value
from nn import LOSSES, bce_with_logits, cross_entropy, hinge


@pytest.mark.parametrize("label", [0, 2, -2, 0.5, "1", None, math.nan])
def test_hinge_wants_signs(label: Any) -> None:
    with pytest.raises(ValueError, match=r"hinge wants the label -1 or \+1; it is "):
        hinge(Value(0.5), label)


def test_hinge_says_what_to_do_with_0_and_1() -> None:
    with pytest.raises(ValueError, match="it is 0; write 1 for one class and -1 for the other"):
        hinge(0.5, 0)


@pytest.mark.parametrize("target", [-1, 2, 1.5, "1", None, math.nan])
def test_bce_wants_probabilities(target: Any) -> None:
    with pytest.raises(ValueError, match=r"bce_with_logits wants the target 0 or 1 .*; it is "):
        bce_with_logits(0.5, target)


@pytest.mark.parametrize("target", [-1, 3, 1.0, "1", None, True])
def test_cross_entropy_wants_classes(target: Any) -> None:
    with pytest.raises(ValueError, match=r"cross_entropy wants an integer class 0 … 2; it is "):
        cross_entropy([0.5, 0.5, 0.5], target)


@pytest.mark.parametrize("scores", [[0.5], 0.5, Value(0.5), []])
def test_cross_entropy_wants_a_list_of_logits(scores: Any) -> None:
    with pytest.raises(ValueError, match="cross_entropy wants a list of two logits or more"):
        cross_entropy(scores, 0)


def test_numpy_classes() -> None:
    numpy = pytest.importorskip("numpy")
    assert cross_entropy([0.0, 0.0], numpy.int64(1)) == cross_entropy([0.0, 0.0], 1)
    assert hinge(0.5, numpy.int8(-1)) == 1.5


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("cross_entropy", "hinge")])
def test_lists_of_unequal_length(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} needs one target per output; there are 1 for 2 outputs"):
        LOSSES[name]([0.5, 0.5], [1.0])

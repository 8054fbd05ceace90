"""A recorded graph as steps: what is read, and fused nodes expanded without touching the user's graph."""

from __future__ import annotations

import math
from typing import Any

import pytest

import autograd
from autograd import Value, draw, evaluate, primitive
from autograd.graph import topological_order
from autograd.pictures.drawing.scene import OPERATION
from autograd.pictures.steps import Step, partials, read


def neuron() -> Value:
    xs, ws, b = [Value(2.0, "x1"), Value(0.5, "x2")], [Value(-3.0, "w1"), Value(1.0, "w2")], Value(6.88, "b")
    output = autograd.sigmoid(autograd.dot(xs, ws, b))
    output.label = "o"
    return output


def names(steps: list[Step]) -> list[str]:
    return [step.primitive.name for step in steps if step.primitive is not None]


def recomputed(steps: list[Step]) -> list[float]:
    """The gradient of every step, from the last one's and the local derivatives alone."""
    arriving = [0.0] * len(steps)
    arriving[-1] = steps[-1].grad
    for place in range(len(steps) - 1, -1, -1):
        step = steps[place]
        for operand, slope in zip(step.operands, partials(step, steps), strict=True):
            if operand.step is not None and slope is not None:
                arriving[operand.step] += arriving[place] * slope
    return arriving


def test_steps_are_the_nodes_of_the_graph() -> None:
    output = neuron()
    steps = read([output])
    assert [step.node for step in steps] == topological_order(output)
    assert names(steps) == ["dot", "sigmoid"]


def test_fused_nodes_are_expanded_into_elementary_ones() -> None:
    output = neuron()
    output.backward(2.0)
    before = [(node, node.grad, node.data, node.label) for node in topological_order(output)]
    steps = read([output], expand=True)
    assert names(steps) == ["mul", "add", "mul", "add", "neg", "exp", "add", "div"]
    assert (steps[-1].label, steps[-1].number, steps[-1].grad) == ("o", output.data, 2.0)
    assert [(node, node.grad, node.data, node.label) for node in topological_order(output)] == before


@pytest.mark.parametrize("expand", [False, True, {"dot"}, {"sigmoid"}])
def test_gradients_of_expanded_steps_obey_the_chain_rule(expand: Any) -> None:
    output = neuron()
    output.backward(2.0)
    steps = read([output], expand)
    for step, arriving in zip(steps, recomputed(steps), strict=True):
        assert math.isclose(step.grad, arriving, rel_tol=1e-12)


def test_only_the_named_primitives_are_expanded() -> None:
    assert names(read([neuron()], {"sigmoid"})) == ["dot", "neg", "exp", "add", "div"]
    shown = [node.lines[0] for node in draw(neuron(), detail=["sigmoid"]).scene.nodes if node.kind == OPERATION]
    assert shown == ["·", "-", "exp", "+", "/"]


def test_an_expansion_uses_expansions() -> None:
    output = autograd.mish(Value(0.5, "x"))
    assert "softplus" not in names(read([output], True))
    assert "softplus" in names(read([output], {"mish"}))


def test_a_loss_is_expanded() -> None:
    p = [Value(0.5, "p1"), Value(-1.0, "p2")]
    loss = autograd.mean([autograd.square(x - 1.0) for x in p])
    loss.backward()
    steps = read([loss], True)
    assert names(steps) == ["sub", "mul", "sub", "mul", "add", "div"]
    for step, arriving in zip(steps, recomputed(steps), strict=True):
        assert math.isclose(step.grad, arriving, rel_tol=1e-14)


def test_what_overflows_when_expanded_stays_whole() -> None:
    assert names(read([autograd.sigmoid(Value(-1000.0))], True)) == ["sigmoid"]


def test_what_expands_to_its_operand_stays_whole() -> None:
    assert names(read([autograd.sum([Value(1.0)])], True)) == ["sum"]


def test_a_primitive_of_ones_own_is_expanded_by_its_function() -> None:
    @primitive(partials=[lambda m, z, x: 3 * x * x])
    def cube(m: Any, x: Any) -> Any:
        return x * x * x

    output = cube(Value(2.0, "x"))
    assert names(read([output])) == ["cube"]
    assert names(read([output], True)) == ["mul", "mul"]


def test_partials_are_those_of_the_engine() -> None:
    x, y = Value(0.5), Value(-2.0)
    for output in (x * y, x / y, autograd.hypot(x, y), autograd.atan2(x, y), autograd.maximum(x, y)):
        steps = read([output])
        assert partials(steps[-1], steps) == evaluate(output, wrt=[x, y])[1]


def test_operands_without_a_derivative_have_no_partial() -> None:
    x = Value(0.5)
    steps = read([autograd.where(x > 0, x, 1.0) + x.detach()])
    found = {step.primitive.name: partials(step, steps) for step in steps if step.primitive is not None}
    assert found["greater"] == [None, None]
    assert found["where"] == [None, 1.0, None]
    assert found["detach"] == [None]

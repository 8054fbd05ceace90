"""The two walks over a program, step by step: what is visited, what is skipped, and what a whole partial stands for."""

from __future__ import annotations

from fractions import Fraction
from math import isnan
from typing import Any

import pytest

import autograd
from autograd import TABLE, DomainError, Limit, Primitive, Value, evaluate, interpret, primitive
from autograd.number_systems import arrays, complex_, floats, fractions_
from autograd.program import flatten
from autograd.value import active_nodes, backward_order


@primitive(partials=[lambda m, z, x: 2])
def twice(m: Any, x: Any) -> Any:
    """2·x, whose partial is a whole number other than 0, 1 and -1."""
    return x + x


@primitive(partials=[lambda m, z, x: 1], domain=lambda x: x > 0, needs="x > 0", remedy="Use abs.")
def positive(m: Any, x: Any) -> Any:
    """x, for positive numbers only."""
    return x + 0


def cotangents_of(output: Value, wanted: list[Value], seed: float = 1.0) -> list[Any]:
    program, nodes = flatten([output])
    numbers = [node.data if isinstance(node, Value) else node for node in nodes]
    slots = [next(i for i, node in enumerate(nodes) if node is leaf) for leaf in wanted]
    found = interpret.pull_back(program, numbers, {program.outputs[0]: seed}, floats, slots)
    return [found[slot] for slot in slots]


def tangent_of(output: Value, moving: dict[Value, float]) -> Any:
    program, nodes = flatten([output])
    numbers = [node.data if isinstance(node, Value) else node for node in nodes]
    tangents = {i: moving[node] for i, node in enumerate(nodes) if isinstance(node, Value) and node in moving}
    return interpret.push_forward(program, numbers, tangents, floats)[program.outputs[0]]


def test_what_does_not_depend_on_the_wanted_is_passed_over_and_no_more() -> None:
    x, y = Value(3.0), Value(2.0)
    assert cotangents_of(x * x + y * y, [x]) == [6.0]
    assert cotangents_of(x * x + y * y, [y]) == [4.0]
    assert cotangents_of(x * x + x.detach(), [x]) == [6.0]
    assert cotangents_of(x.detach() + x * x, [x]) == [6.0]


def test_no_partial_is_taken_by_an_operand_that_is_not_wanted_however_it_was_computed() -> None:
    """(-2)³ has no derivative by its exponent, which is another node."""
    x, w = Value(-2.0), Value(3.0)
    assert cotangents_of(x ** (w * 1.0), [x]) == [12.0]


def test_a_rule_is_asked_for_the_operands_on_the_way_and_no_others() -> None:
    asked: list[int] = []

    def rule(argument: int) -> Any:
        def partial(m: Any, z: Any, x: Any, y: Any) -> int:
            asked.append(argument)
            return 1

        return partial

    @primitive(partials=[rule(0), rule(1)])
    def both(m: Any, x: Any, y: Any) -> Any:
        return x + y

    x, y = Value(3.0), Value(2.0)
    for output in (both(x, y), both(x * 1.0, y * 1.0)):
        for leaf, argument in ((x, 0), (y, 1)):
            for walk in (lambda z, of: cotangents_of(z, [of]) == [1.0], lambda z, of: tangent_of(z, {of: 1.0}) == 1.0):
                asked.clear()
                assert walk(output, leaf)
                assert asked == [argument]


def test_nothing_moves_through_what_stops_it_and_a_slope_that_leads_nowhere_is_not_asked_for() -> None:
    x = Value(0.0)  # where the root has no finite slope
    assert tangent_of(autograd.maximum(x.log1p().sqrt(), 0.1), {x: 1.0}) is None
    assert tangent_of(autograd.maximum((x - 1.0).abs().reciprocal(), 2.0) + x, {x: 1.0}) == 1.0


def test_partials_over_many_lanes_are_the_partials_of_each() -> None:
    xs, ys = arrays.number([3.0, -2.0]), arrays.number([5.0, 7.0])
    first, second = interpret.partials(arrays, TABLE["mul"], xs * ys, [xs, ys], [0, 1])
    assert first.tolist() == [5.0, 7.0]
    assert second.tolist() == [3.0, -2.0]


def test_a_whole_partial_is_a_factor() -> None:
    x = Value(3.0)
    assert cotangents_of(twice(x), [x], seed=5.0) == [10.0]
    assert cotangents_of(-x, [x], seed=5.0) == [-5.0]
    assert cotangents_of(x + 1.0, [x], seed=5.0) == [5.0]
    assert tangent_of(twice(x), {x: 5.0}) == 10.0
    assert tangent_of(-x, {x: 5.0}) == -5.0
    assert tangent_of(x + 1.0, {x: 5.0}) == 5.0


def test_a_partial_of_zero_ends_one_operand_only() -> None:
    c, x, y = Value(-1.0), Value(2.0), Value(3.0)
    program, _ = flatten([autograd.where(c > 0, x, y)])
    numbers = interpret.run_forward(program, [-1.0, 2.0, 3.0], floats)
    slots = {slot: 10.0 ** (slot + 1) for slot in range(3)}
    assert interpret.push_forward(program, numbers, slots, floats)[program.outputs[0]] == 1000.0
    assert tangent_of(x + y, {x: 10.0, y: 100.0}) == 110.0


def test_a_constant_parameter_has_the_partial_zero() -> None:
    assert interpret.partials(floats, TABLE["clip"], 0.5, [0.5, 0.0, 1.0], [0, 1, 2]) == [1, 0, 0]


def test_limits_hold_in_each_sample_of_an_array() -> None:
    x = Value(1.0)
    _, slope = evaluate(x.sqrt(), "arrays", at={x: [0.0, 4.0]}, wrt=x)
    assert slope.tolist() == [float("inf"), 0.25]


def test_the_domain_of_a_users_primitive_holds_wherever_a_number_is_one_number() -> None:
    x = Value(1.0)
    y = positive(x)
    with pytest.raises(DomainError, match=r"^positive needs x > 0"):
        evaluate(y, at={x: -1.0})
    with pytest.raises(DomainError, match=r"^positive needs x > 0"):
        interpret.apply(floats, y.primitive, [-1.0])
    assert interpret.apply(floats, y.primitive, [2.0]) == 2.0
    of_many = evaluate(y, "arrays", at={x: [-1.0, 2.0]})
    assert isnan(of_many[0])
    assert of_many[1] == 2.0
    assert arrays.LANES


def test_how_often_and_in_what_words_a_domain_is_asked_for() -> None:
    asked = []
    row = positive.primitive._replace(domain=lambda x: (asked.append(x), x > 0)[1])
    assert interpret.apply(floats, row, [2.0]) == 2.0
    assert asked == [2.0]
    two = arrays.number([1.0, 2.0])
    assert all(map(isnan, interpret.apply(arrays, row._replace(domain=lambda x: False), [two])))
    with pytest.raises(NotImplementedError, match=r"^the domain of positive cannot be asked of many samples at once"):
        interpret.apply(arrays, row._replace(domain=lambda x: 0 < x < 2), [two])


def row_with(rule: Any, forward: Any, *limits: Limit) -> Primitive:
    return Primitive("odd", (rule,), built_in=False, formula=forward, limits=limits)


def test_what_a_number_system_lacks_is_said_whoever_needs_it() -> None:
    lacking = next(iter(complex_.LACKS))
    needs_it = row_with(lambda m, z, x: getattr(m, lacking)(x), lambda m, x: getattr(m, lacking)(x))
    with pytest.raises(NotImplementedError, match=f"^number system complex has no {lacking}: "):
        interpret.apply(complex_, TABLE[lacking], [1j])
    with pytest.raises(NotImplementedError, match=f"^odd needs {lacking}, which number system complex lacks: "):
        interpret.apply(complex_, needs_it, [1j])
    with pytest.raises(NotImplementedError, match=f"^the slope of odd needs {lacking}, which "):
        interpret.partials(complex_, needs_it, 1j, [1j], [0])


def test_any_other_missing_attribute_is_the_users_own_error() -> None:
    lacking = next(iter(complex_.LACKS))
    for wrong in (lambda m, *xs: m.no_such_function(xs), lambda m, *xs: getattr(xs[-1], lacking)):
        row = row_with(wrong, wrong)
        with pytest.raises(AttributeError):
            interpret.apply(complex_, row, [1j])
        with pytest.raises(AttributeError):
            interpret.partials(complex_, row, 1j, [1j], [0])


def test_a_limit_that_the_number_system_cannot_hold_is_no_derivative() -> None:
    row = row_with(lambda m, z, x: 1 / x, lambda m, x: x, Limit(0, lambda x: x == 0, float("inf")))
    assert interpret.partials(floats, row, 0.0, [0.0], [0]) == [float("inf")]
    with pytest.raises(DomainError, match=r"^odd has no derivative"):
        interpret.partials(fractions_, row, Fraction(0), [Fraction(0)], [0])


def graphs_to_walk() -> list[Value]:
    x, y = Value(3.0), Value(2.0)
    z = x * y
    return [
        z * z + z,
        autograd.where(x > y, z.exp(), z * 2.0) + z.detach() * x,
        autograd.where(x < y, z.exp(), lambda: z * 2.0) * z,
        autograd.dot([z, x, z + 1.0], [y, z, z]) + autograd.sum([z, z, 1.0]),
        (z + 1.0).detach() * z.relu(),
    ]


def test_the_order_of_backward_has_each_node_once_and_what_a_where_did_not_take() -> None:
    not_taken = [0, 1, 1, 0, 0]
    for output, more in zip(graphs_to_walk(), not_taken, strict=True):
        order = backward_order(output)
        assert output._inner_nodes_with_fresh_gradients()[0] == order
        assert len(order) == len(set(order)) == len(active_nodes([output])) + more


def test_in_lanes_nothing_flows_through_a_branch_not_taken() -> None:
    """At 0 the slopes of root and reciprocal are infinite, and a branch of a branch uses them."""
    x = Value(4.0)
    inverse = 1.0 / x
    chosen = autograd.where(x > 0, autograd.where(x > 2, x.sqrt(), inverse), x * x)
    for output, slopes in (
        (chosen, [-2.0, 0.0, -4.0, 0.25]),
        (chosen + 3.0 * x, [1.0, 3.0, -1.0, 3.25]),
        (autograd.where(x > 0, inverse, 2.0 * x) * 2.0, [4.0, 4.0, -8.0, -0.125]),
        (chosen + inverse, [-3.0, float("nan"), -8.0, 0.1875]),  # here the reciprocal is used everywhere, 0 too
    ):
        _, found = evaluate(output, "arrays", at={x: [-1.0, 0.0, 0.5, 4.0]}, wrt=x)
        assert found.tolist() == pytest.approx(slopes, rel=1e-15, abs=0.0, nan_ok=True)


def test_the_active_nodes_are_no_leaves_and_each_is_there_once() -> None:
    for output in graphs_to_walk():
        nodes = active_nodes([output, output])
        assert set(nodes) <= set(output._inner_nodes_with_fresh_gradients()[0])
        assert len(nodes) == len(set(nodes))
        assert all(node.parents for node in nodes)
        assert active_nodes([output], until=[output]) == []


def test_in_lanes_what_flows_past_a_choice_is_kept() -> None:
    x = Value(2.0)
    doubled = 2.0 * x
    for output in (
        autograd.where(x > 0.0, doubled * doubled, 1.0) + 3.0 * doubled,
        3.0 * doubled + autograd.where(x > 0.0, doubled * doubled, 1.0),
    ):
        _, found = evaluate(output, "arrays", at={x: [-1.0, 2.0]}, wrt=x)
        assert found.tolist() == [6.0, 8.0 * 2.0 + 6.0]


@pytest.mark.parametrize("swapped", [False, True])
def test_in_lanes_either_branch_is_kept_out_where_the_other_is_taken(swapped: bool) -> None:
    x = Value(0.25)
    root, square = (x - 0.25).sqrt(), x * x  # the root has no slope at 0.25, and no value below it
    condition = x <= 0.25 if swapped else x > 0.25
    output = autograd.where(condition, *((square, root) if swapped else (root, square)))
    _, found = evaluate(output, "arrays", at={x: [0.25, -1.0, 1.25]}, wrt=x)
    assert found.tolist() == [0.5, -2.0, 0.5]

"""What ``backward()`` does: each sentence of its semantics, one test."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import autograd
from autograd import DomainError, StaleGraphError, Value, evaluate, gradients, where, zero_grad


def test_backward_adds_the_derivatives_to_the_leaves() -> None:
    a, b = Value(2.0), Value(-3.0)
    y = a * b + a**2
    y.backward()
    assert (a.grad, b.grad, y.grad) == (-3.0 + 4.0, 2.0, 1.0)


def test_leaves_accumulate_over_several_losses() -> None:
    x = Value(3.0)
    (x * 2).backward()
    (x * x).backward()
    assert x.grad == 2.0 + 6.0


def test_nodes_between_start_afresh() -> None:
    x = Value(3.0)
    y = x * x
    z = y * x
    for run in (1, 2, 3):
        z.backward()
        assert (z.grad, y.grad, x.grad) == (1.0, 3.0, run * 27.0)


def test_a_node_of_two_losses_belongs_to_the_last_one() -> None:
    x = Value(3.0)
    shared = x * x
    (shared * 2).backward()
    (shared * 5).backward()
    assert shared.grad == 5.0
    assert x.grad == 12.0 + 30.0


def test_backward_on_a_leaf_adds_the_seed() -> None:
    x = Value(3.0)
    x.backward()
    x.backward(2.5)
    assert x.grad == 3.5


def test_a_seed_multiplies() -> None:
    x = Value(3.0)
    y = x * x
    y.backward(-0.5)
    assert (y.grad, x.grad) == (-0.5, -3.0)
    for wrong in ("1", None, Value(1.0)):
        with pytest.raises(TypeError, match="seed must be a real number"):
            y.backward(wrong)  # type: ignore[arg-type]


def test_the_output_may_be_an_inner_node_of_a_bigger_graph() -> None:
    x = Value(3.0)
    y = x * x
    z = y * y
    y.backward()
    assert (x.grad, y.grad, z.grad) == (6.0, 1.0, 0.0)


def test_a_leaf_written_after_its_node_was_born_is_refused() -> None:
    x = Value(2.0, "x")
    y = x * x
    z = y + 1
    x.data = 5.0
    with pytest.raises(
        StaleGraphError, match=r"the leaf 'x' \(5\.0\) was written after mul .*[Rr]un the expression again"
    ):
        z.backward()
    assert x.grad == 0.0
    (x * x).backward()
    assert x.grad == 10.0


def test_a_leaf_written_before_its_node_was_born_is_fine() -> None:
    x, w = Value(2.0), Value(1.0)
    old = w * 3
    x.data = 5.0
    (old * x).backward()
    assert (x.grad, w.grad) == (3.0, 15.0)


def test_writing_an_unrelated_leaf_is_fine() -> None:
    x, other = Value(2.0), Value(1.0)
    y = x * x
    other.data = 5.0
    y.backward()
    assert x.grad == 4.0


def test_writing_the_same_number_is_a_write() -> None:
    """Whether numbers are equal is not asked, so that a program behaves the same for all data."""
    x = Value(2.0)
    y = x * x
    x.data = 2.0
    with pytest.raises(StaleGraphError):
        y.backward()


def test_an_unlabelled_leaf_is_named_by_its_number() -> None:
    x = Value(2.0)
    y = autograd.sum([x, x, 1.0])
    x.data = 5.0
    with pytest.raises(StaleGraphError, match=r"the leaf Value\(5\.0\) was written after sum"):
        y.backward()


def test_stale_through_every_kind_of_node() -> None:
    makers: list[Any] = [
        lambda x: x.tanh(),
        lambda x: x + 1,
        lambda x: 1 - x,
        lambda x: autograd.clip(x, 0, 9),
        lambda x: autograd.sum([x, 1.0]),
        lambda x: autograd.dot([1.0], [x]),
        lambda x: autograd.dot([1.0], [2.0], start=x),
        lambda x: autograd.linear([[x]], [2.0])[0],
        lambda x: autograd.linear([[2.0]], [x])[0],
        lambda x: where(True, x, 1.0),
    ]
    for make in makers:
        x = Value(2.0)
        node = make(x) * 1.0
        x.data = 3.0
        with pytest.raises(StaleGraphError):
            node.backward()


def test_a_branch_that_was_not_taken_may_be_stale() -> None:
    x, y = Value(2.0), Value(3.0)
    output = where(x > 0, x * x, y * y)
    y.data = 5.0
    output.backward()
    assert x.grad == 4.0
    assert y.grad == 0.0


def test_an_operand_that_leads_nowhere_needs_no_slope_and_the_others_have_theirs() -> None:
    """(-2)³ has no derivative by its exponent, which is detached."""
    x = Value(-2.0)
    (x ** Value(3.0).detach()).backward()
    assert x.grad == 12.0


def test_a_stale_graph_is_refused_by_gradients_too() -> None:
    """The same mixture of old and new numbers; without the check it is 30 for x², 5 for 2."""
    x = Value(2.0, "x")
    y = x * x * 3
    x.data = 5.0
    with pytest.raises(StaleGraphError, match="'x'"):
        gradients(y, x)


def test_a_captured_leaf_written_between_vjp_and_its_pull_is_refused() -> None:
    w = Value(2.0, "w")
    _, pull = autograd.vjp(lambda x: w * w * x, 3.0)
    w.data = 5.0
    with pytest.raises(StaleGraphError, match="'w'"):
        pull(1.0)


def test_evaluate_runs_a_stale_graph_forward_again() -> None:
    """It computes every number anew, so it mixes nothing."""
    x = Value(2.0)
    y = x * x * 3
    x.data = 5.0
    assert evaluate(y) == 75.0
    assert evaluate(y, wrt=x) == (75.0, 30.0)


def test_staleness_survives_copies() -> None:
    x = Value(2.0, "x")
    y = x * x
    fresh_copy, fresh_pickle = copy.deepcopy(y), pickle.loads(pickle.dumps(y))
    x.data = 5.0
    for stale in (y, copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        with pytest.raises(StaleGraphError):
            stale.backward()
    for fresh in (fresh_copy, fresh_pickle):
        fresh.backward()
        assert fresh.parents[0].grad == 4.0
        fresh.parents[0].data = 1.0
        with pytest.raises(StaleGraphError):
            fresh.backward()


def test_what_was_detached_may_be_written() -> None:
    """No derivative flows back through it, and the number it had is kept: nothing can mix."""
    x, w = Value(2.0), Value(3.0)
    y = w * x.detach()
    x.data = 5.0
    y.backward()
    assert w.grad == 2.0


def test_gradients_live_outside_of_grad() -> None:
    x = Value(3.0)
    y = x * x
    x.grad = y.grad = 7.0
    dy = gradients(y, x)
    assert isinstance(dy, Value)
    assert (dy.data, x.grad, y.grad) == (6.0, 7.0, 7.0)
    autograd.grad(lambda v: v * x)(2.0)
    assert x.grad == 7.0


def test_gradients_of_inner_nodes_and_shapes() -> None:
    x, w = Value(3.0), Value(2.0)
    y = x * w
    z = y * y + x
    found = gradients(z, {"leaves": [x, w], "inner": (y,), "itself": z, "elsewhere": Value(1.0)})
    assert [v.data for v in found["leaves"]] == [2 * 6 * 2 + 1, 2 * 6 * 3]
    assert isinstance(found["inner"], tuple)
    assert found["inner"][0].data == 12.0
    assert found["itself"].data == 1.0
    assert found["elsewhere"].data == 0.0
    with pytest.raises(TypeError, match="differentiates a Value"):
        gradients(3.0, x)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"wrt holds the number 2\.0"):
        gradients(z, [x, 2.0])


def test_gradients_can_be_differentiated_again() -> None:
    x = Value(2.0)
    y = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0):
        y = gradients(y, x)
        assert y.data == pytest.approx(expected, rel=1e-14, abs=0.0)


def test_zero_grad_sets_every_gradient_it_can_reach() -> None:
    x, w = Value(3.0), Value(2.0)
    y = x * w
    y.backward()
    zero_grad(y)
    assert (x.grad, w.grad, y.grad) == (0.0, 0.0, 0.0)
    x.grad = w.grad = 1.0
    zero_grad([x, {"w": (w,)}])
    assert (x.grad, w.grad) == (0.0, 0.0)
    x.grad = 1.0
    zero_grad(x, w)
    assert x.grad == 0.0
    with pytest.raises(TypeError, match="zero_grad takes Values"):
        zero_grad(3.0)


def test_a_node_used_in_many_ways_collects_them_all() -> None:
    x = Value(3.0)
    y = x * 1.0
    z = (
        y * y
        + autograd.sum([y, y, 2.0])
        + autograd.dot([y, 1.0], [y, y])
        + autograd.maximum(y, y)
        + autograd.prod([y, y])
    )
    z.backward()
    assert x.grad == 2 * 3 + 2 + (2 * 3 + 1) + 1 + 2 * 3


def test_diamonds_are_walked_once() -> None:
    """2⁶⁰ paths: a walk by paths would never end."""
    x = Value(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


def test_a_tuple_of_operands_shared_by_a_node_and_its_ancestor() -> None:
    """K = t · (t · 1) with one tuple (t,) in both: each node comes before its parents on the way back."""
    a = Value(3.0)
    shared = (a * 2.0,)
    inner = autograd.dot(shared, (1.0,)) * 1.0
    output = autograd.dot(shared, (inner,))
    output.backward()
    assert output.data == 36.0
    assert a.grad == 24.0


def test_the_inputs_of_a_layer_shared_with_a_later_layer() -> None:
    """A skip connection: the first layer's inputs meet its outputs again."""
    a, w = Value(3.0), Value(2.0)
    inputs = (a * 1.0,)
    hidden = autograd.linear([(w,)], inputs)
    output = autograd.dot(inputs, tuple(hidden))
    output.backward()
    assert (a.grad, w.grad) == (2 * 2 * 3.0, 9.0)


def dots() -> list[tuple[int, str, str]]:
    """Lengths of the lists, and for each operand whether it is a Value; ``-`` for no start."""
    found = []
    for n in (0, 1, 2):
        for pattern in itertools.product("VN", repeat=2 * n):
            found += [(n, "".join(pattern), start) for start in "-VN"]
    return found


def check_dot(n: int, pattern: str, start: str) -> None:
    operands: list[Any] = [Value(float(i + 2)) if kind == "V" else float(i + 2) for i, kind in enumerate(pattern)]
    begin: Any = None if start == "-" else Value(0.5) if start == "V" else 0.5
    node = autograd.dot(operands[:n], operands[n:], start=begin)
    numbers = [float(i + 2) for i in range(2 * n)]
    expected = math.fsum([0.5 if begin is not None else 0.0, *(numbers[i] * numbers[n + i] for i in range(n))])
    if "V" not in pattern + start:
        assert node == expected
        return
    assert node.data == expected, (n, pattern, start)
    node.backward()
    for i, operand in enumerate(operands):
        if isinstance(operand, Value):
            assert operand.grad == numbers[(i + n) % (2 * n)], (n, pattern, start)
    if start == "V":
        assert begin.grad == 1.0


def test_a_dot_does_not_depend_on_the_dots_before_it() -> None:
    """Every pattern of Values, numbers and start after every other one: what was prepared for one serves no other."""
    for before, after in itertools.product(dots(), repeat=2):
        check_dot(*before)
        check_dot(*after)


@pytest.mark.parametrize("n", [1, 2, 5, 127, 128, 129, 300])
def test_rows_of_any_length(n: int) -> None:
    xs = [Value(1.0 + i / 7) for i in range(n)]
    ws = [Value(2.0 - i / 5) for i in range(n)]
    node = autograd.dot(xs, ws, start=Value(1.0))
    expected = 1.0
    for x, w in zip(xs, ws, strict=True):
        expected += x.data * w.data
    assert node.data == expected
    node.backward()
    assert [x.grad for x in xs] == [w.data for w in ws]
    assert [w.grad for w in ws] == [x.data for x in xs]
    many = [autograd.sum(xs), autograd.mean(xs), autograd.prod(xs[:5]), autograd.logsumexp(xs)]
    for output in many:
        zero_grad(xs)
        output.backward()
        assert [x.grad for x in xs] == pytest.approx([g.data for g in gradients(output, xs)], rel=1e-12, abs=0.0)


def test_a_slope_that_does_not_exist_raises_in_backward() -> None:
    x, y = Value(0.0, "x"), Value(0.0)
    angle = autograd.atan2(x, y)
    with pytest.raises(DomainError, match=r"atan2 has no derivative with respect to x here; x is 0\.0"):
        angle.backward()


def test_a_partial_is_evaluated_only_where_its_derivative_is_wanted() -> None:
    base = Value(-2.0)
    (base**2).backward()
    assert base.grad == -4.0
    exponent = Value(2.0)
    with pytest.raises(DomainError, match="no derivative with respect to y"):
        ((-2.0) ** exponent).backward()


def test_an_infinite_slope_is_said_not_crashed_on() -> None:
    x = Value(0.0)
    (x**0.5).backward()
    assert x.grad == math.inf


def test_equal_numbers_are_different_leaves() -> None:
    a, b = Value(3.0), Value(3.0)
    y = a * b
    program_value, (da, db) = evaluate(y, at={a: 5.0}, wrt=(a, b))
    assert (program_value, da, db) == (15.0, 3.0, 5.0)
    loaded = pickle.loads(pickle.dumps(y))
    assert loaded.parents[0] is not loaded.parents[1]


def test_a_pickled_root_keeps_its_numbers_gradients_and_labels() -> None:
    x = Value(3.0, "x")
    y = (x * x).tanh() + autograd.dot([x, 2.0], [1.0, x]) + where(x > 0, x * 4, lambda: x * 5)
    y.label = "y"
    y.backward()
    loaded = pickle.loads(pickle.dumps(y))
    assert (loaded.data, loaded.grad, loaded.label) == (y.data, 1.0, "y")
    leaf = autograd.graph.leaves(loaded)[0]
    assert (leaf.label, leaf.grad) == ("x", x.grad)
    assert autograd.graph.counts(loaded) == autograd.graph.counts(y)
    zero_grad(loaded)
    loaded.backward()
    assert leaf.grad == x.grad


def test_leaves_stay_shared_between_roots_pickled_together() -> None:
    w = Value(2.0)
    first, second = pickle.loads(pickle.dumps([w * 3, w * 4]))
    assert first.parents[0] is second.parents[0]
    first.backward()
    second.backward()
    assert first.parents[0].grad == 7.0


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_pickle(protocol: int) -> None:
    x = Value(3.0)
    loaded = pickle.loads(pickle.dumps(autograd.dot([x], [x], start=1.0) * autograd.clip(x, 0, 5), protocol))
    loaded.backward()
    assert autograd.graph.leaves(loaded)[0].grad == 2 * 3 * 3 + 10


def test_a_copy_shares_its_parents_and_a_deep_copy_does_not() -> None:
    x = Value(3.0, "x")
    y = x * x
    shallow, deep = copy.copy(y), copy.deepcopy(y)
    assert shallow is not y
    assert shallow.parents == (x, x)
    assert deep.parents[0] is deep.parents[1]
    assert deep.parents[0] is not x
    assert deep.parents[0].label == "x"
    shallow.backward()
    assert x.grad == 6.0


def test_an_array_of_conditions_and_branches_is_copied() -> None:
    x, other = Value(2.0), Value(-1.0)
    y = where(x > other, x * 3, other * 5) * autograd.detach(x)
    for copied in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        copied.backward()
        assert sorted(leaf.grad for leaf in autograd.graph.leaves(copied)) == [0.0, 6.0]


def sum_of_squares(leaves: list[Value]) -> Value:
    return autograd.sum([x * x for x in leaves])


GRAPHS: dict[str, Any] = {
    "a leaf": lambda x: x[0],
    "+": lambda x: x[0] + x[1],
    "the same on both sides": lambda x: x[0] * x[0],
    "* and a number": lambda x: 2.0 * x[0] * x[1],
    "sum": autograd.sum,
    "sum of one twice": lambda x: autograd.sum([x[0], x[1], x[0], x[2], x[1]]),
    "dot": lambda x: autograd.dot(x, x[::-1], start=x[1]),
    "long dot": lambda x: autograd.dot(x * 50, x[::-1] * 50),
    "linear": lambda x: autograd.sum(autograd.linear([(x[0], x[1], x[2]), (x[2], 1.0, x[0])], (x[1], x[1]))),
    "prod": lambda x: autograd.prod(x),
    "logsumexp": lambda x: autograd.logsumexp(x),
    "maximum": lambda x: autograd.maximum(x[0], x[1]) + autograd.minimum(x[0], x[1]),
    "a tie": lambda x: autograd.maximum(x[0], x[0] * 1.0),
    "where": lambda x: autograd.where(x[0] < x[1], x[2], x[1]) * x[0],
    "a limit": lambda x: autograd.hypot(x[0] - x[0].data, x[1]),
    "given partials": lambda x: autograd.node(6.0, [x[0], x[1], x[0]], [2.0, 3.0, 4.0]),
    "squares": sum_of_squares,
}


@pytest.mark.parametrize("none", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("graph", GRAPHS)
def test_a_gradient_of_none_is_zero(graph: str, none: tuple[int, ...]) -> None:
    found = []
    for nothing in (None, 0.0):
        x: list[Any] = [Value(0.5), Value(1.5), Value(-2.0)]
        for i, leaf in enumerate(x):
            leaf.grad = nothing if i in none else 10.0 * (i + 1)
        for _ in range(2):
            GRAPHS[graph](x).backward()
        found.append([leaf.grad for leaf in x])
    assert found[0] == found[1]


#: What reads a gradient that was set to None: PyTorch's ``zero_grad(set_to_none=True)`` leaves that, and then its loops
#: ask for None, and micrograd's add to what is there. A fresh leaf has 0.0 here, so that is what both find.
READERS_OF_NONE: dict[str, Callable[[Value], Any]] = {
    "as it is": lambda x: x.grad,
    "pickled": lambda x: pickle.loads(pickle.dumps(x)).grad,
    "pickled graph": lambda x: autograd.graph.leaves(pickle.loads(pickle.dumps(x.relu() + 1.0)))[0].grad,
    "copied": lambda x: copy.deepcopy(x).grad,
    "asked for None": lambda x: 0.0 if x.grad is None else x.grad,
    "of its own node": lambda x: setattr(y := x * x, "grad", None) or y.grad,
    "formatted": lambda x: float(f"{x.grad:.3f}"),
    "nothing flowed to it": lambda x: x.relu().backward() or x.grad,
}


@pytest.mark.parametrize("reader", READERS_OF_NONE)
def test_who_reads_a_gradient_of_none_finds_zero(reader: str) -> None:
    x = Value(-1.0)
    x.grad = None  # type: ignore[assignment]
    found = READERS_OF_NONE[reader](x)
    assert (found, type(found)) == (0.0, float)


def test_a_gradient_of_none_is_added_to() -> None:
    x, y = Value(-1.0), Value(2.0)
    x.grad = y.grad = None  # type: ignore[assignment]
    x.grad += y.data * 3.0
    y.grad -= 1
    assert (x.grad, y.grad) == (6.0, -1.0)
    (x * y).backward()
    assert (x.grad, y.grad) == (8.0, -2.0)


def test_a_rule_that_raises_a_type_error_is_heard() -> None:
    @autograd.primitive(partials=[lambda m, z, x: "no number" + x], systems=["floats"])
    def broken(m: Any, x: Any) -> Any:
        return x

    x = Value(1.0)
    with pytest.raises(TypeError, match="concatenate"):
        broken(x).backward()
    x.grad = None  # type: ignore[assignment]
    with pytest.raises(TypeError, match="concatenate"):
        broken(x).backward()

"""How an operation becomes a node: what a new node holds, what is not taken for an operand, and what is said then."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

import autograd
from autograd import TABLE, Condition, Value, where
from autograd.eager import watching
from autograd.eager.makers import Makers
from autograd.value import MAKERS, constant, node_of

NEW_NODES: list[Callable[[Value], Value]] = [
    autograd.exp,
    lambda x: x + x,
    lambda x: x * 2.0,
    lambda x: x / x,
    lambda x: 2.0 - x,
    lambda x: autograd.hypot(x, x),
    lambda x: autograd.clip(x, 0.0, 1.0),
    lambda x: autograd.sum([x, x]),
    lambda x: autograd.sum([x, x, 1.0]),
    lambda x: autograd.dot([x, 1.0], [x, x]),
    lambda x: where(x > 0, x, 1.0),
    lambda x: x.detach(),
    lambda x: constant(1.0),
]


@pytest.mark.parametrize("make", NEW_NODES)
def test_a_new_node_has_no_gradient_and_no_label(make: Callable[[Value], Value]) -> None:
    for _ in range(2):  # the second goes the way that the first has prepared
        node = make(Value(0.5, "x"))
        assert type(node) is Value
        assert (node.grad, node.label) == (0.0, "")
        assert node.primitive is not None
        assert node.parents


STRANGE: list[tuple[Callable[[], Any], str]] = [
    (lambda: Value("abc"), "a Value holds one real number, not str 'abc'"),  # type: ignore[arg-type]
    (lambda: Value(object), "a Value holds one real number, not type <class 'object'>"),  # type: ignore[arg-type]
    (lambda: autograd.exp("2"), "exp takes Values and real numbers; x is str '2'"),
    (
        lambda: autograd.exp([1.0]),
        "exp takes Values and real numbers; x is list [1.0]; apply it to each element: [exp(v) for v in …]",
    ),
    (lambda: autograd.hypot(Value(1.0), "a"), "hypot takes Values and real numbers; y is str 'a'"),
    (lambda: autograd.hypot("a", 1.0), "hypot takes Values and real numbers; x is str 'a'"),
    (lambda: MAKERS["clip"](Value(1.0), 0.0, "a"), "clip takes Values and real numbers; high is str 'a'"),
    (lambda: autograd.sum([Value(1.0), "a"]), "sum takes Values and real numbers; xs is str 'a'"),
    (lambda: autograd.detach("a"), "detach takes Values and real numbers; x is str 'a'"),
    (lambda: where(True, "a", 1.0), "where takes Values and real numbers; x is str 'a'"),
    (lambda: object() - Value(1.0), "unsupported operand type(s) for -: 'object' and 'Value'"),
    (lambda: Value(1.0) - object(), "unsupported operand type(s) for -: 'Value' and 'object'"),
    (lambda: Value(1.0) < "a", "'<' not supported between instances of 'Value' and 'str'"),
    (lambda: Value(1.0) >= "a", "'>=' not supported between instances of 'Value' and 'str'"),
]


@pytest.mark.parametrize(("operation", "message"), STRANGE)
def test_what_is_no_operand_is_refused_in_these_words(operation: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        operation()
    assert str(caught.value) == message


def test_a_comparison_of_plain_numbers_is_a_truth_value() -> None:
    less = MAKERS["less"]
    assert less(1.0, 2.0) is True
    assert less(2.0, 1.0) is False
    for left, right in ((1.0, Value(2.0)), (Value(1.0), 2.0), (Value(1.0), Value(2.0))):
        condition = less(left, right)
        assert type(condition) is Condition
        assert condition.parents == (left, right)
        assert condition.outcome is True


def test_a_branch_that_has_no_value_where_a_function_is_compiled_is_no_hindrance() -> None:
    """Both branches are recorded, for replays that go the other way, as far as they make sense at the first numbers."""
    f = autograd.compile(lambda x: where(x > 0, lambda: autograd.log(x), lambda: x * 3.0))
    assert f(-1.0) == -3.0
    g = autograd.compile(lambda x: where(x > 0, lambda: x * 2.0, lambda: x * 3.0))
    assert (g(2.0), g(-1.0)) == (4.0, -3.0)


def test_a_layer_is_made_node_by_node_whatever_its_operands() -> None:
    """Plain rows and rows of another pattern stand beside rows of Values, each with its own result."""
    v = Value(2.0)
    rows: list[list[Any]] = [[v, 1.0], [1.0, 2.0], [v, v], [3.0, v], [1, v], [v, 1.0]]
    for first in range(len(rows)):
        for made_by in (autograd.linear, fresh_linear):
            ordered = rows[first:] + rows[:first]
            made = made_by(ordered, [3.0, 5.0])
            numbers = [[x.data if isinstance(x, Value) else x for x in row] for row in ordered]
            assert [z.data if isinstance(z, Value) else z for z in made] == [3.0 * a + 5.0 * b for a, b in numbers]
            for z, row in zip(made, ordered, strict=True):
                assert isinstance(z, Value) == any(isinstance(x, Value) for x in row)
                if isinstance(z, Value):
                    assert z.grad == 0.0
                    assert all(type(parent) in (Value, float) for parent in z.parents)


def fresh_linear(rows: list[list[Any]], x: list[Any]) -> list[Any]:
    """As in a process that has seen no dot yet."""
    return Makers(Value).any_number(TABLE["dot"])([tuple(row) for row in rows], tuple(x))


def test_the_first_layer_of_one_input() -> None:
    v = Value(2.0)
    assert [z.data for z in fresh_linear([[v], [v], [v]], [3.0])] == [6.0, 6.0, 6.0]


def test_no_branch_is_none() -> None:
    for x, y in ((None, 1.0), (1.0, None), (None, None)):
        for condition in (True, False, Value(1.0) > 0):
            with pytest.raises(TypeError, match="a branch is None"):
                where(condition, x, y)


def test_the_branch_not_taken_is_kept_as_a_float() -> None:
    x = Value(1.0)
    assert [type(parent) for parent in where(x > 0, x, 2).parents] == [Condition, Value, float]
    assert [type(parent) for parent in where(x < 0, 2, x).parents] == [Condition, float, Value]


def test_while_a_function_is_recorded_numbers_stay_unread_and_both_branches_are_kept() -> None:
    x = Value(1.0)
    y = x * x
    watching.watch = watching.Watch()
    try:
        with pytest.raises(autograd.RecordingError, match=r"^the number of Value\(1\.0\) was read"):
            x.data
        with pytest.raises(autograd.RecordingError, match=r"^the gradients? that backward\(\) leaves?"):
            y.backward()
        chosen = where(x > 0, x, lambda: x * 3.0)
        without_a_value = where(x > 0, x, lambda: (x - 2.0).log() / (x - 1))
        failing = where(x > 0, x, lambda: x * (1 / 0))
    finally:
        watching.watch = None
    assert chosen.parents[2].data == 3.0
    assert math.isnan(without_a_value.parents[2].data)
    assert failing.parents[2] is None
    assert where(x > 0, x, lambda: x * 3.0).parents[2] is None


@pytest.fixture
def watch() -> Iterator[watching.Watch]:
    """As while a function is recorded for replay."""
    watching.watch = watching.Watch()
    yield watching.watch
    watching.watch = None


def test_only_in_a_branch_not_taken_an_operation_may_have_no_value(watch: watching.Watch) -> None:
    x = Value(1.0)
    where(x > 0, x, lambda: where(x > 0, x, lambda: (x - 2.0).log()) + (x - 2.0).log())
    assert watch.attempts == 0
    with pytest.raises(autograd.DomainError):
        (x - 2.0).log()


def test_an_operation_without_a_value_keeps_its_operands(watch: watching.Watch) -> None:
    x = Value(1.0)
    without_a_value = where(x > 0, x, lambda: x / 0).parents[2]
    assert without_a_value.parents[0] is x
    assert type(without_a_value.parents[1]) is float


@pytest.mark.parametrize(
    ("operation", "name", "numbers"),
    [
        (lambda x: (x - 2.0).log(), "log", [-1.0]),
        (lambda x: x / 0, "div", [1.0, 0]),
        (lambda x: autograd.clip(x, 3.0, 0.0), "clip", [1.0, 3.0, 0.0]),
    ],
)
def test_where_there_is_no_value_the_watch_may_have_one(
    operation: Callable[[Value], Value], name: str, numbers: list[float], watch: watching.Watch
) -> None:
    asked: list[tuple[str, list[float]]] = []

    def outside_domain(primitive: autograd.Primitive, numbers: Sequence[float]) -> float:
        asked.append((primitive.name, list(numbers)))
        return 7.0

    watch.as_replayed, watch.everywhere = outside_domain, True
    node = operation(Value(1.0))
    assert (node._data, asked) == (7.0, [(name, numbers)])


def test_a_branch_that_is_not_known_makes_its_condition_a_guard(watch: watching.Watch) -> None:
    x = Value(1.0)
    known, unknown = x > 0, x > 0.5
    where(known, x, lambda: x * 3.0)
    assert watch.conditions == []
    where(unknown, x, lambda: x * (1 / 0))
    assert [asked.condition for asked in watch.conditions] == [unknown]


def asks_in_branches(x: Value) -> tuple[list[Condition], list[str]]:
    """A choice within a choice, each branch of which asks; the conditions, and which way each of the three went."""
    conditions, ways = [x > 0, x > 2, x > 3, x > -1, x > 4], []

    def ask(condition: Condition) -> Value:
        ways.append("yes" if condition else "no")
        return x

    outer, inner, *asked = conditions
    where(outer, lambda: where(inner, lambda: ask(asked[0]), lambda: ask(asked[1])), lambda: ask(asked[2]))
    return conditions, ways


def test_what_a_branch_asks_is_noted_with_the_way_to_it(watch: watching.Watch) -> None:
    (outer, inner, *asked), ways = asks_in_branches(Value(1.0))
    assert ways == ["no", "yes", "no"]
    assert [(a.condition, a.outcome, a.within) for a in watch.conditions] == [
        (asked[0], False, ((outer, True), (inner, True))),
        (asked[1], True, ((outer, True), (inner, False))),
        (asked[2], False, ((outer, False),)),
    ]
    assert all("test_makers.py" in a.line for a in watch.conditions)
    assert (watch.within, watch.attempts) == ((), 0)


def test_a_branch_not_taken_follows_directions(watch: watching.Watch) -> None:
    watch.directions = (True, False)
    _, ways = asks_in_branches(Value(1.0))
    assert ways == ["yes", "yes", "no"]  # the second is taken, and for the third there is no direction
    assert [a.outcome for a in watch.conditions] == [True, True, False]


def test_a_branch_that_fails_has_asked_nothing(watch: watching.Watch) -> None:
    x = Value(1.0)
    before, condition = x > -1, x > 0
    assert before
    where(condition, x, lambda: x * (1 / 0) if not x > 5 else x)
    assert [a.condition for a in watch.conditions] == [before, condition]


def test_a_branch_that_a_plain_truth_leaves_out_is_not_run(watch: watching.Watch) -> None:
    x = Value(1.0)
    assert where(True, lambda: x if x > 0 else 2.0 * x, lambda: x if x > 3 else -x).parents[1] is x
    assert [a.within for a in watch.conditions] == [()]


def test_a_leaf_is_not_written_while_a_function_is_recorded(watch: watching.Watch) -> None:
    x = Value(1.0)
    with pytest.raises(autograd.RecordingError, match="written"):
        x.data = 2.0


@pytest.mark.parametrize(
    ("name", "operands", "data", "slopes"),
    [
        ("exp", ["x"], 7.0, [7.0]),
        ("mul", ["x", 3], 6.0, [3.0]),
        ("mul", [3, "x"], 6.0, [3.0]),
        ("sub", ["x", "y"], -3.0, [1.0, -1.0]),
        ("clip", ["x", 0, 4.0], 2.0, [1.0]),
        ("sum", ["x", 2, "y"], 9.0, [1.0, 1.0]),
        ("dot", ["x", 2, 3, "y"], 16.0, [3.0, 2.0]),
    ],
)
def test_a_node_is_made_of_operands_whose_number_is_known(
    name: str, operands: list[Any], data: float, slopes: list[float]
) -> None:
    values = {"x": Value(2.0), "y": Value(5.0)}
    node = node_of(data, TABLE[name], [values.get(o, o) for o in operands])
    assert (node.data, node.primitive) == (data, TABLE[name])
    for parent, o in zip(node.parents, operands, strict=True):
        assert parent is values[o] if isinstance(o, str) else (parent.__class__, parent) == (float, o)
    node.backward()
    assert [values[o].grad for o in operands if isinstance(o, str)] == slopes


def test_a_node_of_a_choice_keeps_its_condition() -> None:
    x = Value(2.0)
    condition = x > 0
    node = node_of(2.0, TABLE["where"], [condition, x, 1])
    assert node.parents[0] is condition
    assert node.parents[1:] == (x, 1.0)


def test_plain_numbers_of_a_list_are_looked_at_though_no_value_is_among_them() -> None:
    assert autograd.sum([1, 2]).__class__ is float
    with pytest.raises(TypeError, match="sum takes Values and real numbers; xs is str '2'"):
        autograd.sum([1.0, "2"])

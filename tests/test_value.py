"""What a Value is: each sentence of the semantics of Values, one test."""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import TABLE, Condition, DomainError, Value, where
from autograd.graph import counts
from autograd.number_systems import arithmetic


def test_a_fresh_value() -> None:
    v = Value(2)
    assert type(v.data) is float
    assert (v.data, v.grad, v.label, v.primitive, v.parents) == (2.0, 0.0, "", None, ())
    assert Value(2.0, "x").label == "x"
    assert Value(2.0, np.str_("x")).label == "x"


@pytest.mark.parametrize("data", [2, True, 2.5, Fraction(1, 2), math.inf, np.True_, np.float32(2.5), np.int8(2)])
def test_any_real_number_makes_a_value(data: Any) -> None:
    assert Value(data).data == float(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("2.0", "not str '2.0'"),
        (2j, "not complex 2j"),
        (None, "not NoneType None"),
        ([1.0, 2.0], r"one Value per number: \[Value\(x\) for x in numbers\]"),
        (Value(1.0), "it is a Value already"),
        (np.timedelta64(1), "not timedelta64"),
        (np.timedelta64(1, "ns"), "not timedelta64"),
        (np.datetime64("2020-01-01"), "not datetime64"),
        (np.complex64(1.0), "not complex64"),
    ],
)
def test_anything_else_does_not(data: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Value(data)


def test_parents_are_ordered_and_keep_plain_numbers_plain() -> None:
    a, b = Value(2.0), Value(3.0)
    assert (a - b).parents == (a, b)
    assert (b - a).parents == (b, a)
    node = a - 1
    assert node.parents[0] is a
    assert type(node.parents[1]) is float
    assert (1 - a).parents[1] is a
    assert (a + a).parents == (a, a)
    assert autograd.sum([a, 1.0, b]).parents == (a, 1.0, b)
    assert autograd.dot([a, b], [4.0, 5.0], start=b).parents == (a, b, 4.0, 5.0, b)
    assert autograd.clip(a, 0.0, 1.0).parents == (a, 0.0, 1.0)
    assert (a * b).primitive is TABLE["mul"]


def test_format_is_that_of_the_number() -> None:
    v = Value(2.0 / 3.0)
    assert f"{v:.4f}" == "0.6667"
    assert f"{v:8.2e}|" == "6.67e-01|"
    assert f"{v}" == repr(v)


def test_repr_says_what_it_knows() -> None:
    x = Value(3.0, "x")
    assert repr(x) == "Value(3.0, 'x', grad=0.0)"
    y = x * x
    y.backward()
    assert repr(y) == "Value(9.0, primitive=mul, grad=1.0)"
    assert repr(x) == "Value(3.0, 'x', grad=6.0)"


@pytest.mark.parametrize(
    "drop", [float, int, bool, lambda v: v == 1.0, lambda v: v != 1, lambda v: v in [1.0], operator.not_]
)
def test_what_would_drop_a_gradient_says_what_to_write(drop: Any) -> None:
    with pytest.raises(TypeError, match=r"value\.data"):
        drop(Value(1.0))


def test_equality_is_identity() -> None:
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    assert a in [b, a]
    assert a not in [b]
    assert len({a, b, a}) == 2
    assert hash(a) == hash(a)


@pytest.mark.parametrize("other", [1, 1.0, True, Fraction(1), Decimal(1), 1j, np.float32(1.0), np.int64(1), np.True_])
def test_equality_with_any_number_says_what_to_write(other: Any) -> None:
    for compare in (operator.eq, operator.ne):
        with pytest.raises(TypeError, match=r"would compare a node with a number; write value\.data == "):
            compare(Value(1.0), other)


@pytest.mark.parametrize("other", [None, "x", [], object()])
def test_equality_with_what_is_no_number_is_false(other: Any) -> None:
    v = Value(1.0)
    assert v.__eq__(other) is NotImplemented
    assert (v == other) is False
    assert (v != other) is True
    assert other not in [v]


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
@given(x=st.floats(-2, 2), y=st.floats(-2, 2))
def test_comparisons_return_conditions(compare: Any, x: float, y: float) -> None:
    a, b = Value(x), Value(y)
    for condition in (compare(a, b), compare(a, y), compare(x, b)):
        assert isinstance(condition, Condition)
        assert condition.outcome is bool(condition) is compare(x, y)
    assert compare(a, b).parents == (a, b)


def test_a_condition_is_known_by_its_sides_and_outcome() -> None:
    condition = Value(2.0, "x") > 1
    assert repr(condition) == "Condition('x' (2.0) > 1.0 is True)"
    with pytest.raises(TypeError):
        Value(1.0) < "2"


def test_if_max_and_sorted_use_the_truth_of_conditions() -> None:
    a, b, c = Value(2.0), Value(-1.0), Value(1.0)
    assert max(a, b, c) is a
    assert min(a, b, c) is b
    assert sorted([a, b, c]) == [b, c, a]
    assert (1.0 if a > b else 2.0) == 1.0


def test_where_takes_a_condition_as_a_choice() -> None:
    x = Value(2.0)
    y = where(x > 0, x * 3, x * 5)
    assert y.data == 6.0
    assert y.primitive is TABLE["where"]
    y.backward()
    assert x.grad == 3.0
    x = Value(-2.0)
    y = where(x > 0, x * 3, x * 5)
    y.backward()
    assert (y.data, x.grad) == (-10.0, 5.0)


def test_a_branch_of_where_is_called_only_if_taken() -> None:
    x = Value(-1.0)
    called: list[str] = []

    def branch(name: str) -> Value:
        called.append(name)
        return x * 2

    y = where(x > 0, lambda: branch("first"), lambda: branch("second"))
    assert called == ["second"]
    y.backward()
    assert x.grad == 2.0
    assert where(x > 0, lambda: autograd.log(x), 0.0).data == 0.0


@pytest.mark.parametrize("taken", [True, False])
def test_nothing_flows_into_the_branch_not_taken(taken: bool) -> None:
    """Not even 0 · nan: its gradient is not touched at all."""
    x, bad = Value(1.0), Value(0.0)
    infinite = bad.sqrt() * 1.0
    sides = (x * 2, infinite) if taken else (infinite, x * 2)
    y = where(x > 0 if taken else x < 0, *sides)
    y.backward()
    assert x.grad == 2.0
    assert bad.grad == 0.0
    assert autograd.gradients(y, [x, bad])[1].data == 0.0


def test_where_of_plain_numbers_is_a_plain_number() -> None:
    assert where(True, 1, 2) == 1.0
    assert type(where(False, 1, 2)) is float
    with pytest.raises(TypeError, match="where needs a comparison or a truth value"):
        where(Value(1.0), 1.0, 2.0)
    with pytest.raises(TypeError, match="x is str"):
        where(True, "1", 2.0)


def test_zero_plus_a_value_is_the_value() -> None:
    a, b = Value(1.0), Value(2.0)
    assert 0 + a is a
    assert (0.0 + a) is not a  # a float zero is a number the user wrote
    total = sum([a, b])
    assert counts(total) == {"leaf": 2, "add": 1}


def test_methods_and_functions_are_the_same() -> None:
    for row in TABLE.values():
        if row.example and not row.n_ary and row.arity == 1 and row.name not in ("neg", "identity"):
            x = row.example[0][0]
            for name in (row.name, *row.aliases):
                method = getattr(Value(x), name)
                assert method().data == getattr(autograd, row.name)(x), name


def test_functions_of_plain_numbers_give_plain_numbers() -> None:
    for row in TABLE.values():
        if row.example:
            assert type(getattr(autograd, row.name)(*row.example[0])) is float
    assert type(autograd.sum([1, 2])) is float
    assert autograd.dot([1, 2], [3, 4]) == 11.0
    assert autograd.logsumexp([0.0]) == 0.0


@given(x=st.floats(0.1, 3), y=st.floats(0.1, 3))
def test_operators_and_functions_are_the_same(x: float, y: float) -> None:
    a, b = Value(x), Value(y)
    for operate, name in [
        (operator.add, "add"),
        (operator.sub, "sub"),
        (operator.mul, "mul"),
        (operator.truediv, "div"),
        (operator.pow, "pow"),
    ]:
        function = getattr(autograd, name)
        expected = function(x, y)
        for left, right in [(a, b), (a, y), (x, b)]:
            assert operate(left, right).data == function(left, right).data == expected
            assert operate(left, right).primitive is TABLE[name]
    assert (-a).data == -x
    assert +a is a
    assert abs(a).data == x
    assert math.floor(a).data == math.floor(x)
    assert math.ceil(a).data == math.ceil(x)


@pytest.mark.parametrize("x", [7.0, -7.5])
@pytest.mark.parametrize("y", [2.0, -0.3])
def test_divmod_is_quotient_and_remainder(x: float, y: float) -> None:
    for found in (divmod(Value(x), Value(y)), divmod(Value(x), y), divmod(x, Value(y))):
        assert (found[0].data, found[1].data) == divmod(x, y)


def test_augmented_assignment_makes_a_new_node() -> None:
    a = kept = Value(2.0)
    a += 1.0
    a *= 2.0
    assert a.data == 6.0
    assert kept.data == 2.0


def test_a_plain_number_of_any_real_kind_is_an_operand() -> None:
    v = Value(2.0)
    for number in (3, True, Fraction(3, 2), 1.5):
        assert (v * number).data == 2.0 * float(number)
        assert (number * v).data == 2.0 * float(number)


@pytest.mark.parametrize("other", ["1", None, [1.0], 2j, {}])
def test_operators_refuse_what_is_no_number(other: Any) -> None:
    v = Value(2.0)
    for operate in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        with pytest.raises(TypeError):
            operate(v, other)
        with pytest.raises(TypeError):
            operate(other, v)
    with pytest.raises(TypeError, match="tanh takes Values and real numbers; x is"):
        autograd.tanh(other)


def test_a_point_outside_a_domain_raises_at_the_operation() -> None:
    with pytest.raises(DomainError, match=r"^log needs a positive argument; x is -2\.0 \('z1'\)"):
        Value(-2.0, "z1").log()


def test_detach_is_a_constant_with_the_number() -> None:
    x = Value(3.0)
    y = x * x.detach()
    y.backward()
    assert x.grad == 3.0
    assert x.detach().data == 3.0
    assert autograd.detach(2) == 2.0


def test_writing_data_is_for_leaves() -> None:
    x = Value(1.0, "x")
    x.data = 2
    assert x.data == 2.0
    assert type(x.data) is float
    x.data += 0.5
    assert x.data == 2.5
    y = x * 2
    with pytest.raises(AttributeError, match=r"computed by mul; only a leaf's data can be written"):
        y.data = 1.0
    for wrong in ("1", None, y):
        with pytest.raises(TypeError, match="data must be a real number"):
            x.data = wrong


def test_an_attribute_that_does_not_exist_cannot_be_set() -> None:
    v: Any = Value(1.0)
    with pytest.raises(AttributeError):
        v.gard = 1.0


def test_a_value_has_no_subclasses() -> None:
    with pytest.raises(TypeError, match="cannot be subclassed"):

        class Mine(Value):  # type: ignore[misc]
            pass


@pytest.mark.parametrize("name", ["clip", "leaky_relu", "elu", "selu"])
def test_constant_parameters_are_no_leaves(name: str) -> None:
    row = TABLE[name]
    assert row.example is not None
    x, *constants = row.example[0]
    v = Value(x)
    node = getattr(autograd, name)(v, *constants)
    assert node.parents == (v, *constants)
    assert counts(node) == {"leaf": 1, name: 1}
    with pytest.raises(TypeError, match=rf"{name}: {row.arguments[1]} is a constant"):
        getattr(autograd, name)(v, Value(constants[0]), *constants[1:])


def test_methods_have_the_defaults_of_their_functions_and_the_same_constants() -> None:
    x: Any = Value(-2.0)
    assert x.leaky_relu().operands() == (x, 0.01)
    for name, constant in (("clip", "low"), ("leaky_relu", "slope"), ("elu", "alpha"), ("selu", "scale")):
        row = TABLE[name]
        assert row.example is not None
        constants = row.example[0][1:]
        assert getattr(x, name)(*constants).operands() == (x, *constants)
        with pytest.raises(TypeError, match=rf"{name}: {constant} is a constant"):
            getattr(x, name)(Value(constants[0]), *constants[1:])


@pytest.mark.parametrize("name", ["mean", "logsumexp", "softmax", "log_softmax", "variance"])
def test_what_is_not_defined_for_no_numbers_says_so(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} of no numbers"):
        getattr(autograd, name)([])


def test_what_is_defined_for_no_numbers() -> None:
    assert autograd.sum([]) == 0.0
    assert autograd.prod([]) == 1.0
    assert autograd.dot([], []) == 0.0
    assert autograd.norm([]) == 0.0


def test_lists_may_be_iterators() -> None:
    numbers = [Value(1.0), Value(2.0)]
    assert autograd.sum(v for v in numbers).data == 3.0
    assert autograd.mean(iter(numbers)).data == 1.5
    assert [v.data for v in autograd.softmax(iter(numbers))] == [v.data for v in autograd.softmax(numbers)]
    with pytest.raises(TypeError, match=r"sum takes a list of numbers"):
        autograd.sum(numbers[0])


def test_linear_is_a_dot_for_each_row() -> None:
    w = [[Value(1.0), Value(2.0), Value(3.0)], [Value(4.0), Value(5.0), Value(6.0)]]
    x = [Value(7.0), 8.0]
    with_bias = autograd.linear(w, x)
    assert [z.data for z in with_bias] == [1 * 7 + 2 * 8 + 3, 4 * 7 + 5 * 8 + 6]
    assert all(z.primitive is TABLE["dot"] for z in with_bias)
    assert with_bias[0].parents == (w[0][0], w[0][1], x[0], 8.0, w[0][2])
    without = autograd.linear([row[:2] for row in w], x)
    assert [z.data for z in without] == [23.0, 68.0]
    with pytest.raises(ValueError, match="4"):
        autograd.linear([[1.0] * 4], x)


@pytest.mark.parametrize("name", [*arithmetic.BINARY, *arithmetic.UNARY, *arithmetic.COMPARISONS])
def test_the_operators_written_out_do_what_the_operators_of_arithmetic_do(name: str) -> None:
    x, y = Value(3.0), Value(2.0)
    operands = (x,) if name in arithmetic.UNARY else (x, y)
    for method in (f"__{name}__", f"__r{name}__") if name in arithmetic.BINARY else (f"__{name}__",):
        general = getattr(arithmetic.Arithmetic, method)(*operands)
        written_out = getattr(Value, method)(*operands)
        assert type(general) is type(written_out)
        assert general.primitive is written_out.primitive
        assert [id(parent) for parent in general.parents] == [id(parent) for parent in written_out.parents]


def test_a_function_that_is_compiled_reads_no_number_and_runs_no_backward() -> None:
    """Either would be frozen into the recorded program."""

    def reads(x: Any) -> Any:
        return x * x.data

    def runs_backward(x: Any) -> Any:
        y = x * x
        y.backward()
        return y

    with pytest.raises(autograd.RecordingError, match=r"^the number of .* was read"):
        autograd.compile(reads)(2.0)
    with pytest.raises(autograd.RecordingError, match=r"^the gradients? that backward\(\) leaves?"):
        autograd.compile(runs_backward)(2.0)


# The words of micrograd, and of Python.


def test_parents_and_operator_by_the_names_of_micrograd() -> None:
    x, y = Value(2.0), Value(3.0)
    assert (x._prev, x._op) == ((), "")
    for node, parents, symbol in [(x * y, (x, y), "*"), (x**2, (x, 2.0), "**"), (x.tanh(), (x,), "tanh")]:
        assert node.parents == parents
        assert node._prev == tuple(parent for parent in parents if isinstance(parent, Value))
        assert node._op == symbol
        for name in ("_prev", "_op", "parents"):
            with pytest.raises(AttributeError, match=rf"{name} of Value\(.*write node\(data, parents, partials\)"):
                setattr(node, name, ())


def test_a_walk_over_previous_values_meets_values_alone() -> None:
    """micrograd's two loops: ``build_topo`` of its engine and ``trace`` of its drawings, written anew."""
    x, y = Value(2.0, "x"), Value(-1.0, "y")
    terms = [x * 3 + 1, x * x, 2 - y, autograd.where(x > 0, y.tanh(), x / y), autograd.maximum(x, 0.5).clip(0.0, 1.0)]
    output = autograd.sum([*terms, 4.0]) + autograd.dot([x, y], [1.0, y])

    order: list[Value] = []
    visited: set[Value] = set()

    def build_topo(v: Value) -> None:
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            order.append(v)

    nodes, edges = set[Value](), set[tuple[Value, Value]]()

    def trace(v: Value) -> None:
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                trace(child)

    build_topo(output)
    trace(output)
    assert order[-1] is output
    assert nodes == visited >= {x, y, *terms}
    assert all(isinstance(node, Value) and isinstance(node.data, float) for node in nodes)
    place = {node: k for k, node in enumerate(order)}
    assert all(place[child] < place[v] for child, v in edges)
    assert {v: set(v._prev) for v in nodes} == {v: {c for c, w in edges if w is v} for v in nodes}
    assert (x * x)._prev == (x,)  # a set in micrograd: each once


WORDS: dict[str, tuple[Any, type[Exception], str]] = {
    "children and partials": (lambda v: Value(1.0, (v,), (2.0,)), TypeError, r"write node\(data, parents, partials\)"),  # type: ignore[arg-type]
    "children and operator": (lambda v: Value(1.0, (v,), "+"), TypeError, r"write node\(data, parents, partials\)"),  # type: ignore[arg-type]
    "children": (lambda v: Value(1.0, (v,)), TypeError, r"write node\(data, parents, partials\)"),  # type: ignore[arg-type]
    "children by name": (lambda v: Value(1.0, _children=(v,)), TypeError, r"write node\(data, parents, partials\)"),  # type: ignore[arg-type]
    "operator by name": (lambda v: Value(1.0, _op="+"), TypeError, r"write node\(data, parents, partials\)"),  # type: ignore[arg-type]
    "a gradient that is a Value": (lambda v: setattr(v, "grad", v), TypeError, r"write value\.grad = other\.data"),
    "a gradient that is a text": (lambda v: setattr(v, "grad", "1"), TypeError, "grad must be a real number or None"),
    "rows[v]": (lambda v: [1.0, 2.0][v], TypeError, r"write take\(rows, value\)"),
    "range(v)": (lambda v: range(v), TypeError, r"or int\(value\.data\)"),
    "int(v)": (int, TypeError, r"write int\(value\.data\)"),
    "complex(v)": (complex, TypeError, r"complex\('v' \(1\.0\)\) would drop the gradient; write value\.data"),
    "round(v, 2)": (lambda v: round(v, 2), TypeError, r"write round\(value\.data, 2\) .* or f'\{value:\.2f\}'"),
    "fraction": (lambda v: Fraction(1) + Fraction(*v.as_integer_ratio()), TypeError, r"write value\.data"),
}


@pytest.mark.parametrize("case", WORDS)
def test_a_word_that_does_not_work_says_what_to_write(case: str) -> None:
    use, kind, words = WORDS[case]
    with pytest.raises(kind, match=words):
        use(Value(1.0, "v"))


@pytest.mark.parametrize("x", [-2.5, -0.25, 0.0, 0.5, 1.5, 2.75])
def test_rounding_of_every_kind_is_a_node(x: float) -> None:
    for function in (round, math.floor, math.ceil, math.trunc):
        v = Value(x)
        node: Any = function(v)  # type: ignore[operator]
        assert node.data == float(function(x))
        (node + 2.0 * v).backward()
        assert v.grad == 2.0


@pytest.mark.parametrize("modulus", [5, 5.0, Value(5.0)])
@pytest.mark.parametrize("y", [2, 2.0, Value(2.0)])
def test_a_power_with_a_modulus_is_the_remainder_of_a_power(y: Any, modulus: Any) -> None:
    with autograd.record_lines():
        v = Value(3.0)
        power: Any = pow(v, y, modulus)
    assert power.data == 4.0
    power.backward()
    assert v.grad == 6.0


@pytest.mark.parametrize("number", [Decimal("1.5"), Fraction(3, 2)])
def test_decimals_and_fractions_are_numbers(number: Any) -> None:
    v = Value(2.0)
    assert Value(number).data == 1.5
    for found, expected, slope in [
        (v + number, 3.5, 1.0),
        (number + v, 3.5, 1.0),
        (number - v, -0.5, -1.0),
        (number * v, 3.0, 1.5),
        (v / number, 2.0 / 1.5, 1 / 1.5),
        (v**number, 2.0**1.5, 1.5 * 2.0**0.5),
        (v % number, 0.5, 1.0),
        (autograd.maximum(v, number), 2.0, 1.0),
    ]:
        v.grad = 0.0
        found.backward()
        assert (found.data, v.grad) == pytest.approx((expected, slope), rel=1e-15)
    assert not v < number
    assert number < v
    v.grad = number
    assert (v.grad, type(v.grad)) == (1.5, float)
    with pytest.raises(TypeError, match=r"write value\.data == "):
        v == number


def test_the_reflected_power_takes_a_modulus() -> None:
    """Python asks for it from 3.14 on; before, ``pow(2, v, 5)`` asks nobody but the 2."""
    v = Value(3.0)
    power: Any = v.__rpow__(2, 5)  # type: ignore[call-arg]
    power.backward()
    assert (power.data, v.grad) == (3.0, pytest.approx(8.0 * math.log(2.0), rel=1e-15))


#: Words of Python that work on Values, and what they compute of numbers.
WORKS: dict[str, tuple[Callable[[list[Any]], Any], float]] = {
    "max": (lambda xs: max(xs), 4.0),
    "a stable softmax": (
        lambda xs: autograd.sum([autograd.exp(x - max(xs)) for x in xs]),
        1 + math.exp(-2) + math.exp(-1),
    ),
    "sorted": (lambda xs: sorted(xs)[1] * 2.0, 6.0),
    "prod": (lambda xs: math.prod(xs), 24.0),
    "median": (lambda xs: statistics.median(xs), 3.0),
    "remainder": (lambda xs: xs[0] % 3 + 7 % xs[2] + divmod(xs[0], 3)[0], 1.0 + 1.0 + 1.0),
    "floor division": (lambda xs: xs[0] // 3 + 7 // xs[1], 4.0),
    "modular power": (lambda xs: pow(xs[0], 2, 5), 1.0),
    "clip": (lambda xs: xs[0].clip(0.0, 3.5) + xs[1].leaky_relu(), 5.5),
}


@pytest.mark.parametrize("name", WORKS)
def test_a_word_of_python_works_eagerly_and_compiled(name: str) -> None:
    function, expected = WORKS[name]
    numbers = [4.0, 2.0, 3.0]
    assert function([Value(x) for x in numbers]).data == pytest.approx(expected, rel=1e-15)
    step = autograd.compile(function)
    assert step(numbers) == pytest.approx(expected, rel=1e-15)
    others = [1.5, 2.5, 5.0]  # another is the largest: guards see it
    assert step(others) == pytest.approx(function([Value(x) for x in others]).data, rel=1e-15)

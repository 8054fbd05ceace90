"""The flat form of a graph: what it holds, what it costs, and what it computes."""

from __future__ import annotations

import math
import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from mpmath import mp

import autograd
from autograd import TABLE, DomainError, Program, Value, evaluate, where
from autograd.interpret import pull_back, push_forward, run_forward
from autograd.number_systems import floats
from autograd.program import flatten
from autograd.testing import CONTINUOUS, Call, calls, expressions


def size_of(program: Program) -> int:
    """The bytes of what grows with the program."""
    arrays = (program.opcodes, program.starts, program.operands, program.constants)
    return sum(a.itemsize * len(a) for a in arrays)


def chain(n: int, step: Any) -> Value:
    x = y = Value(1.0)
    for _ in range(n):
        y = step(y, x)
    return y


def test_at_most_16_bytes_for_a_binary_operation() -> None:
    small, large = (flatten([chain(n, lambda y, x: y + x)])[0] for n in (1000, 3000))
    assert size_of(large) - size_of(small) <= 16 * 2000


@pytest.mark.parametrize("n", [3, 10])
def test_at_most_4_bytes_for_each_further_operand(n: int) -> None:
    small, large = (flatten([chain(k, lambda y, x: autograd.sum([y, *[x] * (n - 1)]))])[0] for k in (1000, 3000))
    assert size_of(large) - size_of(small) <= (16 + 4 * (n - 2)) * 2000


def test_the_text() -> None:
    a, b = Value(2.0), Value(3.0)
    c = a * b
    program, nodes = flatten([c + 1.0, c - a])
    assert str(program).splitlines() == [
        "inputs %0 … %1",
        "%2 = 1.0",
        "%3 = mul %0 %1",
        "%4 = add %3 %2",
        "%5 = sub %3 %0",
        "outputs %4 %5",
    ]
    assert nodes[:2] == [a, b]
    assert nodes[3] is c
    assert len(program) == 3
    assert program.first_instruction == 3


def test_the_text_of_a_branch_that_was_never_called() -> None:
    x = Value(2.0)
    program, _ = flatten([where(x > 0, x, lambda: x * 2)])
    assert str(program).splitlines()[-2:] == ["%3 = where %2 %0 –", "outputs %3"]


def test_a_program_of_a_leaf() -> None:
    program, _ = flatten([Value(2.0)])
    assert len(program) == 0
    assert str(program) == "inputs %0 … %0\noutputs %0"
    assert run_forward(program, [5.0], floats) == [5.0]


def test_constants_that_look_alike_are_kept_apart() -> None:
    x = Value(1.0)
    nodes = [x * 0.0, x * -0.0, x * 2.0, x * 2.0]
    program, _ = flatten(nodes)
    numbers = run_forward(program, [1.0], floats)
    assert [math.copysign(1.0, numbers[slot]) for slot in program.outputs[:2]] == [1.0, -1.0]
    assert program.inputs == 1


def test_leaves_are_never_merged() -> None:
    program, _ = flatten([Value(2.0) * Value(2.0)])
    assert program.inputs == 2


@given(calls(expressions(primitives=CONTINUOUS)))
def test_a_program_computes_what_its_graph_did(call: Call) -> None:
    output, _ = call.function.graph(*call.inputs)
    program, nodes = flatten([output])
    numbers = run_forward(program, [node.data for node in nodes[: program.inputs]], floats)
    for number, node in zip(numbers, nodes, strict=True):
        assert number == (node.data if isinstance(node, Value) else node) or math.isnan(number)
    again = pickle.loads(pickle.dumps(program))
    assert str(again) == str(program)


def test_pull_back_and_push_forward_visit_only_what_is_wanted() -> None:
    """Nothing is computed where no derivative is asked for: the logarithm in the other factor's rule is never taken."""
    x, y = Value(-2.0), Value(3.0)
    program, nodes = flatten([x**y])
    numbers = run_forward(program, [-2.0, 3.0], floats)
    cotangents = pull_back(program, numbers, {2: 1.0}, floats, wanted=[0])
    assert cotangents[:2] == [12.0, None]
    tangents = push_forward(program, numbers, {0: 1.0}, floats)
    assert tangents[2] == 12.0
    with pytest.raises(DomainError):
        pull_back(program, numbers, {2: 1.0}, floats, wanted=[1])
    assert nodes[2].data == -8.0


def test_a_program_wants_all_its_inputs() -> None:
    program, _ = flatten([Value(2.0) * Value(3.0)])
    with pytest.raises(ValueError, match="the program has 2 inputs; 1 numbers were given"):
        run_forward(program, [1.0], floats)


# evaluate


def test_evaluate_at_other_numbers() -> None:
    x, w = Value(2.0), Value(3.0)
    y = x * w + x
    assert evaluate(y) == 8.0
    assert evaluate(y, at={x: 5.0}) == 20.0
    assert evaluate(y, at={x: 5.0, w: 1}, wrt=[x, w]) == (10.0, [2.0, 5.0])
    assert (y.data, x.data) == (8.0, 2.0)
    with pytest.raises(ValueError, match="at gives numbers for leaves"):
        evaluate(y, at={y: 1.0})
    with pytest.raises(ValueError, match="at gives numbers for leaves"):
        evaluate(y, at={1.0: 1.0})  # type: ignore[dict-item]


def test_evaluate_takes_the_branch_that_holds_there() -> None:
    x = Value(2.0)
    y = where(x > 0, x * 3, x * 5)
    assert evaluate(y, at={x: -1.0}, wrt=x) == (-5.0, 5.0)
    assert evaluate(y, "arrays", at={x: [-1.0, 1.0]}, wrt=x)[0].tolist() == [-5.0, 3.0]
    never_called = where(x > 0, x * 3, lambda: x * 5)
    assert evaluate(never_called, at={x: 1.0}) == 3.0
    with pytest.raises(DomainError, match="a function that was never called; give it as a Value"):
        evaluate(never_called, at={x: -1.0})


def test_evaluate_keeps_the_shape_of_the_outputs() -> None:
    x = Value(2.0)
    y = x * x
    assert evaluate({"a": [y, x], "b": (y + 1, 7)}) == {"a": [4.0, 2.0], "b": (5.0, 7.0)}
    with pytest.raises(ValueError, match="derivatives are of one output; there are 2"):
        evaluate([y, x], wrt=x)


def test_evaluate_to_many_digits() -> None:
    y = Value(2.0).sqrt()
    with mp.workdps(50):
        assert abs(evaluate(y, "mpmath") - mp.sqrt(2)) < mp.mpf(10) ** -49
    with mp.workdps(200):
        assert abs(evaluate(y, "mpmath", digits=200) - mp.sqrt(2)) < mp.mpf(10) ** -199
    before = mp.dps
    evaluate(y, "mpmath", digits=33)
    assert mp.dps == before


def test_evaluate_derivatives_by_inner_nodes_and_shapes() -> None:
    x = Value(3.0)
    y = x * x
    z = y * x
    value, found = evaluate(z, wrt={"x": x, "inner": [y], "itself": z, "elsewhere": Value(1.0), "number": 2.0})
    assert value == 27.0
    assert found == {"x": 27.0, "inner": [3.0], "itself": 1.0, "elsewhere": 0.0, "number": 0.0}


def test_evaluate_in_arrays_gives_each_samples_derivative() -> None:
    x, w = Value(1.0), Value(2.0)
    y = (x * w).tanh()
    batch = np.array([0.1, 0.2, 0.3])
    value, (dx, dw) = evaluate(y, "arrays", at={x: batch}, wrt=(x, w))
    assert value == pytest.approx(np.tanh(2 * batch), rel=1e-15, abs=0.0)
    assert dx == pytest.approx(2 * (1 - np.tanh(2 * batch) ** 2), rel=1e-14, abs=0.0)
    assert dw == pytest.approx(batch * (1 - np.tanh(2 * batch) ** 2), rel=1e-14, abs=0.0)


def test_evaluate_in_values_makes_a_graph() -> None:
    x = Value(2.0)
    y = x * x
    again = evaluate(y, "values", at={x: Value(5.0)})
    assert again.data == 25.0
    _, slope = evaluate(y, "values", wrt=x)
    assert slope.data == 4.0
    slope.backward()
    assert x.grad == 2.0


def test_evaluate_in_a_system_of_ones_own() -> None:
    """Any namespace with the functions will do: here, how many operations there are on the longest way."""
    deeper = lambda *depths: 1 + max(depths)  # noqa: E731
    counting = SimpleNamespace(
        **dict.fromkeys(TABLE, deeper),
        NAME="depths",
        LACKS={},
        LANES=False,
        number=lambda x: 0,
        plain=lambda x: x,
        computing=floats.computing,
    )
    module = type(floats)("depths")
    vars(module).update(vars(counting))
    x = Value(2.0)
    assert evaluate((x * x + 1.0).tanh() - x, module) == 4


def test_evaluate_refuses_an_unknown_system() -> None:
    with pytest.raises(ValueError, match="no number system is called 'float'"):
        evaluate(Value(1.0), "float")

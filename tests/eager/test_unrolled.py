"""Primitives of any number of arguments, written out per pattern: the same numbers as the loops, bit for bit."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import TABLE, Value
from autograd.eager import unrolled
from autograd.eager.unrolled import MOST_OPERANDS, as_stored, in_order
from autograd.number_systems import floats

N_ARY = [row for row in TABLE.values() if row.n_ary]
PUBLIC = {name: getattr(autograd, name) for name in ("sum", "prod", "mean", "logsumexp")}


def _operands(which: list[bool], seed: int) -> list[Value | float]:
    generator = random.Random(seed)
    return [Value(x) if is_value else x for is_value in which for x in [generator.uniform(-2, 2)]]


def _apply(name: str, operands: list[Value | float]) -> Value:
    if name != "dot":
        return PUBLIC[name](operands)
    n = len(operands) // 2
    return autograd.dot(operands[:n], operands[n : 2 * n], *operands[2 * n :])


def _number(x: Value | float) -> float:
    return x.data if isinstance(x, Value) else x


@pytest.mark.parametrize("row", N_ARY, ids=lambda row: row.name)
@given(which=st.lists(st.booleans(), min_size=1, max_size=9), seed=st.integers(0, 1000))
def test_value_and_gradients_equal_the_loops(row: autograd.Primitive, which: list[bool], seed: int) -> None:
    operands = _operands([*which, True], seed)
    numbers = [_number(x) for x in operands]
    y = _apply(row.name, operands)
    assert y.data == getattr(floats, row.name)(numbers)
    assert [_number(p) for p in y.parents] == numbers
    y.backward(0.7)
    assert callable(row.partials)
    expected = row.partials(floats, y.data, numbers)
    for operand, partial in zip(operands, expected, strict=True):
        if isinstance(operand, Value):
            assert operand.grad == 0.7 * partial


@pytest.mark.parametrize("row", N_ARY, ids=lambda row: row.name)
@pytest.mark.parametrize("count", [MOST_OPERANDS, MOST_OPERANDS + 2])
def test_beyond_the_longest_written_out_the_loop_gives_the_same(row: autograd.Primitive, count: int) -> None:
    operands = _operands([i % 3 != 1 for i in range(count)], 1)
    y = _apply(row.name, operands)
    y.backward()
    assert callable(row.partials)
    expected = row.partials(floats, y.data, [_number(x) for x in operands])
    assert [x.grad for x in operands if isinstance(x, Value)] == [
        partial for x, partial in zip(operands, expected, strict=True) if isinstance(x, Value)
    ]


def test_patterns_may_alternate_call_by_call() -> None:
    w, v = Value(2.0), Value(3.0)
    for _ in range(3):
        assert autograd.dot([w, w], [v, v]).data == 12.0
        assert autograd.dot([w, w], [3.0, 3.0]).data == 12.0
        assert autograd.dot([w, 2.0], [v, 3]).data == 12.0
        assert autograd.dot([2, 2.0], [3, 3.0]) == 12.0


def test_an_integer_or_a_numpy_scalar_among_the_operands_is_kept_as_a_float() -> None:
    import numpy as np

    w = Value(2.0)
    for _ in range(2):
        y = autograd.dot([w, 1], [np.float32(0.5), np.float64(3.0)], start=True)
        assert y.parents == (w, 1.0, 0.5, 3.0, 1.0)
        assert all(type(p) is float for p in y.parents[1:])


def test_many_patterns_do_not_pile_up() -> None:
    row = TABLE["sum"]
    made = unrolled.Unrolled(row, unrolled.text_of_forward, lambda x, y: "loop")
    for i in range(1, 2**8):
        made[bytes(int(bit) for bit in f"{i:08b}")]
    assert len(made) == unrolled.MOST_PATTERNS


@given(st.lists(st.integers(), max_size=9))
def test_stored_operands_come_back_in_order(operands: list[int]) -> None:
    for name in ("dot", "sum"):
        assert in_order(*as_stored(TABLE[name], operands)) == tuple(operands)


def test_linear_is_one_dot_for_each_row_and_the_rows_share_their_inputs() -> None:
    rows = [[Value(1.0), Value(2.0), Value(0.5)], [Value(3.0), Value(4.0)]]
    x = [Value(10.0), Value(100.0)]
    z = autograd.linear(rows, x)
    assert [node.data for node in z] == [210.5, 430.0]
    assert [node.primitive.name for node in z if node.primitive] == ["dot", "dot"]
    assert z[0].parents == (*rows[0][:2], *x, rows[0][2])
    autograd.sum(z).backward()
    assert [v.grad for v in x] == [4.0, 6.0]
    assert [v.grad for v in rows[0]] == [10.0, 100.0, 1.0]


def test_linear_of_a_wrong_row_names_both_counts() -> None:
    with pytest.raises(ValueError, match=r"rows of 2 weights.*has 4"):
        autograd.linear([[Value(1.0)] * 4], [1.0, 2.0])


def test_an_operand_that_is_no_number_is_named() -> None:
    with pytest.raises(TypeError, match=r"sum takes Values and real numbers; xs is str 'a'"):
        autograd.sum([Value(1.0), "a"])

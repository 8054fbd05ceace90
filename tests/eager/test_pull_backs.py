"""The pull-backs that are written out as source: their text where rules vanish, and when a loop is kept instead."""

from __future__ import annotations

import pytest

from autograd import TABLE, Primitive, Value
from autograd.eager.pull_backs import PullBacks, text_of_pull_back
from autograd.eager.unrolled import Unrolled, text_of_forward
from autograd.number_systems import arithmetic


def test_a_partial_that_is_zero_adds_nothing_and_leaves_no_empty_branch() -> None:
    row = Primitive("nothing", (lambda m, z, x, y: 0, lambda m, z, x, y: 0))
    lines = [
        "def pull_back(node):",
        "    c = node._grad",
        "    X, Y = node._x, node._y",
        "    if X.__class__ is Value:",
        "        if Y.__class__ is Value:",
        "            pass",
        "    else:",
        "        if Y.__class__ is Value:",
        "            pass",
    ]
    assert text_of_pull_back(row).splitlines() == lines


@pytest.mark.parametrize(("count", "written_out"), [(0, False), (1, True), (2, True), (128, True), (129, False)])
def test_how_many_operands_are_written_out(count: int, written_out: bool) -> None:
    def loop() -> None:
        """What stands in for the loop."""

    unrolled = Unrolled(TABLE["sum"], text_of_forward, loop)
    assert (unrolled[bytes([1] * count)] is not loop) == written_out


def test_how_many_patterns_are_written_out() -> None:
    def loop() -> None:
        """What stands in for the loop."""

    unrolled = Unrolled(TABLE["sum"], text_of_forward, loop)
    patterns = [bytes([1] + [int(bit) for bit in f"{i:07b}"]) for i in range(66)]
    assert [unrolled[pattern] is loop for pattern in patterns] == [False] * 64 + [True, True]
    assert unrolled[patterns[0]] is not loop


def test_what_is_written_out_is_kept() -> None:
    pull_backs = PullBacks(Value, float, lambda *_: [])
    assert pull_backs[TABLE["mul"]] is pull_backs[TABLE["mul"]]
    too_long = bytes([1] * 129)
    by_comparing = Unrolled(TABLE["logsumexp"], text_of_forward, print)
    assert by_comparing[b"\1\1"] is print
    assert by_comparing[too_long] is print
    assert list(by_comparing) == [b"\1\1"]


def test_the_operators_and_methods_of_values_take_no_detour() -> None:
    own = vars(Value)
    operators = [*arithmetic.BINARY, *arithmetic.UNARY, *arithmetic.COMPARISONS]
    assert all(f"__{name}__" in own for name in operators)
    unary = [row for row in TABLE.values() if row.arity == 1 and not row.n_ary]
    methods = [name for row in unary for name in (row.name, *row.aliases) if hasattr(arithmetic.Arithmetic, name)]
    assert len(methods) > 20
    assert all(name in own for name in methods)

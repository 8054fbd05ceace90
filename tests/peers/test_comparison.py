"""The comparison with other engines is tested without them: a right peer agrees, a wrong one is found out."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import pytest

from tests.peers import comparison
from tests.peers.comparison import Report, compare, referee
from tests.peers.drawing import INPUTS, OPERATIONS, Expression, Operation, draw, is_clear
from tests.peers.engines import Derivatives, Ours

BY_NAME = {operation.name: operation for operation in OPERATIONS}


def some(n: int, seed: int = 1) -> list[Expression]:
    source = random.Random(seed)
    return [draw(source, OPERATIONS) for _ in range(n)]


class Changed:
    """This engine with its results changed: a peer made wrong on purpose."""

    name = "changed"
    LACKS: ClassVar[dict[str, str]] = {}

    def __init__(self, change: Callable[[np.ndarray, np.ndarray], None]) -> None:
        self.change = change

    def derivatives(self, expressions: Sequence[Expression]) -> Derivatives:
        first, second = Ours().derivatives(expressions)
        self.change(first, second)
        return first, second


def test_every_primitive_is_drawn_and_kept_clear_of_kinks() -> None:
    drawn = [step for expression in some(300) for step in expression.steps]
    assert {operation.name for operation, _ in drawn} == set(BY_NAME)
    assert not is_clear(BY_NAME["relu"], [0.0])
    assert not is_clear(BY_NAME["relu"], [1e-12])
    assert not is_clear(BY_NAME["maximum"], [2.0, 2.0])
    assert not is_clear(BY_NAME["log"], [-1.0])
    assert not is_clear(BY_NAME["sqrt"], [0.0])
    assert not is_clear(BY_NAME["where"], [0.0, 1.0, 2.0])
    assert is_clear(BY_NAME["log"], [1.0])


def test_an_engine_agrees_with_itself() -> None:
    report = Report()
    compare(Ours(), Changed(lambda first, second: None), some(50), report)
    assert (report.expressions, report.numbers, report.disputes, report.worst) == (50, 600, 0, 0.0)


def test_the_referee_agrees_with_the_engine() -> None:
    expressions = some(40)
    first, second = Ours().derivatives(expressions)
    for n, expression in enumerate(expressions):
        ruling = referee(expression, by_rules=True)
        assert ruling.error(np.concatenate([first[n], second[n].ravel()])) <= comparison.TOLERANCE


def wrong_first(first: np.ndarray, second: np.ndarray) -> None:
    first *= 1 + 1e-6


def wrong_second(first: np.ndarray, second: np.ndarray) -> None:
    second *= 1 + 1e-6


def nan(first: np.ndarray, second: np.ndarray) -> None:
    second[:, 0, 0] = np.nan


@pytest.mark.parametrize("change", [wrong_first, wrong_second, nan])
def test_a_wrong_derivative_is_rejected_on_either_side(
    change: Callable[[np.ndarray, np.ndarray], None],
) -> None:
    expressions = [e for e in some(40) if np.abs(Ours().derivatives([e])[1][0, 0, 0]) > 1e-3][:5]
    assert len(expressions) == 5
    theirs, ours = Report(), Report()
    compare(Ours(), Changed(change), expressions, theirs)
    assert (theirs.peer_wrong, theirs.wrong) == (5, [])
    compare(Changed(change), Ours(), expressions, ours)
    assert len(ours.wrong) == 5
    assert "ours is wrong in 5" in "\n".join(ours.lines("itself"))


def test_where_terms_cancel_both_are_right() -> None:
    """y - y + x has the slope 1, of terms of 142: a wrong digit that is far enough to the right is rounding."""
    steps = (("sinh", (0,)), ("exp", (3,)), ("sub", (4, 4)), ("add", (5, 0)))
    expression = Expression(tuple((BY_NAME[name], slots) for name, slots in steps), (2.0, 0.5, 0.25))

    def rounded(first: np.ndarray, second: np.ndarray) -> None:
        first[0, 0] += 1e-11

    def wrong(first: np.ndarray, second: np.ndarray) -> None:
        first[0, 0] += 1e-6

    report = Report()
    compare(Ours(), Changed(rounded), [expression], report)
    assert (report.disputes, report.both_right) == (1, 1)
    compare(Ours(), Changed(wrong), [expression], report)
    assert report.peer_wrong == 1


def test_a_rule_that_cancels_is_counted_apart() -> None:
    """Two terms of sinc's slope keep no relative digits at a minimum: decided, and never plain agreement."""
    expression = Expression(((BY_NAME["sinc"], (0,)),), (4.493409457909064, 0.0, 0.0))

    class Exactly(Ours):
        def derivatives(self, expressions: Sequence[Expression]) -> Derivatives:
            ruling = [[float(x) for x in referee(e).exact] for e in expressions]
            return np.array(ruling)[:, :INPUTS], np.array(ruling)[:, INPUTS:].reshape(-1, INPUTS, INPUTS)

    report = Report()
    compare(Ours(), Exactly(), [expression], report)
    assert (report.disputes, report.rule_cancels, report.wrong) == (1, 1, [])


def test_an_expression_is_shown_as_it_is() -> None:
    steps = ((BY_NAME["add"], (0, 1)), (Operation("clip", 1, (-0.5, 0.75)), (3,)))
    assert str(Expression(steps, (1.0, 2.0, 3.0))) == (
        "x0 = 1.0; x1 = 2.0; x2 = 3.0; x3 = add(x0, x1); x4 = clip(x3, -0.5, 0.75)"
    )

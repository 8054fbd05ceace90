"""What is chosen in each lane, and that nothing is chosen which IEEE arithmetic yields by itself."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import TABLE, Primitive, lanes
from autograd.compiled.programs.building import Builder
from autograd.number_systems import arrays
from autograd.primitives import Limit
from tests.compiled.replays import BACKENDS

#: Row and argument → how many limits are chosen; whether rules have slopes outside of the domain; finite ones.
CHOSEN = {
    ("div", 0): (0, True, False),
    ("div", 1): (0, True, False),
    ("pow", 0): (2, True, False),
    ("pow", 1): (1, True, False),
    ("mod", 0): (0, True, True),
    ("mod", 1): (0, True, False),
    ("log", 0): (0, True, True),
    ("log1p", 0): (0, True, True),
    ("log2", 0): (0, True, True),
    ("log10", 0): (0, True, True),
    ("logit", 0): (0, True, True),
    ("xlogy", 0): (0, True, False),
    ("xlogy", 1): (1, True, True),
    ("share", 0): (0, True, False),
    ("share", 1): (0, True, False),
    ("sqrt", 0): (1, False, False),
    ("reciprocal", 0): (0, True, False),
    ("atanh", 0): (0, True, True),
    ("hypot", 0): (1, False, False),
    ("hypot", 1): (1, False, False),
    ("clip", 0): (0, True, True),
}
WITH_SLOPES = [
    (row, i)
    for row in TABLE.values()
    if not callable(row.partials)
    for i, rule in enumerate(row.partials)
    if rule is not None
]
MANY = (0.0, -0.0, 1.0, -1.0, 0.25, -0.25, 2.0, -2.0, 0.5, -0.5, 3.0, 1e300, math.inf, -math.inf)


def choices_of(row: Primitive, argument: int) -> tuple[int, bool, bool]:
    choices = lanes._choices(row, argument)
    return len(choices.limits), choices.outside, choices.finite_outside


@pytest.mark.parametrize(("row", "argument"), WITH_SLOPES, ids=lambda x: getattr(x, "name", str(x)))
def test_what_is_chosen_for_each_row(row: Primitive, argument: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = CHOSEN.get((row.name, argument), (0, False, False))
    for candidates in (lanes.CANDIDATES, MANY):
        monkeypatch.setattr(lanes, "CANDIDATES", candidates)
        monkeypatch.setattr(lanes, "_KNOWN", {})
        with np.errstate(all="ignore"):
            assert choices_of(row, argument) == expected
    assert lanes.has_finite_slopes_outside(row, argument) is expected[2]


def test_which_rows_have_slopes_outside_of_their_domains() -> None:
    for row in TABLE.values():
        found = [CHOSEN.get((row.name, i), (0, False, False))[1] for i in range(row.arity)]
        assert lanes.has_slopes_outside(row) is any(found)


def test_nothing_is_known_of_primitives_of_ones_own_so_all_is_chosen() -> None:
    @autograd.primitive(partials=[lambda m, z, x: 2 * x], domain=lambda x: x > 0)
    def inside(m: Any, x: Any) -> Any:
        return m.square(x)

    @autograd.primitive(partials=[lambda m, z, x: 2 * x])
    def anywhere(m: Any, x: Any) -> Any:
        return m.square(x)

    assert choices_of(inside.primitive, 0) == (0, True, True)
    assert choices_of(anywhere.primitive, 0) == (0, False, False)
    limit = Limit(0, lambda x: x == 0, 5.0)
    assert choices_of(anywhere.primitive._replace(limits=(limit,)), 0) == (1, False, False)


def test_the_share_of_an_infinity_among_equal_ones_is_named_by_its_number() -> None:
    with pytest.raises(autograd.DomainError, match=r"logsumexp has no further derivative here; x is inf"):
        autograd.hessian(autograd.logsumexp)([math.inf, math.inf])


class Counted:
    """A number system that counts its choices."""

    def __init__(self, m: Any, **more: Any) -> None:
        self.m, self.more, self.count = m, more, 0

    def __getattr__(self, name: str) -> Any:
        return self.more[name] if name in self.more else getattr(self.m, name)

    def where(self, *of: Any) -> Any:
        self.count += 1
        return self.m.where(*of)


@pytest.mark.parametrize(
    ("name", "holds", "outside", "expected"),
    [
        ("cbrt", False, True, 0),
        ("cbrt", True, True, 1),
        ("sqrt", False, True, 1),
        ("log", False, True, 1),
        ("log", False, False, 0),
        ("log", True, False, 0),
        ("sin", False, True, 0),
        ("sin", True, True, 1),
        ("exp", True, True, 0),
    ],
)
def test_choices_cost_something_only_where_they_tell_something(
    name: str, holds: bool, outside: bool, expected: int
) -> None:
    m = Counted(arrays, **({"holds_limits": True} if holds else {}))
    x = np.array([0.5, 2.0])
    found = lanes.with_choices(m, TABLE[name], 0, lambda: x, [x], outside=outside)
    assert found.tolist() == [0.5, 2.0]
    assert m.count == expected


def test_outside_of_the_domain_a_choice_is_nan_and_at_a_limit_the_limit() -> None:
    x = np.array([-1.0, 0.0, 4.0])
    found = lanes.with_choices(arrays, TABLE["log"], 0, x, [x])
    assert np.isnan(found[:2]).all()
    assert found[2] == 4.0
    assert lanes.with_choices(arrays, TABLE["sqrt"], 0, x, [x]).tolist() == [-1.0, math.inf, 4.0]


def test_a_predicate_that_holds_of_plain_numbers_chooses_nothing() -> None:
    """As of the bounds of clip, which are no Values."""

    def slope(x: Any) -> Any:
        return autograd.grad(lambda t: autograd.clip(t, -2.0, 2.0) ** 3.0)(x)

    trace = autograd.compile(slope, backend="numpy")
    assert trace(1.5) == 6.75
    assert lanes._chosen(SimpleNamespace(), True, "x", "y") == "x"


def test_it_is_remembered_where_something_flows() -> None:
    m: Any = lanes.InLanes(arrays)
    condition = np.array([1.0, 0.0])
    number = np.array([5.0, 6.0])
    chosen = m.where(condition, 0, lambda: number)
    assert m.flowing(chosen).tolist() == [0.0, 1.0]
    nested = m.where(np.array([1.0, 1.0]), chosen, 7.0)
    assert m.flowing(nested).tolist() == [0.0, 1.0]
    assert m.flowing(m.where(condition, 2.0, number)) is None
    assert m.flowing(0) == 0.0
    assert m.flowing(number) is None


def test_a_choice_that_is_decided_is_the_branch_itself() -> None:
    builder = Builder(1)
    m: Any = lanes.InLanes(builder.m)
    x = builder.slot(0)
    assert m.where(True, x, 0) is x
    assert m.flowing(x) is None
    assert m.flowing(m.where(False, x, 0)) == 0.0


def test_an_argument_without_a_rule_has_the_partial_of_a_constant() -> None:
    x = np.array([1.0, 2.0])
    (condition, flowing), (slope, _) = lanes.partials(arrays, TABLE["clip"], x, [x, 0.0, 3.0], [1, 0])
    assert (condition, flowing) == (0, 0.0)
    assert condition.__class__ is int
    assert np.broadcast_to(slope, 2).tolist() == [1.0, 1.0]


def test_a_limit_is_differentiated_as_far_as_the_row_says() -> None:
    row = TABLE["pow"]
    limit = row.limits_of(1)[0]
    held = lanes.held(limit, row)
    assert held is lanes.held(limit, row)
    by_x, by_y = held.partials  # type: ignore[misc]
    exponents = np.array([2.0, 1.0, 0.5])
    found = by_x(arrays, 0.0, np.zeros(3), exponents)
    assert found[:2].tolist() == [0.0, -math.inf]
    assert np.isnan(found[2])
    assert by_y(arrays, 0.0, np.zeros(3), exponents) == 0
    root = autograd.grad(autograd.grad(lambda x: x**0.5))
    assert root(0.0) == -math.inf
    with pytest.raises(autograd.DomainError, match="pow has no further derivative here"):
        autograd.grad(root)(0.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_known_of_a_limit_is_chosen_in_recorded_functions(backend: str) -> None:
    mixed = autograd.compile(lambda x, y: autograd.grad(lambda x: autograd.grad(lambda y: x**y)(y))(x), backend=backend)
    assert mixed(0.0, 2.0) == 0.0
    assert mixed(0.0, 1.0) == -math.inf
    found = mixed(np.zeros(4), np.array([3.0, 1.0, 0.5, 2.0]))
    assert str(found.tolist()) == "[0.0, -inf, nan, 0.0]"
    assert mixed(2.0, 3.0) == pytest.approx(4.0 + 12.0 * math.log(2.0), rel=1e-15, abs=0.0)

"""The rules of the table for whole batches: where a rule has no value or sends nothing, each sample has its own answer.

A *lane* is one of the many numbers that stand in the place of one: a sample of a batch, or whatever a recorded program
will meet. A rule is evaluated in all lanes, so what holds in some of them alone is a choice: the limits of the row; nan
outside of the domain, where a formula such as 1/x has a value all the same; and, told apart from a number that is zero,
the literal 0 of a rule, where nothing flows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from autograd.errors import slope_failure
from autograd.number_systems import system_of
from autograd.primitives import INFINITY, TABLE, Limit, Primitive, everywhere
from autograd.rules import is_nothing

_NAN = float("nan")


class InLanes:
    """A number system of many lanes that remembers its choices: so it is known in which lanes a rule comes to a
    literal 0."""

    def __init__(self, m: Any) -> None:
        self._m = m
        self._flowing: list[tuple[Any, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._m, name)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """The choice of the system itself."""
        m = self._m
        outcomes = [branch() if callable(branch) else branch for branch in (x, y)]
        chosen = m.where(condition, *outcomes)
        flowing = [self.flowing(outcome) for outcome in outcomes]
        if any(lanes is not None for lanes in flowing) and not any(chosen is outcome for outcome in outcomes):
            lanes = m.where(condition, *[1.0 if lane is None else lane for lane in flowing])
            self._flowing.append((chosen, lanes))
        return chosen

    def flowing(self, partial: Any) -> Any:
        """1.0 in the lanes in which something flows through a partial and 0.0 in the others; ``None``: in all."""
        if is_nothing(partial):
            return 0.0
        return next((lanes for chosen, lanes in self._flowing if chosen is partial), None)


def partials(
    m: Any, primitive: Primitive, z: Any, operands: Sequence[Any], wanted: Iterable[int]
) -> list[tuple[Any, Any]]:
    """∂z/∂operand for each wanted argument, with the lanes in which something flows, as ``InLanes`` has them."""
    watched = InLanes(m)
    if callable(primitive.partials):
        every = primitive.partials(watched, z, list(operands))
        return [(every[i], watched.flowing(every[i])) for i in wanted]
    found = []
    for i in wanted:
        rule = primitive.rule(i, m, operands)
        partial: Any = 0 if rule is None else rule(watched, z, *operands)
        flowing = watched.flowing(partial)
        if not is_nothing(partial):
            outside = not hasattr(m, "slopes") or has_finite_slopes_outside(primitive, i)
            partial = with_choices(m, primitive, i, partial, operands, outside=outside)
        found.append((partial, flowing))
    return found


def with_choices(
    m: Any, primitive: Primitive, argument: int, partial: Any, operands: Sequence[Any], *, outside: bool = True
) -> Any:
    """A partial, or a function that returns it, or what holds in its place: limits, and nan outside of the domain.

    Args:
        outside: whether that too is looked after.
    """
    choices = _choices(primitive, argument)
    if getattr(m, "holds_limits", False):  # IEEE arithmetic yields no derivative of a limit
        choices = choices._replace(limits=primitive.limits_of(argument), outside=primitive.domain is not everywhere)
    found = partial
    if outside and choices.outside:
        inside = _asked(m, primitive.domain, operands)
        found = _chosen(m, inside, found, at_limit(m, Limit(argument, everywhere, _NAN), primitive, operands))
    found = _limited(m, choices.limits, primitive, operands, found)
    return found() if callable(found) else found


def _limited(m: Any, limits: Iterable[Limit], primitive: Primitive, operands: Sequence[Any], found: Any) -> Any:
    """Limits where they hold, elsewhere what is found; or a function that returns it."""
    for limit in limits:
        at = _asked(m, limit.at, operands)
        if at is not False:
            found = _chosen(m, at, at_limit(m, limit, primitive, operands), found)
    return found


def _asked(m: Any, predicate: Callable[..., Any], operands: Sequence[Any]) -> Any:
    return m.asked(predicate, operands) if hasattr(m, "asked") else predicate(*operands)


def _chosen(m: Any, condition: Any, x: Any, y: Any) -> Any:
    if condition is True:
        return x
    where = getattr(m, "choose", m.where)  # not one that decides at once
    return lambda: where(condition, x, y)


def at_limit(m: Any, limit: Limit, primitive: Primitive, operands: Sequence[Any]) -> Any:
    """A limit as a number; in a system that differentiates again, one that refuses where nothing is known of it."""
    return m.held(limit, primitive, operands) if hasattr(m, "held") else m.limit(limit.value, primitive, operands)


@lru_cache(256)  # two recordings of a function are compared, so a limit is the same primitive in both
def held(limit: Limit, primitive: Primitive) -> Primitive:
    """A limit as a function of the operands, which is differentiated as far as the row says how."""

    def rule(argument: int) -> Callable[..., Any]:
        known = [slope for slope in limit.slopes if slope.argument == argument]

        def slope_of_it(m: Any, z: Any, *operands: Any) -> Any:
            if m.LANES:
                nothing_is_known = Limit(argument, everywhere, _NAN)
                found = _limited(m, known, primitive, operands, at_limit(m, nothing_is_known, primitive, operands))
                return found() if callable(found) else found
            for slope in known:
                if slope.at(*map(m.plain, operands)):
                    return at_limit(m, slope, primitive, operands)
            raise slope_failure(primitive, argument, operands, of_limit=True)

        return (lambda m, z, *operands: 0) if argument in limit.constant_in else slope_of_it

    return Primitive(
        "limit",
        tuple(map(rule, range(primitive.arity))),
        built_in=False,
        formula=lambda m, *operands: m.number(limit.value),
    )


#: The share of an infinity among equal ones: a limit, and a row that says whose.
SHARE_OF_INFINITY = (
    Limit(0, everywhere, 1.0),
    TABLE["logsumexp"]._replace(partials=(None,), arguments=("x",)),
)


class _Choices(NamedTuple):
    """What IEEE arithmetic does not yield by itself when it evaluates a rule: limits, and nan outside of the domain."""

    limits: tuple[Limit, ...]
    outside: bool
    #: Whether a number that IEEE arithmetic yields there is finite: no infinity tells that something is wrong.
    finite_outside: bool


#: Within, at the ends of and outside of domains: as few as tell what many more would.
CANDIDATES = (-0.0, 0.25, 2.0, -2.0)
_KNOWN: dict[tuple[Primitive, int], _Choices] = {}


def has_slopes_outside(primitive: Primitive) -> bool:
    """Whether some rule of a primitive has a value outside of the domain.

    >>> from autograd.primitives import TABLE
    >>> has_slopes_outside(TABLE["log"]), has_slopes_outside(TABLE["sqrt"])
    (True, False)
    """
    rules = primitive.partials
    if callable(rules):
        return False
    return any(rule is not None and _choices(primitive, i).outside for i, rule in enumerate(rules))


def has_finite_slopes_outside(primitive: Primitive, argument: int) -> bool:
    """The same of the rule for an argument, if infinities count as none.

    >>> from autograd.primitives import TABLE
    >>> has_finite_slopes_outside(TABLE["log"], 0), has_finite_slopes_outside(TABLE["div"], 0)
    (True, False)
    """
    return _choices(primitive, argument).finite_outside


def _choices(primitive: Primitive, argument: int) -> _Choices:
    """What has to be chosen; found out once for each row of the table."""
    limits = primitive.limits_of(argument)
    if not primitive.built_in:
        return _Choices(limits, *2 * (primitive.domain is not everywhere,))
    if not limits and primitive.domain is everywhere:
        return _Choices((), False, False)
    known = _KNOWN.get((primitive, argument))
    if known is None:
        m: Any = system_of("arrays")
        points = zip(*itertools.product(CANDIDATES, repeat=primitive.arity), strict=True)
        operands = [m.number(numbers) for numbers in points]
        rule = primitive.rule(argument, m, operands)
        assert rule is not None
        with m.computing():
            z = getattr(m, primitive.name)(*operands)
            partial = rule(m, z, *operands)
        needed = [limit for limit in limits if (limit.at(*operands) & (partial != limit.value)).any()]
        outside = m.where(primitive.domain(*operands), _NAN, _NAN if is_nothing(partial) else partial)
        is_finite = m.less(m.abs(outside), INFINITY)
        known = _Choices(tuple(needed), bool((outside == outside).any()), bool(is_finite.any()))
        _KNOWN[primitive, argument] = known
    return known

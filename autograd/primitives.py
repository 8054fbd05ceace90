"""The table of primitives: one row each, and nothing else knows their mathematics.

A primitive is a function whose derivative is known: its row says what it computes, one partial derivative per argument,
and where these hold. A rule is written once, over any number system ``m``, with ``z`` for the output, ``x`` and ``y``
for the inputs; it holds integer literals and ``m.pi`` only, because a float literal would spoil fractions and
mathematics. Everything that differentiates, checks, draws or compiles loops over this table, so that a row is all there
is to a primitive, and nobody lists them a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from autograd import rules
from autograd.rules import INFINITY as INFINITY
from autograd.rules import Rule as Rule

Example = tuple[tuple[float, ...], float]
#: The fixed point of Klambauer et al. (2017), "Self-normalizing neural networks", equation 14.
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


def everywhere(*_: Any) -> Any:
    """True: the domain of a primitive that is defined for all numbers."""
    return True


def nowhere(*_: Any) -> Any:
    """False: the kinks of a primitive that has none."""
    return False


class Limit(NamedTuple):
    """What a partial tends to where its rule cannot be evaluated, an end point of the domain or a kink; in which
    arguments it is constant there, and what its own partials tend to, so that it can be differentiated again."""

    argument: int
    at: Callable[..., Any]
    value: float
    constant_in: tuple[int, ...] = ()
    slopes: tuple[Limit, ...] = ()


class Primitive(NamedTuple):
    """One row: a function that the engine can differentiate.

    ``partials`` holds one rule ``(m, z, x, y, …)`` per argument, and ``None`` for an argument that has no derivative (a
    condition, a slope, a bound). A row of any number of arguments gives one rule ``(m, z, xs)`` for all partials
    instead. Where a rule comes to the literal 0 nothing flows, not even 0·∞.
    """

    name: str
    partials: tuple[Rule | None, ...] | Rule
    #: What it computes, in one line, for the documentation.
    summary: str = ""
    #: ``(arguments, value to six digits)``, for the documentation.
    example: Example | None = None
    #: Where the value is defined, over all arguments; in words, and what to use instead.
    domain: Callable[..., Any] = everywhere
    needs: str = ""
    remedy: str = ""
    #: Where each partial is defined, if that is less than the domain (``None``: the same).
    partial_domains: tuple[Callable[..., Any] | None, ...] = ()
    limits: tuple[Limit, ...] = ()
    #: Where the function is continuous without a derivative, or jumps; the rule states the convention there.
    kinks: Callable[..., Any] = nowhere
    #: How it is drawn; an infix symbol for operators.
    symbol: str = ""
    #: The name of LaTeX's command for it, where there is one: "arcsin".
    latex: str = ""
    aliases: tuple[str, ...] = ()
    #: The names of the arguments; of a row with any number of them, the name of the list.
    arguments: tuple[str, ...] = ("x", "y")
    #: A comparison: it yields a truth value and has no derivative at all.
    compares: bool = False
    #: Its formula in other primitives, ``(m, x, …) -> number``, or ``(m, xs)`` of a row of any number of arguments:
    #: what it means, for pictures and derivations, and what a number system without a function of this name runs.
    #: ``None`` for an elementary one; there is always one where ``built_in`` is false.
    formula: Any = None
    #: The same in a form that neither overflows nor loses digits, if ``formula`` does: what a number system runs whose
    #: numbers are rounded.
    stable: Any = None
    #: The special method that Python's operator calls, without its underscores: "add" of ``x + y``.
    operator: str = ""
    #: Whether a Value has it as a method, if all its arguments have a derivative and they are one or two.
    method: bool = True
    #: What the last arguments are unless told.
    defaults: tuple[float, ...] = ()
    #: The partials as textbooks write them, where ``partials`` have others that keep their digits: what is run over
    #: formulas.
    written: tuple[Rule | None, ...] = ()
    #: Whether the value jumps at its kinks; the kinks of all others are corners.
    jumps: bool = False
    #: Whether x∘y is y∘x, to the last bit.
    commutes: bool = False
    #: Whether x∘x is x; of a choice, whether it is x where it chooses between x and x.
    idempotent: bool = False
    #: Per operand of two, the number that leaves the other as it is, bit for bit; ``None`` where there is none.
    neutral: tuple[float | None, ...] = ()
    #: Other laws, ``(m, x, …) -> number``, over numbers of which some are known beforehand: the same number, made in a
    #: simpler way, bit for bit (of a power, to 2 units in the last place); ``None`` where there is none. Besides making
    #: numbers (``m.sub(x, y)``, ``m.number(1)``) ``m`` tells what is known: ``m.known(x)`` is the float that x is,
    #: ``m.negated(x)`` the number whose negative x is, both ``None`` where it is not known; ``m.is_truth(x)`` says
    #: whether x is the outcome of comparisons, 1 or 0.
    simplifies: Rule | None = None
    #: Whether its value is never -0.0.
    never_minus_zero: bool = False
    #: Whether it stands in the table; a user's own is known by ``origin``.
    built_in: bool = True
    #: For a primitive that is not built in: the number systems its ``formula`` works in (``None``: all).
    systems: tuple[str, ...] | None = None
    #: How a primitive that is not built in is found again: ``module:qualified.name``.
    origin: str = ""

    @property
    def is_loop(self) -> bool:
        """Whether it is a loop that is recorded as a whole, or a number that comes out of one."""
        return False

    @property
    def n_ary(self) -> bool:
        """True for a row that takes any number of arguments."""
        return callable(self.partials)

    @property
    def constants(self) -> tuple[str, ...]:
        """The names of the arguments without a derivative."""
        partials = () if callable(self.partials) else self.partials
        return tuple([name for name, rule in zip(self.arguments, partials, strict=False) if rule is None])

    @property
    def arity(self) -> int:
        """The number of arguments of a row that is not n-ary."""
        return -1 if callable(self.partials) else len(self.partials)

    def rule(self, argument: int, m: Any, operands: Iterable[Any]) -> Rule | None:
        """The partial by an argument, for operands of a number system; not of a row of any number of arguments."""
        assert not callable(self.partials)
        are_written = self.written and hasattr(m, "is_formula") and m.is_formula(*operands)
        return (self.written if are_written else self.partials)[argument]

    def limits_of(self, argument: int) -> tuple[Limit, ...]:
        """The limits of the partial by an argument."""
        return tuple([limit for limit in self.limits if limit.argument == argument])

    def partial_domain(self, argument: int) -> Callable[..., Any]:
        """Where the partial with respect to an argument is defined."""
        own = self.partial_domains[argument] if argument < len(self.partial_domains) else None
        return own or self.domain

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> Any:
        if not self.built_in and not self.origin:
            from pickle import PicklingError

            raise PicklingError(f"a graph with the node {self.name!r} cannot be pickled: it lives inside a derivative")
        return _find, (self.name if self.built_in else self.origin,)


# A row is known by identity, whatever it holds; that also makes it a fast key.
Primitive.__eq__ = object.__eq__  # type: ignore[method-assign]
Primitive.__hash__ = object.__hash__  # type: ignore[method-assign]


def find(name: str) -> Primitive:
    """The built-in primitive of that name or alias.

    >>> find("arctan")
    <primitive atan>

    Raises:
        KeyError: no such primitive; the message lists near names.
    """
    row = TABLE.get(ALIASES.get(name, name))
    if row is None:
        import difflib

        near = difflib.get_close_matches(name, [*TABLE, *ALIASES], n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(TABLE)}"
        raise KeyError(f"no primitive is called {name!r:.60}{hint}")
    return row


def _find(key: str) -> Primitive:
    """What a pickled primitive becomes: a row by its name, a user's by ``module:qualified.name``."""
    if ":" not in key:
        return find(key)
    import importlib
    from operator import attrgetter

    module, _, qualified = key.partition(":")
    function = attrgetter(qualified)(importlib.import_module(module))
    primitive = function.primitive
    if not isinstance(primitive, Primitive):
        raise TypeError(f"{key} is no longer a primitive")
    return primitive


_NOT_BOTH_ZERO = lambda x, y: (x != 0) | (y != 0)  # noqa: E731 - rules and predicates are one-line data


def _finite(name: str, partial: Rule, summary: str, value_at_one: float, **more: Any) -> Primitive:
    """A row that needs a finite argument."""
    return Primitive(
        name,
        (partial,),
        summary,
        ((1.0,), value_at_one),
        domain=lambda x: abs(x) < INFINITY,
        needs="a finite argument",
        remedy="Find where the infinity was born.",
        **more,
    )


def _logarithm(name: str, partial: Rule, summary: str, example: Example, **more: Any) -> Primitive:
    """A row that needs a positive argument."""
    return Primitive(
        name,
        (partial,),
        summary,
        example,
        domain=lambda x: x > 0,
        needs="a positive argument",
        remedy="Use log1p, clip or where.",
        **more,
    )


def _inverse_on_the_unit_interval(
    name: str, partial: Rule, summary: str, value_at_half: float, slope_at_the_ends: float, alias: str, **more: Any
) -> Primitive:
    """A row that needs an argument between -1 and 1, with an infinite slope at both."""
    return Primitive(
        name,
        (partial,),
        summary,
        ((0.5,), value_at_half),
        domain=lambda x: abs(x) <= 1,
        needs="an argument between -1 and 1",
        remedy="Use clip.",
        partial_domains=(lambda x: abs(x) < 1,),
        limits=(
            Limit(0, lambda x: x == 1, slope_at_the_ends, slopes=(Limit(0, everywhere, slope_at_the_ends),)),
            Limit(0, lambda x: x == -1, slope_at_the_ends, slopes=(Limit(0, everywhere, -slope_at_the_ends),)),
        ),
        latex=alias,
        aliases=(alias,),
        **more,
    )


_ROWS: tuple[Primitive, ...] = (
    # arithmetic
    Primitive(
        "add",
        (lambda m, z, x, y: 1, lambda m, z, x, y: 1),
        "x + y",
        ((2.0, 3.0), 5.0),
        symbol="+",
        operator="add",
        method=False,
        commutes=True,
        neutral=(-0.0, -0.0),
        simplifies=rules.simpler_sum,
    ),
    Primitive(
        "sub",
        (lambda m, z, x, y: 1, lambda m, z, x, y: -1),
        "x - y",
        ((2.0, 3.0), -1.0),
        symbol="-",
        operator="sub",
        method=False,
        neutral=(None, 0.0),
        simplifies=rules.simpler_difference,
    ),
    Primitive(
        "mul",
        (lambda m, z, x, y: y, lambda m, z, x, y: x),
        "x · y",
        ((2.0, 3.0), 6.0),
        symbol="*",
        operator="mul",
        method=False,
        commutes=True,
        neutral=(1.0, 1.0),
        simplifies=rules.simpler_product,
    ),
    Primitive(
        "div",
        (lambda m, z, x, y: 1 / y, lambda m, z, x, y: -z / y),
        "x / y",
        ((3.0, 4.0), 0.75),
        domain=lambda x, y: y != 0,
        needs="a divisor other than zero",
        remedy="Use where.",
        symbol="/",
        operator="truediv",
        method=False,
        neutral=(None, 1.0),
        simplifies=rules.simpler_quotient,
    ),
    Primitive(
        "neg",
        (lambda m, z, x: -1,),
        "-x",
        ((2.0,), -2.0),
        symbol="-",
        operator="neg",
        method=False,
        simplifies=lambda m, x: m.negated(x),
    ),
    Primitive(
        "pow",
        (rules.slope_of_pow, lambda m, z, x, y: z * m.log(x)),
        "x to the power y, a real number",
        ((2.0, 3.0), 8.0),
        domain=lambda x, y: (
            (x > 0)
            | ((x == 0) & ((y >= 0) | (y == -INFINITY)))
            | ((x < 0) & ((y % 1 == 0) | (abs(y) == INFINITY) | (x == -INFINITY)))
        ),
        needs="a positive base, or zero with an exponent ≥ 0, or a negative one with an integer exponent",
        remedy="Use cbrt, square, abs or where.",
        partial_domains=(
            lambda x, y: (x > 0) | ((x == 0) & ((y == 0) | (y >= 1))) | ((x < 0) & (y % 1 == 0)),
            lambda x, y: (x > 0) | ((x == 0) & (y > 0)),
        ),
        limits=(
            Limit(0, lambda x, y: (x == 0) & (y == 0), 0.0, constant_in=(0,)),
            Limit(0, lambda x, y: (x == 0) & (y > 0) & (y < 1), INFINITY, slopes=(Limit(0, everywhere, -INFINITY),)),
            Limit(
                1,
                lambda x, y: (x == 0) & (y > 0),
                0.0,
                constant_in=(1,),
                slopes=(
                    Limit(0, lambda x, y: y > 1, 0.0, constant_in=(1,)),
                    Limit(0, lambda x, y: y == 1, -INFINITY),
                ),
            ),
            Limit(1, lambda x, y: (x == 0) & (y == 0), -INFINITY),
        ),
        symbol="**",
        operator="pow",
        method=False,
        neutral=(None, 1.0),
        simplifies=rules.simpler_power,
        written=(lambda m, z, x, y: y * m.pow(x, y - 1), lambda m, z, x, y: z * m.log(x)),
    ),
    Primitive(
        "mod",
        (lambda m, z, x, y: 1, lambda m, z, x, y: -m.floor_divide(x, y)),
        "x - y·⌊x / y⌋, the remainder, which has the sign of y, as Python's x % y",
        ((-7.0, 3.0), 2.0),
        domain=lambda x, y: (y != 0) & (abs(x) < INFINITY),
        needs="a divisor other than zero, and a finite dividend",
        remedy="Use where.",
        kinks=lambda x, y: x % y == 0,
        jumps=True,
        symbol="%",
        operator="mod",
        method=False,
        formula=lambda m, x, y: x - y * m.floor(x / y),
    ),
    Primitive(
        "floor_divide",
        (lambda m, z, x, y: 0, lambda m, z, x, y: 0),
        "⌊x / y⌋, the largest integer ≤ x / y, as Python's x // y",
        ((-7.0, 3.0), -3.0),
        domain=lambda x, y: (y != 0) & (abs(x) < INFINITY),
        needs="a divisor other than zero, and a finite dividend",
        remedy="Use where.",
        kinks=lambda x, y: x % y == 0,
        jumps=True,
        symbol="//",
        operator="floordiv",
        method=False,
        formula=lambda m, x, y: m.floor(x / y),
    ),
    # exponentials, logarithms, powers
    Primitive("exp", (lambda m, z, x: z,), "e to the power x", ((1.0,), 2.718282), latex="exp", never_minus_zero=True),
    Primitive(
        "exp2",
        (lambda m, z, x: z * m.log(m.number(2)),),
        "2 to the power x",
        ((3.0,), 8.0),
        never_minus_zero=True,
        formula=lambda m, x: m.pow(m.number(2), x),
    ),
    Primitive(
        "exp_difference",
        (lambda m, z, x, y: z, lambda m, z, x, y: -z),
        "e to the power x - y, with the digits that the difference loses",
        ((1.0, 0.5), 1.648721),
        never_minus_zero=True,
        formula=lambda m, x, y: m.exp(x - y),
        stable=rules.stable_exp_difference,
    ),
    Primitive(
        "expm1",
        (lambda m, z, x: m.exp(x),),
        "eˣ - 1, exact to the last digit near zero",
        ((1.0,), 1.718282),
        formula=lambda m, x: m.exp(x) - 1,
    ),
    _logarithm(
        "log", lambda m, z, x: 1 / x, "natural logarithm", ((2.0,), 0.693147), latex="log", never_minus_zero=True
    ),
    Primitive(
        "log1p",
        (lambda m, z, x: 1 / (1 + x),),
        "log(1 + x), exact to the last digit near zero",
        ((1.0,), 0.693147),
        domain=lambda x: x > -1,
        needs="an argument above -1",
        remedy="Use clip or where.",
        formula=lambda m, x: m.log(1 + x),
    ),
    _logarithm(
        "log2",
        lambda m, z, x: 1 / m.log(2) / x,
        "logarithm to base 2",
        ((8.0,), 3.0),
        written=(lambda m, z, x: 1 / (x * m.log(2)),),
        formula=lambda m, x: m.log(x) / m.log(m.number(2)),
        never_minus_zero=True,
    ),
    _logarithm(
        "log10",
        lambda m, z, x: 1 / m.log(10) / x,
        "logarithm to base 10",
        ((1000.0,), 3.0),
        written=(lambda m, z, x: 1 / (x * m.log(10)),),
        formula=lambda m, x: m.log(x) / m.log(m.number(10)),
        never_minus_zero=True,
    ),
    Primitive(
        "logit",
        (rules.slope_of_logit,),
        "log(x / (1 - x)), the inverse of sigmoid",
        ((0.75,), 1.098612),
        domain=lambda x: (x > 0) & (x < 1),
        needs="an argument strictly between 0 and 1",
        remedy="Use clip or where.",
        never_minus_zero=True,
        formula=lambda m, x: m.log(x / (1 - x)),
        stable=rules.stable_logit,
        written=(lambda m, z, x: 1 / x + 1 / (1 - x),),
    ),
    Primitive(
        "xlogy",
        (lambda m, z, x, y: m.log(y), lambda m, z, x, y: x / y),
        "x·log(y), and 0 where x is 0, also with y = 0",
        ((2.0, 3.0), 2.197225),
        domain=lambda x, y: (y > 0) | ((x == 0) & (y == 0)),
        needs="a positive y, or zero for both",
        remedy="Use clip or where.",
        partial_domains=(lambda x, y: y > 0, None),
        limits=(
            Limit(
                0,
                lambda x, y: (x == 0) & (y == 0),
                -INFINITY,
                constant_in=(0,),
                slopes=(Limit(1, everywhere, INFINITY),),
            ),
            Limit(1, lambda x, y: (x == 0) & (y == 0), 0.0, slopes=(Limit(0, everywhere, INFINITY),)),
        ),
        formula=lambda m, x, y: m.where(rules.is_zero(m, y), m.number(0), lambda: x * m.log(y)),
        stable=rules.stable_xlogy,
    ),
    Primitive(
        "share",
        (rules.slope_of_share, rules.other_slope_of_share),
        "x / (x + y), the share of x in the whole",
        ((1.0, 3.0), 0.25),
        domain=lambda x, y: x + y != 0,
        needs="a sum other than zero",
        remedy="Use where.",
        formula=lambda m, x, y: x / (x + y),
        stable=rules.stable_share,
        written=(lambda m, z, x, y: y / m.square(x + y), lambda m, z, x, y: -x / m.square(x + y)),
    ),
    Primitive(
        "sqrt",
        (lambda m, z, x: 1 / (2 * z),),
        "square root",
        ((2.0,), 1.414214),
        domain=lambda x: x >= 0,
        needs="an argument ≥ 0",
        remedy="Use abs, clip or where.",
        partial_domains=(lambda x: x > 0,),
        limits=(Limit(0, lambda x: x == 0, INFINITY, slopes=(Limit(0, everywhere, -INFINITY),)),),
        symbol="√",
    ),
    Primitive(
        "cbrt",
        (lambda m, z, x: 1 / (3 * z * z),),
        "cube root, of negative numbers too",
        ((-8.0,), -2.0),
        partial_domains=(lambda x: x != 0,),
        limits=(Limit(0, lambda x: x == 0, INFINITY),),
        symbol="∛",
    ),
    Primitive(
        "square",
        (lambda m, z, x: 2 * x,),
        "x²",
        ((3.0,), 9.0),
        symbol="²",
        formula=lambda m, x: x * x,
        never_minus_zero=True,
    ),
    Primitive(
        "reciprocal",
        (lambda m, z, x: -z * z,),
        "1 / x",
        ((4.0,), 0.25),
        domain=lambda x: x != 0,
        needs="an argument other than zero",
        remedy="Use where.",
        symbol="1/",
        formula=lambda m, x: 1 / x,
    ),
    # trigonometry
    _finite("sin", lambda m, z, x: m.cos(x), "sine, of radians", 0.841471, latex="sin"),
    _finite("cos", lambda m, z, x: -m.sin(x), "cosine, of radians", 0.540302, latex="cos", never_minus_zero=True),
    _finite(
        "tan",
        lambda m, z, x: 1 + m.square(z),
        "tangent, of radians",
        1.557408,
        latex="tan",
        formula=lambda m, x: m.sin(x) / m.cos(x),
    ),
    _inverse_on_the_unit_interval(
        "asin",
        lambda m, z, x: 1 / m.sqrt(rules.one_minus_square(m, x)),
        "inverse sine, in radians",
        0.523599,
        slope_at_the_ends=INFINITY,
        alias="arcsin",
        written=(lambda m, z, x: 1 / m.sqrt(1 - m.square(x)),),
    ),
    _inverse_on_the_unit_interval(
        "acos",
        lambda m, z, x: -1 / m.sqrt(rules.one_minus_square(m, x)),
        "inverse cosine, in radians",
        1.047198,
        slope_at_the_ends=-INFINITY,
        alias="arccos",
        written=(lambda m, z, x: -1 / m.sqrt(1 - m.square(x)),),
        never_minus_zero=True,
    ),
    Primitive(
        "atan",
        (rules.slope_of_atan,),
        "inverse tangent, in radians",
        ((1.0,), 0.785398),
        latex="arctan",
        aliases=("arctan",),
        written=(lambda m, z, x: 1 / (1 + m.square(x)),),
    ),
    Primitive(
        "atan2",
        (
            lambda m, z, x, y: rules.over_square(m, y, x, y),
            lambda m, z, x, y: rules.over_square(m, -x, x, y),
        ),
        "the angle of the point (y, x) in radians: `atan2(ordinate, abscissa)`",
        ((1.0, -1.0), 2.356194),
        partial_domains=(_NOT_BOTH_ZERO, _NOT_BOTH_ZERO),
        aliases=("arctan2",),
        written=(
            lambda m, z, x, y: y / m.hypot(x, y) / m.hypot(x, y),
            lambda m, z, x, y: -x / m.hypot(x, y) / m.hypot(x, y),
        ),
        # The cut along the negative abscissa: the value jumps by a full turn.
        kinks=lambda x, y: (x == 0) & (y <= 0),
        jumps=True,
    ),
    # Its slope is a difference, within 4 units in the last place of its larger term: it has fewer digits around its
    # zeros, the infinitely many solutions of tan x = x.
    Primitive(
        "sinc",
        (rules.slope_of_sinc,),
        "sin(x) / x, and 1 at zero: the spherical Bessel function j₀",
        ((1.0,), 0.841471),
        domain=lambda x: abs(x) < INFINITY,
        needs="a finite argument",
        remedy="Find where the infinity was born.",
        never_minus_zero=True,
        formula=lambda m, x: m.where(rules.is_zero(m, x), m.number(1), lambda: m.sin(x) / x),
        written=(lambda m, z, x: (m.cos(x) - z) / x,),
    ),
    Primitive(
        "sinh",
        (lambda m, z, x: m.cosh(x),),
        "hyperbolic sine",
        ((1.0,), 1.175201),
        latex="sinh",
        formula=lambda m, x: (m.exp(x) - m.exp(-x)) / 2,
    ),
    Primitive(
        "cosh",
        (lambda m, z, x: m.sinh(x),),
        "hyperbolic cosine",
        ((1.0,), 1.543081),
        latex="cosh",
        formula=lambda m, x: (m.exp(x) + m.exp(-x)) / 2,
        never_minus_zero=True,
    ),
    Primitive(
        "tanh",
        (lambda m, z, x: m.sech2(x),),
        "hyperbolic tangent",
        ((0.5,), 0.462117),
        latex="tanh",
        formula=lambda m, x: (m.exp(2 * x) - 1) / (m.exp(2 * x) + 1),
        written=(lambda m, z, x: 1 - z * z,),
    ),
    Primitive(
        "sech2",
        (lambda m, z, x: -2 * z * m.tanh(x),),
        "1 / cosh² x, the slope of tanh, with all its digits where that is flat",
        ((1.0,), 0.419974),
        symbol="sech²",
        formula=lambda m, x: 1 / m.square(m.cosh(x)),
        stable=rules.stable_sech2,
        never_minus_zero=True,
    ),
    Primitive(
        "asinh",
        (lambda m, z, x: 1 / m.hypot(x, 1),),
        "inverse hyperbolic sine",
        ((1.0,), 0.881374),
        aliases=("arcsinh",),
    ),
    Primitive(
        "acosh",
        (lambda m, z, x: 1 / (m.sqrt(x - 1) * m.sqrt(x + 1)),),
        "inverse hyperbolic cosine",
        ((2.0,), 1.316958),
        domain=lambda x: x >= 1,
        needs="an argument ≥ 1",
        remedy="Use clip or where.",
        partial_domains=(lambda x: x > 1,),
        limits=(Limit(0, lambda x: x == 1, INFINITY, slopes=(Limit(0, everywhere, -INFINITY),)),),
        aliases=("arccosh",),
        never_minus_zero=True,
    ),
    Primitive(
        "atanh",
        (lambda m, z, x: 1 / rules.one_minus_square(m, x),),
        "inverse hyperbolic tangent",
        ((0.5,), 0.549306),
        domain=lambda x: abs(x) < 1,
        needs="an argument strictly between -1 and 1",
        remedy="Use clip.",
        aliases=("arctanh",),
        written=(lambda m, z, x: 1 / (1 - m.square(x)),),
    ),
    Primitive(
        "erf",
        (rules.slope_of_erf,),
        "error function",
        ((0.5,), 0.5205),
        written=(lambda m, z, x: 2 * m.exp(-m.square(x)) / m.sqrt(m.pi),),
    ),
    Primitive(
        "erfc",
        (lambda m, z, x: -rules.slope_of_erf(m, z, x),),
        "1 - erf(x), without cancellation",
        ((0.5,), 0.4795),
        written=(lambda m, z, x: -2 * m.exp(-m.square(x)) / m.sqrt(m.pi),),
        never_minus_zero=True,
    ),
    Primitive(
        "hypot",
        (lambda m, z, x, y: x / z, lambda m, z, x, y: y / z),
        "√(x² + y²), without overflow",
        ((3.0, 4.0), 5.0),
        partial_domains=(_NOT_BOTH_ZERO, _NOT_BOTH_ZERO),
        # Where z is subnormal, slopes have as few digits as it. A cone's tip; zero is the subgradient of smallest
        # length, as for abs.
        limits=(Limit(0, lambda x, y: (x == 0) & (y == 0), 0.0), Limit(1, lambda x, y: (x == 0) & (y == 0), 0.0)),
        kinks=lambda x, y: (x == 0) & (y == 0),
        formula=lambda m, x, y: m.sqrt(x * x + y * y),
        commutes=True,
        never_minus_zero=True,
    ),
    # piecewise
    Primitive(
        "abs",
        (lambda m, z, x: m.sign(x),),
        "absolute value",
        ((-2.0,), 2.0),
        operator="abs",
        kinks=lambda x: x == 0,
        aliases=("absolute",),
        never_minus_zero=True,
    ),
    Primitive(
        "sign",
        (lambda m, z, x: 0,),
        "-1, 0 or 1",
        ((-2.0,), -1.0),
        kinks=lambda x: x == 0,
        jumps=True,
        never_minus_zero=True,
    ),
    Primitive(
        "maximum",
        (rules.maximum_rule("greater", 0), rules.maximum_rule("greater", 1)),
        "the larger of two; a tie gives one half of the derivative to each",
        ((2.0, 3.0), 3.0),
        kinks=lambda x, y: x == y,
        symbol="max",
        latex="max",
        idempotent=True,
        neutral=(-INFINITY, -INFINITY),
        simplifies=rules.simpler_of_truths(0),
    ),
    Primitive(
        "minimum",
        (rules.maximum_rule("less", 0), rules.maximum_rule("less", 1)),
        "the smaller of two; a tie gives one half of the derivative to each",
        ((2.0, 3.0), 2.0),
        kinks=lambda x, y: x == y,
        symbol="min",
        latex="min",
        idempotent=True,
        neutral=(INFINITY, INFINITY),
        simplifies=rules.simpler_of_truths(1),
    ),
    Primitive(
        "where",
        (None, lambda m, z, c, x, y: m.where(c, 1, 0), lambda m, z, c, x, y: m.where(c, 0, 1)),
        "x if the condition holds, else y",
        arguments=("condition", "x", "y"),
        idempotent=True,
        simplifies=rules.simpler_choice,
    ),
    Primitive(
        "clip",
        (lambda m, z, x, low, high: m.where(m.less(x, low), 0, lambda: m.where(m.greater(x, high), 0, 1)), None, None),
        "x held between two constants; the slope is 1 on the closed interval",
        ((2.0, 0.0, 1.0), 1.0),
        domain=lambda x, low, high: low <= high,
        needs="low ≤ high",
        remedy="Swap the bounds.",
        kinks=lambda x, low, high: (x == low) | (x == high),
        arguments=("x", "low", "high"),
        formula=lambda m, x, low, high: m.where(m.less(x, low), low, lambda: m.where(m.greater(x, high), high, x)),
    ),
    Primitive(
        "floor",
        (lambda m, z, x: 0,),
        "the largest integer ≤ x",
        ((-1.5,), -2.0),
        operator="floor",
        kinks=lambda x: x % 1 == 0,
        jumps=True,
    ),
    Primitive(
        "ceil",
        (lambda m, z, x: 0,),
        "the smallest integer ≥ x",
        ((-1.5,), -1.0),
        operator="ceil",
        kinks=lambda x: x % 1 == 0,
        jumps=True,
    ),
    Primitive(
        "rint",
        (lambda m, z, x: 0,),
        "the integer nearest to x; of two, the even one",
        ((2.5,), 2.0),
        kinks=lambda x: 2 * x % 2 == 1,
        jumps=True,
        aliases=("round",),
        formula=rules.nearest_integer,
    ),
    # activations
    Primitive(
        "relu",
        (lambda m, z, x: m.where(m.greater(x, 0), 1, 0),),
        "max(0, x)",
        ((-2.0,), 0.0),
        kinks=lambda x: x == 0,
        never_minus_zero=True,
        formula=lambda m, x: m.where(m.less_equal(x, 0), m.number(0), x),
    ),
    Primitive(
        "leaky_relu",
        (lambda m, z, x, slope: m.where(m.greater(x, 0), 1, slope), None),
        "x, or slope·x below zero",
        ((-2.0, 0.01), -0.02),
        kinks=lambda x, slope: x == 0,
        arguments=("x", "slope"),
        defaults=(0.01,),
        formula=lambda m, x, slope: m.where(m.greater(x, 0), x, slope * x),
    ),
    Primitive(
        "elu",
        (lambda m, z, x, alpha: m.where(m.greater(x, 0), 1, lambda: alpha * m.exp(x)), None),
        "x, or alpha·(eˣ - 1) below zero",
        ((-1.0, 1.0), -0.632121),
        kinks=lambda x, alpha: (x == 0) & (alpha != 1),
        arguments=("x", "alpha"),
        defaults=(1.0,),
        formula=lambda m, x, alpha: m.where(m.greater(x, 0), x, lambda: alpha * m.expm1(x)),
    ),
    Primitive(
        "selu",
        (lambda m, z, x, scale, alpha: m.where(m.greater(x, 0), scale, lambda: scale * alpha * m.exp(x)), None, None),
        "scale·elu(x, alpha), self-normalising (Klambauer et al., 2017)",
        ((-1.0, SELU_SCALE, SELU_ALPHA), -1.111331),
        kinks=lambda x, scale, alpha: x == 0,
        arguments=("x", "scale", "alpha"),
        defaults=(SELU_SCALE, SELU_ALPHA),
        formula=lambda m, x, scale, alpha: scale * m.elu(x, alpha),
        stable=rules.stable_selu,
    ),
    Primitive(
        "gelu",
        (rules.slope_of_gelu,),
        "x·Φ(x), with the normal distribution function, exact (Hendrycks and Gimpel, 2016)",
        ((1.0,), 0.841345),
        formula=rules.formula_of_gelu,
        stable=lambda m, x: rules.above_minus_infinity(m, x, lambda: rules.formula_of_gelu(m, x)),
        written=(rules.written_slope_of_gelu,),
    ),
    Primitive(
        "softsign",
        (lambda m, z, x: m.square(1 / (1 + m.abs(x))),),
        "x / (1 + |x|)",
        ((1.0,), 0.5),
        formula=lambda m, x: x / (1 + m.abs(x)),
        stable=lambda m, x: m.where(m.less(m.abs(x), INFINITY), lambda: x / (1 + m.abs(x)), lambda: m.sign(x)),
    ),
    Primitive(
        "silu",
        (rules.slope_of_silu,),
        "x·sigmoid(x), also called swish",
        ((1.0,), 0.731059),
        aliases=("swish",),
        formula=lambda m, x: x * m.sigmoid(x),
        stable=lambda m, x: rules.decaying(m, x, lambda: x * m.sigmoid(x)),
        written=(lambda m, z, x: m.sigmoid(x) + z * m.sigmoid(-x),),
    ),
    Primitive(
        "mish",
        (rules.slope_of_mish,),
        "x·tanh(softplus(x)) (Misra, 2019)",
        ((1.0,), 0.865098),
        formula=lambda m, x: x * m.tanh(m.softplus(x)),
        stable=lambda m, x: rules.decaying(m, x, lambda: x * m.tanh(m.softplus(x))),
        written=(rules.written_slope_of_mish,),
    ),
    Primitive(
        "softplus",
        (lambda m, z, x: m.sigmoid(x),),
        "log(1 + eˣ), without overflow",
        ((1.0,), 1.313262),
        formula=lambda m, x: m.log(1 + m.exp(x)),
        stable=rules.stable_softplus,
        never_minus_zero=True,
    ),
    # Its second derivative is a difference, within 4 units in the last place of the slope: that is, near 0 it has as
    # few digits as it is smaller.
    Primitive(
        "sigmoid",
        (lambda m, z, x: z * m.sigmoid(-x),),
        "1 / (1 + e⁻ˣ)",
        ((0.5,), 0.622459),
        symbol="σ",
        formula=lambda m, x: 1 / (1 + m.exp(-x)),
        stable=rules.stable_sigmoid,
        never_minus_zero=True,
        written=(lambda m, z, x: z * (1 - z),),
    ),
    Primitive(
        "log_sigmoid",
        (lambda m, z, x: m.sigmoid(-x),),
        "log(sigmoid(x)), without overflow",
        ((0.5,), -0.474077),
        formula=lambda m, x: -m.softplus(-x),
    ),
    # of many numbers
    Primitive(
        "sum",
        lambda m, z, xs: [1] * len(xs),
        "the sum, left to right",
        symbol="Σ",
        arguments=("xs",),
        formula=lambda m, xs: rules.added(xs),
    ),
    Primitive(
        "prod",
        rules.products_of_the_others,
        "the product, left to right",
        symbol="Π",
        arguments=("xs",),
        formula=lambda m, xs: rules.left_to_right(xs, lambda x, y: x * y),
    ),
    Primitive(
        "mean",
        lambda m, z, xs: [m.number(1) / len(xs)] * len(xs),
        "the arithmetic mean",
        arguments=("xs",),
        formula=lambda m, xs: rules.added(xs) / len(xs),
    ),
    Primitive(
        "dot",
        rules.dot_partials,
        "x₁y₁ + … + xₙyₙ, left to right, after a start if there is one",
        symbol="·",
        arguments=("xs",),
        formula=rules.dot_formula,
    ),
    Primitive(
        "logsumexp",
        rules.softmax,
        "log(eˣ¹ + … + eˣⁿ), without overflow; where it is infinite, the largest numbers share the slope equally",
        arguments=("xs",),
        formula=lambda m, xs: m.log(rules.added([m.exp(x) for x in xs])),
        stable=rules.stable_logsumexp,
    ),
    # structure
    Primitive(
        "identity", (lambda m, z, x: 1,), "x itself, as a node of its own", ((2.0,), 2.0), symbol="=", method=False
    ),
    Primitive("detach", (None,), "x itself, as a constant: nothing flows back through it", ((2.0,), 2.0)),
    # comparisons
    Primitive("less", (None, None), "x < y", symbol="<", operator="lt", compares=True, never_minus_zero=True),
    Primitive("less_equal", (None, None), "x ≤ y", symbol="<=", operator="le", compares=True, never_minus_zero=True),
    Primitive("greater", (None, None), "x > y", symbol=">", operator="gt", compares=True, never_minus_zero=True),
    Primitive("greater_equal", (None, None), "x ≥ y", symbol=">=", operator="ge", compares=True, never_minus_zero=True),
)


TABLE: Mapping[str, Primitive] = MappingProxyType({row.name: row for row in _ROWS})
ALIASES: Mapping[str, str] = MappingProxyType({alias: row.name for row in _ROWS for alias in row.aliases})

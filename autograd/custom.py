"""``primitive``: a user's own primitive, declared in one place and from then on like a built-in one; and ``node``: a
single node whose number and slopes are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import update_wrapper
from typing import Any, Never

from autograd.eager import watching
from autograd.eager.operands import in_short, kind_of, plain
from autograd.errors import RecordingError, UnknownSlope
from autograd.number_systems import SYSTEMS
from autograd.number_systems.source import Text, Writer
from autograd.primitives import ALIASES, TABLE, Limit, Primitive, Rule, everywhere, nowhere
from autograd.value import Value, maker, node_of


class DeclarationError(TypeError):
    """A primitive was declared wrongly; the message says what is missing or does not fit."""


# More than 60 lines: a decorator is a function in a function, and its options want their words.
def primitive(
    *,
    partials: Sequence[Rule | None],
    domain: Callable[..., Any] = everywhere,
    needs: str = "",
    remedy: str = "",
    kinks: Callable[..., Any] = nowhere,
    limits: Sequence[Limit] = (),
    symbol: str = "",
    systems: Sequence[str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that makes a primitive of ``f(m, x, …)``, where ``m`` is the number system.

    The function that comes back takes Values and plain numbers, as ``autograd.tanh`` does; derivatives of any order,
    other number systems, checks and pictures work as for the built-in ones. ``f``, rules and predicates depend on their
    arguments and on nothing else, and leave nothing behind: a compiled function runs what they write, not them.

    >>> @primitive(partials=[lambda m, z, x: m.exp(-x * x) * (1 - 2 * x * x)])
    ... def bump(m, x):
    ...     return x * m.exp(-x * x)
    >>> x = Value(1.0)
    >>> bump(x).backward()
    >>> round(x.grad, 6)
    -0.367879

    Args:
        partials: one rule ``(m, z, x, …)`` per argument, with ``z`` the result; ``None`` for an argument without a
            derivative, a constant. Rules use operators and ``m``'s functions (``m.where`` in place of ``if``).
        domain: a predicate over the arguments, plain floats; outside it the call raises ``DomainError``. A compiled
            function asks it of many samples, so it needs ``&`` and ``|`` in place of ``and`` and ``or``, and gives nan.
        needs, remedy: the words of that error: "a positive argument", "Use clip.".
        kinks: a predicate: where the function has no derivative and the rule states a convention.
        limits: what a partial tends to where its rule cannot be computed.
        symbol: how it is drawn; its name unless told.
        systems: the number systems ``f`` works in, such as ``("floats",)`` for one that uses ``math``; all unless told.

    Raises:
        DeclarationError: a partial is missing or has the wrong arguments, a rule or ``f`` cannot be run, the name
            is taken, an option is not what it must be.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        names = _argument_names(function)
        _check_options(function.__name__, names, domain, kinks, limits, symbol, systems)
        rules = _checked_rules(function, names, partials)
        row = Primitive(
            function.__name__,
            rules,
            summary=(function.__doc__ or "").strip().partition("\n")[0],
            domain=domain,
            needs=needs,
            remedy=remedy,
            limits=tuple(limits),
            kinks=kinks,
            jumps=kinks is not nowhere,  # it may
            symbol=symbol or function.__name__,
            arguments=names,
            built_in=False,
            formula=function,
            systems=None if systems is None else tuple(systems),
            origin=f"{function.__module__}:{function.__qualname__}",
        )
        if row.systems is None:
            _try("the function", row, lambda m, z, *xs: function(m, *xs))
        for name, rule in zip(names, rules, strict=True):
            if rule is not None and row.systems is None:
                _try(f"the partial with respect to {name}", row, rule)
        return _public(row, function)

    return declare


def _check_options(
    name: str,
    names: tuple[str, ...],
    domain: Any,
    kinks: Any,
    limits: Any,
    symbol: Any,
    systems: Any,
) -> None:
    """Refuse what would fail only later, when the primitive is used."""
    import inspect

    predicates = [("domain", domain), ("kinks", kinks)]
    for limit in limits:
        if not isinstance(limit, Limit) or not 0 <= limit.argument < len(names) or plain(limit.value) is None:
            raise DeclarationError(
                f"{name}: {limit!r:.200} is no Limit(argument, at, value) of its {len(names)} arguments"
            )
        predicates.append(("at of a limit", limit.at))
    for what, predicate in predicates:
        try:
            inspect.signature(predicate).bind(*names)
        except (TypeError, ValueError) as error:
            raise DeclarationError(f"{name}: {what} must be a function of ({', '.join(names)}): {error}") from None
    if not isinstance(symbol, str):
        raise DeclarationError(f"{name}: symbol must be a text, not {symbol!r:.200}")
    if systems is not None:
        unknown = (
            [system for system in systems if system not in SYSTEMS] if isinstance(systems, list | tuple) else systems
        )
        if unknown or not systems:
            raise DeclarationError(f"{name}: systems is a list of some of {', '.join(SYSTEMS)}, not {systems!r:.200}")


def _argument_names(function: Callable[..., Any]) -> tuple[str, ...]:
    if not callable(function) or not getattr(function, "__name__", "").isidentifier():
        raise DeclarationError(f"a primitive is made of a function defined with def, not {function!r:.200}")
    import inspect  # 9 ms, for those who declare primitives

    name = function.__name__
    if name in TABLE or name in ALIASES:
        raise DeclarationError(f"{name} is built in; give your primitive another name")
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise DeclarationError(f"{name} takes a fixed number of positional arguments; {parameter} is not one")
    if len(parameters) < 2:
        raise DeclarationError(f"{name} needs the number system and at least one argument: def {name}(m, x)")
    return tuple(parameter.name for parameter in parameters[1:])


def _checked_rules(
    function: Callable[..., Any], names: tuple[str, ...], partials: Sequence[Rule | None]
) -> tuple[Rule | None, ...]:
    import inspect

    name = function.__name__
    if callable(partials) or not isinstance(partials, list | tuple):
        raise DeclarationError(f"{name}: partials is a list with one rule per argument ({', '.join(names)})")
    if len(partials) != len(names):
        raise DeclarationError(f"{name} has {len(names)} arguments ({', '.join(names)}) but {len(partials)} partials")
    for argument, rule in zip(names, partials, strict=True):
        if rule is None:
            continue
        if not callable(rule):
            raise DeclarationError(
                f"{name}: the partial with respect to {argument} is {rule!r:.200}; it must be a function or None"
            )
        try:
            inspect.signature(rule).bind(None, None, *names)
        except TypeError as error:
            wanted = ", ".join(["m", "z", *names])
            raise DeclarationError(
                f"{name}: the partial with respect to {argument} must take ({wanted}): {error}"
            ) from None
    if all(rule is None for rule in partials):
        raise DeclarationError(f"{name} has no partial at all; use detach or a plain function for a constant")
    return tuple(partials)


def _try(what: str, row: Primitive, rule: Rule) -> None:
    """Run a rule over source text: a misspelt function, an ``if`` on a number or a call of ``math`` shows at once."""
    writer = Writer()
    arguments = [Text(name, writer) for name in row.arguments]
    try:
        result = rule(writer.m, Text("z", writer), *arguments)
    except AttributeError as error:
        raise DeclarationError(
            f"{row.name}: {what} uses a function that number systems do not have: {error}"
        ) from error
    except MemoryError:
        raise
    except Exception as error:
        raise DeclarationError(
            f"{row.name}: {what} cannot be run in every number system: {error}. Use operators and m's functions, "
            "or declare systems=('floats',)"
        ) from error
    if result is None:
        raise DeclarationError(f"{row.name}: {what} returns nothing")
    if not isinstance(result, Text) and plain(result) is None:
        raise DeclarationError(f"{row.name}: {what} returns {kind_of(result)}; it must return one number")


def _public(row: Primitive, function: Callable[..., Any]) -> Callable[..., Any]:
    make = maker(row)
    assert not callable(row.partials)
    constants = [i for i, rule in enumerate(row.partials) if rule is None]

    def public(*operands: Any) -> Any:
        if len(operands) != row.arity:
            raise TypeError(
                f"{row.name} takes {row.arity} arguments ({', '.join(row.arguments)}); {len(operands)} were given"
            )
        for i in constants:
            if isinstance(operands[i], Value):
                raise TypeError(f"{row.name}: {row.arguments[i]} has no derivative; pass a plain number, or its .data")
        return make(*operands)

    update_wrapper(public, function)
    del public.__wrapped__  # type: ignore[attr-defined]  # its signature has the number system, which callers do not pass
    public.primitive = row  # type: ignore[attr-defined]
    return public


def node(data: float, parents: Iterable[Any], partials: Iterable[Any]) -> Value:
    """A Value with this number over these parents, with one partial derivative per parent, computed by other means.

    >>> import math
    >>> x = Value(2.0)
    >>> y = node(math.gamma(x.data), [x], [math.gamma(x.data) * 0.42278433509846713])
    >>> (3.0 * y).backward()
    >>> round(x.grad, 6)
    1.268353

    A partial that is a Value has derivatives of its own, so second derivatives are right; with a plain number they
    raise, since a number does not tell how it changes.

    >>> z = node(x.data**3, [x], [3 * x * x])
    >>> from autograd import gradients
    >>> gradients(gradients(z, x), x).data
    12.0

    The node knows its number and its slopes where it was made, and no formula: it is copied, pickled, drawn and
    differentiated, ``check_grads`` checks the function that makes it, but it cannot be evaluated at other numbers nor
    compiled. What is used more than once is better declared with ``autograd.primitive``, which can.

    Args:
        data: the number.
        parents: Values and plain numbers, at least one Value among them.
        partials: ∂data/∂parent for each, a plain number or a Value.

    Raises:
        TypeError: something is no number, or no parent is a Value.
        ValueError: there are not as many partials as parents.
        RecordingError: a function that is being compiled makes it.
    """
    for what, given in (("parents", parents), ("partials", partials)):
        if not hasattr(given, "__iter__"):
            raise TypeError(f"node: {what} is a list with one entry per parent, not {kind_of(given)}")
    operands, slopes = tuple(parents), tuple(partials)
    number = plain(data)
    if number is None:
        hint = "; write its .data" if hasattr(data, "_moment") else ""
        raise TypeError(f"node: data must be a real number, not {kind_of(data)}{hint}")
    if len(operands) != len(slopes):
        raise ValueError(f"node needs one partial per parent; there are {len(slopes)} for {len(operands)}")
    for what, given in (("parent", operands), ("partial", slopes)):
        for i, x in enumerate(given):
            if not isinstance(x, Value) and plain(x) is None:
                raise TypeError(f"node: {what} {i} must be a Value or a real number, not {kind_of(x)}")
    if not any(isinstance(x, Value) for x in operands):
        raise TypeError(f"node: no parent is a Value; a leaf is made by Value({number!r:.200})")
    watch = watching.watch
    if watch is not None and watch.is_ours():
        raise watch.refusal(
            RecordingError(
                f"node({number!r:.200}, …) was made while the function is recorded for replay, which would freeze its "
                "number and its slopes. Declare a primitive with autograd.primitive, whose formula a replay computes."
            )
        )
    return node_of(number, _NODE, (*operands, *slopes))


def _slopes_of_node(m: Any, z: Any, operands: Sequence[Any]) -> list[Any]:
    """The partials, the second half of the operands; nothing flows to these."""
    n = len(operands) // 2
    parents, slopes = operands[:n], operands[n:]
    if m.NAME == "values" and any(isinstance(x, Value) for x in parents):
        slopes = [x if isinstance(x, Value) else node_of(x, _SLOPE, (*parents, x)) for x in slopes]
    return [*slopes, *[0] * n]


def _unknown(m: Any, z: Any, operands: Sequence[Any]) -> Never:
    given = ", ".join(in_short(x) for x in operands[:-1])
    raise UnknownSlope(
        f"node({given}) was given the plain number {operands[-1]!r:.200} as a partial, of which no derivative "
        f"is known. "
        "Give partials as Values made of its parents, Value(number) for one that is constant."
    )


def _without_formula(m: Any, *operands: Any) -> Never:
    raise NotImplementedError("node has no formula")


_NODE = Primitive(
    "node",
    _slopes_of_node,
    "a number whose partials are given with it",
    arguments=("xs",),
    symbol="node",
    remedy="It knows its number and its slopes where it was made; what is to be computed at other numbers, declare "
    "with autograd.primitive.",
    built_in=False,
    formula=_without_formula,
    systems=(),
    origin="autograd.custom:node",
)
#: A partial of such a node that is a plain number, the last of the operands, and not to be differentiated again.
_SLOPE = Primitive("partial", _unknown, arguments=("xs",), built_in=False, formula=_without_formula, systems=())

node.primitive = _NODE  # type: ignore[attr-defined]

"""``primitive``: a user's own primitive, declared in one place and from then on like a built-in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

from autograd.eager.operands import kind_of, plain
from autograd.number_systems import SYSTEMS
from autograd.number_systems.source import Text, Writer
from autograd.primitives import ALIASES, TABLE, Limit, Primitive, Rule, everywhere, nowhere
from autograd.value import Value, maker


class DeclarationError(TypeError):
    """A primitive was declared wrongly; the message says what is missing or does not fit."""


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
    other number systems, checks and pictures work as for the built-in ones.

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
        domain: a predicate over the arguments, plain floats; outside it the call raises ``DomainError``.
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
            raise DeclarationError(f"{name}: {limit!r} is no Limit(argument, at, value) of its {len(names)} arguments")
        predicates.append(("at of a limit", limit.at))
    for what, predicate in predicates:
        try:
            inspect.signature(predicate).bind(*names)
        except (TypeError, ValueError) as error:
            raise DeclarationError(f"{name}: {what} must be a function of ({', '.join(names)}): {error}") from None
    if not isinstance(symbol, str):
        raise DeclarationError(f"{name}: symbol must be a text, not {symbol!r}")
    if systems is not None:
        unknown = (
            [system for system in systems if system not in SYSTEMS] if isinstance(systems, list | tuple) else systems
        )
        if unknown or not systems:
            raise DeclarationError(f"{name}: systems is a list of some of {', '.join(SYSTEMS)}, not {systems!r}")


def _argument_names(function: Callable[..., Any]) -> tuple[str, ...]:
    if not callable(function) or not getattr(function, "__name__", "").isidentifier():
        raise DeclarationError(f"a primitive is made of a function defined with def, not {function!r}")
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
                f"{name}: the partial with respect to {argument} is {rule!r}; it must be a function or None"
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

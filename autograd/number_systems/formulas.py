"""What a number system runs where it has no function of its own: the formula that stands in the row of the table."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from autograd.number_systems import common
from autograd.number_systems.source import Writer, operands_of
from autograd.primitives import INFINITY, TABLE, Primitive, everywhere


def complete(namespace: dict[str, Any], *, rounded: bool, compiled: bool = False) -> None:
    """Give a number system, whose namespace this is, a function for every row that it has none for.

    That is the row's formula over the system itself. A row whose formula needs what the system lacks is lacking too.
    All functions refuse what is outside of their rows' domains, except over lanes and over Python's floats, whose own
    functions do so.

    Args:
        rounded: whether numbers are rounded, so that a formula's stable form is run where there is one.
        compiled: whether numbers are Python's floats, for which formulas become functions of their own, written out.
    """
    m, lacks = sys.modules[namespace["__name__"]], namespace["LACKS"]
    texts, writer = [], FloatWriter() if compiled else None
    for row in TABLE.values():
        if row.name in namespace or row.name in lacks:
            continue
        shared = getattr(common, row.name, None)
        if shared is not None:
            namespace[row.name] = shared
            continue
        if row.formula is None:
            continue
        missing = _needed(row, namespace, lacks, rounded=rounded) & set(lacks) if lacks else None
        if missing:
            name = min(missing)
            lacks[row.name] = f"its formula needs {name}: {lacks[name]}"
        elif writer is not None and not row.n_ary:
            namespace[f"domain_of_{row.name}"] = row.domain
            texts.append(text_of_function(row, writer))
        else:
            namespace[row.name] = function_of(row, m, rounded=rounded)
    if texts:
        namespace["inf"] = INFINITY
        exec(compile("\n".join(texts), "<formulas of the table>", "exec"), namespace)
    if not (m.LANES or compiled):
        for row in TABLE.values():
            if row.domain is not everywhere and row.name in namespace:
                namespace[row.name] = within_domain(row, namespace[row.name], m)


def formula_of(row: Primitive, *, rounded: bool) -> Any:
    """What a system runs for a row, ``(m, x, …) -> number``; ``None`` for an elementary one."""
    return row.stable if rounded and row.stable is not None else row.formula


def function_of(row: Primitive, m: Any, *, rounded: bool) -> Callable[..., Any]:
    """The formula of a row over a number system."""
    formula = formula_of(row, rounded=rounded)
    return lambda *operands: formula(m, *operands)


def within_domain(row: Primitive, function: Callable[..., Any], m: Any) -> Callable[..., Any]:
    """A function of a number system that refuses what is outside of the row's domain; nan comes through."""

    def within(*operands: Any) -> Any:
        plain = [m.plain(x) for x in operands]
        try:
            inside = row.domain(*plain)
        except OverflowError:  # a remainder of a number that is tiny even for many digits
            inside = row.domain(*[_nearest_float(x) for x in plain])
        if not inside and not any(x != x for x in plain):
            raise ValueError(f"{row.name} has no real value here")
        return function(*operands)

    return within


def _nearest_float(x: Any) -> float:
    """The float beside a number; of one that is not zero another than zero."""
    number = float(x)
    return number if number or not x else math.copysign(math.ulp(0.0), x)


def _needed(row: Primitive, has: Collection[str], lacks: Collection[str], *, rounded: bool) -> set[str]:
    """The primitives that a row's formula comes down to in a system that has some and lacks some."""
    if row.name in has or row.name in lacks or row.formula is None:
        return {row.name}
    return set().union(*[_needed(TABLE[name], has, lacks, rounded=rounded) for name in used_by(row, rounded=rounded)])


def used_by(row: Primitive, *, rounded: bool) -> Counter[str]:
    """The primitives that a row's formula applies, and how often.

    >>> used_by(TABLE["logit"], rounded=False)
    Counter({'sub': 1, 'div': 1, 'log': 1})
    """
    writer = Noting()
    formula_of(row, rounded=rounded)(writer.m, *operands_of(row, writer))
    return writer.used


class FloatWriter(Writer):
    """A writer whose plain numbers are floats."""

    def literal(self, x: Any) -> str:
        return repr(float(x))


def text_of_function(row: Primitive, writer: FloatWriter) -> str:
    """The stable formula of a row of a fixed number of arguments as a function of floats.

    >>> print(text_of_function(TABLE["log_sigmoid"], FloatWriter()))
    def log_sigmoid(x):
        t1 = -x
        t2 = softplus(t1)
        t3 = -t2
        return t3
    """
    writer.start_afresh()
    operands = operands_of(row, writer)
    names = [operand.text for operand in operands]
    if row.domain is not everywhere:
        known = " and ".join(f"{name} == {name}" for name in names)  # nan comes through
        with writer.block(f"if not domain_of_{row.name}({', '.join(names)}) and {known}:"):
            writer.line("raise ValueError('outside the domain')")
    writer.line(f"return {writer.text(formula_of(row, rounded=True)(writer.m, *operands))}")
    return "\n".join([f"def {row.name}({', '.join(names)}):", *writer.lines])


class Noting(Writer):
    """A writer that counts which primitives are applied."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        super().__init__()

    def apply(self, name: str, *operands: Any) -> Any:
        self.used[name] += 1
        return super().apply(name, *operands)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        self.used["where"] += 1
        return super().where(condition, x, y)

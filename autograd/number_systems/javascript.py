"""JavaScript source text: what the step-through page computes with, written by the table's own rules.

A rule run over a ``Writer`` writes its own JavaScript, as it writes Python in ``source``; a domain, which is a
predicate over plain numbers, is written by following it both ways at each ``and``, ``or`` and ``if``. ``FUNCTIONS``
holds what the rules call, one function per primitive, as accurate over all floats as those in ``floats``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from autograd.number_systems import source
from autograd.number_systems.formulas import formula_of
from autograd.number_systems.source import Choice, Text
from autograd.primitives import TABLE, Primitive, everywhere
from autograd.rules import is_nothing

NAME = "javascript"
LANES = False
LACKS: dict[str, str] = {}

#: Name → JavaScript; ``m`` holds the others. Where JavaScript's own function is as good as C's, it is that.
_OWN = {
    "add": "(x, y) => x + y",
    "sub": "(x, y) => x - y",
    "mul": "(x, y) => x * y",
    "div": "(x, y) => x / y",
    "neg": "(x) => -x",
    # Whole powers by squaring, in pairs of floats whose sum holds 106 bits (Dekker, 1971): Math.pow may be off by the
    # last digit even for 10⁻⁵. And 1 to any power is 1, as IEEE has it and Math.pow has not.
    "pow": """(x, y) => {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  const n = Math.abs(y);
  if (!Number.isInteger(y) || n > 64 || n < 2) return Math.pow(x, y);
  const times = ([a, b], [c, d]) => {
    const high = a * c, low = m.product_error(a, c) + (a * d + b * c);
    return [high + low, low - (high + low - high)];
  };
  let power = [1, 0], square = [x, 0];
  for (let k = n; k > 0; k = Math.floor(k / 2)) {
    if (k % 2 === 1) power = times(power, square);
    if (k > 1) square = times(square, square);
  }
  const [high, low] = power, size = Math.abs(high);
  if (!(size > 1e-250 && size < 1e250)) return Math.pow(x, y);
  if (y > 0) return high;
  const inverse = 1 / high, rest = 1 - inverse * high - m.product_error(inverse, high) - inverse * low;
  return inverse + inverse * rest;
}""",
    # It has the sign of the divisor, as Python's; that of JavaScript has the sign of the dividend.
    "mod": """(x, y) => {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return rest < 0 !== y < 0 ? rest + y : rest;
}""",
    # What is left without the remainder, which is exact, is a whole number of divisors, but for its rounding.
    "floor_divide": """(x, y) => {
  const rest = x % y, turned = rest !== 0 && rest < 0 !== y < 0;
  const quotient = (x - rest) / y - (turned ? 1 : 0), whole = Math.floor(quotient);
  if (quotient === 0) return 0 * (x / y);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}""",
    "exp": "Math.exp",
    "expm1": "Math.expm1",
    "log": "Math.log",
    "log1p": "Math.log1p",
    "log2": "Math.log2",
    "log10": "Math.log10",
    "sqrt": "Math.sqrt",
    "cbrt": "Math.cbrt",
    "sin": "Math.sin",
    "cos": "Math.cos",
    "tan": "Math.tan",
    "asin": "Math.asin",
    "acos": "Math.acos",
    "atan": "Math.atan",
    "atan2": "Math.atan2",
    "sinh": "Math.sinh",
    "cosh": "Math.cosh",
    "tanh": "Math.tanh",
    # Both with the exponential once.
    "sigmoid": "(x, e = Math.exp(-Math.abs(x)), less = e / (1 + e)) => (x < 0 ? less : 1 - less)",
    "sech2": "(x, e = Math.exp(-2 * Math.abs(x)), rest = (2 * e) / (1 + e)) => rest * (2 - rest)",
    "asinh": "Math.asinh",
    "acosh": "Math.acosh",
    "atanh": "Math.atanh",
    # Near zero the series 2x/√π · e^(-x²) · Σ (2x²)ⁿ / (1·3·5 … (2n+1)), all of whose terms have one sign.
    "erf": """(x) => {
  if (Math.abs(x) >= 1) return x > 0 ? 1 - m.erfc(x) : m.erfc(-x) - 1;
  let term = x, total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * m.exp_of_minus_square(x) * total;
}""",
    # Above one half Laplace's continued fraction e^(-x²)/√π / (x + ½/(x + 1/(x + 3⁄2/(x + …)))); its depth suffices for
    # the last digit.
    "erfc": """(x) => {
  if (Number.isNaN(x)) return x;
  if (x < 0.5) return x > -1 ? 1 - m.erf(x) : 2 - m.erfc(-x);
  if (x > 28) return 0;
  let fraction = x;
  for (let k = Math.ceil(40 + 240 / (x * x)); k > 0; k -= 1) fraction = x + k / 2 / fraction;
  return m.exp_of_minus_square(x) / (Math.sqrt(Math.PI) * fraction);
}""",
    "hypot": "Math.hypot",
    "abs": "Math.abs",
    "sign": "(x) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : x)",
    "maximum": "(x, y) => (x > y || Number.isNaN(x) ? x : y)",
    "minimum": "(x, y) => (x < y || Number.isNaN(x) ? x : y)",
    "where": "(condition, x, y) => (condition ? x : y)",
    "floor": "Math.floor",
    "ceil": "Math.ceil",
    # x/√2 is rounded, which erfc magnifies by twice its square; so the rest is carried along to first order.
    "gelu": """(x) => {
  if (x <= -39) return -0;
  if (x >= 39) return x;
  const root = Math.sqrt(0.5), t = -x * root;
  const rest = m.product_error(-x, root) + x * 4.833646656726457e-17;
  return (x * (m.erfc(t) - (rest * m.exp_of_minus_square(t) * 2) / Math.sqrt(Math.PI))) / 2;
}""",
    "sum": "(xs) => xs.reduce((total, x) => total + x, 0)",
    "prod": "(xs) => xs.reduce((total, x) => total * x, 1)",
    "mean": """(xs) => {
  const total = m.sum(xs);
  if (!Number.isFinite(total)) // too large on the way, perhaps
    return (m.sum(xs.map((x) => x * 2 ** -64)) / xs.length) * 2 ** 64;
  return total / xs.length;
}""",
    "dot": """(xs) => {
  const n = Math.floor(xs.length / 2);
  let total = xs.length % 2 ? xs[2 * n] : 0;
  for (let i = 0; i < n; i += 1) total += xs[i] * xs[n + i];
  return total;
}""",
    "logsumexp": """(xs) => {
  let at = 0;
  xs.forEach((x, i) => { if (x > xs[at] || Number.isNaN(x)) at = i; });
  const largest = xs[at];
  if (!Number.isFinite(largest)) return largest;
  return largest + Math.log1p(m.sum(xs.filter((_, i) => i !== at).map((x) => Math.exp(x - largest))));
}""",
    "identity": "(x) => x",
    "detach": "(x) => x",
    "less": "(x, y) => x < y",
    "less_equal": "(x, y) => x <= y",
    "greater": "(x, y) => x > y",
    "greater_equal": "(x, y) => x >= y",
}

#: What the functions above call beside each other.
HELPERS = {
    # The square is cut into one of few digits, which is exact, and the rest.
    "exp_of_minus_square": """(x) => {
  const near = Math.floor(x * 1024) / 1024;
  return Math.exp(-near * near) * Math.exp((near - x) * (near + x));
}""",
    # What x·y loses when it is rounded, exactly; 2²⁷ + 1 cuts a float into two halves of 26 bits.
    "product_error": """(x, y) => {
  const p = x * y, a = x * 134217729, b = y * 134217729;
  const aHigh = a - (a - x), aLow = x - aHigh, bHigh = b - (b - y), bLow = y - bHigh;
  return aHigh * bHigh - p + aHigh * bLow + aLow * bHigh + aLow * bLow;
}""",
}


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; text needs none."""
    return nullcontext()


class CannotBeWritten(TypeError):
    """A rule, a function or a domain is not made of the operations that JavaScript text knows; the message says why."""


class Writer(source.Writer):
    """Collects the lines of a JavaScript function; ``m`` is the number system that rules see."""

    name = NAME
    pi = "Math.PI"

    def line(self, text: str) -> None:
        self.lines.append("  " * self.indent + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines of an indented block under a head such as ``if (x > 0)``."""
        self.line(head + " {")
        self.indent += 1
        yield
        self.indent -= 1
        self.line("}")

    def literal(self, x: Any) -> str:
        return text_of(x)

    def call(self, name: str, operands: list[str]) -> str:
        return f"m.{name}({', '.join(operands)})"

    def set(self, name: str, text: str) -> None:
        self.line(f"{name} = {text};")

    def define(self, name: str, text: str) -> None:
        self.line(f"const {name} = {text};")

    def declare(self, name: str, text: str = "") -> None:
        self.line(f"let {name} = {text};" if text else f"let {name};")

    def heads(self, condition: str) -> tuple[str, str, str]:
        return f"if ({condition})", "else", f"if (!{condition})"

    def conditional(self, condition: str, x: str, y: str) -> str:
        return f"{condition} ? {x} : {y}"


def text_of(x: Any) -> str:
    """How a number is written: its text, or a literal."""
    if isinstance(x, Text):
        return x.text
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, int):
        return repr(x)
    x = float(x)
    return "NaN" if x != x else repr(x).replace("inf", "Infinity")


class _Inline(Writer):
    """A writer whose results are one expression each."""

    def assign(self, text: str) -> Text:
        return Text(f"({text})", self)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        chosen = [text_of(branch() if callable(branch) else branch) for branch in (x, y)]
        return self.assign(f"{text_of(condition)} ? {chosen[0]} : {chosen[1]}")


def _function(row: Primitive) -> str:
    """The stable formula of a row as a function."""
    writer = _Inline()
    operands = source.operands_of(row, writer)
    result = text_of(formula_of(row, rounded=True)(writer.m, *operands))
    return f"({', '.join(operand.text for operand in operands)}) => {result}"


#: Name → JavaScript, of every primitive; one of any number of arguments that has none is written out by its formula.
FUNCTIONS = {name: _OWN.get(name) or _function(row) for name, row in TABLE.items() if name in _OWN or not row.n_ary}


class _Plain(Text):
    """A plain number in a predicate; asked for its truth, it takes the way that is to be explored."""

    __slots__ = ()

    writer: _Predicate

    def __bool__(self) -> bool:
        return self.writer.way_at(self.text)

    def __eq__(self, other: object) -> Any:
        return _Plain(f"({self.text} === {text_of(other)})", self.writer)

    def __ne__(self, other: object) -> Any:
        return _Plain(f"({self.text} !== {text_of(other)})", self.writer)

    def __or__(self, other: Any) -> Any:
        return _Plain(f"({self.text} || {text_of(other)})", self.writer)

    def __and__(self, other: Any) -> Any:
        return _Plain(f"({self.text} && {text_of(other)})", self.writer)

    __ror__, __rand__ = __or__, __and__

    def __invert__(self) -> Any:
        return _Plain(f"(!{self.text})", self.writer)

    def __mod__(self, other: Any) -> Any:
        return _Plain(f"m.mod({self.text}, {text_of(other)})", self.writer)

    __hash__ = Text.__hash__


class _Predicate(Writer):
    """Writes a predicate as one expression; ``decided`` is the way taken at each truth value that Python asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.decided: list[tuple[str, bool]] = []
        self.at = 0

    def way_at(self, text: str) -> bool:
        """Which way to go now; a question that is new is first answered yes."""
        if self.at == len(self.decided):
            self.decided.append((text, True))
        self.at += 1
        return self.decided[self.at - 1][1]

    def assign(self, text: str) -> Text:
        return _Plain(f"({text})", self)


#: Ways through a predicate beyond which it is not written.
_MOST_WAYS = 256


def _predicate(predicate: Callable[..., Any], names: list[str]) -> str:
    """A predicate over plain numbers as a JavaScript expression."""
    writer = _Predicate()
    ways: list[tuple[list[tuple[str, bool]], str]] = []
    while True:
        writer.at = 0
        outcome = predicate(*[_Plain(name, writer) for name in names])
        ways.append((list(writer.decided), text_of(outcome)))
        while writer.decided and not writer.decided[-1][1]:
            writer.decided.pop()
        if not writer.decided:
            break
        writer.decided[-1] = (writer.decided[-1][0], False)
        if len(ways) > _MOST_WAYS:
            raise CannotBeWritten(f"a predicate has more than {_MOST_WAYS} ways through it")
    expression = ways[-1][1]
    for decided, outcome in reversed(ways[:-1]):
        holds = " && ".join(text if way else f"!{text}" for text, way in decided)
        expression = f"({holds} ? {outcome} : {expression})"
    return expression


def kernel(primitive: Primitive, count: int) -> str:
    """A primitive over ``count`` operands as a JavaScript object: ``value``, ``partials``, and where they are defined.

    A partial is ``null`` where nothing flows: there is no rule, or it comes to the literal zero.

    >>> from autograd.primitives import TABLE
    >>> print(kernel(TABLE["log"], 1))
    {
      value: (x) => m.log(x),
      partials: (z, x) => {
        const t1 = 1 / x;
        return [t1];
      },
      domain: (x) => (x > 0),
    }

    Raises:
        CannotBeWritten: a user's primitive computes, or decides, by other means than operators and ``m``'s functions.
    """
    if primitive.systems is not None:
        declared = f"is declared for {', '.join(primitive.systems)} only" if primitive.systems else "has no formula"
        raise CannotBeWritten(f"{primitive.name} {declared}")
    try:
        return _kernel(primitive, count)
    except MemoryError:
        raise
    except Exception as error:  # a user's function may fail in any way
        if primitive.built_in:
            raise
        raise CannotBeWritten(f"{primitive.name} cannot be written as JavaScript: {error}") from error


def _kernel(primitive: Primitive, count: int) -> str:
    names = [f"x{i}" for i in range(count)] if count > 2 else ["x", "y"][:count]
    arguments = ", ".join(names)
    lines = ["{", f"  value: {_value(primitive, names)},"]
    writer = Writer()
    writer.indent = 2
    operands = [Text(name, writer) for name in names]
    if not primitive.compares:
        texts = _partials(primitive, writer, operands)
        lines += [f"  partials: (z, {arguments}) => {{", *writer.lines, f"    return [{', '.join(texts)}];", "  },"]
    if primitive.domain is not everywhere:
        lines.append(f"  domain: ({arguments}) => {_predicate(primitive.domain, names)},")
    if primitive.partial_domains:
        own = [
            f"({arguments}) => {_predicate(domain, names)}" if domain else "null"
            for domain in primitive.partial_domains
        ]
        lines.append(f"  partialDomains: [{', '.join(own)}],")
    if primitive.limits:
        limits = [
            f"[{limit.argument}, ({arguments}) => {_predicate(limit.at, names)}, {text_of(limit.value)}]"
            for limit in primitive.limits
        ]
        lines.append(f"  limits: [{', '.join(limits)}],")
    return "\n".join([*lines, "}"])


def _partials(primitive: Primitive, writer: Writer, operands: list[Any]) -> list[str]:
    """The text of each partial; ``null`` where nothing flows."""
    z = Text("z", writer)
    if callable(primitive.partials):
        return [text_of(partial) for partial in primitive.partials(writer.m, z, operands)]
    texts = []
    for i, rule in enumerate(primitive.partials):
        partial = 0 if rule is None else rule(writer.m, z, *operands)
        name = f"s{i}"
        if is_nothing(partial):
            texts.append("null")
        elif not isinstance(partial, Choice) or not source.may_be_nothing(partial):
            texts.append(text_of(partial))
        elif not any(map(callable, partial.branches)):
            writer.take_back(partial)
            x, y = ["null" if is_nothing(branch) else text_of(branch) for branch in partial.branches]
            texts.append(writer.conditional(partial.condition, x, y))
        else:
            lines = writer.where_it_flows(partial, f"{name} = {{}};".format)
            writer.declare(name, "null")
            writer.lines += lines
            texts.append(name)
    return texts


def _value(primitive: Primitive, names: list[str]) -> str:
    arguments = ", ".join(names)
    if primitive.built_in and primitive.name in FUNCTIONS:
        if primitive.n_ary:
            return f"({arguments}) => m.{primitive.name}([{arguments}])"
        symbol = source.SYMBOLS.get(primitive.name)
        return f"({arguments}) => " + (f" {symbol} ".join(names) if symbol else f"m.{primitive.name}({arguments})")
    writer = Writer()
    writer.indent = 2
    operands: list[Any] = [Text(name, writer) for name in names]
    formula = formula_of(primitive, rounded=True)
    result = text_of(formula(writer.m, operands) if primitive.n_ary else formula(writer.m, *operands))
    return "\n".join([f"({arguments}) => {{", *writer.lines, f"    return {result};", "  }"])


def module(kernels: Iterable[str]) -> str:
    """``const m = {…};`` with the functions that some JavaScript text calls, and those that these call in turn."""
    import re  # when a page is written

    wanted: dict[str, str] = {}
    waiting = ["\n".join(kernels)]
    while waiting:
        for name in re.findall(r"\bm\.(\w+)\(", waiting.pop()):
            if name not in wanted:
                wanted[name] = FUNCTIONS.get(name) or HELPERS[name]
                waiting.append(wanted[name])
    lines = [f"  {name}: {text.replace(chr(10), chr(10) + '  ')}," for name, text in sorted(wanted.items())]
    return "\n".join(["const m = {", *lines, "};"])

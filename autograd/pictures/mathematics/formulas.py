"""SymPy expressions as people write them: in plain text with the labels verbatim, and as LaTeX.

SymPy's own printers spell ``a²·(1 − a²)`` with stars and in their own order. Here sums begin with what is added,
products keep the order of their factors, and unevaluated steps such as ``½·2·(y − a²)·(−1)`` stay as they are.
Expressions are told apart by their attributes, so that this file needs no SymPy.
"""

from __future__ import annotations

from typing import Any

from autograd.pictures.mathematics.notation import (
    RAISED_DIGITS,
    escaped,
    in_one_line,
    is_raised,
    latex_of_label,
    latex_of_number,
    needs_brackets,
    text_of_number,
)
from autograd.primitives import TABLE

# How tightly an expression holds together.
_SUM, _PRODUCT, _POWER, _ATOM = range(4)

_VULGAR = {(1, 2): "½", (1, 3): "⅓", (2, 3): "⅔", (1, 4): "¼", (3, 4): "¾", (1, 5): "⅕", (1, 6): "⅙", (1, 8): "⅛"}
_COMMANDS = frozenset([row.latex for row in TABLE.values() if row.latex])
#: A function is called as LaTeX calls it, if that is one of its names: arcsin. The others are SymPy's own.
_NAMES = {row.name: row.latex for row in TABLE.values() if row.latex in row.aliases}
_NAMES |= {"Abs": "abs", "ceiling": "ceil", "Sigmoid": "σ"}


class Text:
    """Plain text; also what the two styles have in common."""

    times = "·"
    times_between = " · "
    minus = "−"

    def __init__(self, precision: int = 4) -> None:
        self.precision = precision

    def number(self, x: float) -> str:
        """A number, rounded."""
        return text_of_number(x, self.precision)

    def label(self, label: str) -> str:
        """A label as it stands beside ∂."""
        text = in_one_line(label)
        return f"({text})" if needs_brackets(label) else text

    def partial(self, of: str, by: str) -> str:
        """∂of/∂by."""
        return f"∂{self.label(of)}/∂{self.label(by)}"

    def partial_of(self, formula: Any, by: str) -> str:
        """∂(formula)/∂by; a function's brackets are enough."""
        text = self(formula)
        return f"∂{text}/∂{self.label(by)}" if _is_call(formula) else f"∂({text})/∂{self.label(by)}"

    def direct(self, partial: str) -> str:
        """A partial along the direct way, where there are others."""
        return f"{partial}|direct"

    def slope(self, function: str, at: str) -> str:
        """f′(at)."""
        return self.call(f"{function}′", [self.alone(at)])

    def alone(self, label: str) -> str:
        """A label where nothing stands beside it."""
        return in_one_line(label)

    def brackets(self, text: str) -> str:
        return f"({text})"

    def fraction(self, above: str, below: str, above_holds: int, below_holds: int) -> str:
        above = self.brackets(above) if above_holds == _SUM else above
        return f"{above}/{self.brackets(below) if below_holds < _POWER else below}"

    def vulgar(self, p: int, q: int) -> str:
        return _VULGAR.get((p, q), "")

    def power(self, base: str, exponent: Any) -> str:
        if exponent.is_Integer and exponent.is_nonnegative:
            return base + str(exponent).translate(RAISED_DIGITS)
        text, holds = self.spell(exponent)
        return f"{base}^{text if holds == _ATOM else self.brackets(text)}"

    def root(self, text: str, holds: int) -> str:
        return f"√{text if holds == _ATOM else self.brackets(text)}"

    def call(self, name: str, arguments: list[str]) -> str:
        return f"{name}({', '.join(arguments)})"

    def constant(self, name: str) -> str:
        return {"Pi": "π", "Exp1": "e", "Infinity": "∞", "NegativeInfinity": "−∞", "NaN": "nan"}.get(name, name)

    def symbol(self, name: str) -> tuple[str, int]:
        text = self.label(name)
        return text, _POWER if is_raised(name) and text[-1] != ")" else _ATOM

    def otherwise(self, expression: Any) -> str:
        return str(expression)

    def __call__(self, expression: Any) -> str:
        """The whole expression."""
        return self.spell(expression)[0]

    def factor(self, expression: Any) -> str:
        """The expression as one of several factors: a sum or a negative number in brackets."""
        text, holds = self.spell(expression)
        return self.brackets(text) if holds == _SUM or text.startswith(("−", "-")) else text

    def spell(self, e: Any) -> tuple[str, int]:
        """How the expression is written, and how tightly that holds together."""
        if e.is_Symbol:
            return self.symbol(e.name)
        if e.is_Add:
            return self._sum(list(e.args)), _SUM
        if e.is_Mul or e.is_Rational or (e.is_Pow and e.exp.is_Rational and e.exp.is_negative):
            return self._product(list(e.args) if e.is_Mul else [e])
        if e.is_Float:
            return self.number(float(e)), _PRODUCT if e.is_negative else _ATOM
        if e.is_Pow:
            base, holds = self.spell(e.base)
            if e.exp.is_Rational and e.exp.p == 1 and e.exp.q == 2:
                return self.root(base, holds), _POWER
            return self.power(base if holds == _ATOM else self.brackets(base), e.exp), _POWER
        if e.is_Function:
            name = e.func.__name__
            arguments = [self.alone(a.name) if a.is_Symbol else self(a) for a in e.args]
            return self.call(_NAMES.get(name, name), arguments), _ATOM
        if e.is_Atom:
            return self.constant(type(e).__name__), _ATOM
        return self.otherwise(e), _SUM

    def _sum(self, terms: list[Any]) -> str:
        signed = [self._signed(term) for term in terms]
        if signed[0][0] and not all(negative for negative, _ in signed):
            signed.sort(key=lambda term: term[0])  # what is added first; else as it came
        negative, text = signed[0]
        pieces = [f"{self.minus if negative else ''}{text}"]
        pieces += [f" {self.minus if negative else '+'} {text}" for negative, text in signed[1:]]
        return "".join(pieces)

    def _signed(self, term: Any) -> tuple[bool, str]:
        """Whether a term is taken away, and what: without its sign."""
        if term.is_Number and term.is_negative:
            return True, self(-term)
        factors = list(term.args) if term.is_Mul else []
        if not factors or not (factors[0].is_Number and factors[0].is_negative):
            return False, self(term)
        rest = ([-factors[0]] if factors[0] != -1 else []) + factors[1:]
        text, holds = self._product(rest)
        return True, self.brackets(text) if holds == _SUM else text

    def _product(self, factors: list[Any]) -> tuple[str, int]:
        sign = ""
        if factors[0].is_Number and factors[0].is_negative:
            sign, first = self.minus, -factors[0]
            factors = ([first] if first != 1 or len(factors) == 1 else []) + factors[1:]
        above: list[Any] = []
        below: list[Any] = []
        for factor in factors:
            if factor.is_Rational and not factor.is_Integer and factor.is_positive:
                numerator = factor * factor.q
                below.append(numerator / factor)
                if factor.p != 1:
                    above.append(numerator)
            elif factor.is_Pow and factor.exp.is_Rational and factor.exp.is_negative:
                below.append(factor.base ** (-factor.exp))
            else:
                above.append(factor)
        if len(below) == 1 and factors[0].is_Rational and not factors[0].is_Integer:
            vulgar = self.vulgar(int(factors[0].p), int(factors[0].q))
            if vulgar:
                pieces = [vulgar, *[self._factor(f, len(factors)) for f in factors[1:]]]
                return sign + self.times.join(pieces), _PRODUCT if len(factors) > 1 or sign else _ATOM
        if not below:
            if len(above) == 1:
                text, holds = self._whole(above[0])
                if sign and holds == _SUM:
                    text = self.brackets(text)
                return sign + text, _PRODUCT if sign else holds
            return sign + self.times.join([self._factor(f, len(above), i) for i, f in enumerate(above)]), _PRODUCT
        over = self._joined(above) if above else ("1", _ATOM)
        under = self._joined(below)
        return sign + self.fraction(over[0], under[0], over[1], under[1]), _PRODUCT

    def _joined(self, factors: list[Any]) -> tuple[str, int]:
        if len(factors) == 1:
            return self._whole(factors[0])
        return self.times.join([self._factor(f, len(factors), i) for i, f in enumerate(factors)]), _PRODUCT

    def _whole(self, e: Any) -> tuple[str, int]:
        return (self.integer(e), _ATOM) if e.is_Integer else self.spell(e)

    def _factor(self, e: Any, of: int, place: int = 1) -> str:
        text, holds = self._whole(e)
        return self.brackets(text) if of > 1 and (holds == _SUM or (place > 0 and text[0] == self.minus)) else text

    def integer(self, e: Any) -> str:
        return str(e).replace("-", self.minus)


class Latex(Text):
    """LaTeX, for the mathematics of a notebook or a page."""

    times = r" \cdot "
    times_between = r" \cdot "
    minus = "-"

    def number(self, x: float) -> str:
        """A number, rounded."""
        return latex_of_number(x, self.precision)

    def label(self, label: str) -> str:
        """A label as it stands beside ∂."""
        written = latex_of_label(label)
        return self.brackets(written) if needs_brackets(label) else written

    def partial(self, of: str, by: str) -> str:
        r"""∂of/∂by."""
        return rf"\frac{{\partial {self.label(of)}}}{{\partial {self.label(by)}}}"

    def partial_of(self, formula: Any, by: str) -> str:
        r"""∂(formula)/∂by."""
        text = self(formula) if _is_call(formula) else self.brackets(self(formula))
        return rf"\frac{{\partial {text}}}{{\partial {self.label(by)}}}"

    def direct(self, partial: str) -> str:
        """A partial along the direct way, where there are others."""
        return rf"\left.{partial}\right|_{{\text{{direct}}}}"

    def alone(self, label: str) -> str:
        """A label where nothing stands beside it."""
        return latex_of_label(label)

    def brackets(self, text: str) -> str:
        return rf"\left({text}\right)"

    def fraction(self, above: str, below: str, above_holds: int, below_holds: int) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def vulgar(self, p: int, q: int) -> str:
        return rf"\tfrac{{{p}}}{{{q}}}" if (p, q) in _VULGAR else ""

    def power(self, base: str, exponent: Any) -> str:
        return rf"{base}^{{{self(exponent)}}}"

    def root(self, text: str, holds: int) -> str:
        return rf"\sqrt{{{text}}}"

    def call(self, name: str, arguments: list[str]) -> str:
        inside = ", ".join(arguments)
        if name == "exp":
            return rf"e^{{{inside}}}"
        plain = name.rstrip("′")
        if plain in _COMMANDS:
            written = f"\\{plain}"
        elif len(plain) == 1:
            written = latex_of_label(plain)
        else:
            written = rf"\operatorname{{{plain.replace('_', chr(92) + '_')}}}" if plain.isascii() else escaped(plain)
        return f"{written}{chr(39) * (len(name) - len(plain))}{self.brackets(inside)}"

    def constant(self, name: str) -> str:
        known = {"Pi": r"\pi", "Exp1": "e", "Infinity": r"\infty", "NegativeInfinity": r"-\infty"}
        return known.get(name, rf"\mathrm{{{name}}}")

    def symbol(self, name: str) -> tuple[str, int]:
        text = self.label(name)
        return text, _POWER if "^" in text and not needs_brackets(name) else _ATOM

    def otherwise(self, expression: Any) -> str:
        from autograd.pictures.mathematics.algebra import as_latex

        return as_latex(expression)


def _is_call(formula: Any) -> bool:
    return bool(formula.is_Function)

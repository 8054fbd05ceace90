"""Small matrices whose entries are a formula and a number at once, and how a textbook's formula over them is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple


class ShapeError(ValueError):
    """Two matrices do not fit; the formula cannot hold."""


class Entry(NamedTuple):
    """One entry: a SymPy expression, its number, and the absolute sum of the terms that were added up for it."""

    expression: Any
    value: float
    size: float

    def __add__(self, other: Entry) -> Entry:  # type: ignore[override]
        return Entry(self.expression + other.expression, self.value + other.value, self.size + other.size)

    def __mul__(self, other: Entry) -> Entry:  # type: ignore[override]
        return Entry(self.expression * other.expression, self.value * other.value, self.size * other.size)

    def __neg__(self) -> Entry:
        return Entry(-self.expression, -self.value, self.size)

    def inverse(self) -> Entry:
        """1 / entry.

        Raises:
            ValueError: it is 0 in these numbers.
        """
        if not self.value:
            raise ValueError(f"the formula divides by {self.expression}, which is 0")
        return Entry(1 / self.expression, 1.0 / self.value, 1.0 / abs(self.value))


class Matrix(NamedTuple):
    """Rows of entries; ``scalar`` if it is one number, which multiplies matrices of every shape."""

    rows: tuple[tuple[Entry, ...], ...]
    scalar: bool = False

    @property
    def shape(self) -> str:
        """2×3."""
        return "a number" if self.scalar else f"{len(self.rows)}×{len(self.rows[0])}"

    def transposed(self) -> Matrix:
        """Rows as columns."""
        return Matrix(tuple(zip(*self.rows, strict=True)), self.scalar)

    def mapped(self, function: Callable[[Entry], Entry]) -> Matrix:
        """The function of each entry."""
        return Matrix(tuple(tuple(map(function, row)) for row in self.rows), self.scalar)

    def combined(self, other: Matrix, sign: str, function: Callable[[Entry, Entry], Entry]) -> Matrix:
        """The function of each two entries in one place."""
        if self.shape != other.shape:
            raise ShapeError(f"{sign} needs two matrices of one shape; they are {self.shape} and {other.shape}")
        pairs = zip(self.rows, other.rows, strict=True)
        rows = tuple(tuple(function(a, b) for a, b in zip(left, right, strict=True)) for left, right in pairs)
        return Matrix(rows, self.scalar)

    def times(self, other: Matrix) -> Matrix:
        """The matrix product, or the multiple by a number."""
        if self.scalar:
            return Matrix(other.mapped(lambda entry: self.rows[0][0] * entry).rows, other.scalar)
        if other.scalar:
            return self.mapped(lambda entry: entry * other.rows[0][0])
        if len(self.rows[0]) != len(other.rows):
            raise ShapeError(
                f"the product of {self.shape} and {other.shape} does not exist; is a transpose missing, or the order "
                "another one?"
            )
        columns = other.transposed().rows
        return Matrix(tuple(tuple(_inner(row, column) for column in columns) for row in self.rows))


def _inner(row: Sequence[Entry], column: Sequence[Entry]) -> Entry:
    total = row[0] * column[0]
    for a, b in zip(row[1:], column[1:], strict=True):
        total = total + a * b
    return total


# Reading.

_TRANSPOSES = ("ᵀ", "^T", ".T")
_PRODUCTS = {"·": "·", "*": "·", "@": "·", "×": "·", "⋅": "·", "⊙": "⊙", "∘": "⊙", "/": "/"}
_MINUS = "−-"


class Meaning(NamedTuple):
    """What the words of a formula stand for."""

    matrix: Callable[[str], Matrix]
    number: Callable[[float], Matrix]
    derivative: Callable[[str, str], Matrix]
    #: Name, whether its derivative is meant, argument.
    function: Callable[[str, bool, Matrix], Matrix]
    #: True for a name that stands for a matrix or a number, and therefore is no function.
    is_known: Callable[[str], bool]


class Reader:
    """A reader of formulas: sums of products from left to right, ``·`` and ``⊙`` alike, ``ᵀ`` and ``′`` behind.

    A product sign may be left out, ``2/n (Y − Ŷ)``. Nesting is by recursion: a formula is written by a person.
    """

    def __init__(self, right: str, meaning: Meaning, formula: str) -> None:
        self.formula = formula
        self.meaning = meaning
        self.words = [*words_of(right), ""]
        self.at = 0

    def read(self) -> Matrix:
        """The value of the whole formula."""
        result = self._sum()
        if self._next():
            raise self._unexpected()
        return result

    def _next(self) -> str:
        return self.words[self.at]

    def _take(self) -> str:
        self.at += 1
        return self.words[self.at - 1]

    def _expect(self, word: str) -> None:
        if self._take() != word:
            self.at -= 1
            raise self._unexpected(f"expected {word!r:.200}")

    def _unexpected(self, why: str = "") -> ValueError:
        found = repr(self._next()) if self._next() else "its end"
        return ValueError(f"{self.formula!r:.200} cannot be read at {found}{f': {why}' if why else ''}")

    def _sum(self) -> Matrix:
        total = self._product()
        while self._next() and self._next() in "+" + _MINUS:
            sign = self._take()
            term = self._product()
            if sign != "+":
                term = term.mapped(Entry.__neg__)
            total = total.combined(term, sign, Entry.__add__)
        return total

    def _product(self) -> Matrix:
        if self._next() and self._next() in _MINUS:
            self._take()
            return self._product().mapped(Entry.__neg__)
        product = self._factor()
        while True:
            word = self._next()
            if word in _PRODUCTS:
                self._take()
                factor = self._factor()
            elif word and (word[0].isalnum() or word in "(∂"):
                factor, word = self._factor(), "·"
            else:
                return product
            if _PRODUCTS[word] == "⊙":
                product = product.combined(factor, word, Entry.__mul__)
            elif word == "/":
                if not factor.scalar:
                    raise ShapeError(f"only a number can be divided by; this is {factor.shape}")
                product = Matrix(((factor.rows[0][0].inverse(),),), scalar=True).times(product)
            else:
                product = product.times(factor)

    def _factor(self) -> Matrix:
        factor = self._primary()
        while self._next() in _TRANSPOSES:
            self._take()
            factor = factor.transposed()
        return factor

    def _primary(self) -> Matrix:
        word = self._next()
        if word == "(":
            self._take()
            inside = self._sum()
            self._expect(")")
            return inside
        if word == "∂":
            return self._derivative()
        if not word or not (word[0].isalnum() or word[0] == "_"):
            raise self._unexpected("a name, a number, ∂ or a bracket is wanted")
        self._take()
        if word[0] in "0123456789":
            return self.meaning.number(float(word))
        prime = self._next() in ("′", "'")
        if prime:
            self._take()
        if prime or (self._next() == "(" and not self.meaning.is_known(word)):
            self._expect("(")
            argument = self._sum()
            self._expect(")")
            return self.meaning.function(word, prime, argument)
        return self.meaning.matrix(word)

    def _derivative(self) -> Matrix:
        of, by = derivative_at(self.words, self.at, self.formula)
        self.at += 5
        return self.meaning.derivative(of, by)


def derivative_at(words: Sequence[str], at: int, formula: str) -> tuple[str, str]:
    """C and W of the words ∂ C / ∂ W."""
    found = [*words[at : at + 5]]
    names_alone = all(name and _in_a_name(name[0]) for name in found[1::3])
    if len(found) < 5 or found[0] != "∂" or found[2] != "/" or found[3] != "∂" or not names_alone:
        raise ValueError(f"{formula!r:.200} cannot be read: a derivative is written ∂C/∂W")
    return found[1], found[4]


def words_of(formula: str) -> Iterator[str]:
    """The words of a formula: names with their indices, numbers, signs.

    >>> list(words_of("∂C/∂W² = 2/n (Y − Ŷ)·Xᵀ"))
    ['∂', 'C', '/', '∂', 'W²', '=', '2', '/', 'n', '(', 'Y', '−', 'Ŷ', ')', '·', 'X', 'ᵀ']
    """
    at = 0
    while at < len(formula):
        character = formula[at]
        transpose = next((sign for sign in _TRANSPOSES if formula.startswith(sign, at)), "")
        if character.isspace():
            at += 1
        elif transpose:
            yield transpose
            at += len(transpose)
        elif character in "0123456789":
            end = _end(formula, at, lambda c: c in "0123456789.")
            yield formula[at:end].rstrip(".")
            at = end if formula[end - 1] != "." else end - 1
        elif _in_a_name(character) and character != "∂":
            end = _end(formula, at, _in_a_name)
            yield formula[at:end]
            at = end
        else:
            yield character
            at += 1


def _end(text: str, start: int, belongs: Callable[[str], bool]) -> int:
    end = start
    while end < len(text) and belongs(text[end]):
        end += 1
    return end


def _in_a_name(character: str) -> bool:
    return character != "ᵀ" and (character.isalnum() or character in "_⁽⁾⁺⁻₍₎₊₋" or "\u0300" <= character <= "\u036f")

"""``verify_formula``: a textbook's matrix formula against the engine, entry by entry, as algebra and in numbers.

A derivative on the right of the formula, ∂C/∂Y, is taken as given: each of its entries is a symbol of its own. So
``∂C/∂W = ∂C/∂Y · Xᵀ`` is proved for one layer, however large the network above it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, final

from autograd.eager.operands import plain
from autograd.graph import topological_order
from autograd.interpret import apply, partials
from autograd.number_systems import floats
from autograd.pictures.mathematics.derivation import load_algebra
from autograd.pictures.mathematics.formulas import Text
from autograd.pictures.mathematics.matrices import Entry, Matrix, Meaning, Reader, ShapeError, derivative_at, words_of
from autograd.pictures.mathematics.notation import in_one_line, text_of_number
from autograd.pictures.mathematics.slopes import Formulas
from autograd.pictures.mathematics.waypoints import Cone, Names
from autograd.primitives import ALIASES, TABLE, Primitive, find
from autograd.transforms import gradients
from autograd.value import Value

#: Both sides add up the same terms in different orders; a thousand roundings move a sum by no more than this part of
#: its terms' absolute sum.
ROUNDING = 1000 * 2.0**-53

#: Of a formula; what is longer is in no textbook.
MOST_CHARACTERS = 1000

_FUNCTIONS = {row.symbol: row.name for row in TABLE.values() if row.symbol.isalpha()} | {"ln": "log", "ReLU": "relu"}


class Comparison(NamedTuple):
    """One entry of a formula: what the engine derives, and what the formula says."""

    #: ∂C/∂W[0,1]
    name: str
    #: SymPy expressions; None where the graph is too large for one.
    derived: Any
    said: Any
    derived_value: float
    said_value: float
    proved: bool
    agrees: bool


@final
class Verification:
    """Whether a formula holds; made by ``verify_formula``, true if it does.

    ``holds`` says that all numbers agree but for rounding, where the graph was recorded; ``proved`` that algebra shows
    both sides to be the same for all numbers (on the branches that were taken). ``entries`` has every entry, ``reason``
    says what does not fit if it is no number, such as two shapes.
    """

    def __init__(self, formula: str, entries: tuple[Comparison, ...], reason: str) -> None:
        self.formula = formula
        self.entries = entries
        self.reason = reason
        self.holds = bool(entries) and all(entry.agrees for entry in entries)
        self.proved = bool(entries) and all(entry.proved for entry in entries)

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        if not self.entries:
            return f"{self.formula} does not hold: {self.reason}"
        wrong = [entry for entry in self.entries if not entry.agrees]
        count = f"all {len(self.entries)} entries" if len(self.entries) > 1 else "its one entry"
        if wrong:
            worst, text = wrong[0], Text()
            sides = [
                (text(expression) + " = " if expression is not None else "") + text_of_number(value, 6)
                for expression, value in ((worst.derived, worst.derived_value), (worst.said, worst.said_value))
            ]
            return (
                f"{self.formula} does not hold: {len(wrong)} of {len(self.entries)} entries differ, such as "
                f"{worst.name}: it is {sides[0]}; the formula says {sides[1]}"
            )
        how = "as algebra and in numbers" if self.proved else f"in these numbers ({self.reason or 'algebra is silent'})"
        return f"{self.formula} holds for {count}, {how}"

    def __repr__(self) -> str:
        return f"<{self}>"


def verification(formula: str, given: Mapping[str, Any]) -> Verification:
    """What ``autograd.verify_formula`` returns."""
    if len(formula) > MOST_CHARACTERS:
        raise ValueError(f"the formula has {len(formula)} characters; at most {MOST_CHARACTERS} are read")
    algebra = load_algebra("verify_formula")
    left, equals, right = formula.partition("=")
    if not equals or "=" in right:
        raise ValueError(f"{formula!r:.200} is no formula: it needs one '='")
    head = list(words_of(left))
    of, by = derivative_at(head, 0, formula)
    if len(head) != 5:
        raise ValueError(f"{formula!r:.200}: the left side is one derivative, such as ∂{of}/∂{by}")
    try:
        return _Check(formula, right, of, by, given, algebra).verification()
    except RecursionError:
        raise ValueError(f"{formula!r:.200} is too deep: it has too many brackets inside of each other") from None


class _Check:
    """One formula with what its names stand for."""

    def __init__(self, formula: str, right: str, of: str, by: str, given: Mapping[str, Any], algebra: Any) -> None:
        self.formula, self.right, self.by, self.given, self.algebra = formula, right, by, given, algebra
        self.output = self._known(of)
        if not isinstance(self.output, Value):
            raise ValueError(f"{of} is what is derived: it must be one Value, not {self.output!r:.200}")
        self.of = of
        called = {node: name for name in given for node, name in self._nodes(name)}
        self.symbols = {node: algebra.symbol(name) for node, name in Names([], called, []).of.items()}
        words = list(words_of(right))
        self.cut: set[Value] = set()
        at = -1
        while "∂" in words[at + 1 :]:
            at = words.index("∂", at + 1)
            numerator, below = derivative_at(words, at, formula)
            if numerator != of:
                raise ValueError(f"{formula!r:.200}: all derivatives must be of {of}; one is of {numerator}")
            self.cut |= {node for node, _ in self._nodes(below, needed=True)}
            at += 4  # to its last word
        self.order = [node for node in topological_order(self.output) if isinstance(node, Value)]
        self.place = {node: i for i, node in enumerate(self.order)}
        self.formulas: dict[Value, Formulas] = {}
        targets = [node for node, _ in self._nodes(by, needed=True)]
        asked = list(dict.fromkeys([*targets, *self.cut]))
        self.slopes = dict(zip(asked, [slope.data for slope in gradients(self.output, asked)], strict=True))

    def _known(self, name: str) -> Any:
        if name not in self.given:
            raise ValueError(
                f"{self.formula!r:.200}: {name} is not given; there are {', '.join(self.given) or 'no names'}"
            )
        return self.given[name]

    def _rows(self, name: str) -> tuple[list[list[Any]], bool]:
        """What a name stands for as rows, and whether it is one number."""
        thing = self._known(name)
        thing = thing.tolist() if hasattr(thing, "tolist") else thing
        if isinstance(thing, Value) or plain(thing) is not None:
            return [[thing]], True
        if not isinstance(thing, list | tuple) or not thing:
            raise ValueError(
                f"{name} must be a Value, a number, a list (a column) or a list of rows; it is {thing!r:.200}"
            )
        rows = [list(row) if isinstance(row, list | tuple) else [row] for row in thing]
        if len({len(row) for row in rows}) != 1 or not rows[0]:
            raise ValueError(f"{name} is no matrix: its rows have {', '.join(str(len(row)) for row in rows)} entries")
        for x in [x for row in rows for x in row]:
            if not isinstance(x, Value) and plain(x) is None:
                raise ValueError(f"{name} must hold Values and numbers; one entry is {x!r:.200}")
        return rows, False

    def _nodes(self, name: str, *, needed: bool = False) -> list[tuple[Value, str]]:
        """The Values of a name, each with its own: W[0,1]."""
        if isinstance(self._known(name), str):
            return []
        rows, scalar = self._rows(name)
        column = all(len(row) == 1 for row in rows)
        found = []
        for i, row in enumerate(rows):
            for j, x in enumerate(row):
                if isinstance(x, Value):
                    found.append((x, name if scalar else f"{name}[{i}]" if column else f"{name}[{i},{j}]"))
                elif needed:
                    raise ValueError(f"∂{self.of}/∂{name}: {name} must hold Values; one entry is {x!r:.200}")
        return found

    # The right side.

    def _matrix(self, name: str) -> Matrix:
        rows, scalar = self._rows(name)
        return Matrix(tuple(tuple(self._entry(x) for x in row) for row in rows), scalar)

    def _entry(self, x: Any) -> Entry:
        value = x.data if isinstance(x, Value) else float(x)
        return Entry(self.symbols[x] if isinstance(x, Value) else self.algebra.number(x), value, abs(value))

    def _number(self, x: float) -> Matrix:
        return Matrix(((self._entry(x),),), scalar=True)

    def _given_slope(self, node: Value) -> Any:
        return self.algebra.symbol(f"∂{self.of}/∂{self.symbols[node].name}")

    def _derivative(self, _: str, by: str) -> Matrix:
        rows, scalar = self._rows(by)
        return Matrix(
            tuple(tuple(Entry(self._given_slope(x), self.slopes[x], abs(self.slopes[x])) for x in row) for row in rows),
            scalar,
        )

    def _function(self, name: str, prime: bool, argument: Matrix) -> Matrix:
        row = self._row(name)

        def each(entry: Entry) -> Entry:
            symbol, z = self.algebra.stand_in("x"), self.algebra.stand_in("z")
            m = self.algebra.AtPoint({symbol: entry.value})
            formula, value = apply(m, row, [symbol]), apply(floats, row, [entry.value])
            if prime:
                m.numbers[z] = value
                formula = self.algebra.sympify(partials(m, row, z, [symbol], [0])[0]).xreplace({z: formula})
                value = float(partials(floats, row, value, [entry.value], [0])[0])
            # A slope that is computed as 1 - z is right to a rounding of 1.
            return Entry(
                self.algebra.sympify(formula).xreplace({symbol: entry.expression}), value, max(1.0, abs(value))
            )

        return argument.mapped(each)

    def _row(self, name: str) -> Primitive:
        named = self.given.get(name, name)
        key = _FUNCTIONS.get(named, named) if isinstance(named, str) else getattr(named, "__name__", "")
        row = find(key) if key in TABLE or key in ALIASES else None
        if row is None or row.arity != 1:
            raise ValueError(
                f"{self.formula!r:.200}: {name} is no function of one number; give its name, such as {name}='tanh'"
            )
        return row

    # The left side.

    def _derived(self) -> dict[Value, Any]:
        """The formula of each entry on the left, the derivatives on the right being symbols."""
        targets = [node for node, _ in self._nodes(self.by)]
        # What depends on a target without passing what is given.
        relevant = set(targets)
        starts = []
        for node in self.order:
            if any(operand.__class__ is Value and operand in relevant for operand in node.operands()):
                if node in self.cut:
                    starts.append(node)
                else:
                    relevant.add(node)
        arrived: dict[Value, Any] = {node: self._given_slope(node) for node in [*starts, *targets] if node in self.cut}
        if self.output in relevant and self.output not in self.cut:
            arrived[self.output] = self.algebra.number(1)
        for node in reversed(self.order):
            if node not in arrived or not node.parents:
                continue
            symbols = self.symbols if node in self.symbols else {**self.symbols, node: self.algebra.symbol(self.of)}
            cone = Cone(node, symbols, symbols[node].name, relevant)
            for parent, slope in Formulas(cone).slopes.items():
                if parent not in self.cut:
                    arrived[parent] = arrived.get(parent, 0) + arrived[node] * slope.expression
        return {node: arrived.get(node, self.algebra.number(0)) for node in targets}

    def _activations(self) -> dict[Any, Any]:
        """The symbol of each A = f(Z), whose Z has a symbol too, with f(Z): one side may speak of A, the other of Z."""
        found = {}
        for node in self.order:
            values = [operand for operand in node.operands() if isinstance(operand, Value)]
            if node in self.symbols and len(values) == 1 and values[0] in self.symbols:
                cone = Cone(node, self.symbols, self.symbols[node].name, ())
                if cone.function():
                    found[self.symbols[node]] = Formulas(cone).value()
        return found

    def verification(self) -> Verification:
        meaning = Meaning(
            self._matrix, self._number, self._derivative, self._function, lambda n: n in self.given
            and not isinstance(self.given[n], str) and not callable(self.given[n]),
        )  # fmt: skip
        try:
            said = Reader(self.right, meaning, self.formula).read()
            rows, scalar = self._rows(self.by)
            if (len(rows), len(rows[0])) != (len(said.rows), len(said.rows[0])):
                shape = Matrix(tuple(tuple(map(self._entry, row)) for row in rows), scalar).shape
                raise ShapeError(f"the left side is {shape}, the right side {said.shape}")
        except ShapeError as error:
            return Verification(self.formula, (), str(error))
        reason, activations = "", {}
        try:
            derived, activations = self._derived(), self._activations()
        except ValueError as error:
            derived, reason = {}, str(error).partition(". ")[0]
        flat: Sequence[Entry] = [entry for row in said.rows for entry in row]
        entries = []
        for (node, name), entry in zip(self._nodes(self.by), flat, strict=True):
            formula, value = derived.get(node), self.slopes[node]
            agrees = value == entry.value or abs(value - entry.value) <= ROUNDING * max(entry.size, abs(value))
            proved = False
            if agrees and formula is not None:
                sides = (side.xreplace(activations) for side in (formula, entry.expression))
                proved = self.algebra.proves_equal(*sides)
            label = f"∂{in_one_line(self.of)}/∂{in_one_line(name)}"
            entries.append(Comparison(label, formula, entry.expression, value, entry.value, proved, agrees))
        return Verification(self.formula, tuple(entries), reason)

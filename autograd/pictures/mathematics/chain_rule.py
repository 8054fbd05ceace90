"""A derivation as mathematics: its factors, and how it is written in plain text, LaTeX and Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, final

from autograd.pictures.mathematics.formulas import Latex, Text
from autograd.primitives import TABLE


class Factor(NamedTuple):
    """One partial between two labelled nodes, ``∂of/∂by``."""

    of: str
    by: str
    #: The function and its argument where the factor is written f′(by), such as ("σ", "z²"); else empty.
    function: str
    #: ``of`` in terms of the labelled nodes below it, as it was written: an unevaluated SymPy expression.
    definition: Any
    #: The partials of the single operations, where several were multiplied: ½·2·(y − a²)·(−1).
    steps: tuple[Any, ...]
    #: The result, a SymPy expression in the labels.
    expression: Any
    #: The number of the result, where the graph was recorded.
    value: float
    #: A literal zero of the table, which stops even infinity and nan (the slope of a detached or a flat piece).
    blocked: bool = False

    @property
    def notation(self) -> str:
        """σ′(z²) where there is such a name, the result where there is none."""
        return Text().slope(self.function, self.by) if self.function else Text()(self.expression)

    @property
    def result(self) -> str:
        """The result in plain text, a²·(1 − a²)."""
        return Text()(self.expression)

    def __str__(self) -> str:
        return f"{Text().partial(self.of, self.by)} = {self.notation}" + (f" = {self.result}" if self.function else "")


@final
class Derivation:
    """∂output/∂wrt as mathematics; made by ``derive``.

    ``paths`` holds the factors of each path from wrt to the output, in the order in which they are written; ``factors``
    each factor once; ``expression`` is the SymPy expression of the sum of the products, and ``value`` its number, where
    the graph was recorded. ``conditions`` says what the recorded numbers decided on the way ("z¹ > 0"), ``notes`` what
    else a reader must know. ``str()`` is the derivation in plain text, with the labels verbatim; ``latex()`` and
    ``markdown()`` are what notebooks show.
    """

    def __init__(
        self,
        of: str,
        by: str,
        paths: tuple[tuple[Factor, ...], ...],
        expression: Any,
        value: float,
        conditions: tuple[Any, ...],
        notes: tuple[str, ...],
        precision: int,
    ) -> None:
        self.of = of
        self.by = by
        self.paths = paths
        self.expression = expression
        self.value = value
        self.precision = precision
        self.notes = notes
        self._decisions = conditions

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Each factor once, in the order in which they are written."""
        return tuple(dict.fromkeys(factor for path in self.paths for factor in path))

    @property
    def conditions(self) -> tuple[str, ...]:
        """What the recorded numbers decided, and the formula therefore holds for: ``z¹ > 0``."""
        return tuple(_conditions(self._decisions, Text(self.precision)))

    @property
    def symbols(self) -> dict[str, Any]:
        """Label → SymPy symbol, for every label in the expression; the symbols are real."""
        return {symbol.name: symbol for symbol in sorted(self.expression.free_symbols, key=str)}

    def __str__(self) -> str:
        """The whole derivation in plain text: the chain, each factor, the product, the numbers."""
        style = Text(self.precision)
        lines = [f"{head} = {rest}" for head, rest in self._chain(style)]
        for number, factor in enumerate(self.factors if self.paths != ((),) else (), start=1):
            lines.append(f"  ({number}) " + " = ".join(_step(factor, style)))
        lines += ["  " + line for line in self._layers(style)]
        results = self._results(style)
        margin = "\n" + " " * len(results[0])
        lines.append(f"{results[0]} = " + f"{margin} = ".join(results[1:]))
        lines += [f"  where {condition}" for condition in self.conditions]
        return "\n".join([*lines, *[f"  note: {note}" for note in self.notes]])

    def latex(self) -> str:
        """The chain, its product and the numbers as one ``aligned`` block, without dollar signs."""
        style = Latex(self.precision)
        head, *results = self._results(style)
        rows = [f"&= {right}" for right in [*[chain for _, chain in self._chain(style)], *results]]
        rows[0] = f"{head} {rows[0]}"
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def markdown(self) -> str:
        """The whole derivation for a notebook or a page: the chain, a list of the factors, the product, the numbers."""
        style = Latex(self.precision)
        chain = [f"$${head} = {rest}$$" for head, rest in self._chain(style)]
        factors = self.factors if self.paths != ((),) else ()
        steps = [
            f"{n}. $\\displaystyle {' = '.join(_step(factor, style))}$" for n, factor in enumerate(factors, start=1)
        ]
        layers = [f"- $\\displaystyle {line}$" for line in self._layers(style)]
        head, *results = self._results(style)
        rows = " \\\\\n".join([f"{head} &= {results[0]}", *[f"&= {result}" for result in results[1:]]])
        end = f"$$\\begin{{aligned}}\n{rows}\n\\end{{aligned}}$$"
        conditions = _conditions(self._decisions, style)
        where = [f"where ${', '.join(conditions)}$"] if conditions else []
        notes = [f"*{_plain_markdown(note)}*" for note in self.notes]
        # A blank line between the items makes them paragraphs, whose fractions do not touch.
        return "\n\n".join([*chain, *steps, *layers, end, *where, *notes])

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def __repr__(self) -> str:
        style = Text(self.precision)
        return f"<{style.partial(self.of, self.by)} = {style(self.expression)} = {style.number(self.value)}>"

    def _chain(self, style: Text) -> list[tuple[str, str]]:
        """∂C/∂w² and the product of partials it is; nothing where the product is that partial itself."""
        head = style.partial(self.of, self.by)
        products = [style.times_between.join([style.partial(f.of, f.by) for f in path]) for path in self.paths]
        if len(products) > 1:
            # y = f(x, g(x)): the partial of f along x itself looks like the whole derivative.
            products = [style.direct(product) if product == head else product for product in products]
        return [(head, " + ".join(products))] if products and products != [head] and products != [""] else []

    def _layers(self, style: Text) -> list[str]:
        """∂a²/∂a¹ = ∂a²/∂z² · ∂z²/∂a¹ = σ′(z²) · w²: the factors of one path, put together layer by layer."""
        lines = []
        if len(self.paths) == 1 and len(self.paths[0]) > 2:
            for layer in by_layer(inwards(self.paths[0], self.of)):
                if len(layer) > 1:
                    partials = [style.partial(factor.of, factor.by) for factor in layer]
                    whole = style.partial(layer[0].of, layer[-1].by)
                    product = style.times_between.join([_notation(factor, style) for factor in _not_one(layer)])
                    lines.append(f"{whole} = {style.times_between.join(partials)} = {product}")
        return lines

    def _results(self, style: Text) -> list[str]:
        """∂C/∂w²; the product in notation; its results; what they simplify to; the numbers put in; the value."""
        head = style.partial(self.of, self.by)
        if not self.paths or self.paths == ((),):
            return [head, style.number(self.value)]
        paths = [_not_one(path) for path in self.paths]
        lines = [_joined(paths, style, lambda factor, alone: _notation(factor, style, alone=alone))]
        lines.append(_joined(paths, style, lambda factor, alone: _result(factor, style, alone=alone)))
        if _is_shorter(self.expression, paths):
            lines.append(style(self.expression))
        lines.append(_joined(paths, style, lambda factor, alone: _number(factor, style, alone=alone)))
        lines.append(style.number(self.value))
        return [head, *[line for line, before in zip(lines, [head, *lines], strict=False) if line != before]]


# Paths of factors.


def inwards(path: tuple[Factor, ...], output: str) -> tuple[Factor, ...]:
    """The factors from the output down, however they were ordered."""
    following = {factor.of: factor for factor in path}
    name, found = output if output in following else next(iter(following), ""), []
    starts = {factor.of for factor in path} - {factor.by for factor in path}
    name = next(iter(starts), name)
    while name in following:
        found.append(following[name])
        name = following[name].by
    return tuple(found)


def by_layer(path: tuple[Factor, ...]) -> list[tuple[Factor, ...]]:
    """The factors of a path from the output down, a new layer beginning with each activation."""
    layers: list[list[Factor]] = [[]]
    for factor in path:
        if factor.function and layers[-1]:
            layers.append([])
        layers[-1].append(factor)
    return [tuple(layer) for layer in layers]


# How things are written.


def _not_one(path: tuple[Factor, ...]) -> tuple[Factor, ...]:
    """The factors without those that are 1: these are seen in their own line."""
    return tuple(factor for factor in path if factor.function or factor.expression != 1) or path[:1]


def _joined(paths: list[tuple[Factor, ...]], style: Text, write: Callable[[Factor, bool], str]) -> str:
    """The sum of the products, each factor written in the same way."""
    return " + ".join(
        [style.times_between.join([write(factor, len(paths) == len(path) == 1) for factor in path]) for path in paths]
    )


def _notation(factor: Factor, style: Text, *, alone: bool = False) -> str:
    return style.slope(factor.function, factor.by) if factor.function else _result(factor, style, alone=alone)


def _result(factor: Factor, style: Text, *, alone: bool) -> str:
    return style(factor.expression) if alone else style.factor(factor.expression)


def _number(factor: Factor, style: Text, *, alone: bool) -> str:
    text = style.number(factor.value)
    return text if alone or not text.startswith(style.minus) else style.brackets(text)


def _is_shorter(expression: Any, paths: list[tuple[Factor, ...]]) -> bool:
    """True if algebra made the sum of the products simpler than it is written out."""
    from autograd.pictures.mathematics.algebra import count_ops, product

    written = sum([count_ops(product([factor.expression for factor in path])) for path in paths])
    return bool(count_ops(expression) < written + len(paths) - 1)


def _step(factor: Factor, style: Text) -> list[str]:
    """∂a²/∂z², ∂σ(z²)/∂z², σ′(z²), a²·(1 − a²): what is derived, and how, without repetitions."""
    from autograd.pictures.mathematics.algebra import count_ops, shortened

    parts = [style.partial(factor.of, factor.by)]
    definition = shortened(factor.definition, factor.by)
    if count_ops(definition) <= 40:
        parts.append(style.partial_of(definition, factor.by))
    if factor.function:
        parts.append(style.slope(factor.function, factor.by))
    elif factor.steps and sum([count_ops(step) for step in factor.steps]) <= 40:
        parts.append(style.times.join([style.factor(step) for step in factor.steps]))
    parts.append(style(factor.expression))
    return list(dict.fromkeys(parts))


#: Symbol of a comparison → how it is written if it holds, if it does not, and if it does not because of a nan.
_SIGNS = {"<": ("<", "≥", "≮"), "<=": ("≤", ">", "≰"), ">": (">", "≤", "≯"), ">=": ("≥", "<", "≱")}
_LATEX_SIGNS = {"≥": r"\ge", "≤": r"\le", "≮": r"\nless", "≰": r"\nleq", "≯": r"\ngtr", "≱": r"\ngeq"}
_TURNED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤", "≮": "≯", "≯": "≮", "≰": "≱", "≱": "≰"}


def _conditions(decisions: tuple[Any, ...], style: Text) -> list[str]:
    """Each decision as a relation that holds; of ``a ≤ b`` and ``a < b`` the stronger one."""
    found: list[tuple[str, str, str]] = []
    for decision in decisions:
        sign = _SIGNS[TABLE[decision.relation].symbol][0 if decision.outcome else 1 if decision.ordered else 2]
        left, right = style(decision.left), style(decision.right)
        if decision.left.is_number:
            left, sign, right = right, _TURNED[sign], left
        if left != right:
            found.append((left, sign, right))
    known = set(found) | {(right, _TURNED[sign], left) for left, sign, right in found}
    kept: dict[tuple[str, str, str], None] = {}
    for left, sign, right in found:
        strict, opposite = {"≤": "<", "≥": ">"}.get(sign, ""), _TURNED[sign]
        if strict and (left, strict, right) in known:
            continue
        if strict and (left, opposite, right) in known:
            sign = "="
        if (right, _TURNED.get(sign, sign), left) not in kept:
            kept[(left, sign, right)] = None
    latex = isinstance(style, Latex)
    return [f"{left} {_LATEX_SIGNS.get(sign, sign) if latex else sign} {right}" for left, sign, right in kept]


def _plain_markdown(text: str) -> str:
    return "".join("\\" + c if c in "\\`*_{}[]<>#$|" else c for c in text)

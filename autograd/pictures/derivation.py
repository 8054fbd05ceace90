"""``derive``: the chain rule between labelled nodes as mathematics, each factor from the engine's own rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, final

from autograd.pictures.formulas import Latex, Text
from autograd.pictures.waypoints import Cone, Formulas, Names, depending_on
from autograd.structure import take_apart
from autograd.value import Value, active_nodes, refuse_if_stale

#: A sum over more paths than this, or a product of more different factors, is nothing that anybody reads.
MOST_PATHS = 64
MOST_FACTORS = 200

Order = Literal["layer", "input", "output"]


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
        """Label → SymPy symbol, for every label in the expression."""
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
        steps = [f"{n}. ${' = '.join(_step(factor, style))}$" for n, factor in enumerate(factors, start=1)]
        layers = [f"- ${line}$" for line in self._layers(style)]
        head, *results = self._results(style)
        rows = " \\\\\n".join([f"{head} &= {results[0]}", *[f"&= {result}" for result in results[1:]]])
        end = f"$$\\begin{{aligned}}\n{rows}\n\\end{{aligned}}$$"
        conditions = _conditions(self._decisions, style)
        where = [f"where ${', '.join(conditions)}$"] if conditions else []
        notes = [f"*{_plain_markdown(note)}*" for note in self.notes]
        blocks = [*chain, "\n".join(steps), "\n".join(layers), end, *where, *notes]
        return "\n\n".join([block for block in blocks if block])

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
            for layer in _by_layer(_inwards(self.paths[0], self.of)):
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


def derive(
    output: Value,
    wrt: Any,
    *,
    order: Order = "layer",
    names: Mapping[Value, str] | None = None,
    precision: int = 4,
) -> Any:
    """The derivative of an output as the chain rule between labelled nodes: factors, formula, numbers.

    Every labelled Value is a symbol; what lies between two of them is folded into one factor, by the rules of the
    table over SymPy. Several paths are a sum. What depends on data (``where``, ``relu``, ``maximum``) is shown as the
    formula of the branch that was taken, with the condition.

    >>> from autograd import sigmoid
    >>> a1, w2, y = Value(0.5, "a¹"), Value(2.0, "w²"), Value(1.0, "y")
    >>> z2 = w2 * a1
    >>> z2.label = "z²"
    >>> a2 = sigmoid(z2)
    >>> a2.label = "a²"
    >>> C = 0.5 * (y - a2) ** 2
    >>> C.label = "C"
    >>> print(derive(C, w2))
    ∂C/∂w² = ∂z²/∂w² · ∂a²/∂z² · ∂C/∂a²
      (1) ∂z²/∂w² = ∂(w²·a¹)/∂w² = a¹
      (2) ∂a²/∂z² = ∂σ(z²)/∂z² = σ′(z²) = a²·(1 − a²)
      (3) ∂C/∂a² = ∂(½·(y − a²)²)/∂a² = ½·2·(y − a²)·(−1) = a² − y
      ∂a²/∂w² = ∂a²/∂z² · ∂z²/∂w² = σ′(z²) · a¹
    ∂C/∂w² = a¹ · σ′(z²) · (a² − y)
           = a¹ · a²·(1 − a²) · (a² − y)
           = 0.5 · 0.1966 · (−0.2689)
           = −0.02644

    Args:
        output: a Value.
        wrt: a Value, or nested lists, tuples and dicts of Values; the result has the same shape.
        order: of the factors in a product. ``output``: from the output down; ``input``: from wrt up; ``layer``, as
            textbooks have it: of a leaf the partials of its own layer, up to the activation, then those from the output
            down to it; of a node in between from the output down.
        names: names for nodes, in this derivation only; they go before labels.
        precision: significant digits of the numbers.

    Returns:
        A ``Derivation``, or as many as wrt holds. Without a path from wrt to the output it is zero, and says so.

    Raises:
        ValueError: there are too many paths, factors or operations for a formula; the remedy is named.
        StaleGraphError: a leaf was written after a node had used it.
        ModuleNotFoundError: SymPy is not installed.
    """
    if not isinstance(output, Value):
        raise TypeError(f"derive takes a Value as output, not {output!r}")
    if order not in ("layer", "input", "output"):
        raise ValueError(f"order is 'layer', 'input' or 'output', not {order!r}")
    targets, build = take_apart(wrt, "wrt")
    for target in targets:
        if not isinstance(target, Value):
            raise TypeError(f"wrt takes Values; {target!r} is a number, on which nothing depends")
    algebra = load_algebra("derive")
    refuse_if_stale(active_nodes([output]))
    needed = [(output, "output"), *[(target, "input") for target in targets]]
    known = Names([output], names or {}, needed)
    symbols = {node: algebra.Symbol(name) for node, name in known.of.items()}
    formulas: dict[Value, Formulas] = {}
    return build([_one(output, target, known, symbols, formulas, order, precision) for target in targets])


def load_algebra(wanted_by: str) -> Any:
    """The algebra over SymPy, which is loaded when it is first wanted."""
    try:
        import autograd.pictures.algebra as algebra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("sympy", "mpmath"):
            raise
        raise ModuleNotFoundError(
            f"{wanted_by} needs SymPy, which is not installed: pip install 'valuegrad[viz]'", name=error.name
        ) from error
    return algebra


def _one(
    output: Value,
    target: Value,
    known: Names,
    symbols: Mapping[Value, Any],
    formulas: dict[Value, Formulas],
    order: Order,
    precision: int,
) -> Derivation:
    algebra = load_algebra("derive")
    of, by, notes = known.of[output], known.of[target], list(known.notes)
    if target is output:
        notes.append("the output is what it is differentiated by")
        return Derivation(of, by, ((),), algebra.number(1), 1.0, (), tuple(notes), precision)
    relevant = depending_on(target, output)
    if output not in relevant:
        notes.append(f"no derivative flows from {of} to {by}, so it is 0")
        return Derivation(of, by, (), algebra.number(0), 0.0, (), tuple(notes), precision)
    cones = _cones(output, target, known, symbols, relevant)
    _refuse_too_many_paths(cones, output, target, known)
    parts = {}
    for node, cone in cones.items():
        if node not in formulas or set(formulas[node].slopes) != set(cone.parents):
            formulas[node] = Formulas(cone)
        parts[node] = formulas[node]
    decisions = [decision for part in parts.values() for decision in part.decisions]
    notes += [note for part in parts.values() for note in part.notes]
    factors = {(node, parent): _factor(part, parent, known) for node, part in parts.items() for parent in part.slopes}
    paths = tuple(
        _ordered(tuple(factors[edge] for edge in path), "output" if order == "layer" and target.parents else order)
        for path in _paths(cones, output, target)
    )
    expression = algebra.tidy(sum([_times([f.expression for f in path]) for path in paths], algebra.number(0)))
    value = sum([_times_numbers(path) for path in paths])
    return Derivation(
        of, by, paths, expression, value, tuple(dict.fromkeys(decisions)), tuple(dict.fromkeys(notes)), precision
    )


def _cones(
    output: Value, target: Value, known: Names, symbols: Mapping[Value, Any], relevant: set[Value]
) -> dict[Value, Cone]:
    """The cone of each named node between the output and the target, parents after their children."""
    cones: dict[Value, Cone] = {}
    waiting = [output]
    count = 0
    while waiting:
        node = waiting.pop()
        if node in cones or node is target:
            continue
        cone = cones[node] = Cone(node, symbols, known.of[node], relevant)
        count += len(cone.parents)
        if count > MOST_FACTORS:
            raise ValueError(
                f"between {known.of[output]!r} and {known.of[target]!r} there are more than {MOST_FACTORS} factors. "
                "Label fewer nodes (one per layer), or derive a part: from the output to a node in between, and from "
                "that node to wrt; explain() names the paths that matter in a graph of any size"
            )
        waiting += reversed(cone.parents)
    return cones


def _refuse_too_many_paths(cones: Mapping[Value, Cone], output: Value, target: Value, known: Names) -> None:
    ways = {target: 1}
    stack = [output]
    while stack:
        node = stack[-1]
        unknown = [parent for parent in cones[node].parents if parent not in ways] if node not in ways else []
        if unknown:
            stack += unknown
            continue
        stack.pop()
        ways.setdefault(node, sum([ways[parent] for parent in cones[node].parents]) if node in cones else 0)
    if ways[output] > MOST_PATHS:
        raise ValueError(
            f"{known.of[output]!r} depends on {known.of[target]!r} along {ways[output]:,} paths between labelled "
            f"nodes, and derive writes at most {MOST_PATHS}. Label fewer nodes (fewer layers), or derive a part: from "
            "the output to a node in between, and from that node to wrt; explain() names the paths that matter"
        )


def _paths(cones: Mapping[Value, Cone], output: Value, target: Value) -> Iterator[list[tuple[Value, Value]]]:
    """Every path from the output down to the target, as edges."""
    stack: list[tuple[Value, list[tuple[Value, Value]]]] = [(output, [])]
    while stack:
        node, path = stack.pop()
        if node is target:
            yield path
            continue
        stack += [(parent, [*path, (node, parent)]) for parent in reversed(cones[node].parents)]


def _factor(part: Formulas, parent: Value, known: Names) -> Factor:
    node, slope = part.cone.node, part.slopes[parent]
    function = part.cone.function()
    name = function[0] if function and function[1] is parent else ""
    return Factor(
        known.of[node], known.of[parent], name, part.definition, slope.steps, slope.expression, slope.value,
        slope.blocked,
    )  # fmt: skip


def _times(expressions: list[Any]) -> Any:
    product = expressions[0]
    for expression in expressions[1:]:
        product = product * expression
    return product


def _times_numbers(path: tuple[Factor, ...]) -> float:
    if any(factor.blocked for factor in path):
        return 0.0
    product = 1.0
    for factor in _inwards(path, path[0].of):
        product = product * factor.value
    return product


# The order of factors. A path comes from the output down.


def _ordered(path: tuple[Factor, ...], order: Order) -> tuple[Factor, ...]:
    if order == "output":
        return path
    upwards = path[::-1]
    if order == "input":
        return upwards
    own = len(_by_layer(path)[-1])  # the layer of wrt
    if not any(factor.function for factor in path):
        return upwards
    return upwards[:own] + path[: len(path) - own]


def _inwards(path: tuple[Factor, ...], output: str) -> tuple[Factor, ...]:
    """The factors from the output down, however they were ordered."""
    following = {factor.of: factor for factor in path}
    name, found = output if output in following else next(iter(following), ""), []
    starts = {factor.of for factor in path} - {factor.by for factor in path}
    name = next(iter(starts), name)
    while name in following:
        found.append(following[name])
        name = following[name].by
    return tuple(found)


def _by_layer(path: tuple[Factor, ...]) -> list[tuple[Factor, ...]]:
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
    from autograd.pictures.algebra import count_ops, product

    written = sum([count_ops(product([factor.expression for factor in path])) for path in paths])
    return bool(count_ops(expression) < written + len(paths) - 1)


def _step(factor: Factor, style: Text) -> list[str]:
    """∂a²/∂z², ∂σ(z²)/∂z², σ′(z²), a²·(1 − a²): what is derived, and how, without repetitions."""
    from autograd.pictures.algebra import count_ops, shortened

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


#: Relation → how it is written if it holds, if it does not, and if it does not because of a nan.
_SIGNS = {
    "less": ("<", "≥", "≮"),
    "less_equal": ("≤", ">", "≰"),
    "greater": (">", "≤", "≯"),
    "greater_equal": ("≥", "<", "≱"),
}
_LATEX_SIGNS = {"≥": r"\ge", "≤": r"\le", "≮": r"\nless", "≰": r"\nleq", "≯": r"\ngtr", "≱": r"\ngeq"}
_TURNED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤", "≮": "≯", "≯": "≮", "≰": "≱", "≱": "≰"}


def _conditions(decisions: tuple[Any, ...], style: Text) -> list[str]:
    """Each decision as a relation that holds; of ``a ≤ b`` and ``a < b`` the stronger one."""
    found: list[tuple[str, str, str]] = []
    for decision in decisions:
        sign = _SIGNS[decision.relation][0 if decision.outcome else 1 if decision.ordered else 2]
        left, right = style(decision.left), style(decision.right)
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

"""``derive``: the chain rule between labelled nodes as mathematics, each factor from the engine's own rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from autograd.nesting import take_apart
from autograd.pictures.mathematics.chain_rule import Derivation, Factor, by_layer, inwards
from autograd.pictures.mathematics.notation import checked
from autograd.pictures.mathematics.slopes import Formulas
from autograd.pictures.mathematics.waypoints import Cone, Names, depending_on
from autograd.value import Value, active_nodes, refuse_if_stale

#: A sum over more paths than this, or a product of more different factors, is nothing that anybody reads.
MOST_PATHS = 64
MOST_FACTORS = 200

Order = Literal["layer", "input", "output"]


def derivations(output: Value, wrt: Any, order: Order, names: Mapping[Value, str] | None, precision: int) -> Any:
    """What ``autograd.derive`` returns."""
    if not isinstance(output, Value):
        raise TypeError(f"derive takes a Value as output, not {output!r:.200}")
    if order not in ("layer", "input", "output"):
        raise ValueError(f"order is 'layer', 'input' or 'output', not {order!r:.200}")
    targets, build = take_apart(wrt, "wrt")
    for target in targets:
        if not isinstance(target, Value):
            raise TypeError(f"wrt takes Values; {target!r:.200} is a number, on which nothing depends")
    algebra = load_algebra("derive")
    checked(precision)
    refuse_if_stale(active_nodes([output]))
    needed = [(output, "output"), *[(target, str(target.label).strip() or "input") for target in targets]]
    known = Names([output], names or {}, needed)
    symbols = {node: algebra.symbol(name) for node, name in known.of.items()}
    formulas: dict[Value, Formulas] = {}
    return build([_one(output, target, known, symbols, formulas, order, precision) for target in targets])


def load_algebra(wanted_by: str) -> Any:
    """The algebra over SymPy, which is loaded when it is first wanted."""
    try:
        import autograd.pictures.mathematics.algebra as algebra
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
                f"between {known.of[output]!r:.200} and {known.of[target]!r:.200} there are more than "
                f"{MOST_FACTORS} factors. "
                "Label fewer nodes (one per layer), or derive a part: from the output to a node in between, and from "
                "that node to wrt; explain() names the paths that matter in a graph of any size"
            )
        waiting += reversed(cone.parents)
    return cones


def _refuse_too_many_paths(cones: Mapping[Value, Cone], output: Value, target: Value, known: Names) -> None:
    paths = {target: 1}
    stack = [output]
    while stack:
        node = stack[-1]
        unknown = [parent for parent in cones[node].parents if parent not in paths] if node not in paths else []
        if unknown:
            stack += unknown
            continue
        stack.pop()
        paths.setdefault(node, sum([paths[parent] for parent in cones[node].parents]) if node in cones else 0)
    if paths[output] > MOST_PATHS:
        raise ValueError(
            f"{known.of[output]!r:.200} depends on {known.of[target]!r:.200} along {paths[output]:,} paths "
            f"between labelled "
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
    for factor in inwards(path, path[0].of):
        product = product * factor.value
    return product


def _ordered(path: tuple[Factor, ...], order: Order) -> tuple[Factor, ...]:
    if order == "output":
        return path
    upwards = path[::-1]
    if order == "input":
        return upwards
    own = len(by_layer(path)[-1])  # the layer of wrt
    if not any(factor.function for factor in path):
        return upwards
    return upwards[:own] + path[: len(path) - own]

"""``scene_of``: a model as textbooks draw it: units in columns, a line for each weight.

The structure is read from the paths of the parameters alone (``layers[0].neurons[1].w[2]``): what shares all but the
last part of its path is a unit, an entry with an index (``w[2]``) is the weight of an input, one without (``b``) the
bias; units that share all but the last part of *their* path are a layer. So any class with ``named_parameters()`` of
this form can be drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.pictures.drawing.parts import parameters_of
from autograd.pictures.drawing.scene import NUMBER, UNIT, Edge, Node, Scene
from autograd.value import Value

#: A column of more units than this shows the first ones, a ⋮, and the last ones.
MOST_UNITS, FIRST, LAST = 12, 6, 3
ACROSS, DOWN = 130.0, 40.0


class _Unit(NamedTuple):
    weights: list[Value]
    bias: Value | None


def scene_of(model: Any, *, color: str | None, precision: int, theme: str) -> Scene:
    """The network of a model.

    Args:
        color: "gradient" colours lines by gradient; else they are coloured by weight. The width goes with the size.

    Raises:
        ValueError: the parameters are not those of fully connected layers, one after the other.
    """
    columns = _columns(model)
    inputs = len(columns[0][1][0].weights)
    widths = [inputs, *(len(units) for _, units in columns)]
    nodes: list[Node] = []
    edges: list[Edge] = []
    place: dict[tuple[int, int], int] = {}
    tallest = max(_rows(width) for width in widths)
    titles = ["input", *(name for name, _ in columns)]
    gradient = color == "gradient"
    values = [value for _, units in columns for unit in units for value in unit.weights]
    numbers = [value.grad if gradient else value.data for value in values]
    largest = max((abs(x) for x in numbers if abs(x) < float("inf")), default=0.0) or 1.0
    for column, width in enumerate(widths):
        shown = _shown(width)
        top = DOWN * (tallest - _rows(width)) / 2
        for row, unit in enumerate(shown):
            at = (ACROSS * column, top + DOWN * row)
            if unit is None:
                nodes.append(Node(NUMBER, ("⋮",), scale=1.6, at=at))
                continue
            place[column, unit] = len(nodes)
            nodes.append(_unit(columns[column - 1][1][unit] if column else None, unit, at, precision))
        below = (ACROSS * column, DOWN * tallest - 4)
        nodes.append(
            Node(
                NUMBER, (titles[column], f"{width:,} {'number' if not column else 'unit'}{'s' * (width > 1)}"), at=below
            )
        )
        if column:
            for unit in (u for u in shown if u is not None):
                weights = columns[column - 1][1][unit].weights
                edges += [
                    _line(weights[source], gradient, largest, precision)._replace(
                        source=place[column - 1, source], target=place[column, unit], argument=source
                    )
                    for source in _shown(widths[column - 1])
                    if source is not None
                ]
    # Strong lines last, so that they lie above the others.
    edges.sort(key=lambda edge: edge.width)
    what = "gradient" if gradient else "weight"
    caption = [
        f"line: a weight; orange: {what} above zero, blue: below; width: its size, at most {largest:.{precision}g}"
    ]
    if gradient and not any(numbers):
        caption = ["no gradient yet: call backward()"]
    hidden = [f"{width:,}" for width in widths if width > MOST_UNITS]
    if hidden:
        caption.append(f"⋮: columns of {', '.join(hidden)} are shortened")
    return Scene(nodes, edges, tuple(caption), name=f"network {' → '.join(map(str, widths))}", theme=theme)


def _unit(unit: _Unit | None, number: int, at: tuple[float, float], precision: int) -> Node:
    if unit is None:
        return Node(UNIT, (f"x{_subscript(number)}",), at=at, tip=f"input {number}")
    tip = f"unit {number}"
    if unit.bias is not None:
        tip += f"\nbias {unit.bias.data:.{precision}g}, gradient {unit.bias.grad:.{precision}g}"
    return Node(UNIT, ("",), at=at, tip=tip)


def _line(weight: Value, gradient: bool, largest: float, precision: int) -> Edge:
    x = weight.grad if gradient else weight.data
    part = min(1.0, abs(x) / largest) if x == x else 0.0
    tip = f"{weight.label}\n" if weight.label else ""
    tip += f"weight {weight.data:.{precision}g}, gradient {weight.grad:.{precision}g}"
    return Edge(0, 0, width=0.4 + 3.2 * part, shade=part if x >= 0 else -part, tip=tip)


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _shown(width: int) -> Sequence[int | None]:
    if width <= MOST_UNITS:
        return range(width)
    return [*range(FIRST), None, *range(width - LAST, width)]


def _rows(width: int) -> int:
    return len(_shown(width))


def _columns(model: Any) -> list[tuple[str, list[_Unit]]]:
    """The layers by name, each with its units."""
    named, name = parameters_of(model)
    if not named:
        raise ValueError(f"{name} has no parameters, so there is no network to draw")
    units: dict[tuple[str, ...], tuple[list[Value], list[Value]]] = {}
    for path, value in named:
        *above, last = path.split(".")
        weights, biases = units.setdefault(tuple(above), ([], []))
        (weights if "[" in last else biases).append(value)
    columns: dict[tuple[str, ...], list[_Unit]] = {}
    for unit_path, (weights, biases) in units.items():
        if not weights or len(biases) > 1:
            raise _other_form(name, f"{'.'.join(unit_path) or name} has not weights w[0], w[1] … and one bias")
        columns.setdefault(unit_path[:-1], []).append(_Unit(weights, biases[0] if biases else None))
    layers = [(".".join(path) or name, units_of) for path, units_of in columns.items()]
    before: int | None = None
    for layer, units_of in layers:
        for unit in units_of:
            if before is not None and len(unit.weights) != before:
                raise _other_form(name, f"{layer} takes {len(unit.weights)} numbers, the layer before gives {before}")
            if len(unit.weights) != len(units_of[0].weights):
                raise _other_form(name, f"the units of {layer} take different numbers of inputs")
        before = len(units_of)
    return layers


def _other_form(name: str, reason: str) -> ValueError:
    return ValueError(
        f"{name} is not drawn as a network of fully connected layers: {reason}. Draw its graph: "
        "draw(model(x), modules=model)"
    )

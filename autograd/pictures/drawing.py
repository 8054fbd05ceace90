"""``draw``: a graph as a picture, in DOT. The one file that imports graphviz, and that only when something is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograd.graph import topological_order
from autograd.value import Condition, Value

if TYPE_CHECKING:
    import graphviz

#: More nodes than this are no picture that anybody reads.
MOST_NODES = 400


def draw(output: Value, *, precision: int = 4) -> graphviz.Digraph:
    """The graph of a Value: a box for each number with its label and gradient, a circle for each operation.

    Edges come in argument order, one for each use, so ``a + a`` has two. Gradients are shown once the output has one.
    ``.source`` is the DOT text; ``autograd.pictures.layout.render`` makes a file of it with or without the ``dot``
    program.

    >>> a = Value(2.0, "a")
    >>> "a" in draw(a + a).source
    True

    Args:
        precision: significant digits of the numbers.

    Raises:
        ValueError: the graph has more than 400 nodes.
    """
    import graphviz

    if not isinstance(output, Value):
        raise TypeError(f"draw takes a Value, not {output!r}")
    order = topological_order(output)
    if len(order) > MOST_NODES:
        raise ValueError(f"the graph has {len(order)} nodes; draw shows at most {MOST_NODES}. Draw a part of it")
    with_gradients = output.grad != 0.0
    picture = graphviz.Digraph(
        graph_attr={"rankdir": "LR", "bgcolor": "transparent", "nodesep": "0.15", "ranksep": "0.3"},
        node_attr={"fontname": "Helvetica", "fontsize": "11", "color": "#8a8f98", "fontcolor": "#1f2328"},
        edge_attr={"color": "#8a8f98", "arrowsize": "0.6"},
    )
    names = {node: f"n{i}" for i, node in enumerate(order)}
    for node, name in names.items():
        if isinstance(node, Value):
            picture.node(
                name,
                _text(node, with_gradients, precision, graphviz.escape),
                shape="box",
                style="rounded,filled",
                fillcolor=_fill(node),
            )
            result = name
        else:
            result = name
            picture.node(
                name, "true" if node.outcome else "false", shape="box", style="rounded,filled", fillcolor="#fff8e1"
            )
        if node.parents:
            picture.node(
                f"{name}o", node.primitive.symbol or node.primitive.name, shape="circle", margin="0.02", width="0.3"
            )
            picture.edge(f"{name}o", result)
            for i, parent in enumerate(node.parents):
                picture.edge(_source_of(parent, names, picture, f"{name}c{i}", precision), f"{name}o")
    return picture


def _source_of(parent: Any, names: dict[Any, str], picture: graphviz.Digraph, own_name: str, precision: int) -> str:
    """The node an edge starts at; a plain number gets one of its own."""
    if isinstance(parent, Value | Condition):
        return names[parent]
    picture.node(own_name, "–" if parent is None else f"{parent:.{precision}g}", shape="plaintext", fontcolor="#6a7079")
    return own_name


def _text(node: Value, with_gradients: bool, precision: int, escape: Callable[[str], str]) -> str:
    lines = [node.label] if node.label else []
    lines.append(f"{node.data:.{precision}g}")
    lines.append(f"∂ {node.grad:.{precision}g}" if with_gradients else "no gradient yet")
    return "\n".join(escape(line) for line in lines)


def _fill(node: Value) -> str:
    return "#eef3fb" if node.parents else "#eaf6ec"

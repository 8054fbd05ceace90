"""``draw``: a graph, folded or whole, or a network as a picture. What it needs is imported when it is called."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from autograd.value import Value

if TYPE_CHECKING:
    from autograd.pictures.drawing.picture import Picture

_THEMES = ("auto", "light", "dark")


# More than 60 lines: half of them tell what can be drawn, and how.
def draw(
    output: Any,
    *,
    precision: int = 4,
    partials: bool = False,
    color: str | None = None,
    size: str | None = None,
    detail: str | Collection[str] = "whole",
    modules: Any = None,
    depth: int | None = None,
    theme: str = "auto",
    engine: str | None = None,
) -> Picture:
    """The graph of a Value as a picture: a box for each number, with label and gradient, a circle for each operation.

    The picture is a ``graphviz.Digraph`` and shows itself in a notebook; ``picture.write("graph.svg")`` makes a file
    (svg, png, pdf, dot, or mmd for Mermaid), ``.mermaid`` is the text for Markdown pages, ``.source`` the DOT. Layout
    is by the ``dot`` program, else pygraphviz, else the package's own; png and pdf need one of the first two.

    Edges come in argument order, one for each use, so ``a + a`` has two. Gradients are shown once there is one. Above
    300 nodes, nodes that are alike share a box; above 20,000 the picture is a summary. A model (whatever has
    ``named_parameters()``) in place of a Value is drawn as a network: units, and weights as lines.

    >>> a = Value(2.0, "a")
    >>> "data 4" in draw(a + a).source
    True

    Args:
        output: a Value, a list of Values, or a model.
        precision: significant digits of the numbers.
        partials: write the local derivatives on the edges, so that the chain rule can be read off: a gradient is the
            sum, over the edges that leave, of gradient times derivative.
        color: "gradient" colours by its sign and size (orange above zero, blue below).
        size: "gradient" makes boxes larger whose gradient is.
        detail: "whole", or "expanded" for fused nodes (``dot``, ``sigmoid``, …) by their formulas, or the names of
            the primitives to expand.
        modules: a model, or a dict of names and parameters; what belongs to one of its parts becomes one box.
        depth: how many levels of the model are open: 0 shows it as one box, 1 its layers, 2 their neurons, 3 all.
            Unless told, as many as can be shown.
        theme: "auto" has no background and suits light and dark ones; "light" and "dark" have their own.
        engine: "dot", "pygraphviz" or "svg"; unless told, the first that works.

    Raises:
        TypeError: nothing that can be drawn.
        ValueError: an option is none of those above.
    """
    _check("color", color, (None, "gradient"))
    _check("size", size, (None, "gradient"))
    _check("theme", theme, _THEMES)
    if precision.__class__ is not int or not 1 <= precision <= 17:
        raise ValueError(f"precision is a number of significant digits, 1 to 17, not {precision!r:.200}")
    from autograd.pictures.drawing.picture import picture_of

    if isinstance(output, Value):
        output = [output]
    elif hasattr(output, "named_parameters"):
        from autograd.pictures.drawing import networks

        return picture_of(networks.scene_of(output, color=color, precision=precision, theme=theme), engine=engine)
    if not isinstance(output, Sequence) or not output or not all(isinstance(o, Value) for o in output):
        raise TypeError(
            f"draw takes a Value, a list of Values, or a model with named_parameters(), not {output!r:.200}"
        )
    from autograd.pictures.drawing import folding
    from autograd.pictures.drawing.graphs import Style

    style = Style(precision, partials, color, size, theme)
    return picture_of(folding.scene_of(output, style, _expanded(detail), modules, depth), engine=engine)


def _check(name: str, chosen: Any, allowed: Sequence[Any]) -> None:
    if chosen not in allowed:
        raise ValueError(f"{name} is one of {', '.join(map(repr, allowed))}, not {chosen!r:.200}")


def _expanded(detail: Any) -> bool | frozenset[str]:
    """True for all, False for none, or the names of primitives."""
    if detail in ("whole", "expanded"):
        return bool(detail == "expanded")
    if isinstance(detail, str) or not isinstance(detail, Collection) or not all(isinstance(d, str) for d in detail):
        names = "or the names of primitives to expand, such as ['dot']"
        raise ValueError(f"detail is one of 'whole', 'expanded', {names}, not {detail!r:.200}")
    from autograd.primitives import find

    return frozenset(find(name).name for name in detail)

"""``Scene``: what a picture shows, said once; DOT, SVG and Mermaid are three ways to write it down.

A scene is plain data: nodes of a few kinds with lines of text, edges between their places in the list, a caption. It
knows nothing of graphs, so that graphs, folded graphs and networks share the three writers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum  # the built-in sum of floats depends on the version of Python
from typing import NamedTuple

#: What a node can be; each kind has its own shape and colours.
LEAF, VALUE, OPERATION, NUMBER, CONDITION, GROUP, UNIT = (
    "leaf", "value", "operation", "number", "condition", "group", "unit",
)  # fmt: skip


class Node(NamedTuple):
    """A box, a circle or a text. ``lines`` are shown, ``tip`` where the pointer rests; the first may be a ``title``."""

    kind: str
    lines: tuple[str, ...]
    title: bool = False
    tip: str = ""
    #: From -1 to 1: how strongly it is coloured, and in which of two colours. ``None``: as its kind is.
    shade: float | None = None
    scale: float = 1.0
    #: Where it stands, in pixels, for scenes that are not laid out.
    at: tuple[float, float] | None = None


class Edge(NamedTuple):
    """From one node to another, both by their places in the list; ``argument`` orders the edges into a node."""

    source: int
    target: int
    argument: int = 0
    text: str = ""
    dashed: bool = False
    width: float = 1.2
    shade: float | None = None
    tip: str = ""


class Scene(NamedTuple):
    """Nodes, edges, and the lines below them. ``name`` says what it is to those who cannot see it."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    caption: tuple[str, ...] = ()
    name: str = "computation graph"
    theme: str = "auto"
    #: SVG that takes the place of nodes and edges, with its width and height.
    inlay: tuple[str, float, float] | None = None


class Colours(NamedTuple):
    """A theme. ``auto`` has no background and is readable on light and dark ones alike."""

    background: str
    text: str
    muted: str
    edge: str
    base: str
    positive: str
    negative: str
    fills: dict[str, str]
    strokes: dict[str, str]

    def of(self, node: Node) -> tuple[str, str]:
        """Fill and stroke of a node."""
        fill, stroke = self.fills[node.kind], self.strokes[node.kind]
        if node.shade is None:
            return fill, stroke
        hue = self.positive if node.shade >= 0 else self.negative
        return mixed(self.base, hue, 0.75 * abs(node.shade)), mixed(self.edge, hue, 0.3 + 0.7 * abs(node.shade))

    def of_edge(self, edge: Edge) -> str:
        """The colour of a line."""
        if edge.shade is None:
            return self.edge
        return mixed(self.edge, self.positive if edge.shade >= 0 else self.negative, 0.25 + 0.75 * abs(edge.shade))


_LIGHT_FILLS = {
    LEAF: "#e7f5ec", VALUE: "#eaf1fb", OPERATION: "#ffffff", NUMBER: "none", CONDITION: "#fff5d9", GROUP: "#f2edfb",
    UNIT: "#ffffff",
}  # fmt: skip
_LIGHT_STROKES = {
    LEAF: "#4f9d6b", VALUE: "#6a8fc4", OPERATION: "#8c959f", NUMBER: "none", CONDITION: "#b8901f", GROUP: "#8e6bbf",
    UNIT: "#57606a",
}  # fmt: skip
_DARK_FILLS = {
    LEAF: "#12311e", VALUE: "#13253d", OPERATION: "#21262d", NUMBER: "none", CONDITION: "#352b0d", GROUP: "#271d3f",
    UNIT: "#161b22",
}  # fmt: skip
_DARK_STROKES = {
    LEAF: "#3fa75f", VALUE: "#4f87cc", OPERATION: "#7d8590", NUMBER: "none", CONDITION: "#c69026", GROUP: "#9a74dc",
    UNIT: "#9198a1",
}  # fmt: skip

#: Orange and blue are told apart by readers who confuse red and green.
THEMES = {
    "auto": Colours(
        "none", "#1f2328", "#6e7781", "#7d8590", "#ffffff", "#e8852b", "#3b82d6", _LIGHT_FILLS, _LIGHT_STROKES
    ),
    "light": Colours(
        "#ffffff", "#1f2328", "#57606a", "#8c959f", "#ffffff", "#e8852b", "#3b82d6", _LIGHT_FILLS, _LIGHT_STROKES
    ),
    "dark": Colours(
        "#0d1117", "#e6edf3", "#9198a1", "#6e7681", "#161b22", "#d9741a", "#2f77cc", _DARK_FILLS, _DARK_STROKES
    ),
}


def mixed(first: str, second: str, share: float) -> str:
    """A colour between two: the first at a share of 0, the second at 1.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def short(text: str, most: int = 40) -> str:
    """The text on one line, without what no file format can hold, of bounded length.

    >>> short("two\\nlines"), short("a" * 50, most=5)
    ('two lines', 'aaaa…')
    """
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"


#: Widths of characters in Helvetica, as parts of the font size, and what has them.
_WIDTHS = {
    0.25: "ijl.,:;'|!",
    0.33: 'frt()[]{}/ -I`\\"',
    0.5: "ckJsvxyz",
    0.72: "ABCDEGHKNOPQRSUVXYZwΣΠ",
    0.86: "mMW%@→←≤≥",
}
_WIDTH_OF = {c: width for width, characters in _WIDTHS.items() for c in characters}


def width_of(text: str, size: float) -> float:
    """About how wide a text is, in pixels; far eastern characters are as wide as high."""
    return size * fsum([_WIDTH_OF.get(c) or (1.0 if c > "\u2e80" else 0.57) for c in text])

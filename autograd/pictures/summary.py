"""``scene_of``: a graph too large to draw in figures, and its program as a picture of where each number is used.

One walk and a few passes over the nodes; nothing is built that is larger than the graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from autograd.graph import topological_order
from autograd.pictures.graphs import counted
from autograd.pictures.scene import GROUP, THEMES, Node, Scene
from autograd.value import Value

#: The program's picture has so many cells a side, of so many pixels.
CELLS, PIXELS = 96, 3.0


def nodes_of(outputs: Sequence[Value]) -> list[Any]:
    """All nodes of the graphs, parents first."""
    return topological_order(*outputs)


def scene_of(nodes: Sequence[Any], theme: str) -> Scene:
    """Counts by primitive, depth, fan-out, and the pattern of the program."""
    place = {node: i for i, node in enumerate(nodes)}
    depth = [0] * len(nodes)
    uses = [0] * len(nodes)
    kinds: Counter[str] = Counter()
    cells: Counter[tuple[int, int]] = Counter()
    numbers = 0
    share = CELLS / len(nodes)
    for i, node in enumerate(nodes):
        parents = node.parents
        kinds[node.primitive.name if parents else "leaf"] += 1
        deepest = -1
        row = int(i * share)
        for parent in parents:
            at = place.get(parent) if parent.__class__ is not float else None
            if at is None:
                numbers += 1
                continue
            uses[at] += 1
            if depth[at] > deepest:
                deepest = depth[at]
            cells[row, int(at * share)] += 1
        depth[i] = deepest + 1
    inner = len(nodes) - kinds["leaf"]
    used = Counter(uses)
    most = max(uses)
    lines = [
        f"{counted(len(nodes), 'node')}: {counted(inner, 'operation')}, {counted(kinds['leaf'], 'leaf')}",
        f"{counted(numbers, 'plain number')} among the operands",
        f"depth {max(depth):,}: the operations on the longest path",
        f"fan-out: {used[1]:,} used once, {len(nodes) - used[0] - used[1]:,} more often, at most {most:,} times",
    ]
    listed = [(name, count) for name, count in kinds.most_common() if name != "leaf"]
    return Scene(
        [Node(GROUP, (*lines, *(f"{name} × {count:,}" for name, count in listed[:12])), title=True)],
        [],
        (f"a graph of {len(nodes):,} nodes is summed up; draw a part of it, or fold it by a model: modules=, depth=",),
        name="summary of a computation graph",
        theme=theme,
        inlay=_inlay(lines, listed, cells, theme),
    )


def _inlay(
    lines: Sequence[str], listed: Sequence[tuple[str, int]], cells: Counter[tuple[int, int]], theme: str
) -> tuple[str, float, float]:
    """Figures, a bar for each primitive, and the pattern, as SVG with its width and height."""
    from autograd.pictures.svg import LINE, escaped

    colours = THEMES[theme]
    parts = []
    muted, bar = colours.muted, colours.negative
    for i, line in enumerate(lines):
        parts.append(f'<text y="{LINE * (i + 0.8):.1f}" fill="{muted}">{escaped(line)}</text>')
    top = LINE * len(lines) + 14
    shown = list(listed[:14])
    if len(listed) > 14:
        shown.append(("others", sum(count for _, count in listed[14:])))
    largest = max((count for _, count in shown), default=1)
    for i, (name, count) in enumerate(shown):
        y = top + 18.0 * i
        wide = max(1.0, 130.0 * count / largest)
        parts.append(
            f'<text x="84" y="{y + 11:.1f}" text-anchor="end" fill="{muted}">{escaped(name[:14])}</text>'
            f'<rect x="90" y="{y + 2:.1f}" width="{wide:.1f}" height="11" rx="2" fill="{bar}"/>'
            f'<text x="{96 + wide:.1f}" y="{y + 11:.1f}" fill="{muted}">{count:,}</text>'
        )
    left, side = 320.0, CELLS * PIXELS
    parts.append(
        f'<text x="{left:g}" y="{top - 4:.1f}" fill="{muted}">row: a node of the program; column: what it uses</text>'
        f'<rect x="{left:g}" y="{top:.1f}" width="{side:g}" height="{side:g}" fill="none" stroke="{colours.edge}"/>'
    )
    most = max(cells.values(), default=1)
    for (row, column), count in sorted(cells.items()):
        parts.append(
            f'<rect x="{left + PIXELS * column:g}" y="{top + PIXELS * row:g}" width="{PIXELS:g}" '
            f'height="{PIXELS:g}" fill="{bar}" fill-opacity="{0.25 + 0.75 * (count / most) ** 0.5:.2f}"/>'
        )
    return "\n".join(parts), left + side, top + max(side, 18.0 * len(shown))

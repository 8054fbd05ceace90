"""``scene_of``: a graph too large to draw in figures, and its program as a picture of where each number is used.

One walk and a few passes over the nodes; nothing is built that is larger than the graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from autograd.graph import topological_order
from autograd.pictures.drawing.graphs import counted
from autograd.pictures.drawing.scene import GROUP, THEMES, Node, Scene
from autograd.value import Value

#: The program's picture has so many cells a side, of so many pixels.
CELLS, PIXELS = 96, 3.0
#: So many shades tell how often a cell is used.
LEVELS = 4


def nodes_of(outputs: Sequence[Value]) -> list[Any]:
    """All nodes of the graphs, parents first."""
    return topological_order(*outputs)


def scene_of(nodes: Sequence[Any], theme: str) -> Scene:
    """Counts by primitive, depth, fan-out, and the pattern of the program."""
    count = len(nodes)
    place = {node: i for i, node in enumerate(nodes)}
    depth = [0] * count
    uses = [0] * count
    primitives: list[Any] = [None] * count
    cells = [0] * (CELLS * CELLS)
    numbers = 0
    for i, node in enumerate(nodes):
        parents = node.parents
        if not parents:
            continue
        primitives[i] = node.primitive
        deepest = -1
        row = i * CELLS // count * CELLS
        for parent in parents:
            at = place.get(parent) if parent.__class__ is not float else None
            if at is None:
                numbers += 1
                continue
            uses[at] += 1
            if depth[at] > deepest:
                deepest = depth[at]
            cells[row + at * CELLS // count] += 1
        depth[i] = deepest + 1
    kinds = Counter({row.name if row else "leaf": times for row, times in Counter(primitives).items()})
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
    lines: Sequence[str], listed: Sequence[tuple[str, int]], cells: Sequence[int], theme: str
) -> tuple[str, float, float]:
    """Figures, a bar for each primitive, and the pattern, as SVG with its width and height."""
    from autograd.pictures.drawing.svg import LINE, escaped

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
    for level, squares in enumerate(_runs(cells)):
        path = "".join(
            f"M{left + PIXELS * column:g} {top + PIXELS * row:g}h{PIXELS * wide:g}v{PIXELS:g}h-{PIXELS * wide:g}z"
            for row, column, wide in squares
        )
        if path:
            parts.append(f'<path d="{path}" fill="{bar}" fill-opacity="{0.25 + 0.75 * level / LEVELS:.2f}"/>')
    return "\n".join(parts), left + side, top + max(side, 18.0 * len(shown))


def _runs(cells: Sequence[int]) -> list[list[tuple[int, int, int]]]:
    """For each shade, from seldom to often, the runs of cells that have it: row, column, how many."""
    most = max(cells, default=0) or 1
    runs: list[list[tuple[int, int, int]]] = [[] for _ in range(LEVELS + 1)]
    for row in range(CELLS):
        start = 0
        levels = [
            round(LEVELS * (uses / most) ** 0.5) if uses else -1 for uses in cells[row * CELLS : row * CELLS + CELLS]
        ]
        for column in range(1, CELLS + 1):
            if column == CELLS or levels[column] != levels[start]:
                if levels[start] >= 0:
                    runs[levels[start]].append((row, start, column - start))
                start = column
    return runs

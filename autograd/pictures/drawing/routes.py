"""Where an edge leaves and enters a node, and the path between: the lines of a layered layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Point = tuple[float, float]

#: Where parallel or neighbouring edges reach a node, this far apart.
PORT_GAP = 9.0


class Link(Protocol):
    """An edge, as far as its ends are concerned."""

    @property
    def source(self) -> int: ...
    @property
    def target(self) -> int: ...
    @property
    def argument(self) -> int: ...


class Path:
    """SVG path data: horizontal within layers, curves between them."""

    def __init__(self, x: float, y: float, end_of_layer: float) -> None:
        self._parts = [f"M{_number(x)},{_number(y)}"]
        self._y = y
        self._x = x
        self._run(end_of_layer)

    def _run(self, x: float) -> None:
        if x - self._x > 0.05:
            self._parts.append(f"H{_number(x)}")
            self._x = x

    def _curve(self, x: float, y: float) -> None:
        if abs(y - self._y) < 0.05:
            self._run(x)
        else:
            middle = _number((self._x + x) / 2)
            self._parts.append(f"C{middle},{_number(self._y)} {middle},{_number(y)} {_number(x)},{_number(y)}")
            self._x, self._y = x, y

    def pass_through(self, start: float, end: float, y: float, gap: Point | None = None) -> None:
        """Cross a layer at this height, leaving out what is between the two ends of the gap."""
        self._curve(start, y)
        if gap is not None:
            self._run(gap[0])
            self._parts.append(f"M{_number(gap[1])},{_number(y)}")
            self._x = gap[1]
        self._run(end)

    def reach(self, start_of_layer: float, x: float, y: float) -> None:
        """End at a node."""
        self._curve(start_of_layer, y)
        self._run(x)

    @property
    def text(self) -> str:
        return " ".join(self._parts)


def _number(x: float) -> str:
    return f"{x:.1f}".removesuffix(".0")


def ports_of(edges: Sequence[Link], sizes: Sequence[Point]) -> list[tuple[float, float]]:
    """How far above or below the middle each edge leaves its source, and enters its target."""
    into: dict[int, list[int]] = {}
    parallel: dict[tuple[int, int], list[int]] = {}
    for number, edge in enumerate(edges):
        into.setdefault(edge.target, []).append(number)
        parallel.setdefault((edge.source, edge.target), []).append(number)
    ports = [(0.0, 0.0)] * len(edges)
    for target, numbers in into.items():
        numbers.sort(key=lambda n: edges[n].argument)
        gap = min(PORT_GAP, 0.7 * sizes[target][1] / max(1, len(numbers) - 1))
        for i, number in enumerate(numbers):
            ports[number] = (0.0, (i - (len(numbers) - 1) / 2) * gap)
    for (source, _), numbers in parallel.items():
        gap = min(PORT_GAP, 0.7 * sizes[source][1] / max(1, len(numbers) - 1))
        if len(numbers) > 1:
            for i, number in enumerate(sorted(numbers, key=lambda n: edges[n].argument)):
                ports[number] = ((i - (len(numbers) - 1) / 2) * gap, ports[number][1])
    return ports

"""``arrange``: a layered layout of a directed acyclic graph, left to right, after Sugiyama, Tagawa and Toda (1981).

Four steps: a layer for each node, edges over several layers cut at each of them, an order within the layers that has
few crossings, coordinates that keep edges straight. Where an edge passes a layer it has a place of its own there, so
that it crosses no node; edges from one node run together until they part. The same input gives the same picture, and
the work is bounded: the more there is, the fewer rounds of improvement, and edges too far for the budget run in lanes
above the rest.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import fsum  # the built-in sum of floats depends on the version of Python
from typing import NamedTuple

from autograd.pictures.drawing.layers import layers_of
from autograd.pictures.drawing.routes import PORT_GAP, Path, Point, ports_of

#: Distances in pixels: between layers, between neighbours in a layer, the height that a passing edge takes.
LAYER_GAP, NODE_GAP, EDGE_HEIGHT = 34.0, 12.0, 6.0
#: Places that edges may take in layers between, per node and edge, and at least; what is over goes into lanes.
PLACES_EACH, PLACES = 3, 2_000
#: What a place costs that another edge has taken already.
SHARED = 0.25
#: More lanes than this are not told apart; the rest share the last one.
MOST_LANES = 24
#: Rounds of improvement are this many visits of a node or edge, divided by their number.
VISITS = 80_000


class Edge(NamedTuple):
    """From ``source`` to ``target``, both places in the list of sizes; ``argument`` orders the edges into a node.

    ``label`` is the width and height of a text on the edge, which gets a place of its own.
    """

    source: int
    target: int
    argument: int = 0
    label: Point | None = None


class Route(NamedTuple):
    """Where an edge runs: ``path`` is SVG path data, ``end`` its last point, reached heading right.

    ``label`` is the centre of the edge's text, which the path leaves out.
    """

    path: str
    end: Point
    label: Point | None


class Layout(NamedTuple):
    """Centres of the nodes and routes of the edges, in the order given, within ``width`` × ``height`` pixels."""

    centres: list[Point]
    routes: list[Route]
    width: float
    height: float


def arrange(
    sizes: Sequence[Point], edges: Sequence[Edge], *, layer_gap: float = LAYER_GAP, node_gap: float = NODE_GAP
) -> Layout:
    """Places for boxes of these sizes, so that every edge runs from left to right.

    >>> layout = arrange([(40, 20), (40, 20), (20, 20)], [Edge(0, 2), Edge(1, 2, argument=1)])
    >>> layout.centres
    [(20.0, 10.0), (20.0, 42.0), (84.0, 26.0)]
    >>> layout.routes[0].path
    'M40,10 C57,10 57,21.5 74,21.5'

    Args:
        sizes: width and height of each node, in pixels.
        edges: those into one node are attached in the order of their arguments, parallel ones side by side.

    Raises:
        ValueError: the edges form a cycle.
    """
    if not sizes:
        return Layout([], [], 0.0, 0.0)
    graph = _Graph(sizes, edges, node_gap)
    graph.order_layers()
    graph.place()
    return graph.drawn(layer_gap)


class _Graph:
    """Nodes and the places of passing edges, called vertices, in layers."""

    def __init__(self, sizes: Sequence[Point], edges: Sequence[Edge], node_gap: float) -> None:
        self.count = len(sizes)
        self.sizes = [(float(w), float(h)) for w, h in sizes]
        self.edges = edges
        self.node_gap = node_gap
        self.stations: list[list[int]] = [[edge.source] for edge in edges]  # the vertices on each edge
        self._put_labels_on_edges()
        links = [(a, b) for way in self.stations for a, b in pairwise(way)]
        self.layer = layers_of(len(self.sizes), links)
        self.labelled = len(self.sizes)  # what comes after are places of passing edges
        self.leaving = Counter(a for a, _ in links)
        self.entering = Counter(b for _, b in links)
        self.far: set[int] = set()
        self._cut_long_edges()
        self.ports = ports_of(edges, self.sizes)
        self.layers: list[list[int]] = [[] for _ in range(max(self.layer) + 1)]
        self.y = [0.0] * len(self.sizes)
        #: Neighbours to the left and to the right: vertex, where the edge is attached to it or to us, weight.
        self.left: list[list[tuple[int, float, float]]] = [[] for _ in self.sizes]
        self.right: list[list[tuple[int, float, float]]] = [[] for _ in self.sizes]
        shared: set[tuple[int, int]] = set()
        for number, way in enumerate(self.stations):
            if number in self.far:
                continue
            for i, (a, b) in enumerate(pairwise(way)):
                if b >= self.labelled:
                    if (a, b) in shared:
                        continue
                    shared.add((a, b))
                into = self.ports[number][1] if i == len(way) - 2 else 0.0
                weight = self._pull(a, b)
                self.right[a].append((b, into, weight))
                self.left[b].append((a, into, weight))

    def _pull(self, a: int, b: int) -> float:
        """How strongly an edge is kept straight that leads from a to b."""
        if a >= self.labelled and b >= self.labelled:
            return 8.0  # in the middle of a long edge
        if self.leaving[a] == 1 and self.entering[a] == 0:
            return 0.2  # a goes where its one edge leads, and pulls nothing out of line
        return 4.0 if self.leaving[a] == self.entering[b] == 1 else 1.0

    def _put_labels_on_edges(self) -> None:
        for edge, way in zip(self.edges, self.stations, strict=True):
            if edge.label is not None:
                way.append(len(self.sizes))
                self.sizes.append(edge.label)
            way.append(edge.target)

    def _cut_long_edges(self) -> None:
        layer = self.layer
        spans = [(layer[way[-1]] - layer[way[0]], number) for number, way in enumerate(self.stations)]
        budget = float(PLACES) + PLACES_EACH * (len(self.sizes) + len(spans))
        alike = Counter((edge.source, edge.target) for edge in self.edges)
        rails: dict[tuple[int, int], int] = {}  # start and layer → the place that edges from there share
        for span, number in sorted(spans):
            way, edge = self.stations[number], self.edges[number]
            if (span - 2) * SHARED > budget:  # not even where all places are there
                self.far.add(number)
                continue
            own = edge.label is not None or alike[edge.source, edge.target] > 1
            between = [(a, at) for a, b in pairwise(way) for at in range(layer[a] + 1, layer[b])]
            cost = sum(1 if own or link not in rails else SHARED for link in between)
            if cost > budget:
                self.far.add(number)
                continue
            budget -= cost
            places = []
            for link in between:
                if own or link not in rails:
                    place = len(self.sizes)
                    self.sizes.append((0.0, EDGE_HEIGHT))
                    layer.append(link[1])
                    if not own:
                        rails[link] = place
                places.append(place if own else rails[link])
            self.stations[number] = sorted([*way, *places], key=layer.__getitem__)

    # the order within the layers

    def order_layers(self) -> None:
        """Fill the layers in the order of a walk back from the ends, then move nodes to where their neighbours are."""
        seen = bytearray(len(self.sizes))
        ends = [v for v in range(len(self.sizes)) if not self.right[v]]
        stack = ends[::-1]
        while stack:
            v = stack.pop()
            if not seen[v]:
                seen[v] = 1
                self.layers[self.layer[v]].append(v)
                neighbours = sorted(self.left[v], key=lambda link: link[1])
                stack += [u for u, *_ in reversed(neighbours)]
        place = [0.0] * len(self.sizes)
        self._number(place)
        best, fewest = [list(layer) for layer in self.layers], self._crossings(place)
        for rounds in range(self._rounds(most=24)):
            if not fewest:
                break
            leftwards = rounds % 2 == 0
            self._sweep(place, leftwards)
            crossings = self._crossings(place)
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self.layers], crossings
        self.layers = best

    def _rounds(self, most: int) -> int:
        work = len(self.sizes) + sum(map(len, self.stations))
        return max(2, min(most, VISITS // work))

    def _number(self, place: list[float]) -> None:
        for layer in self.layers:
            for i, v in enumerate(layer):
                place[v] = float(i)

    def _sweep(self, place: list[float], leftwards: bool) -> None:
        links = self.right if leftwards else self.left
        for layer in reversed(self.layers) if leftwards else self.layers:
            wanted = {}
            for v in layer:
                # Attached a little higher or lower: that is how the order of arguments counts.
                near = [place[u] + port / 1000.0 for u, port, _ in links[v]]
                wanted[v] = fsum(near) / len(near) if near else place[v]
            layer.sort(key=wanted.__getitem__)
            for i, v in enumerate(layer):
                place[v] = float(i)

    def _crossings(self, place: list[float]) -> int:
        crossings = 0
        for layer in self.layers:
            ends: list[float] = []
            for v in layer:
                reached = [place[u] + port / 1000.0 for u, port, _ in self.right[v]]
                crossings += sum(len(ends) - bisect_right(ends, end) for end in reached)
                for end in reached:
                    insort(ends, end)
        return crossings

    # coordinates

    def place(self) -> None:
        """Move every vertex to where its neighbours want it, as far as those above and below leave room."""
        y = self.y
        for layer in self.layers:
            for v, at in zip(layer, self._spread([0.0] * len(layer), [1.0] * len(layer), layer), strict=True):
                y[v] = at
        rounds = 2 * self._rounds(most=12)
        for number in range(rounds):
            leftwards = number % 2 == 0
            both = number >= rounds - 4
            for layer in reversed(self.layers) if leftwards else self.layers:
                wanted, weights = [], []
                for v in layer:
                    links = self.left[v] + self.right[v] if both else self.right[v] if leftwards else self.left[v]
                    weight = fsum([link[2] for link in links])
                    # Middle to middle: a chain whose edges enter above the middle would else become a staircase.
                    wanted.append(fsum([y[u] * w for u, _, w in links]) / weight if links else y[v])
                    weights.append(weight if links else 0.01)
                for v, at in zip(layer, self._spread(wanted, weights, layer), strict=True):
                    y[v] = at

    def _spread(self, wanted: list[float], weights: list[float], layer: list[int]) -> list[float]:
        """The places nearest to those wanted (weighted squares) that keep order and distance.

        After subtracting the distances, places must not decrease: neighbours that would are pooled at their mean.
        """
        offset, offsets = 0.0, []
        for i, v in enumerate(layer):
            if i:
                offset += (self.sizes[layer[i - 1]][1] + self.sizes[v][1]) / 2 + self._gap(layer[i - 1], v)
            offsets.append(offset)
        pools: list[tuple[float, float, int]] = []  # weighted sum, weight, how many
        for place, weight, shift in zip(wanted, weights, offsets, strict=True):
            pool = ((place - shift) * weight, weight, 1)
            while pools and pools[-1][0] * pool[1] >= pool[0] * pools[-1][1]:
                above = pools.pop()
                pool = (pool[0] + above[0], pool[1] + above[1], pool[2] + above[2])
            pools.append(pool)
        means = [total / weight for total, weight, size in pools for _ in range(size)]
        return [mean + shift for mean, shift in zip(means, offsets, strict=True)]

    def _gap(self, above: int, below: int) -> float:
        return self.node_gap / 3 if above >= self.labelled and below >= self.labelled else self.node_gap

    # the result

    def drawn(self, layer_gap: float) -> Layout:
        """Coordinates from (0, 0), and the routes."""
        lanes = self._lanes()
        top = min(self.y[v] - self.sizes[v][1] / 2 for layer in self.layers for v in layer)
        lowest = max(self.y[v] + self.sizes[v][1] / 2 for layer in self.layers for v in layer)
        above = (max(lanes.values()) + 2) * PORT_GAP if lanes else 0.0
        shift = above - top
        starts, ends, x = [], [], 0.0
        for layer in self.layers:
            starts.append(x)
            x += max([self.sizes[v][0] for v in layer], default=0.0)
            ends.append(x)
            steepest = max([abs(self.y[v] - self.y[u]) for v in layer for u, *_ in self.right[v]], default=0.0)
            x += round(layer_gap * (1 + min(max(0.0, steepest - 50) / 300, 2)))
        centres = [
            ((starts[self.layer[v]] + ends[self.layer[v]]) / 2, self.y[v] + shift) for v in range(len(self.sizes))
        ]
        routes = []
        for number, way in enumerate(self.stations):
            out, into = self.ports[number]
            (x, y), (to_x, to_y) = centres[way[0]], centres[way[-1]]
            end = (to_x - self.sizes[way[-1]][0] / 2, to_y + into)
            path = Path(x + self.sizes[way[0]][0] / 2, y + out, ends[self.layer[way[0]]])
            middle = None
            if number in lanes:
                first, last = self.layer[way[0]] + 1, self.layer[way[-1]] - 1
                path.pass_through(starts[first], ends[last], above - (lanes[number] + 2) * PORT_GAP)
                middle = (ends[last], above - (lanes[number] + 2) * PORT_GAP)
            else:
                for v in way[1:-1]:
                    gap = None
                    if v < self.labelled:
                        middle, wide = centres[v], self.sizes[v][0]
                        gap = (middle[0] - wide / 2, middle[0] + wide / 2)
                    path.pass_through(starts[self.layer[v]], ends[self.layer[v]], centres[v][1], gap)
            path.reach(starts[self.layer[way[-1]]], *end)
            routes.append(Route(path.text, end, middle if self.edges[number].label is not None else None))
        return Layout(centres[: self.count], routes, ends[-1], lowest + shift)

    def _lanes(self) -> dict[int, int]:
        """A lane for each edge that is too far to be cut: the lowest that is free, one for all edges from a node."""
        reach: dict[int, int] = {}  # start → the last layer that its edges reach
        for number in self.far:
            start, end = self.stations[number][0], self.stations[number][-1]
            reach[start] = max(reach.get(start, 0), self.layer[end])
        busy_until: list[int] = []
        lane_of: dict[int, int] = {}
        for start in sorted(reach, key=lambda v: (self.layer[v], v)):
            free = (lane for lane, until in enumerate(busy_until) if until <= self.layer[start])
            lane = next(free, min(len(busy_until), MOST_LANES - 1))
            if lane == len(busy_until):
                busy_until.append(0)
            busy_until[lane] = max(busy_until[lane], reach[start])
            lane_of[start] = lane
        return {number: lane_of[self.stations[number][0]] for number in self.far}

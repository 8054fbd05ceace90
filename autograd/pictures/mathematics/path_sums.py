"""Paths through a graph by the size of their products: sums over all of them, and the largest, without listing them.

Of 2ⁿ paths the sums are found by one walk, and so is, for each node, the largest product that is still to come; with
that as its bound a best-first search meets the largest paths first. Every walk is iterative.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autograd.eager.operands import number_of
from autograd.graph import topological_order
from autograd.interpret import partials
from autograd.number_systems import floats
from autograd.value import Value

#: Node → the nodes below it with the partial along each.
Edges = dict[Value, list[tuple[Value, float]]]

#: Folding what has no label may walk over an edge this many times on average; beyond, every node counts.
MOST_VISITS = 20


class Sums(NamedTuple):
    """What all paths add up to, all positive ones, all negative ones, and how many there are of each sign."""

    total: float
    positive: float
    negative: float
    positive_count: float
    negative_count: float


def partials_between(output: Value, target: Value) -> tuple[list[Value], Edges, list[Value]]:
    """The nodes that a derivative from the output to the target passes, parents first, and the partials between them.

    Uses of one parent are one edge, the sum of its partials. Nodes that the table stops with a literal zero have none;
    they are the third result.
    """
    order: list[Value] = []
    flat: list[Value] = []
    edges: Edges = {target: []}
    for node in topological_order(output, until=(target,)):
        if node is target:
            order.append(node)
            continue
        if not isinstance(node, Value) or node.primitive is None:
            continue
        operands = node.operands()
        arguments = [i for i, operand in enumerate(operands) if operand.__class__ is Value and operand in edges]
        if not arguments:
            continue
        numbers = [number_of(operand) for operand in operands]
        found: dict[Value, float] = {}
        slopes = partials(floats, node.primitive, node.data, numbers, arguments, node.parents)
        for i, slope in zip(arguments, slopes, strict=True):
            if slope.__class__ is not int or slope != 0:
                found[operands[i]] = found.get(operands[i], 0.0) + slope
        if found:
            order.append(node)
            edges[node] = list(found.items())
        else:
            flat.append(node)
    return order, edges, flat


def folded(order: Sequence[Value], edges: Edges, named: Mapping[Value, str], target: Value) -> Edges | None:
    """The partials between one named node and the next, all ways between them added up; None if that takes too long."""
    place = {node: i for i, node in enumerate(order)}
    left = MOST_VISITS * sum([len(below) for below in edges.values()]) + 1000
    fewer: Edges = {target: []}
    for node in order:
        if node is target or node not in named:
            continue
        arrived = {place[below]: weight for below, weight in edges[node]}
        waiting = [-i for i in arrived]
        heapq.heapify(waiting)
        found: list[tuple[Value, float]] = []
        while waiting:
            i = -heapq.heappop(waiting)
            weight, middle = arrived.pop(i), order[i]
            if middle in named:
                found.append((middle, weight))
                continue
            left -= len(edges[middle])
            if left < 0:
                return None
            for below, slope in edges[middle]:
                j = place[below]
                if j in arrived:
                    arrived[j] += weight * slope
                else:
                    arrived[j] = weight * slope
                    heapq.heappush(waiting, -j)
        fewer[node] = found[::-1]
    return fewer


def sums(order: Sequence[Value], edges: Edges, target: Value) -> dict[Value, Sums]:
    """For each node what the paths from the target to it add up to."""
    sums = {target: Sums(1.0, 1.0, 0.0, 1.0, 0.0)}
    for node in order:
        if node is target:
            continue
        total = positive = negative = positive_count = negative_count = 0.0
        for below, slope in edges[node]:
            there = sums[below]
            _, up, down, ups, downs = there if slope >= 0 else (0.0, there[2], there[1], there[4], there[3])
            total += slope * there.total
            positive += slope * up if up else 0.0
            negative += slope * down if down else 0.0
            positive_count += ups
            negative_count += downs
            if slope != slope:
                positive = negative = slope
        sums[node] = Sums(total, positive, negative, positive_count, negative_count)
    return sums


#: Sign → node → the logarithm of the largest product of that sign from the node down to the target.
Bounds = dict[int, dict[Value, float]]


def largest_to_come(order: Sequence[Value], edges: Edges, target: Value) -> Bounds:
    bounds: Bounds = {1: {target: 0.0}, -1: {}}
    for node in order:
        if node is target:
            continue
        for below, slope in edges[node]:
            for sign in (1, -1):
                known = bounds[sign].get(below)
                if known is None:
                    continue
                own = sign * _sign(slope)
                size = known + _log(slope) if known > -math.inf else known
                if size > bounds[own].get(node, -math.inf) or node not in bounds[own]:
                    bounds[own][node] = size
    return bounds


def largest(
    output: Value, target: Value, edges: Edges, bounds: Bounds, sign: int, top: int
) -> Iterator[tuple[list[Value], list[float]]]:
    """The largest paths of one sign in order, from the output down: nodes, and the factors between them.

    A node is entered ``top`` times at most for each sign: whatever reaches it later is smaller than as many others.
    """
    if output not in bounds[sign]:
        return
    # What is negated comes first; of equals the one entered last, which goes on along one path. A path is a chain of
    # pairs, since partial paths share their beginnings.
    heap: list[tuple[float, int, int, float, Any]] = [(-bounds[sign][output], 0, sign, 0.0, (output, 1.0, None))]
    entered: dict[tuple[Value, int], int] = {}
    number = found = 0
    while heap and found < top:
        _, _, wanted, so_far, chain = heapq.heappop(heap)
        node = chain[0]
        if node is target:
            found += 1
            yield _unchained(chain)
            continue
        entered[node, wanted] = entered.get((node, wanted), 0) + 1
        if entered[node, wanted] > top:
            continue
        for below, slope in edges[node]:
            rest = wanted * _sign(slope)
            to_come = bounds[rest].get(below)
            if to_come is None:
                continue
            number -= 1
            own = so_far + _log(slope) if so_far > -math.inf else so_far
            bound = own + to_come if own > -math.inf and to_come > -math.inf else -math.inf
            heapq.heappush(heap, (-bound, number, rest, own, (below, slope, chain)))


def _unchained(chain: Any) -> tuple[list[Value], list[float]]:
    """The nodes from the target up, and the factors between them."""
    nodes, factors = [], []
    while chain is not None:
        node, factor, chain = chain
        nodes.append(node)
        factors.append(factor)
    return nodes, factors[:-1]


def _sign(slope: float) -> int:
    return -1 if slope < 0 else 1


def _log(slope: float) -> float:
    """The logarithm of the size; nan is the largest, so that it is found first."""
    if slope != slope:
        return math.inf
    size = abs(slope)
    return math.log(size) if 0 < size < math.inf else -math.inf if size == 0 else math.inf

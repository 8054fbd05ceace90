"""A layer for each node of a graph, so that every edge leads to a later one: the first step of a layered layout."""

from __future__ import annotations

from collections.abc import Sequence


def layers_of(count: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """A layer for each vertex, every link leading to a later one; nodes stand where their links are short."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in links:
        before[b].append(a)
        after[a].append(b)
    waiting = [len(links) for links in before]
    order = [v for v in range(count) if not waiting[v]]
    layer = [0] * count
    for v in order:
        for w in after[v]:
            layer[w] = max(layer[w], layer[v] + 1)
            waiting[w] -= 1
            if not waiting[w]:
                order.append(w)
    if len(order) < count:
        raise ValueError("the edges form a cycle, which has no layers; leave out or turn round one of its edges")
    for v in reversed(order):  # as far right as what follows allows
        if after[v] and len(after[v]) >= len(before[v]):
            layer[v] = min([layer[w] for w in after[v]]) - 1
    for v in order:  # and back, where more comes in than goes out
        if before[v] and len(before[v]) > len(after[v]):
            layer[v] = max([layer[u] for u in before[v]]) + 1
    first = min(layer)
    return [at - first for at in layer]

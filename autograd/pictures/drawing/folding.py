"""``scene_of``: the graph of a Value as a scene of readable size: whole, folded, or summed up.

Folding gives each step a class; a class with several steps becomes one box. Two ways make classes: by the parts of a
model (whose parameters a step touches), and by likeness (the same primitive of the same classes). Classes that reach
each other, as the steps of a recurrence do, are joined, so that a folded graph is always free of cycles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Hashable, Mapping, Sequence
from typing import Any

from autograd.pictures.drawing import graphs, summary
from autograd.pictures.drawing.graphs import Folded, Style
from autograd.pictures.drawing.parts import Parts
from autograd.pictures.drawing.scene import Scene
from autograd.pictures.steps import Step, read
from autograd.value import Value

#: More nodes than this are folded, and more than that summed up.
MOST_NODES, MOST_FOLDED = 300, 20_000
#: A folded picture should not have more boxes than this.
MOST_CLASSES = 60
#: Unless told a depth, a graph that is too large is folded to no more parts of its model than this.
MOST_PARTS = 20
_TOO_MANY = (
    "{:,} nodes are too many to read, so those that are alike share a box; draw a part of the graph, or fold it by a "
    "model: modules=, depth="
)
#: How far likeness looks back, from as far as there is to not at all, until the classes are few enough.
_ROUNDS = (None, 8, 3, 1, 0)


def scene_of(
    outputs: Sequence[Value], style: Style, expand: Container[str] | bool, modules: Any, depth: int | None
) -> Scene:
    """The scene of the graphs of the outputs; the arguments are those of ``draw``."""
    if modules is None and depth is not None:
        raise ValueError("depth says how many levels of a model are open; give the model too: modules=model")
    if modules is None:
        found = summary.nodes_of(outputs)
        if len(found) > MOST_FOLDED:
            return summary.scene_of(found, style.theme)
    steps = read(outputs, expand)
    if modules is None:
        if len(steps) <= MOST_NODES:
            return graphs.scene_of(steps, style)
        classes: list[Hashable] = list(range(len(steps)))
        return _folded(steps, style, _alike(steps, classes), {}, [_TOO_MANY.format(len(steps))])
    parts = Parts(steps, modules)
    if depth is None:
        depth = parts.deepest
        if len(steps) > MOST_NODES:
            while depth > 0 and parts.count_at(depth) > MOST_PARTS:
                depth -= 1
    classes = parts.at(depth)
    count = len(set(classes))
    opened = [f"{parts.name}, at depth {depth}"] if count < len(classes) else []
    if count > (MOST_CLASSES if opened else MOST_NODES):
        classes = _alike(steps, classes)
        opened.append("nodes outside of it that are alike share a box")
    return _folded(steps, style, classes, parts.titles(classes), opened)


def _folded(
    steps: Sequence[Step], style: Style, classes: Sequence[Hashable], titles: Mapping[Hashable, str], said: list[str]
) -> Scene:
    joined = _without_cycles(steps, classes)
    members: dict[int, list[int]] = {}
    for i, joint in enumerate(joined):
        members.setdefault(joint, []).append(i)
    boxes = []
    for places in members.values():
        inside = dict.fromkeys(classes[i] for i in places)
        title = " + ".join([titles[c] for c in inside if c in titles])
        common = "" if title else _in_common([steps[i] for i in places])
        if title or len(places) > 1:
            shown = title or common or "repeated steps"
            boxes.append(Folded(shown, places, bool(common), leaf="parameter" if title else "leaf"))
    return graphs.scene_of(steps, style, boxes, said)


def _kind(step: Step) -> str:
    """What alike steps have in common: their primitive, or their label without its index."""
    return _without_index(step.label) if step.label else _primitive(step)


def _primitive(step: Step) -> str:
    """What steps with labels of their own may still have in common."""
    return step.primitive.name if step.primitive is not None else "leaf"


def _in_common(steps: Sequence[Step]) -> str:
    """The kind of all these steps, or else their primitive; empty if they have neither in common."""
    for kind in (_kind, _primitive):
        found = {kind(step) for step in steps}
        if len(found) == 1:
            return found.pop()
    return ""


def _without_index(label: str) -> str:
    """The label with its index left out: ``w1[0,3]`` is one of ``w1[…]``, and ``x12`` one of ``x…``.

    >>> _without_index("w1[0,3]"), _without_index("x12"), _without_index("loss")
    ('w1[…]', 'x…', 'loss')
    """
    if "[" in label:
        return re.sub(r"\[[^\]]*\]", "[…]", label)
    return re.sub(r"\d+$", "…", label)


# likeness


def _alike(steps: Sequence[Step], classes: Sequence[Hashable]) -> list[Hashable]:
    """Classes by likeness, of those steps that are alone in theirs; the rest keep the class they have.

    Two steps are alike if their primitives (or labels, without index) and the classes of their operands are; looking
    back a bounded number of steps, if those are not few enough. Labels count unless there are too many of them.
    """
    shared = {c for c, count in Counter(classes).items() if count > 1}
    own: list[Hashable] = [("box", c) if c in shared else None for c in classes]
    found: list[Hashable] = []
    for kind in (_kind, _primitive):
        kinds = [kind(step) for step in steps]
        for rounds in _ROUNDS:
            found = _once_through(steps, kinds, own) if rounds is None else _refined(steps, kinds, own, rounds)
            if len(set(found)) <= MOST_CLASSES:
                break
        if len(set(found)) <= MOST_NODES:
            break
    return [classes[i] if own[i] is not None else found[i] for i in range(len(steps))]


def _signature(step: Step, kind: str, found: Sequence[Hashable]) -> Hashable:
    return (kind, frozenset(found[o.step] for o in step.operands if o.step is not None))


def _once_through(steps: Sequence[Step], kinds: Sequence[str], own: Sequence[Hashable]) -> list[Hashable]:
    """Likeness as far back as there is: parents come first, so one walk is enough."""
    numbers: dict[Hashable, int] = {}
    found: list[Hashable] = []
    for step, kind, given in zip(steps, kinds, own, strict=True):
        found.append(numbers.setdefault(given or _signature(step, kind, found), len(numbers)))
    return found


def _refined(steps: Sequence[Step], kinds: Sequence[str], own: Sequence[Hashable], rounds: int) -> list[Hashable]:
    """Likeness a number of steps back."""
    found: list[Hashable] = [given or kind for kind, given in zip(kinds, own, strict=True)]
    for _ in range(rounds):
        numbers: dict[Hashable, int] = {}
        found = [
            numbers.setdefault(given or _signature(step, kind, found), len(numbers))
            for step, kind, given in zip(steps, kinds, own, strict=True)
        ]
    return found


# no cycles


def _without_cycles(steps: Sequence[Step], classes: Sequence[Hashable]) -> list[int]:
    """A number for each step: that of its class, joined with the classes that reach it and are reached by it.

    Strongly connected components after Tarjan (1972), with a stack of its own.
    """
    number_of: dict[Hashable, int] = {}
    numbers = [number_of.setdefault(c, len(number_of)) for c in classes]
    parents: list[dict[int, None]] = [{} for _ in number_of]
    for i, step in enumerate(steps):
        for operand in step.operands:
            if operand.step is not None and numbers[operand.step] != numbers[i]:
                parents[numbers[i]][numbers[operand.step]] = None
    count = len(number_of)
    index, low, component = [0] * count, [0] * count, [-1] * count
    path: list[int] = []
    clock = 0
    for start in range(count):
        if index[start]:
            continue
        walk = [(start, iter(parents[start]))]
        clock += 1
        index[start] = low[start] = clock
        path.append(start)
        while walk:
            at, rest = walk[-1]
            for parent in rest:
                if not index[parent]:
                    clock += 1
                    index[parent] = low[parent] = clock
                    path.append(parent)
                    walk.append((parent, iter(parents[parent])))
                    break
                if component[parent] < 0:
                    low[at] = min(low[at], index[parent])
            else:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[at])
                if low[at] == index[at]:
                    while True:
                        member = path.pop()
                        component[member] = at
                        if member == at:
                            break
    return [component[number] for number in numbers]

"""``scene_of``: a recorded graph as a scene of readable size: whole, folded, or summed up.

Folding gives each step a class; a class with several steps becomes one box. Two ways make classes: by the parts of a
model (whose parameters a step touches), and by likeness (the same primitive of the same classes). Classes that reach
each other, as the steps of a recurrence do, are joined, so that a folded graph is always free of cycles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from autograd.pictures.drawing import graphs, summary
from autograd.pictures.drawing.graphs import Folded, Style
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
    groups = _Groups(steps, modules)
    if depth is None:
        depth = groups.deepest
        if len(steps) > MOST_NODES:
            while depth > 0 and groups.parts_at(depth) > MOST_PARTS:
                depth -= 1
    classes = groups.at(depth)
    count = len(set(classes))
    opened = [f"{groups.name}, at depth {depth}"] if count < len(classes) else []
    if count > (MOST_CLASSES if opened else MOST_NODES):
        classes = _alike(steps, classes)
        opened.append("nodes outside of it that are alike share a box")
    return _folded(steps, style, classes, groups.titles(classes), opened)


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


# the parts of a model


class _Member(NamedTuple):
    """A step that belongs to a part of a model; ``parameters`` counts those it has summed up."""

    part: tuple[str, ...]
    parameters: int
    finished: bool


class _Groups:
    """Which part of a model each step belongs to.

    A step belongs to the part whose parameters it uses; so do sums of such steps, until each parameter was used once,
    and the function of one number that follows. What is between the parts, and after the last, stays as it is.
    """

    def __init__(self, steps: Sequence[Step], modules: Any) -> None:
        named, self.name = parameters_of(modules)
        self.steps = steps
        part_of: dict[int, tuple[str, ...]] = {id(value): _segments(path)[:-1] for path, value in named}
        sizes = Counter(part_of.values())
        self.deepest = 1 + max((len(part) for part in part_of.values()), default=0)
        self.members: list[_Member | None] = []
        for step in steps:
            if not step.operands:
                part = part_of.get(id(step.node))
                self.members.append(None if part is None else _Member(part, 1, False))
            else:
                self.members.append(self._member(step, sizes))
        if not any(self.members):
            raise ValueError("no parameter of modules takes part in this graph; give the model that computed it")

    def _member(self, step: Step, sizes: Counter[tuple[str, ...]]) -> _Member | None:
        touched = {o.step: self.members[o.step] for o in step.operands if o.step is not None}
        parents = [member for member in touched.values() if member is not None]
        own = [m for i, m in touched.items() if m is not None and not self.steps[i].operands]
        parts = {member.part for member in own or parents}
        if len(parts) != 1 or step.outcome is not None:
            return None
        part = parts.pop()
        inside = [member for member in parents if member.part == part]
        count = sum(member.parameters for member in inside)
        if own or (len(touched) > 1 and len(inside) > 1):
            return _Member(part, count, False) if count <= sizes[part] and not any(m.finished for m in inside) else None
        if len(step.operands) == len(touched) == 1 and not inside[0].finished and _is_function(step):
            return _Member(part, count, True)
        return None

    def at(self, depth: int) -> list[Hashable]:
        """A class for each step; ``depth`` levels of the model are open."""
        if not isinstance(depth, int) or depth < 0:
            raise ValueError(f"depth is a number of levels, 0 or more, not {depth!r}")
        classes: list[Hashable] = list(range(len(self.steps)))
        for i, member in enumerate(self.members):
            if member is not None and len(member.part) >= depth:
                classes[i] = ("part", member.part[:depth])
        return classes

    def parts_at(self, depth: int) -> int:
        """How many boxes and single steps the model itself takes at a depth."""
        members = [member.part for member in self.members if member is not None]
        return len({part[:depth] for part in members if len(part) >= depth}) + sum(
            len(part) < depth for part in members
        )

    def titles(self, classes: Iterable[Hashable]) -> dict[Hashable, str]:
        """What stands on the boxes."""
        parts = {c for c in classes if isinstance(c, tuple) and len(c) == 2 and c[0] == "part"}
        return {c: ".".join(c[1]) or self.name for c in parts}


def _is_function(step: Step) -> bool:
    """Whether the step is a function with a name, as an activation is, and no sign such as minus."""
    row = step.primitive
    return row is not None and not row.n_ary and (not row.symbol or row.symbol.isalpha())


def parameters_of(modules: Any) -> tuple[list[tuple[str, Value]], str]:
    """Path and parameter, for all of a model or of a dict of them; and the name of the whole.

    A path names the parts from the outermost to the parameter: ``layers[0].neurons[1].w[2]``.

    Raises:
        TypeError: neither a dict nor something with ``named_parameters()``; or a path or parameter is none.
    """
    if hasattr(modules, "named_parameters"):
        named, name = list(modules.named_parameters()), type(modules).__name__
    elif isinstance(modules, Mapping):
        named, name = list(modules.items()), "model"
    else:
        raise TypeError(f"modules is a model with named_parameters(), or a dict of path and Value, not {modules!r}")
    for path, value in named:
        if not isinstance(path, str) or not isinstance(value, Value):
            raise TypeError(f"a parameter has a path and a Value, not {path!r} and {value!r}")
    return named, name


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


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

"""``scene_of``: the steps of a graph as a scene: a box for each number, a circle for each operation.

Steps that were folded (``classes``) become one box per class; the rest is drawn as it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from autograd.pictures.drawing.scene import CONDITION, GROUP, LEAF, NUMBER, OPERATION, VALUE, Edge, Node, Scene, short
from autograd.pictures.steps import Step, has_gradient, partials
from autograd.value import Value

#: An operation with more plain numbers than this shows them as one.
MOST_NUMBERS = 8
#: Leaves of larger graphs are not asked whether their gradients have piled up.
MOST_LOOKED_AT = 2_000


class Style(NamedTuple):
    """What a picture shows of each number."""

    precision: int = 4
    partials: bool = False
    color: str | None = None
    size: str | None = None
    theme: str = "auto"


class Folded(NamedTuple):
    """Steps shown as one box: what stands on it, and their places."""

    title: str
    members: list[int]
    #: Whether they are alike, so that the range of their numbers says something.
    alike: bool = True
    #: What the leaves in it are called.
    leaf: str = "leaf"


def scene_of(steps: Sequence[Step], style: Style, folded: Sequence[Folded] = (), caption: Sequence[str] = ()) -> Scene:
    """The scene of a graph.

    Args:
        folded: the boxes; steps in none of them are drawn one by one.
        caption: what to say below, before what the picture itself has to say.
    """
    return _Drawing(steps, style).drawn(folded, caption)


class _Drawing:
    def __init__(self, steps: Sequence[Step], style: Style) -> None:
        self.steps = steps
        self.style = style
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.with_gradients = has_gradient(steps)
        sizes = [abs(step.grad) for step in steps if step.grad == step.grad and abs(step.grad) < float("inf")]
        self.largest = max(sizes, default=0.0) or 1.0

    def drawn(self, folded: Sequence[Folded], caption: Sequence[str]) -> Scene:
        box_of = {i: box for box, fold in enumerate(folded) for i in fold.members}
        shown: dict[int, int] = {}  # step → node
        boxes: dict[int, int] = {}  # fold → node
        into: dict[tuple[int, int], int] = {}
        for i, step in enumerate(self.steps):
            if i not in box_of:
                shown[i] = self._draw(step, shown)
                continue
            box = box_of[i]
            if box not in boxes:
                boxes[box] = self._add(self._box(folded[box]))
            shown[i] = boxes[box]
        for i, step in enumerate(self.steps):
            if i in box_of:
                for argument, operand in enumerate(step.operands):
                    if operand.step is not None and shown[operand.step] != shown[i]:
                        into.setdefault((shown[operand.step], shown[i]), argument)
        self.edges += [Edge(source, target, argument) for (source, target), argument in into.items()]
        return Scene(self.nodes, self.edges, (*caption, *self._remarks()), theme=self.style.theme)

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _draw(self, step: Step, shown: dict[int, int]) -> int:
        """The node of a step, with its operation and the edges into it."""
        place = self._add(self._node_of(step))
        row = step.primitive
        if row is None:
            return place
        operation = self._add(
            Node(OPERATION, (short(row.symbol or row.name, 14),), tip=f"{row.name}: {row.summary}".rstrip(": "))
        )
        self.edges.append(Edge(operation, place))
        slopes = partials(step, self.steps) if self.style.partials else [None] * len(step.operands)
        plain = [i for i, operand in enumerate(step.operands) if operand.step is None]
        from_boxes: set[int] = set()
        for i, (operand, slope) in enumerate(zip(step.operands, slopes, strict=True)):
            if operand.step is None:
                if len(plain) <= MOST_NUMBERS:
                    self.edges.append(Edge(self._add(self._plain(operand.number)), operation, i))
                elif i == plain[0]:
                    several = Node(NUMBER, (f"{len(plain)} numbers",), tip=short(self._listed(step, plain), 400))
                    self.edges.append(Edge(self._add(several), operation, i))
                continue
            source = shown[operand.step]
            if self.nodes[source].kind == GROUP:  # one line for all that comes from a box
                if source not in from_boxes:
                    self.edges.append(Edge(source, operation, i))
                    from_boxes.add(source)
                continue
            text = "" if slope is None else f"× {self._number(slope)}"
            tip = "" if slope is None else f"local derivative of {row.name}: {slope!r}"
            self.edges.append(Edge(source, operation, i, text, operand.passive, tip=tip))
        return place

    def _listed(self, step: Step, places: Sequence[int]) -> str:
        return ", ".join("–" if (x := step.operands[i].number) is None else self._number(x) for i in places)

    def _plain(self, x: float | None) -> Node:
        if x is None:
            return Node(NUMBER, ("not called",), tip="a branch that was a function and was not taken")
        return Node(NUMBER, (self._number(x),), tip=repr(x))

    def _node_of(self, step: Step) -> Node:
        if step.outcome is not None:
            return Node(CONDITION, ("true" if step.outcome else "false",), tip="the outcome of a comparison")
        lines = [short(step.label)] if step.label else []
        lines.append(f"data {self._number(step.number)}")
        tip = f"{short(step.label, 400)}\n" if step.label else ""
        tip += f"data {step.number!r}"
        if self.with_gradients:
            lines.append(f"grad {self._number(step.grad)}")
            tip += f"\ngrad {step.grad!r}"
        share = self._share(step.grad)
        return Node(
            VALUE if step.operands else LEAF,
            tuple(lines),
            title=bool(step.label),
            tip=tip,
            shade=share if self.style.color == "gradient" and self.with_gradients else None,
            scale=0.85 + 0.65 * abs(share) if self.style.size == "gradient" and self.with_gradients else 1.0,
        )

    def _share(self, gradient: float) -> float:
        """The gradient as a part of the largest, by its root, so that small ones are still seen; 0 for nan."""
        if gradient != gradient:
            return 0.0
        part = math.sqrt(min(1.0, abs(gradient) / self.largest))
        return part if gradient >= 0 else -part

    def _box(self, fold: Folded) -> Node:
        members = [self.steps[i] for i in fold.members]
        inner = [step for step in members if step.operands]
        leaves = len(members) - len(inner)
        times = f" × {len(members):,}" if fold.alike and len(members) > 1 else ""
        lines = [f"{short(fold.title, 36)}{times}"]
        if not fold.alike:
            kinds = Counter(step.primitive.name for step in inner if step.primitive is not None).most_common()
            listed = ", ".join(f"{name} × {count:,}" if count > 1 else name for name, count in kinds[:3])
            if listed:
                lines.append(short(listed + (", …" if len(kinds) > 3 else ""), 44))
            if leaves:
                lines.append(counted(leaves, fold.leaf))
        values = [step for step in members if step.outcome is None]
        if fold.alike and values:
            lines.append(f"data {self._range([step.number for step in values])}")
        if self.with_gradients and values:
            chosen = values if fold.alike else [step for step in values if not step.operands] or values
            lines.append(f"grad {self._range([step.grad for step in chosen])}")
        largest = max((self._share(step.grad) for step in values), key=abs, default=0.0)
        return Node(
            GROUP,
            tuple(lines),
            title=True,
            tip=short(fold.title, 400),
            shade=largest if self.style.color == "gradient" and self.with_gradients else None,
        )

    def _range(self, numbers: Sequence[float]) -> str:
        known = [x for x in numbers if x == x] or [float("nan")]
        low, high = self._number(min(known)), self._number(max(known))
        return low if low == high else f"{low} … {high}"

    def _number(self, x: float) -> str:
        return f"{x:.{self.style.precision}g}"

    def _remarks(self) -> list[str]:
        """What is to be known beside the picture."""
        if not self.with_gradients:
            return ["no gradient yet: call backward()"]
        remarks = []
        old = next((leaf for leaf in map(_written_since, self.steps) if leaf is not None), None)
        if old is not None:
            name = repr(short(old.label, 20)) if old.label else "a leaf"
            remarks.append(f"{name} was written after it was used: run the expression again for new numbers")
        elif piled := _piled_up(self.steps):
            names = ", ".join(repr(short(step.label, 20)) if step.label else "a leaf" for step in piled[:3])
            more = f" and {len(piled) - 3} more" if len(piled) > 3 else ""
            remarks.append(
                f"the gradient of {names}{more} is not this graph's alone: it piled up over several backward passes, "
                "or came from other graphs too"
            )
        if self.style.color == "gradient":
            remarks.append("orange: gradient above zero, blue: below")
        return remarks


def counted(count: int, what: str) -> str:
    """So many of what.

    >>> counted(1, "leaf"), counted(2000, "leaf"), counted(2, "parameter")
    ('1 leaf', '2,000 leaves', '2 parameters')
    """
    plural = f"{what[:-1]}ves" if what.endswith("f") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"


def _written_since(step: Step) -> Value | None:
    """A leaf that was written after the step had used it."""
    return step.node.stale_leaf() if step.operands and step.node.__class__ is Value else None


def _piled_up(steps: Sequence[Step]) -> list[Step]:
    """The leaves whose gradient is not what flows to them in this graph; none of a graph too large to look at."""
    if len(steps) > MOST_LOOKED_AT:
        return []
    arriving, sizes = [0.0] * len(steps), [0.0] * len(steps)
    for step in steps:
        if step.grad != 0.0:
            for operand, slope in zip(step.operands, partials(step, steps), strict=True):
                if operand.step is not None and slope is not None:
                    arriving[operand.step] += step.grad * slope
                    sizes[operand.step] += abs(step.grad * slope)
    return [
        step
        for step, here, size in zip(steps, arriving, sizes, strict=True)
        # One that was set to zero is no surprise; sums in another order differ by some roundings of their terms.
        if not step.operands and step.grad != 0.0 and abs(step.grad - here) > 1e-9 * max(abs(step.grad), size)
    ]

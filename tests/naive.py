"""A differentiator to compare with: every operation in three lines, derivatives by the chain rule, read top down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

SIGN = {"add": 1.0, "sub": -1.0}


@dataclass(eq=False)
class Naive:
    """A number, what it was made by, and from what; ``moment`` is when it was made, or for a leaf last written."""

    data: float
    operation: str = "leaf"
    parents: Sequence[Naive] = ()
    moment: int = 0
    grad: float = field(default=0.0)

    def partials(self) -> list[float]:
        """The derivative by each parent."""
        x = [parent.data for parent in self.parents]
        match self.operation:
            case "add" | "sub":
                return [1.0, SIGN[self.operation]]
            case "mul":
                return [x[1], x[0]]
            case "neg":
                return [-1.0]
            case "square":
                return [2.0 * x[0]]
            case "relu":
                return [1.0 if x[0] > 0 else 0.0]
            case "maximum":
                return [0.5, 0.5] if x[0] == x[1] else [float(x[0] > x[1]), float(x[1] > x[0])]
            case "sum":
                return [1.0] * len(x)
            case "dot":
                n = len(x) // 2
                return [*x[n : 2 * n], *x[:n], *[1.0] * (len(x) % 2)]
        raise LookupError(self.operation)


def derivative(output: Naive, wrt: Naive, known: dict[int, float] | None = None) -> float:
    """∂output/∂wrt: the sum over the parents of partial times derivative."""
    known = {} if known is None else known
    if output is wrt:
        return 1.0
    if id(output) not in known:
        terms = zip(output.partials(), output.parents, strict=True) if output.parents else ()
        known[id(output)] = sum(partial * derivative(parent, wrt, known) for partial, parent in terms)
    return known[id(output)]


def ancestors(output: Naive) -> list[Naive]:
    """Everything the output depends on, itself included."""
    found: list[Naive] = []
    todo = [output]
    while todo:
        node = todo.pop()
        if not any(node is other for other in found):
            found.append(node)
            todo += node.parents
    return found

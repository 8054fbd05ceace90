"""The parts of a model in a graph: which layer, or which neuron, each step belongs to, by the parameters it uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from autograd.pictures.steps import Step
from autograd.value import Value


class _Member(NamedTuple):
    """A step that belongs to a part of a model; ``parameters`` counts those it has summed up."""

    part: tuple[str, ...]
    parameters: int
    finished: bool


class Parts:
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
            raise ValueError(f"depth is a number of levels, 0 or more, not {depth!r:.200}")
        classes: list[Hashable] = list(range(len(self.steps)))
        for i, member in enumerate(self.members):
            if member is not None and len(member.part) >= depth:
                classes[i] = ("part", member.part[:depth])
        return classes

    def count_at(self, depth: int) -> int:
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
        raise TypeError(
            f"modules is a model with named_parameters(), or a dict of path and Value, not {modules!r:.200}"
        )
    for path, value in named:
        if not isinstance(path, str) or not isinstance(value, Value):
            raise TypeError(f"a parameter has a path and a Value, not {path!r:.200} and {value!r:.200}")
    return named, name


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))

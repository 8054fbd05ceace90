"""``explain``: which paths carry a derivative, and which cancel, of a graph with any number of paths.

A derivative is a sum over paths of products of partials. The paths are never listed, since there may be 2ⁿ of them; it
takes time linear in the graph, or ``top`` times that, to know their sums and the largest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, final

from autograd.nesting import take_apart
from autograd.pictures.mathematics.notation import checked, in_one_line, text_of_number
from autograd.pictures.mathematics.path_sums import Sums, folded, largest, largest_to_come, partials_between, sums
from autograd.pictures.mathematics.waypoints import Names
from autograd.provenance.lines import line_of
from autograd.value import Value, active_nodes, refuse_if_stale

Between = Literal["labels", "nodes"]

#: The derivative is called small if less than this part of its terms' absolute sum is left.
SMALL = 0.5


class Path(NamedTuple):
    """One path from wrt to the output, and what it adds to the derivative."""

    #: The product of the partials along it.
    value: float
    #: Its part of the absolute sum of all paths, 0 … 1.
    share: float
    #: wrt, the nodes in between, and the output; and what they are called.
    nodes: tuple[Value, ...]
    names: tuple[str, ...]
    #: The partials along it, from wrt up: one fewer than nodes.
    factors: tuple[float, ...]
    #: The user's line that made each node, inside of ``record_lines()``; else empty.
    lines: tuple[str, ...]

    @property
    def through(self) -> str:
        """The names between wrt and the output."""
        inner = self.names[1:-1]
        shown = inner if len(inner) < 8 else (*inner[:3], "…", *inner[-3:])
        return " → ".join(shown) if inner else "the direct path"


@final
class Explanation:
    """Why a derivative is as large as it is; made by ``explain``.

    ``total`` is the derivative, ``positive`` and ``negative`` the sums of all paths of either sign. ``carrying`` are
    the largest paths of the total's sign, ``cancelling`` those of the other, ``paths`` the largest of both. ``summary``
    says it in a sentence.
    """

    def __init__(
        self,
        of: str,
        by: str,
        found: Sums,
        carrying: tuple[Path, ...],
        cancelling: tuple[Path, ...],
        top: int,
        notes: tuple[str, ...],
        precision: int,
    ) -> None:
        self.of = of
        self.by = by
        self.total, self.positive, self.negative, *self._counts = found
        self.carrying = carrying
        self.cancelling = cancelling
        self.paths = tuple(sorted([*carrying, *cancelling], key=lambda path: -_size(path.value))[:top])
        self.notes = notes
        self.precision = precision

    @property
    def count(self) -> float:
        """How many paths there are; a float, for there may be 10³⁰⁰."""
        return sum(self._counts)

    @property
    def remaining(self) -> float:
        """1 where nothing cancels, 0 where everything does: |total| over the sum of the absolute terms."""
        whole = self.positive - self.negative
        return abs(self.total) / whole if whole else 0.0

    @property
    def summary(self) -> str:
        """What matters most, in a sentence."""
        if not self.paths:
            return f"no derivative flows from {self.by} to {self.of}"
        if not math.isfinite(self.total):
            return f"not a finite number: {self._signed(self.paths[0].value)} through {self.paths[0].through}"
        if self.positive == self.negative == 0.0:
            path = self.paths[0]
            at = min(range(len(path.factors)), key=lambda i: abs(path.factors[i]))
            return f"each path has a factor 0, such as ∂{path.names[at + 1]}/∂{path.names[at]}"
        if self.count == 1:
            return self._of_one_path(self.paths[0])
        counts = self._counts if not self.total < 0 else self._counts[::-1]
        sums = (self.positive, self.negative) if not self.total < 0 else (self.negative, self.positive)
        groups = (self.carrying, self.cancelling)
        words = [
            self._mostly(group, whole, count)
            for group, whole, count in zip(groups, sums, counts, strict=True)
            if group and whole
        ]
        if len(words) == 1:
            return f"{words[0]}; nothing cancels"
        between = "cancels" if self.remaining < SMALL else "against"
        start = "small because " if self.remaining < SMALL else ""
        return f"{start}{words[0]}{',' if ', ' in words[0] else ''} {between} {words[1]}"

    def _mostly(self, group: Sequence[Path], whole: float, count: float) -> str:
        largest = group[0]
        if largest.value / whole > 0.9:
            mostly = "" if count == 1 else "mostly "
            return f"{self._signed(whole)} {mostly}through {largest.through}"
        part = self._signed(largest.value)
        return f"{self._signed(whole)} along {_many(count)}, the largest {part} through {largest.through}"

    def _of_one_path(self, path: Path) -> str:
        said = f"one path, through {path.through}" if len(path.names) > 2 else "one factor"
        if len(path.factors) > 1:
            at = min(range(len(path.factors)), key=lambda i: abs(path.factors[i]))
            factor = f"∂{path.names[at + 1]}/∂{path.names[at]}"
            said += f"; its smallest factor is {factor} = {text_of_number(path.factors[at], self.precision)}"
        return said

    def _signed(self, x: float) -> str:
        text = text_of_number(x, self.precision)
        return text if text.startswith("−") or x != x else f"+{text}"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Value, share, path and lines of each path that is shown."""
        rows = []
        for path in self.paths:
            names = path.names if len(path.names) < 10 else (*path.names[:4], "…", *path.names[-4:])
            lines = ", ".join(dict.fromkeys(line for line in path.lines if line))
            share = f"{path.share:.0%}" if path.share == path.share else "–"
            rows.append((self._signed(path.value), share, " → ".join(names), lines))
        return rows

    def _rest(self) -> str:
        """What the paths that are not shown add up to."""
        more = self.count - len(self.paths)
        if more < 1:
            return ""
        sums = [(self.positive, 1.0), (self.negative, -1.0)]
        rest = [whole - math.fsum([p.value for p in self.paths if p.value * sign > 0]) for whole, sign in sums]
        # What is left of a sum after its largest terms are taken out again is rounding, where it is this small.
        words = [self._signed(x) for x, (whole, sign) in zip(rest, sums, strict=True) if x * sign > 1e-12 * abs(whole)]
        return f"… and {_many(more, 'more ')}: {' and '.join(words) or '0'}"

    def _head(self) -> str:
        number = text_of_number(self.total, self.precision)
        head = f"∂{self.of}/∂{self.by} = {number}"
        if self.count > 1:
            negative = self._signed(self.negative) if self.negative else "−0"
            head += f" = {self._signed(self.positive)} {negative} along {_many(self.count)}"
        return head

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max([len(row[column]) for row in rows], default=0) for column in range(2)]
        lines = [self._head(), self.summary]
        for value, share, names, places in rows:
            lines.append(f"  {value:>{widths[0]}}  {share:>{widths[1]}}  {names}" + (f"  ({places})" if places else ""))
        lines += [f"  {self._rest()}"] if self._rest() else []
        return "\n".join([*lines, *[f"  note: {note}" for note in self.notes]])

    def __repr__(self) -> str:
        return f"<{self._head()}: {self.summary}>"

    def _repr_html_(self) -> str:
        from html import escape

        rows = [
            "<tr>" + "".join([f'<td style="text-align:{"right" if i < 2 else "left"}">{escape(cell)}</td>'
                              for i, cell in enumerate(row) if i < 3 or cell]) + "</tr>"
            for row in self._rows()
        ]  # fmt: skip
        below = "<br>".join([escape(line) for line in [self._rest(), *self.notes] if line])
        table = f"<table>{''.join(rows)}</table>" if rows else ""
        return f"<p>{escape(self._head())}<br><b>{escape(self.summary)}</b></p>{table}<p>{below}</p>"


def _many(count: float, more: str = "") -> str:
    """A number of paths in words."""
    number = f"{count:,.0f}" if count < 1e15 else f"about {count:.0e}" if count < math.inf else "more than 10³⁰⁸"
    return f"{number} {more}{'path' if count == 1 else 'paths'}"


def explanations(
    output: Value, wrt: Any, top: int, between: Between | None, names: Mapping[Value, str] | None, precision: int
) -> Any:
    """What ``autograd.explain`` returns."""
    if not isinstance(output, Value):
        raise TypeError(f"explain takes a Value as output, not {output!r:.200}")
    if top.__class__ is not int or top < 1:
        raise ValueError(f"top is a number of paths, at least 1; it is {top!r:.200}")
    if between not in (None, "labels", "nodes"):
        raise ValueError(f"between is 'labels' or 'nodes', not {between!r:.200}")
    targets, build = take_apart(wrt, "wrt")
    for target in targets:
        if not isinstance(target, Value):
            raise TypeError(f"wrt takes Values; {target!r:.200} is a number, on which nothing depends")
    checked(precision)
    refuse_if_stale(active_nodes([output]))
    known = Names(
        [output],
        names or {},
        [(output, "output"), *[(target, str(target.label).strip() or "input") for target in targets]],
    )
    return build([_one(output, target, known, top, between, precision) for target in targets])


def _one(output: Value, target: Value, known: Names, top: int, between: Between | None, precision: int) -> Explanation:
    order, edges, flat = partials_between(output, target)
    notes = list(known.notes)
    if output not in edges and flat:
        shown = [f"{node.primitive.name} at {_operand_in_words(node, known.of)}" for node in flat[:3] if node.primitive]
        more = f" and {len(flat) - 3} more" if len(flat) > 3 else ""
        notes.append(f"the slope is 0 of {', '.join(shown)}{more}")
    called: Mapping[Value, str] = known.of
    if between is None:
        named = any(node in known.of and node is not output and node is not target for node in order)
        between = "labels" if named else "nodes"
    if between == "labels":
        fewer = folded(order, edges, known.of, target)
        if fewer is None:
            notes.append("the labels leave too many ways between them to be folded, so every node counts")
            between = "nodes"
        else:
            edges = fewer
            order = [node for node in order if node in known.of]
    if between == "nodes":
        called = _called(order, known.of)
    here = sums(order, edges, target).get(output, Sums(0.0, 0.0, 0.0, 0.0, 0.0))
    bounds = largest_to_come(order, edges, target)
    whole = here.positive - here.negative
    found = {
        sign: tuple(
            _path(nodes, factors, called, whole) for nodes, factors in largest(output, target, edges, bounds, sign, top)
        )
        for sign in (1, -1)
    }
    sign = -1 if here.total < 0 else 1
    return Explanation(
        in_one_line(known.of[output]), in_one_line(known.of[target]), here, found[sign], found[-sign], top,
        tuple(notes), precision,
    )  # fmt: skip


def _operand_in_words(node: Value, named: Mapping[Value, str]) -> str:
    """The operands of a node, each by its name and number."""
    values = [operand for operand in node.parents if isinstance(operand, Value)]
    return ", ".join([f"{in_one_line(named[v])} = {v.data:g}" if v in named else f"{v.data:g}" for v in values[:3]])


def _called(order: Sequence[Value], named: Mapping[Value, str]) -> dict[Value, str]:
    """A name for every node: its label, or its primitive with a number, and its line where that was recorded."""
    numbers: dict[str, int] = {}
    called = {}
    for node in order:
        if node in named:
            called[node] = named[node]
            continue
        primitive = node.primitive.name if node.primitive is not None else "leaf"
        numbers[primitive] = numbers.get(primitive, 0) + 1
        called[node] = f"{primitive} #{numbers[primitive]}"
    return called


def _path(nodes: list[Value], factors: list[float], called: Mapping[Value, str], whole: float) -> Path:
    value = 1.0
    for factor in reversed(factors):
        value *= factor
    share = abs(value) / whole if 0 < whole < math.inf else math.nan
    names = tuple([in_one_line(called[node]) for node in nodes])
    return Path(value, share, tuple(nodes), names, tuple(factors), tuple([line_of(node) for node in nodes]))


def _size(x: float) -> float:
    return math.inf if x != x else abs(x)

"""What a check found: one entry per derivative, the edges that are wrong, and how both are shown.

The invariant: whatever fails is among the rows that are shown, worst first; what is cut off is counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

#: All verdicts, the gravest first.
VERDICTS = ("mismatch", "not finite", "outside the domain", "ill-conditioned", "kink", "agree")
#: How many rows a text or a table shows.
MOST_ROWS = 20


class GradientMismatch(AssertionError):
    """A derivative failed its check; the text is the report, and ``report`` holds it."""

    @property
    def report(self) -> Report:
        """The report of the check."""
        return self.args[0]  # type: ignore[no-any-return]


class Entry(NamedTuple):
    """One derivative: what was claimed, what differences say, and the verdict.

    ``error`` is the estimated error of ``numeric``, ``step`` what it rests on; ``passes`` says whether
    ``assert_grads`` lets it through. A number that could not be had is nan.
    """

    name: str
    order: int
    analytic: float
    numeric: float
    step: float
    error: float
    method: str
    verdict: str
    passes: bool
    note: str = ""

    @property
    def deviation(self) -> float:
        """How far the two numbers are apart, as a part of the larger one."""
        return _apart(self.analytic, self.numeric)

    @property
    def ratio(self) -> str:
        """How a wrong derivative comes out of the numeric one, where that is simple: a factor, or the sign; else
        nothing."""
        return _ratio(self.analytic, self.numeric) if self.verdict == "mismatch" else ""


class Edge(NamedTuple):
    """One partial of one node, checked alone: the primitive, its operands in words, the node's label and line.

    ``argument`` is the name of the argument, ``order`` 1 for the partial itself, 2 for its own derivative and
    3 for the derivative of that.
    """

    primitive: str
    argument: str
    operands: str
    label: str
    line: str
    order: int
    analytic: float
    numeric: float
    error: float
    verdict: str
    passes: bool

    @property
    def deviation(self) -> float:
        """How far the two numbers are apart, as a part of the larger one."""
        return _apart(self.analytic, self.numeric)

    def __str__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        place = f" ({self.line})" if self.line else ""
        whose = ("", "", "a derivative of ", "a second derivative of ")[self.order]
        slope = f"{whose}∂{self.primitive}/∂{self.argument}"
        return (
            f"{self.primitive}{label}{place}: {slope} is {_number(self.analytic)}, by differences "
            f"{_number(self.numeric)} ± {self.error:.1e} ({self.verdict}); {self.operands}"
        )


def _apart(x: float, y: float) -> float:
    """The difference of two numbers as a part of the larger one; infinite if one of them is no number."""
    size, apart = max(abs(x), abs(y)), abs(x - y)
    return apart / size if size and math.isfinite(apart) else (math.inf if apart else 0.0)


#: A factor that is told is known to this part of itself.
_KNOWN_FACTOR = 1e-4
_MOST_TIMES = 1000


def _ratio(analytic: float, numeric: float) -> str:
    """Twice, half, so many times, or the opposite, of the numeric derivative."""
    if not (analytic and numeric and math.isfinite(analytic) and math.isfinite(numeric)):
        return ""
    ratio = analytic / numeric
    size = abs(ratio)
    times, parts = round(size), round(1 / size) if size > 1 / (2 * _MOST_TIMES) else 0
    sign = "minus " if ratio < 0 else ""
    if abs(size - 1) <= _KNOWN_FACTOR:
        return "the opposite sign" if sign else ""
    if 2 <= times <= _MOST_TIMES and abs(size - times) <= _KNOWN_FACTOR * size:
        return f"{sign}twice the numeric" if times == 2 else f"{sign}{times} times the numeric"
    if 2 <= parts <= _MOST_TIMES and abs(size * parts - 1) <= _KNOWN_FACTOR:
        return f"{sign}half of the numeric" if parts == 2 else f"{sign}1/{parts} of the numeric"
    return ""


class Report:
    """The outcome of a check; true if everything passed.

    ``entries`` are the derivatives in the order of the inputs; ``guilty`` the edges whose own partial is wrong, worst
    first; ``edges`` how many edges were looked at; ``notes`` what else is to be said.
    """

    __slots__ = ("edges", "entries", "guilty", "notes", "subject")

    def __init__(
        self,
        subject: str,
        entries: Sequence[Entry],
        guilty: Sequence[Edge] = (),
        edges: int = 0,
        notes: Sequence[str] = (),
    ) -> None:
        self.subject = subject
        self.entries = tuple(entries)
        self.guilty = tuple(sorted(guilty, key=_gravity_of_edge))
        self.edges = edges
        self.notes = tuple(notes)

    @property
    def ok(self) -> bool:
        """Whether everything passed."""
        return all(entry.passes for entry in self.entries) and all(edge.passes for edge in self.guilty)

    def __bool__(self) -> bool:
        return self.ok

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def counts(self) -> dict[str, int]:
        """How many entries have each verdict, the gravest first; verdicts that nobody has are left out."""
        found = dict.fromkeys(VERDICTS, 0)
        for entry in self.entries:
            found[entry.verdict] += 1
        return {verdict: n for verdict, n in found.items() if n}

    def worst(self) -> list[Entry]:
        """The entries, worst first."""
        return sorted(self.entries, key=_gravity)

    def summary(self) -> str:
        """One line: how many derivatives there are, and what was found."""
        if not self.entries:
            wrong = sum(not edge.passes for edge in self.guilty)
            return (
                f"{self.subject}: {self.edges} edges, {wrong} fail"
                if self.edges
                else f"{self.subject}: nothing to check"
            )
        failing = sum(not entry.passes for entry in self.entries)
        counts = ", ".join(f"{n} {verdict}" for verdict, n in self.counts().items())
        many = len(self.entries)
        what = f"{failing} of {many} derivatives fail" if failing else f"{many} derivative{'s' * (many > 1)} checked"
        hidden = 0 if failing else len(self.guilty)
        partials = "1 partial is" if hidden == 1 else f"{hidden} partials are"
        but = f"; yet {partials} wrong on the way" if hidden else ""
        return f"{self.subject}: {what} ({counts}){but}"

    def __str__(self) -> str:
        lines = [self.summary()]
        shown = self.worst()[:MOST_ROWS]
        if shown:
            table = [_HEAD, *map(_cells, shown)]
            widths = [max(len(row[k]) for row in table) for k in range(len(_HEAD))]
            lines.append("")
            lines += ["  ".join(_aligned(row, widths)).rstrip() for row in table]
        lines += self._cut_off()
        if self.guilty:
            lines += ["", self._guilty_head()]
            lines += [f"  {edge}" for edge in self.guilty[:MOST_ROWS]]
            if len(self.guilty) > MOST_ROWS:
                lines.append(f"  … {len(self.guilty) - MOST_ROWS} more")
        lines += ["", *self.notes] if self.notes else []
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        rows = "".join(_html_row(entry) for entry in self.worst()[:MOST_ROWS])
        head = "".join(f"<th>{_escaped(text)}</th>" for text in _HEAD)
        parts = [f"<p><b>{_escaped(self.summary())}</b></p>"]
        if rows:
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
        parts += [f"<p>{_escaped(line)}</p>" for line in self._cut_off()]
        if self.guilty:
            items = "".join(f"<li>{_escaped(str(edge))}</li>" for edge in self.guilty[:MOST_ROWS])
            parts.append(f"<p>{_escaped(self._guilty_head())}</p><ol>{items}</ol>")
        parts += [f"<p>{_escaped(note)}</p>" for note in self.notes]
        return "".join(parts)

    def _guilty_head(self) -> str:
        checked = "1 edge was" if self.edges == 1 else f"each of {self.edges} edges was"
        return f"Guilty nodes, worst first ({checked} checked alone):"

    def _cut_off(self) -> list[str]:
        rest = self.worst()[MOST_ROWS:]
        if not rest:
            return []
        counts = ", ".join(
            f"{n} {verdict}" for verdict in VERDICTS if (n := sum(entry.verdict == verdict for entry in rest))
        )
        return [f"… {len(rest)} more: {counts}"]


def _gravity(entry: Entry) -> tuple[bool, int, float]:
    return entry.passes, VERDICTS.index(entry.verdict), -entry.deviation


def _gravity_of_edge(edge: Edge) -> tuple[bool, int, float]:
    return edge.passes, VERDICTS.index(edge.verdict), -edge.deviation


_HEAD = ("input", "order", "analytic", "numeric", "± error", "step", "method", "verdict")
_TO_THE_RIGHT = {1, 2, 3, 4, 5}


def _number(x: float) -> str:
    return f"{x:.10g}"


def _cells(entry: Entry) -> tuple[str, ...]:
    verdict = (
        entry.verdict
        if entry.passes == (entry.verdict in ("agree", "kink"))
        else f"{entry.verdict} ({'passes' if entry.passes else 'fails'})"
    )
    return (
        entry.name,
        str(entry.order),
        _number(entry.analytic),
        _number(entry.numeric),
        f"{entry.error if entry.error > 1e-300 else 0.0:.1e}",
        f"{entry.step:.1e}" if entry.step else "",
        entry.method,
        f"{verdict}: {said}" if (said := "; ".join(filter(None, (entry.ratio, entry.note)))) else verdict,
    )


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if k in _TO_THE_RIGHT else cell.ljust(width)
        for k, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _html_row(entry: Entry) -> str:
    style = "" if entry.passes else ' style="background-color:rgba(220,60,50,0.2)"'
    return f"<tr{style}>" + "".join(f"<td>{_escaped(cell)}</td>" for cell in _cells(entry)) + "</tr>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

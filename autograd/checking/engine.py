"""The report on the engine's own derivatives: each order, and the guilty nodes if one of them is wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd.checking.calls import Call
from autograd.checking.edges import guilty_edges
from autograd.checking.higher import FEW, higher_entries
from autograd.checking.inputs import Inputs
from autograd.checking.judging import Judge, prefixes
from autograd.checking.numeric import Numeric
from autograd.checking.other_ways import Answer, Compilation, Component, answers, is_refused, other_ways
from autograd.checking.recorded import NO_NUMBER, NOT_CHECKED_APART, results_of
from autograd.checking.report import Edge, Entry, Report
from autograd.checking.transposed import notes_on_transposed
from autograd.primitives import TABLE
from autograd.transforms import grad


def check_engine(
    f: Callable[..., Any],
    given: Inputs,
    name: str,
    order: int,
    judge: Judge,
    source: random.Random,
    backends: Sequence[str],
) -> Report:
    """The report on the engine's derivatives of a function."""
    try:
        call = Call(f, given, name)
    except NO_NUMBER as error:
        return judge.nowhere(name, given.names, error)
    names = prefixes(name, len(call.outputs))
    if not all(map(math.isfinite, call.values)):
        return judge.nowhere(name, [prefix + x for prefix in names for x in given.names], None)
    numeric = Numeric(call, source)
    entries = numeric.entries(names, judge)
    guilty: list[Edge] = []
    edges = 0
    if not all(entry.passes for entry in entries):
        guilty, edges = guilty_edges(call.roots, judge.tolerance)
        if not call.recorded.has_formulas():
            numeric.notes.append(NOT_CHECKED_APART)
        if TABLE["detach"] in call.recorded.program.primitives:
            numeric.notes.append(
                "detach() holds its argument constant for the engine, and cannot do so for differences."
            )
        if all(edge.verdict != "mismatch" for edge in guilty):
            entries = [
                numeric.without_a_guilty_node(k, i, entry, judge)
                for (k, i), entry in zip(numeric.places(), entries, strict=True)
            ]
    elif any(not primitive.built_in for primitive in call.recorded.program.primitives):
        # A wrong partial need not show in the result: a later factor may be next to nothing here.
        suspects, edges = guilty_edges(call.roots, judge.tolerance, declared_alone=True)
        guilty = [edge for edge in suspects if judge.surely_wrong(edge)]
    components = [_component(f, given, name, k) for k in range(len(names))]
    compiled = [Compilation(call, k, component, numeric.noise[k], backends) for k, component in enumerate(components)]
    entries = [
        entry
        for k, component in enumerate(components)
        for entry in _in_one_answer(numeric, k, component, compiled[k], entries[k * len(given) : (k + 1) * len(given)])
    ]
    numeric.notes += notes_on_transposed(given, names, entries)
    if order > 1:
        for k, prefix in enumerate(names):
            gradient = grad(components[k])
            higher = higher_entries(gradient, gradient, given.numbers, given.names, prefix, order, judge, source)
            wrong = {entry.order for entry in higher if entry.verdict == "mismatch"}
            if wrong and not guilty:
                guilty, edges = guilty_edges(call.roots, judge.tolerance, order=min(wrong))
            if not guilty:
                higher = [numeric.by_conventions(entry, judge) for entry in higher]
            first = entries[k * len(given) : (k + 1) * len(given)]
            if all(entry.verdict != "mismatch" for entry in first):  # else what there is to say is said
                higher = _in_one_answer_again(numeric, compiled[k], higher)
            entries += higher
    return Report(name, entries, guilty, edges, numeric.notes)


def _in_one_answer(
    numeric: Numeric, k: int, component: Component, compiled: Compilation, entries: list[Entry]
) -> list[Entry]:
    """The entries of one output; those of derivatives that have another answer by another way are mismatches."""
    found = answers(numeric.call, k, component, compiled)
    if any(map(is_refused, entries)):  # then all are refused together
        found = [answer for answer in found if answer.way == "compile"]
    return [
        _differing(entry, found, i, numeric.off[k][i], at_a_kink=i in numeric.kinks) for i, entry in enumerate(entries)
    ]


def _in_one_answer_again(numeric: Numeric, compiled: Compilation, entries: list[Entry]) -> list[Entry]:
    """The same of second derivatives, where each is checked by itself."""
    size = len(numeric.call.inputs)
    second = [entry for entry in entries if entry.order == 2]
    if len(second) != size**2 or size > FEW[2]:
        return entries
    hessians = compiled.hessians()
    if not hessians:
        return entries
    found = [Answer("grad of grad", tuple(entry.analytic for entry in second)), *hessians]
    compared = iter(
        [_differing(entry, found, i, entry.error, at_a_kink=bool(numeric.kinks)) for i, entry in enumerate(second)]
    )
    return [next(compared) if entry.order == 2 else entry for entry in entries]


def _differing(entry: Entry, found: list[Answer], i: int, off: float, *, at_a_kink: bool) -> Entry:
    """The entry of a derivative, a mismatch if other ways give another number."""
    others = "" if is_refused(entry) else other_ways(found, i, entry, off, at_a_kink=at_a_kink)
    if not others:
        return entry
    return entry._replace(verdict="mismatch", passes=False, note=f"{entry.note}; {others}" if entry.note else others)


def _component(f: Callable[..., Any], given: Inputs, name: str, k: int) -> Callable[[list[Any]], Any]:
    """One output, as a function of one flat list."""

    def component(flat: list[Any]) -> Any:
        return results_of(f(*given.for_the_engine(flat)), f"the result of {name}")[k]

    return component

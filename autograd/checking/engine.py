"""The report on the engine's own derivatives: each order, and the guilty nodes if one of them is wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from autograd.checking.calls import Call
from autograd.checking.edges import guilty_edges
from autograd.checking.higher import higher_entries
from autograd.checking.inputs import Inputs
from autograd.checking.judging import Judge, prefixes
from autograd.checking.numeric import Numeric
from autograd.checking.recorded import NO_NUMBER, results_of
from autograd.checking.report import Edge, Report
from autograd.primitives import TABLE
from autograd.transforms import grad


def check_engine(
    f: Callable[..., Any], given: Inputs, name: str, order: int, judge: Judge, source: random.Random
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
    if order > 1:
        for k, prefix in enumerate(names):
            gradient = grad(_component(f, given, name, k))
            higher = higher_entries(gradient, gradient, given.numbers, given.names, prefix, order, judge, source)
            entries += higher
            wrong = {entry.order for entry in higher if entry.verdict == "mismatch"}
            if wrong and not guilty:
                guilty, edges = guilty_edges(call.roots, judge.tolerance, order=min(wrong))
    return Report(name, entries, guilty, edges, numeric.notes)


def _component(f: Callable[..., Any], given: Inputs, name: str, k: int) -> Callable[[list[Any]], Any]:
    """One output, as a function of one flat list."""

    def component(flat: list[Any]) -> Any:
        return results_of(f(*given.for_the_engine(flat)), f"the result of {name}")[k]

    return component

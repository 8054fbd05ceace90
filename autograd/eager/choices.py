"""``where``: how a choice becomes a node, and how its branches are run, both of them while a function is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.eager import watching
from autograd.eager.nodes import strange
from autograd.eager.operands import Condition, Passive, kind_of, plain
from autograd.primitives import TABLE

_WHERE = TABLE["where"]


def maker_of_choices(Value: Any, node: Callable[..., Any]) -> Callable[[Any, Any, Any], Any]:
    """``where`` for nodes of a class, which ``node(data, primitive, x, y)`` makes."""

    def where(condition: Any, x: Any, y: Any) -> Any:
        """A node for the choice; see the public function."""
        known = condition.__class__ is Condition or isinstance(condition, bool | int) or hasattr(condition, "dtype")
        if not known:
            raise TypeError(f"where needs a comparison or a truth value, not {kind_of(condition)}; write x > 0")
        outcome = condition._outcome if condition.__class__ is Condition else bool(condition)
        is_none = x is None or y is None
        watch = watching.watch
        functions = b""
        if watch is not None and condition.__class__ is Condition:
            functions = bytes([callable(x), callable(y)])
            if watch.records_here():
                x, y = _both(condition, x, y, watch)
        taken, other = (x, y) if outcome else (y, x)
        if callable(taken):
            taken = taken()
        if callable(other):
            other = None
        if taken is None or is_none:
            raise TypeError("where: a branch is None; give a Value, a number, or a function that returns one")
        if other is None and watch is not None:
            bool(condition)  # the branch is not known, so the condition is a guard
        for branch in (taken, other):
            if branch is not None and branch.__class__ is not Value and plain(branch) is None:
                raise strange(_WHERE, (0.0, branch))
        if condition.__class__ is not Condition and taken.__class__ is not Value and other.__class__ is not Value:
            return plain(taken)
        data = taken._data if taken.__class__ is Value else plain(taken)
        taken = taken if taken.__class__ is Value else data
        if other.__class__ is Value:
            other = Passive(other)
        elif other is not None:
            other = plain(other)
        kept = condition if condition.__class__ is Condition else float(outcome)
        assert data is not None
        made = node(data, _WHERE, (kept, taken, other) if outcome else (kept, other, taken), None)
        if any(functions):
            made._which = functions  # backward() of now does not meet that which is not taken
        return made

    return where


def _watched(branch: Callable[[], Any], condition: Condition, truth: bool, watch: watching.Watch) -> Any:
    """What a branch gives; what it asks meanwhile counts for those samples whose condition has this truth."""
    around = watch.within
    watch.within = (*around, (condition, truth))
    try:
        return branch()
    finally:
        watch.within = around


def _attempted(branch: Callable[[], Any], condition: Condition, truth: bool, watch: watching.Watch) -> Any:
    """The branch not taken, for a replay that takes it; ``None`` if it fails at the numbers of now."""
    asked = len(watch.conditions)
    watch.attempts += 1
    try:
        return _watched(branch, condition, truth, watch)
    except (ValueError, ArithmeticError):
        del watch.conditions[asked:]  # no sample takes it
        return None
    finally:
        watch.attempts -= 1


def _both(condition: Condition, x: Any, y: Any, watch: watching.Watch) -> list[Any]:
    """Both branches, ``x`` first whichever is taken: so what they ask comes in one order at all numbers."""
    found = []
    for branch, truth in ((x, True), (y, False)):
        if callable(branch):
            run = _watched if truth == condition._outcome else _attempted
            branch = run(branch, condition, truth, watch)
        found.append(branch)
    return found

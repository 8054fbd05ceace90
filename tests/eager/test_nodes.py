"""The hook that is handed each node: it sees all of them, whatever makes them; without it nothing has changed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import pytest

import autograd
from autograd import Value, where
from autograd.eager import nodes
from autograd.eager.garbage import collector_at_rest
from autograd.value import constant, node_of

MAKERS: dict[str, Callable[[Value], Value]] = {
    "unary": autograd.tanh,
    "method": lambda x: x.exp(),
    "binary": lambda x: autograd.hypot(x, 2.0),
    "operator of two Values": lambda x: x * x,
    "operator of a Value and a float": lambda x: x - 2.0,
    "operator of a Value and an integer": lambda x: x + 2,
    "operator that may raise": lambda x: x / 2,
    "reflected operator": lambda x: 2.0 - x,
    "three arguments": lambda x: autograd.clip(x, 0.0, 1.0),
    "any number": lambda x: autograd.sum([x, 2.0, x]),
    "dot": lambda x: autograd.dot([x, 1.0], [2.0, x], 3.0),
    "choice": lambda x: where(x > 0, x, 2.0),
    "detached": lambda x: x.detach(),
    "constant": lambda x: constant(3.0),
    "known number": lambda x: node_of(6.0, autograd.TABLE["mul"], [x, 2.0]),
    "user's own": lambda x: thrice(x),
}


@autograd.primitive(partials=[lambda m, z, x: 3])
def thrice(m: Any, x: Any) -> Any:
    return 3 * x


@pytest.fixture
def seen() -> Iterator[list[Any]]:
    """What the hook has been handed, each with its number and operands at that moment."""
    found: list[Any] = []
    nodes.hand_to(lambda node: found.append((node, node.data, node.operands())))
    yield found
    nodes.hand_to(nodes.no_hook)


@pytest.mark.parametrize("kind", MAKERS)
def test_the_hook_is_handed_each_node_complete(kind: str, seen: list[Any]) -> None:
    for _ in range(2):  # the second goes the way that the first has prepared
        seen.clear()
        made = MAKERS[kind](Value(0.5))
        assert len(seen) == 1
        node, data, operands = seen[0]
        assert node is made
        assert data == made.data
        assert all(a is b for a, b in zip(operands, made.operands(), strict=True))
        assert (node.grad, node.label, node._moment) == (0.0, "", nodes.now)


def test_makers_that_are_made_while_there_is_a_hook(seen: list[Any]) -> None:
    @autograd.primitive(partials=[lambda m, z, x: 2])
    def twice(m: Any, x: Any) -> Any:
        return 2 * x

    made = twice(Value(1.0))
    assert [node for node, _, _ in seen] == [made]
    nodes.hand_to(nodes.no_hook)
    assert twice(Value(2.0)).data == 4.0
    assert len(seen) == 1


def test_a_garbage_collection_meanwhile_takes_makers_away() -> None:
    """Those of users' own primitives: what entered ``record_lines`` while one came failed."""

    def forget_a_primitive() -> None:
        @autograd.primitive(partials=[lambda m, z, x: 2])
        def twice(m: Any, x: Any) -> Any:
            return 2 * x

        kept: list[Any] = [twice]
        kept.append(kept)

    gc.collect()
    gc.freeze()  # what other tests left is not looked through each time
    try:
        for allocations in range(0, 100, 7):
            gc.collect()
            with collector_at_rest():
                for _ in range(10):
                    forget_a_primitive()
                thresholds = gc.get_threshold()
                gc.set_threshold(gc.get_count()[0] + allocations + 1, 1, 1)
                try:
                    gc.enable()
                    nodes.hand_to(nodes.no_hook)
                finally:
                    gc.set_threshold(*thresholds)
    finally:
        gc.unfreeze()


def codes() -> list[tuple[FunctionType, Any]]:
    """All functions that make nodes, with the code that each runs."""
    functions = [reference() for reference in nodes._kinds]
    return [(function, function.__code__) for function in functions if function is not None]


def test_without_a_hook_the_code_is_the_very_same_as_before() -> None:
    before = codes()
    assert len(before) > len(autograd.TABLE) / 2
    assert not any("hook" in code.co_names for _, code in before)
    nodes.hand_to(lambda node: None)
    try:
        assert all("hook" in function.__code__.co_names for function, _ in before)
    finally:
        nodes.hand_to(nodes.no_hook)
    assert all(function.__code__ is code for function, code in before)
    assert autograd.tanh.__code__.co_filename == "<nodes of unary>"  # type: ignore[attr-defined]


def test_what_the_hook_raises_the_operation_raises() -> None:
    def refuse(node: Any) -> None:
        raise RuntimeError(node.primitive.name)

    x = Value(1.0)
    nodes.hand_to(refuse)
    try:
        for name, make in {"mul": lambda: x * x, "sum": lambda: autograd.sum([x, x]), "tanh": x.tanh}.items():
            with pytest.raises(RuntimeError, match=f"^{name}$"):
                make()
    finally:
        nodes.hand_to(nodes.no_hook)


def test_makers_of_primitives_that_are_gone_are_forgotten() -> None:
    gc.collect()
    before = len(nodes._kinds)

    @autograd.primitive(partials=[lambda m, z, x: 2])
    def twice(m: Any, x: Any) -> Any:
        return 2 * x

    assert len(nodes._kinds) > before
    del twice
    gc.collect()
    assert len(nodes._kinds) <= before

"""``step_through``: backpropagation through a graph, step by step, as one HTML page that needs nothing else.

What the page plays is put together here: the ``Program`` as data, with the engine's numbers, the rules as mathematics,
the functions which the table writes as JavaScript, and a layout.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd import interpret
from autograd.eager.operands import Condition, number_of, refuse_if_recorded
from autograd.eager.unrolled import as_stored
from autograd.graph import topological_order
from autograd.number_systems import floats
from autograd.pictures.page.document import Page, as_json, page_of
from autograd.primitives import Primitive
from autograd.program import ABSENT, flatten
from autograd.rules import is_nothing
from autograd.value import Value, refuse_if_stale

#: More nodes than this are no story that anybody follows to its end.
MOST_NODES = 250


def step_through(output: Value, *, precision: int = 6, title: str = "", height: int = 640) -> Page:
    """A page that plays the forward and the backward pass of a Value's graph, node by node, and follows edits.

    Each step shows the rule, the numbers put in, and what is added to each gradient. Numbers of leaves can be edited in
    the page. A switch plays a wrong order (depth-first, without a topological order) beside the right one.

    >>> x = Value(2.0, "x")
    >>> page = step_through((x * x).tanh())
    >>> page.html.startswith("<!doctype html>")
    True

    Args:
        precision: significant digits of the numbers.
        title: the heading of the page.
        height: pixels, in a notebook.

    Raises:
        TypeError: output is not a Value.
        ValueError: the graph has more than 250 nodes, or an option is none of those above.
        StaleGraphError: a leaf was written after a node had used it.
    """
    if not isinstance(output, Value):
        raise TypeError(f"step_through takes a Value, not {type(output).__name__} {output!r:.200}")
    if precision.__class__ is not int or not 1 <= precision <= 17:
        raise ValueError(f"precision is a number of significant digits, 1 to 17; it is {precision!r:.200}")
    if height.__class__ is not int or height < 1:
        raise ValueError(f"height is a number of pixels, at least 1; it is {height!r:.200}")
    count = len(topological_order(output))
    if count > MOST_NODES:
        raise ValueError(
            f"the graph has {count} nodes; step_through shows at most {MOST_NODES}. Step through a part of it: one "
            "sample, one neuron, or the graph above some nodes made leaves again (Value(node.data)); draw folds large "
            "graphs"
        )
    title = title or "Backpropagation, step by step"
    data, kernels = _program(output, precision)
    return page_of(data, kernels, title, height)


def _program(output: Value, precision: int) -> tuple[dict[str, Any], str]:
    """What the page plays, as data, and the JavaScript functions that it computes with."""
    refuse_if_recorded(output, "the graph of")
    program, nodes = flatten([output])
    refuse_if_stale([node for node in nodes if isinstance(node, Value) and node.parents])
    names = _names(nodes, precision)
    keys: dict[tuple[Primitive, int], str] = {}
    slots: list[dict[str, Any]] = [
        {"kind": "leaf" if isinstance(node, Value) else "constant", "name": name, "value": _plain(number_of(node))}
        for node, name in zip(nodes[: program.first_instruction], names, strict=False)
    ]
    for slot, (primitive, operands) in enumerate(program.instructions(), start=program.first_instruction):
        use = (primitive, len(operands))
        if use not in keys:
            keys[use] = _unused(f"{primitive.name}/{len(operands)}", keys.values())
        parents = [None if o == ABSENT else nodes[o] for o in operands]
        slots.append({"name": names[slot], "kernel": keys[use], **_instruction(nodes[slot], primitive, parents)})
        slots[-1]["operands"] = list(operands)
    kernels, written, frozen = _kernels(keys)
    data = {
        "precision": precision,
        "output": program.outputs[0],
        "nodes": slots,
        "kernels": kernels,
        "frozen": frozen,
        "layout": _layout(slots, kernels, precision),
    }
    return data, written


def _instruction(node: Any, primitive: Primitive, parents: list[Any]) -> dict[str, Any]:
    """Value and partials as the engine has them."""
    value = number_of(node)
    if primitive.compares:
        return {"kind": "condition", "value": _plain(value)}
    made = {"kind": "operation", "value": _plain(value), "slopes": _slopes(primitive, value, parents)}
    first, second = as_stored(primitive, range(len(parents)))
    if second:  # backward() meets the operands in the order in which the node holds them
        made["walk"] = [*first, *second]
    return made


def _kernels(keys: dict[tuple[Primitive, int], str]) -> tuple[dict[str, Any], str, list[str]]:
    """What to say of each primitive, its JavaScript, and the reasons why some have none."""
    from autograd.number_systems import javascript, mathml

    described: dict[str, Any] = {}
    written: dict[str, str] = {}
    frozen: list[str] = []
    for (primitive, count), key in keys.items():
        formula, slopes = mathml.formulas(primitive, count)
        described[key] = {
            "name": primitive.name,
            "symbol": _drawn(primitive),
            "arguments": [f"xs[{i}]" for i in range(count)] if primitive.n_ary else primitive.arguments[:count],
            "needs": primitive.needs,
            "remedy": primitive.remedy,
            "formula": formula,
            "slopes": slopes,
        }
        try:
            written[key] = javascript.kernel(primitive, count)
        except javascript.CannotBeWritten as error:
            frozen.append(str(error))
    entries = [f"  {as_json(key)}: {text}," for key, text in written.items()]
    text = "\n".join([javascript.module(written.values()), "const kernels = {", *entries, "};"])
    # Nobody reads it there, and pages are sent.
    return described, "\n".join([line.lstrip() for line in text.splitlines()]), frozen


def _names(nodes: list[Any], precision: int) -> list[str]:
    """A name for each slot: its label, its number where it is a constant, else v1, v2, …"""
    taken = {node.label for node in nodes if isinstance(node, Value)}
    names: list[str] = []
    known: dict[Any, str] = {}
    count = 0
    for node in nodes:
        if isinstance(node, Condition):
            sides = [known[side] if hasattr(side, "parents") else f"{side:.{precision}g}" for side in node.parents]
            name = f"{sides[0]} {node.primitive.symbol} {sides[1]}"
        elif not isinstance(node, Value):
            name = f"{node:.{precision}g}"
        else:
            name = node.label
            while not name:
                count += 1
                name = "" if f"v{count}" in taken else f"v{count}"
        names.append(name)
        if hasattr(node, "parents"):
            known[node] = name
    return names


def _drawn(primitive: Primitive) -> str:
    symbol = primitive.symbol or primitive.name
    return {"*": "×", "-": "−", "/": "÷"}.get(symbol, symbol)


def _unused(name: str, taken: Iterable[str]) -> str:
    while name in taken:
        name += "′"
    return name


def _slopes(primitive: Primitive, z: float, parents: list[Any]) -> list[Any]:
    """Each partial as the engine has it; ``None`` where nothing flows, and the message where there is none."""
    inputs = [number_of(parent) for parent in parents]
    found: list[Any] = []
    for i in range(len(inputs)):
        if not callable(primitive.partials) and primitive.partials[i] is None:
            found.append(None)
            continue
        try:
            slope = interpret.partials(floats, primitive, z, inputs, [i], parents)[0]
            found.append(None if is_nothing(slope) else _plain(slope))
        except (ValueError, ArithmeticError) as error:
            found.append({"problem": str(error)})
    return found


def _layout(slots: list[dict[str, Any]], kernels: dict[str, dict[str, Any]], precision: int) -> dict[str, Any]:
    from autograd.pictures.drawing.layered import Edge, arrange

    digit = 7.3
    numbers = 56 + digit * (precision + 7)
    sizes = []
    for slot in slots:
        symbol = kernels[slot["kernel"]]["symbol"] if "kernel" in slot else ""
        head = 30 + digit * (len(slot["name"]) + len(symbol))
        if slot["kind"] == "constant":
            sizes.append((18 + digit * len(slot["name"]), 26))
        elif slot["kind"] == "condition":
            sizes.append((min(max(84, head), 220), 50))
        else:
            sizes.append((min(max(numbers, head), 260), 72))
    edges = [
        Edge(operand, slot, i)
        for slot, made in enumerate(slots)
        for i, operand in enumerate(made.get("operands", ()))
        if operand != ABSENT
    ]
    layout = arrange(sizes, edges, layer_gap=92, node_gap=28)
    return {
        "width": round(layout.width, 1),
        "height": round(layout.height, 1),
        "boxes": [
            [round(x - w / 2, 1), round(y - h / 2, 1), round(w, 1), round(h, 1)]
            for (x, y), (w, h) in zip(layout.centres, sizes, strict=True)
        ],
        "edges": [
            [edge.source, edge.target, edge.argument, route.path]
            for edge, route in zip(edges, layout.routes, strict=True)
        ],
    }


def _plain(x: Any) -> Any:
    """A number as JSON can hold it; JavaScript's ``Number`` reads the names of the others."""
    if isinstance(x, bool):
        return x
    x = float(x)
    return x if x - x == 0 else "NaN" if x != x else "Infinity" if x > 0 else "-Infinity"

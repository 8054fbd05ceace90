"""The operations of the interpreter in which most of a network's time goes: four neurons at a time.

Each number that is loaded is used several times. ``layer`` adds products up within a sample, ``outer`` over samples.
Every sum is taken in the order of the eager engine; with ``fast`` each product and its sum are rounded once together.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd.compiled.backends.interpreter.words import NEURONS
from autograd.compiled.backends.native.lines import Lines, add_product, end, sums_over_samples
from autograd.compiled.backends.reduction import LANES

#: Vectors or inputs that four neurons are taken with: eight sums fit into the registers.
_BESIDE = 2


def layer(t: Lines, fast: bool, *, wide: bool = False) -> str:
    """``layer, inputs, x …, then four times: out, start, first weight``: start + w·x for four neurons.

    The weights of a neuron are shared numbers that lie one after the other; all x are rows.

    Args:
        wide: the processor has registers of eight numbers, 32 of them.
    """
    t.add("layer:")
    inputs = t.word("%pc", 1)
    t.add(
        "%layer.x = getelementptr i32, ptr %pc, i64 2", f"%layer.rest = getelementptr i32, ptr %layer.x, i64 {inputs}"
    )
    outs, starts, weights = [], [], []
    for j in range(NEURONS):
        outs.append(t.row(t.word("%layer.rest", 3 * j)))
        starts.append(t.row(t.word("%layer.rest", 3 * j + 1)))
        weights.append(t.row(t.word("%layer.rest", 3 * j + 2)))
    lanes = LANES if wide else t.width
    together = _BESIDE * lanes // t.width
    t.add(
        f"%layer.most = and i64 %n, {-together}",
        "%layer.any = icmp sgt i64 %layer.most, 0",
        "br i1 %layer.any, label %layer.many, label %layer.left",
    )
    _neurons(t, "layer.many", lanes, _BESIDE, inputs, outs, starts, weights, fast)
    t.add(
        "layer.left:",
        "%layer.done = phi i64 [0, %layer], [%layer.most, %layer.many.end]",
        "%layer.more = icmp slt i64 %layer.done, %n",
        "br i1 %layer.more, label %layer.one, label %layer.end",
    )
    _neurons(t, "layer.one", t.width, 1, inputs, outs, starts, weights, fast)
    t.add("layer.end:", f"%layer.words = add i64 {inputs}, {2 + 3 * NEURONS}")
    return end(t, "layer", "%layer.words")


def _neurons(
    t: Lines,
    label: str,
    lanes: int,
    beside: int,
    inputs: str,
    outs: Sequence[str],
    starts: Sequence[str],
    weights: Sequence[str],
    fast: bool,
) -> None:
    """The loop of ``layer`` over vectors, taking so many registers of so many lanes at a time."""
    kind, each = f"<{lanes} x double>", lanes // t.width
    many = label == "layer.many"
    b, i = f"%{label}.b", f"%{label}.i"
    t.add(
        f"{label}:",
        f"{b} = phi i64 {'[0, %layer]' if many else '[%layer.done, %layer.left]'}, [{b}.next, %{label}.end]",
    )
    at = [f"%{label}.v{v}" for v in range(beside)]
    t.add(*(f"{at[v]} = add i64 {b}, {v * each}" for v in range(beside)))
    begun = [t.splat(starts[j], lanes) for j in range(NEURONS)]
    t.add(f"br label %{label}.loop", f"{label}.loop:", f"{i} = phi i64 [0, %{label}], [{i}.next, %{label}.loop]")
    sums = [[f"%{label}.s{j}.{v}" for v in range(beside)] for j in range(NEURONS)]
    for j in range(NEURONS):
        for v in range(beside):
            t.add(f"{sums[j][v]} = phi {kind} [{begun[j]}, %{label}], [{sums[j][v]}.next, %{label}.loop]")
    t.add(f"{i}.at = getelementptr i32, ptr %layer.x, i64 {i}")
    x_at = t.row(t.word(f"{i}.at", 0))
    xs = [_load(t, x_at, v, kind) for v in at]
    for j in range(NEURONS):
        pointer = t.name("l")
        t.add(f"{pointer} = getelementptr {t.vector}, ptr {weights[j]}, i64 {i}")
        weight = t.splat(pointer, lanes)
        for v in range(beside):
            add_product(t, f"{sums[j][v]}.next", sums[j][v], weight, xs[v], fast, lanes)
    t.add(
        f"{i}.next = add i64 {i}, 1",
        f"{i}.more = icmp slt i64 {i}.next, {inputs}",
        f"br i1 {i}.more, label %{label}.loop, label %{label}.end",
        f"{label}.end:",
    )
    for j in range(NEURONS):
        for v in range(beside):
            to = t.name("s")
            t.add(
                f"{to} = getelementptr {t.vector}, ptr {outs[j]}, i64 {at[v]}",
                f"store {kind} {sums[j][v]}.next, ptr {to}, align {t.align}",
            )
    limit, after = ("%layer.most", "layer.left") if many else ("%n", "layer.end")
    t.add(
        f"{b}.next = add i64 {b}, {beside * each}",
        f"{b}.more = icmp slt i64 {b}.next, {limit}",
        f"br i1 {b}.more, label %{label}, label %{after}",
    )


def outer(t: Lines, fast: bool) -> str:
    """``outer, inputs, x …, then four times: cotangent, first sum``: the sums over samples of cotangent · x.

    The number of inputs is even; the sums of a neuron lie one after the other; all x and cotangents are rows.
    """
    t.add("outer:")
    inputs = t.word("%pc", 1)
    t.add(
        "%outer.x = getelementptr i32, ptr %pc, i64 2", f"%outer.rest = getelementptr i32, ptr %outer.x, i64 {inputs}"
    )
    cotangents, firsts = [], []
    for j in range(NEURONS):
        cotangents.append(t.row(t.word("%outer.rest", 2 * j)))
        firsts.append(t.word("%outer.rest", 2 * j + 1))
    t.add("br label %outer.some", "outer.some:", "%outer.i = phi i64 [0, %outer], [%outer.i.next, %outer.some.end]")
    t.add("%outer.at = getelementptr i32, ptr %outer.x, i64 %outer.i")
    xs = [t.row(t.word("%outer.at", k)) for k in range(_BESIDE)]
    before, parts = "outer.some", LANES // t.width
    for part in range(parts):
        _outer_products(t, f"outer.{part}", before, part, firsts, xs, cotangents, fast)
        before = f"outer.{part}.end"
    t.add("br label %outer.some.end", "outer.some.end:")
    t.add(
        f"%outer.i.next = add i64 %outer.i, {_BESIDE}",
        f"%outer.i.more = icmp slt i64 %outer.i.next, {inputs}",
        "br i1 %outer.i.more, label %outer.some, label %outer.end",
        "outer.end:",
        f"%outer.words = add i64 {inputs}, {2 + 2 * NEURONS}",
    )
    return end(t, "outer", "%outer.words")


def _outer_products(
    t: Lines,
    label: str,
    before: str,
    part: int,
    firsts: Sequence[str],
    xs: Sequence[str],
    cotangents: Sequence[str],
    fast: bool,
) -> None:
    """The loop of ``outer`` over the vectors whose samples belong to a part of the lanes."""
    lanes, so_far = [], []
    for first in firsts:
        place = t.name("g")
        t.add(f"{place} = add i64 {first}, %outer.i")
        for k in range(_BESIDE):
            here = t.name("g")
            t.add(f"{here} = add i64 {place}, {k}")
            at, number = t.lanes_of(here, part)
            lanes.append(at)
            so_far.append(number)

    def factors(v: str) -> list[tuple[str, str]]:
        loaded = [_load(t, pointer, v, t.vector) for pointer in (*xs, *cotangents)]
        return [(loaded[_BESIDE + j], loaded[k]) for j in range(NEURONS) for k in range(_BESIDE)]

    sums = sums_over_samples(t, label, before, part, so_far, factors, fast)
    t.add(*(f"store {t.vector} {s}, ptr {at}, align {t.align}" for s, at in zip(sums, lanes, strict=True)))


def _load(t: Lines, row: str, v: str, kind: str) -> str:
    """Vector ``v`` of a row, and more of the next if the kind is wider."""
    at, number = t.name("l"), t.name("l")
    t.add(f"{at} = getelementptr {t.vector}, ptr {row}, i64 {v}", f"{number} = load {kind}, ptr {at}, align {t.align}")
    return number

"""What the interpreter does over a block vector by vector: primitives, a product with its sum, moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.compiled.backends.native.lines import Lines, add_product, end, store
from autograd.compiled.backends.native.operations import arity, body
from autograd.number_systems.llvm import kernels
from autograd.number_systems.llvm.emitter import Emitter, Register

#: Vectors that a kernel of one operand is called for at once.
TOGETHER = 2


def operation(emitter: Emitter, t: Lines, name: str) -> str:
    """``operation, out, x, y, z``."""
    label, count = f"op.{name}", arity(name)
    t.add(f"{label}:")
    out, _ = t.operand(t.word("%pc", 1))
    operands = [t.operand(t.word("%pc", 2 + i)) for i in range(count)]
    if count == 1 and name in kernels.KERNELS:
        _kernel(emitter, t, [name], [out], operands[0])
        return end(t, label, "3")
    _vector_by_vector(t, label, out, operands, lambda numbers: body(emitter, name, t, numbers))
    return end(t, label, str(2 + count))


def twins(emitter: Emitter, t: Lines, names: tuple[str, str]) -> str:
    """``twins, out of the first, out of the second, x``."""
    label = f"op.{'.'.join(names)}"
    t.add(f"{label}:")
    outs = [t.operand(t.word("%pc", 1 + i))[0] for i in range(2)]
    _kernel(emitter, t, names, outs, t.operand(t.word("%pc", 3)))
    return end(t, label, "4")


def product(t: Lines, fast: bool) -> str:
    """``product, out, start, x, y``: start + x·y."""

    def result(numbers: list[str]) -> str:
        found = t.name("p")
        start, x, y = numbers
        add_product(t, found, start, x, y, fast)
        return found

    t.add("product:")
    out, _ = t.operand(t.word("%pc", 1))
    operands = [t.operand(t.word("%pc", 2 + i)) for i in range(3)]
    _vector_by_vector(t, "product", out, operands, result)
    return end(t, "product", "5")


def _vector_by_vector(
    t: Lines, label: str, out: str, operands: Sequence[tuple[str, str]], result: Callable[[list[str]], str]
) -> None:
    """The loops of an operation: four vectors at a time, then one by one."""
    t.add(
        f"%{label}.fours = and i64 %n, -4",
        f"%{label}.any = icmp sgt i64 %{label}.fours, 0",
        f"br i1 %{label}.any, label %{label}.four, label %{label}.rest",
    )
    for part, width, limit, after in (("four", 4, f"%{label}.fours", "rest"), ("one", 1, "%n", "end")):
        name = f"{label}.{part}"
        origin = f"[0, %{label}]" if width == 4 else f"[%{label}.done, %{label}.rest]"
        if width == 1:
            t.add(
                f"{label}.rest:",
                f"%{label}.done = phi i64 [0, %{label}], [%{label}.fours, %{label}.four]",
                f"%{label}.left = icmp slt i64 %{label}.done, %n",
                f"br i1 %{label}.left, label %{name}, label %{label}.end",
            )
        t.add(f"{name}:", f"%{name}.v0 = phi i64 {origin}, [%{name}.next, %{name}]")
        places = [f"%{name}.v{k}" for k in range(width)]
        t.add(*(f"{places[k]} = add i64 {places[0]}, {k}" for k in range(1, width)))
        for v in places:
            store(t, out, v, result([t.load(operand, v) for operand in operands]))
        t.add(
            f"%{name}.next = add i64 {places[0]}, {width}",
            f"%{name}.more = icmp slt i64 %{name}.next, {limit}",
            f"br i1 %{name}.more, label %{name}, label %{label}.{after}",
        )
    t.add(f"{label}.end:")


def _kernel(emitter: Emitter, t: Lines, names: Sequence[str], outs: Sequence[str], operand: tuple[str, str]) -> None:
    """The loop of a kernel of one operand, or of twins, several vectors at a time: where fewer are left, the
    last one again."""
    name = ".".join(names)
    label, b = f"op.{name}", f"%op.{name}.b"
    t.add(f"{b}.last = sub i64 %n, 1")
    t.add(f"br label %{label}.loop", f"{label}.loop:", f"{b} = phi i64 [0, %{label}], [{b}.next, %{label}.loop]")
    places = [f"%{label}.v{k}" for k in range(TOGETHER)]
    for k, v in enumerate(places):
        t.add(
            f"{v}.at = add i64 {b}, {k}",
            f"{v}.is = icmp slt i64 {v}.at, %n",
            f"{v} = select i1 {v}.is, i64 {v}.at, i64 {b}.last",
        )
    inner = Emitter(t.width, kernels.call)
    inner.functions, inner.declarations, inner.prefix = emitter.functions, emitter.declarations, f"%{name}.t."
    numbers = [Register(inner, t.load(operand, v)) for v in places]
    second = "%twins" if len(names) > 1 else ""
    results = kernels.call_together(inner, names, numbers, second)
    t.add(*inner.lines)
    for v, result in zip(places, results, strict=True):
        store(t, outs[0], v, result.text)
    for k, v in enumerate(places[: TOGETHER if second else 0]):
        at, number = t.name("p"), t.name("p")
        t.add(
            f"{at} = getelementptr {inner.number_type}, ptr {second}, i64 {k}",
            f"{number} = load {inner.number_type}, ptr {at}, align {t.align}",
        )
        store(t, outs[1], v, number)
    t.add(
        f"{b}.next = add i64 {b}, {TOGETHER}",
        f"{b}.more = icmp slt i64 {b}.next, %n",
        f"br i1 {b}.more, label %{label}.loop, label %{label}.end",
        f"{label}.end:",
    )


def move(t: Lines) -> str:
    """``move, out, x``."""
    t.add("move:")
    out, _ = t.operand(t.word("%pc", 1))
    operand = t.operand(t.word("%pc", 2))
    _vector_by_vector(t, "move", out, [operand], lambda numbers: numbers[0])
    return end(t, "move", "3")

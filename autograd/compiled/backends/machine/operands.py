"""How machine code reads numbers that it did not compute: columns of samples, and numbers that all samples share."""

from __future__ import annotations

from autograd.number_systems.llvm.emitter import Emitter, Register


def column(emitter: Emitter, name: str, place: str) -> Register:
    """A vector of samples of a column of samples, which need not lie side by side."""
    kind = emitter.number_type
    emitter.lines += [
        f"{name}.at = getelementptr ptr, ptr %columns, i64 {place}",
        f"{name} = load ptr, ptr {name}.at, align 8, !invariant.load !0",
        f"{name}.stride.at = getelementptr i64, ptr %strides, i64 {place}",
        f"{name}.stride = load i64, ptr {name}.stride.at, align 8, !invariant.load !0",
        f"{name}.first = mul i64 %sample, {name}.stride",
        f"{name}.p0 = getelementptr double, ptr {name}, i64 {name}.first",
    ]
    vector = "poison"
    for lane in range(emitter.width):
        if lane:
            emitter.lines.append(f"{name}.p{lane} = getelementptr double, ptr {name}.p{lane - 1}, i64 {name}.stride")
        one = emitter.line(f"load double, ptr {name}.p{lane}, align 8")
        vector = emitter.line(f"insertelement {kind} {vector}, double {one.text}, i64 {lane}").text
    return Register(emitter, vector)


def shared(emitter: Emitter, row: str, base: str = "%uniform") -> Register:
    """A row of the uniform array, or so many rows from a place in it on, in all lanes."""
    kind, at = emitter.number_type, emitter.name()
    emitter.lines.append(f"{at} = getelementptr double, ptr {base}, i64 {row}")
    one = emitter.line(f"load double, ptr {at}, align 8, !invariant.load !0")
    inserted = emitter.line(f"insertelement {kind} poison, double {one.text}, i64 0")
    return emitter.line(f"shufflevector {kind} {inserted.text}, {kind} poison, <{emitter.width} x i32> zeroinitializer")

"""Formulas in MathML are read back as a person reads them, and must then compute what the rule computes."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from autograd import TABLE, Primitive, interpret, primitive
from autograd.number_systems import floats, mathml
from tests.rows import ROW_AND_ARGUMENT, ROWS, name_of, special_points


class Indeterminate(ArithmeticError):
    """0/0."""


def quotient(x: float, y: float) -> float:
    if x == y == 0:
        raise Indeterminate
    return x / y


#: What a reader knows: functions by their names, operators by their signs.
KNOWN = {name: getattr(floats, name) for name in TABLE if not TABLE[name].n_ary}
KNOWN |= {"max": max, "min": min, "σ": floats.sigmoid, "e": math.e, "π": math.pi, "otherwise": True}
KNOWN |= {"quotient": quotient, "leaky_relu": floats.leaky_relu, "log_sigmoid": floats.log_sigmoid}
SIGNS = {"·": "*", "−": "-", "≤": "<=", "≥": ">=", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "\u2061": ""}


def read(markup: str) -> str:
    """A formula as a Python expression, by the rules of reading alone: nothing is put in brackets that has none."""
    places = markup.replace("{z!}", "<mi>z</mi>").replace("{z}", "<mi>z</mi>")
    for i in range(9):
        places = places.replace(f"{{{i}!}}", f"<mi>x{i}</mi>").replace(f"{{{i}}}", f"<mi>x{i}</mi>")
    return expression(ElementTree.fromstring(f"<math>{places}</math>"))


def expression(node: Any) -> str:
    inside = [expression(child) for child in node]
    tag = node.tag
    if tag == "mo":
        return SIGNS.get(node.text, node.text)
    if tag in ("mi", "mn"):
        return str(node.text).replace(" ", "_")
    if tag == "mfrac":
        return f"quotient({inside[0]},{inside[1]})"
    if tag == "msqrt":
        return f"sqrt({''.join(inside)})"
    if tag == "mroot":
        return f"cbrt({inside[0]})"
    if tag == "msub":
        return "".join(inside)  # log and its base
    if tag == "msup":
        return f"(({inside[0]})**({inside[1]}))" if node[0].tag == "mi" or len(node[0]) == 1 else "(?)"
    if tag == "mtable":
        cases = [expression(row) for row in node]
        return "".join(cases) + "None" + ")" * len(cases)
    if tag == "mtr":
        condition = "".join(expression(child) for child in node[1] if child.tag != "mtext") or "True"
        return f"({inside[0]} if {condition} else "
    if tag == "mrow" and len(node) and node[0].text == "{" and node[0].tag == "mo":
        return inside[1]
    if tag == "mrow" and len(node) and node[0].text == "|":
        return f"abs({''.join(inside[1:-1])})"
    return "".join(inside)


def test_the_reader_sees_what_brackets_are_missing() -> None:
    sum_squared = "<mrow><mrow>{0}<mo>+</mo>{1}</mrow><mo>·</mo>{0}</mrow>"
    assert eval(read(sum_squared), {"x0": 2.0, "x1": 3.0}) == 8.0
    with_brackets = "<mrow><mrow><mo>(</mo><mrow>{0}<mo>+</mo>{1}</mrow><mo>)</mo></mrow><mo>·</mo>{0}</mrow>"
    assert eval(read(with_brackets), {"x0": 2.0, "x1": 3.0}) == 10.0


def places(xs: tuple[float, ...], z: float) -> dict[str, Any]:
    return {**KNOWN, **{f"x{i}": x for i, x in enumerate(xs)}, "z": z}


def value_of(row: Primitive, xs: tuple[float, ...]) -> float:
    return float(getattr(floats, row.name)(list(xs)) if row.n_ary else getattr(floats, row.name)(*xs))


def inside(row: Primitive, argument: int | None = None) -> list[tuple[float, ...]]:
    """Whole and half numbers where the row, or its partial, is an ordinary number."""

    def accept(xs: tuple[float, ...]) -> bool:
        if row.n_ary:
            return len(xs) == 2
        if not row.domain(*xs) or row.kinks(*xs):
            return False
        if argument is None:
            return True
        return bool(row.partial_domain(argument)(*xs)) and not any(limit.at(*xs) for limit in row.limits)

    return list(special_points(row, accept))[:40]


@pytest.mark.parametrize("row", [row for row in ROWS if row.name != "detach"], ids=name_of)
def test_the_formula_of_a_value_says_what_is_computed(row: Primitive) -> None:
    for xs in inside(row):
        markup, _ = mathml.formulas(row, len(xs))
        assert markup is not None
        z = value_of(row, xs)
        assert eval(read(markup), places(xs, z)) == pytest.approx(z, rel=1e-12, abs=1e-12), (row.name, xs)


@pytest.mark.parametrize(("row", "argument"), ROW_AND_ARGUMENT, ids=name_of)
def test_the_formula_of_a_partial_says_what_the_rule_computes(row: Primitive, argument: int) -> None:
    for xs in inside(row, argument):
        markup = mathml.formulas(row, len(xs))[1][argument]
        assert markup is not None
        z = value_of(row, xs)
        expected = interpret.partials(floats, row, z, xs, [argument])[0]
        try:
            found = eval(read(markup), places(xs, z))
        except Indeterminate:  # a textbook's slope, where the one that computes is another form
            assert row.written
            continue
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), (row.name, xs)


@pytest.mark.parametrize("count", [1, 2, 6, 7, 40])
@pytest.mark.parametrize("row", [row for row in ROWS if row.n_ary], ids=name_of)
def test_long_sums_are_written_with_dots(row: Primitive, count: int) -> None:
    markup, partials = mathml.formulas(row, count)
    assert markup is not None
    terms = count // 2 + count % 2 if row.name == "dot" else count
    assert ("⋯" in markup) == (terms > 6)
    assert len(partials) == count
    assert all(partial is None or len(partial) <= 4_000 for partial in partials)
    ElementTree.fromstring("<math>" + markup.replace("{", "").replace("}", "") + "</math>")


def test_a_negative_number_gets_brackets_where_it_needs_them() -> None:
    assert mathml.formulas(TABLE["sub"], 2)[0] == "<mrow>{0}<mo>−</mo>{1!}</mrow>"
    assert mathml.formulas(TABLE["div"], 2)[0] == "<mfrac><mrow>{0}</mrow><mrow>{1}</mrow></mfrac>"
    assert mathml.formulas(TABLE["square"], 1)[0] == "<msup><mrow>{0!}</mrow><mrow><mn>2</mn></mrow></msup>"


@primitive(partials=[lambda m, z, x: 1 if x > 0 else 0], systems=("floats",))
def compares(m: Any, x: Any) -> Any:
    return x


def test_a_rule_that_cannot_be_written_has_no_formula() -> None:
    """The page then shows its number alone."""
    value, partials = mathml.formulas(compares.primitive, 1)  # type: ignore[attr-defined]
    assert partials == [None]
    assert value is not None
    assert "compares" in value


@pytest.mark.parametrize("symbol", ["<img src=x onerror=alert(1)>", "a&b", "{0}", "{z!}", "'\""])
def test_a_symbol_is_text_whatever_it_holds(symbol: str) -> None:
    markup = mathml.formulas(Primitive("own", (None,), built_in=False, symbol=symbol, arguments=("x",)), 1)[0]
    assert markup is not None
    assert re.findall(r"\{[^}]*\}", markup) == ["{0}"]
    assert ElementTree.fromstring(markup)[0].text == symbol

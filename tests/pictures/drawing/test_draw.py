"""``draw``: what a picture shows, as DOT, SVG and Mermaid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given

import autograd
from autograd import Primitive, Value, draw
from autograd.graph import topological_order
from autograd.pictures.drawing import mermaid, svg
from autograd.pictures.drawing.scene import GROUP, LEAF, NUMBER, OPERATION, VALUE, Node
from autograd.testing import CONTINUOUS, Call, calls, expressions
from autograd.testing.regions import in_domain
from tests.checks import leaves_of, record
from tests.rows import ROWS, special_points

SVG = "{http://www.w3.org/2000/svg}"
#: What a label may hold that means something to a format; and what no format can hold.
ODD = [
    'say "a" <b> \\ {c} | & &amp; \\N \\n', "<b>x</b>", "-->", "]]>", "%%{init}%%", "1. - *", "end", "subgraph", "",
    "\x00\x1b\n\t", "\ud800", "ünïcödé 漢字 ∂", "x" * 200, "`#quot;`", "'",
]  # fmt: skip


def expression() -> Value:
    """L = (a·b + c)·f, with labels."""
    a, b, c, f = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"), Value(-2.0, "f")
    output = (a * b + c) * f
    output.label = "L"
    return output


def own_svg(picture: Any) -> ElementTree.Element:
    return ElementTree.fromstring(picture.pipe("svg", engine="svg"))


def texts(picture: Any) -> list[str]:
    """Every text of the picture as SVG, in the order of the document."""
    return [element.text or "" for element in own_svg(picture).iter(f"{SVG}text")]


def names_by_label(source: str) -> dict[str, str]:
    """The first line of a node's text → its name in the DOT."""
    found = re.findall(r'^\t(n\d+) \[label="?(.*?)(?:\\n|"| )', source, re.MULTILINE)
    return {label: name for name, label in found}


def edges_of(source: str) -> list[tuple[str, str]]:
    return re.findall(r"^\t(n\d+) -> (n\d+)", source, re.MULTILINE)


def nodes_of_kind(picture: Any, kind: str) -> Iterator[Node]:
    return (node for node in picture.scene.nodes if node.kind == kind)


# structure


def test_there_is_a_box_for_each_number_and_a_circle_for_each_operation() -> None:
    picture = draw(expression())
    assert [node.lines[0] for node in nodes_of_kind(picture, OPERATION)] == ["*", "+", "*"]
    assert sorted(node.lines[0] for node in nodes_of_kind(picture, LEAF)) == ["a", "b", "c", "f"]
    assert [node.lines for node in nodes_of_kind(picture, VALUE)] == [("data -6",), ("data 4",), ("L", "data -8")]


def test_an_operand_used_twice_has_two_edges() -> None:
    a = Value(2.0, "a")
    picture = draw(a + a)
    edges = edges_of(picture.source)
    assert len(edges) == 3  # two into the operation, one out of it
    assert len(set(edges)) == 2
    assert "a --" not in picture.mermaid
    assert picture.mermaid.count("n0 --> n2") == 2


def test_parallel_edges_do_not_lie_on_each_other() -> None:
    a = Value(2.0, "a")
    paths = [p.get("d") for p in own_svg(draw(a + a)).iter(f"{SVG}path") if p.get("fill") == "none"]
    assert len(paths) == len(set(paths)) == 3


def test_edges_come_in_the_order_of_the_arguments() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    picture = draw(b - a)
    names = names_by_label(picture.source)
    into = [source for source, target in edges_of(picture.source) if target == names["-"]]
    assert into == [names["b"], names["a"]]
    lines = picture.mermaid.splitlines()
    assert lines.index(f"  {names['b']} --> {names['-']}") < lines.index(f"  {names['a']} --> {names['-']}")


def test_in_svg_the_first_argument_enters_above_the_second() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    for output in (a - b, b - a):
        picture = draw(output)
        into = [edge for edge in picture.scene.edges if picture.scene.nodes[edge.target].kind == OPERATION]
        paths = [p.get("d") or "" for p in own_svg(picture).iter(f"{SVG}path") if p.get("fill") == "none"]
        ends = {}
        for edge, path in zip(picture.scene.edges, paths, strict=True):
            if edge in into:
                ends[edge.argument] = float(path.rsplit(",", 1)[1].split()[0])
        assert ends[0] < ends[1]


def test_plain_numbers_conditions_and_branches_not_called_are_drawn() -> None:
    a = Value(2.0, "a")
    y = autograd.where(a > 0, a * 2.5, lambda: a) + 1.0
    shown = texts(draw(y, precision=3))
    assert {"2.5", "where", "true", ">", "not called", "1"} <= set(shown)


def test_a_branch_not_taken_is_dashed() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    picture = draw(autograd.where(a > 0, a, b))
    assert [edge.dashed for edge in picture.scene.edges if picture.scene.nodes[edge.source].lines[0] == "b"] == [True]
    assert "style=dashed" in picture.source
    assert "-.->" in picture.mermaid


def test_many_plain_numbers_of_one_operation_are_one_text() -> None:
    w = Value(2.0, "w")
    shown = [node.lines for node in nodes_of_kind(draw(autograd.dot([w] * 20, [0.5] * 20)), NUMBER)]
    assert shown == [("20 numbers",)]


def test_several_outputs_are_one_picture() -> None:
    a = Value(2.0, "a")
    picture = draw([a * 3.0, a + 1.0])
    assert sorted(node.lines[0] for node in nodes_of_kind(picture, OPERATION)) == ["*", "+"]
    assert len(list(nodes_of_kind(picture, LEAF))) == 1


# gradients


def test_a_gradient_is_shown_once_there_is_one() -> None:
    a = Value(2.0, "a")
    y = a * 3.0
    assert "no gradient yet" in draw(y).source
    assert "data 6" in draw(y).source
    assert "grad 0" not in draw(y).source
    y.backward()
    shown = draw(y).source
    assert "no gradient yet" not in shown
    assert "grad 3" in shown


def test_gradients_that_piled_up_are_named() -> None:
    a = Value(2.0, "a")
    y = a * 3.0
    y.backward()
    assert draw(y).scene.caption == ()
    y.backward()
    assert "gradient of 'a'" in draw(y).scene.caption[0]


def test_a_gradient_that_was_set_to_zero_or_cancels_is_no_surprise() -> None:
    a = Value(0.1, "a")
    y = a * 1e8 - a * 1e8 + a * 0.3
    y.backward()
    assert draw(y).scene.caption == ()
    a.grad = 0.0
    assert draw(y).scene.caption == ()


def test_a_leaf_written_after_its_use_is_named() -> None:
    a = Value(2.0, "a")
    y = a * 3.0
    y.backward()
    a.data = 5.0
    assert draw(y).scene.caption == ("'a' was written after it was used: run the expression again for new numbers",)


def test_partials_stand_on_the_edges() -> None:
    """Gradient times local derivative, summed over the edges that leave, is the gradient: the chain rule."""
    output = expression()
    output.backward()
    picture = draw(output, partials=True, precision=17)
    nodes, arriving = picture.scene.nodes, dict.fromkeys(range(len(picture.scene.nodes)), 0.0)

    def gradient(place: int) -> float:
        return float(next(line for line in nodes[place].lines if line.startswith("grad")).split()[1])

    result = {edge.source: edge.target for edge in picture.scene.edges if nodes[edge.source].kind == OPERATION}
    for edge in picture.scene.edges:
        if edge.text:
            assert edge.text.startswith("× ")
            arriving[edge.source] += gradient(result[edge.target]) * float(edge.text[2:])
    for place, node in enumerate(nodes):
        if node.kind != OPERATION and "L" not in node.lines:
            assert arriving[place] == gradient(place)


def test_a_slope_that_does_not_exist_leaves_its_edge_bare() -> None:
    x = Value(-1.0, "x")
    picture = draw(x ** Value(2.0, "n"), partials=True)
    assert [edge.text for edge in picture.scene.edges] == ["", "× -2", ""]


def test_colour_and_size_by_gradient() -> None:
    output = expression()
    plain = draw(output, color="gradient", size="gradient")
    assert all(node.shade is None and node.scale == 1.0 for node in plain.scene.nodes)
    output.backward()
    picture = draw(output, color="gradient", size="gradient")
    a, b = (next(node for node in picture.scene.nodes if node.lines[0] == label) for label in "ab")
    assert a.shade == 1.0  # the largest, above zero
    assert b.shade is not None
    assert -1.0 < b.shade < 0.0
    assert a.scale > b.scale > 0.85
    assert "orange" in picture.scene.caption[-1]


def test_gradients_that_are_no_numbers_are_drawn() -> None:
    x = Value(0.0, "x")
    y = x.sqrt() * Value(0.0)
    y.backward()
    assert "grad nan" in draw(y, color="gradient", size="gradient", partials=True).source


# every primitive, every graph


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("detail", ["whole", "expanded"])
def test_every_primitive_is_drawn(row: Primitive, detail: str) -> None:
    point = next(special_points(row, lambda operands: in_domain(row, operands)))
    output = record(row, leaves_of(row, point))
    with suppress(autograd.DomainError):  # a slope that does not exist there
        output.backward(0.5)
    picture = draw(output, detail=detail, partials=True)
    assert own_svg(picture).tag == f"{SVG}svg"
    if detail == "whole":
        assert [node.lines[0] for node in nodes_of_kind(picture, OPERATION)][-1:] == [row.symbol or row.name]


@given(calls(expressions(primitives=CONTINUOUS)))
def test_a_picture_has_an_edge_for_each_operand(call: Call) -> None:
    output, _ = call.function.graph(*call.inputs)
    picture = draw(output)
    graph = topological_order(output)
    uses = sum(len(node.parents) for node in graph)
    operations = sum(1 for node in graph if node.parents)
    assert len(picture.scene.edges) == uses + operations
    assert len(edges_of(picture.source)) == picture.mermaid.count(" --> ") == uses + operations
    paths = [p for p in own_svg(picture).iter(f"{SVG}path") if p.get("fill") == "none"]
    assert len(paths) == len({p.get("d") for p in paths}) == uses + operations


# texts


@pytest.mark.parametrize("label", ODD)
def test_any_label_is_drawn(label: str) -> None:
    output = Value(1e300, label) * 2.0
    picture = draw(output)
    shown = texts(picture)
    plain = "".join(c if c.isprintable() else " " for c in label)
    if plain.isascii() and 0 < len(plain) <= 40:
        assert plain in shown  # verbatim
    assert re.search(r'^  n0\("[\w #;.<>/]*"\):::leaf$', picture.mermaid, re.MULTILINE)
    assert picture.source.encode().count(b"\n") > 5


def test_labels_are_read_verbatim_by_graphviz() -> None:
    """Neither an escape such as \\N, nor HTML, nor an entity is read into them; so a label comes back as it is."""
    for label in ODD:
        source = draw(Value(1.0, label) + 1.0).source
        quoted = re.search(r'^\tn0 \[label="((?:[^"\\]|\\.)*)"', source, re.MULTILINE)
        assert quoted is not None, label
        back = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], quoted[1]).replace("&amp;", "&")
        shown = "".join(c if c.isprintable() else " " for c in label)
        assert back.split("\n")[0] == ((shown if len(shown) <= 40 else shown[:39] + "…") or "data 1")


def test_a_long_label_is_shortened_and_whole_where_the_pointer_rests() -> None:
    picture = draw(Value(1.0, "x" * 200) + 1.0)
    assert max(map(len, texts(picture))) == 40
    titles = [element.text or "" for element in own_svg(picture).iter(f"{SVG}title")]
    assert any("x" * 200 in title for title in titles)


@pytest.mark.parametrize(
    ("number", "shown"),
    [(1 / 3, "0.333"), (1e300, "1e+300"), (float("nan"), "nan"), (-float("inf"), "-inf"), (-0.0, "-0")],
)
def test_numbers_are_short(number: float, shown: str) -> None:
    assert f"data {shown}" in texts(draw(Value(number) * 1.0, precision=3))


# formats


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_svg_is_well_formed_in_each_theme(theme: str) -> None:
    output = expression()
    output.backward()
    picture = draw(output, theme=theme, partials=True, color="gradient")
    root = own_svg(picture)
    background = [element for element in root if element.tag == f"{SVG}rect"]
    assert len(background) == (theme != "auto")
    assert ("bgcolor=transparent" in picture.source) == (theme == "auto")
    assert root.get("role") == "img"
    assert root.get("aria-label")


def test_no_two_boxes_overlap() -> None:
    picture = draw(expression())
    boxes = [
        tuple(float(rect.get(key) or 0) for key in ("x", "y", "width", "height"))
        for rect in own_svg(picture).iter(f"{SVG}rect")
    ]
    assert len(boxes) == 10
    for i, (x, y, w, h) in enumerate(boxes):
        for other_x, other_y, other_w, other_h in boxes[:i]:
            apart = x >= other_x + other_w or other_x >= x + w or y >= other_y + other_h or other_y >= y + h
            assert apart


def test_mermaid_is_a_flowchart() -> None:
    picture = draw(expression())
    lines = picture.mermaid.splitlines()
    assert lines[:4] == ["---", 'title: "no gradient yet: call backward()"', "---", "flowchart LR"]
    forms = (
        r'  n\d+(\(|\[|\(\()"[^"]*"(\)|\]|\)\)):::[a-z]+',
        r"  n\d+ --> n\d+",
        r"  classDef [a-z]+ fill:#\w+,stroke:#\w+,color:#\w+",
    )
    assert all(any(re.fullmatch(form, line) for form in forms) for line in lines[4:])
    assert picture.pipe("mermaid", encoding="utf-8") == picture.mermaid == mermaid.write(picture.scene)


def test_a_caption_is_broken_between_words() -> None:
    picture = draw(Value(1.0) + 1.0)
    long = picture.scene._replace(caption=("word " * 60,))
    shown = [e.text or "" for e in ElementTree.fromstring(svg.write(long)).iter(f"{SVG}text")]
    assert all(len(text) <= svg.CAPTION for text in shown)
    assert " ".join(shown).count("word") == 60


# errors


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"color": "red"}, "color is one of None, 'gradient', not 'red'"),
        ({"size": "large"}, "size is one of"),
        ({"theme": "blue"}, "theme is one of 'auto', 'light', 'dark'"),
        ({"engine": "neato"}, "no engine is called 'neato'; there are dot, pygraphviz, svg"),
        ({"detail": "all"}, "detail is one of 'whole', 'expanded'"),
        ({"detail": "dot"}, "to expand, such as ['dot'], not 'dot'"),
        ({"detail": 3}, "or the names of primitives to expand, such as ['dot'], not 3"),
        ({"depth": 1}, "modules=model"),
        ({"precision": 0}, "1 to 17, not 0"),
        ({"precision": 2.5}, "1 to 17, not 2.5"),
    ],
)
def test_an_option_that_is_none_is_an_error(options: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)):
        draw(Value(1.0) + 1.0, **options)


def test_a_primitive_that_is_none_cannot_be_expanded() -> None:
    with pytest.raises(KeyError, match="sigmoid"):
        draw(Value(1.0) + 1.0, detail=["sigmod"])


@pytest.mark.parametrize("thing", [3.0, [], [1.0], "x", None])
def test_what_is_not_a_value_is_an_error(thing: Any) -> None:
    with pytest.raises(TypeError, match="draw takes a Value"):
        draw(thing)


def test_a_leaf_alone_is_drawn() -> None:
    assert texts(draw(Value(2.0, "a")))[:2] == ["a", "data 2"]
    assert [node.kind for node in draw(Value(2.0)).scene.nodes] == [LEAF]


def test_boxes_are_said_to_be_boxes() -> None:
    y = Value(1.0)
    for _ in range(500):
        y = y + 1.0
    picture = draw(y)
    assert any(node.kind == GROUP for node in picture.scene.nodes)
    assert "501 nodes are too many to read" in picture.scene.caption[0]

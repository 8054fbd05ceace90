"""A graph as DOT, and DOT as a file."""

from pathlib import Path

import pytest

import autograd
from autograd import Value, draw
from autograd.pictures import layout
from autograd.pictures.layout import NoLayoutEngine, render


def test_an_operand_used_twice_has_two_edges() -> None:
    a = Value(2.0, "a")
    edges = [line for line in draw(a + a).source.splitlines() if "->" in line]
    assert len(edges) == 3  # two into the operation, one out of it
    assert len({edge.strip() for edge in edges}) == 2


def test_edges_come_in_the_order_of_the_arguments() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    picture = draw(b - a).source
    b_node, a_node = (next(n for n in ("n0", "n1") if f'{n} [label="{label}' in picture) for label in "ba")
    assert picture.index(f"{b_node} -> n2o") < picture.index(f"{a_node} -> n2o")


def test_a_gradient_is_shown_once_the_output_has_one() -> None:
    a = Value(2.0, "a")
    y = a * 3.0
    assert "no gradient yet" in draw(y).source
    y.backward()
    shown = draw(y).source
    assert "no gradient yet" not in shown
    assert "∂ 3" in shown


def test_plain_numbers_conditions_and_labels_with_special_characters_are_drawn() -> None:
    a = Value(2.0, 'say "a" <b> \\ {c}')
    y = autograd.where(a > 0, a * 2.5, lambda: a) + 1.0
    source = draw(y, precision=3).source
    assert "2.5" in source
    assert "where" in source
    assert "true" in source
    assert 'say \\"a\\"' in source


def test_a_graph_too_large_to_read_is_an_error_with_its_size() -> None:
    y = Value(1.0)
    for _ in range(500):
        y = y + 1.0
    with pytest.raises(ValueError, match="501 nodes"):
        draw(y)


def test_what_is_not_a_value_is_an_error() -> None:
    with pytest.raises(TypeError, match="draw takes a Value"):
        draw(3.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_a_file_is_drawn_by_pygraphviz_where_no_dot_is(
    ending: str, start: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout.shutil, "which", lambda name: None)
    a = Value(2.0, "a")
    path = render(draw(a.tanh() * a), tmp_path / "deep" / f"graph.{ending}")
    assert path.read_bytes().startswith(start)


def test_without_an_engine_the_error_says_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(layout.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    picture = draw(Value(1.0) + 1.0)
    with pytest.raises(NoLayoutEngine, match=r"valuegrad\[viz\]"):
        render(picture, tmp_path / "graph.svg")
    assert render(picture, tmp_path / "graph.dot").read_text("utf-8") == picture.source

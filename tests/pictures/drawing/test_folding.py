"""Graphs too large to read, folded by the parts of a model or by likeness, and summed up."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

import autograd
import nn
from autograd import Value, draw
from autograd.pictures.drawing import folding
from autograd.pictures.drawing.folding import _alike, _without_cycles
from autograd.pictures.drawing.scene import GROUP, LEAF, OPERATION, Node
from autograd.pictures.steps import read


def boxes(picture: Any) -> dict[str, Node]:
    return {node.lines[0]: node for node in picture.scene.nodes if node.kind == GROUP}


def is_acyclic(picture: Any) -> bool:
    after: dict[int, set[int]] = {}
    for edge in picture.scene.edges:
        after.setdefault(edge.source, set()).add(edge.target)
    left = set(range(len(picture.scene.nodes)))
    while left:
        ends = {v for v in left if not after.get(v, set()) & left}
        if not ends:
            return False
        left -= ends
    return True


def model_and_loss(samples: int = 1) -> tuple[nn.MLP, Value]:
    model = nn.MLP(2, [3, 2, 1], output="sigmoid", seed=1)
    losses = [nn.losses.mse(model([Value(0.5, "x[0]"), Value(-1.0 + i, "x[1]")]), 1.0) for i in range(samples)]
    loss = autograd.mean(losses)
    loss.label = "loss"
    loss.backward()
    return model, loss


# by the parts of a model


def test_a_model_is_one_box() -> None:
    model, loss = model_and_loss()
    picture = draw(loss, modules=model, depth=0)
    (box,) = boxes(picture).values()
    assert box.lines[:3] == ("MLP", "dot × 6, tanh × 5, sigmoid", "20 parameters")
    assert [node.lines[0] for node in picture.scene.nodes if node.kind == OPERATION] == ["-", "²", "mean"]
    assert "depth 0" in picture.scene.caption[0]


def test_a_model_is_its_layers() -> None:
    model, loss = model_and_loss()
    picture = draw(loss, modules=model, depth=1)
    found = boxes(picture)
    assert sorted(found) == ["layers[0]", "layers[1]", "layers[2]"]
    assert found["layers[0]"].lines[1:3] == ("dot × 3, tanh × 3", "9 parameters")
    assert found["layers[2]"].lines[1:3] == ("dot, sigmoid", "3 parameters")
    places = {node.lines[0]: i for i, node in enumerate(picture.scene.nodes)}
    edges = [(edge.source, edge.target) for edge in picture.scene.edges]
    assert edges.count((places["layers[0]"], places["layers[1]"])) == 1


def test_layers_are_their_neurons() -> None:
    model, loss = model_and_loss()
    found = boxes(draw(loss, modules=model, depth=2))
    assert sorted(found)[:3] == [f"layers[0].neurons[{i}]" for i in range(3)]
    assert len(found) == 6
    assert found["layers[1].neurons[1]"].lines[1:3] == ("dot, tanh", "4 parameters")


@pytest.mark.parametrize("depth", [3, 4, None])
def test_a_neuron_is_its_expression(depth: int | None) -> None:
    model, loss = model_and_loss()
    picture = draw(loss, modules=model, depth=depth)
    assert not boxes(picture)
    assert picture.scene == draw(loss).scene


def test_neurons_written_out_fold_as_well() -> None:
    """Products and sums of one's own, with the names of the parameters as a dict."""
    ws, b = [Value(0.1 * i, f"w{i}") for i in range(4)], Value(0.5, "b")
    xs = [Value(1.0 * i, f"x{i}") for i in range(4)]
    z = b
    for w, x in zip(ws, xs, strict=True):
        z = z + w * x
    output = z.tanh() * 2.0
    named = {**{f"neuron.w[{i}]": w for i, w in enumerate(ws)}, "neuron.b": b}
    picture = draw(output, modules=named, depth=1)
    (box,) = boxes(picture).values()
    assert box.lines[:3] == ("neuron", "mul × 4, add × 4, tanh", "5 parameters")
    assert [node.lines[0] for node in picture.scene.nodes if node.kind == LEAF] == ["x0", "x1", "x2", "x3"]


def test_the_loss_is_no_part_of_the_model() -> None:
    model = nn.MLP(2, [1], seed=1)
    total = model([0.5, 1.0]) + model([1.0, 0.5])
    picture = draw(total, modules=model, depth=0)
    (box,) = boxes(picture).values()
    assert box.lines[1] == "dot × 2"
    assert [node.lines[0] for node in picture.scene.nodes if node.kind == OPERATION] == ["+"]


def test_a_recurrence_becomes_one_box_without_a_cycle() -> None:
    w, h = Value(0.5, "w"), Value(0.0, "h")
    for i in range(5):
        h = (w * h * 0.9).tanh() + Value(float(i), "x")
    picture = draw(h, modules={"cell.w": w}, depth=1)
    assert is_acyclic(picture)
    assert next(iter(boxes(picture))).startswith("cell")


def test_many_samples_share_the_boxes() -> None:
    model, loss = model_and_loss(samples=60)
    picture = draw(loss, modules=model)  # it opens its neurons by itself, since these are few
    outside = {title for title in boxes(picture) if not title.startswith("layers")}
    assert outside == {"x[…] × 120", "sub × 60", "square × 60"}
    assert boxes(picture)["layers[0].neurons[2]"].lines[1] == "dot × 60, tanh × 60"
    assert "layers[0]" in boxes(draw(loss, modules=model, depth=1))
    assert len(picture.scene.nodes) < 20
    assert is_acyclic(picture)


def test_a_model_that_takes_no_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="no parameter of modules takes part"):
        draw(Value(1.0) + 1.0, modules=nn.MLP(2, [1]))


@pytest.mark.parametrize("modules", [3, [Value(1.0)], {"w": 2.0}, {1: Value(1.0)}])
def test_what_is_no_model_is_an_error(modules: Any) -> None:
    with pytest.raises(TypeError, match=r"named_parameters|path and a Value"):
        draw(Value(1.0) + 1.0, modules=modules)


@pytest.mark.parametrize("depth", [-1, 1.5])
def test_a_depth_that_is_none_is_an_error(depth: Any) -> None:
    model, loss = model_and_loss()
    with pytest.raises(ValueError, match="depth is a number of levels"):
        draw(loss, modules=model, depth=depth)


# by likeness


def test_below_300_nodes_nothing_is_folded() -> None:
    y = Value(1.0)
    for _ in range(299):
        y = y + 1.0
    assert not boxes(draw(y))
    assert boxes(draw(y + 1.0))


def test_a_training_step_folds_into_its_layers_by_itself() -> None:
    model = nn.MLP(2, [8, 8, 1], seed=1)
    loss = nn.cost(model, [[0.1 * i, 1.0] for i in range(30)], [i % 2 for i in range(30)], "mse")
    loss.backward()
    picture = draw(loss)
    found = boxes(picture)
    assert found["w1[…] × 16"].lines[1].startswith("data -")
    assert {"w2[…] × 64", "dot × 240", "tanh × 240", "dot × 30", "square × 30"} <= set(found)
    assert "nodes are too many to read" in picture.scene.caption[0]
    assert is_acyclic(picture)


def test_every_node_is_in_one_box_or_drawn() -> None:
    _, loss = model_and_loss(samples=60)
    count = len(read([loss]))
    picture = draw(loss)
    total = 0
    for node in picture.scene.nodes:
        if node.kind == GROUP:
            total += int(node.lines[0].rsplit("× ", 1)[1].replace(",", ""))
        elif node.kind not in (OPERATION, "number"):
            total += 1
    assert total == count


def test_a_long_chain_folds_into_its_run() -> None:
    y = Value(1.0)
    for _ in range(5_000):
        y = y * 1.0001
    picture = draw(y)
    assert len(picture.scene.nodes) <= 3 * folding.MOST_CLASSES
    assert sum(int(title.rsplit("× ", 1)[1].replace(",", "")) for title in boxes(picture)) > 4_900
    assert is_acyclic(picture)


def test_a_long_recurrence_folds_into_repeated_steps() -> None:
    w, h = Value(0.5, "w"), Value(0.0, "h")
    for i in range(200):
        h = (w * h + Value(0.01 * i, f"x{i}")).tanh()
    picture = draw(h)
    assert "repeated steps" in boxes(picture)
    assert is_acyclic(picture)


def test_a_graph_of_unlike_nodes_is_still_few_boxes() -> None:
    """Labels that have nothing in common, and no two nodes alike."""
    y: Value = Value(1.0, "a")
    for i in range(400):
        y = y + Value(float(i), "".join(chr(97 + int(d)) for d in str(i)))
        y = (y, autograd.sin(y), y.tanh(), y * y)[i % 4]
    picture = draw(y)
    assert is_acyclic(picture)
    assert len(picture.scene.nodes) < 300


def test_labels_that_are_all_different_share_boxes_where_they_are_too_many() -> None:
    """As of a table whose every column has a name of its own."""
    names = ["".join(chr(97 + int(d)) for d in str(i)) for i in range(1_000)]
    picture = draw(autograd.sum([Value(float(i), name).tanh() for i, name in enumerate(names)]))
    assert list(boxes(picture)) == ["leaf × 1,000", "tanh × 1,000"]
    few = draw(autograd.sum([Value(float(i), names[i % 20]).tanh() for i in range(1_000)]))
    assert "a × 50" in boxes(few)


def test_likeness_keeps_what_is_given() -> None:
    a = Value(1.0, "a")
    steps = read([a * 2.0 + a * 3.0])
    assert _alike(steps, [0, 1, 1, 3])[1] == _alike(steps, [0, 1, 1, 3])[2]


def test_classes_that_reach_each_other_are_joined() -> None:
    y = Value(1.0)
    for _ in range(4):
        y = (y * 2.0).tanh()
    steps = read([y])
    joined = _without_cycles(steps, [step.primitive for step in steps])
    assert joined[0] != joined[1]
    assert len(set(joined[1:])) == 1


# summed up


def long_graph(operations: int) -> Value:
    x = Value(1.0, "x")
    y = x
    for _ in range(operations // 2):
        y = y * x + 0.5
    return y


def test_a_large_graph_is_summed_up() -> None:
    picture = draw(long_graph(100_000))
    text = " ".join(e.text or "" for e in ElementTree.fromstring(picture.pipe("svg")).iter())
    assert "100,001 nodes: 100,000 operations, 1 leaf" in text
    assert "50,000 plain numbers" in text
    assert "depth 100,000" in text
    assert "at most 50,001 times" in text
    assert "50,000" in text
    assert "summed up" in text
    assert len(picture.pipe("svg")) < 100_000
    assert "mul × 50,000" in picture.source


def test_the_pattern_of_a_program_is_where_each_number_is_used() -> None:
    """Of a chain that uses its start at each step: the first column, and the diagonal."""
    root = ElementTree.fromstring(draw(long_graph(100_000)).pipe("svg"))
    paths = " ".join(e.get("d") or "" for e in root.iter("{http://www.w3.org/2000/svg}path"))
    runs = [tuple(map(float, found)) for found in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v3", paths)]
    left, top = min(x for x, _, _ in runs), min(y for _, y, _ in runs)
    spots = {(round((x - left) / 3) + i, round((y - top) / 3)) for x, y, w in runs for i in range(round(w / 3))}
    assert {(0, row) for row in range(96)} <= spots
    assert {(row, row) for row in range(96)} <= spots
    assert len(spots) <= 3 * 96


def test_a_model_is_folded_however_large_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_FOLDED", 1_000)
    model = nn.MLP(2, [16, 16, 1], seed=1)
    loss = nn.cost(model, [[0.1 * i, 1.0] for i in range(50)], [i % 2 for i in range(50)], "mse")
    assert "summed up" in draw(loss).scene.caption[0]
    assert {"layers[0]", "layers[1]", "layers[2]"} <= set(boxes(draw(loss, modules=model, depth=1)))

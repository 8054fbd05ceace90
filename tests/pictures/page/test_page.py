"""The step-through page: its text, and what a person sees and does in a real browser."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

import autograd
from autograd import Limit, StaleGraphError, Value, primitive, step_through, where
from autograd.graph import topological_order
from autograd.pictures.page.document import SCRIPTS
from autograd.pictures.page.stepping import MOST_NODES
from tests.pictures.page.step_page import StepPage, gradients_of, shown

WRONG = ".pane.wrong"

Open = Callable[..., StepPage]


def neuron() -> tuple[Value, dict[str, Value]]:
    leaves = {name: Value(x, name) for name, x in (("x", 2.0), ("w", -0.5), ("b", 0.25))}
    z = leaves["x"] * leaves["w"] + leaves["b"]
    z.label = "z"
    y = z.tanh()
    y.label = "y"
    return y, leaves


def shared() -> tuple[Value, dict[str, Value]]:
    """A node used at two depths: the depth-first walk sends its gradient on when half of it has arrived."""
    leaves = {"a": Value(2.0, "a"), "c": Value(3.0, "c")}
    h = leaves["a"] * leaves["c"]
    h.label = "h"
    out = h + h * leaves["a"]
    out.label = "L"
    return out, leaves


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    html = step_through(neuron()[0]).html
    addresses = set(re.findall(r"\b(?:https?:)?//[\w.]+", html)) - {"http://www.w3.org"}
    assert addresses == set()
    assert "default-src 'none'" in html
    assert not re.search(
        r"<link|<img|@import|url\(|fetch\(|XMLHttpRequest|WebSocket|import\(", html.replace("url(#", "")
    )


def test_a_page_of_a_graph_of_thirty_nodes_is_small() -> None:
    xs = [Value(0.3 * i, f"x{i}") for i in range(4)]
    ws = [Value(0.1 * i - 0.2, f"w{i}") for i in range(8)]
    sums = [autograd.sum([w * x for w, x in zip(ws[4 * k :], xs, strict=False)]) for k in range(2)]
    out = (sums[0].tanh() * sums[1].sigmoid() - 1.0) ** 2 + sums[0].exp() / sums[1]
    assert 30 <= len(topological_order(out)) <= 40
    assert len(step_through(out).html.encode()) < 65_000


def test_the_files_of_the_page_are_in_the_package() -> None:
    folder = files("autograd.pictures") / "page"
    for name in ("page.html", "style.css", *SCRIPTS):
        assert (folder / name).read_text("utf-8").strip()


def test_saving_makes_the_folder_and_returns_the_file(tmp_path: Any) -> None:
    page = step_through(neuron()[0], title="One neuron")
    target = page.save(tmp_path / "deep" / "page.html")
    assert target.read_text("utf-8") == page.html
    assert "<title>One neuron</title>" in page.html
    assert repr(page).startswith("<page 'One neuron'")


def test_a_label_that_is_no_text_is_saved_too(tmp_path: Any) -> None:
    page = step_through(Value(1.0, "half \ud83d").tanh())
    assert '"half ?"' in page.save(tmp_path / "page.html").read_text("utf-8")


def test_a_notebook_shows_the_page_in_a_frame_of_its_own() -> None:
    page = step_through(neuron()[0], height=500)
    frame = page._repr_html_()
    assert frame.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert 'height="500"' in frame
    assert 'sandbox="allow-scripts"' in frame
    assert "<script" not in frame


def test_what_cannot_be_stepped_through_is_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match="takes a Value, not float"):
        step_through(2.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="precision is a number of significant digits, 1 to 17; it is 0"):
        step_through(Value(1.0), precision=0)
    with pytest.raises(ValueError, match=r"significant digits, 1 to 17; it is 2\.5"):
        step_through(Value(1.0), precision=2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="height is a number of pixels, at least 1; it is '50%'"):
        step_through(Value(1.0), height="50%")  # type: ignore[arg-type]
    x = Value(1.0)
    y = x
    for _ in range(MOST_NODES):
        y = y.sin()
    with pytest.raises(ValueError, match=f"has {MOST_NODES + 1} nodes; step_through shows at most {MOST_NODES}.*part"):
        step_through(y)
    z = x * x
    x.data = 5.0
    with pytest.raises(StaleGraphError, match="was written after mul had used it"):
        step_through(z)


def test_a_graph_of_any_depth_is_refused_at_once() -> None:
    y = Value(1.0)
    for _ in range(100_000):
        y = y + 1.0
    with pytest.raises(ValueError, match="100001 nodes"):
        step_through(y)


def test_the_gradients_of_the_user_are_left_alone() -> None:
    y, leaves = neuron()
    y.backward()
    before = [leaf.grad for leaf in leaves.values()]
    step_through(y)
    assert [leaf.grad for leaf in leaves.values()] == before


# In the browser: the story.


def test_values_appear_node_by_node_then_gradients(open_page: Open) -> None:
    page = open_page(neuron()[0])
    inner = [b["name"] for b in page.boxes() if "operation" in b["classes"]]
    assert [page.box(name)["data"] for name in inner] == ["", "", ""]
    seen = []
    for step in range(1, page.last + 1):
        page.go(step)
        seen.append((sum(page.box(name)["data"] != "" for name in inner), len(page.gradients())))
    # three values; the seed; tanh to z; + to v1 and b; × to x and w; the end
    assert seen == [(1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (3, 4), (3, 6), (3, 6)]


def test_a_step_shows_rule_numbers_and_what_arrives(open_page: Open) -> None:
    y, leaves = neuron()
    page = open_page(y)
    page.go(5)
    slope = shown(1 - y.data**2)
    assert page.text("#phase").lower() == "backward · step 5 of 8"
    assert page.text("#sentence") == f"y sends its gradient 1 times each local slope: z += {slope}."
    assert page.pills() == [f"+= {slope}"]
    formulas = re.sub(r"\s", "", page.frame.eval_on_selector("#formulas", "box => box.textContent"))
    number = shown(y.data).replace("-", "−")
    assert f"∂y∂z=1−y2=1−({number})2={slope}" in formulas
    assert f"∂y∂z+=∂y∂y·∂y∂z=1·{slope}={slope}" in formulas
    assert page.frame.locator("#formulas math").count() == 2
    page.go(7)
    gradients_of(y, leaves)
    assert page.pills() == [f"+= {shown(leaves[name].grad)}" for name in ("x", "w")]


def test_an_operand_used_twice_receives_twice(open_page: Open) -> None:
    a = Value(3.0, "a")
    page = open_page(a + a)
    page.go(3)
    assert page.pills() == ["+= 1", "+= 1"]
    sums = page.frame.locator("#formulas .sum").all_inner_texts()
    assert sums == ["a.grad: 0 + 1 = 1", "a.grad: 1 + 1 = 2"]
    tops = page.frame.eval_on_selector_all(".pill", "pills => pills.map(p => p.getBoundingClientRect().top)")
    assert abs(tops[0] - tops[1]) > 12


def test_a_leaf_alone_is_a_page_too(open_page: Open) -> None:
    page = open_page(Value(3.0, "x"))
    page.end()
    assert page.gradients() == {"x": "1"}


def test_a_leaf_that_nothing_reaches_has_gradient_zero(open_page: Open) -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    page = open_page(x * y.detach())
    page.end()
    assert {name: page.gradients()[name] for name in "xy"} == {"x": "2", "y": "0"}


def test_the_end_says_the_gradients_where_they_are_few_and_short(open_page: Open) -> None:
    page = open_page(shared()[0])
    page.end()
    assert page.text("#sentence") == "Every leaf has its gradient: ∂L/∂a = 15 and ∂L/∂c = 6."
    out = shared()[0]
    out.label = "a label that says more than a name should " * 4
    page = open_page(out)
    page.end()
    assert page.text("#sentence") == "Every leaf has its gradient."


def test_labels_are_shown_as_they_are(open_page: Open) -> None:
    nasty = "</script><script>alert(1)</script><b>&\"'"
    y = Value(2.0, nasty) * Value(3.0, "[[script]]")
    page = open_page(step_through(y, title="<i>&amp;</i>"))
    page.end()
    assert {"[[script]]", nasty} < {box["name"] for box in page.boxes()}
    assert page.text("h1") == "<i>&amp;</i>"
    assert page.frame.locator("#step b, #step script").count() == 0


@primitive(partials=[lambda m, z, x: 2 * x], symbol="<img src=x onerror=alert(1)>{0}{z}&amp;")
def marked(m: Any, x: Any) -> Any:
    return x * x


def test_a_symbol_is_shown_as_it_is(open_page: Open) -> None:
    y = marked(Value(3.0, "x"))
    y.label = "y"
    page = open_page(y)
    page.go(1)
    assert page.box("y")["symbol"] == "<img src=x onerror=alert(1)>{0}{z}&amp;"
    assert "<img src=x onerror=alert(1)>{0}{z}&amp;" in page.frame.locator("#formulas").text_content()
    assert page.frame.locator("#step img").count() == 0


# In the browser: what moves it.


def test_the_buttons_step(open_page: Open) -> None:
    page = open_page(neuron()[0])
    button = lambda name: page.frame.get_by_role("button", name=name, exact=True)  # noqa: E731
    assert button("First step").is_disabled()
    button("One step forward").click()
    button("One step forward").click()
    button("One step back").click()
    assert page.at == 1
    button("Last step").click()
    assert page.at == page.last
    assert button("One step forward").is_disabled()
    button("First step").click()
    assert page.at == 0


def test_play_runs_to_the_end_and_pause_stops_it(open_page: Open) -> None:
    page = open_page(neuron()[0])
    page.page.clock.install(time=0)
    page.page.reload()
    page.shown += 1
    page.page.clock.pause_at(60_000)  # from now on time passes when the test says so
    page.frame.get_by_role("button", name="Play").click()
    page.page.clock.run_for(2_100)
    assert page.at == 2
    page.frame.get_by_role("button", name="Pause").click()
    page.page.clock.run_for(60_000)
    assert page.at == 2
    page.frame.get_by_label("Speed").select_option("4")
    page.frame.get_by_role("button", name="Play").click()
    page.page.clock.run_for(260)
    assert page.at == 3
    page.page.clock.run_for(60_000)
    assert page.at == page.last
    page.frame.get_by_role("button", name="Play").click()  # from the beginning again
    assert page.at == 0


def test_keys(open_page: Open) -> None:
    page = open_page(shared()[0])
    press = page.page.keyboard.press
    for key, step in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", page.last), ("Home", 0)):
        press(key)
        assert page.at == step, key
    press(" ")
    assert page.frame.get_by_role("button", name="Pause").count() == 1
    press(" ")
    assert page.frame.get_by_role("button", name="Play").count() == 1
    press("w")
    assert page.frame.get_by_role("switch").get_attribute("aria-checked") == "true"
    press("+")
    assert page.frame.eval_on_selector("#speed", "s => s.value") == "2"
    press("-")
    assert page.frame.eval_on_selector("#speed", "s => s.value") == "1"
    press("f")
    assert page.frame.get_by_role("button", name="Fit").get_attribute("aria-pressed") == "true"
    page.frame.get_by_label("Value of a").focus()
    press("End")  # belongs to the field now
    assert page.at == 0


def test_the_timeline_is_dragged(open_page: Open) -> None:
    page = open_page(neuron()[0])
    box = page.frame.locator("#timeline").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.page.mouse.move(box["x"] + 10, middle)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] / 2, middle, steps=4)
    assert page.at == page.last // 2
    page.page.mouse.move(box["x"] + box["width"] - 2, middle, steps=4)
    page.page.mouse.up()
    assert page.at == page.last


def test_a_node_and_the_whole_picture_are_dragged(open_page: Open) -> None:
    y = Value(0.5, "x")
    for _ in range(12):
        y = y.sin()
    page = open_page(y)
    drag = page.page.mouse
    first = page.frame.locator(".node").first
    before, edge = first.bounding_box(), page.frame.locator(".stage svg > path").first
    path = edge.get_attribute("d")
    drag.move(before["x"] + 15, before["y"] + 8)
    drag.down()
    drag.move(before["x"] + 45, before["y"] + 8, steps=3)
    drag.up()
    assert first.bounding_box()["x"] == pytest.approx(before["x"] + 30, abs=1.5)
    assert edge.get_attribute("d") != path
    view = page.frame.locator(".viewport").first.bounding_box()
    drag.move(view["x"] + 500, view["y"] + 20)
    drag.down()
    drag.move(view["x"] + 200, view["y"] + 20, steps=3)
    drag.up()
    scrolled = page.frame.eval_on_selector(".viewport", "v => v.scrollLeft")
    assert scrolled == pytest.approx(300, abs=2)


def test_shift_and_arrows_move_the_picture_that_has_the_focus(open_page: Open) -> None:
    y = Value(0.5, "x")
    for _ in range(12):
        y = y.sin()
    page = open_page(y, reduced_motion="reduce")
    page.frame.locator(".viewport").first.focus()
    page.page.keyboard.press("Shift+ArrowRight")
    page.page.keyboard.press("Shift+ArrowRight")
    assert page.frame.eval_on_selector(".viewport", "v => v.scrollLeft") == 160
    assert page.at == 0


def test_the_current_node_is_always_in_view(open_page: Open) -> None:
    y = Value(0.5, "x")
    for _ in range(12):
        y = y.sin()
    page = open_page(y, viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    view = page.frame.locator(".viewport").first.bounding_box()
    for step in range(1, page.last):
        page.go(step)
        box = page.frame.locator(".node.current").bounding_box()
        assert view["x"] <= box["x"], step
        assert box["x"] + box["width"] <= view["x"] + view["width"], step


# In the browser: edits.


def test_typing_changes_values_and_gradients_at_once(open_page: Open) -> None:
    y, leaves = neuron()
    page = open_page(y)
    page.edit("w", "1.5")  # at the start it shows the end, so that the edit is seen
    leaves["w"].data = 1.5
    z = leaves["x"] * leaves["w"] + leaves["b"]
    expected = gradients_of(z.tanh(), leaves)
    assert {name: page.gradients()[name] for name in leaves} == expected
    page.go(5)
    page.edit("w", "-0.1")
    assert page.at == 5
    assert page.box("y")["data"] == shown(math.tanh(2.0 * -0.1 + 0.25))
    page.frame.get_by_role("button", name="Restore").click()
    assert page.box("y")["data"] == shown(y.data)
    assert page.box("w")["data"] == "-0.5"
    assert not page.frame.get_by_role("button", name="Restore").is_visible()


def test_an_edit_outside_the_domain_says_so_at_the_node(open_page: Open) -> None:
    x = Value(2.0, "x")
    y = x.log() * 3.0
    y.label = "y"
    page = open_page(y)
    page.end()
    page.edit("x", "-2")
    log = next(box for box in page.boxes() if box["symbol"] == "log")
    assert log["note"] == "log needs a positive argument; x is -2 ('x'). Use log1p, clip or where."
    assert "problem" in log["classes"]
    assert page.box("y")["data"] == ""
    assert page.gradients() == {}
    assert page.text("#phase").lower().startswith("stopped")
    page.edit("x", "4")
    assert page.gradients()["x"] == "0.75"
    assert "problem" not in next(box for box in page.boxes() if box["symbol"] == "log")["classes"]


def test_an_edit_that_is_too_large_says_so(open_page: Open) -> None:
    x = Value(1.0, "x")
    page = open_page(x.exp())
    page.end()
    page.edit("x", "1000")
    exp = next(box for box in page.boxes() if box["symbol"] == "exp")
    assert (exp["data"], exp["note"]) == ("inf", "exp is too large for a float; x is 1000 ('x').")


def test_an_edit_to_where_there_is_no_slope_stops_there(open_page: Open) -> None:
    x = Value(2.0, "x")
    y = x ** Value(2.0, "n")
    page = open_page(y)
    page.end()
    page.edit("x", "-3")  # (-3)² is 9, but log(-3) is wanted for the slope by n
    power = next(box for box in page.boxes() if box["symbol"] == "**")
    assert power["data"] == "9"
    assert power["note"].startswith("pow has no derivative with respect to y here; x is -3 ('x'), y is 2 ('n')")


def test_limits_of_the_table_hold_in_the_page(open_page: Open) -> None:
    x = Value(4.0, "x")
    page = open_page(x.sqrt())
    page.end()
    page.edit("x", "0")
    assert page.gradients()["x"] == "inf"


def test_nothing_flows_through_what_stops_it(open_page: Open) -> None:
    """Not 0 · ∞; and what nothing flows to is not asked for a slope that it does not have."""

    def graph(leaves: dict[str, Value]) -> Value:
        x, y = leaves.values()
        return autograd.maximum(autograd.sqrt(x), 0.1) + autograd.relu(autograd.atan2(y, x) - 1) + 2 * x

    leaves = {"x": Value(0.0, "x"), "y": Value(0.0, "y")}
    page = open_page(graph(leaves))
    page.end()
    assert page.gradients().items() >= gradients_of(graph(leaves), leaves).items() == {("x", "2"), ("y", "0")}
    page.edit("x", 0.25)
    page.edit("y", 3.0)
    moved = {"x": Value(0.25, "x"), "y": Value(3.0, "y")}
    assert page.gradients().items() >= gradients_of(graph(moved), moved).items()


def test_a_field_shows_all_digits_while_it_is_edited(open_page: Open) -> None:
    x = Value(0.1234567890123, "x")
    page = open_page(x * x)
    assert page.box("x")["data"] == "0.123457"
    page.frame.get_by_label("Value of x").focus()
    assert page.box("x")["data"] == "0.1234567890123"
    page.page.keyboard.press("Tab")
    page.end()
    assert page.gradients()["x"] == shown(2 * 0.1234567890123)


@pytest.mark.parametrize("text", ["", "-", "e"])
def test_what_is_no_number_is_refused_and_the_last_one_kept(open_page: Open, text: str) -> None:
    y, _ = neuron()
    page = open_page(y)
    page.end()
    field = page.frame.get_by_label("Value of w")
    field.fill("")
    field.type(text)
    assert field.get_attribute("aria-invalid") == "true"
    assert page.box("y")["data"] == shown(y.data)
    field.fill("0.5")
    assert field.get_attribute("aria-invalid") == "false"
    assert page.box("y")["data"] == shown(math.tanh(2.0 * 0.5 + 0.25))


def test_where_decides_anew(open_page: Open) -> None:
    x, y = Value(2.0, "x"), Value(5.0, "y")
    out = where(x > 1.0, x * x, y * 3.0)
    out.label = "out"
    page = open_page(out)
    page.end()
    assert page.box("out")["data"] == "4"
    assert {name: page.gradients()[name] for name in "xy"} == {"x": "4", "y": "0"}
    page.edit("x", "0.5")
    assert page.box("out")["data"] == "15"
    assert {name: page.gradients()[name] for name in "xy"} == {"x": "0", "y": "3"}
    remark = "The recorded operations run again at your numbers; where decides anew. A branch that Python's if chose"
    assert remark in page.text("#verdict")


def test_a_branch_that_was_never_called_is_not_invented(open_page: Open) -> None:
    x = Value(2.0, "x")
    page = open_page(where(x > 0, lambda: x.log(), lambda: x * 2.0))
    page.end()
    page.edit("x", "-1")
    chosen = next(box for box in page.boxes() if box["symbol"] == "where")
    assert "the branch that is wanted now was a function that was never called" in chosen["note"]


def test_where_does_not_mind_a_branch_without_a_value(open_page: Open) -> None:
    x = Value(2.0, "x")
    out = where(x > 0, x.log(), x * 2.0)
    out.label = "out"
    page = open_page(out)
    page.end()
    page.edit("x", "-1")
    assert page.box("out")["data"] == "-2"
    assert page.gradients()["x"] == "2"


@primitive(
    partials=[lambda m, z, x: m.exp(-x * x) * (1 - 2 * x * x)],
    domain=lambda x: -3 < x < 3 and x != 1,
    needs="an argument between -3 and 3, not 1",
    limits=[Limit(0, lambda x: x == 2, 7.0)],
)
def bump(m: Any, x: Any) -> Any:
    return m.where(x > 0, lambda: x * m.exp(-x * x), 0)


@primitive(partials=[lambda m, z, x: 2 * x], systems=("floats",))
def opaque(m: Any, x: Any) -> Any:
    return math.pow(x, 2)


def test_a_primitive_of_ones_own_is_live(open_page: Open) -> None:
    x = Value(0.5, "x")
    y = bump(x)
    y.label = "y"
    page = open_page(y)
    page.end()
    page.edit("x", "0.25")
    other = Value(0.25, "x")
    assert page.gradients()["x"] == gradients_of(bump(other), {"x": other})["x"]
    for outside in ("1", "3", "-3"):
        page.edit("x", outside)
        assert page.box("y")["note"].startswith("bump needs an argument between -3 and 3, not 1; x is")
    page.edit("x", "-2")
    assert page.box("y")["data"] == "0"


def test_a_primitive_for_floats_alone_shows_what_was_recorded(open_page: Open) -> None:
    x = Value(3.0, "x")
    page = open_page(opaque(x) * 2.0)
    page.end()
    assert page.gradients()["x"] == "12"
    assert page.frame.get_by_label("Value of x").is_disabled()
    assert "opaque is declared for floats only" in page.text("#verdict")


# In the browser: the wrong order.


def test_the_wrong_order_is_played_beside_the_right_one(open_page: Open) -> None:
    out, leaves = shared()
    page = open_page(out)
    assert not page.frame.locator(WRONG).is_visible()
    page.frame.get_by_role("switch", name="Wrong order").click()
    assert page.frame.locator(WRONG).is_visible()
    page.go(5)  # L sends in both
    assert page.pills() == page.pills(WRONG) == ["+= 1", "+= 1"]
    page.go(6)
    early = page.box("h", WRONG)
    assert "early" in early["classes"]
    assert early["note"] == "too early: 1 of 2 arrived"
    assert "sends on 1 when only 1 of 2 shares have arrived" in page.text("#verdict")
    assert not any("early" in box["classes"] for box in page.boxes())
    page.end()
    assert page.box("h", WRONG)["note"] == "too early: 1 of 2 arrived; 2 too late"
    right = gradients_of(out, leaves)
    assert {name: page.gradients()[name] for name in leaves} == right == {"a": "15", "c": "6"}
    # h sends 1, not 1 + a: a gets c + h, c gets a
    assert {name: page.gradients(WRONG)[name] for name in leaves} == {"a": "9", "c": "2"}
    rows = page.frame.locator("#verdict tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [["a", "15", "9", "wrong"], ["c", "6", "2", "wrong"]]


def test_in_a_tree_the_wrong_order_does_no_harm_and_the_page_says_so(open_page: Open) -> None:
    page = open_page(neuron()[0])
    page.frame.get_by_role("switch").click()
    page.end()
    assert "every node is used only once, so a depth-first walk does no harm" in page.text("#verdict")
    assert page.gradients() == page.gradients(WRONG)


def test_a_missing_share_of_zero_is_luck_and_the_page_says_so(open_page: Open) -> None:
    out, _ = shared()
    page = open_page(out)
    page.frame.get_by_role("switch").click()
    page.edit("a", "0")
    page.end()
    assert "the numbers agree by luck" in page.text("#verdict")
    assert {name: page.gradients()[name] for name in "ac"} == {"a": "3", "c": "0"}
    assert {name: page.gradients(WRONG)[name] for name in "ac"} == {"a": "3", "c": "0"}


# In the browser: for everybody.


def test_every_control_has_a_name_and_its_place(open_page: Open) -> None:
    page = open_page(neuron()[0])
    page.go(2)
    reached = []
    for _ in range(14):
        page.page.keyboard.press("Tab")
        reached.append(
            page.frame.evaluate(
                """() => { const e = document.activeElement;
                const label = e.labels?.[0]?.textContent.trim().split(' ')[0];
                return e.getAttribute('aria-label') || label || e.textContent.trim(); }"""
            )
        )
    names = ["Wrong order", "Right order: a node sends once all its gradient has arrived"]
    names += [f"Value of {box['name']}" for box in page.boxes() if "leaf" in box["classes"]]
    names += ["First step", "One step back", "Play", "One step forward", "Last step", "Step", "Speed", "Fit"]
    found = [name for name in reached if name not in ("", "This step")]
    assert found[: len(names)] == names
    assert page.frame.locator("#sentence").get_attribute("aria-live") == "polite"
    assert page.frame.locator("#timeline").get_attribute("aria-valuetext") == f"Step 2 of {page.last}: Forward"


@pytest.mark.parametrize("comparing", [False, True])
def test_it_fits_a_phone(open_page: Open, comparing: bool) -> None:
    page = open_page(shared()[0], viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    if comparing:
        page.frame.get_by_role("switch").tap()
    page.go(6)
    measured = page.frame.evaluate(
        """() => ({
            wide: document.scrollingElement.scrollWidth,
            text: Math.min(...[...document.querySelectorAll('#sentence, .data, .gradient, .pill, button')]
                .filter(e => e.offsetParent).map(e => parseFloat(getComputedStyle(e).fontSize)))
                * new DOMMatrix(getComputedStyle(document.querySelector('.stage')).transform).a,
            targets: [...document.querySelectorAll('footer button')].filter(e => e.offsetParent)
                .map(e => Math.min(e.offsetWidth, e.offsetHeight)),
        })"""
    )
    assert measured["wide"] == 360
    assert measured["text"] >= 7.5 if comparing else measured["text"] >= 9.5
    assert min(measured["targets"]) >= 36


def test_nothing_moves_for_those_who_want_no_motion(open_page: Open) -> None:
    counting = """() => { const animate = Element.prototype.animate; window.moved = 0;
        Element.prototype.animate = function (...how) { window.moved += 1; return animate.apply(this, how); }; }"""
    for wish, animations in (("no-preference", 2), ("reduce", 0)):
        page = open_page(neuron()[0], reduced_motion=wish)
        page.frame.evaluate(counting)
        page.go(5)
        page.page.keyboard.press("ArrowRight")
        assert len(page.pills()) == 2
        assert page.frame.evaluate("window.moved") == animations, wish


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_page: Open, scheme: str) -> None:
    """A contrast of at least 4.5 (WCAG 2.1, AA), by its formula of relative luminance."""
    page = open_page(neuron()[0], color_scheme=scheme)
    page.go(5)
    pairs = page.frame.evaluate(
        """() => {
            const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
            const rgb = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data]; };
            const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
                if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
            const texts = '#sentence, #phase, .key, .data, .gradient, .pill, .name, .symbol, math, .sum, .speed';
            return [...document.querySelectorAll(texts)]
                .filter(e => e.offsetParent && e.textContent.trim() && !e.closest('.pending'))
                .map(e => [e.className + '#' + e.id, rgb(getComputedStyle(e).color), ground(e)]);
        }"""
    )
    assert len(pairs) > 20
    for what, ink, paper in pairs:
        light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (what, ink, paper)


def luminance(color: list[int]) -> float:
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_it_lives_in_a_frame_of_a_notebook(browser: Any) -> None:
    """As an output of JupyterLab: the text of a frame in a page of another's, with no rights but to run scripts."""
    y, leaves = neuron()
    tab = browser.new_page()
    page = StepPage(tab)
    page.watch()
    tab.set_content(f"<main>{step_through(y)._repr_html_()}</main>")
    page.frame = tab.frames[1]
    page.frame.wait_for_selector(".node")
    page.edit("w", "1.5")
    leaves["w"].data = 1.5
    expected = gradients_of((leaves["x"] * leaves["w"] + leaves["b"]).tanh(), leaves)
    assert {name: page.gradients()[name] for name in leaves} == expected
    page.frame.get_by_role("button", name="First step").click()
    page.frame.get_by_role("button", name="One step forward").click()
    assert page.at == 1
    tab.close()
    page.finish()


def test_the_largest_graph_is_shown(open_page: Open) -> None:
    xs = [Value(0.01 * i, f"x{i}") for i in range(MOST_NODES // 2)]
    total = xs[0]
    for x in xs[1:]:
        total = total + x
    page = open_page(total)
    page.end()
    found = page.gradients()
    assert {found[x.label] for x in xs} == {"1"}


def test_the_guard_against_noise_can_fail(browser: Any, tmp_path: Any) -> None:
    tab = browser.new_page()
    page = StepPage(tab)
    page.watch()
    tab.route("**/*", lambda route: route.fulfill(body=""))
    with tab.expect_request("http://localhost/x"):
        tab.set_content("<script>console.error('loud'); fetch('http://localhost/x')</script>")
    with pytest.raises(AssertionError):
        page.finish()
    assert page.complaints
    assert page.requests == ["http://localhost/x"]
    tab.close()

"""``derive`` against SymPy's differentiation and against ``backward()``, and what it does with graphs of all kinds."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd
import nn
from autograd import TABLE, Value, derive, primitive, where
from autograd.pictures.mathematics import algebra, chain_rule, derivation
from autograd.pictures.mathematics.algebra import symbol
from autograd.pictures.mathematics.notation import latex_of_label
from autograd.testing import Call, calls, expressions
from tests import checks
from tests.pictures.mathematics.labelled import named, recorded


def gradient(output: Value, leaf: Value) -> float:
    leaf.grad = 0.0
    output.backward()
    return leaf.grad


def at_the_point(found: chain_rule.Derivation, *nodes: Value) -> float:
    """The expression with the recorded numbers put in."""
    known = {symbol(node.label): sympy.Float(node.data) for node in nodes}
    return float(sympy.N(found.expression.rewrite(algebra.Sigmoid, sympy.exp).subs(known)))


# The formula and the number are the engine's derivative.


@given(calls(expressions(max_nodes=5)), st.data())
def test_formula_and_number_are_what_backward_finds(call: Call, data: st.DataObject) -> None:
    """Random graphs with random labels: each formula, with the numbers put in, is the gradient."""
    leaves, output = recorded(call)
    nodes = [node for node in autograd.graph.topological_order(output) if isinstance(node, Value)]
    assume(all(abs(node.data) < 1e3 for node in nodes))
    # As textbooks write it, (cos x - sinc x) / x, the slope of sinc is no number at 0.
    assume(not any(node.primitive is TABLE["sinc"] and node.parents[0].data == 0.0 for node in nodes))
    for i, node in enumerate(nodes):
        if node.parents and (node is output or data.draw(st.booleans())):
            node.label = f"h{i}"
    leaf = data.draw(st.sampled_from(leaves))
    found = derive(output, leaf)
    expected = gradient(output, leaf)
    size = max(checks.size_of_terms(call.function.program, call.inputs))
    assume(size < 1e6)
    assert abs(found.value - expected) <= 1e-9 * size
    # Cancellation inside a formula is larger than in the graph, by what rounding does to numbers below 1000.
    assert abs(at_the_point(found, *[n for n in nodes if n.label]) - expected) <= 1e-6 * (1 + size)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "sin", "exp", "softplus", "atan", "erf", "silu", "cbrt", "gelu"])
def test_a_slope_is_sympys_own(name: str) -> None:
    x = Value(0.7, "x")
    found = derive(named(getattr(autograd, name)(x) * 1.0, "y"), x)
    own = getattr(autograd.number_systems.system_of("sympy"), name)
    X = sympy.Symbol("x", positive=True)
    expected = sympy.diff(own(X), X)
    difference = found.expression.rewrite(sympy.exp).subs(symbol("x"), X) - expected
    for number in (sympy.Rational(1, 3), sympy.Rational(7, 10), sympy.Integer(2)):
        assert abs(sympy.N(difference.subs(X, number), 40)) < 1e-35


# Paths.


def test_several_paths_are_a_sum() -> None:
    x, w = Value(0.5, "x"), Value(-2.0, "w")
    h1, h2 = named(w * x, "h₁"), named(x + 1.0, "h₂")
    y = named(h1 * h2, "y")
    found = derive(y, x)
    assert str(found).splitlines()[0] == "∂y/∂x = ∂h₁/∂x · ∂y/∂h₁ + ∂h₂/∂x · ∂y/∂h₂"
    assert "∂y/∂x = w · h₂ + h₁\n" in str(found)
    assert len(found.paths) == 2
    assert found.value == gradient(y, x)
    assert found.expression == symbol("w") * symbol("h₂") + symbol("h₁")


def test_the_direct_partial_is_told_from_the_whole_derivative() -> None:
    x = Value(0.5, "x")
    y = named(named(3.0 * x, "h") * x, "y")
    text = str(derive(y, x))
    assert text.startswith("∂y/∂x = ∂h/∂x · ∂y/∂h + ∂y/∂x|direct\n")
    assert r"\right|_{\text{direct}}" in derive(y, x).latex()


def test_what_has_no_label_is_folded_into_the_factor() -> None:
    x = Value(0.5, "x")
    h = named(x * x, "h")
    inner = autograd.tanh(h) + h
    y = named(inner * 2.0, "y")
    (_, second) = derive(y, x).factors
    assert (second.of, second.by) == ("y", "h")
    t = sympy.tanh(symbol("h"))
    assert sympy.expand(second.expression - 2 * (2 - t**2)) == 0


def test_labels_of_this_derivation_only() -> None:
    x = Value(0.5)
    h = x.exp()
    y = h * h
    found = derive(y, x, names={x: "x", h: "h", y: "y"})
    assert "∂y/∂x = exp′(x) · 2·h\n" in str(found)
    assert (x.label, h.label, y.label) == ("", "", "")


def test_the_orders_of_a_product() -> None:
    w, z, a, C = ten = layers(2)[1:]
    first = ten[0]
    assert (w.label, z.label, a.label, C.label) == ("w¹", "z¹", "a¹", "a²")
    head = {order: str(derive(C, first, order=order)).splitlines()[0].partition(" = ")[2] for order in ORDERS}  # type: ignore[arg-type]
    assert head == {
        "input": "∂z¹/∂w¹ · ∂a¹/∂z¹ · ∂z²/∂a¹ · ∂a²/∂z²",
        "output": "∂a²/∂z² · ∂z²/∂a¹ · ∂a¹/∂z¹ · ∂z¹/∂w¹",
        "layer": "∂z¹/∂w¹ · ∂a¹/∂z¹ · ∂a²/∂z² · ∂z²/∂a¹",
    }
    assert str(derive(C, z)).startswith("∂a²/∂z¹ = ∂a²/∂z² · ∂z²/∂a¹ · ∂a¹/∂z¹\n"), "of an inner node from the output"
    with pytest.raises(ValueError, match=r"order is 'layer', 'input' or 'output', not 'inwards'"):
        derive(C, w, order="inwards")  # type: ignore[arg-type]


ORDERS = ("input", "output", "layer")


def layers(count: int) -> tuple[Any, ...]:
    """x, then w¹, z¹, a¹ of a chain of sigmoid layers, and its output."""
    raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    x = h = Value(0.5, "x")
    first: tuple[Value, ...] = ()
    for i in range(1, count + 1):
        layer = str(i).translate(raised)
        w = Value(0.9, f"w{layer}")
        z = named(w * h, f"z{layer}")
        h = named(autograd.sigmoid(z), f"a{layer}")
        first = first or (w, z, h)
    return (x, *first, h)


def test_ten_labelled_layers() -> None:
    _, w, *_, output = layers(10)
    found = derive(output, w)
    assert len(found.factors) == 20
    assert found.value == pytest.approx(gradient(output, w), rel=1e-13, abs=0.0)
    assert "∂a¹⁰/∂a⁹ = ∂a¹⁰/∂z¹⁰ · ∂z¹⁰/∂a⁹ = σ′(z¹⁰) · w¹⁰" in str(found)


def test_a_node_used_twice_by_one_node_is_one_factor() -> None:
    x = Value(3.0, "x")
    h = named(2.0 * x, "h")
    assert str(derive(named(h * h, "y"), x).factors[1]) == "∂y/∂h = 2·h"


def test_wrt_in_any_nesting() -> None:
    x, w = Value(0.5, "x"), Value(-2.0, "w")
    found = derive(named(x * w, "y"), {"both": [x, w], "x": (x,)})
    assert [d.value for d in found["both"]] == [-2.0, 0.5]
    assert found["x"][0].expression == symbol("w")


# Nothing to derive.


def test_a_leaf_that_is_not_in_the_graph() -> None:
    x, q = Value(2.0, "x"), Value(1.0, "q")
    found = derive(named(x * 2.0, "y"), q)
    assert (found.value, found.expression, found.paths) == (0.0, 0, ())
    assert str(found) == "∂y/∂q = 0\n  note: no derivative flows from y to q, so it is 0"


def test_what_is_detached_is_a_constant() -> None:
    x = Value(3.0, "x")
    assert derive(named(x.detach() * 2.0, "y"), x).value == 0.0
    assert derive(named(x * x.detach(), "y"), x).expression == symbol("x")


def test_the_output_by_itself() -> None:
    x = Value(3.0, "x")
    found = derive(x, x)
    assert (found.value, found.expression, found.factors) == (1.0, 1, ())
    assert str(found).startswith("∂x/∂x = 1\n")


def test_what_cannot_be_derived_is_refused() -> None:
    x = Value(3.0, "x")
    with pytest.raises(TypeError, match=r"derive takes a Value as output, not 3\.0"):
        derive(3.0, x)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"wrt takes Values; 3\.0 is a number"):
        derive(x * 2.0, 3.0)
    with pytest.raises(ValueError, match="precision is a number of significant digits, 1 … 17; it is 0"):
        derive(x * 2.0, x, precision=0)


def test_a_stale_leaf_is_refused() -> None:
    x = Value(3.0, "x")
    y = x * x
    x.data = 4.0
    with pytest.raises(autograd.StaleGraphError, match="'x'"):
        derive(y, x)


# Branches, kinks, numbers that are none.


def test_the_branch_that_was_taken_and_why() -> None:
    x = Value(-0.5, "x")
    z = named(2.0 * x, "z")
    shut = derive(named(autograd.relu(z), "a"), x)
    assert (shut.value, shut.conditions) == (0.0, ("z ≤ 0",))
    assert "relu′(z) = 0" in str(shut)
    assert "where z ≤ 0" in str(shut)
    opened = derive(named(autograd.relu(-z), "a"), x)
    assert (opened.value, opened.conditions) == (-2.0, ("−z > 0",))


@pytest.mark.parametrize(
    ("function", "slope", "conditions"),
    [
        (abs, "−1", ("x < 0",)),
        (lambda x: autograd.maximum(x, 1.0), "0", ("x < 1",)),
        (lambda x: autograd.minimum(x, 1.0), "1", ("x < 1",)),
        (lambda x: autograd.leaky_relu(x, 0.25), "¼", ("x ≤ 0",)),
        (lambda x: autograd.clip(x, -1.0, 1.0), "1", ("x ≥ −1", "x ≤ 1")),
        (lambda x: where(x < 0, lambda: x * x, lambda: x.log()), "2·x", ("x < 0",)),
        (lambda x: where(x > 0, x.exp(), 3.0 * x), "3", ("x ≤ 0",)),
        (lambda x: abs(x) * x, "−2·x", ("x < 0",)),
    ],
)
def test_piecewise_functions(function: Any, slope: str, conditions: tuple[str, ...]) -> None:
    x = Value(-0.5, "x")
    y = named(function(x), "y")
    found = derive(y, x)
    assert chain_rule.Text()(found.expression) == slope
    assert found.conditions == conditions
    assert found.value == gradient(y, x)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "erf", "erfc"])
def test_a_second_derivative_has_no_bounds_that_are_for_floats_alone(name: str) -> None:
    x = Value(0.5, "x")
    y = named(getattr(autograd, name)(x), "y")
    slope = autograd.gradients(y, x)
    found = derive(slope, x)
    assert found.conditions == ()
    assert "clip" not in str(found)
    assert found.value == pytest.approx(gradient(slope, x), rel=1e-12, abs=0.0)
    assert "clip(x, −2, 2)" in str(derive(named(autograd.clip(x, -2.0, 2.0), "y"), x))


def test_a_condition_between_numbers_is_none() -> None:
    x = Value(2.0, "x")
    assert derive(named(x**3, "y"), x).conditions == (), "the exponent is compared with one half, and is 3"
    assert derive(named(x ** Value(3.0, "n"), "y"), x).conditions == (), "both branches are one formula"


def test_a_kink_is_said() -> None:
    x = Value(0.0, "x")
    (note,) = derive(named(autograd.relu(x), "y"), x).notes
    assert note == "relu has a kink at x = 0; its slope there is a convention of the table"


def test_a_tie_gives_one_half_to_each() -> None:
    x, w = Value(1.0, "x"), Value(1.0, "w")
    found = derive(named(autograd.maximum(x, w), "y"), x)
    assert (found.expression, found.value, found.conditions) == (sympy.Rational(1, 2), 0.5, ("x = w",))


def test_a_limit_of_the_table_where_the_rule_divides_by_zero() -> None:
    x = Value(0.0, "x")
    found = derive(named(x.sqrt(), "y"), x)
    assert (str(found.factors[0].result), found.value) == ("1/(2·y)", math.inf)
    # Where the zero is no symbol there is no formula, and the limit stands there.
    assert derive(named((x * 0.5).sqrt() * 2.0, "y"), x, names={}).value == math.inf


def test_nan_does_not_pass_what_the_table_stops() -> None:
    n, x = Value(math.nan, "n"), Value(2.0, "x")
    y = named(named(autograd.relu(x - 3.0), "h") * n, "y")
    found = derive(y, x)
    assert found.value == autograd.gradients(y, x).data == 0.0
    assert math.isnan(derive(named(n * x, "y"), x).value)
    assert derive(named(autograd.relu(n), "y"), n).conditions == ("n ≯ 0",)


def test_a_slope_that_does_not_exist_is_refused_as_by_backward() -> None:
    x = Value(-8.0, "x")
    y = x ** Value(2.0, "n")
    with pytest.raises(autograd.DomainError, match="no derivative"):
        derive(y, y.parents[1])


# Primitives of one's own.


@primitive(partials=[lambda m, z, x: m.exp(-x * x) * (1 - 2 * x * x)])
def bump(m: Any, x: Any) -> Any:
    return x * m.exp(-x * x)


@primitive(partials=[lambda m, z, x: math.cos(x)], systems=["floats"])
def floating_sine(m: Any, x: Any) -> Any:
    return math.sin(x)


@primitive(partials=[lambda m, z, x: m.where(m.greater(x, 1), 2, 1)])
def bent(m: Any, x: Any) -> Any:
    return m.where(m.greater(x, 1), 2 * x - 1, x)


def test_a_primitive_of_ones_own() -> None:
    x = Value(0.5, "x")
    z = named(2.0 * x, "z")
    found = derive(named(bump(z), "y"), x)
    assert "∂y/∂z = ∂bump(z)/∂z = bump′(z) = (1 − 2·z²)·exp(−z²)" in str(found)
    Z = symbol("z")
    assert sympy.simplify(found.factors[1].expression - sympy.diff(Z * sympy.exp(-(Z**2)), Z)) == 0
    assert derive(named(bent(named(3.0 * x, "z")), "y"), x).conditions == ("z > 1",)


def test_a_primitive_without_algebra_keeps_its_slope_as_a_function() -> None:
    x = Value(0.5, "x")
    y = named(floating_sine(x) * x, "y")
    found = derive(y, x)
    assert "floating_sine′(x)" in str(found)
    assert found.value == gradient(y, x)
    assert found.notes == ("floating_sine is not declared over SymPy, so its slope is left as it is, with its number",)
    assert r"\operatorname{floating\_sine}" in found.latex()


# Losses.


def test_losses_read_well() -> None:
    z = Value(0.3, "z")
    p = named(autograd.sigmoid(z), "p")
    cases = {
        "p − 1": nn.mse([p, 0.0], [1.0, 1.0]),
        "2·(p − 1)": nn.mse(p, 1.0),
        "σ(z) − ¼": nn.bce_with_logits(z, 0.25),
        "−1/p": nn.binary_cross_entropy(p, 1),
        "1/(1 − p)": nn.binary_cross_entropy(p, 0),
    }
    for expected, loss in cases.items():
        wrt = z if "z" in expected else p
        found = derive(named(loss, "C"), wrt)
        assert found.factors[-1].result == expected
        assert found.value == pytest.approx(gradient(loss, wrt), rel=1e-14, abs=0.0)


def test_cross_entropy_is_softmax() -> None:
    logits = [Value(x, f"z{i}") for i, x in enumerate([0.5, -1.0, 2.0])]
    found = derive(named(nn.cross_entropy(logits, 1), "C"), logits)
    assert found[0].factors[0].result == "exp(z0)/(exp(z0) + exp(z1) + exp(z2))"
    Z = sympy.symbols("z0 z1 z2", real=True)
    whole = sum(sympy.exp(z) for z in Z)
    for i, entry in enumerate(found):
        assert sympy.simplify(entry.expression - (sympy.exp(Z[i]) / whole - int(i == 1))) == 0


def test_binary_cross_entropy_and_sigmoid_cancel() -> None:
    """(a − y)/(a(1 − a)) · a(1 − a) = a − y, with y a symbol."""
    z, y = Value(0.3, "z"), Value(0.25, "y")
    a = named(autograd.sigmoid(z), "a")
    C = named(-(y * a.log() + (1 - y) * (1 - a).log()), "C")
    found = derive(C, z)
    A, Y = sympy.symbols("a y", real=True)
    assert sympy.simplify(found.factors[1].expression - (A - Y) / (A * (1 - A))) == 0
    assert sympy.expand(found.expression - (A - Y)) == 0


# Too large.


def test_a_formula_that_is_too_large_says_what_to_do() -> None:
    x = h = Value(0.5, "x")
    for _ in range(60):
        h = h * h * 0.1 + h
    with pytest.raises(ValueError, match=r"'output'.*more than 10¹⁵.*Label nodes in between"):
        derive(h, x)
    chain = x
    for _ in range(50_000):
        chain = chain * 1.0001
    with pytest.raises(ValueError, match=r"100,001 numbers and operations.*Label nodes in between"):
        derive(chain, x)


@pytest.mark.parametrize(
    ("power", "said"),
    [
        (lambda x: (x + 1.0) ** 16_000.0, "16000·(1 + x)¹⁵⁹⁹⁹"),
        (lambda x: (x + 1.0) ** -16_000.0, "−16000/(1 + x)¹⁶⁰⁰¹"),
        (lambda x: ((x + 1.0) ** 130.0) ** 130.0, "16900·(1 + x)¹⁶⁸⁹⁹"),
        (lambda x: (4.0 * x + 1.0) ** 16_000.5, "64002·(1 + 4·x)^(31999/2)"),
        (lambda x: (x.sin() + x.cos()) ** 3000.0, "3000·(cos(x) + sin(x))²⁹⁹⁹"),
        (lambda x: (1.0 / (x + 1.0) + x) ** 900.0, "900·(x + 1/(1 + x))⁸⁹⁹"),
        (lambda x: 1.0 / (1.0 + ((x + 1.0) ** 2.0 + (x + 1.0) ** 40.0) ** 0.5), "(1 + x)⁴⁰"),
        (lambda x: x**1e9, "1000000000·x⁹⁹⁹⁹⁹⁹⁹⁹⁹"),
    ],
)
def test_a_large_power_is_not_multiplied_out(power: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def expand(expression: Any) -> Any:
        expanded = right(expression)
        assert len(sympy.Add.make_args(expanded)) <= algebra.MOST_TERMS
        return expanded

    right = sympy.expand
    monkeypatch.setattr(sympy, "expand", expand)
    monkeypatch.setattr(algebra, "MOST_TERMS", 30)
    x = Value(0.0, "x")
    y = power(x)
    y.label = "y"
    assert said in str(derive(y, x))


@pytest.mark.parametrize("apply", [Value.tanh, Value.cosh, Value.exp, Value.sin])
def test_what_a_function_is_of_is_not_multiplied_out(apply: Any) -> None:
    """SymPy asks for signs of it: of tanh in a power of a sum, for real and imaginary parts."""
    x, w = Value(0.5, "x"), Value(0.25, "w")
    h = x + (x + w) ** 1e9
    with pytest.raises(ValueError, match=r"of a power of a sum that .* Label it \(value\.label = 'h'; "):
        derive(1.0 / (1.0 + apply(h) ** 400.0), x)
    h.label = "h"
    assert "∂h/∂x" in str(derive(1.0 / (1.0 + apply(h) ** 400.0), x))


@pytest.mark.parametrize(
    "power",
    [
        lambda x: (2.0 * x) ** 16_000.0,
        lambda x: (2.0 * x) ** 1e9,
        lambda x: (x / 3.0) ** 1e9,
        lambda x: (2.0 * x).sqrt() ** 1e9,
        lambda x: (((2.0 * x) ** 40.0) ** 40.0) ** 40.0,
        lambda x: Value(0.5) ** Value(1e9) * x,
        lambda x: ((3.0 * x).sqrt() * 0.0) ** 1e10 * x,
        lambda x: (x * 1e9 * 0.0) ** 1e9 * x,
    ],
)
def test_a_number_of_too_many_digits_says_what_to_do(power: Any) -> None:
    x = Value(0.25, "x")
    y = power(x)
    y.label = "y"
    with pytest.raises(ValueError, match=r"holds a number of some .* digits, and 3000 are the limit. Label") as caught:
        derive(y, x)
    assert len(str(caught.value)) < 300


def test_a_result_that_grows_too_large_says_what_to_do() -> None:
    """gelu(x) is x·Φ(x): ten of them inside of each other have few nodes, and a thousand times as many terms."""
    x = h = Value(0.5, "x")
    for _ in range(10):
        h = (h * 0.75 + x).gelu()
    with pytest.raises(ValueError, match=r"'output'.*grow beyond 1500 operations. Label nodes in between"):
        derive(h, x)


def test_a_formula_that_is_nested_too_deep_says_what_to_do() -> None:
    x = h = Value(0.5, "x")
    for _ in range(50):
        h = h.tanh()
    with pytest.raises(ValueError, match=r"nested 50 deep.*Label nodes in between"):
        derive(h, x)


def test_too_many_paths_say_what_to_do() -> None:
    x = h = Value(0.5, "x")
    for i in range(7):
        left, right = named(h * 0.5, f"l{i}"), named(h * 0.25, f"r{i}")
        h = named(left + right, f"h{i}")
    with pytest.raises(ValueError, match=r"128 paths.*at most 64. Label fewer nodes.*explain"):
        derive(h, x)


def test_too_many_factors_say_what_to_do() -> None:
    x = h = Value(0.5, "x")
    for i in range(derivation.MOST_FACTORS + 1):
        h = named(h * 0.5, f"h{i}")
    with pytest.raises(ValueError, match=r"more than 200 factors. Label fewer nodes"):
        derive(h, x)


# Labels.


STRANGE = [
    "<img src=x onerror=alert(1)>",
    "|x|",
    "$5",
    "a&b",
    "50%",
    "{x}",
    "\\alpha",
    "two\nlines",
    "#1",
    "a_",
    "~^",
    "x + 1",
    "日本",
    "x[",
    "\\",
    "_",
    "−",
    "∂",
]


@pytest.mark.parametrize("label", STRANGE)
def test_strange_labels_stay_what_they_are(label: str) -> None:
    x = Value(2.0, label)
    found = derive(named(x.exp() * 3.0, "y"), x)
    assert label.replace("\n", " ") in str(found)
    assert sympy.expand(found.expression - 3 * sympy.exp(symbol(label))) == 0
    latex = found.latex()
    # Nothing in it is a command, a comment, a column or the end of the formula.
    text = latex_of_label(label)
    assert text in latex
    inside = text.removeprefix(r"\text{").removesuffix("}")
    for command in ("backslash", "asciicircum", "asciitilde", "less", "greater", "bar"):
        inside = inside.replace(rf"\text{command}{{}}", "")
    assert not re.search(r"(?<!\\)[$&%#_{}^~<>|]", inside)
    assert balanced(latex)


def balanced(latex: str) -> bool:
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", latex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0 and latex.count(r"\left") == latex.count(r"\right")


@given(st.text(max_size=12))
def test_any_label_is_valid_latex(label: str) -> None:
    assert balanced(latex_of_label(label))
    assert not {*"<>|"} & {*latex_of_label(label)}


def test_the_same_label_twice_is_two_symbols() -> None:
    x = Value(0.5, "x")
    y = named(named(2.0 * x, "h") * named(x.exp(), "h"), "y")
    found = derive(y, x)
    assert found.notes == ("2 nodes are labelled h; they are called h[1], h[2] here",)
    assert set(found.symbols) == {"h[1]", "h[2]", "x"} - ({"x"} if "x" not in found.symbols else set())
    assert found.value == pytest.approx(gradient(y, x), rel=1e-15, abs=0.0)


def test_no_label_at_all() -> None:
    x = Value(0.5)
    assert str(derive(x * x, x)).startswith("  (1) ∂output/∂input = ∂(input·input)/∂input = 2·input\n")


# What notebooks show.


def test_latex_and_markdown() -> None:
    x = Value(0.5, "x")
    z = named(2.0 * x, "z_1")
    found = derive(named(autograd.sigmoid(z), "ŷ"), x)
    assert found.latex() == (
        "\\begin{aligned}\n"
        r"\frac{\partial \hat{y}}{\partial x} &= \frac{\partial z_{1}}{\partial x} \cdot "
        r"\frac{\partial \hat{y}}{\partial z_{1}} \\" + "\n"
        r"&= 2 \cdot \sigma'\left(z_{1}\right) \\" + "\n"
        r"&= 2 \cdot \hat{y} \cdot \left(1 - \hat{y}\right) \\" + "\n"
        r"&= 2 \cdot 0.1966 \\" + "\n"
        r"&= 0.3932" + "\n\\end{aligned}"
    )
    assert found._repr_latex_() == f"$\\displaystyle {found.latex()}$"
    markdown = found._repr_markdown_()
    assert markdown.startswith("$$\\frac{\\partial \\hat{y}}{\\partial x} = ")
    assert "\n\n2. $\\displaystyle \\frac{\\partial \\hat{y}}{\\partial z_{1}} = " in markdown
    assert repr(found) == "<∂ŷ/∂x = 2·ŷ·(1 − ŷ) = 0.3932>"


def test_precision() -> None:
    x = Value(1 / 3, "x")
    assert "0.33333333" in str(derive(named(x * x * 0.5, "y"), x, precision=8))


def test_without_sympy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sympy", None)
    monkeypatch.delitem(sys.modules, "autograd.pictures.mathematics.algebra", raising=False)
    monkeypatch.delitem(sys.modules, "autograd.number_systems.sympy_", raising=False)
    monkeypatch.delattr(autograd.pictures, "algebra", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"derive needs SymPy.*pip install 'valuegrad\[viz\]'"):
        derive(Value(1.0) * 2.0, Value(1.0))

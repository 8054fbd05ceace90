"""Formulas as text: what may stand in one means what Python means by it, and whatever else is one clear error."""

import contextlib
import math
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import autograd
from autograd import DomainError, Value
from nn.command_line.formulas import MOST_CHARACTERS, FormulaError, graph_of, last_expression, name_of

NUMBERS = {"x": 0.75, "y": -1.5, "w": 2.0}


def value_of(text: str, **numbers: float) -> float:
    return graph_of(text, numbers)[0].data


def complaint(text: str, **numbers: float) -> str:
    """What is said of a formula that cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FormulaError) as caught:
            graph_of(text, numbers or {"x": 2.0})
    return str(caught.value)


# --- what may stand in a formula -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", 2.0),
        ("x + 1 - 3 - 4", -4.0),
        ("12 / x / 3 * 5", 10.0),
        ("-x ** 2", -4.0),
        ("2 ** x ** 3", 256.0),
        ("x ** -1", 0.5),
        ("-7 // x + 7 % -x", -5.0),
        ("-+-x", 2.0),
        ("1e-3*x + .5 + 0x10", 16.502),
        ("(x + 1) * (x - 1)", 3.0),
        ("pi*x - e", 2 * math.pi - math.e),
        ("max(x, 3) + min(x, 3)", 5.0),
        ("maximum(x, 3) + minimum(x, 3)", 5.0),
        ("sum(x, x, 1)", 5.0),
        ("mean(x, 4)", 3.0),
        ("atan2(x, 2)", math.pi / 4),
        ("clip(x, 0, 1.5)", 1.5),
        ("leaky_relu(-x)", -0.02),
        ("leaky_relu(-x, 0.5)", -1.0),
        ("  x  ", 2.0),
        ("x # two", 2.0),
        ("x;", 2.0),
        ("a = x*x; b = a + 1; b", 5.0),
        ("a = x*x; b = a + 1", 5.0),
        ("a = x*x\nb = a + 1\nb * 2", 10.0),
        ("where(x > 1, x, 7)", 2.0),
        ("where(x < 1, 7, -x)", -2.0),
        ("where(x >= 2, x, 7) + where(x <= 1.5, x, 7)", 9.0),
        ("c = x > 1; where(c, x, 7)", 2.0),
        ("where(2 > 1, x, 7)", 2.0),
    ],
)
def test_a_formula_means_what_it_means_in_python(text: str, expected: float) -> None:
    assert value_of(text, x=2.0) == pytest.approx(expected, rel=1e-15, abs=0.0)


def one_argument() -> list[str]:
    names = []
    for name in dir(autograd):
        try:
            row = autograd.find(name)
        except (KeyError, AttributeError):
            continue
        if row.arity == 1:
            names.append(row.name)
    return names


def test_every_function_of_one_argument_can_be_used() -> None:
    names = one_argument()
    assert {"exp", "log", "tanh", "relu", "gelu", "erf"} < set(names)
    for name in names:
        x = 1.25 if name == "acosh" else 0.25
        assert value_of(f"{name}(x)", x=x) == getattr(autograd, name)(x), name


def test_the_graph_is_the_one_that_was_written() -> None:
    output, names = graph_of("z = w*x + b; tanh(z)", {"w": 0.5, "x": 2.0, "b": 1.0})
    assert output.primitive is autograd.find("tanh")
    assert output.label == ""
    assert output.parents == (names["z"],)
    assert [names[name].label for name in "wxbz"] == ["w", "x", "b", "z"]
    output.backward()
    assert names["w"].grad == pytest.approx(2.0 * (1 - math.tanh(2.0) ** 2))


def test_a_name_for_a_name_is_the_same_value() -> None:
    output, names = graph_of("y = x; y*x", {"x": 3.0})
    assert names["y"] is names["x"]
    output.backward()
    assert names["x"].grad == 6.0


@pytest.mark.parametrize("name", ["exp", "tanh", "max", "pi", "e", "where", "print", "θ", "x_1", "_", "match"])
def test_names_may_be_those_of_functions_and_constants(name: str) -> None:
    assert value_of(f"{name}*2 + exp(0)", **{name: 3.0}) == 7.0
    assert value_of(f"exp({name}*0) + {name}", **{name: 3.0}) == 4.0


@pytest.mark.parametrize(("written", "name"), [("ﬁ", "fi"), ("µ", "μ"), ("𝐱", "x")])
def test_a_name_is_the_one_that_python_reads(written: str, name: str) -> None:
    assert name_of(written) == name_of(name) == name
    assert value_of(f"{written}*2", **{name_of(written): 4.0}) == 8.0


@pytest.mark.parametrize("word", ["lambda", "if", "None", "True", "import"])
def test_words_of_python_are_no_names(word: str) -> None:
    with pytest.raises(FormulaError, match=f"'{word}' is a word of Python's own; write {word}_"):
        name_of(word)


@pytest.mark.parametrize("text", ["", " x", "x ", "2x", "x.y", "x-y", "x\0", "\ud800", "x[0]", "x₁"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(FormulaError, match="is no name; write a letter"):
        name_of(text)


@pytest.mark.parametrize("x", [-2.0, 0.0, 2.0])
def test_a_branch_not_taken_need_not_have_a_value(x: float) -> None:
    text = "where(x > 0, log(x), where(x < 0, 1/x, -x))"
    expected = math.log(x) if x > 0 else 1 / x if x < 0 else 0.0
    output, names = graph_of(text, {"x": x})
    assert output.data == expected
    output.backward()
    assert names["x"].grad == (1 / x if x > 0 else -1 / x**2 if x < 0 else -1.0)


def test_both_branches_are_in_the_graph_where_both_have_a_value() -> None:
    output, _ = graph_of("where(x > 0, x**2, -x)", {"x": 2.0})
    assert [parent.primitive.name for parent in output.parents] == ["greater", "pow", "neg"]


def test_a_branch_that_is_taken_must_have_a_value() -> None:
    with pytest.raises(DomainError, match="log needs a positive argument"):
        value_of("where(x < 0, log(x), x)", x=-2.0)
    with pytest.raises(OverflowError, match="exp is too large"):
        value_of("where(x > 0, exp(x), x)", x=1000.0)
    assert "no primitive is called 'lgo'" in complaint("where(x < 0, lgo(x), x)")


def test_a_long_sum_is_no_deep_formula() -> None:
    assert value_of("x" + "+x" * 600, x=1.0) == 601.0
    assert value_of("x" + "/1" * 600, x=3.0) == 3.0
    with contextlib.suppress(FormulaError):  # how deep Python's own parser goes depends on its version
        assert value_of("x" + "+x" * 4900, x=1.0) == 4901.0


def test_what_it_computes_in_the_end() -> None:
    assert last_expression("z = w*x+b;  tanh( z ) # end") == "tanh( z )"
    assert last_expression("µ = x; y = ﬁ*µ") == "ﬁ*µ"


# --- whatever else is an error -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('echo no')",
        "().__class__.__bases__",
        "x.data",
        "(lambda: x)()",
        "[x for x in x]",
        "(y := x)",
        "f'{x}'",
        "b'x'",
        "'x'",
        "1j * x",
        "True * x",
        "None",
        "...",
        "x == 2",
        "x != 2",
        "x is x",
        "x in x",
        "1 < x < 3",
        "not x",
        "~x",
        "x @ x",
        "x << 2",
        "x, x",
        "{x: x}",
        "tanh(x=x)",
        "tanh(*x)",
        "tanh(**x)",
        "tanh(x)(x)",
        "await x",
        "yield x",
    ],
)
def test_other_expressions_are_refused(text: str) -> None:
    found = complaint(text)
    assert "cannot stand in a formula; there may be names, numbers, + - * / // % **, and functions" in found, found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the formula is empty; write one such as tanh(w*x + b)"),
        ("  \n ", "the formula is empty"),
        ("# x", "the formula is empty"),
        (";", "';' is not a formula: invalid syntax at character 1"),
        ("x +", "'x +' is not a formula: invalid syntax at character"),
        ("2x", "'2x' is not a formula: invalid decimal literal at character 1"),
        ("(x", "'(x' is not a formula: '(' was never closed at character 1"),
        ("1if x else 2", "a choice is written where(x > 0, a, b)"),
        ("x if x > 0 else 2", "'x if x > 0 else 2' cannot stand in a formula; a choice is written where(x > 0, a, b)"),
        ("x ^ 2", "'x ^ 2' cannot stand in a formula; a power is written x ** 2"),
        ("x and x", "a where in another where takes two conditions"),
        ("x[0]", "'x[0]' cannot stand in a formula; each number has a name of its own, such as x0"),
        ("x += 1", "an assignment gives a new name"),
        ("import os", "'import os' cannot stand in a formula; there may be assignments such as z = w*x + b"),
        ("a = b = x", "there may be assignments"),
        ("a, b = x", "there may be assignments"),
        ("a: float = x", "there may be assignments"),
        ("x.data = 3", "there may be assignments"),
        ("def f(): return x", "there may be assignments"),
        ("x; x", "'x' stands before the end of the formula without a name; write z = …"),
        ("x = 3; x", "'x' has a number already; give the result another name"),
        ("z = x; z = x", "'z' has a number already"),
        ("x + q", "'q' has no number; there are 'x': write q=1.5 after the formula"),
        ("z + x; z = x", "'z + x' stands before the end"),
        ("1 + 2", "'x' does not occur in the formula; it has no names"),
        ("1 + q", "'q' has no number"),
        ("x > 0", "the formula ends with a comparison, which has no derivative; write where(x > 0, a, b)"),
        ("c = x > 0", "the formula ends with a comparison"),
        ("(x > 0) + 1", "'x > 0' is a comparison, not a number; it may be the condition of where"),
        ("2 ** (x > 0)", "'x > 0' is a comparison"),
        ("-(1 > 0) * x", "'1 > 0' is a comparison"),
        ("tanh(x > 0)", "'x > 0' is a comparison"),
        ("(x > 0) > 1", "'x > 0' is a comparison"),
        ("c = x > 0; c * x", "'c' is a comparison"),
        ("where(x > 0, x > 1, 2)", "'x > 1' is a comparison"),
        ("where(x, x, 2)", "where takes a comparison first, such as x > 0; 'x' is a number"),
        ("where(x > 0, x)", "where takes 3 arguments (condition, x, y); 2 were given"),
        ("foo(x)", "no primitive is called 'foo'"),
        ("tnah(x)", "did you mean tanh"),
        ("x(2)", "'x' is a number, not a function; write x*(…) for a product"),
        ("eval(x)", "no primitive is called 'eval'"),
        ("less(x, 2)", "less cannot stand in a formula; a comparison is written x < 1"),
        ("tanh()", "tanh takes 1 argument (x); 0 were given"),
        ("tanh(x, x)", "tanh takes 1 argument (x); 2 were given"),
        ("leaky_relu(x, 1, 2)", "leaky_relu takes 1 to 2 arguments (x, slope); 3 were given"),
        ("clip(x)", "clip takes 3 arguments (x, low, high); 1 were given"),
        ("clip(x, x, 2)", "clip: low is a plain number, such as 0.5; no name may stand in it"),
        ("max(x, 2, 3)", "max takes 2 arguments"),
        ("sum()", "sum takes at least one argument"),
        ("dot(x, x)", "dot takes two lists"),
        ("x*1e999", "a number of the formula is too large for a float"),
        ("x*" + "9" * 400, "a number of the formula is too large for a float"),
        ("x*" + "9" * 5000, "a number of the formula is too large for a float"),
        ("x\0", "holds a null character"),
        ("x*\ud800", "is no character"),
        ("(" * 300 + "x" + ")" * 300, "the formula is too deep"),
        ("x" + "**x" * 2000, "the formula is too deep"),
        ("-" * 5000 + "x", "the formula is too deep"),
        ("x" * (MOST_CHARACTERS + 1), "the formula has 10001 characters; at most 10000 are read"),
        ("'\\d'", "cannot stand in a formula"),
    ],
)
def test_the_error_says_what_is_wrong(text: str, message: str) -> None:
    assert message in complaint(text)


def test_long_formulas_are_not_repeated() -> None:
    assert len(complaint("x + " * 1000)) < 150
    assert len(complaint("foo.bar" + " + x" * 1000)) < 250


def test_a_formula_without_names() -> None:
    with pytest.raises(FormulaError, match="the result depends on no name"):
        graph_of("1 + 2", {})
    with pytest.raises(FormulaError, match=r"'x' has no number: write x=1\.5 after the formula"):
        graph_of("x", {})


def test_a_number_that_is_not_used() -> None:
    assert complaint("x*2", x=1.0, w=2.0) == "'w' does not occur in the formula; it has 'x'"


@pytest.mark.parametrize("text", ["x + 1/0", "x + 0**-1", "log(x - 2)", "1/(x - 2)", "x + log(-1)"])
def test_outside_a_domain(text: str) -> None:
    with pytest.raises(DomainError):
        value_of(text, x=2.0)


@pytest.mark.parametrize("text", ["exp(x*1000)", "x + 10**1000", "x + 9**9**9**9"])
def test_too_large_for_a_float(text: str) -> None:
    with pytest.raises(OverflowError):
        value_of(text, x=2.0)


PIECES = [
    *"xyw()+-*/,;=<>.[]{}:^%@!~'\"\\ \n", "**", "1", "2.5", "0", "1e999", "1j", "tanh", "log", "where", "max", "sum",
    "clip", "exp", " if ", " else ", "lambda", " and ", "not ", ":=", "==", "__class__", "f''", "None", "ﬁ", "\0",
    "\ud800", "x>0", "where(x>0,x,y)", "log(x)", "clip(x,1,0)", "e", "pi", "import os",
]  # fmt: skip


@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=12).map("".join)))
@example("clip(x, 1, 0) + y + w")
@example("x if")
def test_any_text_is_a_formula_or_one_of_the_errors(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            output, names = graph_of(text, NUMBERS)
        except (FormulaError, DomainError, OverflowError):
            return
        assert isinstance(output, Value)
        assert names.keys() >= NUMBERS.keys()
        assert last_expression(text)


@pytest.mark.parametrize("formula", ["{0} + x", "{0}(x)", "{0} = x; x", "x + 0*y{0}", "w·{0} + x"])
def test_a_long_name_is_refused_and_not_repeated(formula: str) -> None:
    with pytest.raises(FormulaError, match="has more than 100 characters") as caught:
        graph_of(formula.format("n" * 5000), {"x": 1.0})
    assert len(str(caught.value)) < 200
    with pytest.raises(FormulaError, match="has more than 100 characters"):
        name_of("n" * 101)


def test_of_many_names_some_are_listed() -> None:
    with pytest.raises(FormulaError, match=r"'x19' and 980 more: write z=1.5") as caught:
        graph_of("z", {f"x{i}": 1.0 for i in range(1000)})
    assert len(str(caught.value)) < 300

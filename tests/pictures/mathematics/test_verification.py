"""``verify_formula``: it accepts what is right and refuses what is wrong, and says what it cannot read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, linear, verify_formula
from autograd.pictures.mathematics import algebra
from autograd.pictures.mathematics.matrices import words_of

quarters = st.integers(-8, 8).map(lambda k: k / 4)


def layer(m: int, n: int, numbers: list[float]) -> dict[str, Any]:
    """Y = WX + B with a cost above it."""
    values = iter(numbers)
    W = [[Value(next(values)) for _ in range(n)] for _ in range(m)]
    X, B = [Value(next(values)) for _ in range(n)], [Value(next(values)) for _ in range(m)]
    Y = linear([[*row, b] for row, b in zip(W, B, strict=True)], X)
    return {"C": autograd.sum([y.tanh() * y for y in Y]) + Y[0], "W": W, "X": X, "B": B, "Y": Y}


@given(st.integers(1, 3), st.integers(1, 3), st.data())
def test_the_formulas_of_a_layer_hold_for_all_sizes_and_numbers(m: int, n: int, data: st.DataObject) -> None:
    names = layer(m, n, data.draw(st.lists(quarters, min_size=m * n + n + m, max_size=m * n + n + m)))
    for formula in ("∂C/∂W = ∂C/∂Y · Xᵀ", "∂C/∂B = ∂C/∂Y", "∂C/∂X = Wᵀ · ∂C/∂Y"):
        found = verify_formula(formula, names)
        assert found.holds, found
        assert found.proved, found


NUMBERS = [0.5, -1.0, 2.0, 0.25, -0.75, 1.5, 1.0, -2.0, 0.75, 0.5, -0.25]


@pytest.mark.parametrize(
    "wrong",
    [
        "∂C/∂W = 2·∂C/∂Y · Xᵀ",
        "∂C/∂W = −∂C/∂Y · Xᵀ",
        "∂C/∂B = ∂C/∂Y ⊙ ∂C/∂Y",
        "∂C/∂X = Wᵀ · Y",
        "∂C/∂W = W",
        "∂C/∂W = ∂C/∂Y · Xᵀ + W/1000000000",
        "∂C/∂B = tanh(∂C/∂Y)",
    ],
)
def test_a_wrong_formula_does_not_hold(wrong: str) -> None:
    found = verify_formula(wrong, layer(2, 3, NUMBERS))
    assert not found
    assert not found.proved
    assert "does not hold" in str(found)


def test_one_wrong_entry_is_enough_and_is_shown() -> None:
    names = layer(2, 3, NUMBERS)
    names["V"] = [[x.data for x in row] for row in names["W"]]
    names["V"][1][2] += 0.5
    d = autograd.gradients(names["C"], names["W"])
    names["V"] = [[x.data for x in row] for row in d]
    assert verify_formula("∂C/∂W = V", names).holds
    names["V"][1][2] += 0.5
    found = verify_formula("∂C/∂W = V", names)
    assert [entry.name for entry in found.entries if not entry.agrees] == ["∂C/∂W[1,2]"]
    assert "1 of 6 entries differ, such as ∂C/∂W[1,2]: it is " in str(found)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("∂C/∂W = ∂C/∂Y · X", "the product of 2×1 and 3×1 does not exist; is a transpose missing"),
        ("∂C/∂W = X · ∂C/∂Yᵀ", "the left side is 2×3, the right side 3×2"),
        ("∂C/∂B = ∂C/∂Y + X", "+ needs two matrices of one shape; they are 2×1 and 3×1"),
        ("∂C/∂B = ∂C/∂Y ⊙ W", "⊙ needs two matrices of one shape"),
        ("∂C/∂B = ∂C/∂Y / B", "only a number can be divided by; this is 2×1"),
        ("∂C/∂B = 1", "the left side is 2×1, the right side a number"),
    ],
)
def test_shapes_that_do_not_fit(wrong: str, reason: str) -> None:
    found = verify_formula(wrong, layer(2, 3, NUMBERS))
    assert not found.holds
    assert reason in found.reason
    assert reason in str(found)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("∂C/∂W", "needs one '='"),
        ("∂C/∂W = W = W", "needs one '='"),
        ("W = ∂C/∂W", "a derivative is written ∂C/∂W"),
        ("2·∂C/∂W = W", "a derivative is written ∂C/∂W"),
        ("∂C/∂W · W = W", "the left side is one derivative"),
        ("∂C/∂Q = W", "Q is not given; there are C, W, X, B, Y"),
        ("∂C/∂W = ∂C/∂Q", "Q is not given"),
        ("∂C/∂W = (W", r"cannot be read at its end: expected '\)'"),
        ("∂C/∂W = W)", r"cannot be read at '\)'"),
        ("∂C/∂W = W ·", "cannot be read at its end: a name, a number, ∂ or a bracket is wanted"),
        ("∂C/∂W = W ? W", r"cannot be read at '\?'"),
        ("∂C/∂W = ∂Y/∂W", "all derivatives must be of C; one is of Y"),
        ("∂C/∂W = foo(W)", "foo is no function of one number; give its name, such as foo='tanh'"),
        ("∂C/∂W = atan2′(W)", "atan2 is no function of one number"),
        ("∂W/∂C = W", "W is what is derived: it must be one Value"),
    ],
)
def test_what_cannot_be_read(formula: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        verify_formula(formula, layer(2, 3, NUMBERS))


def test_names_that_are_no_matrices() -> None:
    x = Value(2.0)
    for wrong, message in (
        ([[1.0, 2.0], [3.0]], "V is no matrix: its rows have 2, 1 entries"),
        ([], "V must be a Value, a number, a list"),
        ([x, "y"], "V must hold Values and numbers; one entry is 'y'"),
    ):
        with pytest.raises(ValueError, match=message):
            verify_formula("∂C/∂x = V", C=x * x, x=x, V=wrong)
    with pytest.raises(ValueError, match=r"∂C/∂v: v must hold Values; one entry is 2\.0"):
        verify_formula("∂C/∂v = v", C=x * x, x=x, v=[2.0])


def test_numbers_and_signs() -> None:
    x, n = Value(3.0), 4
    C = x**3 / 4.0
    for right in ("3/n x·x", "3/n·x x", "(x + x + x)/n · x", "3·x/n·x − 0", "0.75·x·x", "−(−3/n·x)·x", "3 x x / n"):
        found = verify_formula(f"∂C/∂x = {right}", C=C, x=x, n=n)
        assert found.proved, (right, str(found))
    assert not verify_formula("∂C/∂x = 3/n·x", C=C, x=x, n=n)


def test_functions_and_their_slopes() -> None:
    Z = [Value(0.5), Value(-1.5), Value(2.0)]
    for name in ("tanh", "σ", "relu", "ln", "arctan", "softplus"):
        known = {"σ": "sigmoid", "ln": "log"}.get(name, name)
        z = [Value(abs(x.data)) for x in Z] if name == "ln" else Z
        A = [getattr(autograd, autograd.find(known).name)(x) for x in z]
        C = autograd.dot(A, [1.0, 2.0, -0.5])
        found = verify_formula(f"∂C/∂Z = ∂C/∂A ⊙ {name}′(Z)", C=C, Z=z, A=A)
        assert found.proved, found
        assert verify_formula("∂C/∂Z = ∂C/∂A ⊙ f'(Z)", C=C, Z=z, A=A, f=known)
        assert not verify_formula(f"∂C/∂Z = ∂C/∂A ⊙ {name}(Z)", C=C, Z=z, A=A)


def test_one_layer_of_a_large_network_is_proved() -> None:
    """What lies above the layer is taken as given, so that its size does not matter."""
    model = nn.MLP(8, [16, 16, 1], "relu", "sigmoid", seed=3)
    X = [Value(i / 8) for i in range(8)]
    trace = model.trace(X)
    C = nn.mse(trace.output, 1.0)
    first, second = ([neuron.w for neuron in layer.neurons] for layer in model.layers[:2])
    found = verify_formula("∂C/∂W = ∂C/∂Z · Xᵀ", C=C, W=first, X=X, Z=trace.Z[0])
    assert found.proved, found
    assert len(found.entries) == 128
    assert verify_formula("∂C/∂Z = Wᵀ·∂C/∂Y ⊙ relu′(Z)", C=C, W=second, Z=trace.Z[0], Y=trace.Z[1]).proved


def test_what_is_too_large_for_algebra_is_compared_in_numbers() -> None:
    x = h = Value(0.25)
    for _ in range(400):
        h = h.tanh() + x
    slope = autograd.gradients(h, x).data
    found = verify_formula("∂C/∂x = v", C=h, x=x, v=slope)
    assert found.holds
    assert not found.proved
    assert "in these numbers" in str(found)


def test_a_path_beside_the_given_derivative_counts() -> None:
    """C depends on x through y and beside it; the formula through y alone is wrong."""
    x, w = Value(2.0), Value(3.0)
    y = w * x
    assert verify_formula("∂C/∂x = w·∂C/∂y", C=y * y, x=x, y=y, w=w).proved
    assert not verify_formula("∂C/∂x = w·∂C/∂y", C=y * y + x, x=x, y=y, w=w)
    assert verify_formula("∂C/∂x = w·∂C/∂y + 1", C=y * y + x, x=x, y=y, w=w).proved


def test_given_derivatives_one_above_the_other() -> None:
    x, w = Value(2.0), Value(3.0)
    y = w * x
    u = y.tanh()
    C = u * u
    for formula in ("∂C/∂x = w·∂C/∂y", "∂C/∂y = ∂C/∂u · tanh′(y)", "∂C/∂x = (w·∂C/∂y + w·tanh′(y)·∂C/∂u)/2"):
        assert verify_formula(formula, C=C, x=x, y=y, u=u, w=w).holds, formula


def test_words() -> None:
    assert list(words_of("2.5/n_1 (Ŷ⁽²⁾.T − b₁₂^T)")) == [
        "2.5", "/", "n_1", "(", "Ŷ⁽²⁾", ".T", "−", "b₁₂", "^T", ")",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("∂C/∂W = " + "(" * 900 + "W" + ")" * 90, "is too deep"),
        ("∂C/∂W = " + "W + " * 400 + "W", "the formula has 1609 characters; at most 1000 are read"),
        ("∂C/∂W = W/0", "divides by 0, which is 0"),
        ("∂C/∂W = ∂\0/∂W", "a derivative is written ∂C/∂W"),
        ("∂C/∂W = ∂C/∂)", "a derivative is written ∂C/∂W"),
    ],
)
def test_what_no_textbook_has_is_refused(formula: str, said: str) -> None:
    w = Value(2.0)
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        verify_formula(formula, C=w * w, W=w)
    assert str(caught.value).isprintable()


def test_a_proof_that_multiplies_out_for_long_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    x = algebra.symbol("x")
    assert algebra.proves_equal((x + 1) ** 3, x**3 + 3 * x**2 + 3 * x + 1)
    monkeypatch.setattr(algebra.sympy, "expand", None)
    assert not algebra.proves_equal((x + 1) ** 5000, (x + 1) ** 4999 * (x + 1.5))
    assert algebra.proves_equal((x + 1) ** 5000, (1 + x) ** 5000)

"""The formulas of the three sources, as the engine derives them from a recorded graph: symbol by symbol and in numbers.

What is expected is written here in SymPy, and differentiated by SymPy where there is something to differentiate, so
that none of it comes from the engine's own rules.
"""

from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, derive, dot, log, relu, sigmoid, square, verify_formula
from tests.pictures.mathematics.labelled import named
from tests.seeds.textbook import assert_close, sigma, sigma_prime

# Seed 000: a⁰ → a¹ → a².


def scalar_network(a0: float, w1: float, b1: float, w2: float, b2: float, y: float) -> dict[str, Value]:
    leaves = {"a⁰": a0, "w¹": w1, "b¹": b1, "w²": w2, "b²": b2, "y": y}
    n = {label: Value(x, label) for label, x in leaves.items()}
    n["z¹"] = named(n["w¹"] * n["a⁰"] + n["b¹"], "z¹")
    n["a¹"] = named(sigmoid(n["z¹"]), "a¹")
    n["z²"] = named(n["w²"] * n["a¹"] + n["b²"], "z²")
    n["a²"] = named(sigmoid(n["z²"]), "a²")
    n["C"] = named(0.5 * (n["y"] - n["a²"]) ** 2, "C")
    return n


POINT = (1.5, -0.75, 0.5, 2.0, -1.25, 1.0)

a0, a1, a2, w1, w2, b1, b2, z1, z2, y = sympy.symbols("a⁰ a¹ a² w¹ w² b¹ b² z¹ z² y", real=True)


def sigma_of(z: Any) -> Any:
    return 1 / (1 + sympy.exp(-z))


def slope_of_sigma(z: Any) -> Any:
    """σ′(z), by SymPy."""
    t = sympy.Symbol("t")
    return sympy.diff(sigma_of(t), t).subs(t, z)


def same(left: Any, right: Any) -> bool:
    """Equal as algebra once the activations are put in for what they are."""
    activations = {a1: sigma_of(z1), a2: sigma_of(z2)}
    return bool(sympy.simplify((left - right).subs(activations)) == 0)


def test_equation_a() -> None:
    n = scalar_network(*POINT)
    found = derive(n["C"], n["w²"])
    assert same(found.expression, a1 * slope_of_sigma(z2) * (a2 - y))
    assert "∂C/∂w² = ∂z²/∂w² · ∂a²/∂z² · ∂C/∂a²\n" in str(found)
    assert "∂C/∂w² = a¹ · σ′(z²) · (a² − y)\n" in str(found)
    assert found.latex().splitlines()[2] == (
        r"&= a^{1} \cdot \sigma'\left(z^{2}\right) \cdot \left(a^{2} - y\right) \\"
    )


def test_equation_b() -> None:
    n = scalar_network(*POINT)
    found = derive(n["C"], n["w¹"])
    assert same(found.expression, a0 * slope_of_sigma(z1) * (a2 - y) * slope_of_sigma(z2) * w2)
    assert "∂C/∂w¹ = ∂z¹/∂w¹ · ∂a¹/∂z¹ · ∂C/∂a² · ∂a²/∂z² · ∂z²/∂a¹\n" in str(found)
    assert "∂C/∂w¹ = a⁰ · σ′(z¹) · (a² − y) · σ′(z²) · w²\n" in str(found)


def test_the_steps_of_the_output_layer() -> None:
    n = scalar_network(*POINT)
    first, second, third = derive(n["C"], n["w²"]).factors
    assert str(first) == "∂z²/∂w² = a¹"  # (1.1)
    assert first.expression == a1
    assert str(second) == "∂a²/∂z² = σ′(z²) = a²·(1 − a²)"  # (1.2)
    assert same(second.expression, slope_of_sigma(z2))
    assert str(third) == "∂C/∂a² = a² − y"  # (1.3)
    assert third.expression == a2 - y
    assert "∂(½·(y − a²)²)/∂a² = ½·2·(y − a²)·(−1) = a² − y" in str(derive(n["C"], n["w²"]))


def test_the_steps_of_the_inner_layer() -> None:
    n = scalar_network(*POINT)
    found = derive(n["C"], n["w¹"])
    assert [str(factor) for factor in found.factors] == [
        "∂z¹/∂w¹ = a⁰",  # (2.1)
        "∂a¹/∂z¹ = σ′(z¹) = a¹·(1 − a¹)",  # (2.2)
        "∂C/∂a² = a² − y",  # (2.3.1)
        "∂a²/∂z² = σ′(z²) = a²·(1 − a²)",
        "∂z²/∂a¹ = w²",
    ]
    assert "∂a²/∂a¹ = ∂a²/∂z² · ∂z²/∂a¹ = σ′(z²) · w²\n" in str(found)  # (2.3.2)
    middle = derive(n["a²"], n["a¹"])
    assert "∂a²/∂a¹ = σ′(z²) · w²\n" in str(middle)
    assert same(middle.expression, slope_of_sigma(z2) * w2)


def test_the_whole_is_what_sympy_derives_from_the_whole() -> None:
    """With everything put in for everything, down to the leaves."""
    n = scalar_network(*POINT)
    below = {a2: sigma_of(z2), z2: w2 * a1 + b2, a1: sigma_of(z1), z1: w1 * a0 + b1}
    C: Any = (y - a2) ** 2 / 2
    for symbol, formula in below.items():
        C = C.subs(symbol, formula)
    for leaf, symbol in (("w¹", w1), ("w²", w2), ("b¹", b1), ("b²", b2), ("a⁰", a0), ("y", y)):
        found = derive(n["C"], n[leaf]).expression
        for inner, formula in below.items():
            found = found.subs(inner, formula)
        numbers = dict(zip((a0, w1, b1, w2, b2, y), map(sympy.Rational, POINT), strict=True))
        # Exact numbers, so that zero is zero to as many digits as are asked for.
        difference = (found - sympy.diff(C, symbol)).subs(numbers)
        assert abs(sympy.N(difference, 50)) < sympy.Float(10) ** -45, leaf


numbers = st.floats(-3.0, 3.0)


@given(st.tuples(numbers, numbers, numbers, numbers, numbers, st.floats(0.0, 1.0)))
def test_the_numbers_of_a_and_b(point: tuple[float, ...]) -> None:
    n = scalar_network(*point)  # type: ignore[arg-type]
    A, B = derive(n["C"], n["w²"]), derive(n["C"], n["w¹"])
    last = (n["a²"].data - n["y"].data) * sigma_prime(n["z²"].data)
    assert_close(A.value, n["a¹"].data * last)
    assert_close(B.value, n["a⁰"].data * sigma_prime(n["z¹"].data) * last * n["w²"].data)
    n["C"].backward()
    assert_close(n["w²"].grad, A.value)
    assert_close(n["w¹"].grad, B.value)
    for found in (A, B):
        at = {symbol: n[label].data for label, symbol in found.symbols.items()}
        assert_close(float(found.expression.subs(at)), found.value)
    assert_close(n["a²"].data, sigma(n["z²"].data))


# Seed 001: three layers over m samples, as columns.


def three_layers(cost: str, m: int = 2) -> dict[str, Any]:
    """Widths 2-2-2-1 by hand, every entry labelled; numbers for which some ReLUs are open and some are not."""
    weights = iter([0.5, -0.75, 1.0, 0.25, -1.25, 0.5, 0.75, 1.0, -0.5, 1.5])
    n: dict[str, Any] = {"m": float(m)}
    A = n["X"] = [
        [Value(x, f"X[{k},{i}]") for i, x in enumerate(row[:m])] for k, row in enumerate([[1.0, -0.5], [0.25, 2.0]])
    ]
    n["y"] = [[Value(t, f"y[{i}]") for i, t in enumerate([1.0, 0.25][:m])]]
    for layer, (width, below) in enumerate([(2, 2), (2, 2), (1, 2)], start=1):
        W = [[Value(next(weights), f"W{layer}[{j},{k}]") for k in range(below)] for j in range(width)]
        b = [Value(0.125 * layer, f"b{layer}[{j}]") for j in range(width)]
        Z = [
            [named(dot(W[j], [A[k][i] for k in range(below)], start=b[j]), f"Z{layer}[{j},{i}]") for i in range(m)]
            for j in range(width)
        ]
        linear = layer == 3 and cost == "mse"
        if linear:
            A = Z
        else:
            f = sigmoid if layer == 3 else relu
            A = [[named(f(z), z.label.replace("Z", "A")) for z in row] for row in Z]
        n |= {f"W{layer}": W, f"b{layer}": b, f"Z{layer}": Z, f"A{layer}": A}
    pairs = list(zip(A[0], n["y"][0], strict=True))
    if cost == "mse":
        J = sum(square(a - t) for a, t in pairs) / m
    else:
        J = -sum(t * log(a) + (1 - t) * log(1 - a) for a, t in pairs) / m
    n["J"] = named(J, "J")
    return n


def symbols_of(rows: Any) -> Any:
    return sympy.Matrix([[sympy.Symbol(node.label, real=True) for node in row] for row in rows])


@pytest.mark.parametrize(("cost", "factor"), [("cross entropy", 1), ("mse", 2)])
def test_the_entries_of_all_gradients_of_the_three_layers(cost: str, factor: int) -> None:
    """∂Z³ = factor/m (A³ − y), ∂Zˡ = Wˡ⁺¹ᵀ·∂Zˡ⁺¹ ⊙ g′(Zˡ), ∂Wˡ = ∂Zˡ·Aˡ⁻¹ᵀ: in SymPy's matrices."""
    n = three_layers(cost)
    dZ = {3: sympy.Rational(factor, 2) * (symbols_of(n["A3"]) - symbols_of(n["y"]))}
    for layer in (2, 1):
        open_ = sympy.Matrix([[int(z.data > 0) for z in row] for row in n[f"Z{layer}"]])
        dZ[layer] = (symbols_of(n[f"W{layer + 1}"]).T * dZ[layer + 1]).multiply_elementwise(open_)
    below = {1: symbols_of(n["X"]), 2: symbols_of(n["A1"]), 3: symbols_of(n["A2"])}
    assert {int(z.data > 0) for layer in (1, 2) for row in n[f"Z{layer}"] for z in row} == {0, 1}
    for layer in (3, 2, 1):
        for what, expected in ((f"Z{layer}", dZ[layer]), (f"W{layer}", dZ[layer] * below[layer].T)):
            found = derive(n["J"], n[what])
            for j, row in enumerate(found):
                for k, entry in enumerate(row):
                    assert sympy.simplify(entry.expression - expected[j, k]) == 0, entry
        for j, entry in enumerate(derive(n["J"], n[f"b{layer}"])):
            assert sympy.simplify(entry.expression - sum(dZ[layer][j, :])) == 0, entry


FORMULAS = (
    "∂J/∂W3 = ∂J/∂Z3 · A2ᵀ",
    "∂J/∂Z2 = W3ᵀ·∂J/∂Z3 ⊙ g′(Z2)",
    "∂J/∂W2 = ∂J/∂Z2 · A1ᵀ",
    "∂J/∂W2 = (W3ᵀ·∂J/∂Z3 ⊙ g′(Z2)) · A1ᵀ",
    "∂J/∂Z1 = W2ᵀ·∂J/∂Z2 ⊙ g′(Z1)",
    "∂J/∂W1 = ∂J/∂Z1 · Xᵀ",
    "∂J/∂b1 = ∂J/∂Z1 · ones",
    "∂J/∂b3 = ∂J/∂Z3 · ones",
)
WITH_COST = {
    "cross entropy": (
        "∂J/∂Z3 = 1/m (A3 − y)",
        "∂J/∂Z3 = ∂J/∂A3 ⊙ σ′(Z3)",
        "∂J/∂W1 = (W2ᵀ·(W3ᵀ·(1/m (A3 − y)) ⊙ g′(Z2)) ⊙ g′(Z1)) · Xᵀ",
    ),
    "mse": (
        "∂J/∂Z3 = 2/m (A3 − y)",
        "∂J/∂W1 = (W2ᵀ·(W3ᵀ·(2/m (A3 − y)) ⊙ g′(Z2)) ⊙ g′(Z1)) · Xᵀ",
    ),
}


@pytest.mark.parametrize("cost", WITH_COST)
def test_the_formulas_of_the_three_layers_hold_for_all_entries(cost: str) -> None:
    n = three_layers(cost) | {"g": "ReLU", "ones": [1.0, 1.0]}
    for formula in (*FORMULAS, *WITH_COST[cost]):
        found = verify_formula(formula, n)
        assert found, found
        assert found.proved, found


@pytest.mark.parametrize(
    "printed",
    [
        "∂J/∂W3 = 1/m A2·(A3 − y)",
        "∂J/∂W3 = 1/m (A3 − y)·A2",
        "∂J/∂Z2 = ∂J/∂Z3·W3 ⊙ g′(Z2)",
        "∂J/∂W2 = (W3ᵀ·∂J/∂Z3 ⊙ g′(Z2)) · A1",
        "∂J/∂Z3 = 2/m (A3 − y)",
        "∂J/∂W1 = ∂J/∂Z1 · X",
    ],
)
def test_what_is_misprinted_does_not_hold(printed: str) -> None:
    assert not verify_formula(printed, three_layers("cross entropy"), g="relu")


# Seed 002: a layer as matrices.


def layer_of(m: int, n: int) -> dict[str, Any]:
    W = [[Value(0.5 * i - 0.25 * j + 0.125) for j in range(n)] for i in range(m)]
    X, B = [Value(0.75 - 0.5 * j) for j in range(n)], [Value(0.25 * i) for i in range(m)]
    Y = [dot(W[i], X, start=B[i]) for i in range(m)]
    t = [1.0, -0.5, 0.25][:m]
    C = sum(square(Y[i].tanh() - t[i]) for i in range(m)) / m
    return {"C": C, "W": W, "B": B, "X": X, "Y": Y}


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (3, 2)])
@pytest.mark.parametrize("formula", ["∂C/∂W = ∂C/∂Y · Xᵀ", "∂C/∂B = ∂C/∂Y", "∂C/∂X = Wᵀ · ∂C/∂Y"])
def test_the_three_formulas_of_a_layer(formula: str, m: int, n: int) -> None:
    found = verify_formula(formula, layer_of(m, n))
    assert found.proved, found
    assert len(found.entries) == {"W": m * n, "B": m, "X": n}[formula[4]]


def test_an_entry_of_each() -> None:
    layer = layer_of(2, 3)
    names = {layer["C"]: "C"} | {node: f"x{k}" for k, node in enumerate(layer["X"])}
    names |= {node: f"y{k}" for k, node in enumerate(layer["Y"])}
    names |= {node: f"w{j}{k}" for j, row in enumerate(layer["W"]) for k, node in enumerate(row)}
    d0, d1 = (derive(layer["C"], node, names=names).expression for node in layer["Y"])
    x2, w00, w10 = sympy.symbols("x2 w00 w10", real=True)
    assert sympy.expand(derive(layer["C"], layer["W"][1][2], names=names).expression - d1 * x2) == 0
    assert sympy.expand(derive(layer["C"], layer["B"][0], names=names).expression - d0) == 0
    assert sympy.expand(derive(layer["C"], layer["X"][0], names=names).expression - (w00 * d0 + w10 * d1)) == 0
    assert "∂C/∂w12 = ∂y1/∂w12 · ∂C/∂y1\n" in str(derive(layer["C"], layer["W"][1][2], names=names))


def example() -> dict[str, Any]:
    """Layers 0, 1 and 2 of the source's example: linear, σ, linear; with the cost 1/n Σ (Ŷ − Y)²."""
    W0 = [[Value(0.5), Value(-0.25), Value(1.0)], [Value(0.75), Value(0.5), Value(-1.0)]]
    W2 = [[Value(1.0), Value(-0.5)], [Value(0.25), Value(2.0)]]
    B0, B2 = [Value(0.1), Value(-0.2)], [Value(0.0), Value(0.3)]
    X0 = [Value(0.5), Value(1.0), Value(-1.5)]
    Y0 = [dot(row, X0, start=b) for row, b in zip(W0, B0, strict=True)]
    Y1 = [sigmoid(x) for x in Y0]
    Y2 = [dot(row, Y1, start=b) for row, b in zip(W2, B2, strict=True)]
    target = [Value(1.0), Value(0.0)]
    C = sum(square(t - out) for t, out in zip(target, Y2, strict=True)) / 2
    return {
        "C": C, "W⁽⁰⁾": W0, "B⁽⁰⁾": B0, "X⁽⁰⁾": X0, "X⁽¹⁾": Y0, "Y⁽¹⁾": Y1, "W⁽²⁾": W2, "B⁽²⁾": B2, "X⁽²⁾": Y1,
        "Y⁽²⁾": Y2, "Ŷ": target, "n": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    "formula",
    [
        "∂C/∂Y⁽²⁾ = 2/n (Y⁽²⁾ − Ŷ)",
        "∂C/∂W⁽²⁾ = 2/n (Y⁽²⁾ − Ŷ)·X⁽²⁾ᵀ",
        "∂C/∂B⁽²⁾ = 2/n (Y⁽²⁾ − Ŷ)",
        "∂C/∂X⁽²⁾ = W⁽²⁾ᵀ·(2/n (Y⁽²⁾ − Ŷ))",
        "∂C/∂X⁽¹⁾ = ∂C/∂Y⁽¹⁾ ⊙ σ′(X⁽¹⁾)",
        "∂C/∂W⁽⁰⁾ = (W⁽²⁾ᵀ·(2/n (Y⁽²⁾ − Ŷ)) ⊙ σ′(X⁽¹⁾))·X⁽⁰⁾ᵀ",
        "∂C/∂B⁽⁰⁾ = W⁽²⁾ᵀ·(2/n (Y⁽²⁾ − Ŷ)) ⊙ σ′(X⁽¹⁾)",
    ],
)
def test_the_example_network(formula: str) -> None:
    found = verify_formula(formula, example())
    assert found.proved, found


@pytest.mark.parametrize(
    "printed",
    [
        "∂C/∂Y⁽²⁾ = 2 (Y⁽²⁾ − Ŷ)",
        "∂C/∂W⁽⁰⁾ = W⁽²⁾ᵀ·(2/n (Y⁽²⁾ − Ŷ)) ⊙ (σ′(X⁽¹⁾)·X⁽⁰⁾ᵀ)",
        "∂C/∂B⁽⁰⁾ = 2/n (Y⁽²⁾ − Ŷ) ⊙ σ′(X⁽¹⁾)·X⁽⁰⁾ᵀ",
    ],
)
def test_what_the_example_misprints_does_not_hold(printed: str) -> None:
    assert not verify_formula(printed, example())

"""Derivatives as mathematics: ``derive``, ``verify_formula`` and ``explain``.

These three are thin, so that what they need is loaded when it is wanted: it would be a tenth of the time that
``import autograd`` takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from autograd.value import Value

if TYPE_CHECKING:
    from autograd.pictures.mathematics.verification import Verification


def derive(
    output: Value,
    wrt: Any,
    *,
    order: Literal["layer", "input", "output"] = "layer",
    names: Mapping[Value, str] | None = None,
    precision: int = 4,
) -> Any:
    """The derivative of an output as the chain rule between labelled nodes: factors, formula, numbers.

    Every labelled Value is a symbol, a real one: ``sympy.Symbol("a¹", real=True)``. What lies between two of them is
    folded into one factor, by the rules of the table over SymPy. Several paths are a sum. What depends on data
    (``where``, ``relu``, ``maximum``) is shown as the formula of the branch that was taken, with the condition.

    >>> from autograd import sigmoid
    >>> a1, w2, y = Value(0.5, "a¹"), Value(2.0, "w²"), Value(1.0, "y")
    >>> z2 = w2 * a1
    >>> z2.label = "z²"
    >>> a2 = sigmoid(z2)
    >>> a2.label = "a²"
    >>> C = 0.5 * (y - a2) ** 2
    >>> C.label = "C"
    >>> print(derive(C, w2))
    ∂C/∂w² = ∂z²/∂w² · ∂a²/∂z² · ∂C/∂a²
      (1) ∂z²/∂w² = ∂(w²·a¹)/∂w² = a¹
      (2) ∂a²/∂z² = ∂σ(z²)/∂z² = σ′(z²) = a²·(1 − a²)
      (3) ∂C/∂a² = ∂(½·(y − a²)²)/∂a² = ½·2·(y − a²)·(−1) = a² − y
      ∂a²/∂w² = ∂a²/∂z² · ∂z²/∂w² = σ′(z²) · a¹
    ∂C/∂w² = a¹ · σ′(z²) · (a² − y)
           = a¹ · a²·(1 − a²) · (a² − y)
           = 0.5 · 0.1966 · (−0.2689)
           = −0.02644

    Args:
        output: a Value.
        wrt: a Value, or nested lists, tuples and dicts of Values; the result has the same shape.
        order: of the factors in a product. ``output``: from the output down; ``input``: from wrt up; ``layer``, as
            textbooks have it: of a leaf the partials of its own layer, up to the activation, then those from the output
            down to it; of a node in between from the output down.
        names: names for nodes, in this derivation only; they go before labels, and an empty one hides a label.
        precision: significant digits of the numbers.

    Returns:
        A ``Derivation``, or as many as wrt holds. Without a path from wrt to the output it is zero, and says so.

    Raises:
        ValueError: there are too many paths, factors or operations for a formula; the remedy is named.
        StaleGraphError: a leaf was written after a node had used it.
        ModuleNotFoundError: SymPy is not installed.
    """
    from autograd.pictures.mathematics.derivation import derivations

    return derivations(output, wrt, order, names, precision)


def verify_formula(formula: str, names: Mapping[str, Any] | None = None, /, **more_names: Any) -> Verification:
    """Whether a matrix formula for a derivative holds, for every entry, as algebra and in numbers.

    >>> from autograd import linear
    >>> W, X = [[Value(0.5), Value(-1.0)], [Value(2.0), Value(0.25)]], [Value(3.0), Value(4.0)]
    >>> Y = linear(W, X)
    >>> C = (Y[0] * Y[1]).tanh()
    >>> print(verify_formula("∂C/∂W = ∂C/∂Y · Xᵀ", C=C, W=W, X=X, Y=Y))
    ∂C/∂W = ∂C/∂Y · Xᵀ holds for all 4 entries, as algebra and in numbers
    >>> print(verify_formula("∂C/∂X = W · ∂C/∂Y", C=C, W=W, X=X, Y=Y).holds)
    False

    Args:
        formula: ``∂C/∂W = …``, of sums and products from left to right: ``·`` is the matrix product or that with a
            number, ``⊙`` the one entry by entry, ``ᵀ`` (or ``.T``) a transpose, ``σ′(Z)`` a function of each entry.
        names, more_names: what its letters are: Values, numbers, a list (a column), a list of rows, or for a function
            its name: ``g="relu"``. ``names`` is for letters such as ``W²``, that Python does not take.

    Raises:
        ValueError: the formula cannot be read, or has a name that is not given.
    """
    from autograd.pictures.mathematics.verification import verification

    return verification(formula, {**(names or {}), **more_names})


def explain(
    output: Value,
    wrt: Any,
    *,
    top: int = 5,
    between: Literal["labels", "nodes"] | None = None,
    names: Mapping[Value, str] | None = None,
    precision: int = 4,
) -> Any:
    """The paths that carry most of a derivative, and those that cancel, without listing all paths.

    >>> x = Value(1.0, "x")
    >>> h1, h2 = 3.2 * x, -3.1 * x
    >>> h1.label, h2.label = "h1", "h2"
    >>> y = h1 + h2
    >>> y.label = "y"
    >>> print(explain(y, x))
    ∂y/∂x = 0.1 = +3.2 −3.1 along 2 paths
    small because +3.2 through h1 cancels −3.1 through h2
      +3.2  51%  x → h1 → y
      −3.1  49%  x → h2 → y

    Args:
        output: a Value.
        wrt: a Value, or nested lists, tuples and dicts of Values; the result has the same shape.
        top: so many paths of each sign are looked for.
        between: ``labels``: paths between labelled nodes, what has no label being folded into one factor; ``nodes``:
            every node counts, and those without a label are called by primitive, number and line. Unless told, labels
            where there are some on the way.
        names: names for nodes, in this explanation only; they go before labels, and an empty one hides a label.
        precision: significant digits of the numbers.

    Returns:
        An ``Explanation``, or as many as wrt holds.

    Raises:
        StaleGraphError: a leaf was written after a node had used it.
    """
    from autograd.pictures.mathematics.explanation import explanations

    return explanations(output, wrt, top, between, names, precision)

"""Sparse Jacobians and Hessians are the dense ones, from as many products as there are colours."""

from __future__ import annotations

import copy
import itertools
import pickle
import sys
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd.compiled.programs.sparsity import colours_of, pattern_of_places
from tests.compiled.replays import BACKENDS, bits


def rosenbrock(x: Any) -> Any:
    return autograd.sum([100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1)])


def arrow(x: Any) -> Any:
    """Its Hessian has a full row, a full column and the diagonal."""
    return autograd.sum([x[0] * number * number for number in x])


def linear(x: Any) -> Any:
    return 3.0 * x[0] - x[1]


def choices(x: Any) -> Any:
    return autograd.sum([autograd.where(a > 0.5, a * b, b**3) for a, b in itertools.pairwise(x)])


def looped(x: Any) -> Any:
    return autograd.scan(lambda c, e: (c + e * e * e, None), x[0] ** 2, x, unroll=False)[0]


def residuals(x: Any) -> Any:
    return [x[i] * x[i + 1] - 1.0 for i in range(len(x) - 1)] + [2.0 * x[0], 5.0]


def one_row(x: Any) -> Any:
    """A Jacobian of one full row is one product from the left."""
    return [autograd.sum([number**2 for number in x])]


POINT = [0.25, -1.5, 0.75, 2.0, 1.0, -0.5]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", [rosenbrock, arrow, linear, choices, looped])
def test_a_hessian(f: Any, backend: str) -> None:
    dense = autograd.objective(f, backend=backend)
    sparse = autograd.objective(f, backend=backend, sparse=True)
    for point in (POINT, POINT[::-1]):
        found = sparse.hessian(point)
        assert isinstance(found, scipy.sparse.csr_array)
        assert bits(found.toarray()) == bits(dense.hessian(point))
        assert bits(sparse.jacobian(point).toarray()) == bits(dense.jacobian(point))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", [residuals, one_row, lambda x: [rosenbrock(x), *residuals(x)], lambda x: [2.0, 3.0]])
def test_a_jacobian(f: Any, backend: str) -> None:
    dense = autograd.objective(f, backend=backend)
    sparse = autograd.objective(f, backend=backend, sparse=True)
    for point in (POINT, POINT[::-1]):
        assert bits(sparse.jacobian(point).toarray()) == bits(dense.jacobian(point))
    with pytest.raises(TypeError, match="needs a function of one output"):
        sparse.hessian(POINT)


@pytest.mark.parametrize(
    ("f", "what", "places", "products"),
    [(rosenbrock, "hessian", 298, 3), (residuals, "jacobian", 199, 2), (one_row, "jacobian", 100, 1),
     (linear, "hessian", 0, 0), (arrow, "hessian", 298, 100)],
)  # fmt: skip
def test_as_few_products_as_colours(f: Any, what: str, places: int, products: int) -> None:
    objective = autograd.objective(f, sparse=True)
    assert getattr(objective, what)(np.linspace(0.1, 1.0, 100)).nnz == places
    (compressed,) = objective._compressed.values()
    assert compressed.products == products


@given(st.data())
def test_no_two_columns_of_a_colour_share_a_row(data: Any) -> None:
    rows, columns = data.draw(st.integers(0, 8)), data.draw(st.integers(0, 8))
    some = st.booleans() if rows * columns else st.nothing()
    taken = np.array(data.draw(st.lists(some, min_size=rows * columns, max_size=rows * columns)), bool)
    matrix = taken.reshape(rows, columns)
    pattern = pattern_of_places(matrix.shape, *np.nonzero(matrix))
    colours = colours_of(pattern)
    for colour in set(colours.tolist()):
        assert (matrix[:, colours == colour].sum(axis=1) <= 1).all()
    assert colours.max(initial=0) <= columns
    backward = pattern.transposed
    assert [*zip(backward.rows, backward.columns, strict=True)] == [*zip(*np.nonzero(matrix.T), strict=True)]
    both = pattern_of_places((8, 8), pattern.rows, pattern.columns).both_ways()
    opposite = both.mirrored()
    assert both.rows[opposite].tolist() == both.columns.tolist()
    assert both.columns[opposite].tolist() == both.rows.tolist()


def test_another_way_is_another_recording() -> None:
    def f(x: Any) -> Any:
        return x[0] * x[1] if x[0] > 0.0 else x[1] ** 3 + x[2]

    objective = autograd.objective(f, sparse=True)
    for point in ([1.0, 2.0, 3.0], [-1.0, 2.0, 3.0], [2.0, 1.0, 1.0]):
        assert objective.hessian(point).toarray().tolist() == autograd.hessian(f)(point)
        assert objective.jacobian(point).toarray().tolist() == [autograd.grad(f)(point)]
    assert (objective.recordings, objective.hessian([1.0, 2.0, 3.0]).nnz) == (2, 2)


def test_a_mixed_derivative_that_differs_by_order_is_nan_in_both_places() -> None:
    dense, sparse = (autograd.objective(lambda x: x[0] ** x[1], sparse=s).hessian([0.0, 1.0]) for s in (False, True))
    assert bits(sparse.toarray()) == bits(dense)


def test_copies_and_pickles_are_sparse_too() -> None:
    objective = autograd.objective(rosenbrock, sparse=True)
    expected = objective.hessian(POINT).toarray().tolist()
    for other in (copy.copy(objective), copy.deepcopy(objective), pickle.loads(pickle.dumps(objective))):
        assert other.hessian(POINT).toarray().tolist() == expected


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = autograd.objective(rosenbrock, sparse=True)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ModuleNotFoundError, match="sparse=True needs SciPy: pip install scipy"):
        objective.hessian(POINT)


def test_solvers_take_them() -> None:
    objective = autograd.objective(rosenbrock, sparse=True)
    found = scipy.optimize.minimize(
        objective, np.zeros(50), jac=True, hess=objective.hessian, method="trust-constr", options={"gtol": 1e-9}
    )
    assert np.allclose(found.x, 1.0, atol=1e-6)
    fit = autograd.objective(lambda x: [10.0 * (x[i + 1] - x[i] ** 2) for i in range(9)] + [1.0 - x[0]], sparse=True)
    solved = scipy.optimize.least_squares(fit.value, np.zeros(10), jac=fit.jacobian, xtol=1e-15)
    assert np.allclose(solved.x, 1.0, atol=1e-8)

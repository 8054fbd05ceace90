"""Property tests of derivatives, with Hypothesis: strategies for numbers, points, formulas and small networks, and
``gradtest``. ``pip install 'valuegrad[testing]'`` brings Hypothesis; nothing is added to pytest.

A file ``test_softness.py`` of two lines of imports and one of a test, and pytest tries a hundred points::

    import autograd
    from autograd.testing import gradtest, reals

    @gradtest(x=reals(-3, 3), y=reals(min_value=0.1))
    def test_softness(x, y):
        return y * autograd.log(1 + autograd.exp(x / y))

The strategies are for tests of any kind, with Hypothesis' own ``given``:

>>> from hypothesis import given
>>> @given(calls(expressions(max_nodes=5)))
... def test_the_graph_computes_what_the_formula_does(call):
...     output, leaves = call.function.graph(*call.inputs)
...     assert output.data == call.function(*call.inputs)
>>> test_the_graph_computes_what_the_formula_does()
"""

try:
    import hypothesis as _hypothesis  # noqa: F401 - whether it is installed is said here, not in the middle of an import
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    raise ModuleNotFoundError(
        "autograd.testing needs Hypothesis, which is not installed: pip install 'valuegrad[testing]'", name="hypothesis"
    ) from None

from autograd.testing.expression import Expression, Graph, Step
from autograd.testing.graphs import ALL, CONTINUOUS, SMOOTH, expressions
from autograd.testing.networks import MLP, Call, NetworkGraph, calls, mlps
from autograd.testing.numbers import points, reals
from autograd.testing.property_tests import gradtest

__all__ = [
    "ALL",
    "CONTINUOUS",
    "MLP",
    "SMOOTH",
    "Call",
    "Expression",
    "Graph",
    "NetworkGraph",
    "Step",
    "calls",
    "expressions",
    "gradtest",
    "mlps",
    "points",
    "reals",
]

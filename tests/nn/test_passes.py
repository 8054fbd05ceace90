"""Passes other than the call: ``predict`` gives its numbers without a graph, ``trace`` keeps every Z and A."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import MLP


@given(st.lists(st.lists(st.floats(-100.0, 100.0), min_size=3, max_size=3), min_size=1, max_size=4), st.integers(0, 99))
def test_predict_equals_a_call_bit_for_bit(X: list[list[float]], seed: int) -> None:
    for model in (MLP(3, [5, 2], "tanh", "sigmoid", seed=seed), MLP(3, [4, 1], "relu", seed=seed)):
        called = [model(x) for x in X]
        assert model.predict(X) == [[v.data for v in o] if isinstance(o, list) else o.data for o in called]


def test_predict_builds_no_graph() -> None:
    (outputs,) = MLP(2, [3, 2]).predict([[1.0, 2.0]])
    assert [type(x) for x in outputs] == [float, float]
    assert type(MLP(2, [3, 1], lambda z: z * z).predict([[1.0, 2.0]])[0]) is float


def test_trace_holds_every_z_and_a() -> None:
    model = MLP(2, [3, 1], activation="relu", output="sigmoid")
    trace = model.trace((0.5, -1.0))
    assert trace.output.data == model([0.5, -1.0]).data
    assert trace.x == [0.5, -1.0]
    assert [v.data for v in trace.Z[0]] == [v.data for v in model.layers[0].linear([0.5, -1.0])]
    assert [v.data for v in trace.A[0]] == [max(0.0, v.data) for v in trace.Z[0]]
    assert [v.label for v in (*trace.Z[0], *trace.A[1])] == ["z1[0]", "z1[1]", "z1[2]", "a2[0]"]
    trace.output.backward()
    (z2,), (a2,) = trace.Z[1], trace.A[1]
    assert z2.grad == pytest.approx(a2.data * (1.0 - a2.data), rel=1e-14, abs=0.0)


def test_without_an_activation_a_is_z() -> None:
    trace = MLP(1, [2]).trace([1.0])
    assert trace.A[0] is trace.Z[0]
    assert trace.output is trace.Z[0]
    assert [z.label for z in trace.Z[0]] == ["z1[0]", "z1[1]"]

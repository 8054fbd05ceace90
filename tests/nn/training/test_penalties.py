"""Penalties: of the weights and not of the biases, unless these are asked for."""

from typing import Any

import nn
from autograd import Value
from nn import L1, L2, MLP

ROWS = [[0.5, -1.0], [2.0, 0.25]]


def test_a_penalty_on_a_model_without_weights_is_zero() -> None:
    class Constant(nn.Module):
        def __init__(self) -> None:
            self.b = Value(0.5)

        def __call__(self, x: Any) -> Any:
            return self.b * 1.0

    model = Constant()
    sgd = nn.SGD(model.parameters(), 0.1)
    history = nn.fit(model, ROWS, [0.0, 1.5], loss="mse", optimizer=sgd, epochs=2, penalty=nn.L2(0.1), progress=False)
    assert history.epochs == 2


def test_penalties_leave_the_biases_alone() -> None:
    model = MLP(2, [2, 1], seed=3)
    for i, p in enumerate(model.parameters()):
        p.data = float(i) - 4.0
    w = [p.data for name, p in model.named_parameters() if not name.endswith(".b")]
    assert len(w) == 6
    assert L1(0.5)(model).data == 0.5 * sum(map(abs, w))
    assert L2(0.5)(model).data == 0.25 * sum(x * x for x in w)
    L2(0.5)(model).backward()
    for name, p in model.named_parameters():
        assert p.grad == (0.0 if name.endswith(".b") else 0.5 * p.data)
    assert L2(2.0, biases=True)(model).data == sum(p.data * p.data for p in model.parameters())


def test_a_penalty_equals_its_like_alone() -> None:
    assert L1(0.5) == L1(0.5, biases=False)
    assert L1(0.5) != L2(0.5)

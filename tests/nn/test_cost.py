"""The cost: the mean of a loss over the samples."""

import pytest

from nn import LOSSES, MLP, bce_with_logits, cost, losses


def test_the_cost_is_the_mean_over_the_samples() -> None:
    model = MLP(2, [3, 1])
    X, y = [[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]], [0, 1, 1]
    expected = sum(bce_with_logits(model(x), t).data for x, t in zip(X, y, strict=True)) / 3
    for loss in ("bce_with_logits", bce_with_logits):
        assert cost(model, X, y, loss).data == pytest.approx(expected, rel=1e-15, abs=0.0)
    assert cost(lambda x: x[0], [[1.0], [2.0]], [0.0, 0.0], "mse") == 2.5


def test_what_the_cost_refuses() -> None:
    model = MLP(1, [1])
    with pytest.raises(ValueError, match="X is empty"):
        cost(model, [], [], "mse")
    with pytest.raises(ValueError, match="X has 2 samples, but y has 1 targets"):
        cost(model, [[1.0], [2.0]], [1.0], "mse")
    with pytest.raises(
        ValueError, match="no loss is called 'mean'; there are mse, half_squared_error, mae, huber, binary"
    ):
        cost(model, [[1.0]], [1.0], "mean")
    assert all(LOSSES[name] is getattr(losses, name) for name in LOSSES)
    assert len(LOSSES) == 8

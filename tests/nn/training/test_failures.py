"""How a training fails: where it was, what is not finite, and where that began."""

import math

import pytest

import autograd
from autograd import Value
from nn import MLP, SGD, NonFiniteLoss, fit
from nn.optimizers import Optimizer

X = [[-1.0, 0.5], [0.0, 1.0], [1.0, -0.5], [2.0, 0.0], [0.5, 0.5]]
Y = [0.5, 1.0, -1.0, 0.0, 0.25]


def test_training_that_explodes_says_where() -> None:
    model = MLP(2, [4, 1], activation="linear", seed=1)
    with pytest.raises(NonFiniteLoss) as caught:
        fit(model, X, Y, loss="mse", optimizer=SGD(model.parameters(), learning_rate=1e30), epochs=50)
    error = caught.value
    assert error.epoch > 1
    assert error.step == 1
    assert error.sample is not None
    assert f"epoch {error.epoch}, step 1: the loss of X[{error.sample}]" in str(error)
    assert "Lower the learning rate" in str(error)
    assert all(p.grad == 0.0 for p in model.parameters())


def test_the_first_bad_parameter_is_named() -> None:
    model = MLP(2, [4, 1], seed=1)
    model.layers[0].neurons[2].w[1].data = math.nan
    with pytest.raises(NonFiniteLoss) as caught:
        fit(model, X, Y, loss="mse", optimizer=SGD(model.parameters()), epochs=1)
    error = caught.value
    assert (error.epoch, error.step, error.sample, error.parameter) == (1, 1, 0, "layers[0].neurons[2].w[1]")
    assert "the first parameter that is not finite is layers[0].neurons[2].w[1] (w1[2,1]) = nan" in str(error)


@pytest.mark.parametrize(
    ("activation", "weight", "cause"), [("log", -1.0, autograd.DomainError), ("exp", 1000.0, OverflowError)]
)
def test_errors_of_the_engine_become_the_cause(activation: str, weight: float, cause: type[Exception]) -> None:
    model = MLP(1, [1], output=activation)
    model.layers[0].neurons[0].w[0].data = weight
    optimizer = SGD(model.parameters())
    with pytest.raises(NonFiniteLoss, match=rf"^epoch 1, step 1: the loss of X\[1\] failed: {activation} ") as caught:
        fit(model, [[-1.0], [1.0]], [0.0, 0.0], loss="mse", optimizer=optimizer, epochs=1)
    assert type(caught.value.__cause__) is cause
    assert (caught.value.sample, caught.value.parameter) == (1, None)
    assert "all parameters are finite, the largest being layers[0].neurons[0].w[0]" in str(caught.value)


def test_where_a_loss_that_is_not_finite_was_born() -> None:
    model = MLP(1, [1], seed=0)

    def loss(output: Value, target: float) -> Value:
        far = output * 0.0 + 1e308
        far.label = "far"
        return far * 10.0 - far * 10.0

    with pytest.raises(NonFiniteLoss) as caught:
        fit(model, [[1.0]], [0.0], loss=loss, optimizer=SGD(model.parameters()), epochs=1)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("Lower the learning rate, or standardise the inputs")
    assert lines[1:] == [
        "forward: mul gave inf; x is 1e+308 ('far'), y is 10.0. 1e+308 · 10.0 is too large for a float.",
        "  on the way to the output: mul('far', 10.0) → sub",
    ]


def test_where_a_penalty_that_is_not_finite_was_born() -> None:
    model = MLP(1, [1], seed=0)
    with pytest.raises(NonFiniteLoss, match=r"the penalty nan; .*\nforward: mul gave nan; .* A constant"):
        fit(
            model,
            [[1.0]],
            [0.0],
            loss="mse",
            optimizer=SGD(model.parameters()),
            epochs=1,
            penalty=lambda m: next(iter(m.parameters())) * math.nan,
        )


def test_how_the_operand_of_a_failed_loss_was_made() -> None:
    model = MLP(1, [1], seed=0)
    with pytest.raises(NonFiniteLoss, match=r"standardise the inputs\nwhere x = sub\(") as caught:
        fit(
            model,
            [[1.0]],
            [0.0],
            loss=lambda output, target: autograd.log(output - 50.0),
            optimizer=SGD(model.parameters()),
            epochs=1,
        )
    assert isinstance(caught.value.__cause__, autograd.DomainError)


def test_weights_that_overflow_in_the_very_last_step() -> None:
    class Exploding(Optimizer):
        def step(self) -> None:
            for p in self.parameters:
                p.data = math.inf

    model = MLP(2, [1])
    with pytest.raises(
        NonFiniteLoss, match=r"epoch 1, step 1: the loss cannot be computed any more; .*w\[0\].* = inf"
    ) as caught:
        fit(model, X, Y, loss="mse", optimizer=Exploding(model.parameters(), learning_rate=1.0), epochs=1)
    assert caught.value.sample is None

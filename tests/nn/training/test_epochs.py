"""Epochs: whatever goes through the samples is given an order and a rate for each, until the training stops."""

from collections.abc import Sequence
from random import Random

from nn import MLP, SGD, History, Training, schedules
from nn.randomness import permutation
from nn.training.epochs import Epoch, epochs


def test_another_way_through_an_epoch_can_take_the_place_of_steps() -> None:
    model = MLP(2, [1])
    training = Training(model, SGD(model.parameters(), learning_rate=0.5), History())
    orders: list[list[int]] = []

    def run(epoch: Epoch, order: Sequence[int]) -> None:
        orders.append(list(order))
        epoch.steps, epoch.total_loss = 2, 3.0 * len(order)

    rates = []
    chance = Random(1)
    half = schedules.Step(every=1, by=0.5)
    for epoch in epochs(training, run, count=9, samples=6, draw=lambda: permutation(6, chance), schedule=half):
        rates.append(training.optimizer.learning_rate)
        assert (epoch.number, epoch.steps, epoch.total_loss) == (len(orders), 2, 18.0)
        assert epoch.place(4) == (epoch.number, 2, 4, "X")
        if epoch.number == 3:
            training.stop("enough")
    assert rates == [0.5, 0.25, 0.125]
    assert [sorted(order) for order in orders] == [[0, 1, 2, 3, 4, 5]] * 3
    assert orders[0] != orders[1]


def test_without_chance_the_order_is_that_given() -> None:
    model = MLP(2, [1])
    training = Training(model, SGD(model.parameters(), learning_rate=0.5), History())
    orders: list[list[int]] = []
    done = epochs(training, lambda _, order: orders.append(list(order)), count=2, samples=3, draw=None, schedule=None)
    assert [epoch.number for epoch in done] == [1, 2]
    assert orders == [[0, 1, 2]] * 2
